"""Whose rule sets a change makes out of date: they are found by their ids, however many users there are."""

import pytest

from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage

READ = (
    "SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int FROM pg_stat_xact_user_tables"
    " WHERE relname = 'users'"
)
OTHERS = 50


@pytest.mark.parametrize(
    "change",
    ["UPDATE users SET phone = '+13035550177' WHERE id = $1",
     "UPDATE availabilities SET is_paused = true WHERE id = $1",
     "INSERT INTO alert_preferences (user_id) VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET won = '{email}'"],
    ids=["phone", "pause", "preferences"],
)  # fmt: skip
async def test_a_change_of_a_user_reads_no_other_users(brokerage: Brokerage, database: Database, change: str) -> None:
    for number in range(OTHERS):
        await brokerage.town.add_user(f"user{number}")
    async with database.transaction() as transaction:
        before = await transaction.fetchval(READ)
        await transaction.execute(change, brokerage.town.users["bob"])
        after = await transaction.fetchval(READ)
    assert 0 < after - before < OTHERS

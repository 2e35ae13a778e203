"""What has passed a member by is read from an index of that member, however much there was before."""

import msgspec
import pytest

from leadroutes.store import statement
from leadroutes.store.passed_over import list_passed_over
from leadroutes.store.postgres import PLANNER_SETTINGS, Database
from tests.support.plans import indexes, read, scans_of
from tests.support.town import Town

NOW = "timestamptz '2026-01-05 12:00+00'"
BEFORE, RECENT = 3000, 60


@pytest.fixture
async def town(database: Database) -> Town:
    """Two leads a day have passed Bob by, the newest just now, and none anyone else."""
    town = await Town.create(database)
    contact_id = await town.contact("alice")
    await database.execute(
        "WITH lead AS (INSERT INTO leads (owner_id, contact_id, created_at, modified_at, touched_at)"
        f" SELECT $1, $2, {NOW} - g * interval '12 hours', {NOW}, {NOW} FROM generate_series(0, $4::int - 1) g"
        " RETURNING owner_id, id, created_at)"
        " INSERT INTO offers (owner_id, lead_id, user_id, team_id, place, notify_at, assign_automatically,"
        " has_call_alert, has_text_alert, has_email_alert, state, closed_at)"
        " SELECT owner_id, id, u, $3, 1, created_at, false, false, false, true,"
        " CASE u WHEN $5 THEN 'withdrawn' ELSE 'won' END, created_at FROM lead, unnest(ARRAY[$5, $6]::bigint[]) u",
        town.users["alice"], contact_id, town.team_id, BEFORE, town.users["bob"], town.users["carol"],
    )  # fmt: skip
    await database.execute("VACUUM ANALYZE leads, offers")
    return town


async def test_a_page_reads_the_last_thirty_days_of_that_member(town: Town) -> None:
    asked = statement("list_passed_over").bind(
        user_id=str(town.users["bob"]), since=f"{NOW} - interval '30 days'", most="1000"
    )
    async with town.database.pool.acquire() as connection:
        await connection.execute(PLANNER_SETTINGS)
        await connection.execute(f"PREPARE asked AS {asked[0]}")
        plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({', '.join(asked[1:])})")
        await connection.execute("DEALLOCATE asked")
    found = list(scans_of(msgspec.json.decode(plan)[0]["Plan"]))

    assert "offers_passed_over" in indexes(found, "offers")
    assert RECENT <= read(found, "offers") <= 3 * (RECENT + 1)
    assert RECENT <= read(found, "leads") <= 2 * (RECENT + 1)


async def test_what_a_member_was_given_has_not_passed_them_by(town: Town) -> None:
    since = await town.database.fetchval(f"SELECT {NOW} - interval '30 days'")
    assert len(await list_passed_over(town.database, town.users["bob"], since, 1000)) == RECENT + 1
    assert len(await list_passed_over(town.database, town.users["bob"], since, 7)) == 7
    assert await list_passed_over(town.database, town.users["carol"], since, 1000) == []

"""What loses a deadlock, as with a migration of several tables, is run again at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from leadroutes.store.messages import DeliveryLog, MessageKey
from leadroutes.store.postgres import Database, Following
from tests.support.brokerage import Brokerage
from tests.support.deadlocks import WAITING
from tests.support.processes import until

LOCKS_BOTH = "SELECT count(*) AS found FROM teams CROSS JOIN campaigns"
CHANGES_BOTH = "INSERT INTO teams (id) SELECT campaigns.id FROM campaigns WHERE false"


async def test_a_statement_that_loses_a_deadlock_is_run_again(database: Database) -> None:
    async with database.pool.acquire() as migration, migration.transaction():
        await migration.execute("SET LOCAL deadlock_timeout = '1min'; LOCK TABLE campaigns")
        statements: list[Coroutine[Any, Any, Any]] = [
            database.fetch(LOCKS_BOTH),
            database.fetch_each(LOCKS_BOTH, [()]),
            database.fetch_within(30, "slow", LOCKS_BOTH),
            database.fetch_after(30, "slow", (LOCKS_BOTH, ()), lambda _: Following((LOCKS_BOTH, ()), for_values=False)),
            database.fetchrow(LOCKS_BOTH),
            database.fetchval(LOCKS_BOTH),
            database.execute(CHANGES_BOTH),
        ]
        running = [asyncio.create_task(each) for each in statements]
        await until(lambda: all_wait(database, len(running)))
        await migration.execute("LOCK TABLE teams")

    assert await asyncio.gather(*running) == [[(0,)], [(0,)], [(0,)], [(0,)], (0,), 0, None]


async def test_a_message_that_meets_a_migration_is_sent_all_the_same(brokerage: Brokerage, database: Database) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    message_id = await database.fetchval("SELECT id FROM messages WHERE lead_id = $1", lead_id)
    async with database.pool.acquire() as migration, migration.transaction():
        await migration.execute("SET LOCAL deadlock_timeout = '1min'; LOCK TABLE signatures")
        beginning = asyncio.create_task(DeliveryLog(database).begin(MessageKey(brokerage.owner_id, message_id)))
        await until(lambda: all_wait(database, 1))
        await migration.execute("LOCK TABLE messages")

    begun = await beginning
    assert begun is not None
    assert begun.attempts == 1


async def all_wait(database: Database, how_many: int) -> bool:
    return bool(await database.fetchval(WAITING) == how_many)

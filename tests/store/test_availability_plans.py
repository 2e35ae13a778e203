"""What is read of members before a decision is flat: it does not depend on what they got long ago."""

from typing import Any

import msgspec
import pytest

from leadroutes.store import statement
from leadroutes.store.postgres import PLANNER_SETTINGS, Database
from tests.support.plans import Scan, read, scans_of
from tests.support.town import Town

DUE, NOW = "2026-01-05 12:00+00", "2026-01-05 12:00:10+00"
FEW = 5  # rows that a look at the edge of an index may read in vain


@pytest.fixture
async def town(database: Database) -> Town:
    """Bob got thousands of leads long ago, and one this week; a lead is Bob's."""
    town = await Town.create(database)
    alice, bob = town.users["alice"], town.users["bob"]
    lead_id = await town.lead("alice", await town.contact("alice"), claimed_by_user_id=bob)
    await database.execute(
        "INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id)"
        " SELECT $1, $2, timestamptz '2025-01-01 00:00+00' + n * interval '1 minute', 'claimed', $3"
        " FROM generate_series(1, 5000) n",
        alice, lead_id, bob,
    )  # fmt: skip
    await database.execute(
        f"INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id) VALUES ($1, $2, '{NOW}', 'claimed', $3)",
        alice, lead_id, bob,
    )  # fmt: skip
    await database.execute("ANALYZE lead_events, leads, availabilities")
    return town


async def scans(database: Database, sql: str, *values: Any) -> list[Scan]:
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute(PLANNER_SETTINGS)
        await connection.execute(f"PREPARE asked AS {sql}")
        planned = await connection.fetchval(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE asked({', '.join(values)})"
        )
        await connection.execute("DEALLOCATE asked")
    return list(scans_of(msgspec.json.decode(planned)[0]["Plan"]))


async def test_counting_what_a_member_has_reads_nothing_of_long_ago(town: Town, database: Database) -> None:
    values = {
        "owner_ids": f"ARRAY[{town.users['alice']}]", "user_ids": f"ARRAY[{town.users['bob']}]",
        "days": f"ARRAY['{DUE}'::timestamptz]", "weeks": f"ARRAY['{DUE}'::timestamptz]", "open_since": "'2025-12-01'",
    }  # fmt: skip
    found = await scans(database, *statement("load_workloads").bind(**values))
    assert read(found, "lead_events") <= 2 + FEW
    assert read(found, "leads") <= 3 + FEW


async def test_who_is_available_is_read_by_the_keys_of_the_members(town: Town, database: Database) -> None:
    alice, bob, carol = (town.users[name] for name in ("alice", "bob", "carol"))
    values = {
        "owner_ids": f"ARRAY[{alice}, {alice}]", "user_ids": f"ARRAY[{bob}, {carol}]", "now": f"'{NOW}'", "most": "200"
    }  # fmt: skip
    found = await scans(database, *statement("load_presences").bind(**values))
    assert read(found, "availabilities") == read(found, "users") == 2
    assert read(found, "time_off") == 0

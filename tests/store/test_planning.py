"""The planner learns of a table as soon as it has rows, so that foreign keys are checked by key and not by walking."""

import pytest

from leadroutes.store.planning import analyze_young_tables
from leadroutes.store.postgres import Database
from tests.town import Town

FOREIGN_KEY_CHECK = "SELECT 1 FROM ONLY {} WHERE owner_id = $1 AND id = $2 FOR KEY SHARE"


async def plan(database: Database, table: str) -> str:
    """How a foreign key to the table is checked, as a session plans it once."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE check_{table} (bigint, bigint) AS {FOREIGN_KEY_CHECK.format(table)}")
        rows = await connection.fetch(f"EXPLAIN EXECUTE check_{table} (1, 1)")
        await connection.execute(f"DEALLOCATE check_{table}")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("table", ["contacts", "leads"])
async def test_a_young_table_is_checked_by_its_key(database: Database, table: str) -> None:
    town = await Town.found(database)
    contact_id = await town.contact("alice")
    await town.lead("alice", contact_id)
    for name in ("contacts", "leads"):
        columns = [
            row["column_name"]
            for row in await database.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND column_name <> 'id'", name
            )
        ]
        listed = ", ".join(columns)
        await database.execute(f"INSERT INTO {name} ({listed}) SELECT {listed} FROM {name}, generate_series(1, 2000)")

    assert await analyze_young_tables(database), "the other tables are still empty"

    planned = await plan(database, table)

    [condition] = [line for line in planned.splitlines() if "Index Cond" in line]
    assert "id = $2" in condition, planned


async def test_an_empty_house_has_nothing_to_learn_from(database: Database) -> None:
    assert await analyze_young_tables(database)

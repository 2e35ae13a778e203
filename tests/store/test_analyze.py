"""The planner learns of a table as soon as it has rows, so that foreign keys are checked by key and not by walking."""

import pytest

from leadroutes.store import statement
from leadroutes.store.analyze import analyze_young_tables
from leadroutes.store.postgres import Database
from tests.support.town import Town

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
    town = await Town.create(database)
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


async def keep_rule_sets(database: Database, last: int) -> None:
    """Those of one owner, up to this number."""
    await database.execute(
        "INSERT INTO users (id, email, created_at, modified_at) VALUES (1, 'a@example.com', now(), now())"
        " ON CONFLICT DO NOTHING"
    )
    await database.execute(
        "INSERT INTO rule_sets (owner_id, number, rules, created_at)"
        " SELECT 1, n, '{}', now() FROM generate_series((SELECT count(*) + 1 FROM rule_sets), $1) n",
        last,
    )


async def test_a_table_is_analyzed_again_as_it_grows_and_no_more_once_it_is_large(database: Database) -> None:
    async def fill(last: int) -> float:
        await keep_rule_sets(database, last)
        assert await analyze_young_tables(database), "the other tables are small"
        known: float = await database.fetchval("SELECT reltuples FROM pg_class WHERE oid = 'rule_sets'::regclass")
        return known

    assert [await fill(last) for last in (2_000, 2_100, 20_000, 100_000)] == [2_000, 2_000, 20_000, 20_000]


async def test_what_is_analyzed_now_is_looked_at_again(database: Database) -> None:
    names = [
        row["name"]
        for row in await database.fetch(*statement("find_small_tables").bind())
        if row["name"] != "rule_sets"
    ]
    await database.execute("UPDATE pg_class SET reltuples = 10000 WHERE relname = ANY ($1::text[])", names)
    await keep_rule_sets(database, 2_000)
    assert await analyze_young_tables(database), "it has two thousand rows, and may have more"


async def test_an_empty_house_has_nothing_to_learn_from(database: Database) -> None:
    assert await analyze_young_tables(database)

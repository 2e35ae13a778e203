"""What a plan has read: the scans of EXPLAIN (ANALYZE, FORMAT JSON), and a database of its own for a test of plans."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.support.databases import with_database


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a plan as it ran; `read` counts the rows that it gave and those that it looked at in vain."""

    table: str
    index: str | None
    read: float
    loops: int  # how often it began anew


# Autovacuum counts the rows of a test that have been rolled back: none are left on many pages, says the planner then.
WITHOUT_AUTOVACUUM = """DO $$ DECLARE name regclass; BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', name);
    END LOOP;
END $$"""


@contextlib.asynccontextmanager
async def building(server_url: str, template: str, name: str) -> AsyncIterator[str]:
    """The URL of a database of its own, which no one analyses but the test; it is dropped afterwards."""
    database = f"{template}_{name}"
    administrator = await asyncpg.connect(server_url)
    await administrator.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    await administrator.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
    url = with_database(server_url, database)
    builder = await asyncpg.connect(url)
    await builder.execute(WITHOUT_AUTOVACUUM)
    await builder.close()
    yield url
    await administrator.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
    await administrator.close()


@contextlib.asynccontextmanager
async def session(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that plans as those of the service: compiling a plan would take many times as long as running it."""
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    yield connection
    await connection.close()


def scans_of(node: dict[str, Any]) -> Iterator[Scan]:
    for inner in node.get("Plans", ()):
        yield from scans_of(inner)
    if "Relation Name" in node and node["Node Type"].endswith("Scan"):
        in_vain = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        loops = node["Actual Loops"]
        index = node.get("Index Name") or _bitmap_index(node)
        yield Scan(node["Relation Name"], index, (node["Actual Rows"] + in_vain) * loops, loops)


def _bitmap_index(node: dict[str, Any]) -> str | None:
    return next((each.get("Index Name") or _bitmap_index(each) for each in node.get("Plans", ())), None)


def read(found: Sequence[Scan], table: str) -> float:
    return sum(each.read for each in found if each.table == table)


def indexes(found: Sequence[Scan], table: str) -> set[str | None]:
    return {each.index for each in found if each.table == table}

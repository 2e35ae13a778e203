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
    entries: float  # that its bitmaps took from their indexes, also of rows that are no more


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
    try:
        yield connection
    finally:
        await connection.close()


def scans_of(node: dict[str, Any]) -> Iterator[Scan]:
    for inner in node.get("Plans", ()):
        yield from scans_of(inner)
    if "Relation Name" in node and node["Node Type"].endswith("Scan"):
        in_vain = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        loops = node["Actual Loops"]
        index = node.get("Index Name") or _bitmap_index(node)
        yield Scan(node["Relation Name"], index, (node["Actual Rows"] + in_vain) * loops, loops, sum(_entries(node)))


def _entries(node: dict[str, Any]) -> Iterator[float]:
    """Yields how many entries each index of a bitmap gave."""
    if node["Node Type"] == "Bitmap Index Scan":
        yield node["Actual Rows"] * node["Actual Loops"]
    for inner in _scanned(node):
        yield from _entries(inner)


def _bitmap_index(node: dict[str, Any]) -> str | None:
    return next(filter(None, (each.get("Index Name") or _bitmap_index(each) for each in _scanned(node))), None)


def _scanned(node: dict[str, Any]) -> list[dict[str, Any]]:
    """What is below a scan, without what is only worked out for its conditions."""
    return [each for each in node.get("Plans", ()) if each["Parent Relationship"] in ("Outer", "Member")]


def read(found: Sequence[Scan], table: str) -> float:
    return sum(each.read for each in found if each.table == table)


def indexes(found: Sequence[Scan], table: str) -> set[str | None]:
    return {each.index for each in found if each.table == table}

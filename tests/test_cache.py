"""What is cached between requests is bounded in bytes: every cache of the package is found, and says why it is."""

import functools
import gc
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import leadroutes
from leadroutes import cache
from leadroutes.cache import ShortCache
from leadroutes.store.embedded import bundled_programs
from leadroutes.store.hosts import (
    MAX_CLIENT_SHAPED,
    MAX_CLIENT_SHAPED_LENGTH,
    PREPARED_STATEMENTS,
    ClientShapedSql,
    Connection,
    PreparedStatementLimit,
)
from leadroutes.store.postgres import Database

MOST_BYTES = 16_000_000  # of the texts that one cache holds as its keys, each character of four bytes
# Caches whose keys no request and nothing that arrives can choose, each with what they are.
OUT_OF_REACH = {
    "leadroutes.api.rule_names._names_sql": "nothing",
    "leadroutes.domain.availability.": "the hours of a week of one user, of at most 24 spans a day, zones and moments",
    "leadroutes.security.secret_key._kept": "the directory of the settings",
    "leadroutes.channels.email._own_name": "nothing",
    "leadroutes.api.docs.": "nothing",
    "leadroutes.api.openapi.": "nothing",
    "leadroutes.api.audit._written": "a declared resource",
    "leadroutes.api.resource.": "a declared resource",
    "leadroutes.web.": "nothing",
    "leadroutes.store.accounts._no_ones_hash": "nothing",
    "leadroutes.store.statement": "the name of a file",
    "leadroutes.store.sessions._session_with_viewer": "nothing",
    "leadroutes.sandbox.tasks.liquid._sandbox": "a switch",
    "leadroutes.domain.recurrence._every_seventh": "numbers of a calendar",
    "leadroutes.domain.recurrence._months_of_length": "numbers of a calendar",
    "leadroutes.sandbox.child._SandboxedFunction.of": "the name of a function",
    "leadroutes.domain.identity._zones_of_area": "six digits",
    "leadroutes.domain.conditions._zones": "nothing",
    "leadroutes.domain.stop_words.": "nothing",
    "leadroutes.domain.holidays.": "a calendar and a year",
    "leadroutes.domain.moments.minutes": "a number of minutes",
    "leadroutes.domain.weekly_hours.clock_change": "a day and a time zone",
    "leadroutes.domain.workloads._spans_of_day": "a day and a time zone",
    "leadroutes.domain.lawful_hours.": "time zones, states, and places of 45 characters at most",
    "leadroutes.domain.windows.": "windows of 12 ranges a day at most, so of 2,000 characters, and places",
}


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(leadroutes.__path__, "leadroutes."):
        if not found.name.endswith("__main__"):
            yield found.name


@pytest.fixture(scope="module")
def caches() -> dict[str, object]:
    """Every functools cache of the package, wherever it hangs, by its name."""
    bundled_programs()  # so that the wheel's PostgreSQL is imported without its warning
    for name in modules():
        importlib.import_module(name)
    gc.unfreeze()  # a service that ran in this process has put what there was out of sight
    kind = type(functools.lru_cache(len))
    found = {f"{each.__module__}.{each.__qualname__}": each for each in gc.get_objects() if isinstance(each, kind)}
    return {name: each for name, each in found.items() if name.startswith("leadroutes.")}


def test_every_cache_is_out_of_reach_or_holds_short_arguments_only(caches: dict[str, object]) -> None:
    short = {id(each.cached) for each in cache.MADE}
    reachable = [name for name, each in caches.items() if id(each) not in short]

    assert [name for name in reachable if not name.startswith(tuple(OUT_OF_REACH))] == []
    assert [each for each in OUT_OF_REACH if not any(name.startswith(each) for name in reachable)] == []


def test_no_cache_of_short_arguments_can_grow_large(caches: dict[str, object]) -> None:
    assert {each.work.__qualname__: 4 * each.entries * each.longest for each in cache.MADE
            if 4 * each.entries * each.longest > MOST_BYTES} == {}  # fmt: skip
    assert len(cache.MADE) == sum(1 for each in caches.values() if id(each) in {id(m.cached) for m in cache.MADE})


@pytest.mark.parametrize(
    "long", [("x" * 101,), ("x" * 51, "x" * 51), (("x" * 50, ("x" * 51,)),), (b"x" * 101,)], ids=str
)
def test_what_is_long_is_worked_out_each_time(long: tuple[object, ...]) -> None:
    calls = []

    @cache.short_cache(entries=3, longest=100)
    def work(*given: object, switch: bool = False) -> int:
        calls.append(given)
        return len(calls)

    made = cache.MADE.pop()
    assert isinstance(made, ShortCache)
    assert [work(*long), work(*long)] == [1, 2]
    assert made.cached.cache_info().currsize == 0
    assert [work("a"), work("a"), work("a", switch=True)] == [3, 3, 4]
    for number in range(9):
        work("b", number)
    assert made.cached.cache_info().currsize == 3


# ------------------------------------------------------------------------------------------ prepared statements


def test_few_shaped_texts_have_a_place_until_they_come_no_more() -> None:
    prepared = PreparedStatementLimit(most=2, unused=10)

    assert [prepared.admits(ClientShapedSql(text), now) for text, now in (("a", 0), ("b", 1), ("c", 2), ("a", 3))] == [
        True, True, False, True,
    ]  # fmt: skip
    assert [prepared.admits(ClientShapedSql(text), 11.5) for text in "cab"] == [True, True, False]


async def test_sessions_prepare_no_more_of_what_clients_shape_than_they_should(database: Database) -> None:
    connection = await database.hosts.connect()
    assert isinstance(connection, Connection)
    PREPARED_STATEMENTS._used_at.clear()
    for number in range(3 * MAX_CLIENT_SHAPED):
        for _ in range(2):
            assert await connection.fetchval(ClientShapedSql(f"SELECT 1 AS shaped_{number}")) == 1
    long = f"SELECT 1 AS shaped_long{' ' * MAX_CLIENT_SHAPED_LENGTH}"
    assert await connection.fetchmany(ClientShapedSql(long), [(), ()]) == [(1,), (1,)]

    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 1 AS shaped_%'"
    assert await connection.fetchval(prepared) == MAX_CLIENT_SHAPED
    assert await connection.fetchval("SELECT 1 AS shaped_by_no_client") == 1
    assert await connection.fetchval(prepared) == MAX_CLIENT_SHAPED + 1
    PREPARED_STATEMENTS._used_at.clear()
    await connection.close()

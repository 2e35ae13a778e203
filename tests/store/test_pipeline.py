"""Statements of the same moment travel together, and each caller gets the answer that it would have got alone."""

import asyncio

import asyncpg
import pytest

from leadroutes.errors import Unavailable
from leadroutes.store.pipeline import Pipeline, read_pipeline
from leadroutes.store.postgres import Database

HALF = "SELECT 100 / $1::bigint AS half"


async def test_each_of_a_crowd_gets_the_row_of_their_own_values(database: Database) -> None:
    pipeline = read_pipeline(database)
    rows = await asyncio.gather(*(pipeline.fetchrow("SELECT $1::bigint * 2 AS twice", n) for n in range(250)))
    assert [row["twice"] for row in rows] == [n * 2 for n in range(250)]


async def test_a_crowd_takes_few_packets() -> None:
    sent: list[int] = []

    async def send(sql: str, many: list[tuple[int]]) -> list[tuple[int]]:
        sent.append(len(many))
        await asyncio.sleep(0)
        return many

    pipeline = Pipeline(send)
    assert await asyncio.gather(*(pipeline.fetchrow("a", n) for n in range(150))) == [(n,) for n in range(150)]
    assert sent == [100, 50]


@pytest.mark.parametrize(
    ("bad", "fault"), [(0, asyncpg.DivisionByZeroError), ("half", asyncpg.DataError)], ids=["a value", "a type"]
)
async def test_a_fault_is_heard_by_whoever_asked_for_it_and_by_no_one_else(
    database: Database, bad: object, fault: type[Exception]
) -> None:
    pipeline = read_pipeline(database)
    asked = [pipeline.fetchrow(HALF, value) for value in (1, bad, 2)]
    first, second, third = await asyncio.gather(*asked, return_exceptions=True)
    assert (first["half"], third["half"]) == (100, 50)
    assert isinstance(second, fault)
    assert (await pipeline.fetchrow(HALF, 4))["half"] == 25


async def test_a_statement_that_takes_long_does_not_hold_up_those_that_come_after_it(database: Database) -> None:
    pipeline = read_pipeline(database)
    sql = "SELECT count(pg_sleep($1)) AS n"
    slow = asyncio.create_task(pipeline.fetchrow(sql, 0.5))
    await asyncio.sleep(0.01)  # it is under way
    assert (await pipeline.fetchrow(sql, 0.0))["n"] == 1
    assert not slow.done()
    await slow


async def test_everybody_hears_that_the_database_is_away() -> None:
    async def send(sql: str, many: list[tuple[int]]) -> list[tuple[int]]:
        raise Unavailable

    pipeline = Pipeline(send)
    answers = await asyncio.gather(*(pipeline.fetchrow("a", n) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3

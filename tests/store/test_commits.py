"""Changes of the same moment share a commit; what one of them breaks, breaks for that one alone."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from leadroutes.errors import Conflict, Invalid, Unavailable
from leadroutes.store.commits import CheckedWrite, WriteGroupCommit
from leadroutes.store.postgres import Database, Transaction

ADD = "INSERT INTO lead_sources (name) VALUES ($1) RETURNING name"


def adding(
    name: str, *, wrong: Exception | None = None, late: Exception | None = None, apart: str | None = None
) -> CheckedWrite[Transaction, str]:
    """A lead source of everybody's; `wrong` is found out before it is written, `late` afterwards."""

    async def check(transaction: Transaction) -> Transaction:
        await transaction.fetchval("SELECT $1::text", name)
        if wrong is not None:
            raise wrong
        return transaction

    async def write(transaction: Transaction) -> str:
        found: str = await transaction.fetchval(ADD, name)
        if late is not None:
            raise late
        return found

    return CheckedWrite(order=0, apart=apart, check=check, write=write)


async def names(database: Database) -> list[str]:
    return [row["name"] for row in await database.fetch("SELECT name FROM lead_sources WHERE id >= 1000 ORDER BY id")]


async def test_a_crowd_shares_commits(database: Database) -> None:
    commits = WriteGroupCommit(database)
    asked = [f"source {number}" for number in range(120)]
    assert await asyncio.gather(*(commits.run(adding(name)) for name in asked)) == asked
    assert sorted(await names(database)) == sorted(asked)
    assert await database.fetchval("SELECT count(DISTINCT xmin::text) FROM lead_sources WHERE id >= 1000") <= 4


async def test_what_is_to_be_apart_shares_no_commit(database: Database) -> None:
    commits = WriteGroupCommit(database)
    await asyncio.gather(*(commits.run(adding(f"{apart}{n}", apart=apart)) for n in range(4) for apart in "ab"))
    shared = await database.fetch(
        "SELECT array_agg(DISTINCT left(name, 1)) AS whose FROM lead_sources WHERE id >= 1000 GROUP BY xmin::text"
    )
    assert sorted(row["whose"] for row in shared) == [["a"], ["b"]]


async def test_a_problem_that_is_found_first_leaves_the_others_together(database: Database) -> None:
    commits = WriteGroupCommit(database)
    work = [adding("a"), adding("b", wrong=Invalid("no")), adding("c")]
    answers = await asyncio.gather(*(commits.run(each) for each in work), return_exceptions=True)
    assert [answers[0], type(answers[1]), answers[2]] == ["a", Invalid, "c"]
    assert await database.fetchval("SELECT count(DISTINCT xmin::text) FROM lead_sources WHERE id >= 1000") == 1


@pytest.mark.parametrize("late", [Conflict("too late"), RuntimeError("a fault")], ids=["a problem", "a fault"])
async def test_nothing_stays_of_what_fails_after_it_was_written(database: Database, late: Exception) -> None:
    commits = WriteGroupCommit(database)
    work = [adding("a"), adding("b", late=late), adding("c")]
    answers = await asyncio.gather(*(commits.run(each) for each in work), return_exceptions=True)
    assert answers == ["a", late, "c"]
    assert sorted(await names(database)) == ["a", "c"]


async def test_what_postgresql_refuses_is_refused_to_one(database: Database) -> None:
    commits = WriteGroupCommit(database)
    work = [adding("a"), adding("b\0"), adding("c")]
    answers = await asyncio.gather(*(commits.run(each) for each in work), return_exceptions=True)
    assert [answers[0], answers[2]] == ["a", "c"]
    assert isinstance(answers[1], (asyncpg.PostgresError, asyncpg.DataError))
    assert sorted(await names(database)) == ["a", "c"]


async def test_one_that_waits_long_keeps_no_later_one_waiting(database: Database) -> None:
    commits = WriteGroupCommit(database)
    begun, free = asyncio.Event(), asyncio.Event()

    async def check(transaction: Transaction) -> Transaction:
        begun.set()
        return transaction

    async def write(transaction: Transaction) -> str:
        await free.wait()
        found: str = await transaction.fetchval(ADD, "slow")
        return found

    waiting = asyncio.create_task(commits.run(CheckedWrite(order=0, check=check, write=write)))
    await begun.wait()
    assert await commits.run(adding("quick")) == "quick"
    assert not waiting.done()
    free.set()
    assert await waiting == "slow"


async def test_what_may_have_been_committed_is_not_done_again(
    database: Database, cut: Callable[[Transaction], Awaitable[None]]
) -> None:
    tries = []

    async def write(transaction: Transaction) -> None:
        tries.append(transaction)
        await cut(transaction)

    async def check(transaction: Transaction) -> Transaction:
        return transaction

    with pytest.raises(Unavailable):
        await WriteGroupCommit(database).run(CheckedWrite(order=0, check=check, write=write))
    assert len(tries) == 1
    assert await WriteGroupCommit(database).run(adding("afterwards")) == "afterwards"


@pytest.fixture
def cut(database: Database) -> Callable[[Transaction], Awaitable[None]]:
    """Ends the connection of a transaction, as a server that goes down does."""

    async def end(transaction: Transaction) -> None:
        await transaction.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")

    return end

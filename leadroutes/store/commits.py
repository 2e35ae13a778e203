"""Writes that arrive while a commit is under way share the next one, and their statements travel together.

Each is checked and written as it would be alone. Where one cannot be written, nothing of its batch is, and each is done
alone: an error reaches only the caller of the write that causes it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import asyncpg

from leadroutes.errors import Problem, Unavailable
from leadroutes.store.batching import GroupCommit, GroupCommits
from leadroutes.store.pipeline import Pipeline
from leadroutes.store.postgres import Database, Transaction, fetch_each

MAX_BATCH_SIZE = 100
# Another transaction may hold a row that one of the batch needs: the others do not wait for it.
LONGEST_WAIT = 0.1  # seconds
SET_LOCK_TIMEOUT = f"SET LOCAL lock_timeout = '{LONGEST_WAIT}s'"

Checked = TypeVar("Checked")
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedWrite(Generic[Checked, Written]):
    """A write in two steps: `check` only reads, and may raise a Problem; `write` gets what `check` returned.

    Every statement of both returns exactly one row. `order`: rows that several writes lock are locked in this order.
    `apart`: only writes of the same value share a commit.
    """

    order: int
    apart: Hashable = None
    check: Callable[[Transaction], Awaitable[Checked]]
    write: Callable[[Checked], Awaitable[Written]]

    async def run_alone(self, transaction: Transaction) -> Written:
        return await self.write(await self.check(transaction))


class WriteGroupCommit:
    """One per kind of write and process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches: GroupCommits[Hashable, CheckedWrite[Any, Any], Any] = GroupCommits(self._batches_of)

    async def run(self, work: CheckedWrite[Any, Written]) -> Written:
        """Returns what `write` returns, once it is on disk. Raises what either step raises."""
        written: Written = await self._batches.add(work.apart, work)
        return written

    def _batches_of(
        self, _apart: Hashable, when_idle: Callable[[], object]
    ) -> GroupCommit[CheckedWrite[Any, Any], Any]:
        return GroupCommit(self._do, max_batch=MAX_BATCH_SIZE, when_idle=when_idle)

    async def _do(self, batch: list[CheckedWrite[Any, Any]]) -> Sequence[Any]:
        """Where the batch fails, all are done alone at once, beside the next batch: one may wait long for a lock.

        One that is by itself needs nothing of what a batch does; the next batch does not wait for it for long, either.
        """
        if len(batch) == 1:
            alone = asyncio.create_task(self._database.run(batch[0].run_alone))
            await asyncio.wait([alone], timeout=LONGEST_WAIT)
            return [alone]
        try:
            return await self._do_together(batch)
        except Unavailable:  # it may have been committed
            raise
        except Exception:  # noqa: BLE001 -- which of them causes it, shows when each is done alone
            return [asyncio.create_task(self._database.run(each.run_alone)) for each in batch]

    async def _do_together(self, batch: Sequence[CheckedWrite[Any, Any]]) -> Sequence[Any]:
        places = sorted(range(len(batch)), key=lambda place: batch[place].order)
        async with self._database.transaction() as transaction:
            await transaction.execute(SET_LOCK_TIMEOUT)
            results = await _check_and_write([batch[place] for place in places], _shared(transaction))
        return [result for _, result in sorted(zip(places, results, strict=True), key=lambda pair: pair[0])]


@dataclass(frozen=True, slots=True)
class _SharedTransaction(Transaction):
    """The transaction of a batch: statements of the same text travel together."""

    pipeline: Pipeline = field(kw_only=True)

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None:
        return await self.pipeline.fetchrow(sql, *values)

    async def fetchval(self, sql: str, *values: Any) -> Any:
        return (await self.pipeline.fetchrow(sql, *values))[0]


def _shared(transaction: Transaction) -> _SharedTransaction:
    one_at_a_time = asyncio.Lock()

    async def send(sql: str, many: list[Sequence[Any]]) -> list[asyncpg.Record]:
        async with one_at_a_time:
            return await fetch_each(transaction.connection, sql, many)

    pipeline = Pipeline(send, is_repeatable=False)
    return _SharedTransaction(
        transaction.connection,
        transaction.now,
        transaction.after_commit,
        transaction.notified,
        transaction.changed,
        transaction.last_rows,
        transaction.events,
        transaction.without_webhooks,
        transaction.before_commit,
        transaction.installation,
        pipeline=pipeline,
    )


async def _check_and_write(batch: Sequence[CheckedWrite[Any, Any]], transaction: Transaction) -> list[Any]:
    """Returns a Problem in place of the result for each write that `check` refuses: nothing of it has been written."""
    checked = await asyncio.gather(*(each.check(transaction) for each in batch), return_exceptions=True)
    results: list[Any] = [_raised_unless(Problem, each) for each in checked]
    accepted = [place for place, each in enumerate(results) if not isinstance(each, Problem)]
    written = await asyncio.gather(*(batch[place].write(results[place]) for place in accepted), return_exceptions=True)
    for place, each in zip(accepted, written, strict=True):
        results[place] = _raised_unless((), each)
    return results


def _raised_unless(allowed: type[Exception] | tuple[()], result: Any) -> Any:
    if isinstance(result, BaseException) and not isinstance(result, allowed):
        raise result
    return result

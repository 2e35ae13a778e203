"""Changes that come while a commit is under way share the next one, and their statements travel together.

Each is checked and written as it would be alone. Where one cannot be written, nothing of its batch is, and each is
done alone: only its own caller hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import asyncpg

from leadroutes.errors import Problem, Unavailable
from leadroutes.store.batching import GroupCommit, resolve
from leadroutes.store.pipeline import Pipeline
from leadroutes.store.postgres import Database, Transaction, fetch_each

MAX_BATCH_SIZE = 100
# Somebody may hold a row that one of the batch needs: the others do not wait for him.
SET_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '100ms'"

Checked = TypeVar("Checked")
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedWrite(Generic[Checked, Written]):
    """A change in two steps: one that only reads, and may raise a Problem; and one that writes what the first answered.

    Every statement of both answers exactly one row. `order`: what may be locked by several is locked in this order.
    """

    order: int
    check: Callable[[Transaction], Awaitable[Checked]]
    write: Callable[[Checked], Awaitable[Written]]

    async def run_alone(self, transaction: Transaction) -> Written:
        return await self.write(await self.check(transaction))


@dataclass(frozen=True, slots=True)
class _PendingWrite:
    work: CheckedWrite[Any, Any]
    answer: "asyncio.Future[Any]"


class WriteGroupCommit:
    """One per kind of change and process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches: GroupCommit[_PendingWrite] = GroupCommit(self._do, max_batch=MAX_BATCH_SIZE)
        self._alone: set[asyncio.Task[None]] = set()

    async def run(self, work: CheckedWrite[Any, Written]) -> Written:
        """What `write` answers, once it is on disk. Raises what either step raises."""
        waiting = _PendingWrite(work, asyncio.get_running_loop().create_future())
        self._batches.add(waiting)
        answer: Written = await waiting.answer
        return answer

    async def _do(self, batch: list[_PendingWrite]) -> None:
        if await self._do_batch(sorted(batch, key=lambda each: each.work.order)):
            return
        for each in batch:  # nobody waits for them: one may wait for long
            task = asyncio.create_task(self._do_alone(each))
            self._alone.add(task)
            task.add_done_callback(self._alone.discard)

    async def _do_batch(self, batch: Sequence[_PendingWrite]) -> bool:
        """False where nothing of it has been done."""
        answers: list[Any]
        try:
            async with self._database.transaction() as transaction:
                await transaction.execute(SET_LOCK_TIMEOUT)
                answers = await _answers_to(batch, _shared(transaction))
        except Unavailable as error:  # it may have been committed
            answers = [error] * len(batch)
        except Exception:  # noqa: BLE001 -- whose fault it is, shows when each is done alone
            return False
        for each, answer in zip(batch, answers, strict=True):
            resolve(each.answer, answer)
        return True

    async def _do_alone(self, waiting: _PendingWrite) -> None:
        answer: Any
        try:
            answer = await self._database.run(waiting.work.run_alone)
        except Exception as error:  # noqa: BLE001 -- the caller has to hear of it
            answer = error
        resolve(waiting.answer, answer)


@dataclass(frozen=True, slots=True)
class _SharedTransaction(Transaction):
    """A transaction of many, whose statements travel together with those of the same text."""

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
    return _SharedTransaction(transaction.connection, transaction.now, transaction.after_commit, pipeline=pipeline)


async def _answers_to(batch: Sequence[_PendingWrite], transaction: Transaction) -> list[Any]:
    """Whoever has a problem before anything of his is written has had his answer."""
    checked = await asyncio.gather(*(each.work.check(transaction) for each in batch), return_exceptions=True)
    for answer in checked:
        if isinstance(answer, BaseException) and not isinstance(answer, Problem):
            raise answer
    good = [place for place, answer in enumerate(checked) if not isinstance(answer, Problem)]
    answers: list[Any] = list(checked)
    written = await asyncio.gather(*(batch[place].work.write(checked[place]) for place in good), return_exceptions=True)
    for place, answer in zip(good, written, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        answers[place] = answer
    return answers

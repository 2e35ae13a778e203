"""Statements of the same text that are asked for at the same moment go to PostgreSQL together: one packet, one wait.

Each is still executed by itself, with the plan that it has alone. Nothing is cached.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from leadroutes.errors import Unavailable
from leadroutes.store.batching import resolve
from leadroutes.store.postgres import Database

MAX_BATCH_SIZE = 100
MAX_PACKETS_IN_FLIGHT = 2  # packets with the same statement

Values = Sequence[Any]
SendBatch = Callable[[str, list[Values]], Awaitable[list[asyncpg.Record]]]
_PendingStatement = tuple[Values, "asyncio.Future[asyncpg.Record]"]


@dataclass(slots=True)
class _StatementQueue:
    waiting: deque[_PendingStatement] = field(default_factory=deque)
    under_way: int = 0


class Pipeline:
    """`send` executes a statement once for each list of values, and answers one row each, in order.

    `is_repeatable`: when it fails, each is sent again alone, so that everybody hears of his own fault only.
    """

    def __init__(self, send: SendBatch, *, is_repeatable: bool = True) -> None:
        self._send = send
        self._is_repeatable = is_repeatable
        self._queues: dict[str, _StatementQueue] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record:
        """The row of a statement that answers exactly one."""
        queue = self._queues.get(sql)
        if queue is None:
            queue = self._queues[sql] = _StatementQueue()
        future: asyncio.Future[asyncpg.Record] = asyncio.get_running_loop().create_future()
        queue.waiting.append((values, future))
        if queue.under_way < MAX_PACKETS_IN_FLIGHT:
            queue.under_way += 1
            task = asyncio.create_task(self._run(sql, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _run(self, sql: str, queue: _StatementQueue) -> None:
        while queue.waiting:
            await self._answer(sql, [queue.waiting.popleft() for _ in range(min(MAX_BATCH_SIZE, len(queue.waiting)))])
        queue.under_way -= 1
        if not queue.under_way:
            del self._queues[sql]

    async def _answer(self, sql: str, batch: list[_PendingStatement]) -> None:
        try:
            rows = await self._send(sql, [values for values, _ in batch])
        except Exception as error:  # noqa: BLE001 -- those who asked have to hear of it
            if self._is_repeatable and len(batch) > 1 and not isinstance(error, Unavailable):
                for each in batch:
                    await self._answer(sql, [each])
                return
            for _, future in batch:
                resolve(future, error)
            return
        for (_, future), row in zip(batch, rows, strict=True):
            resolve(future, row)


def read_pipeline(database: Database) -> Pipeline:
    """For statements that only read, each outside a transaction."""
    return Pipeline(database.fetch_each)

"""Statements of the same text that are executed at the same moment go to PostgreSQL in one packet, with one wait.

Each is still executed by itself, with the plan that it has alone. Nothing is cached.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import asyncpg

from leadroutes.store.batching import GroupCommit, GroupCommits
from leadroutes.store.postgres import Database

MAX_BATCH_SIZE = 100
MAX_PACKETS_IN_FLIGHT = 2  # packets with the same statement: a slow one does not hold up those that come after it

Values = Sequence[Any]
SendBatch = Callable[[str, list[Values]], Awaitable[list[asyncpg.Record]]]


class Pipeline:
    """`send` executes a statement once for each list of values, and returns one row for each, in order.

    `is_repeatable`: where a packet fails, each of its statements is sent again alone.
    """

    def __init__(self, send: SendBatch, *, is_repeatable: bool = True) -> None:
        self._send = send
        self._is_repeatable = is_repeatable
        self._packets: GroupCommits[str, Values, asyncpg.Record] = GroupCommits(self._packets_of)

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record:
        """Returns the row of a statement that returns exactly one."""
        return await self._packets.add(sql, values)

    def _packets_of(self, sql: str, when_idle: Callable[[], object]) -> GroupCommit[Values, asyncpg.Record]:
        return GroupCommit(
            partial(self._send, sql),
            max_batch=MAX_BATCH_SIZE,
            concurrency=MAX_PACKETS_IN_FLIGHT,
            eager=True,
            retries=self._is_repeatable,
            when_idle=when_idle,
        )


def read_pipeline(database: Database) -> Pipeline:
    """Returns a pipeline for statements that only read, each outside a transaction."""
    return Pipeline(database.fetch_each)

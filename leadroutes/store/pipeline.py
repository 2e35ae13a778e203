"""Statements of the same text that are executed at the same moment go to PostgreSQL in one packet, with one wait.

Each is still executed by itself, with the plan that it has alone. Nothing is cached.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import asyncpg

from leadroutes.store.batching import GroupCommit
from leadroutes.store.postgres import Database

MAX_BATCH_SIZE = 100
MAX_PACKETS_IN_FLIGHT = 2  # packets with the same statement: a slow one does not hold up those that come after it
MAX_STATEMENTS = 256  # texts whose queues are remembered

Values = Sequence[Any]
SendBatch = Callable[[str, list[Values]], Awaitable[list[asyncpg.Record]]]


class Pipeline:
    """`send` executes a statement once for each list of values, and returns one row for each, in order.

    `is_repeatable`: where a packet fails, each of its statements is sent again alone.
    """

    def __init__(self, send: SendBatch, *, is_repeatable: bool = True) -> None:
        @lru_cache(MAX_STATEMENTS)
        def packets_of(sql: str) -> GroupCommit[Values, asyncpg.Record]:
            return GroupCommit(
                partial(send, sql),
                max_batch=MAX_BATCH_SIZE,
                concurrency=MAX_PACKETS_IN_FLIGHT,
                eager=True,
                retries=is_repeatable,
            )

        self._packets_of = packets_of

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record:
        """Returns the row of a statement that returns exactly one."""
        return await self._packets_of(sql).add(values)


def read_pipeline(database: Database) -> Pipeline:
    """Returns a pipeline for statements that only read, each outside a transaction."""
    return Pipeline(database.fetch_each)

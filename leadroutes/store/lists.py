"""Lists get a share of the pool, fairly divided between callers, and less time than other statements.

So slow lists delay each other at most: connections remain for reading and writing single records.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from typing import Any

import asyncpg

from leadroutes.errors import TooManyRequests, Unavailable
from leadroutes.store.batching import resolve
from leadroutes.store.postgres import Database, Following, Statement

LIST_TIMEOUT = 8.0  # seconds of PostgreSQL
LONGEST_WAIT = 10.0  # seconds that a caller waits for a turn
MAX_WAITING = 100  # of one caller
SLOW = (
    f"The list was given up after {LIST_TIMEOUT:.0f} seconds: narrow it, with fewer conditions, with a filter by an id"
    " or a date, with a smaller $skip, or without $sort"
)
BUSY = "Too many lists are being read at the moment; try again"


class QueryTurns:
    """Admits `most` queries at once, and `most_each` of one key; waiting keys take turns."""

    def __init__(self, most: int, most_each: int, *, patience: float = LONGEST_WAIT) -> None:
        self._free = most
        self._most_each = most_each
        self._patience = patience
        self._under_way: dict[Hashable, int] = {}
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def take(self, key: Hashable) -> AsyncIterator[None]:
        """Hold one turn. Raises TooManyRequests if too many of this key wait, Unavailable if no turn comes in time."""
        if self._free and self._may_begin(key):
            self._begin(key)
        else:
            await self._wait(key)
        try:
            yield
        finally:
            self._end(key)

    async def _wait(self, key: Hashable) -> None:
        queue = self._waiting.setdefault(key, deque())
        if len(queue) >= MAX_WAITING:
            raise TooManyRequests(f"{MAX_WAITING} lists for you are being waited for already", retry_after=1)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), self._patience)
        except BaseException as error:
            self._leave(key, turn)
            if isinstance(error, TimeoutError):
                raise Unavailable(BUSY, retry_after=2) from None
            raise

    def _leave(self, key: Hashable, turn: "asyncio.Future[None]") -> None:
        """Stop waiting; a turn that was just given passes to the next."""
        if turn.done():
            self._end(key)
            return
        turn.cancel()
        queue = self._waiting[key]
        queue.remove(turn)
        if not queue:
            del self._waiting[key]

    def _may_begin(self, key: Hashable) -> bool:
        return self._under_way.get(key, 0) < self._most_each

    def _begin(self, key: Hashable) -> None:
        self._free -= 1
        self._under_way[key] = self._under_way.get(key, 0) + 1

    def _end(self, key: Hashable) -> None:
        self._free += 1
        self._under_way[key] -= 1
        if not self._under_way[key]:
            del self._under_way[key]
        following = next((each for each in self._waiting if self._may_begin(each)), None)
        if following is not None:
            queue = self._waiting.pop(following)
            turn = queue.popleft()
            if queue:
                self._waiting[following] = queue  # behind all others
            self._begin(following)
            resolve(turn, None)


class ListQueries:
    """One per process."""

    def __init__(self, database: Database, pool_size: int) -> None:
        most = max(1, pool_size // 2)
        self._database = database
        self._turns = QueryTurns(most, (most + 1) // 2)

    async def fetch(self, caller_id: int, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Return the rows of a statement. Raises Unavailable for too much time, ProgramLimitExceeded for too much."""
        async with self._turns.take(caller_id):
            return await self._database.fetch_within(LIST_TIMEOUT, SLOW, sql, *values)

    async def fetchrow_after(
        self, caller_id: int, first: Statement, then: Callable[[asyncpg.Record], Following]
    ) -> asyncpg.Record:
        """Return the row of the statement that `then` makes of the row of the first one."""
        async with self._turns.take(caller_id):
            [row] = await self._database.fetch_after(LIST_TIMEOUT, SLOW, first, then)
            return row

    async def fetchrow(self, caller_id: int, sql: str, *values: Any) -> asyncpg.Record:
        """Return the row of a statement that returns exactly one."""
        [row] = await self.fetch(caller_id, sql, *values)
        return row

"""Batches of what arrives at the same moment: one statement or one commit for many callers.

Items that arrive while a batch is being processed share the next one, so batches grow with the load and nothing waits
for a timer. Nothing is cached: every result was read or written after it was asked for.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from leadroutes.errors import ComputationNeeded, Unavailable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Item = TypeVar("Item")
Result = TypeVar("Result")

_Pending = tuple[Item, asyncio.Future[Result]]


class GroupCommit(Generic[Item, Result]):
    """Processes items in batches, and gives each caller the result of its own item.

    `do` gets a batch and returns one result for each item, in order. A result may be an exception, which only the
    caller of that item gets, or a future, which is awaited without holding up the next batch. Where `do` raises, each
    item of the batch is done again alone, so that an error reaches only the caller whose item causes it; not where it
    raises Unavailable, as the batch may have been committed.

    `max_batch`: the most items of a batch; None: no limit.
    `concurrency`: how many batches may be processed at once. While one is, a further one starts when as many items wait
    as the largest running batch has: many small batches cost more than a few large ones.
    `eager`: a further batch starts at once, however small it is.
    `key`: items with the same key never share a batch; for `concurrency` 1.
    `owner`: where `do` raises ComputationNeeded, the items of the owners concerned wait until their computations are
    done, and all others are done at once.
    `retries`: False where nothing is to be done again after an error.
    `when_idle`: called whenever nothing waits and nothing is being processed any more.
    """

    def __init__(
        self,
        do: Callable[[list[Item]], Awaitable[Sequence[Result | Exception | asyncio.Future[Result]]]],
        *,
        max_batch: int | None = None,
        concurrency: int = 1,
        eager: bool = False,
        key: Callable[[Item], Hashable] | None = None,
        owner: Callable[[Item], int] | None = None,
        retries: bool = True,
        when_idle: Callable[[], object] | None = None,
    ) -> None:
        self._do = do
        self._max_batch = max_batch
        self._concurrency = concurrency
        self._is_eager = eager
        self._key = key
        self._owner = owner
        self._retries = retries
        self._when_idle = when_idle
        self._waiting: deque[_Pending[Item, Result]] = deque()
        self._running: list[int] = []  # the sizes of the batches that are being processed
        self._is_starting = False
        self._unfinished: set[asyncio.Future[Any]] = set()

    def add(self, item: Item) -> asyncio.Future[Result]:
        """Returns a future of the result; it raises what `do` raises. Cancelling it does not stop the work."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._start()
        return future

    async def drain(self) -> None:
        """Waits until everything that has been added is done."""
        while self._unfinished:
            await asyncio.wait(self._unfinished)

    def _start(self) -> None:
        """Items that arrive in the same turn of the event loop share a batch: it is taken in the next turn."""
        if not self._is_starting and self._may_start():
            self._is_starting = True
            self._finish_later(asyncio.create_task(self._run()))

    def _finish_later(self, future: asyncio.Future[Any]) -> None:
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)

    def _may_start(self) -> bool:
        if not self._waiting or len(self._running) >= self._concurrency:
            return False
        return self._is_eager or not self._running or len(self._waiting) >= max(self._running)

    async def _run(self) -> None:
        self._is_starting = False
        while self._may_start():
            batch = self._take()
            self._running.append(len(batch))
            self._start()
            try:
                await self._process(batch)
            finally:
                self._running.remove(len(batch))
        if self._when_idle is not None and not (self._waiting or self._running or self._is_starting):
            self._when_idle()

    def _take(self) -> list[_Pending[Item, Result]]:
        size = min(self._max_batch or len(self._waiting), len(self._waiting))
        if self._key is None:
            return [self._waiting.popleft() for _ in range(size)]
        batch: list[_Pending[Item, Result]] = []
        keys: set[Hashable] = set()
        while len(batch) < size and (key := self._key(self._waiting[0][0])) not in keys:
            keys.add(key)
            batch.append(self._waiting.popleft())
        return batch

    async def _process(self, batch: Sequence[_Pending[Item, Result]]) -> None:
        try:
            results = await self._do([item for item, _ in batch])
            answered = [*zip(batch, results, strict=True)]
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers have to get it
            await self._recover(batch, error)
            return
        for (_, future), result in answered:
            if isinstance(result, asyncio.Future):
                self._finish_later(result)
                result.add_done_callback(partial(_pass_on, future))
            else:
                resolve(future, result)

    async def _recover(self, batch: Sequence[_Pending[Item, Result]], error: Exception) -> None:
        if self._owner is not None and isinstance(error, ComputationNeeded):
            if others := self._defer(batch, self._owner, error):
                await self._process(others)
        elif self._retries and len(batch) > 1 and not isinstance(error, Unavailable):
            for each in batch:
                await self._process([each])
        else:
            for _, future in batch:
                resolve(future, error)

    def _defer(
        self, batch: Sequence[_Pending[Item, Result]], owner: Callable[[Item], int], needed: ComputationNeeded
    ) -> list[_Pending[Item, Result]]:
        """Returns the items that need not wait. Those of each owner wait for that owner's computation only."""
        for owner_id, compute in needed.computations.items():
            deferred = [each for each in batch if owner(each[0]) == owner_id]
            self._finish_later(asyncio.create_task(self._add_again(deferred, compute)))
        return [each for each in batch if owner(each[0]) not in needed.computations]

    async def _add_again(
        self, deferred: Sequence[_Pending[Item, Result]], compute: Callable[[], Awaitable[None]]
    ) -> None:
        try:
            await compute()
        except Exception as error:  # noqa: BLE001 -- as above
            for _, future in deferred:
                resolve(future, error)
            return
        self._waiting.extend(deferred)
        self._start()


class GroupCommits(Generic[Key, Item, Result]):
    """A GroupCommit for each key, for as long as it has items: keys that clients shape take no memory afterwards.

    `make` gets a key and what has to be called when nothing is left to do (`when_idle`).
    """

    def __init__(self, make: Callable[[Key, Callable[[], object]], GroupCommit[Item, Result]]) -> None:
        self._make = make
        self._groups: dict[Key, GroupCommit[Item, Result]] = {}

    def add(self, key: Key, item: Item) -> asyncio.Future[Result]:
        """Returns a future of the result, as GroupCommit.add does; items of one key share batches."""
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = self._make(key, partial(self._groups.pop, key, None))
        return group.add(item)


class BatchLoader(Generic[Key, Value]):
    """Look-ups of single keys by a function that loads many. An error reaches all callers of its batch."""

    def __init__(self, load: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._load = load
        self._batches: GroupCommit[Key, Value | None] = GroupCommit(self._find, retries=False)

    async def find(self, key: Key) -> Value | None:
        """Returns the value of this key, or None where there is none. Raises what `load` raises."""
        return await self._batches.add(key)

    async def _find(self, keys: list[Key]) -> list[Value | None]:
        found = await self._load([*dict.fromkeys(keys)])
        return [found.get(key) for key in keys]


def resolve(future: asyncio.Future[Any], result: Any) -> None:
    """Sets a result, or raises it where it is an exception; does nothing where the caller has been cancelled."""
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _pass_on(future: asyncio.Future[Any], source: asyncio.Future[Any]) -> None:
    if source.cancelled():
        future.cancel()
    else:
        resolve(future, source.exception() or source.result())

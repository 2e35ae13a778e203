"""Look-ups that come while one is under way share the next one: one statement for a crowd instead of one for each.

So does work in batches. Nothing is cached: every answer was read, and everything done, after it was asked for.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from leadroutes.errors import ComputationNeeded, Unavailable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Item = TypeVar("Item")
Result = TypeVar("Result")


class BatchLoader(Generic[Key, Value]):
    """`load` answers what it finds of many keys at once."""

    def __init__(self, load: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._load = load
        self._waiting: dict[Key, list[asyncio.Future[Value | None]]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def find(self, key: Key) -> Value | None:
        """What there is under this key; None where there is nothing. Raises what `load` raises."""
        future: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)  # one for each, so that one who goes away takes nobody along
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            try:
                found = await self._load(list(waiting))
            except Exception as error:  # noqa: BLE001 -- those who asked have to hear of it
                for futures in waiting.values():
                    for future in futures:
                        resolve(future, error)
                continue
            for key, futures in waiting.items():
                for future in futures:
                    resolve(future, found.get(key))


def resolve(future: "asyncio.Future[Any]", answer: Any) -> None:
    """The answer, or the exception that it is; whoever waited may have gone, and his work is done all the same."""
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


class GroupCommit(Generic[Item]):
    """What comes while a batch is under way shares the next one; `do` answers whoever waits for an item, never raising.

    `lanes` is how many batches may be under way at once, so that one is decided while another one is being written. A
    further one waits until it is as large as those are: many small ones cost more than a few large ones.
    """

    def __init__(
        self, do: Callable[[list[Item]], Coroutine[Any, Any, None]], *, max_batch: int, concurrency: int = 1
    ) -> None:
        self._do = do
        self._max_batch = max_batch
        self._concurrency = concurrency
        self._waiting: deque[Item] = deque()
        self._under_way: dict[asyncio.Task[None], int] = {}  # how many items each has
        self._is_scheduled = False

    def add(self, item: Item) -> None:
        """What comes in the same turn of the loop goes together."""
        self._waiting.append(item)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._is_scheduled = False
        while self._waiting and self._may_begin():
            batch = [self._waiting.popleft() for _ in range(min(self._max_batch, len(self._waiting)))]
            task = asyncio.create_task(self._do(batch))
            self._under_way[task] = len(batch)
            task.add_done_callback(self._end)

    def _may_begin(self) -> bool:
        if not self._under_way:
            return True
        return len(self._under_way) < self._concurrency and len(self._waiting) >= max(self._under_way.values())

    def _end(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._begin()

    async def close(self) -> None:
        """Wait until everything that has been added is done."""
        while self._waiting or self._under_way:
            await asyncio.sleep(0)  # until it has begun
            if self._under_way:
                await asyncio.wait(self._under_way)


class DeferredItems(Generic[Item]):
    """Items of which something has to be worked out first: each owner's wait for their own, and hold up no other."""

    def __init__(
        self, owner: Callable[[Item], int], retry: Callable[[Item], None], fail: Callable[[Item, Exception], None]
    ) -> None:
        self._owner = owner
        self._retry = retry
        self._fail = fail
        self._waiting: set[asyncio.Task[None]] = set()

    def defer(self, batch: Sequence[Item], needed: ComputationNeeded) -> list[Item]:
        """The items of the batch that need not wait; the others are added again once they can be done."""
        for owner, work in needed.computations.items():
            theirs = [item for item in batch if self._owner(item) == owner]
            task = asyncio.create_task(self._wait(theirs, work))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        return [item for item in batch if self._owner(item) not in needed.computations]

    async def _wait(self, items: Sequence[Item], work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- those who wait have to hear of it
            for item in items:
                self._fail(item, error)
            return
        for item in items:
            self._retry(item)

    async def drain(self) -> None:
        """Wait until all of them have been added again."""
        while self._waiting:
            await asyncio.wait(self._waiting)


class KeyedGroupCommit(Generic[Key, Item, Result]):
    """Work that comes while a batch is under way shares the next one; `do` answers for each of many items, in order.

    One that breaks a batch is found by doing each alone: only whoever brought it hears of it. Items of the same key
    never share a batch, so `do` need not know what one of them does to the other.
    """

    def __init__(
        self, do: Callable[[list[Item]], Awaitable[Sequence[Result]]], *, key: Callable[[Item], Key], max_batch: int
    ) -> None:
        self._do = do
        self._key = key
        self._max_batch = max_batch
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """Do it; raises what `do` raises. Whoever goes away does not stop it."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            await self._do_batch(self._take())

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        taken: list[tuple[Item, asyncio.Future[Result]]] = []
        keys: set[Key] = set()
        while self._waiting and len(taken) < self._max_batch and (key := self._key(self._waiting[0][0])) not in keys:
            keys.add(key)
            taken.append(self._waiting.popleft())
        return taken

    async def _do_batch(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            answers = await self._do([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 -- whatever it is, those who wait have to hear of it
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for each in batch:
                    await self._do_batch([each])
                return
            for _, future in batch:
                resolve(future, error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            resolve(future, answer)

"""Look-ups that come while one is under way share the next one: one statement for a crowd instead of one for each.

Nothing is cached: every answer was read after it was asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
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
                for future in _left(waiting.values()):
                    future.set_exception(error)
                continue
            for key, futures in waiting.items():
                for future in _left([futures]):
                    future.set_result(found.get(key))


def _left(crowd: Iterable[list[asyncio.Future[Value | None]]]) -> list[asyncio.Future[Value | None]]:
    """Those who have not gone away in the meantime."""
    return [future for futures in crowd for future in futures if not future.done()]

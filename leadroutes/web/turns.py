"""Passwords are compared one at a time, so that guessing cannot take the machine.

Who waits does so in a queue that has an end, and networks take turns in it. How a password is compared, the store's
accounts know.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator

MOST_WAITING = 64
MOST_OF_ONE = 10  # of one network, or of one browser
RESERVED = 16  # more, for browsers that have signed in before


class Busy(Exception):  # noqa: N818 -- what is, not what went wrong
    """Too many wait already."""


class PasswordTurns:
    """One at a time: a hash takes 64 MiB. Of those who wait each network's first comes before any network's second."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    @contextlib.asynccontextmanager
    async def take(self, who: str, *, is_known: bool = False) -> AsyncIterator[None]:
        """A turn of this network or browser's; raises Busy where it would have to wait behind too many."""
        if self._is_taken:
            await self._wait(who, MOST_WAITING + RESERVED * is_known)
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, who: str, most: int) -> None:
        if len(self) >= most or len(self._waiting.get(who, ())) >= MOST_OF_ONE:
            raise Busy
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was ours already
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        self._is_taken = False
        while self._waiting:
            who, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[who] = turns
            if not turn.done():
                self._is_taken = True  # nobody may come in between
                turn.set_result(None)
                return

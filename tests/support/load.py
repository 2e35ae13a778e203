"""Leads that come in while something else happens; every answer is stored."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator

import httpx

SENDERS = 2
PAUSE = 0.1  # seconds of a sender between two leads

Sender = Callable[..., Awaitable[httpx.Response]]


class Load:
    """Senders who each send the next new lead soon after the last one was answered."""

    def __init__(self, sender: Sender, key: str) -> None:
        self._post = sender
        self._path = f"/intake/{key}"
        self._answers: list[httpx.Response] = []
        self._numbers: Iterator[int] = itertools.count()
        self._answered = asyncio.Condition()
        self._is_ending = False
        self._senders = [asyncio.create_task(self._send()) for _ in range(SENDERS)]

    async def _send(self) -> None:
        while not self._is_ending:
            body = {"email": f"mia{next(self._numbers)}@example.org", "name": "Mia Lund"}
            answer = await self._post(self._path, json=body)
            async with self._answered:
                self._answers.append(answer)
                self._answered.notify_all()
            await asyncio.sleep(PAUSE)

    async def more(self, count: int) -> None:
        """Until so many more have been answered; what a sender met instead of an answer is raised."""
        wanted = len(self._answers) + count
        waiting = asyncio.create_task(self._until(wanted))
        try:
            async with asyncio.timeout(60):
                await asyncio.wait({waiting, *self._senders}, return_when=asyncio.FIRST_COMPLETED)
            for sender in self._senders:
                if sender.done():
                    await sender
            await waiting
        finally:
            waiting.cancel()

    async def _until(self, wanted: int) -> None:
        async with self._answered:
            await self._answered.wait_for(lambda: len(self._answers) >= wanted)

    async def end(self) -> list[httpx.Response]:
        """All answers; what a sender met instead of one is raised."""
        self._is_ending = True
        await asyncio.gather(*self._senders)
        return self._answers

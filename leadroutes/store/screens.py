"""Tells open screens, in all processes, that something which they show has changed: whose, and never what.

A screen that hears of it reads it again with the rights of its reader. A notice may be lost with its process, as none
is part of a transaction; so screens also look from time to time by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from typing import Any

import structlog

from leadroutes.errors import Unavailable
from leadroutes.store.listener import LIVE_CHANNEL, Listener

log = structlog.get_logger()

PAUSE = 0.2  # seconds between two notices of a process: NOTIFY takes a lock that all commits of a server share
MAX_PAYLOAD = 7_500  # bytes; PostgreSQL takes fewer than 8,000
ALL = "*"

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


def account_topic(owner_id: int) -> str:
    """Returns the topic of whoever sees the account of this owner."""
    return f"account:{owner_id}"


def user_topic(user_id: int) -> str:
    """Returns the topic of what is offered to, or claimed by, this user."""
    return f"user:{user_id}"


class Screens:
    """One per process: announces changes to all processes, and wakes those who watch in this one."""

    def __init__(self, listener: Listener, notify: Callable[[str], Awaitable[None]], spawn: Spawn) -> None:
        self._notify = notify
        self._spawn = spawn
        self._changed: set[str] = set()
        self._announcing: asyncio.Task[None] | None = None
        self._watches: dict[str, set[Watch]] = {}
        self._is_closed = False
        listener.read(LIVE_CHANNEL, self._hear)

    def announce(self, topics: Iterable[str]) -> None:
        """Tell every process of these topics, together with all that change within a moment."""
        self._changed.update(topics)
        if self._announcing is None or self._announcing.done():
            self._announcing = self._spawn(self._announce_soon())

    async def _announce_soon(self) -> None:
        while self._changed:
            await asyncio.sleep(PAUSE)
            topics, self._changed = self._changed, set()
            payload = " ".join(sorted(topics))
            try:
                await self._notify(payload if len(payload) <= MAX_PAYLOAD else ALL)
            except Unavailable as error:
                log.debug("open screens were not notified", error=repr(error))

    def _hear(self, payload: str) -> None:
        """An empty payload says that notices may have been missed."""
        everything = payload in ("", ALL)
        topics = list(self._watches) if everything else payload.split(" ")
        for topic in topics:
            for watch in self._watches.get(topic, ()):
                watch.hear(topic)

    # -- who watches

    def watch(self, topics: Iterable[str]) -> "Watch":
        """Returns a watch of these topics; whoever took it leaves it with `close()`."""
        watch = Watch(self, frozenset(topics))
        if self._is_closed:
            watch.end()
        for topic in watch.topics:
            self._watches.setdefault(topic, set()).add(watch)
        return watch

    def leave(self, watch: "Watch") -> None:
        for topic in watch.topics:
            watching = self._watches.get(topic)
            if watching is not None:
                watching.discard(watch)
                if not watching:
                    del self._watches[topic]

    def open(self) -> None:
        """Let watches last: a service begins."""
        self._is_closed = False

    def close(self) -> None:
        """End all watches, and every later one at once: the service is about to stop, and would wait for them."""
        self._is_closed = True
        for watch in {each for watching in self._watches.values() for each in watching}:
            watch.end()


class Watch:
    """What one screen hears: an iterator of sets of topics that have changed since it was last asked."""

    def __init__(self, screens: Screens, topics: frozenset[str]) -> None:
        self.topics = topics
        self.is_over = False
        self._screens = screens
        self._heard: set[str] = set()
        self._changed = asyncio.Event()

    def hear(self, topic: str) -> None:
        self._heard.add(topic)
        self._changed.set()

    def end(self) -> None:
        self.is_over = True
        self._changed.set()

    def close(self) -> None:
        self._screens.leave(self)

    async def changes(self, longest: float) -> AsyncIterator[frozenset[str]]:
        """Yields what changed; nothing after `longest` seconds without a change. Ends with the watch."""
        while True:
            try:
                await asyncio.wait_for(self._changed.wait(), longest)
            except TimeoutError:
                yield frozenset()
                continue
            if self.is_over:
                return
            heard, self._heard = frozenset(self._heard), set()
            self._changed.clear()
            yield heard

"""The domain's clock as all processes share it: its anchor is a row of the table domain_clock.

It runs as fast as time does, unless a demonstration or a test sets another scale or moves it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg

from leadroutes.clock import Anchor, Clock
from leadroutes.errors import Unavailable
from leadroutes.store.listener import CLOCK_CHANNEL, WAKE_CHANNEL

SYNC_INTERVAL = 10.0  # seconds between two readings of the database's clock


class ClockDatabase(Protocol):
    """What is used of a Database, which has a SharedClock itself."""

    clock: Clock

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None: ...

    async def fetchval(self, sql: str, *values: Any) -> Any: ...

    async def execute(self, sql: str, *values: Any) -> None: ...


class SharedClock:
    """Keeps `database.clock` the same as in all other processes; `wake` is called after it was moved."""

    def __init__(self, database: ClockDatabase, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake

    async def sync(self) -> None:
        """Read the time of the database's machine, also of a database that has not been set up."""
        clock = self._database.clock
        asked = clock.measure()
        shown = await self._database.fetchval("SELECT clock_timestamp()")
        clock.learn(shown, asked, clock.measure())

    async def load(self) -> None:
        """Read the time of the database's machine, and the anchor and scale of the domain's clock."""
        clock = self._database.clock
        asked = clock.measure()
        row = await self._database.fetchrow(
            "SELECT real_anchor, domain_anchor, scale, clock_timestamp() AS shown FROM domain_clock"
        )
        if row is not None:
            clock.learn(row["shown"], asked, clock.measure())
            clock.anchor = Anchor(row["real_anchor"], row["domain_anchor"], row["scale"])

    async def keep_loading(self) -> None:
        """Read it every ten seconds: clocks of machines drift, and a database may move to another machine."""
        while True:
            await asyncio.sleep(SYNC_INTERVAL)
            with contextlib.suppress(Unavailable):
                await self.load()

    async def reload(self) -> None:
        """Read it after it was moved, and wake those who may have looked by the old clock."""
        with contextlib.suppress(Unavailable):
            await self.load()
            self._wake()

    async def set_scale(self, scale: float) -> None:
        """From now on the domain's clock runs `scale` times as fast as time; it goes on from the present moment."""
        await self.load()
        clock = self._database.clock
        if clock.anchor.scale != scale:
            await self._anchor(clock.now(), scale)

    async def begin(self, moment: datetime) -> None:
        """Put the domain's clock of a database that no one has used to a moment, also to an earlier one."""
        await self._database.execute(
            "UPDATE domain_clock SET real_anchor = clock_timestamp(), domain_anchor = $1", moment
        )
        await self.load()
        self._database.clock.begin_again()

    async def move(self, by: timedelta) -> None:
        """Put the domain's clock forward, in every process."""
        clock = self._database.clock
        await self._anchor(clock.now() + by, clock.anchor.scale)

    async def _anchor(self, domain: datetime, scale: float) -> None:
        await self._database.execute(
            "UPDATE domain_clock SET real_anchor = clock_timestamp(), domain_anchor = greatest($1,"
            " domain_anchor + (clock_timestamp() - real_anchor) * scale), scale = $2",
            domain,
            scale,
        )
        await self.load()
        await self._database.execute("SELECT pg_notify($1, ''), pg_notify($2, '')", CLOCK_CHANNEL, WAKE_CHANNEL)

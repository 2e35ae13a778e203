"""Turns of those who send: so many in a second, over all processes, with alerts before everything else.

The turns are in the database, where every process takes them; waiting for one is done here.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leadroutes.store import statement
from leadroutes.store.postgres import Database

ALERTS_AHEAD: Final = timedelta(seconds=5)  # for which alerts take turns that have not come yet
MAX_WAIT = 10.0  # seconds that others wait for a turn here, before they come back later
MOST_WAITING = 5  # of them, in one process
NEXT_DAY = "the most texts of a day have been sent"
QUEUE = "others go first"


class TurnLater(Exception):  # noqa: N818 -- an order, not a defect
    """There is no turn within the time that is waited here: to be tried again after `delay`."""

    def __init__(self, reason: str, delay: timedelta) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay = delay


@dataclass(frozen=True, slots=True)
class _Turn:
    granted_in: float | None
    free_in: float
    tomorrow_in: float
    is_day_over: bool


class Pace:
    """One per process: `per_second` turns of each sender, and at most `per_day` of all of them but for alerts."""

    def __init__(self, database: Database, per_second: float, per_day: int | None = None) -> None:
        self._database = database
        self._interval = timedelta(seconds=1 / per_second)
        self._per_day = per_day
        self._waiting = asyncio.Semaphore(MOST_WAITING)

    async def wait_for_turn(self, name: str, *, is_alert: bool) -> None:
        """Returns when it is this sender's turn. Raises TurnLater where that is not soon."""
        turn = await self._take(name, is_alert=is_alert)
        if turn.granted_in is None and not is_alert and not turn.is_day_over and not self._waiting.locked():
            async with self._waiting:
                turn = await self._take_when_free(name, turn)
        if turn.granted_in is None:
            raise await self._later(name, turn, is_alert=is_alert)
        await asyncio.sleep(turn.granted_in)

    async def _take_when_free(self, name: str, turn: _Turn) -> _Turn:
        """Alerts that come meanwhile go first."""
        waited = 0.0
        while turn.granted_in is None and not turn.is_day_over and waited < MAX_WAIT:
            pause = min(max(turn.free_in, 0.01), MAX_WAIT)
            await asyncio.sleep(pause)
            waited += pause
            turn = await self._take(name, is_alert=False)
        return turn

    async def _take(self, name: str, *, is_alert: bool, patience: timedelta | None = None) -> _Turn:
        if patience is None:
            patience = ALERTS_AHEAD if is_alert else timedelta(0)
        row = await self._database.fetchrow(
            *statement("take_turn").bind(
                name=name, interval=self._interval, patience=patience, is_alert=is_alert, most=self._per_day
            )
        )
        assert row is not None
        return _Turn(**row)

    async def _later(self, name: str, turn: _Turn, *, is_alert: bool) -> TurnLater:
        """Those who come back later do so one after the other, at the pace at which they will be sent."""
        kind = "alerts" if is_alert else "others"
        place = await self._take(f"waiting {kind} {name}", is_alert=True, patience=timedelta(days=3650))
        seconds = max(1.0, place.granted_in or 0.0)
        if turn.is_day_over:
            return TurnLater(NEXT_DAY, timedelta(seconds=turn.tomorrow_in + seconds))
        return TurnLater(QUEUE, timedelta(seconds=turn.free_in + seconds))

"""The domain's clock: the database's real time, made to run faster by a factor, from an anchor that all share.

It never decides anything and never reads the database; the store hands it the anchor and what the database's clock
showed. In between a monotonic clock measures, which no one sets: a machine whose own clock is wrong changes nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog

log = structlog.get_logger()

MOST_AHEAD = 2.0  # seconds by which this machine's clock may differ from the database's before it is worth a word


try:
    from time import CLOCK_BOOTTIME, clock_gettime
except ImportError:  # only Linux has it
    steady = monotonic
else:

    def steady() -> float:
        """Returns seconds since some moment, also while the machine was suspended; no one sets this clock."""
        return clock_gettime(CLOCK_BOOTTIME)


def machine_time() -> float:
    """What this machine's clock shows, which anybody may set."""
    return time.time()


@dataclass(frozen=True, slots=True)
class Anchor:
    """At the real moment `real` the domain's clock showed `domain`; since then it runs `scale` times as fast."""

    real: datetime
    domain: datetime
    scale: float


class Clock:
    """`now()` in UTC, whole milliseconds, never earlier than before; one per process, re-anchored by the store.

    `measure` is the steady clock, `machine` the one that is only compared.
    """

    def __init__(
        self,
        anchor: Anchor | None = None,
        *,
        measure: Callable[[], float] = steady,
        machine: Callable[[], float] = machine_time,
    ) -> None:
        self.measure = measure
        self._machine = machine
        # Real time less steady time. This machine's, until the database's has been learnt.
        self._offset = machine() - measure()
        self._is_learnt = False
        self._is_told = False
        self._latest = datetime.min.replace(tzinfo=UTC)
        start = self.real_now()
        self.anchor = anchor or Anchor(start, start, 1.0)

    def now(self) -> datetime:
        moment = self.anchor.domain + (self.real_now() - self.anchor.real) * self.anchor.scale
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        self._latest = max(self._latest, moment)
        return self._latest

    def begin_again(self) -> None:
        """What it showed so far counts no more: the anchor is that of a database in which nothing has happened."""
        self._latest = datetime.min.replace(tzinfo=UTC)

    def real_now(self) -> datetime:
        """What the database's clock shows at this moment."""
        return datetime.fromtimestamp(self._offset + self.measure(), UTC)

    def real_seconds_until(self, moment: datetime) -> float:
        """How long to wait for a moment of the domain; 0 when it has come."""
        return max(0.0, (moment - self.now()) / timedelta(seconds=1) / self.anchor.scale)

    def learn(self, shown: datetime, asked: float, answered: float) -> None:
        """The database's clock showed `shown` at some moment between these two, which are of `measure()`.

        However long the answer took, what is known is corrected by no more than it proves wrong.
        """
        lowest, highest = shown.timestamp() - answered, shown.timestamp() - asked
        if not self._is_learnt:
            self._offset = (lowest + highest) / 2
            self._is_learnt = True
            self.begin_again()  # what was read before was this machine's
        else:
            moved = min(max(self._offset, lowest), highest) - self._offset
            self._offset += moved
            if abs(moved) > MOST_AHEAD:
                log.warning("the database's clock has moved", seconds=round(moved, 3))
        self._tell_of_machine((highest - lowest) / 2)

    def machine_ahead(self) -> float:
        """Seconds by which this machine's clock is ahead of the database's; below 0 where it is behind."""
        return self._machine() - (self._offset + self.measure())

    def _tell_of_machine(self, doubt: float) -> None:
        """Once when it is off, and once when it is right again."""
        seconds = self.machine_ahead()
        is_off = abs(seconds) > MOST_AHEAD + (-doubt if self._is_told else doubt)
        if is_off and not self._is_told:
            log.warning("the clock of this machine is off; the database's counts", seconds_ahead=round(seconds, 3))
        if self._is_told and not is_off:
            log.info("the clock of this machine is right again", seconds_ahead=round(seconds, 3))
        self._is_told = is_off

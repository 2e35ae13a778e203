"""The domain's clock: real time, made to run faster by a factor, from an anchor that all processes share.

It never decides anything and never reads the database; the store hands it the anchor.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Anchor:
    """At the real moment `real` the domain's clock showed `domain`; since then it runs `scale` times as fast."""

    real: datetime
    domain: datetime
    scale: float


class Clock:
    """`now()` in UTC, whole milliseconds; one per process, re-anchored when the store says so."""

    def __init__(self, anchor: Anchor | None = None) -> None:
        start = datetime.now(UTC)
        self.anchor = anchor or Anchor(start, start, 1.0)

    def now(self) -> datetime:
        moment = self.anchor.domain + (datetime.fromtimestamp(time.time(), UTC) - self.anchor.real) * self.anchor.scale
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def real_seconds_until(self, moment: datetime) -> float:
        """How long to wait for a moment of the domain; 0 when it has come."""
        return max(0.0, (moment - self.now()) / timedelta(seconds=1) / self.anchor.scale)

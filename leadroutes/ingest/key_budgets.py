"""What one intake key may bring in a span of time: leads that are routed at once, and bytes that are stored.

Counts are of this process; for how long leads of a key have been put off, all processes know from the database.
"""

import math
import time
from collections.abc import Hashable

from limits import RateLimitItem, parse

from leadroutes.errors import TooManyRequests
from leadroutes.settings import Settings

OVER_BUDGET = "over_budget"  # the code at the beginning of an arrival's reason
PRUNE_ABOVE = 1000  # keys that are counted without looking for those that need not be any more


class EvenRate:
    """An amount in a span: so much may come at once, and then as much again spread over each further span.

    What it keeps is one moment for each key: when all that came would have come at an even pace.
    """

    def __init__(self, rate: RateLimitItem) -> None:
        self._span = float(rate.get_expiry())
        self._each = self._span / rate.amount
        self._even_at: dict[Hashable, float] = {}

    def wait(self, key: Hashable, now: float) -> float:
        """Seconds until something may come again; 0: it may now."""
        return max(0.0, self._even_at.get(key, now) - now - self._span + self._each)

    def count(self, key: Hashable, amount: float, now: float) -> None:
        """It has come, or is going to when it may."""
        if len(self._even_at) > PRUNE_ABOVE:
            self._even_at = {each: at for each, at in self._even_at.items() if at > now}
        self._even_at[key] = max(self._even_at.get(key, now), now) + amount * self._each

    def set_wait(self, key: Hashable, wait: float, now: float) -> None:
        """Others have to wait for so long already."""
        at = now + wait + self._span - self._each
        if at > self._even_at.get(key, now):
            self._even_at[key] = at


class IntakeBudget:
    """One per process; without settings nothing is counted."""

    def __init__(self, settings: Settings | None) -> None:
        leads = parse(settings.intake_per_key) if settings and settings.intake_per_key else None
        size = parse(settings.intake_bytes_per_key) if settings and settings.intake_bytes_per_key else None
        self._arriving = EvenRate(leads) if leads else None
        self._reading = EvenRate(leads) if leads else None  # again, of what was put off
        self._bytes = EvenRate(size) if size else None
        self._limits = {"leads": leads, "bytes": size}

    @property
    def reason(self) -> str:
        """What is noted of an arrival that is put off."""
        return f"{OVER_BUDGET}: more than {self._limits['leads']} leads came with this key; it is read in its turn"

    def count_bytes(self, key: Hashable, size: int) -> None:
        """A body of a sender who has not proved anything; TooManyRequests beyond the limit, and nothing is counted."""
        if self._bytes is None:
            return
        now = time.time()
        if wait := self._bytes.wait(key, now):
            raise TooManyRequests(
                f"More than {self._limits['bytes']} bytes came with this key", retry_after=math.ceil(wait)
            )
        self._bytes.count(key, size, now)

    def wait_for_turn(self, key: Hashable, known_wait: float | None) -> float:
        """Seconds for which what comes now is put off, and a place in turn is then taken; 0: it is read at once.

        `known_wait`: for how long another process has put off what came there.
        """
        if self._arriving is None:
            return 0.0
        now = time.time()
        if known_wait is not None and known_wait > 0:
            self._arriving.set_wait(key, known_wait, now)
        wait = self._arriving.wait(key, now)
        if wait:
            self._arriving.count(key, 1, now)
        return wait

    def count_leads(self, key: Hashable, leads: int) -> None:
        """A body that was read at once held so many; one without any counts as one."""
        if self._arriving is not None:
            self._arriving.count(key, max(1, leads), time.time())

    def wait_to_read(self, key: Hashable) -> float:
        """Seconds for which one that was put off has to wait further, as those before it held more than one lead."""
        return self._reading.wait(key, time.time()) if self._reading is not None else 0.0

    def count_read(self, key: Hashable, leads: int) -> None:
        """One that was put off has been read, and held so many."""
        if self._reading is not None:
            self._reading.count(key, max(1, leads), time.time())


def is_over_budget(reason: str | None) -> bool:
    return reason is not None and reason.startswith(OVER_BUDGET)

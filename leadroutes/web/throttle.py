"""Counts failed sign-ins, per account and per address, and says when there were too many.

Counts are of this process and end with it.
"""

import hashlib
import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from leadroutes.rates import network_of

PER_ACCOUNT = parse("10 per 15 minutes")
PER_ADDRESS = parse("50 per 15 minutes")


class Throttle:
    """One per process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def seconds_to_wait(self, email: str, address: str) -> int | None:
        """None: he may try. Otherwise how long until he may again."""
        waits = [
            math.ceil(self._limiter.get_window_stats(limit, key).reset_time - time.time())
            for limit, key in _counted(email, address)
            if not self._limiter.test(limit, key)
        ]
        return max(1, *waits) if waits else None

    def count_failure(self, email: str, address: str) -> None:
        for limit, key in _counted(email, address):
            self._limiter.hit(limit, key)


def _counted(email: str, address: str) -> tuple[tuple[RateLimitItem, str], ...]:
    account = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    return (PER_ACCOUNT, f"account {account}"), (PER_ADDRESS, f"address {network_of(address)}")

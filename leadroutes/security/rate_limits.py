"""Counts calls, per access token and per address, and says when there were too many.

Counts are of this process and end with it: behind several processes each allows as many.
"""

import hashlib
import ipaddress
import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from leadroutes.errors import TooManyRequests


class RateLimits:
    """One per process; without a limit nothing is counted."""

    def __init__(self, per_token: str | None, per_address: str | None) -> None:
        self._per_token = parse(per_token) if per_token else None
        self._per_address = parse(per_address) if per_address else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count_address(self, address: str) -> None:
        """One more call from there; TooManyRequests beyond the limit."""
        if self._per_address is not None:
            self._count(self._per_address, "address", network_of(address))

    def count_token(self, token: str) -> None:
        """One more call with this token; TooManyRequests beyond the limit."""
        if self._per_token is not None:
            self._count(self._per_token, "token", hashlib.sha256(token.encode()).hexdigest())

    def _count(self, limit: RateLimitItem, kind: str, key: str) -> None:
        if self._limiter.hit(limit, kind, key):
            return
        wait = self._limiter.get_window_stats(limit, kind, key).reset_time - time.time()
        raise TooManyRequests(f"More than {limit} for one {kind}", retry_after=max(1, math.ceil(wait)))


def network_of(address: str) -> str:
    """One household of IPv6 has 2**64 addresses; they count as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    # On a socket for both kinds an address of IPv4 comes in clothes of IPv6, all of them from one household.
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))

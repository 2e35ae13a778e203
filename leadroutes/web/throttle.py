"""Counts attempts to sign in where they come from, and says when there were too many.

By account and network together, so that whoever guesses keeps nobody else out; by network; and, much later, by account.
Counts are of this process and end with it; they are measured by a steady clock.
"""

import hashlib
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from leadroutes.security.rate_limits import network_of

WINDOW = 900.0  # seconds
PER_ACCOUNT_AND_NETWORK = 10
PER_NETWORK = 50
PER_ACCOUNT = 1000  # from wherever: guesses that come from thousands of networks are still guesses
PER_BROWSER = 10  # of one that has signed in as this account before
MOST_KEYS = 100_000  # that are remembered; beyond that the one that was quiet for longest is forgotten

Counted = tuple[int, str]  # how often within the window, and what is counted


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """One attempt to sign in, counted from its beginning on, so that many at once are no more than one by one."""

    keys: tuple[str, ...]
    at: float


class SignInThrottle:
    """One per process."""

    def __init__(self, measure: Callable[[], float] = monotonic) -> None:
        self._measure = measure
        self._counts: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, email: str, address: str, browser: str | None = None) -> SignInAttempt | int:
        """Count an attempt; or, in seconds, how long until there may be one.

        `browser`: what names a browser that has signed in as this account before; others' attempts do not hold it.
        """
        now = self._measure()
        counted = _counted(email, address, browser)
        waits = [self._seconds_to_wait(limit, key, now) for limit, key in counted]
        if wait := max(waits):
            return wait
        for _, key in counted:
            self._counts.setdefault(key, deque()).append(now)
            self._counts.move_to_end(key)
        while len(self._counts) > MOST_KEYS:
            self._counts.popitem(last=False)
        return SignInAttempt(tuple(key for _, key in counted), now)

    def forget(self, attempt: SignInAttempt) -> None:
        """It was no guess: the password was right, or it was not looked at."""
        for key in attempt.keys:
            times = self._counts.get(key)
            if times and attempt.at in times:
                times.remove(attempt.at)
            if times is not None and not times:
                del self._counts[key]

    def _seconds_to_wait(self, limit: int, key: str, now: float) -> int:
        times = self._counts.get(key)
        if times is None:
            return 0
        while times and times[0] <= now - WINDOW:
            times.popleft()
        if not times:
            del self._counts[key]
        return 0 if len(times) < limit else max(1, math.ceil(times[-limit] + WINDOW - now))


def _counted(email: str, address: str, browser: str | None) -> Sequence[Counted]:
    account = digest(email)
    if browser is not None:
        return ((PER_BROWSER, f"browser {browser} {account}"),)
    network = network_of(address)
    return (
        (PER_ACCOUNT_AND_NETWORK, f"both {account} {network}"),
        (PER_NETWORK, f"network {network}"),
        (PER_ACCOUNT, f"account {account}"),
    )


def digest(email: str) -> str:
    """An account as it is counted, whatever is typed for it, and however long it is."""
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()

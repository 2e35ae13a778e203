"""Limits how often passwords are guessed: an attempt is counted before its password is compared.

At the sign-in page by account and network together, so that whoever guesses keeps no one else out; by network; and,
much later, by account. In the API by the user whose token is sent along.
Counts are of this process and end with it; they are measured by a steady clock.
"""

import hashlib
import math
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from leadroutes.errors import TooManyRequests
from leadroutes.security.rate_limits import network_of

WINDOW = 900.0  # seconds
PER_ACCOUNT_AND_NETWORK = 10
PER_NETWORK = 50
PER_ACCOUNT = 1000  # from wherever: guesses that come from thousands of networks are still guesses
PER_BROWSER = 10  # of one that has signed in as this account before
PER_USER = 10  # of one that sends an access token
PER_CODE = 10  # codes of a second factor, by one who knows the password
RESETS_PER_ACCOUNT = 3
RESETS_PER_NETWORK = 20
MOST_KEYS = 100_000  # that are remembered; beyond that the one that was quiet for longest is forgotten

Limits = Sequence[tuple[int, str]]  # how often within the window, and what is counted
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _Attempt:
    keys: tuple[str, ...]
    at: float


class PasswordThrottle:
    """One per process for the pages, and one for the API."""

    def __init__(self, measure: Callable[[], float] = monotonic) -> None:
        self._measure = measure
        self._counts: OrderedDict[str, deque[float]] = OrderedDict()

    async def compare(self, limits: Limits, find: Callable[[], Awaitable[Found]]) -> Found:
        """Returns what `find` returns, which compares a password and returns something false where it is wrong.

        The attempt counts before the comparison begins, so that many at once are no more than one after the other;
        it does not count any more once the password was right, or could not be compared.
        Raises TooManyRequests beyond a limit, and compares nothing.
        """
        attempt = self._begin(limits)
        is_wrong = False
        try:
            found = await find()
            is_wrong = not found
        finally:
            if not is_wrong:
                self._forget(attempt)
        return found

    def count(self, limits: Limits) -> None:
        """Counts something that is limited whether it succeeds or not. Raises TooManyRequests beyond a limit."""
        self._begin(limits)

    def _begin(self, limits: Limits) -> _Attempt:
        """Nothing is awaited between looking and counting."""
        now = self._measure()
        if wait := max(self._seconds_to_wait(limit, key, now) for limit, key in limits):
            raise TooManyRequests("Too many wrong passwords", retry_after=wait)
        for _, key in limits:
            self._counts.setdefault(key, deque()).append(now)
            self._counts.move_to_end(key)
        while len(self._counts) > MOST_KEYS:
            self._counts.popitem(last=False)
        return _Attempt(tuple(key for _, key in limits), now)

    def _forget(self, attempt: _Attempt) -> None:
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


def limits_at_sign_in(email: str, address: str, browser: str | None = None) -> Limits:
    """`browser` identifies one that has signed in as this account before; others' attempts do not block it."""
    account = digest(email)
    if browser is not None:
        return ((PER_BROWSER, f"browser {browser} {account}"),)
    network = network_of(address)
    return (
        (PER_ACCOUNT_AND_NETWORK, f"both {account} {network}"),
        (PER_NETWORK, f"network {network}"),
        (PER_ACCOUNT, f"account {account}"),
    )


def limits_of_user(user_id: int) -> Limits:
    """Of someone who has proved who they are by a token, and now by the password as well."""
    return ((PER_USER, f"user {user_id}"),)


def limits_of_code(user_id: int) -> Limits:
    """Of codes of a second factor, wherever they are typed."""
    return ((PER_CODE, f"code {user_id}"),)


def limits_of_reset(email: str, address: str) -> Limits:
    """Of mails with a link that sets a password; whether the account exists makes no difference."""
    return (
        (RESETS_PER_ACCOUNT, f"reset {digest(email)}"),
        (RESETS_PER_NETWORK, f"resets {network_of(address)}"),
    )


def digest(email: str) -> str:
    """An account as it is counted, whatever is typed for it, and however long it is."""
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()

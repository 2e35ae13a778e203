"""What can go wrong, in words. The domain raises these; only the API knows which HTTP status each of them is.

A problem's message is what the user reads: it names the field, the value and what was expected.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any


class Problem(Exception):  # noqa: N818 -- the family's name is the noun that a user sees
    """Base class of errors whose message is shown to the caller."""

    def __init__(self, message: str, *, errors: Mapping[str, str] | None = None, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors = dict(errors or {})
        self.data = data


class Invalid(Problem):
    """The request cannot be understood or breaks a rule of a field; `errors` maps fields to sentences."""

    @classmethod
    def fields(cls, errors: Mapping[str, str]) -> "Invalid":
        """All faults of a record at once."""
        return cls("Validation failed: " + "; ".join(errors.values()), errors=errors)


class NotAuthenticated(Problem):
    """Unknown caller. `invalid_token` tells a wrong token from a missing one, `scheme` which scheme is expected."""

    def __init__(
        self, message: str = "No access token", *, invalid_token: bool = False, scheme: str = "Bearer", data: Any = None
    ) -> None:
        super().__init__(message, data=data)
        self.invalid_token = invalid_token
        self.scheme = scheme


class Forbidden(Problem):
    """The caller may see it, but not do this."""


class NotFound(Problem):
    """It does not exist, or not for this caller."""

    @classmethod
    def record(cls, segment: object) -> "NotFound":
        """The fixed sentence for a record path."""
        return cls(f"No record found for id '{segment}'")


class MethodNotAllowed(Problem):
    """The path does not take this method; `allowed` are those it takes."""

    def __init__(self, message: str, *, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed


class NotAcceptable(Problem):
    """The caller wants something other than JSON."""


class SlowRequest(Problem):
    """The body did not arrive in time."""


class Conflict(Problem):
    """It collides with what is there already."""


class AlreadyClaimed(Conflict):
    """Another user has the lead; `name` is the winner's, once it has been looked up."""

    def __init__(self, user_id: int, claimed_at: datetime, name: str | None = None) -> None:
        at = claimed_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{claimed_at.microsecond // 1000:03d}Z"
        by = f" by {name}" if name is not None else ""
        super().__init__(
            f"This lead has already been claimed{by} at {at}", data={"claimed_by_user_id": user_id, "claimed_at": at}
        )
        self.user_id = user_id
        self.claimed_at = claimed_at
        self.name = name


class TooLarge(Problem):
    """The body is larger than the limit."""


class TargetTooLong(Problem):
    """The path with its query is longer than the limit."""


class HeadTooLarge(Problem):
    """A header line, or the head of the request, is larger than the limit."""


class Unprocessable(Problem):
    """Stored, but in no known format; `data` carries `arrival_id`."""


class TooManyRequests(Problem):
    """The caller is over a rate limit; try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Problem):
    """The database is away, or we are stopping; try again after `retry_after` seconds."""

    def __init__(self, message: str = "The database cannot be reached at the moment", *, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Misconfigured(Problem):
    """A setting has a value that it cannot have."""


class ComputationNeeded(Exception):  # noqa: N818 -- an instruction
    """Something that owners wrote has to be worked out before this can be done; then it is begun again.

    `computations` by owner: each works out what is needed of one, and raises Unavailable where that cannot be done now.
    """

    def __init__(self, computations: Mapping[int, Callable[[], Awaitable[None]]]) -> None:
        super().__init__(f"of {len(computations)} owners")
        self.computations = computations

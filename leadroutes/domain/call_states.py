"""What the provider says of a call to an agent, and what becomes of its message where no one answered. Pure."""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

AGAIN_AFTER: Final = timedelta(minutes=1)
UNDER_WAY: Final = ("queued", "initiated", "ringing", "in-progress")
"""In the order in which they follow each other."""
UNANSWERED: Final = {
    "busy": "the phone was busy",
    "no-answer": "no one answered",
    "failed": "the call did not get through",
}
ANSWERED: Final = frozenset({"in-progress", "completed"})
OVER: Final = frozenset({*UNANSWERED, "completed", "canceled"})


class AfterCall(Struct, frozen=True, kw_only=True):
    """What becomes of a message whose call no one answered; a queued one waits for a moment."""

    state: Literal["queued", "failed"]
    reason: str
    leaves_at: datetime | None = None


def earlier_than(state: str) -> tuple[str, ...]:
    """Returns the states that a report replaces: those that come before it."""
    return UNDER_WAY[: UNDER_WAY.index(state)] if state in UNDER_WAY else UNDER_WAY


def after_unanswered(outcome: str, now: datetime, *, is_second: bool) -> AfterCall:
    """Returns what follows: another call after a minute, and after the second one the end."""
    reason = UNANSWERED[outcome]
    if is_second:
        return AfterCall(state="failed", reason=f"{reason}, twice")
    return AfterCall(state="queued", reason=f"{reason}; called again after a minute", leaves_at=now + AGAIN_AFTER)

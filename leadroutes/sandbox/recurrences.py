"""Rules of recurring tasks in the sandbox; `leadroutes.sandbox.tasks.recurrences` implements it."""

from datetime import date, datetime
from typing import Final

from msgspec import Struct

from leadroutes.sandbox.work import SandboxFunction


class RuleStart(Struct, frozen=True):
    """A rule and its first day."""

    recurrence: str
    day: date


class RuleProgress(Struct, frozen=True):
    """A request for the next moment after `after` of a rule that starts at `start`, in a time zone."""

    recurrence: str
    start: datetime
    after: datetime
    timezone: str | None


class NextMoment(Struct, frozen=True):
    """The next moment; None if the rule has ended."""

    moment: datetime | None


FIRST_MOMENTS: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.recurrences:first", RuleStart, list[datetime], seconds=0.5
)
COMES_AGAIN: Final = SandboxFunction("leadroutes.sandbox.tasks.recurrences:comes", RuleStart, bool, seconds=0.5)
NEXT_MOMENT: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.recurrences:following", RuleProgress, NextMoment, seconds=0.5
)

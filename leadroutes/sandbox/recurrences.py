"""Rules of recurring tasks as they are followed apart; how, `leadroutes.sandbox.tasks.recurrences` knows."""

from datetime import date, datetime
from typing import Final

from msgspec import Struct

from leadroutes.sandbox.work import SandboxFunction


class RuleStart(Struct, frozen=True):
    """A rule, and the day that it is counted from."""

    recurrence: str
    day: date


class RuleProgress(Struct, frozen=True):
    """A rule that is counted from `start`, in a time zone, and whose next moment after `after` is asked for."""

    recurrence: str
    start: datetime
    after: datetime
    timezone: str | None


class NextMoment(Struct, frozen=True):
    """The next moment; None where the rule has run out."""

    moment: datetime | None


FIRST_MOMENTS: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.recurrences:first", RuleStart, list[datetime], seconds=0.5
)
COMES_AGAIN: Final = SandboxFunction("leadroutes.sandbox.tasks.recurrences:comes", RuleStart, bool, seconds=0.5)
NEXT_MOMENT: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.recurrences:following", RuleProgress, NextMoment, seconds=0.5
)

"""Rules of recurring tasks as they are followed apart; how, `leadroutes.sandbox.tasks.recurrences` knows."""

from datetime import date, datetime
from typing import Final

from msgspec import Struct

from leadroutes.sandbox.work import Work


class Beginning(Struct, frozen=True):
    """A rule, and the day that it is counted from."""

    recurrence: str
    day: date


class Going(Struct, frozen=True):
    """A rule that is counted from `start`, in a time zone, and whose next moment after `after` is asked for."""

    recurrence: str
    start: datetime
    after: datetime
    timezone: str | None


class Next(Struct, frozen=True):
    """The next moment; None where the rule has run out."""

    moment: datetime | None


FIRST: Final = Work("leadroutes.sandbox.tasks.recurrences:first", Beginning, list[datetime], seconds=0.5)
COMES: Final = Work("leadroutes.sandbox.tasks.recurrences:comes", Beginning, bool, seconds=0.5)
NEXT: Final = Work("leadroutes.sandbox.tasks.recurrences:following", Going, Next, seconds=0.5)

"""How busy members are: what caps and ways to distribute compare, and how a decision changes it. Pure.

Counted over all leads of one owner, whichever team they came through; test leads count nowhere.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.moments import BEGINNING_OF_TIME, END_OF_TIME, wall_clock


class Workload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one member has of one owner at a moment; the day and the week are those of the member's zone.

    `open_leads`: those that the member has, not older than the installation's OPEN_FOR. `leads_today` and
    `leads_this_week`: what the member got, also if someone else has it by now. `last_lead_at`: None if there never was
    one. `last_event_id`: of two members the one with the larger id got a lead later.
    """

    open_leads: int = 0
    leads_today: int = 0
    leads_this_week: int = 0
    last_lead_at: datetime | None = None
    last_event_id: int = 0

    def with_lead(self, now: datetime) -> "Workload":
        """Returns it once the member has got one more lead, at `now`."""
        return Workload(
            open_leads=self.open_leads + 1,
            leads_today=self.leads_today + 1,
            leads_this_week=self.leads_this_week + 1,
            last_lead_at=now,
        )


NO_LEADS: Final = Workload()
_FIRST_DAY: Final = BEGINNING_OF_TIME.date() + timedelta(days=7)  # so that the calendar has the whole week
_LAST_DAY: Final = END_OF_TIME.date() - timedelta(days=7)


class Spans(NamedTuple):
    """When the day and the week of a moment begin, and when the next ones do; in UTC."""

    day: datetime
    week: datetime
    next_day: datetime
    next_week: datetime


def spans_of(now: datetime, zone: str) -> Spans:
    """Returns the day and the week (from Monday) of a moment by the wall clock of a zone."""
    return _spans_of_day(min(max(wall_clock(now, zone_named(zone)).date(), _FIRST_DAY), _LAST_DAY), zone)


@lru_cache(maxsize=4096)
def _spans_of_day(day: date, zone: str) -> Spans:
    monday = -day.weekday()
    return Spans(*(_midnight(day + timedelta(days=days), zone) for days in (0, monday, 1, monday + 7)))


def _midnight(day: date, zone: str) -> datetime:
    """Where the clocks skip midnight, the day begins at the moment at which they do."""
    return datetime.combine(day, time(0), zone_named(zone)).astimezone(UTC)

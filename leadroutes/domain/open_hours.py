"""When hours of a week are open in a time zone, and when several of them are open at once: the arithmetic alone. Pure.

Hours are open exactly while the wall clock is inside them. So a beginning that does not exist in the night on which the
clocks go forward falls on the moment after the gap, and one that comes twice opens the first time.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.holidays import is_holiday
from leadroutes.domain.moments import later, wall_clock
from leadroutes.domain.weekly_hours import DAY, WEEK, WeeklyHours, clock_change, days_from

NO_HOLIDAYS: Final[frozenset[str]] = frozenset()
LONGEST_GAP: Final = 8  # days without an opening, after which a week with hours has had one unless holidays prevent it
MOST_MOVES: Final = 200  # from opening to opening, before hours are given up that are never open at the same time


class OpenHours(Struct, frozen=True, kw_only=True):
    """Hours that have to be open. `rule` names them in words, `clock` says whose time it is: the contact's, mostly."""

    rule: str
    zone: str
    hours: WeeklyHours
    rests_on: frozenset[str] = NO_HOLIDAYS  # calendars of `domain/holidays.py`
    clock: str = "contact's time"

    def has(self, moment: datetime) -> bool:
        """Returns whether they are open at a moment."""
        return self._has_wall(wall_clock(moment, zone_named(self.zone)))

    def _has_wall(self, wall: datetime) -> bool:
        return self.hours.has(wall) and not (self.rests_on and is_holiday(wall.date(), self.rests_on))

    def opening(self, moment: datetime, limit: datetime) -> datetime | None:
        """Returns the moment itself where they are open, else the next one at which they are; None: not by `limit`."""
        zone = zone_named(self.zone)
        wall = wall_clock(moment, zone)
        if self._has_wall(wall):
            return moment
        for day in days_from(wall.toordinal(), LONGEST_GAP + (limit - moment).days + 1):
            for each in self._beginnings(day, zone):
                if each > limit:
                    return None
                if each > moment and self._has_wall(wall_clock(each, zone)):
                    return each
        return None

    def closing(self, moment: datetime) -> datetime:
        """Returns when hours that are open at a moment close; the end of the next week if they are always open."""
        zone = zone_named(self.zone)
        today = wall_clock(moment, zone).toordinal()
        for day in days_from(today, LONGEST_GAP):
            for each in self._edges(day, zone):
                if each > moment and not self._has_wall(wall_clock(each, zone)):
                    return each
        return later(moment, timedelta(days=LONGEST_GAP))

    def _beginnings(self, day: date, zone: ZoneInfo) -> list[datetime]:
        """Returns the moments of a local day at which they may open, in order."""
        weekday = day.weekday() * DAY
        minutes = {start % WEEK - weekday for start, _ in self.hours.ranges if 0 <= start % WEEK - weekday < DAY}
        return _moments(day, minutes | {0}, zone)

    def _edges(self, day: date, zone: ZoneInfo) -> list[datetime]:
        weekday = day.weekday() * DAY
        ends = {end % WEEK - weekday for _, end in self.hours.ranges if 0 <= end % WEEK - weekday < DAY}
        return _moments(day, ends | {0}, zone)


class Opening(Struct, frozen=True):
    """When hours are open together: None is never by the limit. `last`: those that opened last; None: all were open."""

    at: datetime | None
    last: OpenHours | None = None


def first_open(all_hours: Sequence[OpenHours], moment: datetime, limit: datetime) -> Opening:
    """Returns the first moment, from `moment` to `limit`, at which all hours are open, and which open last."""
    last: OpenHours | None = None
    for _ in range(MOST_MOVES):
        moved = False
        for each in all_hours:
            opening = each.opening(moment, limit)
            if opening is None:
                return Opening(None, each)
            if opening > moment:
                moment, last, moved = opening, each, True
        if not moved:
            return Opening(moment, last)
    return Opening(None, last)


def _moments(day: date, minutes: set[int], zone: ZoneInfo) -> list[datetime]:
    """Returns when a local day has these wall times, and when its clocks change, in order.

    Both moments of times that come twice; those of times that do not exist are outside of all hours.
    """
    walls = [datetime.combine(day, time(each // 60, each % 60), zone) for each in minutes]
    moments = {wall.replace(fold=fold).astimezone(UTC) for wall in walls for fold in (0, 1)}
    if (change := clock_change(day, zone)) is not None:
        moments.add(change)
    return sorted(moments)

"""Hours of a week by the wall clock: read from JSON, asked whether a moment is inside, said in words. Pure.

A moment is inside exactly when the local wall clock is, which settles the nights on which the clocks change.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from leadroutes.domain.faults import Faults, refusal
from leadroutes.domain.moments import BEGINNING_OF_TIME, END_OF_TIME, wall_clock

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY: Final = 24 * 60  # minutes
WEEK: Final = 7 * DAY
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)", re.ASCII)
_EXPECTED_RANGE: Final = 'two times of day such as ["09:00", "17:30"], the end at most 24:00'


class WeeklyHours(Struct, frozen=True):
    """Ranges in minutes from Monday 00:00, from inclusive, to exclusive; the last may reach into the next Monday."""

    ranges: tuple[tuple[int, int], ...]

    def has(self, wall_clock: datetime) -> bool:
        """Returns whether this local time is inside."""
        minute = wall_clock.weekday() * DAY + wall_clock.hour * 60 + wall_clock.minute
        return any(start <= minute < end or start <= minute + WEEK < end for start, end in self.ranges)


class _Hours(NamedTuple):
    start: int  # minutes from Monday 00:00
    end: int
    day: str
    given: list[str]

    def __str__(self) -> str:
        return f"{self.given[0]} to {self.given[1]}"


def read_weekly_hours(value: Any, at: str) -> WeeklyHours:
    """Returns the hours of `{"monday": [["09:00", "12:30"], …], …}`; a day that is missing has none. Raises Faults."""
    if not isinstance(value, dict):
        raise Faults({at: refusal(at, value, "an object with lists of hours by day, or null")})
    faults: dict[str, str] = {}
    ranges: list[_Hours] = []
    for day, given in value.items():
        if day not in DAYS:
            where = f"{at}.{day[:60]}"
            faults[where] = refusal(where, day, f"one of {', '.join(DAYS)}")
            continue
        if not isinstance(given, list):
            faults[f"{at}.{day}"] = refusal(f"{at}.{day}", given, "a list of pairs of times")
            continue
        for place, each in enumerate(given):
            where = f"{at}.{day}[{place}]"
            found = _read_range(each, day)
            if isinstance(found, str):
                faults[where] = refusal(where, _given(each), found)
            else:
                ranges.append(found)
    ranges.sort()
    if faults := faults or dict(_overlaps(ranges, at)):
        raise Faults(faults)
    return WeeklyHours(tuple((each.start, each.end) for each in ranges))


def _read_range(given: Any, day: str) -> "_Hours | str":
    """Returns the range, or what was expected in its place."""
    if not (isinstance(given, list) and len(given) == 2):
        return _EXPECTED_RANGE
    start, end = (_minutes(each) for each in given)
    if start is None or end is None or start == DAY:
        return _EXPECTED_RANGE
    if start == end:
        return "two different times; the whole day is 00:00 to 24:00"
    first = DAYS.index(day) * DAY
    return _Hours(first + start, first + end + (DAY if end < start else 0), day, given)


def _minutes(given: Any) -> int | None:
    found = _TIME.fullmatch(given) if isinstance(given, str) else None
    return int(found[1] or found[3]) * 60 + int(found[2] or found[4]) if found else None


def _given(value: Any) -> Any:
    """A pair of texts is shown as it is, and all else as every message shows it."""
    is_pair = isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)
    return f"{value[0]} to {value[1]}" if is_pair else value


def _overlaps(ranges: list[_Hours], at: str) -> Iterator[tuple[str, str]]:
    """Yields what overlaps. Ranges are sorted and at most a day long, so only neighbours can; touching is allowed."""
    for before, after in pairwise(ranges):
        if before.end > after.start:
            yield _overlap(before, after, at)
    if len(ranges) > 1 and ranges[-1].end > ranges[0].start + WEEK:
        yield _overlap(ranges[-1], ranges[0], at)


def _overlap(before: _Hours, after: _Hours, at: str) -> tuple[str, str]:
    where = f"{at}.{after.day}"
    whose = "" if before.day == after.day else f" of {before.day}"
    return where, f"{where}: {after} was given, which overlaps {before}{whose}; expected ranges that do not overlap"


# ------------------------------------------------------------------------------------------------------ the next moment

MOST_DAYS: Final = 22  # to look ahead: hours that the clocks skip in one week are there in the next


def next_opening(hours: WeeklyHours, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """Returns the first moment from this one on at which the wall clock of the zone is inside; None: there is none."""
    if not hours.ranges:
        return None
    local = wall_clock(moment, zone)
    if hours.has(local):
        return moment
    for day in days_from(local.toordinal(), MOST_DAYS):
        for at in _possible_openings(hours, day, zone):
            if at > moment and hours.has(wall_clock(at, zone)):
                return at
    return None


def days_from(first: int, count: int) -> Iterator[date]:
    """Yields so many days from the one with an ordinal on; none at the ends of the calendar, where zones leave it."""
    yield from (date.fromordinal(each) for each in range(first, first + count) if _FIRST_DAY <= each <= _LAST_DAY)


_FIRST_DAY: Final = BEGINNING_OF_TIME.toordinal()
_LAST_DAY: Final = END_OF_TIME.toordinal()


def _possible_openings(hours: WeeklyHours, day: date, zone: ZoneInfo) -> list[datetime]:
    """Returns the moments of a day at which the clock can come inside: where a range begins, or the clocks change."""
    starts = {start % DAY for start, _ in hours.ranges if start // DAY == day.weekday()}
    local = [datetime.combine(day, time(*divmod(start, 60)), zone) for start in starts]
    moments = {each.replace(fold=fold).astimezone(UTC) for each in local for fold in (0, 1)}
    if (change := clock_change(day, zone)) is not None:
        moments.add(change)
    return sorted(moments)


@lru_cache(maxsize=4096)
def clock_change(day: date, zone: ZoneInfo) -> datetime | None:
    """Returns the moment of a local day at which the clocks of the zone change, or None. They do at whole minutes.

    A change at midnight belongs to the day before.
    """
    before, after = (datetime.combine(day + timedelta(days=each), time(0), zone).astimezone(UTC) for each in (0, 1))
    offset = wall_clock(before, zone).utcoffset()
    if wall_clock(after, zone).utcoffset() == offset:
        return None
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        if wall_clock(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


# ---------------------------------------------------------------------------------------------------------- in words


def hours_in_words(given: dict[str, list[list[str]]]) -> str:
    """Returns hours that can be read as words: `Monday to Friday 09:00–17:00, Saturday 10:00–14:00`."""
    runs: list[tuple[str, str, str]] = []  # first day, last day, hours
    for day in DAYS:
        hours = " and ".join(f"{start}–{end}" for start, end in sorted(given.get(day) or ()))
        if runs and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], day, hours)
        else:
            runs.append((day, day, hours))
    said = [f"{_days(first, last)} {hours}" for first, last, hours in runs if hours]
    return ", ".join(said) or "at no time"


def _days(first: str, last: str) -> str:
    if first == last:
        return first.title()
    if (first, last) == (DAYS[0], DAYS[-1]):
        return "every day"
    between = "and" if DAYS.index(last) - DAYS.index(first) == 1 else "to"
    return f"{first.title()} {between} {last.title()}"


# -------------------------------------------------------------------------------------------------------- from words

_PART = re.compile(r"(?P<days>[^\W\d][^\d]*?) (?P<hours>\d.*)")
_FROM_TO = re.compile(r"(\d{1,2}:\d{2})\s*(?:–|-|to)\s*(\d{1,2}:\d{2})")
_BETWEEN = frozenset({"to", "-", "–"})
_EVERY_DAY = ("every", "day")


def hours_from_words(text: str) -> dict[str, list[list[str]]] | None:
    """Returns the hours of `Mon to Fri 9:00–17:00, Saturday 10:00–14:00`, None if that is not what the text says."""
    found: dict[str, list[list[str]]] = {}
    for part in re.split("[,;]", text):
        said = _PART.fullmatch(" ".join(part.split()))
        days = _named_days(said["days"]) if said else None
        ranges = [_FROM_TO.fullmatch(each.strip()) for each in said["hours"].split(" and ")] if said else []
        if not days or not all(ranges):
            return None
        for day in days:
            found.setdefault(day, []).extend([each[1].zfill(5), each[2].zfill(5)] for each in ranges if each)
    return {day: found[day] for day in DAYS if day in found}


def _named_days(text: str) -> list[str] | None:
    words = re.findall(r"[a-z]+|[-–]", text.lower())
    if tuple(words) == _EVERY_DAY:
        return list(DAYS)
    days = [next((day for day in DAYS if len(word) > 2 and day.startswith(word)), word) for word in words]
    match days:
        case [only] if only in DAYS:
            return [only]
        case [first, between, last] if first in DAYS and last in DAYS and between in _BETWEEN:
            start, count = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % 7 + 1
            return [DAYS[(start + each) % 7] for each in range(count)]
        case [first, "and", last] if first in DAYS and last in DAYS:
            return [first, last]
    return None

"""Rules of RFC 5545 for tasks that recur, daily or slower: read from their text, and followed for ten years.

The days of a year are the bits of a number, so that a year costs a few operations whether a rule comes in it or not.
"""

import re
from calendar import isleap
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.cache import short_cache

YEARS_AHEAD: Final = 10
"""How far a rule is followed: one that does not come within so many years has run out."""


def _list_of(item: str) -> str:
    return f"(?:{item})(?:,(?:{item}))*"


_WEEKDAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_YEARDAY = "[+-]?(?:[1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"
RULE_PARTS: Final = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,3}",
    "COUNT": "[1-9][0-9]{0,5}",
    "UNTIL": "[0-9]{8}(?:T[0-9]{6}Z?)?",
    "WKST": _WEEKDAY,
    "BYDAY": _list_of(f"(?:[+-]?(?:[1-9]|[1-4][0-9]|5[0-3]))?{_WEEKDAY}"),
    "BYMONTH": _list_of("[1-9]|1[0-2]"),
    "BYMONTHDAY": _list_of("[+-]?(?:[1-9]|[12][0-9]|3[01])"),
    "BYYEARDAY": _list_of(_YEARDAY),
    "BYWEEKNO": _list_of("[+-]?(?:[1-9]|[1-4][0-9]|5[0-3])"),
    "BYSETPOS": _list_of(_YEARDAY),
    "BYHOUR": _list_of("[01]?[0-9]|2[0-3]"),
    "BYMINUTE": "[0-5]?[0-9]",  # one value: a task for every minute of the day is never meant
    "BYSECOND": "[0-5]?[0-9]",
}
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MOST_WEEKDAYS_OF_A_MONTH: Final = 5
_FIRST_YEAR: Final = 1900
_WEEK: Final = 0b1111111
_NUMBERED_DAY = re.compile(r"([+-]?\d{0,2})([A-Z]{2})")


class Rule(Struct, frozen=True, kw_only=True):
    """A rule as its text says it. Without hours, minutes or seconds they are those of the moment it is counted from."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None  # as written
    is_until_utc: bool = False
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()  # (which one, 0 for every; Monday is 0)
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    minute: int | None = None
    second: int | None = None


# ----------------------------------------------------------------------------------------------------------- reading


@short_cache(entries=4_096, longest=400)
def read_rule(text: str) -> Rule | None:
    """Returns the rule that a text holds; None if a part is repeated, unknown or not in its form."""
    pairs = [part.partition("=")[::2] for part in text.strip().upper().removeprefix("RRULE:").split(";")]
    parts = dict(pairs)
    if "FREQ" not in parts or len(parts) < len(pairs):
        return None
    if not all(name in RULE_PARTS and re.fullmatch(RULE_PARTS[name], value) for name, value in pairs):
        return None
    rule = Rule(
        freq=parts["FREQ"],
        interval=int(parts.get("INTERVAL", 1)),
        count=int(parts["COUNT"]) if "COUNT" in parts else None,
        is_until_utc=parts.get("UNTIL", "").endswith("Z"),
        week_start=_DAYS.index(parts.get("WKST", "MO")),
        weekdays=tuple(
            (int(number or 0), _DAYS.index(day)) for number, day in _NUMBERED_DAY.findall(parts.get("BYDAY", ""))
        ),
        months=_numbers(parts, "BYMONTH"),
        month_days=_numbers(parts, "BYMONTHDAY"),
        year_days=_numbers(parts, "BYYEARDAY"),
        weeks=_numbers(parts, "BYWEEKNO"),
        positions=_numbers(parts, "BYSETPOS"),
        hours=_numbers(parts, "BYHOUR"),
        minute=int(parts["BYMINUTE"]) if "BYMINUTE" in parts else None,
        second=int(parts["BYSECOND"]) if "BYSECOND" in parts else None,
    )
    try:
        until = _until(parts["UNTIL"]) if "UNTIL" in parts else None
    except ValueError:
        return None
    return replace(rule, until=until) if _can_come(rule) else None


def _numbers(parts: dict[str, str], name: str) -> tuple[int, ...]:
    return tuple(sorted({int(number) for number in parts[name].split(",")})) if name in parts else ()


def _until(text: str) -> datetime:
    until = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")  # noqa: DTZ007
    if until.year < _FIRST_YEAR:
        raise ValueError(text)
    return until


def _can_come(rule: Rule) -> bool:
    """The fifth is the last weekday of a month; a weekday in steps of whole weeks comes from the start or never."""
    is_of_year = rule.freq == "YEARLY" and not rule.months
    if not is_of_year and any(abs(number) > _MOST_WEEKDAYS_OF_A_MONTH for number, _ in rule.weekdays):
        return False
    return not (rule.freq == "DAILY" and rule.interval % 7 == 0 and rule.weekdays)


def recurs(rule: Rule, today: date) -> bool:
    """Whether it comes within ten years from some day near today on: its interval, count and end left aside."""
    every = replace(rule, interval=1, count=None, until=None)
    start = datetime.combine(today, time())
    return next_moment(every, start, start - timedelta(seconds=1)) is not None


# ---------------------------------------------------------------------------------------------------------- following


def next_moment(rule: Rule, start: datetime, after: datetime) -> datetime | None:
    """Returns the first moment after `after` of a rule from `start`, all in local time; None if none in ten years."""
    start = start.replace(microsecond=0)
    bound = _bound(rule, start)
    horizon = max(start, after).year + YEARS_AHEAD
    left = rule.count
    first_year = start.year if left is not None else max(start.year, after.year)
    for year in range(first_year, min(horizon, date.max.year - 1) + 1):
        if left is not None and year < after.year and not rule.positions:
            left -= _number_in(bound, year, start)
            if left <= 0:
                return None
            continue
        for moment in _moments_of(bound, year, start):
            if rule.until is not None and moment > rule.until:
                return None
            if left is not None:
                left -= 1
                if left < 0:
                    return None
            if moment > after:
                return moment
    return None


class _Bound(Struct, frozen=True):
    """A rule with what its start adds: days where it names none, and times of day."""

    rule: Rule
    times: tuple[time, ...]


def _bound(rule: Rule, start: datetime) -> _Bound:
    if not (rule.weeks or rule.year_days or rule.month_days or rule.weekdays):
        match rule.freq:
            case "YEARLY":
                rule = replace(rule, months=rule.months or (start.month,), month_days=(start.day,))
            case "MONTHLY":
                rule = replace(rule, month_days=(start.day,))
            case "WEEKLY":
                rule = replace(rule, weekdays=((0, start.weekday()),))
    minute = start.minute if rule.minute is None else rule.minute
    second = start.second if rule.second is None else rule.second
    times = tuple(time(hour, minute, second) for hour in rule.hours or (start.hour,))
    if rule.freq == "DAILY" and rule.positions:
        times = tuple(times[place] for place in _places(rule.positions, len(times)))
        rule = replace(rule, positions=())
    return _Bound(rule, times)


def _places(positions: Sequence[int], length: int) -> list[int]:
    """Positions as indexes, in order; those that there are."""
    places = {position - 1 if position > 0 else length + position for position in positions}
    return sorted(place for place in places if 0 <= place < length)


def _number_in(bound: _Bound, year: int, start: datetime) -> int:
    days = _days_of(bound.rule, year, start)
    number = days.bit_count() * len(bound.times)
    first = start.timetuple().tm_yday - 1
    if year == start.year and days >> first & 1:
        number -= sum(each < start.time() for each in bound.times)
    return number


def _moments_of(bound: _Bound, year: int, start: datetime) -> Iterator[datetime]:
    """Those of a year that are not before the start, in order."""
    for days, places in _sets_of(bound, year, start):
        first = date(year, 1, 1)
        numbers = _bits(days)
        if places is None:
            moments: Iterator[datetime] = (
                datetime.combine(first + timedelta(days=number), each) for number in numbers for each in bound.times
            )
        else:
            listed, length = list(numbers), len(bound.times)
            moments = (
                datetime.combine(first + timedelta(days=listed[place // length]), bound.times[place % length])
                for place in _places(places, len(listed) * length)
            )
        yield from (moment for moment in moments if moment >= start)


def _sets_of(bound: _Bound, year: int, start: datetime) -> Iterator[tuple[int, tuple[int, ...] | None]]:
    """The days of a year, at once, or set by set where positions in a set are asked for. A week is its first day's."""
    rule = bound.rule
    if not rule.positions:
        yield _days_of(rule, year, start), None
        return
    days = _all_days_of(rule, year, start)
    match rule.freq:
        case "YEARLY":
            yield days, rule.positions
        case "MONTHLY":
            for begin, end in _months(year):
                yield days & _span(begin, end), rule.positions
        case _:
            length = _length(year)
            days |= _all_days_of(rule, year + 1, start) << length
            begin = (rule.week_start - date(year, 1, 1).weekday()) % 7
            for first in range(begin, length, 7):
                yield days & (_WEEK << first), rule.positions


def _days_of(rule: Rule, year: int, start: datetime) -> int:
    """The days of a year on which it comes, none before the start."""
    days = _all_days_of(rule, year, start)
    if year == start.year:
        first = start.timetuple().tm_yday - 1
        days = days >> first << first
    return days


def _all_days_of(rule: Rule, year: int, start: datetime) -> int:
    days = _by_interval(rule, year, start)
    if days and rule.months:
        months = _months(year)
        days &= _any(_span(*months[month - 1]) for month in rule.months)
    if days and rule.month_days:
        days &= _any(
            1 << begin + place for begin, end in _months(year) for place in _places(rule.month_days, end - begin)
        )
    if days and rule.year_days:
        days &= _any(1 << place for place in _places(rule.year_days, _length(year)))
    if days and rule.weeks:
        days &= _by_week(rule, year)
    if days and rule.weekdays:
        days &= _by_weekday(rule, year)
    return days


def _by_interval(rule: Rule, year: int, start: datetime) -> int:
    length, step = _length(year), rule.interval
    every = _span(0, length)
    if step == 1:
        return every
    first = date(year, 1, 1).toordinal()
    match rule.freq:
        case "YEARLY":
            return every if (year - start.year) % step == 0 else 0
        case "MONTHLY":
            passed = (year - start.year) * 12 - start.month + 1  # months from the start to January
            return _any(_span(*month) for number, month in enumerate(_months(year)) if (passed + number) % step == 0)
        case "WEEKLY":
            week = start.toordinal() - (start.weekday() - rule.week_start) % 7
            begin = (week - first) % (7 * step)
            weeks = _any(_WEEK << place for place in range(begin, length, 7 * step))
            before = begin - 7 * step  # a week that began in the year before
            return (weeks | (_WEEK >> -before if before > -7 else 0)) & every
        case _:
            return _any(1 << place for place in range((start.toordinal() - first) % step, length, step))


def _by_week(rule: Rule, year: int) -> int:
    """Weeks belong to the year in which most of their days are; their days to that in which they are."""
    first = date(year, 1, 1).toordinal()
    days = 0
    for whose in (year - 1, year, year + 1):
        begin, end = _first_week(whose, rule.week_start), _first_week(whose + 1, rule.week_start)
        for place in _places(rule.weeks, (end - begin) // 7):
            offset = begin + 7 * place - first
            days |= _WEEK << offset if offset >= 0 else _WEEK >> min(-offset, 7)
    return days & _span(0, _length(year))


def _first_week(year: int, week_start: int) -> int:
    """The first day of the week in which the fourth of January is."""
    fourth = date(year, 1, 4)
    return fourth.toordinal() - (fourth.weekday() - week_start) % 7


def _by_weekday(rule: Rule, year: int) -> int:
    """Numbered ones are those of a month, or of a year where no month is named; rules by day or week ignore numbers."""
    length = _length(year)
    weekday = date(year, 1, 1).weekday()
    days = 0
    spans = [(0, length)] if rule.freq == "YEARLY" and not rule.months else _months(year)
    for number, day in rule.weekdays:
        if number == 0 or rule.freq in ("DAILY", "WEEKLY"):
            days |= _every_seventh((day - weekday) % 7, length)
            continue
        for begin, end in spans:
            first = begin + (day - weekday - begin) % 7
            last = first + (end - 1 - first) // 7 * 7
            place = first + 7 * (number - 1) if number > 0 else last + 7 * (number + 1)
            if begin <= place < end:
                days |= 1 << place
    return days


# ------------------------------------------------------------------------------------------------------- days as bits


def _any(masks: Iterator[int]) -> int:
    days = 0
    for each in masks:
        days |= each
    return days


def _span(begin: int, end: int) -> int:
    return (1 << end) - (1 << begin)


def _bits(days: int) -> Iterator[int]:
    while days:
        lowest = days & -days
        yield lowest.bit_length() - 1
        days ^= lowest


def _length(year: int) -> int:
    return 366 if isleap(year) else 365


@lru_cache(maxsize=14)
def _every_seventh(first: int, length: int) -> int:
    return _any(1 << place for place in range(first, length, 7))


@lru_cache(maxsize=2)
def _months_of_length(february: int) -> list[tuple[int, int]]:
    ends = list(accumulate((31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)))
    return list(zip([0, *ends], ends, strict=False))


def _months(year: int) -> list[tuple[int, int]]:
    """Where each month of the year begins and ends, in days from its first."""
    return _months_of_length(29 if isleap(year) else 28)

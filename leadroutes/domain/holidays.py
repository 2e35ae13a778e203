"""Holidays on which texts and calls rest: the eleven federal ones by rule, and those that single states add. Pure.

A holiday with a date of its own rests on that day and on the working day on which it is observed.
"""

from collections.abc import Callable, Iterator
from datetime import MAXYEAR, date, timedelta
from functools import lru_cache
from typing import Final

from dateutil.easter import easter

FEDERAL: Final = "federal"
MONDAY, TUESDAY, THURSDAY = 0, 1, 3
SATURDAY, SUNDAY = 5, 6

Rule = Callable[[int], date]


def _fixed(month: int, day: int) -> Rule:
    return lambda year: date(year, month, day)


def _nth(number: int, weekday: int, month: int) -> Rule:
    """The nth such day of a month; -1: the last one."""

    def find(year: int) -> date:
        if number > 0:
            first = date(year, month, 1)
            return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)

    return find


def _from_easter(days: int) -> Rule:
    return lambda year: easter(year) + timedelta(days=days)


def _election_day(year: int) -> date:
    """The Tuesday after the first Monday of November."""
    return _nth(1, MONDAY, 11)(year) + timedelta(days=1)


def _day_after_thanksgiving(year: int) -> date:
    return _nth(4, THURSDAY, 11)(year) + timedelta(days=1)


HOLIDAYS: Final[dict[str, dict[str, Rule]]] = {
    FEDERAL: {  # 5 U.S.C. 6103(a)
        "New Year's Day": _fixed(1, 1),
        "Martin Luther King Jr. Day": _nth(3, MONDAY, 1),
        "Washington's Birthday": _nth(3, MONDAY, 2),
        "Memorial Day": _nth(-1, MONDAY, 5),
        "Juneteenth": _fixed(6, 19),
        "Independence Day": _fixed(7, 4),
        "Labor Day": _nth(1, MONDAY, 9),
        "Columbus Day": _nth(2, MONDAY, 10),
        "Veterans Day": _fixed(11, 11),
        "Thanksgiving Day": _nth(4, THURSDAY, 11),
        "Christmas Day": _fixed(12, 25),
    },
    "AL": {"Confederate Memorial Day": _nth(4, MONDAY, 4), "Jefferson Davis's Birthday": _nth(1, MONDAY, 6)},
    "LA": {"Mardi Gras": _from_easter(-47), "Good Friday": _from_easter(-2), "Election Day": _election_day},
    "PA": {"Good Friday": _from_easter(-2), "Day after Thanksgiving": _day_after_thanksgiving},
    "RI": {"Victory Day": _nth(2, MONDAY, 8), "Election Day": _election_day},
    "UT": {"Pioneer Day": _fixed(7, 24)},
}
"""By calendar: the federal one, and what states add to it; where a state has a day in some years, it rests in all."""


@lru_cache(maxsize=1024)
def holidays_of(calendar: str, year: int) -> dict[date, str]:
    """Returns the days of a year on which a calendar rests, with their names; observed days are among them."""
    near = (
        (name, rule(each))
        for each in range(year, min(year + 2, MAXYEAR + 1))
        for name, rule in HOLIDAYS[calendar].items()
    )
    return {day: name for holiday, at in near for day, name in _days(holiday, at) if day.year == year}


def _days(name: str, at: date) -> Iterator[tuple[date, str]]:
    """A holiday on a Saturday is observed the day before, one on a Sunday the day after (5 U.S.C. 6103(b))."""
    yield at, name
    if at.weekday() == SATURDAY:
        yield at - timedelta(days=1), f"{name} (observed)"
    elif at.weekday() == SUNDAY:
        yield at + timedelta(days=1), f"{name} (observed)"


def is_holiday(day: date, calendars: frozenset[str]) -> bool:
    """Returns whether any of the calendars rests on a day."""
    return any(day in holidays_of(each, day.year) for each in calendars)

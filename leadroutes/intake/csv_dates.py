"""Dates as spreadsheets and exports write them: month first, with names of months, or as a spreadsheet's day number.

Pure. Where no zone is named, the time is UTC, as in ISO 8601 elsewhere; anything that is not a date is None.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from leadroutes.domain.moments import in_utc
from leadroutes.domain.normalize import normal_time
from leadroutes.domain.text import field_text

EXPECTED: Final = "2026-04-02T15:15:00Z or 4/2/2026 3:15 PM (month first; UTC where no time zone is named)"
"""Examples of dates, for messages about a value that is not a date."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_ZONES: Final = {
    "": 0, "z": 0, "utc": 0, "gmt": 0, "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5,
    "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10,
}  # fmt: skip
_TIME = (
    r"(?:(?:,| at|t)?\s?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d{1,9})?)?\s?(?P<half>[ap]\.?m\.?)?"
    r"\s?(?P<zone>[a-z]{1,4}|[+-]\d\d:?\d\d)?)?"
)
_DATES: Final = tuple(
    re.compile(rf"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{{0,6}},?\s)?{date}{_TIME}", re.IGNORECASE | re.ASCII)
    for date in (
        r"(?P<month>\d{1,2})[/.-](?P<day>\d{1,2})[/.-](?P<year>\d{4}|\d\d)",
        r"(?P<year>\d{4})[/.-](?P<month>\d{1,2})[/.-](?P<day>\d{1,2})",
        rf"{_MONTH}\s?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>\d{{4}})",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s-]{_MONTH}[\s,-]\s?(?P<year>\d{{4}}|\d\d)",
    )
)
_DAY_NUMBER = re.compile(r"\d{5}(?:\.\d{1,15})?", re.ASCII)
_DAY_ZERO: Final = datetime(1899, 12, 30, tzinfo=UTC)
_DAYS: Final = range(20_000, 80_000)  # 1954 to 2119
_LONGEST: Final = 60
_FIRST_OF_THE_CENTURY_BEFORE: Final = 30  # of years with two digits, as spreadsheets read and shorten them


def table_time(text: str | None) -> datetime | None:
    """Returns the moment in UTC to the second; None for `13/02/2026`, as the month comes first."""
    line = field_text(text)
    if line is None or len(line) > _LONGEST:
        return None
    if moment := normal_time(line):
        return moment
    if _DAY_NUMBER.fullmatch(line):
        return _of_day_number(float(line))
    found = next((found for date in _DATES if (found := date.fullmatch(line))), None)
    return _moment(found.groupdict()) if found else None


def _of_day_number(number: float) -> datetime | None:
    if int(number) not in _DAYS:
        return None
    return _DAY_ZERO + timedelta(seconds=round(number * 86_400))


def _moment(parts: dict[str, str | None]) -> datetime | None:
    name, written = parts.get("name"), parts["year"] or ""
    year = int(written)
    if len(written) == len("26"):
        year += 2000 if year < _FIRST_OF_THE_CENTURY_BEFORE else 1900
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts["month"] or 0)
    offset, hour = _offset(parts["zone"] or ""), _hour(int(parts["hour"] or 0), parts["half"])
    if offset is None or hour is None:
        return None
    try:
        return in_utc(datetime(
            year, month, int(parts["day"] or 0), hour,
            int(parts["minute"] or 0), int(parts["second"] or 0), tzinfo=timezone(offset),
        ))  # fmt: skip
    except ValueError:
        return None


def _hour(hour: int, half: str | None) -> int | None:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half[0].lower() == "p" else 0)


def _offset(zone: str) -> timedelta | None:
    if zone[:1] in ("+", "-"):
        size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        return (-size if zone[0] == "-" else size) if size < timedelta(hours=24) else None
    hours = _ZONES.get(zone.lower())
    return None if hours is None else timedelta(hours=hours)

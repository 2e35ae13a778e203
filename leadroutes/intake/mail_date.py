"""Dates of mails, in their own form and in the forms that programs write above a forwarded one.

No clock: an incomplete date is None, never completed with the current day.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

from dateutil import parser

from leadroutes.domain.moments import in_utc
from leadroutes.domain.normalize import normal_time
from leadroutes.domain.text import one_line

_COMMENT = re.compile(r"(?<!\s)\s*\([^()]*\)\s*$")
_ZONE = re.compile(r"(?<!\s)\s*(?:\b(?:GMT|UTC|UT|Z)\b\s*)?(?:([+-])(\d{1,2}):?(\d\d)?)?$", re.IGNORECASE)
_NO_OFFSET = re.compile(r"[+-](?:2[4-9]|[3-9]\d):?\d\d$")
_LIMIT = 150
_NO_YEAR: Final = datetime(1, 1, 1)  # noqa: DTZ001 - what dateutil fills gaps with; a year of 1 is a gap


def mail_date(text: str | None, *, needs_zone: bool) -> datetime | None:
    """Returns the moment in UTC to the second. Without offset, GMT or UTC: None if `needs_zone`, else read as UTC."""
    line = one_line(text)
    if line is None or len(line) > _LIMIT:
        return None
    bare = _COMMENT.sub("", line)
    if _NO_OFFSET.search(bare):
        return None
    offset = _offset(bare)
    if offset is None and needs_zone:
        return None
    return _by_mail_rules(bare, offset) or _as_written(bare, offset) or normal_time(bare)


def _offset(line: str) -> timedelta | None:
    """Returns the offset at the end of the line; None if there is none, or only an abbreviation (`EST`)."""
    found = _ZONE.search(line)
    if found is None or not found[0].strip() or not re.search(r"\d:\d\d", line[: found.start()]):
        return None
    size = timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
    return -size if found[1] == "-" else size


def _by_mail_rules(line: str, offset: timedelta | None) -> datetime | None:
    """RFC 5322: `Tue, 17 Nov 2026 13:22:14 -0500`, with the old names of zones (`EST`) where no offset is written."""
    parts = parsedate_tz(line) if ":" in line else None
    if parts is None or not re.search(r"\d{4}", line):
        return None
    return _moment(lambda: datetime(*parts[:6], tzinfo=timezone(offset or timedelta(seconds=parts[9] or 0))))


def _as_written(line: str, offset: timedelta | None) -> datetime | None:
    """`November 17, 2026 at 9:48:02 PM UTC`, `Tuesday, November 17, 2026 3:48 PM`."""
    end = _ZONE.search(line) if offset is not None else None
    bare = line[: end.start()] if end else line
    bare = re.sub(r"(?<!\s)\s+at\s+", " ", bare, flags=re.IGNORECASE)
    if not re.search(r"\d{4}", bare) or not re.search(r"\d:\d\d", bare):
        return None
    try:
        moment = parser.parse(bare, default=_NO_YEAR, ignoretz=True)
    except (ValueError, OverflowError, TypeError, LookupError, ArithmeticError, AttributeError):
        return None
    if moment.year == _NO_YEAR.year:
        return None
    return _moment(lambda: moment.replace(tzinfo=timezone(offset or timedelta()), microsecond=0))


def _moment(make: Callable[[], datetime]) -> datetime | None:
    try:
        return in_utc(make())
    except ValueError:
        return None

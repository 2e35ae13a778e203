"""When the steps of a drip campaign are due: actions and the moment of the start in, moments out.

Days and times of day are those of the contact; where his time zone is unknown, the sender's.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, rrulestr

from leadroutes.domain.model import CampaignAction
from leadroutes.domain.moments import later
from leadroutes.errors import Invalid

COMMUNICATIONS = ("Email Contact", "Call Contact", "Text Contact")
ON_START, ON_BIRTHDAYS = 1, 2
DAILY_OR_SLOWER = (DAILY, WEEKLY, MONTHLY, YEARLY)
UNTIL_IN_UTC = re.compile(r"UNTIL=(\d{8}T\d{6})Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row that a start makes: a communication to the contact, or a task for the agent."""

    action: CampaignAction
    due_at: datetime
    is_past: bool = False  # an exact moment that had passed when the campaign began: kept, not sent

    @property
    def is_communication(self) -> bool:
        return self.action.type in COMMUNICATIONS


def plan_steps(
    actions: Iterable[CampaignAction], start: datetime, timezone: str | None, birthday: str | None
) -> tuple[Step, ...]:
    """The steps of a campaign that begins at `start`, in order; a `birthday` that is not YYYY-MM-DD is unknown."""
    zone = zone_named(timezone)
    steps = (_plan(action, start, zone, birthday) for action in actions)
    return tuple(sorted((step for step in steps if step is not None), key=lambda step: step.due_at))


def _plan(action: CampaignAction, start: datetime, zone: ZoneInfo, birthday: str | None) -> Step | None:
    if action.trigger_type == ON_BIRTHDAYS:
        born = _date(birthday)
        if born is None:
            return None
        due_at = _moment(action, _next_birthday(action, born, start, zone), zone)
        return Step(action=action, due_at=due_at) if due_at is not None else None
    due_at = _moment(action, start, zone)
    if due_at is None:
        return None
    return Step(action=action, due_at=due_at, is_past=due_at < start)


def _moment(action: CampaignAction, start: datetime, zone: ZoneInfo) -> datetime | None:
    match action.timing_type:
        case "Delay by Minutes":
            return later(start, timedelta(seconds=action.delay_by_seconds or 0))
        case "Delay by Day and Time":
            return _day_and_time(start, action.delay_by_days or 0, action.dispatch_time or "00:00", zone)
        case "Exact Date and Time":
            return action.dispatch_datetime
        case _:
            return next_occurrence(action.recurrence or "", start, start - timedelta(seconds=1), zone.key)


def _day_and_time(start: datetime, days: int, dispatch_time: str, zone: ZoneInfo) -> datetime:
    """On day 0, the next such time that is not yet past."""
    today = start.astimezone(zone).date()
    at = time.fromisoformat(dispatch_time)
    due_at = _local(_later(today, days), at, zone)
    return due_at if due_at >= start or days else _local(_later(today, 1), at, zone)


def _later(day: date, days: int) -> date:
    return day + timedelta(days=min(days, (date.max - day).days - 2))


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local time that the summer clock leaps over counts as one hour later, by the rules of zoneinfo."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _next_birthday(action: CampaignAction, born: date, start: datetime, zone: ZoneInfo) -> datetime:
    """Midnight of the first birthday whose step is not yet past; 29 February is kept on the 28th in other years."""
    today = start.astimezone(zone).date()
    for year in (today.year, today.year + 1):
        midnight = _local(_in_year(born, year), time(), zone)
        due_at = _moment(action, midnight, zone)
        if due_at is not None and due_at >= start:
            return midnight
    return _local(_in_year(born, today.year + 1), time(), zone)


def _in_year(born: date, year: int) -> date:
    is_leap_day_elsewhere = (born.month, born.day) == (2, 29) and not _is_leap(year)
    return date(year, 2, 28) if is_leap_day_elsewhere else born.replace(year=year)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == len("YYYY-MM-DD") else None
    except ValueError:
        return None


def next_occurrence(recurrence: str, start: datetime, after: datetime, timezone: str | None) -> datetime | None:
    """The first occurrence of an RFC 5545 rule, counted from `start` in local time, that is later than `after`.

    None: the rule has run out.
    """
    zone = zone_named(timezone)
    rule = parse_recurrence(recurrence, start.astimezone(zone))
    earliest = after.astimezone(zone).replace(tzinfo=None)
    found = rule.after(earliest)
    return found.replace(tzinfo=zone).astimezone(UTC) if found is not None else None


def parse_recurrence(recurrence: str, start: datetime) -> rrule:
    """Invalid unless it is one rule of RFC 5545, daily or slower, that comes round in reasonable time."""
    local = UNTIL_IN_UTC.sub(lambda found: _until_local(found[1], start), recurrence.strip())
    try:
        rule = rrulestr(local, dtstart=start.replace(tzinfo=None))
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, IndexError):
        rule = None
    if not isinstance(rule, rrule) or _never_comes(rule):
        expected = "one rule of RFC 5545, daily or slower, such as FREQ=WEEKLY;BYDAY=MO"
        raise Invalid.fields({"recurrence": f"recurrence: {recurrence!r} was given; expected {expected}"})
    return rule


def _until_local(moment: str, start: datetime) -> str:
    """The rule is followed in local time, so its end in UTC becomes local as well."""
    return "UNTIL=" + datetime.fromisoformat(moment + "Z").astimezone(start.tzinfo).strftime("%Y%m%dT%H%M%S")


def _never_comes(rule: rrule) -> bool:
    """A rule that never comes round is followed by dateutil day by day to the year 9999, for seconds."""
    freq, months, days, odd = (getattr(rule, name) for name in ("_freq", "_bymonth", "_bymonthday", "_bysetpos"))
    if freq not in DAILY_OR_SLOWER:
        return True
    if freq == DAILY and (odd or rule._byyearday or rule._byweekno):  # type: ignore[attr-defined]  # noqa: SLF001
        return True
    return bool(months and days) and all(day > monthrange(2024, month)[1] for month in months for day in days)


def zone_named(name: str | None) -> ZoneInfo:
    """The IANA zone of that name; UTC when it is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")

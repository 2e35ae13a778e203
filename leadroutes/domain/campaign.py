"""When the steps of a drip campaign are due, the first time and again: actions and moments in, moments out.

Days and times of day are those of the contact; where the time zone is unknown, the sender's.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import DAILY, rrule, rrulestr
from msgspec import Struct

from leadroutes.domain.model import CampaignAction
from leadroutes.domain.moments import later
from leadroutes.errors import Invalid

COMMUNICATIONS = ("Email Contact", "Call Contact", "Text Contact")
ON_START, ON_BIRTHDAYS = 1, 2
UNTIL_IN_UTC = re.compile(r"UNTIL=(\d{8}T\d{6})Z")
LAST_YEARS = datetime(9960, 1, 1)  # noqa: DTZ001 -- the calendar's last forty: whatever comes round does so in them


def _list_of(item: str) -> str:
    return f"(?:{item})(?:,(?:{item}))*"


# The parts of a rule that comes daily or slower, as RFC 5545 has them. dateutil takes more, and some of it breaks only
# when the rule is followed: an interval of 0 never ends, a tenth Monday of a month is an IndexError.
_WEEKDAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_YEARDAY = "[+-]?(?:[1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"
RULE_PARTS = {
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
    "BYMINUTE": "[0-5]?[0-9]",  # one: nobody means a task for every minute of the day
    "BYSECOND": "[0-5]?[0-9]",
}
MOST_WEEKDAYS_OF_A_MONTH = 5


class Step(Struct, frozen=True, kw_only=True):
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
    """The steps of a campaign that begins at `start`, in order; a `birthday` that is not YYYY-MM-DD is unknown.

    Days count from the day on which day 0 fell: an evening's `day 0 at 09:00` is the next morning, day 1 the one after.
    """
    zone = zone_named(timezone)
    given = tuple(actions)
    day_zero = _day_zero(given, start, zone)
    steps = (_plan(action, start, day_zero, zone, birthday) for action in given)
    return tuple(sorted((step for step in steps if step is not None), key=lambda step: step.due_at))


def next_due(
    action: CampaignAction,
    due_at: datetime,
    start: datetime,
    now: datetime,
    timezone: str | None,
    birthday: str | None,
) -> datetime | None:
    """When a step that was due at `due_at` is due again, of the contact as it is now; None: it does not come again.

    A birthday's comes once in each year of birthdays, the first of these that is still to come at `now`; a recurring
    one by its rule, counted from the `start` of the campaign.
    """
    if action.trigger_type != ON_BIRTHDAYS:
        return next_occurrence(action.recurrence or "", start, due_at, timezone)
    born, zone = _date(birthday), zone_named(timezone)
    if born is None or action.timing_type == "Exact Date and Time":
        return None
    return _on_birthday(action, born, _year_of(action, born, due_at, zone) + 1, now, zone)


def _day_zero(actions: Iterable[CampaignAction], start: datetime, zone: ZoneInfo) -> date:
    """The day from which a series counts its days: the last one on which a step of day 0 falls, else the start's."""
    firsts = [
        _day_and_time(start, 0, action.dispatch_time, zone).astimezone(zone).date()
        for action in actions
        if action.trigger_type != ON_BIRTHDAYS
        and action.timing_type == "Delay by Day and Time"
        and not action.delay_by_days
    ]
    return max(firsts, default=start.astimezone(zone).date())


def _plan(
    action: CampaignAction, start: datetime, day_zero: date, zone: ZoneInfo, birthday: str | None
) -> Step | None:
    if action.trigger_type == ON_BIRTHDAYS:
        born = _date(birthday)
        if born is None:
            return None
        due_at = _on_birthday(action, born, start.astimezone(zone).year, start, zone)
    elif action.timing_type == "Delay by Day and Time" and action.delay_by_days:
        due_at = _local(_later(day_zero, action.delay_by_days), _time(action.dispatch_time), zone)
    else:
        due_at = _moment(action, start, zone)
    if due_at is None:
        return None
    return Step(action=action, due_at=due_at, is_past=due_at < start)


def _moment(action: CampaignAction, start: datetime, zone: ZoneInfo) -> datetime | None:
    match action.timing_type:
        case "Delay by Minutes":
            return later(start, timedelta(seconds=action.delay_by_seconds or 0))
        case "Delay by Day and Time":
            return _day_and_time(start, action.delay_by_days or 0, action.dispatch_time, zone)
        case "Exact Date and Time":
            return action.dispatch_datetime
        case _:
            return next_occurrence(action.recurrence or "", start, start - timedelta(seconds=1), zone.key)


def _day_and_time(start: datetime, days: int, dispatch_time: str | None, zone: ZoneInfo) -> datetime:
    """On day 0, the next such time that is not yet past."""
    today, at = start.astimezone(zone).date(), _time(dispatch_time)
    due_at = _local(_later(today, days), at, zone)
    return due_at if due_at >= start or days else _local(_later(today, 1), at, zone)


def _time(dispatch_time: str | None) -> time:
    return time.fromisoformat(dispatch_time or "00:00")


def _later(day: date, days: int) -> date:
    return day + timedelta(days=min(days, (date.max - day).days - 2))


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local time that the summer clock leaps over counts as one hour later, by the rules of zoneinfo."""
    return datetime.combine(day, at, zone).astimezone(UTC)


SAME_BIRTHDAY = timedelta(days=2)  # two moments of one birthday, reckoned in two time zones, are no farther apart


def _on_birthday(action: CampaignAction, born: date, year: int, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The step of the first birthday from that year on that is not past at `after`; None: the calendar has ended."""
    delay = _delay(action)
    first = max(year, _minus(after, delay).year - 1)
    for each in range(first, min(first + 4, date.max.year)):
        due_at = _moment(action, _local(_in_year(born, each), time(), zone), zone)
        if due_at is not None and (due_at >= after or action.timing_type == "Exact Date and Time"):
            return due_at
    return None


def _year_of(action: CampaignAction, born: date, due_at: datetime, zone: ZoneInfo) -> int:
    """The year whose birthday the step was for, even if the birthday or the time zone has been corrected since."""
    about = _minus(due_at, _delay(action)).astimezone(zone).year
    for year in (about - 1, about + 1):
        if date.min.year < year < date.max.year:
            moment = _moment(action, _local(_in_year(born, year), time(), zone), zone)
            if moment is not None and abs(moment - due_at) <= SAME_BIRTHDAY:
                return year
    return about


def _delay(action: CampaignAction) -> timedelta:
    if action.timing_type == "Delay by Minutes":
        return timedelta(seconds=action.delay_by_seconds or 0)
    return timedelta(days=action.delay_by_days or 0)


def _minus(moment: datetime, span: timedelta) -> datetime:
    earliest = datetime(2, 1, 1, tzinfo=UTC)
    return moment - span if span <= moment - earliest else earliest


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

    None: the rule has run out, or is none that we follow; a task's rule must not stand in the way of anything else.
    """
    zone = zone_named(timezone)
    try:
        rule = parse_recurrence(recurrence, start.astimezone(zone))
        found = rule.after(after.astimezone(zone).replace(tzinfo=None))
        return found.replace(tzinfo=zone).astimezone(UTC) if found is not None else None
    except (Invalid, OverflowError, ValueError, IndexError):
        return None


def parse_recurrence(recurrence: str, start: datetime) -> rrule:
    """Invalid unless it is one rule of RFC 5545, daily or slower, that comes round in reasonable time."""
    text = recurrence.strip().upper().removeprefix("RRULE:")
    rule = None
    if _has_only_known_parts(text):
        try:
            local = UNTIL_IN_UTC.sub(lambda found: _until_local(found[1], start), text)
            rule = rrulestr(local, dtstart=start.replace(tzinfo=None))
        except (ValueError, TypeError, OverflowError, IndexError):
            rule = None
    if not isinstance(rule, rrule) or _never_comes(rule):
        expected = "one rule of RFC 5545, daily or slower, such as FREQ=WEEKLY;BYDAY=MO"
        raise Invalid.fields({"recurrence": f"recurrence: {recurrence!r} was given; expected {expected}"})
    return rule


def _has_only_known_parts(text: str) -> bool:
    """Each part once and in its form; the fifth is the last weekday that a month has, and only years have more."""
    pairs = [part.partition("=")[::2] for part in text.split(";")]
    parts = dict(pairs)
    if "FREQ" not in parts or len(parts) < len(pairs):
        return False
    if not all(name in RULE_PARTS and re.fullmatch(RULE_PARTS[name], value) for name, value in pairs):
        return False
    which = [int(number) for number in re.findall("[0-9]+", parts.get("BYDAY", ""))]
    is_of_year = parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts
    return is_of_year or all(number <= MOST_WEEKDAYS_OF_A_MONTH for number in which)


def _until_local(moment: str, start: datetime) -> str:
    """The rule is followed in local time, so its end in UTC becomes local as well."""
    return "UNTIL=" + datetime.fromisoformat(moment + "Z").astimezone(start.tzinfo).strftime("%Y%m%dT%H%M%S")


def _never_comes(rule: rrule) -> bool:
    """A rule that never comes round is followed by dateutil day by day to the year 9999, for seconds.

    So it is tried near that year; a weekday in steps of whole weeks comes from the start, or never.
    """
    freq, interval, weekdays = (getattr(rule, name) for name in ("_freq", "_interval", "_byweekday"))
    if freq == DAILY and interval % 7 == 0 and weekdays:
        return True
    try:
        return next(iter(rule.replace(dtstart=LAST_YEARS, interval=1, count=None, until=None)), None) is None
    except (ValueError, IndexError):
        return True


def zone_named(name: str | None) -> ZoneInfo:
    """The IANA zone of that name; UTC when it is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")

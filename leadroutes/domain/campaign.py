"""When the steps of a drip campaign are due, the first time and again: actions and moments in, moments out.

Days and times of day are those of the contact; where the time zone is unknown, the sender's.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.model import CampaignAction
from leadroutes.domain.moments import later, wall_clock
from leadroutes.domain.recurrence import Rule, next_moment, read_rule, recurs
from leadroutes.errors import Invalid

COMMUNICATIONS = ("Email Contact", "Call Contact", "Text Contact")
CHANNELS_OF_STEPS = {"Email Contact": "email", "Call Contact": "call", "Text Contact": "text"}
ON_START, ON_BIRTHDAYS = 1, 2

First = Callable[[str, date], Sequence[datetime]]
"""Returns what `first_candidates` returns for a rule and a day, computed here or elsewhere."""


class CampaignStep(Struct, frozen=True, kw_only=True):
    """One row that a start makes: a communication to the contact, or a task for the agent."""

    action: CampaignAction
    due_at: datetime
    is_past: bool = False  # an exact moment that had passed when the campaign began: stored, not sent

    @property
    def is_communication(self) -> bool:
        return self.action.type in COMMUNICATIONS


def plan_steps(
    actions: Iterable[CampaignAction],
    start: datetime,
    timezone: str | None,
    birthday: str | None,
    first: "First | None" = None,
) -> tuple[CampaignStep, ...]:
    """Returns the steps of a campaign that begins at `start`, in order; a `birthday` that is not YYYY-MM-DD is unknown.

    Days count from the day on which day 0 fell: an evening's `day 0 at 09:00` is the next morning, day 1 the one after.
    `first` None: rules are computed here.
    """
    given = tuple(actions)
    zone = zone_named(timezone)
    plan = _Plan(start, zone, _day_zero(given, start, zone), _date(birthday), first or first_candidates)
    steps = (plan.step(action) for action in given)
    return tuple(sorted((step for step in steps if step is not None), key=lambda step: step.due_at))


class _Plan(Struct, frozen=True):
    """What all steps of a start have in common."""

    start: datetime
    zone: ZoneInfo
    day_zero: date
    born: date | None
    first: First

    def step(self, action: CampaignAction) -> CampaignStep | None:
        due_at = self._due_at(action)
        return None if due_at is None else CampaignStep(action=action, due_at=due_at, is_past=due_at < self.start)

    def _due_at(self, action: CampaignAction) -> datetime | None:
        if action.trigger_type == ON_BIRTHDAYS:
            year = wall_clock(self.start, self.zone).year
            return _on_birthday(action, self.born, year, self.start, self.zone, self.first) if self.born else None
        if action.timing_type == "Delay by Day and Time" and action.delay_by_days:
            return _local(_later(self.day_zero, action.delay_by_days), _time(action.dispatch_time), self.zone)
        return _moment(action, self.start, self.zone, self.first)


def next_due(
    action: CampaignAction,
    due_at: datetime,
    start: datetime,
    now: datetime,
    timezone: str | None,
    birthday: str | None,
) -> datetime | None:
    """Returns when a step that was due at `due_at` is due again, for the contact as it is now. None: never.

    A birthday step repeats once a year, next at the first birthday after `now`: someone born on 29 February has it on
    the 28th in common years. A recurring step repeats by its rule, counted from the `start` of the campaign.
    """
    if action.timing_type == "Recurring":
        return next_occurrence(action.recurrence or "", start, due_at, timezone)
    born, zone = _date(birthday), zone_named(timezone)
    if born is None or action.timing_type == "Exact Date and Time":
        return None
    return _on_birthday(action, born, _year_of(action, born, due_at, zone) + 1, now, zone)


def _day_zero(actions: Iterable[CampaignAction], start: datetime, zone: ZoneInfo) -> date:
    """Returns the day from which a series counts: the last one with a step of day 0, else the day of the start."""
    firsts = [
        wall_clock(_day_and_time(start, 0, action.dispatch_time, zone), zone).date()
        for action in actions
        if is_of_day_zero(action)
    ]
    return max(firsts, default=wall_clock(start, zone).date())


def is_of_day_zero(action: CampaignAction) -> bool:
    """Whether the days of other actions count from the day on which this one falls."""
    is_by_day = action.timing_type == "Delay by Day and Time" and not action.delay_by_days
    return is_by_day and action.trigger_type != ON_BIRTHDAYS


def _moment(action: CampaignAction, start: datetime, zone: ZoneInfo, first: First | None = None) -> datetime | None:
    match action.timing_type:
        case "Delay by Minutes":
            return later(start, timedelta(seconds=action.delay_by_seconds or 0))
        case "Delay by Day and Time":
            return _day_and_time(start, action.delay_by_days or 0, action.dispatch_time, zone)
        case "Exact Date and Time":
            return action.dispatch_datetime
        case _:
            local, rule = wall_clock(start, zone), action.recurrence or ""
            return first_occurrence(rule, local, (first or first_candidates)(rule, local.date()))


def _day_and_time(start: datetime, days: int, dispatch_time: str | None, zone: ZoneInfo) -> datetime:
    """On day 0, the next such time that has not passed."""
    today, at = wall_clock(start, zone).date(), _time(dispatch_time)
    due_at = _local(_later(today, days), at, zone)
    return due_at if due_at >= start or days else _local(_later(today, 1), at, zone)


def _time(dispatch_time: str | None) -> time:
    return time.fromisoformat(dispatch_time or "00:00")


def _later(day: date, days: int) -> date:
    return day + timedelta(days=min(days, (date.max - day).days - 2))


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local time that is skipped when summer time begins counts as one hour later, as in zoneinfo."""
    return datetime.combine(day, at, zone).astimezone(UTC)


SAME_BIRTHDAY = timedelta(days=2)  # moments of one birthday in two time zones are at most this far apart


def _on_birthday(
    action: CampaignAction,
    born: date,
    year: int,
    after: datetime,
    zone: ZoneInfo,
    first: First | None = None,
) -> datetime | None:
    """Returns the first birthday step from that year on that is not before `after`. None: the calendar has ended."""
    delay = _delay(action)
    earliest = max(year, _minus(after, delay).year - 1)
    for each in range(earliest, min(earliest + 4, date.max.year)):
        due_at = _moment(action, _local(_in_year(born, each), time(), zone), zone, first)
        if due_at is not None and (due_at >= after or action.timing_type == "Exact Date and Time"):
            return due_at
    return None


def _year_of(action: CampaignAction, born: date, due_at: datetime, zone: ZoneInfo) -> int:
    """Returns the year whose birthday the step was for, even if birthday or time zone were corrected since."""
    about = wall_clock(_minus(due_at, _delay(action)), zone).year
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


def first_candidates(recurrence: str, day: date) -> list[datetime]:
    """Returns the first moments of a rule that is counted from a moment of a day, in local time; the last is later.

    Hours, minutes and seconds that the rule does not name are 0 here, and mean those of that moment.
    """
    rule = read_rule(recurrence)
    if rule is None:
        return []
    every, start = replace(rule, count=None, until=None), datetime.combine(day, time())
    found: list[datetime] = []
    after = start - timedelta(seconds=1)
    while (moment := next_moment(every, start, after)) is not None:
        found.append(moment)
        if moment.date() > day:
            break
        after = moment
    return found


def first_occurrence(recurrence: str, start: datetime, candidates: Iterable[datetime]) -> datetime | None:
    """Returns the first occurrence of a rule from `start`, a local time, among the `first_candidates` of its day."""
    rule = read_rule(recurrence)
    if rule is None:
        return None
    rule = _until_local(rule, start)
    local = start.replace(tzinfo=None, microsecond=0)
    for each in candidates:
        moment = each.replace(
            hour=each.hour if rule.hours else local.hour,
            minute=local.minute if rule.minute is None else each.minute,
            second=local.second if rule.second is None else each.second,
        )
        if moment >= local:
            is_over = rule.until is not None and moment > rule.until
            return None if is_over else moment.replace(tzinfo=start.tzinfo).astimezone(UTC)
    return None


def next_occurrence(recurrence: str, start: datetime, after: datetime, timezone: str | None) -> datetime | None:
    """Returns the first occurrence after `after` of an RFC 5545 rule, counted from `start` in local time.

    None: there is none within ten years, or the rule is not supported; one task must not block others.
    """
    zone = zone_named(timezone)
    rule = read_rule(recurrence)
    if rule is None:
        return None
    local = wall_clock(start, zone)
    found = next_moment(
        _until_local(rule, local), local.replace(tzinfo=None), wall_clock(after, zone).replace(tzinfo=None)
    )
    return found.replace(tzinfo=zone).astimezone(UTC) if found is not None else None


def check_recurrence(recurrence: str, today: date) -> None:
    """Raises Invalid unless it is one rule of RFC 5545, daily or slower, that occurs within ten years."""
    rule = read_rule(recurrence)
    if rule is None or not recurs(rule, today):
        raise wrong_recurrence(recurrence)


def wrong_recurrence(recurrence: str) -> Invalid:
    expected = "one rule of RFC 5545, daily or slower, that comes within ten years, such as FREQ=WEEKLY;BYDAY=MO"
    return Invalid.fields({"recurrence": f"recurrence: {recurrence!r} was given; expected {expected}"})


def _until_local(rule: Rule, start: datetime) -> Rule:
    """Rules are computed in local time, so an end in UTC is converted."""
    if rule.until is None or not rule.is_until_utc:
        return rule
    until = wall_clock(rule.until.replace(tzinfo=UTC), start.tzinfo).replace(tzinfo=None)
    return replace(rule, until=until, is_until_utc=False)


def zone_named(name: str | None) -> ZoneInfo:
    """Returns the IANA zone of that name; UTC if it is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")

"""When the steps of a drip campaign are due: actions and the moment of the start in, moments out.

Days and times of day are those of the contact; where his time zone is unknown, the sender's.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.model import CampaignAction
from leadroutes.domain.moments import later
from leadroutes.domain.recurrence import Rule, comes_round, next_moment, read_rule
from leadroutes.errors import Invalid

COMMUNICATIONS = ("Email Contact", "Call Contact", "Text Contact")
ON_START, ON_BIRTHDAYS = 1, 2

First = Callable[[str, date], Sequence[datetime]]
"""What `first_candidates` says of a rule and a day, however it comes to know that."""


class Step(Struct, frozen=True, kw_only=True):
    """One row that a start makes: a communication to the contact, or a task for the agent."""

    action: CampaignAction
    due_at: datetime
    is_past: bool = False  # an exact moment that had passed when the campaign began: kept, not sent

    @property
    def is_communication(self) -> bool:
        return self.action.type in COMMUNICATIONS


def plan_steps(
    actions: Iterable[CampaignAction],
    start: datetime,
    timezone: str | None,
    birthday: str | None,
    first: "First | None" = None,
) -> tuple[Step, ...]:
    """The steps of a campaign that begins at `start`, in order; a `birthday` that is not YYYY-MM-DD is unknown.

    `first` None: rules are followed here and now.
    """
    plan = _Plan(start, zone_named(timezone), _date(birthday), first or first_candidates)
    steps = (plan.step(action) for action in actions)
    return tuple(sorted((step for step in steps if step is not None), key=lambda step: step.due_at))


class _Plan(Struct, frozen=True):
    """What all steps of a start have in common."""

    start: datetime
    zone: ZoneInfo
    born: date | None
    first: First

    def step(self, action: CampaignAction) -> Step | None:
        if action.trigger_type == ON_BIRTHDAYS:
            if self.born is None:
                return None
            due_at = self._moment(action, self._next_birthday(action, self.born))
        else:
            due_at = self._moment(action, self.start)
        if due_at is None:
            return None
        return Step(action=action, due_at=due_at, is_past=due_at < self.start)

    def _moment(self, action: CampaignAction, start: datetime) -> datetime | None:
        match action.timing_type:
            case "Delay by Minutes":
                return later(start, timedelta(seconds=action.delay_by_seconds or 0))
            case "Delay by Day and Time":
                return _day_and_time(start, action.delay_by_days or 0, action.dispatch_time or "00:00", self.zone)
            case "Exact Date and Time":
                return action.dispatch_datetime
            case _:
                local = start.astimezone(self.zone)
                return first_occurrence(
                    action.recurrence or "", local, self.first(action.recurrence or "", local.date())
                )

    def _next_birthday(self, action: CampaignAction, born: date) -> datetime:
        """Midnight of the first birthday whose step is not yet past; 29 February is kept on the 28th in other years."""
        today = self.start.astimezone(self.zone).date()
        for year in (today.year, today.year + 1):
            midnight = _local(_in_year(born, year), time(), self.zone)
            due_at = self._moment(action, midnight)
            if due_at is not None and due_at >= self.start:
                return midnight
        return _local(_in_year(born, today.year + 1), time(), self.zone)


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
    """The first moments of a rule that is counted from some moment of a day, in local time, the last on a later day.

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
    """The first occurrence of a rule counted from `start`, a local time, among the `first_candidates` of its day."""
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
    """The first occurrence of an RFC 5545 rule, counted from `start` in local time, that is later than `after`.

    None: none comes within ten years, or it is no rule that we follow; a task must not stand in the way of others.
    """
    zone = zone_named(timezone)
    rule = read_rule(recurrence)
    if rule is None:
        return None
    local = start.astimezone(zone)
    found = next_moment(
        _until_local(rule, local), local.replace(tzinfo=None), after.astimezone(zone).replace(tzinfo=None)
    )
    return found.replace(tzinfo=zone).astimezone(UTC) if found is not None else None


def check_recurrence(recurrence: str, today: date) -> None:
    """Invalid unless it is one rule of RFC 5545, daily or slower, that comes round within ten years."""
    rule = read_rule(recurrence)
    if rule is None or not comes_round(rule, today):
        raise wrong_recurrence(recurrence)


def wrong_recurrence(recurrence: str) -> Invalid:
    expected = "one rule of RFC 5545, daily or slower, that comes within ten years, such as FREQ=WEEKLY;BYDAY=MO"
    return Invalid.fields({"recurrence": f"recurrence: {recurrence!r} was given; expected {expected}"})


def _until_local(rule: Rule, start: datetime) -> Rule:
    """A rule is followed in local time, so its end in UTC becomes local as well."""
    if rule.until is None or not rule.is_until_utc:
        return rule
    until = rule.until.replace(tzinfo=UTC).astimezone(start.tzinfo).replace(tzinfo=None)
    return replace(rule, until=until, is_until_utc=False)


def zone_named(name: str | None) -> ZoneInfo:
    """The IANA zone of that name; UTC when it is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")

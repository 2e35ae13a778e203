"""When a step of a campaign leaves: its windows, the lawful hours, and how many texts a contact gets. Pure.

The moment of a step is never moved: what waits is looked at again at the moment that is decided here.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.faults import Faults, refusal
from leadroutes.domain.lawful_hours import (
    UNKNOWN,
    KnownPlaces,
    ZonesAndStates,
    lawful_hours,
    most_texts,
    whereabouts_of,
)
from leadroutes.domain.moments import later, wall_clock
from leadroutes.domain.open_hours import OpenHours, Opening, first_open
from leadroutes.domain.weekly_hours import WeeklyHours, hours_in_words, read_weekly_hours

TOO_LATE_AFTER: Final = timedelta(days=7)
TOO_LATE: Final = "too late"
A_DAY: Final = timedelta(hours=24)
BETWEEN_TEXTS: Final = timedelta(minutes=10)
CAMPAIGN_RULE, STEP_RULE = "campaign's window", "step's window"
BETWEEN_RULE: Final = "10 minutes between two texts"
MOST_MOVES: Final = 100
MOST_RANGES: Final = 12  # of a day; windows are stored in memory

TEXT, CALL = "Text Contact", "Call Contact"


class SendingRules(Struct, frozen=True, kw_only=True):
    """What the settings say about the messages of campaigns. `has_provider`: texts and calls can leave at all."""

    is_strict: bool = True
    texts_per_day: int = 3
    mails_per_hour: int | None = None
    warm_up_days: int = 0
    has_provider: bool = False


class StepWindow(Struct, frozen=True, kw_only=True):
    """When a step may leave, as JSON texts; without an own window that of its campaign counts."""

    campaign_window: str | None = None
    step_window: str | None = None
    first_answer_minutes: int = 0

    @property
    def in_words(self) -> str | None:
        given = self.step_window or self.campaign_window
        return None if given is None else window_in_words(msgspec.json.decode(given))


class StepFacts(Struct, frozen=True, kw_only=True):
    """What decides about a step. Windows are JSON texts as `send_window` has them; `texts`: when texts have left."""

    type: str
    send_at: datetime
    late_from: datetime | None = None  # when it was set going again by hand, later than its moment
    campaign_window: str | None = None
    step_window: str | None = None
    contact_zone: str | None = None
    sender_zone: str | None = None
    places: KnownPlaces = KnownPlaces()
    first_answer_minutes: int = 0
    inquired_at: datetime | None = None
    texts: tuple[datetime, ...] = ()  # to the contact within 24 hours at least, the first one first


class Leave(Struct, frozen=True):
    """The step leaves at this moment."""

    at: datetime


class Wait(Struct, frozen=True):
    """The step is looked at again at `until`, because of `rule`; `text` says both."""

    until: datetime
    rule: str
    text: str
    is_for_ever: bool = False  # no window opens before it is too late


class Skip(Struct, frozen=True):
    """The step does not leave."""

    reason: str


Decision = Leave | Wait | Skip


def decide(step: StepFacts, now: datetime, rules: SendingRules) -> Decision:
    """Returns whether a step that is due leaves now, what it waits for, or why it is skipped."""
    too_late_at = late_after(step)
    if now > too_late_at:
        return Skip(TOO_LATE)
    moment, waits_for, clock = _first_moment(step, now, too_late_at, rules)
    if moment is None:
        until = too_late_at + timedelta(milliseconds=1)
        rule = waits_for or CAMPAIGN_RULE
        return Wait(until, rule, f"never: {rule}; it is skipped {_local(until, clock)}", is_for_ever=True)
    return Leave(now) if moment <= now else Wait(moment, waits_for, f"{_local(moment, clock)}: {waits_for}")


def late_after(step: StepFacts) -> datetime:
    """Returns the moment after which a step is too late."""
    return later(max(step.send_at, step.late_from or step.send_at), TOO_LATE_AFTER)


class _Clock(Struct, frozen=True):
    zone: str
    whose: str


def _first_moment(
    step: StepFacts, now: datetime, limit: datetime, rules: SendingRules
) -> tuple[datetime | None, str, _Clock]:
    """Returns the first moment at which everything lets it go, and what it waits for until then."""
    moment, rule, clock = now, "", _own_clock(step)
    for _ in range(MOST_MOVES):
        opening = _opening(_what_holds(step, moment, rules), moment)
        if opening.last is not None:
            rule, clock = opening.last.rule, _Clock(opening.last.zone, opening.last.clock)
        if opening.at is None or opening.at > limit:
            return None, rule, clock
        free, why = _free_for_text(step, opening.at, rules)
        if why:
            rule, clock = why, _own_clock(step)
        if free > limit:
            return None, rule, clock
        if free == moment:
            break
        moment = free
    return moment, rule, clock


class _Holds(Struct, frozen=True):
    """Which hours hold a step: many steps have the same."""

    campaign_window: str | None
    step_window: str | None
    contact_zone: str | None
    sender_zone: str | None
    place: ZonesAndStates | None  # None: lawful hours do not bind it
    is_strict: bool
    is_call: bool
    is_answer: bool


def hours_of(step: StepFacts, at: datetime, rules: SendingRules) -> tuple[OpenHours, ...]:
    """Returns all hours that have to be open for a step that would leave at a moment."""
    return _hours(_what_holds(step, at, rules))


def _what_holds(step: StepFacts, at: datetime, rules: SendingRules) -> _Holds:
    is_answer = (
        step.type == TEXT
        and step.first_answer_minutes > 0
        and step.inquired_at is not None
        and timedelta(0) <= at - step.inquired_at <= timedelta(minutes=step.first_answer_minutes)
    )
    return _Holds(
        None if is_answer else step.campaign_window,
        None if is_answer else step.step_window,
        step.contact_zone,
        step.sender_zone,
        whereabouts_of(step.places) if _is_bound_by_law(step.type, rules) else None,
        rules.is_strict,
        step.type == CALL,
        is_answer,
    )


def _is_bound_by_law(type_: str, rules: SendingRules) -> bool:
    """Whether it asks an agent for a call, or is a text that a provider sends."""
    return type_ == CALL or (type_ == TEXT and rules.has_provider)


@lru_cache(maxsize=2_048)
def _opening(holds: _Holds, moment: datetime) -> Opening:
    return first_open(_hours(holds), moment, later(moment, TOO_LATE_AFTER))


@lru_cache(maxsize=2_048)
def _hours(holds: _Holds) -> tuple[OpenHours, ...]:
    own = _window(holds.campaign_window, holds.step_window, holds.contact_zone, holds.sender_zone)
    if holds.place is None:
        return own
    return own + lawful_hours(holds.place, is_strict=holds.is_strict, is_call=holds.is_call, is_answer=holds.is_answer)


def _window(
    campaign_window: str | None, step_window: str | None, contact_zone: str | None, sender_zone: str | None
) -> tuple[OpenHours, ...]:
    """Returns the window of the step, else that of the campaign, in the contact's time, else the sender's."""
    given = step_window or campaign_window
    if given is None:
        return ()
    hours = OpenHours(
        rule=STEP_RULE if step_window else CAMPAIGN_RULE,
        zone=contact_zone or sender_zone or "UTC",
        hours=_weekly_hours(given),
        clock=_whose(contact_zone),
    )
    return (hours,)


@lru_cache(maxsize=2_048)
def _weekly_hours(window: str) -> WeeklyHours:
    return read_weekly_hours(msgspec.json.decode(window)["weekly_hours"], "send_window.weekly_hours")


def can_ever_leave(type_: str, window: StepWindow, sender_zones: Iterable[str], rules: SendingRules) -> bool:
    """Returns whether a window ever opens, and for texts and calls ever within the lawful hours; false is certain.

    The window is in the contact's time; where that is not known in that of the sender, and the contact may be anywhere.
    """
    if (window.step_window or window.campaign_window) is None or (type_ == TEXT and window.first_answer_minutes > 0):
        return True
    places = [("UTC", ("UTC",)), *((zone, UNKNOWN) for zone in sorted(sender_zones))]
    return any(_ever_opens(type_, window, zone, where, rules) for zone, where in places)


def _ever_opens(type_: str, window: StepWindow, zone: str, where: tuple[str, ...], rules: SendingRules) -> bool:
    hours = _window(window.campaign_window, window.step_window, None, zone)
    if _is_bound_by_law(type_, rules):
        hours += lawful_hours(ZonesAndStates(where), is_strict=rules.is_strict, is_call=type_ == CALL)
    return any(first_open(hours, season, season + _TWO_WEEKS).at is not None for season in _SEASONS)


_SEASONS: Final = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC))  # the clocks differ
_TWO_WEEKS: Final = timedelta(days=14)  # so that a holiday does not matter


def _whose(contact_zone: str | None) -> str:
    return "contact's time" if contact_zone else "sender's time"


def _own_clock(step: StepFacts) -> _Clock:
    return _Clock(step.contact_zone or step.sender_zone or "UTC", _whose(step.contact_zone))


def _free_for_text(step: StepFacts, moment: datetime, rules: SendingRules) -> tuple[datetime, str]:
    """Returns when the contact gets another text, from `moment` on, and by which rule it is later than that."""
    if step.type != TEXT or not step.texts:
        return moment, ""
    most = most_texts(whereabouts_of(step.places), rules.texts_per_day)
    free, why = moment, ""
    if len(step.texts) >= most and step.texts[-most] + A_DAY > free:
        free, why = step.texts[-most] + A_DAY, f"{most} texts in 24 hours"
    if step.texts[-1] + BETWEEN_TEXTS > free:
        free, why = step.texts[-1] + BETWEEN_TEXTS, BETWEEN_RULE
    return free, why


def _local(moment: datetime, clock: _Clock) -> str:
    """`09:00 contact's time (Tue, MST)`, in whose zone the time is."""
    local = wall_clock(moment, zone_named(clock.zone))
    return f"{local:%H:%M} {clock.whose} ({local:%a}, {_abbreviation(local)})"


def _abbreviation(local: datetime) -> str:
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{name}"


# ----------------------------------------------------------------------------------------------- as it is written


def read_send_window(value: Any, at: str) -> dict[str, Any]:
    """Returns a window, `{"weekly_hours": {…}}`, as it is stored. Raises Faults, with the place of each fault."""
    if not isinstance(value, dict):
        raise Faults({at: refusal(at, value, 'an object such as {"weekly_hours": {"monday": [["09:00", "17:00"]]}}')})
    if extra := next((name for name in value if name != "weekly_hours"), None):
        where = f"{at}.{str(extra)[:60]}"
        raise Faults({where: refusal(where, extra, "weekly_hours alone; the time is the contact's")})
    if "weekly_hours" not in value:
        raise Faults({f"{at}.weekly_hours": f"{at}.weekly_hours is required"})
    if value["weekly_hours"] is None:
        raise Faults({f"{at}.weekly_hours": refusal(f"{at}.weekly_hours", None, "hours; without a window send null")})
    read_weekly_hours(value["weekly_hours"], f"{at}.weekly_hours")
    if long := {day: len(ranges) for day, ranges in value["weekly_hours"].items() if len(ranges) > MOST_RANGES}:
        expected = f"at most {MOST_RANGES} ranges"
        raise Faults({
            f"{at}.weekly_hours.{day}": f"{at}.weekly_hours.{day}: {number} ranges were given; expected {expected}"
            for day, number in long.items()
        })  # fmt: skip
    return {"weekly_hours": value["weekly_hours"]}


def window_in_words(window: dict[str, Any] | None) -> str | None:
    """Returns `Monday to Friday 09:00–17:00`, or None where there is no window."""
    return None if window is None else hours_in_words(window["weekly_hours"])


def zone_label(zone: str | None, moment: datetime) -> str:
    """Returns `Tue 10:02 MST`, as previews show a moment."""
    place: ZoneInfo = zone_named(zone)
    local = wall_clock(moment, place)
    return f"{local:%a %H:%M} {_abbreviation(local)}"

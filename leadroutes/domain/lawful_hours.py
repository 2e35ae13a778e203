"""When a text may be sent to a contact, and a call connected: the lawful hours at every place that is known. Pure.

This is the one place that says so. The federal hours are narrowed by the rows of `domain/state_hours.py`, and by the
quiet hours of LEADROUTES_QUIET_HOURS=strict; nothing widens them. None of it is legal advice.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.holidays import FEDERAL, HOLIDAYS
from leadroutes.domain.identity import time_zone_of, time_zones_of_phone
from leadroutes.domain.open_hours import NO_HOLIDAYS, OpenHours, first_open
from leadroutes.domain.places import STATES, normal_state
from leadroutes.domain.state_areas import AREA_CODES, ZIPCODES
from leadroutes.domain.state_hours import BY_STATE, FEDERAL_HOURS, STRICT_HOURS, StateHours, weekly_hours

UNKNOWN: Final = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "Pacific/Honolulu",
)  # fmt: skip
"""The zones that count where nothing is known of the person: all from Eastern to Hawaii."""
_EASTERN, _CENTRAL, _MOUNTAIN, _PACIFIC = UNKNOWN[0], UNKNOWN[1], UNKNOWN[2], UNKNOWN[4]
SPLIT_AREAS: Final = {
    "208": (_MOUNTAIN, _PACIFIC), "219": (_CENTRAL, _EASTERN), "270": (_CENTRAL, _EASTERN),
    "308": (_CENTRAL, _MOUNTAIN), "364": (_CENTRAL, _EASTERN), "423": (_EASTERN, _CENTRAL),
    "448": (_CENTRAL, _EASTERN), "458": (_PACIFIC, _MOUNTAIN), "541": (_PACIFIC, _MOUNTAIN),
    "574": (_EASTERN, _CENTRAL), "605": (_CENTRAL, _MOUNTAIN), "606": (_EASTERN, _CENTRAL),
    "620": (_CENTRAL, _MOUNTAIN), "701": (_CENTRAL, _MOUNTAIN), "785": (_CENTRAL, _MOUNTAIN),
    "812": (_EASTERN, _CENTRAL), "850": (_CENTRAL, _EASTERN), "906": (_EASTERN, _CENTRAL),
    "930": (_EASTERN, _CENTRAL), "931": (_CENTRAL, _EASTERN), "986": (_MOUNTAIN, _PACIFIC),
}  # fmt: skip
"""Area codes that lie in two zones, of which an exchange that is not known tells one at most."""
AREA_AND_EXCHANGE: Final = 8  # characters of a number that may tell where it is
LONGEST_PLACE: Final = 45  # characters of a zipcode or a state
FEDERAL_RULE: Final = "federal hours"
STRICT_RULE: Final = "quiet hours"
LOOKS_AHEAD: Final = timedelta(days=30)  # for hours in which a text may leave; a week with holidays is over then
_STATE_OF_AREA: Final = {area: state for state, areas in AREA_CODES.items() for area in areas.split()}
_STATE_OF_ZIPCODE: Final = {each: state for state, them in ZIPCODES.items() for each in them.split()}


class KnownPlaces(Struct, frozen=True, kw_only=True):
    """What tells where a person is: own addresses, the phone in E.164, and the zipcodes of inquiries."""

    address_zipcodes: tuple[str, ...] = ()
    address_states: tuple[str, ...] = ()
    phone: str | None = None
    inquiry_zipcodes: tuple[str, ...] = ()


class ZonesAndStates(Struct, frozen=True):
    """The time zones in all of which the hours count, and the states whose rows do; `is_known`: they are no guess."""

    zones: tuple[str, ...]
    states: tuple[str, ...] = ()
    is_known: bool = True


def whereabouts_of(person: KnownPlaces) -> ZonesAndStates:
    """Returns where the person may be; inquiries count only where neither an address nor the phone tells anything."""
    texts = (*person.address_zipcodes, *person.address_states, *person.inquiry_zipcodes)
    if any(len(each) > LONGEST_PLACE for each in texts):  # no such place is known
        person = KnownPlaces(
            address_zipcodes=_short(person.address_zipcodes), address_states=_short(person.address_states),
            phone=person.phone, inquiry_zipcodes=_short(person.inquiry_zipcodes),
        )  # fmt: skip
    if person.phone is not None and len(person.phone) > AREA_AND_EXCHANGE:
        person = replace(person, phone=person.phone[:AREA_AND_EXCHANGE])
    return _whereabouts_of(person)


def _short(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in texts if len(each) <= LONGEST_PLACE)


@lru_cache(maxsize=8_192)
def _whereabouts_of(person: KnownPlaces) -> ZonesAndStates:
    phone_zones = time_zones_of_phone(person.phone)
    phone_zones += SPLIT_AREAS.get(person.phone[2:5], ()) if person.phone and person.phone.startswith("+1") else ()
    zones = [*_zones_of_zipcodes(person.address_zipcodes), *phone_zones]
    states = [
        *(found for each in person.address_states if (found := normal_state(each)) is not None),
        *_states_of_zipcodes(person.address_zipcodes),
        *_states_of_phone(person.phone),
    ]
    if not zones and not states:
        zones = _zones_of_zipcodes(person.inquiry_zipcodes)
        states = _states_of_zipcodes(person.inquiry_zipcodes)
    if not zones:  # of a state alone it is not known in which of its zones the person is
        return ZonesAndStates(UNKNOWN, tuple(dict.fromkeys(states)), is_known=False)
    return ZonesAndStates(tuple(dict.fromkeys(zones)), tuple(dict.fromkeys(states)))


def zones_of(person: KnownPlaces) -> tuple[str, ...]:
    """Returns the time zones in all of which the hours count."""
    return whereabouts_of(person).zones


def _zones_of_zipcodes(zipcodes: Iterable[str]) -> list[str]:
    return [zone for each in zipcodes if (zone := time_zone_of(each, None)) is not None]


def _states_of_zipcodes(zipcodes: Iterable[str]) -> list[str]:
    found = (_STATE_OF_ZIPCODE.get(each[:5]) or _STATE_OF_ZIPCODE.get(each[:3]) for each in zipcodes if len(each) >= 5)
    return [state for state in found if state]


def _states_of_phone(phone: str | None) -> list[str]:
    state = _STATE_OF_AREA.get(phone[2:5]) if phone and phone.startswith("+1") else None
    return [state] if state else []


@lru_cache(maxsize=8_192)
def lawful_hours(
    place: ZonesAndStates, *, is_strict: bool, is_call: bool = False, is_answer: bool = False
) -> tuple[OpenHours, ...]:
    """Returns the hours that have to be open together, in every zone; () where nothing is bound.

    `is_answer`: a text that answers the person's own inquiry is not bound by the quiet hours, and by the
    lawful hours only where a state's row does not exempt it.
    """
    rows = [BY_STATE[state] for state in place.states if state in BY_STATE]
    if is_call:
        rows = [row for row in rows if not row.is_of_automated_calls]
    if is_answer and place.states and all(row.answers_exempt for row in rows):
        return ()
    if is_answer:
        rows = [row for row in rows if not row.answers_exempt]
    return tuple(hours for zone in place.zones for hours in _of_zone(zone, rows, is_strict=is_strict and not is_answer))


def _of_zone(zone: str, rows: Iterable[StateHours], *, is_strict: bool) -> Iterable[OpenHours]:
    yield OpenHours(rule=FEDERAL_RULE, zone=zone, hours=weekly_hours(FEDERAL_HOURS, FEDERAL_HOURS, FEDERAL_HOURS))
    for row in rows:
        rests_on = NO_HOLIDAYS
        if row.rests_on_holidays:
            rests_on = frozenset({FEDERAL, row.state}) & frozenset(HOLIDAYS)
        yield OpenHours(rule=f"hours of {STATES[row.state]}", zone=zone, hours=row.weekly_hours(), rests_on=rests_on)
    if is_strict:
        yield OpenHours(rule=STRICT_RULE, zone=zone, hours=STRICT_HOURS, rests_on=frozenset({FEDERAL}))


def most_texts(place: ZonesAndStates, most: int) -> int:
    """Returns how many texts one person gets in 24 hours: at most `most`, and what the rows of the states say."""
    rows = (BY_STATE.get(each) for each in place.states)
    return min([most, *(row.texts_per_day for row in rows if row is not None and row.texts_per_day is not None)])


def lawful_from(moment: datetime, hours: Iterable[OpenHours]) -> datetime:
    """Returns the moment itself where texts may be sent then, else the next one at which they may."""
    opening = first_open(tuple(hours), moment, moment + LOOKS_AHEAD)
    return opening.at or moment + LOOKS_AHEAD


def next_window(moment: datetime, hours: Iterable[OpenHours]) -> datetime:
    """Returns when texts may be sent again after the present window, as where the provider refuses them in this one."""
    all_hours = tuple(hours)
    opened = lawful_from(moment, all_hours)
    if opened > moment:
        return opened
    closing = min((each.closing(moment) for each in all_hours), default=moment + timedelta(days=1))
    return lawful_from(closing, all_hours)

"""When texts to contacts may leave: places, federal hours, every row of the states, quiet hours, first answers."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.lawful_hours import (
    UNKNOWN,
    KnownPlaces,
    ZonesAndStates,
    lawful_from,
    lawful_hours,
    most_texts,
    next_window,
    whereabouts_of,
    zones_of,
)
from leadroutes.domain.places import STATES
from leadroutes.domain.state_hours import BY_STATE, STATE_HOURS, StateHours

DENVER, NEW_YORK, LOS_ANGELES = "America/Denver", "America/New_York", "America/Los_Angeles"
PLACES = {
    "nothing is known": (KnownPlaces(), UNKNOWN, ()),
    "an area code": (KnownPlaces(phone="+13035550199"), (DENVER,), ("CO",)),
    "an area code in two zones": (
        KnownPlaces(phone="+18505550199"), (NEW_YORK, "America/Chicago"), ("FL",)),
    "a zipcode of an address": (KnownPlaces(address_zipcodes=("90210",)), (LOS_ANGELES,), ("CA",)),
    "both": (KnownPlaces(address_zipcodes=("10001",), phone="+13035550199"), (NEW_YORK, DENVER), ("NY", "CO")),
    "two addresses alike": (KnownPlaces(address_zipcodes=("10001", "10002")), (NEW_YORK,), ("NY",)),
    "an inquiry beside a phone": (
        KnownPlaces(phone="+13035550199", inquiry_zipcodes=("10001",)), (DENVER,), ("CO",)),
    "an inquiry alone": (KnownPlaces(phone="+18005550199", inquiry_zipcodes=("10001",)), (NEW_YORK,), ("NY",)),
    "a number without a place": (KnownPlaces(phone="+18005550199"), UNKNOWN, ()),
    "zipcodes that are none": (KnownPlaces(address_zipcodes=("x", "", "1234")), UNKNOWN, ()),
    "a state by its name": (KnownPlaces(address_states=("florida",)), UNKNOWN, ("FL",)),
    "a zipcode that lies elsewhere": (KnownPlaces(address_zipcodes=("06390",)), (NEW_YORK,), ("NY",)),
    "a foreign number": (KnownPlaces(phone="+442071234567"), ("Europe/London",), ()),
}  # fmt: skip


@pytest.mark.parametrize(("person", "zones", "states"), PLACES.values(), ids=PLACES)
def test_every_place_counts_that_is_known(person: KnownPlaces, zones: tuple[str, ...], states: tuple[str, ...]) -> None:
    assert zones_of(person) == zones
    found = whereabouts_of(person)
    assert (found.states, found.is_known) == (states, zones is not UNKNOWN)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def law(*zones: str, states: tuple[str, ...] = (), **more: bool):  # type: ignore[no-untyped-def]
    return lawful_hours(ZonesAndStates(zones, states), **{"is_strict": False} | more)


# zones, moment, when a text may leave; January: Denver is UTC-7, New York UTC-5, Honolulu UTC-10
TABLE = [
    ((DENVER,), "2026-01-05 15:00", "2026-01-05 15:00"),  # 08:00
    ((DENVER,), "2026-01-05 14:59:59", "2026-01-05 15:00"),
    ((DENVER,), "2026-01-06 03:59:59", "2026-01-06 03:59:59"),  # 20:59:59
    ((DENVER,), "2026-01-06 04:00", "2026-01-06 15:00"),  # 21:00
    ((DENVER, NEW_YORK), "2026-01-05 13:00", "2026-01-05 15:00"),  # 08:00 in New York, 06:00 in Denver
    ((DENVER, NEW_YORK), "2026-01-06 02:00", "2026-01-06 15:00"),  # 21:00 in New York, 19:00 in Denver
    (UNKNOWN, "2026-01-05 14:00", "2026-01-05 18:00"),  # 08:00 in Honolulu
    (UNKNOWN, "2026-01-06 02:00", "2026-01-06 18:00"),
    ((NEW_YORK,), "2026-03-08 06:00", "2026-03-08 12:00"),  # summer time begins in that night
    ((NEW_YORK,), "2026-11-01 05:00", "2026-11-01 13:00"),  # and ends
    (("nowhere",), "2026-01-05 03:00", "2026-01-05 08:00"),  # counts as UTC
    ((), "2026-01-05 03:00", "2026-01-05 03:00"),
]


@pytest.mark.parametrize(("zones", "moment", "expected"), TABLE)
def test_a_text_leaves_at_once_or_when_the_hours_begin(zones: tuple[str, ...], moment: str, expected: str) -> None:
    assert lawful_from(at(moment), law(*zones)) == at(expected)


def test_the_next_window_is_a_later_one() -> None:
    assert next_window(at("2026-01-05 20:00"), law(DENVER)) == at("2026-01-06 15:00")
    assert next_window(at("2026-01-05 05:00"), law(DENVER)) == at("2026-01-05 15:00")
    assert next_window(at("2026-01-05 19:00"), law(*UNKNOWN)) == at("2026-01-06 18:00")


def test_zones_that_are_never_open_together_do_not_hold_the_worker() -> None:
    around = ("Etc/GMT", "Etc/GMT-8", "Etc/GMT+8")
    assert lawful_from(at("2026-01-05 20:00"), law(*around)) > at("2026-01-05 20:00")


# ------------------------------------------------------------------------------------------------------ the states

HOURS = {  # Monday to Friday, Saturday, Sunday, whether holidays rest, grade; "" is not at all
    "AL": ("8-20", "8-20", "", True, "C"), "CT": ("9-20", "9-20", "9-20", False, "C"),
    "FL": ("8-20", "8-20", "8-20", False, "A"), "KY": ("10-21", "10-21", "10-21", False, "C"),
    "LA": ("8-20", "8-20", "", True, "C"), "MA": ("8-20", "8-20", "8-20", False, "C"),
    "MD": ("8-20", "8-20", "8-20", False, "B"), "ME": ("9-17", "", "", False, "C"),
    "MI": ("9-21", "9-21", "9-21", False, "C"), "MN": ("9-21", "9-21", "9-21", False, "C"),
    "MS": ("8-20", "8-20", "", False, "D"), "NE": ("8-21", "8-21", "8-21", False, "C"),
    "NJ": ("8-20", "8-20", "8-20", False, "D"), "NM": ("9-21", "9-21", "9-21", False, "C"),
    "NV": ("9-20", "9-20", "9-20", False, "C"), "OK": ("8-20", "8-20", "8-20", False, "B"),
    "PA": ("9-19", "9-19", "", True, "D"), "RI": ("9-18", "10-17", "", True, "A"),
    "TX": ("9-21", "9-21", "12-21", False, "B"), "UT": ("8-21", "8-21", "", True, "A"),
    "VA": ("8-21", "8-21", "8-21", False, "B"), "WA": ("8-20", "8-20", "8-20", False, "B"),
    "WY": ("8-20", "8-20", "8-20", False, "C"),
}  # fmt: skip
MONDAY, SATURDAY, SUNDAY, THANKSGIVING = (date(2026, 11, day) for day in (23, 28, 29, 26))


@pytest.mark.parametrize("row", STATE_HOURS, ids=lambda row: f"{row.state}, {row.statute}, {row.source}, {row.grade}")
def test_every_row_of_the_table_is_kept(row: StateHours) -> None:
    *expected, rests, grade = HOURS[row.state]

    assert [_open_hours(row.state, day) for day in (MONDAY, SATURDAY, SUNDAY)] == expected
    assert _open_hours(row.state, THANKSGIVING) == ("" if rests else expected[0])
    assert (row.grade, row.state in STATES) == (grade, True)
    assert "" not in (row.statute, row.source)
    assert row.seen <= date(2026, 11, 30)


def test_the_table_is_whole() -> None:
    assert list(BY_STATE) == sorted(HOURS)
    assert len(BY_STATE) == len(STATE_HOURS)
    assert [state for state, row in BY_STATE.items() if row.answers_exempt] == ["MD", "TX", "WA"]


def _open_hours(state: str, day: date) -> str:
    """Returns the hours of a day in which a text may leave, `8-20`; "": none."""
    begins = datetime(day.year, day.month, day.day, tzinfo=zone_named(NEW_YORK))
    hours = law(NEW_YORK, states=(state,))
    found = [hour for hour in range(24) if lawful_from(at_hour := begins + timedelta(hours=hour), hours) == at_hour]
    assert found == list(range(found[0], found[-1] + 1)) if found else True
    return f"{found[0]}-{found[-1] + 1}" if found else ""


def test_all_states_that_are_known_count_in_all_zones() -> None:
    both = law(DENVER, NEW_YORK, states=("CO", "KY"))
    assert lawful_from(at("2026-01-05 06:00"), both) == at("2026-01-05 17:00")  # 10:00 in Denver


def test_what_is_said_of_automated_calls_does_not_bind_an_agent_who_calls() -> None:
    evening = at("2026-01-05 23:00")  # 18:00
    assert lawful_from(evening, law(NEW_YORK, states=("ME",))) > evening
    assert lawful_from(evening, law(NEW_YORK, states=("ME",), is_call=True)) == evening


QUIET = [  # in Denver, whose state has no row
    ("2026-11-23 15:59", "2026-11-23 16:00"),  # Monday from 09:00 …
    ("2026-11-24 03:00", "2026-11-24 16:00"),  # … to 20:00
    ("2026-11-28 16:00", "2026-11-28 17:00"),  # Saturday from 10:00 …
    ("2026-11-29 00:00", "2026-11-30 16:00"),  # … to 17:00, and no Sunday
    ("2026-11-26 18:00", "2026-11-27 16:00"),  # Thanksgiving
    ("2027-12-31 18:00", "2028-01-03 16:00"),  # New Year's Day, on a Saturday, is observed on the Friday
]


@pytest.mark.parametrize(("moment", "expected"), QUIET)
def test_quiet_hours_narrow_the_law(moment: str, expected: str) -> None:
    assert lawful_from(at(moment), law(DENVER, is_strict=True)) == at(expected)


ANSWERS = [  # states, whether a text at 06:00 on a Sunday answers, and where it leaves then: now, at 08:00, later
    (("CO",), "now"), (("TX",), "now"), (("CO", "WA"), "now"),
    (("FL",), "08:00"), (("TX", "FL"), "08:00"), (("UT",), "Monday"), ((), "08:00"),
]  # fmt: skip


@pytest.mark.parametrize(("states", "expected"), ANSWERS)
def test_a_first_answer_passes_the_law_where_no_row_binds_it(states: tuple[str, ...], expected: str) -> None:
    early = at("2026-11-29 13:00")  # 06:00 in Denver
    wanted = {"now": early, "08:00": at("2026-11-29 15:00"), "Monday": at("2026-11-30 15:00")}

    found = lawful_from(early, law(DENVER, states=states, is_strict=True, is_answer=True))

    assert found == wanted[expected]


def test_states_allow_fewer_texts() -> None:
    assert most_texts(ZonesAndStates((DENVER,), ("CO",)), 10) == 10
    assert most_texts(ZonesAndStates((DENVER,), ("CO", "FL")), 10) == 3
    assert most_texts(ZonesAndStates((DENVER,), ("FL",)), 2) == 2


@settings(deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda each: each.replace(tzinfo=UTC)),
    st.sets(st.sampled_from(UNKNOWN), min_size=1),
    st.sets(st.sampled_from(sorted(STATES)), max_size=2),
    st.booleans(),
)
def test_nothing_widens_the_federal_hours(moment: datetime, zones: set[str], states: set[str], strict: bool) -> None:
    found = lawful_from(moment, law(*zones, states=tuple(states), is_strict=strict))

    assert found >= moment
    assert all(8 <= found.astimezone(zone_named(zone)).hour < 21 for zone in zones)
    assert found >= lawful_from(moment, law(*zones))

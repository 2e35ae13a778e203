"""When hours are open, alone and together: against a walk over every minute, and when the clocks change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.holidays import FEDERAL, holidays_of
from leadroutes.domain.open_hours import OpenHours, first_open
from leadroutes.domain.weekly_hours import DAY, WEEK, WeeklyHours, read_weekly_hours

DENVER = "America/Denver"


def hours(given: dict[str, list[list[str]]], zone: str = DENVER, **more: object) -> OpenHours:
    return OpenHours(rule="r", zone=zone, hours=read_weekly_hours(given, "hours"), **more)  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


SUNDAY_NIGHT = {"sunday": [["02:30", "04:00"]]}
TABLE = [  # in 2027 the clocks go forward on 14 March at 02:00 (09:00 UTC), back on 7 November at 02:00 (08:00 UTC)
    ("open", {"monday": [["09:00", "17:00"]]}, "2027-03-15 15:00", "2027-03-15 15:00"),
    ("the end is outside", {"monday": [["09:00", "17:00"]]}, "2027-03-15 23:00", "2027-03-22 15:00"),
    ("before", {"monday": [["09:00", "17:00"]]}, "2027-03-15 14:59:59", "2027-03-15 15:00"),
    ("a beginning that does not exist moves forward", SUNDAY_NIGHT, "2027-03-14 06:00", "2027-03-14 09:00"),
    ("one that comes twice is the first", {"sunday": [["01:30", "03:00"]]}, "2027-11-07 06:00", "2027-11-07 07:30"),
    ("closed again when the clocks go back", {"sunday": [["01:00", "01:30"]]}, "2027-11-07 07:40", "2027-11-07 08:00"),
    ("over midnight", {"saturday": [["22:00", "02:00"]]}, "2027-03-14 08:30", "2027-03-14 08:30"),
    ("from Sunday into Monday", {"sunday": [["22:00", "06:00"]]}, "2027-03-15 11:59", "2027-03-15 11:59"),
    ("always", {day: [["00:00", "24:00"]] for day in ("saturday", "sunday")}, "2027-03-14 09:30", "2027-03-14 09:30"),
]


@pytest.mark.parametrize(("given", "moment", "expected"), [each[1:] for each in TABLE], ids=[each[0] for each in TABLE])
def test_they_open_by_the_wall_clock(given: dict[str, list[list[str]]], moment: str, expected: str) -> None:
    assert hours(given).opening(at(moment), at(moment) + timedelta(days=14)) == at(expected)


def test_hours_that_never_open_are_given_up() -> None:
    moment = at("2027-03-15 15:00")
    limit = moment + timedelta(days=30)
    assert hours({}).opening(moment, limit) is None
    apart = [hours({"monday": [["09:00", "10:00"]]}), hours({"monday": [["10:00", "11:00"]]})]
    assert first_open(apart, moment, limit).at is None
    assert first_open([], moment, limit).at == moment


def test_what_opens_last_is_named() -> None:
    early, late = hours({"monday": [["08:00", "17:00"]]}), hours({"monday": [["10:00", "12:00"]]})
    found = first_open([late, early], at("2027-03-15 06:00"), at("2027-03-20 06:00"))
    assert (found.at, found.last) == (at("2027-03-15 16:00"), late)
    assert late.closing(at("2027-03-15 16:00")) == at("2027-03-15 18:00")


# ------------------------------------------------------------------------------------------ against a walk by minutes

ZONES = [
    "America/New_York", DENVER, "America/Phoenix", "Pacific/Honolulu", "America/St_Johns", "Europe/Lisbon",
    "Australia/Lord_Howe", "America/Havana", "Asia/Beirut", "Africa/Casablanca", "Pacific/Chatham", "UTC",
]  # fmt: skip
CHANGES = [at("2027-03-14 06:00"), at("2027-11-07 04:00"), at("2027-04-03 12:00"), at("2027-03-27 20:00"),
           at("2027-03-28 00:00"), at("2026-12-31 20:00"), at("2027-07-02 22:00")]  # fmt: skip
moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 12, 31)).map(
        lambda each: each.replace(tzinfo=UTC, microsecond=0)
    ),
    st.builds(lambda near, minutes: near + timedelta(minutes=minutes), st.sampled_from(CHANGES), st.integers(0, 900)),
)
ranges = st.builds(
    lambda start, length: (start, start + length), st.integers(0, WEEK // 15 - 1).map(lambda each: each * 15),
    st.integers(1, DAY // 15).map(lambda each: each * 15),
)  # fmt: skip
some_hours = st.builds(
    lambda zone, found, rests: OpenHours(
        rule="r", zone=zone, hours=WeeklyHours(tuple(sorted(found))), rests_on=frozenset({FEDERAL} if rests else ())
    ),
    st.sampled_from(ZONES), st.lists(ranges, max_size=4), st.booleans(),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(some_hours, min_size=1, max_size=3), moments)
def test_they_open_at_the_first_minute_at_which_all_are_open(all_hours: list[OpenHours], moment: datetime) -> None:
    limit = moment + timedelta(days=3)

    found = first_open(all_hours, moment, limit).at

    assert found == _walk(all_hours, moment, limit)


def _walk(all_hours: list[OpenHours], moment: datetime, limit: datetime) -> datetime | None:
    """Naive: the moment itself, then every full minute."""
    each = moment
    while each <= limit:
        if all(_is_open(hours, each) for hours in all_hours):
            return each
        each = each.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return None


def _is_open(hours: OpenHours, moment: datetime) -> bool:
    wall = moment.astimezone(zone_named(hours.zone))
    minute = wall.weekday() * DAY + wall.hour * 60 + wall.minute
    is_inside = any(
        start <= minute < end or start <= minute + WEEK < end for start, end in hours.hours.ranges
    )  # fmt: skip
    return is_inside and not (hours.rests_on and wall.date() in holidays_of(FEDERAL, wall.year))

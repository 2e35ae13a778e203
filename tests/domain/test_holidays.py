"""The holidays of several years, as the package `holidays` 0.109 names them (compared on 2026-11-29)."""

from datetime import date

import pytest

from leadroutes.domain.holidays import FEDERAL, HOLIDAYS, holidays_of, is_holiday

FEDERAL_DAYS = {
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31",
    2028: "01-01 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-11 11-23 12-25",
    2029: "01-01 01-15 02-19 05-28 06-19 07-04 09-03 10-08 11-11 11-12 11-22 12-25",
    2030: "01-01 01-21 02-18 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25",
    2031: "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
    2032: "01-01 01-19 02-16 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31",
}
OF_STATES = {  # what they add in 2026
    "AL": "04-27 06-01",
    "LA": "02-17 04-03 11-03",
    "PA": "04-03 11-27",
    "RI": "08-10 11-03",
    "UT": "07-24",
}


def days(year: int, text: str) -> set[date]:
    return {date.fromisoformat(f"{year}-{each}") for each in text.split()}


@pytest.mark.parametrize(("year", "expected"), FEDERAL_DAYS.items())
def test_federal_holidays_are_those_of_a_second_source(year: int, expected: str) -> None:
    assert set(holidays_of(FEDERAL, year)) == days(year, expected)


@pytest.mark.parametrize(("state", "expected"), OF_STATES.items())
def test_states_add_days_of_their_own(state: str, expected: str) -> None:
    assert set(holidays_of(state, 2026)) == days(2026, expected)
    assert {FEDERAL, *OF_STATES} == set(HOLIDAYS)


def test_a_day_rests_by_any_of_the_calendars() -> None:
    assert is_holiday(date(2026, 7, 24), frozenset({FEDERAL, "UT"}))
    assert not is_holiday(date(2026, 7, 24), frozenset({FEDERAL}))
    assert not is_holiday(date(2026, 12, 25), frozenset())

"""Recurring rules are followed as dateutil follows them, for ten years only and in a bounded number of steps."""

import os
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.campaign import first_candidates, first_occurrence, next_occurrence
from leadroutes.domain.recurrence import RULE_PARTS, YEARS_AHEAD, next_moment, read_rule

EXAMPLES = int(os.environ.get("LEADROUTES_TEST_EXAMPLES", "200"))
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LATE = st.datetimes(datetime(9960, 1, 1), datetime(9980, 1, 1)).map(lambda each: each.replace(microsecond=0))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)).map(lambda each: each.replace(microsecond=0))


def _several(values: st.SearchStrategy[object], most: int) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda each: ",".join(map(str, each)))


def _signed(most: int) -> st.SearchStrategy[int]:
    return st.integers(-most, most).filter(bool)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules without what is the other implementation's own: weeks counted from the end of another year, positions
    in the week of the start, plain weekdays beside numbered ones.
    """
    freq = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    optional = {
        "INTERVAL": st.integers(1, 14),
        "COUNT": st.integers(1, 400),
        "WKST": st.sampled_from(DAYS),
        "BYDAY": _several(st.sampled_from(DAYS), 4),
        "BYMONTH": _several(st.integers(1, 12), 4),
        "BYMONTHDAY": _several(_signed(28), 5),
        "BYWEEKNO": _several(st.integers(2, 51), 8),
        "BYYEARDAY": _several(_signed(365), 20),
        "BYHOUR": _several(st.integers(0, 23), 4),
        "BYMINUTE": st.integers(0, 59),
        "BYSECOND": st.integers(0, 59),
        "BYSETPOS": _several(_signed(4), 2),
    }
    if freq in ("MONTHLY", "YEARLY"):
        numbered = st.tuples(_signed(4), st.sampled_from(DAYS)).map(lambda each: f"{each[0]}{each[1]}")
        optional["BYDAY"] |= _several(numbered, 3)
    if freq == "WEEKLY":
        del optional["BYSETPOS"]
    parts = draw(st.lists(st.sampled_from(sorted(optional)), max_size=4, unique=True))
    return ";".join([f"FREQ={freq}", *(f"{name}={draw(optional[name])}" for name in parts)])


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=rules(), start=LATE, passed=st.integers(-1, 800 * 86_400))
def test_it_comes_when_the_other_implementation_says(text: str, start: datetime, passed: int) -> None:
    """Near the end of the calendar, where the other one ends, too, when a rule does not come."""
    rule, after = read_rule(text), start + timedelta(seconds=passed)
    if rule is None:
        return
    expected = rrulestr(text, dtstart=start).after(after)
    if expected is not None and expected.year > max(start, after).year + YEARS_AHEAD:
        expected = None

    assert next_moment(rule, start, after) == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=rules(), start=MOMENTS)
def test_the_first_is_found_among_the_candidates_of_its_day(text: str, start: datetime) -> None:
    moment = start.replace(tzinfo=UTC)
    by_day = first_occurrence(text, moment, first_candidates(text, start.date()))

    assert by_day == next_occurrence(text, moment, moment - timedelta(seconds=1), "UTC")


NEVER = (
    "FREQ=MONTHLY;INTERVAL=2;BYMONTH=12;BYSETPOS=1;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=" + ",".join(map(str, range(24))),
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4,6,9,11;BYHOUR=" + ",".join(map(str, range(24))),
    "FREQ=WEEKLY;BYSETPOS=366;BYHOUR=" + ",".join(map(str, range(24))),
    "FREQ=YEARLY;BYWEEKNO=53;BYYEARDAY=200",
    "FREQ=YEARLY;INTERVAL=9999;BYYEARDAY=1",
    "FREQ=DAILY;INTERVAL=9999;BYMONTH=2;BYMONTHDAY=29",
)


@pytest.mark.parametrize("text", NEVER)
def test_a_rule_that_does_not_come_costs_no_more_steps_than_ten_years_have(text: str) -> None:
    rule = read_rule(text)
    assert rule is not None
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    start = datetime(2026, 11, 24, 12, 30)
    sys.setprofile(count)
    try:
        found = next_moment(rule, start, start)
    finally:
        sys.setprofile(None)

    assert found is None
    assert steps < 200_000


@pytest.mark.parametrize("after", [datetime(2026, 11, 24), datetime(9990, 1, 1), datetime(9999, 12, 31)])
def test_the_end_of_the_calendar_ends_every_rule(after: datetime) -> None:
    for freq in RULE_PARTS["FREQ"].split("|"):
        rule = read_rule(f"FREQ={freq};INTERVAL=3;BYWEEKNO=1,-1;BYDAY=MO;WKST=SU")
        assert rule is not None
        next_moment(rule, datetime(2026, 1, 1), after)


def test_the_weeks_of_a_year_count_from_its_end_too() -> None:
    """The last but 51 of a year with 52 weeks is its first, which may begin in December."""
    rule = read_rule("FREQ=DAILY;BYWEEKNO=-52")
    assert rule is not None
    found = next_moment(rule, datetime(2024, 12, 1), datetime(2024, 12, 1))

    assert found is not None
    assert found.date() == date(2024, 12, 30)


def test_plain_weekdays_and_numbered_ones_are_both_meant() -> None:
    rule = read_rule("FREQ=MONTHLY;BYDAY=1MO,-1FR")
    assert rule is not None
    first = next_moment(rule, datetime(2026, 11, 1), datetime(2026, 11, 1))
    assert first == datetime(2026, 11, 2)
    assert next_moment(rule, datetime(2026, 11, 1), first) == datetime(2026, 11, 27)

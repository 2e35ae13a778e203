"""Hours of a week: what is refused, and whether the wall clock is inside, also in the nights when it is changed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.faults import Faults
from leadroutes.domain.weekly_hours import DAYS, hours_from_words, hours_in_words, read_weekly_hours

MONDAY = datetime(2026, 11, 23)
OFFICE = {day: [["09:00", "12:30"], ["13:30", "18:00"]] for day in DAYS[:5]}

INSIDE: list[tuple[str, dict[str, Any], str, str, bool]] = [
    ("the first minute", OFFICE, "monday", "09:00", True),
    ("the minute before", OFFICE, "monday", "08:59", False),
    ("the end is outside", OFFICE, "monday", "12:30", False),
    ("the last minute", OFFICE, "friday", "17:59", True),
    ("a day that is missing", OFFICE, "saturday", "10:00", False),
    ("a day without hours", {"saturday": []}, "saturday", "10:00", False),
    ("no days", {}, "monday", "10:00", False),
    ("the whole day", {"monday": [["00:00", "24:00"]]}, "monday", "23:59", True),
    ("and no more", {"monday": [["00:00", "24:00"]]}, "tuesday", "00:00", False),
    ("over midnight", {"monday": [["22:00", "06:00"]]}, "tuesday", "05:59", True),
    ("it belongs to the day on which it begins", {"monday": [["22:00", "06:00"]]}, "monday", "05:59", False),
    ("to midnight in other words", {"monday": [["22:00", "00:00"]]}, "monday", "23:59", True),
    ("Sunday reaches into Monday", {"sunday": [["22:00", "06:00"]]}, "monday", "05:59", True),
    ("and ends there", {"sunday": [["22:00", "06:00"]]}, "monday", "06:00", False),
    ("ranges that touch", {"monday": [["08:00", "12:00"], ["12:00", "13:00"]]}, "monday", "12:00", True),
]


@pytest.mark.parametrize(
    ("hours", "day", "at", "expected"), [row[1:] for row in INSIDE], ids=[row[0] for row in INSIDE]
)
def test_whether_the_wall_clock_is_inside(hours: dict[str, Any], day: str, at: str, expected: bool) -> None:
    hour, minute = map(int, at.split(":"))
    moment = MONDAY + timedelta(days=DAYS.index(day), hours=hour, minutes=minute, seconds=59)
    assert read_weekly_hours(hours, "hours").has(moment) is expected


WRONG: list[tuple[str, Any, dict[str, list[str]]]] = [
    ("no object", [], {"hours": ["a list", "an object"]}),
    ("an unknown day", {"Monday": []}, {"hours.Monday": ["'Monday'", "monday"]}),
    ("no list", {"monday": "09:00"}, {"hours.monday": ["'09:00'", "list of pairs"]}),
    ("one time", {"monday": [["09:00"]]}, {"hours.monday[0]": ["two times"]}),
    ("no time", {"monday": [["9:00", "17:00"]]}, {"hours.monday[0]": ["'9:00 to 17:00'"]}),
    ("a number", {"monday": [[9, 17]]}, {"hours.monday[0]": ["two times"]}),
    ("24:00 at the beginning", {"monday": [["24:00", "06:00"]]}, {"hours.monday[0]": ["24:00 to 06:00", "the end"]}),
    ("beyond 24:00", {"monday": [["09:00", "24:01"]]}, {"hours.monday[0]": ["24:01"]}),
    ("equal ends", {"monday": [["09:00", "09:00"]]}, {"hours.monday[0]": ["09:00 to 09:00", "whole day"]}),
    ("an overlap", {"friday": [["09:00", "12:00"], ["11:00", "13:00"]]},
     {"hours.friday": ["11:00 to 13:00", "09:00 to 12:00"]}),
    ("an overlap over midnight", {"monday": [["22:00", "06:00"]], "tuesday": [["05:00", "09:00"]]},
     {"hours.tuesday": ["05:00 to 09:00", "22:00 to 06:00 of monday"]}),
    ("Sunday overlaps Monday", {"sunday": [["22:00", "06:00"]], "monday": [["05:59", "09:00"]]},
     {"hours.monday": ["05:59 to 09:00", "22:00 to 06:00 of sunday"]}),
    ("several faults", {"monday": [["a", "b"]], "someday": []}, {"hours.monday[0]": ["a to b"], "hours.someday": []}),
]  # fmt: skip


@pytest.mark.parametrize(("hours", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_named_by_its_path(hours: Any, expected: dict[str, list[str]]) -> None:
    with pytest.raises(Faults) as refused:
        read_weekly_hours(hours, "hours")
    assert set(refused.value.found) == set(expected)
    for path, words in expected.items():
        assert all(word in refused.value.found[path] for word in words), refused.value.found[path]


ZONES = (
    "America/New_York", "America/Denver", "America/Phoenix", "America/St_Johns", "Europe/Berlin", "Europe/London",
    "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland", "UTC",
)  # fmt: skip
NIGHT = {day: [["01:00", "03:00"]] for day in DAYS}


@pytest.mark.parametrize("zone", ZONES)
def test_in_every_hour_of_two_years_the_local_clock_decides(zone: str) -> None:
    """The hour that does not exist is in no range, and the one that comes twice is inside twice."""
    hours, moment = read_weekly_hours(NIGHT, "hours"), datetime(2026, 1, 1, tzinfo=UTC)
    inside = 0
    while moment.year < 2028:
        local = moment.astimezone(ZoneInfo(zone))
        assert hours.has(local) is ("01:00" <= local.strftime("%H:%M") < "03:00")
        inside += hours.has(local)
        moment += timedelta(minutes=30)
    assert abs(inside - 730 * 4) <= 6


WORDS = [
    ({}, "at no time"),
    ({day: [["00:00", "24:00"]] for day in DAYS}, "every day 00:00–24:00"),
    (OFFICE, "Monday to Friday 09:00–12:30 and 13:30–18:00"),
    ({"monday": [["09:00", "17:00"]], "tuesday": [["09:00", "17:00"]], "saturday": [["10:00", "14:00"]]},
     "Monday and Tuesday 09:00–17:00, Saturday 10:00–14:00"),
]  # fmt: skip


@pytest.mark.parametrize(("hours", "words"), WORDS)
def test_hours_in_words(hours: dict[str, Any], words: str) -> None:
    assert hours_in_words(hours) == words
    assert hours_from_words(words) == (hours or None)


SAID: list[tuple[str, dict[str, Any] | None]] = [
    ("Mon-Wed 9:00-17:00", {day: [["09:00", "17:00"]] for day in DAYS[:3]}),
    ("sat and sun 10:00 to 14:00", {day: [["10:00", "14:00"]] for day in DAYS[5:]}),
    ("Fri to Mon 22:00–06:00", {day: [["22:00", "06:00"]] for day in ("monday", "friday", "saturday", "sunday")}),
    ("Monday", None),
    ("09:00–17:00", None),
    ("Mo 09:00–17:00", None),
    ("Monday to Friday 09:00", None),
    ("Monday or Friday 09:00–17:00", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "expected"), SAID)
def test_hours_from_words(text: str, expected: dict[str, Any] | None) -> None:
    assert hours_from_words(text) == expected


@given(st.text(max_size=60))
def test_no_words_break_it(text: str) -> None:
    found = hours_from_words(text)
    assert found is None or set(found) <= set(DAYS)

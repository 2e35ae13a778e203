"""When the steps of a campaign are due: days and times of day are the contact's, across summer time and leap days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from leadroutes.domain.campaign import check_recurrence, next_due, next_occurrence, plan_steps
from leadroutes.domain.model import CampaignAction
from leadroutes.errors import Invalid

DENVER, NEW_YORK = "America/Denver", "America/New_York"


def action(**changes: Any) -> CampaignAction:
    default = CampaignAction(
        id=1,
        type="Email Contact",
        assigned_user_id=None,
        template_id=None,
        timing_type="Delay by Minutes",
        delay_by_days=None,
        dispatch_time=None,
        delay_by_seconds=None,
        dispatch_datetime=None,
        recurrence=None,
        trigger_type=1,
        is_stopped_on_text_reply=False,
        description=None,
    )
    return replace(default, **changes)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(days: int, time: str) -> dict[str, Any]:
    return {"timing_type": "Delay by Day and Time", "delay_by_days": days, "dispatch_time": time}


START = "2026-11-24T19:30:00"  # noon and a half in Denver
MOMENTS: list[tuple[str, dict[str, Any], str, str | None, str]] = [
    ("seconds, in spite of the name", {"delay_by_seconds": 120}, START, DENVER, "2026-11-24T19:32:00"),
    ("no delay", {"delay_by_seconds": 0}, START, DENVER, START),
    ("the next day at half past nine in Denver", day(1, "09:30:00"), START, DENVER, "2026-11-25T16:30:00"),
    ("without a zone, UTC", day(1, "09:30"), START, None, "2026-11-25T09:30:00"),
    ("day 0, later today", day(0, "18:00"), START, DENVER, "2026-11-25T01:00:00"),
    ("day 0, past: the next such time", day(0, "09:00"), START, DENVER, "2026-11-25T16:00:00"),
    ("the contact's day, not UTC's", day(1, "09:00"), "2026-11-25T03:00:00", DENVER, "2026-11-25T16:00:00"),
    ("across the end of summer time", day(1, "09:00"), "2026-10-31T18:00:00", NEW_YORK, "2026-11-01T14:00:00"),
    ("a time that the clock leaps over", day(1, "02:30"), "2026-03-07T18:00:00", NEW_YORK, "2026-03-08T07:30:00"),
    ("a time that comes twice: the first", day(1, "01:30"), "2026-10-31T18:00:00", NEW_YORK, "2026-11-01T05:30:00"),
    (
        "an exact moment",
        {"timing_type": "Exact Date and Time", "dispatch_datetime": at("2026-12-09T16:00:00")},
        START,
        DENVER,
        "2026-12-09T16:00:00",
    ),
]


@pytest.mark.parametrize(("changes", "start", "zone", "due"), [row[1:] for row in MOMENTS], ids=[r[0] for r in MOMENTS])
def test_a_step_is_due_at(changes: dict[str, Any], start: str, zone: str | None, due: str) -> None:
    [step] = plan_steps([action(**changes)], at(start), zone, None)
    assert step.due_at == at(due)
    assert not step.is_past


@pytest.mark.parametrize("trigger_type", [1, 2])
def test_an_exact_moment_that_has_passed_is_stored_and_not_sent(trigger_type: int) -> None:
    moment = {"timing_type": "Exact Date and Time", "dispatch_datetime": at("2016-11-01T16:00:00")}
    [step] = plan_steps([action(trigger_type=trigger_type, **moment)], at(START), DENVER, "1955-10-28")
    assert step.is_past


def test_steps_come_in_the_order_of_their_moments() -> None:
    steps = plan_steps([action(id=1, **day(1, "09:00")), action(id=2, delay_by_seconds=60)], at(START), DENVER, None)
    assert [step.action.id for step in steps] == [2, 1]


BIRTHDAYS: list[tuple[str, str | None, str | None]] = [
    ("this year's is still to come", "1955-12-28", "2026-12-28T16:00:00"),
    ("this year's has passed", "1955-10-28", "2027-10-28T15:00:00"),
    ("today, and the hour is past", "1955-11-24", "2027-11-24T16:00:00"),
    ("a leap day", "1956-02-29", "2027-02-28T16:00:00"),
    ("unknown", None, None),
    ("not in the form", "28 October 1955", None),
    ("no such day", "1955-02-30", None),
]


@pytest.mark.parametrize(("birthday", "due"), [row[1:] for row in BIRTHDAYS], ids=[row[0] for row in BIRTHDAYS])
def test_a_birthdays_step_waits_for_the_next_one(birthday: str | None, due: str | None) -> None:
    steps = plan_steps([action(trigger_type=2, **day(0, "09:00"))], at(START), DENVER, birthday)
    assert [step.due_at for step in steps] == ([at(due)] if due else [])


SERIES: list[tuple[str, list[dict[str, Any]], str, list[str]]] = [
    (
        "an evening: the next three mornings",
        [day(0, "09:00"), day(1, "09:00"), day(2, "09:00")],
        "2026-11-24T03:00:00",
        ["2026-11-24T16:00:00", "2026-11-25T16:00:00", "2026-11-26T16:00:00"],
    ),
    (
        "a morning: today and the two days after",
        [day(0, "09:00"), day(1, "09:00"), day(2, "08:00")],
        "2026-11-24T15:00:00",
        ["2026-11-24T16:00:00", "2026-11-25T16:00:00", "2026-11-26T15:00:00"],
    ),
    (
        "no day 0: the days after the start",
        [day(1, "09:00"), day(2, "09:00")],
        "2026-11-24T03:00:00",
        ["2026-11-24T16:00:00", "2026-11-25T16:00:00"],
    ),
    (
        "a first answer at once is not a day 0",
        [{"delay_by_seconds": 0}, day(1, "09:00")],
        "2026-11-24T03:00:00",
        ["2026-11-24T03:00:00", "2026-11-24T16:00:00"],
    ),
    (
        "two steps of day 0 on two days: from the later one",
        [day(0, "09:00"), day(0, "21:00"), day(1, "09:00")],
        "2026-11-24T03:00:00",
        ["2026-11-24T04:00:00", "2026-11-24T16:00:00", "2026-11-25T16:00:00"],
    ),
    (
        "across the end of summer time",
        [day(0, "09:00"), day(1, "09:00")],
        "2026-10-31T02:00:00",
        ["2026-10-31T15:00:00", "2026-11-01T16:00:00"],
    ),
]


@pytest.mark.parametrize(("steps", "start", "due"), [row[1:] for row in SERIES], ids=[row[0] for row in SERIES])
def test_days_of_a_series_count_from_the_day_of_its_day_0(
    steps: list[dict[str, Any]], start: str, due: list[str]
) -> None:
    planned = plan_steps([action(**step) for step in steps], at(start), DENVER, None)
    assert [step.due_at for step in planned] == [at(each) for each in due]


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from([DENVER, NEW_YORK, "Pacific/Honolulu", "Australia/Lord_Howe", None]),
    st.times(),
    st.integers(1, 40),
)
def test_no_two_days_of_a_series_fall_on_one_moment(start: datetime, zone: str | None, time: Any, days: int) -> None:
    actions = [action(id=each, **day(each, time.isoformat("minutes"))) for each in range(days)]
    steps = plan_steps(actions, start.replace(tzinfo=UTC), zone, None)
    local = [step.due_at.astimezone(ZoneInfo(zone or "UTC")).date() for step in steps]
    assert [step.action.id for step in steps] == list(range(days))
    assert local == [local[0] + timedelta(days=each) for each in range(days)]


def birthdays(
    until: int,
    zone: str | None,
    birthday: str,
    changes: dict[int, tuple[str | None, str | None]] | None = None,
    **step: Any,
) -> list[str]:
    """When a birthday's step is due, year by year, as local time; `changes` are what is known from a year on."""
    mail, start = action(trigger_type=2, **(step or day(0, "09:00"))), at("2026-01-10T12:00:00")
    due_at: datetime | None = plan_steps([mail], start, zone, birthday)[0].due_at
    known: tuple[str | None, str | None] = (zone, birthday)
    found = []
    while due_at is not None and due_at.year <= until:
        found.append(f"{due_at.astimezone(ZoneInfo(zone or 'UTC')):%Y-%m-%d %H:%M}")
        known = (changes or {}).get(due_at.year, known)
        due_at = next_due(mail, due_at, start, due_at, *known)
    return found


def test_a_leap_days_birthday_falls_on_the_28th_of_common_years_only() -> None:
    assert birthdays(2028, DENVER, "1984-02-29") == ["2026-02-28 09:00", "2027-02-28 09:00", "2028-02-29 09:00"]
    assert birthdays(2033, DENVER, "1984-02-29")[5:] == ["2031-02-28 09:00", "2032-02-29 09:00", "2033-02-28 09:00"]


def test_a_birthday_keeps_its_hour_where_summer_time_begins_on_another_day() -> None:
    assert {each[11:] for each in birthdays(2040, DENVER, "1990-03-10")} == {"09:00"}
    assert {each[5:] for each in birthdays(2040, DENVER, "1990-03-10", **day(0, "00:00"))} == {"03-10 00:00"}


def test_a_corrected_birthday_counts_from_the_next_year_on() -> None:
    def corrected(birthday: str, to: str) -> list[str]:
        return [each[:10] for each in birthdays(2028, DENVER, birthday, {2026: (DENVER, to)})]

    assert corrected("1990-03-10", "1990-06-01") == ["2026-03-10", "2027-06-01", "2028-06-01"]
    assert corrected("1990-06-01", "1990-03-10") == ["2026-06-01", "2027-03-10", "2028-03-10"]
    assert corrected("1990-12-20", "1990-01-15") == ["2026-12-20", "2027-01-15", "2028-01-15"]
    assert corrected("1990-12-31", "1991-01-01") == ["2026-12-31", "2028-01-01"], "a day late is the same birthday"


def test_a_time_zone_that_is_learnt_counts_from_the_next_year_on() -> None:
    learnt = {2026: ("Pacific/Honolulu", "1990-06-01")}
    assert birthdays(2027, DENVER, "1990-06-01", learnt) == ["2026-06-01 09:00", "2027-06-01 13:00"]
    learnt = {2027: ("Pacific/Honolulu", "1990-01-01")}
    found = birthdays(2029, "Pacific/Auckland", "1990-01-01", learnt, **day(0, "00:00"))
    assert len(found) == 3, "the new year comes later to Honolulu, and it is one birthday all the same"


def test_a_birthday_that_is_not_known_any_more_does_not_come_again() -> None:
    assert birthdays(2040, DENVER, "1990-06-01", {2028: (DENVER, None)}) == [
        "2026-06-01 09:00", "2027-06-01 09:00", "2028-06-01 09:00"
    ]  # fmt: skip


def test_an_exact_moment_does_not_come_again() -> None:
    exact = {"timing_type": "Exact Date and Time", "dispatch_datetime": at("2026-12-09T16:00:00")}
    assert birthdays(2040, DENVER, "1990-06-01", **exact) == ["2026-12-09 09:00"]


def test_a_birthday_that_is_years_late_is_due_next_at_the_first_that_is_still_to_come() -> None:
    mail = action(trigger_type=2, **day(0, "09:00"))
    late, start, now = at("2026-03-10T16:00:00"), at(START), at("2031-03-10T16:00:00")
    assert next_due(mail, late, start, now, None, "1990-03-10") == at("2032-03-10T09:00:00")


@given(
    st.dates(date(1900, 1, 1), date(2020, 12, 31)),
    st.sampled_from([DENVER, NEW_YORK, "Pacific/Honolulu", "Australia/Lord_Howe", "Pacific/Apia", None]),
    st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)),
    st.times(),
    st.integers(0, 800),
)
def test_a_birthdays_successor_is_what_a_start_on_the_day_after_would_plan(
    born: date, zone: str | None, start: datetime, time: Any, days: int
) -> None:
    mail, begun = action(trigger_type=2, **day(days, time.isoformat("minutes"))), start.replace(tzinfo=UTC)
    due_at = plan_steps([mail], begun, zone, born.isoformat())[0].due_at
    for _ in range(5):
        successor = next_due(mail, due_at, begun, due_at, zone, born.isoformat())
        assert successor is not None
        assert timedelta(days=363) < successor - due_at < timedelta(days=368)
        if days == 0:
            [planned] = plan_steps([mail], due_at + timedelta(days=2), zone, born.isoformat())
            assert successor == planned.due_at
        due_at = successor


def test_a_recurring_task_is_due_at_its_first_occurrence_and_then_at_the_next() -> None:
    rule = "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0"
    task = action(type="Agent Task - Call Reminder", timing_type="Recurring", recurrence=rule)
    [step] = plan_steps([task], at(START), DENVER, None)
    assert step.due_at == at("2026-11-30T16:00:00")
    assert not step.is_communication
    assert next_occurrence(rule, at(START), step.due_at, DENVER) == at("2026-12-07T16:00:00")


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=1", "FREQ=DAILY;UNTIL=20261124T000000Z"])
def test_a_rule_that_has_run_out_has_no_next_occurrence(rule: str) -> None:
    assert next_occurrence(rule, at(START), at(START), DENVER) is None


def test_a_count_is_counted_from_the_start() -> None:
    rule = "RRULE:FREQ=DAILY;COUNT=3"
    assert next_occurrence(rule, at(START), at("2026-11-25T20:00:00"), DENVER) == at("2026-11-26T19:30:00")
    assert next_occurrence(rule, at(START), at("2026-11-26T20:00:00"), DENVER) is None


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "every monday",
        "FREQ=NEVER",
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "RDATE:20270101",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYSETPOS=9",
        "FREQ=DAILY;COUNT=x",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=WEEKLY;INTERVAL=-3",
        "FREQ=DAILY;INTERVAL=7;BYDAY=FR",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=-30",
        "FREQ=DAILY;BYMONTHDAY=32",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYEASTER=500",
        "FREQ=MONTHLY;BYDAY=MO,+9TU",
        "FREQ=YEARLY;BYMONTH=12;BYDAY=+53MO",
        "FREQ=WEEKLY;BYSETPOS=300;BYDAY=MO",
        "FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1",
        "FREQ=DAILY;BYMINUTE=0,1,2",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;UNTIL=99999999T000000Z",
        "FREQ=DAILY;UNTIL=00010101T000000Z",
        "DTSTART:20200101\nRRULE:FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    ],
)
def test_what_is_not_a_rule_is_refused_by_name_and_value(rule: str) -> None:
    with pytest.raises(Invalid, match="recurrence") as invalid:
        check_recurrence(rule, date(2026, 1, 1))
    assert set(invalid.value.errors) == {"recurrence"}


@pytest.mark.parametrize("rule", ["FREQ=DAILY;INTERVAL=0", "FREQ=WEEKLY;INTERVAL=-3", "FREQ=MONTHLY;BYDAY=+9MO", ""])
def test_a_stored_rule_that_cannot_be_followed_has_run_out(rule: str) -> None:
    assert next_occurrence(rule, at(START), at(START), DENVER) is None


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ("freq=daily", "2026-11-25T19:30:00"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27T19:30:00"),
        ("FREQ=YEARLY;BYDAY=20MO", "2027-05-17T18:30:00"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU", "2032-02-29T19:30:00"),
        ("FREQ=DAILY;INTERVAL=2;UNTIL=20261231", "2026-11-26T19:30:00"),
    ],
)
def test_a_rule_of_rfc_5545_is_followed(rule: str, due: str) -> None:
    assert next_occurrence(rule, at(START), at(START), DENVER) == at(due)


@pytest.mark.parametrize("changes", [{"delay_by_seconds": 2**31 - 1}, day(2**31 - 1, "09:00")])
def test_the_longest_delays_do_not_leave_the_calendar(changes: dict[str, Any]) -> None:
    [step] = plan_steps([action(**changes)], at(START), DENVER, None)
    assert step.due_at.year > 2090

"""Whether a member is available, with which reason, until when: tables, and both nights on which clocks change."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.availability import Attendance, Presence, find_absence, present_pause
from leadroutes.domain.model import DistributionOption
from leadroutes.domain.weekly_hours import DAYS, next_opening, read_weekly_hours
from leadroutes.domain.workloads import NO_LEADS, Workload, spans_of
from tests.support.builders import ALICE, BOB, CAROL, DAVE, NOON, member, option, route, rule_set, team
from tests.support.examples import examples

ZONE = "America/Denver"  # seven hours behind in winter
MONDAY = datetime(2026, 1, 12, 16, tzinfo=UTC)  # 09:00 there
OFFICE = {day: [["09:00", "17:00"]] for day in DAYS[:5]}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of that January, by the clock of Denver."""
    return datetime(2026, 1, day, hour, minute, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def said(hours: Any = None, **changes: Any) -> Presence:
    return Presence(timezone=ZONE, weekly_hours=None if hours is None else json.dumps(hours), **changes)


def caps(**changes: Any) -> DistributionOption:
    return option(**changes)


FULL = Workload(open_leads=5, leads_today=3, leads_this_week=10)
OFF = ((at(12, 8), at(14, 12)),)
ROWS: list[tuple[str, Presence, DistributionOption | None, Workload, str | None, datetime | None]] = [
    ("nothing", said(), None, NO_LEADS, None, None),
    ("inside the hours", said(OFFICE), None, NO_LEADS, None, None),
    ("a pause without an end", said(is_paused=True), None, NO_LEADS, "paused", None),
    ("a pause", said(is_paused=True, paused_until=at(13, 9)), None, NO_LEADS, "paused until Tue 13 Jan 09:00",
     at(13, 9)),
    ("a pause that is over", said(is_paused=True, paused_until=at(12, 9)), None, NO_LEADS, None, None),
    ("time off", said(off=OFF), None, NO_LEADS, "off until Wed 14 Jan 12:00", at(14, 12)),
    ("time off that has not begun", said(off=((at(12, 9, 1), at(13, 9)),)), None, NO_LEADS, None, None),
    ("time off that has just ended", said(off=((at(12, 8), at(12, 9)),)), None, NO_LEADS, None, None),
    ("outside the hours", said({"monday": [["10:00", "12:00"]]}), None, NO_LEADS,
     "outside working hours until Mon 12 Jan 10:00", at(12, 10)),
    ("no hours at all", said({}), None, NO_LEADS, "outside working hours", None),
    ("time off that ends at night ends in the morning", said(OFFICE, off=((at(12, 8), at(13, 23)),)), None, NO_LEADS,
     "off until Wed 14 Jan 09:00", at(14, 9)),
    ("overlapping and following time off",
     said(off=((at(12, 8), at(13, 8)), (at(12, 20), at(14, 8)), (at(14, 8), at(15, 8)))), None, NO_LEADS,
     "off until Thu 15 Jan 08:00", at(15, 8)),
    ("a pause comes first and lasts until all is over", said(OFFICE, is_paused=True, paused_until=at(16, 18), off=OFF),
     None, NO_LEADS, "paused until Mon 19 Jan 09:00", at(19, 9)),
    ("the pause of the team", said(), caps(is_paused=True), NO_LEADS, "paused", None),
    ("the longer pause counts", said(is_paused=True, paused_until=at(13, 9)),
     caps(is_paused=True, paused_until=at(14, 9)), NO_LEADS, "paused until Wed 14 Jan 09:00", at(14, 9)),
    ("one pause without an end", said(is_paused=True, paused_until=at(13, 9)), caps(is_paused=True), NO_LEADS, "paused",
     None),
    ("below the caps", said(), caps(max_open_leads=6, max_leads_per_day=4, max_leads_per_week=11), FULL, None, None),
    ("open leads", said(), caps(max_open_leads=5, max_leads_per_day=3), FULL, "open leads: 5 of 5", None),
    ("more than the cap", said(), caps(max_open_leads=2), FULL, "open leads: 5 of 2", None),
    ("leads today return at midnight", said(), caps(max_leads_per_day=3), FULL, "leads today: 3 of 3", at(13, 0)),
    ("and then in the hours", said(OFFICE), caps(max_leads_per_day=3), FULL, "leads today: 3 of 3", at(13, 9)),
    ("leads this week return on Monday", said(), caps(max_leads_per_week=10), FULL, "leads this week: 10 of 10",
     at(19, 0)),
    ("the day is said, the week counts", said(), caps(max_leads_per_day=3, max_leads_per_week=10), FULL,
     "leads today: 3 of 3", at(19, 0)),
    ("a cap of 0 never returns", said(), caps(max_leads_per_day=0), NO_LEADS, "leads today: 0 of 0", None),
    ("what is known is said, though the return is not", said(off=OFF), caps(max_open_leads=5), FULL,
     "off until Wed 14 Jan 12:00", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("presence", "of_team", "workload", "reason", "back"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_why_a_member_is_not_available_and_until_when(
    presence: Presence,
    of_team: DistributionOption | None,
    workload: Workload,
    reason: str | None,
    back: datetime | None,
) -> None:
    absence = find_absence(presence, MONDAY, of_team, workload)
    assert (absence.reason if absence else None, absence.available_from if absence else None) == (reason, back)
    if back is not None:
        spared = (
            NO_LEADS if of_team is not None and absence is not None and absence.reason.startswith("leads") else FULL
        )
        assert find_absence(presence, back, of_team, spared) is None


def test_the_same_hours_open_for_each_member_by_the_clock_of_their_zone() -> None:
    night = datetime(2026, 1, 12, 6, tzinfo=UTC)
    hours = json.dumps(OFFICE)
    presences = [Presence(timezone=zone, weekly_hours=hours) for zone in (ZONE, "Europe/London", ZONE)]
    for minute in range(2):
        absences = [find_absence(each, night + timedelta(minutes=minute)) for each in presences]
        assert [each and each.available_from for each in absences] == [at(12, 9), at(12, 2), at(12, 9)]
    assert find_absence(presences[1], at(12, 2)) is None


def test_a_pause_is_of_another_kind_than_hours_and_caps() -> None:
    kinds = [find_absence(each, MONDAY) for each in (said(is_paused=True), said({}), said(is_paused=True, off=OFF))]
    assert [each.kind if each else None for each in kinds] == ["paused", "away", "paused"]


@pytest.mark.parametrize(
    ("is_paused", "until", "expected"),
    [
        (False, None, (False, None)),
        (True, None, (True, None)),
        (True, at(12, 9), (False, None)),
        (True, at(12, 10), (True, at(12, 10))),
    ],
)
def test_a_pause_that_is_over_is_none(is_paused: bool, until: datetime | None, expected: Any) -> None:
    assert present_pause(is_paused, until, MONDAY) == expected


# -- days and weeks


@pytest.mark.parametrize(
    ("zone", "moment", "day", "next_day", "week"),
    [
        (ZONE, at(12, 9), at(12, 0), at(13, 0), at(12, 0)),
        (ZONE, at(18, 23, 59), at(18, 0), at(19, 0), at(12, 0)),
        # a day of 23 hours, one of 25, and one that begins at 01:00 because midnight is skipped
        (ZONE, datetime(2026, 3, 8, 18, tzinfo=UTC), datetime(2026, 3, 8, 7, tzinfo=UTC),
         datetime(2026, 3, 9, 6, tzinfo=UTC), datetime(2026, 3, 2, 7, tzinfo=UTC)),
        (ZONE, datetime(2026, 11, 1, 18, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC),
         datetime(2026, 11, 2, 7, tzinfo=UTC), datetime(2026, 10, 26, 6, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2026, 4, 24, 10, tzinfo=UTC), datetime(2026, 4, 23, 22, tzinfo=UTC),
         datetime(2026, 4, 24, 21, tzinfo=UTC), datetime(2026, 4, 19, 22, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_days_and_weeks_are_those_of_the_member(
    zone: str, moment: datetime, day: datetime, next_day: datetime, week: datetime
) -> None:
    spans = spans_of(moment, zone)
    assert (spans.day, spans.next_day, spans.week) == (day, next_day, week)
    assert spans_of(spans.next_week, zone).week == spans.next_week


# -- the nights on which clocks change

NIGHTS = {  # zone: the days on which its clocks go forward and back
    "America/Denver": ("2026-03-08", "2026-11-01"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2026-03-08", "2026-11-01"),
    "America/Havana": ("2026-03-08", "2026-11-01"),  # at midnight
    "America/Santiago": ("2026-09-06", "2026-04-05"),
    "Europe/London": ("2026-03-29", "2026-10-25"),
    "Europe/Lisbon": ("2026-03-29", "2026-10-25"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),  # by half an hour
    "Asia/Beirut": ("2026-03-29", "2026-10-25"),
}
MINUTE = timedelta(minutes=1)


@st.composite
def _nights(draw: st.DrawFn) -> tuple[str, datetime, dict[str, list[list[str]]]]:
    """A zone, a moment within a day of a change, and hours around that time of day."""
    zone = draw(st.sampled_from(sorted(NIGHTS)))
    night = datetime.fromisoformat(draw(st.sampled_from(NIGHTS[zone]))).replace(tzinfo=ZoneInfo(zone))
    moment = night.astimezone(UTC) + draw(st.integers(-1440, 1440)) * MINUTE
    hours = {}
    for day in draw(st.sets(st.sampled_from(DAYS), min_size=3)):
        start, end = draw(st.lists(st.integers(0, 5 * 12), min_size=2, max_size=2, unique=True).map(sorted))
        hours[day] = [[f"{start // 12:02}:{start % 12 * 5:02}", f"{end // 12:02}:{end % 12 * 5:02}"]]
    return zone, moment, hours


@settings(max_examples=examples(60), deadline=None)
@given(_nights())
def test_the_next_opening_is_the_first_minute_at_which_the_wall_clock_is_inside(given_night: Any) -> None:
    zone, moment, given_hours = given_night
    place, hours = ZoneInfo(zone), read_weekly_hours(given_hours, "hours")
    found = next_opening(hours, moment, place)
    assert found is not None
    assert hours.has(found.astimezone(place))
    minute = moment
    while minute < found:
        assert not hours.has(minute.astimezone(place)), minute
        minute += MINUTE if found - minute < timedelta(days=2) else 7 * MINUTE


# -- a batch


def test_a_cap_that_a_batch_reaches_counts_for_the_rest_of_it() -> None:
    rules = rule_set(route(), team(member(BOB, max_open_leads=2, max_leads_per_day=9), member(CAROL)))
    attendance = Attendance(rules, NOON, {}, {BOB: Workload(open_leads=1)})
    assert attendance.absences(10) == {}
    attendance.note_lead(CAROL)
    attendance.note_lead(ALICE)
    assert attendance.absences(10) == {}
    attendance.note_lead(BOB)
    assert [each.reason for each in attendance.absences(10).values()] == ["open leads: 2 of 2"]
    assert attendance.absences(None) == attendance.absences(99) == {}


MEMBERS = (BOB, CAROL, DAVE)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=6, max_size=6), st.lists(st.sampled_from(((BOB, 10), (CAROL, 11), (DAVE, 10))))
)
def test_absences_of_a_batch_are_those_of_its_counts_whenever_they_are_asked_for(
    most: list[int], given: list[tuple[int, int]]
) -> None:
    """A lead changes what is known of one member, in all teams; each is asked for at other moments."""
    teams = [
        team(*(member(each, max_open_leads=cap) for each, cap in zip(MEMBERS, caps_of, strict=True)), id=team_id)
        for team_id, caps_of in ((10, most[:3]), (11, most[3:]))
    ]
    rules = rule_set(route(), *teams)
    attendance = Attendance(rules, NOON, {}, dict.fromkeys(MEMBERS, NO_LEADS))
    counts = dict.fromkeys(MEMBERS, 0)
    for user_id, asked in given:
        before = attendance.absences(asked)
        shown = dict(before)
        attendance.note_lead(user_id)
        counts[user_id] += 1
        present = {each: Workload(open_leads=count) for each, count in counts.items()}
        assert attendance.absences(asked) == Attendance(rules, NOON, {}, present).absences(asked)
        assert before == shown, "decisions that were made keep what they saw"
    for team_id in (10, 11):
        present = {each: Workload(open_leads=count) for each, count in counts.items()}
        fresh = Attendance(rules, NOON, {}, present).absences(team_id)
        assert list(attendance.absences(team_id).items()) == list(fresh.items())


def test_only_teams_with_someone_who_can_be_away_are_asked_about() -> None:
    assert rule_set(route(), team(member(BOB))).limited_teams == frozenset()
    for changes in ({"is_paused": True}, {"max_open_leads": 0}, {"max_leads_per_day": 3}, {"max_leads_per_week": 3}):
        assert rule_set(route(), team(member(BOB, **changes))).limited_teams == {10}, changes

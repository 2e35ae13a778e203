"""Moments at the ends of the calendar: people enter 9999-12-31 for ever, when some zones have the year 10000."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.api.trial_calls import past_moment
from leadroutes.api.values import Moment
from leadroutes.domain.alert_times import next_digest, quiet_until
from leadroutes.domain.availability import Presence, find_absence
from leadroutes.domain.campaign import next_occurrence
from leadroutes.domain.faults import Faults
from leadroutes.domain.moments import wall_clock
from leadroutes.domain.normalize import normal_time
from leadroutes.domain.rule_fields import RuleMoment
from leadroutes.domain.trial_attendance import Availability, TrialAttendance
from leadroutes.domain.weekly_hours import next_opening, read_weekly_hours
from leadroutes.domain.windows import Leave, SendingRules, Skip, StepFacts, Wait, decide, zone_label
from leadroutes.domain.workloads import spans_of
from leadroutes.web.local_time import local_value
from leadroutes.web.rendering import moment as rendered
from tests.support.builders import BOB, NOON, member, route, rule_set, team

FIRST, LAST = datetime(1, 1, 1, 0, 0, 0, 1000, UTC), datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)
ZONES = ["Asia/Tokyo", "America/Denver", "UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu"]
HOURS = ['{"monday": [["09:00", "17:00"]], "saturday": [["22:00", "06:00"]]}', '{"sunday": [["00:00", "24:00"]]}', None]
ENDS = st.one_of(
    st.sampled_from([FIRST, LAST]),
    st.timedeltas(timedelta(0), timedelta(days=40)).map(lambda span: FIRST + span),
    st.timedeltas(timedelta(0), timedelta(days=40)).map(lambda span: LAST - span),
)


@given(ENDS, st.sampled_from(ZONES))
def test_a_clock_shows_every_moment(moment: datetime, zone: str) -> None:
    shown = wall_clock(moment, ZoneInfo(zone))
    assert abs(shown - moment) < timedelta(days=5)
    assert rendered(moment, zone, NOON)
    assert zone_label(zone, moment)
    assert local_value(moment, zone)


@given(ENDS, st.sampled_from(ZONES), st.sampled_from(HOURS))
def test_an_absence_may_last_to_the_end_of_the_calendar(moment: datetime, zone: str, hours: str | None) -> None:
    presence = Presence(timezone=zone, weekly_hours=hours, is_paused=True, paused_until=moment, off=((FIRST, moment),))
    found = find_absence(presence, min(NOON, moment - timedelta(milliseconds=1)) if moment > FIRST else moment)
    assert moment == FIRST or (found is not None and found.reason.startswith("paused until "))


@given(ENDS, st.sampled_from(ZONES))
def test_hours_and_days_are_counted_up_to_the_end(moment: datetime, zone: str) -> None:
    hours = read_weekly_hours({"monday": [["09:00", "17:00"]]}, "hours")
    opening = next_opening(hours, moment, ZoneInfo(zone))
    assert opening is None or opening >= moment
    assert spans_of(moment, zone).next_week
    assert next_digest(min(moment, LAST - timedelta(days=5)), zone)
    quiet_until(min(moment, LAST - timedelta(days=5)), zone, "22:00", "07:00")
    next_occurrence("FREQ=DAILY", moment, moment, zone)


@given(ENDS, ENDS, st.sampled_from(ZONES), st.sampled_from(HOURS), st.sampled_from(["Email Contact", "Text Contact"]))
def test_a_step_may_fall_due_at_the_end(
    send_at: datetime, now: datetime, zone: str, hours: str | None, kind: str
) -> None:
    window = None if hours is None else f'{{"weekly_hours": {hours}}}'
    step = StepFacts(type=kind, send_at=send_at, campaign_window=window, contact_zone=zone)
    assert isinstance(decide(step, now, SendingRules(has_provider=True)), Leave | Wait | Skip)


@given(ENDS, st.sampled_from(ZONES), st.sampled_from(HOURS))
def test_a_trial_may_have_a_lead_at_the_end(moment: datetime, zone: str, hours: str | None) -> None:
    rules = rule_set(route(), team(member(BOB)))
    presence = Presence(timezone=zone, weekly_hours=hours, is_paused=True, paused_until=moment)
    attendance = TrialAttendance(rules, Availability({BOB: presence}))
    assert attendance.at(10, moment) is attendance.at(10, moment)


@pytest.mark.parametrize("given_", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_document_names_no_moment_outside_of_the_calendar(given_: str) -> None:
    with pytest.raises(Faults) as refused:
        RuleMoment().read(given_, "teams[0].paused_until")
    assert given_ in refused.value.found["teams[0].paused_until"]


@pytest.mark.parametrize("given_", ["0001-01-01T00:00:00Z", "0001-01-01", "0001-01-01T00:00:00+14:00"])
def test_no_reader_takes_the_beginning_of_time(given_: str) -> None:
    """The driver would store it as minus infinity, which no answer can show."""
    assert normal_time(given_) is None
    for read in (Moment().take, lambda text: past_moment(text, NOON)):
        with pytest.raises((ValueError, OverflowError)):
            read(given_)

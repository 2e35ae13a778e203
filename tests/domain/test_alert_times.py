"""Quiet times and digests: by the user's clock, also in the nights in which it changes."""

from datetime import UTC, datetime, timedelta

import pytest

from leadroutes.domain.agent_hours import agent_zone
from leadroutes.domain.alert_times import is_digest_moment, next_digest, quiet_until, waits_until

DENVER = "America/Denver"  # UTC-7 in winter, -6 in summer; the clock changes on 8 March and 1 November 2026


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "begins", "ends", "until"),
    [
        ("2026-11-24 12:00", "22:00", "07:00", "2026-11-24 14:00"),  # 05:00 in Denver
        ("2026-11-24 05:00", "22:00", "07:00", "2026-11-24 14:00"),  # 22:00, the first moment
        ("2026-11-24 04:59", "22:00", "07:00", None),
        ("2026-11-24 14:00", "22:00", "07:00", None),  # 07:00, the first moment after
        ("2026-11-24 13:59", "22:00", "07:00", "2026-11-24 14:00"),
        ("2026-11-24 20:00", "12:00", "14:00:30", "2026-11-24 21:00:30"),
        ("2026-11-24 18:00", "12:00", "14:00", None),
        ("2026-11-24 12:00", None, None, None),
        ("2026-11-24 12:00", "22:00", None, None),
        # the night in which the clock goes forward: 02:00 to 03:00 is skipped
        ("2026-03-08 08:00", "22:00", "07:00", "2026-03-08 13:00"),
        ("2026-03-08 08:30", "22:00", "02:30", "2026-03-08 09:30"),  # 02:30 is 03:30 in this night
        # the night in which it goes back: 01:00 to 02:00 comes twice
        ("2026-11-01 06:00", "22:00", "07:00", "2026-11-01 14:00"),
        ("2026-11-01 06:30", "22:00", "01:30", "2026-11-01 07:30"),  # the first 01:30
        ("2026-11-01 08:10", "22:00", "01:30", "2026-11-01 08:30"),  # within the second 01:00 to 01:30
    ],
)
def test_alerts_wait_for_the_end_of_the_quiet_time(
    now: str, begins: str | None, ends: str | None, until: str | None
) -> None:
    assert quiet_until(utc(now), DENVER, begins, ends) == (utc(until) if until else None)


@pytest.mark.parametrize("zone", [DENVER, "Australia/Lord_Howe", "UTC", "Pacific/Apia", "nowhere"])
@pytest.mark.parametrize(
    ("begins", "ends"), [("22:00", "07:00"), ("01:15", "02:45"), ("23:59", "00:00"), ("02:00", "01:59")]
)
def test_a_quiet_time_always_ends_and_within_a_day(zone: str, begins: str, ends: str) -> None:
    for hours in range(0, 24 * 366, 5):
        now = utc("2026-01-01 00:07") + timedelta(hours=hours)
        until = quiet_until(now, zone, begins, ends)
        assert until is None or timedelta(0) < until - now <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("kind", "channel", "waits"),
    [
        ("offer", "email", False), ("reoffer", "text", False), ("won", "email", True), ("unclaimed", "text", True),
        ("untold", "email", True), ("digest", "email", True), ("handover", "email", True), ("claimed", "email", True),
        ("claimed", "push", False), ("won", "push", True), ("test", "email", False), ("password_reset", "email", False),
        ("campaign", "email", False), ("replied", "text", True),
    ],
)  # fmt: skip
def test_offers_come_at_any_hour(kind: str, channel: str, waits: bool) -> None:
    found = waits_until(kind, channel, utc("2026-11-24 12:00"), DENVER, "22:00", "07:00")
    assert (found is not None) is waits


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-11-24 14:29:59", "2026-11-24 14:30"),
        ("2026-11-24 14:30", "2026-11-25 14:30"),
        ("2026-11-24 20:00", "2026-11-25 14:30"),
        # over the night in which the clock goes forward, and the one in which it goes back
        ("2026-03-07 14:30", "2026-03-08 13:30"),
        ("2026-03-08 13:30", "2026-03-09 13:30"),
        ("2026-10-31 13:30", "2026-11-01 14:30"),
        ("2026-11-01 14:30", "2026-11-02 14:30"),
    ],
)
def test_a_digest_is_due_at_half_past_seven_by_the_users_clock(after: str, due: str) -> None:
    assert next_digest(utc(after), DENVER) == utc(due)
    assert is_digest_moment(utc(due), DENVER)
    assert not is_digest_moment(utc(due), "America/New_York")


def test_there_is_one_digest_a_day_in_every_zone() -> None:
    for zone in (DENVER, "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham"):
        moment = utc("2026-01-01 00:00")
        for _ in range(400):
            after = next_digest(moment, zone)
            assert timedelta(0) < after - moment <= timedelta(hours=25)
            moment = after


@pytest.mark.parametrize(
    ("own", "phone", "owners", "zone"),
    [
        (DENVER, "212-555-0100", "America/Chicago", DENVER),
        ("UTC", "212-555-0100", "America/Chicago", "America/New_York"),
        ("UTC", None, "America/Chicago", "America/Chicago"),
        ("UTC", "+44 20 7946 0958", "America/Chicago", "Europe/London"),
        (None, None, None, "UTC"),
    ],
)
def test_where_an_agent_is(own: str | None, phone: str | None, owners: str | None, zone: str) -> None:
    assert agent_zone(own, phone, owners) == zone

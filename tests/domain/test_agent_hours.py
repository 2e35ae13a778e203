"""When an agent is called: by the clock where the agent is."""

from datetime import UTC, datetime

import pytest

from leadroutes.domain.agent_hours import agent_zone, is_night


@pytest.mark.parametrize(
    ("own", "phone", "owners", "zone"),
    [
        ("America/Denver", "+12125550199", "America/Chicago", "America/Denver"),
        ("UTC", "+12125550199", "America/Chicago", "America/New_York"),
        (None, "(212) 555-0199", None, "America/New_York"),
        ("UTC", None, "America/Chicago", "America/Chicago"),
        ("UTC", "not a phone", "America/Chicago", "America/Chicago"),
        ("UTC", "+18005550199", "America/Chicago", "America/Chicago"),
        ("UTC", None, "UTC", "UTC"),
        (None, None, None, "UTC"),
    ],
)
def test_whose_clock_counts(own: str | None, phone: str | None, owners: str | None, zone: str) -> None:
    assert agent_zone(own, phone, owners) == zone


@pytest.mark.parametrize(
    ("hour", "minute", "night"),
    [(21, 59, False), (22, 0, True), (23, 59, True), (0, 0, True), (6, 59, True), (7, 0, False), (12, 0, False)],
)
def test_the_night_is_from_ten_to_seven(hour: int, minute: int, night: bool) -> None:
    denver = datetime(2026, 1, 15, (hour + 7) % 24, minute, tzinfo=UTC)
    assert is_night(denver, "America/Denver") is night


def test_the_night_follows_the_clock_through_the_year() -> None:
    assert is_night(datetime(2026, 7, 15, 3, 59, tzinfo=UTC), "America/Denver") is False  # 21:59 in summer
    assert is_night(datetime(2026, 7, 15, 4, 0, tzinfo=UTC), "America/Denver") is True


def test_a_zone_that_no_one_knows_is_utc() -> None:
    assert is_night(datetime(2026, 7, 15, 23, 0, tzinfo=UTC), "Mars/Olympus") is True

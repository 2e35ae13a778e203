"""What was rejected or is pending is read again: one by one, or all since a moment."""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from leadroutes.errors import Invalid
from leadroutes.ingest.replay import moment_of, replay
from tests.support.intake_app import IntakeApp

JSON = {"Content-Type": "application/json"}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def replayed(intake: IntakeApp, *statuses: str, hours: int = 1, owner: str = "") -> Counter[str]:
    owner_id = intake.town.users[owner] if owner else None
    moment = intake.database.clock.now() - timedelta(hours=hours)
    chosen: Collection[str] = statuses or ("rejected",)
    return await replay(intake.database, intake.arrivals, statuses=chosen, since=moment, owner_id=owner_id)


async def test_all_that_was_rejected_since_a_moment_is_read_again(intake: IntakeApp) -> None:
    """The key said that it was for mails, and JSON came."""
    key = await intake.key("email")
    await intake.post(key, b'{"email": "old@example.com"}', JSON)
    await intake.database.move_clock(timedelta(hours=3))
    for name in ("mia", "noa"):
        await intake.post(key, f'{{"email": "{name}@example.com"}}'.encode(), JSON)
    assert await replayed(intake) == {"rejected": 2}

    await intake.database.execute("UPDATE intake_keys SET format = NULL")
    assert await replayed(intake, owner="bob") == {}
    assert await replayed(intake, "pending") == {}
    assert await replayed(intake, owner="alice") == {"accepted": 2}
    assert await replayed(intake) == {}
    assert await replayed(intake, hours=4) == {"accepted": 1}
    assert (await intake.count("leads"), await intake.count("arrivals")) == (3, 3)


async def test_a_refused_sender_is_not_let_in_by_reading_all_again(intake: IntakeApp) -> None:
    key = await intake.guarded_key("zapier")
    await intake.post(key, b'{"email": "mia@example.com"}', JSON | {"X-Intake-Key": "guessed"})

    assert await replayed(intake) == {"rejected": 1}
    assert await intake.count("leads") == 0


async def test_the_same_bytes_that_were_refused_are_a_lead_when_they_come_again(intake: IntakeApp) -> None:
    key, body = await intake.key("email"), b'{"email": "mia@example.com"}'
    assert (await intake.post(key, body, JSON | {"Idempotency-Key": "k"})).status_code == 200
    await intake.database.execute("UPDATE intake_keys SET format = NULL")
    assert (await intake.post(key, body, JSON | {"Idempotency-Key": "k"})).status_code == 201
    assert (await intake.post(key, body, JSON | {"Idempotency-Key": "k"})).status_code == 200


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("24h", NOW - timedelta(hours=24)),
        ("7D", NOW - timedelta(days=7)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T18:00Z", datetime(2026, 11, 20, 18, tzinfo=UTC)),
        ("2026-11-20T18:00-05:00", datetime(2026, 11, 20, 23, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_date_a_time_or_how_long_ago(text: str, moment: datetime) -> None:
    assert moment_of(text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "", "7", "7w", "-1h", "2026-13-01"])
def test_what_is_not_a_moment_is_named(text: str) -> None:
    with pytest.raises(Invalid, match="--since"):
        moment_of(text, NOW)

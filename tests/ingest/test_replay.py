"""What was rejected or is pending is read again: one by one, or all since a moment."""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from leadroutes.errors import Invalid
from leadroutes.ingest.replay import moment_of, replay
from tests.support.intake import Doors

JSON = {"Content-Type": "application/json"}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def replayed(doors: Doors, *statuses: str, hours: int = 1, owner: str = "") -> Counter[str]:
    owner_id = doors.town.users[owner] if owner else None
    moment = doors.database.clock.now() - timedelta(hours=hours)
    chosen: Collection[str] = statuses or ("rejected",)
    return await replay(doors.database, doors.arrivals, statuses=chosen, since=moment, owner_id=owner_id)


async def test_all_that_was_rejected_since_a_moment_is_read_again(doors: Doors) -> None:
    """The key said that it was for mails, and JSON came."""
    key = await doors.key("email")
    await doors.post(key, b'{"email": "old@example.com"}', JSON)
    await doors.database.move_clock(timedelta(hours=3))
    for name in ("mia", "noa"):
        await doors.post(key, f'{{"email": "{name}@example.com"}}'.encode(), JSON)
    assert await replayed(doors) == {"rejected": 2}

    await doors.database.execute("UPDATE intake_keys SET format = NULL")
    assert await replayed(doors, owner="bob") == {}
    assert await replayed(doors, "pending") == {}
    assert await replayed(doors, owner="alice") == {"accepted": 2}
    assert await replayed(doors) == {}
    assert await replayed(doors, hours=4) == {"accepted": 1}
    assert (await doors.count("leads"), await doors.count("arrivals")) == (3, 3)


async def test_a_refused_sender_is_not_let_in_by_reading_all_again(doors: Doors) -> None:
    key = await doors.guarded_key("zapier")
    await doors.post(key, b'{"email": "mia@example.com"}', JSON | {"X-Intake-Key": "guessed"})

    assert await replayed(doors) == {"rejected": 1}
    assert await doors.count("leads") == 0


async def test_the_same_bytes_that_were_refused_are_a_lead_when_they_come_again(doors: Doors) -> None:
    key, body = await doors.key("email"), b'{"email": "mia@example.com"}'
    assert (await doors.post(key, body, JSON | {"Idempotency-Key": "k"})).status_code == 200
    await doors.database.execute("UPDATE intake_keys SET format = NULL")
    assert (await doors.post(key, body, JSON | {"Idempotency-Key": "k"})).status_code == 201
    assert (await doors.post(key, body, JSON | {"Idempotency-Key": "k"})).status_code == 200


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
def test_what_is_no_moment_is_named(text: str) -> None:
    with pytest.raises(Invalid, match="--since"):
        moment_of(text, NOW)

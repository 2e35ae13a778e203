"""Messages: what was sent and what was not, and sending again what failed."""

from typing import Any

import pytest

from tests.support.api import ask
from tests.support.town import Town


@pytest.fixture
async def failed(town: Town) -> int:
    """An alert to Bob that failed, of a lead of Alice."""
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.route("alice")
    contact_id = await town.contact("alice", first_name="Mia")
    lead = (await ask(town, "alice", "POST", "/leads", json={"contact_id": contact_id, "source_id": 1})).json
    await town.database.execute(
        "UPDATE messages SET state = 'failed', reason = 'given up', attempts = 30 WHERE lead_id = $1", lead["id"]
    )
    [message_id] = (await ask(town, "alice", "GET", "/messages?state=failed")).ids
    return int(message_id)


async def test_an_owner_lists_messages_with_their_reason(town: Town, failed: int) -> None:
    message: dict[str, Any] = (await ask(town, "alice", "GET", f"/messages/{failed}")).json
    assert (message["channel"], message["kind"], message["state"]) == ("email", "offer", "failed")
    assert (message["reason"], message["user_id"], message["contact_id"]) == ("given up", town.users["bob"], None)
    for name in ("bob", "dave"):
        assert (await ask(town, name, "GET", f"/messages/{failed}")).status == 404
        assert (await ask(town, name, "POST", f"/messages/{failed}/retry", json={})).status == 404


async def test_a_message_that_failed_is_sent_again_once(town: Town, failed: int) -> None:
    jobs = "SELECT count(*) FROM pgqueuer"
    before = await town.database.fetchval(jobs)
    again = await ask(town, "alice", "POST", f"/messages/{failed}/retry", json={})
    assert (again.status, again.json["state"], again.json["reason"]) == (200, "queued", None)
    assert await town.database.fetchval(jobs) == before + 1
    assert await town.database.fetchval("SELECT attempts FROM messages WHERE id = $1", failed) == 0
    second = await ask(town, "alice", "POST", f"/messages/{failed}/retry", json={})
    assert (second.status, second.json["message"]) == (409, "Only a message that has failed is sent again")
    assert await town.database.fetchval(jobs) == before + 1


async def test_what_the_provider_says_is_shown_and_found(town: Town, failed: int) -> None:
    await town.database.execute(
        "UPDATE messages SET channel = 'text', provider_id = 'SM1', provider_state = 'undelivered', error_code = 30007,"
        " advice = 'Register.', delivered_at = '2026-11-30 10:00+00' WHERE id = $1", failed,
    )  # fmt: skip
    message = (await ask(town, "alice", "GET", f"/messages/{failed}")).json
    shown = {"provider_id": "SM1", "provider_state": "undelivered", "error_code": 30007, "advice": "Register.",
             "delivered_at": "2026-11-30T10:00:00.000Z"}  # fmt: skip
    assert {name: message[name] for name in shown} == shown
    for name, value in shown.items():
        assert (await ask(town, "alice", "GET", f"/messages?{name}={value}")).ids == [failed], name
    for query in ("provider_id=SM2", "provider_state=delivered", "error_code=30006", "advice=x", "delivered_at=null"):
        assert (await ask(town, "alice", "GET", f"/messages?{query}")).ids == [], query
    assert (await ask(town, "alice", "GET", "/messages?error_code=x")).status == 400


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "suppressed", "unknown"])
async def test_what_has_not_failed_is_not_sent_again(town: Town, failed: int, state: str) -> None:
    await town.database.execute("UPDATE messages SET state = $2 WHERE id = $1", failed, state)
    assert (await ask(town, "alice", "POST", f"/messages/{failed}/retry", json={})).status == 409
    assert await town.database.fetchval("SELECT state FROM messages WHERE id = $1", failed) == state

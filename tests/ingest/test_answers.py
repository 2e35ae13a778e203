"""Who has proved to be the vendor hears the whole lead; other senders, and vendors' own replies, hear ids at most."""

from typing import Any

import pytest

from tests.support.intake_app import IntakeApp

NORA = b'{"first_name": "Nora", "email": "nora@example.com", "message": "My divorce is final"}'
SHORT = {"id", "contact_id", "status"}


async def test_a_key_with_secrets_is_proven_once_they_are_shown(intake: IntakeApp) -> None:
    key = await intake.key("zapier", given={"x_intake_key": "s3cret"}, is_private=None)
    refused = await intake.post(key, NORA)
    assert (refused.status_code, set(refused.json()["data"])) == (401, {"arrival_id", "status", "reason"})
    shown = await intake.post(key, NORA, {"X-Intake-Key": "s3cret"})
    assert (shown.status_code, shown.json()["text_body"]) == (201, "My divorce is final")


@pytest.mark.parametrize(
    ("is_private", "has_secret", "is_whole"),
    [(None, False, True), (False, False, False), (False, True, False)],
    ids=["by its format", "said to be public", "public, and this door asks for no other secret"],
)
async def test_events_are_answered_by_the_same_rule(
    intake: IntakeApp, is_private: bool | None, has_secret: bool, is_whole: bool
) -> None:
    given = {"api_key": "s3cret"} if has_secret else None
    key = await intake.key("followupboss", given=given, is_private=is_private)
    event: dict[str, Any] = {"type": "Registration", "person": {"emails": [{"value": "ida@example.com"}]}}
    reply = await intake.client.post("/v1/events", json=event, auth=(key, ""))
    assert reply.status_code == 201
    assert ("text_body" in reply.json(), set(reply.json()) == SHORT) == (is_whole, not is_whole)


async def test_a_vendors_own_reply_tells_a_stranger_nothing_that_others_have_said(intake: IntakeApp) -> None:
    """Whoever knows a form's address may speak any vendor's words through it."""
    portal, form = await intake.key(), await intake.key(is_private=False)
    lead = (await intake.post(portal, NORA)).json()
    submission = b'{"action": "NewSubmission", "email": "nora@example.com"}'
    push = b'{"lead_info": {"inquiry_guid": "g", "lead_consumer_info": {"email": "nora@example.com"}}}'
    webhook = b'{"object": "page", "entry": []}'
    replies = [
        await intake.post(form, body, {"Content-Type": "application/json"}) for body in (submission, push, webhook)
    ]
    assert replies[0].json() == {"error": 0, "errorText": "", "action": "NewSubmission", "id": lead["id"]}
    assert not any("divorce" in reply.text or "Nora" in reply.text for reply in replies)

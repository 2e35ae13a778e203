"""A step that is a call asks whoever has the contact to call, once, and is open until that is done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadroutes.operations import erasure
from leadroutes.operations.doctor import examine
from leadroutes.store.campaigns import stop_campaigns
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Transaction
from tests.support.mailbox import text_of
from tests.support.post import Post

NUMBER = "303-555-0199"
OPEN = "SELECT count(*) FROM contact_communications WHERE is_active"
ALERTS = "SELECT channel, state, reason FROM messages WHERE kind = 'call_due' ORDER BY channel"


@pytest.fixture
async def calling(post: Post) -> Post:
    """At noon of an ordinary Wednesday, by day everywhere in the country."""
    await post.database.begin_clock(datetime(2027, 3, 10, 19, 30, tzinfo=UTC))
    return post


async def call_step(post: Post, *, body: str | None = None, contact: dict[str, Any], **step: Any) -> int:
    """A campaign of one call runs for a contact; returns the contact's id."""
    town, owner_id = post.brokerage.town, post.brokerage.owner_id
    campaign_id = await town.campaign("alice", "Callers")
    if body is not None:
        step["template_id"] = await town.template("alice", body=body, template_type="Phone")
    await town.action("alice", campaign_id, type="Call Contact", **step)
    contact_id = await town.contact("alice", **{"first_name": "Mia", "last_name": "Lund", **contact})
    await post.brokerage.engine.start_campaign(owner_id, campaign_id, contact_id, owner_id)
    return contact_id


async def talk(post: Post, contact_id: int) -> None:
    async def work(transaction: Transaction) -> None:
        await stop_campaigns(transaction, "conversation", [(post.brokerage.owner_id, contact_id)])

    await post.database.run(work)


async def prove(post: Post) -> None:
    outcome = await examine(post.database)
    assert outcome.violation is None, str(outcome.violation)


@pytest.mark.parametrize(
    ("action_of", "contact_of", "body", "phones", "asked", "said"),
    [
        (None, None, "Ask {{ contact.first_name }} about {{ campaign.name }}, {{ agent.first_name }}.",
         {"mobile_phone": NUMBER}, "alice", "Ask Mia about Callers, Alice."),
        (None, "bob", None, {"office_phone": NUMBER}, "bob", "The campaign Callers asks for this call."),
        ("carol", "bob", "{{ nothing", {"home_phone": NUMBER}, "carol", "(The template"),
        ("carol", None, None, {}, "carol", "There is no phone number of this contact."),
    ],
)  # fmt: skip
async def test_the_sender_of_the_step_is_asked_to_call(
    calling: Post, action_of: str | None, contact_of: str | None, body: str | None, phones: dict[str, str],
    asked: str, said: str,
) -> None:  # fmt: skip
    users = calling.brokerage.town.users
    contact = {"assigned_user_id": users[contact_of] if contact_of else None, **phones}
    step = {"assigned_user_id": users[action_of]} if action_of else {}
    contact_id = await call_step(calling, body=body, contact=contact, **step)
    await calling.deliver()
    await calling.deliver()
    await calling.deliver()

    [mail] = calling.relay.mails
    rich = mail.get_body(("html",))
    assert rich is not None
    assert (mail["To"], mail["Subject"]) == (f"{asked}@example.com", "Call Mia Lund")
    assert said in text_of(mail)
    assert f"https://leads.example/app/contacts/{contact_id}" in text_of(mail)
    assert ('href="tel:+13035550199"' in rich.get_content()) == (f"Number: {NUMBER}" in text_of(mail)) == bool(phones)
    [step_row] = await calling.rows("SELECT is_active, asked_user_id FROM contact_communications")
    assert step_row == (True, users[asked])
    await prove(calling)


async def test_a_call_is_done_by_a_conversation_or_by_hand_and_no_one_is_asked_twice(calling: Post) -> None:
    """Also of a campaign that no conversation stops."""
    contact_id = await call_step(calling, contact={"mobile_phone": NUMBER})
    await calling.database.execute("UPDATE campaigns SET stops_on = NULL")
    await calling.deliver()
    await calling.deliver()
    await talk(calling, contact_id)
    assert await calling.database.fetchval(OPEN) == 0
    step_id = await calling.database.fetchval("SELECT id FROM contact_communications")
    owner_id = calling.brokerage.owner_id
    for is_active in (True, False, True):
        await calling.brokerage.engine.set_communication_active(owner_id, step_id, is_active, owner_id)
        await calling.deliver()
        assert await calling.database.fetchval(OPEN) == is_active
    assert len(calling.relay.mails) == 1
    await prove(calling)


@pytest.mark.parametrize("is_noted", [False, True])
async def test_a_process_that_ends_midway_leaves_one_alert(calling: Post, is_noted: bool) -> None:
    await call_step(calling, contact={"mobile_phone": NUMBER})
    await calling.brokerage.engine.run_due()
    message_id = await calling.sender.the_only("kind = 'campaign'")
    if is_noted:
        await calling.sender.deliver(message_id)
    else:
        await calling.database.execute("UPDATE messages SET state = 'sending', attempts = 1")
    await calling.sender.delivery.deliver(MessageKey(calling.brokerage.owner_id, message_id))
    await calling.deliver()
    assert await calling.rows(ALERTS) == [("email", "sent", None)]


@pytest.mark.parametrize("is_asked", [False, True])
async def test_of_a_call_that_was_stopped_no_one_is_alerted(calling: Post, is_asked: bool) -> None:
    await call_step(calling, contact={"mobile_phone": NUMBER})
    await calling.brokerage.engine.run_due()
    message_id = await calling.sender.the_only("kind = 'campaign'")
    if is_asked:
        await calling.sender.deliver(message_id)
    owner_id = calling.brokerage.owner_id
    step_id = await calling.database.fetchval("SELECT id FROM contact_communications")
    await calling.brokerage.engine.set_communication_active(owner_id, step_id, False, owner_id)
    await calling.deliver()
    stopped = [("email", "suppressed", "the call is made, or was stopped")] if is_asked else []
    assert await calling.rows(ALERTS) == stopped
    assert calling.relay.mails == []


async def test_quiet_time_and_channels_are_those_that_were_chosen_for_answers(calling: Post) -> None:
    alice = calling.brokerage.town.users["alice"]
    await calling.database.execute(
        "UPDATE users SET phone = '3035550001', timezone = 'America/Phoenix' WHERE id = $1", alice
    )
    await calling.database.execute(
        "INSERT INTO alert_preferences (user_id, replied, quiet_from, quiet_to)"
        " VALUES ($1, '{text}', '12:00', '13:00')",
        alice,
    )
    await call_step(calling, contact={"mobile_phone": NUMBER})
    await calling.deliver()
    await calling.deliver()
    [alert] = await calling.rows(ALERTS)
    assert alert == ("text", "queued", "waits until 13:00, the end of the user's quiet time")


async def test_at_night_at_the_contact_no_one_is_asked(calling: Post) -> None:
    await calling.database.move_clock(timedelta(hours=10))
    await call_step(calling, contact={"mobile_phone": NUMBER})
    await calling.deliver()
    assert await calling.rows(ALERTS) == []
    [(rule,)] = await calling.rows("SELECT waits_rule FROM contact_communications WHERE waits_until IS NOT NULL")
    assert rule


async def test_erasure_finds_what_alerts_say_of_a_contact_without_a_lead(calling: Post) -> None:
    contact_id = await call_step(calling, body="Ask {{ contact.last_name }}", contact={"mobile_phone": NUMBER})
    await calling.deliver()
    await calling.deliver()
    words = "SELECT subject, text_body, html_body FROM messages WHERE kind = 'call_due'"
    assert "Lund" in str(await calling.rows(words))
    await erasure.erase_contact(calling.database, calling.brokerage.owner_id, contact_id)
    assert await calling.rows(words) == [(None, None, None)]
    assert await calling.database.fetchval(OPEN) == 0

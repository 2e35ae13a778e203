"""A message goes out once, to whom it concerns, in words that tell no more than they may; its outcome is stored."""

import asyncio
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from leadroutes.channels.email import make_mail
from leadroutes.channels.envelope import DeliveryError, Envelope
from leadroutes.retry import RetryLater, retry_delay
from leadroutes.settings import Settings
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MAX_ATTEMPTS, MessageDelivery
from leadroutes.worker.worker import JOBS_PER_FETCH
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox, text_of, to
from tests.support.sender import Sender, worker_for

ASKED = {
    "name": "Mia Lund",
    "phone": "303-555-0199",
    "city": "Denver",
    "state": "CO",
    "price": "615000",
    "type": "Buyer",
}


async def test_an_alert_tells_no_more_than_the_masked_page_and_carries_a_link(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database
) -> None:
    await brokerage.ask(**ASKED, address="9 Elm St", message="my number is 303-555-0199")
    message_id = await sender.the_only()
    await sender.deliver(message_id)
    [mail] = mailbox.mails
    assert mail["To"] == "bob@example.com"
    assert mail["Subject"] == "New lead: Mia, in Denver, Buyer, $615,000"
    whole = mail.as_string()
    for secret in ("Lund", "mia@example.com", "0199", "Elm"):
        assert secret not in whole
    assert {part.get_content_type() for part in mail.iter_parts()} == {"text/plain", "text/html"}
    found = re.search(r"https://leads\.example/claim/([\w-]+)", text_of(mail))
    assert found is not None
    row = await database.fetchrow(
        "SELECT via FROM claim_tokens WHERE token_hash = $1", hashlib.sha256(found[1].encode()).digest()
    )
    assert row is not None
    assert row["via"] == "Email"
    assert await sender.outcome(message_id) == ("sent", None)
    message = await database.fetchrow("SELECT * FROM messages")
    assert found[1] not in str(dict(message or {})), "the outbox must not hand out a claim"


@pytest.mark.parametrize(
    "first_name", ["=?utf-8?b?DQpCY2M6IGRhdmVAZXhhbXBsZS5uZXQNCg0KPGgxPg==?=", "Mia\r\n\r\nClaim: https://evil.example"]
)
async def test_the_name_that_a_sender_typed_is_characters_in_one_line_of_the_alert(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, first_name: str
) -> None:
    await brokerage.ask(**ASKED)
    await database.execute("UPDATE contacts SET first_name = $1", first_name)  # as the API takes it
    await database.execute("UPDATE leads SET inquirer = NULL")
    await sender.deliver(await sender.the_only())
    [mail] = mailbox.mails
    headline = f"New lead: {' '.join(first_name.split())}, in Denver, Buyer, $615,000"
    assert mail["Subject"] == headline
    assert mail["Bcc"] is None
    assert text_of(mail).split("\n")[:2] == [headline, ""]


async def test_mails_say_that_a_program_sends_them(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, drip: int
) -> None:
    campaign = await campaign_message(brokerage, sender)
    await sender.deliver(campaign)
    await sender.deliver(await sender.the_only("kind = 'offer'"))
    to_contact, alert = mailbox.mails
    assert [mail["Auto-Submitted"] for mail in (to_contact, alert)] == ["auto-generated"] * 2
    assert [mail["X-Auto-Response-Suppress"] for mail in mailbox.mails] == ["All", "All"]


async def test_an_alert_names_who_inquired_and_a_campaign_writes_to_the_contact(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, drip: int
) -> None:
    """Ana and Luis share a phone, so they are one contact; it is Luis who asks the second time."""
    await brokerage.ask(name="Ana Sol", email="ana@example.com", phone="303-555-0162", mls="1")
    answer = await brokerage.ask(name="Luis Rey", email="luis@example.com", phone="303-555-0162", mls="2")
    [lead_id] = answer.stored.lead_ids
    await sender.deliver(await sender.the_only(f"kind = 'offer' AND lead_id = {lead_id}"))
    assert [mail["Subject"] for mail in mailbox.mails] == ["New lead: Luis"]
    await brokerage.engine.run_due()
    await sender.deliver(await sender.the_only("kind = 'campaign'"))
    campaign = mailbox.mails[-1]
    assert campaign["To"] == "ana@example.com"
    assert text_of(campaign).startswith("Hi Ana,")
    arrived = (await brokerage.engine.history(brokerage.owner_id, lead_id))[0]
    assert '"luis@example.com"' in arrived["detail"]


async def test_a_message_that_has_been_sent_is_not_sent_again(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox
) -> None:
    await brokerage.ask()
    for _ in range(3):
        await sender.deliver(await sender.the_only())
    assert len(mailbox.mails) == 1


async def test_an_alert_is_suppressed_once_the_lead_is_claimed(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox
) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await brokerage.engine.assign(brokerage.owner_id, lead_id, brokerage.town.users["carol"], brokerage.owner_id)
    alert = await sender.the_only("kind = 'offer'")
    await sender.deliver(alert)
    assert await sender.outcome(alert) == ("suppressed", "Carol Town had claimed the lead")
    await sender.deliver(await sender.the_only("kind = 'claimed'"))
    [mail] = mailbox.mails
    assert "Carol Town claimed this lead at" in text_of(mail)
    assert "/claim/" not in mail.as_string()


async def test_a_transient_error_is_tried_again_and_a_permanent_one_is_not(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox
) -> None:
    await brokerage.ask()
    message_id = await sender.the_only()
    mailbox.answers = ["451 come back later"]
    with pytest.raises(RetryLater) as again:
        await sender.deliver(message_id)
    assert again.value.delay == timedelta(seconds=30)
    assert await sender.outcome(message_id) == ("queued", "the mail server said 451 come back later")
    mailbox.answers = ["550 no such user"]
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("failed", "the mail server said 550 no such user")
    assert mailbox.mails == []


async def test_after_a_day_of_attempts_it_is_given_up_where_a_person_sees_it(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox
) -> None:
    await brokerage.ask()
    message_id = await sender.the_only()
    assert 23 * 3600 < sum(retry_delay(n).total_seconds() for n in range(1, MAX_ATTEMPTS)) < 25 * 3600
    mailbox.answers = ["451 later"] * MAX_ATTEMPTS
    for _ in range(MAX_ATTEMPTS - 1):
        with pytest.raises(RetryLater):
            await sender.deliver(message_id)
    await sender.deliver(message_id)
    state, reason = await sender.outcome(message_id)
    assert (state, reason) == ("failed", f"given up after {MAX_ATTEMPTS} attempts: the mail server said 451 later")


def test_the_delay_doubles_from_half_a_minute_to_an_hour() -> None:
    seconds = [retry_delay(attempt).total_seconds() for attempt in range(1, 9)]
    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600]


async def test_a_server_that_cannot_be_reached_is_tried_again(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, settings: Any
) -> None:
    from leadroutes.channels import open_channels

    await brokerage.ask()
    nowhere = replace(settings, smtp_url="smtp://127.0.0.1:9")
    delivery = MessageDelivery(database, open_channels(nowhere), nowhere)
    with pytest.raises(RetryLater, match="cannot be reached"):
        await delivery.deliver(MessageKey(brokerage.owner_id, await sender.the_only()))


async def test_without_credentials_it_stays_in_the_outbox_as_it_would_have_been(
    brokerage: Brokerage, database: Database, settings: Any, sender: Sender
) -> None:
    from leadroutes.channels import open_channels

    await brokerage.ask(**ASKED)
    silent = replace(settings, smtp_url=None)
    message_id = await sender.the_only()
    await MessageDelivery(database, open_channels(silent), silent).deliver(MessageKey(brokerage.owner_id, message_id))
    assert await sender.outcome(message_id) == ("suppressed", "no email channel is configured")
    row = await database.fetchrow("SELECT address, subject, text_body FROM messages")
    assert row is not None
    assert (row["address"], row["subject"]) == ("bob@example.com", "New lead: Mia, in Denver, Buyer, $615,000")
    assert "https://leads.example/claim/…" in row["text_body"]


# -- to the contact


@pytest.fixture
async def drip(brokerage: Brokerage, database: Database) -> int:
    """A campaign of one e-mail; answers its template."""
    town = brokerage.town
    campaign_id = await database.fetchval("SELECT min(id) FROM campaigns")
    template_id = await town.template(
        "alice",
        subject="Your request about {{ property.street_address }}",
        body="Hi {{first_name}},\n\n{{agent_first_name}} here. {{ nothing.at.all }}<b>5 > 4</b>",
    )
    await town.action("alice", campaign_id, template_id=template_id)
    return template_id


async def campaign_message(brokerage: Brokerage, sender: Sender, **fields: Any) -> int:
    await brokerage.ask(**{"address": "9 Elm St", **fields})
    await brokerage.engine.run_due()
    return await sender.the_only("kind = 'campaign'")


async def test_alerts_go_before_all_messages_of_campaigns_that_wait(
    brokerage: Brokerage, mailbox: Mailbox, database: Database, settings: Settings, drip: int
) -> None:
    """But for those that the worker has begun with."""
    await asyncio.gather(*(brokerage.ask(email=f"p{number}@example.com") for number in range(100)))
    await brokerage.engine.run_due()  # the campaign's mails are queued
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()  # and Carol's alerts after them
    assert await database.fetchval("SELECT count(*) FROM messages WHERE state = 'queued'") == 300

    async with worker_for(brokerage, settings):
        await mailbox.wait_for(100, to("carol"))
    order = [str(mail["To"]) for mail in mailbox.mails]
    last_alert = len(order) - order[::-1].index("carol@example.com")
    assert sum(each.startswith("p") for each in order[:last_alert]) <= 2 * JOBS_PER_FETCH


async def test_a_campaign_mail_is_from_the_owner_until_the_claim_and_from_the_winner_afterwards(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, drip: int
) -> None:
    await brokerage.town.action(
        "alice", await database.fetchval("SELECT min(id) FROM campaigns"), template_id=drip, delay_by_seconds=60
    )
    first = await campaign_message(brokerage, sender)
    await sender.deliver(first)
    lead_id = await database.fetchval("SELECT id FROM leads")
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    await database.move_clock(timedelta(seconds=61))
    await brokerage.engine.run_due()
    await sender.deliver(await sender.the_only(f"kind = 'campaign' AND id <> {first}"))
    mine = [mail for mail in mailbox.mails if mail["To"] == "mia@example.com"]
    assert [mail["Reply-To"] for mail in mine] == ["Alice Town <alice@example.com>", "Bob Town <bob@example.com>"]
    assert [mail["From"] for mail in mine] == [
        "Alice Town <leads@brokerage.example>",
        "Bob Town <leads@brokerage.example>",
    ]
    assert mine[0]["Subject"] == "Your request about 9 Elm St"
    assert text_of(mine[1]).startswith("Hi Mia,\n\nBob here. ")
    rows = await database.fetch(
        "SELECT is_active, sent_from_user_id, completed_at IS NOT NULL AS done FROM contact_communications ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        (False, brokerage.owner_id, True),
        (False, brokerage.town.users["bob"], True),
    ]


async def test_what_goes_to_a_contact_can_be_unsubscribed_with_one_click(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, drip: int
) -> None:
    await sender.deliver(await campaign_message(brokerage, sender))
    [mail] = mailbox.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<https://leads.example/unsubscribe/")


async def test_a_crash_while_sending_to_a_contact_is_unknown_and_never_sent_again(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, drip: int
) -> None:
    message_id = await campaign_message(brokerage, sender)
    await database.execute("UPDATE messages SET state = 'sending'")  # as a worker leaves it that is killed here
    await sender.deliver(message_id)
    assert (await sender.outcome(message_id))[0] == "unknown"
    assert mailbox.mails == []
    alert = await sender.the_only("kind = 'offer'")
    await sender.deliver(alert)
    assert [mail["To"] for mail in mailbox.mails] == ["bob@example.com"], "an agent is rather notified twice than never"


async def test_a_worker_that_only_stood_still_may_still_say_that_it_was_sent(
    brokerage: Brokerage, sender: Sender, database: Database, drip: int
) -> None:
    message_id = await campaign_message(brokerage, sender)
    key = MessageKey(brokerage.owner_id, message_id)
    assert await DeliveryLog(database).begin(key) is not None
    await sender.deliver(message_id)  # by another worker, which takes the first one for dead
    assert (await sender.outcome(message_id))[0] == "unknown"
    assert await DeliveryLog(database).note(key, 1, DeliveryOutcome(state="sent"))
    assert await sender.outcome(message_id) == ("sent", None)


async def test_a_step_that_was_stopped_is_not_sent(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, drip: int
) -> None:
    message_id = await campaign_message(brokerage, sender)
    step = await database.fetchval("SELECT id FROM contact_communications")
    await brokerage.engine.set_communication_active(brokerage.owner_id, step, False, brokerage.owner_id)
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("suppressed", "it was stopped by Alice Town")
    await brokerage.engine.set_communication_active(brokerage.owner_id, step, True, brokerage.owner_id)
    await brokerage.engine.run_due()
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("sent", None)


async def test_a_step_whose_campaign_was_removed_is_not_sent_before_the_worker_has_ended_it(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, drip: int
) -> None:
    message_id = await campaign_message(brokerage, sender)
    await database.execute("DELETE FROM lead_routes")
    await database.execute("DELETE FROM campaigns")
    await database.execute("UPDATE removed_campaigns SET removed_by = $1", brokerage.owner_id)
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("suppressed", "the campaign was removed by Alice Town")
    assert mailbox.mails == []
    while await database.fetchval("SELECT count(*) FROM removed_campaigns"):
        await brokerage.engine.run_due()
    assert await database.fetchval("SELECT count(*) FROM contact_communications WHERE is_active") == 0


async def test_a_contact_without_address_is_sent_nothing_and_the_step_is_done(
    brokerage: Brokerage, sender: Sender, database: Database, drip: int
) -> None:
    message_id = await campaign_message(brokerage, sender, email="", phone="303-555-0177")
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("suppressed", "the contact has no e-mail address")
    assert not await database.fetchval("SELECT is_active FROM contact_communications")


async def test_a_template_that_fails_says_why(
    brokerage: Brokerage, sender: Sender, database: Database, drip: int
) -> None:
    await database.execute("UPDATE templates SET body = '{% for x in (1..100000) %}x{% endfor %}'")
    message_id = await campaign_message(brokerage, sender)
    await sender.deliver(message_id)
    state, reason = await sender.outcome(message_id)
    assert state == "failed"
    assert reason is not None
    assert "template" in reason


# -- a mail is only a mail


@pytest.mark.parametrize("nasty", ["Mia\r\nBcc: all@example.com", "Mia\nX: y", "\x00\x0bMia"])
def test_nothing_that_someone_typed_becomes_a_header(nasty: str) -> None:
    envelope = Envelope(
        address="bob@example.com", subject=nasty, text_body="x", sender_name=nasty, reply_to="alice@example.com"
    )
    head = make_mail(envelope, "leads@example.com").split(b"\r\n\r\n")[0].lower()
    assert not re.search(rb"^(bcc|x):", head, re.MULTILINE)


@pytest.mark.parametrize(
    "address", ["", "no-at", "a@b\r\nBcc: c@d", "two@example.com, three@example.com", "x" * 500 + "@"]
)
def test_an_address_of_which_no_mail_can_be_made_is_a_permanent_error(address: str) -> None:
    with pytest.raises(DeliveryError) as error:
        make_mail(Envelope(address=address, subject="x", text_body="x"), "leads@example.com")
    assert error.value.is_permanent


async def test_what_a_server_says_in_no_utf_8_is_stored_as_far_as_it_can_be(
    brokerage: Brokerage, sender: Sender, database: Database
) -> None:
    """Bytes that are no text come as halves of surrogate pairs; nothing noted would be tried again for ever."""
    await brokerage.ask()
    message_id = await sender.the_only()
    sending, key = DeliveryLog(database), MessageKey(brokerage.owner_id, message_id)
    await sending.begin(key)
    reason = b"550 bo\xeete pleine\0".decode("utf-8", "surrogateescape")
    assert await sending.note(key, 1, DeliveryOutcome(state="failed", reason=reason))
    assert await sender.outcome(message_id) == ("failed", "550 bo?te pleine")

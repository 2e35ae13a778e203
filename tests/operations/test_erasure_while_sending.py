"""A person is erased while messages to them are being sent: one waits for the other, and no word comes back."""

import asyncio

import pytest

from leadroutes.errors import Conflict
from leadroutes.operations.doctor import examine
from leadroutes.operations.erasure import erase_contact
from leadroutes.settings import Settings
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.worker.worker import Worker
from tests.support.brokerage import Brokerage
from tests.support.databases import content
from tests.support.erasure import EMAIL, MARK, contact_of, erase_and_check, remaining_rows
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender


async def test_what_is_just_being_sent_is_waited_for(brokerage: Brokerage, sender: Sender, mailbox: Mailbox) -> None:
    database = brokerage.town.database
    await brokerage.ask(email=EMAIL)
    contact_id = await contact_of(brokerage)
    key = MessageKey(brokerage.owner_id, await sender.the_only())
    assert await DeliveryLog(database).begin(key) is not None
    with pytest.raises(Conflict, match="is just being sent"):
        await erase_contact(database, brokerage.owner_id, contact_id)
    assert await contact_of(brokerage) == contact_id, "nothing has gone"

    await DeliveryLog(database).note(
        key, 1, DeliveryOutcome(state="sent", address="bob@example.com", text_body=f"Mia {MARK}")
    )
    await database.execute("DELETE FROM pgqueuer")
    await erase_and_check(brokerage, contact_id)
    assert await database.fetchval("SELECT text_body FROM messages") is None


async def test_a_message_and_its_erasure_never_cross(brokerage: Brokerage, sender: Sender, mailbox: Mailbox) -> None:
    """Many times both at once: what was erased is not sent afterwards, and what was sent says so without its words."""
    database = brokerage.town.database
    await brokerage.town.database.execute("UPDATE team_member_distribution_options SET has_text_alert = false")
    for number in range(15):
        address = f"mia{number}@{MARK.lower()}.example"
        await brokerage.ask(email=address)
        contact_id = await contact_of(brokerage, address)
        message_id = await database.fetchval("SELECT max(id) FROM messages")

        async def erase(contact_id: int = contact_id) -> None:
            while True:
                try:
                    await erase_contact(database, brokerage.owner_id, contact_id)
                except Conflict:
                    await asyncio.sleep(0)
                else:
                    return

        mails = len(mailbox.mails)
        await asyncio.gather(sender.deliver(message_id), erase())
        state, _ = await sender.outcome(message_id)
        assert (state, len(mailbox.mails) - mails) in {("sent", 1), ("suppressed", 0)}
    await database.execute("DELETE FROM pgqueuer")

    rows = await database.fetch("SELECT subject, text_body, html_body FROM messages")
    assert {tuple(row) for row in rows} == {(None, None, None)}
    assert (await examine(database)).violation is None


async def test_a_worker_that_reports_late_brings_no_words_back(brokerage: Brokerage, sender: Sender) -> None:
    database = brokerage.town.database
    await brokerage.ask(email=EMAIL)
    contact_id = await contact_of(brokerage)
    key = MessageKey(brokerage.owner_id, await sender.the_only())
    await DeliveryLog(database).begin(key)
    await database.execute("UPDATE messages SET state = 'unknown', reason = 'the service stopped'")
    await erase_contact(database, brokerage.owner_id, contact_id)

    assert not await DeliveryLog(database).note(key, 1, DeliveryOutcome(state="sent", address=EMAIL, text_body=MARK))
    assert await database.fetchval("SELECT text_body FROM messages") is None


async def test_the_queue_keeps_no_word_of_what_a_mail_server_said(
    brokerage: Brokerage, mailbox: Mailbox, settings: Settings, database_url: str
) -> None:
    database = brokerage.town.database
    await database.execute("UPDATE team_member_distribution_options SET has_email_alert = false WHERE rank = 2")
    campaign_id = await database.fetchval("SELECT id FROM campaigns")
    await brokerage.town.action("alice", campaign_id, template_id=await brokerage.town.template("alice"))
    mailbox.answers = [f"451 {EMAIL} is full"] * 2
    await brokerage.ask(email=EMAIL)
    worker = Worker(database, brokerage.engine, settings)
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(30):
        while not await database.fetchval(  # noqa: ASYNC110 -- it is done in other tasks
            "SELECT bool_and(attempts > 0 AND state <> 'sending') FROM messages"
        ):
            await asyncio.sleep(0.05)
    worker.stop()
    await asyncio.wait_for(task, 20)
    assert MARK.lower() in str((await content(database_url))["messages"])
    await erase_contact(database, brokerage.owner_id, await contact_of(brokerage))

    assert remaining_rows(await content(database_url)) == []

"""Events reach real receivers in order, signed, and again until they have; no receiver holds up another one."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from leadroutes.domain.webhooks import MOST_GIVEN_UP
from leadroutes.security.vault import Vault
from leadroutes.settings.values import span_seconds
from leadroutes.store import webhooks as store
from leadroutes.store.webhook_events import add_deliveries, note_event
from leadroutes.worker.webhooks import LONGEST_ANSWER
from tests.support.hooks import SETTINGS, Hooks
from tests.support.mailbox import Mailbox, text_of
from tests.support.receiver import Receiver
from tests.support.sender import Sender


async def happen(hooks: Hooks, *webhook_ids: int, count: int = 1) -> None:
    """So many events for each of these webhooks, each in a transaction of its own."""
    for number in range(count):
        async with hooks.database.transaction() as transaction:
            await add_deliveries(
                transaction,
                [
                    {"owner_id": hooks.brokerage.owner_id, "webhook_id": each, "type": "webhook.test",
                     "data": json.dumps({"webhook_id": each, "number": number})}
                    for each in webhook_ids
                ],
            )  # fmt: skip


def numbers(receiver: Receiver) -> list[int]:
    return [message.json["data"]["number"] for message in receiver.messages]


async def webhook(hooks: Hooks, webhook_id: int) -> dict[str, Any]:
    return dict(await hooks.database.fetchrow("SELECT * FROM webhooks WHERE id = $1", webhook_id) or {})


# ----------------------------------------------------------------------------------------------------------- what comes


async def test_a_lead_reaches_the_receiver_signed_and_as_it_was(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url, "lead.arrived")
    async with hooks.delivering():
        lead_id = (await hooks.brokerage.ask(name="Zoë Lund", type="Buyer")).stored.lead_ids[0]
        await receiver.wait_for(1)
        await hooks.until_nothing_is_due()

    [message] = receiver.messages
    event = Webhook(hooks.secrets[webhook_id]).verify(message.body, message.headers)
    assert event == message.json
    assert (event["type"], event["data"]["id"], event["data"]["type"]) == ("lead.arrived", lead_id, "Buyer")
    assert event["timestamp"].endswith("Z")
    assert message.headers["content-type"] == "application/json"
    assert message.headers["user-agent"].startswith("LeadRoutes/")
    assert abs(int(message.headers["webhook-timestamp"]) - time.time()) < 30
    [delivery] = await hooks.deliveries()
    assert (delivery["state"], delivery["reason"], delivery["due_at"], delivery["tried"]) == (
        "delivered",
        None,
        None,
        1,
    )
    [tried] = json.loads(delivery["tries"])
    assert (tried["status"], tried["answer"], tried["error"]) == (200, "ok", None)
    assert tried["milliseconds"] >= 0


async def test_events_come_in_the_order_of_their_commits(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url)
    async with hooks.delivering():
        await happen(hooks, webhook_id, count=150)
        await receiver.wait_for(150)

    assert numbers(receiver) == list(range(150))
    assert len({message.id for message in receiver.messages}) == 150
    assert receiver.connections == 1


async def test_two_workers_do_not_send_twice_and_hold_the_order(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url)
    async with hooks.delivering(), hooks.delivering():
        await happen(hooks, webhook_id, count=100)
        await receiver.wait_for(100)
        await hooks.until_nothing_is_due()

    assert numbers(receiver) == list(range(100))


async def test_a_message_of_megabytes_comes_whole(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url, "lead.touched")
    lead_id = (await hooks.brokerage.ask()).stored.lead_ids[0]
    await hooks.database.execute("UPDATE leads SET text_body = $1", "Ä" * 1_000_000)
    async with hooks.database.transaction() as transaction:
        note_event(transaction, hooks.brokerage.owner_id, "lead.touched", lead_id)
    await hooks.deliver_due()

    [message] = receiver.messages
    event = Webhook(hooks.secrets[webhook_id]).verify(message.body, message.headers)
    assert event["data"]["text_body"] == "Ä" * 1_000_000


async def test_chats_get_cards(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.add(f"{receiver.url}/slack", "lead.claimed", format="slack")
    await hooks.add(f"{receiver.url}/teams", "lead.offered", format="teams")
    lead_id = (await hooks.brokerage.ask(city="Denver", type="Buyer", phone="303-555-0199")).stored.lead_ids[0]
    await hooks.brokerage.engine.claim(hooks.brokerage.owner_id, lead_id, hooks.brokerage.town.users["bob"])
    await hooks.deliver_due()

    cards = {message.target.rpartition("/")[2]: message for message in receiver.messages}
    assert cards["slack"].json["text"] == "Claimed by Bob Town: Mia, in Denver, Buyer"
    assert f"https://leads.example/app/leads/{lead_id}" in cards["slack"].body.decode()
    assert "Offered to Bob Town: Mia, in Denver, Buyer" in cards["teams"].body.decode().replace("\\\\", "")
    for message in receiver.messages:
        assert not [secret for secret in ("Lund", "0199", "mia@", "/claim/") if secret in message.body.decode()]


async def test_after_a_rotation_both_secrets_sign_for_a_day(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url)
    new = "whsec_" + "QUJDRA=="
    async with hooks.database.transaction() as transaction:
        sealed = Vault.of(hooks.settings).seal({"secret": new})
        await store.rotate_secret(transaction, hooks.brokerage.owner_id, webhook_id, sealed)
    await happen(hooks, webhook_id)
    await hooks.deliver_due()
    await hooks.database.execute("UPDATE webhooks SET old_secret_ends_at = now() - interval '1 second'")
    await happen(hooks, webhook_id)
    await hooks.deliver_due()

    first, second = receiver.messages
    for secret in (new, hooks.secrets[webhook_id]):
        Webhook(secret).verify(first.body, first.headers)
    Webhook(new).verify(second.body, second.headers)
    assert (len(first.headers["webhook-signature"].split()), len(second.headers["webhook-signature"].split())) == (2, 1)


async def test_a_secret_that_cannot_be_read_is_said_and_nothing_unsigned_is_sent(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id)
    hooks.settings = replace(SETTINGS, secret="another secret than before")
    await hooks.deliver_due()

    assert receiver.messages == []
    [delivery] = await hooks.deliveries()
    assert delivery["reason"] == "the secret cannot be read; rotate it"


# ------------------------------------------------------------------------------------------------------ what goes wrong


async def test_a_failed_try_is_repeated_by_the_schedule_and_given_up_at_its_end(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.status, receiver.answer = 500, b"<h1>Oh no</h1>"
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id)
    delays = span_seconds(SETTINGS.webhook_tries)
    assert delays == (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000)
    for delay in delays:
        before = await hooks.database.real_now()
        await hooks.deliver_due()
        [delivery] = await hooks.deliveries()
        assert (delivery["state"], delivery["reason"]) == ("waiting", "the receiver answered 500")
        until = (delivery["due_at"] - before).total_seconds()
        assert delay <= until <= delay * 1.1 + 20
        await hooks.bring_forward()
    await hooks.deliver_due()

    [delivery] = await hooks.deliveries()
    assert (delivery["state"], delivery["due_at"], delivery["tried"]) == ("failed", None, 9)
    assert [each["status"] for each in json.loads(delivery["tries"])] == [500] * 9
    assert len({message.id for message in receiver.messages}) == 1, "every try has the same id"
    assert len({message.body for message in receiver.messages}) == 1


async def test_a_try_that_failed_does_not_hold_up_later_events(hooks: Hooks, receiver: Receiver) -> None:
    receiver.statuses = [500]
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id, count=3)
    await hooks.deliver_due()

    assert numbers(receiver) == [0, 1, 2]
    await hooks.bring_forward()
    await hooks.deliver_due()
    assert numbers(receiver) == [0, 1, 2, 0]
    assert [state for _, state in await hooks.states()] == ["delivered"] * 3


@pytest.mark.parametrize(("status", "location"), [(302, True), (404, False), (101, False)])
async def test_anything_but_2xx_is_a_failure_and_no_redirect_is_followed(
    hooks: Hooks, receiver: Receiver, status: int, location: bool
) -> None:
    async with Receiver() as other:
        receiver.status, receiver.extra = status, {"Location": other.url} if location else {}
        await happen(hooks, await hooks.add(receiver.url))
        await hooks.deliver_due()
        assert other.connections == 0

    [delivery] = await hooks.deliveries()
    assert delivery["state"] == "waiting"
    assert delivery["reason"]


async def test_of_a_long_answer_the_beginning_is_stored(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status, receiver.answer = 500, b"\0" + "ü".encode() * 40_000
    await happen(hooks, await hooks.add(receiver.url))
    await hooks.deliver_due()

    [tried] = json.loads((await hooks.deliveries())[0]["tries"])
    assert tried["answer"] == "ü" * LONGEST_ANSWER


async def test_a_receiver_that_hangs_delays_no_other_one(hooks: Hooks, receiver: Receiver) -> None:
    async with Receiver(is_hanging=True) as hanging:
        slow, fast = await hooks.add(hanging.url), await hooks.add(receiver.url)
        async with hooks.delivering():
            await happen(hooks, slow, fast, count=30)
            await receiver.wait_for(30)
            assert len(hanging.messages) == 1, "the others wait behind it"
            hanging.is_hanging = False
            hanging.released.set()
            await asyncio.sleep(0)

    assert numbers(receiver) == list(range(30))


async def test_after_a_try_without_an_answer_the_receiver_is_left_alone_for_a_moment(hooks: Hooks) -> None:
    async with Receiver() as receiver:
        url = receiver.url
    webhook_id = await hooks.add(url)
    await happen(hooks, webhook_id, count=3)
    await hooks.deliver_due()

    first, *others = await hooks.deliveries()
    assert (first["tried"], [each["tried"] for each in others]) == (1, [0, 0])
    assert json.loads(first["tries"])[0]["error"]
    resting = await webhook(hooks, webhook_id)
    assert resting["taken_by"] is None
    assert resting["taken_until"] > await hooks.database.real_now()


async def test_a_receiver_that_asks_for_a_pause_gets_it(hooks: Hooks, receiver: Receiver) -> None:
    receiver.statuses, receiver.extra = [429], {"Retry-After": "60"}
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id, count=2)
    await hooks.deliver_due()

    assert len(receiver.messages) == 1
    pause = (await webhook(hooks, webhook_id))["taken_until"] - await hooks.database.real_now()
    assert timedelta(seconds=30) < pause <= timedelta(seconds=60)


async def test_a_receiver_that_does_not_keep_up_gets_several_at_once(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id, count=40)
    async with hooks.delivering(patience=0.0):
        await hooks.until_nothing_is_due()

    assert sorted(numbers(receiver)) == list(range(40))
    assert receiver.connections > 1
    assert {state for _, state in await hooks.states()} == {"delivered"}


async def test_what_waited_while_no_worker_was_there_goes_in_order(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id, count=150)
    await hooks.database.execute("UPDATE webhook_deliveries SET due_at = due_at - interval '1 hour'")
    await hooks.deliver_due()

    assert numbers(receiver) == list(range(150))


async def test_a_name_that_leads_inside_is_a_failed_try_with_the_reason(hooks: Hooks, receiver: Receiver) -> None:
    await happen(hooks, await hooks.add(f"https://localhost:{receiver.port}/"))
    hooks.settings = replace(SETTINGS, webhooks_to_private=None)
    await hooks.deliver_due()

    [delivery] = await hooks.deliveries()
    assert delivery["state"] == "waiting"
    assert "is an address inside; only public ones are allowed" in delivery["reason"]
    assert receiver.connections == 0


# ----------------------------------------------------------------------------------------------------------- the switch


async def test_a_receiver_that_is_gone_is_switched_off_and_the_owner_gets_a_mail(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.statuses = [200, 410]
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id, count=3)
    await hooks.deliver_due()

    off = await webhook(hooks, webhook_id)
    assert (off["is_active"], off["disabled_reason"]) == (False, "the receiver answered 410: it wants nothing more")
    assert off["disabled_at"] is not None
    assert [state for _, state in await hooks.states()] == ["delivered", "failed", "waiting"]
    mail = await hooks.database.fetchrow("SELECT * FROM messages")
    assert mail is not None
    assert (mail["kind"], mail["channel"], mail["user_id"], mail["webhook_id"]) == (
        "webhook_off", "email", hooks.brokerage.owner_id, webhook_id,
    )  # fmt: skip
    await hooks.brokerage.ask()
    assert len(await hooks.deliveries()) == 3, "what happens while it is off is not stored"


async def test_the_mail_says_which_webhook_is_off_and_why_while_it_is(
    hooks: Hooks, receiver: Receiver, sender: Sender, mailbox: Mailbox
) -> None:
    receiver.status = 410
    webhook_id = await hooks.add(receiver.url)
    for is_on_again in (False, True):
        await hooks.database.execute("UPDATE webhooks SET is_active = true")
        await happen(hooks, webhook_id)
        await hooks.deliver_due()
        if is_on_again:
            await hooks.database.execute("UPDATE webhooks SET is_active = true, disabled_at = NULL")
        message_id = await hooks.database.fetchval("SELECT max(id) FROM messages")
        await sender.deliver(message_id)

    [mail] = mailbox.mails
    assert (mail["To"], mail["Subject"]) == ("alice@example.com", "Your webhook to 127.0.0.1 was switched off")
    assert "because the receiver answered 410: it wants nothing more." in " ".join(text_of(mail).split())
    assert f"https://leads.example/app/webhooks/{webhook_id}" in text_of(mail)
    assert await sender.outcome(message_id) == ("suppressed", "the webhook was switched on again, or removed")


async def test_ten_deliveries_that_are_given_up_switch_it_off_once(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status = 500
    hooks.settings = replace(SETTINGS, webhook_tries="5s")
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id, count=MOST_GIVEN_UP + 2)
    await hooks.deliver_due()
    assert (await webhook(hooks, webhook_id))["is_active"]
    await hooks.bring_forward()
    await hooks.deliver_due()

    off = await webhook(hooks, webhook_id)
    assert (off["is_active"], off["given_up"] >= MOST_GIVEN_UP) == (False, True)
    assert await hooks.database.fetchval("SELECT count(*) FROM messages WHERE kind = 'webhook_off'") == 1


async def test_five_days_without_a_success_switch_it_off(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status = 500
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id)
    await hooks.deliver_due()
    for days, is_active in (("4 days 23 hours", True), ("5 days", False)):
        await hooks.database.execute(f"UPDATE webhooks SET failing_since = now() - interval '{days}'")
        await hooks.bring_forward()
        await hooks.deliver_due()
        assert (await webhook(hooks, webhook_id))["is_active"] is is_active


async def test_a_success_begins_the_count_anew(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url)
    await hooks.database.execute("UPDATE webhooks SET given_up = 9, failing_since = now() - interval '4 days'")
    await happen(hooks, webhook_id)
    await hooks.deliver_due()

    well = await webhook(hooks, webhook_id)
    assert (well["given_up"], well["failing_since"]) == (0, None)


async def test_switched_on_again_what_waits_goes(hooks: Hooks, receiver: Receiver) -> None:
    receiver.statuses = [500]
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id, count=2)
    await hooks.database.execute("UPDATE webhooks SET is_active = false, disabled_at = now(), disabled_reason = 'x'")
    await hooks.deliver_due()
    assert receiver.messages == []
    async with hooks.delivering():
        async with hooks.database.transaction() as transaction:
            record = await webhook(hooks, webhook_id) | {"is_active": True}
            await store.change_webhook(transaction, hooks.brokerage.owner_id, webhook_id, record)
        await receiver.wait_for(2)

    on = await webhook(hooks, webhook_id)
    assert (on["disabled_at"], on["disabled_reason"]) == (None, None)


# ------------------------------------------------------------------------------------------------------ faults, erasure


async def test_what_a_worker_had_taken_that_is_dead_is_taken_over(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id)
    [key] = await store.take_due_webhooks(hooks.database, "6a2f41a3-c54c-4ce8-baf4-3a5a6e5c0f5a", 10)
    assert await store.take_due_webhooks(hooks.database, "7a2f41a3-c54c-4ce8-baf4-3a5a6e5c0f5a", 10) == []
    assert key.id == webhook_id
    await hooks.database.execute("UPDATE webhooks SET taken_until = now() - interval '1 second'")
    await hooks.deliver_due()

    assert numbers(receiver) == [0]


async def test_what_was_added_while_a_webhook_is_left_is_not_forgotten(hooks: Hooks, receiver: Receiver) -> None:
    """The worker has found nothing more, and leaves; at that moment an event is being committed."""
    webhook_id = await hooks.add(receiver.url)
    await happen(hooks, webhook_id)
    worker_id = "6a2f41a3-c54c-4ce8-baf4-3a5a6e5c0f5a"
    [key] = await store.take_due_webhooks(hooks.database, worker_id, 10)
    await hooks.database.execute("UPDATE webhook_deliveries SET state = 'delivered', due_at = NULL")
    record = {"owner_id": key.owner_id, "webhook_id": key.id, "type": "webhook.test", "data": '{"number": 1}'}
    async with hooks.database.transaction() as transaction:
        await add_deliveries(transaction, [record])
        releasing = asyncio.create_task(store.release_webhook(hooks.database, worker_id, key, 0.0))
        await asyncio.sleep(0.1)
        assert not releasing.done()
    await releasing

    assert (await webhook(hooks, webhook_id))["due_at"] is not None
    await hooks.deliver_due()
    assert numbers(receiver) == [1]


async def test_a_contact_that_is_erased_meanwhile_is_not_written_back(hooks: Hooks, receiver: Receiver) -> None:
    """The answer of a try that was under way may quote the contact."""
    await hooks.add(receiver.url, "lead.arrived")
    receiver.is_hanging = True
    await hooks.brokerage.ask()
    async with hooks.delivering():
        await receiver.wait_for(1)
        await hooks.database.execute("UPDATE webhook_deliveries SET state = 'withdrawn', due_at = NULL, data = NULL")
        receiver.released.set()

    [delivery] = await hooks.deliveries()
    assert (delivery["state"], delivery["data"], json.loads(delivery["tries"])) == ("withdrawn", None, [])


async def test_a_note_about_a_lead_comes_from_any_transaction(hooks: Hooks, receiver: Receiver) -> None:
    await hooks.add(receiver.url, "contact.replied")
    await hooks.brokerage.ask()
    contact_id = await hooks.database.fetchval("SELECT id FROM contacts")
    async with hooks.delivering():
        async with hooks.database.transaction() as transaction:
            note_event(transaction, hooks.brokerage.owner_id, "contact.replied", contact_id, text="Yes", channel="text")
        await receiver.wait_for(1)

    assert receiver.messages[0].json["data"]["text"] == "Yes"

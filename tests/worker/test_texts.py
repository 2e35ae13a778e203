"""Texts leave at lawful hours, from the right number, to numbers that take them; what is reported is their outcome."""

import asyncio
import hashlib
import re
from datetime import datetime

import msgspec
import pytest

from leadroutes.channels import open_channels
from leadroutes.channels.provider import open_provider
from leadroutes.channels.text import TextChannel
from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.store.messages import DeliveryLog, MessageKey
from leadroutes.store.queue import RowKey
from tests.support.provider import NUMBER, Refusal, number_record
from tests.support.texting import BOB, MIA, Texting


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


# ------------------------------------------------------------------------------------------------------------- alerts


async def test_an_alert_by_text_has_the_masked_preview_and_a_link_that_claims_by_text(texting: Texting) -> None:
    row = await texting.deliver(await texting.alert(phone=MIA, message=f"call {MIA}"))
    text = texting.only_text
    assert (text["to"], text["from"]) == (BOB, NUMBER)
    found = re.fullmatch(
        r"New lead: Mia, Denver, Buyer, \$450,000 \(Zillow\)\. Claim: https://leads\.example/claim/([\w-]+)"
        r" or reply 1 \(pass: 1N\)",
        text["body"],
    )
    assert found is not None, text["body"]
    via = await texting.database.fetchval(
        "SELECT via FROM claim_tokens WHERE token_hash = $1", hashlib.sha256(found[1].encode()).digest()
    )
    assert via == "Text"
    assert (row["state"], row["provider_id"], row["provider_state"]) == ("sent", text["sid"], "queued")
    assert found[1] not in row["text_body"], "the outbox must not hand out a claim"
    assert (
        text["callback"]
        == f"https://leads.example/twilio/status?message={row['owner_id']}.{row['id']}#ct=3000&rc=3&rp=all"
    )


async def test_alerts_go_at_night(texting: Texting) -> None:
    await texting.move_to(moment("2026-12-01T09:00"))  # 02:00 in Denver
    assert (await texting.deliver(await texting.alert()))["state"] == "sent"


async def test_a_number_that_cannot_be_texted_is_named(texting: Texting) -> None:
    await texting.database.execute("UPDATE users SET phone = '12'")
    row = await texting.deliver(await texting.alert())
    assert (row["state"], row["reason"]) == ("suppressed", "the user has no phone number")
    assert texting.provider.texts == {}


async def test_whoever_had_been_notified_is_told_who_has_the_lead(texting: Texting) -> None:
    await texting.deliver(await texting.alert())
    lead_id = await texting.database.fetchval("SELECT id FROM leads")
    town = texting.brokerage.town
    await texting.brokerage.engine.assign(
        texting.brokerage.owner_id, lead_id, town.users["carol"], texting.brokerage.owner_id
    )
    await texting.deliver(await texting.latest("kind = 'claimed' AND channel = 'text'"))
    assert texting.provider.bodies[-1].startswith(
        "Taken: Mia, Denver, Buyer, $450,000. Carol Town claimed this lead at "
    )


# -------------------------------------------------------------------------------------------------- texts of campaigns


async def test_a_campaigns_text_is_its_template_without_html(texting: Texting) -> None:
    body = "<p>Hi {{first_name}},</p><p>5 &gt; 4 &amp; more</p>"
    await texting.deliver(await texting.campaign_text(body))
    assert texting.only_text["body"] == "Hi Mia,\n5 > 4 & more"
    await texting.deliver(
        await texting.campaign_text("Hi {{first_name}}, 5 > 4", first_name="Ana", phone="+13035550198")
    )
    assert texting.provider.bodies[-1] == "Hi Ana, 5 > 4"


async def test_it_comes_from_the_senders_own_number_if_the_account_has_it(texting: Texting) -> None:
    own = "+13035550101"
    await texting.database.execute("UPDATE users SET system_phone = $2 WHERE id = $1", texting.brokerage.owner_id, own)
    await texting.deliver(await texting.campaign_text())
    assert texting.only_text["from"] == NUMBER, "it is not the account's"
    texting.provider.numbers += [number_record("+13035550102"), number_record("+13035550103"), number_record(own)]
    texting.use(open_channels(texting.settings))
    await texting.deliver(await texting.campaign_text(phone="+13035550198"))
    assert list(texting.provider.texts.values())[-1]["from"] == own


async def test_a_messaging_service_sends_in_place_of_a_number(texting: Texting) -> None:
    settings = Settings(**{**texting.provider.settings, "twilio_messaging_service": "MG1"}, data=texting.settings.data)
    texting.use(open_channels(settings), settings)
    await texting.deliver(await texting.alert())
    text = texting.only_text
    assert (text["from"], text["messaging_service_sid"]) == (None, "MG1")


async def test_nothing_leaves_before_a_text_of_the_contact_has_been_read(texting: Texting) -> None:
    """It may be a word of stopping, and whoever reads it may be slower than whoever sends."""
    message_id, other_id = await texting.campaign_text(), await texting.campaign_text(phone="+13035550198")
    await texting.database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id)"
        " SELECT owner_id, 'phone', mobile_phone, id FROM contacts"
    )
    await texting.provider.text_in(MIA, "STOP")

    row = await texting.deliver(message_id)

    assert (row["state"], row["reason"], row["attempts"]) == ("queued", "waits: a text of the contact is being read", 0)
    assert (await texting.deliver(other_id))["state"] == "sent"
    text_id = await texting.database.fetchval("SELECT id FROM received_texts")
    received = ReceivedTexts(texting.brokerage.arrivals, texting.settings)
    await received.read(msgspec.json.encode(RowKey(0, text_id)), 1)
    assert (await texting.deliver(message_id))["state"] == "suppressed"
    assert [text["to"] for text in texting.provider.texts.values()] == ["+13035550198"]


async def test_nothing_leaves_to_a_number_before_its_text_has_been_read_whoever_has_the_number(
    texting: Texting,
) -> None:
    """Of two contacts with one phone it identifies one."""
    message_id, other_id = await texting.campaign_text(), await texting.campaign_text(first_name="Finn")
    await texting.database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id)"
        " SELECT owner_id, 'phone', mobile_phone, min(id) FROM contacts GROUP BY owner_id, mobile_phone"
    )
    await texting.provider.text_in(MIA, "STOP")

    rows = [await texting.deliver(each) for each in (message_id, other_id)]
    assert [(row["state"], row["attempts"]) for row in rows] == [("queued", 0), ("queued", 0)]
    assert (await texting.deliver(await texting.alert()))["state"] == "sent", "Bob's alert does not wait"
    text_id = await texting.database.fetchval("SELECT id FROM received_texts")
    await ReceivedTexts(texting.brokerage.arrivals, texting.settings).read(msgspec.json.encode(RowKey(0, text_id)), 1)
    rows = [await texting.deliver(each) for each in (message_id, other_id)]
    assert [row["state"] for row in rows] == ["suppressed", "suppressed"]


async def test_a_message_that_was_begun_before_a_text_came_is_looked_at_once_more(texting: Texting) -> None:
    message_id = await texting.campaign_text()
    await texting.database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id)"
        " SELECT owner_id, 'phone', mobile_phone, id FROM contacts"
    )
    sending, key = DeliveryLog(texting.database), MessageKey(texting.brokerage.owner_id, message_id)
    begun = await sending.begin(key)
    await texting.provider.text_in(MIA, "STOP")
    status = await sending.recheck(key)

    assert begun is not None
    assert status is not None
    assert [begun.status.has_unread_text, status.has_unread_text] == [False, True]


async def second_text(texting: Texting) -> int:
    """Another campaign has a text for Mia; answers its id."""
    contact_id = await texting.database.fetchval("SELECT max(id) FROM contacts")
    town, engine = texting.brokerage.town, texting.brokerage.engine
    count = await texting.database.fetchval("SELECT count(*) FROM campaigns")
    campaign_id = await town.campaign("alice", f"Drip {count}")
    template_id = await town.template("alice", subject=None, body="Hi again", template_type="Text")
    await town.action("alice", campaign_id, type="Text Contact", template_id=template_id)
    await engine.start_campaign(texting.brokerage.owner_id, campaign_id, contact_id, texting.brokerage.owner_id)
    await engine.run_due()
    return await texting.latest("kind = 'campaign'")


@pytest.mark.parametrize("outage", [{"minutes": 0}, {"days": 3}], ids=["short", "long"])
async def test_texts_that_have_waited_for_their_channel_leave_ten_minutes_apart(
    texting: Texting, outage: dict[str, float]
) -> None:
    """Several workers may deliver them at the same moment, and the contact is to get one."""
    first = await texting.campaign_text()
    await texting.pass_time(minutes=11)
    second = await second_text(texting)
    await texting.pass_time(**outage)

    await asyncio.gather(texting.deliver(first), texting.deliver(second))

    rows = [await texting.message(each) for each in (first, second)]
    assert sorted(row["state"] for row in rows) == ["queued", "sent"]
    [waiting] = [row for row in rows if row["state"] == "queued"]
    assert waiting["reason"].endswith("10 minutes between two texts")
    await texting.pass_time(minutes=10, seconds=1)
    assert (await texting.deliver(waiting["id"]))["state"] == "sent"


async def test_texts_that_have_waited_for_days_are_no_more_in_a_day_than_others(texting: Texting) -> None:
    waiting = [await texting.campaign_text()]
    for _ in range(4):
        await texting.pass_time(hours=24)
        waiting.append(await second_text(texting))
    for each in waiting:
        await texting.deliver(each)
        await texting.pass_time(minutes=11)

    assert len(texting.provider.texts) == 3


async def test_outside_the_hours_it_waits_until_they_begin(texting: Texting) -> None:
    await texting.move_to(moment("2026-12-01T09:00"))  # 02:00 in Denver
    message_id = await texting.campaign_text()
    await texting.sender.deliver(message_id)  # the job is done: the timers bring it back
    row = await texting.message(message_id)
    assert (row["state"], row["leaves_at"], row["attempts"]) == ("queued", moment("2026-12-01T16:00"), 0)
    assert row["advice"] == (
        "It leaves when its campaign's windows and the hours of the contact's place allow it."
        " Nothing to do: it is sent when these hours begin."
    )
    await texting.database.execute("DELETE FROM pgqueuer")
    await texting.pass_time(hours=6, minutes=59)
    assert await texting.database.fetchval("SELECT count(*) FROM pgqueuer") == 0
    assert await texting.brokerage.engine.run_due() == moment("2026-12-01T16:00")
    await texting.pass_time(minutes=1)
    assert await texting.database.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'deliver'") == 1
    assert (await texting.deliver(message_id))["state"] == "sent"


async def test_the_hours_are_those_of_every_place_that_is_known(texting: Texting) -> None:
    message_id = await texting.campaign_text()
    contact_id = await texting.database.fetchval("SELECT contact_id FROM messages WHERE id = $1", message_id)
    town = texting.brokerage.town
    await town.insert(
        "contact_addresses", owner_id=texting.brokerage.owner_id, contact_id=contact_id, zip="96813",
        created_at=town.now, modified_at=town.now,
    )  # fmt: skip
    row = await texting.deliver(message_id)  # 10:00 in Denver, 07:00 in Honolulu
    assert (row["state"], row["leaves_at"]) == ("queued", moment("2026-11-30T19:00"))


async def test_what_was_stopped_while_it_waited_does_not_leave(texting: Texting) -> None:
    await texting.move_to(moment("2026-12-01T09:00"))
    message_id = await texting.campaign_text()
    await texting.sender.deliver(message_id)
    await texting.database.execute("UPDATE contact_communications SET is_active = false")
    await texting.pass_time(hours=6)
    row = await texting.deliver(message_id)
    assert (row["state"], row["reason"]) == ("suppressed", "it was stopped")
    assert texting.provider.texts == {}


# ---------------------------------------------------------------------------------------------------------- suppression


async def suppress(texting: Texting, number: str, reason: str) -> None:
    town = texting.brokerage.town
    salt = await texting.database.fetchval("SELECT salt FROM suppression_salt")
    digest = hashlib.sha256(salt + number.encode()).digest()
    await town.insert(
        "suppressions", owner_id=texting.brokerage.owner_id, channel="text", value=number, digest=digest, reason=reason,
        at=town.now,
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["unsubscribed", "stopped", "bounced", "complained", "manual", "imported"])
async def test_a_suppressed_number_gets_no_texts_of_campaigns(texting: Texting, reason: str) -> None:
    await suppress(texting, MIA, reason)
    row = await texting.deliver(await texting.campaign_text(phone="(303) 555-0199"))
    assert row["state"] == "suppressed"
    assert "number" in row["reason"]
    assert texting.provider.texts == {}


@pytest.mark.parametrize(
    ("reason", "state"), [("stopped", "suppressed"), ("bounced", "suppressed"), ("manual", "sent")]
)
async def test_alerts_stop_only_where_the_phone_asked_for_it_or_cannot_take_them(
    texting: Texting, reason: str, state: str
) -> None:
    await suppress(texting, BOB, reason)
    assert (await texting.deliver(await texting.alert()))["state"] == state


EFFECTS: dict[int, tuple[str, str | None]] = {
    21610: ("failed", "stopped"),
    21614: ("failed", "bounced"),
    21635: ("failed", "bounced"),
    21211: ("failed", None),
    30034: ("failed", None),
}


@pytest.mark.parametrize(("code", "expected"), EFFECTS.items())
async def test_a_number_that_is_refused_for_good_is_not_tried_again(
    texting: Texting, code: int, expected: tuple[str, str | None]
) -> None:
    state, suppressed_as = expected
    texting.provider.refused_numbers[MIA] = code
    row = await texting.deliver(await texting.campaign_text())
    assert (row["state"], row["error_code"]) == (state, code)
    assert row["reason"].startswith(f"the provider said {code}: ")
    assert row["advice"].endswith(".")
    found = await texting.database.fetch("SELECT channel, value, reason FROM suppressions")
    assert [tuple(each) for each in found] == ([("text", MIA, suppressed_as)] if suppressed_as else [])
    texting.provider.refused_numbers.clear()
    second = await texting.deliver(await texting.campaign_text())
    assert second["state"] == ("suppressed" if suppressed_as else "sent")


@pytest.mark.parametrize(("code", "suppressed_as"), [(21610, "stopped"), (30006, "bounced"), (30007, None)])
async def test_a_number_that_a_callback_refuses_gets_no_more_either(
    texting: Texting, code: int, suppressed_as: str | None
) -> None:
    row = await texting.deliver(await texting.campaign_text())
    await texting.provider.report(row["provider_id"], "undelivered", code)
    row = await texting.message(row["id"])
    assert (row["state"], row["provider_state"], row["error_code"]) == ("failed", "undelivered", code)
    assert await texting.database.fetchval("SELECT reason FROM suppressions") == suppressed_as


async def test_what_the_provider_refuses_at_this_hour_waits_for_the_next_window(texting: Texting) -> None:
    texting.provider.refusals.append(Refusal(400, 30610))
    message_id = await texting.campaign_text()
    row = await texting.deliver(message_id)
    assert (row["state"], row["leaves_at"], row["error_code"]) == ("queued", moment("2026-12-01T16:00"), 30610)
    await texting.pass_time(hours=23)
    row = await texting.deliver(message_id)
    assert (row["state"], row["error_code"]) == ("sent", None)
    await texting.provider.report(row["provider_id"], "undelivered", 30610)
    row = await texting.message(message_id)
    assert (row["state"], row["leaves_at"]) == ("queued", moment("2026-12-02T15:00"))


# ------------------------------------------------------------------------------------------------------ what goes wrong


async def test_a_busy_provider_is_tried_again_and_a_broken_channel_costs_no_attempt(texting: Texting) -> None:
    message_id = await texting.campaign_text()
    for refusal, attempts in ((Refusal(429, 20429), 1), (Refusal(500), 2), (Refusal(503), 3)):
        texting.provider.refusals.append(refusal)
        row = await texting.deliver(message_id)
        assert (row["state"], row["attempts"]) == ("queued", attempts)
    texting.provider.password = "another"
    row = await texting.deliver(message_id)
    assert (row["state"], row["attempts"]) == ("queued", 3)
    assert row["reason"] == "waits: the provider said 20003: Authenticate"
    assert await texting.database.fetchval("SELECT channel FROM channel_faults") == "text"


@pytest.fixture
async def impatient(texting: Texting) -> Texting:
    """Waits for an answer of the provider for a moment only."""
    provider = open_provider(texting.settings, timeout=0.2)
    assert provider is not None
    channels = {"text": TextChannel(provider, NUMBER, texting.settings.public_url)}
    texting.use(channels)
    return texting


async def test_a_text_that_broke_off_is_resolved_by_its_callback(impatient: Texting) -> None:
    impatient.provider.refusals.append(Refusal(200, is_done=True))
    row = await impatient.deliver(await impatient.campaign_text())
    assert (row["state"], row["provider_id"]) == ("unknown", None)
    sid = impatient.only_text["sid"]
    await impatient.provider.report(sid, "delivered")
    row = await impatient.message(row["id"])
    assert (row["state"], row["reason"], row["provider_id"], row["provider_state"]) == ("sent", None, sid, "delivered")
    assert row["delivered_at"] is not None
    assert row["asks_at"] is None


async def test_or_by_asking_after_an_hour(impatient: Texting) -> None:
    impatient.provider.refusals.append(Refusal(200, is_done=True))
    row = await impatient.deliver(await impatient.campaign_text())
    impatient.only_text["status"] = "undelivered"
    impatient.only_text["error_code"] = 30003
    await impatient.pass_time(minutes=59)
    assert (await impatient.message(row["id"]))["state"] == "unknown"
    await impatient.pass_time(minutes=1)
    row = await impatient.message(row["id"])
    assert (row["state"], row["error_code"], row["provider_id"]) == ("failed", 30003, impatient.only_text["sid"])


async def test_what_the_provider_does_not_know_of_was_not_sent(impatient: Texting) -> None:
    impatient.provider.refusals.append(Refusal(200, is_done=True))
    row = await impatient.deliver(await impatient.campaign_text())
    impatient.provider.texts.clear()
    await impatient.pass_time(hours=1)
    row = await impatient.message(row["id"])
    assert (row["state"], row["reason"]) == ("failed", "the provider does not know of it: it was not sent")


async def test_another_text_to_the_same_number_is_not_taken_for_it(impatient: Texting) -> None:
    await impatient.deliver(await impatient.campaign_text("one"))
    impatient.provider.refusals.append(Refusal(200, is_done=True))
    row = await impatient.deliver(await impatient.campaign_text("two"))
    second = list(impatient.provider.texts)[1]
    second_record = impatient.provider.texts[second]
    await impatient.pass_time(hours=1)
    row = await impatient.message(row["id"])
    assert (row["state"], row["provider_id"]) == ("sent", second)
    assert second_record["body"] == "two"


async def test_texts_that_are_sent_for_an_hour_are_asked_about_and_for_two_days(texting: Texting) -> None:
    row = await texting.deliver(await texting.campaign_text())
    asked = len(texting.provider.asked)
    await texting.pass_time(hours=1)
    await texting.pass_time(hours=1)
    assert len(texting.provider.asked) == asked + 2
    texting.only_text["status"] = "delivered"
    await texting.pass_time(hours=1)
    row = await texting.message(row["id"])
    assert (row["provider_state"], row["asks_at"]) == ("delivered", None)
    await texting.pass_time(hours=3)
    assert len(texting.provider.asked) == asked + 3

    silent = await texting.deliver(await texting.campaign_text(phone="+13035550198"))
    await texting.pass_time(days=3)
    assert (await texting.message(silent["id"]))["asks_at"] is None


async def test_an_alert_that_broke_off_is_sent_again_unless_the_provider_reports_it(impatient: Texting) -> None:
    message_id = await impatient.alert()
    impatient.provider.refusals.append(Refusal(200, is_done=True))
    with pytest.raises(RetryLater):
        await impatient.sender.deliver(message_id)
    await impatient.provider.report(impatient.only_text["sid"], "sent")
    assert (await impatient.message(message_id))["state"] == "sent"
    await impatient.sender.deliver(message_id)
    assert len(impatient.provider.texts) == 1


async def test_a_callback_that_is_faster_than_the_answer_counts(texting: Texting) -> None:
    texting.provider.plan = [("undelivered", 30007)]
    row = await texting.deliver(await texting.campaign_text())
    for _ in range(100):
        row = await texting.message(row["id"])
        if row["state"] == "failed":
            break
        await asyncio.sleep(0.02)
    assert (row["state"], row["provider_state"], row["error_code"]) == ("failed", "undelivered", 30007)
    assert row["address"] == MIA
    assert row["text_body"] == "Hi Mia"


async def test_what_a_process_that_died_had_sent_is_recognised_by_its_callback(texting: Texting) -> None:
    message_id = await texting.campaign_text()
    row = await texting.message(message_id)
    await texting.database.execute("UPDATE messages SET state = 'sending', attempts = 1 WHERE id = $1", message_id)
    texting.provider.texts["SM9"] = {
        "to": MIA, "from": NUMBER, "callback": f"https://leads.example/twilio/status?message={row['owner_id']}.{message_id}",
    }  # fmt: skip
    await texting.provider.report("SM9", "sent")
    row = await texting.deliver(message_id)
    assert (row["state"], row["provider_id"], row["address"]) == ("sent", "SM9", MIA)
    assert len(texting.provider.asked) == 0


async def test_every_callback_is_stored_once(texting: Texting) -> None:
    row = await texting.deliver(await texting.campaign_text())
    for state, code in (("sent", None), ("delivered", None), ("sent", None), ("undelivered", 30003)):
        await texting.provider.report(row["provider_id"], state, code, times=2)
    found = await texting.database.fetch("SELECT state, error_code FROM message_callbacks ORDER BY id")
    assert [tuple(each) for each in found] == [("sent", None), ("delivered", None), ("undelivered", 30003)]
    row = await texting.message(row["id"])
    assert (row["state"], row["provider_state"], row["error_code"]) == ("sent", "delivered", 30003)


async def test_a_text_that_failed_is_sent_again_by_hand_as_a_new_one(texting: Texting) -> None:
    row = await texting.deliver(await texting.campaign_text())
    await texting.provider.report(row["provider_id"], "failed", 30008)
    texting.brokerage.town.application = texting.application
    async with texting.brokerage.town.client("alice") as alice:
        answer = await alice.post(f"/messages/{row['id']}/retry", json={})
    assert answer.json()["state"] == "queued"
    row = await texting.deliver(row["id"])
    assert (row["state"], row["provider_state"], row["error_code"]) == ("sent", "queued", None)
    assert row["provider_id"] == list(texting.provider.texts)[1]
    await texting.provider.report(next(iter(texting.provider.texts)), "delivered")
    assert (await texting.message(row["id"]))["provider_state"] == "queued"


async def test_without_credentials_a_text_stays_in_the_outbox(texting: Texting) -> None:
    settings = Settings(data=texting.settings.data)
    texting.use(open_channels(settings), settings)
    row = await texting.deliver(await texting.campaign_text())
    assert (row["state"], row["reason"]) == ("suppressed", "no text channel is configured")
    assert row["text_body"] == "Hi Mia"
    await texting.pass_time(days=1)
    texting.use(open_channels(texting.settings))
    assert (await texting.deliver(row["id"]))["state"] == "suppressed", "also once there is a provider"
    assert texting.provider.texts == {}

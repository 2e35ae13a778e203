"""Texts of contacts that come in, of people who are not known, and what remains of them after an erasure."""

import asyncio
import json
from datetime import timedelta

import msgspec
import pytest

from leadroutes.operations.doctor import examine
from leadroutes.operations.erasure import erase_contact, export_contact
from leadroutes.store.postgres import Database
from leadroutes.store.received_texts import OTHERS, ReceivedText, find_texting_contacts
from leadroutes.store.screens import account_topic
from tests.support.hooks import Hooks
from tests.support.phones import BOBS, MIAS, OURS, Phones
from tests.support.screens import watching

LOOKED_UP = "SELECT coalesce(idx_scan, 0)::int FROM pg_stat_xact_user_tables WHERE relname = 'messages'"

# -------------------------------------------------------------------------------------------------- texts of contacts


async def test_a_contacts_text_is_on_the_timeline_and_alerted_to_whoever_has_the_contact(
    phones: Phones, database: Database
) -> None:
    lead_id = await phones.offered(phone=MIAS)
    contact_id = await database.fetchval("SELECT id FROM contacts")
    await phones.brokerage.engine.claim(phones.owner_id, lead_id, phones.brokerage.town.users["bob"])
    await phones.say(MIAS, "Can we see it\non Sunday? 🏡")
    event = await database.fetchrow("SELECT contact_id, source, type, description, user_id FROM events")
    assert event is not None
    bob = phones.brokerage.town.users["bob"]
    assert tuple(event) == (contact_id, "text", "text_received", "Can we see it\non Sunday? 🏡", bob)
    rows = await database.fetch("SELECT channel, user_id, lead_id FROM messages WHERE kind = 'replied' ORDER BY 1")
    assert [tuple(row) for row in rows] == [("email", bob, lead_id), ("text", bob, lead_id)]
    assert await phones.answers(MIAS) == []
    left = await database.fetchrow("SELECT phone, body FROM received_texts")
    assert left is not None
    assert tuple(left) == (None, None), "what it said is on the timeline alone"


async def test_the_owner_is_alerted_where_no_one_has_the_contact(phones: Phones, database: Database) -> None:
    await phones.offered(phone=MIAS)
    await phones.say(MIAS, "Hello?")
    rows = await database.fetch("SELECT channel, user_id FROM messages WHERE kind = 'replied'")
    assert [tuple(row) for row in rows] == [("email", phones.owner_id)], "Alice has no phone"


async def test_the_channels_of_the_alert_are_those_that_were_chosen(phones: Phones, database: Database) -> None:
    await phones.offered(phone=MIAS)
    await database.execute(
        "INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth, created_at)"
        " VALUES ($1, 'https://push.example/1', 'k', 'a', now())", phones.owner_id,
    )  # fmt: skip
    await phones.say(MIAS, "Hello?")
    await database.execute("INSERT INTO alert_preferences (user_id, replied) VALUES ($1, '{}')", phones.owner_id)
    await phones.say(MIAS, "Anyone?")
    rows = await database.fetch(
        "SELECT array_agg(channel ORDER BY channel) AS channels FROM messages WHERE kind = 'replied' GROUP BY event_id"
        " ORDER BY event_id"
    )
    assert [row["channels"] for row in rows] == [["email", "push"], ["push"]]


async def test_webhooks_hear_of_answers_and_of_wishes(phones: Phones, hooks: Hooks) -> None:
    await phones.offered(phone=MIAS)
    await hooks.add("http://127.0.0.1:9/leads", "contact.replied", "contact.unsubscribed")
    for said in ("Sounds good", "Stop texting me!", "STOP"):
        await phones.say(MIAS, said)
    heard = [(each["type"], json.loads(each["data"])) for each in await hooks.deliveries()]
    assert [(type_, data["text"], data["channel"]) for type_, data in heard] == [
        ("contact.replied", "Sounds good", "text"),
        ("contact.unsubscribed", "Stop texting me!", "text"),
    ]
    assert {data["first_name"] for _, data in heard} == {"Mia"}


async def test_a_text_stops_the_steps_that_it_is_said_to_stop(phones: Phones, database: Database) -> None:
    town = phones.brokerage.town
    await phones.offered(phone=MIAS)
    contact_id = await database.fetchval("SELECT id FROM contacts")
    for stops, type_ in ((True, "Text Contact"), (False, "Text Contact"), (False, "Email Contact")):
        await town.insert(
            "contact_communications", owner_id=phones.owner_id, contact_id=contact_id, type=type_,
            is_stopped_on_text_reply=stops, send_at=town.now + timedelta(days=1),
        )  # fmt: skip
    await phones.say(MIAS, "STOP")
    active = "SELECT array_agg(is_active ORDER BY id) FROM contact_communications"
    assert await database.fetchval(active) == [True, True, True], "each is suppressed when it falls due"
    await phones.say(MIAS, "Sounds good")
    assert await database.fetchval(active) == [False, True, True]
    reason = await database.fetchval("SELECT reason FROM messages WHERE kind = 'campaign'")
    assert reason == "the contact has answered by text"


async def test_of_several_contacts_with_the_phone_the_one_last_written_to_has_texted(
    phones: Phones, database: Database
) -> None:
    town = phones.brokerage.town
    ids = []
    for first_name, phone in (("Mia", MIAS), ("Ola", "(303) 555-0199"), ("Tom", "303.555.0199 x2")):
        ids.append(await town.contact("alice", first_name=first_name, mobile_phone=phone))
    other = await town.contact("dave", home_phone=MIAS)
    for owner, contact_id in (("alice", ids[0]), ("dave", other)):
        await database.execute(
            "INSERT INTO contact_identities (owner_id, kind, value, contact_id) VALUES ($1, 'phone', $2, $3)",
            town.users[owner], MIAS, contact_id,
        )  # fmt: skip
    for owner, contact_id in (("alice", ids[0]), ("alice", ids[1]), ("dave", other), ("alice", ids[1])):
        await database.move_clock(timedelta(minutes=1))
        await phones.write_to(contact_id, MIAS, town.users[owner])
        await phones.say(MIAS, "Hello")
        assert await database.fetchval("SELECT contact_id FROM events ORDER BY id DESC LIMIT 1") == contact_id


async def test_of_very_many_contacts_with_one_phone_few_are_looked_at_and_all_are_heeded(
    phones: Phones, database: Database
) -> None:
    """As of a call centre, or of a list with one number for all."""
    town, many = phones.brokerage.town, 2_000
    await database.execute(
        "INSERT INTO contacts (owner_id, first_name, email, mobile_phone, created_at, modified_at)"
        " SELECT $1, 'Mia', 'mia' || g || '@example.org', $2, $4, $4 FROM generate_series(1, $3::int) g",
        phones.owner_id, MIAS, many, town.now,
    )  # fmt: skip
    first = await database.fetchval("SELECT min(id) FROM contacts")
    some = first + many // 2
    await database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id) VALUES ($1, 'phone', $2, $3)",
        phones.owner_id, MIAS, first,
    )  # fmt: skip
    await phones.write_to(some, MIAS, phones.owner_id)
    await phones.say(MIAS, "Hello")
    assert await database.fetchval("SELECT contact_id FROM events") == some

    text = ReceivedText(
        id=0, provider_id="", number=OURS, phone=MIAS, body="Hello", opt_out_type=None, received_at=town.now
    )
    async with database.transaction() as transaction:
        before = await transaction.fetchval(LOOKED_UP)
        assert (await find_texting_contacts(transaction, text))[0].id == some
        assert await transaction.fetchval(LOOKED_UP) - before <= 3 * OTHERS

    await phones.say(MIAS, "STOP")
    why = "SELECT count(*) FROM contacts c WHERE channel_suppressed_because(c.owner_id, 'text', c.mobile_phone) IS NULL"
    assert await database.fetchval(why) == 0

async def test_an_agent_with_open_offers_who_is_a_contact_too_gets_help_and_is_heard(
    phones: Phones, database: Database
) -> None:
    await phones.offered(("bob", BOBS), phone=BOBS)
    await phones.say(BOBS, "what is this?")
    assert await database.fetchval("SELECT count(*) FROM events") == 1
    assert await phones.answers(BOBS) == ["Reply 1 to claim the lead, 1N to pass."]
    await phones.say(BOBS, "1")
    assert await database.fetchval("SELECT count(*) FROM claims") == 1


async def test_webhooks_of_all_who_have_the_number_hear_that_it_gets_no_more_texts(
    phones: Phones, hooks: Hooks, database: Database
) -> None:
    town = phones.brokerage.town
    await phones.offered(phone=MIAS)
    known = await town.contact("dave", mobile_phone=MIAS)
    await database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id) VALUES ($1, 'phone', $2, $3)",
        town.users["dave"], MIAS, known,
    )  # fmt: skip
    await phones.write_to(await database.fetchval("SELECT contact_id FROM leads"), MIAS)
    for name in ("alice", "dave"):
        await hooks.add("http://127.0.0.1:9/leads", "contact.unsubscribed", name=name)
    for _ in range(2):
        await phones.say(MIAS, "Stop texting me!")
    rows = await hooks.deliveries()
    heard = {each["owner_id"]: json.loads(each["data"]) for each in rows}
    assert len(rows) == len(heard) == 2
    own, other = heard[phones.owner_id], heard[town.users["dave"]]
    assert (own["text"], own["channel"]) == ("Stop texting me!", "text")
    assert (other["id"], other["text"], other["channel"]) == (known, None, "text"), "what was written is Alice's alone"


# ----------------------------------------------------------------------------------------- numbers of users, strangers


async def test_webhooks_and_open_screens_hear_of_a_stranger_whose_text_makes_no_lead(
    phones: Phones, hooks: Hooks, database: Database
) -> None:
    await phones.give_number("alice")
    await hooks.add("http://127.0.0.1:9/leads", "arrival.rejected")
    async with watching(database, [account_topic(phones.owner_id)]) as changes:
        await phones.say(MIAS, "Is 12 Grape St still for sale?", number="+13035550111")
        assert await anext(changes) == {account_topic(phones.owner_id)}
    [heard] = await hooks.deliveries()
    said = json.loads(heard["data"])
    assert (heard["type"], said["status"], said["reason"]) == ("arrival.rejected", "rejected", "unknown_number")


async def test_a_stranger_becomes_a_lead_where_the_number_has_an_intake_key(phones: Phones, database: Database) -> None:
    await phones.give_number("alice", with_key=True)
    text_id = await phones.come_in(MIAS, "Is 12 Grape St still for sale?", number="+13035550111")
    await asyncio.gather(*(phones.read(text_id) for _ in range(3)))
    row = await database.fetchrow(
        "SELECT l.owner_id, l.text_body, c.mobile_phone, l.routed_at IS NOT NULL AS routed"
        " FROM leads l JOIN contacts c ON c.id = l.contact_id"
    )
    assert row is not None
    assert tuple(row) == (phones.owner_id, "Is 12 Grape St still for sale?", MIAS, True)
    assert await database.fetchval("SELECT count(*) FROM leads") == 1
    await phones.say(MIAS, "Hello?", number="+13035550111")
    assert await database.fetchval("SELECT description FROM events") == "Hello?", "now it is a contact's text"
    assert await phones.outcomes() == {"arrival": 1, "contact": 1}
    assert (await examine(database)).violation is None


async def test_without_an_intake_key_it_is_an_arrival_that_was_rejected(phones: Phones, database: Database) -> None:
    await phones.give_number("bob")
    await phones.say(MIAS, "Is it still for sale?", number="+13035550111")
    await phones.say(None, "Your code is 123456", number="+13035550111")
    rows = await database.fetch("SELECT owner_id, status, reason, body FROM arrivals ORDER BY id")
    bob = phones.brokerage.town.users["bob"]
    assert [tuple(row)[:3] for row in rows] == [(bob, "rejected", "unknown_number")] * 2
    assert msgspec.json.decode(rows[0]["body"])["message"] == "Is it still for sale?"
    assert await phones.answers(MIAS) == []
    arrival_id = await database.fetchval("SELECT min(id) FROM arrivals")
    result = await phones.brokerage.arrivals.replay(bob, arrival_id)
    assert result.stored.lead_ids, "it can be read again as a lead"
    assert (await examine(database)).violation is None


async def test_at_a_number_of_no_one_a_strangers_text_is_for_administrators(phones: Phones, database: Database) -> None:
    await phones.say(MIAS, "Hello")
    assert await phones.outcomes() == {"unknown": 1}
    row = await database.fetchrow("SELECT phone, body FROM received_texts")
    assert row is not None
    assert tuple(row) == (MIAS, "Hello")
    assert await database.fetchval("SELECT count(*) FROM arrivals") == 0


async def test_a_number_of_a_user_finds_the_contacts_of_that_user_and_of_the_owner(
    phones: Phones, database: Database
) -> None:
    await phones.give_number("bob")
    await phones.give_number("dave", number="+13035550112")
    await phones.offered(phone=MIAS)
    await phones.say(MIAS, "Hello", number="+13035550112")
    assert await database.fetchval("SELECT count(*) FROM events") == 0, "Dave does not know Mia"
    await phones.say(MIAS, "Hello", number="+13035550111")
    assert await database.fetchval("SELECT owner_id FROM events") == phones.owner_id


@pytest.mark.parametrize(
    "body",
    ["x" * 10_000, "Привет, как дела?", "你好" * 500, "🏡" * 1_000, "مرحبا", "e\u0301" * 200, "'; DROP TABLE x;--"],
)
async def test_any_text_of_a_contact_is_stored(phones: Phones, database: Database, body: str) -> None:
    await phones.offered(phone=MIAS)
    await phones.say(MIAS, body)
    assert await database.fetchval("SELECT description FROM events") == body[:2_000]


# ------------------------------------------------------------------------------------------------------------ erasure


async def test_an_erasure_loses_no_word_of_stopping_that_has_not_been_read(phones: Phones, database: Database) -> None:
    await phones.offered(phone=MIAS)
    contact_id = await database.fetchval("SELECT id FROM contacts")
    text_id = await phones.come_in(MIAS, "STOP")
    await erase_contact(database, phones.owner_id, contact_id)
    await phones.read(text_id)
    assert await database.fetchval("SELECT is_phone_stopped_for($1, $2)", phones.owner_id, MIAS)
    assert await database.fetchval("SELECT phone FROM received_texts") is None


async def test_texts_of_a_contact_vanish_with_the_contact(phones: Phones, database: Database) -> None:
    await phones.say(MIAS, "Hello from before, Mia Lund")
    await phones.offered(phone=MIAS)
    contact_id = await database.fetchval("SELECT id FROM contacts")
    await phones.say(MIAS, "My secret is 4711")
    await phones.say(MIAS, "STOP")
    await database.execute("UPDATE messages SET text_body = 'My secret is 4711' WHERE kind = 'replied'")
    whole = await export_contact(database, phones.owner_id, contact_id)
    assert "My secret is 4711" in whole
    await erase_contact(database, phones.owner_id, contact_id)
    for table in ("events", "messages", "received_texts", "arrivals", "suppressions", "reply_phones"):
        rows = await database.fetch(f"SELECT * FROM {table}")
        for row in rows:
            assert "4711" not in str(row), table
            assert MIAS not in str(row), table
            assert "Mia Lund" not in str(row), table
    assert await database.fetchval("SELECT is_phone_stopped_for($1, $2)", phones.owner_id, MIAS), "it stays in force"

"""A person is erased: nothing of them is left in any column of any table, and all that was decided still adds up."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.errors import Problem
from leadroutes.operations import erasure
from leadroutes.operations.erasure import erase_contact
from leadroutes.store import statement
from leadroutes.store.postgres import Database
from leadroutes.store.suppressions import unsubscribe
from tests.support.brokerage import KEY, Brokerage
from tests.support.commands import Command
from tests.support.databases import content
from tests.support.erasure import EMAIL, MARK, PHONE, contact_of, erase_and_check, remaining_rows
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender

# What has words of its own, or the owner's: none of it is the contact's. Table, column: why it may stay.
RETAINED = {
    ("messages", "address"): "of the agent who was notified",
    ("messages", "provider_id"): "what the provider calls it",
    ("messages", "provider_state"): "what the provider says of it",
    ("messages", "advice"): "a sentence of our own about a known error",
    ("message_callbacks", "provider_id"): "what the provider calls it",
    ("message_callbacks", "state"): "what the provider says of it",
    ("leads", "type"): "the kind of inquiry, by which it was routed",
    ("leads", "facts"): "what decided: sources, type and zipcode, so that the decision can be explained",
    ("tasks", "action_type"): "the kind of task",
    ("contact_communications", "type"): "the kind of step",
    ("contact_communications", "waits_rule"): "the rule that a step waited for",
    ("contact_communications", "waits_text"): "that rule, and until when",
    ("contact_communications", "campaign_name"): "the owner's name for the campaign",
    ("offers", "reason"): "why an agent was passed over",
    ("arrivals", "format"): "which reader read it",
    ("arrivals", "headers"): "emptied",
    ("calls", "number"): "of the agent who was called",
    ("calls", "provider_id"): "the provider's name for the call",
    ("calls", "outcome"): "the provider's word for how it ended",
}


# ------------------------------------------------------------------------------------------------- by every door


async def ask_by_every_door(brokerage: Brokerage) -> None:
    """Mia comes in by all kinds of bodies: new, again, as an update, a test, and as what no reader can read."""
    about = {"phone": PHONE, "name": f"Mia {MARK}", "email": EMAIL, "mls_id": MARK, "address": f"1 {MARK} Street"}
    await brokerage.ask(f"key of {MARK}", message=f"I am {MARK}", lead_id=f"{MARK}-1", **about)
    await brokerage.ask(message=f"Again, {MARK}", lead_id=f"{MARK}-1", **about)
    await brokerage.ask(message=f"And again, {MARK}", **about)
    await brokerage.ask(email=EMAIL, phone="none", test=True, name=f"Mia {MARK}")
    bodies = {
        "application/x-www-form-urlencoded": f"email={EMAIL.replace('@', '%40')}&phone=%28303%29+555-0101",
        "application/xml": f"<?xml version='1.0'?><lead><email>{EMAIL}</email><name>{MARK}</name></lead>",
        "application/json": '{"first": "Mia", "call me": "(303) 555.0101", "broken": ',
        "text/plain": f"Dear agent, write to {EMAIL.upper()} please. Yours, {MARK}",
        "message/rfc822": mail(),
    }
    for kind, body in bodies.items():
        for suffix in ("", " "):
            data = (body + suffix).encode()
            try:
                await brokerage.arrivals.ingest(KEY, data, {"Content-Type": kind, "X-Person": MARK})
            except Problem:
                continue


def mail() -> str:
    message = EmailMessage()
    message["From"] = f"Mia {MARK} <{EMAIL}>"
    message["Subject"] = "New lead"
    message.set_content(f"Name: Mia {MARK}\nEmail: {EMAIL}\nPhone: {PHONE}\nMessage: Is it free?\n")
    return message.as_string()


async def live(brokerage: Brokerage, sender: Sender, mailbox: Mailbox) -> int:
    """A campaign writes to Mia, with success and without; Bob is notified and claims; Mia asks by every door."""
    database, town = brokerage.town.database, brokerage.town
    await database.begin_clock(datetime(2027, 3, 10, 19, 30, tzinfo=UTC))  # at noon, when agents are asked to call
    campaign_id = await database.fetchval("SELECT id FROM campaigns")
    words = {"subject": "Hello {{contact.last_name}}", "body": "<b>{{contact.email}}</b>"}
    template_id = await town.template("alice", **words)
    for seconds in (0, 1, 3600):
        await town.action("alice", campaign_id, template_id=template_id, delay_by_seconds=seconds)
    await town.action("alice", campaign_id, type="Call Contact", description="Call", delay_by_seconds=0)
    await ask_by_every_door(brokerage)
    await database.move_clock(timedelta(seconds=10))
    await brokerage.engine.run_due()
    mailbox.answers = [f"550 no such person as {EMAIL}"]
    for row in await database.fetch("SELECT id FROM messages WHERE state = 'queued' ORDER BY contact_id, id"):
        await sender.deliver(row["id"])
    await sender.deliver(await sender.the_only("kind = 'call_due'"))
    await database.execute("DELETE FROM pgqueuer")
    lead_id = await database.fetchval("SELECT min(id) FROM leads")
    await brokerage.engine.claim(brokerage.owner_id, lead_id, town.users["bob"])
    return await contact_of(brokerage)


async def test_nothing_is_left_of_a_person_who_came_by_every_door(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database_url: str
) -> None:
    contact_id = await live(brokerage, sender, mailbox)
    assert {row.partition(":")[0] for row in remaining_rows(await content(database_url))} == {
        "arrivals", "contact_identities", "contacts", "idempotency_keys", "lead_events", "leads", "messages"
    }  # fmt: skip
    rows = await erase_and_check(brokerage, contact_id)

    assert remaining_rows(await content(database_url)) == []
    assert rows["arrivals"] > 3
    assert rows["stray_arrivals"] >= 3
    assert rows["messages"] > 2


async def test_what_inquiries_gave_beside_the_contact_goes_with_it_and_is_exported(
    brokerage: Brokerage, database_url: str
) -> None:
    """Further addresses, and what came through a form's key that may stand in a web page."""
    public = {"key_hash": hashlib.sha256(b"form").digest(), "lead_source_id": 1, "created_at": brokerage.town.now}
    await brokerage.town.insert("intake_keys", owner_id=brokerage.owner_id, **public)
    for number in range(4):
        await brokerage.ask(name=f"Mia {MARK}", email=f"{number}{EMAIL}", phone=PHONE, mls=str(number + 1))
    body = {"name": f"Max {MARK}", "email": f"max.{EMAIL}", "phone": PHONE, "mls": "1", "message": MARK, "lead_id": "5"}
    answer = await brokerage.arrivals.ingest("form", json.dumps(body).encode(), {"Content-Type": "application/json"})
    assert answer.stored.status == "touch"
    contact_id = await contact_of(brokerage, f"3{EMAIL}")
    exported = await erasure.export_contact(brokerage.town.database, brokerage.owner_id, contact_id)
    for given in ("inquirer", f"0{EMAIL}", f"3{EMAIL}", f"max.{EMAIL}"):
        assert given in exported
    await erase_and_check(brokerage, contact_id)

    assert remaining_rows(await content(database_url)) == []


async def test_nothing_is_left_in_any_column_of_any_table(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database_url: str
) -> None:
    """Whatever column of the person's rows can hold words is given some, also one that a later version adds."""
    contact_id = await live(brokerage, sender, mailbox)
    await everything_else(brokerage, contact_id)
    await brokerage.town.database.execute("DELETE FROM arrivals WHERE lead_id IS NULL")  # found by what is overwritten
    marked = await mark_every_column(brokerage.town.database, contact_id)
    assert len(marked) > 60
    await erase_and_check(brokerage, contact_id)

    assert remaining_rows(await content(database_url)) == []


async def everything_else(brokerage: Brokerage, contact_id: int) -> None:
    """What the API keeps of a contact beside leads."""
    town, owner_id = brokerage.town, brokerage.owner_id
    moments = {"created_at": town.now, "modified_at": town.now}
    field_id = await town.insert("custom_fields", owner_id=owner_id, data_type="Text", name="Shoe size")
    await town.database.execute(
        "INSERT INTO custom_field_values VALUES ($1, $2, $3, '9')", owner_id, contact_id, field_id
    )
    await town.insert("contact_addresses", owner_id=owner_id, contact_id=contact_id, **moments)
    await unsubscribe(town.database, UnsubscribeLink(owner_id, contact_id))
    agreed = {"channel": "text", "how": "form", "words": "I agree", "ip": "203.0.113.7", "at": town.now}
    await town.insert("consents", owner_id=owner_id, contact_id=contact_id, **agreed)
    event_id = await town.insert(
        "events", owner_id=owner_id, user_id=owner_id, contact_id=contact_id, type="Viewed", **moments
    )
    await town.insert("event_properties", owner_id=owner_id, api_event_id=event_id, contact_id=contact_id)
    task = {"action_type": "Call", "description": "Call", "status": "incomplete", **moments}
    await town.insert("tasks", owner_id=town.users["bob"], contact_owner_id=owner_id, contact_id=contact_id, **task)
    lead_id = await town.database.fetchval("SELECT max(id) FROM leads WHERE contact_id = $1", contact_id)
    asked = {"from_user_id": town.users["bob"], "to_user_id": owner_id, "state": "asked", "note": "n", "answer": "a"}
    await town.insert("handovers", owner_id=owner_id, lead_id=lead_id, created_at=town.now, **asked)
    merged = {"id": 999_999, "contact_id": contact_id, "by_user_id": owner_id, "merged_at": town.now}
    await town.insert("merged_contacts", owner_id=owner_id, **merged)
    webhook = {"url": "https://example.com", "secret": b"", **moments}
    webhook_id = await town.insert("webhooks", owner_id=owner_id, **webhook)
    for state, due_at in (("waiting", town.now), ("failed", None), ("delivered", None)):
        sent = {"type": "lead.arrived", "at": town.now, "data": "{}", "contact_id": contact_id}
        await town.insert(
            "webhook_deliveries", owner_id=owner_id, webhook_id=webhook_id, state=state, due_at=due_at, **sent
        )
    await town.database.execute(
        "UPDATE contacts SET tags = 'Buyer, $1' WHERE id = $2".replace("$1", MARK).replace("$2", str(contact_id))
    )
    await town.database.execute(
        "INSERT INTO tags (owner_id, content, content_key) VALUES ($1, $2, lower($2)), ($1, 'Buyer', 'buyer')",
        owner_id,
        MARK,
    )


LEADS_OF_CONTACT = "SELECT id FROM leads WHERE contact_id = $2"
ROWS = {
    "contacts": "id = $2",
    "contact_identities": "contact_id = $2",
    "contact_addresses": "contact_id = $2",
    "custom_field_values": "contact_id = $2",
    "events": "contact_id = $2",
    "event_properties": "contact_id = $2",
    "leads": "contact_id = $2",
    "claims": f"lead_id IN ({LEADS_OF_CONTACT})",
    "offers": f"lead_id IN ({LEADS_OF_CONTACT})",
    "lead_events": f"lead_id IN ({LEADS_OF_CONTACT})",
    "idempotency_keys": f"lead_id IN ({LEADS_OF_CONTACT})",
    "arrivals": f"lead_id IN ({LEADS_OF_CONTACT})",
    "campaign_contacts": "contact_id = $2",
    "contact_communications": "contact_id = $2",
    "tasks": "contact_id = $2",
    "shared_assignments": "contact_id = $2",
    "messages": f"(contact_id = $2 OR lead_id IN ({LEADS_OF_CONTACT}) OR due_call_id IN"
    " (SELECT id FROM contact_communications WHERE contact_id = $2))",
    "message_callbacks": "message_id IN (SELECT id FROM messages"
    f" WHERE contact_id = $2 OR lead_id IN ({LEADS_OF_CONTACT}))",
    "suppressions": "digest = (SELECT address_digest(c.email, k.salt) FROM contacts c, suppression_salt k"
    " WHERE c.id = $2)",
    "consents": "contact_id = $2",
    "returned_mails": "message_id IN (SELECT id FROM messages WHERE contact_id = $2)",
    "calls": f"lead_id IN ({LEADS_OF_CONTACT})",
    "left_out_members": f"lead_id IN ({LEADS_OF_CONTACT})",
    "failed_notices": f"lead_id IN ({LEADS_OF_CONTACT})",
    "handovers": f"lead_id IN ({LEADS_OF_CONTACT})",
    "merged_contacts": "contact_id = $2",
    "webhook_deliveries": "contact_id = $2",
    "claim_tokens": f"offer_id IN (SELECT id FROM offers WHERE lead_id IN ({LEADS_OF_CONTACT}))",
    "reply_numbers": f"offer_id IN (SELECT id FROM offers WHERE lead_id IN ({LEADS_OF_CONTACT}))",
}
VALUES = {
    "text": "coalesce({column}, '') || $1",
    "jsonb": "jsonb_build_object('message', $1::text, 'arrival_id', {column} -> 'arrival_id')",
    "bytea": "$1::text::bytea",
}
FIXED = {
    ("arrivals", "status"), ("claim_tokens", "token_hash"), ("claim_tokens", "via"), ("claims", "via"),
    ("consents", "channel"),
    ("contact_identities", "kind"), ("contacts", "time_zone"), ("suppressions", "channel"), ("suppressions", "reason"),
    ("suppressions", "digest"), ("idempotency_keys", "scope"), ("lead_events", "kind"),
    ("leads", "claimed_via"), ("messages", "channel"), ("messages", "kind"), ("messages", "state"),
    ("offers", "state"), ("handovers", "state"), ("tasks", "status"), ("calls", "token_hash"),
    ("campaign_contacts", "stopped_because"), ("left_out_members", "reason"),  # sentences of the service
    ("leads", "junk_reason"),  # one of six words
    ("messages", "sent_from"), ("reply_numbers", "phone"),  # our own number, and the phone of an agent
    ("webhook_deliveries", "state"), ("webhook_deliveries", "type"),
    ("contacts", "tags"),  # it has the mark already
}  # fmt: skip


async def mark_every_column(database: Database, contact_id: int) -> set[tuple[str, str]]:
    """Add the mark to every column of words in the person's rows, but where a list says what may be there."""
    marked = set()
    columns = await database.fetch(
        "SELECT table_name AS table, column_name AS column, data_type AS kind FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'bytea')"
    )
    for table, column, kind in sorted(tuple(row) for row in columns):
        if table not in ROWS or (table, column) in FIXED | set(RETAINED):
            continue
        value = VALUES[kind].format(column=column)
        where = ROWS[table]
        if column == "value":  # two that are the same cannot be
            where += f" AND ctid = (SELECT min(ctid) FROM {table} WHERE {where})"
        await database.execute(f"UPDATE {table} SET {column} = {value} WHERE {where}", f" {MARK}", contact_id)
        marked.add((table, column))
    return marked


async def test_every_table_with_people_is_looked_at(database: Database) -> None:
    """A table that refers to contacts, or to what refers to them, is one of those that the tests go through."""
    rows = await database.fetch(
        "WITH RECURSIVE about AS (SELECT 'contacts'::regclass AS oid UNION"
        " SELECT c.conrelid::regclass FROM pg_constraint c JOIN about ON c.confrelid = about.oid WHERE c.contype = 'f')"
        " SELECT oid::text AS name FROM about"
    )
    assert {row["name"] for row in rows} | {"arrivals", "suppressions", "webhook_deliveries"} == set(ROWS)
    statements = "\n".join(statement(f"erase_{what}").text for what in erasure.WHAT)
    changed = set(re.findall(r"(?:UPDATE|DELETE FROM) (\w+)", statements))
    if "end_steps(" in statements:  # a function, which changes these
        changed.add("contact_communications")
    unchanged = {
        "claims", "offers", "claim_tokens", "event_properties", "shared_assignments", "merged_contacts",
        "message_callbacks", "calls", "reply_numbers", "failed_notices",
        "left_out_members",
    }  # fmt: skip
    assert set(ROWS) - changed == unchanged, "events take theirs along; the last six hold ids and states alone"


# --------------------------------------------------------------------------------------------- and no one else

XANTHIA = {"email": "xanthia@example.com", "name": "Xanthia Berg", "phone": "303-555-0177"}


def of_xanthia(rows: list[str]) -> list[str]:
    return [row for row in rows if "xanthia" in row.lower() or b"xanthia".hex() in row]


async def test_other_contacts_stay_as_they_are(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database_url: str
) -> None:
    await brokerage.ask("Xanthia's key", message="Is there a garden?", lead_id="xanthia-1", **XANTHIA)
    await brokerage.ask(email="xanthia@example.com", phone="none", test=True, name="Xanthia Berg")
    await brokerage.town.database.execute("UPDATE contacts SET tags = 'Buyer'")
    contact_id = await live(brokerage, sender, mailbox)
    await everything_else(brokerage, contact_id)
    before = {table: of_xanthia(rows) for table, rows in (await content(database_url)).items()}
    await erase_and_check(brokerage, contact_id)

    after = {table: of_xanthia(rows) for table, rows in (await content(database_url)).items()}
    for table in ("arrivals", "contact_identities", "contacts", "idempotency_keys", "messages"):
        assert after[table] == before[table], table
        assert before[table], table
    assert await brokerage.town.database.fetchval("SELECT array_agg(content) FROM tags") == ["Buyer"], (
        "it is Xanthia's, too"
    )


async def test_that_there_were_leads_offers_and_claims_stays(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox
) -> None:
    database = brokerage.town.database
    contact_id = await live(brokerage, sender, mailbox)
    counted = (
        "SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM offers), (SELECT array_agg(user_id) FROM claims)"
    )
    before = await database.fetchrow(counted)
    lead_id = await database.fetchval("SELECT lead_id FROM claims")
    explained = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    await erase_and_check(brokerage, contact_id)

    assert await database.fetchrow(counted) == before
    assert await brokerage.engine.explain(brokerage.owner_id, lead_id) == explained


async def test_erasing_twice_is_the_same_as_once(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database_url: str
) -> None:
    contact_id = await live(brokerage, sender, mailbox)
    await erase_and_check(brokerage, contact_id)
    once = await content(database_url)
    rows = await erase_and_check(brokerage, contact_id)

    assert {what for what, number in rows.items() if number} <= {"contact"}
    again = await content(database_url)
    assert {table for table in once if once[table] != again[table]} <= {"contacts"}


async def test_an_erasure_leaves_that_the_address_is_not_to_be_written_to_and_not_the_address(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database_url: str, command: Command
) -> None:
    """What was lifted before, and the words of it, go as well; what came back and is asked for again stays known."""
    database = brokerage.town.database
    contact_id = await live(brokerage, sender, mailbox)
    await unsubscribe(database, UnsubscribeLink(brokerage.owner_id, contact_id))
    await database.execute("UPDATE suppressions SET ended_at = now(), consent = $1", f"{MARK} said so")
    await unsubscribe(database, UnsubscribeLink(brokerage.owner_id, contact_id))
    mailbox.mails.clear()
    await erase_and_check(brokerage, contact_id)
    assert remaining_rows(await content(database_url)) == []
    done = await command(database_url, "suppressions", "export", "--owner", "alice@example.com")
    assert done.stdout.splitlines() == ["channel,value,reason,at,entered_by,ended_at,ended_by,consent"]

    await brokerage.ask(email=EMAIL.upper(), name="Mia Lund", phone="none")
    await brokerage.engine.run_due()
    [row] = await database.fetch(
        "SELECT m.id FROM messages m JOIN contacts c ON c.id = m.contact_id"
        " WHERE c.email IS NOT NULL AND m.channel = 'email' AND m.state = 'queued'"
    )
    await sender.deliver(row["id"])
    assert await sender.outcome(row["id"]) == ("suppressed", "the contact has unsubscribed from e-mails")
    assert mailbox.mails == []


async def test_steps_of_the_erased_that_were_still_to_come_say_so(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox
) -> None:
    contact_id = await live(brokerage, sender, mailbox)
    await erase_and_check(brokerage, contact_id)

    rows = await brokerage.town.database.fetch(
        "SELECT m.state, m.reason FROM contact_communications c"
        " JOIN messages m ON m.owner_id = c.owner_id AND m.communication_id = c.id WHERE c.send_at > $1",
        brokerage.town.now,
    )
    assert [tuple(row) for row in rows] == [("suppressed", "the contact was erased")]


async def test_a_person_who_asks_again_is_a_new_contact(brokerage: Brokerage, sender: Sender, mailbox: Mailbox) -> None:
    contact_id = await live(brokerage, sender, mailbox)
    await erase_and_check(brokerage, contact_id)
    answer = await brokerage.ask(f"key of {MARK}", email=EMAIL, lead_id=f"{MARK}-1", name="Mia Lund")

    assert answer.stored.status == "accepted"
    assert await contact_of(brokerage) != contact_id


async def test_a_phone_that_two_have_identifies_the_other_one_afterwards(brokerage: Brokerage) -> None:
    await brokerage.ask(email=EMAIL, phone=PHONE)
    other = await brokerage.town.contact("alice", mobile_phone=PHONE)
    await erase_contact(brokerage.town.database, brokerage.owner_id, await contact_of(brokerage))

    assert await contact_of(brokerage, "+13035550101") == other


async def test_no_owner_erases_anothers_contact(brokerage: Brokerage, database_url: str, command: Command) -> None:
    await brokerage.ask(email=EMAIL)
    contact_id = await contact_of(brokerage)
    before = await content(database_url)
    for stranger in ("bob", "dave"):
        done = await command(database_url, "erase", contact_id, "--owner", f"{stranger}@example.com", "--yes", code=1)
        assert f"No record found for id '{contact_id}'" in done.stderr
        done = await command(
            database_url, "export", "contact", contact_id, "--owner", f"{stranger}@example.com", code=1
        )
        assert f"No record found for id '{contact_id}'" in done.stderr

    assert await content(database_url) == before


async def test_the_command_says_what_has_gone(brokerage: Brokerage, database_url: str, command: Command) -> None:
    await brokerage.ask(email=EMAIL, phone=PHONE, message="Hello")
    contact_id = await contact_of(brokerage)
    asked = await command(database_url, "erase", contact_id, "--owner", "alice@example.com", code=1)
    assert "without a terminal to ask at, give --yes" in asked.output
    assert await contact_of(brokerage) == contact_id
    done = await command(database_url, "erase", contact_id, "--owner", "alice@example.com", "--yes")

    assert done.stdout == "1 arrivals, 1 messages, 1 leads, 2 identities, 1 contact\n"
    done = await command(database_url, "erase", contact_id, "--owner", "unknown@example.com", "--yes", code=1)
    assert "unknown@example.com" in done.stderr


# ---------------------------------------------------------------------------------------------- the contact's own copy


async def test_a_person_receives_all_that_is_stored_about_them(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database_url: str, command: Command
) -> None:
    database = brokerage.town.database
    contact_id = await live(brokerage, sender, mailbox)
    await everything_else(brokerage, contact_id)
    arguments = ("export", "contact", contact_id, "--owner", "alice@example.com")
    done = await command(database_url, *arguments)
    whole = json.loads(done.stdout)

    counts = {
        "identified_by": "contact_identities", "addresses": "contact_addresses", "custom_fields": "custom_field_values",
        "events": "events", "leads": "leads", "arrivals": "arrivals", "recognised_again_by": "idempotency_keys",
        "campaigns": "campaign_contacts", "communications": "contact_communications", "tasks": "tasks",
        "messages": "messages", "suppressions": "suppressions", "webhook_deliveries": "webhook_deliveries",
        "consents": "consents",
    }  # fmt: skip
    for name, table in counts.items():
        number = await database.fetchval(
            f"SELECT count(*) FROM {table} WHERE {ROWS[table].replace('$2', str(contact_id))}"
        )
        assert len(whole[name]) == number > 0, name
    inside = {"claim": "claims", "offers": "offers", "history": "lead_events"}
    for name, table in inside.items():
        number = await database.fetchval(
            f"SELECT count(*) FROM {table} WHERE {ROWS[table].replace('$2', str(contact_id))}"
        )
        found = [lead[name] for lead in whole["leads"] if lead[name]]
        assert sum(len(each) if isinstance(each, list) else 1 for each in found) == number > 0, name
    assert whole["events"][0]["property"] is not None
    assert {
        *counts.values(),
        *inside.values(),
        "contacts",
        "event_properties",
        "claim_tokens",
        "message_callbacks",
        "reply_numbers",
        "left_out_members",
        "handovers",
        "merged_contacts",
        "returned_mails",
        "shared_assignments",
        "calls",
    } == set(ROWS) - {"failed_notices"}, "what is looked at soon, and then removed"
    assert f"I am {MARK}" in whole["leads"][0]["text_body"]
    assert whole["contact"]["email"] == EMAIL
    assert "owner_id" not in done.stdout


async def test_a_copy_can_be_written_to_a_file_and_is_blank_afterwards(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path
) -> None:
    await brokerage.ask(email=EMAIL, message=MARK)
    contact_id = await contact_of(brokerage)
    arguments = ("export", "contact", contact_id, "--owner", "alice@example.com", "--to", tmp_path / "mia.json")
    await command(database_url, *arguments)
    assert MARK in (tmp_path / "mia.json").read_text(encoding="utf-8")
    await erase_and_check(brokerage, contact_id)
    done = await command(database_url, *arguments[:-2])

    assert MARK.lower() not in done.stdout.lower()
    assert len(json.loads(done.stdout)["leads"]) == 1

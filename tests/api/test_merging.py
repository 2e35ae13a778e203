"""Two contacts become one: its fields win, gaps are filled, and all that hangs on the other one moves."""

import asyncio
import re

import pytest

from leadroutes.domain.merging import merged_fields
from leadroutes.operations.doctor import examine
from leadroutes.store import statement
from tests.support.api import ask, create


@pytest.fixture
async def two(town):
    """Two contacts of Alice's, with a lead each; the second has everything that a contact can have."""
    target = await create(
        town, "alice", "/contacts",
        {"first_name": "Mia", "email": "mia@example.com", "mobile_phone": "6045550100", "tags": "Buyer"},
    )  # fmt: skip
    other = await create(
        town, "alice", "/contacts",
        {"first_name": "Mia", "last_name": "Lund", "email": "lund@example.com", "mobile_phone": "6045550101",
         "company": "Lund", "tags": "buyer, Landlord"},
    )  # fmt: skip
    return target, other


async def merge(town, name, target, other):
    return await ask(town, name, "POST", f"/contacts/{target['id']}/merge", json={"contact_id": other["id"]})


async def violations(town):
    return list(map(str, (await examine(town.database)).violations))


# rules: merged-record
async def test_gaps_are_filled_and_what_is_there_stays(town, two):
    target, other = two
    reply = await merge(town, "alice", target, other)
    assert reply.status == 200, reply.body
    assert reply.json | {"modified_at": None} == target | {
        "modified_at": None, "company": "Lund", "secondary_email": "lund@example.com", "home_phone": "6045550101",
        "tags": "Buyer, Landlord",
    }  # fmt: skip
    gone = await ask(town, "alice", "GET", f"/contacts/{other['id']}")
    assert (gone.status, gone.json["data"]) == (404, {"merged_into": target["id"]})
    for method, path in (("PATCH", ""), ("DELETE", ""), ("GET", "/addresses"), ("POST", "/merge")):
        reply = await ask(town, "alice", method, f"/contacts/{other['id']}{path}", json={})
        assert (reply.status, reply.json["data"]) == (404, {"merged_into": target["id"]}), (method, path)
    stranger = await ask(town, "dave", "GET", f"/contacts/{other['id']}")
    assert (stranger.status, "data" in stranger.json) == (404, False)
    assert (await ask(town, "alice", "GET", "/contacts")).ids == [target["id"]]
    assert (await merge(town, "alice", target, other)).status == 200, "done again, it is the same"
    assert await violations(town) == []


async def test_all_that_hangs_on_the_other_contact_moves(town, two):
    target, other = two
    alice = town.users["alice"]
    campaign = await town.campaign("alice")
    await town.action("alice", campaign, template_id=await town.template("alice"), delay_by_seconds=86_400)
    second = await town.campaign("alice", "Second")
    await town.action("alice", second, template_id=await town.template("alice"), delay_by_seconds=86_400)
    field = await create(town, "alice", "/custom-fields", {"name": "Kids", "data_type": "Text"})
    await ask(
        town,
        "alice",
        "PATCH",
        f"/contacts/{other['id']}",
        json={"custom_fields": [{"id": field["id"], "value": "Ann"}]},
    )
    await create(town, "alice", f"/contacts/{other['id']}/addresses", {"street_address_1": "1080 West 1st Ave"})
    lead = await create(town, "alice", "/leads", {"contact_id": other["id"], "text_body": "Hello"})
    task = await create(
        town, "alice", "/tasks",
        {"contact_id": other["id"], "action_type": "Call Contact", "description": "Call", "status": "incomplete"},
    )  # fmt: skip
    event = await create(town, "alice", "/events", {"contact_id": other["id"], "type": "note"})
    await create(town, "alice", f"/events/{event['id']}/properties", {"mls": "1"})
    for contact in two:
        await create(town, "alice", f"/campaigns/{campaign}/contacts", {"contact_id": contact["id"]})
    await create(town, "alice", f"/campaigns/{second}/contacts", {"contact_id": other["id"]})

    assert (await merge(town, "alice", target, other)).status == 200

    shown = (await ask(town, "alice", "GET", f"/contacts/{target['id']}")).json
    assert shown["custom_fields"][0]["value"] == "Ann"
    assert shown["addresses"][0]["street_address_1"] == "1080 West 1st Ave"
    for path in (f"/leads/{lead['id']}", f"/tasks/{task['id']}", f"/events/{event['id']}"):
        assert (await ask(town, "alice", "GET", path)).json["contact_id"] == target["id"]
    steps = (await ask(town, "alice", "GET", f"/contact-communications?contact_id={target['id']}&is_active=true")).json
    assert sorted(each["campaign_id"] for each in steps["data"]) == [campaign, second], "none is sent twice"
    assert await town.database.fetchval("SELECT count(*) FROM campaign_contacts WHERE ended_at IS NULL") == 2
    for mark in ("lund@example.com", "+16045550101"):
        holder = await town.database.fetchval("SELECT contact_id FROM contact_identities WHERE value = $1", mark)
        assert holder == target["id"], mark
    events = (await ask(town, "alice", "GET", f"/events?contact_id={target['id']}&type=merged")).json["data"]
    assert [each["user_id"] for each in events] == [alice]
    assert await violations(town) == []


async def test_a_later_inquiry_finds_the_kept_contact_even_where_no_field_was_free(town, two):
    target, other = two
    full = {"secondary_email": "m@example.com", "home_phone": "6045550102", "office_phone": "6045550103"}
    await ask(town, "alice", "PATCH", f"/contacts/{target['id']}", json=full)
    await merge(town, "alice", target, other)
    key = await create(town, "alice", "/intake-keys", {"lead_source_id": 1, "format": "zapier", "is_private": True})
    body = {"first_name": "Mia", "email": "lund@example.com", "message": "Is it still there?"}
    reply = await ask(town, None, "POST", f"/intake/{key['key']}", json=body)
    assert reply.status == 201, reply.body
    assert await town.database.fetchval("SELECT contact_id FROM leads ORDER BY id DESC LIMIT 1") == target["id"]
    assert await violations(town) == []


async def test_a_merged_contact_is_found_after_the_kept_one_was_merged_too(town, two):
    target, other = two
    third = await create(town, "alice", "/contacts", {"first_name": "Third"})
    await merge(town, "alice", target, other)
    await merge(town, "alice", third, target)
    reply = await ask(town, "alice", "GET", f"/contacts/{other['id']}")
    assert reply.json["data"] == {"merged_into": third["id"]}
    await ask(town, "alice", "DELETE", f"/contacts/{third['id']}")
    assert "data" not in (await ask(town, "alice", "GET", f"/contacts/{other['id']}")).json


async def test_who_may_merge(town, two):
    target, other = two
    foreign = await create(town, "dave", "/contacts", {"first_name": "Zoe"})
    for name in ("bob", "dave"):
        assert (await merge(town, name, target, other)).status == 404
    for body in (
        {},
        {"contact_id": "x"},
        {"contact_id": target["id"]},
        {"contact_id": foreign["id"]},
        {"contact_id": 999},
    ):
        reply = await ask(town, "alice", "POST", f"/contacts/{target['id']}/merge", json=body)
        assert (reply.status, list(reply.json["errors"])) == (400, ["contact_id"]), body
    for contact in two:
        await ask(town, "alice", "PATCH", f"/contacts/{contact['id']}", json={"assigned_user_id": town.users["bob"]})
    assert (await merge(town, "bob", target, other)).status == 200, "who may change both"


async def test_contacts_of_two_owners_are_not_merged(town, two):
    await town.share_contacts()
    own = await create(town, "bob", "/contacts", {"first_name": "Own"})
    reply = await merge(town, "bob", two[0], own)
    assert (reply.status, reply.json["errors"]["contact_id"]) == (
        400, f"contact_id: {own['id']} was given; expected a contact of the same owner",
    )  # fmt: skip


async def test_merges_at_once_and_inquiries_in_between_lose_nothing(town, two):
    target, other = two
    bodies = [{"contact_id": contact["id"], "text_body": "Hi"} for contact in two for _ in range(4)]
    replies = await asyncio.gather(
        merge(town, "alice", target, other),
        merge(town, "alice", other, target),
        *(ask(town, "alice", "POST", "/leads", json=body) for body in bodies),
    )
    assert sorted(reply.status for reply in replies[:2]) in ([200, 400], [200, 404])
    made = [reply for reply in replies[2:] if reply.status == 201]
    assert {reply.status for reply in replies[2:]} <= {201, 400}
    assert await town.database.fetchval("SELECT count(*) FROM leads") == len(made)
    assert await town.database.fetchval("SELECT count(*) FROM contacts") == 1
    assert await violations(town) == []


async def test_an_answer_about_the_other_contact_is_erased_with_the_one_that_remains(town, two):
    target, other = two
    await town.database.execute(
        "INSERT INTO provider_requests (key, is_answered, answer, owner_id, contact_id)"
        " VALUES ('call CA1', true, '<Say>Mia Lund</Say>', $1, $2)", town.users["alice"], other["id"],
    )  # fmt: skip
    assert (await merge(town, "alice", target, other)).status == 200
    assert (await ask(town, "alice", "POST", f"/contacts/{target['id']}/erasure")).status == 200
    assert await town.database.fetchval("SELECT answer FROM provider_requests") is None


async def test_every_table_that_refers_to_contacts_is_moved(town):
    rows = await town.database.fetch(
        "SELECT table_name AS name FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name = 'contact_id'"
    )
    texts = " ".join(statement(name).text for name in ("move_rows", "move_values", "move_identities"))
    assert [row["name"] for row in rows if not re.search(rf"\b{row['name']}\b", texts)] == []


def test_names_are_not_mixed_and_equal_values_are_not_repeated():
    blank = dict.fromkeys(
        ("first_name", "last_name", "fax", "company", "birthday", "anniversary", "spouse_name", "spouse_email",
         "spouse_phone", "spouse_birthday", "hotness_id", "source_id", "assigned_user_id", "time_zone", "email",
         "secondary_email", "mobile_phone", "home_phone", "office_phone", "tags"),
    )  # fmt: skip
    target = blank | {"first_name": "Mia", "email": "MIA@example.com ", "home_phone": "(604) 555-0100", "tags": "A,b"}
    other = blank | {"last_name": "Lund", "email": "mia@example.com", "mobile_phone": "+1 604 555 0100", "tags": " B ,"}
    assert merged_fields(target, other) == {}
    assert merged_fields(blank, other | {"first_name": "Tom"}) == {
        "first_name": "Tom", "last_name": "Lund", "email": "mia@example.com", "mobile_phone": "+1 604 555 0100",
        "tags": "B",
    }  # fmt: skip

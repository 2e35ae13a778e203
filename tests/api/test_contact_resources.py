"""Contacts and what hangs on them: addresses, custom fields, tags, tasks, events, properties; who identifies whom."""

import asyncio

import pytest

from tests.support.api import ask, create


async def identities(town):
    rows = await town.database.fetch("SELECT kind, value, contact_id FROM contact_identities ORDER BY kind, value")
    return {(row["kind"], row["value"]): row["contact_id"] for row in rows}


# ---------------------------------------------------------------------------------------------------- contacts


async def test_no_field_is_required_and_every_key_is_there(town):
    record = await create(town, "alice", "/contacts", {})

    given = {"id", "owner_user_id", "created_at", "modified_at", "custom_fields", "addresses"}
    assert {name: value for name, value in record.items() if name not in given} == dict.fromkeys(set(record) - given)
    assert (record["custom_fields"], record["addresses"]) == ([], [])


async def test_the_first_who_has_an_address_or_number_keeps_it(town):
    first = await create(town, "alice", "/contacts", {"email": " Mia@Example.com ", "mobile_phone": "1 (604) 555-0100"})
    second = await create(town, "alice", "/contacts", {"email": "mia@example.com", "home_phone": "604 555 0100 x5",
                                                     "secondary_email": "second@example.com"})  # fmt: skip
    other = await create(town, "dave", "/contacts", {"email": "mia@example.com"})
    assert second["id"] != first["id"]
    held = await town.database.fetch("SELECT owner_id, contact_id FROM contact_identities WHERE kind = 'email'")
    assert {(row["owner_id"], row["contact_id"]) for row in held} == {
        (town.users["alice"], first["id"]), (town.users["alice"], second["id"]), (town.users["dave"], other["id"]),
    }  # fmt: skip
    assert (await identities(town))["phone", "+16045550100"] == first["id"]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_what_a_contact_loses_goes_to_the_next_who_has_it(town, method):
    body = {"email": "mia@example.com", "mobile_phone": "(604) 555-0100"}
    first = await create(town, "alice", "/contacts", body)
    await create(town, "alice", "/contacts", {"email": "amia@example.com", "mobile_phone": "16045550100234"})
    alike = {"secondary_email": " MIA@example.com", "office_phone": "+16045550100"}
    second = await create(town, "alice", "/contacts", alike)
    third = await create(town, "alice", "/contacts", body)
    await create(town, "dave", "/contacts", body)

    changes = {"email": None, "mobile_phone": "604-555-0199"}
    reply = await ask(town, "alice", method, f"/contacts/{first['id']}", json=changes)
    assert reply.status == 200
    held = {value: owner for (_, value), owner in (await _held_by(town, "alice")).items()}
    assert held["mia@example.com"] == second["id"]
    assert held["+16045550100"] == second["id"]
    assert (held.get("+16045550199") == first["id"]) == (method != "DELETE")
    assert third["id"] not in held.values()


async def _held_by(town, name):
    rows = await town.database.fetch("SELECT * FROM contact_identities WHERE owner_id = $1", town.users[name])
    return {(row["kind"], row["value"]): row["contact_id"] for row in rows}


async def test_relays_and_what_is_not_an_address_identify_no_one(town):
    await create(town, "alice", "/contacts", {"email": "abc@convo.zillow.com", "mobile_phone": "ask me"})
    await create(town, "alice", "/contacts", {"email": "n/a", "mobile_phone": "911"})

    assert await identities(town) == {}


async def test_many_at_once_never_fail_and_one_keeps_the_identity(town):
    body = {"email": "mia@example.com", "mobile_phone": "6045550100", "tags": "Buyer,Condo,Lake"}
    replies = await asyncio.gather(*(ask(town, "alice", "POST", "/contacts", json=body) for _ in range(12)))

    assert {reply.status for reply in replies} == {201}
    assert len(await identities(town)) == 2
    assert len(set((await identities(town)).values())) == 1
    assert (await ask(town, "alice", "GET", "/tags")).json["total"] == 3


async def test_the_time_zone_comes_from_the_zipcode_else_from_the_number(town):
    contact = await create(town, "alice", "/contacts", {"mobile_phone": "(604) 555-0100"})
    url = f"/contacts/{contact['id']}"

    async def zone():
        return await town.database.fetchval("SELECT time_zone FROM contacts WHERE id = $1", contact["id"])

    assert await zone() == "America/Vancouver"
    address = await create(town, "alice", f"{url}/addresses", {"zip": 10001})
    assert await zone() == "America/New_York"
    await ask(town, "alice", "PATCH", f"{url}/addresses/{address['id']}", json={"zip": "98112-1234"})
    assert await zone() == "America/Los_Angeles"
    await ask(town, "alice", "DELETE", f"{url}/addresses/{address['id']}")
    assert await zone() == "America/Vancouver"
    await ask(town, "alice", "PATCH", url, json={"mobile_phone": None})
    assert await zone() is None


async def test_sent_moments_are_stored(town):
    moments = {"created_at": "2018-01-16T12:12:12.000Z", "modified_at": "2019-01-16T12:12:12.000Z"}
    contact = await create(town, "alice", "/contacts", moments)
    url = f"/contacts/{contact['id']}"
    assert (contact["created_at"], contact["modified_at"]) == tuple(moments.values())

    changed = (await ask(town, "alice", "PATCH", url, json={"first_name": "Mia"})).json
    assert changed["modified_at"] > "2026"
    back = (await ask(town, "alice", "PATCH", url, json=moments)).json
    assert (back["created_at"], back["modified_at"]) == tuple(moments.values())
    untouched = (await ask(town, "alice", "PATCH", url, json={"created_at": None, "modified_at": ""})).json
    assert untouched == back
    replaced = (await ask(town, "alice", "PUT", url, json={})).json
    assert replaced["created_at"] == moments["created_at"]
    assert replaced["first_name"] is None


@pytest.fixture
async def sharing(town):
    """Bob shares contacts with Alice; Carol does not."""
    await town.share_contacts()
    await town.database.execute("UPDATE team_members SET request_status = 'Pending' WHERE user_id = $1",
                                town.users["carol"])  # fmt: skip
    return await create(town, "alice", "/contacts", {"first_name": "Mia"})


async def test_sharing_teammates_see_and_change_but_do_not_remove(town, sharing):
    url = f"/contacts/{sharing['id']}"
    assert (await ask(town, "carol", "GET", url)).status == 404
    changed = await ask(town, "bob", "PATCH", url, json={"first_name": "Maria"})
    assert (changed.status, changed.json["owner_user_id"]) == (200, town.users["alice"])
    assert (await ask(town, "bob", "DELETE", url)).status == 403
    address = await create(town, "bob", f"{url}/addresses", {"city": "Seattle"})
    assert (await ask(town, "alice", "GET", url)).json["addresses"] == [address]

    source = await create(town, "bob", "/contact-sources", {"name": "Mine"})
    wrong = await ask(town, "bob", "PATCH", url, json={"source_id": source["id"]})
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["source_id"])


async def test_the_assigned_user_sees_and_changes_what_hangs_on_the_contact(town):
    contact = await create(town, "alice", "/contacts", {"assigned_user_id": town.users["carol"]})
    url = f"/contacts/{contact['id']}"
    assert (await ask(town, "carol", "PATCH", url, json={"first_name": "Mia"})).status == 200
    assert (await ask(town, "bob", "GET", url)).status == 404
    address = await create(town, "carol", f"{url}/addresses", {"city": "Seattle"})
    assert (await ask(town, "carol", "DELETE", f"{url}/addresses/{address['id']}")).status == 200
    lead = await create(town, "carol", "/leads", {"contact_id": contact["id"], "distribute": False})
    assert lead["owner_user_id"] == town.users["alice"]
    wrong = await ask(town, "alice", "PATCH", url, json={"assigned_user_id": town.users["dave"]})
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["assigned_user_id"])


async def test_who_only_sees_a_contact_does_not_change_its_addresses(town):
    await town.insert(
        "sub_accounts", owner_id=town.users["alice"], user_id=town.users["bob"], is_contact_ownership_enabled=True
    )
    contact = await create(town, "alice", "/contacts", {})
    url = f"/contacts/{contact['id']}/addresses"
    address = await create(town, "alice", url, {"city": "Seattle"})
    assert (await ask(town, "bob", "GET", f"{url}/{address['id']}")).status == 200
    assert (await ask(town, "bob", "POST", url, json={})).status == 403
    for method in ("PATCH", "PUT", "DELETE"):
        assert (await ask(town, "bob", method, f"{url}/{address['id']}", json={})).status == 403
    event = await create(town, "bob", "/events", {"contact_id": contact["id"], "type": "seen"})
    assert event["user_id"] == town.users["bob"]
    assert (await ask(town, "bob", "PATCH", f"/events/{event['id']}", json={})).status == 403
    assert (await ask(town, "alice", "PATCH", f"/events/{event['id']}", json={})).status == 200


async def test_all_that_hangs_on_a_contact_goes_with_it_but_tasks(town):
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia"})
    url = f"/contacts/{contact['id']}"
    task = await create(town, "alice", "/tasks", {"contact_id": contact["id"], "action_type": "None",
                                                "description": "x", "status": "incomplete"})  # fmt: skip
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"]})
    event = await create(town, "alice", "/events", {"contact_id": contact["id"], "type": "x"})
    await create(town, "alice", f"{url}/addresses", {})

    before = (await ask(town, "alice", "GET", url)).json
    assert (await ask(town, "alice", "DELETE", url)).json == before
    assert (await ask(town, "alice", "GET", f"/leads/{lead['id']}")).status == 404
    assert (await ask(town, "alice", "GET", f"/events/{event['id']}")).status == 404
    assert (await ask(town, "alice", "GET", f"/tasks/{task['id']}")).json["contact_id"] is None


# --------------------------------------------------------------------------------------------- fields and tags


async def test_values_of_custom_fields_are_set_removed_and_preserved(town):
    kids = await create(town, "alice", "/custom-fields", {"data_type": "Text", "name": "Kids", "rank": "1"})
    cars = await create(town, "alice", "/custom-fields", {"data_type": "Number", "name": "Cars"})
    theirs = await create(town, "dave", "/custom-fields", {"data_type": "Text", "name": "Dogs"})
    assert kids == {"id": kids["id"], "user_id": town.users["alice"], "data_type": "Text", "name": "Kids", "rank": 1}
    assert cars["rank"] == 99999

    sent = [{"id": str(cars["id"]), "value": 2, "name": "dropped"}]
    contact = await create(town, "alice", "/contacts", {"custom_fields": sent})
    shown = {"user_id": town.users["alice"]}
    assert contact["custom_fields"] == [
        {"id": kids["id"], "value": None, "name": "Kids", "data_type": "Text", **shown, "rank": 1},
        {"id": cars["id"], "value": "2", "name": "Cars", "data_type": "Number", **shown, "rank": 99999},
    ]
    url = f"/contacts/{contact['id']}"

    async def values(fields, method="PATCH"):
        reply = await ask(town, "alice", method, url, json={"custom_fields": fields})
        assert reply.status == 200, reply.body
        return [each["value"] for each in reply.json["custom_fields"]]

    assert await values([{"id": kids["id"], "value": "Ann, Tom"}]) == ["Ann, Tom", "2"]
    assert await values([], "PUT") == ["Ann, Tom", "2"]
    assert await values([{"id": kids["id"], "value": ""}, {"id": cars["id"]}]) == [None, None]
    for wrong in ([{"id": theirs["id"], "value": "x"}], [{"value": "x"}], [5], "x", [{"id": kids["id"], "value": []}],
                  [{"id": kids["id"], "value": "x" * 2001}]):  # fmt: skip
        reply = await ask(town, "alice", "PATCH", url, json={"custom_fields": wrong})
        assert (reply.status, list(reply.json["errors"])) == (400, ["custom_fields"])
    form = f"custom_fields[0][id]={kids['id']}&custom_fields[0][value]=Form".encode()
    reply = await ask(town, "alice", "PATCH", url, body=form,
                      headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert reply.json["custom_fields"][0]["value"] == "Form"


async def test_values_are_seen_by_whoever_added_the_field_only(town):
    await town.share_contacts()
    kids = await create(town, "alice", "/custom-fields", {"data_type": "Text", "name": "Kids"})
    contact = await create(town, "alice", "/contacts", {"custom_fields": [{"id": kids["id"], "value": "Ann"}]})
    url = f"/contacts/{contact['id']}"
    assert (await ask(town, "bob", "GET", url)).json["custom_fields"] == []
    refused = await ask(town, "bob", "PATCH", url, json={"custom_fields": [{"id": kids["id"], "value": "x"}]})
    assert refused.status == 400
    assert (await ask(town, "alice", "DELETE", f"/custom-fields/{kids['id']}")).status == 200
    assert (await ask(town, "alice", "GET", url)).json["custom_fields"] == []


async def test_new_pieces_become_tags_and_a_changed_tag_is_rewritten(town):
    contact = await create(town, "alice", "/contacts", {"tags": "Buyer, Hot lead ,buyer,,Condo"})
    other = await create(town, "dave", "/contacts", {"tags": "Buyer"})
    assert contact["tags"] == "Buyer, Hot lead ,buyer,,Condo"
    tags = (await ask(town, "alice", "GET", "/tags?$sort[content]=1")).json["data"]
    assert [each["content"] for each in tags] == ["Condo", "Hot lead", "buyer"]

    tag_id = next(each["id"] for each in tags if each["content"] == "Hot lead")
    reply = await ask(town, "alice", "PATCH", f"/tags/{tag_id}", json={"content": r"Warm \1 lead"})
    assert reply.json == {"id": tag_id, "content": r"Warm \1 lead"}
    url = f"/contacts/{contact['id']}"
    assert (await ask(town, "alice", "GET", url)).json["tags"] == r"Buyer, Warm \1 lead ,buyer,,Condo"
    buyer_id = next(each["id"] for each in tags if each["content"] == "buyer")
    await ask(town, "alice", "PUT", f"/tags/{buyer_id}", json={"content": "Purchaser"})
    assert (await ask(town, "alice", "GET", url)).json["tags"] == r"Purchaser, Warm \1 lead ,Purchaser,,Condo"
    assert (await ask(town, "dave", "GET", f"/contacts/{other['id']}")).json["tags"] == "Buyer"
    comma = await ask(town, "alice", "POST", "/tags", json={"content": "a,b"})
    assert (comma.status, list(comma.json["errors"])) == (400, ["content"])
    taken = await ask(town, "alice", "PATCH", f"/tags/{tag_id}", json={"content": "CONDO"})
    assert taken.status == 409
    either = await ask(town, "alice", "GET", "/tags?content=Condo&content=Purchaser")
    assert either.json["total"] == 2


async def test_contacts_lose_a_hotness_that_goes(town):
    hotness = await create(town, "alice", "/hotnesses", {"name": "Pending", "rank": 14, "color": "#3b274c"})
    assert hotness == {"id": hotness["id"], "rank": 14, "user_id": town.users["alice"], "name": "Pending",
                       "color": "#3b274c"}  # fmt: skip
    contact = await create(town, "alice", "/contacts", {"hotness_id": str(hotness["id"])})
    assert contact["hotness_id"] == hotness["id"]
    assert (await ask(town, "alice", "DELETE", f"/hotnesses/{hotness['id']}")).json == hotness
    assert (await ask(town, "alice", "GET", f"/contacts/{contact['id']}")).json["hotness_id"] is None


# ------------------------------------------------------------------------------------------------------- tasks

TASK = {"action_type": "Agent Task - Call Reminder", "description": "Call back", "status": "incomplete"}


async def test_the_older_name_counts_where_it_is_sent_alone(town):
    old = {"description": "x", "status": "incomplete", "reminder_type": "Call Contact"}
    task = await create(town, "alice", "/tasks", old)
    assert (task["action_type"], task["reminder_type"]) == ("Call Contact", "Call Contact")
    both = await create(town, "alice", "/tasks", TASK | {"reminder_type": "nonsense"})
    assert both["reminder_type"] == "Agent Task - Call Reminder"
    url = f"/tasks/{task['id']}"
    assert (await ask(town, "alice", "PATCH", url, json={"reminder_type": "None"})).json["action_type"] == "None"
    assert (await ask(town, "alice", "GET", "/tasks?reminder_type=None")).ids == [task["id"]]
    assert (await ask(town, "alice", "PATCH", url, json={"reminder_type": "x"})).status == 400


async def test_a_task_is_seen_and_changed_by_owner_and_assignee_and_removed_by_the_owner(town):
    alice, bob = town.users["alice"], town.users["bob"]
    task = await create(town, "alice", "/tasks", TASK | {"assigned_user_id": bob})
    mine = await create(town, "bob", "/tasks", TASK)
    url = f"/tasks/{task['id']}"
    assert (await ask(town, "bob", "PATCH", url, json={"status": "complete"})).json["status"] == "complete"
    assert (await ask(town, "bob", "DELETE", url)).status == 403
    assert (await ask(town, "carol", "GET", url)).status == 404
    assert (await ask(town, "bob", "GET", "/tasks")).ids == [task["id"], mine["id"]]
    by_others = await ask(town, "bob", "GET", f"/tasks?owner_user_id[$ne]={bob}&assigned_user_id={bob}")
    assert by_others.ids == [task["id"]]
    to_others = await ask(town, "alice", "GET", f"/tasks?owner_user_id={alice}&assigned_user_id[$ne]={alice}")
    assert to_others.ids == [task["id"]]
    wrong = await ask(town, "alice", "PATCH", url, json={"assigned_user_id": town.users["dave"]})
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["assigned_user_id"])
    assert (await ask(town, "alice", "DELETE", url)).status == 200


async def test_a_task_may_be_about_a_contact_of_a_colleague(town, sharing):
    task = await create(town, "bob", "/tasks", TASK | {"contact_id": sharing["id"]})
    own = await create(town, "bob", "/contacts", {})
    url = f"/tasks/{task['id']}"
    assert (await ask(town, "bob", "PATCH", url, json={"contact_id": own["id"]})).json["contact_id"] == own["id"]
    assert (await ask(town, "bob", "PATCH", url, json={"contact_id": 0})).json["contact_id"] is None
    assert (await ask(town, "carol", "POST", "/tasks", json=TASK | {"contact_id": sharing["id"]})).status == 400


# ---------------------------------------------------------------------------------------------- events, properties


async def test_an_event_has_one_property(town):
    contact = await create(town, "alice", "/contacts", {})
    event = await create(town, "alice", "/events", {"contact_id": str(contact["id"]), "type": "property_viewed"})
    assert (event["source"], event["property"], event["dialer_session_id"]) == ("api", None, None)
    url = f"/events/{event['id']}"
    shown = await create(town, "alice", f"{url}/properties", {"mls": "2000", "listing_price": "100500.90", "beds": 3})
    assert (shown["listing_price"], shown["api_event_id"], shown["contact_id"]) == (
        "100500.90", event["id"], contact["id"],
    )  # fmt: skip
    assert (await ask(town, "alice", "GET", url)).json["property"] == shown
    assert (await ask(town, "alice", "POST", f"{url}/properties", json={})).status == 409
    found = await ask(town, "alice", "GET", f"{url}/properties?listing_price[$gt]=9999.5&listing_price[$lte]=100500.9")
    assert found.ids == [shown["id"]]
    for wrong in ("1,000", "1e5", "", "$5", True):
        reply = await ask(town, "alice", "PATCH", f"{url}/properties/{shown['id']}", json={"last_sold_price": wrong})
        assert reply.status == (200 if wrong == "" else 400)
    unchanged = await ask(town, "alice", "PATCH", url, json={"contact_id": 999, "created_at": "2018-01-16"})
    assert (unchanged.json["contact_id"], unchanged.json["created_at"]) == (contact["id"], "2018-01-16T00:00:00.000Z")
    await town.database.execute("UPDATE events SET source = 'web'")
    await ask(town, "alice", "DELETE", f"{url}/properties/{shown['id']}")
    assert (await ask(town, "alice", "POST", f"{url}/properties", json={})).status == 400

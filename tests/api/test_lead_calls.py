"""Leads, offers, claims, assignments, explanations: who may ask, what is answered. What happens, the engine tests."""

import asyncio

import pytest

from tests.support.api import ask, create


@pytest.fixture
async def lead(town):
    """A lead of Alice's that Bob has been notified of; Carol comes ten minutes later."""
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 10")
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.option("alice", town.team_id, "carol", rank=2)
    await town.route("alice")
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": "mia@example.com"})
    body = {"contact_id": contact["id"], "source_id": 1, "text_body": "Is it still for sale?", "mls_id": 2000,
            "listing_price": "1000000", "street_address": "171 Shore Blvd E", "zipcode": 2139,
            "type": "Buyer"}  # fmt: skip
    return await create(town, "alice", "//leads", body)


async def test_a_lead_is_answered_as_documented(town, lead):
    assert lead == {
        "id": lead["id"], "owner_user_id": town.users["alice"], "contact_id": lead["contact_id"], "source_id": 1,
        "claimed_by_user_id": None, "claimed_at": None, "claimed_via": "None", "time_to_claim": None,
        "text_body": "Is it still for sale?", "html_body": None, "mls_id": "2000", "listing_status": None,
        "listing_price": "1000000", "street_address": "171 Shore Blvd E", "address_1": "171 Shore Blvd E",
        "city": None, "state": None, "zipcode": "02139", "type": "Buyer", "created_at": lead["created_at"],
        "modified_at": lead["modified_at"], "is_test": False, "lead_state": "on offer",
        "is_closed": False, "junk_reason": None, "junk_note": None,
    }  # fmt: skip
    assert (await ask(town, "alice", "GET", f"/leads/{lead['id']}")).json == lead


MASKED = ("text_body", "html_body", "street_address", "address_1")


async def test_who_was_only_offered_a_lead_sees_neither_texts_nor_address_nor_contact(town, lead):
    url = f"/leads/{lead['id']}"
    seen = await ask(town, "bob", "GET", url)
    assert seen.json == lead | dict.fromkeys(MASKED)
    assert (await ask(town, "bob", "GET", f"/contacts/{lead['contact_id']}")).status == 404
    assert (await ask(town, "bob", "GET", "/leads?street_address=171+Shore+Blvd+E")).ids == []
    assert (await ask(town, "bob", "GET", "/leads?address_1[$gte]=1")).ids == []
    assert (await ask(town, "bob", "GET", "/leads?zipcode=02139&type=Buyer")).ids == [lead["id"]]
    assert (await ask(town, "bob", "GET", "/leads?street_address=null")).ids == [lead["id"]]
    assert b"Shore" not in (await ask(town, "bob", "GET", "/lead-offers")).body
    for name in ("carol", "dave"):
        assert (await ask(town, name, "GET", url)).status == 404
        assert (await ask(town, name, "GET", "/leads")).ids == []
    assert (await ask(town, "bob", "GET", f"{url}/history")).status == 403

    claimed = await ask(town, "bob", "POST", f"{url}/claim")
    assert claimed.status == 200
    assert {name: claimed.json[name] for name in MASKED} == {name: lead[name] for name in MASKED}
    assert (await ask(town, "bob", "GET", f"/contacts/{lead['contact_id']}")).json["email"] == "mia@example.com"
    assert (await ask(town, "bob", "GET", f"{url}/history")).status == 200


async def test_one_wins_and_the_others_learn_who(town, lead):
    await town.database.execute("UPDATE offers SET state = 'notified', notified_at = notify_at")
    url = f"/leads/{lead['id']}/claim"
    replies = await asyncio.gather(*(ask(town, name, "POST", url, json={}) for name in ("bob", "carol") * 4))
    winners = {town.users[n] for n, reply in zip(("bob", "carol") * 4, replies, strict=True) if reply.status == 200}
    assert len(winners) == 1
    [loser] = {town.users["bob"], town.users["carol"]} - winners
    lost = await ask(town, "bob" if loser == town.users["bob"] else "carol", "POST", url)
    assert (lost.status, lost.json["name"]) == (409, "Conflict")
    assert lost.json["message"].startswith("This lead has already been claimed by ")
    assert lost.json["data"]["claimed_by_user_id"] in winners
    for name in ("dave", "alice"):
        reply = await ask(town, name, "POST", url)
        assert (reply.status, reply.json["message"]) == (404, f"No record found for id '{lead['id']}'")
    for segment in ("999", "x"):
        assert (await ask(town, "bob", "POST", f"/leads/{segment}/claim")).status == 404


async def test_the_owner_assigns_to_members_of_their_own_teams(town, lead):
    url = f"/leads/{lead['id']}/assignment"
    for name, status in (("dave", 404), ("bob", 403)):
        assert (await ask(town, name, "POST", url, json={"user_id": town.users["bob"]})).status == status
    for body in ({}, {"user_id": "x"}, {"user_id": town.users["dave"]}, {"user_id": 999}, {"user_id": None}):
        reply = await ask(town, "alice", "POST", url, json=body)
        assert (reply.status, list(reply.json["errors"])) == (400, ["user_id"])
    given = await ask(town, "alice", "POST", url, json={"user_id": str(town.users["carol"])})
    assert (given.status, given.json["claimed_via"]) == (200, "Assigned")
    assert given.json["claimed_by_user_id"] == town.users["carol"]
    moved = await ask(town, "alice", "POST", f"{url}?$select=claimed_by_user_id", json={"user_id": town.users["bob"]})
    assert moved.json == {"id": lead["id"], "claimed_by_user_id": town.users["bob"]}


async def test_offers_are_listed_whole_for_the_owner_and_ones_own_for_others(town, lead):
    url = f"/leads/{lead['id']}/offers"
    listed = await ask(town, "alice", "POST", f"//leads/{lead['id']}/offers", json={})
    assert (listed.status, [each["user"]["id"] for each in listed.json]) == (
        201, [town.users["bob"], town.users["carol"]],
    )  # fmt: skip
    assert (await ask(town, "alice", "POST", url)).json == listed.json
    first = listed.json[0]
    assert first == {
        "id": first["id"],
        "lead": {"id": lead["id"], "contact_id": lead["contact_id"], "source_id": 1, "type": "Buyer",
                 "claimed_by_user_id": None, "claimed_at": None},
        "user": {"id": town.users["bob"], "first_name": "Bob", "last_name": "Town", "email": "bob@example.com"},
        "team": {"id": town.team_id, "name": "North Side"}, "notify_at": lead["created_at"], "rank": 1,
        "assign_automatically": False, "has_call_alert": False, "has_text_alert": False, "has_email_alert": True,
        "state": "notified", "reason": None, "available_from": None,
    }  # fmt: skip
    assert (await ask(town, "alice", "GET", url)).json["total"] == 2
    assert (await ask(town, "bob", "GET", url)).json["data"] == [first]
    assert (await ask(town, "bob", "GET", f"{url}/{first['id']}")).json == first
    assert (await ask(town, "bob", "GET", f"{url}/{listed.json[1]['id']}")).status == 404
    assert (await ask(town, "bob", "POST", url)).status == 403
    assert (await ask(town, "carol", "POST", url)).status == 404
    assert (await ask(town, "bob", "GET", "/lead-offers")).json["data"] == [first]
    assert (await ask(town, "carol", "GET", "/lead-offers")).json["total"] == 0
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    late = await ask(town, "alice", "POST", url, json={})
    assert (late.status, late.json["data"]["claimed_by_user_id"]) == (409, town.users["bob"])


async def test_declining_answers_the_offer(town, lead):
    [offer] = (await ask(town, "bob", "GET", "/lead-offers")).json["data"]
    url = f"/lead-offers/{offer['id']}/decline"
    assert (await ask(town, "carol", "POST", url)).status == 404
    declined = await ask(town, "bob", "POST", url, json={})
    assert (declined.status, declined.json) == (200, offer | {"state": "declined"})
    assert (await ask(town, "carol", "GET", "/lead-offers")).json["total"] == 1


async def test_a_held_lead_is_routed_when_its_creator_says_so(town, lead):
    held = await create(town, "alice", "/leads", {"contact_id": lead["contact_id"], "distribute": "false"})
    url = f"/leads/{held['id']}"
    assert "distribute" not in held
    assert (await ask(town, "alice", "GET", f"{url}/offers")).json["total"] == 0
    assert (await ask(town, "alice", "GET", "/ledger")).json["held"] == 1
    routed = await ask(town, "alice", "POST", f"{url}/offers?$select=user", json={})
    assert [each["user"]["id"] for each in routed.json] == [town.users["alice"]]
    assert set(routed.json[0]) == {"id", "user"}


async def test_whoever_sees_the_lead_sees_why(town, lead):
    url = f"/leads/{lead['id']}/routing"
    explained = await ask(town, "alice", "GET", url)
    assert list(explained.json) == ["rule_set", "routes", "team", "members", "outcome", "before"]
    assert explained.json["routes"][0]["result"] == "matched"
    own = (await ask(town, "bob", "GET", url)).json
    assert (own["outcome"], own["before"]) == (explained.json["outcome"], 0)
    assert [each["user_id"] for each in own["members"]] == [town.users["bob"]]
    for name in ("carol", "dave"):
        assert (await ask(town, name, "GET", url)).status == 404
    happened = (await ask(town, "alice", "GET", f"/leads/{lead['id']}/history")).json
    assert [each["kind"] for each in happened][:2] == ["arrived", "offered"]
    assert happened[0]["at"] == lead["created_at"]


async def test_leads_are_changed_by_their_owner_only(town, lead):
    url = f"/leads/{lead['id']}"
    change = {"zipcode": 98112, "contact_id": 999, "claimed_via": "Email", "distribute": False, "type": None}
    changed = await ask(town, "alice", "PATCH", url, json=change)
    assert changed.json == lead | {"zipcode": "98112", "type": None, "modified_at": changed.json["modified_at"]}
    assert (await ask(town, "bob", "PATCH", url, json={})).status == 403
    assert (await ask(town, "alice", "DELETE", url)).status == 405


async def test_claimed_via_is_stored_as_sent_and_claims_nothing(town):
    contact = await create(town, "alice", "/contacts", {})
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"], "claimed_via": "Phone"})
    assert (lead["claimed_via"], lead["claimed_by_user_id"]) == ("Phone", None)
    assert (await ask(town, "alice", "GET", "/leads?claimed_via=Phone")).ids == [lead["id"]]


async def test_a_lead_needs_a_contact_that_one_sees(town):
    theirs = await create(town, "dave", "/contacts", {})
    source = await create(town, "dave", "/lead-sources", {"name": "Mine"})
    for body, names in (
        ({}, ["contact_id"]),
        ({"contact_id": theirs["id"]}, ["contact_id"]),
        ({"contact_id": 10**30, "source_id": source["id"], "mls_id": []}, ["contact_id", "source_id", "mls_id"]),
    ):
        reply = await ask(town, "alice", "POST", "/leads", json=body)
        assert (reply.status, list(reply.json["errors"])) == (400, names)
        assert reply.json["message"].startswith("Validation failed: ")


async def test_an_idempotency_key_makes_one_lead(town):
    contact = await create(town, "alice", "/contacts", {})
    body, headers = {"contact_id": contact["id"]}, {"Idempotency-Key": "k1"}
    first = await ask(town, "alice", "POST", "/leads", json=body, headers=headers)
    again = await ask(town, "alice", "POST", "/leads", json=body, headers=headers)
    other = await ask(town, "alice", "POST", "/leads", json=body | {"type": "x"}, headers=headers)
    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert again.json == first.json
    long = await ask(town, "alice", "POST", "/leads", json=body, headers={"Idempotency-Key": "k" * 256})
    assert long.status == 400
    many = await asyncio.gather(
        *(ask(town, "alice", "POST", "/leads", json=body, headers={"Idempotency-Key": "k2"}) for _ in range(8))
    )
    assert sorted(reply.status for reply in many) == [200] * 7 + [201]
    assert len({reply.json["id"] for reply in many}) == 1

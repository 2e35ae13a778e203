"""What a sender hears: the whole lead only who has proved to be the vendor, or is the owner; else what became of it."""

import pytest

from leadroutes.intake.formats import FORMATS
from tests.support.api import ask, create

NORA = {"first_name": "Nora", "email": "nora@example.com", "message": "My divorce is final", "price": "880000"}


@pytest.fixture
async def form(town):
    return await create(town, "alice", "/intake-keys", {"lead_source_id": 7})


@pytest.fixture
async def portal(town):
    return await create(town, "alice", "/intake-keys", {"lead_source_id": 1, "is_private": True})


async def test_a_stranger_hears_what_became_of_it_and_nothing_that_others_have_said(town, form, portal):
    lead = (await ask(town, None, "POST", f"/intake/{portal['key']}", json=NORA)).json
    assert lead["text_body"] == NORA["message"]
    url = f"/intake/{form['key']}"
    touch = await ask(town, None, "POST", url, json={"email": NORA["email"]})
    short = {"id": lead["id"], "contact_id": lead["contact_id"]}
    assert (touch.status, touch.json) == (200, short | {"status": "touched"})
    again = await ask(town, None, "POST", url, json={"email": NORA["email"]})
    assert (again.status, again.json) == (200, short | {"status": "repeated"})
    other = await ask(town, None, "POST", url, json={"email": "dave@example.com"})
    assert (other.status, list(other.json), other.json["status"]) == (201, ["id", "contact_id", "status"], "new")
    both = await ask(town, None, "POST", url, json=[{"email": NORA["email"], "n": 1}, {"email": "eve@example.com"}])
    assert [each["status"] for each in both.json["leads"]] == ["touched", "new"]
    assert {key for each in both.json["leads"] for key in each} == {"id", "contact_id", "status"}


async def test_what_came_later_never_goes_to_the_sender_of_an_earlier_one(town, form, portal):
    dave = {"first_name": "Dave", "phone": "303-555-0142"}
    url = f"/intake/{form['key']}"
    first = await ask(town, None, "POST", url, json=dave)
    vera = {"first_name": "Vera", "email": "vera@example.com", "phone": "303-555-0142", "message": "I accept"}
    seen = await ask(town, None, "POST", f"/intake/{portal['key']}", json=vera)
    assert seen.json["text_body"] == "I accept"
    for body in (dave, dave | {"message": "?"}):
        again = await ask(town, None, "POST", url, json=body)
        assert (again.status, set(again.json)) == (200, {"id", "contact_id", "status"})
        assert again.json["id"] == first.json["id"]


async def test_the_owners_token_shows_the_whole_lead(town, form):
    url = f"/intake/{form['key']}"
    whole = await ask(town, "alice", "POST", url, json=NORA)
    assert (whole.status, whole.json["text_body"]) == (201, NORA["message"])
    for name in ("bob", "dave", None):
        reply = await ask(town, name, "POST", url, json=NORA)
        assert (reply.status, reply.json["status"]) == (200, "repeated")
    wrong = await ask(town, None, "POST", url, json=NORA, headers={"Authorization": "Bearer 1234"})
    assert (wrong.status, wrong.json["status"]) == (200, "repeated")


async def test_a_key_is_private_by_its_format_unless_it_is_set_otherwise(town):
    public = {"website", "zapier", None}
    for name in (*(each.name for each in FORMATS), None):
        key = await create(town, "alice", "/intake-keys", {"lead_source_id": 7, "format": name})
        assert key["is_private"] is (name not in public), name
    url = f"/intake-keys/{key['id']}"
    for value in (True, False):
        changed = await ask(town, "alice", "PATCH", url, json={"is_private": value})
        assert (changed.status, changed.json["is_private"]) == (200, value)
        listed = (await ask(town, "alice", "GET", f"/intake-keys?id={key['id']}&is_private={str(value).lower()}")).json
        assert listed["total"] == 1
    null = await ask(town, "alice", "PATCH", url, json={"is_private": None})
    assert (null.status, list(null.json["errors"])) == (400, ["is_private"])
    reply = await ask(town, None, "POST", f"/intake/{key['key']}", json=NORA)
    assert reply.json["status"] == "new"
    await ask(town, "alice", "PATCH", url, json={"is_private": True})
    assert (await ask(town, None, "POST", f"/intake/{key['key']}", json=NORA)).json["text_body"] == NORA["message"]


async def test_the_sources_of_a_key_can_be_changed_and_nothing_else(town, form):
    url = f"/intake-keys/{form['id']}"
    source = await create(town, "alice", "/contact-sources", {"name": "Fair"})
    sources = {"lead_source_id": 6, "contact_source_id": source["id"]}
    once = {"format": "adf", "key": "mine", "secrets": {"a": "b"}}
    changed = await ask(town, "alice", "PATCH", url, json=sources | once)
    assert changed.status == 200, changed.body
    assert (changed.json["lead_source_id"], changed.json["contact_source_id"], changed.json["format"]) == (
        6, source["id"], None
    )  # fmt: skip
    assert "key" not in changed.json
    lead = await ask(town, "alice", "POST", f"/intake/{form['key']}", json=NORA)
    assert lead.json["source_id"] == 6
    for field, value in (("lead_source_id", 987654), ("contact_source_id", 987654), ("lead_source_id", None)):
        wrong = await ask(town, "alice", "PATCH", url, json={field: value})
        assert (wrong.status, list(wrong.json["errors"])) == (400, [field])
    assert (await ask(town, "dave", "PATCH", url, json={"is_private": True})).status == 404


async def test_another_body_under_an_idempotency_key_is_rejected_with_the_id_of_its_arrival(town, form, portal):
    headers = {"Idempotency-Key": "order-1001"}
    url = f"/intake/{form['key']}"
    assert (await ask(town, None, "POST", url, json={"email": "dave@example.com"}, headers=headers)).status == 201
    refused = await ask(town, None, "POST", url, json=NORA, headers=headers)
    assert (refused.status, refused.json["data"]["status"]) == (409, "rejected")
    arrival = (await ask(town, "alice", "GET", f"/arrivals/{refused.json['data']['arrival_id']}")).json
    assert (arrival["status"], arrival["reason"]) == ("rejected", refused.json["message"])
    real = await ask(town, None, "POST", f"/intake/{portal['key']}", json=NORA, headers=headers)
    assert real.status == 201
    assert (await ask(town, "alice", "GET", "/ledger")).json["rejected"] == 1


async def test_an_idempotency_key_at_leads_counts_for_who_posts(town):
    """Alice and Bob, who has the contact, both use order 1."""
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "assigned_user_id": town.users["bob"]})
    headers = {"Idempotency-Key": "order 1"}
    leads = [
        await ask(town, name, "POST", "/leads", json={"contact_id": contact["id"], "text_body": name}, headers=headers)
        for name in ("alice", "bob", "alice")
    ]
    assert [each.status for each in leads] == [201, 201, 200]
    assert leads[0].json["id"] == leads[2].json["id"] != leads[1].json["id"]

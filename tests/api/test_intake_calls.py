"""Intake keys, the way in through them, what came in, the ledger: what is answered. How it is read, intake tests."""

import asyncio

import pytest

from tests.support.api import ask, create

JSON = {"Content-Type": "application/json"}
PERSON = {"first_name": "Tom", "email": "tom@example.com", "message": "Is it still there?"}


@pytest.fixture
async def key(town):
    return await create(town, "alice", "/intake-keys", {"lead_source_id": 7, "is_private": True})


async def test_a_key_is_shown_once(town, key):
    assert key["url"] == f"https://leads.example/intake/{key['key']}"
    shown = (await ask(town, "alice", "GET", f"/intake-keys/{key['id']}")).json
    names = ["id", "lead_source_id", "contact_source_id", "format", "is_private", "created_at", "last_used_at",
             "last_arrival_at", "open_errors", "old_key_ends_at"]  # fmt: skip
    assert list(shown) == names
    stored = await town.database.fetchrow("SELECT * FROM intake_keys")
    assert key["key"] not in str(dict(stored))
    wrong = await ask(town, "alice", "POST", "/intake-keys", json={"lead_source_id": 7, "format": "telex"})
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["format"])


async def test_a_revoked_key_opens_nothing(town, key):
    url = f"/intake/{key['key']}"
    assert (await ask(town, "alice", "DELETE", f"/intake-keys/{key['id']}")).status == 200
    for target in (url, "/intake/nonsense", f"/intake/{key['key'].upper()}"):
        reply = await ask(town, None, "POST", target, json=PERSON)
        assert (reply.status, reply.json["message"], reply.json["data"]) == (404, "Page not found", {"url": target})
    assert (await ask(town, "alice", "GET", "/intake-keys")).json["total"] == 0


async def test_a_new_lead_is_201_and_the_same_again_200(town, key):
    url = f"//intake//{key['key']}/"
    first = await ask(town, None, "POST", url, json=PERSON)
    assert (first.status, first.json["owner_user_id"], first.json["source_id"]) == (201, town.users["alice"], 7)
    assert first.json == (await ask(town, "alice", "GET", f"/leads/{first.json['id']}")).json
    again = await ask(town, None, "POST", url, json=PERSON)
    assert (again.status, again.json["id"]) == (200, first.json["id"])
    touch = await ask(town, None, "POST", url, json=PERSON | {"message": "Hello?"})
    assert (touch.status, touch.json["id"]) == (200, first.json["id"])
    statuses = [each["status"] for each in (await ask(town, "alice", "GET", "/arrivals")).json["data"]]
    assert statuses == ["accepted", "touch"]


async def test_an_idempotency_key_with_another_body_is_409(town, key):
    headers = {"Idempotency-Key": "k"}
    url = f"/intake/{key['key']}"
    assert (await ask(town, None, "POST", url, json=PERSON, headers=headers)).status == 201
    other = await ask(town, None, "POST", url, json=PERSON | {"email": "eva@example.com"}, headers=headers)
    assert (other.status, other.json["name"]) == (409, "Conflict")


async def test_what_is_understood_as_nothing_is_stored_listed_and_shown_byte_for_byte(town, key):
    body = b"\x00\xff nothing that we know"
    headers = {"Content-Type": "application/octet-stream", "X-Vendor": "x"}
    reply = await ask(town, None, "POST", f"/intake/{key['key']}", body=body, headers=headers)
    assert (reply.status, reply.json["name"]) == (422, "Unprocessable")
    arrival_id = reply.json["data"]["arrival_id"]
    listed = (await ask(town, "alice", "GET", "/arrivals?status=rejected")).json["data"]
    assert [(each["id"], each["lead_id"]) for each in listed] == [(arrival_id, None)]
    raw = await ask(town, "alice", "GET", f"/arrivals/{arrival_id}/raw")
    assert (raw.status, raw.body) == (200, body)
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["x-content-type-options"] == "nosniff"
    for name, status in (("dave", 404), (None, 401)):
        assert (await ask(town, name, "GET", f"/arrivals/{arrival_id}/raw")).status == status
        assert (await ask(town, name, "POST", f"/arrivals/{arrival_id}/replay")).status == status
    replayed = await ask(town, "alice", "POST", f"/arrivals/{arrival_id}/replay", json={})
    assert replayed.status == 422
    assert (await ask(town, "alice", "GET", "/ledger")).json["rejected"] == 1


async def test_a_replay_that_succeeds_answers_the_lead(town, key):
    first = await ask(town, None, "POST", f"/intake/{key['key']}", json=PERSON)
    [arrival_id] = (await ask(town, "alice", "GET", "/arrivals")).ids
    accepted = await ask(town, "alice", "POST", f"/arrivals/{arrival_id}/replay")
    assert accepted.status == 409
    await town.database.execute("UPDATE arrivals SET status = 'rejected', lead_id = NULL")
    again = await ask(town, "alice", "POST", f"/arrivals/{arrival_id}/replay")
    assert (again.status, again.json["contact_id"]) == (200, first.json["contact_id"])


async def test_malformed_and_too_large_bodies_have_their_statuses(town):
    key = await create(town, "alice", "/intake-keys", {"lead_source_id": 7, "format": "zapier"})
    url = f"/intake/{key['key']}"
    malformed = await ask(town, None, "POST", url, body=b'{"first_name":', headers=JSON)
    assert (malformed.status, malformed.json["name"]) == (400, "BadRequest")
    assert malformed.json["data"]["arrival_id"] > 0
    large = await ask(town, None, "POST", url, body=b"x" * 1_048_577, headers=JSON)
    assert (large.status, large.json["code"], large.json["message"]) == (413, 413, "request entity too large")
    assert (await ask(town, None, "GET", url)).status == 405
    rejected = await ask(town, None, "POST", url, json={"message": "no contact"})
    assert (rejected.status, rejected.json["status"]) == (200, "rejected")


async def test_several_leads_in_one_body(town):
    key = await create(town, "alice", "/intake-keys", {"lead_source_id": 6, "is_private": True})
    adf = "<adf>" + "".join(
        f'<prospect><customer><contact><name part="full">P{n}</name><email>p{n}@example.com</email></contact>'
        "</customer></prospect>"
        for n in (1, 2)
    ) + "</adf>"  # fmt: skip
    body = f'<?xml version="1.0"?><?adf version="1.0"?>{adf}'.encode()
    reply = await ask(town, None, "POST", f"/intake/{key['key']}", body=body, headers={"Content-Type": "text/xml"})
    assert reply.status == 201, reply.body
    assert [each["source_id"] for each in reply.json["leads"]] == [6, 6]


async def test_many_at_once_are_one_contact(town, key):
    url = f"/intake/{key['key']}"
    bodies = [PERSON | {"message": f"Number {n}"} for n in range(20)]
    replies = await asyncio.gather(*(ask(town, None, "POST", url, json=body) for body in bodies))
    assert sorted(reply.status for reply in replies) == [200] * 19 + [201]
    assert (await ask(town, "alice", "GET", "/contacts")).json["total"] == 1
    ledger = (await ask(town, "alice", "GET", "/ledger")).json
    assert ledger == {"received": 1, "claimed": 0, "on_offer": 1, "unclaimed": 0, "held": 0, "rejected": 0,
                      "imported": 0, "junk": 0}  # fmt: skip
    assert (await ask(town, "dave", "GET", "/ledger")).json["received"] == 0

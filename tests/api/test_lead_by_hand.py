"""POST /leads with the person in it: one call makes a contact, or finds it, and its lead."""

import pytest

from tests.support.api import ask, create

MIA = {"first_name": "Mia", "email": "Mia@example.com", "mobile_phone": "604 555 0100", "tags": "Buyer"}


async def test_a_lead_and_its_contact_in_one_call(town):
    made = await ask(town, "bob", "POST", "/leads", json={"contact": MIA, "text_body": "Called me", "type": "Buyer"})
    assert made.status == 201, made.body
    contact = (await ask(town, "bob", "GET", f"/contacts/{made.json['contact_id']}")).json
    assert {name: contact[name] for name in MIA} == MIA
    assert (made.json["owner_user_id"], contact["owner_user_id"]) == (town.users["bob"], town.users["bob"])
    assert (await ask(town, "bob", "GET", "/tags")).json["data"][0]["content"] == "Buyer"


async def test_whoever_is_known_by_mail_or_phone_is_found(town):
    known = await create(town, "bob", "/contacts", {"first_name": "Mia", "email": "mia@example.com"})
    for contact in (MIA, {"email": "MIA@example.com"}):
        made = await create(town, "bob", "/leads", {"contact": contact})
        assert made["contact_id"] == known["id"]
    assert (await create(town, "carol", "/leads", {"contact": MIA}))["contact_id"] != known["id"], "another account"
    assert (await ask(town, "bob", "GET", "/contacts")).json["total"] == 1


async def test_a_repetition_adds_no_one(town):
    headers = {"Idempotency-Key": "1"}
    body = {"contact": {"first_name": "Without address"}}
    first, again = [await ask(town, "bob", "POST", "/leads", json=body, headers=headers) for _ in range(2)]
    assert (first.status, again.status, again.json) == (201, 200, first.json)
    assert (await ask(town, "bob", "GET", "/contacts")).json["total"] == 1


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, ["contact_id"]),
        ({"contact": "Mia"}, ["contact"]),
        ({"contact": {}}, ["contact"]),
        ({"contact": {"first_name": " ", "nope": 1}}, ["contact"]),
        (
            {"contact": {"first_name": 7, "email": "x" * 256}, "source_id": 999},
            ["source_id", "contact.email", "contact.first_name"],
        ),
        ({"contact": {"first_name": "Mia"}, "contact_id": 999}, ["contact_id"]),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_stored(town, body, faults):
    reply = await ask(town, "bob", "POST", "/leads", json=body)
    assert (reply.status, sorted(reply.json["errors"])) == (400, sorted(faults)), reply.body
    assert (await ask(town, "bob", "GET", "/contacts")).json["total"] == 0

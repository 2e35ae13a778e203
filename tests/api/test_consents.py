"""Consents: what an inquiry carries, what is entered by whoever has the contact, and what becomes of them."""

from typing import Any

import pytest

from leadroutes.operations.erasure import erase_contact, export_contact
from tests.support.api import ask, create
from tests.support.brokerage import Brokerage
from tests.support.town import Town

FORM = {"email": "mia@example.com", "phone": "303-555-0199", "sms_consent": "I agree to receive texts from Alice Town"}


async def test_one_is_entered_and_seen_with_its_contact(town: Town) -> None:
    contact_id = await town.contact("alice")
    body = {"contact_id": contact_id, "channel": "text", "how": "on the phone", "words": "Sure, text me"}
    made = await create(town, "alice", "/consents", body)
    assert made == {
        "id": made["id"], "owner_user_id": town.users["alice"], **body, "at": made["at"], "ip": None, "lead_id": None,
        "by_user_id": town.users["alice"],
    }  # fmt: skip
    listed = await ask(town, "alice", "GET", f"/consents?contact_id={contact_id}&channel=text")
    assert listed.json["data"] == [made]
    for method in ("PATCH", "DELETE", "PUT"):
        assert (await ask(town, "alice", method, f"/consents/{made['id']}", json=body)).status == 405


async def test_the_agent_of_a_contact_enters_it_for_the_owner_and_strangers_see_none(town: Town) -> None:
    contact_id = await town.contact("alice", assigned_user_id=town.users["bob"])
    body = {"contact_id": contact_id, "channel": "email", "how": "on paper"}
    made = await create(town, "bob", "/consents", body)
    assert (made["owner_user_id"], made["by_user_id"]) == (town.users["alice"], town.users["bob"])
    assert (await ask(town, "alice", "GET", f"/consents/{made['id']}")).json == made
    for name in ("carol", "dave"):
        assert (await ask(town, name, "GET", f"/consents/{made['id']}")).status == 404
        assert (await ask(town, name, "GET", "/consents")).json["total"] == 0
        refused = await ask(town, name, "POST", "/consents", json=body)
        assert (refused.status, list(refused.json["errors"])) == (400, ["contact_id"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contact_id": None}, "contact_id"),
        ({"channel": "fax"}, "channel"),
        ({"how": None}, "how"),
        ({"how": "x" * 256}, "how"),
        ({"words": "x" * 2001}, "words"),
        ({"at": "2090-01-01"}, "at"),
        ({"at": "soon"}, "at"),
        ({"ip": "example.com"}, "ip"),
    ],
)
async def test_what_is_no_record_of_a_consent_is_refused(town: Town, changes: dict[str, Any], field: str) -> None:
    body = {"contact_id": await town.contact("alice"), "channel": "text", "how": "form"}
    reply = await ask(town, "alice", "POST", "/consents", json=body | changes)
    assert (reply.status, list(reply.json["errors"])) == (400, [field])
    assert await town.database.fetchval("SELECT count(*) FROM consents") == 0


async def inquire(brokerage: Brokerage, fields: dict[str, str]) -> int:
    return (await brokerage.ask(**fields)).stored.lead_outcomes[0].id


async def test_an_inquiry_that_carries_one_puts_it_there(brokerage: Brokerage) -> None:
    town = brokerage.town
    first = await inquire(brokerage, FORM | {"ip": "203.0.113.7", "mls": "1"})
    again = await inquire(brokerage, FORM | {"mls": "1", "email_opt_in": "yes"})
    silent = await inquire(brokerage, {"email": "noa@example.com", "sms_consent": "no"})
    rows = await town.database.fetch("SELECT lead_id, channel, words, ip, how FROM consents ORDER BY id")
    words = FORM["sms_consent"]
    assert [tuple(row) for row in rows] == [
        (first, "text", words, "203.0.113.7", "the field sms_consent of the inquiry"),
        (again, "text", words, None, "the field sms_consent of the inquiry"),
        (again, "email", "email_opt_in: yes", None, "the field email_opt_in of the inquiry"),
    ]  # fmt: skip
    assert first == again != silent


async def test_they_go_with_the_person_and_are_in_the_export(town: Town) -> None:
    contact_id, owner_id = await town.contact("alice"), town.users["alice"]
    await create(town, "alice", "/consents", {"contact_id": contact_id, "channel": "text", "how": "on the phone"})
    assert '"on the phone"' in await export_contact(town.database, owner_id, contact_id)
    assert (await erase_contact(town.database, owner_id, contact_id))["consents"] == 1
    assert await town.database.fetchval("SELECT count(*) FROM consents") == 0


async def test_a_merged_contact_brings_its_own(town: Town) -> None:
    first, second = await town.contact("alice"), await town.contact("alice")
    await create(town, "alice", "/consents", {"contact_id": second, "channel": "text", "how": "on the phone"})
    assert (await ask(town, "alice", "POST", f"/contacts/{first}/merge", json={"contact_id": second})).status == 200
    assert await town.database.fetchval("SELECT contact_id FROM consents") == first

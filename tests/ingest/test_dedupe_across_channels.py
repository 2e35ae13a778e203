"""The portal's mail, its push and a CRM's copy of one inquiry are one lead with three touches, whatever the order."""

import asyncio
import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.intake_app import IntakeApp
from tests.support.samples import basic

PHONE, EMAIL = "+13035550147", "mia@example.com"
CHANNELS = ("mail", "push", "copy")
ORDERS = list(itertools.permutations(CHANNELS))


def mail(email: str = EMAIL, **tags: str) -> bytes:
    fields = {
        "lead_information_version": "1.0", "lead_name": "Mia Lund", "lead_email": email, "lead_source": "Homes.com",
        "lead_property_address": "12 Elm Street", "lead_property_city": "Denver", "lead_property_state": "CO",
        "lead_property_zip": "80202", "lead_message": "Is it still for sale?",
    } | tags  # fmt: skip
    head = "".join(f'<meta name="{name}" content="{value}">' for name, value in fields.items())
    return f"From: leads@homes.com\nContent-Type: text/html\n\n<html><head>{head}</head></html>\n".encode()


def push(email: str = EMAIL, phone: str | None = None) -> bytes:
    contact = {"ContactName": "Mia Lund", "ContactEmail": email, "ContactPhone": phone,
               "ContactMessage": "Is it still for sale?"}  # fmt: skip
    place = {"StreetAddress": "12 Elm Street", "City": "Denver", "State": "CO", "Zip": "80202", "MLSNumber": "77"}
    return json.dumps({"ContactMessage": {"ContactInfo": contact, "PropertyInfo": place}}).encode()


def copy(email: str | None = EMAIL, phone: str | None = PHONE) -> bytes:
    person = {"firstName": "Mia", "emails": [{"value": email}], "phones": [{"value": phone}]}
    place = {"street": "12 ELM STREET", "city": "Denver", "state": "CO", "code": "80202", "mlsNumber": "77"}
    event = {"type": "Property Inquiry", "source": "Zillow", "person": person, "property": place,
             "message": "Is it still for sale?"}  # fmt: skip
    return json.dumps(event).encode()


async def arrive(intake: IntakeApp, keys: dict[str, str], channel: str, **changes: Any) -> None:
    match channel:
        case "mail":
            await intake.send(mail(**changes), keys["mail"])
        case "push":
            answer = await intake.post(keys["push"], push(**changes), {"Content-Type": "application/json"})
            assert answer.status_code in (200, 201), answer.text
        case "copy":
            headers = {"Content-Type": "application/json", "Authorization": basic(keys["copy"])}
            answer = await intake.client.post("/v1/events", content=copy(**changes), headers=headers)
            assert answer.status_code in (200, 201), answer.text


@pytest.fixture
async def keys(intake: IntakeApp) -> dict[str, str]:
    await intake.town.option("alice", intake.town.team_id, "bob")
    await intake.town.route("alice")
    return {
        "mail": await intake.key("email", source="Homes.com"),
        "push": await intake.key("zillow-techconnect"),
        "copy": await intake.key("followupboss", source="Website"),
    }


async def one_lead(intake: IntakeApp) -> Any:
    """The only lead there is, with its contact."""
    [row] = await intake.database.fetch(
        "SELECT l.*, c.mobile_phone, c.email, (SELECT count(*) FROM contacts) AS people FROM leads l"
        " JOIN contacts c ON c.id = l.contact_id"
    )
    return row


async def statuses(intake: IntakeApp) -> list[str]:
    return [row["status"] for row in await intake.database.fetch("SELECT status FROM arrivals ORDER BY id")]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
async def test_three_channels_are_one_lead_in_any_order(
    intake: IntakeApp, keys: dict[str, str], order: tuple[str, ...]
) -> None:
    for channel in order:
        await arrive(intake, keys, channel)
        await intake.database.move_clock(timedelta(hours=20))

    lead = await one_lead(intake)
    assert (lead["people"], lead["mls_id"], lead["street_address"].upper()) == (1, "77", "12 ELM STREET")
    assert lead["mobile_phone"] == PHONE, "only the CRM's copy has it"
    assert await statuses(intake) == ["accepted", "touch", "touch"]
    events = await intake.engine.history(intake.owner_id, lead["id"])
    assert [event["kind"] for event in events].count("touched") == 2
    offers = await intake.database.fetchval("SELECT count(*) FROM offers")
    assert offers == 1, "no second rollout"


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
async def test_all_three_in_the_same_instant_are_one_lead(
    intake: IntakeApp, keys: dict[str, str], order: tuple[str, ...]
) -> None:
    """What arrives together shares a commit: there too, each one knows what came before it."""
    bodies = {"mail": mail(), "push": push(), "copy": copy()}
    headers = {"mail": {"Content-Type": "message/rfc822"}}
    json_type = {"Content-Type": "application/json"}
    await asyncio.gather(
        *(intake.arrivals.ingest(keys[name], bodies[name], headers.get(name, json_type)) for name in order)
    )
    lead = await one_lead(intake)
    assert (lead["people"], lead["mls_id"], lead["mobile_phone"]) == (1, "77", PHONE)
    assert lead["type"] == "Buyer"


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
async def test_a_phone_joins_them_where_the_portal_hides_the_address(
    intake: IntakeApp, keys: dict[str, str], order: tuple[str, ...]
) -> None:
    relay = "mia.7f3a@convo.zillow.com"
    changes = {
        "mail": {"email": relay, "lead_phone": "(303) 555-0147"},
        "push": {"email": relay, "phone": "303.555.0147"},
        "copy": {"email": None},
    }
    for channel in order:
        await arrive(intake, keys, channel, **changes[channel])
    assert (await one_lead(intake))["people"] == 1


async def test_a_relay_address_alone_joins_no_one(intake: IntakeApp, keys: dict[str, str]) -> None:
    relay = "mia.7f3a@convo.zillow.com"
    await arrive(intake, keys, "push", email=relay)
    await arrive(intake, keys, "mail", email=relay)
    assert await intake.count("leads") == 2


async def test_after_the_window_it_is_an_inquiry_of_its_own(intake: IntakeApp, keys: dict[str, str]) -> None:
    await arrive(intake, keys, "push")
    await intake.database.move_clock(timedelta(hours=24, seconds=1))
    await arrive(intake, keys, "copy")
    assert (await intake.count("leads"), await intake.count("contacts")) == (2, 1)


# -- what a source sends after its lead


def given_later(guid: str = "G-1", **changes: Any) -> bytes:
    contact = {"ContactName": "Mia Lund", "ContactEmail": "m@convo.zillow.com", "CommunicationGUID": guid} | changes
    return json.dumps({"ContactMessage": {"ContactInfo": contact, "PropertyInfo": {"MLSNumber": "77"}}}).encode()


async def post(intake: IntakeApp, key: str, body: bytes) -> int:
    return (await intake.post(key, body, {"Content-Type": "application/json"})).status_code


async def test_an_update_fills_in_the_phone_and_starts_nothing(intake: IntakeApp, keys: dict[str, str]) -> None:
    assert await post(intake, keys["push"], given_later()) == 201
    messages = await intake.count("messages")
    assert await post(intake, keys["push"], given_later(ContactPhone="303-555-0147", Update=True)) == 202
    lead = await one_lead(intake)
    assert lead["mobile_phone"] == PHONE
    assert (await intake.arrival())["lead_id"] == lead["id"]
    assert await intake.count("messages") == messages
    assert "updated" in [event["kind"] for event in await intake.engine.history(intake.owner_id, lead["id"])]
    await arrive(intake, keys, "copy", email=None)
    assert (await one_lead(intake))["people"] == 1, "the phone identifies the contact from now on"


async def test_another_person_under_the_same_id_changes_no_contact(intake: IntakeApp, keys: dict[str, str]) -> None:
    await post(intake, keys["push"], given_later(ContactEmail="mia@example.com"))
    await post(intake, keys["push"], given_later(ContactEmail="noa@example.com", ContactPhone="303-555-0147"))
    lead = await one_lead(intake)
    assert (lead["email"], lead["mobile_phone"]) == ("mia@example.com", None)


async def test_a_reassignment_of_a_lead_that_came_by_mail_finds_it(intake: IntakeApp, keys: dict[str, str]) -> None:
    await arrive(intake, keys, "mail", lead_mls="77")
    lead = await one_lead(intake)
    await post(intake, keys["push"], given_later(ContactEmail=EMAIL, Reassignment="true"))
    row = await intake.arrival()
    assert (row["status"], row["lead_id"]) == ("update", lead["id"])
    assert await intake.count("leads") == 1


async def test_a_test_lead_and_the_update_of_nothing_are_stored_alone(intake: IntakeApp, keys: dict[str, str]) -> None:
    assert await post(intake, keys["push"], given_later(Update=True, ContactEmail="x@example.com")) == 202
    test = json.dumps({"google_key": "x", "is_test": True, "user_column_data": [
        {"column_id": "EMAIL", "string_value": "test@example.com"}]}).encode()  # fmt: skip
    assert await post(intake, await intake.key("google", source="Google"), test) == 202
    assert await statuses(intake) == ["update", "test"]
    assert await intake.count("leads") == await intake.count("contacts") == 0

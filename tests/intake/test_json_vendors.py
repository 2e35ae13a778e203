"""Realtor.com's push, Follow Up Boss events and LionDesk's old partner API."""

from typing import Any

import pytest

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.formats import BY_NAME
from leadroutes.intake.reading import read
from leadroutes.intake.results import expected_json
from tests.support.samples import only, read_json, sample, why

# -------------------------------------------------------------------------------------------------- Realtor.com

CONSUMER = {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com"}
ESTATE = {
    "property_street_address": "1 A St",
    "property_city": "Aurora",
    "property_state_code": "CO",
    "property_zip": "80016",
    "property_price": 689000,
    "mls_id": "4402719",
}
SEARCH = {"city": "Tampa", "state_code": "FL", "postal_code": "33606", "price_max": 725000}


def push(info: dict[str, Any], **beside: Any) -> Inquiry:
    return only(read_json("realtor-push", {"Lead": {"lead_info": info} | beside}))


def test_the_pushs_blocks_may_stand_inside_lead_info_or_beside_it() -> None:
    inside = push({"lead_consumer_info": CONSUMER, "lead_property_info": ESTATE, "inquiry_guid": "i"})
    beside = push({"inquiry_guid": "i"}, lead_consumer_info=CONSUMER, lead_property_info=ESTATE)
    bare = only(
        read_json(
            "realtor-push",
            {"lead_info": {"inquiry_guid": "i"}, "lead_consumer_info": CONSUMER, "lead_property_info": ESTATE},
        ),
    )
    assert inside == beside == bare
    assert (inside.street_address, inside.price, inside.mls_id) == ("1 A St", 689_000, "4402719")
    assert (inside.type, inside.source, inside.vendor_id) == ("Buyer", "Realtor.com", "i")


@pytest.mark.parametrize(
    ("role", "lead_type", "estate", "kind"),
    [
        ("Seller", "buyer", {"property_status": "for_rent"}, "Seller"),
        ("Both", "buyer", {"property_status": "for_rent"}, "Buyer"),
        ("", "", {"property_status": "for_rent"}, "Renter"),
        (None, None, {"listing_status": "For Rent"}, "Renter"),
        (None, None, {"listing_status": "Active"}, "Buyer"),
        (None, None, {"property_price": "0", "mls_id": "", "days": None, "is_new": False}, None),
        (None, None, {}, None),
    ],
)
def test_the_kind_follows_from_role_then_lead_type_then_property(
    role: str | None,
    lead_type: str | None,
    estate: dict[str, Any],
    kind: str | None,
) -> None:
    info = {"lead_type": lead_type, "lead_consumer_info": CONSUMER | {"role": role}, "lead_property_info": estate}
    assert push(info).type == kind


def test_without_a_property_the_first_search_tells_place_and_price() -> None:
    searches = {"recent_searches": [SEARCH, {"city": "Denver"}]}
    found = push({"lead_consumer_info": CONSUMER, "lead_property_preferences_info": searches})
    assert (found.city, found.state, found.zipcode, found.price) == ("Tampa", "FL", "33606", 725_000)
    assert push({"lead_consumer_info": CONSUMER, "lead_property_preferences_info": {"recent_searches": []}})


def test_of_the_pushs_ids_the_inquirys_counts() -> None:
    assert push({"lead_consumer_info": CONSUMER, "inquiry_guid": "", "lead_guid": "l"}).vendor_id == "l"
    assert push({"lead_consumer_info": CONSUMER, "lead_source": "move.com", "test": "true"}).is_test
    assert push({"lead_consumer_info": CONSUMER, "lead_source": "move.com"}).source == "Realtor.com"


def test_realtor_is_answered_as_it_asks() -> None:
    answer = BY_NAME["realtor-push"].answer
    assert answer
    each = sample("realtor-push")
    assert answer(read(each.body, each.headers), 7) == {
        "status_code": 200,
        "message": "OK",
        "description": "Lead 7 was received.",
        "communications_guid": "c0f3a7e9-58b1-4d2c-9a60-3e7d1b8f4c25",
    }
    refused = answer(read(b"[]", format="realtor-push"), None)
    assert (refused["status_code"], refused["message"], refused["communications_guid"]) == (400, "malformed", "")


# ----------------------------------------------------------------------------------------------- Follow Up Boss

PERSON = {"firstName": "Ann", "lastName": "Lee", "emails": [{"value": "ann@example.com"}]}


def event(type_: str, **fields: Any) -> Inquiry:
    return only(read_json("followupboss", {"type": type_, "person": PERSON} | fields))


@pytest.mark.parametrize(
    "type_",
    ["Registration", "INQUIRY", "Property Inquiry", "seller inquiry", "General Inquiry", " Visited  Open House "],
)
def test_six_events_bring_a_lead(type_: str) -> None:
    assert event(type_).email == "ann@example.com"


@pytest.mark.parametrize("type_", ["Viewed Property", "Saved Property", "Visited Website", "", None, 7])
def test_all_other_events_are_activity(type_: Any) -> None:
    assert why(read_json("followupboss", {"type": type_, "person": PERSON})) == "not_a_lead"


@pytest.mark.parametrize(
    ("type_", "estate", "tags", "kind"),
    [
        ("Seller Inquiry", {"forRent": True}, ["Buyer"], "Seller"),
        ("Property Inquiry", {"forRent": True}, ["Buyer"], "Renter"),
        ("Property Inquiry", {"forRent": "1"}, [], "Renter"),
        ("Property Inquiry", {"street": "1 A St", "forRent": False}, ["Seller"], "Seller"),
        ("Property Inquiry", {"street": "1 A St"}, ["Seller", "Buyer"], "Buyer"),
        ("Inquiry", {"street": "1 A St"}, ["hot"], "Buyer"),
        ("Inquiry", {"street": "", "price": 0, "forRent": False}, [], None),
        ("Inquiry", {}, [], None),
        ("General Inquiry", {"street": "1 A St"}, [], None),
        ("Registration", {"street": "1 A St"}, ["First-time buyer"], "Buyer"),
        ("Registration", {}, "Renter, hot", "Renter"),
    ],
)
def test_the_kind_follows_from_event_rent_tags_and_property(
    type_: str,
    estate: dict[str, Any],
    tags: Any,
    kind: str | None,
) -> None:
    assert event(type_, property=estate, person=PERSON | {"tags": tags}).type == kind


def test_the_first_usable_email_and_phone_count() -> None:
    person = {
        "emails": [{"value": "unknown"}, {}, "x", {"value": "ann@example.com"}, {"value": "b@example.com"}],
        "phones": [{"value": "555-0142"}, {"value": "303-555-0142"}, {"value": "303-555-0143"}],
    }
    found = event("Inquiry", person=person)
    assert (found.email, found.phone) == ("ann@example.com", "+13035550142")
    assert why(read_json("followupboss", {"type": "Inquiry", "person": {"emails": {}, "phones": 7}})) == "no_contact"


def test_the_place_is_the_propertys_else_the_persons() -> None:
    home = {"addresses": [{"street": "9 Home St", "city": "Austin", "state": "TX", "code": "78701"}, {"city": "X"}]}
    assert event("Inquiry", person=PERSON | home).street_address == "9 Home St"
    found = event("Inquiry", person=PERSON | home, property={"code": "85251"})
    assert (found.street_address, found.zipcode) == (None, "85251")


def test_a_whole_name_counts_where_both_parts_are_missing() -> None:
    person = {"name": "Bob Stone", "emails": PERSON["emails"]}
    assert event("Inquiry", person=person).last_name == "Stone"
    assert event("Inquiry", person=person | {"firstName": "Robert"}).last_name is None


def test_the_campaign_is_not_the_source() -> None:
    found = event("Inquiry", campaign={"source": "google"}, id=90071992547409931)
    assert (found.source, found.vendor_id) == ("Other", "90071992547409931")
    assert event("Inquiry", source="Zillow.com").source == "Zillow"


# -------------------------------------------------------------------------------------------- LionDesk's old API


def test_a_submission_is_read_by_its_flat_names_without_id() -> None:
    fields = {"action": "NewSubmission", "id": 7, "email": "ann@example.com", "utm_source": "ig", "lastname": "Lee"}
    found = only(read_json("liondesk-v1", fields))
    assert (found.vendor_id, found.source, found.last_name) == (None, "Facebook", "Lee")
    assert only(read_json("liondesk-v1", fields | {"lead_id": 8, "utm_source": ""})).vendor_id == "8"
    assert only(read_json("liondesk-v1", {"action": "newsubmission", "email": "a@example.com"})).source == "Other"


def test_an_echo_is_answered() -> None:
    reading = read_json("liondesk-v1", {"action": "Echo", "msg": "hello"})
    reply = {"error": 0, "errorText": "", "action": "Echo", "msg": "hello"}
    assert expected_json(reading) == {"action": "echo", "reply": reply}
    answer = BY_NAME["liondesk-v1"].answer
    assert answer
    assert answer(reading, None) == reply


def test_other_actions_bring_no_lead() -> None:
    for action in ("AddTask", "", None, [], 7):
        assert why(read_json("liondesk-v1", {"action": action, "email": "a@example.com"})) == "not_a_lead"
    assert why(read_json("liondesk-v1", [])) == "malformed"


def test_a_form_of_the_old_api_is_read_too() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-LionDesk-Id": "u"}
    found = only(read(b"action=NewSubmission&email=&email=ann%40example.com", headers, format="liondesk-v1"))
    assert found.email == "ann@example.com"


def test_liondesks_answer_names_error_action_and_id() -> None:
    answer = BY_NAME["liondesk-v1"].answer
    assert answer
    done = read_json("liondesk-v1", {"action": "NewSubmission", "email": "ann@example.com"})
    assert answer(done, 7) == {"error": 0, "errorText": "", "action": "NewSubmission", "id": 7}
    refused = answer(read_json("liondesk-v1", {"action": "NewSubmission"}), None)
    assert (refused["error"], refused["id"]) == (1, None)
    assert "phone" in refused["errorText"]

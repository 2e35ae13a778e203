"""Zillow's two formats: Tech Connect through SNS, and Rentals."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, expected_json
from tests.support.samples import only, read_json, why

CONTACT = {"ContactName": "Ann Lee", "ContactEmail": "ann@example.com", "CommunicationGUID": "c-1"}
ESTATE = {"StreetAddress": "1 A St", "City": "Denver", "State": "CO", "Zip": "80212", "ListingPrice": "500000"}
SEARCH = {"City": "Tampa", "State": "FL", "ZIP": "33606", "MaxPrice": "625000"}


def cover(message: Any, **fields: Any) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"Type": "Notification", "MessageId": "m-1", "TopicArn": "t", "Message": text} | fields


def notification(message: Any, **fields: Any) -> Reading:
    return read_json("zillow-techconnect", cover(message, **fields))


def lead(**contact: Any) -> Inquiry:
    return only(notification({"ContactMessage": {"ContactInfo": CONTACT | contact}}))


@pytest.mark.parametrize(
    "message",
    [
        {"ContactMessage": {"ContactInfo": CONTACT, "SearchCriteria": SEARCH, "PropertyInfo": ESTATE}},
        {"ContactMessage": {"ContactInfo": CONTACT}, "SearchCriteria": SEARCH, "PropertyInfo": ESTATE},
        {"ContactMessage": {"PropertyInfo": ESTATE}, "ContactInfo": CONTACT, "SearchCriteria": SEARCH},
        {"ContactInfo": CONTACT, "SearchCriteria": SEARCH, "PropertyInfo": ESTATE},
    ],
)
def test_blocks_may_stand_inside_the_contact_message_or_beside_it(message: Any) -> None:
    found = only(notification(message))
    assert (found.first_name, found.street_address, found.zipcode, found.price, found.type) == (
        "Ann",
        "1 A St",
        "80212",
        500_000,
        "Buyer",
    )
    assert (found.vendor_id, found.source) == ("c-1", "Zillow")


def test_without_a_listing_the_search_tells_place_and_price() -> None:
    found = only(notification({"ContactMessage": {"ContactInfo": CONTACT, "SearchCriteria": SEARCH}}))
    assert (found.street_address, found.city, found.state, found.zipcode) == (None, "Tampa", "FL", "33606")
    assert (found.price, found.type) == (625_000, "Buyer")


def test_a_listing_without_a_price_leaves_the_searchs() -> None:
    listed = ESTATE | {"ListingPrice": "0"}
    message = {"ContactInfo": CONTACT, "SearchCriteria": SEARCH, "PropertyInfo": listed}
    assert only(notification(message)).price == 625_000


@pytest.mark.parametrize(
    ("contact_type", "status", "kind"),
    [
        ("Seller Inquiry", "For Rent", "Seller"),
        ("Rental Inquiry", "For Sale", "Renter"),
        ("Property Inquiry", "For Rent", "Renter"),
        ("Property Inquiry", "For Sale", "Buyer"),
        ("", "", "Buyer"),
    ],
)
def test_the_kind_follows_from_contact_type_then_status(contact_type: str, status: str, kind: str) -> None:
    message = {
        "ContactInfo": CONTACT | {"ContactType": contact_type},
        "PropertyInfo": ESTATE | {"ListingStatus": status},
    }
    assert only(notification(message)).type == kind


def test_the_kind_is_unknown_where_neither_listing_nor_search_says_anything() -> None:
    message = {"ContactInfo": CONTACT, "SearchCriteria": {"City": ""}, "PropertyInfo": {"City": " ", "Beds": None}}
    assert only(notification(message)).type is None


def test_the_messages_own_id_and_time_count_where_zillow_sends_none() -> None:
    contact = {"ContactEmail": "ann@example.com", "ContactDateTime": ""}
    found = only(notification({"ContactInfo": contact}, Timestamp="2026-11-14T18:22:09.314Z"))
    assert found.vendor_id == "m-1"
    assert found.as_json()["received_at"] == "2026-11-14T18:22:09Z"


def test_of_the_times_the_first_counts() -> None:
    times = {"LeadDateTime": "2026-11-14T01:00:00Z", "ContactDateTime": "2026-11-14T02:00:00Z"}
    assert lead(**times).as_json()["received_at"] == "2026-11-14T01:00:00Z"
    assert lead(**times | {"LeadDateTime": "?"}).as_json()["received_at"] == "2026-11-14T02:00:00Z"


@pytest.mark.parametrize(
    ("reassignment", "update", "event"),
    [
        (False, False, None),
        (True, True, "reassignment"),
        ("true", False, "reassignment"),
        ("false", "True", "update"),
        (None, True, "update"),
        ("no", 0, None),
    ],
)
def test_updates_and_reassignments_are_events(reassignment: Any, update: Any, event: str | None) -> None:
    found = lead(Reassignment=reassignment, Update=update)
    assert found.event == event
    assert found.as_json().get("event") == event
    assert ("event" in found.as_json()) is (event is not None)


def test_the_assignee_is_never_the_lead() -> None:
    assignee = {"ZillowAssigneeAgentEmail": "bob@example.com", "ZillowAssigneeAgentPhone": "303-555-0142"}
    reading = notification({"ContactInfo": {"ContactName": "Ann", "Assignee": assignee}})
    assert why(reading) == "no_contact"


def test_the_source_may_be_another_portal() -> None:
    assert only(notification({"Source": "trulia", "ContactInfo": CONTACT})).source == "Trulia"
    assert only(notification({"Source": "", "ContactInfo": CONTACT})).source == "Zillow"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("hello", "malformed"),
        ("[]", "malformed"),
        ("[" * 65 + "]" * 65, "too_deep"),
        ("{}", "no_contact"),
    ],
)
def test_a_message_that_is_not_json_is_refused(message: str, code: str) -> None:
    assert why(notification(message)) == code


def test_other_messages_of_sns_bring_no_lead() -> None:
    assert why(notification({}, Type="UnsubscribeConfirmation")) == "not_a_lead"
    assert why(read_json("zillow-techconnect", {"Type": "Notification"})) == "malformed"
    assert why(read_json("zillow-techconnect", {})) == "malformed"
    assert why(read_json("zillow-techconnect", [])) == "malformed"


def test_a_confirmation_is_an_action() -> None:
    address = "https://sns.us-east-1.amazonaws.com/?Token=t"
    reading = read_json("zillow-techconnect", {"Type": "SubscriptionConfirmation", "SubscribeURL": address})
    assert expected_json(reading) == {"action": "confirm_subscription", "get": address}


# ------------------------------------------------------------------------------------------------------ rentals


def rental(**fields: str) -> Reading:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    whole = {"name": "Ann Lee", "email": "ann@example.com", "incomeYearly": "84000"} | fields
    return read(urlencode(whole).encode(), headers, format="zillow-rentals")


def test_a_rental_inquiry_has_no_price_id_or_time() -> None:
    found = only(rental(listingId="1", globalListingId="2", movingDate="20270101", source="Other", leadType="buy"))
    assert (found.type, found.source) == ("Renter", "Zillow")
    assert (found.price, found.vendor_id, found.mls_id, found.received_at) == (None, None, None, None)


def test_a_blank_message_leaves_the_introduction() -> None:
    assert only(rental(message=" ", introduction="We are two.")).message == "We are two."
    assert only(rental(message="Hi", introduction="We are two.")).message == "Hi"


@pytest.mark.parametrize(
    ("unit", "street"),
    [("304", "1 A St #304"), ("B", "1 A St #B"), ("Apt 4", "1 A St Apt 4"), ("", "1 A St")],
)
def test_the_unit_follows_the_street(unit: str, street: str) -> None:
    found = only(rental(listingStreet="1 A St", listingUnit=unit, listingCity="Austin", movingFromCity="Madison"))
    assert (found.street_address, found.city) == (street, "Austin")


def test_a_rental_form_in_windows_1252_is_read() -> None:
    body = b"name=Tom%E1s+Okafor&email=t%40example.com&email=other%40example.com"
    found = only(read(body, {}, format="zillow-rentals"))
    assert (found.first_name, found.email) == ("Tomás", "t@example.com")
    assert why(read(b"", {}, format="zillow-rentals")) == "malformed"

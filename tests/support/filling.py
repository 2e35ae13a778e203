"""What successive inquiries make of a lead and of a contact: cases for the domain and for SQL, which have to agree."""

from typing import Any

from leadroutes.domain.inquiry import Inquiry


def said(**fields: Any) -> Inquiry:
    return Inquiry(**{"email": "mia@example.com"} | fields)


PLACE = {"street_address": "12 Grape Street", "city": "Denver", "state": "CO", "zipcode": "80205"}
ELSEWHERE = {"street_address": "7 Palm Avenue", "city": "Tampa", "state": "FL", "zipcode": "33601"}
NO_PLACE = dict.fromkeys(PLACE)

# Columns of a lead that are not named are null.
LEADS: list[tuple[str, list[Inquiry], dict[str, Any]]] = [
    (
        "gaps are filled",
        [said(), said(message="Hello", mls_id="M1", price=450_000, type="Buyer", **PLACE)],
        {"text_body": "Hello", "mls_id": "M1", "listing_price": "450000", "type": "Buyer", **PLACE},
    ),
    (
        "what is set is not overwritten",
        [
            said(message="Hello", mls_id="M1", price=450_000, type="Buyer", **PLACE),
            said(message="Again", mls_id="M2", price=1, type="Seller", **ELSEWHERE),
        ],
        {"text_body": "Hello", "mls_id": "M1", "listing_price": "450000", "type": "Buyer", **PLACE},
    ),
    ("a part of a place is a place", [said(city="Denver"), said(**ELSEWHERE)], {"city": "Denver"}),
    (
        "a place is filled in as a whole",
        [said(message="Hello"), said(zipcode="80205")],
        {"text_body": "Hello", "zipcode": "80205"},
    ),
    (
        "the first that says something fills the gap",
        [said(), said(type="Renter"), said(type="Buyer", mls_id="M1")],
        {"type": "Renter", "mls_id": "M1"},
    ),
    ("nothing said, nothing filled", [said(message="Hello"), said()], {"text_body": "Hello"}),
]

DENVER, TAMPA, HONOLULU = "+13035550101", "+18135550102", "+18085550103"
# Columns of a contact that are not named are null, but for the e-mail.
CONTACTS: list[tuple[str, list[Inquiry], dict[str, Any]]] = [
    ("names fill gaps", [said(), said(first_name="Mia", last_name="Lund")], {"first_name": "Mia", "last_name": "Lund"}),
    (
        "names are not overwritten",
        [said(first_name="Mia"), said(first_name="Maria", last_name="Lund")],
        {"first_name": "Mia", "last_name": "Lund"},
    ),
    (
        "a second e-mail takes the free place, a third has none",
        [said(phone=DENVER), said(email="b@example.com", phone=DENVER), said(email="c@example.com", phone=DENVER)],
        {"secondary_email": "b@example.com", "mobile_phone": DENVER, "time_zone": "America/Denver"},
    ),
    (
        "phones take the free places in order",
        [said(phone=DENVER), said(phone=TAMPA), said(phone=DENVER), said(phone=HONOLULU)],
        {
            "mobile_phone": DENVER,
            "home_phone": TAMPA,
            "office_phone": HONOLULU,
            "time_zone": "America/Denver",
        },
    ),
    ("an equal e-mail is not added again", [said(), said()], {}),
    (
        "a phone tells the time zone",
        [said(), said(phone=TAMPA)],
        {"mobile_phone": TAMPA, "time_zone": "America/New_York"},
    ),
    (
        "a zipcode tells the time zone better than a phone",
        [said(phone=TAMPA), said(zipcode="80205")],
        {"mobile_phone": TAMPA, "time_zone": "America/Denver"},
    ),
    (
        "the first zipcode decides",
        [said(zipcode="33601"), said(zipcode="80205"), said(phone=DENVER)],
        {"mobile_phone": DENVER, "time_zone": "America/New_York"},
    ),
]

# Whether a lead is claimed, counts as unclaimed, has been routed and was imported, and the state that follows.
LEAD_STATES: list[tuple[bool, bool, bool, bool, str]] = [
    (False, False, False, False, "held"),
    (False, False, True, False, "on offer"),
    (False, True, True, False, "unclaimed"),
    (False, True, False, False, "unclaimed"),
    (True, False, True, False, "claimed"),
    (True, True, True, False, "claimed"),
    (True, False, False, False, "claimed"),
    (False, False, False, True, "imported"),
    (False, True, False, True, "imported"),
    (True, False, False, True, "claimed"),
    (False, False, True, True, "on offer"),
]

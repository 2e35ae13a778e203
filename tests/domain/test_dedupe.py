"""Who is the same person, what repeats, what touches, what fills gaps: as tables."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import asdict

from leadroutes.domain.dedupe import (
    REPEAT_WINDOW,
    DedupeKey,
    KnownContact,
    KnownDedupeKey,
    KnownLead,
    fill_contact,
    fill_gaps,
    find_contact,
    find_touched_lead,
    find_valid_key,
    identities_of,
    identities_to_store,
    inquiry_columns,
    is_same_person,
    place_contact,
    touch_lead,
    vendor_keys,
)
from leadroutes.domain.deduplicator import Deduplicator, Origin
from leadroutes.domain.inquiry import Inquiry
from leadroutes.domain.records import KnownRecords
from tests.support.builders import ALICE, NOON
from tests.support.filling import CONTACTS, DENVER, LEADS, TAMPA, said

EMAIL, PHONE = ("email", "mia@example.com"), ("phone", DENVER)


# -- who it is


@pytest.mark.parametrize(
    ("inquiry", "identities"),
    [
        (said(phone=DENVER), (EMAIL, PHONE)),
        (said(phone=DENVER, relay=True), (PHONE,)),
        (said(relay=True), ()),
        (Inquiry(), ()),
    ],
    ids=["e-mail before phone", "a relay address identifies no one", "a relay address alone", "nothing"],
)
def test_a_person_is_identified_by(inquiry: Inquiry, identities: tuple[Any, ...]) -> None:
    assert identities_of(inquiry) == identities


FOUND: list[tuple[str, dict[Any, int], set[Any], Inquiry, int | None]] = [
    ("by e-mail first", {EMAIL: 1, PHONE: 2}, set(), said(phone=DENVER), 1),
    ("by phone where the e-mail is new", {PHONE: 2}, set(), said(phone=DENVER), 2),
    ("no one", {("email", "ann@example.com"): 1}, set(), said(phone=DENVER), None),
    ("an unproven phone joins where no other e-mail is known", {PHONE: 2}, {PHONE}, said(phone=DENVER), 2),
    ("an unproven phone does not join two e-mails", {PHONE: 3}, {PHONE}, said(phone=DENVER), None),
    ("a proven phone does", {PHONE: 3}, set(), said(phone=DENVER), 3),
    ("an unproven e-mail joins", {EMAIL: 3}, {EMAIL}, said(), 3),
]


@pytest.mark.parametrize(
    ("known", "unproven", "inquiry", "found"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND]
)
def test_the_contact_is_found(known: dict[Any, int], unproven: set[Any], inquiry: Inquiry, found: int | None) -> None:
    contacts = {1: KnownContact(id=1), 2: KnownContact(id=2), 3: KnownContact(id=3, email="ann@example.com")}
    assert find_contact(known, unproven, contacts.__getitem__, inquiry) == found


MIA = {"email": "mia@example.com", "mobile_phone": DENVER}
# What contact 1 has, what the inquiry names, what is known, what of it is unproven, whether the key proves anything.
STORED: list[tuple[str, dict[str, str], Inquiry, dict[Any, int], set[Any], bool, list[Any]]] = [
    ("all that is new", MIA, said(phone=DENVER), {}, set(), True, [EMAIL, PHONE]),
    ("also through a key that proves nothing", MIA, said(phone=DENVER), {}, set(), False, [EMAIL, PHONE]),
    ("an e-mail that stays with the inquiry", {"email": "ann@example.com"}, said(), {}, set(), True, [EMAIL]),
    ("no phone that stays with the inquiry", {}, said(phone=DENVER), {}, set(), True, [EMAIL]),
    ("nothing that another contact has proven", MIA, said(phone=DENVER), {EMAIL: 2, PHONE: 2}, set(), True, []),
    ("what another contact has not proven", MIA, said(phone=DENVER), {EMAIL: 1, PHONE: 2}, {PHONE}, True, [PHONE]),
    ("not without a proof", MIA, said(phone=DENVER), {EMAIL: 1, PHONE: 2}, {PHONE}, False, []),
    ("its own, together with its e-mail", MIA, said(phone=DENVER), {EMAIL: 1, PHONE: 1}, {PHONE}, True, [PHONE]),
    ("its own phone alone proves nothing", MIA, Inquiry(phone=DENVER), {PHONE: 1}, {PHONE}, True, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("contact", "inquiry", "known", "unproven", "is_proven", "expected"),
    [row[1:] for row in STORED],
    ids=[row[0] for row in STORED],
)
def test_a_contact_is_identified_from_now_on_by(
    contact: dict[str, str],
    inquiry: Inquiry,
    known: dict[Any, int],
    unproven: set[Any],
    is_proven: bool,
    expected: list[Any],
) -> None:
    has = KnownContact(id=1, **contact)  # type: ignore[arg-type]
    assert identities_to_store(has, inquiry, known, unproven, is_proven=is_proven) == expected


@pytest.mark.parametrize(
    ("contact", "inquiry", "is_same"),
    [
        ({"email": "mia@example.com"}, said(phone=DENVER), True),
        ({"secondary_email": "MIA@example.com"}, said(), True),
        ({"office_phone": DENVER, "email": "ann@example.com"}, said(phone=DENVER), True),
        ({"email": "ann@example.com"}, said(), False),
        ({"mobile_phone": TAMPA}, said(phone=DENVER), False),
        ({"mobile_phone": TAMPA}, said(), True),
        ({}, said(phone=DENVER), True),
    ],
)
def test_under_a_known_id_it_is_the_same_person(contact: dict[str, str], inquiry: Inquiry, is_same: bool) -> None:
    assert is_same_person(KnownContact(id=1, **contact), inquiry) is is_same  # type: ignore[arg-type]


# -- what repeats


def test_a_vendors_id_is_a_key_without_end_within_its_lead_source() -> None:
    [key] = vendor_keys(7, said(vendor_id="v-1"))
    assert (key.scope, key.key, key.expires_at(NOON)) == ("vendor 7", "v-1", None)


def test_an_id_that_is_loose_or_unproven_counts_for_the_same_person_only() -> None:
    loose = vendor_keys(7, said(vendor_id="v-1", is_id_loose=True, phone=DENVER))
    assert [(key.scope, key.key, key.names_phone) for key in loose] == [
        ("vendor 7", "v-1 mia@example.com", False), ("vendor 7", f"v-1 {DENVER}", True),
    ]  # fmt: skip
    unproven = vendor_keys(7, said(vendor_id="v-1"), unproven_key_id=3)
    assert [(key.scope, key.key) for key in unproven] == [("vendor key 3", "v-1 mia@example.com")]
    assert vendor_keys(7, said()) == ()


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("is_lasting", "later", "is_valid"),
    [
        (False, REPEAT_WINDOW, True),
        (False, REPEAT_WINDOW + SECOND, False),
        (True, timedelta(days=4000), True),
    ],
)
def test_a_key_counts_until_it_expires(is_lasting: bool, later: timedelta, is_valid: bool) -> None:
    key = DedupeKey(scope="body 1", key="a", is_lasting=is_lasting)
    known = KnownDedupeKey(lead_id=1, arrival_id=None, digest=None, expires_at=key.expires_at(NOON))
    found = find_valid_key({("body 1", "a"): known}, [DedupeKey(scope="key /leads/1", key="a"), key], NOON + later)
    assert (found is known) is is_valid


# -- what touches


def lead(**changes: Any) -> KnownLead:
    values = {"id": 1, "mls_id": None, "street_address": None, "zipcode": None, "touched_at": NOON}
    return KnownLead(**values | changes)


GRAPE = {"street_address": "12  grape street", "zipcode": "80205-1234"}
TOUCHES: list[tuple[str, KnownLead, Inquiry, timedelta, bool]] = [
    ("within 24 hours", lead(), said(), timedelta(hours=24), True),
    ("later", lead(), said(), timedelta(hours=24) + SECOND, False),
    ("the lead names no property", lead(), said(mls_id="M1"), SECOND, True),
    ("the inquiry names no property", lead(mls_id="M1"), said(zipcode="80205"), SECOND, True),
    ("equal MLS numbers", lead(mls_id="M1"), said(mls_id="M1", street_address="elsewhere"), SECOND, True),
    ("other MLS numbers", lead(mls_id="M1"), said(mls_id="M2"), SECOND, False),
    ("equal street and zipcode", lead(**GRAPE), said(street_address="12 Grape Street", zipcode="80205"), SECOND, True),
    ("another zipcode", lead(**GRAPE), said(street_address="12 Grape Street", zipcode="80206"), SECOND, False),
]


@pytest.mark.parametrize(
    ("known", "inquiry", "later", "is_touch"), [row[1:] for row in TOUCHES], ids=[row[0] for row in TOUCHES]
)
def test_an_inquiry_touches_a_lead(known: KnownLead, inquiry: Inquiry, later: timedelta, is_touch: bool) -> None:
    assert (find_touched_lead([known], inquiry, NOON + later) is known) is is_touch


def test_a_touched_lead_is_known_by_the_property_that_the_inquiry_names() -> None:
    touched = touch_lead(lead(), said(mls_id="M1", **GRAPE), NOON + SECOND)
    assert touched == lead(mls_id="M1", touched_at=NOON + SECOND, **GRAPE)
    assert touch_lead(lead(zipcode="33601"), said(**GRAPE), NOON).street_address is None, "a place is filled as a whole"


# -- what fills gaps


@pytest.mark.parametrize(("inquiries", "expected"), [row[1:] for row in LEADS], ids=[row[0] for row in LEADS])
def test_a_lead_has_its_gaps_filled(inquiries: list[Inquiry], expected: dict[str, Any]) -> None:
    record = inquiry_columns(inquiries[0])
    for inquiry in inquiries[1:]:
        fill_gaps(record, inquiry_columns(inquiry))
    assert {name: value for name, value in asdict(record).items() if value is not None} == expected


@pytest.mark.parametrize(("inquiries", "expected"), [row[1:] for row in CONTACTS], ids=[row[0] for row in CONTACTS])
def test_a_contact_has_its_gaps_filled(inquiries: list[Inquiry], expected: dict[str, Any]) -> None:
    contact = KnownContact(id=1)
    for inquiry in inquiries:
        contact = fill_contact(place_contact(contact, inquiry.zipcode, inquiry.phone), inquiry)
    filled = {name: getattr(contact, name) for name in contact.__struct_fields__ if getattr(contact, name)}
    filled.pop("has_zipcode", None)
    assert filled == {"id": 1, "email": "mia@example.com", **expected}


# -- a batch


def deduplicator() -> Deduplicator:
    """Nothing is known; ids are 1, 2, 3 …"""
    ids = list(range(1, 9))
    known = KnownRecords(
        versions={},
        keys={},
        identities={ALICE: {}},
        unproven={ALICE: set()},
        contacts={},
        contact_sources={},
        leads={},
        lead_ids=[*ids],
        contact_ids=[*ids],
        arrival_ids=[*ids],
    )
    return Deduplicator(known, NOON)


def origin(**changes: Any) -> Origin:
    values = {"owner_id": ALICE, "lead_source_id": 1, "contact_source_id": None, "is_proven": True, "intake_key_id": 5}
    return Origin(**values | changes)


HISTORY = origin(is_history=True, intake_key_id=None, contact_source_id=7)


def test_what_one_inquiry_brings_the_next_one_knows() -> None:
    batch = deduplicator()
    contact, is_known = batch.identify(origin(), said())
    about = batch.make_lead(origin(), said(), contact)
    again = batch.identify(origin(), said(phone=DENVER))
    assert (is_known, again) == (False, (contact, True))
    assert batch.find_touched(ALICE, contact, said(mls_id="M1")) == about
    batch.touch(origin(), about, said(mls_id="M1"), "touched")

    [routed] = batch.finish_leads()
    writes = batch.finish({(ALICE, contact): 9})
    assert (routed.mls_id, routed.arrival_id, writes.touches[0].mls_id) == ("M1", None, "M1")
    [written] = writes.contacts
    assert (written.email, written.mobile_phone, written.source_id) == ("mia@example.com", DENVER, 9)
    assert [(each.kind, each.contact_id) for each in writes.identities] == [("email", contact), ("phone", contact)]


def test_what_proves_nothing_neither_fills_a_known_contact_nor_anothers_lead() -> None:
    batch = deduplicator()
    contact, _ = batch.identify(origin(), said())
    about = batch.make_lead(origin(), said(), contact)
    unproven = origin(is_proven=False, intake_key_id=6)
    assert batch.identify(unproven, said(first_name="Eve", phone=DENVER)) == (contact, True)
    batch.touch(unproven, about, said(first_name="Eve", message="Hello"), "touched")

    [routed] = batch.finish_leads()
    writes = batch.finish()
    assert (routed.text_body, writes.contacts[0].first_name, writes.contacts[0].mobile_phone) == (None, None, None)
    assert writes.touches[0].detail == {"source": None, "first_name": "Eve", "email": "mia@example.com"}


def test_history_is_neither_routed_nor_touched_and_is_as_old_as_it_says() -> None:
    batch, long_ago = deduplicator(), NOON - timedelta(days=4000)
    contact, _ = batch.identify(HISTORY, said(received_at=long_ago))
    batch.make_lead(HISTORY, said(received_at=long_ago), contact)
    assert batch.find_touched(ALICE, contact, said()) is None
    assert batch.finish_leads() == []
    writes = batch.finish()
    assert [(each.created_at, each.is_imported) for each in writes.leads] == [(long_ago, True)]
    assert [(each.created_at, each.source_id) for each in writes.contacts] == [(long_ago, 7)]


def test_history_gives_a_known_contact_its_source_and_never_another() -> None:
    batch = deduplicator()
    contact, _ = batch.identify(origin(), said())
    batch.identify(HISTORY, said())
    batch.identify(origin(is_history=True, contact_source_id=8), said())
    assert batch.known.contacts[ALICE, contact].source_id == 7


def test_a_person_may_be_known_by_what_the_inquiry_does_not_say() -> None:
    batch = deduplicator()
    contact, _ = batch.identify(HISTORY, said())
    assert batch.identify(HISTORY, Inquiry(phone=DENVER), [99, contact]) == (contact, True)


def test_another_batch_learns_what_is_being_written() -> None:
    batch, next_batch = deduplicator(), deduplicator()
    contact, _ = batch.identify(origin(), said())
    about = batch.make_lead(origin(), said(), contact)
    batch.store_new_keys(ALICE, vendor_keys(1, said(vendor_id="v-1")), about)
    batch.finish_leads()
    next_batch.known.learn(batch.known, batch.finish())

    assert next_batch.identify(origin(), said()) == (contact, True)
    found = next_batch.known.find_key(ALICE, vendor_keys(1, said(vendor_id="v-1")), said())
    assert found is not None
    assert (found.lead_id, found.contact_id) == (about.lead_id, contact)

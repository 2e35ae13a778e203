"""What an arrival is: a repetition of a known one, a touch of an open lead, or a new lead, and of which contact.

And what it fills: gaps of the contact and of the lead, never a value that is set.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.identity import comparable_zipcode, is_relay, time_zone_of
from leadroutes.domain.inquiry import Inquiry

TOUCH_WINDOW = timedelta(hours=24)
REPEAT_WINDOW = timedelta(hours=24)

EMAILS = ("email", "secondary_email")  # of a contact, in the order in which they are filled
PHONES = ("mobile_phone", "home_phone", "office_phone")
PLACE = ("street_address", "city", "state", "zipcode")  # of a lead

Identity = tuple[str, str]  # ('email' | 'phone', value in normal form)


class DedupeKey(Struct, frozen=True, kw_only=True):
    """What makes an arrival the same as an earlier one: a vendor's id, an Idempotency-Key, equal bytes."""

    scope: str
    key: str
    digest: str | None = None  # of the body that came with it; a different body is a conflict
    is_lasting: bool = False  # it counts without end, not for REPEAT_WINDOW only
    names_phone: bool = False  # an id together with a phone, which two people may share

    def expires_at(self, now: datetime) -> datetime | None:
        """Returns until when the key counts if it is stored at `now`. None: without end."""
        return None if self.is_lasting else now + REPEAT_WINDOW


class KnownDedupeKey(Struct, frozen=True, kw_only=True):
    lead_id: int | None
    arrival_id: int | None
    digest: str | None
    expires_at: datetime | None  # None: it counts without end
    contact_id: int | None = None  # the lead's
    intake_key_id: int | None = None  # the lead's

    def is_valid(self, now: datetime) -> bool:
        """Whether it still makes an arrival the same as the earlier one."""
        return self.expires_at is None or now <= self.expires_at


class KnownContact(Struct, frozen=True, kw_only=True):
    id: int
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    secondary_email: str | None = None
    mobile_phone: str | None = None
    home_phone: str | None = None
    office_phone: str | None = None
    source_id: int | None = None
    assigned_user_id: int | None = None
    time_zone: str | None = None
    has_zipcode: bool = False  # of an address or an inquiry; otherwise the time zone is a phone's
    birthday: str | None = None


class KnownLead(Struct, frozen=True, kw_only=True):
    """A lead that a new inquiry of the same contact may be a touch of."""

    id: int
    mls_id: str | None
    street_address: str | None
    zipcode: str | None
    touched_at: datetime
    intake_key_id: int | None = None  # through which it came


class InquiryColumns(Struct, kw_only=True):
    """What a lead has of its inquiries."""

    text_body: str | None = None
    mls_id: str | None = None
    listing_price: str | None = None
    street_address: str | None = None
    city: str | None = None
    state: str | None = None
    zipcode: str | None = None
    type: str | None = None


class LeadOutcome(Struct, frozen=True, kw_only=True):
    """What became of one inquiry; reveals nothing that other senders have said."""

    id: int  # of the lead
    contact_id: int | None
    status: Literal["new", "repeated", "touched"]


class LeadReference(Struct, frozen=True, kw_only=True):
    """The lead that an inquiry turned out to be about."""

    lead_id: int
    contact_id: int | None
    intake_key_id: int | None  # through which the lead came


def place_contact(contact: KnownContact, zipcode: str | None, phone: str | None) -> KnownContact:
    """Returns the contact with its time zone: a zipcode's, else a phone's; the first of each kind stays."""
    zone = time_zone_of(zipcode, None)
    if zone is not None and zone != contact.time_zone and not contact.has_zipcode:
        return replace(contact, time_zone=zone, has_zipcode=True)
    return replace(contact, time_zone=contact.time_zone or time_zone_of(None, phone))


def identities_of(inquiry: Inquiry) -> tuple[Identity, ...]:
    """Returns what identifies the person, e-mail before phone. A portal's relay address identifies no one."""
    found = []
    if inquiry.email and not inquiry.relay:
        found.append(("email", inquiry.email))
    if inquiry.phone:
        found.append(("phone", inquiry.phone))
    return tuple(found)


def find_contact(
    known: Mapping[Identity, int],
    unproven: Container[Identity],
    contact_of: Callable[[int], KnownContact],
    inquiry: Inquiry,
) -> int | None:
    """Returns the contact that this person is, by e-mail first, then by phone; or None.

    A phone that came through an unproven key may be anyone's, so it does not join two different e-mails.
    """
    for identity in identities_of(inquiry):
        contact_id = known.get(identity)
        if contact_id is None:
            continue
        is_doubtful = identity[0] == "phone" and identity in unproven
        if not is_doubtful or not has_another_email(contact_of(contact_id), inquiry):
            return contact_id
    return None


def vendor_keys(lead_source_id: int, inquiry: Inquiry, *, unproven_key_id: int | None = None) -> tuple[DedupeKey, ...]:
    """Returns the keys of a vendor's own id, which count without end, within an owner and a lead source.

    A bare id may be a form's, and one that came through `unproven_key_id`, an intake key that proves nothing, may be
    made up. Both count for the same person only, who is part of the key; the latter within that intake key only.
    """
    if not inquiry.vendor_id:
        return ()
    scope = f"vendor {lead_source_id}" if unproven_key_id is None else f"vendor key {unproven_key_id}"
    if unproven_key_id is None and not inquiry.is_id_loose:
        return (DedupeKey(scope=scope, key=inquiry.vendor_id, is_lasting=True),)
    return tuple(
        DedupeKey(scope=scope, key=f"{inquiry.vendor_id} {value}", is_lasting=True, names_phone=value == inquiry.phone)
        for value in (inquiry.email, inquiry.phone)
        if value
    )


def has_another_email(contact: KnownContact, inquiry: Inquiry) -> bool:
    """Whether both name an e-mail and have none in common; a portal's relay address does not count."""
    emails = {each for each in _emails_of(contact) if not is_relay(each)}
    return bool(emails and inquiry.email and not inquiry.relay and inquiry.email not in emails)


def addresses_in(contact: KnownContact) -> frozenset[Identity]:
    """Returns the e-mails and phones that a contact has."""
    return frozenset(
        {("email", each) for each in _emails_of(contact)} | {("phone", each) for each in _phones_of(contact)}
    )


def _emails_of(contact: KnownContact) -> set[str]:
    return {value.lower() for name in EMAILS if (value := getattr(contact, name))}


def _phones_of(contact: KnownContact) -> set[str]:
    return {value for name in PHONES if (value := getattr(contact, name))}


def identities_to_store(
    contact: KnownContact,
    inquiry: Inquiry,
    known: Mapping[Identity, int],
    unproven: Container[Identity],
    *,
    is_proven: bool,
) -> list[Identity]:
    """Returns what identifies the contact from now on, of what the inquiry names.

    A phone identifies the contact only if the contact has it, an e-mail also if it stays with the inquiry. What came
    through a key that proves nothing passes to whoever proves it.
    """
    own = addresses_in(contact)
    is_by_email = inquiry.email is not None and not inquiry.relay and ("email", inquiry.email) in own
    found = []
    for identity in identities_of(inquiry):
        if identity[0] == "phone" and identity not in own:
            continue
        is_anothers = known.get(identity) != contact.id
        may_pass = is_proven and identity in unproven and (is_by_email or is_anothers)
        if identity not in known or may_pass:
            found.append(identity)
    return found


def is_same_person(contact: KnownContact, inquiry: Inquiry) -> bool:
    """Whether the sender of a known id is the known person: they share an e-mail or phone, or none differs.

    Here a relay address counts: under one id it forwards to one person.
    """
    emails, phones = _emails_of(contact), _phones_of(contact)
    if inquiry.email in emails or inquiry.phone in phones:
        return True
    return not (emails and inquiry.email) and not (phones and inquiry.phone)


def fill_contact(contact: KnownContact, inquiry: Inquiry) -> KnownContact:
    """Returns the contact with its gaps filled. Further e-mails and phones take free fields; nothing is overwritten."""
    names = {
        name: getattr(inquiry, name)
        for name in ("first_name", "last_name")
        if getattr(contact, name) is None and getattr(inquiry, name) is not None
    }
    filled = replace(contact, **names)
    filled = _fill_first_free(filled, EMAILS, inquiry.email)
    return _fill_first_free(filled, PHONES, inquiry.phone)


def _fill_first_free(contact: KnownContact, names: tuple[str, ...], value: str | None) -> KnownContact:
    present = [getattr(contact, name) for name in names]
    if value is None or any(value == each.casefold() for each in present if each):
        return contact
    free = next((name for name in names if getattr(contact, name) is None), None)
    return contact if free is None else replace(contact, **{free: value})


def find_touched_lead(leads: Iterable[KnownLead], inquiry: Inquiry, now: datetime) -> KnownLead | None:
    """Returns the lead of a contact that this inquiry touches: about the same property, within 24 hours. Or None."""
    return next(
        (lead for lead in leads if now - lead.touched_at <= TOUCH_WINDOW and _is_same_property(lead, inquiry)), None
    )


def _is_same_property(lead: KnownLead, inquiry: Inquiry) -> bool:
    """Equal MLS numbers, or equal street and zipcode, or one of the two names no property."""
    if not (lead.mls_id or lead.street_address) or not (inquiry.mls_id or inquiry.street_address):
        return True
    if lead.mls_id and lead.mls_id == inquiry.mls_id:
        return True
    is_same_street = bool(lead.street_address) and _plain(lead.street_address) == _plain(inquiry.street_address)
    return is_same_street and comparable_zipcode(lead.zipcode) == comparable_zipcode(inquiry.zipcode)


def touch_lead(lead: KnownLead, inquiry: Inquiry, now: datetime) -> KnownLead:
    """Returns the lead as it is after the touch: if it named no property, it has the inquiry's."""
    has_place = bool(lead.street_address or lead.zipcode)
    return KnownLead(
        id=lead.id,
        mls_id=lead.mls_id or inquiry.mls_id,
        street_address=lead.street_address if has_place else inquiry.street_address,
        zipcode=lead.zipcode if has_place else inquiry.zipcode,
        touched_at=now,
        intake_key_id=lead.intake_key_id,
    )


def fill_gaps(record: InquiryColumns, said: InquiryColumns) -> None:
    """Fill what the record lacks and was said; a place is filled as a whole."""
    has_place = any(getattr(record, name) is not None for name in PLACE)
    for name in InquiryColumns.__struct_fields__:
        if getattr(record, name) is None and not (has_place and name in PLACE):
            setattr(record, name, getattr(said, name))


def inquiry_columns(inquiry: Inquiry) -> InquiryColumns:
    """Returns what a lead has of an inquiry."""
    return InquiryColumns(
        text_body=inquiry.message,
        mls_id=inquiry.mls_id,
        listing_price=str(inquiry.price) if inquiry.price is not None else None,
        street_address=inquiry.street_address,
        city=inquiry.city,
        state=inquiry.state,
        zipcode=inquiry.zipcode,
        type=inquiry.type,
    )


def _plain(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def find_valid_key(
    known: Mapping[tuple[str, str], KnownDedupeKey], keys: Iterable[DedupeKey], now: datetime
) -> KnownDedupeKey | None:
    """Returns what the first of these keys refers to that is known and has not expired, or None."""
    for key in keys:
        found = known.get((key.scope, key.key))
        if found is not None and found.is_valid(now):
            return found
    return None

"""What conditions ask for, taken from a lead and its contact: each fact by the name of its field. Pure.

What a lead does not have is left out.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import phonenumbers
from msgspec import Struct

from leadroutes.cache import short_cache
from leadroutes.domain.condition_fields import CUSTOM, FactValue, plain
from leadroutes.domain.identity import comparable_zipcode, normal_email, normal_phone
from leadroutes.domain.normalize import normal_price


class AskedLead(Struct, frozen=True, kw_only=True):
    """A lead, as far as conditions ask for it: a new one, or one that is stored."""

    received_at: datetime
    listing_price: str | None = None
    zipcode: str | None = None
    city: str | None = None
    state: str | None = None
    type: str | None = None
    mls_id: str | None = None
    listing_status: str | None = None
    street_address: str | None = None
    text_body: str | None = None
    inquirer: Mapping[str, str] | None = None
    source_named: str | None = None


class ContactFacts(Struct, frozen=True, kw_only=True):
    """What conditions ask of a contact. `custom`: name and value of the owner's fields, those that count first."""

    email: str | None = None
    phone: str | None = None
    tags: str | None = None
    custom: Sequence[tuple[str, str | None]] = ()
    has_earlier_lead: bool = False


def named_facts(keys: Collection[str], lead: AskedLead, contact: ContactFacts) -> dict[str, FactValue]:
    """Returns the facts of these names that there are."""
    found = {key: _fact(key, lead, contact) for key in sorted(keys)}
    return {key: value for key, value in found.items() if value is not None}


def _fact(key: str, lead: AskedLead, contact: ContactFacts) -> FactValue | None:
    if key.startswith(CUSTOM):
        name = key.removeprefix(CUSTOM)
        return _text(next((value for each, value in contact.custom if plain(each) == name), None))
    fact = _FACTS.get(key)
    return fact(lead, contact) if fact is not None else None


def _text(value: str | None) -> str | None:
    """Blank is missing."""
    return (value or "").strip() or None


def _email(lead: AskedLead, contact: ContactFacts) -> str | None:
    """What the inquiry gave, else the contact's."""
    given = normal_email((lead.inquirer or {}).get("email"))
    return given or normal_email(contact.email)


def _email_domain(lead: AskedLead, contact: ContactFacts) -> str | None:
    return (_email(lead, contact) or "").rpartition("@")[2] or None


def _phone(lead: AskedLead, contact: ContactFacts) -> str | None:
    given = normal_phone((lead.inquirer or {}).get("phone"))
    return given or normal_phone(contact.phone)


def _area_code(lead: AskedLead, contact: ContactFacts) -> str | None:
    """The three digits of a number of the North American plan; other countries have areas of any length."""
    phone = _phone(lead, contact) or ""
    return phone[2:5] if phone.startswith("+1") and len(phone) == 12 else None


def _phone_country(lead: AskedLead, contact: ContactFacts) -> str | None:
    phone = _phone(lead, contact)
    return _country_of(phone) if phone is not None else None


@short_cache(entries=65_536, longest=20)
def _country_of(phone: str) -> str | None:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or None
    except phonenumbers.NumberParseException:
        return None


def _tags(_lead: AskedLead, contact: ContactFacts) -> list[str] | None:
    return [tag for each in (contact.tags or "").split(",") if (tag := each.strip())] or None


_FACTS: Final[Mapping[str, Callable[[AskedLead, ContactFacts], FactValue | None]]] = {
    "price": lambda lead, _: normal_price(lead.listing_price),
    "zipcode": lambda lead, _: comparable_zipcode(lead.zipcode),
    "city": lambda lead, _: _text(lead.city),
    "state": lambda lead, _: _text(lead.state),
    "type": lambda lead, _: _text(lead.type),
    "mls_id": lambda lead, _: _text(lead.mls_id),
    "listing_status": lambda lead, _: _text(lead.listing_status),
    "street_address": lambda lead, _: _text(lead.street_address),
    "message": lambda lead, _: _text(lead.text_body),
    "source_named": lambda lead, _: _text(lead.source_named),
    "email": _email,
    "email_domain": _email_domain,
    "phone": _phone,
    "area_code": _area_code,
    "phone_country": _phone_country,
    "contact_tags": _tags,
    "contact_is_new": lambda _, contact: not contact.has_earlier_lead,
    "received_at": lambda lead, _: lead.received_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
}

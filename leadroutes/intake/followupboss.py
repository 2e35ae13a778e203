"""What sites send to Follow Up Boss's `/v1/events`: a person, a property and what happened.

Basic auth holds the key with an empty password.
"""

from collections.abc import Iterator
from typing import Any, Final

from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.domain.inquiry import LeadType
from leadroutes.domain.normalize import is_true, lead_type_named_by
from leadroutes.domain.places import Place
from leadroutes.domain.text import field_text
from leadroutes.intake.authentication import require_basic, secret
from leadroutes.intake.body import Body
from leadroutes.intake.decoding import has_content, items, record, scalar
from leadroutes.intake.draft import Draft
from leadroutes.intake.results import Refused, Result

LEAD_EVENTS: Final = frozenset(
    {"registration", "inquiry", "property inquiry", "seller inquiry", "general inquiry", "visited open house"},
)
"""Events that bring a lead, in small letters; all others are activity of people already known."""


def recognises(incoming: Body) -> bool:
    """JSON with a `person` and a `type`."""
    event = record(incoming.json_if_any)
    return isinstance(event.get("person"), dict) and isinstance(event.get("type"), str)


def check(incoming: Body) -> None:
    """Raises Refused for a wrong key."""
    require_basic(incoming, secret(incoming, "api_key"), None, empty_password=True)


def read(incoming: Body) -> list[Result]:
    """Returns one lead, or `not_a_lead` for activity."""
    event = incoming.json
    if not isinstance(event, dict):
        raise Refused("malformed", "The event must be a JSON object.")
    type_ = (field_text(scalar(event.get("type"))) or "").lower()
    if type_ not in LEAD_EVENTS:
        raise Refused("not_a_lead", f"Events of type {type_[:50]!r} bring no lead.")
    person, estate = record(event.get("person")), record(event.get("property"))
    home = record(next(iter(items(person.get("addresses"))), None))
    draft = Draft(
        first=scalar(person.get("firstName")),
        last=scalar(person.get("lastName")),
        full=scalar(person.get("name")),
        email=next((text for text in _values(person.get("emails")) if normal_email(text)), None),
        phone=next((text for text in _values(person.get("phones")) if normal_phone(text)), None),
        type=_kind(type_, person, estate),
        source=scalar(event.get("source")),
        default_source=incoming.default_source,
        message=scalar(event.get("message")),
        places=(_place(estate), _place(home)),
        prices=(scalar(estate.get("price")),),
        mls_id=scalar(estate.get("mlsNumber")),
        vendor_id=scalar(event.get("id")),
        times=(scalar(event.get("occurredAt")),),
    )
    return [draft.normalize()]


def _values(contacts: Any) -> Iterator[str]:
    """`[{"value": …}]`; bare texts are taken too."""
    for contact in items(contacts):
        text = scalar(contact.get("value") if isinstance(contact, dict) else contact)
        if text:
            yield text


def _kind(type_: str, person: dict[str, Any], estate: dict[str, Any]) -> LeadType | None:
    if type_ == "seller inquiry":
        return "Seller"
    if is_true(scalar(estate.get("forRent"))):
        return "Renter"
    if kind := lead_type_named_by(_tags(person.get("tags"))):
        return kind
    return "Buyer" if type_ in {"inquiry", "property inquiry"} and has_content(estate) else None


def _tags(tags: Any) -> str:
    return scalar(tags) or " ".join(text for tag in items(tags) if (text := scalar(tag)))


def _place(place: dict[str, Any]) -> Place:
    return Place(
        scalar(place.get("street")),
        scalar(place.get("city")),
        scalar(place.get("state")),
        scalar(place.get("code")),
    )

"""The names that a template of a message may use, and those of it that no one knows. Pure.

`leadroutes.sandbox.templates.NAMES_USED` finds which names a template uses.
"""

from collections.abc import Iterable, Mapping
from typing import Final

_PERSON: Final = ("first_name", "last_name", "name", "email", "phone")
_CONTACT: Final = ("first_name", "last_name", "email", "phone", "company")
_PLACE: Final = ("street_address", "city", "state", "zipcode", "price", "mls_id", "listing_status")

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "contact": _CONTACT,
    "lead": ("type", "message", "source", "created_at"),
    "property": _PLACE,
    "agent": _PERSON,
    "owner": (*_PERSON, "postal_address"),
    "campaign": ("name",),
}
"""The records, each with its fields."""

PLAIN_NAMES: Final = (*_PLACE, *_CONTACT, *(f"agent_{name}" for name in _PERSON))
"""What can also be used without its record: `first_name` is that of the contact."""

MOMENTS: Final = ("now", "today")
ENDS: Final = ("signature", "unsubscribe_link", "postal_address")


def unknown_names(used: Iterable[str]) -> list[str]:
    """Returns those of the names that a template uses which are always empty, such as `contact.nmae`, each once."""
    known = {*NAMES, *PLAIN_NAMES, *ENDS, *MOMENTS, *(f"{record}.{name}" for record in NAMES for name in NAMES[record])}
    return [name for name in dict.fromkeys(used) if name not in known]

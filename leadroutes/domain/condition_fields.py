"""What conditions of routes and of campaigns' steps may compare: fields, operators, and comparable forms.

Declarations that reading, evaluation, sentences, the page and the documentation share.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from leadroutes.domain.identity import comparable_zipcode, normal_phone
from leadroutes.domain.places import normal_state

Kind = Literal["number", "text", "tags", "truth", "moment"]
FactValue = int | bool | str | list[str]  # as it is stored with a lead; a moment in ISO 8601

CUSTOM: Final = "custom."  # begins the names of fields that the owner has added

OPERATORS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "number": (
        "equal", "different", "one of", "none of", "at least", "at most", "between", "known", "unknown",
    ),
    "text": (
        "equal", "different", "one of", "none of", "contains", "begins with", "known", "unknown",
    ),
    "tags": ("equal", "different", "one of", "none of", "known", "unknown"),
    "truth": ("equal",),
    "moment": ("within",),
}  # fmt: skip
TRUE_OF_MISSING: Final = frozenset({"different", "none of", "unknown"})
WITHOUT_VALUE: Final = frozenset({"known", "unknown"})
WITH_LIST: Final = frozenset({"one of", "none of"})


def plain(text: str) -> str:
    """Returns a text as it is compared: letter case and outer blanks do not count."""
    return text.strip().casefold()


def _any(_text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A field. `whole` makes texts comparable, `part` what is looked for in them; `fits` says what can be equal."""

    kind: Kind = "text"
    words: str  # in sentences
    negated: str = ""  # of a truth, where it is false
    whole: Callable[[str], str] = plain
    part: Callable[[str], str] = plain
    fits: Callable[[str], bool] = _any
    expected: str = "text"
    is_of_contact: bool = False  # it may need the contact as it is stored
    is_personal: bool = True  # erased with the contact


def _zipcode(text: str) -> str:
    return comparable_zipcode(text) or ""


def _without_blanks(text: str) -> str:
    return "".join(text.split()).casefold()


def _state(text: str) -> str:
    return plain(normal_state(text) or text)


def _phone(text: str) -> str:
    return normal_phone(text) or plain(text)


def _digits(text: str) -> str:
    return re.sub(r"[^0-9+]", "", text)


def _domain(text: str) -> str:
    return plain(text).removeprefix("@")


def _is_phone(text: str) -> bool:
    return normal_phone(text) is not None


def _is_area_code(text: str) -> bool:
    return re.fullmatch("[2-9][0-9]{2}", text.strip(), re.ASCII) is not None


def _is_country(text: str) -> bool:
    return re.fullmatch("[A-Za-z]{2}", text.strip(), re.ASCII) is not None


FIELDS: Final[Mapping[str, Compared]] = {
    "price": Compared(kind="number", words="price", expected="a number"),
    "zipcode": Compared(words="zipcode", whole=_zipcode, part=_without_blanks),
    "city": Compared(words="city"),
    "state": Compared(words="state", whole=_state, part=_state),
    "type": Compared(words="type", is_personal=False),
    "mls_id": Compared(words="MLS id"),
    "listing_status": Compared(words="listing status"),
    "street_address": Compared(words="street address"),
    "message": Compared(words="message"),
    "source_named": Compared(words="source named by the sender"),
    "email": Compared(words="e-mail", is_of_contact=True),
    "email_domain": Compared(words="e-mail domain", whole=_domain, part=_domain, is_of_contact=True),
    "phone": Compared(
        words="phone", whole=_phone, part=_digits, fits=_is_phone, expected="a phone number such as +13035550142",
        is_of_contact=True,
    ),
    "area_code": Compared(
        words="area code", fits=_is_area_code, expected="an area code of three digits such as 303", is_of_contact=True
    ),
    "phone_country": Compared(
        words="country of the phone", fits=_is_country, expected="a country of two letters such as US",
        is_of_contact=True,
    ),
    "contact_tags": Compared(kind="tags", words="the contact’s tags", is_of_contact=True),
    "contact_is_new": Compared(
        kind="truth", words="this is the contact’s first lead", negated="this is not the contact’s first lead",
        expected="true or false", is_of_contact=True, is_personal=False,
    ),
    "received_at": Compared(
        kind="moment", words="received", is_personal=False,
        expected='an object such as {"timezone": "America/Denver", "weekly_hours": {"monday": [["09:00", "17:00"]]}}',
    ),
}  # fmt: skip

STEP_FIELDS: Final[Mapping[str, Compared]] = {
    **FIELDS,
    "replied": Compared(
        kind="truth", words="the contact has replied", negated="the contact has not replied",
        expected="true or false", is_personal=False,
    ),
    "claimed": Compared(
        kind="truth", words="someone has the lead", negated="no one has the lead", expected="true or false",
        is_personal=False,
    ),
    "hours_since_inquiry": Compared(
        kind="number", words="hours since the inquiry", expected="a number", is_personal=False
    ),
    "has_mobile": Compared(
        kind="truth", words="the contact has a mobile phone", negated="the contact does not have a mobile phone",
        expected="true or false",
    ),
    "steps_sent": Compared(
        kind="number", words="messages sent by the campaign", expected="a number", is_personal=False
    ),
}  # fmt: skip
"""Those of a route, and what only a step of a campaign can ask."""


def field_named(name: object, among: Mapping[str, Compared] = STEP_FIELDS) -> Compared | None:
    """Returns the field of this name, or None. `custom.` is followed by the name of a field of the owner's."""
    if not isinstance(name, str):
        return None
    if name.startswith(CUSTOM) and name.removeprefix(CUSTOM).strip():
        return Compared(words=name.removeprefix(CUSTOM).strip(), is_of_contact=True)
    return among.get(name)


def key_of(name: str) -> str:
    """Returns the name under which the facts of a lead have the field: of an owner's fields the case does not count."""
    return CUSTOM + plain(name.removeprefix(CUSTOM)) if name.startswith(CUSTOM) else name


def is_personal(name: str) -> bool:
    """Returns whether what a lead has in the field of this name is about a person, and erased with the contact."""
    found = field_named(name)
    return found is not None and found.is_personal


def needs_contact(key: str) -> bool:
    """Returns whether the contact as it is stored may have this fact."""
    found = field_named(key)
    return found is not None and found.is_of_contact

"""Flat fields under names that people chose: website forms, Zapier, LionDesk's old partner API, CSV columns.

One table says which names mean what; the order in it is the order of precedence.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from leadroutes.cache import short_cache
from leadroutes.domain.normalize import lead_type_named_by
from leadroutes.domain.places import Place
from leadroutes.domain.text import field_text, one_line, without_accents
from leadroutes.intake.consents import given_consents
from leadroutes.intake.decoding import record, scalar
from leadroutes.intake.draft import NO_CONTACT, Draft
from leadroutes.intake.results import Refusal, Refused, Result

Meaning = Literal[
    "first",
    "last",
    "full",
    "email",
    "phone",
    "zipcode",
    "city",
    "state",
    "street",
    "type",
    "source",
    "message",
    "price",
    "mls_id",
    "vendor_id",
    "test",
    "time",
]

NAMES: Final[dict[Meaning, tuple[str, ...]]] = {
    "first": ("firstname", "fname", "givenname"),
    "last": ("lastname", "lname", "surname", "familyname"),
    "full": ("name", "fullname", "yourname", "contactname"),
    "email": ("email", "emailaddress", "youremail", "contactemail", "workemail", "useremail"),
    "phone": (
        *("phone", "phonenumber", "mobile", "mobilephone", "cell", "cellphone", "tel", "telephone"),
        *("yourphone", "contactphone", "workphone", "userphone"),
    ),
    "zipcode": ("zip", "zipcode", "postal", "postalcode", "postcode", "code", "propertyzip"),
    "city": ("city", "propertycity"),
    "state": ("state", "region", "stateprovince", "propertystate"),
    "street": ("address", "propertyaddress", "street", "streetaddress", "address1", "addressline1"),
    "type": ("type", "leadtype", "role", "usertype", "iam", "imlookingto", "lookingto", "interestedin"),
    "source": ("source", "leadsource", "utmsource"),
    "message": ("message", "comments", "comment", "notes", "yourmessage", "question", "questions", "inquiry"),
    "price": ("price", "listprice", "listingprice", "budget", "maxprice", "pricerange"),
    "mls_id": ("mls", "mlsid", "mlsnumber", "listingid"),
    "vendor_id": ("leadid", "submissionid", "entryid", "id"),  # the last: LOOSE_ID
    "test": ("test", "istest"),
    "time": ("receivedat", "createdat", "submittedat", "timestamp", "createdtime", "date"),
}

LOOSE_ID: Final = "id"
"""The name of an id that may as well be the form's as the inquiry's."""
LEAD_LIMIT: Final = 10_000
"""Leads of one body that are read."""

_AS_TYPED: Final = frozenset({"first", "last", "full", "message"})
"""Where `n/a` and its like are what the person wrote."""

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_KEY_LIMIT = 200


@short_cache(entries=4_096, longest=_KEY_LIMIT)
def plain_key(name: str) -> str:
    """A field's name as it is compared: `form[First-Name]` → `firstname`, `Prénom` → `prenom`; empty if too long.

    `fields[email][value]` is what was typed into `email`.
    """
    if len(name) > _KEY_LIMIT:
        return ""
    inner = [part for part in _BRACKETS.findall(name) if part.strip()]
    if _is_value_of_field(name, inner):
        inner.pop()
    named = inner[-1] if inner else name
    return "".join(character for character in without_accents(named.lower()) if character.isalnum())


def _is_value_of_field(name: str, inner: list[str]) -> bool:
    return len(inner) > 1 and inner[-1].strip().lower() == "value" and _root(name) in _FIELDS


_FIELDS: Final = frozenset({"field", "fields"})


def is_message_name(name: str) -> bool:
    """Whether a field of this name holds a message."""
    return plain_key(name) in NAMES["message"]


Fields = dict[str, list[str]]


def gather(pairs: Iterable[tuple[str, Any]]) -> Fields:
    """Non-blank texts by plain key, in order of arrival."""
    fields: Fields = {}
    for name, value in pairs:
        text = scalar(value)
        if text and not text.isspace() and (key := plain_key(name)):
            fields.setdefault(key, []).append(text)
    return fields


def pick(fields: Fields, meaning: Meaning, without: frozenset[str] = frozenset()) -> str | None:
    """The first non-blank value among the names of a meaning."""
    says_something = one_line if meaning in _AS_TYPED else field_text
    for name in NAMES[meaning]:  # plain loops: this runs for every meaning of every row of an import
        for value in fields.get(name, ()):
            if name not in without and says_something(value):
                return value
    return None


def flat_draft(
    fields: Fields,
    default_source: str | None,
    without: frozenset[str] = frozenset(),
    pairs: Iterable[tuple[str, Any]] = (),
) -> Draft:
    """Returns the draft that flat fields make; names in `without` mean nothing. `pairs`: with the names as sent."""

    def value(meaning: Meaning) -> str | None:
        return pick(fields, meaning, without)

    firm_id = pick(fields, "vendor_id", without | {LOOSE_ID})
    loose_id = value("vendor_id") if firm_id is None else None
    return Draft(
        first=value("first"),
        last=value("last"),
        full=value("full"),
        email=value("email"),
        phone=value("phone"),
        type=lead_type_named_by(value("type")),
        source=value("source"),
        default_source=default_source,
        message=value("message"),
        places=(Place(value("street"), value("city"), value("state"), value("zipcode")),),
        prices=(value("price"),),
        mls_id=value("mls_id"),
        vendor_id=firm_id or loose_id,
        is_id_loose=loose_id is not None,
        test=value("test"),
        times=(value("time"),),
        consents=given_consents((name, text) for name, inner in pairs if (text := _as_text(inner))),
    )


def _as_text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else scalar(value)


def flat_json(value: Any, default_source: str | None) -> list[Result]:
    """The leads of flat JSON: an object, or an array of them; raises Refused."""
    if not isinstance(value, dict | list):
        raise Refused("malformed", "The JSON must be an object or an array of objects.")
    leads = list(_leads(value))
    if not leads:
        raise Refused("not_a_lead", "The array is empty.")
    return [_lead(lead, default_source) for lead in leads]


def _leads(value: Any) -> Iterator[Any]:
    """An array under `lead` or `data` is several leads, as if it stood outside."""
    several = value if isinstance(value, list) else _inner_array(value)
    if several is None:
        yield value
        return
    if len(several) > LEAD_LIMIT:
        raise Refused("too_large", f"The body holds more than {LEAD_LIMIT} leads.")
    yield from several


def _inner_array(value: dict[str, Any]) -> list[Any] | None:
    arrays = (inner for name, inner in value.items() if isinstance(inner, list) and plain_key(name) in _WRAPPERS)
    return next((inner for inner in arrays if any(isinstance(item, dict) for item in inner)), None)


def _lead(value: Any, default_source: str | None) -> Result:
    if not isinstance(value, dict):
        return Refusal("malformed", "Every item of the array must be an object.")
    pairs = flat_pairs(value)
    fields = gather(pairs)
    return flat_draft(fields, default_source, pairs=pairs).normalize() if fields else NO_CONTACT


_WRAPPERS: Final = frozenset({"lead", "data"})


_OF_PERSONS: Final = frozenset(
    name for meaning in ("first", "last", "full", "email", "phone") for name in NAMES[meaning]
)


def flat_pairs(value: dict[str, Any]) -> list[tuple[str, Any]]:
    """The fields of an object; those of an object under `lead` or `data` count as if they stood outside.

    Where a person is described in there, a `name` beside it is the form's.
    """
    return _pairs_and_person(value)[0]


def _pairs_and_person(value: dict[str, Any]) -> tuple[list[tuple[str, Any]], bool]:
    """The pairs, and whether a person is described in them."""
    pairs: list[tuple[str, Any]] = []
    names: list[int] = []  # places of what may be the form's name
    is_person = is_person_inside = False
    for name, inner in value.items():
        key = plain_key(name)
        if isinstance(inner, dict) and key in _WRAPPERS:
            wrapped, is_person_here = _pairs_and_person(record(inner))
            pairs += wrapped
            is_person_inside |= is_person_here
            continue
        if key == "name":
            names.append(len(pairs))
        is_person |= key in _OF_PERSONS and _says_something(inner)
        pairs.append((name, inner))
    for place in reversed(names) if is_person_inside else ():
        del pairs[place]
    return pairs, is_person or is_person_inside


def _describes_person(name: str, value: Any) -> bool:
    return plain_key(name) in _OF_PERSONS and _says_something(value)


def _says_something(value: Any) -> bool:
    return bool(one_line(scalar(value)))


def persons_pairs(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields of a form without what describes the form and its fields: `form[id]`, `fields[0][name]`.

    `form[name]` is the form's, unless `form[...]` describes a person: then the fields only happen to hang together.
    """
    is_person = any(
        _root(name) == "form" and plain_key(name) != "name" and _describes_person(name, value) for name, value in pairs
    )
    return [(name, value) for name, value in pairs if not _describes_form(name, is_person=is_person)]


def _describes_form(name: str, *, is_person: bool) -> bool:
    root, key = _root(name), plain_key(name)
    if root in ("form", "forms"):
        return key == LOOSE_ID or (key == "name" and not is_person)
    if root in _FIELDS and not _is_value_of_field(name, _BRACKETS.findall(name[:_KEY_LIMIT])):
        return key == LOOSE_ID or (key in ("name", "type") and name.count("[") > 1)
    return False


def _root(name: str) -> str:
    """`form` of `form[First-Name]`; nothing where there are no brackets."""
    root, bracket, _ = name[:_KEY_LIMIT].partition("[")
    return root.strip().lower() if bracket else ""

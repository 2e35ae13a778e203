"""Leads in mails that people read: `Label: value` on lines.

Knows the labels and where a value ends; what the mail's own headers add is read in `mail`.
"""

import re
from typing import Final, Literal

from leadroutes.domain.normalize import lead_type_named_by, normal_mls_id
from leadroutes.domain.places import Place, joined_lines
from leadroutes.domain.text import field_text, message_text, one_line
from leadroutes.intake.draft import Draft

Label = Literal[
    "first",
    "last",
    "full",
    "email",
    "phone",
    "message",
    "address",
    "city",
    "state",
    "zipcode",
    "price",
    "mls_id",
    "type",
    "vendor_id",
    "source",
]

LABELS: Final[dict[str, Label]] = {
    "first name": "first",
    "last name": "last",
    **dict.fromkeys(("name", "full name", "contact name", "lead name", "your name"), "full"),
    **dict.fromkeys(("email", "e-mail", "email address", "e-mail address", "your email"), "email"),
    **dict.fromkeys(("phone", "phone number", "phone #", "telephone", "telephone number", "your phone"), "phone"),
    **dict.fromkeys(("mobile", "mobile phone", "mobile number", "cell", "cell phone", "cell number"), "phone"),
    **dict.fromkeys(("home phone", "work phone"), "phone"),
    **dict.fromkeys(("comment", "comments", "comment(s)", "message", "notes"), "message"),
    **dict.fromkeys(("property address", "address", "listing address"), "address"),
    "city": "city",
    "state": "state",
    **dict.fromkeys(("zip", "zip code", "postal code"), "zipcode"),
    **dict.fromkeys(("price", "list price", "listing price", "asking price"), "price"),
    **dict.fromkeys(("mls", "mls #", "mls id", "mlsid", "mlsid #", "mls number"), "mls_id"),
    **dict.fromkeys(("lead type", "i am a"), "type"),
    **dict.fromkeys(("lead id", "inquiry id", "reference"), "vendor_id"),
    **dict.fromkeys(("source", "lead source"), "source"),
}

CONTACT_LABELS: Final[frozenset[Label]] = frozenset({"first", "last", "full", "email", "phone"})

_LABEL = re.compile(r"[ \t*]*(?P<label>[A-Za-z][A-Za-z #()-]{0,20}?)[ \t*]*[:\t](?P<value>.*)")
_DIVIDER = re.compile(r"\s*(?:-{3,}|={3,}|_{3,})\s*")
_ZIPCODE_AT_END = re.compile(r"[\s,][0-9]{5}(?:-[0-9]{4})?[\s.]*$")
TEXT_LIMIT: Final = 262_144
"""Characters of a text that are looked through for labels."""
_LINE_LIMIT = 2_000
_ADDRESS_LIMIT = 10
_AS_TYPED: Final = frozenset({"first", "last", "full"})

Values = dict[Label, str]


def labelled_draft(text: str) -> Draft | None:
    """Returns the draft that a text's labels make; None if no label of a name, mail or phone is there."""
    values, seen = read_labels(text)
    if not seen & CONTACT_LABELS:
        return None
    has_property = field_text(values.get("address")) or normal_mls_id(values.get("mls_id"))
    return Draft(
        first=values.get("first"),
        last=values.get("last"),
        full=values.get("full"),
        email=values.get("email"),
        phone=values.get("phone"),
        type=lead_type_named_by(values.get("type")) or ("Buyer" if has_property else None),
        source=values.get("source"),
        message=values.get("message"),
        places=(Place(values.get("address"), values.get("city"), values.get("state"), values.get("zipcode")),),
        prices=(values.get("price"),),
        mls_id=values.get("mls_id"),
        vendor_id=values.get("vendor_id"),
    )


def read_labels(text: str) -> tuple[Values, frozenset[Label]]:
    """The first non-blank value of each kind of label, and the kinds that were there at all."""
    lines = [line.replace("\xa0", " ") for line in text[:TEXT_LIMIT].split("\n")]
    labels = [_label_of(line) for line in lines]
    values: Values = {}
    seen: set[Label] = set()
    for position, label in enumerate(labels):
        if label is None:
            continue
        seen.add(label[0])
        if label[0] not in values and (value := _value(lines, labels, position)):
            values[label[0]] = value
    return values, frozenset(seen)


LabelLine = tuple[Label, str]


def _label_of(line: str) -> LabelLine | None:
    """Kind and rest of a line that begins with a label, `*bold*` or not."""
    found = _LABEL.match(line[:_LINE_LIMIT])
    label = LABELS.get(" ".join(found["label"].lower().split())) if found else None
    if found is None or label is None:
        return None
    is_bold = line.lstrip().startswith("*")
    rest = line[found.start("value") :]
    return label, rest.strip().removeprefix("*").removesuffix("*") if is_bold else rest


def _value(lines: list[str], labels: list[LabelLine | None], position: int) -> str | None:
    label, rest = labels[position] or ("message", "")
    end = position + 1
    while end < len(lines) and labels[end] is None and not _DIVIDER.fullmatch(lines[end]):
        if label != "message" and not lines[end].strip():
            break
        end += 1
    below = lines[position + 1 : end]
    match label:
        case "message":
            return message_text("\n".join([rest, *below]))
        case "address":
            return _address([rest, *below[:_ADDRESS_LIMIT]])
    value = rest if rest.strip() else next(iter(below), "")
    return one_line(value) if label in _AS_TYPED else field_text(value)


def _address(lines: list[str]) -> str | None:
    """Returns the lines up to the one that ends with a zipcode (a house number of five digits is not a zipcode)."""
    for position, line in enumerate(lines):
        if _ZIPCODE_AT_END.search(f" {line[-40:]}" if position else line[-40:]):
            return joined_lines(lines[: position + 1])
    return joined_lines(lines)

"""The fields of a contact as forms show them, and what a form of them has sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from leadroutes.domain.identity import normal_email
from leadroutes.errors import Invalid
from leadroutes.web.page import Visit
from leadroutes.web.pages.leads import full_name
from leadroutes.web.sent import Sent

CUSTOM = "custom-"  # begins the name of an input of a custom field
CUSTOM_TYPES = {"Number": "decimal", "Dollar Amt": "decimal"}  # the keyboard of a phone
ADDRESS_TYPES = ("Home", "Mailing", "Second Home", "Investment", "Main Office", "Branch Office")
ADDRESS_FIELDS = ("type", "street_address_1", "street_address_2", "zip", "city", "state")


@dataclass(frozen=True, slots=True)
class Detail:
    """A field of a contact and the input that changes it; `most` is the number of characters that are stored."""

    name: str
    label: str
    most: int = 45
    type: str = "text"
    hint: str = ""


MAIN = (
    Detail("first_name", "First name", 255),
    Detail("last_name", "Last name", 255),
    Detail("email", "E-mail", 255, "email"),
    Detail("mobile_phone", "Mobile phone", 255, "tel"),
)
FURTHER = (
    Detail("secondary_email", "Second e-mail", 255, "email"),
    Detail("home_phone", "Phone at home", 45, "tel"),
    Detail("office_phone", "Phone at the office", 45, "tel"),
    Detail("fax", "Fax", 45, "tel"),
    Detail("company", "Company"),
    Detail("birthday", "Birthday", hint="As in 1980-05-31, so that campaigns can greet"),
    Detail("anniversary", "Anniversary"),
    Detail("spouse_name", "Name of the spouse"),
    Detail("spouse_email", "E-mail of the spouse", 45, "email"),
    Detail("spouse_phone", "Phone of the spouse", 45, "tel"),
    Detail("spouse_birthday", "Birthday of the spouse"),
)
MAILS = tuple(each.name for each in (*MAIN, *FURTHER) if each.type == "email")
CHOICES = ("assigned_user_id", "hotness_id", "source_id")
LABELS = {each.name: each.label for each in (*MAIN, *FURTHER)} | {
    "assigned_user_id": "Agent", "hotness_id": "Hotness", "source_id": "Contact source", "tags": "Tags",
}  # fmt: skip


async def options(visit: Visit) -> dict[str, list[tuple[int | None, str]]]:
    """Returns what can be chosen for each of CHOICES, as pairs of an id and a name."""
    users = await visit.api.records("/users", {"$select": ["id", "first_name", "last_name", "email"]})
    people = [(each["id"], full_name(each) or each["email"]) for each in users]
    known = {"assigned_user_id": sorted(people, key=lambda pair: pair[1].casefold())}
    for name, path in (("hotness_id", "/hotnesses"), ("source_id", "/contact-sources")):
        records = await visit.api.records(path, {"$select": ["id", "name"]})
        known[name] = [(each["id"], each["name"]) for each in records]
    return {name: [(None, "none"), *pairs] for name, pairs in known.items()}


def read_contact(sent: Sent, stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the body of the API: the fields that the form has; of the custom fields those that change.

    Raises Invalid for a new e-mail that cannot be one.
    """
    stored = stored or {}
    body: dict[str, Any] = {each.name: sent.text(each.name) for each in (*MAIN, *FURTHER) if each.name in sent}
    body |= {name: sent.id(name) for name in CHOICES if name in sent}
    wrong = [name for name in MAILS if body.get(name) not in (None, stored.get(name)) and not normal_email(body[name])]
    if wrong:
        raise Invalid.fields({name: f"{LABELS[name]}: {body[name][:60]} is not an e-mail address" for name in wrong})
    changed = [
        {"id": each["id"], "value": value}
        for each in stored.get("custom_fields", ())
        if f"{CUSTOM}{each['id']}" in sent
        and (value := sent.text(f"{CUSTOM}{each['id']}")) != ((each.get("value") or "").strip() or None)
    ]
    return body | ({"custom_fields": changed} if changed else {})


def differences(sent: Sent, now: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns what a form has sent that is not as it is stored now, as (label, now, sent)."""
    stored = {name: (label, now.get(name)) for name, label in LABELS.items() if name not in (*CHOICES, "tags")}
    stored |= {f"{CUSTOM}{each['id']}": (each["name"], each["value"]) for each in now.get("custom_fields", ())}
    return [
        (label, str(value or "–"), sent.text(name) or "–")
        for name, (label, value) in stored.items()
        if name in sent and sent.text(name) != (value or None)
    ]


def read_address(sent: Sent) -> dict[str, Any]:
    return {name: sent.text(name) for name in ADDRESS_FIELDS}


def tags_of(contact: Mapping[str, Any]) -> list[str]:
    """Returns the tags of a contact, each once, as they were written."""
    return list(dict.fromkeys(tag.strip() for tag in (contact.get("tags") or "").split(",") if tag.strip()))


def with_tag(tags: Iterable[str], tag: str) -> list[str]:
    """Returns the tags with one more; letter case makes no difference."""
    known = list(tags)
    return known if tag.casefold() in {each.casefold() for each in known} else [*known, tag]


def without_tag(tags: Iterable[str], tag: str) -> list[str]:
    return [each for each in tags if each.casefold() != tag.casefold()]

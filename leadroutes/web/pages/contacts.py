"""Contacts: the list with its search, and a new contact."""

from collections.abc import Mapping
from typing import Any

from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.errors import Invalid
from leadroutes.web.forms import require_id
from leadroutes.web.page import Done, MenuItem, Page, Visit
from leadroutes.web.pages.contact_fields import FURTHER, LABELS, MAIN, options, read_contact, tags_of
from leadroutes.web.pages.leads import full_name
from leadroutes.web.sent import Sent

PAGE = 50
LEAST_DIGITS = 7  # by which a phone is found
KEYS = (
    "id", "first_name", "last_name", "email", "mobile_phone", "home_phone", "office_phone", "company", "tags",
    "assigned_user_id", "created_at",
)  # fmt: skip
KNOWN = "There is a contact with this e-mail or phone already. Open it, or say that this is someone else"


async def load_contacts(visit: Visit) -> Mapping[str, Any]:
    found = await visit.api.records("/contacts", {**_filters(visit), "$select": KEYS}, most=PAGE + 1)
    shown = found[:PAGE]
    agents = await visit.api.by_id("/users", [each["assigned_user_id"] for each in shown], ("first_name", "last_name"))
    return {
        "contacts": [described(each) for each in shown],
        "agents": {user_id: full_name(each) for user_id, each in agents.items()},
        "last": shown[-1]["id"] if len(found) > PAGE else None,
        "asked": {name: visit.query.get(name, "") for name in ("search", "tag", "sort", "whose")},
    }


def described(contact: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the contact with a name that is never empty, the first of its phones, and its tags as a list."""
    phone = contact.get("mobile_phone") or contact.get("home_phone") or contact.get("office_phone")
    name = full_name(contact) or contact.get("company") or contact.get("email") or phone or "Someone without a name"
    return {**contact, "name": name, "phone": phone, "tag_list": tags_of(contact)}


def _filters(visit: Visit) -> dict[str, object]:
    asked = visit.query
    is_oldest = asked.get("sort") == "oldest"
    found: dict[str, object] = {"$sort[id]": 1 if is_oldest else -1}
    if search := asked.get("search", "").strip():
        found["$search"] = search[:200]
    if tag := asked.get("tag", "").strip():
        found["$tag"] = tag[:255]
    if asked.get("whose") == "mine":
        found["assigned_user_id"] = visit.viewer.owner_id
    if asked.get("after"):
        found["id[$gt]" if is_oldest else "id[$lt]"] = require_id("after", asked["after"], "the id of a contact")
    return found


CONTACTS = Page(
    path="/contacts",
    title="Contacts",
    about="all contacts that you see: found by name, company, phone, e-mail, street and tag",
    template="pages/contacts.html",
    load=load_contacts,
    place=MenuItem("Contacts", "Contacts", "contact"),
    parts=("rows",),
)

# ---------------------------------------------------------------------------------------------------- a new one


async def load_new(visit: Visit) -> Mapping[str, Any]:
    return {"main": MAIN, "further": FURTHER, "labels": LABELS, "options": await options(visit),
            "known": await _known(visit)}  # fmt: skip


async def _known(visit: Visit) -> list[dict[str, Any]]:
    """Returns contacts that have an e-mail or a phone of what was typed; a new one would be a second one.

    What is neither is not searched for, as it may be part of anyone's name.
    """
    typed = (normal_email(visit.sent.get("email")), _number(visit.sent.get("mobile_phone")))
    found: dict[int, dict[str, Any]] = {}
    for each in filter(None, typed):
        for contact in await visit.api.records("/contacts", {"$search": each[:200], "$select": KEYS}, most=3):
            found[contact["id"]] = described(contact)
    return list(found.values())


def _number(typed: str) -> str | None:
    """Returns a phone as it is searched for: whole, or at least its last seven digits; None for fewer."""
    digits = "".join(filter(str.isdecimal, typed))
    return normal_phone(typed) or (digits if len(digits) >= LEAST_DIGITS else None)


async def add_contact(visit: Visit, sent: Sent) -> Done:
    """Adds the contact, unless someone with the e-mail or phone is known and the sender has not said that it is new."""
    body = {name: value for name, value in read_contact(sent).items() if value is not None}
    if not any(body.get(each.name) for each in (*MAIN, *FURTHER)):
        raise Invalid.fields({"first_name": "A name, an e-mail or a phone is needed"})
    if not sent.is_checked("is_new") and await _known(visit):
        raise Invalid.fields({"is_new": KNOWN})
    if tags := sent.text("tags"):
        body["tags"] = tags
    contact = await visit.api.post("/contacts", body)
    return Done(f"/contacts/{contact['id']}", "The contact is stored.")


NEW_CONTACT = Page(
    path="/contacts/new",
    title="A new contact",
    about="enter a contact; whoever has the same e-mail or phone is shown first, so that no one is stored twice",
    template="pages/contact_new.html",
    load=load_new,
    acts={"add": add_contact},
    below="/contacts",
)

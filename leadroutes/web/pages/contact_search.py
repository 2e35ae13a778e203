"""Finds contacts by what someone types: a name, an e-mail, a phone number. The API decides who may see them."""

from typing import Any

from leadroutes.domain.search import LONGEST_SEARCH
from leadroutes.errors import Invalid
from leadroutes.web.page import Visit

SHOWN = ("first_name", "last_name", "email", "mobile_phone", "owner_user_id")


async def find_contacts(visit: Visit, typed: str, *, most: int) -> list[dict[str, Any]]:
    """Returns contacts that the viewer sees, {id, owner_user_id, first_name, last_name, email, mobile_phone}."""
    words = " ".join(typed.split())
    if not words:
        return []
    if len(words) > LONGEST_SEARCH:
        raise Invalid.fields({"with": f"Search for {LONGEST_SEARCH} characters at most."})
    return await visit.api.records("/contacts", {"$search": words, "$select": SHOWN}, most=most)


def name_of(contact: dict[str, Any]) -> str:
    """Returns what a person is called on a page."""
    names = [contact.get("first_name"), contact.get("last_name")]
    full = " ".join(name.strip() for name in names if name and name.strip())
    return full or contact.get("email") or contact.get("mobile_phone") or "Someone without a name"

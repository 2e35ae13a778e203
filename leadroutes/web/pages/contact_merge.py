"""Merging a contact with another one: the search for the other, and what the remaining one would have afterwards."""

from collections.abc import Mapping
from typing import Any

from leadroutes.domain.merging import MERGED, merged_fields
from leadroutes.web.forms import read_id
from leadroutes.web.page import Visit
from leadroutes.web.pages.contact_fields import LABELS
from leadroutes.web.pages.contacts import KEYS, described

MOST_FOUND = 10


async def load_merge(visit: Visit, contact: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the part about merging shows: contacts that were found, or the other one with what wins."""
    typed = visit.query.get("merge", "").strip()
    found = await _find(visit, contact, typed) if typed else None
    return {"merge_words": typed, "merge_found": found, **await _compared(visit, contact)}


async def _find(visit: Visit, contact: Mapping[str, Any], typed: str) -> list[dict[str, Any]]:
    query = {"$search": typed[:200], "owner_user_id": contact["owner_user_id"], "$sort[id]": -1, "$select": KEYS}
    records = await visit.api.records("/contacts", query, most=MOST_FOUND + 1)
    return [described(each) for each in records if each["id"] != contact["id"]][:MOST_FOUND]


async def _compared(visit: Visit, contact: Mapping[str, Any]) -> dict[str, Any]:
    other_id = read_id(visit.query.get("with") or visit.sent.get("contact_id"))
    other = await visit.api.find(f"/contacts/{other_id}") if other_id is not None else None
    if other is None or other["id"] == contact["id"] or other["owner_user_id"] != contact["owner_user_id"]:
        return {"other": None}
    return {"other": described(other), "wins": what_wins(contact, other)}


def what_wins(contact: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any, Any]]:
    """Returns (field in words, of the one that remains, of the other one, afterwards) where either has something."""
    target = {name: contact.get(name) for name in MERGED}
    source = {name: other.get(name) for name in MERGED}
    after = {**target, **merged_fields(target, source)}
    return [
        (LABELS.get(name, name.replace("_", " ")), target[name], source[name], after[name])
        for name in MERGED
        if not name.endswith("_id") and (target[name] or source[name])
    ]

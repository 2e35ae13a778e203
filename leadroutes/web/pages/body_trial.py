"""Trying out what a lead source sends: a user pastes a body and sees what would be read and where it would go.

Nothing of it is stored.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from leadroutes.errors import Invalid
from leadroutes.ingest.dry_run import dry_run_body
from leadroutes.store import statement
from leadroutes.web.page import Page, Revealed, Visit, owners
from leadroutes.web.pages.routing_words import routes_of_source, why_route
from leadroutes.web.sent import Sent

LARGEST = 524_288  # bytes of a form; letters that are escaped take three
KINDS = {
    "": "whatever it looks like",
    "application/json": "JSON",
    "application/x-www-form-urlencoded": "a form",
    "text/xml": "XML",
    "message/rfc822": "a mail",
}


async def load_keys(visit: Visit) -> Mapping[str, Any]:
    keys = await visit.database.fetch(*statement("list_own_intake_keys").bind(owner_id=visit.viewer.owner_id))
    choices = [(key["id"], _key_name(key)) for key in keys]
    return {"choices": choices, "kinds": KINDS}


async def try_body(visit: Visit, sent: Sent) -> Revealed:
    """Returns what would be read in the body, and who would be notified."""
    kind = sent.get("kind")
    if kind not in KINDS:
        raise Invalid.fields({"kind": f"kind: {kind[:40]!r} was given; expected one that the page offers"})
    key_id = sent.id("key")
    if key_id is None:
        raise Invalid.fields({"key": "key: expected one of your intake keys"})
    headers = {"Content-Type": kind} if kind else {}
    body = sent.get("body").encode("utf-8", "replace")
    result = await dry_run_body(visit.database, visit.viewer.owner_id, key_id, body, headers)
    names = await visit.database.fetch(*statement("find_display_names").bind(user_ids=sorted(_members(result))))
    read = msgspec.json.format(msgspec.json.encode(result["read"]), indent=2).decode()
    shown = {"result": result, "read": read, "names": {row["id"]: row["name"] for row in names}, "sent": sent}
    shown |= {"routes_of_source": routes_of_source, "why_route": why_route}
    return Revealed(shown)


def _key_name(key: Any) -> str:
    return f"{key['lead_source']}{', ' + key['format'] if key['format'] else ''} ({key['id']})"


def _members(result: Mapping[str, Any]) -> set[int]:
    """Whom the answer names."""
    routings = [lead["routing"] for lead in result["leads"] if lead["routing"]]
    return {member["user_id"] for routing in routings for member in routing["members"]}


BODY_TRIAL = Page(
    path="/sources/try",
    title="Try a body out",
    about="paste what a lead source sends: what would be read, and who would be notified when; nothing of it is stored",
    template="pages/body_trial.html",
    load=load_keys,
    acts={"try": try_body},
    may=owners,
    below="/sources",
)

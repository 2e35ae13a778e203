"""The page of one contact: who it is, what was said and sent, what may be sent, and what can be done."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from leadroutes.errors import NotFound
from leadroutes.store.outbox import list_campaigns_of_contact
from leadroutes.web.page import Page, Visit
from leadroutes.web.pages import contact_acts as acts
from leadroutes.web.pages.contact_fields import ADDRESS_TYPES, CUSTOM, CUSTOM_TYPES, FURTHER, LABELS, MAIN, options
from leadroutes.web.pages.contact_merge import load_merge
from leadroutes.web.pages.contacts import described
from leadroutes.web.pages.lead import (
    due_calls,
    finish_call,
    finish_task,
    load_stopped,
    now_local,
    open_tasks,
    resume,
    stop,
)
from leadroutes.web.pages.leads import LEAD_KEYS, TAG_KINDS, TASK_KINDS, full_name
from leadroutes.web.pages.suppression_words import CHANNELS, REASONS, WISHES
from leadroutes.web.rendering import phone
from leadroutes.web.timeline import in_words

MOST_LEADS = 50


async def load_contact(visit: Visit) -> Mapping[str, Any]:
    contact = await _contact(visit)
    is_own = contact["owner_user_id"] == visit.viewer.owner_id
    timeline = await visit.api.get(f"/contacts/{visit.id}/timeline", _before(visit))
    leads = await visit.api.records(
        "/leads", {"contact_id": visit.id, "$sort[id]": -1, "$select": LEAD_KEYS}, most=MOST_LEADS
    )
    suppressions = await _suppressions(visit, contact)
    consents = await visit.api.records("/consents", {"contact_id": visit.id, "$sort[id]": -1}, most=50)
    people = await _people(visit, contact, timeline["data"], leads, suppressions, consents)
    campaigns = await visit.api.records("/campaigns", {"$select": ["id", "name"], "$sort[name]": 1})
    running = await list_campaigns_of_contact(visit.database, contact["owner_user_id"], visit.id)
    taken = {run["campaign_id"] for run in running}
    return {
        "contact": contact,
        "shown": described(contact),
        "main": MAIN,
        "further": FURTHER,
        "labels": LABELS,
        "custom": CUSTOM,
        "custom_types": CUSTOM_TYPES,
        "options": await options(visit),
        "address_types": [("", "other"), *((each, each) for each in ADDRESS_TYPES)],
        "is_own": is_own,
        "leads": leads,
        "tag_kinds": TAG_KINDS,
        "timeline": in_words(timeline["data"], people, visit.viewer.user.id),
        "next": timeline["next"],
        "tasks": await open_tasks(visit, visit.id),
        "calls": await due_calls(visit, visit.id),
        "task_kinds": TASK_KINDS,
        "now_local": now_local(visit),
        "people": people,
        "running": running,
        "campaigns": [(each["id"], each["name"]) for each in campaigns if each["id"] not in taken],
        **await load_stopped(visit, contact),
        "consents": consents,
        "channels": CHANNELS,
        "suppressions": suppressions,
        "reasons": REASONS,
        "wishes": WISHES,
        "addresses_to_suppress": [_to_suppress(*each) for each in acts.addresses_of(contact)],
        **await load_merge(visit, contact),
    }


def _to_suppress(channel: str, value: str) -> tuple[str, str]:
    """Returns an address as a form sends it, and in words: `Texts to (303) 555-0142`."""
    return f"{channel} {value}", f"{CHANNELS[channel].capitalize()} to {value if channel == 'email' else phone(value)}"


async def _contact(visit: Visit) -> dict[str, Any]:
    try:
        contact: dict[str, Any] = await visit.api.get(f"/contacts/{visit.id}")
    except NotFound as missing:
        into = missing.data.get("merged_into") if isinstance(missing.data, dict) else None
        if into is None:
            raise
        raise NotFound(f"This contact has been merged into another one, which is number {into}.") from None
    return contact


def _before(visit: Visit) -> dict[str, object] | None:
    before = visit.query.get("before")
    return {"$before": before} if before else None


async def _suppressions(visit: Visit, contact: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the suppressions of all addresses of the contact that the viewer sees."""
    values = sorted({value for _, value in acts.addresses_of(contact)})
    if not values:
        return []
    query: dict[str, object] = {"value[$in]": values, "owner_user_id": contact["owner_user_id"], "$sort[id]": 1}
    return await visit.api.records("/suppressions", query, most=50)


async def _people(visit: Visit, contact: Mapping[str, Any], *groups: list[dict[str, Any]]) -> dict[int, str]:
    """Returns the names of all users that the page mentions, as far as the viewer sees them."""
    ids = {contact["assigned_user_id"], contact["owner_user_id"]}
    names = ("user_id", "by_user_id", "claimed_by_user_id")
    ids |= {each.get(name) for group in groups for each in group for name in names}
    found = await visit.api.by_id("/users", ids, ("first_name", "last_name", "email"))
    return {user_id: full_name(each) or each["email"] for user_id, each in found.items()}


async def download_contact(visit: Visit) -> Response:
    """Everything that is stored about the contact, as a file."""
    whole = await visit.api.get(f"/contacts/{visit.id}/export")
    content = msgspec.json.format(msgspec.json.encode(whole), indent=2)
    headers = {
        "content-disposition": f'attachment; filename="contact-{visit.id}.json"',
        "cache-control": "no-store",
    }
    return Response(content, headers=headers, media_type="application/json")


CONTACT = Page(
    path="/contacts/{id}",
    title="Contact",
    about="a contact: all fields, addresses and tags to change; leads, tasks, notes and everything that has happened;"
    " whether campaigns may write and why not, and what the person agreed to; the campaigns that run, to stop them, let"
    " them go on or start another, and why something was not sent; to merge, export"
    " and erase it",
    template="pages/contact.html",
    load=load_contact,
    acts={
        "edit": acts.edit, "tag": acts.add_tag, "untag": acts.remove_tag, "address": acts.add_address,
        "change_address": acts.change_address, "remove_address": acts.remove_address, "note": acts.note,
        "talked": acts.talked, "task": acts.add_task, "finish": finish_task, "call_done": finish_call,
        "start": acts.start, "stop": stop,
        "resume": resume, "agree": acts.agree,
        "suppress": acts.suppress, "lift": acts.lift, "merge": acts.merge, "erase": acts.erase,
    },
    below="/contacts",
    parts=("entries",),
    download=download_contact,
)  # fmt: skip

"""The page of one lead: the person, the inquiry, what has happened, what will be sent, and what can be done."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.junk import REASONS
from leadroutes.domain.moments import wall_clock
from leadroutes.errors import Forbidden, Invalid
from leadroutes.store.outbox import list_stopped_campaigns
from leadroutes.web.inquiry_words import words_of_inquiry
from leadroutes.web.page import Done, Inverse, Page, Visit
from leadroutes.web.pages.campaign_steps import KINDS
from leadroutes.web.pages.leads import (
    CONTACT_KEYS,
    TAG_KINDS,
    TASK_KINDS,
    colleagues,
    full_name,
    mark_call_done,
    mark_task,
)
from leadroutes.web.pages.routing_words import routes_of_source, why_route
from leadroutes.web.sent import Sent
from leadroutes.web.timeline import in_words

CONTACT_DETAILS = (
    *CONTACT_KEYS, "company", "street_address_1", "city", "state", "zip", "tags", "assigned_user_id", "owner_user_id",
)  # fmt: skip
JUNK_REASONS = [("", "Choose"), *((each, each.capitalize()) for each in REASONS)]
MOST_WORDS = 10_000  # characters of the inquiry
MOST_NOT_SENT = 5  # messages that were not sent
MOST_ROUTES = 50  # that are explained
LOCAL = "%Y-%m-%dT%H:%M"  # of an input for a date and a time


async def load_lead(visit: Visit) -> Mapping[str, Any]:
    lead = await visit.api.get(f"/leads/{visit.id}")
    contact = await visit.api.find(f"/contacts/{lead['contact_id']}")
    if visit.part == "now":
        now = await _load_now(visit, lead, contact)
        others = set() if now["is_mine"] else {lead["claimed_by_user_id"]}  # whose names this part says
        return now | {"people": await _people(visit, others)}
    found = await _timeline(visit) if _sees_all(visit, lead, contact) else {"data": [], "next": None}
    if visit.part == "entries":
        return _entries(visit, found, await _people(visit, _ids_of_entries(found)))
    now, rest = await _load_now(visit, lead, contact), await _load_rest(visit, lead, contact)
    members = {member["user_id"] for member in rest["routing"]["members"]}
    people = await _people(visit, _ids_of(lead) | _ids_of_entries(found) | members)
    return now | rest | _entries(visit, found, people) | {"people": people}


def _sees_all(visit: Visit, lead: Mapping[str, Any], contact: Mapping[str, Any] | None) -> bool:
    return visit.viewer.owner_id in (lead["owner_user_id"], lead["claimed_by_user_id"]) or contact is not None


async def _load_now(visit: Visit, lead: dict[str, Any], contact: dict[str, Any] | None) -> dict[str, Any]:
    """Returns who it is about, who has it, and what can be done at once: the live part."""
    is_own = lead["owner_user_id"] == visit.viewer.owner_id
    has_it = lead["claimed_by_user_id"] == visit.viewer.owner_id
    asked = {"lead_id": visit.id, "state": "asked"}
    return {
        "lead": lead,
        "contact": contact,
        "name": full_name(contact or {}) or "A lead" + (f" in {lead['city']}" if lead["city"] else ""),
        "source": await visit.api.find(f"/lead-sources/{lead['source_id']}") if lead["source_id"] else None,
        "is_own": is_own,
        "has_it": has_it,
        "is_mine": has_it and visit.viewer.is_oneself,
        "sees_all": _sees_all(visit, lead, contact),
        "offer": await _open_offer(visit) if contact is None and not has_it else None,  # else there is more to see
        # Only who has a lead asks to pass it on.
        "handovers": await visit.api.records("/handovers", asked) if lead["claimed_by_user_id"] else [],
        "tag_kinds": TAG_KINDS,
    }


def _entries(visit: Visit, found: Mapping[str, Any], people: Mapping[int, str]) -> dict[str, Any]:
    return {"timeline": in_words(found["data"], people, visit.viewer.user.id), "next": found["next"]}


async def _load_rest(visit: Visit, lead: dict[str, Any], contact: dict[str, Any] | None) -> dict[str, Any]:
    """Returns what the whole page shows beside that and what has happened."""
    is_concerned = visit.viewer.owner_id in (lead["owner_user_id"], lead["claimed_by_user_id"])
    to_come = await visit.api.get(f"/contacts/{contact['id']}/upcoming") if contact else []
    routing = await visit.api.get(f"/leads/{visit.id}/routing")
    routes = routes_of_source(routing["routes"])
    return {
        "words": await words_of_inquiry(lead["text_body"], lead["html_body"], lead["owner_user_id"], most=MOST_WORDS),
        "upcoming": [each for each in to_come if each["asked_user_id"] is None],
        "tasks": await open_tasks(visit, contact["id"]) if contact else [],
        "calls": await due_calls(visit, contact["id"]) if contact else [],
        **await load_stopped(visit, contact),
        "routing": routing,
        "routes": routes[:MOST_ROUTES],
        "other_routes": len(routing["routes"]) - len(routes[:MOST_ROUTES]),
        "routes_by_id": await visit.api.by_id("/lead-routes", [each["id"] for each in routes[:MOST_ROUTES]], ("name",)),
        "most_routes": MOST_ROUTES,
        "why_route": why_route,
        "colleagues": await _others(visit, lead) if is_concerned else [],
        "task_kinds": TASK_KINDS,
        "junk_reasons": JUNK_REASONS,
        "now_local": now_local(visit),
    }


async def _timeline(visit: Visit) -> dict[str, Any]:
    before = visit.query.get("before")
    page: dict[str, Any] = await visit.api.get(f"/leads/{visit.id}/timeline", {"$before": before} if before else None)
    return page


async def open_tasks(visit: Visit, contact_id: int) -> list[dict[str, Any]]:
    query = {"contact_id": contact_id, "status": "incomplete", "$sort[due_at]": 1}
    return await visit.api.records("/tasks", query, most=50)


async def due_calls(visit: Visit, contact_id: int) -> list[dict[str, Any]]:
    """Returns the calls that campaigns have asked for and that no one has made yet."""
    query = {"contact_id": contact_id, "is_active": True, "asked_user_id[$gt]": 0, "$sort[send_at]": 1}
    return await visit.api.records("/contact-communications", query, most=50)


async def _open_offer(visit: Visit) -> dict[str, Any] | None:
    query = {"lead_id": visit.id, "state": "notified"}
    found = await visit.api.records("/lead-offers", query, most=1)
    return found[0] if found else None


def _ids_of(lead: Mapping[str, Any]) -> set[int | None]:
    return {lead["claimed_by_user_id"], lead["owner_user_id"]}


def _ids_of_entries(found: Mapping[str, Any]) -> set[int | None]:
    return {each[name] for each in found["data"] for name in ("user_id", "by_user_id")}


async def _people(visit: Visit, ids: Iterable[int | None]) -> dict[int, str]:
    """Returns the names of users that the page mentions, as far as the viewer sees them."""
    found = await visit.api.by_id("/users", ids, ("first_name", "last_name", "email"))
    return {user_id: full_name(each) or each["email"] for user_id, each in found.items()}


async def _others(visit: Visit, lead: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Returns to whom the lead can be given: everyone but whoever has it."""
    return [(user_id, name) for user_id, name in await colleagues(visit) if user_id != lead["claimed_by_user_id"]]


def now_local(visit: Visit) -> str:
    """Returns the present moment as an input for a date and a time has it."""
    return wall_clock(visit.now, _zone(visit)).strftime(LOCAL)


def _zone(visit: Visit) -> ZoneInfo:
    return zone_named(visit.viewer.timezone)


# ------------------------------------------------------------------------------------------------------ what is done


async def claim(visit: Visit, _sent: Sent) -> Done:
    await visit.api.post(f"/leads/{visit.id}/claim")
    return Done("", "Yours. Answer at once: whoever calls within five minutes gets the client.")


async def note(visit: Visit, sent: Sent) -> Done:
    return await store_note(visit, sent, await _contact_id(visit))


async def talked(visit: Visit, sent: Sent) -> Done:
    return await store_conversation(visit, sent, await _contact_id(visit))


async def add_task(visit: Visit, sent: Sent) -> Done:
    return await store_task(visit, sent, await _contact_id(visit))


async def store_note(visit: Visit, sent: Sent, contact_id: int) -> Done:
    text = _text(sent, "description", "Write the note first")
    await visit.api.post("/events", {"contact_id": contact_id, "type": "note", "description": text})
    return Done("", "The note is stored.")


async def store_conversation(visit: Visit, sent: Sent, contact_id: int) -> Done:
    words = {"note": text} if (text := sent.text("note")) else {}
    await visit.api.post(f"/contacts/{contact_id}/conversation", words)
    return Done("", "It is noted that you have talked.")


async def store_task(visit: Visit, sent: Sent, contact_id: int) -> Done:
    due = _moment(visit, sent, "due_at")
    task = {
        "contact_id": contact_id,
        "action_type": sent.get("action_type"),
        "description": _text(sent, "description", "Say what is to be done"),
        "assigned_user_id": visit.viewer.owner_id,
        "status": "incomplete",
    }
    await visit.api.post("/tasks", task | ({"due_at": due} if due else {}))
    return Done("", "The task is stored.")


async def finish_task(visit: Visit, sent: Sent) -> Done:
    return await mark_task(visit, sent.id("task_id"), "complete", "")


async def finish_call(visit: Visit, sent: Sent) -> Done:
    return await mark_call_done(visit, sent.id("call_id"), "")


async def stop(visit: Visit, sent: Sent) -> Done:
    """Stop a campaign for this contact; it can go on where it was."""
    campaign_id, run_id = sent.id("campaign_id"), sent.id("run_id")
    await visit.api.delete(f"/campaigns/{campaign_id}/contacts/{run_id}")
    undo = Inverse("POST", f"/campaigns/{campaign_id}/contacts/{run_id}/resumption")
    return Done("", "The campaign is stopped for this contact.", undo)


async def resume(visit: Visit, sent: Sent) -> Done:
    """Let a campaign go on where it was."""
    campaign_id, run_id = sent.id("campaign_id"), sent.id("run_id")
    path = f"/campaigns/{campaign_id}/contacts/{run_id}"
    await visit.api.post(f"{path}/resumption")
    return Done("", "The campaign goes on where it was, by as much later as it stood still.", Inverse("DELETE", path))


async def load_stopped(visit: Visit, contact: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns the campaigns that were stopped for a contact, and the last messages that were not sent, and why."""
    if contact is None:
        return {"stopped": [], "not_sent": [], "kind_of": kind_of}
    query = {"contact_id": contact["id"], "is_active": False, "$sort[completed_at]": -1}
    steps = await visit.api.records("/contact-communications", query, most=MOST_NOT_SENT * 4)
    return {
        "stopped": await list_stopped_campaigns(visit.database, contact["owner_user_id"], contact["id"]),
        "not_sent": [each for each in steps if each["reason"]][:MOST_NOT_SENT],
        "kind_of": kind_of,
    }


def kind_of(step_type: str) -> str:
    """Returns what a step is, in words: `E-mail to the contact`."""
    return KINDS[step_type][0] if step_type in KINDS else step_type


async def assign(visit: Visit, sent: Sent) -> Done:
    await visit.api.post(f"/leads/{visit.id}/assignment", {"user_id": _chosen(sent)})
    return Done("", "The lead is assigned.")


async def route(visit: Visit, _sent: Sent) -> Done:
    await visit.api.post(f"/leads/{visit.id}/offers")
    return Done("", "The lead is routed.")


async def give_back(visit: Visit, sent: Sent) -> Done:
    await visit.api.post(f"/leads/{visit.id}/give-back", {"note": text} if (text := sent.text("note")) else {})
    return Done("/leads" if not visit.viewer.has_account else "", "The lead is offered again to the others.")


async def mark_junk(visit: Visit, sent: Sent) -> Done:
    body = {name: sent.text(name) for name in ("reason", "note") if sent.text(name)}
    if "reason" not in body:
        raise Invalid.fields({"reason": "Choose why it is junk"})
    await visit.api.post(f"/leads/{visit.id}/junk", body)
    undo = Inverse("DELETE", f"/leads/{visit.id}/junk")
    return Done("", "The lead is junk. No one is asked any more, and its campaign has stopped.", undo)


async def undo_junk(visit: Visit, _sent: Sent) -> Done:
    await visit.api.delete(f"/leads/{visit.id}/junk")
    return Done("", "The lead is not junk. Offers and steps of the campaign do not come back.")


async def close(visit: Visit, sent: Sent) -> Done:
    """Close the lead, or open it again; either can be taken back."""
    is_closed = sent.get("is_closed") == "yes"
    path = f"/leads/{visit.id}"
    await visit.api.patch(path, {"is_closed": is_closed})
    undo = Inverse("PATCH", path, {"is_closed": not is_closed}, {"is_closed": str(is_closed).lower()})
    return Done("", "The lead is closed." if is_closed else "The lead is open again.", undo)


async def hand_over(visit: Visit, sent: Sent) -> Done:
    words = {"note": text} if (text := sent.text("note")) else {}
    made = await visit.api.post(f"/leads/{visit.id}/handover", {"user_id": _chosen(sent), **words})
    if made["state"] == "asked":
        return Done("", "The owner is asked.", Inverse("DELETE", f"/handovers/{made['id']}"))
    return Done("/leads", "The lead is passed on.")


async def answer_handover(visit: Visit, sent: Sent) -> Done:
    is_accepted = sent.get("answer") == "accept"
    await visit.api.post(f"/handovers/{sent.id('handover_id')}/answer", {"is_accepted": is_accepted})
    return Done("", "The lead is passed on." if is_accepted else "The lead stays where it is.")


async def _contact_id(visit: Visit) -> int:
    lead = await visit.api.get(f"/leads/{visit.id}", {"$select": "contact_id"})
    contact_id: int = lead["contact_id"]
    if await visit.api.find(f"/contacts/{contact_id}", {"$select": "id"}) is None:
        raise Forbidden("Only whoever has the lead, or its owner, can do that.")
    return contact_id


def _text(sent: Sent, name: str, missing: str) -> str:
    text = sent.text(name)
    if text is None:
        raise Invalid.fields({name: missing})
    return text


def _chosen(sent: Sent) -> int:
    user_id = sent.id("user_id")
    if user_id is None:
        raise Invalid.fields({"user_id": "Choose who gets the lead"})
    return user_id


def _moment(visit: Visit, sent: Sent, name: str) -> str | None:
    """Returns the moment that was chosen by the clock of the viewer's zone."""
    text = sent.text(name)
    if text is None:
        return None
    try:
        return datetime.strptime(text[:16], LOCAL).replace(tzinfo=_zone(visit)).isoformat()
    except ValueError:
        raise Invalid.fields({name: f"{name}: {text[:40]!r} was given; expected a date and a time"}) from None


LEAD = Page(
    path="/leads/{id}",
    title="Lead",
    about="a lead: the person with buttons to call, text and write; the inquiry; everything that has happened; tasks,"
    " notes, what campaigns will send, to stop them and let them go on, and why something was not sent; why it went"
    " where it went; to give it back, pass it on, assign it or route it, to close it, or to say that it is junk",
    template="pages/lead.html",
    load=load_lead,
    acts={
        "claim": claim, "note": note, "talked": talked, "task": add_task, "finish": finish_task,
        "call_done": finish_call, "stop": stop, "resume": resume,
        "assign": assign, "route": route, "give_back": give_back, "hand_over": hand_over, "handover": answer_handover,
        "junk": mark_junk, "undo_junk": undo_junk, "close": close,
    },
    below="/leads",
    parts=("now", "entries"),
    listens=("user", "account"),
)  # fmt: skip

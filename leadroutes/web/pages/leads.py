"""Leads: the list with its search and filters, a lead by hand, and the tasks of a user."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from leadroutes.errors import Invalid
from leadroutes.web.forms import require_id
from leadroutes.web.page import Done, Inverse, MenuItem, Page, Visit
from leadroutes.web.sent import Sent

PAGE = 50
STATES = {
    "on offer": "on offer", "claimed": "claimed", "unclaimed": "unclaimed", "held": "held", "imported": "imported",
    "junk": "junk", "closed": "closed",
}  # fmt: skip
MARKS: Mapping[str, dict[str, object]] = {  # which are not states
    "junk": {"junk_reason[$ne]": "null"}, "closed": {"is_closed": "true"},
}  # fmt: skip
AGES = {"1": "24 hours", "7": "7 days", "30": "30 days", "90": "90 days"}
TAG_KINDS = {"claimed": "good", "unclaimed": "warn", "held": "warn", "on offer": "warn"}
CONTACT_KEYS = ("first_name", "last_name", "email", "mobile_phone", "home_phone", "office_phone")
LEAD_KEYS = (
    "id", "contact_id", "source_id", "claimed_by_user_id", "claimed_at", "city", "type", "listing_price", "created_at",
    "lead_state", "is_test", "is_closed", "junk_reason",
)  # fmt: skip


async def load_leads(visit: Visit) -> Mapping[str, Any]:
    sources = await visit.api.records("/lead-sources", {"$sort[name]": 1})
    leads = await visit.api.records("/leads", {**_filters(visit), "$select": LEAD_KEYS}, most=PAGE + 1)
    shown = leads[:PAGE]
    contacts = await visit.api.by_id("/contacts", [lead["contact_id"] for lead in shown], CONTACT_KEYS)
    users = await visit.api.by_id("/users", [lead["claimed_by_user_id"] for lead in shown], ("first_name", "last_name"))
    return {
        "leads": [described(lead, contacts, users) for lead in shown],
        "last": shown[-1]["id"] if len(leads) > PAGE else None,
        "sources": [(each["id"], each["name"]) for each in sources],
        "source_names": {each["id"]: each["name"] for each in sources},
        "states": STATES,
        "ages": AGES,
        "tag_kinds": TAG_KINDS,
        "asked": {
            name: visit.query.get(name, "") for name in ("search", "source", "state", "age", "tag", "whose", "sort")
        },
    }


def described(
    lead: dict[str, Any], contacts: Mapping[int, dict[str, Any]], users: Mapping[int, dict[str, Any]]
) -> dict[str, Any]:
    """Returns the lead with what its reader sees of the person, and the name of whoever has it."""
    contact = contacts.get(lead["contact_id"], {})
    phone = contact.get("mobile_phone") or contact.get("home_phone") or contact.get("office_phone")
    return {
        **lead,
        "name": full_name(contact),
        "email": contact.get("email"),
        "phone": phone,
        "claimed_by": full_name(users.get(lead["claimed_by_user_id"], {})),
    }


async def colleagues(visit: Visit) -> list[tuple[int, str]]:
    """Returns to whom a lead can be given, with their names: those whom the viewer sees."""
    keys = ["id", "first_name", "last_name", "email"]
    users = await visit.api.records("/users", {"$sort[first_name]": 1, "$select": keys})
    return [(each["id"], full_name(each) or each["email"]) for each in users]


def full_name(person: Mapping[str, Any]) -> str:
    return " ".join(part for part in (person.get("first_name"), person.get("last_name")) if part)


def _filters(visit: Visit) -> dict[str, object]:
    """Returns the query of the API for what the page was asked for. Raises Invalid for what it does not offer."""
    asked = visit.query
    is_oldest = asked.get("sort") == "oldest"
    found: dict[str, object] = {"$sort[id]": 1 if is_oldest else -1}
    if search := asked.get("search", "").strip():
        found["$search"] = search[:200]
    if tag := asked.get("tag", "").strip():
        found["$tag"] = tag
    if asked.get("source"):
        found["source_id"] = require_id("source", asked["source"])
    if state := asked.get("state"):
        found |= of_state(state)
    if age := asked.get("age"):
        if age not in AGES:
            raise Invalid(f"age: {age[:40]!r} was given; expected one of {', '.join(AGES)}.")
        found["created_at[$gte]"] = (visit.now - timedelta(days=int(age))).isoformat()
    if is_mine(visit):
        found["claimed_by_user_id"] = visit.viewer.owner_id
    if asked.get("after"):
        found["id[$gt]" if is_oldest else "id[$lt]"] = require_id("after", asked["after"])
    return found


def of_state(state: str) -> dict[str, object]:
    """Returns the query of the API for leads of one of STATES. Raises Invalid for any other."""
    if state not in STATES:
        raise Invalid(f"state: {state[:40]!r} was given; expected one of {', '.join(STATES)}.")
    return MARKS.get(state, {"lead_state": state})


def is_mine(visit: Visit) -> bool:
    """Whether the list shows only what the viewer has; whoever runs no account begins with that."""
    return visit.query.get("whose", "" if visit.viewer.has_account else "mine") == "mine"


LEADS = Page(
    path="/leads",
    title="Leads",
    about="all leads that you see: found by name, phone, e-mail or street, and by source, state, tag and age",
    template="pages/leads.html",
    load=load_leads,
    place=MenuItem("My leads", "Leads", "users", on_phone=True),
    parts=("rows",),
)

# ------------------------------------------------------------------------------------------------- a lead by hand


async def load_new(visit: Visit) -> Mapping[str, Any]:
    sources = await visit.api.records("/lead-sources", {"$sort[name]": 1})
    return {"sources": [(each["id"], each["name"]) for each in sources]}


async def add_lead(visit: Visit, sent: Sent) -> Done:
    contact = {
        name: sent.text(name) for name in ("first_name", "last_name", "email", "mobile_phone") if sent.text(name)
    }
    if not contact:
        raise Invalid.fields({"first_name": "A name, an e-mail or a phone is needed"})
    source_id = sent.id("source_id")
    if source_id is None:
        raise Invalid.fields({"source_id": "Choose where the lead comes from: its routes decide who is asked"})
    fields = ("type", "text_body", "street_address", "city", "state", "zipcode", "listing_price")
    body: dict[str, object] = {name: sent.text(name) for name in fields if sent.text(name)}
    body |= {"contact": contact, "source_id": source_id, "distribute": not sent.is_checked("hold")}
    lead = await visit.api.post("/leads", body)
    return Done(f"/leads/{lead['id']}", "The lead is stored." if sent.is_checked("hold") else "The lead is routed.")


NEW_LEAD = Page(
    path="/leads/new",
    title="A lead by hand",
    about="enter a lead that came by phone or at the door; it is routed like any other, or held",
    template="pages/lead_new.html",
    load=load_new,
    acts={"add": add_lead},
    below="/leads",
)

# --------------------------------------------------------------------------------------------------------- tasks

TASK_KINDS = (
    ("Call Contact", "Call"),
    ("Text Contact", "Text"),
    ("Email Contact", "E-mail"),
    ("None", "Something else"),
)
TASK_STATES = {"": "open", "overdue": "overdue", "complete": "done"}


async def load_tasks(visit: Visit) -> Mapping[str, Any]:
    state = visit.query.get("state", "")
    query: dict[str, object] = {"assigned_user_id": visit.viewer.owner_id, "$sort[due_at]": 1, "$sort[id]": 1}
    query["status"] = "complete" if state == "complete" else "incomplete"
    if state == "complete":
        query["$sort[due_at]"] = -1
    if state == "overdue":
        query["due_at[$lt]"] = visit.now.isoformat()
    tasks = await visit.api.records("/tasks", query, most=200)
    contacts = await visit.api.by_id("/contacts", [task["contact_id"] for task in tasks], CONTACT_KEYS)
    for task in tasks:
        task["name"] = full_name(contacts.get(task["contact_id"], {}))
    return {
        "tasks": tasks,
        "state": state,
        "states": TASK_STATES,
        "kinds": dict(TASK_KINDS),
        "now": visit.now.isoformat(),
    }


async def set_task(visit: Visit, sent: Sent) -> Done:
    task_id, status = sent.id("task_id"), sent.get("status")
    if task_id is None or status not in ("complete", "incomplete"):
        raise Invalid("task_id: expected one of the page's buttons.")
    return await mark_task(visit, task_id, status, "/tasks")


async def mark_task(visit: Visit, task_id: int | None, status: str, path: str) -> Done:
    """A task is done, or open again; either can be taken back. `path` is the page to go to."""
    before = "incomplete" if status == "complete" else "complete"
    await visit.api.patch(f"/tasks/{task_id}", {"status": status})
    undo = Inverse("PATCH", f"/tasks/{task_id}", {"status": before}, {"status": status})
    return Done(path, "The task is done." if status == "complete" else "The task is open again.", undo)


async def mark_call_done(visit: Visit, call_id: int | None, path: str) -> Done:
    """The call that a campaign has asked for is made; that can be taken back. `path` is the page to go to."""
    step = f"/contact-communications/{call_id}"
    await visit.api.patch(step, {"is_active": False})
    return Done(path, "The call is done.", Inverse("PATCH", step, {"is_active": True}, {"is_active": "false"}))


TASKS = Page(
    path="/tasks",
    title="Tasks",
    about="your tasks: open, overdue and done",
    template="pages/tasks.html",
    load=load_tasks,
    acts={"set": set_task},
    place=MenuItem("My leads", "Tasks", "list-checks", on_phone=True),
)

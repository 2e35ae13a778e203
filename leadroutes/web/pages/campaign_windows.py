"""When a campaign's messages leave: its window, a preview with a contact of the viewer's, and the calendar of all."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from leadroutes.domain.campaign import zone_named
from leadroutes.domain.moments import wall_clock
from leadroutes.errors import Invalid
from leadroutes.store.drips import find_newest_contact
from leadroutes.web.forms import read_id
from leadroutes.web.page import Done, MenuItem, Page, Visit, change, owners, put_back
from leadroutes.web.pages.campaign_steps import KINDS
from leadroutes.web.pages.contact_search import find_contacts, name_of
from leadroutes.web.pages.week_fields import read_week
from leadroutes.web.sent import Sent

CHANNELS = {"email": "E-mails", "text": "Texts", "call": "Calls"}
MOST_MINUTES = 1_440
WEEKS = 4  # on a page of the calendar


async def change_window(visit: Visit, sent: Sent) -> Done:
    path = f"/campaigns/{visit.id}"
    fields = {"send_window": read_week(sent), "first_answer_minutes": _minutes(sent)}
    before = await visit.api.get(path)
    after = await change(visit, path, fields, sent.get("seen"))
    only_if = {"first_answer_minutes": after["first_answer_minutes"]}
    undo = put_back(path, before, {name: after[name] for name in fields}, only_if)
    return Done(f"{path}#window", "The hours are saved. Messages that wait now keep to them, too.", undo)


def _minutes(sent: Sent) -> int:
    try:
        minutes = sent.number("first_answer_minutes") or 0
    except Invalid:
        minutes = -1
    if not 0 <= minutes <= MOST_MINUTES:
        raise Invalid.fields({"first_answer_minutes": f"Say how many minutes, from 0 to {MOST_MINUTES:,}."})
    return minutes


# -------------------------------------------------------------------------------------------------------- the preview


async def load_preview(visit: Visit) -> Mapping[str, Any]:
    """With the contact of the address, else the first one that is searched for, else the newest."""
    campaign = await visit.api.get(f"/campaigns/{visit.id}")
    contact = await _contact(visit)
    steps = []
    if contact is not None:
        steps = await visit.api.get(f"/campaigns/{visit.id}/preview", {"contact_id": contact["id"]})
    users = await visit.api.by_id("/users", [each["sender_user_id"] for each in steps])
    return {
        "campaign": campaign,
        "contact": contact,
        "contact_name": name_of(contact) if contact else "",
        "typed": visit.query.get("with", ""),
        "steps": steps,
        "kinds": KINDS,
        "senders": {each: name_of(user) for each, user in users.items()},
    }


async def _contact(visit: Visit) -> dict[str, Any] | None:
    contact_id = read_id(visit.query.get("contact_id"))
    if contact_id is None and visit.query.get("with", "").strip():
        found = await find_contacts(visit, visit.query["with"], most=1)
        return found[0] if found else None
    if contact_id is None:
        contact_id = await find_newest_contact(visit.database, visit.viewer.owner_id)
    return await visit.api.find(f"/contacts/{contact_id}") if contact_id is not None else None


# ------------------------------------------------------------------------------------------------------- the calendar


async def load_calendar(visit: Visit) -> Mapping[str, Any]:
    """Four weeks from a Monday on, with a row for each week in which something leaves."""
    today = wall_clock(visit.now, zone_named(visit.viewer.timezone)).date()
    first = _monday(_given_day(visit) or today)
    last = first + timedelta(days=7 * WEEKS - 1)
    rows = await visit.api.get("/calendar", {"from": first.isoformat(), "to": last.isoformat()})
    counts: dict[date, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(date.fromisoformat(row["day"]), {})[row["channel"]] = row["count"]
    return {
        "days": [(day, counts[day]) for day in sorted(counts)],
        "channels": {name: words for name, words in CHANNELS.items() if any(name in each for each in counts.values())},
        "first": first,
        "last": last,
        "today": today,
        "before": (first - timedelta(days=7 * WEEKS)).isoformat(),
        "after": (last + timedelta(days=1)).isoformat(),
    }


def _given_day(visit: Visit) -> date | None:
    given = visit.query.get("from", "")
    try:
        found = date.fromisoformat(given) if len(given) == len("2027-03-14") else None
    except ValueError:
        return None
    return found if found is not None and 1970 < found.year < 8999 else None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


WINDOW_PAGES = (
    Page(
        path="/campaigns/{id}/preview",
        title="Preview of a campaign",
        about="what a campaign sends to a contact of yours, when it leaves, and by which rule it waits",
        template="pages/campaign_preview.html",
        load=load_preview,
        may=owners,
        below="/campaigns",
    ),
    Page(
        path="/calendar",
        title="Calendar",
        about="how many messages of campaigns leave on each day, four weeks at a time",
        template="pages/calendar.html",
        load=load_calendar,
        may=owners,
        place=MenuItem("Rules", "Calendar", "calendar"),
    ),
)

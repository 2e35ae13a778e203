"""When the user wants offers of leads: the switch of every page, hours of the week, time off; what counts for caps."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from leadroutes.domain.weekly_hours import DAY, DAYS
from leadroutes.errors import Conflict, Forbidden, Invalid, NotFound
from leadroutes.store.workloads import load_workloads
from leadroutes.web.forms import require_id
from leadroutes.web.local_time import local_value, read_local
from leadroutes.web.page import Done, Inverse, MenuItem, Page, Stale, Visit, digest
from leadroutes.web.sent import Sent
from leadroutes.web.zones import zone_choices

LEAST_SPANS: Final = 2  # pairs of fields of a day
MOST_TIME_OFF: Final = 100
_A_PAGE: Final = re.compile(r"/app((?:/[a-z0-9-]+)*)", re.ASCII)
_DAY_IN_FAULT: Final = re.compile(r"weekly_hours\.([a-z]+)")
CAPS: Final = (
    ("max_open_leads", "open_leads", "open lead{}"),
    ("max_leads_per_day", "leads_today", "lead{} today"),
    ("max_leads_per_week", "leads_this_week", "lead{} this week"),
)

Hours = Mapping[str, Sequence[Sequence[str]]]


async def load_availability(visit: Visit) -> Mapping[str, Any]:
    said = await _said(visit)
    hours: Hours | None = said["weekly_hours"]
    entries = await visit.api.records(
        "/time-off",
        {"user_id": visit.viewer.user.id, "ends_at[$gt]": visit.now.isoformat(), "$sort[starts_at]": 1},
        most=MOST_TIME_OFF,
    )
    return {
        "said": said,
        "zones": zone_choices(said["timezone"]),
        "days": [(day, day.title(), _spans(hours, day)) for day in DAYS],
        "bars": [(day.title()[:3], _bars(hours, day)) for day in DAYS],
        "entries": entries,
        "makers": await visit.api.by_id("/users", [each["creator_user_id"] for each in entries]),
        "teams": await _caps(visit, said["timezone"]),
        "local_value": local_value,
    }


async def _said(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = await visit.api.get(f"/availabilities/{visit.viewer.user.id}")
    return found


def _spans(hours: Hours | None, day: str) -> list[tuple[str, str]]:
    """Returns the pairs of times that the form shows for a day; an end at midnight is 00:00 there."""
    spans = [(start, "00:00" if end == "24:00" else end) for start, end in (hours or {}).get(day, ())]
    return spans + [("", "")] * max(LEAST_SPANS - len(spans), 1 if len(spans) >= LEAST_SPANS else 0)


def _bars(hours: Hours | None, day: str) -> list[tuple[float, float]]:
    """Returns where the day is coloured: begins and widths in per cent; hours of the night before are at its head."""
    if hours is None:
        return [(0, 100)]
    before = DAYS[DAYS.index(day) - 1]
    spans = [(_minutes(start), _minutes(end)) for start, end in hours.get(day, ())]
    spans = [(start, end if end > start else DAY) for start, end in spans]
    spans += [(0, _minutes(end)) for start, end in hours.get(before, ()) if _minutes(end) < _minutes(start)]
    return [(round(start * 100 / DAY, 2), round((end - start) * 100 / DAY, 2)) for start, end in sorted(spans)]


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


async def _caps(visit: Visit, zone: str) -> list[dict[str, Any]]:
    """Returns the teams in which the user is offered leads, with what counts against the caps there."""
    user_id = visit.viewer.user.id
    options = await visit.api.records("/team-member-distribution-options", {"user_id": user_id})
    teams = await visit.api.by_id("/teams", [each["team_id"] for each in options], ("name", "user_id"))
    shown = [each for each in options if each["team_id"] in teams]
    owners = {teams[each["team_id"]]["user_id"] for each in shown}
    async with visit.database.transaction() as transaction:
        counts = await load_workloads(
            transaction, {(owner_id, user_id): zone for owner_id in owners}, visit.settings.open_span
        )
    return [
        {
            "name": teams[each["team_id"]]["name"],
            "is_paused": each["is_paused"],
            "paused_until": each["paused_until"],
            "counts": [
                _in_words(getattr(counts[teams[each["team_id"]]["user_id"], user_id], counted), each[cap], words)
                for cap, counted, words in CAPS
            ],
            "has_caps": any(each[cap] is not None for cap, _, _ in CAPS),
        }
        for each in shown
    ]


def _in_words(count: int, most: int | None, words: str) -> str:
    """Returns `1 lead today`, or `1 of 5 leads today` where there is a cap."""
    plural = "" if (count if most is None else most) == 1 else "s"
    return f"{count:,}{'' if most is None else f' of {most:,}'} {words.format(plural)}"


# ------------------------------------------------------------------------------------------------------ the switch


async def switch(visit: Visit, sent: Sent) -> Done:
    """On or off, from any page; it leads back there."""
    is_paused = sent.get("to") == "off"
    before = await _said(visit)
    back = _A_PAGE.fullmatch(sent.get("back"))
    path = (back[1] or "/") if back is not None else ""
    if before["is_paused"] == is_paused:
        return Done(path)
    await _change(visit, {"is_paused": is_paused})
    said = (
        "You get no offers of leads until you switch them on again." if is_paused else "You get offers of leads again."
    )
    return Done(path, said, _undo(visit, before, is_paused=is_paused))


async def pause(visit: Visit, sent: Sent) -> Done:
    """Until a moment, or without an end."""
    before = await _said(visit)
    text = sent.get("paused_until").strip()
    until = read_local(text, before["timezone"], before["paused_until"]) if text else None
    if text and until is None:
        raise Invalid.fields(
            {"paused_until": "Say the date and the time, such as 2026-12-12 09:30, or leave it empty."}
        )
    try:
        await _change(visit, {"is_paused": True, "paused_until": until})
    except Invalid as problem:
        if "paused_until" not in problem.errors:
            raise
        raise Invalid.fields({"paused_until": "Choose a moment that is still to come."}) from None
    said = "You get no offers of leads until then." if until else "You are paused."
    return Done("", said, _undo(visit, before, is_paused=True))


def _undo(visit: Visit, before: Mapping[str, Any], *, is_paused: bool) -> Inverse:
    body: dict[str, Any] = {"is_paused": before["is_paused"]}
    if before["is_paused"]:
        body["paused_until"] = before["paused_until"]
    path = f"/availabilities/{visit.viewer.user.id}"
    return Inverse("PATCH", path, body, {"is_paused": str(is_paused).lower()})


async def _change(visit: Visit, body: Mapping[str, Any]) -> None:
    await visit.api.patch(f"/availabilities/{visit.viewer.user.id}", body)


# ------------------------------------------------------------------------------------------------------- the hours


async def save_hours(visit: Visit, sent: Sent) -> Done:
    before = await _said(visit)
    if sent.get("seen") and sent.get("seen") != digest(_hours_of(before)):
        raise Stale(_hours_of(before))
    errors: dict[str, str] = {}
    hours = None if sent.is_checked("always") else _read_hours(sent, errors)
    if errors:
        raise Invalid.fields(errors)
    try:
        await _change(visit, {"weekly_hours": hours, "timezone": sent.get("timezone")})
    except Invalid as problem:
        raise Invalid.fields(dict(_plain(name, text) for name, text in problem.errors.items())) from None
    return Done("", "Your hours are saved. They count from now on.")


def _hours_of(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("weekly_hours", "timezone")}


def _read_hours(sent: Sent, errors: dict[str, str]) -> dict[str, list[list[str]]]:
    hours: dict[str, list[list[str]]] = {}
    for day in DAYS:
        starts, ends = sent.all(f"{day}_from"), sent.all(f"{day}_to")
        for start, end in zip(starts, ends, strict=False):
            if bool(start) != bool(end):
                errors[day] = f"{day.title()}: fill in both times of a span, or none."
            elif start:
                hours.setdefault(day, []).append([start[:5], "24:00" if end[:5] == start[:5] == "00:00" else end[:5]])
    return hours


def _plain(name: str, text: str) -> tuple[str, str]:
    """Returns the field of the form that a fault of the API is about, and what is said there."""
    found = _DAY_IN_FAULT.match(name)
    if found is None:
        return name, text.removeprefix(f"{name}: ")
    words = text.removeprefix(f"{name}: ").replace(" was given, which overlaps ", " overlaps ")
    return found[1], f"{found[1].title()}: {words.partition('; expected ranges')[0]}."


# -------------------------------------------------------------------------------------------------------- time off


async def add_time_off(visit: Visit, sent: Sent) -> Done:
    zone = (await _said(visit))["timezone"]
    body = {name: read_local(sent.get(name), zone) for name in ("starts_at", "ends_at")}
    errors = {
        name: "Say the date and the time, such as 2026-12-12 09:30." for name, moment in body.items() if not moment
    }
    note = sent.text("note")
    if note is not None and len(note) > 200:
        errors["note"] = "Use 200 characters at most."
    if not errors and str(body["ends_at"]) <= str(body["starts_at"]):
        errors["ends_at"] = "Choose an end after the beginning."
    if errors:
        raise Invalid.fields(errors)
    made = await visit.api.post("/time-off", {**body, "note": note})
    return Done("", "The time off is added.", Inverse("DELETE", f"/time-off/{made['id']}"))


async def remove_time_off(visit: Visit, sent: Sent) -> Done:
    record = await visit.api.find(f"/time-off/{require_id('on', sent.on, 'the id of a time off')}")
    if record is None:
        return Done("", "The time off is removed.")
    try:
        await visit.api.delete(f"/time-off/{record['id']}")
    except Forbidden:
        raise Conflict("Only the person who added this time off removes it.") from None
    except NotFound:
        return Done("", "The time off is removed.")
    body = {name: record[name] for name in ("starts_at", "ends_at", "note")}
    return Done("", "The time off is removed.", Inverse("POST", "/time-off", body))


AVAILABILITY = Page(
    path="/availability",
    title="Availability",
    about="the switch at the top of every page, a pause with an end, the hours of the week, time off, and what counts"
    " against the caps that a team has set",
    template="pages/availability.html",
    load=load_availability,
    acts={
        "switch": switch,
        "pause": pause,
        "hours": save_hours,
        "time-off": add_time_off,
        "remove": remove_time_off,
    },
    place=MenuItem("My leads", "Availability", "clock"),
    is_personal=True,
)

"""Lead routes: all of them as sentences in the order in which they are tried, and one of them to change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from leadroutes.domain.arrangement import moved_down, moved_up
from leadroutes.errors import Invalid
from leadroutes.store import statement
from leadroutes.web.forms import read_id
from leadroutes.web.page import Act, Done, Inverse, Load, MenuItem, Page, Revealed, Stale, Visit, change, owners
from leadroutes.web.pages.condition_form import faults_by_row, set_rows
from leadroutes.web.pages.condition_rows import (
    GROUPS,
    OPERATORS,
    Rows,
    as_json,
    field_choices,
    is_sent,
    is_unchanged,
    stored_rows,
    typed_rows,
    typed_text,
)
from leadroutes.web.pages.route_words import (
    GOALS,
    NEW,
    RETURNING,
    SAME,
    STARTS,
    TYPES,
    Choices,
    goal_of,
    load_choices,
    new_campaign_name,
    read_button,
    sentences_of,
    sentences_typed,
    typed_goal,
    typed_returning,
)
from leadroutes.web.pages.rule_findings import ShownFinding, findings_about, findings_typed, typed_route
from leadroutes.web.pages.rule_trials import begin_route_trial, shown_trial
from leadroutes.web.sent import Sent

PER_PAGE = 50
MOST_IN_ORDER = 10_000
MOST_TO_UNDO = 80  # ids of an order that fit into the cookie that says what was done

# ---------------------------------------------------------------------------------------------------------- the list


async def load_routes(visit: Visit) -> Mapping[str, Any]:
    source_id, after_id = read_id(visit.query.get("source")), read_id(visit.query.get("after"))
    ordered = await _ordered(visit, source_id, after_id, PER_PAGE + 1)
    shown = ordered[:PER_PAGE]
    routes = await _routes(visit, [row["id"] for row in shown])
    sources = await visit.database.fetch(*statement("list_routed_sources").bind(owner_id=visit.viewer.owner_id))
    return {
        "rows": [(row, routes[row["id"]]) for row in shown if row["id"] in routes],
        "older_than": shown[-1]["id"] if len(ordered) > PER_PAGE else None,
        "sources": [(str(row["id"]), row["name"]) for row in sources],
        "source": str(source_id or ""),
        "after": str(after_id or ""),
        "sentences": lambda route: sentences_of(route, with_team=False),
        "figures": await _figures(visit),
    }


async def _ordered(visit: Visit, source_id: int | None, after_id: int | None = None, most: int = MOST_IN_ORDER) -> Any:
    """The ids of routes in the order in which they are tried, with their places among those of their source."""
    return await visit.database.fetch(
        *statement("list_route_order").bind(
            owner_id=visit.viewer.owner_id, lead_source_id=source_id, after_id=after_id, most=most
        )
    )


async def _routes(visit: Visit, ids: list[int]) -> dict[int, dict[str, Any]]:
    if not ids:
        return {}
    query = {f"id[$in][{place}]": id_ for place, id_ in enumerate(ids)}
    return {route["id"]: route for route in await visit.api.records("/lead-routes", query)}


async def _figures(visit: Visit) -> Mapping[int, Mapping[str, Any]]:
    """Leads of the last 30 days by route, and the median seconds until people claimed them."""
    figures: dict[int, dict[str, Any]] = {}
    for path in ("/reports/claims", "/reports/speed"):
        report = await visit.api.find(path, {"by": "route"})
        for row in report["data"] if report else ():
            figures.setdefault(row["route_id"], {}).update(row)
    return figures


async def set_route(visit: Visit, sent: Sent) -> Done:
    """One of the buttons beside a route: on, off, up or down."""
    word, route_id = read_button(sent, ("on", "off", "up", "down"))
    if word in ("on", "off"):
        return await _switch(visit, sent, route_id, is_active=word == "on")
    return await _move(visit, sent, route_id, is_up=word == "up")


async def _switch(visit: Visit, sent: Sent, route_id: int, *, is_active: bool) -> Done:
    await visit.api.patch(f"/lead-routes/{route_id}", {"is_active": is_active})
    only_if = {"is_active": "true" if is_active else "false"}
    undo = Inverse("PATCH", f"/lead-routes/{route_id}", {"is_active": not is_active}, only_if)
    return Done(_back(sent, route_id), f"The route is switched {'on' if is_active else 'off'}.", undo)


async def _move(visit: Visit, sent: Sent, route_id: int, *, is_up: bool) -> Done:
    """Try a route earlier or later than the others of its source."""
    route = await visit.api.get(f"/lead-routes/{route_id}")
    of_source = {"lead_source_id": route["lead_source"]["id"]}
    before = [row["id"] for row in await _ordered(visit, of_source["lead_source_id"])]
    moved = (moved_up if is_up else moved_down)([[each] for each in before], route_id)
    after = [group[0] for group in moved]
    await visit.api.post("/lead-routes/order", of_source | {"ids": after, "instead_of": before})
    undo = Inverse("POST", "/lead-routes/order", of_source | {"ids": before, "instead_of": after})
    return Done(
        _back(sent, route_id),
        f"The route is tried {'earlier' if is_up else 'later'}.",
        undo if len(before) <= MOST_TO_UNDO else None,
    )


def _back(sent: Sent, route_id: int) -> str:
    """The part of the list that was looked at, from the route on."""
    query = urlencode({name: sent.get(name) for name in ("source", "after") if read_id(sent.get(name))})
    return f"/routes{'?' if query else ''}{query}#route-{route_id}"


# --------------------------------------------------------------------------------------------------------- the editor


async def load_new(visit: Visit) -> Mapping[str, Any]:
    choices = await load_choices(visit)
    return await _editor(visit, choices, None)


async def load_route(visit: Visit) -> Mapping[str, Any]:
    route = await visit.api.get(f"/lead-routes/{visit.id}")
    choices = (await load_choices(visit)).with_those_of(route)
    return await _editor(visit, choices, route)


async def _editor(visit: Visit, choices: Choices, route: dict[str, Any] | None) -> Mapping[str, Any]:
    typed = Sent({name: [value] for name, value in visit.query.items()}) if "part" in visit.query else visit.sent
    is_typed = typed.do == "save" or "goal" in typed
    if is_typed or route is None:
        typed = typed if is_typed else _suggested(choices)
        shown = sentences_typed(typed, choices, _typed_conditions(visit, typed, route))
    else:
        shown = _stored_sentences(route, choices)
    rows = stored_rows(route["conditions"], route["conditions_text"]) if route else Rows()
    rows = typed_rows(typed) if is_typed and is_sent(typed) else rows
    return {
        "conditions": rows,
        "groups": list(GROUPS.items()),
        "fields": field_choices([each["name"] for each in choices.custom_fields], rows),
        "operators": list(OPERATORS.items()),
        "route": route,
        "trial": None,
        "goal": goal_of(route) if route else "team",
        "said": shown,
        "findings": await _findings(visit, typed if is_typed else None, choices, route),
        "is_typed": is_typed,
        "choices": choices,
        "named": lambda records: [(each["id"], each["name"]) for each in records],
        "goals": list(GOALS.items()),
        "starts": list(STARTS.items()),
        "returning": list(RETURNING.items()),
        "types": TYPES,
        "same": SAME,
        "new": NEW,
    }


async def _findings(
    visit: Visit, typed: Sent | None, choices: Choices, route: dict[str, Any] | None
) -> list[ShownFinding]:
    """What the check says of the route as it is stored, or as it is being filled in."""
    if typed is None:
        return await findings_about(visit, route["id"]) if route is not None else []
    priority = await _priority(visit, read_id(typed.get("lead_source_id")), route)
    return await findings_typed(visit, typed, choices, route, priority)


async def _priority(visit: Visit, source_id: int | None, route: Mapping[str, Any] | None) -> int:
    """The priority that the route would have: its own, or behind all others of another source."""
    if route is not None and source_id == route["lead_source"]["id"]:
        return int(route["priority"])
    return await _last_priority(visit, {"lead_source_id": source_id}) if source_id is not None else 0


def _typed_conditions(visit: Visit, typed: Sent, route: Mapping[str, Any] | None) -> str | None:
    """The conditions of the form as a sentence; those that its rows cannot show stay, unless they are to go."""
    if is_sent(typed):
        return typed_text(typed, visit.viewer.timezone)
    return route["conditions_text"] if route is not None and not typed.is_checked("conditions-removed") else None


def _suggested(choices: Choices) -> Sent:
    """What a new route begins with: the only team and the only campaign, where there is one."""
    fields = {"goal": ["team"], "is_active": ["yes"], "contact_source_id": [SAME]}
    if not choices.campaigns:
        fields["campaign_id"] = [NEW]
    return Sent(fields)


def _stored_sentences(route: Mapping[str, Any], choices: Choices) -> tuple[str, ...]:
    team_id = route["team"]["id"] if route["team"] else None
    team = next((each for each in choices.teams if each["id"] == team_id), None)
    return sentences_of(route, team, with_team=True)


def try_route(load: Load) -> Act:
    """The button that tries the route on past leads, as it is being filled in; nothing that was typed is lost."""

    async def act(visit: Visit, sent: Sent) -> Revealed:
        route = await visit.api.get(f"/lead-routes/{visit.id}") if "id" in visit.ids else None
        choices = await load_choices(visit)
        choices = choices.with_those_of(route) if route is not None else choices
        priority = await _priority(visit, read_id(sent.get("lead_source_id")), route)
        changed = typed_route(visit, sent, choices, route, priority)
        if changed is None:
            raise Invalid.fields({"lead_source_id": "Choose where the leads come from, and fill the conditions in."})
        trial = await shown_trial(visit, await begin_route_trial(visit, changed))
        return Revealed({**await load(replace(visit, sent=sent)), "sent": sent, "trial": trial})

    return act


async def add(visit: Visit, sent: Sent) -> Done:
    choices = await load_choices(visit)
    body = await _read(visit, sent, choices)
    with faults_by_row(sent):
        made = await visit.api.post("/lead-routes", body | {"priority": await _last_priority(visit, body)})
    message = "The route is there. It takes leads from now on."
    return Done(f"/routes/{made['id']}", message if made["is_active"] else "The route is there, switched off.")


async def save(visit: Visit, sent: Sent) -> Done:
    path = f"/lead-routes/{visit.id}"
    route = await visit.api.get(path)
    choices = (await load_choices(visit)).with_those_of(route)
    body = await _read(visit, sent, choices)
    if "returning_contact" not in sent:  # a form that was opened before there was such a choice
        del body["returning_contact"]
    if body["lead_source_id"] != route["lead_source"]["id"]:
        body["priority"] = await _last_priority(visit, body)
    if "conditions" in body and is_unchanged(sent, route["conditions"], route["conditions_text"]):
        body["conditions"] = route["conditions"]  # as they were written
    try:
        with faults_by_row(sent):
            await change(visit, path, body, sent.get("seen"))
    except Stale as stale:
        conditions = _typed_conditions(visit, sent, stale.now)
        now, yours = _stored_sentences(stale.now, choices), sentences_typed(sent, choices, conditions)
        raise Stale(stale.now, [("The route", " ".join(now), " ".join(yours))]) from None
    return Done("", "The route is saved. It applies to leads that come in from now on.")


async def remove(visit: Visit, _sent: Sent) -> Done:
    route = await visit.api.delete(f"/lead-routes/{visit.id}")
    return Done("/routes", f"The route for leads from {route['lead_source']['name']} is deleted.")


async def _read(visit: Visit, sent: Sent, choices: Choices) -> dict[str, Any]:
    """The fields of the API. Makes the contact source and the campaign that are to be made. Raises Invalid."""
    goal = typed_goal(sent)
    errors = {}
    if not sent.text("lead_source_id"):
        errors["lead_source_id"] = "Choose where the leads come from."
    if goal == "team" and not sent.text("team_id"):
        errors["team_id"] = "Choose a team."
    if not sent.text("campaign_id"):
        errors["campaign_id"] = "Choose a campaign."
    if len(sent.text("filter") or "") > 45:
        errors["filter"] = "The type has more than 45 letters; a shorter one is needed."
    if len(sent.text("name") or "") > 100:
        errors["name"] = "The name has more than 100 letters; a shorter one is needed."
    source = next((each for each in choices.lead_sources if each["id"] == sent.id("lead_source_id")), None)
    if source is None and "lead_source_id" not in errors:
        errors["lead_source_id"] = "This lead source is not there any more. Choose another one."
    if errors or source is None:
        raise Invalid.fields(errors)
    return {
        "lead_source_id": source["id"],
        "contact_source_id": await _contact_source(visit, sent, choices, source["name"]),
        "campaign_id": await _campaign(visit, sent, choices, source["name"]),
        "distribution_target": "Myself" if goal == "owner" else "Team Rollout",
        "team_selection_method": {"team": "Specific Team", "zipcode": "Zipcode"}.get(goal),
        "team_id": sent.id("team_id") if goal == "team" else None,
        "filter": sent.text("filter"),
        "name": sent.text("name"),
        **_conditions(visit, sent),
        "campaign_start": "Claim" if sent.get("campaign_start") == "Claim" else "Arrival",
        "returning_contact": typed_returning(sent),
        "is_active": sent.is_checked("is_active"),
    }


def _conditions(visit: Visit, sent: Sent) -> dict[str, Any]:
    """The conditions, if the form changes them."""
    if is_sent(sent):
        return {"conditions": as_json(typed_rows(sent), visit.viewer.timezone)}
    return {"conditions": None} if sent.is_checked("conditions-removed") else {}


async def _contact_source(visit: Visit, sent: Sent, choices: Choices, name: str) -> int | None:
    if sent.get("contact_source_id") not in ("", SAME):
        return sent.id("contact_source_id")
    return await _found_or_made(visit, "/contact-sources", choices.contact_sources, name)


async def _campaign(visit: Visit, sent: Sent, choices: Choices, source: str) -> int | None:
    if sent.get("campaign_id") != NEW:
        return sent.id("campaign_id")
    return await _found_or_made(visit, "/campaigns", choices.campaigns, new_campaign_name(source))


async def _found_or_made(visit: Visit, path: str, records: list[dict[str, Any]], name: str) -> int:
    found = next((each for each in records if each["name"].casefold() == name.casefold()), None)
    record = found or await visit.api.post(path, {"name": name})
    return int(record["id"])


async def _last_priority(visit: Visit, body: Mapping[str, Any]) -> int:
    """A priority after all other routes of the source, so that a new route takes no lead from an older one."""
    query = {"lead_source_id": body["lead_source_id"], "$sort[priority]": -1, "$select": "priority"}
    last = await visit.api.records("/lead-routes", query, most=1)
    return last[0]["priority"] + 1 if last else 1


ROUTES = Page(
    path="/routes",
    title="Routes",
    about="your lead routes as sentences, in the order in which they are tried: switch them on and off, put them in"
    " order, make new ones",
    template="pages/routes.html",
    load=load_routes,
    acts={"set": set_route},
    may=owners,
    place=MenuItem("Rules", "Routes", "route"),
    parts=("routes",),
)

NEW_ROUTE = Page(
    path="/routes/new",
    title="New route",
    about="a new lead route: which leads, on which conditions, to whom, which campaign, and beside it what that means",
    template="pages/route.html",
    load=load_new,
    acts={"save": add, "rows": set_rows(load_new, lambda _: "save"), "try": try_route(load_new)},
    looks=frozenset({"rows", "try"}),
    may=owners,
    below="/routes",
    parts=("said",),
)

ROUTE = Page(
    path="/routes/{id}",
    title="Route",
    about="a lead route to change or delete; beside it what it does in words, what the check says of it,"
    " and on a button what it would have done with past leads",
    template="pages/route.html",
    load=load_route,
    acts={
        "save": save,
        "rows": set_rows(load_route, lambda _: "save"),
        "try": try_route(load_route),
        "remove": remove,
    },
    looks=frozenset({"rows", "try"}),
    may=owners,
    below="/routes",
    parts=("said",),
)

ROUTE_PAGES = (ROUTES, NEW_ROUTE, ROUTE)

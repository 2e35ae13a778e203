"""Teams: all of them, a new one, and how one of them offers its leads."""

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from leadroutes.domain.sentences import team_sentences
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.store import statement
from leadroutes.web.forms import read_id
from leadroutes.web.page import Act, Document, Done, MenuItem, Page, Revealed, Stale, Visit, change, owners
from leadroutes.web.pages.line_up import LINE_UP_ACTS, load_line_up
from leadroutes.web.pages.route_words import METHOD_CHOICES, MODES, WHEN_NOBODY, compared, team_words
from leadroutes.web.sent import Sent

PER_PAGE: Final = 50
MOST_MINUTES: Final = 10_080  # a week
_BETWEEN_ZIPCODES: Final = re.compile(r"[\s,;]+")
_SPACE_IN_CANADIAN: Final = re.compile(r"\b([A-Za-z]\d[A-Za-z])[ \t]+(\d[A-Za-z]\d)\b")

LABELS: Final = {
    "name": "Name",
    "order_method": "Who is offered a lead first",
    "mins_until_next_alert": "Minutes",
    "offer_mode": "Who may claim the lead",
    "when_nobody_is_available": "When no one is available",
    "connect_on_claim": "Connect a member who claims in an alert call with the person",
    "is_contact_resource_sharing_enabled": "Members share contacts",
    "distribution_zipcodes": "ZIP codes",
}

# ---------------------------------------------------------------------------------------------------------- the list


async def load_teams(visit: Visit) -> Mapping[str, Any]:
    query: dict[str, object] = {"user_id": visit.viewer.owner_id}
    after_id = read_id(visit.query.get("after"))
    if after_id is not None:
        query["id[$gt]"] = after_id
    teams = await visit.api.records("/teams", query, most=PER_PAGE + 1)
    shown = teams[:PER_PAGE]
    counts = await visit.database.fetch(
        *statement("count_team_places").bind(owner_id=visit.viewer.owner_id, team_ids=[each["id"] for each in shown])
    )
    return {
        "teams": shown,
        "older_than": shown[-1]["id"] if len(teams) > PER_PAGE else None,
        "counts": {row["team_id"]: row for row in counts},
        "sentences": _sentences,
    }


def _sentences(team: Mapping[str, Any]) -> tuple[str, ...]:
    words = team_words(team)
    return team_sentences(words) if words is not None else ()


async def load_new(_visit: Visit) -> Mapping[str, Any]:
    return {"methods": METHOD_CHOICES, "modes": list(MODES.items()), "when_nobody": list(WHEN_NOBODY.items())}


async def add(visit: Visit, sent: Sent) -> Done:
    made = await visit.api.post("/teams", _settings(sent))
    return Done(f"/teams/{made['id']}", "The team is there, with you as its first member. Invite the others.")


# ----------------------------------------------------------------------------------------------------------- one team


async def load_team(visit: Visit) -> Mapping[str, Any]:
    team = await own_team(visit)
    shared = await visit.database.fetch(
        *statement("list_shared_zipcodes").bind(owner_id=visit.viewer.owner_id, team_id=visit.id)
    )
    return {
        "team": team,
        "said": _sentences(team),
        "methods": METHOD_CHOICES,
        "modes": list(MODES.items()),
        "when_nobody": list(WHEN_NOBODY.items()),
        "zipcodes": team["distribution_zipcodes"] or [],
        "shared": shared,
        **await load_line_up(visit, team),
    }


async def own_team(visit: Visit) -> dict[str, Any]:
    """Returns the team of the path. Raises NotFound for one that the viewer did not create."""
    team: dict[str, Any] = await visit.api.get(f"/teams/{visit.id}")
    if team["user_id"] != visit.viewer.owner_id:
        raise NotFound.record(visit.id)
    return team


def _in_own_team(act: Act) -> Act:
    """Returns an act that no one reaches who sees the team as a member only."""

    async def run(visit: Visit, sent: Sent) -> Done | Revealed | Document | Response:
        await own_team(visit)
        return await act(visit, sent)

    return run


async def save(visit: Visit, sent: Sent) -> Done:
    body = _settings(sent)
    before = await own_team(visit)
    await _change(visit, body, sent)
    if body["is_contact_resource_sharing_enabled"] and not before["is_contact_resource_sharing_enabled"]:
        return Done("", "The team is saved. Its members are asked whether they share their contacts.")
    return Done("", "The team is saved. Leads that come in from now on are offered like this.")


async def save_zipcodes(visit: Visit, sent: Sent) -> Done:
    text = _SPACE_IN_CANADIAN.sub(r"\1\2", sent.get("distribution_zipcodes"))
    zipcodes = [each for each in _BETWEEN_ZIPCODES.split(text) if each]
    wrong = [each for each in zipcodes if not (each.isascii() and any(map(str.isdigit, each)) and len(each) <= 10)]
    if wrong:
        named = ", ".join(f"“{each[:20]}”" for each in wrong[:5])
        message = f"{named} {'is not a ZIP code' if len(wrong) == 1 else 'are not ZIP codes'}."
        raise Invalid.fields({"distribution_zipcodes": message})
    saved = await _change(visit, {"distribution_zipcodes": zipcodes or None}, sent)
    count = len(saved["distribution_zipcodes"] or ())
    return Done("", "The team has 1 ZIP code." if count == 1 else f"The team has {count:,} ZIP codes.")


async def _change(visit: Visit, body: Mapping[str, Any], sent: Sent) -> Any:
    try:
        return await change(visit, f"/teams/{visit.id}", body, sent.get("seen"))
    except Stale as stale:
        raise compared(stale, body, LABELS) from None


def _settings(sent: Sent) -> dict[str, Any]:
    errors = {}
    minutes = sent.get("mins_until_next_alert").strip()
    if not sent.text("name"):
        errors["name"] = "Give the team a name."
    if minutes and not (minutes.isascii() and minutes.isdigit() and int(minutes[:9]) <= MOST_MINUTES):
        errors["mins_until_next_alert"] = f"Give whole minutes, from 0 to {MOST_MINUTES:,}."
    if errors:
        raise Invalid.fields(errors)
    return {
        "name": sent.text("name"),
        "order_method": sent.get("order_method"),
        "mins_until_next_alert": int(minutes or 0),
        "offer_mode": sent.get("offer_mode"),
        "when_nobody_is_available": sent.get("when_nobody_is_available") or "Owner",
        "connect_on_claim": sent.is_checked("connect_on_claim"),
        "is_contact_resource_sharing_enabled": sent.is_checked("is_contact_resource_sharing_enabled"),
    }


async def remove(visit: Visit, _sent: Sent) -> Done:
    team = await own_team(visit)
    try:
        await visit.api.delete(f"/teams/{visit.id}")
    except Conflict:
        raise Conflict(
            f"A route still offers leads to {team['name']}. Give its leads to another team, or delete it, first."
        ) from None
    return Done("/teams", f"The team {team['name']} is deleted.")


TEAM_ACTS: Final[Mapping[str, Act]] = {"save": save, "zipcodes": save_zipcodes, "remove": remove, **LINE_UP_ACTS}

TEAMS = Page(
    path="/teams",
    title="Teams",
    about="your teams, how each of them offers leads, and who is in them",
    template="pages/teams.html",
    load=load_teams,
    may=owners,
    place=MenuItem("Rules", "Teams", "users-round"),
    parts=("teams",),
)

NEW_TEAM = Page(
    path="/teams/new",
    title="New team",
    about="a new team: its name, and how it offers leads",
    template="pages/new_team.html",
    load=load_new,
    acts={"save": add},
    may=owners,
    below="/teams",
)

TEAM = Page(
    path="/teams/{id}",
    title="Team",
    about="a team: the order of its members, by buttons or by dragging, how each of them is alerted, invitations,"
    " ZIP codes, how it offers leads, and how often whose turn it was",
    template="pages/team.html",
    load=load_team,
    acts={name: _in_own_team(act) for name, act in TEAM_ACTS.items()},
    may=owners,
    below="/teams",
)

TEAM_PAGES = (TEAMS, NEW_TEAM, TEAM)

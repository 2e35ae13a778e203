"""What the check of the rules finds: the page of all findings, and how other pages show those about their record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.faults import Faults
from leadroutes.domain.model import Route
from leadroutes.domain.rule_findings import (
    CAMPAIGNS,
    CHANNELS,
    ROUTES,
    SOURCES,
    TEAMS,
    TEMPLATES,
    UNSTORED,
    USERS,
    RuleFinding,
)
from leadroutes.engine.rule_checks import about_route
from leadroutes.errors import Unavailable
from leadroutes.web.forms import read_id
from leadroutes.web.page import MenuItem, Page, Visit, owners
from leadroutes.web.pages.condition_rows import as_json, is_sent, typed_rows
from leadroutes.web.pages.route_words import SAME, Choices, typed_goal, typed_returning
from leadroutes.web.sent import Sent

MADE_LATER = -1  # the id of a record that saving the route makes
MOST_LINKS = 4  # of one finding

# resource -> the page of its records, and what the link says
_PAGES: Mapping[str, tuple[str, str]] = {
    ROUTES: ("/routes/{}", "Route {}"),
    TEAMS: ("/teams/{}", "The team"),
    CAMPAIGNS: ("/campaigns/{}", "The campaign"),
    TEMPLATES: ("/templates/{}", "The template"),
    SOURCES: ("/sources/{}", "The source"),
    USERS: ("/people/{}", "The person"),
}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with links, as (words, path below /app), to what causes it and to what it refers to."""

    code: str
    is_error: bool
    message: str
    links: tuple[tuple[str, str], ...]


def shown(findings: Iterable[RuleFinding], visit: Visit, beside: str = "") -> list[ShownFinding]:
    """Returns findings for a page; `beside` is the path of the page itself, to which no link leads."""
    return [
        ShownFinding(each.code, each.severity == "error", each.message, _links(each, visit, beside))
        for each in findings
    ]


def _links(finding: RuleFinding, visit: Visit, beside: str) -> tuple[tuple[str, str], ...]:
    references = [(finding.resource, finding.id), *((each.resource, each.id) for each in finding.see)]
    found: dict[str, str] = {}
    for resource, id_ in references:
        words, path = _link(resource, id_, visit)
        if path and path != beside:
            found.setdefault(path, words)
    return tuple((words, path) for path, words in list(found.items())[:MOST_LINKS])


def _link(resource: str, id_: int | None, visit: Visit) -> tuple[str, str]:
    if resource == CHANNELS or (resource == USERS and id_ == visit.viewer.owner_id):
        return "The settings", "/settings"
    if resource.startswith(f"{CAMPAIGNS}/"):  # a step
        resource, id_ = CAMPAIGNS, int(resource.split("/")[1])
    path, words = _PAGES.get(resource, ("", ""))
    return words.format(id_), path.format(id_) if id_ not in (None, UNSTORED) else ""


# ------------------------------------------------------------------------------------------------------ the page


async def load_findings(visit: Visit) -> Mapping[str, Any]:
    found = await visit.engine.rule_checks.check(visit.viewer.owner_id)
    findings = shown(found.findings, visit)
    errors, warnings = ([each for each in findings if each.is_error is wanted] for wanted in (True, False))
    return {"errors": errors, "warnings": warnings}


async def count_findings(visit: Visit) -> Mapping[str, int]:
    """Returns how many errors and warnings there are; none while they cannot be found out."""
    try:
        found = await visit.engine.rule_checks.check(visit.viewer.owner_id)
    except Unavailable:
        return {"errors": 0, "warnings": 0}
    errors = sum(each.severity == "error" for each in found.findings)
    return {"errors": errors, "warnings": len(found.findings) - errors}


# ------------------------------------------------------------------------------------------ beside the route editor


async def findings_about(visit: Visit, route_id: int) -> list[ShownFinding]:
    """Returns what concerns a stored route."""
    try:
        found = await visit.engine.rule_checks.check(visit.viewer.owner_id)
    except Unavailable:
        return []
    return shown(about_route(found.findings, route_id), visit, f"/routes/{route_id}")


async def findings_typed(
    visit: Visit, typed: Sent, choices: Choices, route: Mapping[str, Any] | None, priority: int
) -> list[ShownFinding]:
    """Returns what would concern a route that is being filled in; nothing as long as its conditions are incomplete."""
    changed = typed_route(visit, typed, choices, route, priority)
    if changed is None:
        return []
    try:
        found = await visit.engine.rule_checks.check_route(visit.viewer.owner_id, changed)
    except Unavailable:
        return []
    return shown((each for each in found if each.id != MADE_LATER), visit, f"/routes/{changed.id}")


def typed_route(
    visit: Visit, typed: Sent, choices: Choices, route: Mapping[str, Any] | None, priority: int
) -> Route | None:
    """Returns a route that is being filled in; None as long as its source or its conditions are incomplete."""
    source = next((each for each in choices.lead_sources if each["id"] == read_id(typed.get("lead_source_id"))), None)
    if source is None:
        return None
    try:
        conditions = _typed_conditions(visit, typed, route)
    except Faults:
        return None
    goal, campaign_ids = typed_goal(typed), {each["id"] for each in choices.campaigns}
    return Route(
        id=route["id"] if route is not None else UNSTORED,
        team_id=read_id(typed.get("team_id")) if goal == "team" else None,
        campaign_id=next((each for each in campaign_ids if each == read_id(typed.get("campaign_id"))), MADE_LATER),
        lead_source_id=source["id"],
        contact_source_id=_contact_source(typed, choices, source["name"]),
        distribution_target="Myself" if goal == "owner" else "Team Rollout",
        team_selection_method="Specific Team" if goal == "team" else "Zipcode" if goal == "zipcode" else None,
        filter=typed.text("filter"),
        is_active=typed.is_checked("is_active"),
        priority=priority,
        campaign_start="Claim" if typed.get("campaign_start") == "Claim" else "Arrival",
        conditions=conditions,
        returning_contact=typed_returning(typed),
        name=route.get("name") if route is not None else None,
    )


def _typed_conditions(visit: Visit, typed: Sent, route: Mapping[str, Any] | None) -> Conditions | None:
    if is_sent(typed):
        given = as_json(typed_rows(typed), visit.viewer.timezone)
    else:
        given = route["conditions"] if route is not None and not typed.is_checked("conditions-removed") else None
    return Conditions.read(given) if given is not None else None


def _contact_source(typed: Sent, choices: Choices, name: str) -> int:
    if typed.get("contact_source_id") not in ("", SAME):
        return read_id(typed.get("contact_source_id")) or MADE_LATER
    named = (each["id"] for each in choices.contact_sources if each["name"].casefold() == name.casefold())
    return next(named, MADE_LATER)


CHECK = Page(
    path="/check",
    title="Check",
    about="what in your rules cannot work, and what is probably a mistake, each with links to what causes it",
    template="pages/check.html",
    load=load_findings,
    may=owners,
    place=MenuItem("Rules", "Check", "circle-check"),
)

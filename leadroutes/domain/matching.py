"""Which route and which team a lead gets, and for each route why not. One function decides and explains.

Rules: a route matches by lead source, contact source, filter and being active; the first by precedence is taken.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from leadroutes.domain.model import Facts, Route, RuleSet, precedence


class Mismatch(Struct, frozen=True):
    """The first condition of a route that a lead does not meet."""

    field: str
    expected: object
    actual: object


class TeamChoice(Struct, frozen=True):
    """The team; `how` says how it was chosen, or why there is none."""

    team_id: int | None
    how: str


def find_route(rule_set: RuleSet, facts: Facts) -> Route | None:
    """Returns the first route that matches, or None. Routes of other sources cost nothing."""
    type_ = (facts.type or "").casefold()
    for route in rule_set.routes_by_source.get(facts.lead_source_id or 0, ()):
        # Routes of one source mostly differ in their filter, so that is looked at before all that mismatch looks at.
        if not _is_for_another(route, type_) and mismatch(route, facts) is None:
            return route
    return None


def mismatch(route: Route, facts: Facts) -> Mismatch | None:
    """Returns why this route does not match, or None."""
    if not route.is_active:
        return Mismatch("is_active", True, False)
    if route.lead_source_id != facts.lead_source_id:
        return Mismatch("lead_source_id", route.lead_source_id, facts.lead_source_id)
    if facts.contact_source_id is not None and route.contact_source_id != facts.contact_source_id:
        return Mismatch("contact_source_id", route.contact_source_id, facts.contact_source_id)
    if _is_for_another(route, (facts.type or "").casefold()):
        return Mismatch("filter", route.filter, facts.type)
    return None


def _is_for_another(route: Route, type_: str) -> bool:
    """Whether its filter names another type than this one, which is casefolded."""
    return (route.filter or "").casefold() not in ("", type_)


Result = Literal["matched", "passed over", "failed"]


def consider(routes: Iterable[Route], facts: Facts) -> list[tuple[Route, Result, Mismatch | None]]:
    """Returns every route in the order in which routes are tried, with its result."""
    considered: list[tuple[Route, Result, Mismatch | None]] = []
    is_taken = False
    for route in sorted(routes, key=precedence):
        why_not = mismatch(route, facts)
        if why_not is not None:
            considered.append((route, "failed", why_not))
            continue
        considered.append((route, "passed over" if is_taken else "matched", None))
        is_taken = True
    return considered


def choose_team(rule_set: RuleSet, route: Route, facts: Facts) -> TeamChoice:
    """Returns the team of a Team Rollout; its id is None if the method selects none."""
    match route.team_selection_method:
        case "Specific Team" if route.team_id in rule_set.rules.teams:
            return TeamChoice(route.team_id, "named by the route")
        case "Zipcode":
            return _team_of_zipcode(rule_set, facts.zipcode)
        case _:
            return TeamChoice(None, "no team selected")


def _team_of_zipcode(rule_set: RuleSet, zipcode: str | None) -> TeamChoice:
    if zipcode is None:
        return TeamChoice(None, "the lead has no zipcode")
    team_id = rule_set.team_by_zipcode.get(zipcode)
    if team_id is None:
        return TeamChoice(None, f"no team has the zipcode {zipcode}")
    return TeamChoice(team_id, f"has the zipcode {zipcode}")

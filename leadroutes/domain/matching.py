"""Which route and which team a lead gets, and for each route why not. One function decides and explains.

Rules: a route matches by lead source, contact source, filter, conditions and being active; the first by precedence is
taken.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.condition_fields import is_personal
from leadroutes.domain.condition_words import ERASED, actual_of, expectation
from leadroutes.domain.conditions import Comparison, Failure
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
    for wanted, route in rule_set.routes_by_source.get(facts.lead_source_id or 0, ()):
        # Routes of one source mostly differ in filter and conditions: those are looked at first, without a reason.
        if wanted not in ("", type_) or not (route.conditions is None or route.conditions.hold(facts.named)):
            continue
        if mismatch(route, facts) is None:
            return route
    return None


def route_taken(rule_set: RuleSet, facts: Facts, route_id: int | None) -> Route | None:
    """Returns the route that was taken; `route_id` says which, where facts that decided have been erased."""
    if not facts.is_erased:
        return find_route(rule_set, facts)
    return next((route for route in rule_set.rules.routes if route.id == route_id), None)


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
    failure = route.conditions.first_failure(facts.named) if route.conditions is not None else None
    return _comparison_failed(failure, facts) if failure is not None else None


def _comparison_failed(failure: Failure, facts: Facts) -> Mismatch:
    comparison = failure.comparison
    return Mismatch(comparison.field, expectation(failure), actual_of(facts.named.get(comparison.key)))


def _is_for_another(route: Route, type_: str) -> bool:
    """Whether its filter names another type than this one, which is casefolded."""
    return (route.filter or "").casefold() not in ("", type_)


Result = Literal["matched", "passed over", "failed"]


def consider(
    routes: Iterable[Route], facts: Facts, taken_id: int | None = None
) -> list[tuple[Route, Result, Mismatch | None]]:
    """Returns every route in the order in which routes are tried, with its result.

    `taken_id` is of the route that was taken: it tells what came of conditions whose facts have been erased.
    """
    considered: list[tuple[Route, Result, Mismatch | None]] = []
    is_taken = False
    for route in sorted(routes, key=precedence):
        erased = _erased_comparison(route, facts)
        if erased is not None:
            is_failed = not is_taken and route.id != taken_id
            why_not = Mismatch(erased.field, expectation(Failure(erased, False)), ERASED) if is_failed else None
        else:
            why_not = mismatch(route, facts)
        if why_not is not None:
            considered.append((route, "failed", why_not))
            continue
        considered.append((route, "passed over" if is_taken else "matched", None))
        is_taken = True
    return considered


def _erased_comparison(route: Route, facts: Facts) -> Comparison | None:
    """Returns the first comparison whose fact has been erased, if the route's conditions are what decides about it."""
    if not facts.is_erased or route.conditions is None:
        return None
    if mismatch(replace(route, conditions=None), facts) is not None:
        return None
    return route.conditions.first_of([key for key in facts.named if is_personal(key)])


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

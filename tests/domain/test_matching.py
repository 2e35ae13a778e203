"""Which route a lead gets: a table of routes, leads and what is expected."""

from typing import Any

import pytest

from leadroutes.domain.matching import Mismatch, choose_team, consider, find_route, mismatch
from tests.support.builders import WEBSITE, ZILLOW, facts, ranked, route, rule_set

MISMATCHES: list[tuple[str, dict[str, Any], dict[str, Any], Mismatch | None]] = [
    ("equal sources", {}, {"contact_source_id": 1}, None),
    ("the contact has no source yet", {}, {"contact_source_id": None}, None),
    ("another lead source", {}, {"lead_source_id": WEBSITE}, Mismatch("lead_source_id", ZILLOW, WEBSITE)),
    ("no lead source", {}, {"lead_source_id": None}, Mismatch("lead_source_id", ZILLOW, None)),
    ("another contact source", {}, {"contact_source_id": 2}, Mismatch("contact_source_id", 1, 2)),
    ("the filter in another case", {"filter": "bUYER"}, {}, None),
    ("an empty filter filters nothing", {"filter": ""}, {"type": "Seller"}, None),
    ("another type", {"filter": "Seller"}, {}, Mismatch("filter", "Seller", "Buyer")),
    ("no type", {"filter": "Seller"}, {"type": None}, Mismatch("filter", "Seller", None)),
    ("not active", {"is_active": False}, {}, Mismatch("is_active", True, False)),
]


@pytest.mark.parametrize(
    ("of_route", "of_lead", "expected"), [row[1:] for row in MISMATCHES], ids=[r[0] for r in MISMATCHES]
)
def test_the_first_condition_that_fails_is_named(
    of_route: dict[str, Any], of_lead: dict[str, Any], expected: Mismatch | None
) -> None:
    assert mismatch(route(**of_route), facts(**of_lead)) == expected


PRECEDENCE: list[tuple[str, list[dict[str, Any]], int]] = [
    ("the lowest id", [{"id": 2}, {"id": 1}, {"id": 3}], 1),
    ("one with a filter before one without", [{"id": 1}, {"id": 2, "filter": "Buyer"}], 2),
    ("an empty filter does not count", [{"id": 1}, {"id": 2, "filter": ""}], 1),
    ("priority before a filter", [{"id": 1, "filter": "Buyer", "priority": 1}, {"id": 2}], 2),
    ("a negative priority", [{"id": 1}, {"id": 2, "priority": -1}], 2),
    ("one that is not active is passed by", [{"id": 1, "is_active": False}, {"id": 2}], 2),
]


@pytest.mark.parametrize(("routes", "expected"), [row[1:] for row in PRECEDENCE], ids=[row[0] for row in PRECEDENCE])
def test_of_several_routes_the_first_by_precedence_is_taken(routes: list[dict[str, Any]], expected: int) -> None:
    found = find_route(rule_set(*(route(**each) for each in routes)), facts())
    assert found is not None
    assert found.id == expected


def test_the_explanation_names_the_route_that_matched_and_those_it_went_before() -> None:
    routes = [route(id=1), route(id=2, priority=-1), route(id=3, filter="Seller")]
    results = [(each.id, result) for each, result, _ in consider(routes, facts())]
    assert results == [(2, "matched"), (3, "failed"), (1, "passed over")]


def test_the_decision_and_its_explanation_never_disagree() -> None:
    routes = [route(id=n, priority=n % 3, filter="Buyer" if n % 2 else None, is_active=n != 1) for n in range(1, 9)]
    found = find_route(rule_set(*routes), facts())
    assert found is not None
    assert [each.id for each, result, _ in consider(routes, facts()) if result == "matched"] == [found.id]


TEAMS: list[tuple[str, dict[str, Any], dict[str, Any], tuple[int | None, str]]] = [
    ("named", {}, {}, (10, "named by the route")),
    ("none", {"team_selection_method": None}, {}, (None, "no team selected")),
    ("zipcode", {"team_selection_method": "Zipcode"}, {"zipcode": "80205"}, (11, "has the zipcode 80205")),
    ("an unknown zipcode", {"team_selection_method": "Zipcode"}, {"zipcode": "1"}, (None, "no team has the zipcode 1")),
    ("no zipcode", {"team_selection_method": "Zipcode"}, {"zipcode": None}, (None, "the lead has no zipcode")),
]


@pytest.mark.parametrize(("of_route", "of_lead", "expected"), [row[1:] for row in TEAMS], ids=[row[0] for row in TEAMS])
def test_the_team_is_named_or_found_by_zipcode(
    of_route: dict[str, Any], of_lead: dict[str, Any], expected: tuple[int | None, str]
) -> None:
    zipcodes = ("80205", "80206")
    rules = rule_set(
        ranked(), ranked(id=12, distribution_zipcodes=zipcodes), ranked(id=11, distribution_zipcodes=zipcodes)
    )
    choice = choose_team(rules, route(**of_route), facts(**of_lead))
    assert (choice.team_id, choice.how) == expected

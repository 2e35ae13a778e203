"""Which route a lead gets: a table of routes, leads and what is expected."""

from typing import Any

import pytest

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.matching import Mismatch, choose_team, consider, find_route, mismatch, route_taken
from tests.support.builders import WEBSITE, ZILLOW, facts, ranked, route, rule_set

IS_KNOWN = Conditions.read({"field": "price", "is": "known"})
IS_DEAR = Conditions.read({"all": [IS_KNOWN.given, {"field": "price", "is": "at least", "value": 1_000}]})
IN_STATES = Conditions.read({"not": {"field": "state", "is": "one of", "value": ["CO", "WY"]}})

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
    ("conditions that hold", {"conditions": IS_KNOWN}, {"named": {"price": 1}}, None),
    ("a missing value", {"conditions": IS_DEAR}, {}, Mismatch("price", "known", None)),
    ("a comparison that fails", {"conditions": IS_DEAR}, {"named": {"price": 1}},
     Mismatch("price", "at least 1,000", 1)),
    ("one that should not hold", {"conditions": IN_STATES}, {"named": {"state": "CO"}},
     Mismatch("state", "not CO or WY", "CO")),
    ("a filter is looked at first", {"conditions": IS_DEAR, "filter": "Seller"}, {},
     Mismatch("filter", "Seller", "Buyer")),
    ("not active", {"is_active": False}, {}, Mismatch("is_active", True, False)),
]  # fmt: skip


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
    ("one with conditions before one without", [{"id": 1}, {"id": 2, "conditions": IS_KNOWN}], 2),
    ("conditions count as a filter does", [{"id": 2, "conditions": IS_KNOWN}, {"id": 1, "filter": "Buyer"}], 1),
    ("conditions that do not hold", [{"id": 1}, {"id": 2, "conditions": IS_DEAR}], 1),
    ("one that is not active is passed by", [{"id": 1, "is_active": False}, {"id": 2}], 2),
]


@pytest.mark.parametrize(("routes", "expected"), [row[1:] for row in PRECEDENCE], ids=[row[0] for row in PRECEDENCE])
def test_of_several_routes_the_first_by_precedence_is_taken(routes: list[dict[str, Any]], expected: int) -> None:
    found = find_route(rule_set(*(route(**each) for each in routes)), facts(named={"price": 100}))
    assert found is not None
    assert found.id == expected


def test_the_explanation_names_the_route_that_matched_and_those_it_went_before() -> None:
    routes = [route(id=1), route(id=2, priority=-1), route(id=3, filter="Seller")]
    results = [(each.id, result) for each, result, _ in consider(routes, facts())]
    assert results == [(2, "matched"), (3, "failed"), (1, "passed over")]


@pytest.mark.parametrize("named", [{}, {"price": 1}, {"price": 1_000}])
def test_the_decision_and_its_explanation_never_disagree(named: dict[str, Any]) -> None:
    conditions = (None, IS_KNOWN, IS_DEAR)
    routes = [
        route(id=n, priority=n % 3, filter="Buyer" if n % 2 else None, is_active=n != 1, conditions=conditions[n % 3])
        for n in range(1, 9)
    ]
    found, asked = find_route(rule_set(*routes), facts(named=named)), facts(named=named)
    assert found is not None
    assert [each.id for each, result, _ in consider(routes, asked) if result == "matched"] == [found.id]


def test_what_has_been_erased_is_told_from_the_route_that_was_taken() -> None:
    rules = rule_set(
        route(id=1, conditions=IN_STATES, filter="Seller"), route(id=2, conditions=IN_STATES),
        route(id=3, conditions=IS_DEAR), route(id=4, conditions=IS_DEAR), route(id=5),
    )  # fmt: skip
    erased = facts(named={"price": "erased"}, is_erased=True)
    assert route_taken(rules, erased, 3) == rules.rules.routes[2]
    assert route_taken(rules, erased, None) is None
    results = {each.id: (result, why) for each, result, why in consider(rules.rules.routes[2:], erased, 4)}
    assert results == {
        3: ("failed", Mismatch("price", "known", "erased")), 4: ("matched", None), 5: ("passed over", None),
    }  # fmt: skip
    results = {each.id: result for each, result, _ in consider(rules.rules.routes, erased, 2)}
    assert results == {1: "failed", 2: "matched", 3: "passed over", 4: "passed over", 5: "passed over"}


def test_only_conditions_that_may_be_looked_at_say_what_is_asked_for() -> None:
    rules = rule_set(
        route(id=1, conditions=IS_DEAR), route(id=2, conditions=IN_STATES), route(id=3),
        route(id=4, conditions=IN_STATES, lead_source_id=WEBSITE, is_active=False),
    )  # fmt: skip
    assert rules.named_by_source == {ZILLOW: {"price", "state"}}


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

"""A stored decision made again: what happened to the offers since does not count, and any other byte does."""

from dataclasses import replace as replace_fields
from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.model import Absence, Offer, RuleSet
from leadroutes.domain.replaying import StoredDecision, replay
from leadroutes.domain.rollout import notify_due
from leadroutes.domain.routing import decide
from leadroutes.domain.turns import Turns
from tests.support.builders import ALICE, BOB, CAROL, DAVE, NOON, facts, minutes, ranked, route, rule_set

RULES = rule_set(ranked(BOB, CAROL, order_method="Round Robin"), route(), phone="+13035550100")


def stored(rules: RuleSet = RULES, **changes: Any) -> StoredDecision:
    decision = decide(rules, 5, facts(), NOON, Turns({CAROL: 9}))
    values = {
        "lead_id": 5, "routed_at": NOON, "facts": decision.facts, "team_id": decision.team_id,
        "route_id": decision.route.id if decision.route else None, "offers": decision.change.lead.offers,
    }  # fmt: skip
    return StoredDecision(**values | changes)


def with_offer(place: int, **changes: Any) -> list[Offer]:
    return [replace(each, **changes) if each.place == place else each for each in stored().offers]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"offers": with_offer(0, state="declined", closed_at=minutes(3), reason="not for me")},
        {"offers": with_offer(1, notify_at=minutes(1))},  # the one before was skipped
        {"offers": with_offer(1, notify_at=minutes(70)), "was_given_back": True},
        {"offers": [*stored().offers, Offer(
            user_id=ALICE, team_id=None, place=9, notify_at=NOON, rank=None, assign_automatically=False,
            has_call_alert=False, has_text_alert=True, has_email_alert=True)]},
    ],
)  # fmt: skip
def test_a_decision_is_the_same_again(changes: dict[str, Any]) -> None:
    found = replay(RULES, stored(**changes))
    assert found.again == found.stored
    assert b'"turn":3' in found.stored


def test_a_team_that_has_been_removed_leaves_its_offers_as_they_were() -> None:
    offers = [replace(each, team_id=None, state="withdrawn") for each in stored().offers]
    assert replay(RULES, stored(offers=offers)).is_same
    assert not replay(RULES, stored(offers=offers[:1])).is_same
    assert not replay(RULES, stored(offers=[*offers, replace(offers[0], user_id=DAVE)])).is_same


def test_a_lead_that_waits_for_returns_may_have_been_planned_anew() -> None:
    rules = rule_set(ranked(ALICE, BOB, CAROL, when_nobody_is_available="Hold"), route(), phone="+13035550100")
    off = {
        user_id: Absence(reason="off", available_from=minutes(at), kind="away", timezone="UTC")
        for user_id, at in ((ALICE, 90), (BOB, 60), (CAROL, 30))
    }
    decision = decide(rules, 5, facts(absent=off), NOON)
    assert decision.route is not None
    before = StoredDecision(
        lead_id=5, routed_at=NOON, facts=decision.facts, route_id=decision.route.id, team_id=decision.team_id,
        offers=decision.change.lead.offers,
    )  # fmt: skip
    longer = off | {CAROL: replace(off[CAROL], available_from=minutes(300))}
    later = notify_due(decision.change.lead, longer, minutes(30))
    unknown = {user_id: replace(each, available_from=None) for user_id, each in off.items()}
    for_owner = notify_due(later.lead, unknown, minutes(60))
    changes = {each.user_id: each for each in for_owner.lead.offers}
    offers = [
        replace(  # what the database changes of an offer
            each, state=(now := changes[each.user_id]).state, notify_at=now.notify_at, notified_at=now.notified_at,
            reason=now.reason, has_text_alert=now.has_text_alert, has_email_alert=now.has_email_alert)
        for each in before.offers
    ]  # fmt: skip
    assert {each.user_id: each.state for each in offers} == {ALICE: "notified", BOB: "skipped", CAROL: "skipped"}

    assert replay(rules, before).is_same
    assert replay(rules, replace_fields(before, offers=later.lead.offers)).is_same
    assert replay(rules, replace_fields(before, offers=offers)).is_same
    assert not replay(rules, replace_fields(before, offers=offers[:2])).is_same


@pytest.mark.parametrize(
    "changes",
    [
        {"route_id": 101},
        {"team_id": 11},
        {"facts": replace(stored().facts, turn=BOB)},
        {"facts": replace(stored().facts, heads=(BOB,))},
        {"facts": replace(stored().facts, type="Seller", lead_source_id=7)},
        {"offers": with_offer(1, rank=7)},
        {"offers": with_offer(1, notify_at=minutes(6))},
        {"offers": with_offer(0, assign_automatically=True)},
        {"offers": stored().offers[:1]},
    ],
)
def test_another_byte_is_another_decision(changes: dict[str, Any]) -> None:
    assert not replay(RULES, stored(**changes)).is_same


def test_without_its_facts_no_decision_is_made_again() -> None:
    found = replay(RULES, stored(facts=replace(stored().facts, is_erased=True)))
    assert (found.again, found.is_same) == (None, True)


@pytest.mark.parametrize("rules", [rule_set(), rule_set(route(distribution_target="Myself"))])
def test_leads_that_no_team_is_offered_are_decided_again(rules: RuleSet) -> None:
    assert replay(rules, stored(rules)).is_same

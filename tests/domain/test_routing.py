"""Where a lead goes: line-ups with their moments, what happens when no one fits, and the explanation of it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.model import Decision, Message, RuleSet
from leadroutes.domain.routing import decide, explain, find_turn_team
from leadroutes.domain.turns import Turns
from tests.support.builders import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    NOON,
    facts,
    member,
    minutes,
    offer_of,
    ranked,
    route,
    rule_set,
    states,
    team,
)


def routed(rules: RuleSet, turns: Turns | None = None, **changes: Any) -> Decision:
    return decide(rules, 1, facts(**changes), NOON, turns)


def when(decision: Decision) -> list[tuple[int, float]]:
    """(user, minutes after arrival) in order."""
    offers = sorted(decision.change.lead.offers, key=lambda offer: offer.place)
    return [(offer.user_id, (offer.notify_at - NOON) / timedelta(minutes=1)) for offer in offers]


LINE_UPS: list[tuple[str, Any, list[tuple[int, float]]]] = [
    ("ranks", ranked(BOB, CAROL, DAVE), [(BOB, 0), (CAROL, 5), (DAVE, 10)]),
    (
        "equal ranks are notified together, and the next distinct rank is the next step",
        team(member(BOB, rank=1), member(CAROL, rank=4), member(DAVE, rank=1), member(ERIN, rank=9)),
        [(BOB, 0), (DAVE, 0), (CAROL, 5), (ERIN, 10)],
    ),
    ("zero minutes tell all at once", ranked(BOB, CAROL, mins_until_next_alert=0), [(BOB, 0), (CAROL, 0)]),
    ("one without a rank comes last", team(member(BOB, rank=None), member(CAROL, rank=3)), [(CAROL, 0), (BOB, 5)]),
    (
        "time",
        team(
            member(BOB, mins_until_lead_offer=20),
            member(CAROL, mins_until_lead_offer=0),
            member(DAVE, mins_until_lead_offer=20),
            order_method="Time",
        ),
        [(CAROL, 0), (BOB, 20), (DAVE, 20)],
    ),
    (
        "only accepted members with an option",
        team(
            member(BOB, "Pending"), member(CAROL, "Declined"), replace(member(DAVE), option=None), member(ERIN, rank=2)
        ),
        [(ERIN, 0)],
    ),
]


@pytest.mark.parametrize(("of_team", "expected"), [row[1:] for row in LINE_UPS], ids=[row[0] for row in LINE_UPS])
def test_the_line_up_is_in_order_with_its_moments(of_team: Any, expected: list[tuple[int, float]]) -> None:
    assert when(routed(rule_set(route(), of_team))) == expected


def test_the_first_is_notified_at_once_and_the_others_are_rows_from_the_first_moment_on() -> None:
    decision = routed(rule_set(route(), ranked(BOB, CAROL)))
    assert states(decision.change.lead) == {BOB: "notified", CAROL: "scheduled"}
    assert decision.change.messages == (Message(kind="offer", channel="email", user_id=BOB),)
    assert decision.change.lead.lapses_at == minutes(5 + 15)


def test_an_alert_goes_out_for_each_flag() -> None:
    alerts = {"has_call_alert": True, "has_text_alert": True, "has_email_alert": False}
    decision = routed(rule_set(route(), team(member(BOB, **alerts))))
    assert {message.channel for message in decision.change.messages} == {"call", "text"}


def test_who_is_assigned_automatically_has_it_at_once() -> None:
    decision = routed(rule_set(route(), ranked(BOB, CAROL, mins_until_next_alert=5)))
    assert decision.change.claim is None
    automatic = team(member(BOB, rank=1, assign_automatically=True), member(CAROL, rank=2))
    decision = routed(rule_set(route(), automatic))
    assert decision.change.claim is not None
    assert (decision.change.claim.user_id, decision.change.claim.via) == (BOB, "Auto")
    assert states(decision.change.lead) == {BOB: "won", CAROL: "withdrawn"}
    assert decision.change.messages == (Message(kind="won", channel="email", user_id=BOB),)


def test_the_next_is_notified_at_once_when_the_first_is_not_available() -> None:
    decision = routed(rule_set(route(), ranked(BOB, CAROL, DAVE), inactive=(BOB,)))
    assert states(decision.change.lead) == {BOB: "skipped", CAROL: "notified", DAVE: "scheduled"}
    assert offer_of(decision.change.lead, BOB).reason == "account is inactive"
    assert offer_of(decision.change.lead, CAROL).notify_at == NOON
    assert offer_of(decision.change.lead, DAVE).notify_at == minutes(10), "the others keep their moments"


def test_myself_is_claimed_by_the_owner_at_once_and_notifies_the_owner() -> None:
    decision = routed(rule_set(route(distribution_target="Myself", team_id=None), phone="+13035550101"))
    assert decision.change.claim is not None
    assert (decision.change.claim.user_id, decision.change.claim.via) == (ALICE, "Auto")
    assert {(m.kind, m.channel) for m in decision.change.messages} == {("won", "email"), ("won", "text")}


NOTHING_FITS: list[tuple[str, list[Any], str]] = [
    ("no route", [], "no route matches"),
    ("no team selected", [route(team_selection_method=None), ranked(BOB)], "no team selected"),
    ("an unknown zipcode", [route(team_selection_method="Zipcode"), ranked(BOB)], "no team has the zipcode 80205"),
    ("an empty team", [route(), ranked()], "no member in the team's line-up"),
    ("no one has accepted", [route(), team(member(BOB, "Pending"))], "no member in the team's line-up"),
]


@pytest.mark.parametrize(("parts", "reason"), [row[1:] for row in NOTHING_FITS], ids=[row[0] for row in NOTHING_FITS])
def test_where_nothing_fits_the_owner_gets_the_one_offer_and_the_reason(parts: list[Any], reason: str) -> None:
    decision = routed(rule_set(*parts))
    [offer] = decision.change.lead.offers
    assert (offer.user_id, offer.state, offer.reason, offer.team_id) == (ALICE, "notified", reason, None)
    assert decision.change.claim is None
    assert decision.change.lead.lapses_at == minutes(15)
    assert decision.change.messages == (Message(kind="offer", channel="email", user_id=ALICE),)


def test_where_everybody_is_unavailable_the_owner_gets_the_offer() -> None:
    decision = routed(rule_set(route(), ranked(BOB, CAROL), inactive=(BOB, CAROL)))
    assert states(decision.change.lead) == {BOB: "skipped", CAROL: "skipped", ALICE: "notified"}
    assert offer_of(decision.change.lead, ALICE).reason == "no member of the line-up is available"


def test_a_contact_without_source_is_given_the_routes() -> None:
    rules = rule_set(route(contact_source_id=9), ranked(BOB))
    assert routed(rules).contact_source_id == 9
    assert routed(rules, contact_source_id=9).contact_source_id is None


def test_round_robin_begins_with_whose_turn_it_is_and_goes_on_by_rank() -> None:
    rules = rule_set(route(), ranked(BOB, CAROL, DAVE, order_method="Round Robin"))
    assert find_turn_team(rules, facts()) == 10
    turns = Turns()
    firsts = []
    for _ in range(6):
        decision = routed(rules, turns)
        assert decision.turns is not None
        turns = decision.turns
        firsts.append(when(decision))
    assert firsts[:3] == [
        [(BOB, 0), (CAROL, 5), (DAVE, 10)],
        [(CAROL, 0), (DAVE, 5), (BOB, 10)],
        [(DAVE, 0), (BOB, 5), (CAROL, 10)],
    ]
    assert firsts[3:] == firsts[:3]


def test_round_robin_gives_no_turn_to_who_is_not_available() -> None:
    rules = rule_set(route(), ranked(BOB, CAROL, DAVE, order_method="Round Robin"), inactive=(CAROL,))
    turns = Turns()
    firsts = []
    for _ in range(4):
        decision = routed(rules, turns)
        firsts.append(decision.facts.turn)
        turns = decision.turns or turns
    assert firsts == [BOB, DAVE, BOB, DAVE]


def test_only_round_robin_takes_turns() -> None:
    assert find_turn_team(rule_set(route(), ranked(BOB)), facts()) is None
    assert find_turn_team(rule_set(), facts()) is None
    assert find_turn_team(rule_set(route(distribution_target="Myself")), facts()) is None


# -- why


def test_the_explanation_says_when_each_member_is_notified_or_why_not() -> None:
    rules = rule_set(route(), team(member(BOB, rank=1), member(CAROL, "Pending"), replace(member(DAVE), option=None)))
    decision = routed(rules)
    explained = explain(rules, decision.facts, decision.change.lead.offers)
    assert explained["rule_set"] == 7
    assert explained["team"] == {"id": 10, "how": "named by the route"}
    assert explained["outcome"] == "offered to the team"
    assert {each["user_id"]: (each["state"], each["reason"]) for each in explained["members"]} == {
        BOB: ("notified", None),
        CAROL: (None, "membership request is Pending"),
        DAVE: (None, "no distribution option for this team"),
    }


@pytest.mark.parametrize(("parts", "reason"), [row[1:] for row in NOTHING_FITS], ids=[row[0] for row in NOTHING_FITS])
def test_the_explanation_says_why_nothing_fitted(parts: list[Any], reason: str) -> None:
    rules = rule_set(*parts)
    decision = routed(rules)
    assert explain(rules, decision.facts, decision.change.lead.offers)["outcome"] == f"offered to the owner: {reason}"


def test_the_explanation_names_field_expected_and_actual_of_a_route_that_failed() -> None:
    rules = rule_set(route(id=1, filter="Seller"), route(id=2), ranked(BOB))
    decision = routed(rules)
    assert explain(rules, decision.facts, decision.change.lead.offers)["routes"] == [
        {"id": 1, "result": "failed", "field": "filter", "expected": "Seller", "actual": "Buyer"},
        {"id": 2, "result": "matched", "field": None, "expected": None, "actual": None},
    ]


@pytest.mark.parametrize("order_method", ["Rank", "Round Robin", "Time"])
def test_the_longest_delays_end_with_the_calendar_and_not_with_an_error(order_method: Any) -> None:
    ages = 2**31 - 1
    patient = [
        member(user_id, rank=rank, mins_until_lead_offer=ages) for rank, user_id in enumerate((BOB, CAROL, DAVE))
    ]
    decision = routed(rule_set(route(), team(*patient, order_method=order_method, mins_until_next_alert=ages)))
    assert max(offer.notify_at for offer in decision.change.lead.offers).year >= 6000
    assert decision.change.lead.lapses_at is not None

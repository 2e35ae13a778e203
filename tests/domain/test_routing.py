"""Where a lead goes: line-ups with their moments, what happens when no one fits, and the explanation of it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from leadroutes.domain.model import ORDER_METHODS, Decision, ListingAgent, Message, RuleSet, Standing
from leadroutes.domain.returning import with_agents
from leadroutes.domain.routing import decide, explain, find_team_to_ask, teams_to_lock
from leadroutes.domain.turns import Turns, take_turn
from tests.support.builders import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ERIN,
    NOON,
    WEBSITE,
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
    assert find_team_to_ask(rules, facts()) == 10
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


def locked_for(rules: RuleSet) -> tuple[int, ...]:
    team_id = find_team_to_ask(rules, facts())
    return teams_to_lock(rules, team_id) if team_id is not None else ()


def test_only_teams_that_take_turns_or_count_are_locked() -> None:
    for method in ("Rank", "Time", "Simultaneous"):
        assert locked_for(rule_set(route(), ranked(BOB, order_method=method))) == ()
    for method in ("Round Robin", "Least Loaded", "Longest Idle"):
        assert locked_for(rule_set(route(), ranked(BOB, order_method=method))) == (10,)
    assert locked_for(rule_set()) == ()
    assert locked_for(rule_set(route(distribution_target="Myself"))) == ()


def test_teams_that_share_a_member_are_locked_together() -> None:
    counting = {"order_method": "Least Loaded"}
    teams = [
        ranked(BOB, CAROL, **counting),
        ranked(CAROL, id=11, order_method="Longest Idle"),
        ranked(DAVE, id=12, **counting),
        ranked(BOB, id=13),
    ]
    assert locked_for(rule_set(route(), *teams)) == (10, 11)


METHODS: list[tuple[str, Any, dict[int, Standing], list[tuple[int, float]]]] = [
    (
        "simultaneous: all at once, by rank, whatever the minutes say",
        team(member(BOB, rank=2), member(CAROL, rank=1), member(DAVE, rank=None), order_method="Simultaneous"),
        {},
        [(CAROL, 0), (BOB, 0), (DAVE, 0)],
    ),
    (
        "least loaded: the fewest first, on offer counts as well, the others in order",
        ranked(BOB, CAROL, DAVE, order_method="Least Loaded"),
        {BOB: Standing(2, 0, 1, NOON), CAROL: Standing(0, 3, 3, NOON), DAVE: Standing(1, 0, 2, NOON)},
        [(DAVE, 0), (BOB, 5), (CAROL, 10)],
    ),
    (
        "least loaded: by weight",
        team(member(BOB, rank=1), member(CAROL, rank=2, weight=3), order_method="Least Loaded"),
        {BOB: Standing(1, 0, 1, NOON), CAROL: Standing(2, 0, 2, NOON)},
        [(CAROL, 0), (BOB, 5)],
    ),
    (
        "least loaded: a tie goes to the longest idle",
        team(member(BOB, rank=1), member(CAROL, rank=2, weight=2), member(DAVE, rank=3), order_method="Least Loaded"),
        {BOB: Standing(1, 0, 2, NOON), CAROL: Standing(2, 0, 3, NOON), DAVE: Standing(1, 0, 1, NOON)},
        [(DAVE, 0), (BOB, 5), (CAROL, 10)],
    ),
    (
        "least loaded: then to the rank",
        team(member(BOB, rank=3), member(CAROL, rank=1), member(DAVE, rank=2), order_method="Least Loaded"),
        {},
        [(CAROL, 0), (DAVE, 5), (BOB, 10)],
    ),
    (
        "longest idle: who never had a lead, by rank, then by the last lead",
        ranked(BOB, CAROL, DAVE, ERIN, order_method="Longest Idle"),
        {BOB: Standing(0, 0, 2, NOON), CAROL: Standing(9, 0, 1, NOON), DAVE: Standing(3, 0), ERIN: Standing()},
        [(DAVE, 0), (ERIN, 5), (CAROL, 10), (BOB, 15)],
    ),
    (
        "a weight of 0 comes last",
        team(
            member(BOB, rank=1, weight=0), member(CAROL, rank=2), member(DAVE, rank=3, weight=0),
            order_method="Least Loaded",
        ),
        {CAROL: Standing(7, 7, 1, NOON)},
        [(CAROL, 0), (BOB, 5), (DAVE, 10)],
    ),
    (
        "no weight at all: by rank, whatever they have",
        team(member(BOB, rank=2, weight=0), member(CAROL, rank=1, weight=0), order_method="Longest Idle"),
        {CAROL: Standing(7, 7, 1, NOON)},
        [(CAROL, 0), (BOB, 5)],
    ),
    (
        "a weight of 0 takes no turn",
        team(member(BOB, rank=1, weight=0), member(CAROL, rank=2), order_method="Round Robin"),
        {},
        [(CAROL, 0), (BOB, 5)],
    ),
    (
        "no weight at all: the order of rank without a turn",
        team(member(BOB, rank=2, weight=0), member(CAROL, rank=1, weight=0), order_method="Round Robin"),
        {},
        [(CAROL, 0), (BOB, 5)],
    ),
    (
        "all at once when no minutes are between them, but still with one who is first",
        ranked(BOB, CAROL, order_method="Longest Idle", mins_until_next_alert=0),
        {BOB: Standing(0, 0, 1, NOON)},
        [(CAROL, 0), (BOB, 0)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("of_team", "standings", "expected"), [row[1:] for row in METHODS], ids=[r[0] for r in METHODS]
)
def test_who_is_first_and_in_which_order_the_others_follow(
    of_team: Any, standings: dict[int, Standing], expected: list[tuple[int, float]]
) -> None:
    rules = rule_set(route(), of_team)
    decision = decide(rules, 1, facts(), NOON, None, standings)
    assert when(decision) == expected
    again = decide(rules, 1, decision.facts, NOON)
    assert again.change == decision.change, "the facts have all that the decision depends on"
    if all(option.weight == 0 for each in of_team.members if (option := each.option)):
        assert (decision.facts.turn, decision.turns) == (None, None)


@pytest.mark.parametrize("method", ["Least Loaded", "Longest Idle"])
def test_the_first_who_is_available_is_first_and_who_is_not_stays_in_the_order(method: Any) -> None:
    rules = rule_set(route(), ranked(BOB, CAROL, DAVE, ERIN, order_method=method), inactive=(CAROL, BOB))
    standings = {ERIN: Standing(1, 0, 1, NOON), BOB: Standing(1, 0, 2, NOON)}
    decision = decide(rules, 1, facts(), NOON, None, standings)
    assert when(decision) == [(DAVE, 0), (CAROL, 5), (ERIN, 10), (BOB, 15)]
    assert states(decision.change.lead)[DAVE] == "notified"


@pytest.mark.parametrize("method", ORDER_METHODS)
def test_an_offer_has_a_rank_where_the_rank_decides(method: Any) -> None:
    decision = decide(rule_set(route(), ranked(BOB, CAROL, order_method=method)), 1, facts(), NOON, Turns())
    has_rank = method in ("Rank", "Round Robin", "Simultaneous")
    assert [offer.rank for offer in decision.change.lead.offers] == ([1, 2] if has_rank else [None, None])


def test_all_at_once_no_one_is_first() -> None:
    decision = routed(rule_set(route(), ranked(BOB, CAROL, order_method="Simultaneous")))
    assert [offer.place for offer in decision.change.lead.offers] == [1, 2]
    assert set(states(decision.change.lead).values()) == {"notified"}
    assert decision.change.lead.lapses_at == minutes(15)


HEADS: list[tuple[str, Any, list[tuple[int, float]]]] = [
    ("rank", ranked(BOB, CAROL, DAVE, ERIN), [(DAVE, 0), (BOB, 5), (CAROL, 10), (ERIN, 15)]),
    (
        "rank, with equal ranks and more minutes",
        team(member(BOB, rank=1), member(DAVE, rank=1), member(CAROL, rank=2), member(ERIN, rank=2),
             mins_until_next_alert=20),
        [(DAVE, 0), (BOB, 20), (CAROL, 40), (ERIN, 40)],
    ),
    ("rank, without minutes", ranked(BOB, CAROL, DAVE, mins_until_next_alert=0), [(DAVE, 0), (BOB, 5), (CAROL, 5)]),
    ("rank, with fewer minutes", ranked(BOB, CAROL, DAVE, mins_until_next_alert=2), [(DAVE, 0), (BOB, 5), (CAROL, 7)]),
    (
        "time: own minutes, at least 5",
        team(member(BOB, mins_until_lead_offer=3), member(CAROL, mins_until_lead_offer=30),
             member(DAVE, mins_until_lead_offer=60), order_method="Time"),
        [(DAVE, 0), (BOB, 5), (CAROL, 30)],
    ),
    (
        "simultaneous: all others together after 5",
        ranked(BOB, CAROL, DAVE, order_method="Simultaneous", mins_until_next_alert=60),
        [(DAVE, 0), (BOB, 5), (CAROL, 5)],
    ),
    (
        "round robin: the order of the next turn",
        ranked(BOB, CAROL, DAVE, ERIN, order_method="Round Robin"),
        [(DAVE, 0), (CAROL, 5), (ERIN, 10), (BOB, 15)],
    ),
    (
        "least loaded: the others by what they have",
        ranked(BOB, CAROL, DAVE, ERIN, order_method="Least Loaded"),
        [(DAVE, 0), (CAROL, 5), (ERIN, 10), (BOB, 15)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("of_team", "expected"), [row[1:] for row in HEADS], ids=[row[0] for row in HEADS])
def test_whoever_comes_back_is_offered_to_their_agent_first(of_team: Any, expected: list[tuple[int, float]]) -> None:
    rules = rule_set(route(returning_contact="Same Agent"), of_team)
    _, turns = take_turn([(BOB, 1), (CAROL, 1), (DAVE, 1), (ERIN, 1)], Turns())
    standings = {BOB: Standing(3, 0, 1, NOON), DAVE: Standing(9, 0, 2, NOON)}
    decision = decide(rules, 1, facts(assigned_user_id=DAVE), NOON, turns, standings)
    assert when(decision) == expected
    assert (decision.facts.heads, decision.facts.turn, decision.turns) == ((DAVE,), None, None)
    assert states(decision.change.lead)[DAVE] == "notified"


NO_HEADS: list[tuple[str, dict[str, Any], Any]] = [
    ("the route says route again", {"assigned_user_id": CAROL}, route()),
    ("no one has the contact", {}, route(returning_contact="Same Agent")),
    ("not a member", {"assigned_user_id": ERIN}, route(returning_contact="Same Agent")),
    ("not accepted", {"assigned_user_id": DAVE}, route(returning_contact="Same Agent")),
    ("not available", {"assigned_user_id": CAROL}, route(returning_contact="Same Agent")),
    ("another listing", {"mls_id": "b2"}, route()),
    ("the listing of one who is not available", {"mls_id": "c3"}, route()),
    ("the listing of a stranger", {"mls_id": "e5"}, route()),
]


@pytest.mark.parametrize(("known", "of_route"), [row[1:] for row in NO_HEADS], ids=[row[0] for row in NO_HEADS])
def test_else_the_usual_line_applies(known: dict[str, Any], of_route: Any) -> None:
    of_team = team(member(BOB, rank=2), member(CAROL, rank=1), member(DAVE, "Pending"))
    is_away = (CAROL,) if of_route.returning_contact == "Same Agent" or known.get("mls_id") == "c3" else ()
    rules = with_listings(rule_set(of_route, of_team, inactive=is_away), {"a1": BOB, "c3": CAROL, "e5": ERIN})
    decision = decide(rules, 1, facts(**known), NOON)
    usual = decide(rules, 1, facts(), NOON)
    assert decision.change == usual.change
    assert decision.facts.heads == ()


def with_listings(rules: RuleSet, agents: dict[str, int]) -> RuleSet:
    listed = tuple(ListingAgent(id=user, mls_id=mls_id, user_id=user) for mls_id, user in agents.items())
    return RuleSet(rules.number, replace(rules.rules, listing_agents=listed))


def test_a_listing_goes_to_its_agent_and_then_to_that_of_the_contact() -> None:
    of_team = ranked(BOB, CAROL, DAVE, ERIN)
    again = with_listings(rule_set(route(), of_team), {"a1": DAVE})
    same = with_listings(rule_set(route(returning_contact="Same Agent"), of_team), {"a1": DAVE})
    known = facts(mls_id="a1", assigned_user_id=ERIN)
    assert when(decide(again, 1, known, NOON)) == [(DAVE, 0), (BOB, 5), (CAROL, 10), (ERIN, 15)]
    assert when(decide(same, 1, known, NOON)) == [(DAVE, 0), (ERIN, 5), (BOB, 10), (CAROL, 15)]
    assert decide(same, 1, known, NOON).facts.heads == (DAVE, ERIN)
    assert decide(same, 1, facts(mls_id="a1", assigned_user_id=DAVE), NOON).facts.heads == (DAVE,)


@pytest.mark.parametrize("method", ["Time", "Simultaneous", "Round Robin"])
def test_the_two_agents_come_before_the_others_under_every_method(method: Any) -> None:
    rules = with_listings(
        rule_set(route(returning_contact="Same Agent"), ranked(BOB, CAROL, DAVE, ERIN, order_method=method)),
        {"a1": DAVE},
    )
    decision = decide(rules, 1, facts(mls_id="a1", assigned_user_id=ERIN), NOON, Turns())
    minutes_after = {"Time": [0, 5, 5, 5], "Simultaneous": [0, 5, 5, 5], "Round Robin": [0, 5, 10, 15]}[method]
    assert when(decision) == list(zip((DAVE, ERIN, BOB, CAROL), minutes_after, strict=True))


def test_facts_of_agents_are_stored_only_where_rules_ask_for_them() -> None:
    plain = rule_set(route(), ranked(BOB))
    assert with_agents(plain, facts(), BOB, "A 1") == facts()
    same = with_listings(rule_set(route(returning_contact="Same Agent"), ranked(BOB)), {"a1": BOB})
    assert with_agents(same, facts(), BOB, " A 1") == facts(assigned_user_id=BOB, mls_id="a1")
    assert with_agents(same, facts(), None, " ") == facts()
    assert with_agents(same, facts(lead_source_id=WEBSITE), BOB, None) == facts(lead_source_id=WEBSITE)


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


def test_the_explanation_says_what_was_counted_and_why_someone_was_first() -> None:
    rules = rule_set(
        route(), team(member(BOB), member(CAROL, weight=2), member(DAVE, "Pending"), order_method="Least Loaded")
    )
    decision = decide(rules, 1, facts(), NOON, None, {BOB: Standing(2, 1, 1, NOON), CAROL: Standing(1)})
    explained = explain(rules, decision.facts, decision.change.lead.offers)
    assert {each["user_id"]: each["counted"] for each in explained["members"]} == {
        BOB: {"open_leads": 2, "on_offer": 1, "weight": 1, "last_lead_at": NOON, "text": "2 open leads and 1 on offer"},
        CAROL: {"open_leads": 1, "on_offer": 0, "weight": 2, "last_lead_at": None, "text": "1 open lead"},
        DAVE: None,
    }
    assert first_in(explained) == {CAROL: "fewest open leads for their weight"}


WHY_FIRST: list[tuple[str, Any, dict[str, Any], dict[int, str]]] = [
    ("Rank", route(), {}, {}),
    ("Simultaneous", route(), {}, {}),
    ("Round Robin", route(), {}, {BOB: "whose turn it was"}),
    ("Longest Idle", route(), {}, {BOB: "longest without a lead"}),
    ("Rank", route(returning_contact="Same Agent"), {"assigned_user_id": CAROL},
     {CAROL: "agent of the contact, who comes back"}),
    ("Rank", route(), {"mls_id": "a1"}, {CAROL: "agent of the listing"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "of_route", "known", "expected"), WHY_FIRST)
def test_the_explanation_says_why_someone_was_first(
    method: Any, of_route: Any, known: dict[str, Any], expected: dict[int, str]
) -> None:
    rules = with_listings(rule_set(of_route, ranked(BOB, CAROL, order_method=method)), {"a1": CAROL})
    decision = decide(rules, 1, facts(**known), NOON, Turns())
    assert first_in(explain(rules, decision.facts, decision.change.lead.offers)) == expected


def first_in(explained: dict[str, Any]) -> dict[int, str]:
    """Who is said to have been first in line, and why."""
    return {each["user_id"]: each["first"] for each in explained["members"] if each["first"]}


@pytest.mark.parametrize("order_method", ORDER_METHODS)
def test_the_longest_delays_end_with_the_calendar_and_not_with_an_error(order_method: Any) -> None:
    ages = 2**31 - 1
    patient = [
        member(user_id, rank=rank, mins_until_lead_offer=ages) for rank, user_id in enumerate((BOB, CAROL, DAVE))
    ]
    of_team = team(*patient, order_method=order_method, mins_until_next_alert=ages)
    rules = rule_set(route(returning_contact="Same Agent"), of_team)
    for known in ({}, {"assigned_user_id": DAVE}):
        decision = decide(rules, 1, facts(**known), NOON, Turns())
        if order_method != "Simultaneous":
            assert max(offer.notify_at for offer in decision.change.lead.offers).year >= 6000
        assert decision.change.lead.lapses_at is not None

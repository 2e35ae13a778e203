"""What a batch remembers of how rollouts began changes no decision, whatever happens between two of its leads."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from leadroutes.domain.availability import Attendance, Presence
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.model import (
    COUNTING_METHODS,
    ORDER_METHODS,
    WHEN_NOBODY,
    Absence,
    Decision,
    Facts,
    ListingAgent,
    RuleSet,
    Standing,
    Team,
)
from leadroutes.domain.routing import decide, find_team_to_ask
from leadroutes.domain.standings import Standings, note_lead
from leadroutes.domain.started_rollouts import StartedRollouts
from leadroutes.domain.turns import Turns
from leadroutes.domain.workloads import NO_LEADS, Workload
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
    ranked,
    route,
    rule_set,
    team,
)
from tests.support.examples import examples

MEMBERS = (BOB, CAROL, DAVE, ERIN)
AWAY = Absence(reason="off", available_from=minutes(30), kind="away")
IS_DEAR = Conditions.read({"field": "price", "is": "at least", "value": 300_000})
# By Denver's clock it is 05:00 at NOON, a Tuesday: inside, before and after these hours within minutes.
HOURS: tuple[Any, ...] = (
    None,
    {},
    {"tuesday": [["04:00", "05:01"]]},
    {"tuesday": [["05:02", "09:00"]]},
    {"tuesday": [["05:00", "06:00"]]},
)


def some_team(chance: Random, team_id: int) -> Team:
    members = [
        member(
            user_id,
            chance.choice(["Accepted"] * 5 + ["Pending"]),
            rank=chance.choice([None, 1, 1, 2, 3]),
            mins_until_lead_offer=chance.choice([0, 0, 5, 2**31 - 1]),
            assign_automatically=chance.random() < 0.2,
            weight=chance.randint(0, 2),
            is_paused=(is_paused := chance.random() < 0.2),
            paused_until=minutes(chance.choice([1, 3])) if is_paused and chance.random() < 0.8 else None,
            max_open_leads=chance.choice([None, None, 2]),
            max_leads_per_day=chance.choice([None, 1, 3]),
            has_text_alert=chance.random() < 0.3,
        )
        for user_id in chance.sample((ALICE, *MEMBERS), chance.randint(1, 4))
    ]
    return team(
        *members,
        id=team_id,
        order_method=chance.choice(ORDER_METHODS),
        mins_until_next_alert=chance.choice([0, 5, 30]),
        offer_mode=chance.choice(["Cumulative", "Exclusive"]),
        when_nobody_is_available=chance.choice(WHEN_NOBODY),
        distribution_zipcodes=("80205",) if team_id == 11 else (),
    )


def some_rules(chance: Random) -> RuleSet:
    """Two teams that share members, three routes of one source, and agents of listings."""
    rules = rule_set(
        route(id=1, priority=0, filter=chance.choice([None, "Seller"]), team_selection_method="Zipcode"),
        route(id=2, priority=1, conditions=chance.choice([None, IS_DEAR])),
        route(id=3, priority=2, team_id=11, returning_contact=chance.choice(["Route Again", "Same Agent"])),
        some_team(chance, 10),
        some_team(chance, 11),
        inactive=tuple(each for each in MEMBERS if chance.random() < 0.1),
        phone=chance.choice([None, "+13035550100"]),
    ).rules
    agents = tuple(ListingAgent(id=each, mls_id=f"a{each}", user_id=each) for each in MEMBERS)
    people = {user_id: replace(each, may_be_away=True) for user_id, each in rules.people.items()}
    return RuleSet(7, replace(rules, people=people, listing_agents=agents))


def changed_rules(chance: Random, rules: RuleSet) -> RuleSet:
    """Other rules, or the same but for something that no line-up shows."""
    team_10 = rules.rules.teams[10]
    other = chance.choice(
        [
            {"offer_mode": "Exclusive"},
            {"when_nobody_is_available": "Hold"},
            {"mins_until_next_alert": 15},
            None,
        ]
    )
    if other is None:
        return some_rules(chance)
    return RuleSet(8, replace(rules.rules, teams={**rules.rules.teams, 10: replace(team_10, **other)}))


def some_facts(chance: Random) -> Facts:
    return facts(
        type=chance.choice(["Buyer", "Seller"]),
        zipcode=chance.choice(["80205", "99999", None]),
        named=chance.choice([{}, {"price": 1}, {"price": 400_000}]),
        mls_id=chance.choice([None] * 4 + ["a2", "a4"]),
        assigned_user_id=chance.choice([None] * 3 + [BOB, ERIN]),
    )


@dataclass
class Batch:
    """Decides leads in order as a batch does, each once more without what was remembered."""

    rules: RuleSet
    presences: dict[int, Presence]
    workloads: dict[int, Workload]
    started: StartedRollouts = field(default_factory=StartedRollouts)
    turns: dict[int, Turns] = field(default_factory=dict)
    standings: Standings = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.begin(0)

    def begin(self, at: float) -> None:
        """A moment, at which availability is read; the real batch has only one."""
        self.now = minutes(at)
        self.attendance = Attendance(self.rules, self.now, self.presences, self.workloads)

    def decide(self, of_lead: Facts) -> Decision:
        self.count += 1
        team_id = find_team_to_ask(self.rules, of_lead)
        of_lead = replace(of_lead, absent=self.attendance.absences(team_id))
        turns = self.turns.get(team_id or 0)
        alone = decide(self.rules, self.count, of_lead, self.now, turns, dict(self.standings))
        decision = decide(self.rules, self.count, of_lead, self.now, turns, dict(self.standings), self.started)
        assert decision == alone
        assert msgspec.json.encode(written(decision)) == msgspec.json.encode(written(alone)), "to the letter"
        self._note(team_id, decision)
        return decision

    def _note(self, team_id: int | None, decision: Decision) -> None:
        if team_id is not None and decision.turns is not None:
            self.turns[team_id] = decision.turns
        note_lead(self.standings, decision.change.lead, self.now)
        if decision.change.claim is not None:
            user_id = decision.change.claim.user_id
            self.workloads[user_id] = self.workloads[user_id].with_lead(self.now)
            self.attendance.note_lead(user_id)


def written(decision: Decision) -> dict[str, Any]:
    """Everything of a decision as JSON has it; the route is one of the rule set's."""
    return {**msgspec.structs.asdict(decision), "route": decision.route and decision.route.id}


def some_batch(chance: Random) -> Batch:
    hours = {user_id: chance.choice(HOURS) for user_id in (ALICE, *MEMBERS)}
    presences = {
        user_id: Presence(timezone="America/Denver", weekly_hours=None if each is None else json.dumps(each))
        for user_id, each in hours.items()
    }
    standings = {user_id: Standing(chance.randint(0, 2), 0, user_id) for user_id in (ALICE, *MEMBERS)}
    return Batch(some_rules(chance), presences, dict.fromkeys((ALICE, *MEMBERS), NO_LEADS), standings=standings)


@settings(max_examples=examples(100), deadline=None)
@given(st.randoms(use_true_random=False))
def test_decisions_are_the_same_with_and_without_what_a_batch_remembers(chance: Random) -> None:
    """Between two leads the clock may move, over the ends of hours and pauses, and the rules may change."""
    batch = some_batch(chance)
    for _ in range(chance.randint(2, 12)):
        match chance.choice(["next"] * 4 + ["clock", "rules"]):
            case "clock":
                batch.begin(chance.choice([0, 0.5, 1, 2, 3]))
            case "rules":
                batch.rules = changed_rules(chance, batch.rules)
                batch.begin((batch.now - NOON) / timedelta(minutes=1))
        batch.decide(some_facts(chance))


# -- what is used again, and what is not


def decided_twice(before: RuleSet, after: RuleSet, first: dict[str, Any], second: dict[str, Any]) -> list[Decision]:
    """Two leads, each with the arguments of `decide` that are not usual, by rules before and after a change."""
    started = StartedRollouts()
    usual = {"facts": facts(), "now": NOON, "turns": None, "standings": None}
    return [
        decide(rules, lead_id, **{**usual, **arguments}, started=started)
        for lead_id, (rules, arguments) in enumerate(((before, first), (after, second)), 1)
    ]


BY_RANK = rule_set(route(), ranked(BOB, CAROL, DAVE))
IN_TURN = rule_set(route(), ranked(BOB, CAROL, DAVE, order_method="Round Robin"))


@pytest.mark.parametrize(
    ("rules", "arguments"),
    [
        (BY_RANK, {}),
        (BY_RANK, {"facts": facts(absent={BOB: AWAY})}),
        (IN_TURN, {"turns": Turns()}),
        (rule_set(route(), ranked(BOB, CAROL, order_method="Least Loaded")), {"standings": {BOB: Standing(1)}}),
        (rule_set(route(returning_contact="Same Agent"), ranked(BOB, CAROL)), {"facts": facts(assigned_user_id=CAROL)}),
    ],
)
def test_leads_of_a_batch_that_begin_in_the_same_way_differ_in_nothing_but_their_ids(
    rules: RuleSet, arguments: dict[str, Any]
) -> None:
    first, second = decided_twice(rules, rules, arguments, arguments)
    assert second.change.offers is first.change.offers, "it was worked out once"
    assert (first.change.lead.id, second.change.lead.id) == (1, 2)
    assert replace(second.change.lead, id=1) == first.change.lead
    assert replace(second.change, lead=first.change.lead) == first.change


DIFFERENCES: list[tuple[Any, ...]] = [  # name, rules before and after, what is unusual of the first and the second
    ("another moment", BY_RANK, BY_RANK, {}, {"now": minutes(0.001)}),
    ("a cap that is reached", BY_RANK, BY_RANK, {}, {"facts": facts(absent={BOB: AWAY})}),
    (
        "the same members, away for longer", BY_RANK, BY_RANK, {"facts": facts(absent={BOB: AWAY})},
        {"facts": facts(absent={BOB: replace(AWAY, available_from=minutes(31))})},
    ),
    ("the next turn", IN_TURN, IN_TURN, {"turns": Turns()}, {"turns": Turns({BOB: -2, CAROL: 1, DAVE: 1})}),
    (
        "a lead that someone has got", *[rule_set(route(), ranked(BOB, CAROL, DAVE, order_method="Least Loaded"))] * 2,
        {}, {"standings": {CAROL: Standing(1)}},
    ),
    (
        "an agent before the usual line, who is first in it as well",
        *[rule_set(route(returning_contact="Same Agent"), ranked(BOB, CAROL, mins_until_next_alert=1))] * 2,
        {}, {"facts": facts(assigned_user_id=BOB)},
    ),
    ("another step", BY_RANK, rule_set(route(), ranked(BOB, CAROL, DAVE, mins_until_next_alert=6)), {}, {}),
    ("another mode", BY_RANK, rule_set(route(), ranked(BOB, CAROL, DAVE, offer_mode="Exclusive")), {}, {}),
    ("an account that was closed", BY_RANK, rule_set(route(), ranked(BOB, CAROL, DAVE), inactive=(BOB,)), {}, {}),
]  # fmt: skip


@pytest.mark.parametrize("difference", DIFFERENCES, ids=[row[0] for row in DIFFERENCES])
def test_nothing_is_used_again_after_a_difference(difference: Any) -> None:
    _, before, after, arguments, others = difference
    _, second = decided_twice(before, after, arguments, others)
    [alone] = decided_twice(after, after, others, others)[:1]
    assert replace(second.change, lead=replace(second.change.lead, id=1)) == alone.change
    [unchanged] = decided_twice(before, before, arguments, arguments)[:1]
    assert alone.change != unchanged.change, "the difference makes one"


def test_who_is_away_is_remembered_as_it_was() -> None:
    """Also where the caller goes on to use the same mapping."""
    absent, started = {CAROL: AWAY}, StartedRollouts()
    before = decide(BY_RANK, 1, facts(absent=absent), NOON, started=started)
    absent[BOB] = AWAY
    after = decide(BY_RANK, 1, facts(absent=absent), NOON, started=started)
    assert after.change == decide(BY_RANK, 1, facts(absent=absent), NOON).change != before.change


def test_as_many_beginnings_are_remembered_as_members_can_be_first() -> None:
    started = StartedRollouts()
    for method in ORDER_METHODS:
        rules, turns = rule_set(route(), ranked(*MEMBERS, order_method=method)), Turns()
        standings: Standings = dict.fromkeys(MEMBERS, Standing()) if method in COUNTING_METHODS else {}
        for number in range(40):
            away = {MEMBERS[number % 3]: AWAY} if number % 2 else {}
            decision = decide(rules, number, facts(absent=away), minutes(number // 8), turns, standings, started)
            turns = decision.turns or turns
            note_lead(standings, decision.change.lead, NOON)
    assert len(started._latest) <= len(MEMBERS)

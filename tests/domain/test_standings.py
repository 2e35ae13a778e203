"""Least Loaded and Longest Idle: what is compared of members, and that every decision sees those before it."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from leadroutes.domain.model import RuleSet, Standing
from leadroutes.domain.routing import decide
from leadroutes.domain.standings import FirstOffers, Standings, note_lead, standing_in_words, standings_of
from leadroutes.domain.workloads import Workload
from tests.support.builders import BOB, CAROL, DAVE, ERIN, NOON, facts, member, minutes, route, rule_set, team
from tests.support.examples import examples


def test_the_last_lead_is_the_later_one_of_what_a_member_got_and_what_is_on_offer() -> None:
    workloads = {
        BOB: Workload(open_leads=2, last_lead_at=minutes(30), last_event_id=9),
        CAROL: Workload(last_lead_at=minutes(10), last_event_id=7),
        ERIN: Workload(open_leads=1),
    }
    offers = {
        BOB: FirstOffers(on_offer=1, last_at=minutes(20), last_id=3),
        CAROL: FirstOffers(on_offer=2, last_at=minutes(50), last_id=4),
    }
    assert standings_of((BOB, CAROL, DAVE, ERIN), workloads, offers) == {
        BOB: Standing(2, 1, 1, minutes(30)),
        CAROL: Standing(0, 2, 2, minutes(50)),
        DAVE: Standing(),
        ERIN: Standing(1, 0, 0, None),
    }


ORDERS: list[tuple[str, dict[int, tuple[int, float]], list[int]]] = [
    ("of one moment, the larger id came later", {BOB: (9, 0), CAROL: (8, 0), DAVE: (10, 0)}, [CAROL, BOB, DAVE]),
    ("a transaction may have waited for one that began later", {BOB: (1, 0.2), CAROL: (2, 0.1)}, [BOB, CAROL]),
    ("an offer that was made again is as late", {BOB: (1, 60), CAROL: (2, 10), DAVE: (3, 20)}, [CAROL, DAVE, BOB]),
]  # fmt: skip


@pytest.mark.parametrize(("last", "expected"), [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])
def test_the_order_of_the_last_leads(last: dict[int, tuple[int, float]], expected: list[int]) -> None:
    offers = {each: FirstOffers(on_offer=1, last_at=minutes(at), last_id=id_) for each, (id_, at) in last.items()}
    claims = {each: Workload(last_lead_at=minutes(at), last_event_id=id_) for each, (id_, at) in last.items()}
    for found in (standings_of(last, {}, offers), standings_of(last, claims, {})):
        assert sorted(found, key=lambda each: found[each].last_place) == expected
        assert [found[each].last_place for each in expected] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(), "0 open leads"),
        (Standing(1), "1 open lead"),
        (Standing(1_200, 3), "1,200 open leads and 3 on offer"),
    ],
)
def test_in_words(standing: Standing, words: str) -> None:
    assert standing_in_words(standing) == words


def batch(rules: RuleSet, count: int, standings: Standings) -> list[int]:
    """Who is first in line for each of so many leads that come at once."""
    firsts = []
    for number in range(count):
        lead = decide(rules, number, facts(), NOON, None, standings).change.lead
        note_lead(standings, lead, NOON)
        firsts.append(next(offer.user_id for offer in lead.offers if offer.place == 0))
    return firsts


WEIGHTS = st.dictionaries(st.integers(2, 12), st.integers(1, 5), min_size=1, max_size=8)


@settings(max_examples=examples(150))
@given(WEIGHTS, st.integers(1, 60), st.booleans())
def test_leads_at_once_are_shared_by_weight(weights: dict[int, int], count: int, is_automatic: bool) -> None:
    """No one has more than one lead more than what another one has for the same weight."""
    of_team = team(
        *(member(each, weight=weight, assign_automatically=is_automatic) for each, weight in weights.items()),
        order_method="Least Loaded",
    )
    standings = dict.fromkeys(weights, Standing())
    got = Counter(batch(people(rule_set(route(), of_team), weights), count, standings))
    assert all((got[a] - 1) / weights[a] <= got[b] / weights[b] for a in weights for b in weights)
    assert {each: standing.load for each, standing in standings.items()} == {each: got[each] for each in weights}


@settings(max_examples=examples(150))
@given(st.lists(st.sampled_from([BOB, CAROL, DAVE, ERIN]), min_size=1, max_size=4, unique=True), st.integers(1, 40))
def test_the_longest_idle_take_one_after_the_other(members: list[int], count: int) -> None:
    of_team = team(*(member(each) for each in members), order_method="Longest Idle")
    firsts = batch(rule_set(route(), of_team), count, dict.fromkeys(members, Standing()))
    shares = Counter(firsts)
    assert max(shares[each] for each in members) - min(shares[each] for each in members) <= 1
    assert len(members) == 1 or all(a != b for a, b in pairwise(firsts))


def test_a_hundred_leads_at_once_to_ten_idle_members_are_ten_each() -> None:
    weights = dict.fromkeys(range(2, 12), 1)
    of_team = team(*(member(each) for each in weights), order_method="Least Loaded")
    got = Counter(batch(people(rule_set(route(), of_team), weights), 100, dict.fromkeys(weights, Standing())))
    assert set(got.values()) == {10}


def people(rules: RuleSet, user_ids: Iterable[int]) -> RuleSet:
    """The rules with these users beside the cast."""
    known = dict(rules.rules.people)
    return RuleSet(rules.number, replace(rules.rules, people=dict.fromkeys(user_ids, known[BOB]) | known))


def test_a_lead_that_someone_else_has_counts_for_them_and_not_for_who_was_first() -> None:
    of_team = team(member(BOB), member(CAROL, assign_automatically=True), order_method="Rank")
    rules = rule_set(route(), of_team)
    standings = {BOB: Standing(), CAROL: Standing()}
    lead = decide(rules, 1, facts(), NOON).change.lead
    assert lead.claim is not None, "equal ranks fall due together"
    note_lead(standings, lead, NOON + timedelta(minutes=1))
    assert standings == {BOB: Standing(), CAROL: Standing(1, 0, 1, minutes(1))}

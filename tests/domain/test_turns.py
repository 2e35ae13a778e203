"""Turns are shared by weight, smoothly, whoever is away for a while."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.turns import Candidates, Turns, take_turn
from tests.support.examples import examples

NOBODY_YET = Turns()


def _take(candidates: Candidates, count: int, turns: Turns = NOBODY_YET) -> list[int]:
    taken = []
    for _ in range(count):
        first, turns = take_turn(candidates, turns)
        assert first is not None
        taken.append(first)
    return taken


def test_weights_share_turns_smoothly_and_not_in_a_row() -> None:
    assert _take([(1, 5), (2, 1), (3, 1)], 7) == [1, 1, 2, 1, 3, 1, 1]


@given(st.integers(2, 12), st.integers(1, 200))
def test_turns_of_equal_weight_never_differ_by_more_than_one(members: int, count: int) -> None:
    turns = Counter(_take([(user_id, 1) for user_id in range(members)], count))
    shares = [turns[user_id] for user_id in range(members)]
    assert max(shares) - min(shares) <= 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_after_a_whole_round_every_member_has_had_exactly_their_weight(weights: list[int]) -> None:
    turns = Counter(_take(list(enumerate(weights)), sum(weights)))
    assert turns == Counter(dict(enumerate(weights)))


def test_no_one_catches_up_after_a_pause() -> None:
    everybody, without_two = [(1, 1), (2, 1), (3, 1)], [(1, 1), (3, 1)]
    turns = Turns()
    for _ in range(30):
        _, turns = take_turn(without_two, turns)
    back = Counter(_take(everybody, 30, turns))
    assert max(back.values()) - min(back.values()) <= 1


@settings(max_examples=examples(500))
@given(st.lists(st.sets(st.integers(1, 5), min_size=1), max_size=60), st.integers(1, 60))
def test_with_all_present_again_turns_are_equal_whatever_pauses_went_before(pauses: list[set[int]], count: int) -> None:
    turns = Turns()
    for present in pauses:
        _, turns = take_turn([(user_id, 1) for user_id in sorted(present)], turns)
    shares = Counter(_take([(user_id, 1) for user_id in range(1, 6)], count, turns))
    assert max(shares[user_id] for user_id in range(1, 6)) - min(shares[user_id] for user_id in range(1, 6)) <= 1


MEMBERS = st.dictionaries(st.integers(1, 6), st.integers(0, 4), min_size=1, max_size=6)
SEQUENCES = st.lists(st.tuples(MEMBERS, st.integers(1, 12)), min_size=1, max_size=25)
EQUAL = st.lists(st.tuples(st.permutations(range(1, 7)), st.integers(1, 6), st.integers(1, 8)), min_size=1, max_size=25)


def differences(taken: list[int], a: int, b: int) -> int:
    """How far the turns of two members differ at most within any part of what was taken."""
    balance = [0]
    for user_id in taken:
        balance.append(balance[-1] + (user_id == a) - (user_id == b))
    return max(balance) - min(balance)


@settings(max_examples=examples(600))
@given(SEQUENCES)
def test_in_every_stretch_turns_of_equal_weight_differ_by_one_at_most(
    sequence: list[tuple[dict[int, int], int]],
) -> None:
    """Whoever joins, leaves, pauses or gets another weight in between, and in whichever order they are ranked."""
    turns, stretch, taken = Turns(), {}, list[int]()
    for weights, count in sequence:
        weighted = {user_id: weight for user_id, weight in weights.items() if weight}
        if weighted != stretch:
            stretch, taken = weighted, []
        for _ in range(count):
            first, turns = take_turn(list(weights.items()), turns)
            if not weighted:
                assert first is None
                continue
            assert first in weighted
            taken.append(first)
        for (a, weight), (b, other) in combinations(weighted.items(), 2):
            assert weight != other or differences(taken, a, b) <= 1


@settings(max_examples=examples(600))
@given(EQUAL)
def test_two_who_are_there_alternate_whoever_else_comes_and_goes(sequence: list[tuple[list[int], int, int]]) -> None:
    """Members of equal weight. So no one is first twice in a row because someone paused, joined or left."""
    turns, taken = Turns(), list[tuple[int, set[int]]]()
    for order, present, count in sequence:
        for _ in range(count):
            first, turns = take_turn([(user_id, 1) for user_id in order[:present]], turns)
            assert first is not None
            taken.append((first, set(order[:present])))
    for a in range(1, 7):
        for b in range(1, 7):
            both = [first if {a, b} <= present else 0 for first, present in taken]
            together = "".join("ab"[first == b] if first in (a, b) else " " if first == 0 else "" for first in both)
            assert a == b or "aa" not in together


def test_joining_and_leaving_reset_no_one() -> None:
    """A third member comes and goes after each turn; the other two go on in turn, by their weights."""
    for weights, third in (((1, 1), 1), ((2, 1), 1), ((2, 1), 5)):
        two = list(enumerate(weights, 1))
        turns, firsts = Turns(), []
        for number in range(400):
            first, turns = take_turn([*two, (3, third)] if number % 2 else two, turns)
            firsts.append(first)
        shares = Counter(firsts)
        assert abs(shares[1] / weights[0] - shares[2] / weights[1]) <= 2
        assert shares[3] > 0


def test_a_weight_of_0_takes_no_turn_and_without_any_weight_no_turn_is_taken() -> None:
    assert set(_take([(1, 0), (2, 1), (3, 2)], 30)) == {2, 3}
    turns = Turns({1: 1, 2: -1}, (1, 2), (1, 1), (1, 2))
    assert take_turn([(1, 0), (2, 0)], turns) == (None, turns)


def test_turns_that_were_stored_without_weights_go_on() -> None:
    """As the version before stores them."""
    turns = Turns({1: -2, 2: 1, 3: 1}, (1, 2, 3))
    assert _take([(1, 1), (2, 1), (3, 1)], 4, turns) == [2, 3, 1, 2]


@pytest.mark.parametrize("stretch", [1, 2, 3, 5, 10, 50])
def test_who_has_a_small_weight_has_turns_however_often_others_come_and_go(stretch: int) -> None:
    """The third is there in every other stretch."""
    turns, taken, due = Turns(), Counter[int | None](), 0.0
    for number in range(8_000):
        others = [(2, 100), (3, 100)] if number // stretch % 2 else [(2, 100)]
        first, turns = take_turn([(1, 1), *others], turns)
        taken[first] += 1
        due += 1 / (1 + 100 * len(others))
    assert due * 0.8 < taken[1] < due * 1.3

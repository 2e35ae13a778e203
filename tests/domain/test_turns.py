"""Turns are shared by weight, smoothly, whoever is away for a while."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.domain.turns import Turns, take_turn
from tests.support.examples import examples

NOBODY_YET = Turns()


def _take(candidates: list[tuple[int, int]], count: int, turns: Turns = NOBODY_YET) -> list[int]:
    taken = []
    for _ in range(count):
        first, turns = take_turn(candidates, turns)
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

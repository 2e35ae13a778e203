"""Turns are shared by weight, smoothly, whoever is away for a while."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.turns import take_turn


def _take(candidates: list[tuple[int, int]], count: int, credits_: dict[int, int] | None = None) -> list[int]:
    taken, credits_ = [], dict(credits_ or {})
    for _ in range(count):
        first, credits_ = take_turn(candidates, credits_)
        taken.append(first)
    return taken


def test_weights_share_turns_smoothly_and_not_in_a_row() -> None:
    assert _take([(1, 5), (2, 1), (3, 1)], 7) == [1, 1, 2, 1, 3, 1, 1]


@given(st.integers(2, 12), st.integers(1, 200))
def test_turns_of_equal_weight_never_differ_by_more_than_one(members: int, count: int) -> None:
    turns = Counter(dict.fromkeys(range(members), 0)) + Counter()
    turns.update(_take([(user_id, 1) for user_id in range(members)], count))
    shares = [turns[user_id] for user_id in range(members)]
    assert max(shares) - min(shares) <= 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_after_a_whole_round_everybody_has_had_exactly_his_weight(weights: list[int]) -> None:
    turns = Counter(_take(list(enumerate(weights)), sum(weights)))
    assert turns == Counter(dict(enumerate(weights)))


def test_nobody_catches_up_after_a_pause() -> None:
    everybody, without_two = [(1, 1), (2, 1), (3, 1)], [(1, 1), (3, 1)]
    credits_: dict[int, int] = {}
    for _ in range(30):
        _, credits_ = take_turn(without_two, credits_)
    back = Counter(_take(everybody, 30, credits_))
    assert max(back.values()) - min(back.values()) <= 1


@given(st.lists(st.sets(st.integers(1, 5), min_size=1), max_size=60), st.integers(1, 60))
def test_with_all_present_again_turns_are_equal_whatever_pauses_went_before(pauses: list[set[int]], count: int) -> None:
    credits_: dict[int, int] = {}
    for present in pauses:
        _, credits_ = take_turn([(user_id, 1) for user_id in sorted(present)], credits_)
    turns = Counter(_take([(user_id, 1) for user_id in range(1, 6)], count, credits_))
    shares = [turns[user_id] for user_id in range(1, 6)]
    assert max(shares) - min(shares) <= 1

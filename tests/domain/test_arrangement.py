"""Moving members within a line-up: alone, together, and to where they are dragged."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.arrangement import grouped, joined, moved_down, moved_up, placed

LINE_UP = [[1], [2, 3], [4]]


def test_equal_ranks_are_a_group() -> None:
    assert grouped([(1, 7), (2, 8), (2, 9), (4, 5), (None, 1), (None, 2)]) == [[7], [8, 9], [5], [1, 2]]
    assert grouped([]) == []


@pytest.mark.parametrize(
    ("move", "id_", "after"),
    [
        (moved_up, 1, [[1], [2, 3], [4]]),
        (moved_up, 4, [[1], [4], [2, 3]]),
        (moved_up, 3, [[1], [3], [2], [4]]),
        (moved_up, 2, [[1], [2], [3], [4]]),
        (moved_down, 4, [[1], [2, 3], [4]]),
        (moved_down, 1, [[2, 3], [1], [4]]),
        (moved_down, 2, [[1], [3], [2], [4]]),
        (moved_down, 3, [[1], [2], [3], [4]]),
        (joined, 1, [[1], [2, 3], [4]]),
        (joined, 2, [[1, 2], [3], [4]]),
        (joined, 4, [[1], [2, 3, 4]]),
    ],
)
def test_a_member_moves_by_one(move, id_: int, after: list[list[int]]) -> None:
    assert move(LINE_UP, id_) == after


@pytest.mark.parametrize(
    ("id_", "place", "after"),
    [
        (4, 0, [[4], [1], [2, 3]]),
        (4, 1, [[1], [4], [2, 3]]),
        (4, 2, [[1], [2, 4, 3]]),
        (4, 3, [[1], [2, 3], [4]]),
        (1, 3, [[2, 3], [4], [1]]),
        (1, 99, [[2, 3], [4], [1]]),
        (2, 1, [[1], [2], [3], [4]]),
    ],
)
def test_a_member_is_dragged_to_a_place(id_: int, place: int, after: list[list[int]]) -> None:
    assert placed(LINE_UP, id_, place) == after


@pytest.mark.parametrize("move", [moved_up, moved_down, joined, lambda groups, id_: placed(groups, id_, 0)])
def test_who_is_not_there_cannot_move(move) -> None:
    with pytest.raises(ValueError, match="not in the line-up"):
        move(LINE_UP, 5)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.data())
def test_no_move_loses_or_doubles_a_member(ranks: list[int], data: st.DataObject) -> None:
    groups = grouped(sorted(zip(ranks, range(len(ranks)), strict=True)))
    before = [list(group) for group in groups]
    id_, place = data.draw(st.sampled_from(range(len(ranks)))), data.draw(st.integers(0, 9))
    for after in (moved_up(groups, id_), moved_down(groups, id_), joined(groups, id_), placed(groups, id_, place)):
        assert sorted(chain.from_iterable(after)) == list(range(len(ranks)))
        assert all(after)
    assert groups == before

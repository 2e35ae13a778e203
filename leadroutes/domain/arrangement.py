"""Moves one member within the line-up of a team, or one record within a list. A group is a rank: notified together.

Every function returns a new order and changes none. A member who is not in the line-up raises ValueError.
"""

from collections.abc import Iterable, Sequence

Groups = list[list[int]]


def grouped(ranked: Iterable[tuple[int | None, int]]) -> Groups:
    """Returns ids by equal rank, in the order in which (rank, id) are given."""
    groups: Groups = []
    last: object = groups  # equal to no rank
    for rank, id_ in ranked:
        if rank == last:
            groups[-1].append(id_)
        else:
            groups.append([id_])
        last = rank
    return groups


def moved_up(groups: Sequence[Sequence[int]], id_: int) -> Groups:
    """One place up: out of its group, or before the group above."""
    before, group, after = _split(groups, id_)
    if len(group) > 1:
        return [*before, [id_], _without(group, id_), *after]
    return [*before[:-1], [id_], *before[-1:], *after]


def moved_down(groups: Sequence[Sequence[int]], id_: int) -> Groups:
    """One place down: out of its group, or behind the group below."""
    before, group, after = _split(groups, id_)
    if len(group) > 1:
        return [*before, _without(group, id_), [id_], *after]
    return [*before, *after[:1], [id_], *after[1:]]


def joined(groups: Sequence[Sequence[int]], id_: int) -> Groups:
    """Together with the group above; the first group has none above."""
    before, group, after = _split(groups, id_)
    if not before:
        return [group, *after]
    rest = [_without(group, id_)] if len(group) > 1 else []
    return [*before[:-1], [*before[-1], id_], *rest, *after]


def placed(groups: Sequence[Sequence[int]], id_: int, place: int) -> Groups:
    """At a place of the list as it is read, counted from 0: within a group a part of it, else alone."""
    before, group, after = _split(groups, id_)
    rest = [*before, *([_without(group, id_)] if len(group) > 1 else []), *after]
    count = 0
    for index, each in enumerate(rest):
        if place <= count:
            return [*rest[:index], [id_], *rest[index:]]
        if place < count + len(each):
            inside = place - count
            return [*rest[:index], [*each[:inside], id_, *each[inside:]], *rest[index + 1 :]]
        count += len(each)
    return [*rest, [id_]]


def _split(groups: Sequence[Sequence[int]], id_: int) -> tuple[Groups, list[int], Groups]:
    for index, group in enumerate(groups):
        if id_ in group:
            return [list(each) for each in groups[:index]], list(group), [list(each) for each in groups[index + 1 :]]
    raise ValueError(f"{id_} is not in the line-up")


def _without(group: Sequence[int], id_: int) -> list[int]:
    return [each for each in group if each != id_]

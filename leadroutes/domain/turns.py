"""Whose turn it is: smooth weighted round robin, as nginx does it, over a state that the caller stores.

Every turn adds the weight of each candidate to their credit and subtracts the sum of the weights from the candidate
with the most. That decides which weight has the turn. Of the members with this weight, the one has it whose last turn
is longest ago. So of two members of equal weight who are both available, neither has a second turn before the other
one has had a turn, whoever else comes and goes: joining, leaving and pauses reset no one, and no one catches up.

A junk lead gives its turn back: its member is first once more, in place of that lead, so that no credit changes.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

Candidates = Sequence[tuple[int, int]]  # user id and weight, of those who can be offered a lead, in order


class Turns(Struct, frozen=True):
    """The credits by user; who took part in the last turn, with their weights; who has had a turn, the latest last.

    `given_back`: the turns that wait to be used, in line, as (user, junk lead).
    """

    credits: Mapping[int, int] = field(default_factory=dict)
    present: tuple[int, ...] = ()
    weights: tuple[int, ...] = ()
    latest: tuple[int, ...] = ()
    given_back: tuple[tuple[int, int], ...] = ()


def take_turn(candidates: Candidates, turns: Turns) -> tuple[int | None, Turns]:
    """Returns the user whose turn it is and the turns afterwards. None: no candidate has a weight, so no turn is taken.

    Who has a weight of 0 takes no part. Among those who never had a turn, and between weights, the first wins a tie.
    """
    waiting = _first_waiting(candidates, turns)
    if waiting is not None:
        return waiting[0], replace(_without(turns, waiting), latest=_with_latest(turns, waiting[0]))
    weights = {user_id: weight for user_id, weight in candidates if weight > 0}
    if not weights:
        return None, turns
    a_turn = sum(weights.values())
    known = _credits_in(turns, weights, a_turn)
    after = {user_id: known.get(user_id, 0) + weight for user_id, weight in weights.items()}
    most = max(after, key=after.__getitem__)
    first = _longest_without([each for each in weights if weights[each] == weights[most]], after, turns.latest)
    after[first], after[most] = after[most], after[first]
    after[first] -= a_turn
    return first, replace(
        turns,
        credits={**known, **after},
        present=tuple(weights),
        weights=tuple(weights.values()),
        latest=_with_latest(turns, first),
    )


def _with_latest(turns: Turns, user_id: int) -> tuple[int, ...]:
    """Who has had a turn, now that this user had one."""
    return (*(each for each in turns.latest if each != user_id), user_id)


def _longest_without(users: Sequence[int], credits_: Mapping[int, int], latest: Sequence[int]) -> int:
    """Of users of equal weight, the one whose last turn is longest ago."""
    if len(users) == 1:
        return users[0]
    last_turns = {user_id: place for place, user_id in enumerate(latest)}
    return min(users, key=lambda user_id: (last_turns.get(user_id, -1), -credits_[user_id]))


def _credits_in(turns: Turns, weights: Mapping[int, int], a_turn: int) -> Mapping[int, int]:
    """The credits; as the candidates or their weights have changed, so that each is worth as many turns as before.

    Whoever comes has as much as those of the same weight who were there. What is more than a turn is cut: otherwise
    weights would catch up after a pause.
    """
    if dict(zip(turns.present, turns.weights, strict=False)) == weights or not turns.present:
        return turns.credits
    before = sum(turns.weights) or len(turns.present)  # weights are missing where the version before stored the turn
    converted = {user_id: round(credit * a_turn / before) for user_id, credit in _shared_credits(turns).items()}
    taking_part = dict(zip(turns.present, turns.weights, strict=False))
    stayed = {
        weight: converted.get(user_id, 0) for user_id, weight in weights.items() if taking_part.get(user_id) == weight
    }
    present = {
        user_id: converted.get(user_id, 0) if user_id in taking_part else stayed.get(weight, converted.get(user_id, 0))
        for user_id, weight in weights.items()
    }
    low, spread = min(present.values()), max(present.values()) - min(present.values())
    if spread > a_turn:
        present = {user_id: low + (credit - low) * a_turn // spread for user_id, credit in present.items()}
    mean = sum(present.values()) // len(present)
    return converted | {user_id: credit - mean for user_id, credit in present.items()}


def _shared_credits(turns: Turns) -> Mapping[int, int]:
    """The credits as they are once those of equal weight who took part in the last turn have the same.

    Which of them had which says nothing, as the turns of a weight go to whoever has been without one for longest.
    Whoever leaves would take it along, and with many changes members of a small weight would never have a turn.
    """
    of_weight: dict[int, list[int]] = {}
    for user_id, weight in zip(turns.present, turns.weights, strict=False):
        of_weight.setdefault(weight, []).append(user_id)
    shared = dict(turns.credits)
    for users in of_weight.values():
        each, rest = divmod(sum(turns.credits.get(user_id, 0) for user_id in users), len(users))
        shared |= {user_id: each + (place < rest) for place, user_id in enumerate(users)}
    return shared


def _first_waiting(candidates: Candidates, turns: Turns) -> tuple[int, int] | None:
    """Returns the turn that was given back first of those of the candidates; one without weight waits on."""
    if not turns.given_back:
        return None
    has_weight = any(weight > 0 for _, weight in candidates)
    may_be_first = {user_id for user_id, weight in candidates if weight > 0 or not has_weight}
    return next((each for each in turns.given_back if each[0] in may_be_first), None)


def _without(turns: Turns, waiting: tuple[int, int]) -> Turns:
    return replace(turns, given_back=tuple(each for each in turns.given_back if each != waiting))


def give_turn_back(turns: Turns, user_id: int, lead_id: int) -> Turns:
    """The lead is junk: the turn that it took waits in line until its member is available."""
    return replace(turns, given_back=(*turns.given_back, (user_id, lead_id)))


def take_turn_back(turns: Turns, user_id: int, lead_id: int) -> Turns | None:
    """The lead is not junk after all: its turn no longer waits. None: it has been used, which stays so."""
    waiting = (user_id, lead_id)
    return _without(turns, waiting) if waiting in turns.given_back else None

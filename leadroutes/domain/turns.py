"""Whose turn it is: smooth weighted round robin, as nginx does it, over a state that the caller stores.

Every turn adds the weight of each candidate to their credit and subtracts the sum of the weights from the candidate
with the most. An absent member neither gains nor loses, so joining and leaving reset no one.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field


class Turns(Struct, frozen=True):
    """The credits by user, and who took part in the last turn, in order."""

    credits: Mapping[int, int] = field(default_factory=dict)
    present: tuple[int, ...] = ()


def take_turn(candidates: Sequence[tuple[int, int]], turns: Turns) -> tuple[int, Turns]:
    """Returns the user whose turn it is and the turns afterwards. `candidates`: (user id, weight); first wins ties."""
    present = tuple(user_id for user_id, _ in candidates)
    a_turn = sum(weight for _, weight in candidates)
    after = {user_id: turns.credits.get(user_id, 0) for user_id in present}
    if turns.present and turns.present != present:
        after = _drawn_together(after, a_turn - 1)
    for user_id, weight in candidates:
        after[user_id] += weight
    first = max(present, key=lambda user_id: after[user_id])
    after[first] -= a_turn
    return first, Turns({**turns.credits, **after}, present)


def _drawn_together(credits_: Mapping[int, int], room: int) -> dict[int, int]:
    """Scale credits down to less than a turn, in the same order: otherwise a member would catch up after a pause."""
    low, spread = min(credits_.values()), max(credits_.values()) - min(credits_.values())
    if spread <= room:
        return dict(credits_)
    return {user_id: low + (credit - low) * room // spread for user_id, credit in credits_.items()}

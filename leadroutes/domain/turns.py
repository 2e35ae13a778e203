"""Whose turn it is: smooth weighted round robin, as nginx does it, over a state that the caller keeps.

Every turn adds each candidate's weight to his credit and takes the sum of the weights from the one who has most. Who is
absent neither gains nor loses, so joining and leaving resets nobody.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field


class Turns(Struct, frozen=True):
    """Everybody's credit, and who took part in the last turn, in order."""

    credits: Mapping[int, int] = field(default_factory=dict)
    present: tuple[int, ...] = ()


def take_turn(candidates: Sequence[tuple[int, int]], turns: Turns) -> tuple[int, Turns]:
    """The user whose turn it is and the state afterwards; `candidates` are (user id, weight), a tie the first."""
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
    """The same order within less than a turn: otherwise, after pauses, somebody would catch up what he had missed."""
    low, spread = min(credits_.values()), max(credits_.values()) - min(credits_.values())
    if spread <= room:
        return dict(credits_)
    return {user_id: low + (credit - low) * room // spread for user_id, credit in credits_.items()}

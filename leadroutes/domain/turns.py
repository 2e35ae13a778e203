"""Whose turn it is: smooth weighted round robin, as nginx does it, over credits that the caller keeps.

Every turn adds each candidate's weight to his credit and takes the sum of the weights from the one who has most. Who is
absent neither gains nor loses, so nobody catches up after a pause and joining or leaving resets nobody.
"""

from collections.abc import Mapping, Sequence


def take_turn(candidates: Sequence[tuple[int, int]], credits_: Mapping[int, int]) -> tuple[int, dict[int, int]]:
    """The user whose turn it is and all credits afterwards; `candidates` are (user id, weight), a tie the first."""
    after = dict(credits_)
    for user_id, weight in candidates:
        after[user_id] = after.get(user_id, 0) + weight
    first = max(candidates, key=lambda candidate: after[candidate[0]])[0]
    after[first] -= sum(weight for _, weight in candidates)
    return first, after

"""Totals that need no second count: each with the version of what was counted, which the next statement looks at.

An answer is as exact as a count: whether a total still holds is decided by PostgreSQL, in the statement of the page.
"""

from collections import OrderedDict
from typing import NamedTuple

MOST_KEPT = 10_000


class CachedCount(NamedTuple):
    version: int | None
    records: int


UNKNOWN = CachedCount(None, 0)


class CountCache:
    """The totals of one process by path and caller, least recently used out first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], CachedCount] = OrderedDict()

    def find(self, path: str, caller_id: int) -> CachedCount:
        """What was counted last; it holds where the version is still the present one."""
        return self._kept.get((path, caller_id), UNKNOWN)

    def keep(self, path: str, caller_id: int, total: CachedCount) -> None:
        self._kept[path, caller_id] = total
        self._kept.move_to_end((path, caller_id))
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Count everything again."""
        self._kept.clear()

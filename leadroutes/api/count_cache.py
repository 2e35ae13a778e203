"""Totals of lists, each with the version of the data that was counted; the next statement compares the versions.

A cached total is exact: PostgreSQL decides in the statement of the page whether it is still valid.
"""

from collections import OrderedDict
from typing import NamedTuple

MOST_TOTALS = 10_000


class CachedCount(NamedTuple):
    version: int | None
    records: int


UNKNOWN = CachedCount(None, 0)


class CountCache:
    """The totals of one process by path and caller, least recently used out first."""

    def __init__(self) -> None:
        self._totals: OrderedDict[tuple[str, int], CachedCount] = OrderedDict()

    def find(self, path: str, caller_id: int) -> CachedCount:
        """Returns the last count; it is valid while its version is the present one."""
        return self._totals.get((path, caller_id), UNKNOWN)

    def keep(self, path: str, caller_id: int, total: CachedCount) -> None:
        self._totals[path, caller_id] = total
        self._totals.move_to_end((path, caller_id))
        while len(self._totals) > MOST_TOTALS:
            self._totals.popitem(last=False)

    def forget(self) -> None:
        """Discards all totals, so that everything is counted again."""
        self._totals.clear()

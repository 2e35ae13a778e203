"""Totals that need no second count: each with the version of what was counted, which the next statement looks at.

An answer is as exact as a count: whether a total still holds is decided by PostgreSQL, in the statement of the page.
"""

from collections import OrderedDict
from typing import NamedTuple

MOST_KEPT = 10_000


class Total(NamedTuple):
    version: int | None
    records: int


UNKNOWN = Total(None, 0)


class Totals:
    """The totals of one process by path and caller, least recently used out first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], Total] = OrderedDict()

    def find(self, path: str, caller_id: int) -> Total:
        """What was counted last; it holds where the version is still the present one."""
        return self._kept.get((path, caller_id), UNKNOWN)

    def keep(self, path: str, caller_id: int, total: Total) -> None:
        self._kept[path, caller_id] = total
        self._kept.move_to_end((path, caller_id))
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Count everything again."""
        self._kept.clear()

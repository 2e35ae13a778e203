"""Totals of lists, each with the version of the data that was counted; the next statement compares the versions.

A cached total is exact: PostgreSQL decides in the statement of the page whether it is still valid. Lists with different
conditions have totals of their own.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_TOTALS = 10_000
LONGEST_KEY = 500  # characters of conditions and their values; a longer list is counted each time


class CachedCount(NamedTuple):
    version: int | None
    records: int


UNKNOWN = CachedCount(None, 0)


class CountKey(NamedTuple):
    """What is counted: a list of a caller with these conditions, and their values as text."""

    path: str
    caller_id: int
    conditions: str = ""
    values: str = ""

    @classmethod
    def of(cls, path: str, caller_id: int, conditions: Sequence[str], values: Sequence[Any]) -> "CountKey":
        return cls(path, caller_id, " AND ".join(conditions), repr(values) if values else "")


class CountCache:
    """The totals of one process by `CountKey`, least recently used out first."""

    def __init__(self) -> None:
        self._totals: OrderedDict[CountKey, CachedCount] = OrderedDict()

    def find(self, key: CountKey) -> CachedCount:
        """Returns the last count; it is valid while its version is the present one."""
        return self._totals.get(key, UNKNOWN)

    def keep(self, key: CountKey, total: CachedCount) -> None:
        if len(key.conditions) + len(key.values) > LONGEST_KEY:
            return
        self._totals[key] = total
        self._totals.move_to_end(key)
        while len(self._totals) > MOST_TOTALS:
            self._totals.popitem(last=False)

    def forget(self) -> None:
        """Discards all totals, so that everything is counted again."""
        self._totals.clear()

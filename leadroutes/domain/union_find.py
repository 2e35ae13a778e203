"""Groups things that belong together, directly or through others: identities of a person, rows about the same lead.

Disjoint sets with path halving (union-find).
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

Member = TypeVar("Member", bound=Hashable)


class UnionFind(Generic[Member]):
    """Groups of members; iterating gives every member that was ever named."""

    def __init__(self) -> None:
        self._parents: dict[Member, Member] = {}

    def __iter__(self) -> Iterator[Member]:
        return iter(self._parents)

    def join(self, members: Iterable[Member]) -> None:
        """Merges the groups of these members."""
        first: Member | None = None
        for member in members:
            if first is None:
                first = self.of(member)
            else:
                self._parents[self.of(member)] = first

    def of(self, member: Member) -> Member:
        """Returns the representative of the member's group."""
        parents = self._parents
        while (parent := parents.setdefault(member, member)) != member:
            parents[member] = member = parents[parent]
        return member

"""SQL of a list by owners: the caller's own records, all of sharers and some of others, which exclude each other.

Text only. $1 is the caller; the ids of other owners are the values after the page.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from leadroutes.api.resource import Resource, Shown, Visibility
from leadroutes.api.sql_parts import LONGEST_CACHED, Order, SortKey, columns, from_clause, is_by_id
from leadroutes.cache import short_cache

MANY = 101  # records of an owner; fewer are looked at one by one
LONG = 1_000  # records that others show; of fewer each is read to order them
FEW = 3  # owners that are values of their own, so that the planner knows how much each of them has


class OtherOwners(NamedTuple):
    """How many owners share with the caller, and how many others show some records; above FEW, all count as one array.

    Their ids are the values after the page.
    """

    sharers: int = 0
    others: int = 0

    @classmethod
    def of(cls, *owners: Sequence[int]) -> tuple["OtherOwners", list[Any]]:
        """Returns the numbers of these lists (of sharers, of others), and the values."""
        values = [value for ids in owners for value in (ids if len(ids) <= FEW else [list(ids)])]
        return cls(*(min(len(ids), FEW + 1) for ids in owners)), values


NO_OTHERS = OtherOwners()


@short_cache(entries=64, longest=LONGEST_CACHED)
def owners_sql(resource: Resource) -> str:
    """Returns a statement for two arrays: `sharers` that have records, and `others`; $1 is the caller."""
    listed = resource.listed
    assert listed is not None
    has_records = f"(SELECT t.owner_id FROM {resource.table} t WHERE t.owner_id = s.owner_id LIMIT 1) IS NOT NULL"
    return (
        f"WITH sharer AS MATERIALIZED (SELECT DISTINCT s.owner_id FROM ({listed.sharers}) s WHERE s.owner_id <> $1)"
        f" SELECT ARRAY(SELECT s.owner_id FROM sharer s WHERE {has_records}) AS sharers,"
        f" ARRAY(SELECT DISTINCT o.owner_id FROM ({listed.others}) o WHERE o.owner_id <> $1"
        " AND o.owner_id NOT IN (SELECT s.owner_id FROM sharer s)) AS others"
    )


class _Part(NamedTuple):
    """Records that the caller sees for one reason, of one owner or of each in an array."""

    owner: str
    is_array: bool
    reason: Shown = Shown("true")

    def select(self, what: str, source: str, where: str, first: str = "") -> str:
        """Returns a statement for these records; `first` is applied to each owner, and then to all of them."""
        parts = [f"t.owner_id = {self._one}", where, self.reason.condition]
        if joined := self.reason.source:
            source = f"{joined}, {source}"
            parts.append(f"m.owner_id = {self._one}")
        return self._of_each(f"(SELECT {what} FROM {source} WHERE {' AND '.join(parts)} {first})", first)

    def counted(self, source: str, where: str) -> str:
        """Returns an expression for how many these records are."""
        sql = self.select("count(*)", source, where)
        return f"(SELECT sum(count)::bigint FROM {sql} f)" if self.is_array else sql

    def total(self, total: str) -> str:
        """Returns an expression for how many records of the owner there are; `total` says it for w.owner_id."""
        if self.is_array:
            return f"(SELECT sum({total})::bigint FROM unnest({self.owner}) w (owner_id))"
        return self.of_owner(total)

    def ids(self, source: str, where: str, *, is_all: bool) -> str:
        """Returns a statement for the ids; `is_all`: there are no conditions but those of visibility."""
        if not (is_all and self.reason.keys):
            return self.select("t.id", source, where)
        return self._of_each(f"({self.of_owner(self.reason.keys)})")

    def of_owner(self, sql: str) -> str:
        """Returns the statement for w.owner_id as one for this owner."""
        return sql.replace("w.owner_id", self._one)

    @property
    def _one(self) -> str:
        return "w.owner_id" if self.is_array else self.owner

    def _of_each(self, sql: str, first: str = "") -> str:
        each = f"unnest({self.owner}) w (owner_id)"
        return f"(SELECT f.* FROM {each} CROSS JOIN LATERAL {sql} f {first})" if self.is_array else sql


@dataclass(frozen=True, slots=True)
class ListByOwners:
    """A list with these conditions in this order; ${limit} and ${limit + 1} are the page."""

    resource: Resource
    listed: Visibility
    owners: OtherOwners
    conditions: tuple[str, ...]
    order: Order
    limit: int
    is_counted: bool

    @property
    def shown(self) -> str:
        """A part of WITH for the ids of the records that others show to the caller, as `shown`; "": it is not needed.

        They are gathered once for the total and the page, which begins with the first of these: a walk through the
        owner's records would ask of each one that the caller does not see. A page that needs no more gets the first of
        each part.
        """
        if self._is_gathered and self.conditions:
            return self._matching
        if self._is_gathered:
            return f"shown (id) AS MATERIALIZED ({' UNION '.join(self._ids)})"
        if self._begins_with_shown:
            first = f"ORDER BY {self.order[0].of('1')} {self._most}"
            return f"shown (id) AS ({' UNION '.join(f'(SELECT f.* FROM {each} f {first})' for each in self._ids)})"
        return ""

    def searched(self, sql: str) -> str:
        """Returns the parts of WITH for a search, with the owners whose records are searched as values."""
        if search := self.resource.search:
            sql = sql.replace(search.owners, _array(self._whole + self._others))
        return self._with_known_owners(sql)

    @property
    def total(self) -> str:
        """An expression for how many there are."""
        if self.listed.total and not self.conditions:
            counts = [part.total(self.listed.total) for part in self._whole]
        else:
            counts = [part.counted(self._source, self._where) for part in self._whole]
        if self._is_gathered:
            counts.append("(SELECT count(*) FROM shown)")
        elif ids := self._ids:
            counts.append(f"(SELECT count(*) FROM ({' UNION '.join(ids)}) f)")
        return " + ".join(counts)

    def page(self, keys: tuple[str, ...]) -> str:
        """Returns a statement for the records of a page: first their ids, from the beginning of each part's index."""
        order = self._order_of_index
        names = [f"k{place}" for place in range(len(order))]
        by_names = ", ".join(key.of(name) for key, name in zip(order, names, strict=True))
        sorted_by = (f"{key.sql} AS {name}" for key, name in zip(order, names, strict=True))
        found = ", ".join(["t.owner_id", "t.id", *sorted_by])
        sorting = [key.sql for key in order]
        source = self._with_known_owners(from_clause(self.resource, *self.conditions, *sorting))
        of_shown = self._with_known_owners(from_clause(self.resource, *sorting))
        first = f"ORDER BY {by_names} {self._most}"
        parts = [part.select(found, source, self._where, first) for part in self._whole]
        if self._begins_with_shown or (self._is_gathered and is_by_id(self.order)):
            ids = f"SELECT s.id FROM shown s ORDER BY {self.order[0].of('s.id')} {self._most}"
            parts.append(f"(SELECT {found} FROM ({ids}) s, {of_shown} WHERE t.id = s.id)")
        elif self._is_gathered:
            is_long = f"(SELECT s.id FROM shown s OFFSET {LONG - 1} LIMIT 1) IS NOT NULL"
            # A CASE keeps the planner from a join, in which the order of the index would be lost.
            walked = f"{self.listed.keyed} AND CASE WHEN t.id IN (SELECT s.id FROM shown s) THEN true END AND {is_long}"
            parts += [part.select(found, of_shown, walked, first) for part in self._others]
            parts.append(f"(SELECT {found} FROM shown s, {of_shown} WHERE t.id = s.id AND NOT ({is_long}) {first})")
        elif some := self._some:
            union = " UNION ".join(part.select(found, source, self._where, first) for part in some)
            parts.append(f"(SELECT * FROM ({union}) f {first})")
        page = (
            f"SELECT * FROM ({' UNION ALL '.join(parts)}) f"
            f" ORDER BY {by_names} LIMIT ${self.limit} OFFSET ${self.limit + 1}"
        )
        shown = columns(self.resource, keys)
        record = (
            f"SELECT {shown} FROM {from_clause(self.resource, shown)}"
            " WHERE t.owner_id = p.owner_id AND t.id = p.id OFFSET 0"
        )
        record = self._with_known_owners(record)
        return f"SELECT r.* FROM ({page}) p CROSS JOIN LATERAL ({record}) r ORDER BY {by_names}"

    @property
    def _is_gathered(self) -> bool:
        """Whether all ids that others show are gathered, for a total."""
        return self.is_counted and bool(self.owners.others and self.listed.indexed)

    @property
    def _begins_with_shown(self) -> bool:
        """Whether a page needs the first of these ids, and nothing else does."""
        is_page = is_by_id(self.order) and not self.conditions
        return bool(self.owners.others) and is_page and not self._is_gathered

    @property
    def _matching(self) -> str:
        """`shown` of those that match the conditions, and what it needs.

        If few of the owner's records can match, each of them is looked at. Otherwise all ids that the caller sees are
        looked for among those that match, in indexes: a look at the record of each id takes longer.
        """
        ids = " UNION ".join(each.keys for each in self.listed.some)
        together = " UNION ALL ".join(
            part.select("t.id", self._source, f"{self._where} AND t.id IN ({part.of_owner(ids)})")
            for part in self._others
        )
        by_index = tuple(f"{column} = " for column in self.listed.indexed)
        quick = [each for each in self.conditions if each.startswith(by_index)]
        if not quick:
            return f"shown (id) AS MATERIALIZED ({together})"
        one_by_one = " UNION ".join(self._ids)
        source, where = f"{self.resource.table} t", " AND ".join((self.listed.keyed, *quick))
        probed = " UNION ALL ".join(part.select("t.id", source, where, f"LIMIT {MANY}") for part in self._others)
        return (
            f"probe AS MATERIALIZED (SELECT count(*) >= {MANY} AS are_many FROM ({probed}) f),"
            f" shown (id) AS MATERIALIZED (SELECT f.id FROM ({one_by_one}) f WHERE NOT (SELECT are_many FROM probe)"
            f" UNION ALL SELECT f.id FROM ({together}) f WHERE (SELECT are_many FROM probe))"
        )

    @property
    def _whole(self) -> list[_Part]:
        """All records of the caller and of those who share."""
        return [_Part("$1", False), *(_Part(*each) for each in self._sharers)]

    @property
    def _others(self) -> list[_Part]:
        """All records of those who show some."""
        return [_Part(*each) for each in _named(self.limit + 2 + len(self._sharers), self.owners.others)]

    @property
    def _some(self) -> list[_Part]:
        """What others show, which may have records in common."""
        return [part._replace(reason=each) for part in self._others for each in self.listed.some]

    @property
    def _ids(self) -> list[str]:
        """Statements for the ids of what others show that match the conditions, a statement for each reason."""
        return [part.ids(self._source, self._where, is_all=not self.conditions) for part in self._some]

    @property
    def _sharers(self) -> list[tuple[str, bool]]:
        return _named(self.limit + 2, self.owners.sharers)

    def _with_known_owners(self, sql: str) -> str:
        """Replaces the array of the caller and the sharers by values."""
        return sql.replace(self.listed.whole, _array(self._whole))

    @property
    def _source(self) -> str:
        return from_clause(self.resource, *self.conditions)

    @property
    def _where(self) -> str:
        return " AND ".join((self.listed.keyed, *self.conditions))

    @property
    def _most(self) -> str:
        """As many as end the page, at most."""
        return f"LIMIT ${self.limit}::bigint + ${self.limit + 1}::bigint"

    @property
    def _order_of_index(self) -> Order:
        """The order by ids among records of which a column is null, as the index of that column has it.

        The planner knows that a column which equals a value orders nothing, but not that of one which is null: it would
        walk through the ids. It would also do so for a range of time, although none may be in it.
        """
        order, ranges = self.order, self.listed.ranges
        if len(order) == 1 and any(column in condition for condition in self.conditions for column in ranges):
            return (SortKey(f"{order[0].sql} + 0"),)
        if not is_by_id(order):
            return order
        direction = " DESC NULLS LAST" if "DESC" in order[0].direction else " NULLS FIRST"
        null = [column for column in self.listed.nullable if f"{column} IS NULL" in self.conditions]
        return (*(SortKey(column, direction) for column in null[:1]), *order)


def _array(parts: Sequence[_Part]) -> str:
    """Returns an array of the owners of these parts, of which the first is the caller."""
    return f"(ARRAY[$1::bigint]{''.join(f' || {part.owner}' for part in parts[1:])})"


def _named(start: int, count: int) -> list[tuple[str, bool]]:
    """Returns owners as values from this number on, and whether it is an array."""
    if count > FEW:
        return [(f"${start}::bigint[]", True)]
    return [(f"${start + place}::bigint", False) for place in range(count)]

"""SQL from a declaration: lists, records, locks, inserts, updates. Text only; its users bind the values.

$1 is the caller in every statement that reads; with a parent, $2 is the parent's id.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from leadroutes.api.resource import Field, Resource, Shown, Visibility, Write
from leadroutes.cache import short_cache
from leadroutes.store.hosts import ClientShapedSql

LARGEST_PAGE_BYTES = 16_777_216  # a page of the usual ten records holds the largest that a body can bring
LONGEST_CACHED = 2_000  # characters of conditions and the like; longer statements are built each time

_VALUE = re.compile(r"\$(\d+)(?:::((?:double precision|\w+)(?:\[\])?))?")  # without a type: an id, or part of a page


class SortKey(NamedTuple):
    """One term of an ORDER BY."""

    sql: str
    direction: str = ""

    def of(self, sql: str) -> str:
        """Returns the term for this SQL in the place of its own."""
        return sql + self.direction


Order = tuple[SortKey, ...]


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


def first_free(resource: Resource) -> int:
    """Returns the number of the first value after the caller and the parent."""
    return 3 if resource.parent else 2


@short_cache(entries=1024, longest=LONGEST_CACHED)
def list_sql(
    resource: Resource,
    conditions: tuple[str, ...],
    order: Order,
    keys: tuple[str, ...],
    limit: int,
    among: str = "",
    *,
    with_version: bool = False,
    is_counted: bool = True,
    owners: OtherOwners = NO_OTHERS,
    is_soon_full: bool = False,
) -> str:
    """Returns a statement for the total, the records (JSON in UTF-8, without brackets), and whether the parent exists.

    Values ${limit} and ${limit + 1} are the page. `among` replaces what the caller usually sees. With a version, the
    next value is the known version: if it is still the present one, the total is null and nothing is counted; nor is
    anything unless `is_counted`. A page of more bytes than allowed ends the statement with ProgramLimitExceeded.
    `is_soon_full`: so many records match the conditions that no index would find them faster than the order of the
    page does.
    """
    shown = ""
    if resource.listed and not among:
        if owners.others and not conditions and order[0].sql == "t.id":
            shown = _shown(resource, resource.listed, owners, order, limit, is_counted=is_counted)
        is_named = bool(shown)
        counted = _count_by_owner(resource, resource.listed, owners, conditions, limit, is_named=is_named)
        records = _page_by_owner(resource, resource.listed, owners, conditions, order, keys, limit, is_named=is_named)
    else:
        where = _where(resource, conditions, among)
        found = f"FROM {_from(resource, *conditions)} WHERE {where}"
        if resource.most_counted:
            found = f"FROM (SELECT {found} LIMIT {resource.most_counted}) counted"
        counted = f"(SELECT count(*) {found})"
        source = _from(resource, *conditions, *(key.sql for key in order))
        records = (
            f"SELECT {columns(resource, keys)} FROM {source} WHERE {where}"
            f" ORDER BY {ordering(order)} LIMIT ${limit} OFFSET ${limit + 1}"
        )
    if not is_counted:
        counted = "NULL::bigint"
    elif with_version:
        version = f"(SELECT {resource.version})"
        counted = f"CASE WHEN {version} IS DISTINCT FROM ${limit + 2}::bigint THEN {counted} END"
        counted = f"{version} AS version, {counted}"
    sql = (
        f"{shown}SELECT {_parent_owner(resource)} IS NOT NULL AS has_parent, {counted} AS total,"
        f" {page_sql(records)} AS records"
    )
    if is_soon_full or not (among or resource.listed or depends_on_values(resource, conditions, order)):
        sql = planned_once(sql, limit + 1)
    return ClientShapedSql(sql) if conditions or keys or order != default_order(resource) else sql


def depends_on_values(
    resource: Resource, conditions: tuple[str, ...], order: Order, owners: OtherOwners = NO_OTHERS
) -> bool:
    """Returns whether the values of a list decide which plan is the best.

    Conditions and records that others show are found by the one index or the other. In an order that no index has,
    every record is read, and how depends on how many there are.
    """
    return bool(conditions or owners.others) or not (order == default_order(resource) or order[0].sql == "t.id")


def planned_once(sql: str, last: int) -> str:
    """Returns the statement with its values up to this one as subqueries, each value in place of its own.

    The planner does not see such a value: a plan for these values costs what the plan for any values does. So
    PostgreSQL takes the latter from the sixth execution on; otherwise it may make a plan each time, for the number of
    records that just this caller has, and that takes longer than reading a page.
    """

    def hidden(value: re.Match[str]) -> str:
        number, sql_type = value.groups(default="bigint")
        return f"(SELECT ${number}::{sql_type})::{sql_type}" if int(number) <= last else value[0]

    return _VALUE.sub(hidden, sql)


# A list by owners: the caller's own records, those of sharers and some of those of others, which exclude each other.


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
    shown: Shown = Shown("true")

    def select(self, what: str, source: str, where: str, first: str = "") -> str:
        """Returns a statement for these records; `first` is applied to each owner, and then to all of them."""
        parts = [f"t.owner_id = {self._one}", where, self.shown.condition]
        if joined := self.shown.source:
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
        return total.replace("w.owner_id", self.owner)

    def keys(self, source: str, where: str, *, is_all: bool) -> str:
        """Returns a statement for the ids; `is_all`: there are no conditions but those of visibility."""
        if not (is_all and self.shown.keys):
            return self.select("t.id", source, where)
        return self._of_each(f"({self.shown.keys.replace('w.owner_id', self._one)})")

    @property
    def _one(self) -> str:
        return "w.owner_id" if self.is_array else self.owner

    def _of_each(self, sql: str, first: str = "") -> str:
        each = f"unnest({self.owner}) w (owner_id)"
        return f"(SELECT f.* FROM {each} CROSS JOIN LATERAL {sql} f {first})" if self.is_array else sql


def _parts(listed: Visibility, owners: OtherOwners, limit: int) -> tuple[list[_Part], list[_Part]]:
    """Returns the parts that exclude each other, and those of other owners, which may have records in common."""
    named = [*_named(limit + 2, owners.sharers)]
    others = _named(limit + 2 + len(named), owners.others)
    whole = [_Part("$1", False), *(_Part(owner, is_array) for owner, is_array in named)]
    return whole, [_Part(owner, is_array, each) for owner, is_array in others for each in listed.some]


def _named(start: int, count: int) -> list[tuple[str, bool]]:
    """Returns owners as values from this number on, and whether it is an array."""
    if count > FEW:
        return [(f"${start}::bigint[]", True)]
    return [(f"${start + place}::bigint", False) for place in range(count)]


def _with_known_owners(sql: str, listed: Visibility, owners: OtherOwners, limit: int) -> str:
    """Replaces the array of the caller and the sharers by values."""
    known = "".join(f" || {owner}" for owner, _ in _named(limit + 2, owners.sharers))
    return sql.replace(listed.whole, f"(ARRAY[$1::bigint]{known})")


def _shown(
    resource: Resource, listed: Visibility, owners: OtherOwners, order: Order, limit: int, *, is_counted: bool
) -> str:
    """Returns a WITH clause for the ids of all records that others show to the caller, as `shown`.

    A page in the order of ids begins with the first of these: a walk through the owner's records would pass by all that
    the caller does not see. They are gathered once, for the total and the page; without a total, only the first of each.
    """
    _, some = _parts(listed, owners, limit)
    ids = [part.keys(_from(resource), listed.keyed, is_all=True) for part in some]
    if is_counted:
        return f"WITH shown (id) AS MATERIALIZED ({' UNION '.join(ids)}) "
    first = f"ORDER BY {order[0].of('1')} LIMIT ${limit}::bigint + ${limit + 1}::bigint"
    return f"WITH shown (id) AS ({' UNION '.join(f'(SELECT f.* FROM {each} f {first})' for each in ids)}) "


def _count_by_owner(
    resource: Resource,
    listed: Visibility,
    owners: OtherOwners,
    conditions: tuple[str, ...],
    limit: int,
    *,
    is_named: bool,
) -> str:
    """Returns an expression for the total; `is_named`: what others show is there as `shown`."""
    source, where = _from(resource, *conditions), " AND ".join((listed.keyed, *conditions))
    whole, some = _parts(listed, owners, limit)
    if listed.total and not conditions:
        counts = [part.total(listed.total) for part in whole]
    else:
        counts = [part.counted(source, where) for part in whole]
    if is_named:
        counts.append("(SELECT count(*) FROM shown)")
    elif some:
        keys = " UNION ".join(part.keys(source, where, is_all=not conditions) for part in some)
        counts.append(f"(SELECT count(*) FROM ({keys}) f)")
    return " + ".join(counts)


def _page_by_owner(
    resource: Resource,
    listed: Visibility,
    owners: OtherOwners,
    conditions: tuple[str, ...],
    order: Order,
    keys: tuple[str, ...],
    limit: int,
    *,
    is_named: bool,
) -> str:
    """Returns a statement for the records of a page: first their keys, from the beginning of each part's index."""
    if len(order) == 1 and any(column in condition for condition in conditions for column in listed.ranges):
        order = (SortKey(f"{order[0].sql} + 0"),)
    order = _by_index_of_nulls(listed, conditions, order)
    names = [f"k{place}" for place in range(len(order))]
    by_names = ", ".join(key.of(name) for key, name in zip(order, names, strict=True))
    found = ", ".join(["t.owner_id", "t.id", *(f"{key.sql} AS {name}" for key, name in zip(order, names, strict=True))])
    source = _from(resource, *conditions, *(key.sql for key in order))
    source = _with_known_owners(source, listed, owners, limit)
    where = " AND ".join((listed.keyed, *conditions))
    first = f"ORDER BY {by_names} LIMIT ${limit}::bigint + ${limit + 1}::bigint"
    whole, some = _parts(listed, owners, limit)
    parts = [part.select(found, source, where, first) for part in whole]
    if is_named:
        ids = f"SELECT s.id FROM shown s ORDER BY {order[0].of('s.id')} LIMIT ${limit}::bigint + ${limit + 1}::bigint"
        parts.append(f"(SELECT {found} FROM ({ids}) s, {source} WHERE t.id = s.id)")
    elif some:
        keys_of_some = " UNION ".join(part.select(found, source, where, first) for part in some)
        parts.append(f"(SELECT * FROM ({keys_of_some}) f {first})")
    page = f"SELECT * FROM ({' UNION ALL '.join(parts)}) f ORDER BY {by_names} LIMIT ${limit} OFFSET ${limit + 1}"
    shown = columns(resource, keys)
    record = f"SELECT {shown} FROM {_from(resource, shown)} WHERE t.owner_id = p.owner_id AND t.id = p.id OFFSET 0"
    record = _with_known_owners(record, listed, owners, limit)
    return f"SELECT r.* FROM ({page}) p CROSS JOIN LATERAL ({record}) r ORDER BY {by_names}"


def _by_index_of_nulls(listed: Visibility, conditions: tuple[str, ...], order: Order) -> Order:
    """Returns the order by ids among records of which a column is null, as the index of that column has it.

    The planner knows that a column which equals a value orders nothing, but not that of one which is null: it would
    walk through the ids.
    """
    if order[0].sql != "t.id":
        return order
    direction = " DESC NULLS LAST" if "DESC" in order[0].direction else " NULLS FIRST"
    null = [column for column in listed.nullable if f"{column} IS NULL" in conditions]
    return (*(SortKey(column, direction) for column in null[:1]), *order)


def page_sql(records: str) -> str:
    """Returns an expression for the JSON of these records with commas between them, as bytes; null without records.

    The size is summed as each record is added. OFFSET 0 makes PostgreSQL compute each once, so that the page is never
    in memory twice.
    """
    return (
        f"(SELECT CASE WHEN bytes_up_to(octet_length(j.record), {LARGEST_PAGE_BYTES}) > 0"
        f" THEN convert_to(string_agg(j.record, ','), 'UTF8') END"
        f" FROM (SELECT row_to_json(r)::text AS record FROM ({records}) r OFFSET 0) j)"
    )


@short_cache(entries=1024, longest=LONGEST_CACHED)
def record_sql(resource: Resource, conditions: tuple[str, ...], keys: tuple[str, ...], among: str = "") -> str:
    """Returns a statement for the record as JSON or null, and whether the parent exists; the first value is the id."""
    where = _where(resource, (f"t.id = ${first_free(resource)}", *conditions), among)
    shown = columns(resource, keys)
    if resource.once:
        where, shown = (text.replace(*resource.worked_out_once) for text in (where, shown))
    sql = (
        f"SELECT {_parent_owner(resource)} IS NOT NULL AS has_parent,"
        f" (SELECT row_to_json(r)::text FROM (SELECT {shown} FROM {_from(resource, where, shown)} WHERE {where}) r)"
        " AS record"
    )
    sql = planned_once(sql, first_free(resource))
    return ClientShapedSql(sql) if conditions or keys else sql


@short_cache(entries=512, longest=LONGEST_CACHED)
def lock_sql(resource: Resource, conditions: tuple[str, ...], permission: str, strength: str) -> str:
    """Returns a statement that locks a record the caller sees: may (do it), lock_owner_id, and the stored columns."""
    where = _where(resource, (f"t.id = ${first_free(resource)}", *conditions))
    stored = ", ".join(f't."{name}"' for name in stored_columns(resource))
    owner = "t.owner_id AS lock_owner_id" if resource.owned else "NULL::bigint AS lock_owner_id"
    source = _from(resource, *conditions)
    sql = f"SELECT ({permission}) AS may, {owner}, {stored} FROM {source} WHERE {where}" + (
        f" FOR {strength} OF t" if resource.is_lockable else ""
    )
    return ClientShapedSql(sql) if conditions else sql


@short_cache(entries=64, longest=LONGEST_CACHED)
def parent_sql(resource: Resource) -> str:
    """Returns a statement for the parent $2, if the caller sees it: owner_id, may (add to it). It locks the parent."""
    parent = resource.parent
    assert parent is not None
    return (
        f"SELECT t.owner_id, ({resource.creatable}) AS may FROM {parent.from_clause}"
        f" WHERE t.id = $2 AND ({parent.visible}) FOR KEY SHARE OF t"
    )


@short_cache(entries=512, longest=LONGEST_CACHED)
def insert_sql(resource: Resource, names: tuple[str, ...]) -> str:
    numbers = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {resource.table} ({quoted}) VALUES ({numbers}) RETURNING id"


@short_cache(entries=64, longest=LONGEST_CACHED)
def insert_in_new_version_sql(resource: Resource, names: tuple[str, ...]) -> str:
    """The same, where what this transaction has changed before is a version of the rules by itself: it ends here.

    After the columns come who has made that version, and when. A version without a transaction takes no more changes.
    """
    user, moment = len(names) + 1, len(names) + 2
    return (
        f"WITH ended AS (UPDATE rule_versions SET user_id = ${user}, at = ${moment}, made_in = '0'"
        f" WHERE made_in = pg_current_xact_id()) {insert_sql(resource, names)}"
    )


@short_cache(entries=1024, longest=LONGEST_CACHED)
def update_sql(resource: Resource, names: tuple[str, ...]) -> str:
    """$1 owner, $2 id, then the columns in order."""
    changes = ", ".join(f'"{name}" = ${number}' for number, name in enumerate(names, 3))
    return f"UPDATE {resource.table} SET {changes} WHERE owner_id = $1 AND id = $2"


def stored_columns(resource: Resource) -> tuple[str, ...]:
    """Returns the columns that a write may depend on or change, once each."""
    names = [each.stored for each in resource.fields if each.stored and (each.write is not Write.NEVER or not each.sql)]
    return tuple(dict.fromkeys(["id", *names]))


def default_order(resource: Resource) -> Order:
    return (*(SortKey(each) for each in resource.order), SortKey("t.id"))


def sorted_by(fields: Sequence[tuple[Field, bool]]) -> Order:
    """Returns the order by (field, descending): null before every value when ascending, ties by id."""
    return (*(_sort_key(each, descending) for each, descending in fields), SortKey("t.id"))


def ordering(order: Order) -> str:
    return ", ".join(key.of(key.sql) for key in order)


def columns(resource: Resource, keys: tuple[str, ...]) -> str:
    """Returns the columns of an answer, all of them or those of the keys."""
    answered = resource.answered
    return ", ".join(f'{answered[key].answered} AS "{key}"' for key in (keys or answered))


def object_sql(pairs: Sequence[tuple[str, str]], source: str) -> str:
    """Returns an expression for a nested object, null if `source` has no row."""
    inside = ", ".join(f'{sql} AS "{key}"' for key, sql in pairs)
    return f"(SELECT row_to_json(n) FROM (SELECT {inside} FROM {source}) n)"


def _sort_key(each: Field, descending: bool) -> SortKey:
    nulls = "" if not each.nullable else (" NULLS LAST" if descending else " NULLS FIRST")
    return SortKey(each.compared, (" DESC" if descending else "") + nulls)


def _from(resource: Resource, *naming: str) -> str:
    """Returns the FROM clause, with the `once` join if one of these texts names it."""
    if resource.once and any("once." in text for text in naming):
        return f"{resource.from_clause} {resource.once}"
    return resource.from_clause


def _where(resource: Resource, conditions: tuple[str, ...], among: str = "") -> str:
    parts = [f"({among or resource.visible})", *conditions]
    if resource.parent:
        owner = _parent_owner(resource)
        parts.append(f"t.{resource.parent_column} = $2")
        parts.append(f"t.owner_id = {owner}" if resource.is_parents_own else f"{owner} IS NOT NULL")
    return " AND ".join(parts)


def _parent_owner(resource: Resource) -> str:
    """Returns SQL of the parent's owner, null unless the caller sees the parent; `true` without a parent."""
    if resource.parent is None:
        return "true"
    return f"(SELECT t.owner_id FROM {resource.parent.from_clause} WHERE t.id = $2 AND ({resource.parent.visible}))"

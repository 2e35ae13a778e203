"""SQL from a declaration: lists, records, locks, inserts, updates. Text only; its users bind the values.

$1 is the caller in every statement that reads; with a parent, $2 is the parent's id.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import re

from leadroutes.api.owner_lists import NO_OTHERS, ListByOwners, OtherOwners
from leadroutes.api.resource import Resource, Write
from leadroutes.api.sql_parts import LONGEST_CACHED, Order, columns, default_order, from_clause, is_by_id, ordering
from leadroutes.cache import short_cache
from leadroutes.store.hosts import ClientShapedSql

LARGEST_PAGE_BYTES = 16_777_216  # a page of the usual ten records holds the largest that a body can bring

_VALUE = re.compile(r"\$(\d+)(?:::((?:double precision|\w+)(?:\[\])?))?")  # without a type: an id, or part of a page


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
    searched: str = "",
) -> str:
    """Returns a statement for the total, the records (JSON in UTF-8, without brackets), and whether the parent exists.

    Values ${limit} and ${limit + 1} are the page. `among` replaces what the caller usually sees. With a version, the
    next value is the known version: if it is still the present one, the total is null and nothing is counted; nor is
    anything unless `is_counted`. A page of more bytes than allowed ends the statement with ProgramLimitExceeded.
    `is_soon_full`: so many records match the conditions that no index would find them faster than the order of the
    page does. `searched`: the parts of WITH that a condition needs.
    """
    gathered = [searched]
    if resource.listed and not among:
        by_owner = ListByOwners(resource, resource.listed, owners, conditions, order, limit, is_counted)
        gathered = [by_owner.searched(searched), by_owner.shown]
        counted, records = by_owner.total, by_owner.page(keys)
    else:
        where = _where(resource, conditions, among)
        found = f"FROM {from_clause(resource, *conditions)} WHERE {where}"
        if resource.most_counted:
            found = f"FROM (SELECT {found} LIMIT {resource.most_counted}) counted"
        counted = f"(SELECT count(*) {found})"
        source = from_clause(resource, *conditions, *(key.sql for key in order))
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
    beforehand = f"WITH {', '.join(filter(None, gathered))} " if any(gathered) else ""
    sql = (
        f"{beforehand}SELECT {_parent_owner(resource)} IS NOT NULL AS has_parent, {counted} AS total,"
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
    return bool(conditions or owners.others) or not (order == default_order(resource) or is_by_id(order))


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
    found = f"SELECT {shown} FROM {from_clause(resource, where, shown)} WHERE {where}"
    sql = (
        f"SELECT {_parent_owner(resource)} IS NOT NULL AS has_parent,"
        f" (SELECT row_to_json(r)::text FROM ({found}) r) AS record"
    )
    sql = planned_once(sql, first_free(resource))
    return ClientShapedSql(sql) if conditions or keys else sql


@short_cache(entries=512, longest=LONGEST_CACHED)
def lock_sql(resource: Resource, conditions: tuple[str, ...], permission: str, strength: str) -> str:
    """Returns a statement that locks a record the caller sees: may (do it), lock_owner_id, and the stored columns."""
    where = _where(resource, (f"t.id = ${first_free(resource)}", *conditions))
    stored = ", ".join(f't."{name}"' for name in stored_columns(resource))
    owner = "t.owner_id AS lock_owner_id" if resource.owned else "NULL::bigint AS lock_owner_id"
    source = from_clause(resource, *conditions)
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

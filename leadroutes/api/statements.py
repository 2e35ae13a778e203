"""SQL from a declaration: lists, records, locks, inserts, updates. Text only; its users bind the values.

$1 is the caller in every statement that reads; with a parent, $2 is the parent's id.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Sequence

from leadroutes.api.resource import Field, Resource, Write
from leadroutes.cache import short_cache
from leadroutes.store.hosts import ClientShapedSql

LARGEST_PAGE_BYTES = 16_777_216  # a page of the usual ten records holds the largest that a body can bring
LONGEST_CACHED = 2_000  # characters of conditions and the like; longer statements are built each time


def first_free(resource: Resource) -> int:
    """Returns the number of the first value after the caller and the parent."""
    return 3 if resource.parent else 2


@short_cache(entries=1024, longest=LONGEST_CACHED)
def list_sql(
    resource: Resource,
    conditions: tuple[str, ...],
    order: str,
    keys: tuple[str, ...],
    limit: int,
    among: str = "",
    *,
    with_version: bool = False,
) -> str:
    """Returns a statement for the total, the records (JSON in UTF-8, without brackets), and whether the parent exists.

    Values ${limit} and ${limit + 1} are the page. `among` replaces what the caller usually sees. With a version, the
    next value is the known version: if it is still the present one, the total is null and nothing is counted. A page
    of more bytes than allowed ends the statement with ProgramLimitExceeded.
    """
    where = _where(resource, conditions, among)
    counted = f"(SELECT count(*) FROM {_from(resource, *conditions)} WHERE {where}) AS total"
    if with_version:
        version = f"(SELECT {resource.version})"
        counted = f"{version} AS version, CASE WHEN {version} IS DISTINCT FROM ${limit + 2}::bigint THEN {counted}"
        counted = counted.replace(" AS total", " END AS total")
    sql = (
        f"SELECT {_parent_owner(resource)} IS NOT NULL AS has_parent, {counted}, "
        + page_sql(
            f"SELECT {columns(resource, keys)} FROM {_from(resource, *conditions, order)} WHERE {where}"
            f" ORDER BY {order} LIMIT ${limit} OFFSET ${limit + 1}"
        )
        + " AS records"
    )
    return ClientShapedSql(sql) if conditions or keys or order != default_order(resource) else sql


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
    sql = (
        f"SELECT {_parent_owner(resource)} IS NOT NULL AS has_parent,"
        f" (SELECT row_to_json(r)::text FROM (SELECT {columns(resource, keys)}"
        f" FROM {_from(resource, *conditions)} WHERE {where}) r) AS record"
    )
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


@short_cache(entries=1024, longest=LONGEST_CACHED)
def update_sql(resource: Resource, names: tuple[str, ...]) -> str:
    """$1 owner, $2 id, then the columns in order."""
    changes = ", ".join(f'"{name}" = ${number}' for number, name in enumerate(names, 3))
    return f"UPDATE {resource.table} SET {changes} WHERE owner_id = $1 AND id = $2"


def stored_columns(resource: Resource) -> tuple[str, ...]:
    """Returns the columns that a write may depend on or change, once each."""
    names = [each.stored for each in resource.fields if each.stored and (each.write is not Write.NEVER or not each.sql)]
    return tuple(dict.fromkeys(["id", *names]))


def default_order(resource: Resource) -> str:
    return f"{resource.order}, t.id" if resource.order else "t.id"


def sorted_by(fields: Sequence[tuple[Field, bool]]) -> str:
    """Returns the ORDER BY of (field, descending): null before every value when ascending, ties by id."""
    return ", ".join([*(_sort_key(each, descending) for each, descending in fields), "t.id"])


def columns(resource: Resource, keys: tuple[str, ...]) -> str:
    """Returns the columns of an answer, all of them or those of the keys."""
    answered = resource.answered
    return ", ".join(f'{answered[key].answered} AS "{key}"' for key in (keys or answered))


def object_sql(pairs: Sequence[tuple[str, str]], source: str) -> str:
    """Returns an expression for a nested object, null if `source` has no row."""
    inside = ", ".join(f'{sql} AS "{key}"' for key, sql in pairs)
    return f"(SELECT row_to_json(n) FROM (SELECT {inside} FROM {source}) n)"


def _sort_key(each: Field, descending: bool) -> str:
    nulls = "" if not each.nullable else (" NULLS LAST" if descending else " NULLS FIRST")
    return f"{each.compared}{' DESC' if descending else ''}{nulls}"


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

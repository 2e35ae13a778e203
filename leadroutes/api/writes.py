"""POST, PATCH, PUT and DELETE for all resources: check in the order of the dialect, write, answer the record.

One transaction each; what is particular to a resource is in its behaviour.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg
import msgspec

from leadroutes.api.audit import act_of_writing
from leadroutes.api.auth import Caller
from leadroutes.api.behaviour import Errors, Writing
from leadroutes.api.bodies import fields_of, read_limited
from leadroutes.api.call import Call, Context, Response
from leadroutes.api.fields import blank_record, in_order, read_fields, sent_fields
from leadroutes.api.query import Query, is_dry_run, record_query, selection
from leadroutes.api.reads import completed, id_in, parent_values, require_allowed
from leadroutes.api.resource import Field, Reference, Resource, Write
from leadroutes.api.resources import BY_PATH
from leadroutes.api.sql_parts import LONGEST_CACHED
from leadroutes.api.statements import (
    insert_in_new_version_sql,
    insert_sql,
    lock_sql,
    parent_sql,
    record_sql,
    update_sql,
)
from leadroutes.cache import short_cache
from leadroutes.errors import Conflict, Forbidden, Invalid, NotFound
from leadroutes.store.audit import note_act
from leadroutes.store.commits import CheckedWrite
from leadroutes.store.postgres import Database, Transaction


async def create(call: Call, resource: Resource) -> Response:
    """POST: 201 and the record as GET would show it."""
    keys = selection(resource, call.request.query)
    is_tried = is_dry_run(resource, call.request.query)
    sent, errors = await _read(call, resource)
    is_created_through = "create_through" in resource.behaviour.replaced
    version_of = call.caller.person_id if resource.is_versioned and resource.is_plain else None

    async def check(transaction: Transaction) -> Writing:
        writing = await _begin(call, resource, transaction, sent)
        writing.record = _columns(resource, sent, blank_record(resource))
        await _validate(resource, writing, errors)
        if resource.most:
            await _require_below_limit(resource, writing)
        return writing

    async def write(writing: Writing) -> tuple[Writing, str]:
        if is_created_through:
            call.require_json_accepted()
            return writing, ""
        with database_errors_as_problems(resource, is_removal=False):
            writing.id = await _insert(resource, writing, version_of=version_of)
            await resource.behaviour.after_write(writing)
        if is_tried:
            raise _Tried(resource.behaviour.dry_run(writing))
        note_act(writing.transaction, act_of_writing(call, resource, writing))
        shown = await show(writing.transaction, resource, writing, keys)
        call.require_json_accepted()
        return writing, shown

    work = CheckedWrite(order=call.caller.user_id, apart=version_of, check=check, write=write)
    if resource.is_plain:
        writing, shown = await call.context.creations[resource.path].run(work)
    else:
        try:
            writing, shown = await call.context.database.run(work.run_alone)
        except _Tried as tried:
            return _what_would_change(call, tried)
    if is_created_through:
        with database_errors_as_problems(resource, is_removal=False):
            writing.act = act_of_writing(call, resource, writing)
            writing.id = await resource.behaviour.create_through(call.context, writing)
        shown = await show(call.context.database, resource, writing, keys)
    return Response(201, _with_fields_shown_once(call.context, resource, writing, shown, keys))


async def insert_record(transaction: Transaction, resource: Resource, caller: Caller, sent: dict[str, Any]) -> int:
    """Adds a record of the caller's own, as a POST with these fields does, within another call. Returns its id."""
    if resource.creatable != "true" and not await transaction.fetchval(f"SELECT {resource.creatable}", caller.user_id):
        raise Forbidden(f"You may not add {resource.noun} here")
    writing = Writing(transaction=transaction, caller=caller, owner_id=caller.user_id, sent=dict(sent))
    writing.record = _columns(resource, sent, blank_record(resource))
    await _validate(resource, writing, {})
    writing.id = await _insert(resource, writing)
    await resource.behaviour.after_write(writing)
    return writing.id


async def change(call: Call, resource: Resource) -> Response:
    """PATCH and PUT: 200 and the whole record after the change."""
    query = record_query(resource, call.request.query).require_affordable().narrowed(call.caller, call.granted)
    is_tried = is_dry_run(resource, call.request.query)
    sent, errors = await _read(call, resource)
    is_replacement = call.request.method == "PUT"
    is_changed_through = "change_through" in resource.behaviour.replaced

    async def work(transaction: Transaction) -> tuple[Writing, str]:
        writing = await _begin(call, resource, transaction, sent)
        before = await _lock(call, resource, writing, query, resource.changeable, "NO KEY UPDATE")
        start = before | (_replaced(resource) if is_replacement else {})
        writing.record = _columns(resource, sent, start)
        if sent or errors or is_replacement:
            await _validate(resource, writing, errors)
            if not is_changed_through:
                with database_errors_as_problems(resource, is_removal=False):
                    await _update(resource, writing)
                if is_tried:
                    raise _Tried(resource.behaviour.dry_run(writing))
                note_act(transaction, act_of_writing(call, resource, writing))
        elif is_tried:
            raise _Tried(resource.behaviour.dry_run(writing))
        shown = await show(transaction, resource, writing, query.keys)
        call.require_json_accepted()
        return writing, shown

    try:
        writing, shown = await call.context.database.run(work)
    except _Tried as tried:
        return _what_would_change(call, tried)
    if is_changed_through and sent:
        writing.act = act_of_writing(call, resource, writing)
        await resource.behaviour.change_through(call.context, writing)
        shown = await show(call.context.database, resource, writing, query.keys)
    return Response(200, shown.encode())


async def remove(call: Call, resource: Resource) -> Response:
    """DELETE: 200 and the record as it was."""
    query = record_query(resource, call.request.query, beside=[each.name for each in resource.fields_on_delete])
    is_tried = is_dry_run(resource, call.request.query)
    said, errors = await _fields_on_delete(call, resource, query.require_affordable())
    require_allowed(call, resource)
    behaviour = resource.behaviour
    is_removed_through = "remove_through" in behaviour.replaced

    async def work(transaction: Transaction) -> tuple[Writing, str]:
        writing = await _begin(call, resource, transaction, said)
        permission = resource.removable or resource.changeable
        await _lock(call, resource, writing, query, permission, "UPDATE")
        if errors:
            raise Invalid.fields(errors)
        shown = await show(transaction, resource, writing, query.keys)
        if not is_removed_through:
            await behaviour.before_delete(writing)
            with database_errors_as_problems(resource, is_removal=True):
                await (behaviour.delete(writing) if "delete" in behaviour.replaced else _delete(resource, writing))
            await behaviour.after_delete(writing)
            if is_tried:
                raise _Tried(behaviour.dry_run(writing))
            note_act(transaction, act_of_writing(call, resource, writing))
        call.require_json_accepted()
        return writing, shown

    try:
        writing, shown = await call.context.database.run(work)
    except _Tried as tried:
        return _what_would_change(call, tried)
    if is_removed_through:
        writing.act = act_of_writing(call, resource, writing)
        await behaviour.remove_through(call.context, writing)
    return Response(200, shown.encode())


class _Tried(Exception):  # noqa: N818 -- ends the transaction of a write that was only to be tried
    """Carries what the write would have changed."""

    def __init__(self, changes: dict[str, Any]) -> None:
        super().__init__()
        self.changes = changes


def _what_would_change(call: Call, tried: _Tried) -> Response:
    call.require_json_accepted()
    return Response(200, msgspec.json.encode(tried.changes))


# ------------------------------------------------------------------------------------------------- the checks


async def _read(call: Call, resource: Resource) -> tuple[dict[str, Any], Errors]:
    method = call.request.method
    data = await read_limited(call.request, resource.body_limit, call.context.settings.body_timeout)
    body = fields_of(call.request, data, is_new=method == "POST")
    require_allowed(call, resource)
    sent, errors = sent_fields(resource, resource.behaviour.rewrite(body), method)
    granted = call.granted
    if granted is not None and granted.fields is not None and (others := (set(sent) | set(errors)) - granted.fields):
        raise Forbidden(f"A delegate who is {call.caller.role} may not change {', '.join(sorted(others))}")
    return sent, errors


async def _fields_on_delete(call: Call, resource: Resource, query: Query) -> tuple[dict[str, Any], Errors]:
    """Reads the fields of a DELETE from its body or its query; the body is ignored if the resource declares none."""
    if not resource.fields_on_delete:
        return {}, {}
    data = await read_limited(call.request, resource.body_limit, call.context.settings.body_timeout)
    return read_fields(resource.fields_on_delete, query.tree | fields_of(call.request, data, is_new=False))


async def _begin(call: Call, resource: Resource, transaction: Transaction, sent: dict[str, Any]) -> Writing:
    """Checks that the caller sees the parent and may POST there. A retry of the transaction begins here again."""
    writing = Writing(transaction=transaction, caller=call.caller, owner_id=call.caller.user_id, sent=dict(sent))
    writing.is_tried = is_dry_run(resource, call.request.query)
    is_new = call.request.method == "POST"
    if resource.parent:
        [writing.parent_id] = parent_values(call, resource)
        row = await transaction.fetchrow(parent_sql(resource), call.caller.user_id, writing.parent_id)
        if row is None:
            raise NotFound.record(call.ids[0])
        writing.owner_id, may = row["owner_id"], row["may"]
    elif is_new and resource.creatable != "true":
        may = await transaction.fetchval(f"SELECT {resource.creatable}", call.caller.user_id)
    else:
        may = True
    if is_new and not may:
        raise Forbidden(f"You may not add {resource.noun} here")
    return writing


async def _require_below_limit(resource: Resource, writing: Writing) -> None:
    """Raises Invalid at the limit. The lock makes concurrent requests wait, and then count the new record."""
    if resource.parent:
        above, place, values = resource.parent.table, f" AND t.{resource.parent_column} = $2", [writing.parent_id]
        lock = f"SELECT FROM {above} WHERE owner_id = $1 AND id = $2 FOR NO KEY UPDATE"
    else:
        place, values, lock = "", [], "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE"
    await writing.transaction.execute(lock, writing.owner_id, *values)
    found = await writing.transaction.fetchval(
        f"SELECT count(*) FROM (SELECT FROM {resource.table} t WHERE t.owner_id = $1{place} LIMIT {resource.most}) t",
        writing.owner_id, *values,
    )  # fmt: skip
    if found >= resource.most:
        what = resource.path.rpartition("/")[2].replace("-", " ")
        whose = resource.parent.noun.partition(" ")[2] if resource.parent else "account"
        raise Invalid(f"This {whose} has {found} {what} already; expected at most {resource.most}")


async def _lock(
    call: Call, resource: Resource, writing: Writing, query: Query, permission: str, strength: str
) -> dict[str, Any]:
    writing.id = id_in(call.ids[-1])
    above = [writing.parent_id] if resource.parent else []
    sql = lock_sql(resource, query.conditions, permission, strength)
    row = await writing.transaction.fetchrow(sql, call.caller.user_id, *above, writing.id, *query.values)
    if row is None:
        raise NotFound.record(call.ids[-1])
    if not row["may"]:
        raise Forbidden(f"You may see this {resource.noun.partition(' ')[2]}, but not do this with it")
    before = {name: value for name, value in row.items() if name not in ("may", "lock_owner_id")}
    if resource.owned:
        writing.owner_id = row["lock_owner_id"]
    writing.before = before
    return before


def _columns(resource: Resource, sent: dict[str, Any], start: dict[str, Any]) -> dict[str, Any]:
    columns = {each.name: each.stored for each in resource.writeable if each.stored}
    return start | {columns[name]: value for name, value in sent.items() if name in columns}


def _replaced(resource: Resource) -> dict[str, Any]:
    """Returns the columns that a PUT resets if it does not name them."""
    return {
        each.stored: each.default
        for each in resource.writeable
        if each.write is Write.ALWAYS and each.stored and each.stored not in ("created_at", "modified_at")
    }


async def _validate(resource: Resource, writing: Writing, errors: Errors) -> None:
    """Checks rules between fields, then references, then with the database. Raises Invalid with all faults."""
    found = resource.behaviour.normalize(writing.record) | errors
    found = await _wrong_references(resource, writing, found) | found
    found = await resource.behaviour.validate(writing, found) | found
    if found:
        raise Invalid.fields(in_order(resource, found))


async def _wrong_references(resource: Resource, writing: Writing, found: Errors) -> Errors:
    """Returns the faults of references that changed to a record that the caller may not refer to."""
    changed = [
        (each, each.refers)
        for each in resource.writeable
        if each.refers and each.stored and each.name not in found and _is_changed(each, writing)
    ]
    if not changed:
        return {}
    values = [writing.record[each.stored] for each, _ in changed]
    sql = _references_sql(tuple(refers for _, refers in changed))
    row = await writing.transaction.fetchrow(sql, writing.caller.user_id, writing.owner_id, *values)
    assert row is not None
    return {
        each.name: f"{each.name}: {value} was given; expected {refers.noun}"
        for (each, refers), value, exists in zip(changed, values, list(row)[1:], strict=True)
        if not exists
    }


def _is_changed(each: Field, writing: Writing) -> bool:
    value = writing.record.get(each.stored)
    return value is not None and (writing.before is None or writing.before[each.stored] != value)


@short_cache(entries=512, longest=LONGEST_CACHED)
def _references_sql(references: tuple[Reference, ...]) -> str:
    """Returns a statement; $1 is the caller, $2 the owner of the record, then the ids."""
    parts = (_exists(refers, f"${number}::bigint") for number, refers in enumerate(references, 3))
    return f"SELECT $1::bigint + $2::bigint, {', '.join(parts)}"


def _exists(refers: Reference, value: str) -> str:
    if refers.sql:
        return "(" + refers.sql.replace("{value}", value) + ")"
    resource = BY_PATH[refers.to]
    return f"EXISTS (SELECT FROM {resource.from_clause} WHERE t.id = {value} AND ({resource.visible}))"


# ------------------------------------------------------------------------------------------------- the writing


async def _insert(resource: Resource, writing: Writing, *, version_of: int | None = None) -> int:
    """`version_of`: who makes all versions of the rules that this transaction makes, this record one by itself."""
    if "insert" in resource.behaviour.replaced:
        return await resource.behaviour.insert(writing)
    record = writing.record | ({"owner_id": writing.owner_id} if resource.owned else {})
    if resource.parent:
        record[resource.parent_column] = writing.parent_id
    for name in ("created_at", "modified_at"):
        if resource.has(name) and record.get(name) is None:
            record[name] = writing.transaction.now
    record |= resource.behaviour.derive(writing.record)
    sql, values = insert_sql(resource, tuple(record)), [*record.values()]
    if version_of is not None:
        sql = insert_in_new_version_sql(resource, tuple(record))
        values += [version_of, writing.transaction.now]
    new_id: int = await writing.transaction.fetchval(sql, *values)
    return new_id


async def _update(resource: Resource, writing: Writing) -> None:
    assert writing.before is not None
    before = writing.before
    changed = {name: value for name, value in writing.record.items() if name not in before or value != before[name]}
    if resource.has("modified_at") and "modified_at" not in writing.sent:
        changed["modified_at"] = writing.transaction.now
    changed |= resource.behaviour.derive(writing.record)
    if changed:
        sql = update_sql(resource, tuple(changed))
        await writing.transaction.execute(sql, writing.owner_id, writing.id, *changed.values())
    await resource.behaviour.after_write(writing)


async def _delete(resource: Resource, writing: Writing) -> None:
    sql = f"DELETE FROM {resource.table} WHERE owner_id = $1 AND id = $2"
    await writing.transaction.execute(sql, writing.owner_id, writing.id)


async def show(source: Database | Transaction, resource: Resource, writing: Writing, keys: Sequence[str]) -> str:
    """Returns the record as its writer sees it, as JSON text."""
    above = [writing.parent_id] if resource.parent else []
    sql = record_sql(resource, (), resource.keys_for(writing.caller, tuple(keys)))
    row = await source.fetchrow(sql, writing.caller.user_id, *above, writing.id)
    if row is None or row["record"] is None:
        raise NotFound.record(writing.id)
    now = source.now if isinstance(source, Transaction) else source.clock.now()
    return completed(resource, row["record"].encode(), now).decode()


def _with_fields_shown_once(
    context: Context, resource: Resource, writing: Writing, shown: str, keys: Sequence[str]
) -> bytes:
    extra = resource.behaviour.shown_once(context, writing)
    if not extra:
        return shown.encode()
    wanted = {name: value for name, value in extra.items() if not keys or name in keys}
    return msgspec.json.encode(msgspec.json.decode(shown) | wanted)


@contextlib.contextmanager
def database_errors_as_problems(resource: Resource, *, is_removal: bool) -> Iterator[None]:
    """Raises what the database refuses as a Problem: two requests may pass the checks, but only one the index."""
    try:
        yield
    except asyncpg.UniqueViolationError:
        raise Conflict(resource.unique) from None
    except asyncpg.ForeignKeyViolationError as error:
        if is_removal:
            raise Conflict(_needed_by(resource, error)) from None
        raise Invalid.fields(_dangling(resource, error)) from None
    except (asyncpg.CheckViolationError, asyncpg.NotNullViolationError, asyncpg.DataError) as error:
        name = getattr(error, "column_name", None) or "record"
        raise Invalid.fields({name: f"{name} holds a value that cannot be stored"}) from None


def _needed_by(resource: Resource, error: asyncpg.ForeignKeyViolationError) -> str:
    return resource.needed_by.get(error.table_name or "", "Another record needs it")


def _dangling(resource: Resource, error: asyncpg.ForeignKeyViolationError) -> Errors:
    """Finds the field in a constraint's name, such as lead_routes_owner_id_team_id_fkey."""
    constraint = error.constraint_name or ""
    named = [each.name for each in resource.writeable if each.refers and each.stored in constraint]
    name = max(named, key=len, default="record")
    return {name: f"{name} refers to a record that no longer exists"}

"""GET for all resources: one statement returns a list with its total, one statement a record.

It writes nothing; the declarations say what a caller may see.
"""

import contextlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from leadroutes.api.call import Call, Response
from leadroutes.api.count_cache import CachedCount, CountKey
from leadroutes.api.owner_lists import OtherOwners, owners_sql
from leadroutes.api.query import Query, list_query, record_query
from leadroutes.api.resource import Resource
from leadroutes.api.resources import BY_PATH
from leadroutes.api.sql_parts import default_order
from leadroutes.api.statements import LARGEST_PAGE_BYTES, depends_on_values, list_sql, record_sql
from leadroutes.api.values import LARGEST_ID
from leadroutes.errors import Forbidden, Invalid, NotFound
from leadroutes.store.postgres import Following

QUICK_PAGE = 100  # a page that ends within this many records is read together with those of other requests

_ID = re.compile("[0-9]+", re.ASCII)


async def list_records(call: Call, resource: Resource) -> Response:
    """GET of a collection."""
    query = list_query(resource, call.request.query).require_affordable().narrowed(call.caller, call.granted)
    require_allowed(call, resource)
    above = parent_values(call, resource)
    among = await resource.behaviour.record_filter(call, query, None)
    first_of_page = query.first + len(query.values)
    values = [call.caller.user_id, *above, *query.values, query.limit, query.skip]
    is_counted = call.request.is_counted
    if resource.version and is_counted and not among:
        return await _list_with_known_total(call, resource, query, values)
    keys = resource.keys_for(call.caller, query.keys)
    lists, caller_id = call.context.lists, call.caller.user_id

    def by_owner(found: asyncpg.Record) -> Following:
        owners, ids = OtherOwners.of(found["sharers"], found["others"])
        sql = list_sql(
            resource, query.conditions, query.order, keys, first_of_page,
            is_counted=is_counted, owners=owners, searched=query.searched,
        )  # fmt: skip
        return Following(
            (sql, [*values, *ids]), for_values=depends_on_values(resource, query.conditions, query.order, owners)
        )

    with too_large_refused():
        if resource.listed and not among:
            first = (owners_sql(resource), [caller_id])
            row = await lists.fetchrow_after(caller_id, first, by_owner)
        else:
            sql = list_sql(
                resource, query.conditions, query.order, keys, first_of_page, among,
                is_counted=is_counted, searched=query.searched,
            )  # fmt: skip
            row = await lists.fetchrow(caller_id, sql, *values)
    if not row["has_parent"]:
        raise NotFound.record(call.ids[0])
    call.require_json_accepted()
    records = completed_list(resource, row["records"], call.context.database.clock.now())
    return Response(200, envelope(row["total"], query.limit, query.skip, records))


async def _list_with_known_total(call: Call, resource: Resource, query: Query, values: list[Any]) -> Response:
    """Like list_records, but counts only if the version is not that of the last count."""
    first_of_page = query.first + len(query.values)
    context, caller_id = call.context, call.caller.user_id
    key = CountKey.of(resource.path, caller_id, query.conditions, query.values)
    known = context.totals.find(key)
    is_quick = query.skip + query.limit <= QUICK_PAGE and query.order == default_order(resource)
    if query.conditions:  # where many match, a page is soon full
        is_quick = is_quick and known.records >= QUICK_PAGE
    sql = list_sql(
        resource, query.conditions, query.order, query.keys, first_of_page,
        with_version=True, is_soon_full=is_quick, searched=query.searched,
    )  # fmt: skip
    with too_large_refused():
        if is_quick:
            row = await context.records.fetchrow(sql, *values, known.version)
        else:
            row = await context.lists.fetchrow(caller_id, sql, *values, known.version)
    total = row["total"]
    if total is None:
        total = known.records
    else:
        context.totals.keep(key, CachedCount(row["version"], total))
    call.require_json_accepted()
    return Response(200, envelope(total, query.limit, query.skip, row["records"]))


async def get_record(call: Call, resource: Resource) -> Response:
    """GET of one record."""
    query = record_query(resource, call.request.query).require_affordable().narrowed(call.caller, call.granted)
    require_allowed(call, resource)
    above = parent_values(call, resource)
    record_id = id_in(call.ids[-1])
    among = await resource.behaviour.record_filter(call, query, record_id)
    sql = record_sql(resource, query.conditions, resource.keys_for(call.caller, query.keys), among)
    row = await call.context.records.fetchrow(sql, call.caller.user_id, *above, record_id, *query.values)
    if not row["has_parent"]:
        raise NotFound.record(call.ids[0])
    if row["record"] is None:
        raise NotFound.record(call.ids[-1])
    call.require_json_accepted()
    return Response(200, completed(resource, row["record"].encode(), call.context.database.clock.now()))


def completed(resource: Resource, record: bytes, now: datetime) -> bytes:
    """Returns the record with what the domain works out at this moment, where its resource has such fields."""
    if not resource.behaviour.completes:
        return record
    decoded = msgspec.json.decode(record)
    resource.behaviour.complete(decoded, now)
    return msgspec.json.encode(decoded)


def completed_list(resource: Resource, records: bytes | None, now: datetime) -> bytes | None:
    """The same for the records of a list, with commas between them."""
    if not resource.behaviour.completes or not records:
        return records
    decoded = msgspec.json.decode(b"[%b]" % records)
    for record in decoded:
        resource.behaviour.complete(record, now)
    return msgspec.json.encode(decoded)[1:-1]


def envelope(total: int | None, limit: int, skip: int, records: bytes | None) -> bytes:
    """Returns the body of a list; `records` is JSON, with commas between the records. `total` None: not counted."""
    counted = b"null" if total is None else b"%d" % total
    return b'{"total":%b,"limit":%d,"skip":%d,"data":[%b]}' % (counted, limit, skip, records or b"")


@contextlib.contextmanager
def too_large_refused() -> Iterator[None]:
    """Raises Invalid for a page that is larger than allowed."""
    try:
        yield
    except asyncpg.ProgramLimitExceededError:
        raise Invalid(
            f"The page would be larger than {LARGEST_PAGE_BYTES // 1_048_576} MiB; expected fewer records ($limit) or"
            " fewer of their fields ($select)"
        ) from None


def id_in(segment: str) -> int:
    """Returns the id in a path. Raises NotFound for text that cannot be an id."""
    number = int(segment[-25:]) if _ID.fullmatch(segment) and len(segment.lstrip("0")) < 20 else 0
    if not 0 < number <= LARGEST_ID:
        raise NotFound.record(segment)
    return number


async def naming_merged(call: Call, path: str, missing: NotFound) -> NotFound:
    """Returns the problem, with `merged_into` where the record that the path begins with was merged into another."""
    resource = BY_PATH.get(path.partition("/:id")[0])
    if (
        resource is None
        or not resource.merged
        or not call.ids
        or missing.message != NotFound.record(call.ids[0]).message
    ):
        return missing
    gone = id_in(call.ids[0])
    into = await call.context.database.fetchval(f"SELECT {resource.merged}", call.caller.user_id, gone)
    return NotFound(missing.message, data={"merged_into": into}) if into is not None else missing


def parent_values(call: Call, resource: Resource) -> list[int]:
    """Returns the parent's id as a list of one; empty without a parent."""
    return [id_in(call.ids[0])] if resource.parent else []


def require_allowed(call: Call, resource: Resource) -> None:
    if resource.allowed_for is not None and not resource.allowed_for(call.caller):
        raise Forbidden(f"You may not use {resource.path}")

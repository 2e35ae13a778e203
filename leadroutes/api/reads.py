"""GET for all resources: one statement returns a list with its total, one statement a record.

It writes nothing; the declarations say what a caller may see.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import asyncpg

from leadroutes.api.call import Call, Response
from leadroutes.api.count_cache import CachedCount
from leadroutes.api.query import Query, list_query, record_query
from leadroutes.api.resource import Resource
from leadroutes.api.statements import LARGEST_PAGE_BYTES, default_order, list_sql, record_sql
from leadroutes.api.values import LARGEST_ID
from leadroutes.errors import Forbidden, Invalid, NotFound

QUICK_PAGE = 100  # a page that ends within this many records is read together with those of other requests

_ID = re.compile("[0-9]+", re.ASCII)


async def list_records(call: Call, resource: Resource) -> Response:
    """GET of a collection."""
    query = list_query(resource, call.request.query).require_affordable()
    require_allowed(call, resource)
    above = parent_values(call, resource)
    among = await resource.behaviour.record_filter(call, query, None)
    first_of_page = query.first + len(query.values)
    values = [call.caller.user_id, *above, *query.values, query.limit, query.skip]
    if resource.version and not query.conditions:
        return await _list_with_known_total(call, resource, query, values)
    keys = resource.keys_for(call.caller, query.keys)
    sql = list_sql(resource, query.conditions, query.order, keys, first_of_page, among)
    with too_large_refused():
        row = await call.context.lists.fetchrow(call.caller.user_id, sql, *values)
    if not row["has_parent"]:
        raise NotFound.record(call.ids[0])
    call.require_json_accepted()
    return Response(200, envelope(row["total"], query.limit, query.skip, row["records"]))


async def _list_with_known_total(call: Call, resource: Resource, query: Query, values: list[Any]) -> Response:
    """Like list_records, but counts only if the version is not that of the last count."""
    sql = list_sql(resource, (), query.order, query.keys, query.first, with_version=True)
    context, caller_id = call.context, call.caller.user_id
    known = context.totals.find(resource.path, caller_id)
    is_quick = query.skip + query.limit <= QUICK_PAGE and query.order == default_order(resource)
    with too_large_refused():
        if is_quick:
            row = await context.records.fetchrow(sql, *values, known.version)
        else:
            row = await context.lists.fetchrow(caller_id, sql, *values, known.version)
    total = row["total"]
    if total is None:
        total = known.records
    else:
        context.totals.keep(resource.path, caller_id, CachedCount(row["version"], total))
    call.require_json_accepted()
    return Response(200, envelope(total, query.limit, query.skip, row["records"]))


async def get_record(call: Call, resource: Resource) -> Response:
    """GET of one record."""
    query = record_query(resource, call.request.query).require_affordable()
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
    return Response(200, row["record"].encode())


def envelope(total: int, limit: int, skip: int, records: bytes | None) -> bytes:
    """Returns the body of a list; `records` is JSON, with commas between the records."""
    return b'{"total":%d,"limit":%d,"skip":%d,"data":[%b]}' % (total, limit, skip, records or b"")


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


def parent_values(call: Call, resource: Resource) -> list[int]:
    """Returns the parent's id as a list of one; empty without a parent."""
    return [id_in(call.ids[0])] if resource.parent else []


def require_allowed(call: Call, resource: Resource) -> None:
    if resource.allowed_for is not None and not resource.allowed_for(call.caller):
        raise Forbidden(f"You may not use {resource.path}")

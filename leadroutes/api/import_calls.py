"""Calls for imports beyond their records: a file is sent, checked, imported; the report is read.

Nothing is imported here: a job of the worker does that.
"""

from typing import Final
from urllib.parse import parse_qs

from leadroutes.api.audit import act_of_call
from leadroutes.api.bodies import read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import read_nothing
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in
from leadroutes.api.resources import BY_PATH
from leadroutes.api.statements import record_sql
from leadroutes.errors import Invalid, NotFound
from leadroutes.operations.import_jobs import LARGEST, begin_import, store_import

IMPORTS = BY_PATH["/imports"]
FILE: Final = {"description": "a CSV file, with its own content type; its name in the query, as file_name"}
_NO_FILES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


async def send_file(call: Call) -> Response:
    """POST /imports?file_name=…: stores a file, and says what its columns seem to mean."""
    names = parse_qs(call.request.query).get("file_name", [""])
    data = await read_limited(call.request, LARGEST, call.context.settings.body_timeout)
    media_type = (call.request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type in _NO_FILES:
        raise Invalid(f"Content-Type: {media_type} was given; expected text/csv, and the file itself as the body")
    call.require_json_accepted()
    name = names[0].replace("\0", "").strip()[:255] or None
    act = act_of_call(call, call.caller.user_id)
    import_id = await store_import(call.context.database, call.caller.user_id, data, name, act)
    return Response(201, (await _record(call, import_id)).encode())


async def check(call: Call) -> Response:
    """POST /imports/:id/dry-run: begins a check of all rows, which stores nothing of them."""
    return await _begin(call, is_check=True)


async def start(call: Call) -> Response:
    """POST /imports/:id/start: begins the import."""
    return await _begin(call, is_check=False)


async def _begin(call: Call, *, is_check: bool) -> Response:
    selection(IMPORTS, call.request.query)
    await read_nothing(call)
    import_id = id_in(call.ids[0])
    await _record(call, import_id)
    call.require_json_accepted()
    act = act_of_call(call, call.caller.user_id, import_id)
    await begin_import(call.context.database, call.caller.user_id, import_id, is_check=is_check, act=act)
    return Response(202, (await _record(call, import_id)).encode())


async def report(call: Call) -> Response:
    """GET /imports/:id/report: rows that were rejected, have a warning or were joined to someone, as CSV."""
    import_id = id_in(call.ids[0])
    row = await call.context.database.fetchrow(
        "SELECT f.report FROM imports t LEFT JOIN import_files f ON f.owner_id = t.owner_id AND f.import_id = t.id"
        " WHERE t.owner_id = $1 AND t.id = $2",
        call.caller.user_id,
        import_id,
    )
    if row is None:
        raise NotFound.record(call.ids[0])
    if row["report"] is None:
        raise NotFound(f"The import {import_id} has no report, or no longer")
    headers = (
        (b"content-disposition", b'attachment; filename="import-%d.csv"' % import_id),
        (b"x-content-type-options", b"nosniff"),
    )
    call.require_json_accepted()
    return Response(200, row["report"].encode(), b"text/csv; charset=utf-8", headers)


async def _record(call: Call, import_id: int) -> str:
    sql = record_sql(IMPORTS, (), selection(IMPORTS, call.request.query))
    row = await call.context.database.fetchrow(sql, call.caller.user_id, import_id)
    if row is None or row["record"] is None:
        raise NotFound.record(import_id)
    record: str = row["record"]
    return record

"""Calls about lead sources beyond their records: keys that are replaced, arrivals that are corrected, vendors' steps.

Nothing is decided here: leadroutes.ingest corrects, reads and stores.
"""

from datetime import timedelta
from typing import Any, Final

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.bodies import fields_of, read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.fields import read_fields
from leadroutes.api.intake_calls import answer_of_replay
from leadroutes.api.lead_calls import read_nothing
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in
from leadroutes.api.resource import Field, Write
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.intake import secret_of_key
from leadroutes.api.statements import record_sql
from leadroutes.api.values import Integer
from leadroutes.domain.vendors import VENDORS, Vendor, website_snippet
from leadroutes.errors import Invalid, NotFound
from leadroutes.ingest.corrections import FIELDS, correct, set_handled, show_reading
from leadroutes.ingest.testing_leads import CHOSEN, remove_test_leads, send_test_lead
from leadroutes.store.accounts import rotate_intake_key
from leadroutes.store.audit import note_act

ARRIVALS, INTAKE_KEYS = BY_PATH["/arrivals"], BY_PATH["/intake-keys"]
OLD_KEY_DAYS: Final = 7
ROTATION_FIELDS = (
    Field("days", Integer(0, 90), write=Write.ALWAYS, null=True,
          note=f"for which the old key works on; {OLD_KEY_DAYS} by default, 0: it ends at once"),
)  # fmt: skip
ROTATION: Final = {
    "type": "object",
    "properties": {"days": {"type": ["integer", "null"], "minimum": 0, "maximum": 90, "default": OLD_KEY_DAYS}},
}
_TEXT: Final = {"type": ["string", "number", "null"]}
TEST_LEAD: Final = {"type": "object", "properties": dict.fromkeys(CHOSEN, _TEXT)}
CORRECTION: Final = {
    "type": "object",
    "properties": {
        "fields": {"type": "object", "properties": dict.fromkeys(FIELDS, _TEXT), "additionalProperties": False},
        "body": {"type": "string", "description": "what is to be read in place of the whole body"},
        "content_type": {"type": "string", "description": "of `body`, if it is not that of the arrival"},
    },
}


async def rotate(call: Call) -> Response:
    """POST /intake-keys/:id/rotate: the key as its record, with the new secret; the old one works on for some days."""
    sent, errors = read_fields(ROTATION_FIELDS, await _fields(call, 102_400))
    key_id, owner_id = id_in(call.ids[0]), call.caller.user_id
    await _record(call, INTAKE_KEYS, key_id)  # 404 comes before 400 and 406
    if errors:
        raise Invalid.fields(errors)
    days = sent.get("days")
    call.require_json_accepted()
    async with call.context.database.transaction() as transaction:
        note_act(transaction, act_of_call(call, owner_id, key_id))
        key = await rotate_intake_key(
            transaction, owner_id, key_id, timedelta(days=OLD_KEY_DAYS if days is None else days)
        )
    shown = msgspec.json.decode(await _record(call, INTAKE_KEYS, key_id))
    return Response(200, msgspec.json.encode(shown | secret_of_key(call.context.settings, key, shown["format"])))


async def show_vendors(call: Call) -> Response:
    """GET /intake-vendors: how leads come from each vendor, step by step, with placeholders."""
    call.require_json_accepted()
    return Response(200, msgspec.json.encode([_vendor(each) for each in VENDORS]))


def _vendor(vendor: Vendor) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(vendor)
    shown.pop("has_snippet")
    return shown | {"snippet": website_snippet("{address}") if vendor.has_snippet else None}


async def reading(call: Call) -> Response:
    """GET /arrivals/:id/reading: what came as text, and what is read in it."""
    shown = await show_reading(call.context.database, call.caller.user_id, id_in(call.ids[0]))
    call.require_json_accepted()
    return Response(200, msgspec.json.encode(shown))


async def correct_arrival(call: Call) -> Response:
    """POST /arrivals/:id/correction: stores what is to be read instead, and reads the arrival again."""
    given = await _fields(call, call.context.settings.intake_limit)
    arrival_id, user_id = id_in(call.ids[0]), call.caller.user_id
    await _record(call, ARRIVALS, arrival_id)
    call.require_json_accepted()
    act = act_of_call(call, user_id, arrival_id)
    await correct(call.context.database, user_id, arrival_id, given, user_id, act)
    return await answer_of_replay(call, user_id, arrival_id, is_recorded=True)


async def mark_handled(call: Call) -> Response:
    """POST /arrivals/:id/handled: nothing remains to be done about a rejected arrival."""
    return await _set_handled(call, is_handled=True)


async def unmark_handled(call: Call) -> Response:
    """DELETE /arrivals/:id/handled: it is open again."""
    return await _set_handled(call, is_handled=False)


async def _set_handled(call: Call, *, is_handled: bool) -> Response:
    selection(ARRIVALS, call.request.query)
    await read_nothing(call)
    arrival_id, user_id = id_in(call.ids[0]), call.caller.user_id
    await _record(call, ARRIVALS, arrival_id)
    call.require_json_accepted()
    act = act_of_call(call, user_id, arrival_id)
    await set_handled(call.context.database, user_id, arrival_id, user_id, is_handled=is_handled, act=act)
    return Response(200, (await _record(call, ARRIVALS, arrival_id)).encode())


async def send_test(call: Call) -> Response:
    """POST /intake-keys/:id/test-lead: a lead as if it had come through the key, with the caller's own addresses."""
    given = await _fields(call, 102_400)
    key_id, user_id = id_in(call.ids[0]), call.caller.user_id
    await _record(call, INTAKE_KEYS, key_id)
    call.require_json_accepted()
    act = act_of_call(call, user_id, key_id)
    stored = await send_test_lead(call.context.arrivals, user_id, key_id, user_id, given, act)
    [lead_id] = stored.lead_ids
    shown = await call.context.own_leads.find((user_id, lead_id))
    return Response(201, (shown or "").encode())


async def remove_tests(call: Call) -> Response:
    """DELETE /test-leads: removes all test leads of the caller."""
    await read_nothing(call)
    call.require_json_accepted()
    act = act_of_call(call, call.caller.user_id)
    removed = await remove_test_leads(call.context.database, call.caller.user_id, act)
    return Response(200, msgspec.json.encode({"removed": removed}))


async def _fields(call: Call, limit: int) -> dict[str, Any]:
    data = await read_limited(call.request, limit, call.context.settings.body_timeout)
    return fields_of(call.request, data, is_new=True)


async def _record(call: Call, resource: Any, record_id: int) -> str:
    keys = selection(resource, call.request.query)
    row = await call.context.database.fetchrow(record_sql(resource, (), keys), call.caller.user_id, record_id)
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[0])
    record: str = row["record"]
    return record

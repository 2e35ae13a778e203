"""Calls for a contact beyond its record: all that is stored about the person, and the erasure of it.

Only the owner of a contact may ask for them; what is removed, the erasure knows.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import read_nothing
from leadroutes.api.reads import id_in
from leadroutes.api.resources import BY_PATH
from leadroutes.errors import Forbidden, NotFound
from leadroutes.operations import erasure

CONTACTS = BY_PATH["/contacts"]
_OWNER = f"SELECT t.owner_id FROM {CONTACTS.from_clause} WHERE t.id = $2 AND ({CONTACTS.visible})"


async def export(call: Call) -> Response:
    """GET /contacts/:id/export: everything that is stored about a contact, as JSON."""
    contact_id = await _own_contact(call)
    call.require_json_accepted()
    whole = await erasure.export_contact(call.context.database, call.caller.user_id, contact_id)
    headers = ((b"content-disposition", b'attachment; filename="contact-%d.json"' % contact_id),)
    return Response(200, whole.encode(), headers=headers)


async def erase(call: Call) -> Response:
    """POST /contacts/:id/erasure: removes all personal data of a contact. Returns the number of rows by kind."""
    await read_nothing(call)
    contact_id = await _own_contact(call)
    call.require_json_accepted()
    act = act_of_call(call, call.caller.user_id, contact_id)
    erased = await erasure.erase_contact(call.context.database, call.caller.user_id, contact_id, act)
    return Response(200, msgspec.json.encode({"id": contact_id, "erased": erased}))


async def _own_contact(call: Call) -> int:
    contact_id = id_in(call.ids[0])
    owner_id = await call.context.database.fetchval(_OWNER, call.caller.user_id, contact_id)
    if owner_id is None:
        raise NotFound.record(call.ids[0])
    if owner_id != call.caller.user_id:
        raise Forbidden("Only the owner of a contact exports or erases what is stored about it")
    return contact_id

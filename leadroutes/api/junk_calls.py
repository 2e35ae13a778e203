"""The calls that say that a lead is junk, or that it is not after all.

They check who may call; the engine decides the rest.
"""

from leadroutes.api.audit import act_of_call
from leadroutes.api.call import Call, Response
from leadroutes.api.fields import read_fields
from leadroutes.api.input_schema import body_schema
from leadroutes.api.lead_calls import LEADS, lead_access, read_body, read_nothing, show_lead
from leadroutes.api.query import selection
from leadroutes.api.resource import Field
from leadroutes.api.values import Choice, Text
from leadroutes.domain.junk import LONGEST_NOTE, REASONS, Junk
from leadroutes.engine import junk
from leadroutes.errors import Forbidden, Invalid

REASON = Field("reason", Choice(REASONS), required=True)
NOTE = Field("note", Text(LONGEST_NOTE))
BODY = {
    "type": "object",
    "properties": {each.name: body_schema(each) for each in (REASON, NOTE)},
    "required": ["reason"],
}


async def mark(call: Call) -> Response:
    """POST /leads/:id/junk: 200 and the lead; done again, the last reason counts."""
    keys = selection(LEADS, call.request.query)
    sent, errors = read_fields((REASON, NOTE), await read_body(call))
    lead_id, owner_id = await _lead(call)
    if "reason" not in sent and "reason" not in errors:
        errors["reason"] = "reason is required"
    if sent.get("reason") == "other" and not (sent.get("note") or "").strip() and "note" not in errors:
        errors["note"] = "note is required where the reason is other: say what the lead is"
    if errors:
        raise Invalid.fields(errors)
    call.require_json_accepted()
    found = Junk(reason=sent["reason"], note=(sent.get("note") or "").strip() or None)
    act = act_of_call(call, owner_id, lead_id, reason=found.reason)
    await junk.mark(call.context.engine, owner_id, lead_id, found, call.caller.user_id, act)
    return Response(200, await show_lead(call, lead_id, keys))


async def undo(call: Call) -> Response:
    """DELETE /leads/:id/junk: 200 and the lead, also where it was not junk."""
    keys = selection(LEADS, call.request.query)
    await read_nothing(call)
    lead_id, owner_id = await _lead(call)
    call.require_json_accepted()
    act = act_of_call(call, owner_id, lead_id)
    await junk.undo(call.context.engine, owner_id, lead_id, call.caller.user_id, act)
    return Response(200, await show_lead(call, lead_id, keys))


async def _lead(call: Call) -> tuple[int, int]:
    """Returns (lead id, owner id). Raises NotFound, or Forbidden for someone who sees the lead but does not have it."""
    lead_id, access = await lead_access(call)
    if call.caller.user_id not in (access["owner_id"], access["claimed_by_user_id"]):
        raise Forbidden("Only whoever has a lead, or its owner, says whether it is junk")
    return lead_id, access["owner_id"]

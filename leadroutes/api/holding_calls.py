"""The calls of those who have a lead, or want others to have it: give back, hand over, answer, assign many.

They check who may call; the engine decides the rest.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.behaviour import Errors
from leadroutes.api.call import Call, Response
from leadroutes.api.fields import read_fields
from leadroutes.api.lead_calls import LEADS, lead_access, read_body, show_lead, user_id_in
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in
from leadroutes.api.resource import Field
from leadroutes.api.resources import BY_PATH
from leadroutes.api.statements import record_sql
from leadroutes.api.values import Bool, Id, Text, quoted
from leadroutes.domain.model import Initiator
from leadroutes.engine.handovers import answer_handover, hand_over
from leadroutes.errors import Forbidden, Invalid, NotFound

HANDOVERS = BY_PATH["/handovers"]
MOST_LEADS = 1000  # of one call
NOTE = Field("note", Text(2000))
ANSWER = (Field("is_accepted", Bool(), required=True), NOTE)

# $1 the caller, $2 leads: those that the caller sees, and whether they are the caller's own.
_SEEN = f"SELECT t.id, t.owner_id = $1 AS is_own FROM {LEADS.from_clause} WHERE t.id = ANY ($2) AND {LEADS.visible}"  # noqa: S608


async def give_back(call: Call) -> Response:
    """POST /leads/:id/give-back: the claim ends; the lead is offered again to the rest of its line-up."""
    keys = selection(LEADS, call.request.query)
    note, errors = _note(await read_body(call))
    lead_id, access = await lead_access(call)
    if call.caller.user_id not in (access["owner_id"], access["claimed_by_user_id"]):
        raise Forbidden("Only whoever has a lead, or its owner, gives it back")
    _require_no(errors)
    call.require_json_accepted()
    by, act = Initiator(user_id=call.caller.user_id, note=note), act_of_call(call, access["owner_id"], lead_id)
    await call.context.engine.give_back(access["owner_id"], lead_id, by, act)
    return Response(200, await show_lead(call, lead_id, keys))


async def hand_lead_over(call: Call) -> Response:
    """POST /leads/:id/handover: to a colleague, at once or once the owner accepts. 201 with the handover."""
    keys = selection(HANDOVERS, call.request.query)
    body = await read_body(call)
    lead_id, access = await lead_access(call)
    if access["claimed_by_user_id"] != call.caller.user_id:
        raise Forbidden("Only whoever has a lead passes it on")
    note, errors = _note(body)
    to_user_id = _read_user_id(body, errors)
    _require_no(errors)
    call.require_json_accepted()
    by = Initiator(user_id=call.caller.user_id, note=note)
    act = act_of_call(call, access["owner_id"], lead_id, user_id=to_user_id)
    handover_id = await hand_over(call.context.engine, access["owner_id"], lead_id, by, to_user_id, act)
    return Response(201, await _show_handover(call, handover_id, keys))


async def answer(call: Call) -> Response:
    """POST /handovers/:id/answer: the owner accepts or declines."""
    keys = selection(HANDOVERS, call.request.query)
    body = await read_body(call)
    handover_id = id_in(call.ids[0])
    row = await call.context.database.fetchrow(
        f"SELECT t.owner_id FROM handovers t WHERE t.id = $2 AND ({HANDOVERS.visible})",  # noqa: S608
        call.caller.user_id,
        handover_id,
    )
    if row is None:
        raise NotFound.record(call.ids[0])
    if row["owner_id"] != call.caller.user_id:
        raise Forbidden("Only the owner of the lead answers")
    sent, errors = read_fields(ANSWER, body)
    if "is_accepted" not in body:
        errors["is_accepted"] = "is_accepted is required"
    _require_no(errors)
    call.require_json_accepted()
    by, is_accepted = Initiator(user_id=call.caller.user_id, note=sent.get("note")), sent["is_accepted"]
    act = act_of_call(call, row["owner_id"], handover_id, is_accepted=is_accepted)
    await answer_handover(call.context.engine, row["owner_id"], handover_id, by, is_accepted=is_accepted, act=act)
    return Response(200, await _show_handover(call, handover_id, keys))


async def _show_handover(call: Call, handover_id: int, keys: tuple[str, ...]) -> bytes:
    row = await call.context.database.fetchrow(record_sql(HANDOVERS, (), keys), call.caller.user_id, handover_id)
    if row is None or row["record"] is None:
        raise NotFound.record(handover_id)
    return bytes(row["record"].encode())


async def assign_many(call: Call) -> Response:
    """POST /leads/assignments: assigns leads of the caller's own account. 200 with what became of each."""
    body = await read_body(call)
    errors: Errors = {}
    lead_ids = _read_lead_ids(body.get("lead_ids"), errors)
    user_id = _read_user_id(body, errors)
    _require_no(errors)
    call.require_json_accepted()
    seen = {row["id"]: row["is_own"] for row in await call.context.database.fetch(_SEEN, call.caller.user_id, lead_ids)}
    own = sorted(lead_id for lead_id, is_own in seen.items() if is_own)
    act = act_of_call(call, call.caller.user_id, user_id=user_id)
    moved = await call.context.engine.assign_many(call.caller.user_id, own, user_id, act)

    def result(lead_id: int) -> str:
        if lead_id not in seen:
            return "not found"
        if not seen[lead_id]:
            return "forbidden"
        return "assigned" if lead_id in moved else "unchanged"

    results = [{"lead_id": lead_id, "result": result(lead_id)} for lead_id in dict.fromkeys(lead_ids)]
    return Response(200, msgspec.json.encode({"user_id": user_id, "data": results}))


def _read_lead_ids(value: Any, errors: Errors) -> list[int]:
    given = value if isinstance(value, list) and 0 < len(value) <= MOST_LEADS else [None]
    try:
        return [Id().take(each) for each in given]
    except ValueError:
        shown = "nothing" if value is None else quoted(str(value))
        errors["lead_ids"] = f"lead_ids: {shown} was given; expected a list of 1 to {MOST_LEADS} ids of leads"
        return []


def _read_user_id(body: Mapping[str, Any], errors: Errors) -> int:
    try:
        return user_id_in(body.get("user_id"))
    except Invalid as invalid:
        errors.update(invalid.errors)
        return 0


def _note(body: Mapping[str, Any]) -> tuple[str | None, Errors]:
    sent, errors = read_fields((NOTE,), body)
    return sent.get("note"), errors


def _require_no(errors: Errors) -> None:
    if errors:
        raise Invalid.fields(errors)

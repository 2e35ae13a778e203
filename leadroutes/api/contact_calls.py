"""The calls for a contact beyond reading and changing its record: merge, and what has been said with it.

They check who may call; the engine and the store do the rest.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

import asyncpg

from leadroutes.api.audit import act_of_call
from leadroutes.api.call import Call, Response
from leadroutes.api.fields import read_fields
from leadroutes.api.lead_calls import read_body
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in
from leadroutes.api.resource import Field
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.access import SEES_CONTACT_OF
from leadroutes.api.statements import record_sql
from leadroutes.api.values import Id, Text, quoted
from leadroutes.engine.merging import merge_contacts
from leadroutes.errors import Forbidden, Invalid, NotFound
from leadroutes.store.audit import note_act
from leadroutes.store.campaigns import stop_campaigns
from leadroutes.store.contacts import add_event
from leadroutes.store.postgres import Transaction

CONTACTS, EVENTS = BY_PATH["/contacts"], BY_PATH["/events"]
CAMPAIGN_CONTACTS = BY_PATH["/campaigns/:id/contacts"]

# $1 the caller, $2 a contact: no row if the caller does not see it.
_ACCESS = (
    f"SELECT t.owner_id, ({CONTACTS.changeable}) AS may_change FROM contacts t WHERE t.id = $2 AND ({CONTACTS.visible})"
)
_SEES_CAMPAIGN = f"SELECT t.id FROM campaigns t WHERE t.id = $2 AND ({BY_PATH['/campaigns'].visible})"
# $2 a campaign, $3 a run of it, which may have ended: its owner, if the caller sees the contact.
_SEES_RUN = f"SELECT t.owner_id FROM campaign_contacts t WHERE t.campaign_id = $2 AND t.id = $3 AND {SEES_CONTACT_OF}"


async def merge(call: Call) -> Response:
    """POST /contacts/:id/merge: the other contact's leads, tasks and all else move to this one. 200 with this one."""
    keys = selection(CONTACTS, call.request.query)
    body = await read_body(call)
    target_id, access = await contact_access(call)
    require_change(access)
    merged_id = await _merged_id(call, target_id, access["owner_id"], body.get("contact_id"))
    call.require_json_accepted()
    act = act_of_call(call, access["owner_id"], target_id, contact_id=merged_id)
    await merge_contacts(call.context.database, access["owner_id"], target_id, merged_id, call.caller.user_id, act)
    row = await call.context.database.fetchrow(record_sql(CONTACTS, (), keys), call.caller.user_id, target_id)
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[0])
    return Response(200, row["record"].encode())


async def contact_access(call: Call) -> tuple[int, Any]:
    """Returns the contact's id, its owner and whether the caller changes it. Raises NotFound unless they see it."""
    contact_id = id_in(call.ids[0])
    row = await call.context.database.fetchrow(_ACCESS, call.caller.user_id, contact_id)
    if row is None:
        raise NotFound.record(call.ids[0])
    return contact_id, row


def require_change(access: Any) -> None:
    """Raises Forbidden for a caller who sees the contact only."""
    if not access["may_change"]:
        raise Forbidden("You may see this contact, but not do this with it")


async def _merged_id(call: Call, target_id: int, owner_id: int, given: Any) -> int:
    """Returns the other contact, or one that was merged into the remaining one before."""
    if given is None:
        raise Invalid.fields({"contact_id": "contact_id is required"})
    wrong = f"contact_id: {quoted(given)} was given; expected "
    try:
        merged_id = Id().take(given)
    except ValueError:
        raise Invalid.fields({"contact_id": wrong + Id().expected}) from None
    if merged_id == target_id:
        raise Invalid.fields({"contact_id": wrong + "another contact"})
    other = await call.context.database.fetchrow(_ACCESS, call.caller.user_id, merged_id)
    if other is None:
        into = await call.context.database.fetchval(f"SELECT {CONTACTS.merged}", call.caller.user_id, merged_id)
        if into == target_id:
            return int(merged_id)
        raise Invalid.fields({"contact_id": wrong + "a contact that you see"})
    require_change(other)
    if other["owner_id"] != owner_id:
        raise Invalid.fields({"contact_id": wrong + "a contact of the same owner"})
    return int(merged_id)


async def note_conversation(call: Call) -> Response:
    """POST /contacts/:id/conversation: someone has talked with the contact. 201 with the event."""
    keys = selection(EVENTS, call.request.query)
    sent, errors = read_fields((Field("note", Text(2000)),), await read_body(call))
    contact_id, access = await contact_access(call)
    require_change(access)
    if errors:
        raise Invalid.fields(errors)
    call.require_json_accepted()

    async def work(transaction: Transaction) -> str:
        owner_id, user_id = access["owner_id"], call.caller.user_id
        event_id = await add_event(transaction, owner_id, user_id, contact_id, "conversation", sent.get("note"))
        await stop_campaigns(transaction, "conversation", [(access["owner_id"], contact_id)])
        note_act(transaction, act_of_call(call, access["owner_id"], contact_id))
        row = await transaction.fetchrow(record_sql(EVENTS, (), keys), call.caller.user_id, event_id)
        assert row is not None
        return str(row["record"])

    try:
        return Response(201, (await call.context.database.run(work)).encode())
    except asyncpg.ForeignKeyViolationError:  # the contact has been removed since
        raise NotFound.record(call.ids[0]) from None


async def resume_campaign(call: Call) -> Response:
    """POST /campaigns/:id/contacts/:id/resumption: a campaign that was stopped goes on where it was."""
    keys = selection(CAMPAIGN_CONTACTS, call.request.query)
    await read_body(call)
    campaign_id = id_in(call.ids[0])
    if await call.context.database.fetchval(_SEES_CAMPAIGN, call.caller.user_id, campaign_id) is None:
        raise NotFound.record(call.ids[0])
    run_id = id_in(call.ids[1])
    owner_id = await call.context.database.fetchval(_SEES_RUN, call.caller.user_id, campaign_id, run_id)
    if owner_id is None:
        raise NotFound.record(call.ids[1])
    call.require_json_accepted()
    await call.context.engine.resume_campaign(owner_id, run_id, act_of_call(call, owner_id, run_id))
    row = await call.context.database.fetchrow(
        record_sql(CAMPAIGN_CONTACTS, (), keys), call.caller.user_id, campaign_id, run_id
    )
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[1])
    return Response(200, row["record"].encode())

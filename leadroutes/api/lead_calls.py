"""The calls for a lead beyond reading and changing its record: post, claim, assign, distribute, decline, explain.

They check who may call; the engine decides the rest.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.bodies import fields_of, read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.fields import blank_record, in_order, sent_fields
from leadroutes.api.lead_contacts import find_or_add_contact, read_contact
from leadroutes.api.query import requested_page, selection
from leadroutes.api.reads import id_in, too_large_refused
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.leads import SEES_ALL_OF_LEAD
from leadroutes.api.sql_parts import columns
from leadroutes.api.statements import LARGEST_PAGE_BYTES, page_sql, record_sql
from leadroutes.api.values import Id, Moment, quoted
from leadroutes.api.writes import database_errors_as_problems
from leadroutes.domain.arrival import NewLead
from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.why import Addressee, for_member
from leadroutes.errors import Forbidden, Invalid, NotFound
from leadroutes.ingest.arrivals import IdempotentRequest
from leadroutes.store import statement

LEADS, OFFERS, LEAD_OFFERS = BY_PATH["/leads"], BY_PATH["/leads/:id/offers"], BY_PATH["/lead-offers"]
LONGEST_KEY = 255

# $1 the caller, $2 a contact, $3 a lead source: the contact's owner, and whether the source may be named.
_REFERENCES = (
    f"SELECT (SELECT t.owner_id FROM contacts t WHERE t.id = $2 AND {BY_PATH['/contacts'].visible}) AS owner_id,"
    f" EXISTS (SELECT FROM lead_sources t WHERE t.id = $3 AND ({BY_PATH['/lead-sources'].visible})) AS has_source"
)
# $1 the caller, $2 a lead: what decides what the caller may do with it; no row if the caller does not see it.
_ACCESS = (
    "SELECT t.owner_id, t.contact_id, t.creator_user_id, c.user_id AS claimed_by_user_id,"
    f" {SEES_ALL_OF_LEAD} AS sees_all"
    f" FROM {LEADS.from_clause} WHERE t.id = $2 AND {LEADS.visible}"
)
_ALL_OFFERS = "SELECT %s FROM offers t WHERE t.owner_id = $1 AND t.lead_id = $2 ORDER BY t.notify_at, t.id"


async def post_lead(call: Call) -> Response:
    """POST /leads: 201, or 200 if the Idempotency-Key was used with the same body before."""
    keys = selection(LEADS, call.request.query)
    data = await read_limited(call.request, LEADS.body_limit, call.context.settings.body_timeout)
    body = fields_of(call.request, data, is_new=True)
    sent, errors = sent_fields(LEADS, body, "POST")
    contact = read_contact(body, errors)
    record = blank_record(LEADS) | {name: value for name, value in sent.items() if name != "distribute"}
    del record["is_closed"]  # which a POST does not set
    owner_id = await _owner_of_lead(call, record, contact, errors)
    idempotency = _idempotency(call, data, errors)
    if errors:
        raise Invalid.fields(in_order(LEADS, errors))
    call.require_json_accepted()
    if contact is not None:
        key = idempotency.as_dedupe_key() if idempotency else None
        record["contact_id"] = await find_or_add_contact(call, contact, key)
    lead = NewLead(
        owner_id=owner_id,
        creator_user_id=call.caller.user_id,
        distribute=sent.get("distribute", True),
        **record,
    )
    with database_errors_as_problems(LEADS, is_removal=False):
        stored = await call.context.arrivals.post_lead(lead, idempotency=idempotency)
    lead_id = stored.lead_ids[0] if stored.lead_ids else 0
    if stored.owner_id == call.caller.user_id and not keys:
        shown = (await call.context.own_leads.find((stored.owner_id, lead_id)) or "").encode()
    else:
        shown = await show_lead(call, lead_id, keys)
    return Response(201 if stored.is_new else 200, shown)


async def _owner_of_lead(
    call: Call, record: Mapping[str, Any], contact: Mapping[str, Any] | None, errors: dict[str, str]
) -> int:
    """Returns the owner of the contact, or the caller for one that comes with the lead; adds wrong references."""
    references = await call.context.database.fetchrow(
        _REFERENCES, call.caller.user_id, record["contact_id"], record["source_id"]
    )
    assert references is not None
    is_named = contact is None and "contact" not in errors
    if is_named and references["owner_id"] is None and "contact_id" not in errors:
        errors["contact_id"] = f"contact_id: {record['contact_id']} was given; expected a contact that you see"
    if record["source_id"] is not None and not references["has_source"]:
        errors["source_id"] = f"source_id: {record['source_id']} was given; expected a lead source that you see"
    return int(references["owner_id"] or call.caller.user_id)


def _idempotency(call: Call, data: bytes, errors: dict[str, str]) -> IdempotentRequest | None:
    key = call.request.header("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_KEY:
        errors["Idempotency-Key"] = f"Idempotency-Key: expected 1 to {LONGEST_KEY} characters"
    return IdempotentRequest(f"/leads/{call.caller.user_id}", key, data)


async def claim(call: Call) -> Response:
    """Claims a lead for the caller, who must have been notified of it; for anyone else the lead does not exist."""
    keys = selection(LEADS, call.request.query)
    await read_nothing(call)
    lead_id = id_in(call.ids[0])
    owner_id = await call.context.lead_owners.find(lead_id)
    if owner_id is None:
        raise NotFound.record(call.ids[0])
    if not call.request.accepts_json:
        await lead_access(call)  # 404 comes before 406, else the order would reveal which leads exist
    call.require_json_accepted()
    act = act_of_call(call, owner_id, lead_id)
    await call.context.engine.claim(owner_id, lead_id, call.caller.user_id, act=act)
    shown = await call.context.claimed_leads.find((call.caller.user_id, lead_id)) if not keys else None
    return Response(200, shown.encode() if shown is not None else await show_lead(call, lead_id, keys))


async def assign(call: Call) -> Response:
    """Assigns the lead to another user, for its owner."""
    keys = selection(LEADS, call.request.query)
    body = await read_body(call)
    lead_id, access = await lead_access(call)
    if access["owner_id"] != call.caller.user_id:
        raise Forbidden("Only the owner of a lead assigns it")
    user_id = user_id_in(body.get("user_id"))
    await require_same_team(call, user_id)
    call.require_json_accepted()
    act = act_of_call(call, access["owner_id"], lead_id, user_id=user_id)
    await call.context.engine.assign(access["owner_id"], lead_id, user_id, call.caller.user_id, act)
    return Response(200, await show_lead(call, lead_id, keys))


async def require_same_team(call: Call, user_id: int) -> None:
    """Raises Forbidden where a lead of a team would assign to someone outside of the team."""
    if call.caller.team_id is not None:
        sql = (
            "SELECT EXISTS (SELECT FROM team_members WHERE owner_id = $1 AND team_id = $2 AND user_id = $3"
            " AND request_status = 'Accepted')"
        )
        if not await call.context.database.fetchval(sql, call.caller.user_id, call.caller.team_id, user_id):
            raise Forbidden("The lead of a team assigns to accepted members of the team")


def user_id_in(value: Any) -> int:
    """Returns the id. Raises Invalid for anything else, and where it is missing."""
    if value is None:
        raise Invalid.fields({"user_id": "user_id is required"})
    try:
        return Id().take(value)
    except ValueError:
        expected = Id().expected
        raise Invalid.fields({"user_id": f"user_id: {quoted(value)} was given; expected {expected}"}) from None


async def distribute(call: Call) -> Response:
    """POST /leads/:id/offers: starts the rollout if the lead was held. Returns all of its offers."""
    keys = selection(OFFERS, call.request.query)
    await read_nothing(call)
    lead_id, access = await lead_access(call)
    if call.caller.user_id not in (access["owner_id"], access["creator_user_id"]):
        raise Forbidden("Only the owner and the creator of a lead distribute it")
    call.require_json_accepted()
    act = act_of_call(call, access["owner_id"], lead_id)
    await call.context.engine.distribute(access["owner_id"], lead_id, act)
    sql = f"SELECT {page_sql(_ALL_OFFERS % columns(OFFERS, keys))}"
    with too_large_refused():
        records = await call.context.database.fetchval(sql, access["owner_id"], lead_id)
    return Response(201, b"[%b]" % (records or b""))


async def decline(call: Call) -> Response:
    """Declines an offer. Returns the offer."""
    return await _answer_offer(call, call.context.engine.decline)


async def undo_decline(call: Call) -> Response:
    """Takes a decline back, within 10 minutes and while the lead is open. Returns the offer."""
    return await _answer_offer(call, call.context.engine.undo_decline)


async def _answer_offer(call: Call, answer: Callable[[int, int, int, AuditRow | None], Awaitable[None]]) -> Response:
    keys = selection(LEAD_OFFERS, call.request.query)
    await read_nothing(call)
    offer_id = id_in(call.ids[0])
    owner_id = await call.context.database.fetchval(
        f"SELECT t.owner_id FROM offers t WHERE t.id = $2 AND {LEAD_OFFERS.visible}",
        call.caller.user_id,
        offer_id,
    )
    if owner_id is None:
        raise NotFound.record(call.ids[0])
    call.require_json_accepted()
    await answer(owner_id, offer_id, call.caller.user_id, act_of_call(call, owner_id, offer_id))
    row = await call.context.database.fetchrow(record_sql(LEAD_OFFERS, (), keys), call.caller.user_id, offer_id)
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[0])
    return Response(200, row["record"].encode())


async def explain(call: Call) -> Response:
    """Why the lead went to this agent and not to others: all of it for the owner.

    Others who see the lead read their own line, the outcome, and how many came before them; the routes, which may name
    details of the contact, are the owner's.
    """
    lead_id, access = await lead_access(call)
    call.require_json_accepted()
    zone = await call.context.database.fetchval(*statement("find_timezone").bind(user_id=call.caller.person_id))
    addressee = Addressee(call.caller.user_id, zone or "UTC")
    explained = await call.context.engine.explain(access["owner_id"], lead_id, addressee)
    is_owner = access["owner_id"] == call.caller.user_id
    return Response(200, encoded(explained if is_owner else for_member(explained, call.caller.user_id)))


async def history(call: Call) -> Response:
    """The history, for those who see all of the lead, as it names the contact. $limit and $skip choose a page."""
    limit, skip = requested_page(call.request.query)
    lead_id, access = await lead_access(call)
    if not access["sees_all"]:
        raise Forbidden("Claim the lead to see its history")
    call.require_json_accepted()
    with too_large_refused():
        happened = await call.context.engine.history(
            access["owner_id"], lead_id, limit=limit, skip=skip, most_bytes=LARGEST_PAGE_BYTES
        )
    return Response(200, encoded([_event(each) for each in happened]))


def _event(each: dict[str, Any]) -> dict[str, Any]:
    detail = each["detail"]
    return each | {"detail": msgspec.Raw(detail.encode()) if isinstance(detail, str) else detail}


def encoded(value: Any) -> bytes:
    """Returns JSON with date-times as the API writes them."""
    return msgspec.json.encode(_with_moments(value))


def _with_moments(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _with_moments(each) for key, each in value.items()}
        case list() | tuple():
            return [_with_moments(each) for each in value]
    return Moment.written(value) if hasattr(value, "isoformat") else value


async def lead_access(call: Call) -> tuple[int, Any]:
    """Returns the lead's id, and what decides what the caller may do with it. Raises NotFound unless they see it."""
    lead_id = id_in(call.ids[0])
    row = await call.context.database.fetchrow(_ACCESS, call.caller.user_id, lead_id)
    if row is None:
        raise NotFound.record(call.ids[0])
    return lead_id, row


async def read_body(call: Call) -> dict[str, Any]:
    """Returns the fields of the body."""
    data = await read_limited(call.request, 102_400, call.context.settings.body_timeout)
    return fields_of(call.request, data, is_new=True)


async def read_nothing(call: Call) -> None:
    """Reads and discards the body. Raises Invalid if it cannot be read."""
    await read_body(call)


async def show_lead(call: Call, lead_id: int, keys: tuple[str, ...]) -> bytes:
    """Returns the lead as the caller sees it. Raises NotFound if they do not."""
    row = await call.context.database.fetchrow(record_sql(LEADS, (), keys), call.caller.user_id, lead_id)
    if row is None or row["record"] is None:
        raise NotFound.record(lead_id)
    return bytes(row["record"].encode())

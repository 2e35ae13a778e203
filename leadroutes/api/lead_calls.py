"""The calls for a lead beyond reading and changing its record: post, claim, assign, distribute, decline, explain.

They check who may call; the engine decides the rest.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

import msgspec

from leadroutes.api.bodies import fields_of, read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.fields import blank_record, in_order, sent_fields
from leadroutes.api.query import requested_page, selection
from leadroutes.api.reads import id_in, too_large_refused
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.leads import SEES_ALL_OF_LEAD
from leadroutes.api.statements import LARGEST_PAGE_BYTES, columns, page_sql, record_sql
from leadroutes.api.values import Id, Moment, quoted
from leadroutes.api.writes import database_errors_as_problems
from leadroutes.domain.arrival import NewLead
from leadroutes.errors import Forbidden, Invalid, NotFound
from leadroutes.ingest.arrivals import IdempotentRequest

LEADS, OFFERS, LEAD_OFFERS = BY_PATH["/leads"], BY_PATH["/leads/:id/offers"], BY_PATH["/lead-offers"]
LONGEST_KEY = 255

# $1 the caller, $2 a contact, $3 a lead source: the contact's owner, and whether the source may be named.
_REFERENCES = (
    f"SELECT (SELECT t.owner_id FROM contacts t WHERE t.id = $2 AND {BY_PATH['/contacts'].visible}) AS owner_id,"
    f" EXISTS (SELECT FROM lead_sources t WHERE t.id = $3 AND ({BY_PATH['/lead-sources'].visible})) AS has_source"
)
# $1 the caller, $2 a lead: what decides what the caller may do with it; no row if the caller does not see it.
_ACCESS = (
    f"SELECT t.owner_id, t.creator_user_id, {SEES_ALL_OF_LEAD} AS sees_all"
    f" FROM {LEADS.from_clause} WHERE t.id = $2 AND {LEADS.visible}"
)
_ALL_OFFERS = "SELECT %s FROM offers t WHERE t.owner_id = $1 AND t.lead_id = $2 ORDER BY t.notify_at, t.id"


async def post_lead(call: Call) -> Response:
    """POST /leads: 201, or 200 if the Idempotency-Key was used with the same body before."""
    keys = selection(LEADS, call.request.query)
    data = await read_limited(call.request, LEADS.body_limit, call.context.settings.body_timeout)
    sent, errors = sent_fields(LEADS, fields_of(call.request, data, is_new=True), "POST")
    record = blank_record(LEADS) | {name: value for name, value in sent.items() if name != "distribute"}
    references = await call.context.database.fetchrow(
        _REFERENCES, call.caller.user_id, record["contact_id"], record["source_id"]
    )
    assert references is not None
    if references["owner_id"] is None and "contact_id" not in errors:
        errors["contact_id"] = f"contact_id: {record['contact_id']} was given; expected a contact that you see"
    if record["source_id"] is not None and not references["has_source"]:
        errors["source_id"] = f"source_id: {record['source_id']} was given; expected a lead source that you see"
    idempotency = _idempotency(call, data, errors)
    if errors:
        raise Invalid.fields(in_order(LEADS, errors))
    call.require_json_accepted()
    lead = NewLead(
        owner_id=references["owner_id"],
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
        shown = await _show_lead(call, lead_id, keys)
    return Response(201 if stored.is_new else 200, shown)


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
        await _access(call)  # 404 comes before 406, else the order would reveal which leads exist
    call.require_json_accepted()
    await call.context.engine.claim(owner_id, lead_id, call.caller.user_id)
    shown = await call.context.claimed_leads.find((call.caller.user_id, lead_id)) if not keys else None
    return Response(200, shown.encode() if shown is not None else await _show_lead(call, lead_id, keys))


async def assign(call: Call) -> Response:
    """Assigns the lead to another user, for its owner."""
    keys = selection(LEADS, call.request.query)
    body = await _read_fields(call)
    lead_id, access = await _access(call)
    if access["owner_id"] != call.caller.user_id:
        raise Forbidden("Only the owner of a lead assigns it")
    user_id = _user_id(body.get("user_id"))
    call.require_json_accepted()
    await call.context.engine.assign(access["owner_id"], lead_id, user_id, call.caller.user_id)
    return Response(200, await _show_lead(call, lead_id, keys))


def _user_id(value: Any) -> int:
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
    lead_id, access = await _access(call)
    if call.caller.user_id not in (access["owner_id"], access["creator_user_id"]):
        raise Forbidden("Only the owner and the creator of a lead distribute it")
    call.require_json_accepted()
    await call.context.engine.distribute(access["owner_id"], lead_id)
    sql = f"SELECT {page_sql(_ALL_OFFERS % columns(OFFERS, keys))}"
    with too_large_refused():
        records = await call.context.database.fetchval(sql, access["owner_id"], lead_id)
    return Response(201, b"[%b]" % (records or b""))


async def decline(call: Call) -> Response:
    """Declines an offer. Returns the offer."""
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
    await call.context.engine.decline(owner_id, offer_id, call.caller.user_id)
    row = await call.context.database.fetchrow(record_sql(LEAD_OFFERS, (), keys), call.caller.user_id, offer_id)
    if row is None or row["record"] is None:
        raise NotFound.record(call.ids[0])
    return Response(200, row["record"].encode())


async def explain(call: Call) -> Response:
    """Why the lead went to this agent and not to others; the same for everyone who sees the lead."""
    lead_id, access = await _access(call)
    call.require_json_accepted()
    return Response(200, encoded(await call.context.engine.explain(access["owner_id"], lead_id)))


async def history(call: Call) -> Response:
    """The history, for those who see all of the lead, as it names the contact. $limit and $skip choose a page."""
    limit, skip = requested_page(call.request.query)
    lead_id, access = await _access(call)
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


async def _access(call: Call) -> tuple[int, Any]:
    lead_id = id_in(call.ids[0])
    row = await call.context.database.fetchrow(_ACCESS, call.caller.user_id, lead_id)
    if row is None:
        raise NotFound.record(call.ids[0])
    return lead_id, row


async def _read_fields(call: Call) -> dict[str, Any]:
    data = await read_limited(call.request, 102_400, call.context.settings.body_timeout)
    return fields_of(call.request, data, is_new=True)


async def read_nothing(call: Call) -> None:
    """Reads and discards the body. Raises Invalid if it cannot be read."""
    await _read_fields(call)


async def _show_lead(call: Call, lead_id: int, keys: tuple[str, ...]) -> bytes:
    row = await call.context.database.fetchrow(record_sql(LEADS, (), keys), call.caller.user_id, lead_id)
    if row is None or row["record"] is None:
        raise NotFound.record(lead_id)
    return bytes(row["record"].encode())

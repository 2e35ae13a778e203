"""Calls that are about the caller, the service or what came in: me, ledger, arrivals, intake, health.

Nothing is decided here: arrivals reads bodies, the engine counts.
"""

import time
from typing import Any

import msgspec

from leadroutes.api.bodies import read_bytes
from leadroutes.api.call import Answer, Call, Request
from leadroutes.api.lead_calls import LEADS, LONGEST_KEY, encoded
from leadroutes.api.query import record_query
from leadroutes.api.resources import BY_PATH
from leadroutes.api.rest import id_in
from leadroutes.api.statements import record_sql
from leadroutes.errors import (
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
    Unprocessable,
)

USERS = BY_PATH["/users"]
FRESH = 30  # seconds within which a worker must have beaten


async def me(call: Call) -> Answer:
    """The user of the token, as /users shows him."""
    query = record_query(USERS, call.request.query)
    sql = record_sql(USERS, query.conditions, query.keys)
    user_id = call.caller.user_id
    row = await call.rooms.database.fetchrow(sql, user_id, user_id, *query.values)
    if row is None or row["record"] is None:
        raise NotFound.record(user_id)
    call.must_accept_json()
    return Answer(200, row["record"].encode())


async def ledger(call: Call) -> Answer:
    """Received = claimed + on_offer + unclaimed + held + rejected; imported stands outside the sum."""
    call.must_accept_json()
    return Answer(200, encoded(await call.rooms.engine.ledger(call.caller.user_id)))


# --------------------------------------------------------------------------------------------------- arrivals


async def raw_arrival(call: Call) -> Answer:
    """The bytes of an arrival. Their own type is not repeated: a browser must not run what somebody sent in."""
    row = await call.rooms.database.fetchrow(
        "SELECT body FROM arrivals WHERE owner_id = $1 AND id = $2", call.caller.user_id, id_in(call.ids[0])
    )
    if row is None:
        raise NotFound.record(call.ids[0])
    headers = ((b"content-disposition", b"attachment"), (b"x-content-type-options", b"nosniff"))
    call.must_accept_json()
    return Answer(200, row["body"], b"application/octet-stream", headers)


async def replay_arrival(call: Call) -> Answer:
    """Reads it again with the readers of today."""
    arrival_id = id_in(call.ids[0])
    owner_id = call.caller.user_id
    found = await call.rooms.database.fetchval(
        "SELECT EXISTS (SELECT FROM arrivals WHERE owner_id = $1 AND id = $2)", owner_id, arrival_id
    )
    if not found:
        raise NotFound.record(call.ids[0])
    call.must_accept_json()
    return await _answer_of(call, await call.rooms.arrivals.replay(owner_id, arrival_id), is_replay=True)


async def take_in(call: Call) -> Answer:
    """POST /intake/{key}: 201 a new lead, 200 one that is known, 202 kept without one, else what is wrong with it."""
    data = await _body_of_intake(call)
    key = call.request.header("idempotency-key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise Invalid.fields({"Idempotency-Key": f"Idempotency-Key: expected 1 to {LONGEST_KEY} characters"})
    headers = {name: ", ".join(values) for name, values in call.request.headers.items()}
    headers.pop("content-encoding", None)  # it is unpacked
    try:
        answer = await call.rooms.arrivals.take_in(call.ids[0], data, headers, idempotency_key=key)
    except NotFound as unknown:
        raise _page_not_found(call.request, unknown) from None
    return await _answer_of(call, answer, is_replay=False)


async def _body_of_intake(call: Call) -> bytes:
    settings = call.rooms.settings
    media_type = (call.request.header("content-type") or "").partition(";")[0].strip().lower()
    limit = settings.mail_limit if media_type == "message/rfc822" else settings.intake_limit
    return await read_bytes(call.request, limit, settings.body_timeout)


def _page_not_found(request: Request, unknown: NotFound) -> NotFound:
    return NotFound(unknown.message, data={"url": request.url})


async def _answer_of(call: Call, answer: Any, *, is_replay: bool) -> Answer:
    """A vendor's own reply goes first; then the lead or leads; then what is kept; then the refusal."""
    stored = answer.stored
    if answer.reply is not None and not is_replay:
        return Answer(200, msgspec.json.encode(answer.reply))
    if stored.lead_ids:
        return Answer(201 if stored.is_new else 200, await _leads(call, stored.owner_id, stored.lead_ids))
    kept = {"arrival_id": stored.arrival_id, "status": stored.status, "reason": stored.reason}
    if answer.refusal is not None and answer.refusal.status >= 400:
        raise _refused(answer.refusal, kept)
    return Answer(202 if answer.refusal is None else answer.refusal.status, msgspec.json.encode(kept))


async def _leads(call: Call, owner_id: int, lead_ids: tuple[int, ...]) -> bytes:
    """One lead as its record, several as {"leads": […]}, as their owner sees them."""
    shown = []
    for lead_id in lead_ids:
        row = await call.rooms.database.fetchrow(record_sql(LEADS, (), ()), owner_id, lead_id)
        if row is not None and row["record"] is not None:
            shown.append(row["record"])
    if len(lead_ids) == 1 and shown:
        return bytes(shown[0].encode())
    return f'{{"leads":[{",".join(shown)}]}}'.encode()


_REFUSALS: dict[int, type[Problem]] = {400: Invalid, 403: Forbidden, 413: TooLarge, 422: Unprocessable}


def _refused(refusal: Any, kept: dict[str, Any]) -> Problem:
    message = f"{refusal.why}: {refusal.detail}"
    if refusal.status == 401:
        problem: Problem = NotAuthenticated(message)
        problem.data = kept
        return problem
    return _REFUSALS.get(refusal.status, Unprocessable)(message, data=kept)


# ----------------------------------------------------------------------------------------------------- health


async def is_alive(_call: Call) -> Answer:
    """That this process answers; nothing else is asked."""
    return Answer(200, b'{"status":"ok"}')


async def is_ready(call: Call) -> Answer:
    """Whether leads can be taken in and told of: the database is there, and a worker has beaten lately."""
    begun = time.monotonic()
    age = await call.rooms.database.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - max(beat_at))::float8 FROM worker_heartbeats"
    )
    if age is None or age > FRESH:
        since = "none has ever beaten" if age is None else f"the last beat was {age:.0f} seconds ago"
        raise Unavailable(f"No worker is running: {since}", retry_after=5)
    milliseconds = round((time.monotonic() - begun) * 1000, 1)
    told = {"status": "ok", "database_ms": milliseconds, "worker_seconds": round(age, 1)}
    return Answer(200, msgspec.json.encode(told))

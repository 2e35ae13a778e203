"""Calls that are about the caller or the service: me, ledger, health, metrics. Nothing is decided here."""

import hmac
import time

import msgspec

from leadroutes import metrics
from leadroutes.api.auth import bearer_token
from leadroutes.api.call import Answer, Call
from leadroutes.api.lead_calls import encoded
from leadroutes.api.query import record_query
from leadroutes.api.resources import BY_PATH
from leadroutes.api.statements import record_sql
from leadroutes.errors import NotAuthenticated, NotFound, Unavailable
from leadroutes.store.room import NO_ROOM_SENTENCE

USERS = BY_PATH["/users"]
FRESH = 30  # seconds within which a worker must have beaten


async def me(call: Call) -> Answer:
    """The user of the token, as /users shows him."""
    query = record_query(USERS, call.request.query).must_be_affordable()
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


# ----------------------------------------------------------------------------------------------------- health


async def is_alive(_call: Call) -> Answer:
    """That this process answers; nothing else is asked."""
    return Answer(200, b'{"status":"ok"}')


async def is_ready(call: Call) -> Answer:
    """Whether leads can be taken in and told of: the database is there and stores, and a worker has beaten lately."""
    begun = time.monotonic()
    age = await call.rooms.database.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - max(beat_at))::float8 FROM worker_heartbeats"
    )
    if age is None or age > FRESH:
        since = "none has ever beaten" if age is None else f"the last beat was {age:.0f} seconds ago"
        raise Unavailable(f"No worker is running: {since}", retry_after=5)
    if not await call.rooms.database.room.is_there():
        raise Unavailable(NO_ROOM_SENTENCE, retry_after=30)
    milliseconds = round((time.monotonic() - begun) * 1000, 1)
    told = {"status": "ok", "database_ms": milliseconds, "worker_seconds": round(age, 1)}
    return Answer(200, msgspec.json.encode(told))


async def tell_metrics(call: Call) -> Answer:
    """What Prometheus scrapes, where LEADROUTES_METRICS is on; to everybody, unless a token of its own is set."""
    settings = call.rooms.settings
    if not settings.metrics:
        raise NotFound("Page not found", data={"url": call.request.url})
    if settings.metrics_token is not None:
        token = bearer_token(call.request.headers.get("authorization", ()))
        if not hmac.compare_digest(token.encode(), settings.metrics_token.encode()):
            raise NotAuthenticated("Invalid access token", invalid_token=True)
    return Answer(200, await metrics.render(call.rooms.database), metrics.CONTENT_TYPE)

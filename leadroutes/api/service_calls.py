"""Calls about the caller or the service: me, ledger, health, metrics. Nothing is decided here."""

import hmac
import time
from functools import partial
from typing import Any

import msgspec

from leadroutes.api.audit import act_of_own_account
from leadroutes.api.auth import bearer_token
from leadroutes.api.bodies import fields_of, read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.fields import in_order, sent_fields
from leadroutes.api.lead_calls import encoded
from leadroutes.api.query import Query, record_query
from leadroutes.api.resources.users import ME, must_be_ones_own
from leadroutes.api.statements import record_sql
from leadroutes.clock import MOST_AHEAD
from leadroutes.engine.users import ChangedBy, ask_for_email, change_user
from leadroutes.errors import Invalid, NotAuthenticated, NotFound, Unavailable
from leadroutes.observability import metrics
from leadroutes.security.throttle import limits_of_user
from leadroutes.store.accounts import faults_of, is_password_of
from leadroutes.store.channel_faults import list_channel_faults
from leadroutes.store.disk_space import OUT_OF_SPACE_MESSAGE

WORKER_ALIVE_WITHIN = 30  # seconds since the last heartbeat of a worker


async def me(call: Call) -> Response:
    """The user of the token as in /users, with the postal address."""
    return await _show_me(call, record_query(ME, call.request.query).require_affordable())


async def _show_me(call: Call, query: Query) -> Response:
    sql = record_sql(ME, query.conditions, query.keys)
    user_id = call.caller.user_id
    row = await call.context.database.fetchrow(sql, user_id, user_id, *query.values)
    if row is None or row["record"] is None:
        raise NotFound.record(user_id)
    call.require_json_accepted()
    return Response(200, row["record"].encode())


async def change_me(call: Call) -> Response:
    """PATCH /me: changes the caller's own data; e-mail and password with the present password only."""
    query = record_query(ME, call.request.query)
    data = await read_limited(call.request, ME.body_limit, call.context.settings.body_timeout)
    body = fields_of(call.request, data, is_new=False)
    sent, errors = sent_fields(ME, body, "PATCH")
    database, user_id = call.context.database, call.caller.user_id
    await must_be_ones_own(database, call.caller, body)
    errors = faults_of({name: value for name, value in sent.items() if name not in errors}) | errors
    if {"email", "password"} & set(sent) and "current_password" not in errors:
        errors |= await _wrong_password(call, sent.get("current_password"))
    if errors:
        raise Invalid.fields(in_order(ME, errors))
    call.require_json_accepted()
    changes = {name: value for name, value in sent.items() if name not in ("email", "current_password")}
    act = act_of_own_account(call, [name for name in sent if name != "current_password"])
    if changes:
        await change_user(database, user_id, changes, ChangedBy(user_id, call.caller.token_hash), act)
    if "email" in sent:
        await ask_for_email(database, user_id, sent["email"], None if changes else act)
    return await _show_me(call, query)


async def _wrong_password(call: Call, given: str | None) -> dict[str, str]:
    """Returns the faults of the password that was given. Raises TooManyRequests after many wrong ones."""
    if given is None:
        return {"current_password": "current_password is required to change email or password"}
    user_id = call.caller.user_id
    compare = partial(is_password_of, call.context.database, user_id, given)
    if await call.context.throttle.compare(limits_of_user(user_id), compare):
        return {}
    return {"current_password": "current_password: another one was given; expected the present password"}


async def ledger(call: Call) -> Response:
    """Counts of leads: received = claimed + on_offer + unclaimed + held + rejected; imported is not in the sum."""
    call.require_json_accepted()
    return Response(200, encoded(await call.context.engine.ledger(call.caller.user_id)))


# ----------------------------------------------------------------------------------------------------- health


async def is_alive(_call: Call) -> Response:
    """Answers while this process does; checks nothing else."""
    return Response(200, b'{"status":"ok"}')


async def is_ready(call: Call) -> Response:
    """Whether leads can be stored and agents notified: the database has space, a worker has a recent heartbeat.

    Raises Unavailable otherwise. A wrong system clock and a failing channel are reported, but are not a reason for it.
    """
    begun = time.monotonic()
    age = await call.context.database.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - max(beat_at))::float8 FROM worker_heartbeats"
    )
    if age is None or age > WORKER_ALIVE_WITHIN:
        since = "none has ever beaten" if age is None else f"the last beat was {age:.0f} seconds ago"
        raise Unavailable(f"No worker is running: {since}", retry_after=5)
    if not await call.context.database.disk_space.is_available():
        raise Unavailable(OUT_OF_SPACE_MESSAGE, retry_after=30)
    milliseconds = round((time.monotonic() - begun) * 1000, 1)
    status: dict[str, Any] = {"status": "ok", "database_ms": milliseconds, "worker_seconds": round(age, 1)}
    ahead = call.context.database.clock.machine_ahead()
    if abs(ahead) > MOST_AHEAD:
        status["clock_seconds_ahead"] = round(ahead, 1)
    if faults := await list_channel_faults(call.context.database):
        status["channel_faults"] = {row["channel"]: row["reason"] for row in faults}
    return Response(200, msgspec.json.encode(status))


async def show_metrics(call: Call) -> Response:
    """Metrics for Prometheus, if LEADROUTES_METRICS is on; for everyone, unless a token is set."""
    settings = call.context.settings
    if not settings.metrics:
        raise NotFound("Page not found", data={"url": call.request.url})
    if settings.metrics_token is not None:
        token = bearer_token(call.request.headers.get("authorization", ()))
        if not hmac.compare_digest(token.encode(), settings.metrics_token.encode()):
            raise NotAuthenticated("Invalid access token", invalid_token=True)
    return Response(200, await metrics.render(call.context.database), metrics.CONTENT_TYPE)

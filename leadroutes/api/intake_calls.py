"""The endpoints that take leads in, and what came in through them: /intake, /v1/events, /arrivals, trials.

Nothing is decided here: leadroutes.ingest finds keys, reads bodies and stores arrivals.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.auth import authenticate, bearer_token
from leadroutes.api.bodies import read_bytes
from leadroutes.api.call import Call, Request, Response
from leadroutes.api.lead_calls import LONGEST_KEY, encoded
from leadroutes.api.reads import id_in
from leadroutes.domain.dedupe import LeadOutcome
from leadroutes.errors import (
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    Problem,
    TooLarge,
    Unprocessable,
)
from leadroutes.ingest.dry_run import dry_run_body
from leadroutes.intake.authentication import basic_of
from leadroutes.intake.facebook import challenge

EVENTS_FORMAT = "followupboss"


# ----------------------------------------------------------------------------------------------------- endpoints


async def ingest(call: Call) -> Response:
    """POST /intake/{key}: 201 for a new lead, 200 for a known one, 202 if stored without a lead, else the refusal."""
    data = await _body_of_intake(call)
    try:
        answer = await call.context.arrivals.ingest(
            call.ids[0], data, _headers(call.request), idempotency_key=_idempotency_key(call.request)
        )
    except NotFound as unknown:
        raise _page_not_found(call.request, unknown) from None
    return await _answer_of(call, answer, is_replay=False)


async def verify(call: Call) -> Response:
    """GET /intake/{key}: returns the challenge of a platform that verifies the address."""
    try:
        intake_key = await call.context.arrivals.open(call.ids[0])
    except NotFound as unknown:
        raise _page_not_found(call.request, unknown) from None
    token = call.context.arrivals.secrets_of(intake_key).get("verify_token")
    if intake_key.format not in (None, "facebook") or token is None:
        raise MethodNotAllowed("Leads are posted here", allowed=("POST", "OPTIONS"))
    echo = challenge(dict(parse_qsl(call.request.query, keep_blank_values=True)), token)
    if echo is None:
        raise Forbidden("hub.verify_token is not the verify_token of this intake key")
    headers = ((b"x-content-type-options", b"nosniff"),)
    return Response(200, echo.encode("utf-8", "replace"), b"text/plain; charset=utf-8", headers)


async def ingest_event(call: Call) -> Response:
    """POST /v1/events, as senders to Follow Up Boss call it: the intake key is the user name, the password is empty."""
    data = await read_bytes(call.request, call.context.settings.intake_limit, call.context.settings.body_timeout)
    user, password = basic_of(call.request.header("authorization"))
    if not user or password:
        raise _not_authenticated()
    try:
        intake_key = await call.context.arrivals.open(user)
    except NotFound:
        raise _not_authenticated() from None
    if intake_key.format not in (None, EVENTS_FORMAT):
        raise _not_authenticated()
    answer = await call.context.arrivals.ingest(
        intake_key, data, _headers(call.request), format_=EVENTS_FORMAT, is_proven=True,
        idempotency_key=_idempotency_key(call.request),
    )  # fmt: skip
    return await _answer_of(call, answer, is_replay=False)


def _not_authenticated() -> NotAuthenticated:
    return NotAuthenticated(
        "Authorization: expected Basic auth with an intake key for Follow Up Boss events and an empty password",
        scheme='Basic realm="leads"',
    )


def _headers(request: Request) -> dict[str, str]:
    headers = {name: ", ".join(values) for name, values in request.headers.items()}
    headers.pop("content-encoding", None)  # the body is decompressed
    return headers


def _idempotency_key(request: Request) -> str | None:
    key = request.header("idempotency-key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise Invalid.fields({"Idempotency-Key": f"Idempotency-Key: expected 1 to {LONGEST_KEY} characters"})
    return key


async def _body_of_intake(call: Call) -> bytes:
    settings = call.context.settings
    media_type = (call.request.header("content-type") or "").partition(";")[0].strip().lower()
    limit = settings.mail_limit if media_type == "message/rfc822" else settings.intake_limit
    return await read_bytes(call.request, limit, settings.body_timeout)


def _page_not_found(request: Request, unknown: NotFound) -> NotFound:
    return NotFound(unknown.message, data={"url": request.url})


# ---------------------------------------------------------------------------------------------------- dry runs


async def try_body(call: Call) -> Response:
    """POST /intake-keys/:id/trials: what would be read in this body, and where the lead would go. Stores nothing."""
    data = await _body_of_intake(call)
    key_id = id_in(call.ids[0])
    headers = {name: value for name, value in _headers(call.request).items() if name.startswith(("content-", "x-"))}
    result = await dry_run_body(call.context.database, call.caller.user_id, key_id, data, headers)
    call.require_json_accepted()
    return Response(200, encoded(result))


# ---------------------------------------------------------------------------------------------------- arrivals


async def raw_arrival(call: Call) -> Response:
    """The bytes of an arrival, without their own content type: a browser must not run what someone sent in."""
    row = await call.context.database.fetchrow(
        "SELECT body, emptied_at FROM arrivals WHERE owner_id = $1 AND id = $2", call.caller.user_id, id_in(call.ids[0])
    )
    if row is None:
        raise NotFound.record(call.ids[0])
    if row["emptied_at"] is not None:
        raise NotFound(f"The body of arrival {call.ids[0]} is no longer stored")
    headers = ((b"content-disposition", b"attachment"), (b"x-content-type-options", b"nosniff"))
    call.require_json_accepted()
    return Response(200, row["body"], b"application/octet-stream", headers)


async def replay_arrival(call: Call) -> Response:
    """Reads an arrival again, with the readers of this version."""
    arrival_id = id_in(call.ids[0])
    owner_id = call.caller.user_id
    found = await call.context.database.fetchval(
        "SELECT EXISTS (SELECT FROM arrivals WHERE owner_id = $1 AND id = $2)", owner_id, arrival_id
    )
    if not found:
        raise NotFound.record(call.ids[0])
    call.require_json_accepted()
    return await answer_of_replay(call, owner_id, arrival_id)


async def answer_of_replay(call: Call, owner_id: int, arrival_id: int, *, is_recorded: bool = False) -> Response:
    """Reads an arrival again, and returns what came of it. Raises the refusal. `is_recorded`: the call has its act."""
    act = None if is_recorded else act_of_call(call, owner_id, arrival_id)
    answer = await call.context.arrivals.replay(owner_id, arrival_id, act=act)
    return await _answer_of(call, answer, is_replay=True)


async def _answer_of(call: Call, answer: Any, *, is_replay: bool) -> Response:
    """Returns the vendor's own reply, else the leads, else what is stored. Raises the refusal."""
    stored = answer.stored
    if answer.reply is not None and not is_replay:
        return Response(200, msgspec.json.encode(answer.reply))
    if stored.lead_outcomes:
        is_shown_all = is_replay or answer.is_proven or await _is_owner(call, stored.owner_id)
        shown = (
            await _leads(call, stored.owner_id, stored.lead_ids)
            if is_shown_all
            else _lead_outcomes(stored.lead_outcomes)
        )
        return Response(201 if stored.is_new else 200, shown)
    summary = {"arrival_id": stored.arrival_id, "status": stored.status, "reason": stored.reason}
    if answer.refusal is not None and answer.refusal.status >= 400:
        raise _refused(answer.refusal, summary)
    return Response(202 if answer.refusal is None else answer.refusal.status, msgspec.json.encode(summary))


async def _leads(call: Call, owner_id: int, lead_ids: tuple[int, ...]) -> bytes:
    """Returns one lead as its record, several as {"leads": […]}, as their owner sees them; one query reads them all."""
    found = await asyncio.gather(*(call.context.own_leads.find((owner_id, lead_id)) for lead_id in lead_ids))
    shown = [record for record in found if record is not None]
    if len(lead_ids) == 1 and shown:
        return bytes(shown[0].encode())
    return f'{{"leads":[{",".join(shown)}]}}'.encode()


def _lead_outcomes(lead_outcomes: tuple[LeadOutcome, ...]) -> bytes:
    """For a sender without proof: the outcome only, and nothing that others sent."""
    return msgspec.json.encode(lead_outcomes[0] if len(lead_outcomes) == 1 else {"leads": lead_outcomes})


async def _is_owner(call: Call, owner_id: int) -> bool:
    """Returns whether the request has an access token of the owner; any other token is the vendor's."""
    try:
        token = bearer_token(call.request.headers.get("authorization", ()))
        caller = await authenticate(call.context.callers, token)
    except NotAuthenticated:
        return False
    return caller.user_id == owner_id


_REFUSALS: dict[int, type[Problem]] = {400: Invalid, 403: Forbidden, 413: TooLarge, 422: Unprocessable}


def _refused(refusal: Any, summary: dict[str, Any]) -> Problem:
    message = f"{refusal.why}: {refusal.detail}"
    if refusal.status == 401:  # SNS sends its password only in answer to a 401
        return NotAuthenticated(message, scheme='Basic realm="leads"', data=summary)
    return _REFUSALS.get(refusal.status, Unprocessable)(message, data=summary)

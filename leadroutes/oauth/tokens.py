"""Answers the token and the revocation path: loads what a request names, lets the protocol judge, writes the outcome.

A refusal can have consequences (a code used twice ends its tokens), so refusals are answers here and no exceptions.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.util import extract_basic_authorization

from leadroutes.oauth.protocol import LoadedCredentials, OAuthRequest, OAuthServer, TokenResponse, Values
from leadroutes.store import oauth as store
from leadroutes.store.oauth import find_application
from leadroutes.store.postgres import Database, Transaction

Judge = Callable[[Transaction, LoadedCredentials, OAuthRequest], Awaitable[TokenResponse]]

# What either path looks at; each may be sent once. Everything else is ignored.
FIELDS = (
    "grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier", "refresh_token", "scope",
    "token", "token_type_hint",
)  # fmt: skip


async def answer_token(database: Database, values: Values, authorization: str | None, life: timedelta) -> TokenResponse:
    """POST /oauth2/token: status, body and headers."""

    async def judge(transaction: Transaction, loaded: LoadedCredentials, request: OAuthRequest) -> TokenResponse:
        if "grant_type" not in request.form:  # to Authlib a missing one is one more that it does not support
            return OAuthServer(loaded).handle_error_response(
                request, InvalidRequestError("Missing 'grant_type' in request.")
            )
        server = OAuthServer(await _with_credential(transaction, loaded, request.form))
        outcome: TokenResponse = server.create_token_response(request)
        await _write(transaction, server)
        return outcome

    return await _answer(database, values, authorization, LoadedCredentials(life=life), judge)


async def answer_revocation(database: Database, values: Values, authorization: str | None) -> TokenResponse:
    """POST /oauth2/revoke, RFC 7009: status, body and headers."""

    async def judge(transaction: Transaction, loaded: LoadedCredentials, request: OAuthRequest) -> TokenResponse:
        if token := request.form.get("token"):
            loaded = replace(loaded, revocable=await store.find_revocable(transaction, token))
        server = OAuthServer(loaded)
        outcome: TokenResponse = server.create_endpoint_response("revocation", request)
        await _write(transaction, server)
        return outcome

    return await _answer(database, values, authorization, LoadedCredentials(), judge)


async def _answer(
    database: Database, values: Values, authorization: str | None, loaded: LoadedCredentials, judge: Judge
) -> TokenResponse:
    request = OAuthRequest("POST", values, authorization)
    try:
        client_id = _client_id(request)
    except OAuth2Error as error:
        return OAuthServer(loaded).handle_error_response(request, error)

    async def work(transaction: Transaction) -> TokenResponse:
        application = await find_application(transaction, client_id)
        return await judge(transaction, replace(loaded, application=application), request)

    return await database.run(work)


def _client_id(request: OAuthRequest) -> str:
    """Returns the client_id from Basic auth or the body. Raises InvalidRequestError if it is missing or repeated."""
    for name in FIELDS:
        if len(request.payload.datalist.get(name, ())) > 1:
            raise InvalidRequestError(f"Multiple '{name}' in request.")
    try:
        by_basic, _ = extract_basic_authorization(request.headers)
    except ValueError:  # its content is not text
        by_basic, request.headers["Authorization"] = None, "Basic -"
    in_body = request.form.get("client_id")
    if by_basic and in_body and by_basic != in_body:
        raise InvalidRequestError("The request names two clients.")
    client_id: str | None = by_basic or in_body
    if not client_id and request.headers["Authorization"]:
        raise InvalidClientError(description="The Authorization header names no client.")
    if not client_id:
        raise InvalidRequestError("Missing 'client_id' in request.")
    return client_id


async def _with_credential(
    transaction: Transaction, loaded: LoadedCredentials, form: dict[str, str]
) -> LoadedCredentials:
    """What the client brings, locked until the judgement is written."""
    if loaded.application is None:
        return loaded
    match form.get("grant_type"):
        case "authorization_code" if code := form.get("code"):
            return replace(loaded, code=await store.take_code(transaction, code, loaded.application.id))
        case "refresh_token" if token := form.get("refresh_token"):
            found = await store.take_refresh_token(transaction, token, loaded.application.id)
            return replace(loaded, refresh_token=found)
    return loaded


async def _write(transaction: Transaction, server: OAuthServer) -> None:
    notes = server.notes
    if notes.pair is not None:
        await store.issue_pair(transaction, notes.pair)
    if notes.revoked_grant is not None:
        await store.revoke_grants(transaction, [notes.revoked_grant])
    if notes.ended_access_token is not None:
        await store.end_access_token(transaction, notes.ended_access_token)

"""Judges what an application asks a user for, and makes the address that it is answered at.

Whoever asks without being registered, or wants the answer elsewhere, gets no answer at all: Stray.
"""

from dataclasses import dataclass

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import AccessDeniedError, OAuth2Error

from leadroutes.errors import Invalid
from leadroutes.oauth.protocol import LoadedCredentials, OAuthClient, OAuthRequest, OAuthServer, Values
from leadroutes.store.oauth import Application, add_code, find_application
from leadroutes.store.postgres import Database


class UntrustedRequest(Invalid):
    """The request names no registered application, or an address that it did not register."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An application asks a user for this."""

    application: Application
    redirect_uri: str
    scope: tuple[str, ...]
    state: str | None
    code_challenge: str | None


@dataclass(frozen=True, slots=True)
class RefusedRedirect:
    """The request cannot be granted; the application learns of it at `address`."""

    address: str


async def read_request(database: Database, values: Values) -> AuthorizationRequest | RefusedRedirect:
    """Returns what is asked for. Raises UntrustedRequest where no redirect is safe."""
    for name in ("client_id", "redirect_uri"):
        if len(values.get(name, ())) > 1:
            raise UntrustedRequest(f"{name}: it was sent more than once.")
    request = OAuthRequest("GET", values)
    application = await find_application(database, request.payload.client_id or "")
    if application is None:
        raise UntrustedRequest("client_id: no application is registered under it.")
    redirect_uri = _redirect_uri(OAuthClient(application), request)
    try:
        grant = OAuthServer(LoadedCredentials(application)).get_consent_grant(request)
    except OAuth2Error as error:
        return RefusedRedirect(_error_address(redirect_uri, error, request.payload.state))
    return AuthorizationRequest(
        application=application,
        redirect_uri=redirect_uri,
        scope=tuple(grant.request.scope.split()),
        state=request.payload.state,
        code_challenge=request.payload.data.get("code_challenge"),
    )


async def allow(database: Database, asked: AuthorizationRequest, user_id: int) -> str:
    """The address to send the user to, with a code for what was asked."""
    code = await add_code(
        database,
        user_id=user_id,
        application_id=asked.application.id,
        scope=asked.scope,
        redirect_uri=asked.redirect_uri,
        code_challenge=asked.code_challenge,
    )
    return _with(asked.redirect_uri, [("code", code)], asked.state)


def refuse(asked: AuthorizationRequest) -> str:
    """The address to send the user to, with the refusal."""
    return _error_address(asked.redirect_uri, AccessDeniedError(), asked.state)


def _redirect_uri(client: OAuthClient, request: OAuthRequest) -> str:
    sent: str | None = request.payload.redirect_uri
    if sent is None:
        only = client.get_default_redirect_uri()
        if only is None:
            raise UntrustedRequest("redirect_uri: it is missing, and the application has registered more than one.")
        return only
    if not client.check_redirect_uri(sent):
        raise UntrustedRequest("redirect_uri: the application has not registered this address.")
    return sent


def _error_address(redirect_uri: str, error: OAuth2Error, state: str | None) -> str:
    description = error.get_error_description() or "The request was refused"
    return _with(redirect_uri, [("error", error.error), ("error_description", description)], state)


def _with(redirect_uri: str, parameters: list[tuple[str, str]], state: str | None) -> str:
    if state is not None:
        parameters = [*parameters, ("state", state)]
    address: str = add_params_to_uri(redirect_uri, parameters)
    return address

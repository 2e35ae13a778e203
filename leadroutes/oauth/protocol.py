"""Authlib's OAuth2 server on rows that were loaded beforehand: it judges, and notes what is to be written afterwards.

Its hooks are synchronous and our store is not, so nothing in here reads or writes a database. The rules of
RFC 6749, 7636 and 7009 are Authlib's; what differs for LionDesk's clients is here, each with its reason.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import CODE_VERIFIER_PATTERN

from leadroutes.domain.redirect_uris import is_registered
from leadroutes.oauth import scopes
from leadroutes.store.accounts import hash_secret
from leadroutes.store.oauth import Application, AuthorizationCode, RefreshToken, RevocableToken, TokenPair

TokenResponse = tuple[int, Any, list[tuple[str, str]]]  # status, body, headers
Values = dict[str, list[str]]  # parameters by name, each as often as it was sent

NO_CLIENT = "No application has this client_id and client_secret; expected those that were shown when it was registered"
_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]


@dataclass(frozen=True, slots=True)
class LoadedCredentials:
    """What the store knows of the things that a request names; None: nothing, or another application's."""

    application: Application | None = None
    code: AuthorizationCode | None = None
    refresh_token: RefreshToken | None = None
    revocable: RevocableToken | None = None
    life: timedelta = timedelta()  # of an access token


@dataclass(slots=True)
class TokenChanges:
    """What is to be written once the request is allowed."""

    pair: TokenPair | None = None
    revoked_grant: int | None = None
    ended_access_token: int | None = None


class OAuthRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it: parameters without a value count as not sent."""

    def __init__(self, method: str, values: Values, authorization: str | None = None) -> None:
        # The address is not looked at but for its scheme; TLS may have ended in front of us.
        super().__init__(method, "https://leadroutes/", headers={"Authorization": authorization or ""})
        self.payload = _Payload({name: sent for name, sent in values.items() if sent[0]})

    @property
    def form(self) -> dict[str, str]:
        first: dict[str, str] = self.payload.data
        return first


class _Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, values: Values) -> None:
        self._values = values
        self._first = {name: sent[0] for name, sent in values.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._first

    @property
    def datalist(self) -> Values:
        return self._values


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An application as Authlib asks about it."""

    row: Application

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_default_redirect_uri(self) -> str | None:
        return self.row.redirect_uris[0] if len(self.row.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Unknown names are dropped; None, if nothing is left."""
        words = scopes.named(scope or "")
        return " ".join(scopes.known(words) if words else scopes.DEFAULT) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return is_registered(redirect_uri, self.row.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(hash_secret(client_secret), self.row.secret_hash or b"")

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return (method == "none") == (self.row.secret_hash is None)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


class OAuthServer(AuthorizationServer):  # type: ignore[misc]
    """One per request."""

    def __init__(self, loaded: LoadedCredentials) -> None:
        super().__init__()
        self.loaded = loaded
        self.notes = TokenChanges()
        self.register_grant(_CodeGrant, [_Pkce(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Revocation)
        self.register_token_generator("default", self._make_pair)

    def query_client(self, client_id: str) -> OAuthClient | None:
        row = self.loaded.application
        return OAuthClient(row) if row is not None and row.client_id == client_id else None

    def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        found = request.authorization_code or request.refresh_token
        assert found is not None
        self.notes.pair = TokenPair(
            grant_id=found.row.grant_id,
            scope=tuple(token["scope"].split()),
            access_token=token["access_token"],
            refresh_token=token["refresh_token"],
            life=self.loaded.life,
            code_hash=found.row.code_hash if isinstance(found.row, AuthorizationCode) else None,
            replaced_hash=found.row.token_hash if isinstance(found.row, RefreshToken) else None,
        )

    def send_signal(self, *_: Any, **__: Any) -> None:
        """No one listens."""

    def create_oauth2_request(self, request: OAuthRequest) -> OAuthRequest:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> TokenResponse:
        return status, body, headers

    def handle_error_response(self, request: OAuthRequest, error: OAuth2Error) -> TokenResponse:
        """An unknown client is 401 however it tried; a challenge goes to those alone who came with Basic."""
        description = error.get_error_description() or "The request was refused"
        if error.error == "invalid_client":  # one sentence, whatever is wrong: else it says which applications exist
            description = NO_CLIENT
        body = {"error": error.error, "error_description": description}
        if error.error != "invalid_client":
            return 400, body, []
        tried_basic = request.headers["Authorization"].lower().startswith("basic ")
        return 401, body, [("WWW-Authenticate", 'Basic realm="leadroutes"')] if tried_basic else []

    def _make_pair(self, *, scope: str, **_: Any) -> dict[str, Any]:
        """The six keys of an answer, in the order that the documentation shows."""
        assert self.loaded.application is not None
        end = self.loaded.application.now + self.loaded.life
        return {
            "access_token": secrets.token_hex(20),
            "refresh_token": secrets.token_hex(20),
            "expires": f"{end:%Y-%m-%dT%H:%M:%S}.{end.microsecond // 1000:03}Z",
            "expires_in": int(self.loaded.life.total_seconds()),
            "scope": scope,
            "token_type": "Bearer",
        }


@dataclass(frozen=True, slots=True)
class _Credential:
    """A code or a refresh token as Authlib asks about it."""

    row: AuthorizationCode | RefreshToken
    code_challenge: str | None = None
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri if isinstance(self.row, AuthorizationCode) else ""

    def get_scope(self) -> str:
        return " ".join(self.row.scope)

    def check_client(self, _client: OAuthClient) -> bool:
        return True  # it was looked up among the client's own


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = _AUTH_METHODS
    server: OAuthServer

    def validate_token_request(self) -> None:
        _must_have(self.request, "redirect_uri")
        super().validate_token_request()

    def query_authorization_code(self, _code: str, _client: OAuthClient) -> _Credential:
        """Whoever uses a code for the second time may have stolen it, or was robbed: what was made from it ends."""
        row = self.server.loaded.code
        if row is None:
            raise InvalidGrantError("The code is unknown, or another application's.")
        if row.is_used:
            self.server.notes.revoked_grant = row.grant_id
            raise InvalidGrantError("The code was used before; the tokens made from it are revoked.")
        if row.is_over:
            raise InvalidGrantError("The code has expired.")
        return _Credential(row, row.code_challenge)

    def authenticate_user(self, code: _Credential) -> int:
        return code.row.user_id

    def delete_authorization_code(self, _code: _Credential) -> None:
        """It stays, marked as used, so that a second use is noticed."""


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = _AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: OAuthServer

    def authenticate_refresh_token(self, _token: str) -> _Credential:
        row = self.server.loaded.refresh_token
        if row is None:
            raise InvalidGrantError("The refresh token is unknown, or another application's.")
        if row.is_over:
            raise InvalidGrantError("The refresh token has expired or was revoked.")
        if row.is_reused:
            self.server.notes.revoked_grant = row.grant_id
            raise InvalidGrantError("The refresh token was replaced before; all tokens of its grant are revoked.")
        return _Credential(row)

    def _validate_token_scope(self, token: _Credential) -> None:
        """It may narrow, never widen; unknown names are dropped."""
        words = scopes.named(self.request.payload.scope or "")
        asked = scopes.known(words) if words else tuple(token.row.scope)
        if not asked:
            raise InvalidScopeError("None of these scopes is known; expected read or write.")
        if not scopes.covers(token.row.scope, asked):
            raise InvalidScopeError("The scope is wider than what was granted.")
        self.request.scope = " ".join(asked)

    def issue_token(self, user: int, _token: _Credential) -> dict[str, Any]:
        token: dict[str, Any] = self.generate_token(user=user, scope=self.request.scope)
        return token

    def authenticate_user(self, token: _Credential) -> int:
        return token.row.user_id

    def revoke_old_credential(self, _token: _Credential) -> None:
        """It is replaced when the new one is stored."""


class _Pkce(CodeChallenge):  # type: ignore[misc]
    """RFC 7636 with the method S256 only, and required of whoever has no secret."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: _CodeGrant, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if "code_challenge" in data and "code_challenge_method" not in data:
            raise InvalidRequestError("Missing 'code_challenge_method'; expected S256.")
        if "code_challenge" not in data and grant.client.row.secret_hash is None:
            raise InvalidRequestError("Missing 'code_challenge'; an application without a secret needs one.")
        super().validate_code_challenge(grant, redirect_uri)

    def validate_code_verifier(self, grant: _CodeGrant, result: Any) -> None:
        """A verifier that cannot match is the same error as one that does not."""
        verifier = grant.request.form.get("code_verifier")
        has_challenge = grant.request.authorization_code.code_challenge is not None
        if verifier and not (has_challenge and CODE_VERIFIER_PATTERN.match(verifier)):
            raise InvalidGrantError("The code_verifier does not fit.")
        super().validate_code_verifier(grant, result)


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = _AUTH_METHODS
    server: OAuthServer

    def check_params(self, request: OAuthRequest, _client: OAuthClient) -> None:
        """A hint is only a hint: both kinds of tokens are looked through."""
        _must_have(request, "token")

    def query_token(self, _token: str, _hint: str | None) -> "_TokenToRevoke | None":
        row = self.server.loaded.revocable
        return _TokenToRevoke(row) if row is not None else None

    def revoke_token(self, token: "_TokenToRevoke", _request: OAuthRequest) -> None:
        """A refresh token takes its whole grant along (RFC 7009, section 2.1)."""
        if token.row.access_token_id is not None:
            self.server.notes.ended_access_token = token.row.access_token_id
        else:
            self.server.notes.revoked_grant = token.row.grant_id


@dataclass(frozen=True, slots=True)
class _TokenToRevoke:
    row: RevocableToken

    def check_client(self, client: OAuthClient) -> bool:
        return self.row.application_id == client.row.id


def _must_have(request: OAuthRequest, name: str) -> None:
    if name not in request.form:
        raise InvalidRequestError(f"Missing '{name}' in request.")

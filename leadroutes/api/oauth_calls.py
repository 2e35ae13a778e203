"""The token path and the revocation path: a body is read, OAuth2 answers, in its own form of errors.

Public paths: who calls is said in the body or by Basic. What is right, leadroutes.oauth knows.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from leadroutes.api.bodies import read_bytes
from leadroutes.api.call import Call, Response
from leadroutes.errors import Invalid, SlowRequest, TooLarge
from leadroutes.oauth.protocol import TokenResponse, Values
from leadroutes.oauth.tokens import FIELDS, answer_revocation, answer_token

LARGEST = 16_384  # bytes of a body
_ANY = {"type": "string"}
_SOME = {"type": "string", "minLength": 1}
_CLIENT = {"client_id": {"type": "string", "minLength": 1, "description": "or by HTTP Basic"}, "client_secret": _ANY}


def _fields(required: tuple[str, ...], **others: Mapping[str, Any]) -> dict[str, Any]:
    properties = _CLIENT | dict.fromkeys(required, _SOME) | others
    return {"type": "object", "properties": properties, "required": ["client_id", *required, *_fixed(others)]}


def _fixed(others: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [name for name, schema in others.items() if "const" in schema]


TOKEN_FIELDS: Mapping[str, Any] = {
    "oneOf": [
        _fields(("code", "redirect_uri"), grant_type={"const": "authorization_code"}, code_verifier=_ANY),
        _fields(("refresh_token",), grant_type={"const": "refresh_token"}, scope=_ANY),
    ]
}
REVOCATION_FIELDS: Mapping[str, Any] = _fields(("token",), token_type_hint=_ANY)
_NOT_KEPT = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))


async def token(call: Call) -> Response:
    """POST /oauth2/token, and what other methods are told there."""
    refusal, values = await _values(call)
    if refusal is not None:
        return refusal
    settings = call.context.settings
    life = timedelta(seconds=settings.token_life)
    return _answer(await answer_token(call.context.database, values, _authorization(call), life))


async def revoke(call: Call) -> Response:
    """POST /oauth2/revoke, and what other methods are told there."""
    refusal, values = await _values(call)
    if refusal is not None:
        return refusal
    return _answer(await answer_revocation(call.context.database, values, _authorization(call)))


async def _values(call: Call) -> tuple[Response | None, Values]:
    """The fields that were sent, or why they cannot be had."""
    if call.request.method != "POST":
        description = f"{call.request.method} is not taken here; expected POST."
        return _refusal(405, description, ((b"allow", b"POST, OPTIONS"),)), {}
    try:
        data = await read_bytes(call.request, LARGEST, call.context.settings.body_timeout)
        return None, _read(data, call.request.header("content-type") or "")
    except SlowRequest as problem:
        return _refusal(408, problem.message), {}
    except (Invalid, TooLarge) as problem:
        return _refusal(400, problem.message), {}


def _read(data: bytes, content_type: str) -> Values:
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return _read_json(data)
        case "application/x-www-form-urlencoded":
            return _read_form(data)
    raise Invalid("Content-Type: expected application/json or application/x-www-form-urlencoded")


def _read_form(data: bytes) -> Values:
    try:
        pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Invalid("The form has more than 100 fields") from None
    return _gathered(pairs)


def _read_json(data: bytes) -> Values:
    try:
        pairs = json.loads(data, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise Invalid("The body is no JSON") from None
    if not isinstance(pairs, _Pairs):
        raise Invalid("The body has to be a JSON object")
    return _gathered((name, _text(name, value)) for name, value in pairs if name in FIELDS and value is not None)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with the names that it repeats."""


def _text(name: str, value: Any) -> str:
    if name == "scope" and isinstance(value, list) and all(isinstance(word, str) for word in value):
        return " ".join(value)
    if not isinstance(value, str):
        raise Invalid(f"{name}: expected text")
    return value.encode("utf-8", "replace").decode()  # halves of surrogate pairs are no text


def _gathered(pairs: Any) -> Values:
    values: Values = {}
    for name, value in pairs:
        if name in FIELDS:
            values.setdefault(name, []).append(value)
    return values


def _authorization(call: Call) -> str | None:
    """Basic only: a client may carry a token of its own along with every request."""
    value = call.request.header("authorization") or ""
    return value if value.lower().startswith("basic ") else None


def _answer(outcome: TokenResponse) -> Response:
    status, body, headers = outcome
    extra = tuple((name.lower().encode(), value.encode()) for name, value in headers if name == "WWW-Authenticate")
    return Response(status, msgspec.json.encode(body), headers=(*_NOT_KEPT, *extra))


def _refusal(status: int, description: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    body = {"error": "invalid_request", "error_description": description}
    return Response(status, msgspec.json.encode(body), headers=(*_NOT_KEPT, *headers))

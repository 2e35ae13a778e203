"""The API as an ASGI application: routing, tokens, the order of checks, headers, problems as responses.

It contains no resource and no SQL.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

import asyncpg
import structlog

from leadroutes.api.acting import HEADER, owners_caller, require_parent, require_role_allows
from leadroutes.api.auth import Caller, authenticate, bearer_token
from leadroutes.api.bodies import ClientDisconnected
from leadroutes.api.call import Call, Context, Request, Response
from leadroutes.api.problems import internal_error, problem_response
from leadroutes.api.reads import naming_merged
from leadroutes.api.router import PathMatch, Router, operation_for, page_not_found
from leadroutes.errors import Forbidden, Invalid, NotFound, Problem, Unavailable
from leadroutes.security.rate_limits import RateLimits
from leadroutes.store.connection_errors import CONNECTION_ERRORS

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_ALWAYS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Retry-After, WWW-Authenticate"),
    (b"cache-control", b"private, no-cache"),
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, If-None-Match, Idempotency-Key, X-Acting-For"),
    (b"access-control-max-age", b"86400"),
)
_ETAG = re.compile(r'(?:W/)?("[^"]*")|\*')


class Api:
    """The ASGI application; one per process."""

    def __init__(self, context: Context, router: Router) -> None:
        self.context = context
        self.router = router
        self.rates = RateLimits(context.settings.rate_per_token, context.settings.rate_per_address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _run_lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request = _request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnected:
            return
        await _send(request, response, send)

    def is_open_to_browsers(self, path: str) -> bool:
        """Returns whether anyone may GET this path without a token: the description, health, metrics."""
        found = self.router.find(tuple(segment for segment in path.split("/") if segment))
        return found is not None and not found.ids and "GET" in found.path.operations and _is_public(found)

    async def _respond(self, request: Request) -> Response:
        try:
            return await self._dispatch(request)
        except Problem as problem:
            return problem_response(problem)
        except ClientDisconnected:
            raise
        except CONNECTION_ERRORS:
            return problem_response(Unavailable())
        except asyncpg.ProgramLimitExceededError:
            return problem_response(Invalid("The request holds, or asks for, more than the database can put together"))
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            return problem_response(Unavailable("Too much happened at once; try again", retry_after=1))
        except Exception:
            log.exception("a request failed", method=request.method, path=request.url.partition("?")[0])
            return internal_error()

    async def _dispatch(self, request: Request) -> Response:
        """Checks in this order: OPTIONS, token, path, method, scope, role. The operation checks the rest."""
        found = self.router.find(request.segments)
        if request.method == "OPTIONS" and found is not None:
            return Response(204, headers=((b"allow", ", ".join(found.path.allowed).encode()), *_PREFLIGHT))
        if found is None or not _is_signed(found):
            self.rates.count_address(request.address)
        if found is not None and _is_public(found):
            operation = found.path.for_all or operation_for(found.path, request.method, request.url)
            return await operation.run(Call(self.context, request, found.ids))
        token = bearer_token(request.headers.get("authorization", ()))
        caller = await authenticate(self.context.callers, token)
        self.rates.count_token(token)
        return await self._run(request, found, caller)

    async def run_as(self, caller: Caller, request: Request) -> Response:
        """Returns the answer to a request of this caller, who has been authenticated in another way.

        Raises Problem where the API would answer with an error.
        """
        return await self._run(request, self.router.find(request.segments), caller)

    async def _run(self, request: Request, found: PathMatch | None, caller: Caller) -> Response:
        if found is None:
            raise page_not_found(request.url)
        operation = operation_for(found.path, request.method, request.url)
        if request.method in _WRITES and not caller.may_write:
            raise Forbidden("Insufficient scope")
        if HEADER in request.headers:
            caller = await owners_caller(self.context.delegations, caller, request.headers[HEADER])
        granted = require_role_allows(caller, operation.method, operation.path)
        call = Call(self.context, request, found.ids, caller, granted, operation.path)
        await require_parent(call)
        try:
            return await operation.run(call)
        except NotFound as missing:
            raise await naming_merged(call, operation.path, missing) from None


def _is_public(found: PathMatch) -> bool:
    return all(operation.is_public for operation in found.path.operations.values())


def _is_signed(found: PathMatch) -> bool:
    return any(operation.is_signed for operation in found.path.operations.values())


# ------------------------------------------------------------------------------------------------ in and out


def _request(scope: Scope, receive: Receive) -> Request:
    raw: bytes = scope.get("raw_path") or quote(scope["path"], safe="/:@!$&'()*+,;=~").encode()
    path = raw.decode("latin-1")
    query = scope["query_string"].decode("utf-8", "replace")
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    segments = tuple(segment for segment in path.split("/") if segment)
    url = f"{path}?{query}" if query else path
    client = scope.get("client")
    return Request(scope["method"], segments, url, query, headers, receive, client[0] if client else "")


async def _send(request: Request, response: Response, send: Send) -> None:
    status, body = response.status, response.body
    headers = _with_always(response.headers)
    if status == 200 and request.method in ("GET", "HEAD"):
        etag = _etag(body)
        headers.append((b"etag", etag))
        if _is_known(etag, request.headers.get("if-none-match", [])):
            status, body = 304, b""
    if status not in (204, 304):
        headers.append((b"content-type", response.content_type))
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


def _with_always(headers: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    """A header of the response replaces the default of the same name."""
    names = {name for name, _ in headers}
    return [*(pair for pair in _ALWAYS if pair[0] not in names), *headers]


def _etag(body: bytes) -> bytes:
    digest = b64encode(hashlib.blake2b(body, digest_size=15).digest(), b"-_")
    return b'W/"%x-%s"' % (len(body), digest)


def _is_known(etag: bytes, headers: list[str]) -> bool:
    opaque = etag.removeprefix(b"W/").decode()
    return any(found[0] == "*" or found[1] == opaque for each in headers for found in _ETAG.finditer(each))


async def _run_lifespan(receive: Receive, send: Send) -> None:
    """Confirms start and stop of the server; the caller of `application()` opens and closes the database."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

"""The one table from words to HTTP: which status, name and class each problem has, and the body that tells it.

Messages are passed on as they are, so they may hold only what the caller may know.
"""

from typing import Any

import msgspec

from leadroutes import errors
from leadroutes.api.call import Response
from leadroutes.errors import Problem

NAMES: dict[type[Problem], tuple[int, str, str]] = {
    errors.Invalid: (400, "BadRequest", "bad-request"),
    errors.NotAuthenticated: (401, "NotAuthenticated", "not-authenticated"),
    errors.Forbidden: (403, "Forbidden", "forbidden"),
    errors.NotFound: (404, "NotFound", "not-found"),
    errors.MethodNotAllowed: (405, "MethodNotAllowed", "method-not-allowed"),
    errors.NotAcceptable: (406, "NotAcceptable", "not-acceptable"),
    errors.SlowRequest: (408, "Timeout", "timeout"),
    errors.Conflict: (409, "Conflict", "conflict"),
    errors.TooLarge: (413, "PayloadTooLarge", "payload-too-large"),
    errors.TargetTooLong: (414, "UriTooLong", "uri-too-long"),
    errors.Unprocessable: (422, "Unprocessable", "unprocessable"),
    errors.TooManyRequests: (429, "TooManyRequests", "too-many-requests"),
    errors.HeadTooLarge: (431, "RequestHeaderFieldsTooLarge", "request-header-fields-too-large"),
    errors.Unavailable: (503, "Unavailable", "unavailable"),
}
FAULT = (500, "GeneralError", "general-error")


def problem_response(problem: Problem) -> Response:
    """The answer that tells a problem; one that is in no table is a fault of ours."""
    named = next((NAMES[kind] for kind in type(problem).__mro__ if kind in NAMES), None)
    if named is None:
        return internal_error()
    status, name, class_name = named
    body = problem_body(name, problem.message, status, class_name, data=problem.data, fields=problem.errors)
    return Response(status, body, headers=_headers(problem))


def internal_error() -> Response:
    """What a caller learns of a fault of ours: that there was one."""
    status, name, class_name = FAULT
    return Response(status, problem_body(name, "Internal server error", status, class_name))


def problem_body(
    name: str, message: str, code: int, class_name: str, *, data: Any = None, fields: dict[str, str] | None = None
) -> bytes:
    """The error form; `data` stands in it only where there is some."""
    body = {"name": name, "message": message, "code": code, "className": class_name}
    return msgspec.json.encode(body | ({} if data is None else {"data": data}) | {"errors": fields or {}})


def _headers(problem: Problem) -> tuple[tuple[bytes, bytes], ...]:
    match problem:
        case errors.NotAuthenticated(invalid_token=True):
            return ((b"www-authenticate", b'Bearer error="invalid_token"'),)
        case errors.NotAuthenticated(scheme=scheme):
            return ((b"www-authenticate", scheme.encode()),)
        case errors.MethodNotAllowed(allowed=allowed):
            return ((b"allow", ", ".join(allowed).encode()),)
        case errors.TooManyRequests(retry_after=seconds) | errors.Unavailable(retry_after=seconds):
            return ((b"retry-after", str(seconds).encode()),)
    return ()

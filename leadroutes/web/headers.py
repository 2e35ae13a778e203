"""The headers that every page carries, and the check that a form was sent from one of our own pages.

Knows no page.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# Nothing is inline, nothing comes from elsewhere, no site may frame these pages.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self';"
    " manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"x-robots-tag": b"noindex, nofollow",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}


def guarded(application: AsgiApp) -> AsgiApp:
    """The same application; an answer keeps what it says itself, and gets what it leaves out."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [pair for pair in _ALWAYS.items() if pair[0] not in said]
            await send(message)

        await application(scope, receive, send_guarded)

    return answer


def is_cross_site(request: Request, public_url: str) -> bool:
    """Returns whether a browser says that a page of another site sent this request.

    Browsers that do not know Sec-Fetch-Site still send Origin; a client that sends neither is not a browser. Only hosts
    are compared, because a proxy in front may have ended TLS.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    if origin is None or (origin == "null" and site == "same-origin"):
        return False
    return _host(origin) not in {_host(public_url), request.headers.get("host", "").lower()}


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""

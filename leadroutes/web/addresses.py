"""Addresses that someone has typed into a browser, or followed a link to, where no page is: of the API, or of nothing.

A browser is led to the page about the same things, or reads that there is none. Programs never come here.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.web.pages import Pages

PAGES: Final[Mapping[str, str]] = {  # path in small letters -> the page about it
    "/": "/",
    "/applications": "/applications",
    "/home": "/",
    "/index.html": "/",
    "/invitations": "/",
    "/lead-offers": "/",
    "/leads": "/",
    "/ledger": "/",
    "/login": "/sign-in",
    "/me": "/",
    "/messages": "/outbox",
    "/outbox": "/outbox",
    "/sign-in": "/sign-in",
    "/sign-out": "/",
    "/signin": "/sign-in",
    "/tokens": "/tokens",
    "/try": "/try",
}


def navigates(scope: MutableMapping[str, Any]) -> bool:
    """Whether a browser wants to show this address to someone: it says so, wants HTML, and carries no access token."""
    if scope["method"] not in ("GET", "HEAD"):
        return False
    headers: dict[bytes, bytes] = {name.lower(): value for name, value in scope["headers"]}
    return (
        headers.get(b"sec-fetch-mode", b"").lower() == b"navigate"
        and b"authorization" not in headers
        and b"text/html" in headers.get(b"accept", b"").lower()
    )


def page_for(path: str) -> str | None:
    """The page that shows what is at this path for programs; None where there is none."""
    return PAGES.get(one_slash(path).lower())


def one_slash(path: str) -> str:
    """The path without a slash too many."""
    return "/" + "/".join(word for word in path.split("/") if word)


class Strays:
    """What answers a browser where no page is."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def answer(self, request: Request, found: str | None) -> Response:
        """To the page that was found, with the query; or a page that says that there is none."""
        if found is None:
            return self._pages.answer("nowhere.html", 404, address=unquote(request.url.path)[:200])
        query = request.url.query if found == one_slash(request.url.path) else ""
        return self._pages.go_to(f"{found}?{query}" if query else found)

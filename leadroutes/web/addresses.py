"""Addresses that someone has typed into a browser, or followed a link to, where no page is: of the API, or of nothing.

A browser is led to the page about the same things, or reads that there is none. Programs never come here.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.web.rendering import Pages

PAGES: Final[Mapping[str, str]] = {  # path in small letters -> the page about it
    "/": "/app",
    "/alert-preferences": "/app/me/alerts",
    "/applications": "/app/me/applications",
    "/arrivals": "/app/arrivals",
    "/audit": "/app/audit",
    "/availabilities": "/app/availability",
    "/calendar": "/app/calendar",
    "/campaigns": "/app/campaigns",
    "/channels": "/app/settings",
    "/contacts": "/app/contacts",
    "/delegates": "/app/people/delegates",
    "/example-brokerage": "/app/welcome",
    "/forgotten": "/forgotten",
    "/handovers": "/app/board",
    "/home": "/app",
    "/imports": "/app/import",
    "/inbox": "/app",
    "/index.html": "/app",
    "/intake-keys": "/app/sources",
    "/intake-vendors": "/app/sources/new",
    "/invitations": "/app",
    "/lead-offers": "/app",
    "/lead-routes": "/app/routes",
    "/lead-sources": "/app/sources",
    "/leads": "/app/leads",
    "/ledger": "/app/board",
    "/listing-agents": "/app/routes/listing-agents",
    "/login": "/sign-in",
    "/me": "/app/me",
    "/me/picture": "/app/me",
    "/me/second-factor": "/app/me/security",
    "/messages": "/app/outbox",
    "/outbox": "/app/outbox",
    "/passed-over": "/app/passed-over",
    "/phone-numbers": "/app/settings/phone-numbers",
    "/push-subscriptions": "/app/me/alerts",
    "/reports/campaigns": "/app/reports",
    "/reports/claims": "/app/reports",
    "/reports/fairness": "/app/reports",
    "/reports/load": "/app/reports",
    "/reports/sources": "/app/reports",
    "/reports/speed": "/app/reports",
    "/rules/check": "/app/check",
    "/rules/trials": "/app/try",
    "/rules/versions": "/app/rules/versions",
    "/second-factor": "/app/me/security",
    "/sessions": "/app/me/security",
    "/sign-in": "/sign-in",
    "/sign-ins": "/app/me/security",
    "/sign-out": "/app",
    "/signatures": "/app/me",
    "/signin": "/sign-in",
    "/sub-accounts": "/app/people",
    "/suppressions": "/app/settings/suppressions",
    "/tasks": "/app/tasks",
    "/team-member-distribution-options": "/app/teams",
    "/team-members": "/app/teams",
    "/teams": "/app/teams",
    "/template-folders": "/app/templates",
    "/templates": "/app/templates",
    "/test-leads": "/app/sources",
    "/time-off": "/app/availability",
    "/tokens": "/app/me/tokens",
    "/trusted-browsers": "/app/me/security",
    "/try": "/app/sources/try",
    "/user-invitations": "/app/people",
    "/users": "/app/people",
    "/webhooks": "/app/webhooks",
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

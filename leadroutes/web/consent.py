"""The page on which a user lets an application in, or does not. The request is read again once the user has answered.

What may be asked for, leadroutes.oauth knows.
"""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from leadroutes.domain.redirect_uris import origin_of
from leadroutes.errors import Invalid
from leadroutes.oauth import scopes
from leadroutes.oauth.authorizing import AuthorizationRequest, RefusedRedirect, allow, read_request, refuse
from leadroutes.oauth.protocol import Values
from leadroutes.store.postgres import Database
from leadroutes.web.forms import read_form
from leadroutes.web.headers import POLICY
from leadroutes.web.rendering import Pages
from leadroutes.web.sessions import Sessions


class ConsentPage:
    """`/oauth2/authorize`."""

    def __init__(self, database: Database, pages: Pages, sessions: Sessions, timeout: float) -> None:
        self._database = database
        self._pages = pages
        self._sessions = sessions
        self._timeout = timeout

    async def show(self, request: Request) -> Response:
        asked = await read_request(self._database, _values(request))
        if isinstance(asked, RefusedRedirect):
            return _send_to(asked.address)
        user = await self._sessions.get_user(request, with_query=True)
        return self._pages.answer(
            "consent.html",
            headers={"content-security-policy": _policy(asked)},
            user=user,
            application=asked.application,
            place=origin_of(asked.redirect_uri),
            about=[scopes.ABOUT[word] for word in asked.scope if word == "write" or "write" not in asked.scope],
            query=request.url.query,
        )

    async def answer(self, request: Request) -> Response:
        asked = await read_request(self._database, _values(request))
        if isinstance(asked, RefusedRedirect):
            return _send_to(asked.address)
        user = await self._sessions.get_user(request, with_query=True)
        match (await read_form(request, self._timeout)).get("answer"):
            case "allow":
                return _send_to(await allow(self._database, asked, user.id))
            case "refuse":
                return _send_to(refuse(asked))
        raise Invalid("answer: expected one of the two buttons of the page.")


def _values(request: Request) -> Values:
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Invalid("The address has more than 100 parameters.") from None
    values: Values = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _send_to(address: str) -> Response:
    """302, as the applications' libraries expect it; the address is whole already."""
    response = RedirectResponse("/", 302)
    response.headers["location"] = address
    return response


def _policy(asked: AuthorizationRequest) -> str:
    """Browsers hold a form's redirects against form-action, too: the answer leads to the application."""
    return POLICY.replace("form-action 'self'", f"form-action 'self' {origin_of(asked.redirect_uri)}")

"""SPEAKS HTML: the pages for people. `application()` makes them, `owns()` says which paths are theirs.

`navigates()` says who is shown a page at every other path, too: a browser, and no program.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, Invalid, NotFound, Problem, SlowRequest, TooLarge, Unavailable
from leadroutes.security.secret_key import load_secret_key
from leadroutes.settings import Settings
from leadroutes.store.connection_errors import CONNECTION_ERRORS, RETRYABLE_ERRORS
from leadroutes.store.postgres import Database
from leadroutes.web.addresses import Strays, navigates, one_slash, page_for
from leadroutes.web.applications import ApplicationPages
from leadroutes.web.claim import ClaimPages
from leadroutes.web.consent import ConsentPage
from leadroutes.web.dry_run import TrialPages
from leadroutes.web.emails import EmailPage
from leadroutes.web.headers import AsgiApp, Receive, Scope, Send, guarded
from leadroutes.web.home import HomePages
from leadroutes.web.invitations import InvitationPages
from leadroutes.web.pages import Pages, show_asset
from leadroutes.web.sessions import Sessions
from leadroutes.web.unsubscribe import UnsubscribePage

__all__ = ["application", "navigates", "owns"]

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]
Refusal = Callable[[Request, Exception], Awaitable[Response]]

PREFIXES = ("/assets/", "/claim/", "/emails/", "/invitations/", "/offers/", "/unsubscribe/")
AUTHORIZE = "/oauth2/authorize"
PATHS = frozenset(
    {"/", "/applications", AUTHORIZE, "/invitations", "/outbox", "/sign-in", "/sign-out", "/tokens", "/try"}
)
_AUTHORIZE = re.compile("/+oauth2/+authorize/*", re.IGNORECASE)  # documented, and so called, as the API's paths are

_STATUSES: dict[type[Problem], tuple[int, str]] = {
    Conflict: (409, "That cannot be done any more"),
    Invalid: (400, "That cannot be read"),
    NotFound: (404, "Not found"),
    SlowRequest: (408, "Too slow"),
    TooLarge: (413, "Too large"),
}


def owns(path: str) -> bool:
    """Whether a path is a page's; all others are the API's."""
    return path in PATHS or path.startswith(PREFIXES) or _AUTHORIZE.fullmatch(path) is not None


def application(database: Database, engine: Engine, settings: Settings) -> AsgiApp:
    """The ASGI application of all pages."""
    pages = Pages(settings.public_url, database.clock)
    secret = load_secret_key(settings)
    sessions = Sessions(database, pages, settings.body_timeout, secret)
    claims = ClaimPages(database, engine, pages, sessions)
    home = HomePages(database, engine, pages, sessions, settings)
    consent = ConsentPage(database, pages, sessions, settings.body_timeout)
    applications = ApplicationPages(database, pages, sessions, settings.body_timeout)
    trials = TrialPages(database, pages, sessions, settings.body_timeout)
    unsubscribe = UnsubscribePage(database, pages, secret)
    invitations = InvitationPages(database, pages, sessions, settings.body_timeout)
    emails = EmailPage(database, pages)
    routes = [
        Route("/", home.show_home),
        _form("/outbox", home.show_outbox, home.send_again),
        _form("/applications", applications.show_applications, applications.change_applications),
        _form("/tokens", applications.show_tokens, applications.change_tokens),
        _form(AUTHORIZE, consent.show, consent.answer),
        _form("/claim/{token}", claims.show_link, claims.claim_link),
        _form("/claim/{token}/decline", claims.look_again, claims.decline_link),
        _form("/emails/{token}", emails.show, emails.confirm),
        Route("/invitations", invitations.answer_own, methods=["POST"]),
        _form("/invitations/{token}", invitations.show, invitations.answer),
        _form("/offers/{id}", claims.show_own, claims.claim_own),
        _form("/offers/{id}/decline", claims.look_again, claims.decline_own),
        _form("/sign-in", sessions.show_form, sessions.sign_in),
        Route("/sign-out", sessions.sign_out, methods=["POST"]),
        _form("/try", trials.show, trials.dry_run_body),
        _form("/unsubscribe/{token}", unsubscribe.show, unsubscribe.unsubscribe),
        Route("/assets/{name}", show_asset),
    ]
    starlette = Starlette(routes=routes, exception_handlers=_refusals(pages))
    starlette.router.redirect_slashes = False
    return guarded(_by_one_name(_with_strays(starlette, Strays(pages))))


def _by_one_name(application: AsgiApp) -> AsgiApp:
    """Runs of slashes and letter case do not matter where applications send people to."""

    async def renamed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _AUTHORIZE.fullmatch(scope["path"]):
            scope = {**scope, "path": AUTHORIZE, "raw_path": AUTHORIZE.encode()}
        await application(scope, receive, send)

    return renamed


def _with_strays(application: AsgiApp, strays: Strays) -> AsgiApp:
    """Where no page is, a browser is led to one."""

    async def led(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or owns(scope["path"]):
            await application(scope, receive, send)
            return
        path = one_slash(scope["path"])
        answer = strays.answer(Request(scope), path if owns(path) else page_for(path))
        await answer(scope, receive, send)

    return led


def _form(path: str, show: Endpoint, post: Endpoint) -> Route:
    """A page with a button: looking at it, and pressing it."""

    async def either(request: Request) -> Response:
        return await (post if request.method == "POST" else show)(request)

    return Route(path, either, methods=["GET", "POST"])


def _refusals(pages: Pages) -> dict[Any, Refusal]:
    """What a reader is told when something is wrong."""

    async def refuse_problem(_request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        status, title = _STATUSES.get(type(problem), (400, "That cannot be done"))
        return pages.refuse(status, title, problem.message)

    async def refuse_http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return pages.refuse(404, "Not found", "There is no such page.")
        return pages.refuse(error.status_code, "That cannot be done", "This page does not take that.", error.headers)

    async def refuse_for_now(_request: Request, error: Exception) -> Response:
        log.warning("a page is not available", error=repr(error))
        return pages.refuse(503, "Not now", "The service is busy or starting. Try again.", {"retry-after": "2"})

    async def refuse_fault(_request: Request, error: Exception) -> Response:
        log.error("a page failed", exc_info=error)
        return pages.refuse(500, "That went wrong", "It is our fault, and it has been noted. Try again.")

    away = dict.fromkeys((*CONNECTION_ERRORS, *RETRYABLE_ERRORS, Unavailable), refuse_for_now)
    return {Problem: refuse_problem, HTTPException: refuse_http, **away, Exception: refuse_fault}

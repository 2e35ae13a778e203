"""SPEAKS HTML: the pages for people. `application()` makes them, `owns()` says which paths are theirs.

`navigates()` says who is shown a page at every other path, too: a browser, and no program.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadroutes.api.asgi import Api
from leadroutes.engine.engine import Engine
from leadroutes.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    SlowRequest,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from leadroutes.security.secret_key import load_secret_key
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store.connection_errors import CONNECTION_ERRORS, RETRYABLE_ERRORS
from leadroutes.web.addresses import PAGES as PAGES_OF_PATHS
from leadroutes.web.addresses import Strays, navigates, one_slash, page_for
from leadroutes.web.claim import ClaimPages
from leadroutes.web.consent import ConsentPage
from leadroutes.web.emails import EmailPage
from leadroutes.web.headers import AsgiApp, Receive, Scope, Send, guarded, is_cross_site
from leadroutes.web.invitations import InvitationPages
from leadroutes.web.pages import PAGES
from leadroutes.web.rendering import Pages, show_asset
from leadroutes.web.sessions import NotSignedIn, Sessions
from leadroutes.web.signed import Signed
from leadroutes.web.signing_in import PasswordPages, SecondStepPages, SetupPages
from leadroutes.web.site import LIVE_PATH, Site
from leadroutes.web.unsubscribe import UnsubscribePage
from leadroutes.web.viewers import ActingEnded, Viewers

__all__ = ["LIVE_PATH", "application", "navigates", "owns"]

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]
Refusal = Callable[[Request, Exception], Awaitable[Response]]

PREFIXES = (
    "/app/", "/assets/", "/claim/", "/emails/", "/invitations/", "/offers/", "/passwords/", "/setup/", "/unsubscribe/",
)  # fmt: skip
AUTHORIZE = "/oauth2/authorize"
PATHS = frozenset({
    "/", "/app", "/app.webmanifest", AUTHORIZE, "/forgotten", "/invitations", "/second-factor", "/sign-in",
    "/sign-in/step", "/sign-out",
})  # fmt: skip
FORMER = {path: PAGES_OF_PATHS[path] for path in ("/applications", "/outbox", "/tokens", "/try")}  # pages of before
_AUTHORIZE = re.compile("/+oauth2/+authorize/*", re.IGNORECASE)  # documented, and so called, as the API's paths are

_STATUSES: dict[type[Problem], tuple[int, str]] = {
    Forbidden: (403, "That is not yours to do"),
    Conflict: (409, "That cannot be done any more"),
    Invalid: (400, "That cannot be read"),
    NotFound: (404, "Not found"),
    SlowRequest: (408, "Too slow"),
    TooLarge: (413, "Too large"),
    TooManyRequests: (429, "Too often"),
    Problem: (400, "That cannot be done"),
}


def status_of(problem: Problem) -> tuple[int, str]:
    """Returns the status and the title of the page that says this; of a narrower kind, those of the wider one."""
    return next(_STATUSES[kind] for kind in type(problem).__mro__ if kind in _STATUSES)


def owns(path: str) -> bool:
    """Whether a path is a page's; all others are the API's."""
    return path in PATHS or path in FORMER or path.startswith(PREFIXES) or _AUTHORIZE.fullmatch(path) is not None


def application(api: Api, engine: Engine, settings: Settings) -> AsgiApp:
    """The ASGI application of all pages, which ask this API for what they show and change."""
    database = engine.database
    pages = Pages(settings.public_url, database.clock)
    secret = load_secret_key(settings)
    sessions = Sessions(database, pages, settings, secret)
    claims = ClaimPages(database, engine, pages, sessions)
    signed = Signed(secret)
    site = Site(api, engine, settings, pages, sessions, signed, PAGES)
    consent = ConsentPage(database, pages, sessions, settings.body_timeout)
    unsubscribe = UnsubscribePage(database, pages, secret)
    invitations = InvitationPages(database, pages, sessions, settings.body_timeout)
    emails = EmailPage(database, pages)
    passwords = PasswordPages(database, pages, sessions, settings.body_timeout)
    steps = SecondStepPages(database, pages, sessions, Vault(secret), settings.body_timeout)
    setup = SetupPages(database, pages, sessions, settings.body_timeout)

    def post(path: str, endpoint: Endpoint) -> Route:
        return Route(path, _from_own_pages(pages, endpoint), methods=["POST"])

    def form(path: str, show: Endpoint, endpoint: Endpoint) -> Route:
        return _form(path, show, _from_own_pages(pages, endpoint))

    routes = [
        *(Route(path, _lead_to(pages, place)) for path, place in FORMER.items()),
        Route("/app.webmanifest", pages.show_manifest),
        Route("/app/sw.js", pages.show_worker),
        Route("/app/offline", pages.show_offline),
        *site.routes(),
        form(AUTHORIZE, consent.show, consent.answer),
        form("/claim/{token}", claims.show_link, claims.claim_link),
        form("/claim/{token}/decline", claims.look_again, claims.decline_link),
        form("/emails/{token}", emails.show, emails.confirm),
        post("/invitations", invitations.answer_own),
        form("/invitations/{token}", invitations.show, invitations.answer),
        form("/app/offers/{id}", claims.show_own, claims.claim_own),
        form("/app/offers/{id}/decline", claims.look_again, claims.decline_own),
        form("/forgotten", passwords.show_forgotten, passwords.ask),
        form("/passwords/{token}", passwords.show_link, passwords.set_password),
        Route("/second-factor", _lead_to(pages, "/app/me/security")),
        form("/setup/{code}", setup.show, setup.set_up),
        form("/sign-in", sessions.show_form, sessions.sign_in),
        form("/sign-in/step", steps.show_step, steps.take_step),
        post("/sign-out", sessions.sign_out),
        _form("/unsubscribe/{token}", unsubscribe.show, unsubscribe.unsubscribe),  # from anywhere (RFC 8058)
        Route("/offers/{id}", _lead_to(pages, "/app/offers/{id}")),
        Route("/assets/{name:path}", show_asset),
    ]
    starlette = Starlette(routes=routes, exception_handlers=_refusals(pages, site.viewers))
    starlette.router.redirect_slashes = False
    return guarded(_by_one_name(_with_strays(sessions.prolonging(starlette), Strays(pages))))


def _lead_to(pages: Pages, place: str) -> Endpoint:
    """A page of before leads to its new place, with its query."""

    async def led(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        ids = {name: quote(value) for name, value in request.path_params.items()}
        return pages.go_to(place.format(**ids) + query)

    return led


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
        if scope["type"] != "http" or (owns(scope["path"]) and not _has_slash_too_many(scope)):
            await application(scope, receive, send)
            return
        path = one_slash(scope["path"])
        answer = strays.answer(Request(scope), path if owns(path) else page_for(path))
        await answer(scope, receive, send)

    return led


def _has_slash_too_many(scope: Scope) -> bool:
    """Whether someone who looks at a page below /app has typed its address with a slash that it does not have."""
    path = scope["path"]
    return scope["method"] in ("GET", "HEAD") and path.startswith("/app/") and path != one_slash(path)


def _from_own_pages(pages: Pages, endpoint: Endpoint) -> Endpoint:
    """Refuses what a page of another site has sent, before anything is read."""

    async def checked(request: Request) -> Response:
        if is_cross_site(request, pages.public_url):
            return pages.refuse_cross_site()
        return await endpoint(request)

    return checked


def _form(path: str, show: Endpoint, post: Endpoint) -> Route:
    """A page with a button: looking at it, and pressing it."""

    async def either(request: Request) -> Response:
        return await (post if request.method == "POST" else show)(request)

    return Route(path, either, methods=["GET", "POST"])


def _refusals(pages: Pages, viewers: Viewers) -> dict[Any, Refusal]:
    """The page that a reader sees when something is wrong."""

    async def refuse_problem(_request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        status, title = status_of(problem)
        return pages.refuse(status, title, problem.message)

    async def stop_acting(_request: Request, problem: Exception) -> Response:
        assert isinstance(problem, ActingEnded)
        return viewers.stop(pages.refuse(403, "You act for no one now", problem.message))

    async def refuse_http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return pages.refuse(404, "Not found", "There is no such page.")
        return pages.refuse(error.status_code, "That cannot be done", "This page does not take that.", error.headers)

    async def ask_to_sign_in(_request: Request, error: Exception) -> Response:
        assert isinstance(error, NotSignedIn)
        return pages.go_to(error.address)

    async def refuse_for_now(request: Request, error: Exception) -> Response:
        log.warning("a page is not available", error=repr(error))
        return pages.ask_to_try_again(request.method == "GET")

    async def refuse_fault(_request: Request, error: Exception) -> Response:
        log.error("a page failed", exc_info=error)
        return pages.refuse(500, "That went wrong", "It is our fault, and it has been noted. Try again.")

    away = dict.fromkeys((*CONNECTION_ERRORS, *RETRYABLE_ERRORS, Unavailable), refuse_for_now)
    return {
        ActingEnded: stop_acting,
        Problem: refuse_problem,
        HTTPException: refuse_http,
        NotSignedIn: ask_to_sign_in,
        **away,
        Exception: refuse_fault,
    }

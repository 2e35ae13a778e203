"""Pages of a signed-in user: the applications that they let in or registered, and their personal tokens.

A secret is shown once, on the page that answers the form that made it.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.errors import Invalid, NotFound
from leadroutes.store import oauth as store
from leadroutes.store.accounts import NewApplication, add_application_of, issue_token_of
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import SessionUser
from leadroutes.web.forms import read_form, read_id
from leadroutes.web.pages import Pages
from leadroutes.web.sessions import Sessions

SCOPES = {"write": "read and change", "read": "read only"}


class ApplicationPages:
    """`/applications` and `/tokens`."""

    def __init__(self, database: Database, pages: Pages, sessions: Sessions, timeout: float) -> None:
        self._database = database
        self._pages = pages
        self._sessions = sessions
        self._timeout = timeout

    async def show_applications(self, request: Request) -> Response:
        return await self._applications(await self._sessions.get_user(request))

    async def change_applications(self, request: Request) -> Response:
        """The form says what is to be done: register, remove (a registered one) or disallow (one that was let in)."""
        user = await self._sessions.get_user(request)
        form = await read_form(request, self._timeout)
        match form.get("do"):
            case "register":
                return await self._register(user, form)
            case "remove":
                done = await store.remove_own_application(self._database, user.id, form.get("client_id", ""))
            case "disallow":
                done = await store.disallow(self._database, user.id, form.get("client_id", ""))
            case _:
                raise Invalid("do: expected one of the page's buttons.")
        if not done:
            raise NotFound("There is no such application any more, or it is someone else's.")
        return self._pages.go_to("/applications")

    async def show_tokens(self, request: Request) -> Response:
        return await self._tokens(await self._sessions.get_user(request))

    async def change_tokens(self, request: Request) -> Response:
        """The form says what is to be done: issue or revoke."""
        user = await self._sessions.get_user(request)
        form = await read_form(request, self._timeout)
        match form.get("do"):
            case "issue":
                if form.get("scope") not in SCOPES:
                    raise Invalid("scope: expected read or write.")
                return await self._issue(user, form)
            case "revoke":
                token_id = read_id(form.get("id"))
                if token_id is None:
                    raise Invalid("id: expected the id of a token.")
                if not await store.revoke_own_token(self._database, user.id, token_id):
                    raise NotFound("There is no such token any more, or it is someone else's.")
                return self._pages.go_to("/tokens")
        raise Invalid("do: expected one of the page's buttons.")

    async def _issue(self, user: SessionUser, form: dict[str, str]) -> Response:
        try:
            token = await issue_token_of(self._database, user.id, [form["scope"]], form.get("name", "").strip())
        except Invalid as problem:
            return await self._tokens(user, 400, form=form, problem=problem.message)
        return await self._tokens(user, token=token)

    async def _register(self, user: SessionUser, form: dict[str, str]) -> Response:
        wanted = NewApplication(
            name=form.get("name", "").strip(),
            redirect_uris=form.get("redirect_uris", "").split(),
            has_secret=form.get("kind") != "public",
        )
        try:
            made = await add_application_of(self._database, user.id, wanted)
        except Invalid as problem:
            return await self._applications(user, 400, form=form, problem=problem.message)
        return await self._applications(user, made=made)

    async def _applications(
        self, user: SessionUser, status: int = 200, *, form: dict[str, str] | None = None, **shown: Any
    ) -> Response:
        return self._pages.answer(
            "applications.html",
            status,
            user=user,
            allowed=await store.list_allowed(self._database, user.id),
            registered=await store.list_own_applications(self._database, user.id),
            form=form or {},
            scopes=SCOPES,
            **({"made": None, "problem": None} | shown),
        )

    async def _tokens(
        self, user: SessionUser, status: int = 200, *, form: dict[str, str] | None = None, **shown: Any
    ) -> Response:
        return self._pages.answer(
            "tokens.html",
            status,
            user=user,
            tokens=await store.list_own_tokens(self._database, user.id),
            form=form or {},
            scopes=SCOPES,
            **({"token": None, "problem": None} | shown),
        )

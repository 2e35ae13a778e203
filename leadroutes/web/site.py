"""Runs the pages below /app: who may see them, what their forms do, what is shown where that is not possible.

It knows no page; leadroutes.web.pages lists them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from leadroutes.api.asgi import Api
from leadroutes.api.auth import Caller
from leadroutes.domain.availability import find_absence
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, Forbidden, Invalid, NotFound, Problem, TooManyRequests, Unavailable
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.accounts import hash_secret
from leadroutes.store.forms import add_typed_form, find_typed_form, note_answer, release_form, use_form
from leadroutes.store.invitations import list_invitations_of
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import SessionUser
from leadroutes.web.cookies import cookie_of
from leadroutes.web.forms import read_fields, read_id
from leadroutes.web.headers import is_cross_site
from leadroutes.web.live import stream, topics_of
from leadroutes.web.own_api import OwnApi
from leadroutes.web.page import Document, Done, Download, Page, Revealed, Stale, Viewer, Visit
from leadroutes.web.rendering import Pages
from leadroutes.web.sent import File, Sent
from leadroutes.web.sessions import NotSignedIn, Sessions
from leadroutes.web.signed import Signed
from leadroutes.web.viewers import Viewers

LIVE_PATH = "/app/live"
FORM_TOKEN = "once"  # noqa: S105 -- the name of a field
NOT_CARRIED = (FORM_TOKEN, "password", "secret.")  # names of fields that are not stored during a sign-in begin so
RESUMED = "You had been signed out. Here is what you had typed; nothing of it is saved yet."
UNDONE = "That is undone."
OTHER_ACCOUNT = (
    "This form was opened for another account than the one that you act for now. Nothing is saved; look whether it is"
    " meant for this account, and send it again."
)
NOT_UNDONE = "That cannot be undone any more: ten minutes are over, or it has changed since."


class Site:
    """All pages below /app."""

    def __init__(
        self,
        api: Api,
        engine: Engine,
        settings: Settings,
        pages: Pages,
        sessions: Sessions,
        signed: Signed,
        declared: Sequence[Page],
    ) -> None:
        self._api = api
        self._database: Database = engine.database
        self._engine = engine
        self._settings = settings
        self._pages = pages
        self._sessions = sessions
        self._signed = signed
        self.viewers = Viewers(engine.database, pages)
        self._declared = declared
        self._by_path = {page.path: page for page in declared}
        self._done_cookie = ("__Host-" if pages.is_secure else "") + "leadroutes-done"

    def routes(self) -> list[Route]:
        """The routes of all declared pages, of the live stream and of undoing."""
        pages = [
            Route("/app" + (page.path if page.path != "/" else ""), self._endpoint(page), methods=["GET", "POST"])
            for page in self._declared
        ]
        return [
            Route("/", self._lead_home),
            Route(LIVE_PATH, self._live),
            Route("/app/resume/{token}", self._resume),
            Route("/app/undo", self._undo, methods=["POST"]),
            Route("/app/acting", self._switch, methods=["POST"]),
            *pages,
        ]

    def _endpoint(self, page: Page) -> Any:
        async def answer(request: Request) -> Response:
            if page.download is not None and request.method != "POST" and "download" in request.query_params:
                return await self._download(request, page.download, page)
            if request.method != "POST":
                return await self._show(request, page)
            if is_cross_site(request, self._pages.public_url):
                return self._pages.refuse_cross_site()
            return await self._act(request, page)

        return answer

    # -- looking

    async def _show(self, request: Request, page: Page) -> Response:
        user = await self._sessions.get_user(request, with_query=bool(request.url.query), with_viewer=True)
        viewer = await self.viewers.find(request, user, is_personal=page.is_personal)
        if page.path == "/" and viewer.is_team_lead:
            return self._pages.go_to("/app/team")
        visit = self._visit(request, page, viewer, Sent())
        if page.frame is not None and "frame" in visit.query:
            return self._document(await page.frame(visit))
        return self._rendered(request, page, visit, await page.load(visit))

    async def _lead_home(self, request: Request) -> Response:
        """To the first steps while an account has no lead, else to the inbox of an agent or the board of an owner."""
        user = await self._sessions.get_user(request, with_viewer=True)
        viewer = await self.viewers.find(request, user)
        if viewer.is_delegate:
            return self._pages.go_to("/app/team" if viewer.is_team_lead else "/app/board")
        if await list_invitations_of(self._database, user.id):
            return self._pages.go_to("/app")
        if viewer.has_account or not viewer.is_member:
            has_lead = await self._database.fetchval(*statement("has_lead").bind(owner_id=viewer.owner_id))
            if not has_lead:
                return self._pages.go_to("/app/welcome")
        return self._pages.go_to("/app" if viewer.is_member else "/app/board")

    async def _resume(self, request: Request) -> Response:
        """The page with what was typed before the session ended; nothing of it has been done."""
        user = await self._sessions.get_user(request, with_viewer=True)
        typed = await find_typed_form(self._database, request.path_params["token"], user.id)
        found = self._match(typed.path) if typed is not None else None
        if typed is None or found is None:
            raise NotFound("What you had typed is not here any more, or was typed by someone else.")
        page, ids = found
        owner_id = self._signed.form_owner(Sent(typed.fields).get(FORM_TOKEN))
        viewer = await self.viewers.find(request, user, is_personal=page.is_personal)
        if owner_id not in (None, viewer.owner_id):  # it is shown where it was typed, and nowhere else
            return await self.viewers.switch(user, owner_id, request.url.path)
        fields = {name: values for name, values in typed.fields.items() if name != FORM_TOKEN}
        visit = self._visit(request, page, viewer, Sent(fields), ids)
        return self._rendered(request, page, visit, await page.load(visit), path=typed.path, problem=Problem(RESUMED))

    def _may_open(self, viewer: Viewer, path: str) -> bool:
        found = self._match("/app" + path)
        return found is not None and found[0].may_open(viewer)

    async def _download(self, request: Request, make: Download, page: Page) -> Response:
        user = await self._sessions.get_user(request, with_query=True, with_viewer=True)
        viewer = await self.viewers.find(request, user, is_personal=page.is_personal)
        return await make(self._visit(request, page, viewer, Sent()))

    def _match(self, path: str) -> tuple[Page, dict[str, int]] | None:
        words = path.removeprefix("/app").split("/")
        for page in self._declared:
            pattern = page.path.split("/") if page.path != "/" else [""]
            if len(pattern) != len(words):
                continue
            ids = {}
            for word, given in zip(pattern, words, strict=True):
                number = read_id(given) if word.startswith("{") else None
                if number is not None:
                    ids[word.strip("{}")] = number
                elif word != given:
                    break
            else:
                return page, ids
        return None

    # -- acting

    async def _act(self, request: Request, page: Page) -> Response:
        user = await self._sessions.find_user(request, with_viewer=True)
        sent = await self._read(request, page)
        if user is None:
            return await self._ask_to_sign_in(request, sent)
        viewer = await self.viewers.find(request, user, is_personal=page.is_personal)
        visit = self._visit(request, page, viewer, sent)
        act = page.acts.get(sent.do)
        if act is None:
            raise Invalid(f"do: {sent.do[:40]!r} was given; expected one of the page's buttons.")
        token = "" if sent.do in page.looks else self._form_token(sent, user)
        if token and self._signed.form_owner(token) != visit.viewer.owner_id:
            return await self._refused(request, page, visit, Conflict(OTHER_ACCOUNT))
        use = await use_form(self._database, token, user.id) if token else None
        if use is not None and not use.is_first:
            return RedirectResponse(self._pages.prefix + (use.path or request.url.path), 303)
        try:
            done = await act(visit, sent)
        except Problem as problem:
            if token:
                await release_form(self._database, token)
            if isinstance(problem, NotFound | Forbidden):
                raise
            return await self._refused(request, page, visit, problem)
        except BaseException:
            if token:
                await release_form(self._database, token)
            raise
        return await self._answered(request, page, visit, done, token)

    async def _answered(
        self, request: Request, page: Page, visit: Visit, done: Done | Revealed | Document | Response, token: str
    ) -> Response:
        if isinstance(done, Response):
            return done
        if isinstance(done, Document):
            return self._document(done)
        if isinstance(done, Revealed):
            clean = replace(visit, sent=done.sent or Sent())
            return self._rendered(request, page, clean, {**await page.load(clean), **done.values})
        path = self._pages.prefix + ("/app" + done.path if done.path not in ("", "/") else "/app")
        if done.path == "":
            path = self._pages.prefix + request.url.path
        if token:
            await note_answer(self._database, token, path.removeprefix(self._pages.prefix))
        response = RedirectResponse(path, 303)
        self._tell(response, visit.viewer, done)
        return response

    async def _refused(self, request: Request, page: Page, visit: Visit, problem: Problem) -> Response:
        """The page with everything that was typed, and what is wrong with it."""
        visit = replace(visit, sent=replace(visit.sent, errors=dict(problem.errors)))
        match problem:
            case Invalid():
                status = 422
            case Conflict():
                status = 409
            case TooManyRequests():
                status = 429
            case Unavailable():
                status = 503
            case _:
                status = 422
        return self._rendered(request, page, visit, await page.load(visit), status, problem=problem)

    async def _ask_to_sign_in(self, request: Request, sent: Sent) -> Response:
        """What was typed is shown again after the sign-in, to the user for whom the form was made."""
        target = request.url.path
        user_id = self._signed.form_user(sent.get(FORM_TOKEN))
        if user_id is not None:
            fields = {name: list(values) for name, values in sent.fields.items() if not name.startswith(NOT_CARRIED)}
            fields[FORM_TOKEN] = [sent.get(FORM_TOKEN)]  # it says for which account the form was made
            token = await add_typed_form(self._database, user_id, target, fields)
            target = f"/app/resume/{token}"
        raise NotSignedIn(f"/sign-in?next={target}")

    def _form_token(self, sent: Sent, user: SessionUser) -> str:
        token = sent.get(FORM_TOKEN)
        return token if token and self._signed.form_user(token) == user.id else ""

    async def _read(self, request: Request, page: Page) -> Sent:
        fields, uploads = await read_fields(request, self._settings.body_timeout, page.largest)
        files = {}
        for name, upload in uploads.items():
            if upload.filename:
                files[name] = File(upload.filename[:255], await upload.read(), upload.content_type or "")
            await upload.close()
        return Sent(fields, files)

    # -- undoing

    async def _undo(self, request: Request) -> Response:
        if is_cross_site(request, self._pages.public_url):
            return self._pages.refuse_cross_site()
        user = await self._sessions.get_user(request, with_viewer=True)
        fields, _ = await read_fields(request, self._settings.body_timeout)
        sent = Sent(fields)
        viewer = await self.viewers.find(request, user)
        owner_id, inverse = self._signed.inverse(user.id, sent.get("undo")) or (0, None)
        if owner_id == user.id:  # done on a page about the user alone, perhaps while acting for an owner
            viewer = await self.viewers.find(request, user, is_personal=True)
        if inverse is None or owner_id != viewer.owner_id:
            return self._pages.refuse(409, "Too late", NOT_UNDONE)
        if not (await use_form(self._database, sent.get("undo"), user.id)).is_first:
            return self._back(sent)
        api = OwnApi(self._api, viewer.caller)
        try:
            if inverse.left and not inverse.is_as_left(await api.get(inverse.path)):
                return self._pages.refuse(409, "Too late", NOT_UNDONE)
            await api.call(inverse.method, inverse.path, inverse.body, inverse.only_if)
        except (NotFound, Conflict, Invalid):  # a moment that was to come has passed, a record is gone that is named
            return self._pages.refuse(409, "Too late", NOT_UNDONE)
        response = self._back(sent)
        self._tell(response, viewer, Done("", UNDONE))
        return response

    def _back(self, sent: Sent) -> Response:
        back = sent.get("back")
        is_page = back.startswith("/app") and self._match(back.partition("?")[0]) is not None
        return RedirectResponse(self._pages.prefix + (back if is_page else "/app"), 303)

    # -- acting for another owner

    async def _switch(self, request: Request) -> Response:
        """Begins to act for an owner, or ends it."""
        if is_cross_site(request, self._pages.public_url):
            return self._pages.refuse_cross_site()
        user = await self._sessions.get_user(request, with_viewer=True)
        fields, _ = await read_fields(request, self._settings.body_timeout)
        return await self.viewers.switch(user, Sent(fields).id("owner_id"))

    # -- live

    async def _live(self, request: Request) -> Response:
        user = await self._sessions.get_user(request, with_viewer=True)
        viewer = await self.viewers.find(request, user)
        listens = request.query_params.get("to", "").split(",")
        topics = topics_of(viewer, listens)
        if not topics:
            raise NotFound("There is nothing to listen to.")

        async def is_signed_in() -> bool:
            return await self._sessions.find_user(request) is not None

        return stream(self._database, topics, is_signed_in)

    # -- who looks

    def _visit(
        self, request: Request, page: Page, viewer: Viewer, sent: Sent, ids: Mapping[str, int] | None = None
    ) -> Visit:
        if not page.may_open(viewer):
            raise NotFound("There is no such page, or it is not yours to see.")
        if ids is None:
            ids = {}
            for name, text in request.path_params.items():
                number = read_id(text)
                if number is None:
                    raise NotFound("There is no such page.")
                ids[name] = number
        part = request.query_params.get("part", "")
        return Visit(
            viewer=viewer,
            api=OwnApi(self._api, self._with_session(request, viewer.caller)),
            database=self._database,
            engine=self._engine,
            settings=self._settings,
            ids=ids,
            query=dict(request.query_params),
            sent=sent,
            session_token=self._sessions.token(request) or "",
            part=part if part in page.parts and request.method != "POST" else "",
        )

    def _with_session(self, request: Request, caller: Caller) -> Caller:
        """A change of the password spares the session through which it is made."""
        token = self._sessions.token(request)
        return replace(caller, token_hash=hash_secret(token)) if token else caller

    # -- what is answered

    def _rendered(
        self,
        request: Request,
        page: Page,
        visit: Visit,
        values: Mapping[str, Any],
        status: int = 200,
        problem: Problem | None = None,
        path: str = "",
    ) -> Response:
        context = {
            "viewer": visit.viewer,
            "user": visit.viewer.user,
            "page": page,
            "path": path or request.url.path,
            "query": visit.query,
            "sent": visit.sent,
            "problem": problem,
            "stale": problem.now if isinstance(problem, Stale) else None,
            "form_token": lambda: self._signed.form_token(visit.viewer.user.id, visit.viewer.owner_id),
            "navigation": navigation(self._declared, visit.viewer),
            "may_open": lambda target: self._may_open(visit.viewer, target),
            "done": None,
            "absence": find_absence(visit.viewer.presence, visit.now) if visit.viewer.has_switch else None,
            **values,
        }
        if visit.part:
            return self._pages.answer_part(page.template, visit.part, **context)
        cookie = cookie_of(request.headers.getlist("cookie"), self._done_cookie)
        if cookie:
            context["done"] = self._signed.done(cookie)
        response = self._pages.answer(page.template, status, **context)
        if cookie:
            response.delete_cookie(self._done_cookie, path="/", secure=self._pages.is_secure)
        return response

    def _document(self, document: Document) -> Response:
        return self._pages.answer(document.template, 200, document.headers, **document.values)

    def _tell(self, response: Response, viewer: Viewer, done: Done) -> None:
        """What was done is said on the next page."""
        if not done.message:
            return
        undo = self._signed.undo_token(viewer.user.id, viewer.owner_id, done.undo) if done.undo is not None else ""
        response.set_cookie(
            self._done_cookie,
            self._signed.done_cookie(done, undo),
            max_age=120,
            path="/",
            secure=self._pages.is_secure,
            httponly=True,
            samesite="lax",
        )


def navigation(declared: Sequence[Page], viewer: Viewer) -> list[tuple[str, list[Page]]]:
    """Returns the pages that the navigation shows to this viewer, by their groups."""
    groups: dict[str, list[Page]] = {}
    for page in declared:
        if page.place is not None and page.may_open(viewer):
            groups.setdefault(page.place.group, []).append(page)
    return list(groups.items())

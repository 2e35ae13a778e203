"""The steps around signing in: a forgotten password, a link that sets one, the second factor, the first start.

What each does, the engine knows; looking at a page changes nothing.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from markupsafe import Markup
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from leadroutes.engine import first_start
from leadroutes.engine.password_links import ask_for_reset, find_password_link, set_password_by_link
from leadroutes.engine.second_factors import Enrolment, PendingUser, SecondFactors
from leadroutes.errors import Conflict, Invalid, NotFound, TooManyRequests
from leadroutes.security.throttle import PasswordThrottle, limits_of_code, limits_of_reset
from leadroutes.security.vault import Vault
from leadroutes.store.accounts import NewUser
from leadroutes.store.postgres import Database
from leadroutes.store.sign_ins import Method, SignInKind, log_sign_in
from leadroutes.web.forms import read_form
from leadroutes.web.plain_words import in_plain_words, minutes_in_words
from leadroutes.web.qr import qr_svg
from leadroutes.web.rendering import Pages
from leadroutes.web.sent import plain_form
from leadroutes.web.sessions import LONGEST_PASSWORD, Sessions, origin_of, own_path
from leadroutes.web.zones import zone_choices

LONGEST_TEXT = 255
LINK_PROBLEMS = {
    "used": "This link was used. It works once; if you need another one, ask for it again.",
    "expired": "This link has expired. Ask for another one.",
}
NO_LINK = "There is no such link, or it was replaced by a newer one or taken back. Ask for another one."
NOT_EQUAL = "The two passwords are not the same."
TOO_MANY_CODES = "Too many wrong codes. Try again in {}."
WRONG_CODE = "The code is wrong, or was used before. An app shows a new one every 30 seconds."


class PasswordPages:
    """`/forgotten` asks for a link, `/passwords/{token}` is where it leads."""

    def __init__(self, database: Database, pages: Pages, sessions: Sessions, timeout: float) -> None:
        self._database = database
        self._pages = pages
        self._sessions = sessions
        self._timeout = timeout
        self._throttle = PasswordThrottle()

    async def show_forgotten(self, request: Request) -> Response:
        return self._forgotten(request.query_params.get("email", "")[:LONGEST_TEXT])

    async def ask(self, request: Request) -> Response:
        """The same answer for every address; the account is looked up once it has left."""
        email = (await read_form(request, self._timeout)).get("email", "").strip()[:LONGEST_TEXT]
        address = request.client.host if request.client else ""
        try:
            self._throttle.count(limits_of_reset(email, address))
        except TooManyRequests as problem:
            text = f"Too many links were asked for. Try again in {minutes_in_words(problem.retry_after)}."
            return self._forgotten(email, 429, {"retry-after": str(problem.retry_after)}, problem=text)
        response = self._forgotten(email, is_sent=True)
        response.background = BackgroundTask(ask_for_reset, self._database, email, origin_of(request))
        return response

    def _forgotten(
        self,
        email: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        is_sent: bool = False,
        problem: str | None = None,
    ) -> Response:
        form = plain_form({"email": email})
        return self._pages.answer(
            "forgotten.html", status, headers, email=email, form=form, is_sent=is_sent, problem=problem
        )

    async def show_link(self, request: Request) -> Response:
        return self._link(await self._get(request))

    async def set_password(self, request: Request) -> Response:
        """Sets the password of the link, and goes on as after a password at sign-in."""
        link = await self._get(request)
        form = await read_form(request, self._timeout)
        password = form.get("password", "")
        if password != form.get("again", password):
            return self._link(link, 400, errors={"again": NOT_EQUAL})
        origin = origin_of(request)
        try:
            user_id = await set_password_by_link(self._database, request.path_params["token"], password, origin)
        except Invalid as problem:
            return self._link(link, 400, problem.message, in_plain_words(problem.errors))
        return await self._sessions.enter(request, user_id, link["email"], "/", Method.LINK)

    async def _get(self, request: Request) -> Any:
        link = await find_password_link(self._database, request.path_params["token"])
        if link is None:
            raise NotFound(NO_LINK)
        if (problem := LINK_PROBLEMS.get(link["state"])) is not None:
            raise NotFound(problem)
        return link

    def _link(
        self, link: Any, status: int = 200, problem: str | None = None, errors: Mapping[str, str] | None = None
    ) -> Response:
        form = plain_form(errors=errors)
        return self._pages.answer(
            "password.html", status, link=link, longest=LONGEST_PASSWORD, form=form, problem=problem
        )


class SecondStepPages:
    """`/sign-in/step`: the second step of a sign-in, a code, or to add a second factor where one is required."""

    def __init__(self, database: Database, pages: Pages, sessions: Sessions, vault: Vault, timeout: float) -> None:
        self._database = database
        self._pages = pages
        self._sessions = sessions
        self._factors = SecondFactors(database, vault)
        self._timeout = timeout
        self._throttle = PasswordThrottle()

    async def show_step(self, request: Request) -> Response:
        target = own_path(request.query_params.get("next", "/"))
        user = await self._sessions.find_pending(request)
        if user is None:
            return self._pages.go_to("/sign-in")
        if user.has_factor:
            return self._code(user, target)
        return self._enrolment(user.name, target, await self._factors.find_enrolment(user.id))

    async def take_step(self, request: Request) -> Response:
        """The form says what it is: a code, or one of the buttons of the enrolment."""
        form = await read_form(request, self._timeout)
        target = own_path(form.get("next", "/"))
        user = await self._sessions.find_pending(request)
        if user is None:
            return self._pages.go_to("/sign-in")
        if user.has_factor:
            return await self._check(request, user, form, target)
        enrolment, codes, problem = await self._enrol(request, user.id, form)
        response = self._enrolment(user.name, target, enrolment, codes, problem)
        if codes is not None and not await self._sessions.finish(request, response, user, Method.CODE):
            return self._pages.go_to("/sign-in")
        return response

    async def _check(self, request: Request, user: PendingUser, form: dict[str, str], target: str) -> Response:
        compare = partial(self._factors.check, user.id, form.get("code", "")[:LONGEST_TEXT])
        try:
            method = await self._throttle.compare(limits_of_code(user.id), compare)
        except TooManyRequests as problem:
            text = TOO_MANY_CODES.format(minutes_in_words(problem.retry_after))
            return self._code(user, target, 429, {"retry-after": str(problem.retry_after)}, problem=text)
        if method is None:
            await log_sign_in(self._database, user.id, SignInKind.WRONG_CODE, origin_of(request))
            return self._code(user, target, 403, problem=WRONG_CODE)
        response = self._pages.go_to(target)
        trusts = form.get("trust") == "yes"
        if not await self._sessions.finish(request, response, user, method, trusts=trusts):
            return self._pages.go_to("/sign-in")
        return response

    def _code(
        self,
        user: PendingUser,
        target: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        problem: str | None = None,
    ) -> Response:
        form = plain_form(errors={"code": problem} if status == 403 and problem else {})
        return self._pages.answer(
            "code.html", status, headers, name=user.name, target=target, form=form, problem=problem
        )

    # -- enrolment where it is required

    async def _enrol(
        self, request: Request, user_id: int, form: dict[str, str]
    ) -> tuple[Enrolment | None, list[str] | None, str | None]:
        """Returns the secret to show, the recovery codes once it is confirmed, and what is wrong."""
        match form.get("do"):
            case "begin":
                return await self._factors.begin(user_id), None, None
            case "confirm":
                codes, problem = await self._confirm(request, user_id, form.get("code", ""))
                return None if codes else await self._factors.find_enrolment(user_id), codes, problem
        raise Invalid("do: expected one of the page's buttons.")

    async def _confirm(self, request: Request, user_id: int, code: str) -> tuple[list[str] | None, str | None]:
        """Returns the recovery codes, or what is wrong. A wrong code counts, where an exception would not."""
        refused = Invalid(WRONG_CODE)

        async def compare() -> list[str]:
            nonlocal refused
            try:
                return await self._factors.confirm(user_id, code, origin_of(request))
            except Invalid as problem:
                refused = problem
                return []

        try:
            codes = await self._throttle.compare(limits_of_code(user_id), compare)
        except TooManyRequests as problem:
            return None, TOO_MANY_CODES.format(minutes_in_words(problem.retry_after))
        except (Conflict, NotFound) as problem:
            return None, problem.message
        text = next(iter(in_plain_words(refused.errors).values()), refused.message)
        return (codes, None) if codes else (None, text)

    def _enrolment(
        self,
        name: str,
        target: str,
        enrolment: Enrolment | None,
        codes: list[str] | None = None,
        problem: str | None = None,
    ) -> Response:
        return self._pages.answer(
            "second_factor.html",
            400 if problem else 200,
            name=name,
            target=target,
            enrolment=enrolment,
            picture=Markup(qr_svg(enrolment.uri)) if enrolment else None,  # noqa: S704 -- made here, of numbers alone
            codes=codes,
            form=plain_form(errors={"code": problem} if problem and enrolment else {}),
            problem=problem,
        )


class SetupPages:
    """`/setup/{code}`: the first administrator."""

    def __init__(self, database: Database, pages: Pages, sessions: Sessions, timeout: float) -> None:
        self._database = database
        self._pages = pages
        self._sessions = sessions
        self._timeout = timeout

    async def show(self, request: Request) -> Response:
        await self._must_be_good(request)
        return self._shown({})

    async def set_up(self, request: Request) -> Response:
        """Makes the administrator, and signs in."""
        await self._must_be_good(request)
        form = await read_form(request, self._timeout)

        def given(name: str) -> str | None:
            return form.get(name, "").strip()[:LONGEST_TEXT] or None

        wanted = NewUser(
            email=given("email") or "",
            first_name=given("first_name"),
            last_name=given("last_name"),
            timezone=given("timezone") or "UTC",
            password=form.get("password", ""),
            is_admin=True,
            is_broker=True,
        )
        code, origin = request.path_params["code"], origin_of(request)
        try:
            user_id = await first_start.set_up(self._database, code, wanted, given("brokerage_name"), origin)
        except (Invalid, Conflict) as problem:
            return self._shown(form, 400, problem.message, in_plain_words(problem.errors))
        return await self._sessions.enter(request, user_id, wanted.email, "/", Method.SETUP)

    async def _must_be_good(self, request: Request) -> None:
        if not await first_start.is_setup_code(self._database, request.path_params["code"]):
            raise NotFound(first_start.OVER)

    def _shown(
        self,
        sent: dict[str, str],
        status: int = 200,
        problem: str | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> Response:
        zones = zone_choices(sent.get("timezone", "") if not (errors or {}).get("timezone") else "")
        return self._pages.answer("setup.html", status, form=plain_form(sent, errors), zones=zones, problem=problem)

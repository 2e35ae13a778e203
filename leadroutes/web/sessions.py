"""Signing in and out, and who is signed in: a random token in a cookie, its hash in the database.

What a user may see is decided by the pages themselves; the second step of a sign-in has pages of its own.
"""

from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.domain.browser_names import browser_name
from leadroutes.engine.second_factors import (
    PENDING_LIFE,
    TRUST_LIFE,
    PendingUser,
    add_pending,
    find_pending,
    is_step_missing,
    take_pending,
    trust_browser,
)
from leadroutes.errors import TooManyRequests
from leadroutes.security.rate_limits import network_of
from leadroutes.security.throttle import PasswordThrottle, digest, limits_at_sign_in
from leadroutes.settings import Settings
from leadroutes.store.accounts import verify_password
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import LIFE, SessionUser, add_session, find_password, find_session, remove_session
from leadroutes.store.sign_ins import Method, SignInKind, Whereabouts, log_sign_in
from leadroutes.web.browsers import KnownBrowsers
from leadroutes.web.cookies import cookie_of
from leadroutes.web.forms import read_form
from leadroutes.web.headers import AsgiApp, Message, Receive, Scope, Send
from leadroutes.web.plain_words import minutes_in_words
from leadroutes.web.rendering import Pages
from leadroutes.web.sent import plain_form
from leadroutes.web.turns import Busy, PasswordTurns

LONGEST_PASSWORD = 255
PROLONGED = "leadroutes.prolonged"  # in the scope of a request: the token of a session whose cookie lives on
WRONG = "The e-mail or the password is wrong."


class NotSignedIn(Exception):  # noqa: N818 -- what is, not what went wrong
    """A page is for users who are signed in; `address` is the form's."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def origin_of(request: Request) -> Whereabouts:
    """Which browser, and from where, as lists of sessions show it."""
    address = request.client.host if request.client else ""
    return Whereabouts(browser_name(request.headers.get("user-agent")), network_of(address) or None)


class Sessions:
    """`/sign-in` and `/sign-out`, and what every way to sign in ends with."""

    def __init__(self, database: Database, pages: Pages, settings: Settings, secret: str) -> None:
        self._database = database
        self._pages = pages
        self._timeout = settings.body_timeout
        self._administrators_need_a_factor = settings.admin_second_factor
        self._throttle = PasswordThrottle()
        self._turns = PasswordTurns()
        self._browsers = KnownBrowsers(secret, pages)
        self._prefix = "__Host-" if pages.is_secure else ""
        self._cookie = f"{self._prefix}leadroutes"
        self._step_cookie = f"{self._prefix}leadroutes-step"

    async def find_user(self, request: Request, *, with_viewer: bool = False) -> SessionUser | None:
        """Who is signed in, if anybody is."""
        token = self.token(request)
        found = await find_session(self._database, token, with_viewer=with_viewer) if token else None
        if found is None:
            return None
        if found.is_prolonged:
            request.scope[PROLONGED] = token
        return found.user

    def token(self, request: Request) -> str | None:
        """The token of the browser's session, good or not."""
        return self._cookie_of(request, self._cookie)

    def _cookie_of(self, request: Request, name: str) -> str | None:
        return cookie_of(request.headers.getlist("cookie"), name)

    def prolonging(self, application: AsgiApp) -> AsgiApp:
        """The same application; where a session lives on, the browser's cookie does as well."""

        async def prolonged(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_with_cookie(message: Message) -> None:
                if message["type"] == "http.response.start" and (token := scope.get(PROLONGED)):
                    carrier = Response()
                    self._give_cookie(carrier, self._cookie, token, LIFE)
                    given = [pair for pair in carrier.raw_headers if pair[0] == b"set-cookie"]
                    own = f"{self._cookie}=".encode()
                    if not any(name == b"set-cookie" and value.startswith(own) for name, value in message["headers"]):
                        message["headers"] = [*message["headers"], *given]
                await send(message)

            await application(scope, receive, send_with_cookie)

        return prolonged

    async def get_user(
        self, request: Request, *, with_query: bool = False, comes_back: bool = False, with_viewer: bool = False
    ) -> SessionUser:
        """Returns who is signed in. Raises NotSignedIn, which leads to the form and from there back to the page.

        What a form had sent is lost. `comes_back`: to the page itself also after a form.
        """
        user = await self.find_user(request, with_viewer=with_viewer)
        if user is not None:
            return user
        path = request.url.path if comes_back or request.method in ("GET", "HEAD") else "/"
        if with_query:
            path = f"{request.url.path}?{request.url.query}"
        query = f"?next={quote(path, safe='/')}" if path != "/" else ""
        raise NotSignedIn("/sign-in" + query)

    async def show_form(self, request: Request) -> Response:
        target = own_path(request.query_params.get("next", "/"))
        if await self.find_user(request) is not None:
            return self._pages.go_to(target)
        return self._form(target)

    async def sign_in(self, request: Request) -> Response:
        form = await read_form(request, self._timeout)
        email, password = form.get("email", "").strip(), form.get("password", "")
        target = own_path(form.get("next", "/"))
        address = request.client.host if request.client else ""
        browser = self._browsers.find(request, email)

        async def find_in_turn() -> int | None:
            async with self._turns.take(browser or network_of(address), is_known=browser is not None):
                return await self._find_right(email, password)

        try:
            user_id = await self._throttle.compare(limits_at_sign_in(email, address, browser), find_in_turn)
        except TooManyRequests as problem:
            return self._ask_to_wait(problem.retry_after, email, target)
        except Busy:
            return self._ask_to_come_back(email, target)
        if user_id is None:
            await self._log_refusal(request, email)
            return self._form(target, email, WRONG, 403)
        response = await self.enter(request, user_id, email, target, Method.PASSWORD)
        self._browsers.remember(response, email, browser)
        return response

    async def _log_refusal(self, request: Request, email: str) -> None:
        account = await find_password(self._database, email) if "\0" not in email else None
        user_id = account["id"] if account else None
        await log_sign_in(self._database, user_id, SignInKind.WRONG_PASSWORD, origin_of(request))

    async def enter(self, request: Request, user_id: int, email: str, target: str, method: Method) -> Response:
        """Lets in someone who has proved who they are: to the page that was wanted, or to the step that is missing."""
        trusted = self._cookie_of(request, self._trust_cookie(email))
        is_missing, is_trusted = await is_step_missing(
            self._database, user_id, trusted, administrators_need_one=self._administrators_need_a_factor
        )
        if not is_missing:
            return await self._start(request, user_id, target, Method.TRUSTED_BROWSER if is_trusted else method)
        if token := self.token(request):
            await remove_session(self._database, token)
        response = self._pages.go_to("/sign-in/step" + (f"?next={quote(target, safe='/')}" if target != "/" else ""))
        self._give_cookie(response, self._cookie, "", timedelta(0))
        self._give_cookie(response, self._step_cookie, await add_pending(self._database, user_id), PENDING_LIFE)
        return response

    async def _start(self, request: Request, user_id: int, target: str, method: Method) -> Response:
        if token := self.token(request):
            await remove_session(self._database, token)
        response = self._pages.go_to(target)
        await self.start_session(request, response, user_id, method)
        return response

    async def start_session(self, request: Request, response: Response, user_id: int, method: Method) -> None:
        """Sign someone in without asking for anything more; the browser learns of it with this response."""
        origin = origin_of(request)
        await log_sign_in(self._database, user_id, SignInKind.SIGNED_IN, origin, method=method)
        self._give_cookie(response, self._cookie, await add_session(self._database, user_id, origin), LIFE)

    # -- the second step

    async def find_pending(self, request: Request) -> PendingUser | None:
        """Who has given the right password in this browser, and has a second step to go."""
        token = self._cookie_of(request, self._step_cookie)
        return await find_pending(self._database, token) if token else None

    async def finish(
        self, request: Request, response: Response, user: PendingUser, method: Method, *, trusts: bool = False
    ) -> bool:
        """Signs in after the second step, once. Returns False where the sign-in waits no more."""
        token = self._cookie_of(request, self._step_cookie)
        if token is None or not await take_pending(self._database, token):
            return False
        await self.start_session(request, response, user.id, method)
        self._give_cookie(response, self._step_cookie, "", timedelta(0))
        if trusts:
            await self.trust(request, response, user.id, user.email)
        return True

    async def trust(self, request: Request, response: Response, user_id: int, email: str) -> None:
        """From now on this browser is not asked for this user's second factor for a while."""
        token = await trust_browser(self._database, user_id, origin_of(request))
        self._give_cookie(response, self._trust_cookie(email), token, TRUST_LIFE)

    def _trust_cookie(self, email: str) -> str:
        return f"{self._prefix}leadroutes-trusted-{digest(email)[:16]}"

    # -- the end

    async def sign_out(self, request: Request) -> Response:
        if token := self.token(request):
            user_id = await remove_session(self._database, token)
            if user_id is not None:
                await log_sign_in(self._database, user_id, SignInKind.SIGNED_OUT, origin_of(request))
        response = self._pages.go_to("/sign-in")
        self._give_cookie(response, self._cookie, "", timedelta(0))
        return response

    async def _find_right(self, email: str, password: str) -> int | None:
        """The id of the account that this password opens."""
        if "\0" in email or len(password) > LONGEST_PASSWORD:
            return None
        account = await find_password(self._database, email)
        is_right = await verify_password(account["password_hash"] if account else None, password)
        return account["id"] if account and is_right else None

    def _ask_to_wait(self, seconds: int, email: str, target: str) -> Response:
        problem = f"Too many failed attempts. Try again in {minutes_in_words(seconds)}."
        headers = {"retry-after": str(seconds)}
        return self._form(target, email, problem, 429, headers)

    def _ask_to_come_back(self, email: str, target: str) -> Response:
        problem = "Too many people are signing in at this moment. Try again in a few seconds."
        headers = {"retry-after": "3"}
        return self._form(target, email, problem, 503, headers)

    def _form(
        self,
        target: str,
        email: str = "",
        problem: str | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        form = plain_form({"email": email})
        return self._pages.answer(
            "sign_in.html", status, headers, target=target, email=email, form=form, problem=problem
        )

    def _give_cookie(self, response: Response, name: str, token: str, life: timedelta) -> None:
        response.set_cookie(
            name,
            token,
            max_age=int(life.total_seconds()),
            path="/",
            secure=self._pages.is_secure,
            httponly=True,
            samesite="lax",
        )


def own_path(text: str) -> str:
    """A path on this site; anything else is the home page."""
    is_path = text.startswith("/") and not text.startswith("//") and text.isascii() and text.isprintable()
    return text if is_path and "\\" not in text else "/"

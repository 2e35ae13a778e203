"""Signing in and out, and who is signed in: a random token in a cookie, its hash in the database.

What somebody may see, the pages themselves decide.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from leadroutes.errors import TooManyRequests
from leadroutes.security.rate_limits import network_of
from leadroutes.security.throttle import PasswordThrottle, limits_at_sign_in
from leadroutes.store.accounts import verify_password
from leadroutes.store.postgres import Database
from leadroutes.store.sessions import LIFE, SessionUser, add_session, find_password, find_session, remove_session
from leadroutes.web.browsers import KnownBrowsers
from leadroutes.web.cookies import cookie_of
from leadroutes.web.forms import read_form
from leadroutes.web.headers import is_cross_site
from leadroutes.web.pages import Pages
from leadroutes.web.turns import Busy, PasswordTurns

LONGEST_PASSWORD = 255
WRONG = "The e-mail or the password is wrong."


class Sessions:
    """`/sign-in` and `/sign-out`."""

    def __init__(self, database: Database, pages: Pages, timeout: float, secret: str) -> None:
        self._database = database
        self._pages = pages
        self._timeout = timeout
        self._throttle = PasswordThrottle()
        self._turns = PasswordTurns()
        self._browsers = KnownBrowsers(secret, pages)
        self._cookie = "__Host-leadroutes" if pages.is_secure else "leadroutes"

    async def find_user(self, request: Request) -> SessionUser | None:
        """Who is signed in, if anybody is."""
        token = self._token(request)
        return await find_session(self._database, token) if token else None

    def _token(self, request: Request) -> str | None:
        return cookie_of(request.headers.getlist("cookie"), self._cookie)

    def ask_to_sign_in(self, request: Request, *, with_query: bool = False, comes_back: bool = False) -> Response:
        """To the form, and from there back to where he wanted to go; what a form had sent is lost.

        `comes_back`: to the page itself also after a form.
        """
        path = request.url.path if comes_back or request.method in ("GET", "HEAD") else "/"
        if with_query:
            path = f"{request.url.path}?{request.url.query}"
        query = f"?next={quote(path, safe='/')}" if path != "/" else ""
        return self._pages.go_to("/sign-in" + query)

    async def show_form(self, request: Request) -> Response:
        target = _own_path(request.query_params.get("next", "/"))
        if await self.find_user(request) is not None:
            return self._pages.go_to(target)
        return self._pages.answer("sign_in.html", target=target, email="", problem=None)

    async def sign_in(self, request: Request) -> Response:
        if is_cross_site(request, self._pages.public_url):
            return self._pages.refuse_cross_site()
        form = await read_form(request, self._timeout)
        email, password = form.get("email", "").strip(), form.get("password", "")
        target = _own_path(form.get("next", "/"))
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
            return self._pages.answer("sign_in.html", 403, target=target, email=email, problem=WRONG)
        if token := self._token(request):
            await remove_session(self._database, token)
        response = self._pages.go_to(target)
        self._give_cookie(response, await add_session(self._database, user_id), int(LIFE.total_seconds()))
        self._browsers.remember(response, email, browser)
        return response

    async def start_session(self, response: Response, user_id: int) -> None:
        """Sign in someone who has proved it in another way; the browser learns of it with this response."""
        self._give_cookie(response, await add_session(self._database, user_id), int(LIFE.total_seconds()))

    async def sign_out(self, request: Request) -> Response:
        if is_cross_site(request, self._pages.public_url):
            return self._pages.refuse_cross_site()
        if token := self._token(request):
            await remove_session(self._database, token)
        response = self._pages.go_to("/sign-in")
        self._give_cookie(response, "", 0)
        return response

    async def _find_right(self, email: str, password: str) -> int | None:
        """The id of the account that this password opens."""
        if "\0" in email or len(password) > LONGEST_PASSWORD:
            return None
        account = await find_password(self._database, email)
        is_right = await verify_password(account["password_hash"] if account else None, password)
        return account["id"] if account and is_right else None

    def _ask_to_wait(self, seconds: int, email: str, target: str) -> Response:
        minutes = -(-seconds // 60)
        problem = f"Too many failed attempts. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}."
        headers = {"retry-after": str(seconds)}
        return self._pages.answer("sign_in.html", 429, headers, target=target, email=email, problem=problem)

    def _ask_to_come_back(self, email: str, target: str) -> Response:
        problem = "Too many people are signing in at this moment. Try again in a few seconds."
        headers = {"retry-after": "3"}
        return self._pages.answer("sign_in.html", 503, headers, target=target, email=email, problem=problem)

    def _give_cookie(self, response: Response, token: str, seconds: int) -> None:
        response.set_cookie(
            self._cookie, token, max_age=seconds, path="/", secure=self._pages.is_secure, httponly=True, samesite="lax"
        )


def _own_path(text: str) -> str:
    """A path on this site; anything else is the home page."""
    is_path = text.startswith("/") and not text.startswith("//") and text.isascii() and text.isprintable()
    return text if is_path and "\\" not in text else "/"

"""Which browsers have signed in as an account before: a signed cookie of their own for each account.

It gives no access. It only says that guesses by others do not count against the browser that carries it.
"""

import hashlib
import secrets

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from leadroutes.security.throttle import digest
from leadroutes.web.cookies import cookie_of
from leadroutes.web.rendering import Pages

PURPOSE = "leadroutes known browser 1"
LIFE = 365 * 86_400  # seconds


class KnownBrowsers:
    """`find()` and `remember()`."""

    def __init__(self, secret: str, pages: Pages) -> None:
        self._signer = Signer(secret, salt=PURPOSE, key_derivation="hmac", digest_method=hashlib.sha256)
        self._pages = pages

    def find(self, request: Request, email: str) -> str | None:
        """What names the browser, if it has signed in with this e-mail."""
        value = cookie_of(request.headers.getlist("cookie"), self._cookie(email))
        if value is None:
            return None
        try:
            account, _, name = self._signer.unsign(value).decode("ascii", "replace").partition(".")
        except BadSignature:
            return None
        return name if account == digest(email) else None

    def remember(self, response: Response, email: str, name: str | None) -> None:
        """Give it the cookie; one that has a name keeps it."""
        value = self._signer.sign(f"{digest(email)}.{name or secrets.token_hex(16)}").decode("ascii")
        response.set_cookie(
            self._cookie(email),
            value,
            max_age=LIFE,
            path="/",
            secure=self._pages.is_secure,
            httponly=True,
            samesite="lax",
        )

    def _cookie(self, email: str) -> str:
        prefix = "__Host-" if self._pages.is_secure else ""
        return f"{prefix}leadroutes-known-{digest(email)[:16]}"

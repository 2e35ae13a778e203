"""The browsers of the demonstration: a push service on loopback, and behind it browsers that show notifications.

A browser reads its notifications as RFC 8291 says, with the keys that it alone has.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadroutes.channels.push_encryption import CURVE, SECRET_BYTES, decrypted, encoded, point_of
from leadroutes.server.run import address_of, listen, serving_http
from leadroutes.settings import Settings

_ENDPOINTS: Final = "/push/"


@dataclass(slots=True)
class Browser:
    """One that an agent has allowed to show notifications; `shown` are those that it got, as the service wrote them."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE), repr=False)
    secret: bytes = field(default_factory=lambda: os.urandom(SECRET_BYTES), repr=False)
    shown: list[dict[str, Any]] = field(default_factory=list)

    @property
    def subscription(self) -> dict[str, Any]:
        """What a page sends of it, as `PushSubscription.toJSON()` gives it."""
        keys = {"p256dh": encoded(point_of(self.key.public_key())), "auth": encoded(self.secret)}
        return {"endpoint": self.endpoint, "keys": keys}


class PushReceiver:
    """The push service, and the browsers that were made of it."""

    def __init__(self) -> None:
        self._address = ""
        self._made: list[Browser] = []
        self._arrived = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Its address, as a setting wants it."""
        listening = listen("127.0.0.1", 0)
        self._address = address_of(listening)
        routes = [Route(f"{_ENDPOINTS}{{number:int}}", self._take, methods=["POST"])]
        async with serving_http(Settings(), Starlette(routes=routes), listening):
            yield self._address

    @property
    def count(self) -> int:
        return sum(len(browser.shown) for browser in self._made)

    def make(self) -> Browser:
        """Returns a browser that shows nothing yet."""
        self._made.append(Browser(f"{self._address}{_ENDPOINTS}{len(self._made)}"))
        return self._made[-1]

    async def wait_for_path(self, browser: Browser, first_name: str) -> str:
        """Waits for a notification about the person with this first name; returns where a tap on it leads."""

        def find() -> str | None:
            about = (each for each in browser.shown if first_name in f"{each['title']} {each['body']}")
            return next((each["path"] for each in about), None)

        async with self._arrived:
            return await self._arrived.wait_for(find) or ""

    async def _take(self, request: Request) -> Response:
        browser = self._made[request.path_params["number"]]
        shown = json.loads(decrypted(await request.body(), browser.key, browser.secret))
        async with self._arrived:
            browser.shown.append(shown)
            self._arrived.notify_all()
        return Response(status_code=201)

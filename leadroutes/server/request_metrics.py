"""Wraps the application: counts every request, and asks to go elsewhere while the service is about to stop.

It answers nothing itself.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from leadroutes.observability import metrics
from leadroutes.observability.traces import span

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """One per process. Once `is_closing`, every answer ends its connection, so that the next request goes elsewhere."""

    def __init__(self) -> None:
        self.is_closing = False

    async def handle(self, component: str, application: AsgiApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the room answer this request."""
        begun = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                metrics.REQUEST_SECONDS.labels(component).observe(time.perf_counter() - begun)
                metrics.REQUESTS.labels(component, method, message["status"]).inc()
                if self.is_closing:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        with span(f"{method} {component}"):
            await application(scope, receive, answer)

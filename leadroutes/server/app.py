"""Joins the rooms to one ASGI application: this is the one place where all of them meet.

It answers nothing itself.
"""

from dataclasses import dataclass, field

from leadroutes import api, web
from leadroutes.api.asgi import Api
from leadroutes.api.problems import answer_of
from leadroutes.channels import configured_channels
from leadroutes.engine.engine import Engine
from leadroutes.errors import NotFound, Problem, Unavailable
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.server.request_metrics import Application, Front, Receive, Scope, Send
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database

READY = "/readyz"
WATCHED = ("/healthz", READY, "/metrics")


@dataclass(frozen=True, slots=True)
class House:
    """The application; `engine` and `arrivals` are those that it answers with."""

    engine: Engine
    arrivals: Arrivals
    api: Api
    pages: Application
    front: Front = field(default_factory=Front)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope:
            case {"type": "lifespan"}:
                await self._live(receive, send)
            case {"type": "http", "path": path} if path == READY and self.front.is_closing:
                await _refuse(Unavailable("The service is about to stop", retry_after=5), send)
            case {"type": "http", "path": path} if web.owns(path):
                await self.front.let_in("pages", self.pages, scope, receive, send)
            case {"type": "http", "path": path} if web.navigates(scope) and not self.api.is_open_to_browsers(path):
                await self.front.let_in("pages", self.pages, scope, receive, send)
            case {"type": "http"}:
                await self.front.let_in("api", self.api, scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """What has arrived is stored before the server is gone."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.arrivals.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})


def build(settings: Settings, database: Database) -> House:
    """The application on a database that is ready for it; whoever opened the database closes it afterwards."""
    engine = Engine(database, configured_channels(settings))
    arrivals = Arrivals(engine, settings)
    return House(
        engine=engine,
        arrivals=arrivals,
        api=api.application(database, engine, arrivals, settings),
        pages=web.application(database, engine, settings),
    )


@dataclass(frozen=True, slots=True)
class Lodge:
    """What a worker answers that serves nobody: whether it is alive, and its figures."""

    api: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("path") in WATCHED:
            await self.api(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(NotFound("Page not found"), send)


def build_lodge(settings: Settings, database: Database, engine: Engine, arrivals: Arrivals) -> Lodge:
    """The little application of a worker."""
    return Lodge(api.application(database, engine, arrivals, settings))


async def _refuse(problem: Problem, send: Send) -> None:
    answer = answer_of(problem)
    headers = [*answer.headers, (b"content-type", answer.content_type), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

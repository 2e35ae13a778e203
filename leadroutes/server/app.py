"""Joins the rooms to one ASGI application: this is the one place where all of them meet.

It answers nothing itself.
"""

from dataclasses import dataclass, field

from leadroutes import api, web
from leadroutes.api.asgi import Api
from leadroutes.api.problems import problem_response
from leadroutes.channels import configured_channels
from leadroutes.engine.engine import Engine
from leadroutes.errors import NotFound, Problem, Unavailable
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.server.request_metrics import AsgiApp, Receive, RequestMetrics, Scope, Send
from leadroutes.settings import Settings
from leadroutes.settings.sending import sending_rules
from leadroutes.store.postgres import Database

READY_PATH = "/readyz"
STATUS_PATHS = ("/healthz", READY_PATH, "/metrics")


@dataclass(frozen=True, slots=True)
class LeadRoutesApp:
    """The application; `engine` and `arrivals` are those that it answers with."""

    engine: Engine
    arrivals: Arrivals
    api: Api
    pages: AsgiApp
    request_metrics: RequestMetrics = field(default_factory=RequestMetrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope:
            case {"type": "lifespan"}:
                await self._run_lifespan(receive, send)
            case {"type": "http", "path": path} if path == READY_PATH and self.request_metrics.is_closing:
                await _refuse(Unavailable("The service is about to stop", retry_after=5), send)
            case {"type": "http", "path": web.LIVE_PATH}:  # lasts for hours, which is not how long requests take
                await self.pages(scope, receive, send)
            case {"type": "http", "path": path} if web.owns(path):
                await self.request_metrics.handle("pages", self.pages, scope, receive, send)
            case {"type": "http", "path": path} if web.navigates(scope) and not self.api.is_open_to_browsers(path):
                await self.request_metrics.handle("pages", self.pages, scope, receive, send)
            case {"type": "http"}:
                await self.request_metrics.handle("api", self.api, scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        """What has arrived is stored before the server is gone."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.arrivals.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})


def build_app(settings: Settings, database: Database) -> LeadRoutesApp:
    """The application on a database that is ready for it; whoever opened the database closes it afterwards."""
    engine = Engine(database, configured_channels(settings), settings.open_span, sending_rules(settings))
    arrivals = Arrivals(engine, settings)
    own_api = api.application(database, engine, arrivals, settings)
    return LeadRoutesApp(
        engine=engine, arrivals=arrivals, api=own_api, pages=web.application(own_api, engine, settings)
    )


@dataclass(frozen=True, slots=True)
class WorkerStatusApp:
    """What a worker without the API answers: whether it is alive, and its metrics."""

    api: AsgiApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("path") in STATUS_PATHS:
            await self.api(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(NotFound("Page not found"), send)


def build_status_app(settings: Settings, database: Database, engine: Engine, arrivals: Arrivals) -> WorkerStatusApp:
    """The little application of a worker."""
    return WorkerStatusApp(api.application(database, engine, arrivals, settings))


async def _refuse(problem: Problem, send: Send) -> None:
    answer = problem_response(problem)
    headers = [*answer.headers, (b"content-type", answer.content_type), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

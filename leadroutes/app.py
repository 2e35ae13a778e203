"""Joins the rooms to one ASGI application: this is the one place where all of them meet.

It answers nothing itself.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from leadroutes import api, web
from leadroutes.arrivals import Arrivals
from leadroutes.engine import Engine
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class House:
    """The application; `engine` and `arrivals` are those that it answers with."""

    engine: Engine
    arrivals: Arrivals
    api: Application
    pages: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope:
            case {"type": "lifespan"}:
                await self._live(receive, send)
            case {"type": "http", "path": path} if web.owns(path):
                await self.pages(scope, receive, send)
            case _:
                await self.api(scope, receive, send)

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
    engine = Engine(database)
    arrivals = Arrivals(engine, settings)
    return House(
        engine=engine,
        arrivals=arrivals,
        api=api.application(database, engine, arrivals, settings),
        pages=web.application(database, engine, settings),
    )

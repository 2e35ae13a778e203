"""Runs the service in this process: the HTTP server, the worker beside it, and an end in which nothing is lost.

What is answered and what is due, app and worker know.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator

import structlog
import uvicorn

from leadroutes.app import build
from leadroutes.errors import Misconfigured
from leadroutes.settings import Settings
from leadroutes.store.migrating import prepare
from leadroutes.store.postgres import Database

log = structlog.get_logger()

DRAIN = 30  # seconds in which requests that are under way may finish
SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(settings: Settings, *, host: str, port: int, with_worker: bool) -> None:
    """Answer requests until a signal comes; then finish what is under way. Sets up an empty database."""
    async with open_house(settings) as database:
        await _say_how_to_begin(database)
        with stopping_by_signal():
            listening = listen(host, port)
            log.info("listening", address=address_of(listening), worker=with_worker)
            await server(settings, database).serve(sockets=[listening])
        log.info("stopped")


@contextlib.asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[Database]:
    """A database that is ready, runs on the clock that the settings ask for, and hears what other processes say."""
    database = await Database.open(settings)
    try:
        applied = await prepare(database)
        if applied:
            log.info("the database was empty and is set up now", applied=applied)
        await database.set_time_scale(settings.time_scale)
        database.start_listening()
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def running(settings: Settings, database: Database, listening: socket.socket) -> AsyncIterator[None]:
    """The whole service beside what the caller does, answering on a socket; it has stopped afterwards."""
    http = server(settings, database)
    serving = asyncio.create_task(http.serve(sockets=[listening]))
    try:
        yield
    finally:
        http.should_exit = True
        await serving


def server(settings: Settings, database: Database) -> uvicorn.Server:
    """Ours; its own log of requests is off, because paths hold secrets."""
    return uvicorn.Server(
        uvicorn.Config(
            build(settings, database),
            loop="none",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Misconfigured where that cannot be."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise Misconfigured(f"--host {host} --port {port}: cannot listen there ({reason})") from error


def address_of(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def stopping_by_signal() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set, instead of ending the process; uvicorn stops on them by itself."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {each: signal.signal(each, lambda *_: loop.call_soon_threadsafe(stopping.set)) for each in SIGNALS}
    try:
        yield stopping
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


async def _say_how_to_begin(database: Database) -> None:
    if not await database.fetchval("SELECT EXISTS (SELECT FROM users)"):
        log.info("nobody has an account yet: leadroutes user add you@example.com --admin --password-stdin")

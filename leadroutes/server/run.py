"""Runs the service in this process: the HTTP server, the worker beside it, and an end in which nothing is lost.

What is answered and what is due, app and worker know.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from typing import cast

import structlog
import uvicorn

from leadroutes.channels import configured_channels
from leadroutes.engine.engine import Engine
from leadroutes.engine.first_start import new_setup_code
from leadroutes.errors import Misconfigured, Unavailable
from leadroutes.gc_tuning import tune_garbage_collector
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.ingest.smtp_server import serving_mail
from leadroutes.observability.traces import traced
from leadroutes.operations.console import out
from leadroutes.operations.import_jobs import ImportJobs
from leadroutes.rules.trials import TrialJobs
from leadroutes.security.secret_key import load_secret_key
from leadroutes.server.app import LeadRoutesApp, WorkerStatusApp, build_app, build_status_app
from leadroutes.server.http_protocol import http_protocol_with_timeout
from leadroutes.server.request_metrics import AsgiApp
from leadroutes.settings import Settings
from leadroutes.settings.sending import sending_rules
from leadroutes.settings.warnings import warnings_of, warnings_of_names
from leadroutes.store.analyze import analyze_growing_tables
from leadroutes.store.installation import Installation
from leadroutes.store.migrate import prepare
from leadroutes.store.postgres import Database
from leadroutes.store.queue import IMPORT_JOB, RECEIVED_TEXT_JOB, REREAD_JOB, TRIAL_JOB
from leadroutes.store.routing import RuleSets
from leadroutes.worker.worker import JobFunction, Worker

log = structlog.get_logger()

DRAIN_TIMEOUT = 30  # seconds in which requests that are under way may finish
KEEP_ALIVE_TIMEOUT = (
    75  # seconds; longer than clients and proxies keep a connection, so that none is closed under a request
)
LISTEN_BACKLOG = 2048
SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(settings: Settings, *, host: str, port: int, with_worker: bool) -> None:
    """Answer requests until a signal comes; then finish what is under way. Sets up an empty database."""
    _warn_about_trusted_proxies()
    _check_settings(settings)
    async with open_database(settings) as database:
        with stop_on_signals() as stopping, traced(settings):
            listening = listen(host, port)
            async with running_service(settings, database, listening, with_worker=with_worker) as app:
                tune_garbage_collector()
                log.info("listening", address=address_of(listening), worker=with_worker)
                await _show_first_step(database, _reachable_url(settings, listening))
                await stopping.wait()
                await _drain_connections(app, settings.stop_delay)
    log.info("stopped")


def _warn_about_trusted_proxies() -> None:
    if "*" in os.environ.get("FORWARDED_ALLOW_IPS", ""):
        log.warning(
            "FORWARDED_ALLOW_IPS is *: a client may choose the address that its calls and sign-ins are counted for;"
            " name the addresses of the proxy instead"
        )


def _check_settings(settings: Settings) -> None:
    """Whatever would only break later, when a page or a message needs it. Misconfigured: there can be no secret."""
    load_secret_key(settings)
    for warning in (*warnings_of(settings), *warnings_of_names(os.environ)):
        log.warning(warning)


async def _drain_connections(app: LeadRoutesApp, seconds: float) -> None:
    """For a while requests are still answered, with `Connection: close`: a load balancer needs that long to notice."""
    app.request_metrics.is_closing = True
    app.engine.database.screens.close()
    log.info("stopping", after_seconds=seconds)
    await asyncio.sleep(seconds)


async def work(settings: Settings) -> None:
    """Do what is due and deliver messages until a signal comes; then finish what has been begun."""
    _check_settings(settings)
    async with open_database(settings) as database:
        with stop_on_signals() as stopping, traced(settings):
            engine = Engine(database, configured_channels(settings), settings.open_span, sending_rules(settings))
            arrivals = Arrivals(engine, settings)
            worker = Worker(database, engine, settings, jobs_of(settings, database, arrivals))
            status_app = _serving_status(settings, build_status_app(settings, database, engine, arrivals))
            async with _running_worker(worker), status_app:
                database.start_listening()
                tune_garbage_collector()
                log.info("working")
                await stopping.wait()
                log.info("stopping")
            await arrivals.close()
    log.info("stopped")


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """A database that is ready and runs on the clock that the settings ask for."""
    database = await Database.open(settings)
    database.installation = Installation(configured_channels(settings), settings.open_span)
    try:
        applied = await prepare(database)
        if applied:
            log.info("the database was empty and is set up now", applied=applied)
        await database.set_time_scale(settings.time_scale)
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def running_service(
    settings: Settings, database: Database, listening: socket.socket, *, with_worker: bool = True
) -> AsyncIterator[LeadRoutesApp]:
    """The whole service beside what the caller does, answering on a socket; it has stopped afterwards."""
    app = build_app(settings, database)
    tasks = jobs_of(settings, database, app.arrivals)
    worker = _running_worker(Worker(database, app.engine, settings, tasks)) if with_worker else contextlib.nullcontext()
    database.start_listening()  # once every listener is registered
    acquainting = asyncio.create_task(analyze_growing_tables(database))
    try:
        async with worker, serving_http(settings, app, listening), serving_mail(settings, app.arrivals):
            database.screens.open()
            try:
                yield app
            finally:
                database.screens.close()
    finally:
        acquainting.cancel()


def jobs_of(settings: Settings, database: Database, arrivals: Arrivals) -> dict[str, JobFunction]:
    """Returns the jobs of the queue that are done by rooms above the worker."""
    imports = ImportJobs(database, configured_channels(settings))
    texts = ReceivedTexts(arrivals, settings)
    trials = TrialJobs(database, RuleSets(channels=configured_channels(settings), open_for=settings.open_span))
    return {
        REREAD_JOB: arrivals.reread,
        IMPORT_JOB: imports.run,
        RECEIVED_TEXT_JOB: texts.read,
        TRIAL_JOB: trials.run,
    }


@contextlib.asynccontextmanager
async def _running_worker(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


@contextlib.asynccontextmanager
async def _serving_status(settings: Settings, status_app: WorkerStatusApp) -> AsyncIterator[None]:
    if settings.worker_listen is None:
        yield
        return
    host, _, port = settings.worker_listen.rpartition(":")
    listening = listen(host.strip("[]"), int(port))
    async with serving_http(settings, status_app, listening):
        log.info("watched", address=address_of(listening))
        yield


@contextlib.asynccontextmanager
async def serving_http(settings: Settings, app: AsgiApp, listening: socket.socket) -> AsyncIterator[None]:
    http = _HttpServer(
        uvicorn.Config(
            app,
            loop="none",
            http=cast(
                "type[asyncio.Protocol]", http_protocol_with_timeout(settings.body_timeout)
            ),  # called, never asked what it is
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # paths hold secrets
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_TIMEOUT,
            timeout_graceful_shutdown=DRAIN_TIMEOUT,
        )
    )
    task = asyncio.create_task(http.serve(sockets=[listening]))
    try:
        yield
    finally:
        http.should_exit = True
        await task


class _HttpServer(uvicorn.Server):
    """Uvicorn's, but for signals: they are heard in one place only, from the first moment on."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Misconfigured where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: otherwise asyncio leaves Nagle's algorithm on, and the second piece of an answer waits for 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(LISTEN_BACKLOG)
    except (OSError, UnicodeError) as error:  # the latter: no name of a host
        listening.close()
        errno = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(errno) if errno else error
        raise Misconfigured(f"{host}:{port}: cannot listen there ({reason})") from error
    return listening


def address_of(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set, instead of ending the process; a second one ends it all the same.

    So does SIGHUP, of a terminal that is closed, unless whoever started the process had it ignored (nohup).
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(stopping.set)
        restore()

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    hangup = [signal.SIGHUP] if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []
    before = {each: signal.signal(each, stop) for each in (*SIGNALS, *hangup)}
    try:
        yield stopping
    finally:
        restore()


async def _show_first_step(database: Database, url: str) -> None:
    """The link is printed and not logged, as a log blanks secrets."""
    try:
        code = await new_setup_code(database)
    except Unavailable:  # a standby, which takes no writes, or a database that is away for a moment
        log.debug("whether someone has an account is not known")
        return
    if code is not None:
        out.print("No one has an account yet. To set up the service, open this within 24 hours:")
        out.print(f"{url}/setup/{code}", soft_wrap=True)
        out.file.flush()
        log.info("no account yet: open the link on standard output; leadroutes setup-link prints another one")


def _reachable_url(settings: Settings, listening: socket.socket) -> str:
    """The public address; where none is set, this machine's, with the port that is listened on."""
    is_set = settings.public_url != Settings().public_url
    return settings.public_url if is_set else f"http://127.0.0.1:{listening.getsockname()[1]}"

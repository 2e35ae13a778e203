"""Connections to the first of DATABASE_URL's hosts that answers in time and takes writes.

A host that is away, starting or a standby costs some seconds once; the one that worked last is tried first.
"""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, unquote

import asyncpg
import structlog

from leadroutes.errors import Misconfigured
from leadroutes.settings.values import join_database_url, split_database_url

log = structlog.get_logger()

RESTART_PAUSE = 5.0  # seconds
MAX_CLIENT_SHAPED = 32  # statements whose text depends on a client's request, of all that are prepared
MAX_CLIENT_SHAPED_LENGTH = 8_000  # characters of one
UNUSED_AFTER = 600.0  # seconds after which one that was not used may be replaced
STATEMENT_CACHE_SIZE = 100  # statements that a connection keeps prepared where there is no pooler
FIRST_OWN_TYPE = 10_000  # oid; the types below come with PostgreSQL, and have the same oids everywhere
CONNECT_TIMEOUT = 10.0  # seconds; without it a frozen server, or a network that drops everything, would block forever

# Without these, an open connection to a machine that has died is noticed after a quarter of an hour.
TCP_OPTIONS = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}

HOST_ERRORS = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.TargetServerAttributeNotMatched,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)

_HOST = re.compile(r"(?P<path>/.*)|\[(?P<v6>[^\]]+)\](?::(?P<v6_port>\d+))?|(?P<name>[^:]*)(?::(?P<port>\d+))?")


class ClientShapedSql(str):
    """SQL that depends on a client's request, such as a list with conditions: prepared only if it is used often."""

    __slots__ = ()


class PreparedStatementLimit:
    """Which of these statements may be prepared: few, because each takes up to a megabyte of every session.

    asyncpg drops a prepared statement after five minutes; until then one that is not used keeps its place.
    """

    def __init__(self, most: int = MAX_CLIENT_SHAPED, unused: float = UNUSED_AFTER) -> None:
        self._most = most
        self._unused = unused
        self._used_at: dict[str, float] = {}

    def admits(self, text: ClientShapedSql, now: float) -> bool:
        """Return whether this one has a place, or gets one."""
        if text not in self._used_at and len(self._used_at) >= self._most:
            oldest = min(self._used_at, key=self._used_at.__getitem__)
            if now - self._used_at[oldest] < self._unused:
                return False
            del self._used_at[oldest]
        self._used_at[str(text)] = now
        return True


PREPARED_STATEMENTS = PreparedStatementLimit()


class _NoStatement(NamedTuple):
    """What asyncpg asks of the statement by which types were looked up: that no other one has to be prepared again."""

    name: str = "none"


class Connection(asyncpg.Connection):
    """Notices within half a minute that the other machine is gone; prepares what PREPARED_STATEMENTS admits.

    What PostgreSQL's own types are, such as arrays, is looked up once and not on each connection: it takes longer than
    the statements that use them.
    """

    _types: ClassVar[dict[frozenset[int], Any]] = {}

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        _keep_alive(transport.get_extra_info("socket"))

    async def _get_statement(self, query: str, limit: float | None, *, use_cache: bool = True, **about: Any) -> Any:
        """Override the method of asyncpg that all statements go through."""
        if isinstance(query, ClientShapedSql):
            is_short = len(query) <= MAX_CLIENT_SHAPED_LENGTH
            use_cache = use_cache and is_short and PREPARED_STATEMENTS.admits(query, time.monotonic())
            query = str(query)
        return await super()._get_statement(query, limit, use_cache=use_cache, **about)  # type: ignore[misc]

    async def _introspect_types(self, typeoids: Iterable[int], *within: Any) -> tuple[Any, Any]:
        """Override the method of asyncpg that looks types up."""
        oids = frozenset(typeoids)
        if oids in self._types:
            return self._types[oids], _NoStatement()
        types, asked = await super()._introspect_types(oids, *within)  # type: ignore[misc]
        if max(oids) < FIRST_OWN_TYPE:
            self._types[oids] = types
        return types, asked


def _keep_alive(connected: socket.socket | None) -> None:
    if connected is None or connected.family == socket.AF_UNIX:
        return
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in TCP_OPTIONS.items():
            if hasattr(socket, name):  # not everywhere
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Hosts:
    """The servers that a URL names: `postgresql://one,two/db`. Several are one primary with its standbys.

    `statements` is how many a connection keeps prepared: none behind most poolers. `restart` starts an embedded server
    that has ended.
    """

    def __init__(
        self,
        url: str,
        *,
        statements: int = STATEMENT_CACHE_SIZE,
        answers_within: float = CONNECT_TIMEOUT,
        restart: Callable[[], None] | None = None,
    ) -> None:
        parts = split_database_url(url)
        self._restart = restart
        self._restarting: asyncio.Task[None] | None = None
        self._statements = statements
        self._answers_within = answers_within
        self._hosts = each_host(url)
        # Of several, each is given beside the address; the driver need not read them, and may not be able to.
        without = parts._replace(netloc="".join(parts.netloc.rpartition("@")[:2]))
        self._url = url if len(self._hosts) == 1 else join_database_url(without)
        self._last = 0
        says_which = "target_session_attrs" in parts.query
        self._wanted = {"target_session_attrs": "read-write"} if len(self._hosts) > 1 and not says_which else {}

    def pool(self, **options: Any) -> asyncpg.Pool:
        """Return a pool of connections to these hosts, with asyncpg's options; awaiting or entering it opens it."""
        return asyncpg.create_pool(self._url, connect=self.connect, connection_class=Connection, **options)

    async def connect(self, _: object = None, /, **options: Any) -> asyncpg.Connection:
        """Return a connection, with the options of asyncpg.connect.

        Raises CannotConnectNowError when no host can be used and one of them is starting, else OSError.
        """
        ours = {"connection_class": Connection, "statement_cache_size": self._statements, **self._wanted}
        options = {**ours, **options, "timeout": self._answers_within}
        failures: dict[str, Exception] = {}
        for turn in range(len(self._hosts)):
            number = (self._last + turn) % len(self._hosts)
            host = self._hosts[number]
            try:
                connection: asyncpg.Connection = await asyncpg.connect(self._url, **host, **options)
            except HOST_ERRORS as error:
                failures[_named(host)] = error
                continue
            self._last = number
            return connection
        if self._restart is not None and (self._restarting is None or self._restarting.done()):
            self._restarting = asyncio.create_task(self._restart_server(self._restart))
        raise _all_failed(failures)

    async def _restart_server(self, restart: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(restart)
        except Exception as error:  # noqa: BLE001 -- the next connection that fails tries again
            log.warning("the embedded server does not start", error=str(error)[:200])
        await asyncio.sleep(RESTART_PAUSE)


def each_host(url: str) -> list[dict[str, Any]]:
    """Return the options `host` and `port` for each host of a URL, {} where it names only one. Raises Misconfigured."""
    parts = split_database_url(url)
    query = dict(parse_qsl(parts.query))
    hosts = (parts.netloc.rpartition("@")[2] or query.get("host", "")).split(",")
    if len(hosts) == 1:
        return [{}]
    ports = query.get("port", "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    if len(ports) != len(hosts):
        raise Misconfigured(f"DATABASE_URL: {len(hosts)} hosts and {len(ports)} ports; expected one port, or one each")
    return [_host(unquote(text), port) for text, port in zip(hosts, ports, strict=True)]


def _host(text: str, port: str) -> dict[str, Any]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise Misconfigured(f"DATABASE_URL: the host {text!r} was given; expected a name, with :port or without")
    own_port = found["port"] or found["v6_port"] or port
    host = {"host": found["path"] or found["v6"] or found["name"] or "localhost"}
    return {**host, "port": int(own_port)} if own_port else host


def _named(host: dict[str, Any]) -> str:
    return ":".join(str(value) for value in host.values()) or "the server"


def _all_failed(failures: dict[str, Exception]) -> Exception:
    starting = (each for each in failures.values() if isinstance(each, asyncpg.CannotConnectNowError))
    if (first := next(starting, None)) is not None:
        return first
    if len(failures) == 1:
        [(host, error)] = failures.items()
        return error if not isinstance(error, asyncpg.TargetServerAttributeNotMatched) else OSError(f"{host}: {error}")
    return OSError("; ".join(f"{host}: {_error_text(error)}" for host, error in failures.items()))


def _error_text(error: Exception) -> str:
    match error:
        case asyncpg.TargetServerAttributeNotMatched():
            return "it is not the kind of server that is wanted (a standby?)"
        case TimeoutError():
            return "it does not answer"
        case _:
            return str(error) or type(error).__name__

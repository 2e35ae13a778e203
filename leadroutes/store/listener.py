"""Receives NOTIFY on a connection of its own, which is opened again whenever it breaks, and calls those who listen."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import structlog

from leadroutes.errors import Unavailable
from leadroutes.store.connection_errors import (
    CONNECTION_ERRORS,
    STALE_STATEMENT_ERRORS,
    connection_errors_as_unavailable,
)
from leadroutes.store.hosts import Hosts

log = structlog.get_logger()

WAKE_CHANNEL = "leadroutes_wake"  # something may be due earlier than the worker expects
WEBHOOKS_CHANNEL = "leadroutes_webhooks"  # deliveries to a webhook are due that had none
CLOCK_CHANNEL = "leadroutes_clock"  # the domain's clock was moved
ECHO_CHANNEL = "leadroutes_echo"  # whether NOTIFY arrives
LIVE_CHANNEL = "leadroutes_live"  # something changed that open screens may show; the payload names their readers
ECHO_TIMEOUT = 5.0  # seconds
STANDBY_POLL_INTERVAL = 10.0  # seconds between two attempts on a standby, where LISTEN is not possible
NOTIFY_LOST_MESSAGE = (
    "NOTIFY does not reach us: set LEADROUTES_DATABASE_LISTEN_URL to the same database without the pooler that"
    " DATABASE_URL names; until then timers may be 30 seconds late, and messages 5"
)

Callback = Callable[[], None]
Reader = Callable[[str], None]
Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Listener:
    """One per process. `hosts` opens the connection; `pool` sends what checks that NOTIFY arrives."""

    def __init__(self, hosts: Hosts, pool: asyncpg.Pool, spawn: Spawn) -> None:
        self.notify_is_lost: bool | None = None  # whether NOTIFY does not arrive; None until that is known
        self._hosts = hosts
        self._pool = pool
        self._spawn = spawn
        self._callbacks: dict[str, list[Callback]] = {}
        self._readers: dict[str, list[Reader]] = {}
        self._caches: list[Callback] = []

    def listen(self, channel: str, callback: Callback) -> None:
        """Call `callback` for each NOTIFY, and after each reconnection, because one may have been missed."""
        self._callbacks.setdefault(channel, []).append(callback)

    def read(self, channel: str, reader: Reader) -> None:
        """Call `reader` with the payload of each NOTIFY, and with "" after each reconnection."""
        self._readers.setdefault(channel, []).append(reader)

    def forget_when_reconnected(self, forget: Callback) -> None:
        """Call `forget` after each reconnection, before all callbacks.

        Meant for caches by ids that a standby, once it has taken over, may give out a second time.
        """
        self._caches.append(forget)

    def start(self) -> None:
        """Open the connection. Channels that are listened to later are not heard before it is opened again."""
        self._spawn(self._keep_listening())

    def call(self, channel: str) -> None:
        """Call those who listen to the channel."""
        for callback in self._callbacks.get(channel, ()):
            callback()

    async def _keep_listening(self) -> None:
        is_standby = False
        while True:
            pause = 1.0
            try:
                await self._listen_until_broken()
            except asyncpg.ReadOnlySQLTransactionError:
                (log.debug if is_standby else log.info)("the database is a copy, where LISTEN is not possible; polling")
                is_standby, pause = True, STANDBY_POLL_INTERVAL
                self._call_all()
            except CONNECTION_ERRORS as error:
                log.warning("listening broke off", error=repr(error))
            except Exception:
                log.exception("listening broke off")
            await asyncio.sleep(pause)

    async def _listen_until_broken(self) -> None:
        connection = await self._hosts.connect()
        broken = asyncio.Event()
        connection.add_termination_listener(lambda _: broken.set())
        checking = None
        try:
            for channel in self._callbacks:
                await connection.add_listener(channel, lambda _connection, _pid, name, _payload: self.call(name))
            for channel in self._readers:
                await connection.add_listener(channel, self._pass_on)
            self._call_all()
            checking = self._spawn(self._check_notify_arrives(connection))
            await broken.wait()
        finally:
            if checking is not None:
                checking.cancel()
            connection.terminate()

    async def _check_notify_arrives(self, connection: asyncpg.Connection) -> None:
        """Find out whether NOTIFY arrives: a pooler in transaction mode accepts LISTEN, but passes nothing on."""
        word, echo = secrets.token_hex(8), asyncio.Event()

        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            if payload == word:
                echo.set()

        # After an error the next connection is checked.
        with contextlib.suppress(*CONNECTION_ERRORS, *STALE_STATEMENT_ERRORS):
            await connection.add_listener(ECHO_CHANNEL, hear)
            await self._notify_through_pool(ECHO_CHANNEL, word)
            try:
                await asyncio.wait_for(echo.wait(), ECHO_TIMEOUT)
            except TimeoutError:
                # If this process was paused: what arrived meanwhile is read before the answer.
                await connection.execute("SELECT 1")
            self.notify_is_lost = not echo.is_set()
            if self.notify_is_lost:
                log.error(NOTIFY_LOST_MESSAGE)

    async def _notify_through_pool(self, channel: str, word: str) -> None:
        """Send it as soon as possible: not while the database is away, and not on a standby that the pool reads."""
        while True:
            try:
                with connection_errors_as_unavailable():
                    await self._pool.execute("SELECT pg_notify($1, $2)", channel, word)
                    return
            except Unavailable:
                await asyncio.sleep(STANDBY_POLL_INTERVAL)

    def _pass_on(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for reader in self._readers.get(channel, ()):
            reader(str(payload))

    def _call_all(self) -> None:
        for forget in self._caches:
            forget()
        for channel in self._callbacks:
            self.call(channel)
        for readers in self._readers.values():
            for reader in readers:
                reader("")

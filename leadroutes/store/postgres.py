"""The connection to PostgreSQL: embedded server or DATABASE_URL, pool, transactions with a fixed now, the shared clock.

No statement of the domain stands here.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import asyncpg
import structlog

from leadroutes.clock import Anchor, Clock
from leadroutes.errors import ComputationNeeded, Unavailable
from leadroutes.settings import Settings
from leadroutes.store.disk_space import CLEAR_PROBE_SQL, OUT_OF_SPACE_MESSAGE, PROBE_SQL, DiskSpace, is_out_of_space
from leadroutes.store.embedded import restart_embedded_server, start_embedded_server
from leadroutes.store.hosts import STATEMENT_CACHE_SIZE, Hosts

log = structlog.get_logger()

WAKE_CHANNEL = "leadroutes_wake"  # something may be due earlier than the worker thinks
CLOCK_CHANNEL = "leadroutes_clock"  # the clock was moved
ECHO_CHANNEL = "leadroutes_echo"  # we ask ourselves whether we hear
ECHO_TIMEOUT = 5.0  # seconds
CLOCK_SYNC_INTERVAL = 10.0  # seconds between two looks at the database's clock
STANDBY_POLL_INTERVAL = 10.0  # seconds between two looks at a standby, where nobody can listen

CONNECTION_ERRORS = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection was cut, and is asked for something before that has been noticed
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # 57: shut down, starting, crashed; or a statement was ended from outside
    asyncpg.InsufficientResourcesError,  # 53: too many connections, no memory, no room on the disk
    asyncpg.PostgresSystemError,  # 58: its files cannot be read or written
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
# The last: what is named was there when it was looked up, and has been removed since.
RETRYABLE_ERRORS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.ForeignKeyViolationError)
STANDBY_MESSAGE = "This is a copy of the database, which takes no changes: make them where the original is"
NOTIFY_LOST_MESSAGE = (
    "NOTIFY does not reach us: set LEADROUTES_DATABASE_LISTEN_URL to the same database without the pooler that"
    " DATABASE_URL names; until then timers may be 30 seconds late, and messages 5"
)
MAX_ATTEMPTS = 5
STATEMENT_TIMEOUT = 60  # seconds
# Seconds between two statements of a transaction. A process that stands still (its machine is paused, or somebody
# stopped it) would otherwise keep what it has locked from all others until it goes on.
IDLE_IN_TRANSACTION_TIMEOUT = 10
# Every statement of a transaction is made for its indexes, and comes again and again with lists of any length: its plan
# is made once and for all of them, and never walks a table, not even one that was empty when the plan was made. Where a
# walk cannot be helped it counts as so expensive that PostgreSQL would compile the statement, for most of a second.
PLANNER_SETTINGS = """SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;
    SET LOCAL plan_cache_mode = force_generic_plan"""
# A pooler gave us another connection than the one that has prepared it, or one that somebody else prepared it on.
STALE_STATEMENT_ERRORS = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction: its connection, the moment at which all of it happens, and what waits for its commit."""

    connection: Any
    now: datetime
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    notified: set[str] = field(default_factory=set)  # channels

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.connection.fetch(sql, *values)
        return rows

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None:
        row: asyncpg.Record | None = await self.connection.fetchrow(sql, *values)
        return row

    async def fetchval(self, sql: str, *values: Any) -> Any:
        return await self.connection.fetchval(sql, *values)

    async def execute(self, sql: str, *values: Any) -> None:
        await self.connection.execute(sql, *values)

    async def notify(self, channel: str) -> None:
        """Wakes the listeners of a channel once it is committed; asked for again, it costs nothing."""
        if channel not in self.notified:
            self.notified.add(channel)
            await self.execute("SELECT pg_notify($1, '')", channel)


class Database:
    """A pool of connections and the clock that they share. `open()` makes one; `close()` it.

    `hosts` makes the connections that have to stay the same for long: those that listen, and the message queue's.
    """

    def __init__(self, pool: asyncpg.Pool, hosts: Hosts, clock: Clock) -> None:
        self.pool = pool
        self.hosts = hosts
        self.clock = clock
        self.notify_is_lost: bool | None = None  # whether NOTIFY does not reach us; None until that is known
        self.disk_space = DiskSpace(self._probe_disk_space)
        self._listeners: dict[str, list[Callable[[], None]]] = {CLOCK_CHANNEL: [self._clock_moved]}
        self._caches: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, settings: Settings, *, url: str | None = None) -> "Database":
        """Connect, starting the embedded server where no DATABASE_URL is set. Waits while PostgreSQL recovers."""
        given = url or settings.database_url
        url = given if given is not None else await asyncio.to_thread(start_embedded_server, settings.data)
        listen_url = settings.listen_url if given is not None else None
        statements = STATEMENT_CACHE_SIZE if listen_url is None else 0
        if settings.statement_cache is not None:
            statements = settings.statement_cache
        restart = partial(restart_embedded_server, settings.data) if given is None else None
        hosts = Hosts(url, statements=statements, restart=restart)
        direct = hosts if listen_url is None else Hosts(listen_url)
        # Behind a pooler a session is another's the next moment, so nothing is set for it.
        pool = await _connect(hosts, settings.pool_size, _limit_pauses if direct is hosts else None)
        database = cls(pool, direct, Clock())
        try:
            await database.sync_clock()
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.pool.close(), 5)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction; raises Unavailable when PostgreSQL cannot be reached."""
        with self._raising_unavailable():
            async with self.pool.acquire(timeout=10) as connection:
                transaction = Transaction(connection, self.clock.now())
                async with _begin(connection):
                    yield transaction
            for each in transaction.after_commit:
                _call_after_commit(each)

    async def run(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """As `run_once_known`; what has to be worked out first is worked out, outside of any transaction."""
        for _ in range(MAX_ATTEMPTS):
            try:
                return await self.run_prepared(work)
            except ComputationNeeded as needed:
                await asyncio.gather(*(each() for each in needed.computations.values()))
        raise Unavailable("It takes too long to work this out; try again later")

    async def run_prepared(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Do `work` in a transaction, again from the start when it collided with another one. WorkFirst."""
        for attempt in range(MAX_ATTEMPTS):
            try:
                async with self.transaction() as transaction:
                    return await work(transaction)
            except RETRYABLE_ERRORS:
                if attempt == MAX_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0, 0.01) * attempt)  # noqa: S311 -- so that two do not keep meeting
        raise AssertionError("unreachable")

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """One statement outside a transaction."""
        with self._raising_unavailable():
            rows: list[asyncpg.Record] = await self.pool.fetch(sql, *values)
            return rows

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None:
        with self._raising_unavailable():
            row: asyncpg.Record | None = await self.pool.fetchrow(sql, *values)
            return row

    async def fetchval(self, sql: str, *values: Any) -> Any:
        with self._raising_unavailable():
            return await self.pool.fetchval(sql, *values)

    async def fetch_each(self, sql: str, many: Sequence[Sequence[Any]]) -> list[asyncpg.Record]:
        """One statement outside a transaction, once for each list of values, in one packet; each answers one row."""
        with self._raising_unavailable():
            async with self.pool.acquire(timeout=10) as connection:
                return await fetch_each(connection, sql, many)

    async def fetch_within(self, seconds: float, slow: str, sql: str, *values: Any) -> list[asyncpg.Record]:
        """One statement outside a transaction, ended after so many seconds: Unavailable then says `slow`."""
        with self._raising_unavailable():
            async with self.pool.acquire(timeout=10) as connection:
                try:
                    rows: list[asyncpg.Record] = await connection.fetch(sql, *values, timeout=seconds)
                except TimeoutError:
                    raise Unavailable(slow, retry_after=5) from None
                return rows

    async def execute(self, sql: str, *values: Any) -> None:
        with self._raising_unavailable():
            await self.pool.execute(sql, *values)

    @contextlib.contextmanager
    def _raising_unavailable(self) -> Iterator[None]:
        """Unavailable when PostgreSQL is away. Connections to what takes no writes (any more) are not used again."""
        try:
            with connection_errors_as_unavailable():
                yield
        except Unavailable as error:
            if isinstance(error.__cause__, asyncpg.ReadOnlySQLTransactionError):
                self._spawn(self.pool.expire_connections())
            elif error.__cause__ is not None and is_out_of_space(error.__cause__):
                self.disk_space.note_refusal(error.__cause__)
            raise

    async def _probe_disk_space(self) -> None:
        async with self.transaction() as transaction:
            await transaction.execute(PROBE_SQL)
            await transaction.execute(CLEAR_PROBE_SQL)

    # -- the clock that all processes share

    async def real_now(self) -> datetime:
        """Return the time of the database's machine, by which lifetimes of sessions and tokens are measured."""
        now: datetime = await self.fetchval("SELECT now()")
        return now

    async def sync_clock(self) -> None:
        """What the database's clock shows: also of a database that has not been set up."""
        asked = self.clock.measure()
        shown = await self.fetchval("SELECT clock_timestamp()")
        self.clock.learn(shown, asked, self.clock.measure())

    async def load_clock(self) -> None:
        asked = self.clock.measure()
        row = await self.fetchrow(
            "SELECT real_anchor, domain_anchor, scale, clock_timestamp() AS shown FROM domain_clock"
        )
        if row is not None:
            self.clock.learn(row["shown"], asked, self.clock.measure())
            self.clock.anchor = Anchor(row["real_anchor"], row["domain_anchor"], row["scale"])

    async def _sync_clock_periodically(self) -> None:
        """The steady clock of a machine goes a little wrong, and a database may have moved to another machine."""
        while True:
            await asyncio.sleep(CLOCK_SYNC_INTERVAL)
            with contextlib.suppress(Unavailable):
                await self.load_clock()

    async def set_time_scale(self, scale: float) -> None:
        """From now on the domain's clock runs `scale` times as fast; it goes on from where it is."""
        await self.load_clock()
        if self.clock.anchor.scale != scale:
            await self._anchor_clock(self.clock.now(), scale)

    async def move_clock(self, by: timedelta) -> None:
        """Put the domain's clock forward, in every process."""
        await self._anchor_clock(self.clock.now() + by, self.clock.anchor.scale)

    async def _anchor_clock(self, domain: datetime, scale: float) -> None:
        await self.execute(
            "UPDATE domain_clock SET real_anchor = clock_timestamp(), domain_anchor = greatest($1,"
            " domain_anchor + (clock_timestamp() - real_anchor) * scale), scale = $2",
            domain,
            scale,
        )
        await self.load_clock()
        await self.execute("SELECT pg_notify($1, ''), pg_notify($2, '')", CLOCK_CHANNEL, WAKE_CHANNEL)

    def _clock_moved(self) -> None:
        self._spawn(self._reload_clock())

    async def _reload_clock(self) -> None:
        with contextlib.suppress(Unavailable):
            await self.load_clock()
            self._call_listeners(None, 0, WAKE_CHANNEL, "")  # who was woken with us may have looked by the old clock

    # -- hearing what other processes say

    def listen(self, channel: str, callback: Callable[[], None]) -> None:
        """Call `heard` whenever the channel speaks, and after every reconnection, as something may have been missed."""
        self._listeners.setdefault(channel, []).append(callback)

    def forget_when_reconnected(self, forget: Callable[[], None]) -> None:
        """For what is remembered by a number that a standby, once it has taken over, may give out a second time."""
        self._caches.append(forget)

    def start_listening(self) -> None:
        """Hold one connection of our own that hears NOTIFY, and is made again whenever it breaks; keep the time."""
        self._spawn(self._keep_listening())
        self._spawn(self._sync_clock_periodically())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep_listening(self) -> None:
        is_copy = False
        while True:
            pause = 1.0
            try:
                await self._listen_until_broken()
            except asyncpg.ReadOnlySQLTransactionError:
                (log.debug if is_copy else log.info)("the database is a copy, where nobody can listen; it is looked at")
                is_copy, pause = True, STANDBY_POLL_INTERVAL
                self._call_all_listeners()
            except CONNECTION_ERRORS as error:
                log.warning("listening broke off", error=repr(error))
            except Exception:
                log.exception("listening broke off")
            await asyncio.sleep(pause)

    async def _listen_until_broken(self) -> None:
        connection = await self.hosts.connect()
        broken = asyncio.Event()
        connection.add_termination_listener(lambda _: broken.set())
        asking = None
        try:
            for channel in self._listeners:
                await connection.add_listener(channel, self._call_listeners)
            self._call_all_listeners()
            asking = self._spawn(self._check_notify_arrives(connection))
            await broken.wait()
        finally:
            if asking is not None:
                asking.cancel()
            connection.terminate()

    async def _check_notify_arrives(self, connection: asyncpg.Connection) -> None:
        """A pooler in transaction mode takes a LISTEN as if all were well, and passes on nothing of what is said."""
        word, callback = secrets.token_hex(8), asyncio.Event()

        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            if payload == word:
                callback.set()

        with contextlib.suppress(
            *CONNECTION_ERRORS, *STALE_STATEMENT_ERRORS
        ):  # it will be asked on the next connection
            await connection.add_listener(ECHO_CHANNEL, hear)
            await self._notify_through_pool(ECHO_CHANNEL, word)
            try:
                await asyncio.wait_for(callback.wait(), ECHO_TIMEOUT)
            except TimeoutError:
                await connection.execute("SELECT 1")  # if we stood still: what came meanwhile is read before the answer
            self.notify_is_lost = not callback.is_set()
            if self.notify_is_lost:
                log.error(NOTIFY_LOST_MESSAGE)

    async def _notify_through_pool(self, channel: str, word: str) -> None:
        """As soon as it can be said: not while the database is away, and not on a copy that the pool reads."""
        while True:
            try:
                with connection_errors_as_unavailable():
                    await self.pool.execute("SELECT pg_notify($1, $2)", channel, word)
                    return
            except Unavailable:
                await asyncio.sleep(STANDBY_POLL_INTERVAL)

    def _call_all_listeners(self) -> None:
        for forget in self._caches:
            forget()
        for channel in self._listeners:
            self._call_listeners(None, 0, channel, "")

    def _call_listeners(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        for callback in self._listeners.get(channel, ()):
            callback()


@contextlib.asynccontextmanager
async def _begin(connection: Any) -> AsyncIterator[None]:
    """A transaction with its settings, begun in one go; ended by the block as asyncpg's own are."""
    await connection.execute(f"BEGIN; {PLANNER_SETTINGS}")
    try:
        yield
    except BaseException:
        await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


async def fetch_each(connection: Any, sql: str, many: Sequence[Sequence[Any]]) -> list[asyncpg.Record]:
    """The rows of a statement that answers exactly one, once for each list of values."""
    if len(many) == 1:
        return [await connection.fetchrow(sql, *many[0])]
    rows: list[asyncpg.Record] = await connection.fetchmany(sql, many)
    return rows


def _call_after_commit(each: Callable[[], None]) -> None:
    """What is committed stays: a fault in noting it must not look as if it had to be done again."""
    try:
        each()
    except Exception:
        log.exception("what was committed could not be noted")


@contextlib.contextmanager
def connection_errors_as_unavailable() -> Iterator[None]:
    """Turns the many ways in which a database can be out of reach into Unavailable."""
    try:
        yield
    except asyncpg.DataError:  # an InterfaceError by birth, but it is the value that cannot be bound
        raise
    except STALE_STATEMENT_ERRORS as error:
        log.error("DATABASE_URL names a pooler that keeps no prepared statements: set LEADROUTES_STATEMENT_CACHE to 0")  # noqa: TRY400
        raise Unavailable from error
    except asyncpg.ReadOnlySQLTransactionError as error:
        raise Unavailable(STANDBY_MESSAGE) from error
    except CONNECTION_ERRORS as error:
        if is_out_of_space(error):
            raise Unavailable(OUT_OF_SPACE_MESSAGE, retry_after=30) from error
        raise Unavailable from error


async def _connect(
    hosts: Hosts, size: int, init: Callable[[asyncpg.Connection], Awaitable[None]] | None
) -> asyncpg.Pool:
    """A server that is starting or recovering is waited for, five minutes at the most."""
    deadline = asyncio.get_running_loop().time() + 300
    while True:
        try:
            return await hosts.pool(
                min_size=min(2, size), max_size=size, command_timeout=STATEMENT_TIMEOUT, reset=_no_reset,
                init=init,
            )  # fmt: skip
        except asyncpg.CannotConnectNowError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.2)
        except CONNECTION_ERRORS as error:
            raise Unavailable(f"PostgreSQL cannot be reached: {error}") from error


async def _limit_pauses(connection: asyncpg.Connection) -> None:
    """And no statement is compiled: none runs for so long that it would pay."""
    await connection.execute(
        f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_TIMEOUT}s'; SET jit = off"
    )


async def _no_reset(_connection: object) -> None:
    """Whoever has it next wants what was set for a session, so the query that would unset it is worse than nothing.

    An open transaction is ended all the same; asyncpg sees to that itself.
    """

"""The database: a pool of connections, transactions whose moment is fixed, and statements outside of transactions.

It contains no statement of the domain.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

import asyncpg
import structlog

from leadroutes.clock import Clock
from leadroutes.errors import ComputationNeeded, Unavailable
from leadroutes.settings import Settings
from leadroutes.store.connection_errors import CONNECTION_ERRORS, RETRYABLE_ERRORS, connection_errors_as_unavailable
from leadroutes.store.disk_space import CLEAR_PROBE_SQL, PROBE_SQL, DiskSpace, is_out_of_space
from leadroutes.store.embedded import restart_embedded_server, start_embedded_server
from leadroutes.store.hosts import STATEMENT_CACHE_SIZE, Hosts
from leadroutes.store.installation import Installation
from leadroutes.store.listener import CLOCK_CHANNEL, LIVE_CHANNEL, WAKE_CHANNEL, Listener
from leadroutes.store.screens import Screens
from leadroutes.store.shared_clock import SharedClock

log = structlog.get_logger()

MAX_ATTEMPTS = 5
STATEMENT_TIMEOUT = 60  # seconds
# Seconds between two statements of a transaction. A process that is paused, or whose machine is, would otherwise hold
# its locks until it continues.
IDLE_IN_TRANSACTION_TIMEOUT = 10
# Each statement of a transaction is written for its indexes (sql/README.md), and is repeated with lists of any length.
# So its plan is made once for all of them, and never reads a whole table, not even one that was empty when the plan was
# made. Where that cannot be avoided, the estimated cost is so high that PostgreSQL would compile the statement, which
# takes most of a second.
PLANNER_SETTINGS = """SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;
    SET LOCAL plan_cache_mode = force_generic_plan"""

# For a list whose values decide which index leads to the page: its second statement is planned for those at hand. The
# ids that others show to the caller are looked up in memory, some millions at most: if the planner expected more than
# this many times work_mem, each look would go through all of them.
PLANNED_ONCE = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {PLANNER_SETTINGS}"
PLANNED_FOR_VALUES = """SET LOCAL enable_seqscan = on; SET LOCAL enable_mergejoin = on;
    SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL hash_mem_multiplier = 64"""

Result = TypeVar("Result")
Statement = tuple[str, Sequence[Any]]  # with its values


class Following(NamedTuple):
    """A statement that another one has led to; `for_values`: it is planned each time, for the values that it has."""

    statement: Statement
    for_values: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction: its connection, the moment at which all of it happens, and what is called once it is committed.

    `last_rows`: by statement, the rows of values that it writes as the last thing, all in one execution, which gets
    each column as an array. `events` are those that webhooks may want (store/webhook_events.py), and
    `without_webhooks` the owners who are known to have none; `before_commit` is called after all other writes.
    """

    connection: Any
    now: datetime
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    notified: set[str] = field(default_factory=set)  # channels
    changed: set[str] = field(default_factory=set)  # whose screens show what it changes (store/screens.py)
    last_rows: dict[str, list[Sequence[Any]]] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)
    without_webhooks: set[int] = field(default_factory=set)
    before_commit: list[Callable[["Transaction"], Awaitable[None]]] = field(default_factory=list)
    installation: Installation = Installation()

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
    """A pool of connections with the clock and the listener that belong to it. `open()` makes one; `close()` ends it.

    `hosts` opens connections that have to stay the same for long: those of the listener and of the message queue.
    """

    def __init__(self, pool: asyncpg.Pool, hosts: Hosts, clock: Clock) -> None:
        self.pool = pool
        self.hosts = hosts
        self.clock = clock
        self.installation = Installation()
        self.clock_start: datetime | None = None  # where the domain's clock begins if the database is new
        self.disk_space = DiskSpace(self._probe_disk_space)
        self.listener = Listener(hosts, pool, self._spawn)
        self.screens = Screens(self.listener, self._notify_screens, self._spawn)
        self._tasks: set[asyncio.Task[None]] = set()
        self._shared_clock = SharedClock(self, wake=partial(self.listener.call, WAKE_CHANNEL))
        self.listener.listen(CLOCK_CHANNEL, self._reload_clock)

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
        # Behind a pooler a session may be another client's the next moment, so nothing is set for it.
        pool = await _connect(hosts, settings.pool_size, _limit_pauses if direct is hosts else None)
        database = cls(pool, direct, Clock())
        database.clock_start = settings.clock_start
        try:
            await database._shared_clock.sync()
        except BaseException:
            await database.close()
            raise
        return database

    def start_listening(self) -> None:
        """Receive NOTIFY from now on, and follow the shared clock."""
        self.listener.start()
        self._spawn(self._shared_clock.keep_loading())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.pool.close(), 5)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- transactions

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Yields a transaction. Raises Unavailable when PostgreSQL is out of reach."""
        with self._raising_unavailable():
            async with self.pool.acquire(timeout=10) as connection:
                transaction = Transaction(connection, self.clock.now(), installation=self.installation)
                async with _begin(connection):
                    yield transaction
                    for sql, rows in transaction.last_rows.items():
                        await transaction.execute(sql, *map(list, zip(*rows, strict=True)))
                    for write in transaction.before_commit:
                        await write(transaction)
            for each in transaction.after_commit:
                _call_after_commit(each)
            if transaction.changed:
                self.screens.announce(transaction.changed)

    async def run(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Like `run_prepared`; computations that `work` needs first are done outside of any transaction."""
        for _ in range(MAX_ATTEMPTS):
            try:
                return await self.run_prepared(work)
            except ComputationNeeded as needed:
                await asyncio.gather(*(each() for each in needed.computations.values()))
        raise Unavailable("It takes too long to work this out; try again later")

    async def run_prepared(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run `work` in a transaction and return its result; after a collision with another one, run it again.

        Raises ComputationNeeded when `work` does.
        """

        async def begin_and_work() -> Result:
            async with self.transaction() as transaction:
                return await work(transaction)

        return await _run_again_after_collisions(begin_and_work)

    # -- statements outside of transactions: each is run again after a collision, as it leaves nothing behind then, and
    # raises Unavailable when PostgreSQL is out of reach

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._alone(lambda: self.pool.fetch(sql, *values))
        return rows

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None:
        row: asyncpg.Record | None = await self._alone(lambda: self.pool.fetchrow(sql, *values))
        return row

    async def fetchval(self, sql: str, *values: Any) -> Any:
        return await self._alone(lambda: self.pool.fetchval(sql, *values))

    async def fetch_each(self, sql: str, many: Sequence[Sequence[Any]]) -> list[asyncpg.Record]:
        """Run a statement that returns one row, once for each list of values, all in one packet."""

        async def fetch_all() -> list[asyncpg.Record]:
            async with self.pool.acquire(timeout=10) as connection:
                return await fetch_each(connection, sql, many)

        return await self._alone(fetch_all)

    async def fetch_within(self, seconds: float, slow: str, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Like `fetch`, but cancelled after so many seconds: raises Unavailable with the message `slow`."""

        async def fetch_in_time() -> list[asyncpg.Record]:
            async with self.pool.acquire(timeout=10) as connection:
                return await _fetch_in_time(connection, seconds, slow, (sql, values))

        return await self._alone(fetch_in_time)

    async def fetch_after(
        self, seconds: float, slow: str, first: Statement, then: Callable[[asyncpg.Record], Following]
    ) -> list[asyncpg.Record]:
        """Like `fetch_within`, of the statement that `then` makes of the one row of the first; both see one moment."""

        async def fetch_both() -> list[asyncpg.Record]:
            async with self.pool.acquire(timeout=10) as connection, _begin(connection, PLANNED_ONCE):
                [row] = await connection.fetch(first[0], *first[1])
                following = then(row)
                if following.for_values:
                    await connection.execute(PLANNED_FOR_VALUES)
                return await _fetch_in_time(connection, seconds, slow, following.statement)

        return await self._alone(fetch_both)

    async def execute(self, sql: str, *values: Any) -> None:
        await self._alone(lambda: self.pool.execute(sql, *values))

    async def _alone(self, run_statement: Callable[[], Awaitable[Result]]) -> Result:
        with self._raising_unavailable():
            return await _run_again_after_collisions(run_statement)

    @contextlib.contextmanager
    def _raising_unavailable(self) -> Iterator[None]:
        """Raises Unavailable for connection errors. Connections to a server that takes no writes are not used again."""
        try:
            with connection_errors_as_unavailable():
                yield
        except Unavailable as error:
            if isinstance(error.__cause__, asyncpg.ReadOnlySQLTransactionError):
                self._spawn(self.pool.expire_connections())
            elif error.__cause__ is not None and is_out_of_space(error.__cause__):
                self.disk_space.note_refusal(error.__cause__)
            raise

    async def _notify_screens(self, payload: str) -> None:
        await self.execute("SELECT pg_notify($1, $2)", LIVE_CHANNEL, payload)

    async def _probe_disk_space(self) -> None:
        async with self.transaction() as transaction:
            await transaction.execute(PROBE_SQL)
            await transaction.execute(CLEAR_PROBE_SQL)

    # -- the clock that all processes share

    def _reload_clock(self) -> None:
        self._spawn(self._shared_clock.reload())

    async def load_clock(self) -> None:
        await self._shared_clock.load()

    async def begin_clock(self, moment: datetime) -> None:
        """Have the domain's clock of a new database begin at a moment, which may be past."""
        await self._shared_clock.begin(moment)

    async def set_time_scale(self, scale: float) -> None:
        await self._shared_clock.set_scale(scale)

    async def move_clock(self, by: timedelta) -> None:
        await self._shared_clock.move(by)

    async def real_now(self) -> datetime:
        """Return the time of the database's machine, by which lifetimes of sessions and tokens are measured."""
        now: datetime = await self.fetchval("SELECT now()")
        return now


@contextlib.asynccontextmanager
async def _begin(connection: Any, beginning: str = f"BEGIN; {PLANNER_SETTINGS}") -> AsyncIterator[None]:
    """Begin a transaction together with its settings, in one packet; end it as asyncpg does."""
    await connection.execute(beginning)
    try:
        yield
    except BaseException:
        await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


async def _run_again_after_collisions(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run `work`, which leaves nothing behind when it collides with another transaction: it is run again then."""
    for attempt in range(1, MAX_ATTEMPTS):
        try:
            return await work()
        except RETRYABLE_ERRORS:
            await asyncio.sleep(random.uniform(0, 0.01) * attempt)  # noqa: S311 -- so that two do not keep meeting
    return await work()


async def _fetch_in_time(connection: Any, seconds: float, slow: str, wanted: Statement) -> list[asyncpg.Record]:
    sql, values = wanted
    try:
        rows: list[asyncpg.Record] = await connection.fetch(sql, *values, timeout=seconds)
    except TimeoutError:
        raise Unavailable(slow, retry_after=5) from None
    return rows


async def fetch_each(connection: Any, sql: str, many: Sequence[Sequence[Any]]) -> list[asyncpg.Record]:
    """Run a statement that returns one row, once for each list of values, and return all rows in this order."""
    if len(many) == 1:
        return [await connection.fetchrow(sql, *many[0])]
    rows: list[asyncpg.Record] = await connection.fetchmany(sql, many)
    return rows


def _call_after_commit(each: Callable[[], None]) -> None:
    """Log an error instead of raising it: the transaction is committed and must not seem to have failed."""
    try:
        each()
    except Exception:
        log.exception("what was committed could not be noted")


async def _connect(
    hosts: Hosts, size: int, init: Callable[[asyncpg.Connection], Awaitable[None]] | None
) -> asyncpg.Pool:
    """Return an open pool. Waits up to five minutes for a server that is starting or recovering."""
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
    """Limit pauses within transactions. JIT is off because no statement runs for so long that it would pay."""
    await connection.execute(
        f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_TIMEOUT}s'; SET jit = off"
    )


async def _no_reset(_connection: object) -> None:
    """Leave the session's settings as they are: asyncpg's reset costs a query, and the next user wants the same ones.

    asyncpg ends an open transaction without it.
    """

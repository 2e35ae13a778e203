"""Jobs: work outside of transactions, queued in the transaction that decides it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast

import asyncpg
import msgspec
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.models import HealthCheckEvent, Job, TracebackRecord
from pgqueuer.queries import Queries

from leadroutes.store.connection_errors import CONNECTION_ERRORS

log = structlog.get_logger()

DELIVERY_JOB = "deliver"  # a message
REREAD_JOB = "read_again"  # an arrival of which a part has to be fetched


class RowKey(msgspec.Struct, frozen=True):
    """The key of the row that a job is about."""

    owner_id: int
    id: int


async def enqueue(
    connection: Any, entrypoint: str, rows: Sequence[tuple[int, int]], after: Sequence[timedelta] | None = None
) -> None:
    """Queue one job for each (owner_id, id) in the transaction of `connection`; `after` delays them."""
    if not rows:
        return
    # Queries expects a connection, but anything with its fetch will do, such as a pool's proxy.
    queries = Queries(AsyncpgDriver(cast("asyncpg.Connection", connection)))
    payloads: list[bytes | None] = [msgspec.json.encode(RowKey(owner_id, id_)) for owner_id, id_ in rows]
    delays: list[timedelta | None] | None = list(after) if after is not None else None
    await queries.enqueue([entrypoint] * len(rows), payloads, [0] * len(rows), delays)


class RetryQueries(Queries):
    """PgQueuer's queries, except the one that must not fail: PgQueuer gives up a job that it cannot reschedule."""

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Reschedule a job. If the database is away it stays with this worker, and is taken over like a dead one's."""
        try:
            await super().retry_job(job, delay, traceback_record)
        except CONNECTION_ERRORS as error:
            log.warning("a job could not be put off", job=job.id, error=repr(error))


class ListeningDriver(AsyncpgPoolDriver):
    """PgQueuer's driver, which says when it has begun to listen."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.is_listening = asyncio.Event()

    async def add_listener(self, channel: str, callback: Callable[[str | bytes | bytearray], None]) -> None:
        await super().add_listener(channel, callback)
        self.is_listening.set()


class ListeningQueue(QueueManager):
    """PgQueuer's queue, which checks whether it hears NOTIFY once it listens; before that it would hear nothing."""

    def __init__(self, driver: ListeningDriver) -> None:
        super().__init__(RetryQueries(driver))
        self._is_listening = driver.is_listening

    async def listener_healthy(self, timeout: timedelta = timedelta(seconds=10)) -> HealthCheckEvent:  # noqa: ASYNC109
        await self._is_listening.wait()
        return await super().listener_healthy(timeout)

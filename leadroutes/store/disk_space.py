"""Whether PostgreSQL has room to store anything: known from what it refused, and found out by trying once it did.

A disk that is full is as good as a database that is away, but one that still answers looks and heartbeats.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

log = structlog.get_logger()

# Too many connections belong to the same class, but say nothing of room.
OUT_OF_SPACE_ERRORS = (asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError)
OUT_OF_SPACE_MESSAGE = "The database has no room to store anything at the moment"
# The largest usual arrival, a mebibyte, which no compression makes smaller.
PROBE_SQL = """INSERT INTO room_probe (filling)
    SELECT string_agg(sha256(convert_to(n::text || random()::text, 'UTF8')), ''::bytea)
    FROM generate_series(1, 32768) n"""
CLEAR_PROBE_SQL = "DELETE FROM room_probe"
PROBE_INTERVAL = 5.0  # seconds


def is_out_of_space(error: BaseException | None) -> bool:
    return isinstance(error, OUT_OF_SPACE_ERRORS) and not isinstance(error, asyncpg.TooManyConnectionsError)


class DiskSpace:
    """One per process. `probe` stores something large and removes it again, or raises."""

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._is_there = True
        self._probed_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    def note_refusal(self, error: BaseException) -> None:
        """PostgreSQL could not store something; said once, until there is room again."""
        if self._is_there:
            self._is_there, self._probed_at = False, float("-inf")
            log.error("PostgreSQL has no room: what arrives is refused until it has", error=str(error))

    async def is_available(self) -> bool:
        """Whether what arrives can be stored. After a refusal it is tried out, every few seconds at the most."""
        async with self._one_at_a_time:
            if not self._is_there and time.monotonic() - self._probed_at >= PROBE_INTERVAL:
                await self._try_out()
        return self._is_there

    async def _try_out(self) -> None:
        self._probed_at = time.monotonic()
        try:
            await self._probe()
        except Exception as error:  # noqa: BLE001 -- whatever it is, nothing could be stored
            log.debug("there is still no room", error=repr(error))
        else:
            self._is_there = True
            log.info("PostgreSQL has room again")

"""Whether PostgreSQL has disk space: assumed until it refuses to store something, and probed from then on.

A full disk is as bad as a database out of reach, although reads and heartbeats still succeed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

log = structlog.get_logger()

# Too many connections are errors of the same class, but say nothing about disk space.
OUT_OF_SPACE_ERRORS = (asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError)
OUT_OF_SPACE_MESSAGE = "The database has no room to store anything at the moment"
# The size of the largest usual arrival, a mebibyte, which cannot be compressed.
PROBE_SQL = """INSERT INTO room_probe (filling)
    SELECT string_agg(sha256(convert_to(n::text || random()::text, 'UTF8')), ''::bytea)
    FROM generate_series(1, 32768) n"""
CLEAR_PROBE_SQL = "DELETE FROM room_probe"
PROBE_INTERVAL = 5.0  # seconds


def is_out_of_space(error: BaseException | None) -> bool:
    return isinstance(error, OUT_OF_SPACE_ERRORS) and not isinstance(error, asyncpg.TooManyConnectionsError)


class DiskSpace:
    """One per process. `probe` stores something large and removes it, or raises an error."""

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._is_there = True
        self._probed_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    def note_refusal(self, error: BaseException) -> None:
        """Note that PostgreSQL could not store something. Logged once, until there is space again."""
        if self._is_there:
            self._is_there, self._probed_at = False, float("-inf")
            log.error("PostgreSQL has no room: what arrives is refused until it has", error=str(error))

    async def is_available(self) -> bool:
        """Return whether arrivals can be stored. After a refusal this is probed, every few seconds at most."""
        async with self._one_at_a_time:
            if not self._is_there and time.monotonic() - self._probed_at >= PROBE_INTERVAL:
                await self._try_out()
        return self._is_there

    async def _try_out(self) -> None:
        self._probed_at = time.monotonic()
        try:
            await self._probe()
        except Exception as error:  # noqa: BLE001 -- whatever it is, nothing was stored
            log.debug("there is still no room", error=repr(error))
        else:
            self._is_there = True
            log.info("PostgreSQL has room again")

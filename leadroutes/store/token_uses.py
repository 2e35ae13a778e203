"""Records when access tokens were last used: beside the requests, many in one statement, each once a minute at most.

A use that cannot be recorded is left out; no request waits for it or fails because of it.
"""

import asyncio
from collections.abc import Iterable

import asyncpg

from leadroutes.store import statement
from leadroutes.store.connection_errors import CONNECTION_ERRORS
from leadroutes.store.postgres import Database

PAUSE = 60.0  # seconds before the next attempt after one that failed


class TokenUses:
    """One per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: set[bytes] = set()
        self._noting: asyncio.Task[None] | None = None
        self._not_before = 0.0  # of the event loop's clock

    def note(self, token_hashes: Iterable[bytes]) -> None:
        """Record a use of these tokens, whose last use was not recorded within the last minute."""
        if asyncio.get_running_loop().time() < self._not_before:
            return
        self._waiting.update(token_hashes)
        if self._waiting and (self._noting is None or self._noting.done()):
            self._noting = asyncio.create_task(self._note())

    async def noted(self) -> None:
        """Wait until all uses so far have been recorded."""
        if self._noting is not None:
            await self._noting

    async def _note(self) -> None:
        """Record uses; those that come while a statement is under way go with the next one."""
        while self._waiting:
            hashes, self._waiting = self._waiting, set()
            try:
                await self._database.pool.execute(*statement("note_token_uses").bind(token_hashes=sorted(hashes)))
            except (*CONNECTION_ERRORS, asyncpg.PostgresError):
                self._not_before = asyncio.get_running_loop().time() + PAUSE
                self._waiting.clear()

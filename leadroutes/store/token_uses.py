"""Stores when access tokens were last used: beside the requests, many in one statement, each once a minute at most.

A use that cannot be stored is left out; no request waits for it or fails because of it.
"""

import asyncio
from collections.abc import Iterable

import asyncpg

from leadroutes.store import statement
from leadroutes.store.batching import GroupCommit
from leadroutes.store.connection_errors import CONNECTION_ERRORS
from leadroutes.store.postgres import Database

PAUSE = 60.0  # seconds without another attempt after one that failed


class TokenUses:
    """One per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches: GroupCommit[bytes, None] = GroupCommit(self._store, retries=False)
        self._not_before = 0.0  # of the event loop's clock

    def note(self, token_hashes: Iterable[bytes]) -> None:
        """These tokens, whose last use was not stored within the last minute, have been used."""
        if not self._is_paused():
            for each in token_hashes:
                self._batches.add(each)

    async def noted(self) -> None:
        """Waits until all uses so far have been stored."""
        await self._batches.drain()

    async def _store(self, token_hashes: list[bytes]) -> list[None]:
        if not self._is_paused():
            try:
                await self._database.pool.execute(
                    *statement("note_token_uses").bind(token_hashes=sorted(set(token_hashes)))
                )
            except (*CONNECTION_ERRORS, asyncpg.PostgresError):
                self._not_before = asyncio.get_running_loop().time() + PAUSE
        return [None] * len(token_hashes)

    def _is_paused(self) -> bool:
        return asyncio.get_running_loop().time() < self._not_before

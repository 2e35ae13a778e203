"""Messages: rows that become mails, texts and calls. Enqueues their delivery, loads what their words need, notes outcomes.

It writes no words and sends nothing.
"""

from collections.abc import Sequence
from typing import Any, cast

import asyncpg
import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.queries import Queries

DELIVER = "deliver"  # the queue's entrypoint


class MessageKey(msgspec.Struct, frozen=True):
    """Which message a job is about."""

    owner_id: int
    id: int


async def enqueue(connection: Any, messages: Sequence[tuple[int, int]]) -> None:
    """Put one delivery job for each (owner_id, id) into the queue, on `connection`, within its transaction."""
    if not messages:
        return
    # Queries asks for a connection but is content with whatever has its fetch, so a pool's proxy will do.
    queries = Queries(AsyncpgDriver(cast("asyncpg.Connection", connection)))
    await queries.enqueue(
        [DELIVER] * len(messages),
        [msgspec.json.encode(MessageKey(owner_id, id_)) for owner_id, id_ in messages],
        [0] * len(messages),
    )

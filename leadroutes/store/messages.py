"""Messages: rows that become mails, texts and calls. Enqueues their delivery, loads what words need, notes outcomes.

It writes no words and sends nothing.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from leadroutes.store import statement
from leadroutes.store.postgres import Database
from leadroutes.store.queue import DELIVER, RowKey
from leadroutes.store.queue import enqueue as put_into_queue


class MessageKey(RowKey, frozen=True):
    """Which message a job is about."""


async def enqueue(connection: Any, messages: Sequence[tuple[int, int]]) -> None:
    """Put one delivery job for each (owner_id, id) into the queue, on `connection`, within its transaction."""
    await put_into_queue(connection, DELIVER, messages)


async def begin_sending(database: Database, key: MessageKey) -> Mapping[str, Any] | None:
    """Mark a message as being sent, on disk before any channel is touched; None where it has been dealt with."""
    row = await database.fetchrow(statement("begin_sending"), key.owner_id, key.id)
    return dict(row) if row is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a message: its state, why, and, as far as they were made, its words (claim links masked)."""

    state: Literal["queued", "sent", "failed", "suppressed", "unknown"]
    reason: str | None = None
    address: str | None = None
    subject: str | None = None
    text_body: str | None = None
    html_body: str | None = None
    sender_id: int | None = None


async def note_outcome(database: Database, key: MessageKey, attempt: int, outcome: Outcome) -> bool:
    """Write down what came of an attempt; a campaign step is done with its message. False: another one has followed."""
    is_noted: bool = await database.fetchval(
        statement("note_outcome"),
        key.owner_id,
        key.id,
        outcome.state,
        outcome.reason,
        database.clock.now(),
        outcome.address,
        outcome.subject,
        outcome.text_body,
        outcome.html_body,
        outcome.sender_id,
        attempt,
    )
    return is_noted


async def add_claim_token(database: Database, key: MessageKey, offer_id: int, via: str) -> str:
    """A fresh secret for a claim link; only its hash is kept."""
    token = secrets.token_urlsafe(32)
    digest = hashlib.sha256(token.encode()).digest()
    await database.execute(statement("add_claim_token"), key.owner_id, offer_id, digest, via, database.clock.now())
    return token

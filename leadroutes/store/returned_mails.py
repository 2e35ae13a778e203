"""Mails that come back to the addresses of messages: each is stored once, with what follows from it.

Reads no mail, and decides nothing.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.messages import enqueue
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.screens import account_topic, user_topic

FAILING: Final = ("queued", "sent", "unknown")  # states of a message that fails where its mail comes back
MOST_PER_MESSAGE = 100  # mails that come back to one message; more are not from people


@dataclass(frozen=True, slots=True)
class ReturnedTo:
    """The message that a mail came back to."""

    owner_id: int
    message_id: int


async def exists(database: Database, key: ReturnedTo) -> bool:
    """Return whether there is such a message, and its contact has not been erased."""
    bound = statement("find_returned_message").bind(owner_id=key.owner_id, message_id=key.message_id)
    return await database.fetchval(*bound) is not None


async def add_returned_mail(
    transaction: Transaction, key: ReturnedTo, digest: bytes, body: bytes, reason: str
) -> asyncpg.Record | None:
    """Store a mail as an arrival. Returns its message with `arrival_id`, null if it is not new; None: no message."""
    return await transaction.fetchrow(
        *statement("add_returned_mail").bind(
            owner_id=key.owner_id,
            message_id=key.message_id,
            digest=digest,
            body=body,
            reason=reason,
            most=MOST_PER_MESSAGE,
            now=transaction.now,
        )
    )


async def find_returned_mail(transaction: Transaction, key: ReturnedTo, digest: bytes) -> int | None:
    """Return the arrival of a mail that has come before."""
    found: int | None = await transaction.fetchval(
        *statement("find_returned_mail").bind(owner_id=key.owner_id, message_id=key.message_id, digest=digest)
    )
    return found


async def fail_message(transaction: Transaction, key: ReturnedTo, reason: str) -> str | None:
    """Mark a message as failed for good, unless it is being sent. Returns the state that it had.

    Of an alert about an offer the worker learns at once.
    """
    state: str | None = await transaction.fetchval(
        *statement("fail_returned_message").bind(
            owner_id=key.owner_id, message_id=key.message_id, reason=reason, now=transaction.now
        )
    )
    if state in FAILING:
        await wake_worker(transaction)
    return state


async def note_reason(transaction: Transaction, key: ReturnedTo, reason: str) -> None:
    """Note with a message that was sent why its mail came back."""
    await transaction.execute(
        *statement("note_returned_message").bind(owner_id=key.owner_id, message_id=key.message_id, reason=reason)
    )


async def suppress_recipient(transaction: Transaction, key: ReturnedTo, reason: str) -> None:
    """Suppress the address of the contact to whom the message went; nothing for a message to a user."""
    await transaction.execute(
        *statement("suppress_recipient").bind(
            owner_id=key.owner_id, message_id=key.message_id, reason=reason, now=transaction.now
        )
    )


async def add_reply(
    transaction: Transaction, key: ReturnedTo, contact_id: int, lead_id: int | None, arrival_id: int, words: str | None
) -> None:
    """Put an answer on the contact's timeline, and queue what passes it on to the agent, and alerts."""
    rows = await transaction.fetch(
        *statement("add_reply").bind(
            owner_id=key.owner_id,
            message_id=key.message_id,
            contact_id=contact_id,
            lead_id=lead_id,
            arrival_id=arrival_id,
            words=words,
            now=transaction.now,
        )
    )
    await enqueue(transaction.connection, [(key.owner_id, row["id"]) for row in rows])
    transaction.changed.add(account_topic(key.owner_id))
    transaction.changed.update(user_topic(row["user_id"]) for row in rows)


async def load_passed_on(database: Database, owner_id: int, arrival_id: int) -> asyncpg.Record | None:
    """Return the answer that a message passes on: body, emptied_at, and first_name, last_name, email of the contact."""
    return await database.fetchrow(*statement("load_passed_on").bind(owner_id=owner_id, arrival_id=arrival_id))

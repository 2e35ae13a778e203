"""Messages: rows that become mails, texts and calls. Enqueues their delivery, loads them, stores their outcomes.

It does not write their texts, and sends nothing.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import asyncpg
import msgspec

from leadroutes.domain.message import MessageStatus, OutgoingMessage
from leadroutes.errors import Conflict
from leadroutes.store import statement
from leadroutes.store.batching import GroupCommit
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import DELIVERY_JOB, RowKey
from leadroutes.store.queue import enqueue as put_into_queue

MAX_BATCH_SIZE = 100


class MessageKey(RowKey, frozen=True):
    """The message that a job is about."""


async def enqueue(connection: Any, messages: Sequence[tuple[int, int]]) -> None:
    """Enqueues one delivery job for each (owner_id, id) in the transaction of `connection`."""
    await put_into_queue(connection, DELIVERY_JOB, messages)


async def retry_message(database: Database, owner_id: int, message_id: int) -> None:
    """Queues a failed message again; whether it is still wanted is checked then. Raises Conflict for any other one."""

    async def work(transaction: Transaction) -> None:
        if not await transaction.fetchval(*statement("retry_message").bind(owner_id=owner_id, message_id=message_id)):
            raise Conflict("Only a message that has failed is sent again")
        await enqueue(transaction.connection, [(owner_id, message_id)])

    await database.run(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """The outcome of an attempt: the message's state, the reason, and, if it was made, its text (links masked)."""

    state: Literal["queued", "sent", "failed", "suppressed", "unknown"]
    reason: str | None = None
    address: str | None = None
    subject: str | None = None
    text_body: str | None = None
    html_body: str | None = None
    sender_id: int | None = None
    is_counted: bool = True  # as an attempt of this message
    is_dead_address: bool = False  # the address accepts no message at all


@dataclass(frozen=True, slots=True)
class _DeliveryAttempt:
    """An attempt to deliver a message, and its outcome."""

    key: MessageKey
    number: int
    outcome: DeliveryOutcome


@dataclass(frozen=True, slots=True)
class _ClaimToken:
    """The secret of a claim link, valid from before its message is sent."""

    owner_id: int
    offer_id: int
    digest: bytes
    via: str


class DeliveryLog:
    """Stores what happens to messages while they are sent: many of them in one commit, on disk when it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun: GroupCommit[MessageKey, OutgoingMessage | None] = GroupCommit(
            self._begin, key=lambda key: (key.owner_id, key.id), max_batch=MAX_BATCH_SIZE
        )
        self._tokens: GroupCommit[_ClaimToken, None] = GroupCommit(
            self._add_tokens, key=lambda token: token.digest, max_batch=MAX_BATCH_SIZE
        )
        self._noted: GroupCommit[_DeliveryAttempt, bool] = GroupCommit(
            self._note, key=lambda attempt: attempt.key, max_batch=MAX_BATCH_SIZE
        )

    async def begin(self, key: MessageKey) -> OutgoingMessage | None:
        """Marks a message as being sent, before any channel is used. Returns None where it is not to be sent."""
        return await self._begun.add(key)

    async def _begin(self, keys: list[MessageKey]) -> list[OutgoingMessage | None]:
        wanted = sorted((key.owner_id, key.id) for key in keys)
        begun = statement("begin_sending").bind(
            owner_ids=[owner_id for owner_id, _ in wanted], message_ids=[message_id for _, message_id in wanted]
        )
        async with self._database.transaction() as transaction:  # for the plan that its statements have
            rows = await transaction.fetch(*begun)
        found = {(row["owner_id"], row["id"]): _outgoing_message(row) for row in rows}
        return [found.get((key.owner_id, key.id)) for key in keys]

    async def recheck(self, key: MessageKey) -> MessageStatus | None:
        """Returns what may have made a message pointless since it was begun; None where it does not exist any more."""
        row = await self._database.fetchrow(
            *statement("recheck_message").bind(owner_id=key.owner_id, message_id=key.id)
        )
        return MessageStatus(**row) if row is not None else None

    async def add_claim_token(self, owner_id: int, offer_id: int, via: str) -> str:
        """Returns a new secret for a claim link; only its hash is stored."""
        token = secrets.token_urlsafe(32)
        await self._tokens.add(_ClaimToken(owner_id, offer_id, hashlib.sha256(token.encode()).digest(), via))
        return token

    async def _add_tokens(self, tokens: list[_ClaimToken]) -> list[None]:
        await self._database.execute(
            *statement("add_claim_tokens").bind(
                owner_ids=[token.owner_id for token in tokens],
                offer_ids=[token.offer_id for token in tokens],
                token_hashes=[token.digest for token in tokens],
                channels=[token.via for token in tokens],
                now=self._database.clock.now(),
            ),
        )
        return [None] * len(tokens)

    async def note(self, key: MessageKey, attempt: int, outcome: DeliveryOutcome) -> bool:
        """Stores the outcome of an attempt, and completes its campaign step. Returns False if a later attempt began."""
        return await self._noted.add(_DeliveryAttempt(key, attempt, outcome))

    async def _note(self, attempts: list[_DeliveryAttempt]) -> list[bool]:
        records = [
            {
                "owner_id": each.key.owner_id,
                "id": each.key.id,
                "attempt": each.number,
                **_storable(asdict(each.outcome)),
            }
            for each in attempts
        ]
        rows = await self._database.fetch(
            *statement("note_outcomes").bind(
                now=self._database.clock.now(), outcomes=msgspec.json.encode(records).decode()
            )
        )
        noted = {(row["owner_id"], row["id"]) for row in rows}
        return [(each.key.owner_id, each.key.id) in noted for each in attempts]


def _outgoing_message(row: asyncpg.Record) -> OutgoingMessage:
    """A column `lead.city` is the field `city` of `lead`; a record whose id is null does not exist."""
    fields: dict[str, Any] = {}
    for name, value in row.items():
        group, _, field_name = name.rpartition(".")
        (fields.setdefault(group, {}) if group else fields)[field_name] = value
    return msgspec.convert(
        {
            name: value
            for name, value in fields.items()
            if not (isinstance(value, dict) and value.get("id", name) is None)
        },
        OutgoingMessage,
    )


def _storable(record: dict[str, Any]) -> dict[str, Any]:
    """Replaces what PostgreSQL cannot store: a server's answer may contain invalid UTF-8 or a zero byte."""
    return {
        name: value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else value
        for name, value in record.items()
    }

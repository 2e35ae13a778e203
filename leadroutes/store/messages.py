"""Messages: rows that become mails, texts and calls. Enqueues their delivery, loads them, stores their outcomes.

It does not write their texts, and sends nothing.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg
import msgspec

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.causes import advice_of
from leadroutes.domain.message import MessageStatus, OutgoingMessage
from leadroutes.errors import Conflict
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.batching import GroupCommit
from leadroutes.store.listener import WAKE_CHANNEL
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import ASK_JOB, DELIVERY_JOB, RowKey
from leadroutes.store.queue import enqueue as put_into_queue
from leadroutes.store.screens import user_topic
from leadroutes.store.webhook_events import note_event

MAX_BATCH_SIZE = 100
BEFORE_CAMPAIGNS = 1  # the priority of all other messages


class MessageKey(RowKey, frozen=True):
    """The message that a job is about."""


async def enqueue(connection: Any, messages: Sequence[tuple[int, int]]) -> None:
    """Enqueues one delivery job for each (owner_id, id) in the transaction of `connection`.

    They go before all messages of campaigns, of which a hundred thousand may wait.
    """
    await put_into_queue(connection, DELIVERY_JOB, messages, priorities=[BEFORE_CAMPAIGNS] * len(messages))


async def enqueue_campaign_messages(connection: Any, messages: Sequence[tuple[int, int]]) -> None:
    """Enqueues one delivery job for each (owner_id, id), all of them messages of campaigns."""
    await put_into_queue(connection, DELIVERY_JOB, messages)


async def enqueue_leaving(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Enqueues the messages whose moment has come, but for those that were dealt with while they waited."""
    leaving = [row for row in taken if row["state"] == "queued"]
    for put, is_of_campaign in ((enqueue, False), (enqueue_campaign_messages, True)):
        keys = [(row["owner_id"], row["id"]) for row in leaving if (row["kind"] == "campaign") == is_of_campaign]
        await put(transaction.connection, keys)


async def enqueue_questions(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Enqueues, for each of these messages, a job that asks the provider what became of it."""
    await put_into_queue(transaction.connection, ASK_JOB, [(row["owner_id"], row["id"]) for row in taken])


async def retry_message(database: Database, owner_id: int, message_id: int, act: AuditRow | None = None) -> None:
    """Queues a failed message again; whether it is still wanted is checked then. Raises Conflict for any other one."""

    async def work(transaction: Transaction) -> None:
        if not await transaction.fetchval(*statement("retry_message").bind(owner_id=owner_id, message_id=message_id)):
            raise Conflict("Only a message that has failed is sent again")
        await enqueue(transaction.connection, [(owner_id, message_id)])
        note_act(transaction, act)

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
    asks_for_call: bool = False  # of the sender of the campaign's step that it is
    action_id: int | None = None  # of the campaign's step that it is, and the template that it was made from
    template_id: int | None = None
    is_counted: bool = True  # as an attempt of this message
    is_dead_address: bool = False  # the address accepts no message at all
    suppressed_as: str | None = None  # the reason for which the number gets no more texts
    provider_id: str | None = None
    provider_state: str | None = None
    error_code: int | None = None
    leaves_at: datetime | None = None  # when a queued message is tried again, by the domain's clock …
    asks_at: datetime | None = None  # when the provider is asked what became of it, by the domain's clock
    delay: timedelta | None = None  # … or after how long, in real time; neither: as after any failed attempt


@dataclass(frozen=True, slots=True)
class Noted:
    """What is known at the provider of a message whose outcome was stored; its callback may have been faster."""

    provider_id: str | None
    provider_state: str | None
    error_code: int | None


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
        self._noted: GroupCommit[_DeliveryAttempt, Noted | None] = GroupCommit(
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
        # in a transaction, for the plan that its statements have
        rows = await self._database.run_prepared(lambda transaction: transaction.fetch(*begun))
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

    async def note(self, key: MessageKey, attempt: int, outcome: DeliveryOutcome) -> Noted | None:
        """Stores the outcome of an attempt, and completes its campaign step. Returns None if a later attempt began."""
        return await self._noted.add(_DeliveryAttempt(key, attempt, outcome))

    async def _note(self, attempts: list[_DeliveryAttempt]) -> list[Noted | None]:
        records = [
            {
                "owner_id": each.key.owner_id,
                "id": each.key.id,
                "attempt": each.number,
                **_storable(asdict(each.outcome)),
                "advice": None
                if each.outcome.state == "sent"
                else advice_of(each.outcome.reason, each.outcome.error_code),
            }
            for each in attempts
        ]
        noting = statement("note_outcomes").bind(
            now=self._database.clock.now(), outcomes=msgspec.json.encode(records).decode()
        )
        failed = {(each.key.owner_id, each.key.id) for each in attempts if each.outcome.state == "failed"}
        calls = {(each.key.owner_id, each.key.id) for each in attempts if each.outcome.asks_for_call}
        following = self._note_following(noting, failed, calls) if failed or calls else self._database.fetch(*noting)
        rows = await following
        noted = {
            (row["owner_id"], row["id"]): Noted(row["provider_id"], row["provider_state"], row["error_code"])
            for row in rows
        }
        if any(row["has_failed"] for row in rows) or any(each.outcome.leaves_at is not None for each in attempts):
            await self._database.execute("SELECT pg_notify($1, '')", WAKE_CHANNEL)
        return [noted.get((each.key.owner_id, each.key.id)) for each in attempts]

    async def _note_following(
        self, noting: tuple[Any, ...], failed: set[tuple[int, int]], calls: set[tuple[int, int]]
    ) -> list[asyncpg.Record]:
        """Stores the outcomes together with the events of what failed, and the alerts that ask for calls."""

        async def work(transaction: Transaction) -> list[asyncpg.Record]:
            rows = await transaction.fetch(*noting)
            for owner_id, message_id in sorted(failed & {(row["owner_id"], row["id"]) for row in rows}):
                note_event(transaction, owner_id, "message.failed", message_id)
            if noted := sorted(calls & {(row["owner_id"], row["id"]) for row in rows}):
                await _ask_for_calls(transaction, noted)
            return rows

        return await self._database.run_prepared(work)


async def _ask_for_calls(transaction: Transaction, messages: Sequence[tuple[int, int]]) -> None:
    alerts = await transaction.fetch(
        *statement("add_call_alerts").bind(
            owner_ids=[owner_id for owner_id, _ in messages],
            message_ids=[message_id for _, message_id in messages],
            now=transaction.now,
        )
    )
    if alerts:
        transaction.changed.update(user_topic(row["user_id"]) for row in alerts)  # whose inboxes show the calls
        await enqueue(transaction.connection, [(row["owner_id"], row["id"]) for row in alerts])


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

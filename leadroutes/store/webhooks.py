"""Webhooks and their deliveries: which are due, what came of each try, and the switch. Sends nothing.

Everything here is in real time. Whoever changes a webhook and its deliveries locks the webhook first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from leadroutes.domain.webhooks import ReceiverHealth, TryOutcome
from leadroutes.errors import Conflict, NotFound
from leadroutes.store import statement
from leadroutes.store.invitations import add_account_message
from leadroutes.store.listener import WEBHOOKS_CHANNEL
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import RowKey

LEASE: Final = timedelta(seconds=20)  # for which a webhook is one worker's; longer than a batch and a try that hangs
OLD_SECRET_LIFE: Final = timedelta(hours=24)
MOST_TRIES_STORED: Final = 30  # of one delivery, the last ones


class WebhookKey(RowKey, frozen=True):
    """The webhook that a worker delivers to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A delivery that is due, with what its webhook says about how to send it."""

    id: int
    message_id: str
    type: str
    at: datetime
    data: str
    lead_id: int | None
    contact_id: int | None
    tried: int  # before
    late: float  # seconds since it was due
    url: str
    format: str
    secret: bytes
    old_secret: bytes | None  # None: there is none, or it has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTry:
    """One try: `next_after` are the seconds until the next one; None: it succeeded, or the delivery is given up."""

    delivery_id: int
    outcome: TryOutcome
    status: int | None
    milliseconds: int
    answer: str | None
    error: str | None
    next_after: float | None = None


# ----------------------------------------------------------------------------------------------------- the worker's


async def take_due_webhooks(database: Database, worker_id: str, most: int) -> list[WebhookKey]:
    """Returns webhooks with something due that no other worker has, as this worker's for the span of a lease."""
    rows = await database.fetch(*statement("take_due_webhooks").bind(worker_id=worker_id, most=most, lease=LEASE))
    return [WebhookKey(row["owner_id"], row["id"]) for row in rows]


async def seconds_until_due(database: Database) -> float | None:
    """Returns how long until a webhook is due that no worker has; None: none is."""
    seconds: float | None = await database.fetchval(*statement("find_next_webhook").bind())
    return seconds


async def take_deliveries(database: Database, worker_id: str, key: WebhookKey, most: int) -> list[DueDelivery]:
    """Returns the first due deliveries of a webhook in order; none where it is off, or not this worker's any more."""
    rows = await database.fetch(
        *statement("take_deliveries").bind(owner_id=key.owner_id, webhook_id=key.id, worker_id=worker_id, most=most)
    )
    return [DueDelivery(**row) for row in rows]


async def note_tries(database: Database, worker_id: str, key: WebhookKey, tries: Sequence[DeliveryTry]) -> str | None:
    """Stores what came of tries, and prolongs the lease. Returns why the webhook was switched off, or None."""

    async def work(transaction: Transaction) -> str | None:
        held = await transaction.fetchrow(*statement("lock_webhook").bind(owner_id=key.owner_id, webhook_id=key.id))
        if held is None:
            return None
        await transaction.execute(
            *statement("note_tries").bind(
                owner_id=key.owner_id,
                tries=msgspec.json.encode([_try_record(each) for each in tries]).decode(),
                most=MOST_TRIES_STORED,
            )
        )
        health = ReceiverHealth(given_up=held["given_up"], failing_since=held["failing_since"])
        for each in tries:
            health = health.after(each.outcome, held["real_now"])
        why_off = health.why_off(held["real_now"]) if held["is_active"] else None
        await transaction.execute(
            *statement("note_health").bind(
                owner_id=key.owner_id,
                webhook_id=key.id,
                given_up=health.given_up,
                failing_since=health.failing_since,
                why_off=why_off,
                worker_id=worker_id,
                lease=LEASE,
            )
        )
        if why_off is not None:
            await add_account_message(transaction, key.owner_id, "webhook_off", user_id=key.owner_id, webhook_id=key.id)
        return why_off

    return await database.run_prepared(work)


def _try_record(each: DeliveryTry) -> dict[str, Any]:
    return {
        "id": each.delivery_id,
        "state": _state_after(each),
        "next_after": each.next_after,
        "reason": None if each.outcome.is_delivered else (each.error or f"the receiver answered {each.status}"),
        "status": each.status,
        "milliseconds": each.milliseconds,
        "answer": each.answer,
        "error": each.error,
    }


def _state_after(each: DeliveryTry) -> str:
    if each.outcome.is_delivered:
        return "delivered"
    return "failed" if each.next_after is None else "waiting"


async def release_webhook(database: Database, worker_id: str, key: WebhookKey, rest: float) -> None:
    """Leaves a webhook to whoever takes it next, not before `rest` seconds have passed, with its next moment.

    The lock comes first: what was added while it was waited for counts.
    """

    async def work(transaction: Transaction) -> None:
        if await transaction.fetchrow(*statement("lock_webhook").bind(owner_id=key.owner_id, webhook_id=key.id)):
            await transaction.execute(
                *statement("release_webhook").bind(
                    owner_id=key.owner_id, webhook_id=key.id, worker_id=worker_id, rest=timedelta(seconds=rest)
                )
            )

    await database.run_prepared(work)


async def load_card_facts(
    database: Database, owner_id: int, lead_id: int | None, contact_id: int | None, user_id: int | None
) -> Mapping[str, Any]:
    """Returns what a card for a chat may say: the masked preview's parts, the source, and the name of a user."""
    row = await database.fetchrow(
        *statement("load_card_facts").bind(owner_id=owner_id, lead_id=lead_id, contact_id=contact_id, user_id=user_id)
    )
    return dict(row) if row is not None else {}


# ------------------------------------------------------------------------------------------------------ the owner's


async def add_webhook(transaction: Transaction, owner_id: int, record: Mapping[str, Any], secret: bytes) -> int:
    """Adds a webhook with an encrypted secret. Returns its id."""
    webhook_id: int = await transaction.fetchval(
        *statement("add_webhook").bind(
            owner_id=owner_id,
            url=record["url"],
            events=record["events"],
            format=record["format"],
            is_active=record["is_active"],
            secret=secret,
            now=transaction.now,
        )
    )
    return webhook_id


async def change_webhook(transaction: Transaction, owner_id: int, webhook_id: int, record: Mapping[str, Any]) -> None:
    """Changes a webhook. One that is switched on again forgets what failed, and what waits there is due."""
    was_turned_on = await transaction.fetchval(
        *statement("change_webhook").bind(
            owner_id=owner_id,
            webhook_id=webhook_id,
            url=record["url"],
            events=record["events"],
            format=record["format"],
            is_active=record["is_active"],
            now=transaction.now,
        )
    )
    if was_turned_on:
        await transaction.notify(WEBHOOKS_CHANNEL)


async def rotate_secret(transaction: Transaction, owner_id: int, webhook_id: int, secret: bytes) -> None:
    """Replaces the secret; the one before signs as well for a day. Raises NotFound."""
    rotated = await transaction.fetchval(
        *statement("rotate_webhook_secret").bind(
            owner_id=owner_id, webhook_id=webhook_id, secret=secret, life=OLD_SECRET_LIFE, now=transaction.now
        )
    )
    if rotated is None:
        raise NotFound.record(webhook_id)


async def retry_delivery(transaction: Transaction, owner_id: int, webhook_id: int, delivery_id: int) -> None:
    """Sends a delivery again at once, with all its tries. Raises Conflict where its data or the webhook is off."""
    held = await transaction.fetchrow(*statement("lock_webhook").bind(owner_id=owner_id, webhook_id=webhook_id))
    if held is None or not held["is_active"]:
        raise Conflict("The webhook is switched off; switch it on first")
    found = statement("retry_delivery").bind(owner_id=owner_id, webhook_id=webhook_id, delivery_id=delivery_id)
    if await transaction.fetchval(*found) is None:
        raise Conflict("The contact was erased, and nothing is left to be sent")
    await transaction.notify(WEBHOOKS_CHANNEL)


async def find_switched_off(database: Database, owner_id: int, webhook_id: int) -> asyncpg.Record | None:
    """Returns url and reason of a webhook that the service has switched off; None where it is on, or gone."""
    return await database.fetchrow(*statement("find_switched_off").bind(owner_id=owner_id, webhook_id=webhook_id))

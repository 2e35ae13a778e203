"""Events for webhooks: noted while a transaction does its work, and written by it as the last thing before its commit.

So an event is stored exactly if what it says is, with the record as it is then. Where no webhook wants an event,
nothing is written; for owners who are known to have none, nothing is even asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.webhooks import EVENTS
from leadroutes.store import statement
from leadroutes.store.listener import WEBHOOKS_CHANNEL
from leadroutes.store.postgres import Transaction


@dataclass(frozen=True, slots=True)
class NotedEvent:
    """Something that happened to a record; of an offer, `record_id` is the lead's, and `user_id` says whose it is."""

    owner_id: int
    type: str
    record_id: int
    user_id: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)  # what the data has beside the record


def note_event(
    transaction: Transaction, owner_id: int, type_: str, record_id: int, *, user_id: int | None = None, **more: Any
) -> None:
    """Has an event written for the webhooks that want it, with the record as its owner would get it at the end."""
    if owner_id in transaction.without_webhooks:
        return
    if not transaction.events:
        transaction.before_commit.append(_write_events)
    transaction.events.append(NotedEvent(owner_id, type_, record_id, user_id, more))


async def _write_events(transaction: Transaction) -> None:
    events: list[NotedEvent] = [
        each for each in transaction.events if each.owner_id not in transaction.without_webhooks
    ]
    if not events:
        return
    owner_ids = sorted({each.owner_id for each in events})
    webhooks = await transaction.fetch(*statement("find_active_webhooks").bind(owner_ids=owner_ids))
    wanted = [
        (place, webhook["id"])
        for place, event in enumerate(events)
        for webhook in webhooks
        if webhook["owner_id"] == event.owner_id and (webhook["events"] is None or event.type in webhook["events"])
    ]
    if wanted:
        shown = await _shown(transaction, {place: events[place] for place, _ in wanted})
        records = [_record(events[place], webhook_id, shown[place]) for place, webhook_id in wanted if place in shown]
        await add_deliveries(transaction, records)


async def _shown(transaction: Transaction, events: Mapping[int, NotedEvent]) -> Mapping[int, asyncpg.Record]:
    """Returns the records of these events by their places; there is none where it is gone meanwhile."""
    rows = await transaction.fetch(
        *statement("show_event_records").bind(
            places=list(events),
            kinds=[EVENTS[each.type] for each in events.values()],
            owner_ids=[each.owner_id for each in events.values()],
            record_ids=[each.record_id for each in events.values()],
            user_ids=[each.user_id for each in events.values()],
        )
    )
    return {row["place"]: row for row in rows}


def _record(event: NotedEvent, webhook_id: int, shown: asyncpg.Record) -> dict[str, Any]:
    data = shown["record"]
    if event.more:
        data = f"{data[:-1]},{msgspec.json.encode(event.more).decode()[1:]}"
    return {
        "owner_id": event.owner_id,
        "webhook_id": webhook_id,
        "type": event.type,
        "data": data,
        "lead_id": shown["lead_id"],
        "contact_id": shown["contact_id"],
    }


async def add_deliveries(transaction: Transaction, records: Sequence[Mapping[str, Any]]) -> list[asyncpg.Record]:
    """Adds deliveries (owner_id, webhook_id, type, data, lead_id, contact_id) in order. Returns those that were added.

    The webhooks stay locked until the commit: their deliveries are numbered in the order of the commits. So it is the
    last thing that a transaction does.
    """
    added = await transaction.fetch(
        *statement("add_webhook_deliveries").bind(
            now=transaction.now, records=msgspec.json.encode(list(records)).decode()
        )
    )
    if any(row["was_idle"] for row in added):
        await transaction.notify(WEBHOOKS_CHANNEL)
    return added

"""Campaigns as they run: starts, steps that have fallen due, tasks that recur. When a step is due, the domain says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.campaign import ON_BIRTHDAYS, CampaignStep, next_due
from leadroutes.domain.model import CampaignAction
from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.messages import enqueue
from leadroutes.store.postgres import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A campaign that is to begin for a contact; `timezone` is the contact's, else the sender's."""

    owner_id: int
    contact_id: int
    campaign_id: int
    actions: Sequence[CampaignAction]
    timezone: str | None
    birthday: str | None
    lead_id: int | None = None
    started_by: int | None = None


async def start_campaigns(
    transaction: Transaction, planned: Iterable[tuple[Start, Sequence[CampaignStep] | None]]
) -> dict[tuple[int, int, int], int]:
    """Begin each with its steps, unless it runs already: then the lead's history says so.

    None as steps: it begins for another start of the same contact and campaign. Returns the new rows' ids by
    (owner_id, contact_id, campaign_id).
    """
    records = [_record(start, steps) for start, steps in planned]
    if not records:
        return {}
    rows = await transaction.fetch(
        *statement("start_campaigns").bind(now=transaction.now, starts=msgspec.json.encode(records).decode())
    )
    if again := [row for row in rows if row["settled_id"] is not None]:
        await transaction.execute(
            *statement("take_over_steps").bind(
                now=transaction.now,
                owner_ids=[row["owner_id"] for row in again],
                ended_ids=[row["settled_id"] for row in again],
                started_ids=[row["id"] for row in again],
            ),
        )
    await wake_worker(transaction)
    return {(row["owner_id"], row["contact_id"], row["campaign_id"]): row["id"] for row in rows}


def _record(start: Start, steps: Sequence[CampaignStep] | None) -> dict[str, Any]:
    return {
        "is_first": steps is not None,
        "owner_id": start.owner_id,
        "contact_id": start.contact_id,
        "campaign_id": start.campaign_id,
        "lead_id": start.lead_id,
        "started_by": start.started_by,
        "steps": [_step(step) for step in steps or ()],
    }


def _step(step: CampaignStep) -> dict[str, Any]:
    action = step.action
    return {
        "action_id": action.id,
        "type": action.type,
        "is_communication": step.is_communication,
        "due_at": step.due_at,
        "is_past": step.is_past,
        "template_id": action.template_id,
        "assigned_user_id": action.assigned_user_id,
        "is_stopped_on_text_reply": action.is_stopped_on_text_reply,
        "description": action.description,
        "is_recurring": action.recurrence is not None or action.trigger_type == ON_BIRTHDAYS,
    }


async def load_actions(transaction: Transaction, campaign_id: int) -> tuple[CampaignAction, ...]:
    """A campaign's actions as they are now."""
    rows = await transaction.fetch(
        "SELECT id, type, assigned_user_id, template_id, timing_type, delay_by_days, dispatch_time, delay_by_seconds,"
        " dispatch_datetime, recurrence, trigger_type, is_stopped_on_text_reply, description"
        " FROM campaign_actions WHERE campaign_id = $1 ORDER BY id",
        campaign_id,
    )
    return tuple(CampaignAction(**row) for row in rows)


async def queue_due_communications(transaction: Transaction, most: int, set_aside: Sequence[int]) -> list[datetime]:
    """Turn so many due steps into queued messages; answers the moments at which they were due, in any order."""
    return await _queue(transaction, most, set_aside, None)


async def queue_communications(transaction: Transaction, taken: Iterable[asyncpg.Record]) -> None:
    """The same for steps that have been taken, and so are locked."""
    await _queue(transaction, 0, (), [row["id"] for row in taken])


async def _queue(
    transaction: Transaction, most: int, set_aside: Sequence[int], taken: Sequence[int] | None
) -> list[datetime]:
    rows = await transaction.fetch(
        *statement("queue_communications").bind(now=transaction.now, most=most, excluded=set_aside, taken=taken)
    )
    await enqueue(transaction.connection, [(row["owner_id"], row["id"]) for row in rows if row["id"] is not None])
    if dealt_with := [row for row in rows if row["id"] is None]:
        await transaction.execute(*statement("finish_communications").bind(now=transaction.now, **_steps(dealt_with)))
    if of_birthdays := [row for row in rows if row["is_of_birthdays"]]:
        await _repeat_birthdays(transaction, of_birthdays)
    return [row["due_at"] for row in rows]


def _steps(rows: Sequence[asyncpg.Record]) -> dict[str, list[int]]:
    return {
        "owner_ids": [row["owner_id"] for row in rows],
        "communication_ids": [row["communication_id"] for row in rows],
    }


async def _repeat_birthdays(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Make next year's steps, by the contacts' birthdays and time zones as they are now."""
    rows = await transaction.fetch(*statement("load_birthday_steps").bind(**_steps(taken)))
    moments = [(row, moment) for row in rows if (moment := next_moment(row, transaction.now))]
    if moments:
        await transaction.execute(
            *statement("repeat_birthdays").bind(
                owner_ids=[row["owner_id"] for row, _ in moments],
                communication_ids=[row["id"] for row, _ in moments],
                moments=[moment for _, moment in moments],
            ),
        )


def next_moment(row: asyncpg.Record, now: datetime) -> datetime | None:
    """When a step comes again, as the domain says of its action and its contact; None: it does not."""
    if row["started_at"] is None or row["action_id"] is None:
        return None
    columns = {name: row[name] for name in CampaignAction.__struct_fields__ if name != "id"}
    action = CampaignAction(id=row["action_id"], **columns)
    return next_due(action, row["due_at"], row["started_at"], now, row["timezone"], row["birthday"])


async def repeat_held_birthdays(transaction: Transaction) -> None:
    """After a restore: what was held back of birthdays comes again in its time; the worker does what is missed here."""
    await queue_communications(transaction, await transaction.fetch(*statement("find_held_birthdays").bind()))


async def repeat_tasks(
    transaction: Transaction, taken: Sequence[asyncpg.Record], moments: Sequence[datetime | None]
) -> None:
    """Make the successors of recurring tasks that have come, each at its moment; None: it has none."""
    await transaction.execute(
        *statement("repeat_tasks").bind(
            now=transaction.now,
            owner_ids=[row["owner_id"] for row in taken],
            task_ids=[row["id"] for row in taken],
            moments=moments,
        ),
    )

"""Runs of campaigns: starts, due steps, recurring tasks. The domain decides when a step is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.campaign import ON_BIRTHDAYS, CampaignStep, next_due
from leadroutes.domain.model import CampaignAction, Variant
from leadroutes.domain.stops import STOP_EVENTS, StopEvent
from leadroutes.domain.variants import template_for
from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.messages import enqueue_campaign_messages
from leadroutes.store.postgres import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A campaign that is to start for a contact; `timezone` is the contact's, else the sender's."""

    owner_id: int
    contact_id: int
    campaign_id: int
    actions: Sequence[CampaignAction]
    timezone: str | None
    birthday: str | None
    lead_id: int | None = None
    started_by: int | None = None
    begins_with_claim: bool = False  # the claim of its lead starts it, and so does not stop it


async def start_campaigns(
    transaction: Transaction, planned: Iterable[tuple[Start, Sequence[CampaignStep] | None]]
) -> dict[tuple[int, int, int], int]:
    """Start each with its steps, unless it runs already: then the lead's history says so.

    None as steps: another start in the list is of the same contact and campaign. Returns the ids of the new runs by
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


async def find_begun_campaigns(
    transaction: Transaction, leads: Sequence[tuple[int, int]]
) -> set[tuple[int, int, int | None]]:
    """Return the campaigns that these leads, by owner and id, have started at any time: (owner_id, lead_id, id)."""
    if not leads:
        return set()
    bound = statement("find_begun_campaigns").bind(
        owner_ids=[owner_id for owner_id, _ in leads], lead_ids=[lead_id for _, lead_id in leads]
    )
    return {(row["owner_id"], row["lead_id"], row["campaign_id"]) for row in await transaction.fetch(*bound)}


def _record(start: Start, steps: Sequence[CampaignStep] | None) -> dict[str, Any]:
    return {
        "is_first": steps is not None,
        "owner_id": start.owner_id,
        "contact_id": start.contact_id,
        "campaign_id": start.campaign_id,
        "lead_id": start.lead_id,
        "started_by": start.started_by,
        "steps": [_step(start, step) for step in steps or ()],
    }


def _step(start: Start, step: CampaignStep) -> dict[str, Any]:
    action = step.action
    return {
        "action_id": action.id,
        "type": action.type,
        "is_communication": step.is_communication,
        "due_at": step.due_at,
        "is_past": step.is_past,
        "template_id": template_for(action, start.campaign_id, start.contact_id),
        "assigned_user_id": action.assigned_user_id,
        "is_stopped_on_text_reply": action.is_stopped_on_text_reply,
        "description": action.description,
        "is_recurring": action.recurrence is not None or action.trigger_type == ON_BIRTHDAYS,
    }


async def load_actions(transaction: Transaction, campaign_id: int) -> tuple[CampaignAction, ...]:
    """Return the present actions of a campaign."""
    rows = await transaction.fetch(
        "SELECT id, type, assigned_user_id, template_id, timing_type, delay_by_days, dispatch_time, delay_by_seconds,"
        " dispatch_datetime, recurrence, trigger_type, is_stopped_on_text_reply, description, variants::text"
        " FROM campaign_actions WHERE campaign_id = $1 ORDER BY id",
        campaign_id,
    )
    return tuple(CampaignAction(**{**row, "variants": _variants(row["variants"])}) for row in rows)


def _variants(text: str | None) -> tuple[Variant, ...] | None:
    return msgspec.json.decode(text, type=tuple[Variant, ...]) if text is not None else None


async def queue_communications(transaction: Transaction, taken: Iterable[asyncpg.Record]) -> None:
    """Turns due steps, which the caller has taken and so locked, into queued messages."""
    ids = [row["id"] for row in taken]
    if not ids:
        return
    rows = await transaction.fetch(*statement("queue_communications").bind(now=transaction.now, taken=ids))
    held = await _hold(transaction, [row for row in rows if row["pauses"]])
    leaving = [row for row in rows if (row["owner_id"], row["communication_id"]) not in held]
    queued = [(row["owner_id"], row["id"]) for row in leaving if row["id"] is not None]
    await enqueue_campaign_messages(transaction.connection, queued)
    if dealt_with := [row for row in leaving if row["id"] is None]:
        await transaction.execute(*statement("finish_communications").bind(now=transaction.now, **_steps(dealt_with)))
    if of_birthdays := [row for row in rows if row["is_of_birthdays"]]:
        await repeat_birthdays(transaction, of_birthdays)


async def _hold(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> set[tuple[int, int]]:
    """Hold the steps whose campaign waits until someone has the lead. Returns their owners and ids."""
    if not taken:
        return set()
    campaign_ids = sorted({row["campaign_id"] for row in taken})
    rows = await transaction.fetch(*statement("hold_pausing_steps").bind(campaign_ids=campaign_ids, **_steps(taken)))
    return {(row["owner_id"], row["id"]) for row in rows}


async def release_communications(transaction: Transaction, leads: Sequence[tuple[int, int]]) -> None:
    """Let the steps leave that waited until someone has these leads, given by owner and id."""
    released = await transaction.fetchval(
        *statement("release_communications").bind(
            owner_ids=[owner_id for owner_id, _ in leads], lead_ids=[lead_id for _, lead_id in leads]
        )
    )
    if released:
        await wake_worker(transaction)


async def release_communications_of_campaign(transaction: Transaction, campaign_id: int) -> None:
    """Let all steps of a campaign leave that waited until someone has the lead."""
    bound = statement("release_communications_of_campaign").bind(campaign_id=campaign_id)
    if await transaction.fetchval(*bound):
        await wake_worker(transaction)


async def stop_campaigns(
    transaction: Transaction,
    event: StopEvent,
    contacts: Sequence[tuple[int, int]],
    spared: Sequence[int] = (),
) -> None:
    """End the campaigns of these contacts, by owner and id, that stop on an event; the runs in `spared` go on.

    From the commit on nothing of them is sent that has not begun to leave. A conversation is also the call that any
    campaign has asked for.
    """
    if event == "conversation":
        await transaction.execute(
            *statement("finish_calls").bind(
                owner_ids=[owner_id for owner_id, _ in contacts],
                contact_ids=[contact_id for _, contact_id in contacts],
                reason=STOP_EVENTS[event],
                now=transaction.now,
            )
        )
    await transaction.execute(
        *statement("stop_campaigns_of_contacts").bind(
            event=event,
            owner_ids=[owner_id for owner_id, _ in contacts],
            contact_ids=[contact_id for _, contact_id in contacts],
            spared=list(spared),
            reason=STOP_EVENTS[event],
            now=transaction.now,
        )
    )


def _steps(rows: Sequence[asyncpg.Record]) -> dict[str, list[int]]:
    return {
        "owner_ids": [row["owner_id"] for row in rows],
        "communication_ids": [row["communication_id"] for row in rows],
    }


async def repeat_birthdays(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Add next year's steps, by the present birthdays and time zones of the contacts."""
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
    """Return when a step repeats, which the domain decides by its action and contact; None: it does not."""
    if row["started_at"] is None or row["action_id"] is None:
        return None
    columns = {name: row[name] for name in CampaignAction.__struct_fields__ if name not in ("id", "variants")}
    action = CampaignAction(id=row["action_id"], **columns)
    return next_due(action, row["due_at"], row["started_at"], now, row["timezone"], row["birthday"])


async def repeat_held_birthdays(transaction: Transaction) -> None:
    """After a restore, add the successors of birthday steps that were held back; the worker adds those missed here."""
    await queue_communications(transaction, await transaction.fetch(*statement("find_held_birthdays").bind()))


async def repeat_tasks(
    transaction: Transaction, taken: Sequence[asyncpg.Record], moments: Sequence[datetime | None]
) -> None:
    """Add the successors of recurring tasks that are due, each at its next moment; None: it has no successor."""
    await transaction.execute(
        *statement("repeat_tasks").bind(
            now=transaction.now,
            owner_ids=[row["owner_id"] for row in taken],
            task_ids=[row["id"] for row in taken],
            moments=moments,
        ),
    )

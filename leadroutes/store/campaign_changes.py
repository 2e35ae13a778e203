"""Applies a changed action of a campaign to the contacts for whom the campaign runs; the domain decides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

import asyncpg

from leadroutes.domain.campaign import ON_BIRTHDAYS
from leadroutes.domain.campaign_changes import COME_BACK, REMOVED, Edit, is_communication
from leadroutes.domain.model import CampaignAction
from leadroutes.domain.variants import template_for
from leadroutes.store import statement
from leadroutes.store.leads import wake_worker
from leadroutes.store.postgres import Transaction

STEPS_AT_ONCE: Final = 5_000  # that are written in one statement


@dataclass(slots=True)
class ChangedSteps:
    """What a change of an action changes for those for whom its campaign runs."""

    contacts: set[tuple[int, int]] = field(default_factory=set)  # by owner and id
    messages: set[tuple[str, int]] = field(default_factory=set)  # that are there, and that are added to a run
    tasks: set[tuple[str, int]] = field(default_factory=set)
    share: Fraction = Fraction(1)  # of those that it is carried over to; of the others as many change in proportion

    def count(self, owner_id: int, contact_id: int, step: tuple[str, int], *, is_message: bool) -> None:
        """Count a step of a contact, once however much of it changes."""
        self.contacts.add((owner_id, contact_id))
        (self.messages if is_message else self.tasks).add(step)

    def as_json(self) -> dict[str, int | bool]:
        """Return the numbers as the API shows them."""
        numbers = {"contacts": len(self.contacts), "messages": len(self.messages), "tasks": len(self.tasks)}
        return {name: round(number / self.share) for name, number in numbers.items()} | {"is_estimate": self.share != 1}


class StepOf(NamedTuple):
    """A step that an action has for a contact."""

    contact_id: int
    moment: datetime


async def lock_campaign_of_actions(transaction: Transaction, campaign_id: int) -> None:
    """Lock a campaign whose actions change: no one joins it before the transaction ends."""
    await transaction.execute("SELECT FROM campaigns WHERE id = $1 FOR NO KEY UPDATE", campaign_id)


async def find_edit(transaction: Transaction, campaign_id: int, action_id: int) -> Edit | None:
    """Return, locked, the edit of an action that is still being carried over; no batch of it is done meanwhile."""
    bound = statement("find_changed_action").bind(campaign_id=campaign_id, action_id=action_id)
    row = await transaction.fetchrow(*bound)
    return edit_of(row) if row is not None else None


def edit_of(row: asyncpg.Record) -> Edit:
    """Return an edit from its row."""
    return Edit(**{**{name: row[name] for name in Edit.__struct_fields__}, "changed": frozenset(row["changed"])})


async def store_edit(transaction: Transaction, edit: Edit) -> None:
    """Store how far an edit has been carried over; the worker goes on from there."""
    columns = {name: getattr(edit, name) for name in Edit.__struct_fields__} | {"changed": sorted(edit.changed)}
    await transaction.execute(*statement("store_changed_action").bind(**columns))
    await wake_worker(transaction)


async def finish_edit(transaction: Transaction, edit: Edit) -> None:
    """Note that an edit has been carried over to everyone."""
    await transaction.execute(
        *statement("finish_changed_action").bind(
            campaign_id=edit.campaign_id, action_id=edit.action_id, now=transaction.now
        )
    )


async def count_steps_to_change(transaction: Transaction, edit: Edit, since: datetime | None) -> int:
    """Return to how many contacts an edit is carried over in all."""
    number: int = await transaction.fetchval(
        *statement("count_steps_to_change").bind(
            campaign_id=edit.campaign_id, action_id=edit.action_id, is_timed=edit.is_timed, since=since
        )
    )
    return number


async def list_next(
    transaction: Transaction, edit: Edit, since: datetime | None, most: int, every: int = 1
) -> list[asyncpg.Record]:
    """Return what comes next of the part at which an edit is: open messages, open tasks, or runs.

    `every`: of one contact in so many, the same ones each time.
    """
    values: dict[str, Any] = {
        "action_id": edit.action_id, "after_id": edit.after_id, "most": most, "every": every,
    }  # fmt: skip
    match edit.part:
        case "messages":
            bound = statement("list_open_communications_of_action").bind(
                **values, campaign_id=edit.campaign_id, since=since
            )
        case "tasks":
            bound = statement("list_open_tasks_of_action").bind(**values, since=since)
        case "runs":
            bound = statement("list_runs_of_campaign").bind(
                campaign_id=edit.campaign_id, after_at=edit.after_at or since, after_id=edit.after_id, most=most,
                every=every,
            )  # fmt: skip
    return await transaction.fetch(*bound)


async def list_actions_timed_since(transaction: Transaction, campaign_id: int, since: datetime) -> set[int]:
    """Return the actions of a campaign that were added, or whose timing was changed, since a moment."""
    bound = statement("list_actions_timed_since").bind(campaign_id=campaign_id, since=since)
    return {row["id"] for row in await transaction.fetch(*bound)}


async def change_open_steps(
    transaction: Transaction,
    edit: Edit,
    action: CampaignAction,
    steps: Sequence[Any],
    done: ChangedSteps,
    *,
    is_written: bool,
) -> None:
    """Give open steps of an action, of one part, what it says by now: template, sender, description."""
    messages = steps if edit.part == "messages" else ()
    rows = await transaction.fetch(
        *statement("change_open_steps").bind(
            campaign_id=edit.campaign_id,
            action_id=action.id,
            communication_ids=[row["id"] for row in messages],
            template_ids=[template_for(action, edit.campaign_id, row["contact_id"]) for row in messages],
            task_ids=[row["id"] for row in steps] if edit.part == "tasks" else [],
            changes_description="description" in edit.changed,
            changes_assignee="assigned_user_id" in edit.changed,
            since=edit.changed_at,
            is_written=is_written,
            now=transaction.now,
        )
    )
    _count(done, rows)


async def end_open_steps(
    transaction: Transaction, edit: Edit, steps: Sequence[Any], done: ChangedSteps, *, is_written: bool
) -> None:
    """End open steps, of one part, of an action that was removed."""
    if edit.part == "tasks":
        bound = statement("end_tasks_of_action").bind(
            task_ids=[row["id"] for row in steps], since=edit.changed_at, is_written=is_written, now=transaction.now
        )
        _count(done, await transaction.fetch(*bound))
        return
    for row in steps:
        done.count(row["owner_id"], row["contact_id"], ("step", row["id"]), is_message=True)
    if is_written:
        await end_communications(transaction, [row["id"] for row in steps], REMOVED, edit.removed_by)


def _count(done: ChangedSteps, rows: Iterable[asyncpg.Record]) -> None:
    for row in rows:
        done.count(row["owner_id"], row["contact_id"], ("step", row["id"]), is_message=row["is_message"])


async def load_steps_of_action(
    transaction: Transaction,
    campaign_id: int,
    action: CampaignAction,
    run_ids: Sequence[int],
    since: datetime,
    *,
    is_locking: bool,
) -> list[asyncpg.Record]:
    """Return those runs that go on, each with what an action has made for it; a task that was due by then has left."""
    return await transaction.fetch(
        *statement("load_steps_of_action").bind(
            campaign_id=campaign_id,
            action_id=action.id,
            are_communications=is_communication(action),
            run_ids=list(run_ids),
            moved=COME_BACK,
            since=since,
            is_locking=is_locking,
        )
    )


async def move_steps(
    transaction: Transaction, campaign_id: int, action: CampaignAction, moved: Mapping[tuple[int, int], StepOf]
) -> None:
    """Move communications of an action, by owner and id, to other moments."""
    if moved:
        owner_ids, ids = zip(*moved, strict=True)
        await transaction.execute(
            *statement("move_steps").bind(
                campaign_id=campaign_id,
                action_id=action.id,
                owner_ids=list(owner_ids),
                communication_ids=list(ids),
                **_steps_of(action, campaign_id, moved.values()),
            )
        )
        await wake_worker(transaction)


async def end_communications(
    transaction: Transaction, ids: Sequence[int], reason: str, by_user_id: int | None = None
) -> None:
    """End communications that have not been sent, so many in one statement that none takes long."""
    for begin in range(0, len(ids), STEPS_AT_ONCE):
        await transaction.execute(
            *statement("end_communications").bind(
                communication_ids=list(ids[begin : begin + STEPS_AT_ONCE]),
                by_user_id=by_user_id,
                reason=reason,
                now=transaction.now,
            )
        )


async def move_tasks(
    transaction: Transaction, action: CampaignAction, moved: Mapping[tuple[int, int], datetime | None]
) -> None:
    """Move tasks, by owner and id, to other moments; None: it is not to be done any more."""
    if moved:
        owner_ids, ids = zip(*moved, strict=True)
        await transaction.execute(
            *statement("move_tasks_of_action").bind(
                owner_ids=list(owner_ids),
                task_ids=list(ids),
                moments=list(moved.values()),
                repeats=_repeats(action),
                now=transaction.now,
            )
        )
        await wake_worker(transaction)


async def add_steps(
    transaction: Transaction, campaign_id: int, action: CampaignAction, added: Mapping[tuple[int, int], StepOf]
) -> None:
    """Add steps of an action to runs, by owner and id, each at its moment."""
    if added:
        owner_ids, ids = zip(*added, strict=True)
        await transaction.execute(
            *statement("add_steps").bind(
                campaign_id=campaign_id,
                action_id=action.id,
                owner_ids=list(owner_ids),
                run_ids=list(ids),
                **_steps_of(action, campaign_id, added.values()),
                are_communications=is_communication(action),
                repeats=_repeats(action),
                now=transaction.now,
            )
        )
        await wake_worker(transaction)


def _steps_of(action: CampaignAction, campaign_id: int, steps: Iterable[StepOf]) -> dict[str, list[Any]]:
    listed = list(steps)
    return {
        "moments": [each.moment for each in listed],
        "template_ids": [template_for(action, campaign_id, each.contact_id) for each in listed],
    }


def _repeats(action: CampaignAction) -> bool:
    return action.recurrence is not None or action.trigger_type == ON_BIRTHDAYS

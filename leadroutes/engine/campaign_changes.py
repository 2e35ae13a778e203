"""Carries a change of a campaign's actions over to everyone for whom the campaign runs: load, decide, apply.

What concerns few is done in the transaction of the change. Of many the rest is handed to the worker, which does it in
batches; steps that wait for that do not leave, so that no one is sent what the campaign did not say at any moment.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any, Final

import asyncpg
from msgspec.structs import replace

from leadroutes.domain.campaign import is_of_day_zero
from leadroutes.domain.campaign_changes import (
    Edit,
    OpenStep,
    Run,
    StepChange,
    carried_further,
    decide_step,
    earliest_start,
    edited_again,
    is_communication,
    moment_for,
)
from leadroutes.domain.model import CampaignAction
from leadroutes.engine.campaign_removals import note_step_of_removed
from leadroutes.engine.campaigns import STEPS_PER_SLICE, FirstMoments
from leadroutes.store import campaign_changes as store
from leadroutes.store.campaign_changes import ChangedSteps, StepOf
from leadroutes.store.campaigns import load_actions
from leadroutes.store.postgres import Transaction

AT_ONCE: Final = 1_000  # steps that are changed in the transaction of the change itself
IN_A_BATCH: Final = 2_000  # steps that the worker changes in one transaction
MOST_TRIED: Final = 5_000  # contacts, or about so many, that are looked at to say what a change would change


async def note_action_removed(
    transaction: Transaction,
    owner_id: int,
    campaign_id: int,
    action_id: int,
    by_user_id: int,
    *,
    is_tried: bool = False,
) -> ChangedSteps:
    """End what an action that is about to be removed still has to come for any contact."""
    edit = Edit(
        campaign_id=campaign_id, action_id=action_id, changed=frozenset(), changed_at=transaction.now, is_removed=True,
        removed_by=by_user_id,
    )  # fmt: skip
    return await _begin(transaction, owner_id, edit, is_tried=is_tried)


async def note_action_changed(
    transaction: Transaction,
    owner_id: int,
    campaign_id: int,
    action_id: int,
    changed: Iterable[str],
    *,
    is_tried: bool = False,
) -> ChangedSteps:
    """Carry an action, as it has just been written, over to everyone for whom it has not left.

    `changed` are its columns that differ; of a new action, all. Raises ComputationNeeded. With `is_tried` nothing is
    written, and what is returned is all that would change, estimated where that concerns many; else it is what has been
    changed by now.
    """
    edit = Edit(
        campaign_id=campaign_id, action_id=action_id, changed=frozenset(changed), changed_at=transaction.now
    )  # fmt: skip
    return await _begin(transaction, owner_id, edit, is_tried=is_tried)


async def _begin(transaction: Transaction, owner_id: int, edit: Edit, *, is_tried: bool) -> ChangedSteps:
    done = ChangedSteps()
    await store.lock_campaign_of_actions(transaction, edit.campaign_id)
    if not edit.is_for_steps:
        return done
    if is_tried:
        await _try(await _load(transaction, owner_id, edit, done, is_written=False))
        return done
    pending = await store.find_edit(transaction, edit.campaign_id, edit.action_id)
    if pending is not None and pending.is_removed and not edit.is_removed:
        # The action is brought back under its id: its steps that were to end have ended, for everyone.
        await (await _load(transaction, owner_id, pending, done)).carry_over(None)
        await store.finish_edit(transaction, pending)
        pending = None
    if pending is not None:
        edit = edited_again(pending, edit)
    carrying = await _load(transaction, owner_id, edit, done)
    number = await store.count_steps_to_change(transaction, edit, carrying.since)
    rest = await carrying.carry_over(AT_ONCE)
    if rest is not None:
        await store.store_edit(transaction, replace(rest, left_count=max(0, number - carrying.handled)))
    elif pending is not None:
        await store.finish_edit(transaction, edit)
    return done


async def _try(tried: "_Carrying") -> None:
    """Count what would change. Where that concerns many contacts, some are looked at: the answer is not to take long.

    Which they are is drawn by lot, so that they are like all, whatever order the others came in.
    """
    number = await store.count_steps_to_change(tried.transaction, tried.edit, tried.since)
    tried.every = ceil(number / MOST_TRIED) or 1
    await tried.carry_over(None)
    if tried.every > 1 and tried.handled:
        tried.done.share = Fraction(tried.handled, number)


async def carry_on(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Carry edits, which the caller has taken and so locked, over to the next contacts. Raises ComputationNeeded."""
    for row in taken:
        edit = store.edit_of(row)
        carrying = await _load(transaction, row["owner_id"], edit, ChangedSteps())
        rest = await carrying.carry_over(IN_A_BATCH)
        if rest is None:
            await store.finish_edit(transaction, edit)
        else:
            await store.store_edit(transaction, replace(rest, left_count=max(0, rest.left_count - carrying.handled)))


async def note_step_touched(
    transaction: Transaction, owner_id: int, communication_id: int, step: asyncpg.Record
) -> None:
    """Carry what is still carried over of an action over to a step that someone is about to stop or to set going.

    `step` has its campaign_id, action_id, contact_id and run_id. Raises ComputationNeeded.
    """
    if step["campaign_id"] is None:
        return
    await note_step_of_removed(transaction, step["campaign_id"], communication_id)
    if step["action_id"] is None:
        return
    edit = await store.find_edit(transaction, step["campaign_id"], step["action_id"])
    if edit is not None:
        carrying = await _load(transaction, owner_id, replace(edit, part="messages"), ChangedSteps())
        known = {"owner_id": owner_id, "id": communication_id, "contact_id": step["contact_id"]}
        await carrying.change_steps([known | {"run_id": step["run_id"], "is_earlier": True}])


async def note_run_resumed(
    transaction: Transaction, owner_id: int, campaign_id: int, run_id: int, since: datetime
) -> None:
    """Carry what was added to a campaign, or moved, since it was stopped for a contact over to them.

    The caller has locked the campaign with its actions. Raises ComputationNeeded.
    """
    changed = await store.list_actions_timed_since(transaction, campaign_id, since)
    for action_id in sorted(changed):
        edit = Edit(
            campaign_id=campaign_id, action_id=action_id, changed=frozenset({"timing_type"}),
            changed_at=transaction.now,
        )  # fmt: skip
        carrying = await _load(transaction, owner_id, edit, ChangedSteps())
        await carrying.move([run_id])


async def _load(
    transaction: Transaction, owner_id: int, edit: Edit, done: ChangedSteps, *, is_written: bool = True
) -> "_Carrying":
    actions = await load_actions(transaction, edit.campaign_id)
    action = next((each for each in actions if each.id == edit.action_id), None)
    return _Carrying(transaction, owner_id, edit, actions, action, done, is_written)


@dataclass(slots=True)
class _Carrying:
    """An edit that is carried over, in one transaction; `action` None: it has been removed."""

    transaction: Transaction
    owner_id: int
    edit: Edit
    actions: tuple[CampaignAction, ...]
    action: CampaignAction | None
    done: ChangedSteps
    is_written: bool
    handled: int = 0  # contacts
    every: int = 1  # of so many contacts one is looked at
    rules: FirstMoments = field(init=False)

    def __post_init__(self) -> None:
        self.rules = FirstMoments(self.owner_id)

    @property
    def since(self) -> datetime | None:
        """From when on runs count that may have a step to come; None: all."""
        if self.action is None or not self.edit.is_timed:
            return None
        return earliest_start(self.action, self.edit.changed_at)

    async def carry_over(self, most: int | None) -> Edit | None:
        """Go on with so many steps, None: with all. Returns what is left; None: nothing."""
        rest: Edit | None = self.edit
        while rest is not None and (most is None or most > 0):
            size = store.STEPS_AT_ONCE if most is None else min(most, store.STEPS_AT_ONCE)
            self.edit = rest
            rows = await store.list_next(self.transaction, rest, self.since, size, self.every)
            if rest.part == "runs":
                self.handled += len(rows)
                await self.move([row["run_id"] for row in rows])
            else:
                await self.change_steps(rows)
            if most is not None:
                most -= len(rows)
            places = [(row["at"] if rest.part == "runs" else None, row["id"]) for row in rows]
            rest = carried_further(rest, places, is_end=len(rows) < size)
        return rest

    async def change_steps(self, rows: Sequence[Any]) -> None:
        """Change open messages, or open tasks. What is left to the part of the runs is not moved here."""
        if not rows:
            return
        earlier = [row for row in rows if row["is_earlier"]]
        self.handled += len(earlier if self.edit.is_timed else rows)
        if self.edit.is_removed:
            await store.end_open_steps(self.transaction, self.edit, rows, self.done, is_written=self.is_written)
        elif self.action is not None:
            if self.edit.has_words:
                await store.change_open_steps(
                    self.transaction, self.edit, self.action, rows, self.done, is_written=self.is_written
                )
            if self.edit.is_timed:
                await self.move([row["run_id"] for row in earlier if row["run_id"] is not None])

    async def move(self, run_ids: Sequence[int]) -> None:
        """Decide about the step of each run, and write what follows."""
        if not run_ids or self.action is None:
            return
        action, now = self.action, self.edit.changed_at
        rows = await store.load_steps_of_action(
            self.transaction, self.edit.campaign_id, action, run_ids, now, is_locking=self.is_written
        )
        first_days = tuple(filter(is_of_day_zero, self.actions))
        decided: list[tuple[asyncpg.Record, StepChange]] = []
        for number, row in enumerate(rows):  # a transaction must not pause for long
            if number % STEPS_PER_SLICE == STEPS_PER_SLICE - 1:
                await asyncio.sleep(0)
            run = Run(
                started_at=row["started_at"],
                counts_from=row["counts_from"],
                timezone=row["timezone"],
                birthday=row["birthday"],
            )
            moment = moment_for(action, first_days, run, now, self.rules.first)
            change = decide_step(action, _open_step(row), moment, now)
            if change.fate != "stays" or change.is_added:
                decided.append((row, change))
                is_message = is_communication(action) if change.fate == "stays" else row["is_message"]
                step = ("run", row["run_id"]) if change.fate == "stays" else ("step", row["id"])
                self.done.count(row["owner_id"], row["contact_id"], step, is_message=is_message)
        self.rules.demand()
        if self.is_written:
            await _apply(self.transaction, self.edit.campaign_id, action, decided)


def _open_step(row: asyncpg.Record) -> OpenStep | None:
    """Returns what the action has made for a run; None: nothing yet."""
    if row["id"] is None:
        return None
    return OpenStep(**{name: row[name] for name in OpenStep.__struct_fields__})


async def _apply(
    transaction: Transaction,
    campaign_id: int,
    action: CampaignAction,
    decided: Iterable[tuple[asyncpg.Record, StepChange]],
) -> None:
    ended: dict[str, list[int]] = {}
    moved: dict[tuple[int, int], StepOf] = {}
    tasks: dict[tuple[int, int], datetime | None] = {}
    added: dict[tuple[int, int], StepOf] = {}
    for row, change in decided:
        key = (row["owner_id"], row["id"])
        match change.fate:
            case "ends" if row["is_message"]:
                ended.setdefault(change.reason or "", []).append(row["id"])
            case "ends":
                tasks[key] = None
            case "moves" | "comes back" if row["is_message"] and change.moment is not None:
                moved[key] = StepOf(row["contact_id"], change.moment)
            case "moves" | "comes back":
                tasks[key] = change.moment
        if change.is_added and change.moment is not None:
            added[row["owner_id"], row["run_id"]] = StepOf(row["contact_id"], change.moment)
    for reason, ids in ended.items():
        await store.end_communications(transaction, ids, reason)
    await store.move_steps(transaction, campaign_id, action, moved)
    await store.move_tasks(transaction, action, tasks)
    await store.add_steps(transaction, campaign_id, action, added)

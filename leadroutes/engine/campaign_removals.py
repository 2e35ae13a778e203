"""Removes a campaign: ends its steps, and deletes its runs.

What few have of it goes in the transaction of the removal. Of many the rest is handed to the worker, which does it in
batches; nothing of the campaign leaves from the removal on.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg

from leadroutes.store.campaign_removals import (
    delete_runs,
    end_and_leave,
    find_removed,
    forget_removed,
    list_steps,
)
from leadroutes.store.postgres import Transaction

AT_ONCE: Final = 1_000  # steps, and runs, that go in the transaction of the removal itself
IN_A_BATCH: Final = 1_000  # that the worker does in one transaction


async def empty_campaign(transaction: Transaction, campaign_id: int, name: str, by_user_id: int) -> None:
    """End what few have of a campaign that the caller has locked and is about to delete; of many nothing yet."""
    steps = await list_steps(transaction, campaign_id, AT_ONCE + 1)
    if len(steps) <= AT_ONCE:
        await end_and_leave(transaction, campaign_id, name, steps, transaction.now, by_user_id)
        await delete_runs(transaction, campaign_id, AT_ONCE)


async def carry_removals_on(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """End the next steps, or else delete the next runs, of removed campaigns that the caller has taken, and so locked.

    One or the other in a transaction: whoever stops a run takes it before its steps.
    """
    for row in taken:
        steps = await list_steps(transaction, row["id"], IN_A_BATCH)
        if steps:
            await end_and_leave(transaction, row["id"], row["name"], steps, row["removed_at"], row["removed_by"])
        elif await delete_runs(transaction, row["id"], IN_A_BATCH) < IN_A_BATCH:
            await forget_removed(transaction, row["id"])


async def note_step_of_removed(transaction: Transaction, campaign_id: int, communication_id: int) -> None:
    """End a step that someone is about to stop or to set going, where its campaign is being removed."""
    row = await find_removed(transaction, campaign_id)
    if row is not None:
        steps = [{"id": communication_id, "is_active": True}]
        await end_and_leave(transaction, row["id"], row["name"], steps, row["removed_at"], row["removed_by"])

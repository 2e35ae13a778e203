"""What is left of campaigns that have been removed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from leadroutes.domain.stops import CAMPAIGN_REMOVED
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction


async def list_steps(transaction: Transaction, campaign_id: int, most: int) -> list[asyncpg.Record]:
    """Return so many steps of a campaign: id and is_active of each."""
    return await transaction.fetch(*statement("list_steps_of_campaign").bind(campaign_id=campaign_id, most=most))


async def end_and_leave(
    transaction: Transaction,
    campaign_id: int,
    name: str,
    steps: Sequence[Mapping[str, Any] | asyncpg.Record],
    moment: datetime,
    by_user_id: int | None,
) -> None:
    """End those of these steps that have not been sent, and take all out of the campaign, whose name they retain."""
    if not steps:
        return
    await transaction.execute(
        *statement("end_communications").bind(
            communication_ids=[each["id"] for each in steps if each["is_active"]],
            now=moment,
            by_user_id=by_user_id,
            reason=CAMPAIGN_REMOVED,
        )
    )
    await transaction.execute(
        *statement("leave_campaign").bind(
            campaign_id=campaign_id, name=name, communication_ids=[each["id"] for each in steps]
        )
    )


async def delete_runs(transaction: Transaction, campaign_id: int, most: int) -> int:
    """Delete so many runs of a campaign; return how many there were."""
    bound = statement("delete_runs_of_campaign").bind(campaign_id=campaign_id, most=most)
    number: int = await transaction.fetchval(*bound)
    return number


async def find_removed(transaction: Transaction, campaign_id: int) -> asyncpg.Record | None:
    """Return, locked, a removed campaign of which something is left."""
    return await transaction.fetchrow(*statement("find_removed_campaign").bind(campaign_id=campaign_id))


async def note_removing_user(transaction: Transaction, campaign_id: int, user_id: int) -> None:
    """Note who has removed a campaign, where something of it is left."""
    await transaction.execute(*statement("note_removing_user").bind(campaign_id=campaign_id, user_id=user_id))


async def forget_removed(transaction: Transaction, campaign_id: int) -> None:
    """Note that nothing is left of a campaign."""
    await transaction.execute(*statement("forget_removed_campaign").bind(campaign_id=campaign_id))

"""Reads who is available, for all members that a batch asks about at once. It decides nothing."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from leadroutes.domain.availability import Presence
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction
from leadroutes.store.workloads import MemberOfOwner

MOST_TIME_OFF: Final = 200  # entries of one member that are looked at: those that end first


async def lock_availabilities(transaction: Transaction, user_ids: Collection[int]) -> None:
    """Wait for other decisions about these users; what is read afterwards stays so until this one is committed."""
    if user_ids:
        await transaction.fetch(*statement("lock_availabilities").bind(user_ids=sorted(user_ids)))


async def load_presences(transaction: Transaction, members: Collection[MemberOfOwner]) -> dict[MemberOfOwner, Presence]:
    """Return what is stored about each. One statement for all, none for no one."""
    if not members:
        return {}
    wanted = sorted(members)
    rows = await transaction.fetch(
        *statement("load_presences").bind(
            owner_ids=[owner_id for owner_id, _ in wanted],
            user_ids=[user_id for _, user_id in wanted],
            now=transaction.now,
            most=MOST_TIME_OFF,
        )
    )
    return {(row["owner_id"], row["user_id"]): presence_of(row) for row in rows}


def presence_of(row: asyncpg.Record) -> Presence:
    """Return what a row says of a user, whose time off is JSON."""
    return Presence(
        timezone=row["timezone"],
        weekly_hours=row["weekly_hours"],
        is_paused=row["is_paused"],
        paused_until=row["paused_until"],
        off=msgspec.json.decode(row["off"], type=tuple[tuple[datetime, datetime], ...]),
    )

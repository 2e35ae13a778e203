"""Reads how members stand whose teams distribute by what they have; the locks that make it exact are the caller's."""

from collections.abc import Mapping
from datetime import timedelta

from leadroutes.domain.model import OPEN_FOR
from leadroutes.domain.standings import FirstOffers, Standings, standings_of
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction
from leadroutes.store.workloads import MemberOfOwner, load_workloads


async def load_standings(
    transaction: Transaction, zones: Mapping[MemberOfOwner, str], open_for: timedelta = OPEN_FOR
) -> dict[int, Standings]:
    """Return the standings by owner; `zones` are the members' time zones. Two statements for all, none for no one."""
    if not zones:
        return {}
    workloads = await load_workloads(transaction, zones, open_for)
    wanted = sorted(zones)
    rows = await transaction.fetch(
        *statement("load_first_offers").bind(
            owner_ids=[owner_id for owner_id, _ in wanted],
            user_ids=[user_id for _, user_id in wanted],
            open_since=transaction.now - open_for,
        )
    )
    offers = {
        (row["owner_id"], row["user_id"]): FirstOffers(
            on_offer=row["on_offer"], last_at=row["last_at"], last_id=row["last_id"] or 0
        )
        for row in rows
    }
    members: dict[int, list[int]] = {}
    for owner_id, user_id in wanted:
        members.setdefault(owner_id, []).append(user_id)
    return {
        owner_id: standings_of(
            users,
            {user_id: workloads[owner_id, user_id] for user_id in users},
            {user_id: offers[owner_id, user_id] for user_id in users},
        )
        for owner_id, users in members.items()
    }

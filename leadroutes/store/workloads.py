"""Reads how busy members are; the locks that make it exact are the caller's. It decides nothing."""

from collections.abc import Mapping
from datetime import timedelta

from leadroutes.domain.model import OPEN_FOR
from leadroutes.domain.workloads import Workload, spans_of
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction

MemberOfOwner = tuple[int, int]  # owner, user


async def load_workloads(
    transaction: Transaction, zones: Mapping[MemberOfOwner, str], open_for: timedelta = OPEN_FOR
) -> dict[MemberOfOwner, Workload]:
    """Return the workload of each; `zones` are their time zones. One statement for all, none for no one."""
    if not zones:
        return {}
    wanted = sorted(zones)
    spans = [spans_of(transaction.now, zones[each]) for each in wanted]
    rows = await transaction.fetch(
        *statement("load_workloads").bind(
            owner_ids=[owner_id for owner_id, _ in wanted],
            user_ids=[user_id for _, user_id in wanted],
            days=[each.day for each in spans],
            weeks=[each.week for each in spans],
            open_since=transaction.now - open_for,
        )
    )
    return {
        (row["owner_id"], row["user_id"]): Workload(
            open_leads=row["open_leads"],
            leads_today=row["leads_today"],
            leads_this_week=row["leads_this_week"],
            last_lead_at=row["last_lead_at"],
            last_event_id=row["last_event_id"] or 0,
        )
        for row in rows
    }

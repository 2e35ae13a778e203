"""Past leads for a trial, and the trial's own row. Decides nothing."""

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from leadroutes.domain.availability import Presence
from leadroutes.domain.condition_fields import CUSTOM, needs_contact
from leadroutes.errors import Conflict
from leadroutes.store import statement
from leadroutes.store.availability import MOST_TIME_OFF, presence_of
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import TRIAL_JOB, enqueue

LEADS_PER_PART: Final = 2_000


@dataclass(frozen=True, slots=True)
class PastLeads:
    """An owner's leads from a moment on, until another one."""

    owner_id: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class LeadsPart:
    """Some leads as JSON, in order of arrival."""

    count: int
    leads: bytes


async def count_past_leads(source: Database | Transaction, period: PastLeads) -> tuple[int, int]:
    """Returns how many leads a trial decides, and how many are held and left out."""
    row = await source.fetchrow(
        *statement("count_past_leads").bind(owner_id=period.owner_id, since=period.since, until=period.until)
    )
    assert row is not None
    return row["leads"], row["held"]


async def load_past_presences(database: Database, past: PastLeads, user_ids: Collection[int]) -> dict[int, Presence]:
    """Returns what is stored of each: hours and pauses as they are now, and time off since the leads came."""
    wanted = sorted(user_ids)
    rows = await database.fetch(
        *statement("load_presences").bind(
            owner_ids=[past.owner_id] * len(wanted), user_ids=wanted, now=past.since, most=MOST_TIME_OFF
        )
    )
    return {row["user_id"]: presence_of(row) for row in rows}


async def list_past_leads(
    database: Database, period: PastLeads, keys: Iterable[str], most: int = LEADS_PER_PART
) -> AsyncIterator[LeadsPart]:
    """Yields leads in order of arrival, with what conditions ask for by these names of facts."""
    asked = set(keys)
    after: tuple[datetime, int] = (period.since, -1)
    while True:
        row = await database.fetchrow(
            *statement("list_past_leads").bind(
                owner_id=period.owner_id,
                after_moment=after[0],
                after_id=after[1],
                until=period.until,
                most=most,
                with_lead=bool(asked),
                with_message="message" in asked,
                with_contact=any(map(needs_contact, asked)),
                with_custom=any(each.startswith(CUSTOM) for each in asked),
            )
        )
        assert row is not None
        if row["leads"]:
            yield LeadsPart(row["leads"], row["past_leads"].encode())
        if row["leads"] < most:
            return
        after = row["last_moment"], row["last_id"]


async def add_trial(transaction: Transaction, period: PastLeads, user_id: int, **columns: Any) -> int:
    """Adds a trial and puts its job into the queue. Raises Conflict while another one of the owner runs."""
    try:
        trial_id: int = await transaction.fetchval(
            *statement("add_trial").bind(
                owner_id=period.owner_id, user_id=user_id, since=period.since, until=period.until, **columns
            )
        )
    except asyncpg.UniqueViolationError:
        raise Conflict("Another trial of this account is under way; wait until it has ended") from None
    await enqueue(transaction.connection, TRIAL_JOB, [(period.owner_id, trial_id)])
    return trial_id

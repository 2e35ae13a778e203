"""Starts campaigns and repeats tasks, by rules computed beforehand: no transaction waits for what owners wrote.

If something still has to be computed, ComputationNeeded says what, and the transaction is begun again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Final

import asyncpg

from leadroutes.domain.campaign import CampaignStep, plan_steps
from leadroutes.domain.dedupe import KnownContact
from leadroutes.domain.model import Decision, RuleSet
from leadroutes.sandbox.recurrences import COMES_AGAIN, FIRST_MOMENTS, NEXT_MOMENT, RuleProgress, RuleStart
from leadroutes.sandbox.results import ComputedCache
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.store import campaigns
from leadroutes.store.campaigns import Start
from leadroutes.store.postgres import Transaction

STEPS_PER_SLICE: Final = 200  # steps that are planned before other work goes on

_FIRST: Final = ComputedCache(FIRST_MOMENTS, most=20_000)
_COMES: Final = ComputedCache(COMES_AGAIN, most=1_000)
_NEXT: Final = ComputedCache(NEXT_MOMENT, most=5_000)


async def start_campaigns(transaction: Transaction, starts: Iterable[Start]) -> dict[tuple[int, int, int], int]:
    """Start each, unless it runs already. Returns the new rows' ids by (owner_id, contact_id, campaign_id).

    A task whose rule does not occur within ten years, or cannot be computed, is not made. Raises ComputationNeeded.
    """
    rules = FirstMoments()
    planned: list[tuple[Start, tuple[CampaignStep, ...] | None]] = []
    seen: set[tuple[int, int, int]] = set()
    steps = 0
    for start in starts:
        key = (start.owner_id, start.contact_id, start.campaign_id)
        if key in seen:
            planned.append((start, None))
            continue
        seen.add(key)
        rules.owner_id = start.owner_id
        planned.append((start, plan_steps(start.actions, transaction.now, start.timezone, start.birthday, rules.first)))
        steps += len(start.actions)
        if steps >= STEPS_PER_SLICE:
            steps = 0
            await asyncio.sleep(0)
    rules.demand()
    return await campaigns.start_campaigns(transaction, planned)


def campaign_start(decision: Decision, rule_set: RuleSet, contact: KnownContact) -> Start | None:
    """Returns the route's campaign if it starts now: on arrival, or once someone has the lead. Else None."""
    route = decision.route
    if route is None or (route.campaign_start == "Claim" and decision.change.claim is None):
        return None
    owner_id = rule_set.rules.owner_id
    sender = rule_set.rules.people.get(contact.assigned_user_id or owner_id) or rule_set.owner
    return Start(
        owner_id=owner_id,
        contact_id=contact.id,
        campaign_id=route.campaign_id,
        actions=rule_set.rules.campaigns.get(route.campaign_id, ()),
        timezone=contact.time_zone or sender.timezone,
        birthday=contact.birthday,
        lead_id=decision.change.lead.id,
        begins_with_claim=route.campaign_start == "Claim",
    )


@dataclass(slots=True)
class FirstMoments:
    """The first moments of rules, as far as they are known, and the rules that have to be computed, by owner."""

    owner_id: int = 0
    unknown: defaultdict[int, list[RuleStart]] = field(default_factory=lambda: defaultdict(list))

    def first(self, recurrence: str, day: date) -> Sequence[datetime]:
        asked = RuleStart(recurrence, day)
        try:
            found = _FIRST.find(asked)
        except KeyError:
            self.unknown[self.owner_id].append(asked)
            return ()
        return () if isinstance(found, ComputationFailed) else found

    def demand(self) -> None:
        if self.unknown:
            raise _FIRST.first(self.unknown)


def first_moments(owner_id: int) -> FirstMoments:
    """Returns what `plan_steps` asks for the rules of an owner; `demand()` afterwards."""
    return FirstMoments(owner_id)


async def repeat_tasks(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """Make the successors of recurring tasks that are due, even if these were moved. Raises ComputationNeeded."""
    moments: list[datetime | None] = []
    unknown: list[tuple[int, RuleProgress]] = []
    for row in taken:
        if row["timing_type"] != "Recurring" or row["started_at"] is None:
            moments.append(campaigns.next_moment(row, transaction.now))
            continue
        asked = RuleProgress(row["recurrence"] or "", row["started_at"], row["due_at"], row["timezone"])
        try:
            found = _NEXT.find(asked)
        except KeyError:
            unknown.append((row["owner_id"], asked))
            continue
        moments.append(None if isinstance(found, ComputationFailed) else found.moment)
    if unknown:
        unknown.sort(key=lambda each: each[0])
        raise _NEXT.first(
            {owner: [asked for _, asked in theirs] for owner, theirs in groupby(unknown, key=lambda each: each[0])}
        )
    await campaigns.repeat_tasks(transaction, taken, moments)


def is_to_come(owner_id: int, recurrence: str, today: date) -> bool:
    """Whether a rule occurs within ten years; False if it cannot be computed. Raises ComputationNeeded."""
    asked = RuleStart(recurrence, today)
    try:
        return _COMES.find(asked) is True
    except KeyError:
        raise _COMES.first({owner_id: [asked]}) from None

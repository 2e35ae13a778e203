"""Group commit of claims: those that arrive while a commit is under way share the next one. Each lead has one winner.

The domain decides on one claim after the other; each caller gets its own result once it is on disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.model import Change, Via
from leadroutes.domain.rollout import claim
from leadroutes.domain.routing import refuse_when_departed
from leadroutes.engine.changes import change_leads, name_winners
from leadroutes.errors import AlreadyClaimed, NotFound, Problem
from leadroutes.observability.traces import span
from leadroutes.store.audit import note_act
from leadroutes.store.batching import GroupCommit, GroupCommits
from leadroutes.store.leads import LeadRow, load_leads, lock_lead, lock_open_leads
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

MAX_BATCH_SIZE = 100
MAX_CONCURRENT_BATCHES = 2  # commits under way: while the database works on one batch, the next is decided

LeadKey = tuple[int, int]  # owner, lead


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A user wants a lead."""

    owner_id: int
    lead_id: int
    user_id: int
    via: Via
    act: AuditRow | None = None  # for the audit

    @property
    def key(self) -> LeadKey:
        return self.owner_id, self.lead_id


@dataclass(frozen=True, slots=True)
class BatchResult:
    """A problem for each request that is refused, and the leads that another transaction has locked."""

    answers: Sequence[Problem | None]
    busy: frozenset[LeadKey]


class Claims:
    """One per process."""

    def __init__(self, database: Database, rule_sets: RuleSets) -> None:
        self._database = database
        self._rule_sets = rule_sets
        self._batches: GroupCommit[ClaimRequest, None] = GroupCommit(
            self._claim_batch, max_batch=MAX_BATCH_SIZE, concurrency=MAX_CONCURRENT_BATCHES, owner=_owner
        )
        self._locked_leads = LockedLeads(partial(self._decide, waits=True))

    async def claim(self, request: ClaimRequest) -> None:
        """Returns once the lead is the user's, on disk; done again, it is the same.

        Raises NotFound, or Conflict saying who has the lead or why the user may not claim it.
        """
        await self._batches.add(request)

    async def _claim_batch(self, batch: list[ClaimRequest]) -> Sequence[Problem | asyncio.Future[None] | None]:
        result = await self._decide(batch, waits=False)
        return [
            self._locked_leads.claim(request) if request.key in result.busy else answer
            for request, answer in zip(batch, result.answers, strict=True)
        ]

    async def _decide(self, batch: Sequence[ClaimRequest], *, waits: bool) -> BatchResult:
        async def work(transaction: Transaction) -> BatchResult:
            return await decide_claims(transaction, self._rule_sets, batch, waits=waits)

        with span("store claims", batch=len(batch)):
            return await self._database.run_prepared(work)


class LockedLeads:
    """Claims of leads that another transaction has locked.

    Those of one lead wait together, on one connection; claims of other leads do not wait for them.
    """

    def __init__(self, decide: Callable[[list[ClaimRequest]], Awaitable[BatchResult]]) -> None:
        self._decide = decide
        self._claims: GroupCommits[LeadKey, ClaimRequest, None] = GroupCommits(self._claims_of)

    def claim(self, request: ClaimRequest) -> asyncio.Future[None]:
        """Returns a future that is done once the lock has been released and the claim has been decided."""
        return self._claims.add(request.key, request)

    def _claims_of(self, _key: LeadKey, when_idle: Callable[[], object]) -> GroupCommit[ClaimRequest, None]:
        return GroupCommit(self._claim_batch, owner=_owner, when_idle=when_idle)

    async def _claim_batch(self, batch: list[ClaimRequest]) -> Sequence[Problem | None]:
        return (await self._decide(batch)).answers


def _owner(request: ClaimRequest) -> int:
    return request.owner_id


async def decide_claims(
    transaction: Transaction, rule_sets: RuleSets, requests: Sequence[ClaimRequest], *, waits: bool = False
) -> BatchResult:
    """Decides on claims in order, each with the result of those before it, and writes what follows.

    `waits`: waits for leads that another transaction has locked; else these are returned as busy.
    """
    keys = {request.key for request in requests}
    held = await _lock(transaction, keys, waits=waits)
    rows = {row.key: row for row in await load_leads(transaction, rule_sets, keys)}
    busy = frozenset(key for key, row in rows.items() if row.lead.claim is None and key not in held)
    answers: list[Problem | None] = []
    changes: list[tuple[LeadRow, Change]] = []
    acts: list[AuditRow] = []
    for request in requests:
        match _decide(request, None if request.key in busy else rows.get(request.key), transaction.now):
            case Change() as change:
                row = rows[request.key]
                changes.append((row, change))
                acts += [request.act] if request.act is not None else []
                rows[request.key] = replace(row, lead=change.lead)
                answers.append(None)
            case answer:
                answers.append(answer)
    await change_leads(transaction, rule_sets, changes)
    for act in acts:
        note_act(transaction, act)
    lost = iter(await name_winners(transaction, [each for each in answers if isinstance(each, AlreadyClaimed)]))
    return BatchResult([next(lost) if isinstance(each, AlreadyClaimed) else each for each in answers], busy)


async def _lock(transaction: Transaction, keys: Collection[LeadKey], *, waits: bool) -> Collection[LeadKey]:
    if not waits:
        return await lock_open_leads(transaction, keys)
    for owner_id, lead_id in sorted(keys):
        with suppress(NotFound):
            await lock_lead(transaction, owner_id, lead_id)
    return keys


def _decide(request: ClaimRequest, row: LeadRow | None, now: datetime) -> Change | Problem | None:
    """Returns None where the user has the lead already."""
    if row is None:
        return NotFound.record(request.lead_id)
    try:
        refuse_when_departed(row.present, row.lead, request.user_id)
        return claim(row.lead, request.user_id, request.via, now)
    except Problem as problem:
        return problem

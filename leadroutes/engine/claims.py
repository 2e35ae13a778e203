"""Group commit of claims: those that come while a commit is under way share the next one. Each lead has one winner.

Whether somebody may have a lead, the domain says, one claim after the other; everybody hears of his once it is on disk.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from leadroutes.domain.model import Change, Via
from leadroutes.domain.rollout import claim
from leadroutes.domain.routing import refuse_when_departed
from leadroutes.engine.changes import change_leads, name_winners
from leadroutes.errors import AlreadyClaimed, ComputationNeeded, NotFound, Problem, Unavailable
from leadroutes.observability.traces import span
from leadroutes.store.batching import DeferredItems, GroupCommit, resolve
from leadroutes.store.leads import LeadRow, load_leads, lock_lead, lock_open_leads
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

MAX_BATCH_SIZE = 100
MAX_CONCURRENT_BATCHES = 2  # commits under way: while the database works on one batch, the next is decided

LeadKey = tuple[int, int]  # owner, lead


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Somebody wants a lead."""

    owner_id: int
    lead_id: int
    user_id: int
    via: Via

    @property
    def key(self) -> LeadKey:
        return self.owner_id, self.lead_id


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of a batch: a problem for each who does not have his lead, and the leads that somebody else held."""

    answers: Sequence[Problem | None]
    busy: frozenset[LeadKey]


@dataclass(frozen=True, slots=True)
class _PendingClaim:
    request: ClaimRequest
    answer: "asyncio.Future[None]"


class Claims:
    """One per process."""

    def __init__(self, database: Database, rule_sets: RuleSets) -> None:
        self._database = database
        self._rule_sets = rule_sets
        self._batches: GroupCommit[_PendingClaim] = GroupCommit(
            self._decide_batch, max_batch=MAX_BATCH_SIZE, concurrency=MAX_CONCURRENT_BATCHES
        )
        self._deferred: DeferredItems[_PendingClaim] = DeferredItems(
            lambda waiting: waiting.request.owner_id,
            self._batches.add,
            lambda waiting, error: resolve(waiting.answer, error),
        )
        self._waiting_for_lock: dict[
            LeadKey, list[_PendingClaim]
        ] = {}  # who wants a lead that is waited for, and came since
        self._lock_waiters: set[asyncio.Task[None]] = set()

    async def claim(self, request: ClaimRequest) -> None:
        """The lead is his, on disk; asking again is the same. NotFound, or Conflict saying who has it or why not."""
        waiting = _PendingClaim(request, asyncio.get_running_loop().create_future())
        self._batches.add(waiting)
        await waiting.answer

    async def _decide_batch(self, batch: Sequence[_PendingClaim], *, waits: bool = False) -> None:
        """One that breaks the whole batch is found by settling each alone; only its own caller hears of it."""

        async def work(transaction: Transaction) -> BatchResult:
            return await decide_claims(
                transaction, self._rule_sets, [waiting.request for waiting in batch], waits=waits
            )

        try:
            with span("store claims", batch=len(batch)):
                result = await self._database.run_prepared(work)
        except ComputationNeeded as needed:
            if others := self._deferred.defer(batch, needed):
                await self._decide_batch(others, waits=waits)
            return
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers have to hear of it
            if len(batch) == 1 or isinstance(error, Unavailable):
                for waiting in batch:
                    resolve(waiting.answer, error)
                return
            for waiting in batch:
                await self._decide_batch([waiting], waits=True)
            return
        locked: defaultdict[LeadKey, list[_PendingClaim]] = defaultdict(list)
        for waiting, answer in zip(batch, result.answers, strict=True):
            if waiting.request.key in result.busy:
                locked[waiting.request.key].append(waiting)
            else:
                resolve(waiting.answer, answer)
        for key, group in locked.items():
            self._wait_for_lead(key, group)

    def _wait_for_lead(self, key: LeadKey, group: Sequence[_PendingClaim]) -> None:
        """Somebody else holds this lead: those who want it wait for him, on one connection, and nobody else does."""
        if key in self._waiting_for_lock:
            self._waiting_for_lock[key].extend(group)
            return
        self._waiting_for_lock[key] = [*group]
        task = asyncio.create_task(self._claim_when_unlocked(key))
        self._lock_waiters.add(task)
        task.add_done_callback(self._lock_waiters.discard)

    async def _claim_when_unlocked(self, key: LeadKey) -> None:
        while group := self._waiting_for_lock[key]:
            self._waiting_for_lock[key] = []
            await self._decide_batch(group, waits=True)
        del self._waiting_for_lock[key]


async def decide_claims(
    transaction: Transaction, rule_sets: RuleSets, requests: Sequence[ClaimRequest], *, waits: bool = False
) -> BatchResult:
    """Decide them in order, each seeing what came of those before it, and write what follows.

    A lead that somebody else holds is left as it is, unless `waits`: then he is waited for.
    """
    keys = {request.key for request in requests}
    held = await _lock(transaction, keys, waits=waits)
    rows = {row.key: row for row in await load_leads(transaction, rule_sets, keys)}
    busy = frozenset(key for key, row in rows.items() if row.lead.claim is None and key not in held)
    answers: list[Problem | None] = []
    changes: list[tuple[LeadRow, Change]] = []
    for request in requests:
        match _decide(request, None if request.key in busy else rows.get(request.key), transaction.now):
            case Change() as change:
                row = rows[request.key]
                changes.append((row, change))
                rows[request.key] = replace(row, lead=change.lead)
                answers.append(None)
            case answer:
                answers.append(answer)
    await change_leads(transaction, rule_sets, changes)
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
    """None: he has it already."""
    if row is None:
        return NotFound.record(request.lead_id)
    try:
        refuse_when_departed(row.present, row.lead, request.user_id)
        return claim(row.lead, request.user_id, request.via, now)
    except Problem as problem:
        return problem

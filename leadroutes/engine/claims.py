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
from leadroutes.engine.changes import change_leads, worded
from leadroutes.errors import Conflict, NotFound, Problem, Unavailable, WorkFirst
from leadroutes.observability.traces import span
from leadroutes.store.batching import Aside, Lanes, give
from leadroutes.store.leads import LeadRow, load_leads, lock_lead, lock_open_leads
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

MOST_TOGETHER = 100
MOST_AT_ONCE = 2  # commits under way: while the database works on one batch, the next is decided

LeadKey = tuple[int, int]  # owner, lead


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants a lead."""

    owner_id: int
    lead_id: int
    user_id: int
    via: Via

    @property
    def key(self) -> LeadKey:
        return self.owner_id, self.lead_id


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a batch: a problem for each who does not have his lead, and the leads that somebody else held."""

    answers: Sequence[Problem | None]
    busy: frozenset[LeadKey]


@dataclass(frozen=True, slots=True)
class _Waiting:
    wish: Wish
    answer: "asyncio.Future[None]"


class Claims:
    """One per process."""

    def __init__(self, database: Database, rule_sets: RuleSets) -> None:
        self._database = database
        self._rule_sets = rule_sets
        self._batches: Lanes[_Waiting] = Lanes(self._settle_together, most=MOST_TOGETHER, lanes=MOST_AT_ONCE)
        self._aside: Aside[_Waiting] = Aside(
            lambda waiting: waiting.wish.owner_id,
            self._batches.add,
            lambda waiting, error: give(waiting.answer, error),
        )
        self._late: dict[LeadKey, list[_Waiting]] = {}  # who wants a lead that is waited for, and came since
        self._late_runners: set[asyncio.Task[None]] = set()

    async def claim(self, wish: Wish) -> None:
        """The lead is his, on disk; asking again is the same. NotFound, or Conflict saying who has it or why not."""
        waiting = _Waiting(wish, asyncio.get_running_loop().create_future())
        self._batches.add(waiting)
        await waiting.answer

    async def _settle_together(self, batch: Sequence[_Waiting], *, waits: bool = False) -> None:
        """One that breaks the whole batch is found by settling each alone; only its own caller hears of it."""

        async def work(transaction: Transaction) -> Settled:
            return await settle(transaction, self._rule_sets, [waiting.wish for waiting in batch], waits=waits)

        try:
            with span("store claims", batch=len(batch)):
                settled = await self._database.run_once_known(work)
        except WorkFirst as first:
            if others := self._aside.take(batch, first):
                await self._settle_together(others, waits=waits)
            return
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers have to hear of it
            if len(batch) == 1 or isinstance(error, Unavailable):
                for waiting in batch:
                    give(waiting.answer, error)
                return
            for waiting in batch:
                await self._settle_together([waiting], waits=True)
            return
        late: defaultdict[LeadKey, list[_Waiting]] = defaultdict(list)
        for waiting, answer in zip(batch, settled.answers, strict=True):
            if waiting.wish.key in settled.busy:
                late[waiting.wish.key].append(waiting)
            else:
                give(waiting.answer, answer)
        for key, group in late.items():
            self._wait_for_lead(key, group)

    def _wait_for_lead(self, key: LeadKey, group: Sequence[_Waiting]) -> None:
        """Somebody else holds this lead: those who want it wait for him, on one connection, and nobody else does."""
        if key in self._late:
            self._late[key].extend(group)
            return
        self._late[key] = [*group]
        task = asyncio.create_task(self._settle_late(key))
        self._late_runners.add(task)
        task.add_done_callback(self._late_runners.discard)

    async def _settle_late(self, key: LeadKey) -> None:
        while group := self._late[key]:
            self._late[key] = []
            await self._settle_together(group, waits=True)
        del self._late[key]


async def settle(
    transaction: Transaction, rule_sets: RuleSets, wishes: Sequence[Wish], *, waits: bool = False
) -> Settled:
    """Decide them in order, each seeing what came of those before it, and write what follows.

    A lead that somebody else holds is left as it is, unless `waits`: then he is waited for.
    """
    keys = {wish.key for wish in wishes}
    held = await _lock(transaction, keys, waits=waits)
    rows = {row.key: row for row in await load_leads(transaction, rule_sets, keys)}
    busy = frozenset(key for key, row in rows.items() if row.lead.claim is None and key not in held)
    answers: list[Problem | None] = []
    changes: list[tuple[LeadRow, Change]] = []
    for wish in wishes:
        match _decide(wish, None if wish.key in busy else rows.get(wish.key), transaction.now):
            case Change() as change:
                row = rows[wish.key]
                changes.append((row, change))
                rows[wish.key] = replace(row, lead=change.lead)
                answers.append(None)
            case answer:
                answers.append(answer)
    await change_leads(transaction, rule_sets, changes)
    conflicts = iter(await worded(transaction, [each for each in answers if isinstance(each, Conflict)]))
    return Settled([next(conflicts) if isinstance(each, Conflict) else each for each in answers], busy)


async def _lock(transaction: Transaction, keys: Collection[LeadKey], *, waits: bool) -> Collection[LeadKey]:
    if not waits:
        return await lock_open_leads(transaction, keys)
    for owner_id, lead_id in sorted(keys):
        with suppress(NotFound):
            await lock_lead(transaction, owner_id, lead_id)
    return keys


def _decide(wish: Wish, row: LeadRow | None, now: datetime) -> Change | Problem | None:
    """None: he has it already."""
    if row is None:
        return NotFound.record(wish.lead_id)
    try:
        refuse_when_departed(row.present, row.lead, wish.user_id)
        return claim(row.lead, wish.user_id, wish.via, now)
    except Problem as problem:
        return problem

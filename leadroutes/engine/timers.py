"""Does what is due, in batches: offers, leads that no one claims, campaign steps and recurring tasks.

The domain and the store decide what follows. A row that fails is set aside for a while, and the others go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import structlog

from leadroutes.domain.model import Change
from leadroutes.domain.rollout import notify_due, unclaim
from leadroutes.domain.routing import unavailable
from leadroutes.engine.campaigns import repeat_tasks
from leadroutes.engine.changes import change_leads
from leadroutes.errors import ComputationNeeded, Unavailable
from leadroutes.observability.lead_log import log_lateness
from leadroutes.store import statement
from leadroutes.store.campaigns import queue_communications, queue_due_communications
from leadroutes.store.leads import LeadRow, load_leads
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

log = structlog.get_logger()

BATCH_SIZE = 1000  # leads, campaign steps or tasks of one transaction
RETRY_BROKEN_AFTER = 60.0  # seconds before a row that failed is tried again
COMPUTE_TIMEOUT = 0.1  # seconds for which a batch waits for computations of what owners wrote
COMPUTE_POLL = 1.0  # seconds after which rows are tried again whose computation takes longer
MAX_CONCURRENT_BATCHES = 2  # such transactions at once, while more than one of them is full


@dataclass(frozen=True, slots=True)
class Timer:
    """A kind of due moment: the statement that takes the rows that are due, and what is done with them.

    `take` gets now, the maximum number and the ids that are not to be taken; it returns rows of owner_id, id and
    due_at, and locks them. `take_and_apply` does both in one statement: faster, but its errors do not name the row.
    """

    name: str
    noun: str  # what the ids are of
    take: str
    apply: Callable[[Transaction, Sequence[asyncpg.Record]], Awaitable[None]]
    take_and_apply: Callable[[Transaction, int, Sequence[int]], Awaitable[list[datetime]]] | None = None
    broken: dict[int, float] = field(default_factory=dict)  # ids, and until when each is set aside

    def set_aside(self) -> list[int]:
        """Returns the ids that failed a moment ago."""
        now = asyncio.get_running_loop().time()
        for each in [each for each, until in self.broken.items() if until <= now]:
            del self.broken[each]
        return list(self.broken)


class Timers:
    """One per process; remembers only what failed within the last minute."""

    def __init__(self, database: Database, rule_sets: RuleSets) -> None:
        self.is_behind = False  # more is due than fits into a batch
        self._computations: set[asyncio.Task[bool]] = set()
        self._database = database
        self._rule_sets = rule_sets
        # In the order in which `run_due` names them.
        self._timers = (
            Timer("offer", "lead", "take_due_leads", partial(self._change, _fall_due)),
            Timer("lapse", "lead", "take_lapsed_leads", partial(self._change, _lapse)),
            Timer("step", "communication", "take_due_communications", queue_communications, queue_due_communications),
            Timer("task", "task", "take_recurring_tasks", repeat_tasks),
        )

    async def run_due(self, is_stopping: Callable[[], bool]) -> datetime | None:
        """Does everything that is due. Returns the next moment at which something will be.

        Once `is_stopping` returns true, no further batch of many is begun: the rest is left to the next run.
        """
        for timer in self._timers:
            if await self._do(timer, BATCH_SIZE) >= BATCH_SIZE:
                await self._catch_up(timer, is_stopping)
        offer_leads, lapse_leads, communications, tasks = (timer.set_aside() for timer in self._timers)
        moment: datetime | None = await self._database.fetchval(
            *statement("find_next_due").bind(
                excluded_offer_leads=offer_leads,
                excluded_lapse_leads=lapse_leads,
                excluded_communications=communications,
                excluded_tasks=tasks,
            )
        )
        again = self._next_retry()
        return min(moment, again) if moment and again else moment or again

    def _next_retry(self) -> datetime | None:
        """Returns the moment at which the first row that was set aside is tried again."""
        soonest = min((until for timer in self._timers for until in timer.broken.values()), default=None)
        if soonest is None:
            return None
        clock = self._database.clock
        seconds = max(0.0, soonest - asyncio.get_running_loop().time()) * clock.anchor.scale
        return clock.now() + timedelta(seconds=seconds)

    async def _catch_up(self, timer: Timer, is_stopping: Callable[[], bool]) -> None:
        """Runs two batches at once, of different rows: one is decided while the other one is written."""

        async def go_on() -> None:
            while not is_stopping() and await self._do(timer, BATCH_SIZE) >= BATCH_SIZE:
                pass

        self.is_behind = True
        try:
            outcomes = await asyncio.gather(*(go_on() for _ in range(MAX_CONCURRENT_BATCHES)), return_exceptions=True)
        finally:
            self.is_behind = False
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _do(self, timer: Timer, most: int) -> int:
        """Returns how many rows were taken. Where a batch fails, each is taken alone; one that fails is set aside."""
        taken: list[asyncpg.Record] = []
        try:
            return await self._database.run_prepared(partial(self._take_and_apply, timer, most, taken))
        except Unavailable:
            raise
        except ComputationNeeded as needed:
            await self._compute(timer, taken, needed)
            return most  # as good as a full batch: there is more to do at once
        except Exception:
            if most > 1:
                return await self._do_each(timer, most)
            if not taken:
                raise
            [row] = taken
            about = {"owner": row["owner_id"], timer.noun: row["id"]}
            log.exception("a timer broke, and is tried again later", timer=timer.name, **about)
            timer.broken[row["id"]] = asyncio.get_running_loop().time() + RETRY_BROKEN_AFTER
            return 1

    async def _do_each(self, timer: Timer, most: int) -> int:
        for done in range(most):
            if not await self._do(timer, 1):
                return done
        return most

    async def _take_and_apply(
        self, timer: Timer, most: int, taken: list[asyncpg.Record], transaction: Transaction
    ) -> int:
        """Puts the rows into `taken`, for the case that applying them fails."""
        taken.clear()
        if timer.take_and_apply is not None and most > 1:
            moments = await timer.take_and_apply(transaction, most, timer.set_aside())
        else:
            due = statement(timer.take).bind(now=transaction.now, most=most, excluded=timer.set_aside())
            taken.extend(await transaction.fetch(*due))
            if taken:
                await timer.apply(transaction, taken)
            moments = [row["due_at"] for row in taken]
        scale = self._database.clock.anchor.scale
        transaction.after_commit.append(partial(log_lateness, timer.name, moments, transaction.now, scale))
        return len(moments)

    async def _compute(self, timer: Timer, taken: Sequence[asyncpg.Record], needed: ComputationNeeded) -> None:
        """Waits for a short while, and sets the rows of those owners aside whose computations take longer."""
        tasks = {owner: asyncio.create_task(_is_computed(work)) for owner, work in needed.computations.items()}
        self._computations |= set(tasks.values())
        for each in tasks.values():
            each.add_done_callback(self._computations.discard)
        await asyncio.wait(tasks.values(), timeout=COMPUTE_TIMEOUT)
        later = asyncio.get_running_loop().time() + COMPUTE_POLL
        late = {owner for owner, task in tasks.items() if not (task.done() and task.result())}
        timer.broken.update({row["id"]: later for row in taken if row["owner_id"] in late})

    async def _change(
        self,
        decide: Callable[[LeadRow, datetime], Change],
        transaction: Transaction,
        taken: Sequence[asyncpg.Record],
    ) -> None:
        """Decides on each lead by the domain's rule, and writes what follows."""
        rows = await load_leads(transaction, self._rule_sets, ((row["owner_id"], row["id"]) for row in taken))
        await change_leads(transaction, self._rule_sets, [(row, decide(row, transaction.now)) for row in rows])


async def _is_computed(work: Callable[[], Awaitable[None]]) -> bool:
    try:
        await work()
    except Unavailable:
        return False
    return True


def _fall_due(row: LeadRow, now: datetime) -> Change:
    return notify_due(row.lead, unavailable(row.present, row.lead.offers), now)


def _lapse(row: LeadRow, now: datetime) -> Change:
    return unclaim(row.lead, now)

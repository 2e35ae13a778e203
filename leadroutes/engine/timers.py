"""What time does: offers, leads that nobody claims, campaign steps and recurring tasks that are due, in batches.

What follows, the domain and the store say. One that breaks is set aside for a while, so that no other waits for it.
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
RETRY_BROKEN_AFTER = 60.0  # seconds before what broke is tried again
COMPUTE_TIMEOUT = 0.1  # seconds in which what owners wrote is worked out while others wait
COMPUTE_POLL = 1.0  # seconds after which it is looked whether that is done
MAX_CONCURRENT_BATCHES = 2  # such transactions at once, while more than one of them is full


@dataclass(frozen=True, slots=True)
class Timer:
    """A kind of moment: the statement that takes those for which it has come, and what follows for them.

    `take` is given now, how many at the most and the ids that are not to be taken; it answers rows of owner_id, id and
    due_at, and locks what these are of. `take_and_apply` does both in one statement: faster, but a failure does not
    say at which of them.
    """

    name: str
    noun: str  # what the ids are of
    take: str
    apply: Callable[[Transaction, Sequence[asyncpg.Record]], Awaitable[None]]
    take_and_apply: Callable[[Transaction, int, Sequence[int]], Awaitable[list[datetime]]] | None = None
    broken: dict[int, float] = field(default_factory=dict)  # ids, and until when each is set aside

    def set_aside(self) -> list[int]:
        """Those that broke a moment ago: the others do not wait for them."""
        now = asyncio.get_running_loop().time()
        for each in [each for each, until in self.broken.items() if until <= now]:
            del self.broken[each]
        return list(self.broken)


class Timers:
    """One per process; remembers nothing but what broke within the last minute."""

    def __init__(self, database: Database, rule_sets: RuleSets) -> None:
        self.is_behind = False  # more is due than fits into a batch
        self._working: set[asyncio.Task[bool]] = set()
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
        """Carry out everything that is due; answers the next moment at which something will be.

        Once `is_stopping`, no further batch of many is begun: what is left is done by whoever looks next.
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
        """The moment at which the first of those that were set aside is tried again."""
        soonest = min((until for timer in self._timers for until in timer.broken.values()), default=None)
        if soonest is None:
            return None
        clock = self._database.clock
        seconds = max(0.0, soonest - asyncio.get_running_loop().time()) * clock.anchor.scale
        return clock.now() + timedelta(seconds=seconds)

    async def _catch_up(self, timer: Timer, is_stopping: Callable[[], bool]) -> None:
        """Two batches at once, of different rows: one is being decided while the other one is being written."""

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
        """Carry it out for so many; one that breaks a batch is found by taking each alone. Answers how many it were."""
        taken: list[asyncpg.Record] = []

        async def work(transaction: Transaction) -> int:
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

        try:
            return await self._database.run_prepared(work)
        except Unavailable:
            raise
        except ComputationNeeded as first:
            await self._work_out(timer, taken, first)
            return most  # as good as a full batch: there is something to be done at once
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

    async def _work_out(self, timer: Timer, taken: Sequence[asyncpg.Record], first: ComputationNeeded) -> None:
        """What is ready soon is awaited; those whose owners' texts take longer are set aside, and others go on."""
        computations = {owner: asyncio.create_task(_worked_out(work)) for owner, work in first.computations.items()}
        self._working |= set(computations.values())
        for each in computations.values():
            each.add_done_callback(self._working.discard)
        await asyncio.wait(computations.values(), timeout=COMPUTE_TIMEOUT)
        later = asyncio.get_running_loop().time() + COMPUTE_POLL
        late = {owner for owner, task in computations.items() if not (task.done() and task.result())}
        timer.broken.update({row["id"]: later for row in taken if row["owner_id"] in late})

    async def _do_each(self, timer: Timer, most: int) -> int:
        for done in range(most):
            if not await self._do(timer, 1):
                return done
        return most

    async def _change(
        self,
        decide: Callable[[LeadRow, datetime], Change],
        transaction: Transaction,
        taken: Sequence[asyncpg.Record],
    ) -> None:
        """What follows for leads is what the domain decides about each."""
        rows = await load_leads(transaction, self._rule_sets, ((row["owner_id"], row["id"]) for row in taken))
        await change_leads(transaction, self._rule_sets, [(row, decide(row, transaction.now)) for row in rows])


async def _worked_out(work: Callable[[], Awaitable[None]]) -> bool:
    try:
        await work()
    except Unavailable:
        return False
    return True


def _fall_due(row: LeadRow, now: datetime) -> Change:
    return notify_due(row.lead, unavailable(row.present, row.lead.offers), now)


def _lapse(row: LeadRow, now: datetime) -> Change:
    return unclaim(row.lead, now)

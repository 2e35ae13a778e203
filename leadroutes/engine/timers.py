"""Does what is due, in batches: offers, leads that no one claims, campaign steps, recurring tasks, waiting messages.

The domain and the store decide what follows. A row that fails is set aside for a while, and the others go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import structlog

from leadroutes.domain.agent_hours import NOT_AT_NIGHT, agent_zone
from leadroutes.domain.alert_times import is_digest_moment, next_digest
from leadroutes.domain.availability import Attendance
from leadroutes.domain.model import Change
from leadroutes.domain.rollout import notify_due, unclaim
from leadroutes.domain.routing import unavailable
from leadroutes.domain.untold import could_not_tell
from leadroutes.domain.windows import SendingRules
from leadroutes.engine.attendance import attendance_of_leads
from leadroutes.engine.campaign_changes import carry_on
from leadroutes.engine.campaign_removals import carry_removals_on
from leadroutes.engine.campaigns import repeat_tasks
from leadroutes.engine.changes import change_leads
from leadroutes.engine.due_steps import DueSteps, look_again, look_at_owners_again
from leadroutes.errors import ComputationNeeded, Unavailable
from leadroutes.observability.lead_log import log_lateness
from leadroutes.store import statement
from leadroutes.store.leads import LeadRow, load_leads
from leadroutes.store.messages import enqueue_leaving, enqueue_questions
from leadroutes.store.notifications import queue_digests
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
    due_at, and locks them.
    """

    name: str
    noun: str  # what the ids are of
    take: str
    apply: Callable[[Transaction, Sequence[asyncpg.Record]], Awaitable[None]]
    more: Callable[[], dict[str, int]] = dict  # further values of the statement
    broken: dict[int, float] = field(default_factory=dict)  # ids, and until when each is set aside

    def set_aside(self) -> list[int]:
        """Returns the ids that failed a moment ago."""
        now = asyncio.get_running_loop().time()
        for each in [each for each, until in self.broken.items() if until <= now]:
            del self.broken[each]
        return list(self.broken)


class Timers:
    """One per process; remembers only what failed within the last minute."""

    def __init__(self, database: Database, rule_sets: RuleSets, rules: SendingRules) -> None:
        self.is_behind = False  # more is due than fits into a batch
        self._computations: set[asyncio.Task[bool]] = set()
        self._database = database
        self._rule_sets = rule_sets
        self._steps = DueSteps(database, rules)
        # In the order in which `run_due` names them.
        self._timers = (
            Timer("offer", "lead", "take_due_leads", self._fall_due),
            Timer("lapse", "lead", "take_lapsed_leads", self._lapse),
            Timer("edit", "action", "take_changed_actions", carry_on),
            Timer("removal", "campaign", "take_removed_campaigns", carry_removals_on),
            Timer("rules", "communication", "take_steps_of_older_rules", self._steps.send, self._version),
            Timer("step", "communication", "take_due_communications", self._steps.send),
            Timer("window", "campaign", "take_changed_windows", look_again),
            Timer("clock", "user", "take_changed_time_zones", look_at_owners_again),
            Timer("task", "task", "take_recurring_tasks", repeat_tasks),
            Timer("failure", "lead", "take_failed_notices", self._look_at_failures),
            Timer("message", "message", "take_leaving_messages", enqueue_leaving),
            Timer("question", "message", "take_questions", enqueue_questions),
            Timer("digest", "user", "take_due_digests", _send_digests),
        )

    async def run_due(self, is_stopping: Callable[[], bool]) -> datetime | None:
        """Does everything that is due. Returns the next moment at which something will be.

        Once `is_stopping` returns true, no further batch of many is begun: the rest is left to the next run.
        """
        await self._steps.note_rules()
        for timer in self._timers:
            if await self._do(timer, BATCH_SIZE) >= BATCH_SIZE:
                await self._catch_up(timer, is_stopping)
        (
            offer_leads, lapse_leads, actions, removals, waiting, communications, campaigns, owners, tasks,
            failure_leads, messages, questions, digest_users,
        ) = (timer.set_aside() for timer in self._timers)  # fmt: skip
        moment: datetime | None = await self._database.fetchval(
            *statement("find_next_due").bind(
                now=self._database.clock.now(),
                **self._version(),
                excluded_offer_leads=offer_leads,
                excluded_lapse_leads=lapse_leads,
                excluded_actions=actions,
                excluded_removals=removals,
                excluded_waiting=waiting,
                excluded_communications=communications,
                excluded_campaigns=campaigns,
                excluded_owners=owners,
                excluded_tasks=tasks,
                excluded_failure_leads=failure_leads,
                excluded_messages=messages,
                excluded_questions=questions,
                excluded_digest_users=digest_users,
            )
        )
        again = self._next_retry()
        return min(moment, again) if moment and again else moment or again

    def _version(self) -> dict[str, int]:
        return {"version": self._steps.version}

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
        due = statement(timer.take).bind(now=transaction.now, most=most, excluded=timer.set_aside(), **timer.more())
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

    async def _fall_due(self, transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
        """Each decision sees those before it, so that a cap is exact within a batch, too."""
        rows = await load_leads(transaction, self._rule_sets, ((row["owner_id"], row["id"]) for row in taken))
        attendance = await attendance_of_leads(transaction, rows)
        changes = [(row, _offer(row, attendance.get(row.lead.owner_id), transaction.now)) for row in rows]
        await change_leads(transaction, self._rule_sets, changes)

    async def _lapse(self, transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
        rows = await load_leads(transaction, self._rule_sets, ((row["owner_id"], row["id"]) for row in taken))
        await change_leads(transaction, self._rule_sets, [(row, unclaim(row.lead, transaction.now)) for row in rows])

    async def _look_at_failures(self, transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
        """Where every alert about an offer has failed, the next member is asked. The marks are removed with it."""
        rows = await load_leads(transaction, self._rule_sets, {(row["owner_id"], row["id"]) for row in taken})
        offers = [row["owner_id"] for row in taken], [row["offer_id"] for row in taken]
        found = await transaction.fetch(
            *statement("find_untold").bind(owner_ids=offers[0], offer_ids=offers[1], instead=NOT_AT_NIGHT)
        )
        untold: dict[tuple[int, int], set[int]] = {}
        for each in found:
            untold.setdefault((each["owner_id"], each["lead_id"]), set()).add(each["user_id"])
        attendance = await attendance_of_leads(transaction, rows)
        decided = [
            (row, _tell_owner(row, untold.get(row.key, ()), attendance.get(row.lead.owner_id), transaction.now))
            for row in rows
        ]
        await change_leads(transaction, self._rule_sets, [(row, change) for row, change in decided if change])
        await transaction.execute(*statement("forget_failed_notices").bind(owner_ids=offers[0], offer_ids=offers[1]))


async def _is_computed(work: Callable[[], Awaitable[None]]) -> bool:
    try:
        await work()
    except Unavailable:
        return False
    return True


def _offer(row: LeadRow, attendance: Attendance | None, now: datetime) -> Change:
    change = notify_due(row.lead, unavailable(row.present, row.lead.offers, attendance), now)
    _count(row, change, attendance)
    return change


def _tell_owner(row: LeadRow, untold: Collection[int], attendance: Attendance | None, now: datetime) -> Change | None:
    change = could_not_tell(row.lead, untold, unavailable(row.present, row.lead.offers, attendance), now)
    if change is not None:
        _count(row, change, attendance)
    return change


def _count(row: LeadRow, change: Change, attendance: Attendance | None) -> None:
    if attendance is not None and change.claim is not None and not row.is_test:
        attendance.note_lead(change.claim.user_id)


async def _send_digests(transaction: Transaction, taken: Sequence[asyncpg.Record]) -> None:
    """A digest whose user has another time zone by now is only moved."""
    zones = [agent_zone(row["timezone"], row["phone"], None) for row in taken]
    await queue_digests(
        transaction,
        [row["id"] for row in taken],
        [row["is_active"] and is_digest_moment(row["due_at"], zone) for row, zone in zip(taken, zones, strict=True)],
        [next_digest(transaction.now, zone) for zone in zones],
    )

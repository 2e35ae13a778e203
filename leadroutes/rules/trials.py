"""Trials of drafts on past leads: two rule sets run beside each other in processes, and the result is added up.

A trial writes nothing but its own row. What a rule set does with a lead, the domain decides.
"""

import asyncio
import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog

from leadroutes.domain.lineup import why_not_in_line_up
from leadroutes.domain.model import RuleSet, precedence
from leadroutes.domain.trial import Figures, TrialDifference, TrialFigures, TriedLead, route_name
from leadroutes.domain.trial_attendance import Availability
from leadroutes.errors import Unavailable
from leadroutes.rules import trial_process
from leadroutes.rules.trial_process import END, FIGURES, STORED, TRIED, encoded_rules
from leadroutes.sandbox import pipes
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import RowKey
from leadroutes.store.routing import RuleSets
from leadroutes.store.trials import (
    LeadsPart,
    PastLeads,
    add_trial,
    count_past_leads,
    list_past_leads,
    load_past_presences,
)

log = structlog.get_logger()

PARTS_AHEAD: Final = 3  # that are read before the slower process has answered for the first of them
PROGRESS_INTERVAL: Final = 1.0  # seconds
MOST_ATTEMPTS: Final = 3
NO_FACTS: Final[frozenset[str]] = frozenset()

Tell = Callable[[int, int], None]  # leads that are done, and all


@dataclass(frozen=True, slots=True)
class Trial:
    """A draft beside the present rules, and the leads that both decide."""

    period: PastLeads
    present: RuleSet
    drafted: RuleSet
    total: int
    held: int

    @classmethod
    async def of(cls, source: Database | Transaction, period: PastLeads, present: RuleSet, drafted: RuleSet) -> "Trial":
        """Counts the leads."""
        total, held = await count_past_leads(source, period)
        return cls(period, present, drafted, total, held)


async def begin_trial(transaction: Transaction, trial: Trial, user_id: int) -> int:
    """Stores a trial for this user and puts it into the queue. Raises Conflict while another one of the owner runs."""
    return await add_trial(
        transaction, trial.period, user_id, rule_set=trial.present.number, total=trial.total, held=trial.held,
        present=trial_process.rules_as_json(trial.present.rules).decode(),
        drafted=trial_process.rules_as_json(trial.drafted.rules).decode(),
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------- running


async def run_trial(database: Database, trial: Trial, tell: Tell) -> dict[str, Any]:
    """Returns the result as the API answers it. Raises Unavailable if one of the processes has ended."""
    rule_sets = (trial.present, trial.drafted)
    keys = {key for each in rule_sets for named in each.named_by_source.values() for key in named}
    difference, done = TrialDifference(*rule_sets), 0
    tell(0, trial.total)
    try:
        async with contextlib.AsyncExitStack() as stack:
            availability = await _availability(database, trial)
            halves = [await stack.enter_async_context(_half(each, availability)) for each in rule_sets]
            async for part, before, after in _answers(halves, list_past_leads(database, trial.period, keys)):
                for stored, present, drafted in zip(STORED.decode(part.leads), before, after, strict=True):
                    if present.first != drafted.first or drafted.is_lost:
                        difference.add(stored.past_lead(NO_FACTS), present, drafted)
                done += part.count
                tell(done, max(done, trial.total))
            figures = [await _ask_figures(half) for half in halves]
    except (OSError, asyncio.IncompleteReadError) as error:
        raise Unavailable("A process of the trial has ended, perhaps for want of memory") from error
    return _result(trial, done, figures, difference)


async def _availability(database: Database, trial: Trial) -> Availability:
    """Nothing is read of members who have never set anything."""
    people = {**trial.present.rules.people, **trial.drafted.rules.people}
    away = [user_id for user_id, person in people.items() if person.may_be_away]
    presences = await load_past_presences(database, trial.period, away)
    return Availability(presences)


@contextlib.asynccontextmanager
async def _half(rule_set: RuleSet, availability: Availability) -> AsyncIterator[Process]:
    process = await pipes.start(trial_process.__name__)
    try:
        pipes.send(process, encoded_rules(rule_set, availability))
        yield process
    finally:
        await pipes.end(process)


async def _answers(
    halves: Iterable[Process], parts: AsyncIterator[LeadsPart]
) -> AsyncIterator[tuple[LeadsPart, list[TriedLead], list[TriedLead]]]:
    """Yields each part with the answers of both halves; some parts are read ahead, so that no half waits for them."""
    before, after = halves
    asked: list[LeadsPart] = []
    async for part in parts:
        for half in (before, after):
            pipes.send(half, part.leads)
        asked.append(part)
        if len(asked) >= PARTS_AHEAD:
            yield asked.pop(0), *(await asyncio.gather(_receive(before), _receive(after)))
    for part in asked:
        yield part, *(await asyncio.gather(_receive(before), _receive(after)))


async def _receive(half: Process) -> list[TriedLead]:
    return TRIED.decode(await pipes.receive(half))


async def _ask_figures(half: Process) -> TrialFigures:
    pipes.send(half, END)
    return FIGURES.decode(await pipes.receive(half))


# --------------------------------------------------------------------------------------------------------- result


def _result(trial: Trial, leads: int, figures: list[TrialFigures], difference: TrialDifference) -> dict[str, Any]:
    before, after = figures
    return {
        "totals": {
            "leads": leads,
            "held": trial.held,
            "before": msgspec.to_builtins(before.totals),
            "after": msgspec.to_builtins(after.totals),
        },
        "routes": [
            {"route_id": max(route_id, 0) or None, "name": name} | _both(route_id, before.routes, after.routes)
            for route_id, name in _routes(trial).items()
        ],
        "members": [
            {"user_id": user_id} | _both(user_id, before.members, after.members)
            for user_id in sorted(_members(trial) | set(before.members) | set(after.members))
        ],
        "moved": {"count": difference.moved, "leads": msgspec.to_builtins(difference.moved_leads)},
        "lost_claims": {
            "count": difference.lost,
            "leads": msgspec.to_builtins(difference.lost_claims, builtin_types=()),
        },
    }


def _both(key: int, before: Mapping[int, Figures], after: Mapping[int, Figures]) -> dict[str, Any]:
    sides = {"before": before, "after": after}
    return {side: msgspec.to_builtins(of.get(key) or Figures()) for side, of in sides.items()}


def _routes(trial: Trial) -> dict[int, str]:
    """The routes of both, in the order in which the draft tries them, and then those that it does not have."""
    named: dict[int, str] = {}
    for rule_set in (trial.drafted, trial.present):
        for route in sorted(rule_set.rules.routes, key=lambda each: (each.lead_source_id, precedence(each))):
            named.setdefault(route.id, route_name(rule_set, route.id))
    return named


def _members(trial: Trial) -> set[int]:
    """Everyone to whom a team of either may offer a lead."""
    return {
        member.user_id
        for rule_set in (trial.present, trial.drafted)
        for team in rule_set.rules.teams.values()
        for member in team.members
        if why_not_in_line_up(member) is None
    }


# ------------------------------------------------------------------------------------------------------------ jobs


@dataclass(frozen=True, slots=True)
class TrialJobs:
    """Runs trials that are in the queue. `rule_sets`: those of this installation."""

    database: Database
    rule_sets: RuleSets = field(default_factory=RuleSets)

    async def run(self, payload: bytes, attempt: int) -> None:
        """The job of the queue. A trial that is run again begins anew."""
        key = msgspec.json.decode(payload, type=RowKey)
        trial = await self._load(key)
        if trial is None:
            return  # ended, or removed
        try:
            result = await self._run(key, trial)
        except (Unavailable, asyncio.CancelledError):
            if attempt < MOST_ATTEMPTS:
                raise
            await self._finish(key, state="failed", reason="it was interrupted too often")
            raise
        except Exception as error:
            log.exception("a trial is given up", owner=key.owner_id, number=key.id)
            await self._finish(key, state="failed", reason=f"it failed: {type(error).__name__}")
        else:
            await self._finish(key, state="finished", result=msgspec.json.encode(result).decode())

    async def _load(self, key: RowKey) -> Trial | None:
        row = await self.database.fetchrow(*statement("load_trial").bind(owner_id=key.owner_id, trial_id=key.id))
        if row is None:
            return None
        present, drafted = (
            self.rule_sets.with_rules(row["rule_set"], trial_process.rules_from_json(row[name]))
            for name in ("present", "drafted")
        )
        period = PastLeads(key.owner_id, row["since"], row["until"])
        return Trial(period, present, drafted, row["total"], row["held"])

    async def _run(self, key: RowKey, trial: Trial) -> dict[str, Any]:
        done = 0

        def tell(leads: int, _all: int) -> None:
            nonlocal done
            done = leads

        async def show() -> None:
            while True:
                await asyncio.sleep(PROGRESS_INTERVAL)
                await self.database.execute(
                    *statement("note_trial_progress").bind(owner_id=key.owner_id, trial_id=key.id, done=done)
                )

        showing = asyncio.create_task(show())
        try:
            return await run_trial(self.database, trial, tell)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    async def _finish(self, key: RowKey, *, state: str, reason: str | None = None, result: str | None = None) -> None:
        await self.database.execute(
            *statement("finish_trial").bind(
                owner_id=key.owner_id, trial_id=key.id, state=state, reason=reason, result=result
            )
        )

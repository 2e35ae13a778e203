"""One run: load, hostile ones, mischief, calm, and then the question whether everything is as it should be.

`mischief` does the harm; `verdict` checks the results.
"""

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import machine
from chaos import fairness
from chaos.attacks import Target
from chaos.brokerage import AGENTS, HOSTILE, LAST_NAME, OWNER, PASSWORD, address_of
from chaos.hostile import Hostiles, hostiles
from chaos.load import Load, Record
from chaos.mischief import LONG, Mischief, Pace
from chaos.outside import Taken
from chaos.postgres import Server
from chaos.sink import Mail
from chaos.stage import DATABASE, Stage, stage
from chaos.verdict import CHECKS, Evidence, judge

# What has to have happened before a run is judged. A message may wait for its next attempt: only in a short run.
_UNSETTLED = """
SELECT
    (SELECT count(*) FROM leads l WHERE unclaimed_at IS NULL AND NOT EXISTS (
        SELECT FROM claims k WHERE k.owner_id = l.owner_id AND k.lead_id = l.id)) AS leads,
    (SELECT count(*) FROM contact_communications
     WHERE is_active AND taken_at IS NULL AND (waits_until IS NULL OR $1)) AS steps,
    (SELECT count(*) FROM messages WHERE state = 'sending' OR state = 'queued' AND (reason IS NULL OR $1)) AS messages,
    (SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting') AS webhooks
"""


WARM_UP = 1.0  # seconds in which nothing is measured
RECOVERS = "it recovers by itself"
EACH_ALONE = "every process does its work, each alone"
DOCTOR = "leadroutes doctor finds nothing"
ALL_CHECKS = (RECOVERS, EACH_ALONE, *CHECKS, DOCTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how hard. `waits_for_retries`: until no message waits for its next attempt."""

    kills: int
    seed: int
    rate: float = 6.0  # leads a second; twice as many before anything is killed
    alone: float = 20.0  # seconds without hostile ones, and then …
    beside: float = 40.0  # … with them, before anything is killed
    patience: float = 35.0  # seconds that a slow client stays; the service cuts it off after 30
    pace: Pace = LONG
    waits_for_retries: bool = True
    settled_within: float = 1200.0  # seconds; a mail that was refused six times is tried again after 960


@dataclass(slots=True)
class Outcome:
    """The events of a run, and the breaches by the sentence that does not hold."""

    figures: dict[str, Any]
    breaches: dict[str, list[str]]

    @property
    def is_good(self) -> bool:
        return not any(self.breaches.values())


async def run(plan: Plan, directory: Path, tell: Callable[[str], None]) -> Outcome:
    """Makes a run in an empty directory."""
    made: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "seed": plan.seed, "rate": plan.rate,
        "cores": os.cpu_count(), "load_average_before": os.getloadavg(),
    }  # fmt: skip
    begun = time.perf_counter()
    made["idle_before"] = await asyncio.to_thread(machine.idle, 2.0)
    async with (
        stage(directory, plan.seed) as set_up,
        hostiles(target_of(plan, set_up), directory / "hostile.jsonl") as hostile,
    ):
        load = Load(set_up.brokerage, set_up.ports, set_up.mail_ports, set_up.sink, plan.seed)
        mischief = Mischief(
            set_up.postgres, set_up.serves, set_up.workers, load, set_up.sink, set_up.world, plan.seed, plan.pace,
            DATABASE,
        )  # fmt: skip
        try:
            await _suffer(plan, load, mischief, hostile, tell)
            made["seconds_of_kills"] = round((load.record.ended_at or 0.0) - load.record.killed_from)
            tell("calm: everybody is answered, every lead settles")
            set_up.sink.become("calm")
            set_up.world.become("calm")
            recovered = await settle(plan, set_up.postgres, load)
            tell("each process alone")
            alone = await _each_alone(set_up, load)
            recovered += await settle(plan, set_up.postgres, load)
            tell("the verdict")
            evidence = Evidence(
                set_up.postgres, DATABASE, load.record, set_up.sink.notes(), set_up.world, set_up.brokerage,
                hostile.seen(), made["idle_before"], [each for worker in set_up.workers for each in worker.stalls],
            )  # fmt: skip
            breaches = {
                RECOVERS: recovered,
                EACH_ALONE: alone,
                **await judge(evidence),
                DOCTOR: await _doctor(set_up),
            }
            made |= {"seconds": round(time.perf_counter() - begun), "load_average_after": os.getloadavg()}
            made |= await _server_of(evidence)
            figures = {"made": made, **await _figures(evidence, mischief, set_up, load)}
        finally:
            await load.close()
    return Outcome(figures, breaches)


def target_of(plan: Plan, set_up: Stage) -> Target:
    """Returns what the hostile two know of the brokerage, and which words must not appear in their answers."""
    brokerage = set_up.brokerage
    honest = (OWNER, *AGENTS)
    return Target(
        ports=set_up.ports,
        owner_email=address_of(OWNER),
        form_key=brokerage.form_key,
        others=tuple(brokerage.users[name] for name in honest),
        user_id=brokerage.users[HOSTILE],
        email=address_of(HOSTILE),
        password=PASSWORD,
        token=brokerage.tokens[HOSTILE],
        own_key=brokerage.hostile_key,
        secrets=(
            LAST_NAME, "@example.org", brokerage.key,
            *(brokerage.tokens[name] for name in honest), *(address_of(name) for name in honest),
        ),
        seed=plan.seed,
        patience=plan.patience,
    )  # fmt: skip


async def _suffer(plan: Plan, load: Load, mischief: Mischief, hostile: Hostiles, tell: Callable[[str], None]) -> None:
    """First nothing is killed, and how long everyone waits is measured; then the mischief begins."""
    mischief.sink.become("calm")
    mischief.world.become("calm")
    sending = asyncio.create_task(load.run(plan.rate))
    reported = 0

    def tell_now_and_then(kills: int) -> None:
        nonlocal reported
        if kills >= reported + 10:
            reported = kills
            tell(f"{kills} kills, {len(load.record.accepted_at)} answers to leads")

    try:
        await _measure(plan, load, hostile, tell)
        mischief.sink.become("moody")
        mischief.world.become("moody")
        await mischief.run(plan.kills, tell_now_and_then)
    finally:
        load.end()
        await sending
        await hostile.end()


async def _measure(plan: Plan, load: Load, hostile: Hostiles, tell: Callable[[str], None]) -> None:
    """The same honest load alone and beside the hostile two, who go on afterwards."""
    load.rate = plan.rate * 2
    await load.look(WARM_UP)
    tell("honest load alone")
    load.phase = "alone"
    await load.look(plan.alone)
    tell("beside a hostile account and a hostile stranger")
    load.phase = "beside hostile ones"
    hostile.take("quick", load.taken())
    clock = asyncio.get_running_loop().time
    began = clock()
    while clock() < began + plan.beside or (clock() < began + 2 * plan.beside and not hostile.has_made_all()):
        await load.look(1.0)
    load.rate = plan.rate
    await load.end_phase()
    load.record.killed_from = clock()
    hostile.take("steady")
    tell("kills begin")


async def settle(plan: Plan, postgres: Server, load: Load) -> list[str]:
    """Waits for the service to recover without help; returns a breach if it does not."""
    try:
        async with asyncio.timeout(plan.settled_within):
            await load.finish()
            while left := await _unsettled(plan, postgres):  # noqa: ASYNC110 -- it is other processes that do it
                await asyncio.sleep(0.5)
    except TimeoutError:
        left = await _unsettled(plan, postgres)
        return [f"after {plan.settled_within:.0f} seconds of calm there are still {left}"]
    return []


async def _unsettled(plan: Plan, postgres: Server) -> dict[str, int]:
    [row] = await postgres.ask(_UNSETTLED, plan.waits_for_retries, database=DATABASE)
    return {name: count for name, count in row.items() if count}


async def _each_alone(set_up: Stage, load: Load) -> list[str]:
    """Each service takes a lead; each worker tells of one while the other is held: none only seems to live."""
    breaches = []
    for number, port in enumerate(set_up.ports):
        if await load.send_to(number, f"S{number}") not in (200, 201):
            breaches.append(f"the service at {port} did not take a lead")
    for number, worker in enumerate(set_up.workers):
        others = [asyncio.create_task(each.pause(600)) for each in set_up.workers if each is not worker]
        await asyncio.sleep(0)
        try:
            name = f"W{number}"
            await load.send(name)
            async with asyncio.timeout(60):
                while not any(name in mail.subject for mail in set_up.sink.notes()):  # noqa: ASYNC110 -- another process's
                    await asyncio.sleep(0.2)
        except TimeoutError:
            breaches.append(f"{worker.name} alone notified no one of a lead within a minute")
        finally:
            for each in others:
                each.cancel()
            await asyncio.gather(*others, return_exceptions=True)
    return breaches


async def _doctor(set_up: Stage) -> list[str]:
    code, out = await set_up.leadroutes("doctor")
    return [] if code == 0 else [out.strip()]


async def _server_of(evidence: Evidence) -> dict[str, str]:
    [row] = await evidence.ask(
        "SELECT current_setting('server_version') AS postgresql, current_setting('fsync') AS fsync"
    )
    return dict(row.items())


async def _figures(evidence: Evidence, mischief: Mischief, set_up: Stage, load: Load) -> dict[str, Any]:
    record = load.record
    states = await evidence.ask("SELECT state, count(*) FROM messages GROUP BY 1 ORDER BY 1")
    [row] = await evidence.ask(
        "SELECT (SELECT count(*) FROM leads) AS leads, (SELECT count(*) FROM claims) AS claims,"
        " (SELECT count(*) FROM offers) AS offers, (SELECT count(*) FROM contact_communications) AS steps"
    )
    return {
        "kills": {"all": mischief.kills.total(), **dict(sorted(mischief.kills.items()))},
        "nuisances": {"all": mischief.nuisances.total(), **dict(sorted(mischief.nuisances.items()))},
        "longest_stop": max(mischief.stops, default=0.0),
        "ended_by_themselves": sum(len(each.ends) for each in (*set_up.serves, *set_up.workers)),
        **dict(row.items()),
        "requests_for_claims": {str(status): count for status, count in sorted(record.claims.items())},
        "answers": {str(status): count for status, count in sorted(record.statuses.items())},
        "without_answer": record.unanswered,
        "longest_without_a_lead": _longest_gap(record, mischief.deeds),
        "waits": fairness.waits(record),
        "hostile": fairness.answers_by_attack(evidence.seen or ()),
        "stops": dict(sorted(Counter(each.how for each in evidence.stops()).items())),
        "messages": {each["state"]: each["count"] for each in states},
        "mails": _fates(evidence.mails),
        "texts": _fates(evidence.taken_of("text")),
        "calls": _fates(evidence.taken_of("call")),
        "webhooks": _fates(evidence.taken_of("webhook")),
    }


def _fates(seen: Sequence[Mail | Taken]) -> Mapping[str, int]:
    return dict(sorted(Counter(each.fate for each in seen).items()))


def _longest_gap(record: Record, deeds: list[tuple[float, str]]) -> dict[str, Any]:
    """The longest time without a lead taken, while leads were sent; what was done in it and just before."""
    ended_at = record.ended_at or 0.0
    while_sent = [at for at in record.accepted_at if at <= ended_at]
    afterwards = [at for at in record.accepted_at if at > ended_at][:1]
    gaps = (
        (after - before, before, after)
        for before, after in itertools.pairwise([record.began_at, *while_sent, *afterwards])
    )
    seconds, begun, over = max(gaps, default=(0.0, 0.0, 0.0))
    return {"seconds": round(seconds, 1), "deeds": [name for at, name in deeds if begun - 2 <= at <= over]}

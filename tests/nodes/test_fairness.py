"""Eight processes share leads among members who pause and come back meanwhile: turns are fair, and caps are exact.

How many leads: examples() says it; with `bin/check --deep` there are 10,000.
"""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, groupby, pairwise

import msgspec
import pytest

from chaos.programs import ROOT, clean_environment
from leadroutes.domain.model import Facts
from leadroutes.operations.doctor import examine
from leadroutes.store.postgres import Database
from tests.support.brokerage import KEY, Brokerage
from tests.support.examples import examples
from tests.support.processes import until

pytestmark = pytest.mark.timeout(900)

PROCESSES = 8
LEADS = min(examples(600), 10_000)
CHANGES = min(LEADS // 25, 100)  # of who is paused
WEIGHTS = {"bob": 1, "carol": 1, "erin": 1, "frank": 2, "grace": 2, "heidi": 3, "ivan": 1, "judy": 2}
PAUSERS = ("bob", "carol", "erin", "frank", "grace", "heidi")
CAPS = {"ivan": ("max_open_leads", LEADS // 20), "judy": ("max_leads_per_day", LEADS // 15)}


@dataclass(frozen=True)
class Turn:
    """Whose turn a lead was, who was available then, and who was paused."""

    user: str
    present: frozenset[str]
    paused: frozenset[str]


async def test_turns_are_fair_and_caps_exact_while_eight_processes_place_leads(
    brokerage: Brokerage, database: Database, database_url: str
) -> None:
    await _set_up(brokerage)
    async with _processes(database_url) as processes:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"\n")
        await _come_and_go(brokerage, random.Random(8))
        assert [await process.wait() for process in processes] == [0] * PROCESSES

    turns = await _turns(brokerage)
    assert len(turns) == LEADS
    _are_fair(turns)
    assert len(list(groupby(turns, key=lambda turn: turn.present))) > CHANGES / 2, "hardly anyone paused"
    for name in PAUSERS:
        assert any(name in before.paused and name in after.present for before, after in pairwise(turns)), name

    rows = await database.fetch("SELECT username, count(*) FROM claims JOIN users ON users.id = user_id GROUP BY 1")
    claims = {row["username"]: row["count"] for row in rows}
    assert claims == Counter(turn.user for turn in turns), "whose turn it is gets the lead"
    assert {name: claims[name] for name in CAPS} == {name: cap for name, (_, cap) in CAPS.items()}
    assert (await examine(database)).violation is None


async def _set_up(brokerage: Brokerage) -> None:
    """Everyone gets leads automatically; it is noon, so that no day ends meanwhile."""
    town, database = brokerage.town, brokerage.town.database
    await database.execute("UPDATE teams SET order_method = 'Round Robin'")
    for name, weight in WEIGHTS.items():
        if name not in town.users:
            await town.add_user(name)
            await town.member("alice", town.team_id, name)
            await town.option("alice", town.team_id, name, rank=3)
        await database.execute(
            "UPDATE team_member_distribution_options SET weight = $2, assign_automatically = true WHERE user_id = $1",
            town.users[name],
            weight,
        )
    for name, (column, cap) in CAPS.items():
        await database.execute(
            f"UPDATE team_member_distribution_options SET {column} = $2 WHERE user_id = $1", town.users[name], cap
        )
    now = town.now
    await database.move_clock((now.replace(hour=12, minute=0) - now) % timedelta(days=1))


@asynccontextmanager
async def _processes(url: str) -> AsyncIterator[list[Process]]:
    """Started, connected, and waiting for a line; killed at the end if they are still running."""
    share, rest = divmod(LEADS, PROCESSES)
    counts = [share + (number < rest) for number in range(PROCESSES)]
    processes: list[Process] = []
    try:
        for number, count in enumerate(counts):
            processes.append(
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.support.taking_in", url, KEY, f"p{number}", str(count)),
                    cwd=ROOT,
                    env=clean_environment(),
                    stdin=PIPE,
                    stdout=PIPE,
                )
            )
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _come_and_go(brokerage: Brokerage, chance: random.Random) -> None:
    """Some pause and others come back, again and again while the leads come in; at least one of all is there."""
    users, database = brokerage.town.users, brokerage.town.database
    for change in range(CHANGES):
        paused = chance.sample(PAUSERS, chance.randrange(len(PAUSERS)))
        await database.execute(
            "UPDATE availabilities SET is_paused = id = ANY ($1) WHERE id = ANY ($2)",
            [users[name] for name in paused],
            [users[name] for name in PAUSERS],
        )
        await _until_there_are(database, LEADS * (change + 1) // (CHANGES + 1))


async def _until_there_are(database: Database, leads: int) -> None:
    async def are_there() -> bool:
        count: int = await database.fetchval("SELECT count(*) FROM leads")
        return count >= leads

    await until(are_there)


async def _turns(brokerage: Brokerage) -> list[Turn]:
    """In the order of the decisions, in which offers get their ids."""
    names = {user_id: name for name, user_id in brokerage.town.users.items()}
    rows = await brokerage.town.database.fetch(
        "SELECT o.user_id, l.facts::text AS facts FROM offers o"
        " JOIN leads l ON l.owner_id = o.owner_id AND l.id = o.lead_id WHERE o.place = 0 ORDER BY o.id"
    )
    return [_turn(names, row["user_id"], msgspec.json.decode(row["facts"], type=Facts)) for row in rows]


def _turn(names: Mapping[int, str], user_id: int, facts: Facts) -> Turn:
    assert facts.turn == user_id
    absent = {names[each]: absence for each, absence in facts.absent.items()}
    paused = frozenset(name for name, absence in absent.items() if absence.kind == "paused")
    return Turn(names[user_id], frozenset(WEIGHTS) - absent.keys(), paused)


# ------------------------------------------------------------------------------------------------------------ fairness


def _are_fair(turns: list[Turn]) -> None:
    """Whoever of two members of equal weight has had a turn waits for the other one, as long as both are available.

    Within each stretch in which the same members are available, turns of equal weight differ by one at most, and all
    members have their share by weight: no one is owed anything from a pause.
    """
    for a, b in combinations(WEIGHTS, 2):
        if WEIGHTS[a] == WEIGHTS[b]:
            together = "".join(_seen_by(turns, a, b))
            assert "aa" not in together, (a, b)
            assert "bb" not in together, (a, b)
    for present, found in groupby(turns, key=lambda turn: turn.present):
        stretch = [turn.user for turn in found]
        assert set(stretch) <= present
        for a, b in combinations(sorted(present), 2):
            if WEIGHTS[a] == WEIGHTS[b]:
                assert _spread(_balance(stretch, a, b)) <= 1, (a, b)
        whole = sum(WEIGHTS[name] for name in present)
        for name in present:
            assert _spread(_beyond_share(stretch, name, whole)) <= 2 * whole, (name, present)


def _seen_by(turns: list[Turn], a: str, b: str) -> Iterator[str]:
    """Turns of two members while both are available, and a blank where they are not."""
    for turn in turns:
        if not {a, b} <= turn.present:
            yield " "
        elif turn.user in (a, b):
            yield "a" if turn.user == a else "b"


def _balance(stretch: list[str], a: str, b: str) -> Iterator[int]:
    """How many turns more one of two has had, after each turn."""
    balance = 0
    yield balance
    for name in stretch:
        balance += (name == a) - (name == b)
        yield balance


def _beyond_share(stretch: list[str], name: str, whole: int) -> Iterator[int]:
    """By how much a member has had more than the share of the weight, after each turn; in parts of a turn."""
    beyond = 0
    yield beyond
    for each in stretch:
        beyond += whole * (each == name) - WEIGHTS[name]
        yield beyond


def _spread(numbers: Iterator[int]) -> int:
    seen = list(numbers)
    return max(seen) - min(seen)

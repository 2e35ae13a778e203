"""What is done to whom, and when: drawn from a seed, so that a run can be repeated as far as its moments allow.

Does harm and undoes nothing, but for what a supervisor does: what has died is started again.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

from chaos.load import Load
from chaos.outside import World
from chaos.outsider import Mood
from chaos.postgres import Server
from chaos.programs import Program
from chaos.sink import Sink

# Of a hundred kills.
KILLS = {
    "kill -9 serve": 34,
    "kill -9 worker": 34,
    "immediate stop of PostgreSQL": 14,
    "kill -9 of PostgreSQL's postmaster": 9,
    "kill -9 of a PostgreSQL backend": 9,
}
# Of a hundred other things.
NUISANCES = {
    "cut all connections": 18,
    "cut one connection": 13,
    "stop serve and let it go on": 14,
    "stop worker and let it go on": 14,
    "fill the queue": 9,
    "the mail server is away": 8,
    "the mail server is slow": 8,
    "provider and receiver are away": 8,
    "provider and receiver are slow": 8,
}
LONG_STOP = 31.0  # seconds; longer than a silent worker keeps its jobs


@dataclass(frozen=True, slots=True)
class Pace:
    """How the moments are drawn, in seconds. `nuisances`: how many come to one kill."""

    between: tuple[float, float]
    stops: tuple[float, ...]
    moods: tuple[float, float]
    burst: int
    nuisances: float


LONG = Pace(between=(0.3, 3.5), stops=(0.5, 2.0, 2.0, 6.0, LONG_STOP), moods=(2.0, 10.0), burst=200, nuisances=0.5)
SHORT = Pace(between=(0.3, 1.0), stops=(0.5, 1.5), moods=(1.0, 2.0), burst=40, nuisances=0.9)


@dataclass
class Mischief:
    """Everything that is wished ill. `kills` and `nuisances` count what was really done."""

    postgres: Server
    serves: Sequence[Program]
    workers: Sequence[Program]
    load: Load
    sink: Sink
    world: World
    seed: int
    pace: Pace
    database: str
    kills: Counter[str] = field(default_factory=Counter)
    nuisances: Counter[str] = field(default_factory=Counter)
    stops: list[float] = field(default_factory=list)  # seconds
    deeds: list[tuple[float, str]] = field(default_factory=list)  # when, by the loop's clock, and what
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set)
    _postgres_is_mine: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sink_is_mine: asyncio.Lock = field(default_factory=asyncio.Lock)
    _world_is_mine: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 -- it has to be repeatable

    async def run(self, kills: int, tell: Callable[[int], None]) -> None:
        """Makes `kills` kills, with nuisances between them; afterwards PostgreSQL is up and no process is stopped.

        Raises Failed if PostgreSQL did not start again.
        """
        deeds: Mapping[str, Callable[[], Awaitable[bool]]] = {
            "kill -9 serve": lambda: self._kill(self.serves),
            "kill -9 worker": lambda: self._kill(self.workers),
            "immediate stop of PostgreSQL": lambda: self._fell(self.postgres.stop_at_once),
            "kill -9 of PostgreSQL's postmaster": lambda: self._fell(self.postgres.kill),
            "kill -9 of a PostgreSQL backend": self._kill_backend,
            "cut all connections": lambda: self._cut(None),
            "cut one connection": lambda: self._cut(1),
            "stop serve and let it go on": lambda: self._pause(self.serves),
            "stop worker and let it go on": lambda: self._pause(self.workers),
            "fill the queue": self._fill,
            "the mail server is away": lambda: self._spoil(self.sink, self._sink_is_mine, "away"),
            "the mail server is slow": lambda: self._spoil(self.sink, self._sink_is_mine, "slow"),
            "provider and receiver are away": lambda: self._spoil(self.world, self._world_is_mine, "away"),
            "provider and receiver are slow": lambda: self._spoil(self.world, self._world_is_mine, "slow"),
        }
        deck = self._deck(kills)
        while deck:
            await asyncio.sleep(self._dice.uniform(*self.pace.between))
            self._raise_what_failed()
            name = deck.pop()
            if await deeds[name]():
                (self.kills if name in KILLS else self.nuisances)[name] += 1
                self.deeds.append((asyncio.get_running_loop().time(), name))
                tell(self.kills.total())
            else:
                deck.insert(self._dice.randrange(len(deck) + 1), name)
        await asyncio.gather(*self._under_way)

    def _raise_what_failed(self) -> None:
        for task in [each for each in self._under_way if each.done()]:
            self._under_way.discard(task)
            task.result()

    def _deck(self, kills: int) -> list[str]:
        """Returns the deeds in an order drawn from the seed; their proportions do not depend on it."""
        cards = _in_proportion(KILLS, kills) + _in_proportion(NUISANCES, round(kills * self.pace.nuisances))
        self._dice.shuffle(cards)
        return cards

    async def _kill(self, programs: Sequence[Program]) -> bool:
        return self._dice.choice(programs).kill()

    async def _fell(self, how: Callable[[], Awaitable[None]]) -> bool:
        """PostgreSQL goes down, stays down for a moment, and is started again; others may be killed meanwhile."""
        if self._postgres_is_mine.locked() or not await self.postgres.is_ready():
            return False

        async def fell() -> None:
            async with self._postgres_is_mine:
                await how()
                await asyncio.sleep(self._dice.uniform(0.0, 1.5))
                await self.postgres.start()

        self._begin(fell())
        return True

    async def _kill_backend(self) -> bool:
        """One process of the server's; it restarts all others and recovers, by itself."""
        pids = await self._backends()
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(self._dice.choice(pids), signal.SIGKILL)
            return True
        return False

    async def _cut(self, count: int | None) -> bool:
        pids = await self._backends()
        chosen = pids if count is None else self._dice.sample(pids, min(count, len(pids)))
        try:
            await self.postgres.ask("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", chosen)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return bool(chosen)

    async def _backends(self) -> list[int]:
        """Those of the service; empty while PostgreSQL is away."""
        try:
            rows = await self.postgres.ask("SELECT pid FROM pg_stat_activity WHERE datname = $1", self.database)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return []
        return [row["pid"] for row in rows]

    async def _pause(self, programs: Sequence[Program]) -> bool:
        program = self._dice.choice(programs)
        seconds = self.pace.stops[len(self.stops) % len(self.pace.stops)]
        if not program.is_running:
            return False
        self.stops.append(seconds)

        async def pause() -> None:
            await program.pause(seconds)

        self._begin(pause())
        return True

    async def _fill(self) -> bool:
        self.load.burst(self.pace.burst)
        return True

    async def _spoil(self, whom: Sink | World, is_mine: asyncio.Lock, mood: Mood) -> bool:
        """For a while; then it has its whims again."""
        if is_mine.locked():
            return False
        seconds = self._dice.uniform(*self.pace.moods)

        async def spoil() -> None:
            async with is_mine:
                whom.become(mood)
                await asyncio.sleep(seconds)
                whom.become("moody")

        self._begin(spoil())
        return True

    def _begin(self, work: Awaitable[None]) -> None:
        self._under_way.add(asyncio.ensure_future(work))


def _in_proportion(weights: Mapping[str, int], count: int) -> list[str]:
    """So many names, each as often as its weight says, the largest remainders rounded up."""
    total = sum(weights.values())
    shares = {name: weight * count / total for name, weight in weights.items()}
    counts = {name: int(share) for name, share in shares.items()}
    for name in sorted(shares, key=lambda name: counts[name] - shares[name])[: count - sum(counts.values())]:
        counts[name] += 1
    return [name for name, number in counts.items() for _ in range(number)]

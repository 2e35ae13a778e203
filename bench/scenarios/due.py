"""What time does: offers and campaign steps by the million that wait, many that fall due at once, a steady stream.

The domain's clock is put forward, so that what falls due does so in one instant and without a write. The worker is the
whole one, and delivers meanwhile (no mail server is set: messages stay in the outbox).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bench import programs
from bench.figures import Figure, Limit
from bench.ground import Ground, Plot, bench_sql
from bench.load import PERCENTILES
from bench.scenarios.arrival import MEMBERS, found, load_arrivals
from bench.sizes import Sizes
from leadroutes.domain.weekly_hours import DAYS
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database

OWNERS = 100
LATER = timedelta(days=300)  # nothing of this falls due here
STEADY, AT_ONCE, IN_WINDOWS = timedelta(days=1), timedelta(days=10), timedelta(days=20)  # from the beginning
AHEAD = 2.0  # seconds before the stream begins
PAUSE = 0.02  # seconds between two looks at what is done
BATCH, MOST_BATCHES = 500, 200  # of the limit: rows of a commit, and commits

LATENESS = """
SELECT percentile_cont($1::float8[]) WITHIN GROUP (ORDER BY extract(epoch FROM
    domain_anchor + (pg_xact_commit_timestamp(bench_done.xmin) - real_anchor) * scale - t.{due_at}) * 1000)
FROM {table} t JOIN bench_done ON bench_done.at = t.{done_at}, domain_clock WHERE t.{due_at} BETWEEN $2 AND $3"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What falls due: its table, when a row was to be done, and when it was; which rows wait, and until when."""

    scenario: str
    unit: str
    table: str
    due_at: str
    done_at: str
    waits: str
    until: str

    @property
    def is_due(self) -> str:
        return f"{self.waits} AND {self.until} <= $1"


OFFERS = Kind("due offers", "offers", "offers", "notify_at", "notified_at", "state = 'scheduled'", "notify_at")
STEPS = Kind(
    "due campaign steps", "steps", "contact_communications", "send_at", "taken_at",
    "is_active AND taken_at IS NULL", "coalesce(waits_until, send_at)",
)  # fmt: skip


async def measure_offers(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Offers that wait for their moment."""
    begun = datetime.now(UTC)
    async with ground.database("offers") as plot:
        await found_offers(plot, sizes, begun)
        async for figure in _measure(plot, OFFERS, sizes, begun):
            yield figure


async def measure_steps(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Steps of campaigns that wait for theirs."""
    begun = datetime.now(UTC)
    async with ground.database("steps") as plot:
        await _found_steps(plot, sizes, begun)
        async with ground.database("windows", like=plot) as windows:
            in_windows = await _in_windows(windows, sizes, begun + IN_WINDOWS)
        async for figure in _measure(plot, STEPS, sizes, begun):
            yield figure
        yield in_windows


async def _in_windows(plot: Plot, sizes: Sizes, moment: datetime) -> Figure:
    """As many due at once, half of them outside of their campaigns' windows: these are held, the others leave."""
    local = moment.astimezone(ZoneInfo("America/Denver"))
    today, tomorrow = (DAYS[(local.weekday() + days) % 7] for days in (0, 3))
    async with plot.ground.connection(plot.url) as connection:
        await connection.execute(
            "UPDATE campaigns SET send_window = json_build_object('weekly_hours', json_build_object("
            "CASE WHEN id % 2 = 0 THEN $1 ELSE $2 END::text, json_build_array(json_build_array('00:00', '24:00'))))",
            today, tomorrow,
        )  # fmt: skip
        await connection.execute("DELETE FROM contact_communications WHERE send_at < $1", moment)
    await plot.settle()
    async with programs.worker(plot.url, plot.file("windows.log")):
        seconds = await at_once(plot, STEPS, moment)
    async with plot.ground.connection(plot.url) as connection:
        held = await connection.fetchval(
            "SELECT count(*) FROM contact_communications WHERE waits_until > $1 AND taken_at IS NULL", moment
        )
    return Figure(
        scenario=STEPS.scenario,
        name=f"{sizes.due:,} due at once, half of them outside of their windows: decided, and held or queued",
        value=sizes.due / seconds,
        unit="steps/s",
        target=10_000,
        details={"seconds": round(seconds, 2), "held": held},
    )


async def _measure(plot: Plot, kind: Kind, sizes: Sizes, begun: datetime) -> AsyncIterator[Figure]:
    """Arrival beside them, in a copy; then the stream; then all at once."""
    yield await _slowed(plot, kind, sizes)
    async with programs.worker(plot.url, plot.file("worker.log")):
        yield await _stream(plot, kind, sizes, begun + STEADY)
        seconds = await at_once(plot, kind, begun + AT_ONCE)
    yield Figure(
        scenario=kind.scenario,
        name=f"{sizes.due:,} due at once, {sizes.waiting:,} more waiting, delivery under way",
        value=sizes.due / seconds,
        unit=f"{kind.unit}/s",
        target_ratio=0.8,
        limits=(await _limit(plot, kind, sizes),),
        details={"seconds": round(seconds, 2)},
    )


# ---------------------------------------------------------------------------------------------------- the rows


async def found_offers(plot: Plot, sizes: Sizes, begun: datetime) -> None:
    """Adds leads with one notified and four scheduled offers, of which one becomes due in the stream or at once."""
    await found(plot, OWNERS)
    for leads, due, apart in (
        (sizes.steady, begun + STEADY + timedelta(seconds=AHEAD), 1 / sizes.pace),
        (sizes.due, begun + AT_ONCE, 0.0),
        (max(0, sizes.waiting // 4 - sizes.steady - sizes.due), begun + LATER, 0.1),
    ):
        await plot.put_in(
            "waiting_leads", users=OWNERS, owners=OWNERS, members=MEMBERS, leads=leads, notified=1,
            due=due.isoformat(), apart=apart,
        )  # fmt: skip
    await plot.keep_rule_sets(OWNERS)
    await plot.settle()


async def _found_steps(plot: Plot, sizes: Sizes, begun: datetime) -> None:
    await found(plot, OWNERS)
    for steps, due, apart in (
        (sizes.steady, begun + STEADY + timedelta(seconds=AHEAD), 1 / sizes.pace),
        (sizes.due, begun + AT_ONCE, 0.0),
        (sizes.due, begun + IN_WINDOWS, 0.0),
        (sizes.waiting, begun + LATER, 0.1),
    ):
        await plot.put_in("waiting_steps", owners=OWNERS, steps=steps, due=due.isoformat(), apart=apart)
    await plot.settle()


# --------------------------------------------------------------------------------------------------- the figures


async def _slowed(plot: Plot, kind: Kind, sizes: Sizes) -> Figure:
    """Arrival with and without, in turns, each time in a fresh database; the better of two counts."""
    rates: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(2):
        async with plot.ground.database("calm") as calm:
            await found(calm, OWNERS)
            rates["without"].append(await _arrivals(calm, sizes))
        async with plot.ground.database("beside", like=plot) as beside:
            rates["with"].append(await _arrivals(beside, sizes))
    return Figure(
        scenario=kind.scenario,
        name=f"arrival beside {sizes.waiting:,} {kind.unit} that wait, as a part of arrival without them",
        value=max(rates["with"]) / max(rates["without"]),
        unit="x",
        target=0.9,
        details={f"leads a second {name} them": [round(rate) for rate in each] for name, each in rates.items()},
    )


async def _arrivals(plot: Plot, sizes: Sizes) -> float:
    outcome, _ = await load_arrivals(plot, sizes.connections[-1], range(1, OWNERS + 1), sizes, "--no-worker")
    return outcome.rate


async def _stream(plot: Plot, kind: Kind, sizes: Sizes, begins: datetime) -> Figure:
    """Put the clock to shortly before the stream, let it pass, and see how late each was committed."""
    await plot.put_in("mark_commits")
    await put_clock(plot, begins)
    length = sizes.steady / sizes.pace
    await asyncio.sleep(AHEAD + length)
    first = begins + timedelta(seconds=AHEAD)
    last = first + timedelta(seconds=length)
    await _until_done(plot, kind, last)
    parts = list(PERCENTILES.values())
    lateness = await plot.fetchval(
        LATENESS.format(table=kind.table, due_at=kind.due_at, done_at=kind.done_at), parts, first, last
    )
    await plot.put_in("mark_no_commits")
    latencies = dict(zip(PERCENTILES, lateness, strict=True))
    return Figure(
        scenario=kind.scenario,
        name=f"lateness at {sizes.pace} a second, p99, until it is committed",
        value=latencies["p99"],
        unit="ms",
        target=1000,
        less_is_better=True,
        details={"latencies": latencies},
    )


async def at_once(plot: Plot, kind: Kind, moment: datetime) -> float:
    """Put the clock to the moment; the seconds until nothing is due any more."""
    async with plot.ground.connection(plot.url) as connection:
        rows = await connection.fetch(
            f"SELECT id FROM {kind.table} WHERE {kind.is_due} ORDER BY random() LIMIT 50", moment
        )
    await put_clock(plot, moment)
    begun = time.perf_counter()
    await _until_done(plot, kind, moment, [row["id"] for row in rows])
    return time.perf_counter() - begun


async def put_clock(plot: Plot, moment: datetime) -> None:
    """Puts the domain's clock to this moment, from which it runs on."""
    database = await Database.open(Settings(), url=plot.url)
    await database.load_clock()
    await database.move_clock(moment - database.clock.now())
    await database.close()


async def _until_done(plot: Plot, kind: Kind, moment: datetime, some: Sequence[int] = ()) -> None:
    """Looks at `some` of them first: to ask whether any is due walks all that have been, and takes from the worker.

    Asks for the first one, which an index answers: to ask whether there is any reads a table of millions.
    """
    async with plot.ground.connection(plot.url) as connection:
        one = "SELECT id FROM {0.table} WHERE {0.is_due}{1} ORDER BY {0.until} LIMIT 1".format
        while await connection.fetchval(one(kind, " AND id = ANY($2)"), moment, some):  # noqa: ASYNC110 -- another process does it
            await asyncio.sleep(PAUSE)
        while await connection.fetchval(one(kind, ""), moment):  # noqa: ASYNC110 -- as above
            await asyncio.sleep(PAUSE)


async def _limit(plot: Plot, kind: Kind, sizes: Sizes) -> Limit:
    """Those that wait until later, taken now, half of them at the most; no worker runs any more."""
    script = bench_sql(kind.scenario.replace(" campaign", "").replace(" ", "_"))
    batches = max(1, min(MOST_BATCHES, sizes.waiting // 2 // BATCH))
    rate = BATCH * await plot.pgbench(script, clients=1, transactions=batches)
    return Limit("pgbench: the same marks, messages and jobs, 500 a commit, 1 client", rate)

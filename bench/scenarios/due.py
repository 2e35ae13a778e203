"""What time does: offers and campaign steps by the million that wait, many that fall due at once, a steady stream.

The domain's clock is put forward, so that what falls due does so in one instant and without a write. The worker is the
whole one, and delivers meanwhile (no mail server is set: messages stay in the outbox).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from bench import programs
from bench.figures import Figure, Limit
from bench.ground import Ground, Plot, bench_sql
from bench.scenarios.arrival import MEMBERS, found, load_arrivals
from bench.sizes import Sizes
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database

OWNERS = 100
LATER = timedelta(days=300)  # nothing of this falls due here
STEADY, AT_ONCE = timedelta(days=1), timedelta(days=10)  # from the beginning, in the domain's time
AHEAD = 2.0  # seconds before the stream begins

SCHEDULED = "SELECT count(*) FROM offers WHERE state = 'scheduled' AND notify_at <= $1"
STEPS = "SELECT count(*) FROM contact_communications WHERE is_active AND taken_at IS NULL AND send_at <= $1"
LATENESS = """
SELECT percentile_cont($1::float8[]) WITHIN GROUP (ORDER BY extract(epoch FROM
    domain_anchor + (pg_xact_commit_timestamp({row}.xmin) - real_anchor) * scale - {row}.{due}) * 1000)
FROM {table} {row}, domain_clock WHERE {row}.{due} BETWEEN $2 AND $3 AND {row}.{done} IS NOT NULL"""


async def measure_offers(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Arrival beside the waiting; then the stream; then all at once."""
    begun = datetime.now(UTC)
    calm = await _arrivals(ground, sizes, None)
    async with ground.database("offers") as plot:
        await _found_offers(plot, sizes, begun)
        yield _slowed("offers", sizes, calm, await _arrivals(ground, sizes, plot))
        async with programs.worker(plot.url, plot.file("worker.log")):
            lateness = await _stream(
                plot, sizes, begun + STEADY, SCHEDULED, _lateness("offers", "notify_at", "notified_at")
            )
            yield _steady("offers", sizes, lateness)
            seconds = await _at_once(plot, begun + AT_ONCE, SCHEDULED)
        limit = await _limit(plot, sizes, "due_offers")
    yield Figure(
        scenario="due offers",
        name=f"{sizes.due:,} due at once, {sizes.waiting:,} more waiting, delivery under way",
        value=sizes.due / seconds,
        unit="offers/s",
        target=10_000,
        limits=(limit,),
        details={"seconds": round(seconds, 2)},
    )


async def measure_steps(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """The same for steps of campaigns."""
    begun = datetime.now(UTC)
    calm = await _arrivals(ground, sizes, None)
    async with ground.database("steps") as plot:
        await _found_steps(plot, sizes, begun)
        yield _slowed("campaign steps", sizes, calm, await _arrivals(ground, sizes, plot))
        async with programs.worker(plot.url, plot.file("worker.log")):
            of_steps = _lateness("contact_communications", "send_at", "taken_at")
            yield _steady("campaign steps", sizes, await _stream(plot, sizes, begun + STEADY, STEPS, of_steps))
            seconds = await _at_once(plot, begun + AT_ONCE, STEPS)
        limit = await _limit(plot, sizes, "due_steps")
    yield Figure(
        scenario="due campaign steps",
        name=f"{sizes.due:,} due at once, {sizes.waiting:,} more waiting, delivery under way",
        value=sizes.due / seconds,
        unit="steps/s",
        target=10_000,
        limits=(limit,),
        details={"seconds": round(seconds, 2)},
    )


# ---------------------------------------------------------------------------------------------------- the rows


async def _found_offers(plot: Plot, sizes: Sizes, begun: datetime) -> None:
    """Each lead has one offer that was told of and four that wait, of which one is due in the stream, or at once."""
    await found(plot, OWNERS)
    for leads, due, apart in (
        (sizes.steady, begun + STEADY + timedelta(seconds=AHEAD), 1 / sizes.pace),
        (sizes.due, begun + AT_ONCE, 0.0),
        (max(0, sizes.waiting // 4 - sizes.steady - sizes.due), begun + LATER, 0.1),
    ):
        await plot.put_in(
            "waiting_leads", users=OWNERS, owners=OWNERS, members=MEMBERS, leads=leads, told=1,
            due=due.isoformat(), apart=apart,
        )  # fmt: skip
    await plot.keep_rule_sets(OWNERS)
    await plot.settle()


async def _found_steps(plot: Plot, sizes: Sizes, begun: datetime) -> None:
    await found(plot, OWNERS)
    for steps, due, apart in (
        (sizes.steady, begun + STEADY + timedelta(seconds=AHEAD), 1 / sizes.pace),
        (sizes.due, begun + AT_ONCE, 0.0),
        (sizes.waiting, begun + LATER, 0.1),
    ):
        await plot.put_in("waiting_steps", owners=OWNERS, steps=steps, due=due.isoformat(), apart=apart)
    await plot.settle()


# --------------------------------------------------------------------------------------------------- the figures


async def _arrivals(ground: Ground, sizes: Sizes, plot: Plot | None) -> float:
    """Leads a second over HTTP, in this database or in one where nothing waits."""
    if plot is None:
        async with ground.database("calm") as empty:
            await found(empty, OWNERS)
            return await _arrivals(ground, sizes, empty)
    outcome, _ = await load_arrivals(plot, sizes.connections[-1], range(1, OWNERS + 1), sizes, "--no-worker")
    return outcome.rate


def _slowed(what: str, sizes: Sizes, calm: float, loaded: float) -> Figure:
    return Figure(
        scenario=f"due {what}",
        name=f"arrival beside {sizes.waiting:,} {what} that wait, as a part of arrival without them",
        value=loaded / calm,
        unit="x",
        target=0.9,
        details={"without": round(calm, 1), "with": round(loaded, 1)},
    )


def _steady(what: str, sizes: Sizes, lateness: dict[str, float]) -> Figure:
    return Figure(
        scenario=f"due {what}",
        name=f"lateness at {sizes.pace} a second, p99, until it is committed",
        value=lateness["p99"],
        unit="ms",
        target=1000,
        less_is_better=True,
        details={"latencies": lateness},
    )


def _lateness(table: str, due: str, done: str) -> str:
    return LATENESS.format(table=table, row="r", due=due, done=done)


async def _stream(plot: Plot, sizes: Sizes, begins: datetime, count: str, lateness: str) -> dict[str, float]:
    """Put the clock to shortly before the stream, let it pass, and see how late each was committed."""
    await _put_clock(plot, begins)
    length = sizes.steady / sizes.pace
    await asyncio.sleep(AHEAD + length)
    first = begins + timedelta(seconds=AHEAD)
    last = first + timedelta(seconds=length)
    await _until_done(plot, count, last)
    found_ = await plot.fetchval(lateness, [0.5, 0.9, 0.99, 1.0], first, last)
    assert isinstance(found_, list)
    return dict(zip(("p50", "p90", "p99", "max"), found_, strict=True))


async def _at_once(plot: Plot, moment: datetime, count: str) -> float:
    """Put the clock to the moment; the seconds until nothing is due any more."""
    await _put_clock(plot, moment)
    begun = time.perf_counter()
    await _until_done(plot, count, moment)
    return time.perf_counter() - begun


async def _put_clock(plot: Plot, moment: datetime) -> None:
    database = await Database.open(Settings(), url=plot.url)
    await database.load_clock()
    await database.move_clock(moment - database.clock.now())
    await database.close()


async def _until_done(plot: Plot, count: str, moment: datetime) -> None:
    async with plot.ground.connection(plot.url) as connection:
        while await connection.fetchval(count, moment):  # noqa: ASYNC110 -- another process does it
            await asyncio.sleep(0.1)


async def _limit(plot: Plot, sizes: Sizes, script: str) -> Limit:
    """Those that wait until later, taken now; no worker runs any more. Ends while there are enough of them."""
    rate = 500 * await plot.pgbench(bench_sql(script), clients=1, seconds=min(5.0, sizes.seconds))
    return Limit("pgbench: the same marks, messages and jobs, 500 a commit, 1 client", rate)

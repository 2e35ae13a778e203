"""What counting costs: arrival, claims and due offers with the counters' triggers, as a part of the same without them.

In turns in one run, each time in a fresh database; the better of the rounds counts. The worker, which adds the changes
up, runs beside all of them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from bench import programs
from bench.figures import Figure
from bench.ground import Ground, Plot
from bench.load import Plan, write_requests
from bench.scenarios.arrival import MEMBERS, found, load_arrivals
from bench.scenarios.claim import CONNECTIONS, claim_request, found_offered
from bench.scenarios.due import AT_ONCE, OFFERS, OWNERS, at_once, found_offers
from bench.sizes import Sizes

ROUNDS = 3
COUNTED = ("leads", "claims", "offers", "counted_leads", "campaign_contacts", "contact_communications", "messages",
           "arrivals")  # fmt: skip

Work = Callable[[Plot, Sizes], Awaitable[float]]


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """Each with and without, in turns."""
    yield await _compared(ground, sizes, "arrival of many owners, 128 connections", "leads", _arrive)
    yield await _compared(ground, sizes, "arrival of one owner, 128 connections", "leads", _arrive_at_one)
    yield await _compared(ground, sizes, f"claims, {CONNECTIONS} connections", "claims", _claim)
    yield await _compared(ground, sizes, "offers due at once", "offers", _fall_due)


async def _compared(ground: Ground, sizes: Sizes, what: str, unit: str, work: Work) -> Figure:
    rates: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(ROUNDS):
        for name, each in rates.items():
            async with ground.database("counting") as plot:
                if name == "without":
                    for table in COUNTED:
                        await plot.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                each.append(await work(plot, sizes))
    return Figure(
        scenario="counting",
        name=f"{what}, as a part of what it is without counters",
        value=max(rates["with"]) / max(rates["without"]),
        unit="x",
        target=0.95,
        details={f"{unit} a second {name} counters": [round(rate) for rate in each] for name, each in rates.items()},
    )


async def _arrive(plot: Plot, sizes: Sizes) -> float:
    await found(plot, sizes.owners)
    outcome, _ = await load_arrivals(plot, sizes.connections[-1], range(1, sizes.owners + 1), sizes)
    return outcome.rate


async def _arrive_at_one(plot: Plot, sizes: Sizes) -> float:
    await found(plot, sizes.owners)
    outcome, _ = await load_arrivals(plot, sizes.connections[-1], [1], sizes)
    return outcome.rate


async def _claim(plot: Plot, sizes: Sizes) -> float:
    await found_offered(plot, sizes.owners, MEMBERS, sizes.claims)
    await _count(plot, sizes.owners)
    claims = [claim_request(n + 1, (n % sizes.owners + 1) % sizes.owners + 1) for n in range(sizes.claims)]
    file = write_requests(plot.file("claims"), claims)
    async with programs.serve(plot.url, plot.file("serve.log")) as running:
        outcome = await programs.load(Plan(port=running.port, connections=CONNECTIONS, requests=file), 200)
    return outcome.rate


async def _fall_due(plot: Plot, sizes: Sizes) -> float:
    begun = datetime.now(UTC)
    await found_offers(plot, replace(sizes, waiting=0), begun)  # what waits is not counted, and takes long to put in
    await _count(plot, OWNERS)
    async with programs.worker(plot.url, plot.file("worker.log")):
        return sizes.due / await at_once(plot, OFFERS, begun + AT_ONCE)


async def _count(plot: Plot, owners: int) -> None:
    """Counts the rows that were filled in without triggers."""
    await plot.execute(f"SELECT recount(id) FROM generate_series(1, {owners}) id")

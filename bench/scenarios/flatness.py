"""Whether a lead costs the same with many owners, and with many routes of its owner; and the memory that this takes."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence

from bench.figures import Figure
from bench.ground import Ground, Plot
from bench.scenarios.arrival import ROUTES, found, load_arrivals
from bench.sizes import Sizes

FEW = 10


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """The cost of a lead is what it takes of the machine at full load: one divided by the leads a second."""
    owner_ids = random.Random(1).choices(range(1, sizes.many_owners + 1), k=100_000)
    async with ground.database("few") as plot:
        await found(plot, FEW)
        of_all, _ = await _rate(plot, range(1, FEW + 1), sizes)
        of_one, _ = await _rate(plot, [1], sizes)
    async with ground.database("many") as plot:
        await found(plot, sizes.many_owners, routes=ROUTES, first_routes=sizes.routes)
        await plot.keep_rule_sets(sizes.many_owners)
        await plot.settle()
        many_owners, memory = await _rate(plot, _with_the_first(owner_ids), sizes)
        many_routes, _ = await _rate(plot, [1], sizes)
    yield _cost(f"cost of a lead with {sizes.many_owners:,} owners, times that with {FEW}", of_all, many_owners)
    yield _cost(
        f"cost of a lead with {sizes.routes:,} routes of one owner, times that with {ROUTES}", of_one, many_routes
    )
    yield Figure(
        scenario="memory",
        name=f"serve, after leads for {sizes.many_owners:,} owners, one of them with {sizes.routes:,} routes",
        value=memory,
        unit="MB",
        target=150,
        less_is_better=True,
    )


def _with_the_first(owner_ids: Sequence[int]) -> Iterable[int]:
    """The owner with many routes has a lead now and then."""
    return [1 if place % 100 == 0 else owner_id for place, owner_id in enumerate(owner_ids)]


async def _rate(plot: Plot, owner_ids: Iterable[int], sizes: Sizes) -> tuple[float, float]:
    outcome, memory = await load_arrivals(plot, sizes.connections[-1], owner_ids, sizes, "--no-worker")
    return outcome.rate, memory


def _cost(name: str, few: float, many: float) -> Figure:
    return Figure(
        scenario="flatness", name=name, value=few / many, unit="x", target=1.2, less_is_better=True,
        details={"leads a second with few": round(few, 1), "with many": round(many, 1)},
    )  # fmt: skip

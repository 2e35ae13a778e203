"""The routing decision alone, on one core."""

from collections.abc import AsyncIterator

import msgspec

from bench import programs
from bench.figures import Figure
from bench.ground import Ground
from bench.sizes import Sizes

AIMS = ("100 routes, 20 members by rank", "100 routes, 20 members by rank, the first 10 unavailable")


async def measure(_ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """In a process of its own."""
    rates = msgspec.json.decode(await programs.run("-m", "bench.decision", str(sizes.decisions)), type=dict[str, float])
    for name, rate in rates.items():
        yield Figure(
            scenario="decision", name=name, value=rate, unit="decisions/s", target=50_000 if name in AIMS else None
        )  # fmt: skip

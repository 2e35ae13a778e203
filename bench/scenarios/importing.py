"""Import of a CSV file by `leadroutes import`, from the start of the command to its end."""

import csv
import time
from collections.abc import AsyncIterator

from bench import programs
from bench.figures import Figure, Limit
from bench.ground import Ground, Plot, bench_sql
from bench.people import inquiry
from bench.scenarios.arrival import found
from bench.sizes import Sizes

OWNERS = 3
TOGETHER = 1000  # leads a transaction, in the limit as in the import


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """A file of new people, one lead each."""
    async with ground.database("import") as plot:
        await found(plot, OWNERS)
        file = plot.file("leads.csv")
        with file.open("w", newline="", encoding="utf-8") as opened:
            past = {"source": "Zillow", "received_at": "2026-03-02T10:15:00Z"}
            rows = csv.DictWriter(opened, [*inquiry(0), *past])
            rows.writeheader()
            rows.writerows(inquiry(number) | past for number in range(sizes.imported))
        begun = time.perf_counter()
        await programs.run(
            "-m", "leadroutes", "import", str(file), "--owner", "agent1@example.com", DATABASE_URL=plot.url
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        if (stored := await plot.fetchval("SELECT count(*) FROM leads WHERE is_imported")) != sizes.imported:
            raise programs.Failed(f"{sizes.imported} rows were imported; {stored} are there")
    yield Figure(
        scenario="import",
        name=f"{sizes.imported:,} rows of a CSV file, one contact and lead each",
        value=sizes.imported / seconds,
        unit="leads/s",
        target_ratio=0.6,
        limits=(await _limit(ground, sizes),),
        details={"seconds": round(seconds, 2)},
    )


async def _limit(ground: Ground, sizes: Sizes) -> Limit:
    async with ground.database("import_limit") as plot:
        await found(plot, OWNERS)
        rate = await _rows_a_second(plot, sizes.seconds)
    return Limit(f"pgbench: the same rows, {TOGETHER:,} a commit, 1 client", rate)


async def _rows_a_second(plot: Plot, seconds: float) -> float:
    return TOGETHER * await plot.pgbench(bench_sql("many_imported"), clients=1, seconds=seconds, leads=TOGETHER)

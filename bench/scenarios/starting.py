"""From the command to the first answer, and the memory of a service that has nothing to do."""

import shutil
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

from bench import programs
from bench.figures import Figure
from bench.ground import Ground
from bench.sizes import Sizes


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """With the embedded server, the first time and again; with a server that runs."""
    data = ground.directory / "starting"
    shutil.rmtree(data, ignore_errors=True)
    log = ground.directory / "starting.log"
    first, _ = await _start(None, log, LEADROUTES_DATA=str(data))
    again = [(await _start(None, log, LEADROUTES_DATA=str(data)))[0] for _ in range(sizes.starts)]
    shutil.rmtree(data, ignore_errors=True)
    async with ground.database("starting") as plot:
        beside = [await _start(plot.url, log) for _ in range(sizes.starts)]
    yield _seconds("the first start: the embedded server is made and set up", first)
    yield _seconds("a start with the embedded server", statistics.median(again))
    yield _seconds("a start beside a server that runs", statistics.median(seconds for seconds, _ in beside))
    yield Figure(
        scenario="memory", name="serve, idle, with its worker", value=max(memory for _, memory in beside), unit="MB",
        target=150, less_is_better=True,
    )  # fmt: skip


async def _start(url: str | None, log: Path, **environment: str) -> tuple[float, float]:
    async with programs.serve(url, log, **environment) as running:
        return running.ready_after, running.memory


def _seconds(name: str, value: float) -> Figure:
    return Figure(scenario="cold start", name=name, value=value, unit="s")

"""How long an event loop is held: the longest that anything ran on it between two turns, in seconds of the processor.

Seconds of the loop's own thread, not of the clock on the wall: what else runs on the machine does not count.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 0.1  # seconds that others may have to wait for what someone wrote


@dataclass
class LoopMonitor:
    """`longest` so far."""

    longest: float = 0.0
    turns: int = 0

    async def count(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest = max(self.longest, now - before)
            self.turns += 1
            before = now
            if self.turns % 100 == 0:
                await asyncio.sleep(0.001)  # other processes have their turn, too; what runs meanwhile counts as one


@contextlib.contextmanager
def monitored_loop() -> Iterator[LoopMonitor]:
    """Measures while the block runs."""
    ticks = LoopMonitor()
    task = asyncio.get_running_loop().create_task(ticks.count())
    try:
        yield ticks
    finally:
        task.cancel()

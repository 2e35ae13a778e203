"""A process that takes leads in as the service does: `python -m tests.support.taking_in URL KEY NAME COUNT`.

It says `ready` once it could begin, begins when a line comes in, and ends when all of its leads are stored.
"""

import asyncio
import logging
import sys
from collections.abc import Iterator

import msgspec

from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.observability.logs import set_up
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database

SENDERS = 10  # at once, each of which waits for the answer before it sends the next lead
CONNECTIONS = 5
JSON = {"Content-Type": "application/json"}


async def take_in(url: str, key: str, name: str, count: int) -> None:
    database = await Database.open(Settings(pool_size=CONNECTIONS), url=url)
    await database.load_clock()
    arrivals = Arrivals(Engine(database))
    print("ready", flush=True)  # noqa: T201 -- for whoever started it
    await asyncio.to_thread(sys.stdin.readline)
    numbers = iter(range(count))
    await asyncio.gather(*(_send(arrivals, key, name, numbers) for _ in range(SENDERS)))
    await arrivals.close()
    await database.close()


async def _send(arrivals: Arrivals, key: str, name: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        await arrivals.ingest(key, msgspec.json.encode({"email": f"{name}.{number}@example.com"}), JSON)


if __name__ == "__main__":
    set_up(as_json=False, level=logging.WARNING)
    asyncio.run(take_in(*sys.argv[1:4], int(sys.argv[4])))

"""Events to webhooks: one receiver that has to get them in order, and beside it one that never answers."""

import asyncio
import time
from collections.abc import AsyncIterator

from bench import programs
from bench.figures import Figure
from bench.ground import Ground, Plot
from bench.scenarios.arrival import found
from bench.sizes import Sizes
from leadroutes.security.vault import Vault
from leadroutes.security.webhook_signature import new_webhook_secret
from leadroutes.settings import Settings

SECRET = "a secret of the benchmark"
PATIENCE = 300.0  # seconds
ADD_WEBHOOK = """
INSERT INTO webhooks (owner_id, url, secret, created_at, modified_at) VALUES (1, $1, $2, now(), now()) RETURNING id"""
# As they come from transactions, whose statement this is in parts: numbered, due at once, and the worker is woken.
ADD_EVENTS = """
INSERT INTO webhook_deliveries (owner_id, webhook_id, type, at, data, due_at)
SELECT 1, $1, 'lead.arrived', now(), json_build_object('number', n, 'text_body', repeat('x', 1000))::text, now()
FROM generate_series(0, $2 - 1) n ORDER BY n"""
MAKE_DUE = "UPDATE webhooks SET due_at = now()"
WAKE = "SELECT pg_notify('leadroutes_webhooks', '')"


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """From the first event that the receiver took to the last, all of them due before."""
    async with ground.database("webhooks") as plot, programs.hook() as hook:
        await found(plot, 1)
        async with programs.worker(
            plot.url, plot.file("worker.log"),
            LEADROUTES_SECRET=SECRET, LEADROUTES_WEBHOOKS_TO_PRIVATE="127.0.0.0/8",
        ):  # fmt: skip
            await _add(plot, hook, sizes.events)
            taken = await _until_taken(hook, sizes.events)
        if not taken["is_ordered"]:
            raise programs.Failed("the events came out of order")
    yield Figure(
        scenario="webhooks",
        name=f"{sizes.events:,} events to one receiver, in order, beside one that hangs, one worker",
        value=(taken["events"] - 1) / (taken["last"] - taken["first"]),
        unit="events/s",
        target=500,
    )


async def _add(plot: Plot, hook: programs.Hook, count: int) -> None:
    secret = Vault.of(Settings(secret=SECRET)).seal({"secret": new_webhook_secret()})
    async with plot.ground.connection(plot.url) as connection, connection.transaction():
        for port in (hook.hanging_port, hook.port):
            webhook_id = await connection.fetchval(ADD_WEBHOOK, f"http://127.0.0.1:{port}/", secret)
            await connection.execute(ADD_EVENTS, webhook_id, count)
        await connection.execute(MAKE_DUE)
        await connection.execute(WAKE)


async def _until_taken(hook: programs.Hook, count: int) -> dict[str, float]:
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end:
        taken = await hook.taken()
        if taken["events"] >= count:
            return taken
        await asyncio.sleep(0.1)
    raise programs.Failed(f"after {PATIENCE} seconds {taken['events']} of {count} events have arrived")

"""A load balancer as far as a service notices one: asks /readyz all the time, keeps connections, repeats nothing."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

LOOK = 0.1  # seconds between two looks at a node


class Balancer:
    """Sends each request to the next node that was ready when it was last asked."""

    def __init__(self, *addresses: str) -> None:
        self._nodes = {
            address: httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) for address in addresses
        }
        self._turns = itertools.count()
        self._ready: list[str] = []
        self._looked = asyncio.Condition()

    async def post(self, path: str, **given: Any) -> httpx.Response:
        """Once, as soon as a node is ready; what goes wrong goes wrong."""
        async with self._looked:
            await asyncio.wait_for(self._looked.wait_for(lambda: bool(self._ready)), 40)
        address = self._ready[next(self._turns) % len(self._ready)]
        return await self._nodes[address].post(path, **given)

    async def wait_for(self, *addresses: str) -> None:
        """Until exactly these are ready."""
        async with self._looked:
            await asyncio.wait_for(self._looked.wait_for(lambda: set(self._ready) == set(addresses)), 40)

    async def watch(self) -> None:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            while True:
                found = [address for address in self._nodes if await _is_ready(client, address)]
                async with self._looked:
                    self._ready = found
                    self._looked.notify_all()
                await asyncio.sleep(LOOK)

    async def close(self) -> None:
        for client in self._nodes.values():
            await client.aclose()


async def _is_ready(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


@asynccontextmanager
async def balancing(*addresses: str) -> AsyncIterator[Balancer]:
    """One that watches these nodes."""
    balancer = Balancer(*addresses)
    watching = asyncio.create_task(balancer.watch())
    try:
        yield balancer
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await balancer.close()

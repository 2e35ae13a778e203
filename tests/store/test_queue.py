"""The message queue asks whether it hears what is said once it listens, however long that takes."""

import asyncio
import json
from collections.abc import Callable

import asyncpg

from leadroutes.store.postgres import Database
from leadroutes.store.queue import ListeningDriver, ListeningQueue

ROUNDS = 50


class SlowDriver(ListeningDriver):
    """One that cannot listen until it is let."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.wants_to_listen, self.may_listen = asyncio.Event(), asyncio.Event()

    async def add_listener(self, channel: str, callback: Callable[[str | bytes | bytearray], None]) -> None:
        self.wants_to_listen.set()
        await self.may_listen.wait()
        await super().add_listener(channel, callback)


async def test_nothing_is_asked_before_the_queue_listens(database: Database) -> None:
    asked, hears = [], asyncio.Event()

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        if json.loads(str(payload))["type"] == "health_check_event":
            asked.append(payload)
            hears.set()

    ear = await database.hosts.connect()
    await ear.add_listener("ch_pgqueuer", hear)
    pool = await database.hosts.pool(min_size=2, max_size=4)
    driver = SlowDriver(pool)
    queue = ListeningQueue(driver)
    running = asyncio.create_task(queue.run(shutdown_on_listener_failure=True))
    try:
        async with asyncio.timeout(30):
            await driver.wants_to_listen.wait()
            for _ in range(ROUNDS):
                await ear.execute("SELECT 1")  # brings whatever has been said
            assert asked == []
            driver.may_listen.set()
            await hears.wait()
            assert (await queue.listener_healthy()).type == "health_check_event", "and it hears itself"
            assert not running.done()
    finally:
        queue.shutdown.set()
        driver.may_listen.set()
        await running
        await pool.close()
        await ear.close()

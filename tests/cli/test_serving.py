"""The service as a process: it sets itself up, answers, finishes what is under way, and outlives its database."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx
import pytest

from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.conftest import with_database
from tests.door import Door
from tests.town import Town

BODY = b'{"name": "Mia Lund", "email": "mia@example.com", "lead_type": "Buyer"}'


@dataclass
class RunningService:
    """A running `leadroutes serve`."""

    process: asyncio.subprocess.Process
    url: str
    log: list[str]

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)


@asynccontextmanager
async def serving(url: str, *arguments: str) -> AsyncIterator[RunningService]:
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadroutes", "serve", "--port", "0", *arguments,
        env=environment, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stderr is not None
    log: list[str] = []
    address = None
    while address is None:
        line = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
        assert line, "".join(log)
        log.append(line)
        address = re.search(r"address=(\S+)", line)
    reading = asyncio.create_task(keep_reading(process.stderr, log))
    try:
        yield RunningService(process, address[1], log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading


async def keep_reading(stream: asyncio.StreamReader, log: list[str]) -> None:
    async for line in stream:
        log.append(line.decode())  # noqa: PERF401 -- one at a time, as others read along


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(20):
        while not await true():  # noqa: ASYNC110 -- it cannot set an event of ours
            await asyncio.sleep(0.05)


@pytest.fixture
async def key(database: Database) -> str:
    town = await Town.found(database)
    async with database.transaction() as transaction:
        return await accounts.issue_intake_key(transaction, town.users["alice"], "Zillow", None, None)


async def test_it_answers_and_ends_with_0_when_told_to_stop(database_url: str, key: str) -> None:
    async with serving(database_url) as running, httpx.AsyncClient(base_url=running.url) as client:
        taken = await client.post(f"/intake/{key}", content=BODY, headers={"Content-Type": "application/json"})
        assert taken.status_code == 201
        assert await running.stop() == 0


async def test_a_request_under_way_is_answered_before_it_stops(database: Database, database_url: str, key: str) -> None:
    async with serving(database_url) as running:
        host, port = running.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /intake/{key} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:10])
        await writer.drain()
        await until(lambda: is_connected(running))
        running.process.send_signal(signal.SIGTERM)
        await until(lambda: refuses(host, int(port)))
        writer.write(BODY[10:])

        answer = await asyncio.wait_for(reader.read(), 20)

        assert answer.startswith(b"HTTP/1.1 201")
        assert await asyncio.wait_for(running.process.wait(), 30) == 0
        writer.close()
    assert await database.fetchval("SELECT count(*) FROM leads") == 1


async def is_connected(running: RunningService) -> bool:
    """The head of the request before has been read once another request is answered."""
    async with httpx.AsyncClient(base_url=running.url) as client:
        return (await client.get("/healthz")).status_code == 200


async def refuses(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return True
    writer.close()
    return False


async def test_an_empty_database_is_set_up_and_the_first_step_is_named(server_url: str) -> None:
    connection = await asyncpg.connect(server_url)
    await connection.execute("CREATE DATABASE empty_house")
    try:
        async with serving(with_database(server_url, "empty_house")) as running:
            assert any("leadroutes user add" in line for line in running.log), running.log
            assert await running.stop() == 0
    finally:
        await connection.execute("DROP DATABASE empty_house WITH (FORCE)")
        await connection.close()


async def test_the_log_holds_no_secret(database_url: str, key: str) -> None:
    async with serving(database_url) as running, httpx.AsyncClient(base_url=running.url) as client:
        await client.post(f"/intake/{key}", content=b"{", headers={"Content-Type": "application/json"})
        await running.stop()
        assert key not in "".join(running.log)


async def test_without_the_database_it_asks_for_patience_and_recovers(database_url: str, key: str) -> None:
    door = Door(database_url)
    async with (
        door.open() as url,
        serving(url, "--no-worker") as running,
        httpx.AsyncClient(base_url=running.url, timeout=20, headers={"Content-Type": "application/json"}) as client,
    ):
        await door.shut()
        away = await client.post(f"/intake/{key}", content=BODY)
        assert away.status_code == 503
        assert int(away.headers["retry-after"]) > 0

        await door.unlock()

        async def is_back() -> bool:
            return (await client.post(f"/intake/{key}", content=BODY)).status_code in (200, 201)

        await until(is_back)

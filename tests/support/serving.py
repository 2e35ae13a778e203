"""The service as a process, started by leadroutes serve."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.support.town import Town

BODY = b'{"name": "Mia Lund", "email": "mia@example.com", "lead_type": "Buyer"}'


@dataclass
class ServeProcess:
    """A running `leadroutes serve`."""

    process: asyncio.subprocess.Process
    url: str
    log: list[str]

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)


@asynccontextmanager
async def serving(url: str, *arguments: str) -> AsyncIterator[ServeProcess]:
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
        yield ServeProcess(process, address[1], log)
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

"""The service as processes, started and stopped as an administrator does: `leadroutes serve`, `leadroutes worker`."""

import asyncio
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.programs import ROOT, clean_environment

SERVE = ("serve", "--port", "0")
SERVE_ONLY = (*SERVE, "--no-worker")
WORKER = ("worker",)


@dataclass
class Node:
    """A running process; `address` is where it answers, `log` holds the lines that it has logged so far."""

    process: asyncio.subprocess.Process
    address: str
    log: list[str]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def end(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.wait_for(self.process.wait(), 60)

    async def stop(self) -> int:
        self.terminate()
        return await self.end()


@asynccontextmanager
async def node(environment: dict[str, str], *arguments: str, of: Path = ROOT) -> AsyncIterator[Node]:
    """Starts a process and waits for its address; kills it at the end. `of`: the root of another version."""
    process = await _start(environment, *arguments, of=of)
    assert process.stderr is not None
    log: list[str] = []
    address = None
    while address is None:
        line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        assert line, "".join(log)
        log.append(line)
        address = re.search(r"address=(\S+)", line)
    reading = asyncio.create_task(_keep_reading(process.stderr, log))
    try:
        yield Node(process, address[1], log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading


def serving(url: str, *arguments: str) -> AbstractAsyncContextManager[Node]:
    """`leadroutes serve` on this database."""
    return node({"DATABASE_URL": url}, *SERVE, *arguments)


async def leadroutes(environment: dict[str, str], *arguments: str, of: Path = ROOT) -> tuple[int, str]:
    """Exit code and output of one command."""
    process = await _start(environment, *arguments, of=of)
    out, errors = await asyncio.wait_for(process.communicate(), 100)
    return process.returncode or 0, (out + errors).decode()


async def _start(environment: dict[str, str], *arguments: str, of: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadroutes", *arguments, cwd=of,
        env=clean_environment() | {"LEADROUTES_WORKER_LISTEN": "127.0.0.1:0"} | environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def _keep_reading(stream: asyncio.StreamReader, log: list[str]) -> None:
    async for line in stream:
        log.append(line.decode())  # noqa: PERF401 -- one at a time, as others read along


def next_version(directory: Path, **added: str) -> Path:
    """The directory of a version with these additional migrations; an n precedes each name."""
    shutil.copytree(ROOT / "leadroutes", directory / "leadroutes", ignore=shutil.ignore_patterns("__pycache__"))
    for name, sql in added.items():
        (directory / "leadroutes" / "store" / "migrations" / f"{name[1:]}.sql").write_text(sql)
    return directory


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(60):
        while not await true():  # noqa: ASYNC110 -- it cannot set an event of this process
            await asyncio.sleep(0.02)

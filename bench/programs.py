"""Starts and stops the programs of a run: the service as its users start it, the load, the echo, the mail sink.

Each is a process of its own; nothing here measures.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]  # comes with the embedded server

from bench.load import Outcome, Plan

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0  # seconds for a program to be ready


class Failed(Exception):  # noqa: N818 -- what happened, not a defect of this code
    """A program ended, or answered, other than it should: what was measured says nothing."""


@dataclass(frozen=True, slots=True)
class Running:
    """A program that is ready; `port` is 0 where it listens on none."""

    process: asyncio.subprocess.Process
    port: int = 0
    ready_after: float = 0.0  # seconds

    @property
    def memory(self) -> float:
        """Returns the resident memory of the process, in MB (10^6 bytes); the database's is not in it."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    @property
    def cpu(self) -> float:
        """Returns seconds of CPU so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextlib.asynccontextmanager
async def leadroutes(*arguments: str, log: Path, ready: str, **environment: str) -> AsyncIterator[Running]:
    """`python -m leadroutes …` until the block ends; ready once its log holds the pattern, whose group is the port."""
    begun = time.perf_counter()
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "leadroutes", *arguments,
            cwd=ROOT, env={**_clean_environment(), **environment}, stdin=asyncio.subprocess.DEVNULL, stderr=file,
        )  # fmt: skip
    try:
        found = await _until_logged(process, log, ready, begun)
        port = int(found[1]) if found.groups() else 0
        yield Running(process, port, time.perf_counter() - begun)
        if process.returncode is not None:
            raise Failed(f"leadroutes {arguments[0]} ended by itself:\n{_tail(log)}")
    finally:
        await _stop(process)


def serve(
    url: str | None, log: Path, *arguments: str, **environment: str
) -> contextlib.AbstractAsyncContextManager[Running]:
    """The service on a free port; `url` None: with the embedded server in LEADROUTES_DATA."""
    given = environment if url is None else {"DATABASE_URL": url, **environment}
    return leadroutes(
        "serve", "--port", "0", *arguments, log=log, ready=r"listening\s.*address=http://\S+:(\d+)", **given
    )


def worker(url: str, log: Path, **environment: str) -> contextlib.AbstractAsyncContextManager[Running]:
    """A worker without a service."""
    return leadroutes("worker", log=log, ready=r"\bworking\b", DATABASE_URL=url, **environment)


def _clean_environment() -> dict[str, str]:
    """Nothing is set but that one intake key may bring whatever the load is."""
    found = {name: value for name, value in os.environ.items() if name != "DATABASE_URL" and "LEADROUTES" not in name}
    return found | {"LEADROUTES_INTAKE_PER_KEY": "off", "LEADROUTES_INTAKE_BYTES_PER_KEY": "off"}


async def _until_logged(process: asyncio.subprocess.Process, log: Path, ready: str, begun: float) -> re.Match[str]:
    while time.perf_counter() - begun < PATIENCE:
        if found := re.search(ready, _read(log)):
            return found
        if process.returncode is not None:
            break
        await asyncio.sleep(0.005)
    raise Failed(f"a program was not ready:\n{_tail(log)}")


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _tail(log: Path) -> str:
    return "\n".join(_read(log).splitlines()[-20:])


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()


async def load(plan: Plan, *expected: int) -> Outcome:
    """Run the load; Failed where anything came back that is not of these statuses."""
    outcome = msgspec.json.decode(await run("-m", "bench.load", msgspec.json.encode(plan).decode()), type=Outcome)
    if unexpected := set(outcome.statuses) - set(expected):
        raise Failed(f"the service answered {min(unexpected)}: {outcome.samples[min(unexpected)]}")
    if not outcome.answers:
        raise Failed(f"nothing was answered within {outcome.seconds} seconds")
    return outcome


async def run(*arguments: str, **environment: str) -> bytes:
    """Returns the output of a Python program. Raises Failed unless it ends with 0."""
    return await run_program(sys.executable, *arguments, **environment)


async def run_program(*command: str, **environment: str) -> bytes:
    """Returns the output of a program. Raises Failed unless it ends with 0."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**_clean_environment(), **environment}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if process.returncode:
        raise Failed(f"{' '.join(command)[:200]} ended with {process.returncode}:\n{err.decode()[-2000:]}")
    return out


@contextlib.asynccontextmanager
async def echo(size: int) -> AsyncIterator[int]:
    """Yields the port of the bare echo."""
    async with talking(sys.executable, "-m", "bench.echo", str(size)) as (_, port):
        yield port


@dataclass(frozen=True, slots=True)
class Sink:
    """The mail server that takes everything."""

    url: str
    process: asyncio.subprocess.Process

    async def taken(self) -> dict[str, float]:
        """{"mails", "first", "last"} so far."""
        found: dict[str, float] = await _answer_of(self.process)
        return found


@dataclass(frozen=True, slots=True)
class Hook:
    """The receiver of webhooks: `port` answers, `hanging_port` takes a request and never does."""

    port: int
    hanging_port: int
    process: asyncio.subprocess.Process

    async def taken(self) -> dict[str, float]:
        """{"events", "first", "last", "is_ordered"} so far."""
        found: dict[str, float] = await _answer_of(self.process)
        return found


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider that takes every text."""

    url: str
    process: asyncio.subprocess.Process

    async def taken(self) -> dict[str, float]:
        """The names of the messages since the call before, and when each came, in seconds of CLOCK_REALTIME."""
        found: dict[str, dict[str, float]] = await _answer_of(self.process)
        return found["taken"]


async def _answer_of(process: asyncio.subprocess.Process) -> Any:
    """Returns what a program answers to a line, as JSON."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    return msgspec.json.decode(await process.stdout.readline())


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """Yields a new provider of texts."""
    async with talking(sys.executable, "-m", "bench.provider") as (process, port):
        yield Provider(f"http://127.0.0.1:{port}", process)


@contextlib.asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    """Yields a new receiver of webhooks."""
    async with talking(sys.executable, "-m", "bench.hook") as (process, port):
        assert process.stdout is not None
        yield Hook(port, int(await process.stdout.readline()), process)


@contextlib.asynccontextmanager
async def sink() -> AsyncIterator[Sink]:
    """Yields a new mail sink."""
    async with talking(sys.executable, "-m", "bench.sink") as (process, port):
        yield Sink(f"smtp://127.0.0.1:{port}", process)


@contextlib.asynccontextmanager
async def talking(*command: str, **environment: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Yields a program of which the first line is its port; it is killed afterwards."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, **environment}, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, int(await asyncio.wait_for(process.stdout.readline(), PATIENCE))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()

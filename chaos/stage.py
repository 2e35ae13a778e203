"""The stage of a run: one PostgreSQL, two services without workers, two workers, those they talk to; each a process.

Those are a mail server, and one that is both the provider of texts and calls and the receiver of webhooks.
Sets up and clears away only; `run` uses it.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from chaos.brokerage import OWNER, TIME_SCALE, Brokerage, found
from chaos.outside import WEBHOOKS, World
from chaos.postgres import Failed, Server, free_port
from chaos.programs import ROOT, Program, clean_environment
from chaos.sink import Sink

DATABASE = "chaos"
READY_WITHIN = 120.0  # seconds
MAIL_DOMAIN = "answers.example.net"  # where contacts answer to


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts of a run."""

    directory: Path
    postgres: Server
    sink: Sink
    world: World
    brokerage: Brokerage
    ports: tuple[int, ...]
    mail_ports: tuple[int, ...]  # where the services take mail in
    serves: tuple[Program, ...]
    workers: tuple[Program, ...]
    environment: dict[str, str]

    async def until_ready(self) -> None:
        """Every service answers that the database and a worker are there."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            for port in self.ports:
                await _until_ready(client, f"http://127.0.0.1:{port}/readyz")

    async def leadroutes(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of one command."""
        return await run_leadroutes(self.environment, *arguments)


@contextlib.asynccontextmanager
async def stage(directory: Path, seed: int) -> AsyncIterator[Stage]:
    """Everything up, in an empty directory; nothing of it runs afterwards. Logs stay there."""
    postgres = Server(directory / "postgres")
    await postgres.make()
    await postgres.start()
    try:
        async with set_up(directory, seed, postgres, postgres.url(DATABASE)) as everything:
            yield everything
    finally:
        await postgres.stop_at_once()


@contextlib.asynccontextmanager
async def set_up(directory: Path, seed: int, postgres: Server, url: str) -> AsyncIterator[Stage]:
    """Yields all but PostgreSQL, which already runs; `url` is its address for the processes."""
    await postgres.ask(f"CREATE DATABASE {DATABASE}")
    brokerage = await found(postgres.url(DATABASE))
    ports, mail_ports = (tuple(free_port() for _ in range(2)) for _ in range(2))
    address = f"http://127.0.0.1:{ports[0]}"
    async with (
        Sink.started(directory / "mails.jsonl", seed) as mails,
        World.started(directory / "outside.jsonl", seed, address) as outside,
    ):
        environment = environment_of(url, mails.url, directory, ports[0]) | outside.settings
        serves = tuple(
            serve(f"serve {port}", port, environment | {"LEADROUTES_MAIL_LISTEN": f"127.0.0.1:{mail_port}"}, directory)
            for port, mail_port in zip(ports, mail_ports, strict=True)
        )
        workers = tuple(worker(f"worker {number}", environment, directory) for number in (1, 2))
        everything = Stage(
            directory, postgres, mails, outside, brokerage, ports, mail_ports, serves, workers, environment
        )
        async with running(*serves, *workers):
            await everything.until_ready()
            await _add_webhook(address, brokerage, outside.url + WEBHOOKS)
            yield everything


async def _add_webhook(service: str, brokerage: Brokerage, receiver: str) -> None:
    headers = {"Authorization": f"Bearer {brokerage.tokens[OWNER]}"}
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        answer = await client.post(f"{service}/webhooks", json={"url": receiver}, headers=headers)
    if answer.status_code != 201:
        raise Failed(f"the webhook was answered {answer.status_code}: {answer.text}")


def environment_of(url: str, smtp_url: str, directory: Path, port: int) -> dict[str, str]:
    """Returns the settings of all processes of a run."""
    return {
        "DATABASE_URL": url,
        "LEADROUTES_DATA": str(directory),
        "LEADROUTES_SECRET": "the same for all processes of a run",
        "LEADROUTES_SMTP_URL": smtp_url,
        "LEADROUTES_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LEADROUTES_TIME_SCALE": str(TIME_SCALE),
        "LEADROUTES_MAIL_DOMAIN": MAIL_DOMAIN,
        "LEADROUTES_INTAKE_PER_KEY": "off",  # everything comes with one key
        "LEADROUTES_QUIET_HOURS": "law",
        "LEADROUTES_WEBHOOK_TRIES": "5s,15s,30s,1m,2m,4m,8m",  # in hours they would outlast the calm at the end
    }


def serve(name: str, port: int, environment: dict[str, str], directory: Path) -> Program:
    arguments = ("-m", "leadroutes", "serve", "--no-worker", "--port", str(port))
    return Program(name, arguments, environment, directory / f"{name}.log")


def worker(name: str, environment: dict[str, str], directory: Path) -> Program:
    return Program(name, ("-m", "leadroutes", "worker"), environment, directory / f"{name}.log")


@contextlib.asynccontextmanager
async def running(*programs: Program) -> AsyncIterator[None]:
    """Runs the programs, restarts them when they end, and ends them afterwards."""
    for program in programs:
        program.start()
    try:
        yield
    finally:
        await asyncio.gather(*(program.stop() for program in programs))


async def run_leadroutes(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code and output of one command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadroutes", *arguments, cwd=ROOT, env=clean_environment() | environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def _until_ready(client: httpx.AsyncClient, url: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_WITHIN
    while loop.time() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if (await client.get(url)).status_code == 200:
                return
        await asyncio.sleep(0.1)
    raise Failed(f"{url} did not become ready within {READY_WITHIN:.0f} seconds")

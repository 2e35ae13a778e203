"""One PostgreSQL server for a run (embedded, or LEADROUTES_TEST_DATABASE_URL), a fresh database for every test."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from leadroutes.sandbox.processes import close_sandbox
from leadroutes.settings import Settings
from leadroutes.store.embedded import start_embedded_server
from leadroutes.store.migrate import migrate
from leadroutes.store.postgres import Database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_url() -> str:
    """The address of a server on which databases may be made and dropped."""
    if url := os.environ.get("LEADROUTES_TEST_DATABASE_URL"):
        yield url
        return
    directory = Path(tempfile.mkdtemp(prefix="leadroutes-test-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(directory))
    url = start_embedded_server(directory, database="maintenance")
    asyncio.run(_hurry(url))
    yield url
    shutil.rmtree(directory, ignore_errors=True)


async def _hurry(url: str) -> None:
    """Nothing of a throw-away server has to survive the machine; tests/chaos kills others."""
    settings = ("fsync", "full_page_writes", "synchronous_commit")
    await _administer(url, *(f"ALTER SYSTEM SET {name} = off" for name in settings), "SELECT pg_reload_conf()")


@pytest.fixture(scope="session", autouse=True)
async def _sandbox() -> AsyncIterator[None]:
    """Processes that work out foreign text are started when a test needs them, and end with the run."""
    yield
    await close_sandbox()


@pytest.fixture(scope="session")
async def template(server_url: str) -> str:
    """The name of a migrated database that every test's own is a copy of."""
    name = f"leadroutes_template_{os.getpid()}"
    await _administer(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    database = await Database.open(Settings(), url=with_database(server_url, name))
    await migrate(database)
    await database.close()
    yield name
    await _administer(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
async def database_url(server_url: str, template: str) -> AsyncIterator[str]:
    """A fresh, migrated database; dropped afterwards."""
    name = f"leadroutes_test_{os.getpid()}_{next(_numbers)}"
    await _administer(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield with_database(server_url, name)
    await _administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(Settings(), url=database_url)
    await database.load_clock()
    yield database
    await database.close()


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """For what starts a PostgreSQL of its own, which is another user's process where tests run as root.

    pytest closes the directory above `tmp_path` to other users whenever any run on this machine begins.
    """
    directory = Path(tempfile.mkdtemp(prefix="leadroutes-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
        await asyncio.sleep(0)

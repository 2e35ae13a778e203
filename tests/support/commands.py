"""Runs commands as a terminal does, also from inside an event loop, and looks at what they stored."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asyncpg
import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from leadroutes.cli import app

Run = Callable[..., Result]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Commands set up logs for their process; this one has tests after them."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def run(database_url: str, quiet: None) -> Run:
    """Run a command against a fresh database; wrong exit codes show what was printed."""

    def run_command(*arguments: str, code: int = 0, stdin: str | None = None, url: str = database_url) -> Result:
        environment = {"DATABASE_URL": url, "LEADROUTES_PUBLIC_URL": "https://leads.example.com", "COLUMNS": "200"}
        result = CliRunner().invoke(app, arguments, env=environment, input=stdin, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return run_command


def ask(url: str, sql: str, *values: Any) -> Any:
    async def work() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    return asyncio.run(work())


def last_line(result: Result) -> str:
    return result.stdout.rstrip("\n").split("\n")[-1]


Command = Callable[..., Awaitable[Result]]


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

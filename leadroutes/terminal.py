"""What commands stand on: settings, a database, two consoles, tables, values as people read them, the right end."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadroutes import logs
from leadroutes.errors import Problem
from leadroutes.security.sandbox import close_sandbox
from leadroutes.settings import Settings
from leadroutes.store.migrating import prepare
from leadroutes.store.postgres import Database

Result = TypeVar("Result")

out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for place, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row))
    out.print(table)


def shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case list():
            return " ".join(map(str, value))
        case _:
            return str(value)


def finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Its result; a problem is told in one line and ends the command with 1."""
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            return runner.run(_to_the_end(work))
    except Problem as problem:
        fail(problem.message)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return await work
    finally:
        await close_sandbox()


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where there is one."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 -- there is none on Windows

    return uvloop.new_event_loop


def fail(message: str) -> NoReturn:
    err.print(f"leadroutes: {logs.without_secrets(message)}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)


def settings_in_force(level: int = logging.WARNING) -> Settings:
    """The settings in force, and logs as they say; a wrong one ends the command with 1."""
    try:
        values = Settings.load()
    except Problem as problem:
        fail(problem.message)
    logs.set_up(as_json=values.log_json, level=level, tells_leads=values.log_leads)
    return values


def run_with_database(work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Do `work` with a database that is ready for it."""

    async def with_database() -> Result:
        database = await Database.open(settings_in_force())
        try:
            await prepare(database)
            return await work(database)
        finally:
            await database.close()

    return finish(with_database())

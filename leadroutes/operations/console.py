"""Shared by all commands: settings, database, console output, tables, exit codes."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any, NoReturn, TextIO, TypeVar, cast

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leadroutes.channels import configured_channels
from leadroutes.domain.text import visible
from leadroutes.errors import Problem
from leadroutes.observability import logs
from leadroutes.sandbox.processes import close_sandbox
from leadroutes.settings import Settings
from leadroutes.store.installation import Installation
from leadroutes.store.migrate import prepare
from leadroutes.store.postgres import Database

Result = TypeVar("Result")


class PlainConsole(Console):
    """Prints text as it is: nothing of it is markup, and nothing of it acts on the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(
            *(visible(each, keeps_lines=True) if isinstance(each, str) else each for each in objects), **options
        )


out = PlainConsole(width=None if sys.stdout.isatty() else 200)
err = PlainConsole(stderr=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for place, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(Text(visible(shown(value))) for value in row))
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


def shown_if_terminal(stream: TextIO) -> TextIO:
    """The stream; a terminal is shown what would act on it, a file or a pipe gets the text as it is."""
    return cast("TextIO", _Shown(stream)) if stream.isatty() else stream


class _Shown:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(visible(text, keeps_lines=True))


def finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs `work` and returns its result; a Problem is printed in one line and ends the command with exit code 1."""
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
    """Returns uvloop's event loop factory, if it is installed."""
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
    """Runs `work` with a database that is ready for use."""

    async def with_database() -> Result:
        settings = settings_in_force()
        database = await Database.open(settings)
        database.installation = Installation(configured_channels(settings), settings.open_span)
        try:
            await prepare(database)
            return await work(database)
        finally:
            await database.close()

    return finish(with_database())


def print_list(load: Callable[[Database], Awaitable[Sequence[Any]]], *columns: str) -> None:
    """Print rows of the database as a table with these columns."""
    rows = run_with_database(load)
    print_table([name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in rows])

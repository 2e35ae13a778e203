"""Commands about addresses that must not be written to: bring a list in, write it out. The work is done elsewhere."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadroutes.operations.console import err, fail, out, run_with_database, shown_if_terminal
from leadroutes.security.private_files import private_text
from leadroutes.store.postgres import Database

if TYPE_CHECKING:
    from leadroutes.operations.suppression_lists import ListReport

app = typer.Typer(no_args_is_help=True, help="E-mail addresses that campaigns must not write to.")

Owner = Annotated[str, typer.Option("--owner", metavar="EMAIL", help="E-mail of the user in whose account it is done.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
    owner: Owner,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any row could not be imported.")] = False,
) -> None:
    """Bring in a list from FILE.csv: a column `value` or `email`; `channel`, `reason` and `at` where they are known."""
    from leadroutes.operations.suppression_lists import import_suppressions

    async def work(database: Database) -> "ListReport":
        return await import_suppressions(database, file.read_bytes(), owner)

    report = run_with_database(work)
    if report.fault:
        fail(report.fault)
    for line in report.lines():
        out.print(line, soft_wrap=True)
    if report.refused and strict:
        raise typer.Exit(1)


@app.command("export")
def export(
    owner: Owner,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to; else standard output.")] = None,
) -> None:
    """The list as CSV, with what was lifted, by whom and with what consent. Erased people are not in it."""
    from leadroutes.operations.csv_export import export as write

    async def work(database: Database) -> int:
        if to is None:
            return await write(database, "suppressions", owner, shown_if_terminal(sys.stdout))
        with private_text(to) as file:
            return await write(database, "suppressions", owner, file)

    written = run_with_database(work)
    err.print(f"{written} suppressions")

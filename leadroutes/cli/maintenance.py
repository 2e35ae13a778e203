"""The commands of those who keep the service: top, recount, backup, restore, erase, and one contact's export.

As in cli: each calls one function of another room and prints the outcome.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from leadroutes.domain.text import visible_json
from leadroutes.operations.console import err, fail, finish, out, run_with_database, settings_in_force
from leadroutes.security.private_files import private_text
from leadroutes.store import accounts
from leadroutes.store.postgres import Database

ContactId = Annotated[int, typer.Argument(metavar="CONTACT_ID", help="The contact's id.")]
Owner = Annotated[str, typer.Option("--owner", metavar="EMAIL", help="E-mail of the user whose contact it is.")]


def top(once: Annotated[bool, typer.Option("--once", help="Print it once and end.")] = False) -> None:
    """Watch the whole house at work: leads, timers, messages, workers; renewed every second, until Ctrl-C."""
    from leadroutes.operations.top import show

    run_with_database(lambda database: show(database, out, once=once))


def recount(
    owner: Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail of the user whose leads are counted.")],
) -> None:
    """Count an owner's leads, offers and campaigns again; all else waits until it is done."""
    from leadroutes.store.counters import recount_owner

    async def work(database: Database) -> None:
        await recount_owner(database, await accounts.get_user_id(database, owner))

    run_with_database(work)
    err.print("Counted")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="Where to; a directory has to exist.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
) -> None:
    """Write the whole database to FILE, as it is at this moment, while the service goes on."""
    from leadroutes.operations.backup import write_backup

    if file.exists() and not force:
        fail(f"{file} is there already; --force replaces it")
    size = finish(write_backup(settings_in_force(), file))
    err.print(f"{file}: {size:,} bytes. LEADROUTES_SECRET and the settings are not in it; keep them, too.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if there is something in the database: it goes.")
    ] = False,
    moved: Annotated[
        bool, typer.Option("--moved", help="Nothing was sent since the backup: what is due to contacts is sent.")
    ] = False,
) -> None:
    """Bring a backup back, whole or not at all. What contacts may have been sent since is not sent again."""
    from leadroutes.operations.backup import restore_backup

    held = finish(restore_backup(settings_in_force(), file, replace=replace, moved=moved))
    err.print(f"{file} is back")
    if held:
        what = "1 message to a contact" if held == 1 else f"{held} messages to contacts"
        are = "is" if held == 1 else "are"
        err.print(f"{what} may have been sent since and {are} marked unknown in the outbox")


def erase(
    contact_id: ContactId,
    owner: Owner,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where there is no terminal.")] = False,
) -> None:
    """Remove all that is personal about a contact, for good. That there were leads, offers and claims stays."""
    from leadroutes.operations.erasure import erase_contact

    async def work(database: Database) -> dict[str, int]:
        owner_id = await accounts.get_user_id(database, owner)
        return await erase_contact(database, owner_id, contact_id)

    if not yes:
        if not sys.stdin.isatty():
            fail(f"erasing contact {contact_id} of {owner} cannot be undone; without a terminal to ask at, give --yes")
        typer.confirm(f"Erase contact {contact_id} of {owner}? It cannot be brought back", abort=True)
    erased = run_with_database(work)
    out.print(", ".join(f"{rows} {what.replace('_', ' ')}" for what, rows in erased.items() if rows))


def export_contact(
    contact_id: ContactId,
    owner: Owner,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to; else standard output.")] = None,
) -> None:
    """All that is stored about one contact, as JSON: for a person who asks for it."""
    from leadroutes.operations.erasure import export_contact as load

    async def work(database: Database) -> str:
        return await load(database, await accounts.get_user_id(database, owner), contact_id)

    text = run_with_database(work)
    if to is None:
        print(visible_json(text))
    else:
        with private_text(to) as file:
            file.write(text + "\n")

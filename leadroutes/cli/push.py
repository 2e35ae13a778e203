"""The command about notifications in browsers: the keys by which push services know this installation."""

from typing import Annotated

import typer

from leadroutes.channels.push import push_subject
from leadroutes.operations.console import err, out, run_with_database, settings_in_force
from leadroutes.settings.values import is_local_address
from leadroutes.store.postgres import Database

app = typer.Typer(no_args_is_help=True, help="Notifications in browsers, by web push.")


@app.callback()
def main() -> None:
    """Nothing but the commands below it."""


@app.command()
def keys(
    new: Annotated[
        bool, typer.Option("--new", help="Make new keys. Every browser then has to be allowed again.")
    ] = False,
) -> None:
    """Show the public key, alone on the last line, and the address that push services get; made when first needed."""
    from leadroutes.engine.push_keys import load_push_keys, replace_push_keys
    from leadroutes.security.vault import Vault

    async def work(database: Database) -> tuple[str, int]:
        vault = Vault.of(settings_in_force())
        if not new:
            return (await load_push_keys(database, vault)).public_key, 0
        made, removed = await replace_push_keys(database, vault)
        return made.public_key, removed

    public_key, removed = run_with_database(work)
    subject = push_subject(settings_in_force())
    if removed:
        out.print(f"Removed {removed} browsers, which have to be allowed again")
    out.print(f"Push services may ask {subject} about what is sent", soft_wrap=True)
    if subject.startswith("mailto:") and is_local_address(subject.removeprefix("mailto:")):
        err.print(
            f"Warning: LEADROUTES_MAIL_FROM: {subject.removeprefix('mailto:')!r} leads nowhere, and some push services"
            " refuse notifications for it; set an address of a domain of your own",
            soft_wrap=True,
        )
    print(public_key)

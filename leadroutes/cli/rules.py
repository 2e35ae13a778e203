"""The commands for rules: export and load them as a document, and make the decision about a lead again.

As in cli: each calls one function of another room and prints the outcome.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from leadroutes.operations.console import err, fail, out, run_with_database, settings_in_force
from leadroutes.security.private_files import private_text
from leadroutes.store import accounts
from leadroutes.store.postgres import Database, Transaction

Owner = Annotated[str, typer.Option("--owner", metavar="EMAIL", help="E-mail of the user whose rules they are.")]


def export(
    owner: Owner,
    form: Annotated[str, typer.Option("--format", metavar="NAME", help="yaml or json.")] = "yaml",
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to; else standard output.")] = None,
) -> None:
    """The rules of an account as a document, by names: teams with members, routes, listing agents, campaigns."""
    from leadroutes.api.rule_names import load_names
    from leadroutes.domain.document_text import write_document
    from leadroutes.rules.documents import export_rules

    wanted: Literal["yaml", "json"] = "json" if form == "json" else "yaml"
    if form != wanted:
        fail(f"format: {form!r} was given; expected yaml or json")

    async def work(database: Database) -> str:
        owner_id = await accounts.get_user_id(database, owner)
        async with database.transaction() as transaction:
            names = await load_names(transaction, owner_id, all_templates=True)
            return write_document(await export_rules(transaction, owner_id, names), wanted)

    text = run_with_database(work)
    if to is None:
        sys.stdout.write(text)
        return
    with private_text(to) as file:
        file.write(text)
    err.print(f"{to}: {len(text):,} characters")


def load_file(content: bytes, owner: str, *, dry_run: bool, prune: bool) -> None:
    """Loads rules from a file, and prints the difference."""
    from leadroutes.api.rule_names import load_names
    from leadroutes.domain.document_text import UnreadableDocument, read_document
    from leadroutes.rules.documents import LoadedRules, load_rules
    from leadroutes.store.rule_versions import sign_versions

    try:
        document = read_document(content)
    except UnreadableDocument as error:
        fail(str(error.fault))

    async def work(database: Database) -> LoadedRules:
        owner_id = await accounts.get_user_id(database, owner)

        async def within(transaction: Transaction) -> LoadedRules:
            names = await load_names(transaction, owner_id, emails=document.people, all_templates=True)
            sign_versions(transaction, owner_id)
            return await load_rules(
                transaction, owner_id, document, names, prune=prune, dry_run=dry_run, by_user_id=owner_id
            )

        return await database.run(within)

    loaded = run_with_database(work)
    for sentence in loaded.changes:
        out.print(sentence, soft_wrap=True)
    if not loaded.changes:
        err.print("Nothing differs")
    elif dry_run:
        err.print(f"{len(loaded.changes)} changes would be made; nothing has been changed")
    else:
        err.print(f"{len(loaded.changes)} changes, in version {loaded.rule_set}")


def replay(lead: Annotated[int, typer.Argument(metavar="LEAD", help="The lead's id.")]) -> None:
    """Make the stored decision about LEAD again, by its rule set and facts; end with 1 if a byte differs."""
    from leadroutes.channels import configured_channels
    from leadroutes.rules.replays import replay_lead

    found = run_with_database(lambda database: replay_lead(database, lead, configured_channels(settings_in_force())))
    if found.again is None:
        out.print(f"The decision about lead {lead} cannot be made again: facts that it needs have been erased")
        return
    out.print(found.again.decode(), soft_wrap=True)
    if not found.is_same:
        err.print(f"stored: {found.stored.decode()}", soft_wrap=True)
        fail(f"The decision about lead {lead} is another one now")
    err.print("The same, byte for byte")

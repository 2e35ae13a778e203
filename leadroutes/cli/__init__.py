"""The command line: each command reads its arguments, calls one function of another room, and prints the outcome.

It decides nothing. Exit codes: 0 done, 1 it could not be done (the reason is on standard error), 2 wrong arguments.
"""

import getpass
import json
import logging
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.progress import Progress

from leadroutes import __version__
from leadroutes.cli import access, channels, checks, maintenance, push, rules, suppressions, users
from leadroutes.cli.secret_input import SecretFile, Secrets, SecretStdin, hidden_argument, secret_pairs
from leadroutes.domain.text import visible_json
from leadroutes.observability import logs
from leadroutes.operations.console import err, fail, finish, out, print_list, print_table, shown_if_terminal
from leadroutes.operations.console import run_with_database as _run
from leadroutes.operations.console import settings_in_force as _settings
from leadroutes.security.private_files import private_text
from leadroutes.settings import in_force
from leadroutes.settings.warnings import warnings_of, warnings_of_names
from leadroutes.store import accounts
from leadroutes.store.migrate import migrate as migrate_database
from leadroutes.store.postgres import Database

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
    help="The lead router: every lead in, offered to the right agents in the right order, and exactly one has it."
    " Settings come from the environment; [bold]leadroutes settings[/bold] lists them.",
)  # fmt: skip
user_app = typer.Typer(no_args_is_help=True, help="Who has an account.")
token_app = typer.Typer(no_args_is_help=True, help="Personal access tokens for the API.")
application_app = typer.Typer(no_args_is_help=True, help="Applications that people may let in with OAuth2.")
intake_key_app = typer.Typer(no_args_is_help=True, help="Keys for /intake/KEY, where lead sources send leads to.")
export_app = typer.Typer(no_args_is_help=True, help="Leads and contacts as CSV; one contact, whole, as JSON.")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(application_app, name="app")
app.add_typer(intake_key_app, name="intake-key")
app.add_typer(export_app, name="export")
app.add_typer(channels.app, name="channels")
app.add_typer(suppressions.app, name="suppressions")
app.add_typer(push.app, name="push")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail.")]
Owner = Annotated[str, typer.Option("--owner", metavar="EMAIL", help="E-mail of the user in whose account it is done.")]
ExistingFile = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]


def _file(explanation: str) -> Any:
    return typer.Option(metavar="FILE", exists=True, dir_okay=False, readable=True, help=explanation)


ExportTo = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to; else standard output.")]
Format = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help="The format to read; without it, it is recognised.")
]
Key = Annotated[str, typer.Argument(help="Its id in the list; or the key, with - read from standard input.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read a password from standard input; on a terminal it is asked for.")
]


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"leadroutes {__version__}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Nothing but the options that every command has."""


# ------------------------------------------------------------------------------------------------------- service


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65_535)] = 8080,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Answer requests only; workers run apart.")] = False,
) -> None:
    """Serve the API and the web pages, and send what is due. An empty database is set up by itself."""
    from leadroutes.server.run import serve as serve_until_stopped

    finish(serve_until_stopped(_settings(logging.INFO), host=host, port=port, with_worker=not no_worker))


@app.command()
def worker() -> None:
    """Send what is due, without serving requests; several may run at once."""
    from leadroutes.server.run import work as work_until_stopped

    finish(work_until_stopped(_settings(logging.INFO)))


@app.command()
def migrate() -> None:
    """Bring the database to the present schema; does nothing when it is there already."""

    async def work() -> list[str]:
        database = await Database.open(_settings())
        try:
            return await migrate_database(database)
        finally:
            await database.close()

    applied = finish(work())
    out.print(f"Applied {', '.join(applied)}" if applied else "The schema is up to date")


@app.command()
def settings() -> None:
    """Show every setting: its name in the environment, the value in force and what it does."""
    print_table(("setting", "value", "what it does"), in_force(_settings()))
    out.print("Each may also be given as NAME_FILE, a file that holds the value.")


@app.command()
def doctor() -> None:
    """Check the ledger and every rule against the database; name all that do not hold, and end with 1 then."""
    from leadroutes.operations.doctor import examine

    outcome = _run(examine)
    for warning in (*warnings_of(_settings()), *warnings_of_names(os.environ)):
        out.print(f"Warning: {warning}", soft_wrap=True)
    if outcome.violations:
        fail(str(outcome))
    out.print(str(outcome))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End when all leads have settled, with the ledger.")] = False,
    port: Annotated[
        int | None, typer.Option(help="Port of the web address; without it 8080, or a free one.", min=0, max=65_535)
    ] = None,
) -> None:
    """Show a brokerage at work, an hour in a minute, in a database of its own that is fresh each time."""
    from leadroutes.demo import show

    logs.set_up(as_json=False, level=logging.WARNING)
    raise typer.Exit(finish(show(once=once, port=port)))


# -------------------------------------------------------------------------------------------- bringing things in


@app.command()
def load(
    file: ExistingFile,
    owner: Owner,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Of rules: print what would change, and change nothing.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Of rules: remove what FILE does not name.")] = False,
) -> None:
    """Load FILE: rules as a document (rules: 1), or a brokerage (JSON). The same file twice changes nothing."""
    from leadroutes.domain.document_text import is_rules
    from leadroutes.operations.brokerage_file import read_brokerage
    from leadroutes.operations.load_brokerage import load_brokerage

    content = file.read_bytes()
    if is_rules(content):
        rules.load_file(content, owner, dry_run=dry_run, prune=prune)
        return
    if given := [name for name, is_set in (("--dry-run", dry_run), ("--prune", prune)) if is_set]:
        fail(f"{', '.join(given)}: was given with a brokerage; expected with rules, whose file begins with rules: 1")

    async def work(database: Database) -> None:
        loaded = await load_brokerage(database, read_brokerage(content), owner)
        rows = [(kind.replace("_", " "), given, loaded.added[kind]) for kind, given in loaded.given.items()]
        print_table(("", "in the file", "added"), rows)

    _run(work)


@app.command(name="import")
def import_(
    file: ExistingFile,
    owner: Owner,
    route: Annotated[bool, typer.Option("--route", help="Route the leads of the last 24 hours.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any row could not be imported.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report, but store nothing.")] = False,
    report_to: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write as CSV what was wrong, to be mended and imported again, and who was joined to whom.",
        ),
    ] = None,
    received_at: Annotated[
        str | None,
        typer.Option("--received-at", metavar="DATE", help="When the leads came in, of rows that name no date."),
    ] = None,
) -> None:
    """Bring in past leads from FILE.csv. Every row is in or reported; the same file twice adds nothing."""
    from leadroutes.channels import configured_channels
    from leadroutes.gc_tuning import tune_garbage_collector
    from leadroutes.operations.csv_import import import_leads
    from leadroutes.operations.csv_import_report import report_csv
    from leadroutes.operations.csv_import_results import Report

    async def work(database: Database) -> Report:
        tune_garbage_collector()
        content = file.read_bytes()
        # Opened first: who was joined to whom is known once, and not by a second import.
        with nullcontext() if report_to is None else private_text(report_to) as file_of_report:
            with Progress(console=err, transient=True) as progress:
                task = progress.add_task("Importing", total=None)
                report = await import_leads(
                    database, content, owner, route=route, dry_run=dry_run, received_at=received_at,
                    channels=configured_channels(_settings()),
                    tell=lambda done, total: progress.update(task, completed=done, total=total),
                )  # fmt: skip
            for line in report.shown():
                out.print(line, markup=False, soft_wrap=True)
            if file_of_report is not None:
                file_of_report.write(report_csv(report, content))
        return report

    report = _run(work)
    if report.fault:
        fail(report.fault)
    if report.rejected and strict:
        raise typer.Exit(1)


@export_app.command("leads")
def export_leads(owner: Owner, to: ExportTo = None) -> None:
    """All leads of an account, with what has become of them, in columns that an import reads."""
    _export("leads", owner, to)


@export_app.command("contacts")
def export_contacts(owner: Owner, to: ExportTo = None) -> None:
    """All contacts of an account."""
    _export("contacts", owner, to)


def _export(what: Literal["leads", "contacts"], owner: str, to: Path | None) -> None:
    from leadroutes.operations.csv_export import export

    async def work(database: Database) -> int:
        if to is None:
            return await export(database, what, owner, shown_if_terminal(sys.stdout))
        with private_text(to) as file:
            return await export(database, what, owner, file)

    written = _run(work)
    err.print(f"{written} {what.removesuffix('s') if written == 1 else what}")


@app.command()
def read(
    file: ExistingFile,
    headers: Annotated[Path | None, _file("The headers that came with it, a line each.")] = None,
    format_: Format = None,
    secrets: Annotated[Path | None, _file("The vendors' secrets as JSON; without it nothing has to be proven.")] = None,
    graph: Annotated[Path | None, _file("What the Graph API answers, by leadgen id, as JSON.")] = None,
) -> None:
    """Read one body as a lead source sent it, and print what is in it as JSON. Stores nothing; 1 for a refusal."""
    from leadroutes.ingest.sample_file import SampleBody, is_good, read_sample
    from leadroutes.intake.results import expected_json

    specimen = SampleBody(body=file, headers=headers, format=_known(format_), secrets=secrets, graph=graph)
    reading = finish(read_sample(specimen, _settings()))
    print(visible_json(json.dumps(expected_json(reading), ensure_ascii=False, indent=2)))
    for refusal in reading.refusals:
        err.print(f"{refusal.why}: {refusal.detail}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if is_good(reading) else 1)


@app.command("replay-arrivals")
def replay_arrivals(
    rejected: Annotated[bool, typer.Option("--rejected", help="Those that were rejected.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Those of which a part is to be fetched.")] = False,
    since: Annotated[str, typer.Option(metavar="WHEN", help="A date, a time, or how long ago: 24h, 7d.")] = "24h",
    owner: Annotated[str | None, typer.Option(metavar="EMAIL", help="Only those of this user's account.")] = None,
) -> None:
    """Read what came in again: after a reader or a secret was mended, or a vendor can be reached again."""
    from leadroutes.channels import configured_channels
    from leadroutes.engine.engine import Engine
    from leadroutes.ingest.arrivals import Arrivals
    from leadroutes.ingest.replay import moment_of, replay

    statuses = [name for name, wanted in (("rejected", rejected), ("pending", pending)) if wanted]
    if not statuses:
        fail("say which: --rejected, --pending, or both")

    async def work(database: Database) -> dict[str, int]:
        owner_id = await accounts.get_user_id(database, owner) if owner else None
        moment = moment_of(since, database.clock.now())
        arrivals = Arrivals(Engine(database, configured_channels(_settings()), _settings().open_span), _settings())
        return await replay(database, arrivals, statuses=statuses, since=moment, owner_id=owner_id)

    print_table(("status now", "arrivals"), sorted(_run(work).items()))


# -------------------------------------------------------------------------------------------------------- people


@user_app.command("add")
def add_user(
    email: Email,
    first_name: Annotated[str | None, typer.Option(help="First name.")] = None,
    last_name: Annotated[str | None, typer.Option(help="Last name.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone for alerts, with its area code.")] = None,
    timezone: Annotated[str, typer.Option(help="A name like America/Denver.")] = "UTC",
    admin: Annotated[bool, typer.Option("--admin", help="May make users through the API.")] = False,
    broker: Annotated[bool, typer.Option("--broker", help="May have sub-accounts.")] = False,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a user. Without a password the user has tokens, and cannot sign in on the web pages until one is set."""
    user = accounts.NewUser(
        email=email, first_name=first_name, last_name=last_name, phone=phone, timezone=timezone, is_admin=admin,
        is_broker=broker, password=_password() if password_stdin else None,
    )  # fmt: skip

    async def work(database: Database) -> int:
        async with database.transaction() as transaction:
            return await accounts.add_user(transaction, user)

    out.print(f"Added user {_run(work)}")


@user_app.command("password")
def set_password(email: Email) -> None:
    """Set the password of EMAIL, read from standard input; sessions, tokens and grants of applications end."""
    password = _password()
    _run(lambda database: accounts.set_password(database, email, password))
    out.print("The password is set")


@user_app.command("list")
def list_users() -> None:
    """List all users."""
    names = ("first_name", "last_name", "timezone")
    print_list(accounts.list_users, "id", "email", *names, "is_admin", "is_broker", "is_active")


user_app.command("change")(users.change)
user_app.command("close")(users.close)
user_app.command("open")(users.open_)
user_app.command("invite")(users.invite)
user_app.command("password-link")(users.password_link)
user_app.command("sign-out")(users.sign_out)
user_app.command("remove-second-factor")(users.remove_second_factor)
app.command("setup-link")(users.setup_link)


def _password() -> str:
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


# ---------------------------------------------------------------------------------------- tokens and applications

for name, command in access.TOKEN_COMMANDS.items():
    token_app.command(name)(command)
for name, command in access.APPLICATION_COMMANDS.items():
    application_app.command(name)(command)


# -------------------------------------------------------------------------------------------------------- upkeep

app.command()(checks.check)
app.command("try")(checks.try_)
app.command()(maintenance.top)
app.command()(maintenance.recount)
app.command()(maintenance.backup)
app.command()(maintenance.restore)
app.command()(maintenance.erase)
export_app.command("contact")(maintenance.export_contact)
export_app.command("rules")(rules.export)
app.command()(rules.replay)


# --------------------------------------------------------------------------------------------------- intake keys


@intake_key_app.command("issue")
def issue_intake_key(
    email: Email,
    lead_source: Annotated[str, typer.Option(metavar="NAME", help="Where its leads come from; made if it is new.")],
    contact_source: Annotated[
        str | None, typer.Option(metavar="NAME", help="What its contacts are known from; made if it is new.")
    ] = None,
    format_: Format = None,
    secret: Secrets = None,
    secret_stdin: SecretStdin = False,
    secret_file: SecretFile = None,
    private: Annotated[
        bool | None,
        typer.Option(
            "--private/--no-private",
            help="Whether its sender alone knows it, or it may stand in a web page; as the format says unless set.",
        ),
    ] = None,
) -> None:
    """Make a key for EMAIL's account. It is shown once, alone on the last line, below its addresses."""
    from leadroutes.security.vault import seal_pairs

    _known(format_)
    pairs = secret_pairs(secret, from_stdin=secret_stdin, file=secret_file)

    async def work(database: Database) -> str:
        sealed = seal_pairs(_settings(), format_, pairs)
        owner_id = await accounts.get_user_id(database, email)
        async with database.transaction() as transaction:
            return await accounts.issue_intake_key(
                transaction, owner_id, lead_source, contact_source, format_, sealed, is_private=private
            )

    key, values = _run(work), _settings()
    out.print(f"Leads go to {values.public_url}/intake/KEY, with this key:", soft_wrap=True)
    if values.mail_domain and format_ in (None, "email"):
        out.print(f"or by mail to KEY@{values.mail_domain}:", soft_wrap=True)
    print(key)


@intake_key_app.command("secret")
def set_intake_secrets(
    key: Key, secret: Secrets = None, secret_stdin: SecretStdin = False, secret_file: SecretFile = None
) -> None:
    """Replace the vendor's secrets of a key, all of them; with none the address is the secret."""
    from leadroutes.security.vault import seal_pairs

    name = hidden_argument(key, "Key")
    pairs = secret_pairs(secret, from_stdin=secret_stdin, file=secret_file)

    async def work(database: Database) -> None:
        format_ = await accounts.find_key_format(database, name)
        await accounts.set_intake_secrets(database, name, seal_pairs(_settings(), format_, pairs))

    _run(work)
    out.print("The secrets are set" if pairs else "The key has no secrets now")


@intake_key_app.command("change")
def change_intake_key(
    key: Key,
    private: Annotated[
        bool, typer.Option("--private/--no-private", help="Whether its sender alone knows it.", show_default=False)
    ],
) -> None:
    """Say whether only its sender knows an intake key, or it may stand in a web page and so proves nothing."""
    _run(lambda database: accounts.set_key_privacy(database, hidden_argument(key, "Key"), is_private=private))
    out.print("The key counts as private now" if private else "The key counts as public now")


def _known(format_: str | None) -> str | None:
    from leadroutes.intake.formats import BY_NAME

    if format_ is not None and format_ not in BY_NAME:
        fail(f"format: {format_!r} was given; expected one of {', '.join(BY_NAME)}")
    return format_


@intake_key_app.command("list")
def list_intake_keys() -> None:
    """List the valid keys. The keys themselves are not stored, only their hashes."""
    sources = ("lead_source", "contact_source", "format", "is_private", "has_secrets")
    print_list(accounts.list_intake_keys, "id", "email", *sources, "created_at", "last_used_at")


@intake_key_app.command("revoke")
def revoke_intake_key(key: Key) -> None:
    """Revoke an intake key; what comes with it from now on is refused."""
    name = hidden_argument(key, "Key")
    _run(lambda database: accounts.revoke_intake_key(database, name))
    out.print("Revoked")

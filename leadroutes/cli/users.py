"""Commands about accounts that exist: change, close, open. What follows from each, leadroutes.engine.users knows."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from leadroutes.engine import users
from leadroutes.errors import Invalid
from leadroutes.operations.console import fail, out, print_table, run_with_database
from leadroutes.store import accounts
from leadroutes.store.postgres import Database

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail.")]


def change(
    email: Email,
    new_email: Annotated[str | None, typer.Option("--email", help="The new e-mail; the old one is notified.")] = None,
    first_name: Annotated[str | None, typer.Option(help="First name.")] = None,
    last_name: Annotated[str | None, typer.Option(help="Last name.")] = None,
    username: Annotated[str | None, typer.Option(help="User name.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone for alerts, with its area code; empty: none.")] = None,
    timezone: Annotated[str | None, typer.Option(help="A name like America/Denver.")] = None,
    admin: Annotated[bool | None, typer.Option("--admin/--no-admin", help="May change users through the API.")] = None,
    broker: Annotated[bool | None, typer.Option("--broker/--no-broker", help="May have sub-accounts.")] = None,
) -> None:
    """Change what is given; alerts that wait go to the new address, at the times of the new zone."""
    given = {
        "email": new_email, "first_name": first_name, "last_name": last_name, "username": username, "phone": phone,
        "timezone": timezone, "is_admin": admin, "is_broker": broker,
    }  # fmt: skip
    sent = {name: value for name, value in given.items() if value is not None}
    if not sent:
        fail("say what: leadroutes user change --help lists the options")

    async def work(database: Database) -> None:
        if errors := accounts.faults_of(sent):
            raise Invalid("; ".join(errors.values()))
        await users.change_user(database, await accounts.find_any_user_id(database, email), sent, users.ChangedBy())

    run_with_database(work)
    out.print("Changed")


def close(
    email: Email,
    successor: Annotated[
        str | None,
        typer.Option("--successor", metavar="EMAIL", help="Who gets the intake keys, lead routes and teams."),
    ] = None,
) -> None:
    """Close the account: no sign-in, no token works, no offer can be claimed. Nothing is deleted."""

    async def work(database: Database) -> Sequence[Any]:
        user_id = await accounts.find_any_user_id(database, email)
        sent: dict[str, Any] = {"is_active": False}
        if successor is not None:
            sent["successor_user_id"] = await accounts.get_user_id(database, successor)
        await users.change_user(database, user_id, sent, users.ChangedBy())
        return await users.what_is_left(database, user_id)

    left = run_with_database(work)
    out.print("Closed")
    if left:
        out.print("These have contacts or open tasks that are still assigned to the account, to be assigned anew:")
        rows = [(row["owner_email"], row["contacts"], row["tasks"]) for row in left]
        print_table(("owner", "contacts", "tasks"), rows)


def open_(email: Email) -> None:
    """Open a closed account again; whoever it is signs in anew. Memberships are as they were."""

    async def work(database: Database) -> None:
        user_id = await accounts.find_any_user_id(database, email)
        await users.change_user(database, user_id, {"is_active": True}, users.ChangedBy())

    run_with_database(work)
    out.print("Open")

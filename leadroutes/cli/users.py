"""Commands about accounts: change, close, open, invite, and what lets people in. What follows, the engine knows."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from leadroutes.engine import ended_sessions, first_start, password_links, second_factors, users
from leadroutes.errors import Invalid
from leadroutes.operations.console import fail, out, print_table, run_with_database, settings_in_force
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from leadroutes.store.sign_ins import NO_BROWSER

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
        typer.Option("--successor", metavar="EMAIL", help="Who gets intake keys, lead routes, teams and listings."),
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


def invite(
    email: Email,
    first_name: Annotated[str | None, typer.Option(help="First name.")] = None,
    last_name: Annotated[str | None, typer.Option(help="Last name.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone for alerts, with its area code.")] = None,
    timezone: Annotated[str | None, typer.Option(help="A name like America/Denver.")] = None,
    admin: Annotated[bool | None, typer.Option("--admin", help="May change users through the API.")] = None,
) -> None:
    """Make an account whose user chooses the password, by a link that is printed; it is good for 7 days, once."""
    sent = {
        "email": email, "first_name": first_name, "last_name": last_name, "phone": phone, "timezone": timezone,
        "is_admin": admin,
    }  # fmt: skip

    async def work(database: Database) -> password_links.SentLink:
        if errors := accounts.faults_of(sent):
            raise Invalid("; ".join(errors.values()))
        async with database.transaction() as transaction:
            return await password_links.invite_account(transaction, sent, None, is_mailed=False)

    _print_link(f"passwords/{run_with_database(work).token}")


def password_link(email: Email) -> None:
    """Print a link by which EMAIL sets a new password; it is good for an hour, once."""

    async def work(database: Database) -> password_links.SentLink:
        user_id = await accounts.get_user_id(database, email)
        return await password_links.make_reset_link(database, user_id, None, is_mailed=False)

    _print_link(f"passwords/{run_with_database(work).token}")


def sign_out(email: Email) -> None:
    """End all sessions of EMAIL on the web pages; tokens stay."""

    async def work(database: Database) -> int:
        return await ended_sessions.end_sessions(database, await accounts.find_any_user_id(database, email), None)

    out.print(f"Sessions ended: {run_with_database(work)}")


def remove_second_factor(email: Email) -> None:
    """Remove the second factor of EMAIL, who has lost it."""

    async def work(database: Database) -> None:
        user_id = await accounts.find_any_user_id(database, email)
        await second_factors.remove_second_factor(database, user_id, NO_BROWSER)

    run_with_database(work)
    out.print("Removed")


def setup_link() -> None:
    """Print a link to the page that makes the first administrator; it is good for 24 hours, once."""
    code = run_with_database(first_start.new_setup_code)
    if code is None:
        fail("there are users already: leadroutes user add, or leadroutes user invite")
    _print_link(f"setup/{code}")


def _print_link(path: str) -> None:
    print(f"{settings_in_force().public_url}/{path}")

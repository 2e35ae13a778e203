"""Commands about what opens the API: personal access tokens, and applications that people may let in with OAuth2.

As in cli: each does one thing that stands elsewhere, and prints the outcome.
"""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from leadroutes.cli.secret_input import hidden_argument
from leadroutes.operations.console import out, print_list, run_with_database
from leadroutes.store import accounts

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail.")]


def issue_token(
    email: Email,
    scope: Annotated[str, typer.Option(help="read, write, or both with a blank between.")] = "read write",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What it is for, such as Zapier; shown in lists.")
    ] = None,
) -> None:
    """Make a personal access token of EMAIL's. It is shown once, alone on the last line."""
    scopes = scope.replace(",", " ").split()
    print(run_with_database(lambda database: accounts.issue_token(database, email, scopes, name)))


def list_tokens() -> None:
    """List the tokens that have not expired, with their last use; the tokens themselves are not stored."""
    times = ("created_at", "last_used_at", "expires_at", "revoked_at")
    print_list(accounts.list_tokens, "id", "email", "name", "application", "scope", *times)


def revoke_token(
    token: Annotated[str, typer.Argument(help="Its id in the list; or the token, with - read from standard input.")],
) -> None:
    """Revoke a token; from now on it is refused."""
    name = hidden_argument(token, "Token")
    run_with_database(lambda database: accounts.revoke_token(database, name))
    out.print("Revoked")


def add_application(
    name: Annotated[str, typer.Argument(help="The name that people are asked to let in.")],
    redirect_uri: Annotated[list[str], typer.Option(help="Where people are sent back to; may be given several times.")],
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="EMAIL", help="Whose it is; else the only administrator's.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="It cannot keep a secret, and uses PKCE.")] = False,
) -> None:
    """Register an application. Its client id and its secret are shown once."""
    wanted = accounts.NewApplication(name, redirect_uri, has_secret=not public)
    added = run_with_database(lambda database: accounts.add_application(database, owner, wanted))
    print(f"client_id {added.client_id}")
    if added.client_secret:
        print(f"client_secret {added.client_secret}")


def list_applications() -> None:
    """List the registered applications."""
    print_list(accounts.list_applications, "client_id", "name", "email", "redirect_uris", "has_secret")


def remove_application(client_id: Annotated[str, typer.Argument(help="Its client id.")]) -> None:
    """Remove an application and all its tokens."""
    run_with_database(lambda database: accounts.remove_application(database, client_id))
    out.print("Removed")


TOKEN_COMMANDS: Mapping[str, Callable[..., None]] = {
    "issue": issue_token, "list": list_tokens, "revoke": revoke_token,
}  # fmt: skip
APPLICATION_COMMANDS: Mapping[str, Callable[..., None]] = {
    "add": add_application, "list": list_applications, "remove": remove_application,
}  # fmt: skip

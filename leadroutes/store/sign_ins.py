"""What happened at sign-ins: one insert-only table, written by all that let people in or out.

It has no e-mail that someone typed: where no account has it, it may be a password in the wrong field.
"""

from dataclasses import dataclass
from enum import Enum

from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction


class SignInKind(Enum):
    """What happened."""

    SIGNED_IN = "signed in"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 -- the name of an event
    WRONG_CODE = "wrong code"
    SIGNED_OUT = "signed out"
    SESSION_ENDED = "session ended"
    RESET_ASKED = "reset asked for"
    PASSWORD_SET = "password set"  # noqa: S105 -- the name of an event
    FACTOR_ADDED = "second factor added"
    FACTOR_REMOVED = "second factor removed"
    BROWSER_TRUSTED = "browser trusted"


class Method(Enum):
    """By which means someone signed in."""

    PASSWORD = "password"  # noqa: S105 -- the name of a method
    CODE = "code"
    RECOVERY_CODE = "recovery code"
    TRUSTED_BROWSER = "trusted browser"
    LINK = "link"
    SETUP = "setup"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a request came from: the browser's name and the network; None where there is no browser."""

    browser: str | None = None
    network: str | None = None


NO_BROWSER = Whereabouts()


async def log_sign_in(
    source: Database | Transaction,
    user_id: int | None,
    kind: SignInKind,
    origin: Whereabouts,
    *,
    method: Method | None = None,
    by_user_id: int | None = None,
) -> None:
    """Adds what happened. `user_id` None: no account has the e-mail; `by_user_id`: who did it, if not the user."""
    await source.execute(
        *statement("add_sign_in").bind(
            user_id=user_id,
            by_user_id=None if by_user_id == user_id else by_user_id,
            kind=kind.value,
            method=method and method.value,
            browser=origin.browser,
            network=origin.network,
        )
    )

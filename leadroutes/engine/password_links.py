"""Links that set a password: of a reset that someone asked for, and of an account that an administrator invites.

A link's secret is in the mail, or is shown once to an administrator; only its hash is stored. Lifetimes are real time.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import asyncpg

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.identity import normal_email
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.store import statement
from leadroutes.store.accounts import (
    NewUser,
    add_user,
    hash_password,
    hash_secret,
    revoke_credentials,
    stored_columns,
    write_user,
)
from leadroutes.store.audit import note_act
from leadroutes.store.invitations import add_account_message
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.sign_ins import NO_BROWSER, Method, SignInKind, Whereabouts, log_sign_in

Purpose = Literal["reset", "invitation"]
LIVES: Mapping[Purpose, timedelta] = {"reset": timedelta(hours=1), "invitation": timedelta(days=7)}
KINDS: Mapping[Purpose, str] = {"reset": "password_reset", "invitation": "user_invitation"}
MOST_OPEN: Mapping[Purpose, int] = {"reset": 5, "invitation": 1}  # links of one user
OVER = "This link is over. Ask for another one."


@dataclass(frozen=True, slots=True)
class SentLink:
    """A link that was made; `token` None: a mail takes it to the user."""

    id: int
    token: str | None


# --------------------------------------------------------------------------------------------------------- resets


async def ask_for_reset(database: Database, email: str, origin: Whereabouts) -> None:
    """Mails a link to the active account with this e-mail, if there is one and it has few open links."""

    async def work(transaction: Transaction) -> None:
        address = email.strip().lower()
        found = "\0" not in address and await transaction.fetchval(*statement("find_user_by_email").bind(email=address))
        await log_sign_in(transaction, found or None, SignInKind.RESET_ASKED, origin)
        if found:
            await _add_link(transaction, found, "reset", owner_id=found, is_mailed=True)

    await database.run(work)


async def make_reset_link(
    database: Database, user_id: int, by_user_id: int | None, *, is_mailed: bool, act: AuditRow | None = None
) -> SentLink:
    """Makes a link for an active user, at the wish of an administrator. Raises NotFound, and Conflict for too many."""

    async def work(transaction: Transaction) -> SentLink:
        account = await transaction.fetchrow(*statement("lock_account").bind(user_id=user_id))
        if account is None or not account["is_active"]:
            raise NotFound.record(user_id)
        made = await _add_link(transaction, user_id, "reset", owner_id=user_id, is_mailed=is_mailed)
        if made is None:
            raise Conflict(f"The user has {MOST_OPEN['reset']} open links already; they end within an hour")
        await log_sign_in(transaction, user_id, SignInKind.RESET_ASKED, NO_BROWSER, by_user_id=by_user_id)
        note_act(transaction, act)
        return made

    return await database.run(work)


async def _add_link(
    transaction: Transaction, user_id: int, purpose: Purpose, *, owner_id: int, is_mailed: bool
) -> SentLink | None:
    """Returns None where the user has too many of them. The mail is in the outbox of `owner_id`."""
    link_id = await transaction.fetchval(
        *statement("add_password_link").bind(
            user_id=user_id, purpose=purpose, lifetime=LIVES[purpose], most=MOST_OPEN[purpose]
        )
    )
    return None if link_id is None else await _send(transaction, link_id, user_id, purpose, owner_id, is_mailed)


async def _send(
    transaction: Transaction, link_id: int, user_id: int, purpose: Purpose, owner_id: int, is_mailed: bool
) -> SentLink:
    if not is_mailed:
        return SentLink(link_id, await add_password_token(transaction, link_id))
    await add_account_message(transaction, owner_id, KINDS[purpose], user_id=user_id, password_link_id=link_id)
    return SentLink(link_id, None)


# ---------------------------------------------------------------------------------------------------- invitations


async def invite_account(
    transaction: Transaction, sent: Mapping[str, Any], by_user_id: int | None, *, is_mailed: bool
) -> SentLink:
    """Makes an account without a password and its link; an account that has no password yet is invited as it is.

    `sent` are fields of NewUser. Raises Invalid for a wrong field, Conflict for an account with a password, or one that
    has an open invitation.
    """
    values = {name: value for name, value in sent.items() if value is not None}
    address = normal_email(values["email"])
    found = await transaction.fetchrow(*statement("find_account_to_invite").bind(email=(address or "").lower()))
    if found is None:
        user_id = await add_user(transaction, NewUser(**values))
    elif found["has_password"]:
        raise Conflict(f"email: {address} is in use already")
    else:
        user_id = found["id"]
        await write_user(transaction, user_id, stored_columns(values | {"is_active": True}, transaction.now))
    made = await _add_link(transaction, user_id, "invitation", owner_id=by_user_id or user_id, is_mailed=is_mailed)
    if made is None:
        raise Conflict("The user is invited already; the invitation can be sent again")
    return made


async def send_invitation_again(
    database: Database, link_id: int, by_user_id: int, *, is_mailed: bool, act: AuditRow | None = None
) -> SentLink:
    """Prolongs an invitation and sends a new link; the earlier one ends. Raises NotFound."""

    async def work(transaction: Transaction) -> SentLink:
        user_id = await transaction.fetchval(
            *statement("renew_invitation").bind(password_link_id=link_id, lifetime=LIVES["invitation"])
        )
        if user_id is None:
            raise NotFound.record(link_id)
        note_act(transaction, act, owner_id=user_id)
        return await _send(transaction, link_id, user_id, "invitation", by_user_id, is_mailed)

    return await database.run(work)


# ---------------------------------------------------------------------------------------------------------- links


async def add_password_token(source: Database | Transaction, link_id: int) -> str | None:
    """Returns the secret of a link; None where the link was used, taken back, or has expired."""
    token = secrets.token_urlsafe(32)
    stored = await source.fetchval(
        *statement("set_password_token").bind(password_link_id=link_id, token_hash=hash_secret(token))
    )
    return token if stored is not None else None


async def is_password_link_open(database: Database, link_id: int) -> bool:
    return bool(await database.fetchval(*statement("is_password_link_open").bind(password_link_id=link_id)))


async def find_password_link(database: Database, token: str) -> asyncpg.Record | None:
    """Returns user_id, purpose, email, name, … and state (open, used, expired) of a link, or None."""
    return await database.fetchrow(*statement("find_password_link").bind(token_hash=hash_secret(token)))


async def set_password_by_link(database: Database, token: str, password: str, origin: Whereabouts) -> int:
    """Sets the password, ends all credentials of the user, and returns whose it is. Raises NotFound and Invalid."""
    password_hash = await asyncio.to_thread(hash_password, password)

    async def work(transaction: Transaction) -> int:
        row = await transaction.fetchrow(*statement("use_password_link").bind(token_hash=hash_secret(token)))
        if row is None:
            raise NotFound(OVER)
        user_id: int = row["user_id"]
        await write_user(transaction, user_id, {"password_hash": password_hash})
        await revoke_credentials(transaction, user_id)
        await log_sign_in(transaction, user_id, SignInKind.PASSWORD_SET, origin, method=Method.LINK)
        return user_id

    return await database.run(work)


async def set_first_password(
    transaction: Transaction, user_id: int, password: str, first_name: str | None, last_name: str | None
) -> None:
    """Sets the password of an account that has none. Raises Conflict where it has one by now, and Invalid."""
    if not password:
        raise Invalid.fields({"password": "password is required"})
    password_hash = await asyncio.to_thread(hash_password, password)
    is_set = await transaction.fetchval(
        *statement("set_first_password").bind(
            user_id=user_id,
            password_hash=password_hash,
            first_name=first_name,
            last_name=last_name,
            now=transaction.now,
        )
    )
    if is_set is None:
        raise Conflict("The account has a password by now; sign in with it")
    await revoke_credentials(transaction, user_id)

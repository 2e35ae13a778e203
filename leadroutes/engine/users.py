"""Changing, closing and opening accounts, with all that follows from it, each in one transaction.

Whether the caller may do it, the API, the pages and the command line have looked at before.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from leadroutes.domain.identity import normal_email
from leadroutes.engine.departures import end_sharing, withdraw_from_user
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.store import accounts, statement
from leadroutes.store.accounts import hash_password, hash_secret, revoke_credentials, write_user
from leadroutes.store.invitations import add_account_message
from leadroutes.store.postgres import Database, Transaction

OWNED = ("intake_keys", "lead_routes", "teams")


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """Who changes an account: the user (None: whoever runs the server), and the token that proved it, which stays."""

    user_id: int | None = None
    token_hash: bytes | None = None


async def change_user(database: Database, user_id: int, sent: Mapping[str, Any], by: ChangedBy) -> None:
    """Change what is sent. Raises Invalid for a successor that cannot be, Conflict for what others are in the way of.

    That is an e-mail that is in use, the last administrator, and an account that owns something (`data` lists it) and
    has no successor.
    """
    values = {name: value for name, value in sent.items() if name not in ("password", "successor_user_id")}
    password_hash = await asyncio.to_thread(hash_password, sent.get("password"))

    async def work(transaction: Transaction) -> None:
        before = await _lock(transaction, user_id)
        changed = accounts.stored_columns(values, transaction.now)
        await _must_leave_an_administrator(transaction, user_id, changed)
        is_closing = before["is_active"] and changed.get("is_active") is False
        if is_closing:
            await _hand_over(transaction, user_id, sent.get("successor_user_id"))
        await write_user(transaction, user_id, changed | ({"password_hash": password_hash} if password_hash else {}))
        if "email" in changed and changed["email"] != before["email"]:
            await add_account_message(transaction, user_id, "email_changing", user_id=user_id, address=before["email"])
        if password_hash is not None or is_closing:
            await revoke_credentials(transaction, user_id, None if is_closing else by.token_hash, is_closing=is_closing)
        if is_closing:
            await withdraw_from_user(transaction, user_id, by.user_id)
            await end_sharing(transaction, [user_id])

    await database.run(work)


async def _lock(transaction: Transaction, user_id: int) -> asyncpg.Record:
    """The administrators come first, in one order, so that of two who go at once one is the last."""
    await transaction.execute(*statement("lock_administrators").bind())
    row = await transaction.fetchrow(*statement("lock_account").bind(user_id=user_id))
    if row is None:
        raise NotFound.record(user_id)
    return row


async def _must_leave_an_administrator(transaction: Transaction, user_id: int, changed: Mapping[str, Any]) -> None:
    if changed.get("is_admin") is not False and changed.get("is_active") is not False:
        return
    found = await transaction.fetchrow(*statement("count_administrators").bind(user_id=user_id))
    assert found is not None
    if found["is_one"] and not found["others"]:
        raise Conflict("This is the last active administrator; make another one first")


# ------------------------------------------------------------------------------------------------------- closing


async def _hand_over(transaction: Transaction, user_id: int, successor_id: int | None) -> None:
    """Keys, routes and teams go to the successor, with the sources, campaigns and templates that they need.

    Contacts, leads and tasks stay in the account that is closed.
    """
    rows = await transaction.fetch(*statement("list_owned").bind(user_id=user_id))
    owned = {name: [row["id"] for row in rows if row["kind"] == name] for name in OWNED}
    if not rows:
        return
    if successor_id is None:
        description = ", ".join(f"{len(ids)} {name.replace('_', ' ')}" for name, ids in owned.items() if ids)
        raise Conflict(f"The account owns {description}; expected a successor_user_id who gets them", data=owned)
    if not await transaction.fetchval(*statement("find_successor").bind(successor_id=successor_id, user_id=user_id)):
        description = f"successor_user_id: {successor_id} was given; expected another active user"
        raise Invalid.fields({"successor_user_id": description})
    await transaction.execute(*statement("copy_contact_sources").bind(user_id=user_id, successor_id=successor_id))
    await transaction.execute(*statement("hand_over_setup").bind(user_id=user_id, successor_id=successor_id))
    await transaction.execute(
        *statement("add_successor_to_teams").bind(successor_id=successor_id, team_ids=owned["teams"])
    )


async def what_is_left(database: Database, user_id: int) -> list[asyncpg.Record]:
    """owner_email, contacts, tasks: what is assigned to a user, for its owners to reassign."""
    return await database.fetch(*statement("list_assigned_to").bind(user_id=user_id))


# -------------------------------------------------------------------------------------------------- a new e-mail


async def ask_for_email(database: Database, user_id: int, email: str) -> None:
    """The e-mail becomes the user's once the link is opened that goes there; the present one is told.

    All of it is the same whether the address is in use or not. What was asked for before counts no longer.
    """
    address = normal_email(email)

    async def work(transaction: Transaction) -> None:
        old = await transaction.fetchval(*statement("lock_account").bind(user_id=user_id))  # the first column: e-mail
        await transaction.execute(*statement("remove_email_changes").bind(user_id=user_id))
        change_id = await transaction.fetchval(
            *statement("ask_for_email").bind(
                user_id=user_id, email=address, old_email=old, lifetime=accounts.EMAIL_LINK_LIFE
            )
        )
        await add_account_message(
            transaction, user_id, "email_change", user_id=user_id, address=address, email_change_id=change_id
        )
        await add_account_message(transaction, user_id, "email_changing", user_id=user_id, address=old)

    await database.run(work)


async def add_email_token(database: Database, change_id: int) -> str | None:
    """The secret of the link that makes an e-mail the user's; None: another one was asked for since, or it is over."""
    token = secrets.token_urlsafe(32)
    stored = await database.fetchval(
        *statement("set_email_token").bind(email_change_id=change_id, token_hash=hash_secret(token))
    )
    return token if stored is not None else None


async def is_email_asked_for(database: Database, change_id: int) -> bool:
    """Whether the change still waits for its link to be opened."""
    return bool(await database.fetchval(*statement("find_requested_email").bind(email_change_id=change_id)))


async def find_email_change(database: Database, token: str) -> asyncpg.Record | None:
    """id, email, name (of the user) behind a link; None for one that is over."""
    return await database.fetchrow(*statement("find_email_change").bind(token_hash=hash_secret(token)))


async def confirm_email(database: Database, token: str) -> str:
    """From now on it is the user's e-mail. NotFound for a link that is over, Conflict where another account has it."""

    async def work(transaction: Transaction) -> str:
        row = await transaction.fetchrow(*statement("take_email_change").bind(token_hash=hash_secret(token)))
        if row is None:
            raise NotFound("This link is over.")
        await write_user(transaction, row["user_id"], {"email": row["email"]})
        email: str = row["email"]
        return email

    return await database.run(work)

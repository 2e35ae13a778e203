"""Changes, closes and reopens accounts, with all that follows from it, each in one transaction.

The API, the pages and the command line check before whether the caller may do it.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.identity import normal_email
from leadroutes.engine.departures import end_sharing, withdraw_from_user
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.store import accounts, statement
from leadroutes.store.accounts import hash_password, hash_secret, revoke_credentials, write_user
from leadroutes.store.audit import note_act
from leadroutes.store.invitations import add_account_message
from leadroutes.store.postgres import Database, Transaction

OWNED = ("intake_keys", "lead_routes", "teams")


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """Who changes an account: the user (None: the operator), and the token in use, which is not revoked."""

    user_id: int | None = None
    token_hash: bytes | None = None


async def change_user(
    database: Database, user_id: int, sent: Mapping[str, Any], by: ChangedBy, act: AuditRow | None = None
) -> None:
    """Change what is sent. Raises NotFound, Invalid for a successor that is not possible, and Conflict.

    Conflict: the e-mail is in use, it is the last administrator, or the account owns something (`data` lists it) and no
    successor is given.
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
            await transaction.execute(*statement("forget_password_tokens").bind(user_id=user_id))
            await add_account_message(transaction, user_id, "email_changing", user_id=user_id, address=before["email"])
        if password_hash is not None or is_closing:
            await revoke_credentials(transaction, user_id, None if is_closing else by.token_hash, is_closing=is_closing)
        if is_closing:
            await withdraw_from_user(transaction, user_id, by.user_id)
            await end_sharing(transaction, [user_id])
        note_act(transaction, act and _with_values(act, before, changed))

    await database.run(work)


def _with_values(act: AuditRow, before: asyncpg.Record, changed: Mapping[str, Any]) -> AuditRow:
    """Returns the act with what was before and is now; of the password only the name is there."""
    names = [each for each in act.changes if each["field"] not in changed]
    values = [
        {"field": name, "before": before[name], "after": value}
        for name, value in changed.items()
        if before[name] != value
    ]
    return replace(act, changes=[*values, *names])


async def _lock(transaction: Transaction, user_id: int) -> asyncpg.Record:
    """Administrators are locked first, in one order, so that of two who are closed at once one remains."""
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
    """Transfer keys, routes and teams to the successor, with the sources, campaigns and templates that they need.

    The successor becomes the agent of the user's listings too. Contacts, leads and tasks stay in the closed account.
    """
    rows = await transaction.fetch(*statement("list_owned").bind(user_id=user_id))
    owned = {name: [row["id"] for row in rows if row["kind"] == name] for name in OWNED}
    if successor_id is None:
        if not rows:
            return
        owns = ", ".join(f"{len(ids)} {name.replace('_', ' ')}" for name, ids in owned.items() if ids)
        raise Conflict(f"The account owns {owns}; expected a successor_user_id who gets them", data=owned)
    if not await transaction.fetchval(*statement("find_successor").bind(successor_id=successor_id, user_id=user_id)):
        message = f"successor_user_id: {successor_id} was given; expected another active user"
        raise Invalid.fields({"successor_user_id": message})
    await transaction.execute(*statement("copy_contact_sources").bind(user_id=user_id, successor_id=successor_id))
    await transaction.execute(*statement("hand_over_setup").bind(user_id=user_id, successor_id=successor_id))
    await transaction.execute(
        *statement("add_successor_to_teams").bind(successor_id=successor_id, team_ids=owned["teams"])
    )
    await transaction.execute(*statement("hand_over_listings").bind(user_id=user_id, successor_id=successor_id))


async def what_is_left(database: Database, user_id: int) -> list[asyncpg.Record]:
    """Returns owner_email, contacts and tasks: what is assigned to a user, for the owners to reassign."""
    return await database.fetch(*statement("list_assigned_to").bind(user_id=user_id))


# -------------------------------------------------------------------------------------------------- a new e-mail


async def ask_for_email(database: Database, user_id: int, email: str, act: AuditRow | None = None) -> None:
    """Send a link to the new e-mail, which sets it once it is opened, and a notice to the current one.

    The same happens whether the address is in use or not. An earlier request is dropped.
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
        note_act(transaction, act)

    await database.run(work)


async def add_email_token(database: Database, change_id: int) -> str | None:
    """Returns the secret of the link that sets an e-mail. None: the request was replaced, or has expired."""
    token = secrets.token_urlsafe(32)
    stored = await database.fetchval(
        *statement("set_email_token").bind(email_change_id=change_id, token_hash=hash_secret(token))
    )
    return token if stored is not None else None


async def is_email_asked_for(database: Database, change_id: int) -> bool:
    """Whether the change still waits for its link."""
    return bool(await database.fetchval(*statement("find_requested_email").bind(email_change_id=change_id)))


async def find_email_change(database: Database, token: str) -> asyncpg.Record | None:
    """Returns id, email and name of the user behind a link. None: it has expired."""
    return await database.fetchrow(*statement("find_email_change").bind(token_hash=hash_secret(token)))


async def confirm_email(database: Database, token: str) -> str:
    """Set the e-mail of the link. Raises NotFound for an expired link, Conflict if another account has the e-mail."""

    async def work(transaction: Transaction) -> str:
        row = await transaction.fetchrow(*statement("take_email_change").bind(token_hash=hash_secret(token)))
        if row is None:
            raise NotFound("This link is over.")
        await write_user(transaction, row["user_id"], {"email": row["email"]})
        await transaction.execute(*statement("forget_password_tokens").bind(user_id=row["user_id"]))
        email: str = row["email"]
        return email

    return await database.run(work)

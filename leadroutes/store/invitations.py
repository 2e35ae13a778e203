"""Invitations to teams, and to act for an account: of a user, or of an e-mail address that may have no account.

A link's secret goes out once, in the mail; only its hash is stored. Who may invite and accept is decided elsewhere.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from leadroutes.store import statement
from leadroutes.store.messages import enqueue
from leadroutes.store.postgres import Database, Transaction

MOST_OPEN = 100  # invitations of one creator
LIFE = timedelta(days=7)  # of a link


@dataclass(frozen=True, slots=True)
class Invitation:
    """The invitation of a link; `user_id` None: it was sent to an e-mail, and no one has accepted it yet.

    `role`: that in which a delegate acts for the inviter; None: it is an invitation to the team.
    """

    id: int
    user_id: int | None
    email: str | None
    request_status: str
    team_name: str | None
    is_sharing: bool
    inviter_name: str
    inviter_email: str
    inviter_timezone: str
    has_account: bool  # whether the e-mail belongs to an account that has a password
    passwordless_user_id: int | None  # the account that was invited, if no one has set its password yet
    role: str | None


async def count_open(transaction: Transaction, owner_id: int) -> int:
    """Return how many invitations of this creator are pending; simultaneous ones of the same creator wait for this."""
    await transaction.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", owner_id)
    count: int = await transaction.fetchval(*statement("count_open_invitations").bind(owner_id=owner_id))
    return count


async def invite_user(
    transaction: Transaction, owner_id: int, team_id: int, user_id: int, *, is_accepted: bool = False
) -> int | None:
    """Add a member and return the id, and send an invitation unless accepted at once.

    Returns None for a user who is a member or has been invited already.
    """
    is_sharing = is_accepted and await is_sharing_team(transaction, team_id)
    status = "Accepted" if is_accepted else "Pending"
    invited = statement("invite_user").bind(
        owner_id=owner_id, team_id=team_id, user_id=user_id, request_status=status, is_sharing_accepted=is_sharing
    )
    member_id: int | None = await transaction.fetchval(*invited)
    if member_id is not None and not is_accepted:
        email = await transaction.fetchval("SELECT email FROM users WHERE id = $1", user_id)
        # In the user's own outbox, because the creator of the team must not learn the address.
        await _mail(transaction, user_id, email, member_id, user_id=user_id)
    return member_id


async def invite_address(transaction: Transaction, owner_id: int, team_id: int, email: str) -> int | None:
    """The same for an e-mail address, whether it has an account or not."""
    member_id: int | None = await transaction.fetchval(
        *statement("invite_address").bind(owner_id=owner_id, team_id=team_id, email=email)
    )
    if member_id is not None:
        await _mail(transaction, owner_id, email, member_id)
    return member_id


async def invite_delegate(
    transaction: Transaction,
    owner_id: int,
    *,
    role: str,
    team_id: int | None,
    user_id: int | None = None,
    email: str | None = None,
) -> int | None:
    """Invite this user, or this address, to act for the owner, and return the id; None if that was done before."""
    delegate_id: int | None = await transaction.fetchval(
        *statement("invite_delegate").bind(
            owner_id=owner_id, user_id=user_id, email=email, role=role, team_id=team_id, now=transaction.now
        )
    )
    if delegate_id is None:
        return None
    if user_id is None:
        assert email is not None
        await _mail(transaction, owner_id, email, delegate_id)
    else:
        address = await transaction.fetchval("SELECT email FROM users WHERE id = $1", user_id)
        await _mail(transaction, user_id, address, delegate_id, user_id=user_id)
    return delegate_id


async def _mail(
    transaction: Transaction, owner_id: int, email: str, member_id: int, *, user_id: int | None = None
) -> None:
    """Queue an invitation mail, one a day at most for an address, so that no one can flood another's mailbox."""
    if await transaction.fetchval(*statement("note_invitation_mail").bind(email=email)) is None:
        return
    address = email if user_id is None else None
    await add_account_message(
        transaction, owner_id, "invitation", user_id=user_id, address=address, member_id=member_id
    )


async def add_account_message(
    transaction: Transaction,
    owner_id: int,
    kind: str,
    *,
    user_id: int | None = None,
    address: str | None = None,
    member_id: int | None = None,
    email_change_id: int | None = None,
    password_link_id: int | None = None,
    webhook_id: int | None = None,
) -> None:
    """Queue an e-mail about an account; it goes to `address`, else to the user's own address."""
    message_id = await transaction.fetchval(
        *statement("add_account_message").bind(
            owner_id=owner_id,
            kind=kind,
            user_id=user_id,
            address=address,
            member_id=member_id,
            email_change_id=email_change_id,
            password_link_id=password_link_id,
            webhook_id=webhook_id,
            now=transaction.now,
        )
    )
    await enqueue(transaction.connection, [(owner_id, message_id)])


async def is_sharing_team(transaction: Transaction, team_id: int) -> bool:
    """Return whether the team shares contacts, and lock that until the transaction ends."""
    sql = "SELECT is_contact_resource_sharing_enabled FROM teams WHERE id = $1 FOR SHARE"
    return bool(await transaction.fetchval(sql, team_id))


# ---------------------------------------------------------------------------------------------------------- links


async def add_token(database: Database, member_id: int) -> str:
    """Add a new secret for the link of an invitation, and return it."""
    token = secrets.token_urlsafe(32)
    await database.execute(
        *statement("add_invitation_token").bind(token_hash=_digest(token), member_id=member_id, lifetime=LIFE)
    )
    return token


async def find_invitation(source: Database | Transaction, token: str) -> Invitation | None:
    """Return the invitation of a link; None if the link is unknown or has expired, or the invitation was removed."""
    row = await source.fetchrow(*statement("find_invitation").bind(token_hash=_digest(token)))
    return Invitation(**row) if row is not None else None


async def find_place(source: Database | Transaction, member_id: int) -> asyncpg.Record | None:
    """Return a member, an invitation by e-mail, or a delegate; find_team_place.sql says which columns."""
    return await source.fetchrow(*statement("find_team_place").bind(member_id=member_id))


async def list_invitations_of(database: Database, user_id: int) -> list[asyncpg.Record]:
    """Return id, request_status, team_name, is_sharing, inviter_name, role of what this user may answer."""
    return await database.fetch(*statement("list_invitations_of").bind(person_id=user_id))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

"""Joins and leaves teams: an answer to an invitation, or the end of a membership, with all that follows from it.

An invitation to act for an account is answered here as well.

Each in one transaction. The API and the pages check before whether the caller may do it.
"""

import asyncpg

from leadroutes.domain.audit_row import AuditRow
from leadroutes.engine.departures import end_sharing, withdraw_from_member
from leadroutes.errors import Conflict, Forbidden, NotFound
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.invitations import find_place, is_sharing_team
from leadroutes.store.postgres import Database, Transaction

ACCEPTED = "Accepted"


async def answer(
    database: Database,
    member_id: int,
    user_id: int,
    status: str,
    *,
    agrees: bool = True,
    has_link: bool = False,
    act: AuditRow | None = None,
) -> None:
    """The user sets their own status: accepts, declines, leaves, or agrees again. Raises NotFound and Forbidden.

    Accepting a team that shares contacts, also a second time, agrees to the sharing, unless `agrees` is false: the page
    that was answered did not mention it. `has_link`: the invitation may have been sent to another e-mail.
    """

    async def work(transaction: Transaction) -> None:
        owner_id = await set_status(transaction, member_id, user_id, status, agrees=agrees, has_link=has_link)
        note_act(transaction, act, owner_id=owner_id)

    await database.run(work)


async def set_status(
    transaction: Transaction, member_id: int, user_id: int, status: str, *, agrees: bool, has_link: bool
) -> int:
    """The same within a transaction. Returns the creator of the team, or whom the user acts for."""
    place = await find_place(transaction, member_id)
    if place is None:
        raise NotFound.record(member_id)
    if place["role"] is not None:
        return await answer_delegation(
            transaction, member_id, user_id, is_accepted=status == ACCEPTED, has_link=has_link
        )
    owner_id: int = place["owner_id"]
    is_sharing = status == ACCEPTED and await is_sharing_team(transaction, place["team_id"]) and agrees
    if place["user_id"] is None:
        await _answer_by_email(transaction, member_id, user_id, status, is_sharing=is_sharing, has_link=has_link)
        return owner_id
    member = await _lock_member(transaction, member_id)
    if member["user_id"] != user_id:
        raise Forbidden("Only the member answers for the member")
    await transaction.execute(
        *statement("set_member_status").bind(member_id=member_id, request_status=status, is_sharing_accepted=is_sharing)
    )
    if member["request_status"] == ACCEPTED and status != ACCEPTED:
        await _leave(transaction, member["owner_id"], member["team_id"], user_id, user_id)
    return owner_id


async def _answer_by_email(
    transaction: Transaction, member_id: int, user_id: int, status: str, *, is_sharing: bool, has_link: bool
) -> None:
    invitation = await transaction.fetchrow(
        *statement("lock_invitation").bind(member_id=member_id, user_id=user_id, has_link=has_link)
    )
    if invitation is None:
        raise NotFound.record(member_id)
    if status == ACCEPTED:
        await transaction.execute(
            *statement("accept_invitation").bind(member_id=member_id, user_id=user_id, is_sharing_accepted=is_sharing)
        )
    else:
        declined = statement("set_invitation_status").bind(member_id=member_id, request_status=status)
        await transaction.execute(*declined)


async def answer_delegation(
    transaction: Transaction, delegate_id: int, user_id: int, *, is_accepted: bool, has_link: bool = False
) -> int:
    """The user agrees to act for the owner who invited them, or declines; returns the owner's id.

    What is accepted replaces what the same owner asked the user by before. Raises Forbidden and Conflict.
    """
    found = await transaction.fetchrow(
        *statement("lock_delegate").bind(delegate_id=delegate_id, user_id=user_id, has_link=has_link)
    )
    if found is None:
        raise Forbidden("Only whoever is invited answers the invitation")
    owner_id: int = found["owner_id"]
    if not is_accepted:
        await _decline_delegation(transaction, delegate_id)
        return owner_id
    if owner_id == user_id:
        raise Conflict("The account is your own; no one acts for themselves")
    replaced = statement("remove_other_delegations").bind(owner_id=owner_id, user_id=user_id, delegate_id=delegate_id)
    await transaction.execute(*replaced)
    accepted = statement("accept_delegation").bind(delegate_id=delegate_id, user_id=user_id, now=transaction.now)
    await transaction.execute(*accepted)
    return owner_id


async def _decline_delegation(transaction: Transaction, delegate_id: int) -> None:
    declined = statement("decline_delegation").bind(delegate_id=delegate_id, now=transaction.now)
    if await transaction.fetchval(*declined) is None:
        raise Conflict("It was accepted; remove it to end it")


async def decline_by_link(transaction: Transaction, member_id: int, *, is_delegation: bool = False) -> None:
    """Decline the invitation of a link. Raises NotFound for one that was accepted, Conflict if it is a delegation."""
    if is_delegation:
        await _decline_delegation(transaction, member_id)
    elif await transaction.fetchval(*statement("decline_invitation").bind(member_id=member_id)) is None:
        raise NotFound.record(member_id)


async def remove(database: Database, member_id: int, by_user_id: int, act: AuditRow | None = None) -> None:
    """Remove a member, or an invitation; its user or the creator of the team does. Raises NotFound."""

    async def work(transaction: Transaction) -> None:
        note_act(transaction, act)
        removed = await transaction.fetchval(*statement("remove_invitation").bind(member_id=member_id))
        if removed is not None:
            return
        await remove_member(transaction, member_id, by_user_id)

    await database.run(work)


async def remove_member(transaction: Transaction, member_id: int, by_user_id: int) -> None:
    """Remove a member within a transaction. Raises NotFound."""
    member = await _lock_member(transaction, member_id)
    await transaction.execute(*statement("remove_member").bind(member_id=member_id))
    if member["request_status"] == ACCEPTED:
        await _leave(transaction, member["owner_id"], member["team_id"], member["user_id"], by_user_id)


async def _lock_member(transaction: Transaction, member_id: int) -> asyncpg.Record:
    row = await transaction.fetchrow(*statement("lock_member").bind(member_id=member_id))
    if row is None:
        raise NotFound.record(member_id)
    return row


async def _leave(transaction: Transaction, owner_id: int, team_id: int, user_id: int, by_user_id: int) -> None:
    await withdraw_from_member(transaction, owner_id, team_id, user_id, by_user_id)
    await end_sharing(transaction, [user_id, *await members_of(transaction, owner_id, team_id)])


async def members_of(transaction: Transaction, owner_id: int, team_id: int) -> list[int]:
    """Returns the users who are accepted members of the team."""
    rows = await transaction.fetch(*statement("list_members").bind(owner_id=owner_id, team_id=team_id))
    return [row["user_id"] for row in rows]

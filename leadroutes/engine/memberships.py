"""Joins and leaves teams: an answer to an invitation, or the end of a membership, with all that follows from it.

Each in one transaction. The API and the pages check before whether the caller may do it.
"""

import asyncpg

from leadroutes.engine.departures import end_sharing, withdraw_from_member
from leadroutes.errors import Forbidden, NotFound
from leadroutes.store import statement
from leadroutes.store.invitations import find_place, is_sharing_team
from leadroutes.store.postgres import Database, Transaction

ACCEPTED = "Accepted"


async def answer(
    database: Database, member_id: int, user_id: int, status: str, *, agrees: bool = True, has_link: bool = False
) -> None:
    """The user sets their own status: accepts, declines, leaves, or agrees again. Raises NotFound and Forbidden.

    Accepting a team that shares contacts, also a second time, agrees to the sharing, unless `agrees` is false: the page
    that was answered did not mention it. `has_link`: the invitation may have been sent to another e-mail.
    """

    async def work(transaction: Transaction) -> None:
        await set_status(transaction, member_id, user_id, status, agrees=agrees, has_link=has_link)

    await database.run(work)


async def set_status(
    transaction: Transaction, member_id: int, user_id: int, status: str, *, agrees: bool, has_link: bool
) -> None:
    """The same within a transaction."""
    place = await find_place(transaction, member_id)
    if place is None:
        raise NotFound.record(member_id)
    is_sharing = status == ACCEPTED and await is_sharing_team(transaction, place["team_id"]) and agrees
    if place["user_id"] is None:
        await _answer_by_email(transaction, member_id, user_id, status, is_sharing=is_sharing, has_link=has_link)
        return
    member = await _lock_member(transaction, member_id)
    if member["user_id"] != user_id:
        raise Forbidden("Only the member answers for the member")
    await transaction.execute(
        *statement("set_member_status").bind(member_id=member_id, request_status=status, is_sharing_accepted=is_sharing)
    )
    if member["request_status"] == ACCEPTED and status != ACCEPTED:
        await _leave(transaction, member["owner_id"], member["team_id"], user_id, user_id)


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


async def decline_by_link(transaction: Transaction, member_id: int) -> None:
    """Decline the invitation of a link. Raises NotFound for one that was accepted."""
    if await transaction.fetchval(*statement("decline_invitation").bind(member_id=member_id)) is None:
        raise NotFound.record(member_id)


async def remove(database: Database, member_id: int, by_user_id: int) -> None:
    """Remove a member, or an invitation; its user or the creator of the team does. Raises NotFound."""

    async def work(transaction: Transaction) -> None:
        removed = await transaction.fetchval(*statement("remove_invitation").bind(member_id=member_id))
        if removed is not None:
            return
        member = await _lock_member(transaction, member_id)
        await transaction.execute(*statement("remove_member").bind(member_id=member_id))
        if member["request_status"] == ACCEPTED:
            await _leave(transaction, member["owner_id"], member["team_id"], member["user_id"], by_user_id)

    await database.run(work)


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

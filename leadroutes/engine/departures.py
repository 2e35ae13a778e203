"""What follows when a member leaves a team: open offers are withdrawn, and shared contacts are returned.

It happens in the transaction in which the member leaves. The callers check who may leave; the domain decides the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from leadroutes.domain.availability import Attendance
from leadroutes.domain.model import Absence, Change
from leadroutes.domain.rollout import withdraw_members
from leadroutes.domain.routing import TEAM_REMOVED, departed, unavailable
from leadroutes.engine.attendance import attendance_of_leads
from leadroutes.engine.changes import change_leads
from leadroutes.store import statement
from leadroutes.store.leads import LeadRow, load_leads
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets

BATCH_SIZE = 1000  # leads that are decided and written at once

Decide = Callable[[LeadRow, datetime, Attendance | None], Change | None]


async def withdraw_from_member(
    transaction: Transaction, owner_id: int, team_id: int, user_id: int, by_user_id: int | None
) -> None:
    """Withdraw what the team has offered to a user who has left it; the membership has been changed before."""
    await _withdraw(transaction, (user_id, owner_id, team_id), by_user_id)


async def withdraw_from_user(transaction: Transaction, user_id: int, by_user_id: int | None) -> None:
    """Withdraw what any team has offered to a user whose account has been closed."""
    await _withdraw(transaction, (user_id, None, None), by_user_id)


async def withdraw_from_team(transaction: Transaction, owner_id: int, team_id: int, by_user_id: int | None) -> None:
    """Withdraw what a team has offered to anyone, before it is removed; the leads' owner is offered them instead."""

    def decide(row: LeadRow, now: datetime, attendance: Attendance | None) -> Change | None:
        gone = {offer.user_id: TEAM_REMOVED for offer in row.lead.offers if offer.team_id == team_id}
        absences = unavailable(row.present, row.lead.offers, attendance)
        absences |= {user_id: Absence(reason=reason) for user_id, reason in gone.items()}
        return withdraw_members(row.lead, gone, absences, by_user_id, now)

    await _decide_all(transaction, (None, owner_id, team_id), decide)


async def _withdraw(
    transaction: Transaction, whose: tuple[int | None, int | None, int | None], by_user_id: int | None
) -> None:
    def decide(row: LeadRow, now: datetime, attendance: Attendance | None) -> Change | None:
        gone = departed(row.present, row.lead)
        return withdraw_members(row.lead, gone, unavailable(row.present, row.lead.offers, attendance), by_user_id, now)

    await _decide_all(transaction, whose, decide)


async def _decide_all(
    transaction: Transaction, whose: tuple[int | None, int | None, int | None], decide: Decide
) -> None:
    """Decide about each open lead with such an offer, under its lock, and write what follows.

    Decisions that were under way by the rules from before are waited for at the end, so that others wait shortly.
    """
    user_id, owner_id, _ = whose
    await _decide_open(transaction, whose, decide)
    await transaction.execute(*statement("await_deciding").bind(user_id=user_id, owner_id=owner_id))
    await _decide_open(transaction, whose, decide)


async def _decide_open(
    transaction: Transaction, whose: tuple[int | None, int | None, int | None], decide: Decide
) -> None:
    user_id, owner_id, team_id = whose
    rows = await transaction.fetch(
        *statement("lock_leads_of_departed").bind(user_id=user_id, owner_id=owner_id, team_id=team_id)
    )
    rule_sets = RuleSets.of_transaction(transaction)  # those of the process show what is committed
    keys = [(row["owner_id"], row["id"]) for row in rows]
    for start in range(0, len(keys), BATCH_SIZE):
        found = await load_leads(transaction, rule_sets, keys[start : start + BATCH_SIZE])
        attendance = await attendance_of_leads(transaction, found)
        await change_leads(transaction, rule_sets, list(_changes(found, decide, attendance, transaction.now)))


def _changes(
    rows: Sequence[LeadRow], decide: Decide, attendance: Mapping[int, Attendance], now: datetime
) -> Iterable[tuple[LeadRow, Change]]:
    for row in rows:
        present = attendance.get(row.lead.owner_id)
        change = decide(row, now, present)
        if change is None:
            continue
        if present is not None and change.claim is not None and not row.is_test:
            present.note_lead(change.claim.user_id)
        yield row, change


async def end_sharing(transaction: Transaction, user_ids: Iterable[int]) -> None:
    """Return contacts that a sharing teammate has assigned to their owner, if the sharing has ended.

    `user_ids` are all whom the change concerns: owners, those who assigned, and those who were assigned.
    """
    await transaction.execute(
        *statement("return_shared_contacts").bind(user_ids=sorted(set(user_ids)), now=transaction.now)
    )

"""A lead becomes junk, or is not junk after all: its rollout, its campaigns and its turn, in one transaction.

The domain decides what follows; the callers check who sees the lead.
"""

from dataclasses import dataclass

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.junk import IS_JUNK, Junk, mark_as_junk, undo_junk
from leadroutes.domain.model import Change
from leadroutes.domain.turns import Turns, give_turn_back, take_turn_back
from leadroutes.engine.changes import change_leads, name_winners
from leadroutes.engine.engine import Engine
from leadroutes.errors import AlreadyClaimed
from leadroutes.store import statement
from leadroutes.store.arrivals import take_turns
from leadroutes.store.audit import note_act
from leadroutes.store.leads import LeadRow, load_leads, lock_lead, set_junk
from leadroutes.store.postgres import Transaction


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """The turn that a lead took: in which team, of whom, and the turns of the team, locked."""

    team_id: int
    user_id: int
    turns: Turns


async def mark(
    engine: Engine, owner_id: int, lead_id: int, junk: Junk, by_user_id: int, act: AuditRow | None = None
) -> None:
    """The lead is junk; repeating it with another reason changes the reason. Raises NotFound, or Conflict."""

    async def work(transaction: Transaction) -> None:
        row, taken = await _load(engine, transaction, owner_id, lead_id)
        now = transaction.now
        try:
            change = mark_as_junk(row.lead, junk, by_user_id, now, known=row.junk, is_imported=row.is_imported)
        except AlreadyClaimed as lost:
            [named] = await name_winners(transaction, [lost])
            raise named from None
        if change is None:
            return
        turns = None
        if taken is not None and not row.is_turn_given_back:
            turns = give_turn_back(taken.turns, taken.user_id, lead_id)
        await _stop_campaigns(transaction, row, by_user_id)
        await _write(engine, transaction, (row, change), junk, taken, turns, is_given_back=True)
        note_act(transaction, act)

    await engine.database.run(work)


async def undo(engine: Engine, owner_id: int, lead_id: int, by_user_id: int, act: AuditRow | None = None) -> None:
    """The lead is not junk; where it is not, nothing changes. Raises NotFound, or Conflict."""

    async def work(transaction: Transaction) -> None:
        row, taken = await _load(engine, transaction, owner_id, lead_id)
        try:
            change = undo_junk(row.lead, by_user_id)
        except AlreadyClaimed as lost:
            [named] = await name_winners(transaction, [lost])
            raise named from None
        if change is None:
            return
        turns = None if taken is None else take_turn_back(taken.turns, taken.user_id, lead_id)
        await _write(engine, transaction, (row, change), None, taken, turns, is_given_back=False)
        note_act(transaction, act)

    await engine.database.run(work)


async def _load(
    engine: Engine, transaction: Transaction, owner_id: int, lead_id: int
) -> tuple[LeadRow, TurnTaken | None]:
    """Locks the lead before the turns, as a batch of arrivals does."""
    await lock_lead(transaction, owner_id, lead_id)
    taken = await _turn_taken(transaction, owner_id, lead_id)
    [row] = await load_leads(transaction, engine.rule_sets, [(owner_id, lead_id)])
    return row, taken


async def _turn_taken(transaction: Transaction, owner_id: int, lead_id: int) -> TurnTaken | None:
    found = await transaction.fetchrow(*statement("find_turn_taken").bind(owner_id=owner_id, lead_id=lead_id))
    if found is None:
        return None
    turns = await take_turns(transaction, [(owner_id, found["team_id"])])
    return TurnTaken(found["team_id"], found["user_id"], turns[owner_id, found["team_id"]])


async def _stop_campaigns(transaction: Transaction, row: LeadRow, by_user_id: int) -> None:
    await transaction.execute(
        *statement("stop_campaigns_of_lead").bind(
            owner_id=row.lead.owner_id,
            lead_id=row.lead.id,
            now=transaction.now,
            by_user_id=by_user_id,
            reason=IS_JUNK,
        )
    )


async def _write(
    engine: Engine,
    transaction: Transaction,
    changed: tuple[LeadRow, Change],
    junk: Junk | None,
    taken: TurnTaken | None,
    turns: Turns | None,
    *,
    is_given_back: bool,
) -> None:
    """Writes the reason, the change, and the turns where they have changed: then the turn is given back, or is not."""
    row, _ = changed
    state = row.is_turn_given_back if turns is None else is_given_back
    await set_junk(transaction, row, junk, is_turn_given_back=state)
    of_team = {} if taken is None or turns is None else {(row.lead.owner_id, taken.team_id): turns}
    await change_leads(transaction, engine.rule_sets, [changed], of_team)

"""A lead passes from whoever has it to a colleague: at once where its team allows that, else once the owner accepts."""

from leadroutes.domain.alerts import owner_channels
from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.model import Change, Initiator, LeadEvent, Message
from leadroutes.domain.rollout import assign
from leadroutes.engine.changes import change_leads
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.leads import LeadRow, load_leads, lock_lead
from leadroutes.store.postgres import Transaction


async def hand_over(
    engine: Engine, owner_id: int, lead_id: int, by: Initiator, to_user_id: int, act: AuditRow | None = None
) -> int:
    """The lead of `by` passes to a colleague, or the owner is asked. Returns the id of the request.

    Raises Invalid for someone who cannot have it, and Conflict if another user has the lead, or a request is open.
    """

    async def work(transaction: Transaction) -> int:
        row = await _load(engine, transaction, owner_id, lead_id)
        _require_holder(row, by.user_id)
        is_free = await _is_free(transaction, row, to_user_id)
        if is_free is None or to_user_id == by.user_id:
            expected = "another member of the lead's team"
            raise Invalid.fields({"user_id": f"user_id: {to_user_id} was given; expected {expected}"})
        is_free = is_free or by.user_id == owner_id
        if is_free:
            change = assign(row.lead, to_user_id, by.user_id, transaction.now, by.note)
            assert change is not None  # someone else has it
        else:
            change = _asked(row, by, to_user_id)
        await change_leads(transaction, engine.rule_sets, [(row, change)])
        added: int | None = await transaction.fetchval(
            *statement("add_handover").bind(
                owner_id=owner_id,
                lead_id=lead_id,
                from_user_id=by.user_id,
                to_user_id=to_user_id,
                note=by.note,
                state="accepted" if is_free else "asked",
                now=transaction.now,
            )
        )
        if added is None:
            raise Conflict("The owner has been asked already whether this lead may be passed on")
        note_act(transaction, act)
        return added

    return await engine.database.run(work)


async def answer_handover(
    engine: Engine,
    owner_id: int,
    handover_id: int,
    by: Initiator,
    *,
    is_accepted: bool,
    act: AuditRow | None = None,
) -> None:
    """The owner accepts or declines. Raises Conflict where the request is not open, or the colleague has left."""

    async def work(transaction: Transaction) -> None:
        request = await transaction.fetchrow(
            *statement("find_handover").bind(owner_id=owner_id, handover_id=handover_id)
        )
        if request is None:
            raise NotFound.record(handover_id)
        row = await _load(engine, transaction, owner_id, request["lead_id"])
        state = "accepted" if is_accepted else "declined"
        answered = statement("answer_handover").bind(
            owner_id=owner_id,
            handover_id=handover_id,
            state=state,
            answer=by.note,
            by_user_id=by.user_id,
            now=transaction.now,
        )
        if await transaction.fetchval(*answered) is None:
            raise Conflict("This request has been answered, or someone else has the lead in the meantime")
        change: Change | None
        if is_accepted:
            if await _is_free(transaction, row, request["to_user_id"]) is None:
                raise Conflict("The colleague is no longer a member of the lead's team")
            change = assign(row.lead, request["to_user_id"], by.user_id, transaction.now, request["note"])
        else:
            change = _declined(row, by, request["from_user_id"])
        if change is not None:
            await change_leads(transaction, engine.rule_sets, [(row, change)])
        note_act(transaction, act)

    await engine.database.run(work)


async def _load(engine: Engine, transaction: Transaction, owner_id: int, lead_id: int) -> LeadRow:
    await lock_lead(transaction, owner_id, lead_id)
    [row] = await load_leads(transaction, engine.rule_sets, [(owner_id, lead_id)])
    return row


def _require_holder(row: LeadRow, user_id: int) -> None:
    if row.lead.claim is None or row.lead.claim.user_id != user_id:
        raise Conflict("You do not have this lead any more")


async def _is_free(transaction: Transaction, row: LeadRow, to_user_id: int) -> bool | None:
    """Returns whether the owner need not be asked; None: the user cannot have the lead."""
    terms = await transaction.fetchrow(
        *statement("find_handover_terms").bind(owner_id=row.lead.owner_id, team_id=row.team_id, to_user_id=to_user_id)
    )
    return bool(terms["is_free"]) if terms is not None and terms["is_possible"] else None


def _asked(row: LeadRow, by: Initiator, to_user_id: int) -> Change:
    event = LeadEvent(kind="handover asked", user_id=to_user_id, by_user_id=by.user_id, detail=by.detail)
    messages = tuple(
        Message(kind="handover", channel=channel, user_id=row.lead.owner_id) for channel in owner_channels(row.lead)
    )
    return Change(lead=row.lead, messages=messages, events=(event,))


def _declined(row: LeadRow, by: Initiator, from_user_id: int) -> Change:
    event = LeadEvent(kind="handover declined", user_id=from_user_id, by_user_id=by.user_id, detail=by.detail)
    message = Message(kind="handover_declined", channel="email", user_id=from_user_id)
    return Change(lead=row.lead, messages=(message,), events=(event,))

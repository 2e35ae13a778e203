"""Loads, decides and writes, in one transaction: every change of a lead after its arrival goes through here.

The domain decides what follows from a claim, a decline or a due moment; the API and the pages, who may ask for it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from leadroutes.domain.model import Change, Via
from leadroutes.domain.rollout import assign, decline, refuse_when_over
from leadroutes.domain.routing import explain, refuse_when_departed, unavailable
from leadroutes.engine.campaigns import start_campaigns
from leadroutes.engine.changes import change_leads, name_winners, record
from leadroutes.engine.claims import ClaimRequest, Claims
from leadroutes.engine.distribution import LeadToRoute, route_leads
from leadroutes.engine.timers import Timers
from leadroutes.errors import AlreadyClaimed, Conflict, Invalid, NotFound
from leadroutes.observability.traces import span
from leadroutes.store import statement
from leadroutes.store.campaigns import Start, load_actions
from leadroutes.store.contacts import load_contact
from leadroutes.store.leads import Applied, LeadRow, load_leads, lock_lead
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

MOST_EVENTS = 1000  # of a lead's history in one answer


class Engine:
    """One per process; holds only the cache of rule sets and the claims under way."""

    def __init__(self, database: Database, channels: Iterable[str] = ()) -> None:
        """`channels`: those that this installation can send over."""
        self.database = database
        self.rule_sets = RuleSets(channels=frozenset(channels))
        database.listener.forget_when_reconnected(self.rule_sets.forget)
        self._claims = Claims(database, self.rule_sets)
        self._timers = Timers(database, self.rule_sets)

    # -- what users do with a lead

    async def claim(self, owner_id: int, lead_id: int, user_id: int, via: Via = "None") -> None:
        """The user takes the lead; repeating it changes nothing. Raises NotFound, Conflict or AlreadyClaimed."""
        with span("claim", owner=owner_id, lead=lead_id, user=user_id):
            await self._claims.claim(ClaimRequest(owner_id, lead_id, user_id, via))

    async def decline(self, owner_id: int, offer_id: int, user_id: int) -> None:
        """The user declines; repeating it changes nothing. NotFound for another's offer, Conflict if it is over."""
        lead_id = await self.database.fetchval(
            *statement("find_offered_lead").bind(owner_id=owner_id, offer_id=offer_id, user_id=user_id)
        )
        if lead_id is None:
            raise NotFound.record(offer_id)

        def decide_decline(row: LeadRow, now: datetime) -> Change | None:
            refuse_when_departed(row.present, row.lead, user_id)
            return decline(row.lead, user_id, unavailable(row.present, row.lead.offers), now)

        await self._change(owner_id, lead_id, decide_decline)

    async def assign(self, owner_id: int, lead_id: int, user_id: int, by_user_id: int) -> None:
        """The owner assigns the lead to a member of a shared team, or keeps it; a second assignment moves it."""
        if not await self.database.fetchval(*statement("can_be_assigned").bind(owner_id=owner_id, user_id=user_id)):
            message = f"user_id: {user_id} was given; expected the owner or a member of a team that the owner shares"
            raise Invalid.fields({"user_id": message})

        def decide_assignment(row: LeadRow, now: datetime) -> Change | None:
            return assign(row.lead, user_id, by_user_id, now)

        await self._change(owner_id, lead_id, decide_assignment)

    async def _change(self, owner_id: int, lead_id: int, decide_: Callable[[LeadRow, datetime], Change | None]) -> None:
        async def work(transaction: Transaction) -> None:
            await lock_lead(transaction, owner_id, lead_id)
            [row] = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            try:
                change = decide_(row, transaction.now)
            except AlreadyClaimed as lost:
                [named] = await name_winners(transaction, [lost])
                raise named from None
            if change is not None:
                await change_leads(transaction, self.rule_sets, [(row, change)])

        await self.database.run(work)

    # -- a lead that was held

    async def distribute(self, owner_id: int, lead_id: int) -> None:
        """Route a lead that is held, once. Raises AlreadyClaimed, or Conflict if its contact was erased."""

        async def work(transaction: Transaction) -> None:
            await lock_lead(transaction, owner_id, lead_id)
            [row] = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            if row.lead.claim is not None:
                lost = AlreadyClaimed(row.lead.claim.user_id, row.lead.claim.claimed_at)
                [named] = await name_winners(transaction, [lost])
                raise named
            if row.routed_at is None:
                refuse_when_over(row.lead)
                await _route(transaction, row)

        await self.database.run(work)

    # -- what time does

    async def run_due(self, is_stopping: Callable[[], bool] = lambda: False) -> datetime | None:
        """Carry out everything that is due, in batches. Returns the next moment at which something is due.

        Once `is_stopping`, no further batch is begun: the next caller does the rest.
        """
        return await self._timers.run_due(is_stopping)

    @property
    def is_behind(self) -> bool:
        """Whether more is due than fits into a batch."""
        return self._timers.is_behind

    # -- why, and what happened

    async def explain(self, owner_id: int, lead_id: int) -> dict[str, Any]:
        """Returns the decision about a lead, repeated from what it was made with. Raises NotFound."""
        async with self.database.transaction() as transaction:
            rows = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            if not rows:
                raise NotFound.record(lead_id)
            [row] = rows
            if row.rule_set is None or row.facts is None:
                is_over = row.lead.unclaimed_at is not None
                outcome = f"{'over' if is_over else 'held'}: it has not been routed"
                return {"rule_set": None, "routes": [], "team": None, "members": [], "outcome": outcome}
            stored = await self.rule_sets.load_by_number(transaction, {(owner_id, row.rule_set)})
            explained = explain(stored[owner_id, row.rule_set], row.facts, row.lead.offers)
            if why := await transaction.fetchval(
                *statement("find_why_not_started").bind(owner_id=owner_id, lead_id=lead_id)
            ):
                explained["outcome"] += f"; {why}"
            return explained

    async def history(
        self, owner_id: int, lead_id: int, *, limit: int = MOST_EVENTS, skip: int = 0, most_bytes: int = 2**40
    ) -> list[dict[str, Any]]:
        """Returns what happened to a lead, in order: {at, kind, user_id, by_user_id, detail (JSON text or null)}.

        Raises ProgramLimitExceeded if the details have more than `most_bytes`.
        """
        rows = await self.database.fetch(
            *statement("list_history").bind(
                owner_id=owner_id, lead_id=lead_id, limit=limit, skip=skip, most_bytes=most_bytes
            )
        )
        return [{name: row[name] for name in ("at", "kind", "user_id", "by_user_id", "detail")} for row in rows]

    async def ledger(self, owner_id: int) -> dict[str, int]:
        """Returns received = claimed + on_offer + unclaimed + held + rejected; imported is not in the sum."""
        row = await self.database.fetchrow(*statement("sum_ledger").bind(owner_id=owner_id))
        assert row is not None
        return dict(row)

    # -- campaigns by hand

    async def start_campaign(self, owner_id: int, campaign_id: int, contact_id: int, user_id: int) -> int:
        """Start a campaign for a contact of `owner_id`. Returns its id. Raises NotFound, or Conflict while it runs."""

        async def work(transaction: Transaction) -> int:
            if not await transaction.fetchval(*statement("lock_campaign").bind(campaign_id=campaign_id)):
                raise NotFound.record(campaign_id)
            contact = await load_contact(transaction, owner_id, contact_id)
            sender = contact.assigned_user_id or owner_id
            timezone = await transaction.fetchval(*statement("find_timezone").bind(user_id=sender))
            start = Start(
                owner_id=owner_id,
                contact_id=contact_id,
                campaign_id=campaign_id,
                actions=await load_actions(transaction, campaign_id),
                timezone=contact.time_zone or timezone,
                birthday=contact.birthday,
                started_by=user_id,
            )
            started = await start_campaigns(transaction, [start])
            if not started:
                raise Conflict(f"The campaign {campaign_id} is running for the contact {contact_id} already")
            return started[owner_id, contact_id, campaign_id]

        return await self.database.run(work)

    async def stop_campaign(self, owner_id: int, campaign_contact_id: int, user_id: int) -> None:
        """Stop what has not been sent, with the reason; open tasks are marked deleted."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(
                *statement("stop_campaign").bind(
                    now=transaction.now, owner_id=owner_id, campaign_contact_id=campaign_contact_id, by_user_id=user_id
                )
            )

        await self.database.run(work)

    async def set_communication_active(
        self, owner_id: int, communication_id: int, is_active: bool, user_id: int
    ) -> None:
        """Stop a step, or resume it. Raises NotFound, or Conflict for a step that has been sent."""

        async def work(transaction: Transaction) -> None:
            key = {"owner_id": owner_id, "communication_id": communication_id}
            # The messages before the step, in the order of note_outcomes.
            await transaction.execute(*statement("lock_messages_of_communication").bind(**key))
            row = await transaction.fetchrow(*statement("lock_communication").bind(**key))
            if row is None:
                raise NotFound.record(communication_id)
            if row["is_active"] == is_active:
                return
            if is_active and row["sent_from_user_id"] is not None:
                raise Conflict("It has been sent and cannot become active again")
            if is_active:
                await transaction.execute(*statement("resume_communication").bind(**key))
            else:
                stopped = statement("stop_communication").bind(**key, now=transaction.now, by_user_id=user_id)
                await transaction.execute(*stopped)

        await self.database.run(work)


async def _route(transaction: Transaction, row: LeadRow) -> None:
    contact = await load_contact(transaction, row.lead.owner_id, row.contact_id)
    lead = LeadToRoute.of(row.key, contact, source_id=row.source_id, type_=row.type, zipcode=row.zipcode)
    routed = await route_leads(transaction, {row.lead.owner_id: row.present}, [lead])
    for (owner_id, contact_id), source_id in routed.contact_sources.items():
        await transaction.execute(
            *statement("set_contact_source").bind(owner_id=owner_id, contact_id=contact_id, contact_source_id=source_id)
        )
    [decision] = routed.decisions
    applied = Applied(
        change=decision.change,
        contact_id=contact.id,
        offered={offer.user_id for offer in row.lead.offers},
        rule_set=row.present.number,
        decision=decision,
    )
    await record(transaction, [applied], routed.turns, routed.starts)

"""Load, decide, apply, in one transaction: every change of a lead's fate after its arrival goes through here.

What follows from a claim, a decline or a due moment, the domain says; who may ask for it, the API and the pages.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from leadroutes.domain.dedupe import KnownContact
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import Change, Facts, Via
from leadroutes.domain.rollout import assign, decline, refuse_when_over
from leadroutes.domain.routing import decide, explain, find_turn_team, refuse_when_departed, unavailable
from leadroutes.engine.campaigns import campaign_start, start_campaigns
from leadroutes.engine.changes import change_leads, name_winners
from leadroutes.engine.claims import ClaimRequest, Claims
from leadroutes.engine.timers import Timers
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.observability.lead_log import log_changes
from leadroutes.observability.traces import span
from leadroutes.store import statement
from leadroutes.store.arrivals import take_turns
from leadroutes.store.campaigns import Start, load_actions
from leadroutes.store.contacts import load_contact
from leadroutes.store.leads import Applied, LeadRow, apply_changes, load_leads, lock_lead
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

MOST_EVENTS = 1000  # of a lead's history in one answer


class Engine:
    """One per process; holds nothing but the cache of rule sets and the claims of the moment."""

    def __init__(self, database: Database, channels: Iterable[str] = ()) -> None:
        """`channels`: those that this installation can send over."""
        self.database = database
        self.rule_sets = RuleSets(channels=frozenset(channels))
        database.listener.forget_when_reconnected(self.rule_sets.forget)
        self._claims = Claims(database, self.rule_sets)
        self._timers = Timers(database, self.rule_sets)

    # -- what people do with a lead

    async def claim(self, owner_id: int, lead_id: int, user_id: int, via: Via = "None") -> None:
        """The user takes the lead; asking again is the same. NotFound, or Conflict saying who has it or why not."""
        with span("claim", owner=owner_id, lead=lead_id, user=user_id):
            await self._claims.claim(ClaimRequest(owner_id, lead_id, user_id, via))

    async def decline(self, owner_id: int, offer_id: int, user_id: int) -> None:
        """The user does not want it; saying so again is the same. NotFound for another's, Conflict when it is over."""
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
        """The owner gives the lead to himself or to somebody with whom he shares a team; done again, it moves."""
        if not await self.database.fetchval(*statement("can_be_assigned").bind(owner_id=owner_id, user_id=user_id)):
            message = f"user_id: {user_id} was given; expected the owner or a member of a team that he shares"
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
            except Conflict as conflict:
                [named_conflict] = await name_winners(transaction, [conflict])
                raise named_conflict from None
            if change is not None:
                await change_leads(transaction, self.rule_sets, [(row, change)])

        await self.database.run(work)

    # -- a lead that was held

    async def distribute(self, owner_id: int, lead_id: int) -> None:
        """Route a lead that is held; nothing where it has been routed. Conflict once it is claimed, or about nobody."""

        async def work(transaction: Transaction) -> None:
            await lock_lead(transaction, owner_id, lead_id)
            [row] = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            if row.lead.claim is not None:
                data = {"claimed_by_user_id": row.lead.claim.user_id, "claimed_at": row.lead.claim.claimed_at}
                [conflict] = await name_winners(transaction, [Conflict("", data=data)])
                raise conflict
            if row.routed_at is None:
                refuse_when_over(row.lead)
                await self._route(transaction, row)

        await self.database.run(work)

    async def _route(self, transaction: Transaction, row: LeadRow) -> None:
        facts, contact = await _facts_of(transaction, row)
        owner_id = row.lead.owner_id
        team_id = find_turn_team(row.present, facts)
        turns = await take_turns(transaction, {(owner_id, team_id)} if team_id is not None else set())
        decision = decide(row.present, row.lead.id, facts, transaction.now, turns.get((owner_id, team_id or 0)))
        after = {(owner_id, team_id): decision.turns} if team_id is not None and decision.turns else {}
        if decision.contact_source_id is not None:
            await transaction.execute(
                *statement("set_contact_source").bind(
                    owner_id=owner_id, contact_id=contact.id, contact_source_id=decision.contact_source_id
                )
            )
        applied = Applied(
            change=decision.change,
            contact_id=contact.id,
            offered={offer.user_id for offer in row.lead.offers},
            rule_set=row.present.number,
            decision=decision,
        )
        await apply_changes(transaction, [applied], after)
        transaction.after_commit.append(partial(log_changes, [applied], transaction.now))
        start = campaign_start(decision, row.present, contact)
        await start_campaigns(transaction, [start] if start is not None else [])

    # -- what time does

    async def run_due(self, is_stopping: Callable[[], bool] = lambda: False) -> datetime | None:
        """Carry out everything that is due, in batches; answers the next moment at which something will be.

        Once `is_stopping`, no further batch of many is begun: what is left is done by whoever looks next.
        """
        return await self._timers.run_due(is_stopping)

    @property
    def is_behind(self) -> bool:
        """Whether more is due than fits into a batch."""
        return self._timers.is_behind

    # -- why, and what happened

    async def explain(self, owner_id: int, lead_id: int) -> dict[str, Any]:
        """The decision about a lead, made again from what it was made with."""
        async with self.database.transaction() as transaction:
            rows = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            if not rows:
                raise NotFound.record(lead_id)
            [row] = rows
            if row.rule_set is None or row.facts is None:
                is_over = row.lead.unclaimed_at is not None
                outcome = f"{'over' if is_over else 'held'}: it has not been routed"
                return {"rule_set": None, "routes": [], "team": None, "members": [], "outcome": outcome}
            stored_rule_sets = await self.rule_sets.load_by_number(transaction, {(owner_id, row.rule_set)})
            explanation = explain(stored_rule_sets[owner_id, row.rule_set], row.facts, row.lead.offers)
            if why := await transaction.fetchval(
                *statement("find_why_not_started").bind(owner_id=owner_id, lead_id=lead_id)
            ):
                explanation["outcome"] += f"; {why}"
            return explanation

    async def history(
        self, owner_id: int, lead_id: int, *, limit: int = MOST_EVENTS, skip: int = 0, most_bytes: int = 2**40
    ) -> list[dict[str, Any]]:
        """What happened to a lead, in order: {at, kind, user_id, by_user_id, detail (JSON text or null)}.

        ProgramLimitExceeded where the details are more bytes than may be.
        """
        rows = await self.database.fetch(
            *statement("list_history").bind(
                owner_id=owner_id, lead_id=lead_id, limit=limit, skip=skip, most_bytes=most_bytes
            )
        )
        return [{name: row[name] for name in ("at", "kind", "user_id", "by_user_id", "detail")} for row in rows]

    async def ledger(self, owner_id: int) -> dict[str, int]:
        """Answers received = claimed + on_offer + unclaimed + held + rejected; imported stands outside the sum."""
        row = await self.database.fetchrow(*statement("sum_ledger").bind(owner_id=owner_id))
        assert row is not None
        return dict(row)

    # -- campaigns by hand

    async def start_campaign(self, owner_id: int, campaign_id: int, contact_id: int, user_id: int) -> int:
        """Begin a campaign for a contact of `owner_id`; Conflict while it runs for him."""

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
        """What was not yet sent never is, and says so; tasks that are not done are marked deleted."""

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
        """Mark a step done by the user, or set it going again. Conflict for one that has been sent."""

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


async def _facts_of(transaction: Transaction, row: LeadRow) -> tuple[Facts, KnownContact]:
    """The facts of a stored lead as they are at this moment, and its contact."""
    contact = await load_contact(transaction, row.lead.owner_id, row.contact_id)
    lead = await transaction.fetchrow(
        *statement("find_lead_facts").bind(owner_id=row.lead.owner_id, lead_id=row.lead.id)
    )
    assert lead is not None
    facts = Facts(
        lead_source_id=lead["source_id"],
        contact_source_id=contact.source_id,
        type=lead["type"],
        zipcode=comparable_zipcode(lead["zipcode"]),
    )
    return facts, contact

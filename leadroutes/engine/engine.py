"""Loads, decides and writes, in one transaction: every change of a lead after its arrival goes through here.

The domain decides what follows from a claim, a decline or a due moment; the API and the pages, who may ask for it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from msgspec.structs import replace

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.availability import Attendance
from leadroutes.domain.campaign import CHANNELS_OF_STEPS
from leadroutes.domain.campaign_changes import PASSED
from leadroutes.domain.giving_back import give_back
from leadroutes.domain.identity import normal_phone
from leadroutes.domain.model import OPEN_FOR, Change, Initiator, Via
from leadroutes.domain.rollout import assign, decline, refuse_when_over, undo_decline
from leadroutes.domain.routing import departed, explain, refuse_when_departed, unavailable
from leadroutes.domain.variants import template_for
from leadroutes.domain.why import Addressee, in_words
from leadroutes.domain.windows import SendingRules
from leadroutes.engine.attendance import attendance_of_leads
from leadroutes.engine.campaign_changes import note_run_resumed, note_step_touched
from leadroutes.engine.campaigns import start_campaigns
from leadroutes.engine.changes import change_leads, name_winners, record
from leadroutes.engine.claims import ClaimRequest, Claims
from leadroutes.engine.distribution import route_leads
from leadroutes.engine.facts import LeadToRoute, keys_asked_for
from leadroutes.engine.rule_checks import RuleChecks
from leadroutes.engine.timers import Timers
from leadroutes.errors import AlreadyClaimed, Conflict, Invalid, NotFound
from leadroutes.observability.traces import span
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.campaign_changes import lock_campaign_of_actions
from leadroutes.store.campaigns import Start, load_actions, repeat_birthdays
from leadroutes.store.contacts import load_contact, lock_contacts
from leadroutes.store.facts import load_asked_lead
from leadroutes.store.leads import Applied, LeadRow, load_leads, lock_lead, wake_worker
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets, begin_deciding
from leadroutes.store.suppressions import find_why_suppressed

MOST_EVENTS = 1000  # of a lead's history in one answer
NOT_STOPPED = "The campaign was not stopped for this contact"


class Engine:
    """One per process; holds only caches, of rule sets and of what their check found, and the claims under way."""

    def __init__(
        self,
        database: Database,
        channels: Iterable[str] = (),
        open_for: timedelta = OPEN_FOR,
        rules: SendingRules | None = None,
    ) -> None:
        """`channels`: those that this installation can send over; `open_for`: how old an open lead may be.

        `rules`: when it sends the messages of campaigns.
        """
        self.database = database
        known = frozenset(channels)
        self.rule_sets = RuleSets(channels=known, open_for=open_for)
        database.listener.forget_when_reconnected(self.rule_sets.forget)
        self._claims = Claims(database, self.rule_sets)
        self.sending_rules = replace(rules or SendingRules(), has_provider="text" in known)
        self.rule_checks = RuleChecks(database, self.rule_sets, self.sending_rules)
        self._timers = Timers(database, self.rule_sets, self.sending_rules)

    # -- what users do with a lead

    async def claim(
        self, owner_id: int, lead_id: int, user_id: int, via: Via = "None", act: AuditRow | None = None
    ) -> None:
        """The user takes the lead; repeating it changes nothing. Raises NotFound, Conflict or AlreadyClaimed."""
        with span("claim", owner=owner_id, lead=lead_id, user=user_id):
            await self._claims.claim(ClaimRequest(owner_id, lead_id, user_id, via, act))

    async def decline(self, owner_id: int, offer_id: int, user_id: int, act: AuditRow | None = None) -> None:
        """The user declines; repeating it changes nothing. NotFound for another's offer, Conflict if it is over."""
        lead_id = await self._offered_lead(owner_id, offer_id, user_id)

        def decide_decline(row: LeadRow, now: datetime, attendance: Attendance | None) -> Change | None:
            refuse_when_departed(row.present, row.lead, user_id)
            return decline(row.lead, user_id, unavailable(row.present, row.lead.offers, attendance), now)

        await self._change(owner_id, lead_id, decide_decline, act)

    async def undo_decline(self, owner_id: int, offer_id: int, user_id: int, act: AuditRow | None = None) -> None:
        """The user takes a decline back. NotFound for another's offer; Conflict if it is too late."""
        lead_id = await self._offered_lead(owner_id, offer_id, user_id)

        def decide_undo(row: LeadRow, now: datetime, _attendance: Attendance | None) -> Change:
            refuse_when_departed(row.present, row.lead, user_id)
            return undo_decline(row.lead, user_id, now)

        await self._change(owner_id, lead_id, decide_undo, act)

    async def _offered_lead(self, owner_id: int, offer_id: int, user_id: int) -> int:
        lead_id: int | None = await self.database.fetchval(
            *statement("find_offered_lead").bind(owner_id=owner_id, offer_id=offer_id, user_id=user_id)
        )
        if lead_id is None:
            raise NotFound.record(offer_id)
        return lead_id

    async def give_back(self, owner_id: int, lead_id: int, by: Initiator, act: AuditRow | None = None) -> None:
        """The claim ends, and the lead is offered to the rest of its line-up. Conflict if another user has it by now.

        By whoever has the lead, or by the owner.
        """

        def decide_return(row: LeadRow, now: datetime, attendance: Attendance | None) -> Change:
            claim = row.lead.claim
            if claim is not None and by.user_id not in (claim.user_id, owner_id):
                raise AlreadyClaimed(claim.user_id, claim.claimed_at)
            as_at_first = [replace(offer, state="scheduled") for offer in row.lead.offers]
            gone = departed(row.present, row.lead)
            return give_back(row.lead, unavailable(row.present, as_at_first, attendance), gone, by, now)

        await self._change(owner_id, lead_id, decide_return, act)

    async def assign(
        self, owner_id: int, lead_id: int, user_id: int, by_user_id: int, act: AuditRow | None = None
    ) -> None:
        """The owner assigns the lead to a member of a shared team, or keeps it; a second assignment moves it."""
        await self._require_assignable(owner_id, user_id)

        def decide_assignment(row: LeadRow, now: datetime, _attendance: Attendance | None) -> Change | None:
            return assign(row.lead, user_id, by_user_id, now)

        await self._change(owner_id, lead_id, decide_assignment, act)

    async def assign_many(
        self, owner_id: int, lead_ids: Sequence[int], user_id: int, act: AuditRow | None = None
    ) -> set[int]:
        """The owner assigns leads of theirs; those that do not exist are passed over. Returns those that moved.

        The act is recorded with the leads that moved.
        """
        await self._require_assignable(owner_id, user_id)

        async def work(transaction: Transaction) -> set[int]:
            await transaction.execute(*statement("lock_leads").bind(owner_id=owner_id, lead_ids=lead_ids))
            rows = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id) for lead_id in lead_ids])
            decided = [(row, assign(row.lead, user_id, owner_id, transaction.now)) for row in rows]
            changes = [(row, change) for row, change in decided if change is not None]
            await change_leads(transaction, self.rule_sets, changes)
            moved = {row.lead.id for row, _ in changes}
            if act is not None and moved:
                note_act(transaction, act.with_change(field="lead_ids", after=sorted(moved)))
            return moved

        return await self.database.run(work)

    async def _require_assignable(self, owner_id: int, user_id: int) -> None:
        if not await self.database.fetchval(*statement("can_be_assigned").bind(owner_id=owner_id, user_id=user_id)):
            message = f"user_id: {user_id} was given; expected the owner or a member of a team that the owner shares"
            raise Invalid.fields({"user_id": message})

    async def _change(
        self,
        owner_id: int,
        lead_id: int,
        decide_: Callable[[LeadRow, datetime, Attendance | None], Change | None],
        act: AuditRow | None = None,
    ) -> None:
        async def work(transaction: Transaction) -> None:
            await lock_lead(transaction, owner_id, lead_id)
            await begin_deciding(transaction, owner_id)
            [row] = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            attendance = await attendance_of_leads(transaction, [row])
            try:
                change = decide_(row, transaction.now, attendance.get(owner_id))
            except AlreadyClaimed as lost:
                [named] = await name_winners(transaction, [lost])
                raise named from None
            if change is not None:
                await change_leads(transaction, self.rule_sets, [(row, change)])
                note_act(transaction, act)

        await self.database.run(work)

    # -- a lead that was held

    async def distribute(self, owner_id: int, lead_id: int, act: AuditRow | None = None) -> None:
        """Route a lead that is held, once. Raises AlreadyClaimed, or Conflict if its contact was erased."""

        async def work(transaction: Transaction) -> None:
            await lock_lead(transaction, owner_id, lead_id)
            await begin_deciding(transaction, owner_id)
            [row] = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            if row.lead.claim is not None:
                lost = AlreadyClaimed(row.lead.claim.user_id, row.lead.claim.claimed_at)
                [named] = await name_winners(transaction, [lost])
                raise named
            if row.routed_at is None:
                refuse_when_over(row.lead)
                await _route(transaction, row)
                note_act(transaction, act)

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

    async def explain(self, owner_id: int, lead_id: int, addressee: Addressee | None = None) -> dict[str, Any]:
        """Returns the decision about a lead, repeated from what it was made with. Raises NotFound.

        Its words are for the addressee, by default the owner.
        """
        async with self.database.transaction() as transaction:
            rows = await load_leads(transaction, self.rule_sets, [(owner_id, lead_id)])
            if not rows:
                raise NotFound.record(lead_id)
            [row] = rows
            if row.rule_set is None or row.facts is None:
                is_over = row.lead.unclaimed_at is not None
                outcome = f"{'over' if is_over else 'held'}: it has not been routed"
                nothing: dict[str, Any] = {"rule_set": None, "routes": [], "team": None, "members": []}
                return {**nothing, "outcome": outcome, "before": None}
            stored = await self.rule_sets.load_by_number(transaction, {(owner_id, row.rule_set)})
            explained = explain(stored[owner_id, row.rule_set], row.facts, row.lead.offers, row.route_id)
            if why := await transaction.fetchval(
                *statement("find_why_not_started").bind(owner_id=owner_id, lead_id=lead_id)
            ):
                explained["outcome"] += f"; {why}"
            assert row.routed_at is not None  # it has been decided about
            return in_words(
                explained, row.lead.offers, addressee or Addressee(owner_id), row.routed_at, turn=row.facts.turn
            )

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

    async def start_campaign(
        self, owner_id: int, campaign_id: int, contact_id: int, user_id: int, act: AuditRow | None = None
    ) -> int:
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
            started_id = started[owner_id, contact_id, campaign_id]
            note_act(transaction, act, record_id=started_id)
            return started_id

        return await self.database.run(work)

    async def stop_campaign(
        self, owner_id: int, campaign_contact_id: int, user_id: int, act: AuditRow | None = None
    ) -> None:
        """Stop what has not been sent, with the reason; open tasks are marked deleted."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(
                *statement("stop_campaign").bind(
                    now=transaction.now, owner_id=owner_id, campaign_contact_id=campaign_contact_id, by_user_id=user_id
                )
            )
            note_act(transaction, act)

        await self.database.run(work)

    async def resume_campaign(self, owner_id: int, campaign_contact_id: int, act: AuditRow | None = None) -> None:
        """A campaign that was stopped, by hand or by an answer, goes on where it was.

        Raises Conflict where it was not stopped, has been started again, or the contact must not be written to in the
        channel of its next step.
        """
        key = {"owner_id": owner_id, "campaign_contact_id": campaign_contact_id}

        async def work(transaction: Transaction) -> None:
            step = await transaction.fetchrow(*statement("find_next_stopped_step").bind(**key))
            if step is None:
                raise Conflict(NOT_STOPPED)
            if step["type"] is not None and (why := await _why_suppressed(transaction, owner_id, step)):
                raise Conflict(f"The campaign cannot go on: {why}")
            templates = await _templates_for(transaction, step)
            resumption = statement("resume_campaign").bind(
                **key,
                action_ids=list(templates),
                template_ids=list(templates.values()),
                passed=PASSED,
                now=transaction.now,
            )
            try:
                resumed = await transaction.fetch(*resumption)
            except asyncpg.UniqueViolationError:
                raise Conflict("The campaign has been started again for this contact") from None
            if not resumed:
                raise Conflict(NOT_STOPPED)
            if missed := [row for row in resumed if row["communication_id"] is not None]:
                await repeat_birthdays(transaction, missed)
            await note_run_resumed(transaction, owner_id, step["campaign_id"], campaign_contact_id, step["ended_at"])
            note_act(transaction, act)
            await wake_worker(transaction)

        await self.database.run(work)

    async def set_communication_active(
        self, owner_id: int, communication_id: int, is_active: bool, user_id: int, act: AuditRow | None = None
    ) -> None:
        """Stop a step, or resume it. Raises NotFound, or Conflict for a step that has been sent."""

        async def work(transaction: Transaction) -> None:
            key = {"owner_id": owner_id, "communication_id": communication_id}
            step = await transaction.fetchrow(*statement("find_action_of_communication").bind(**key))
            if step is None:
                raise NotFound.record(communication_id)
            templates = await _templates_for(transaction, step) if is_active and step["campaign_id"] else {}
            await note_step_touched(transaction, owner_id, communication_id, step)
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
                resumed = statement("resume_communication").bind(
                    **key, template_id=templates.get(step["action_id"]), now=transaction.now
                )
                await transaction.execute(*resumed)
            else:
                stopped = statement("stop_communication").bind(**key, now=transaction.now, by_user_id=user_id)
                await transaction.execute(*stopped)
            note_act(transaction, act)

        await self.database.run(work)


async def _templates_for(transaction: Transaction, step: asyncpg.Record) -> dict[int, int | None]:
    """Returns the templates of a campaign's actions for a contact; the actions stay until the transaction ends."""
    campaign_id, contact_id = step["campaign_id"], step["contact_id"]
    await lock_campaign_of_actions(transaction, campaign_id)
    return {
        action.id: template_for(action, campaign_id, contact_id)
        for action in await load_actions(transaction, campaign_id)
    }


async def _why_suppressed(transaction: Transaction, owner_id: int, step: asyncpg.Record) -> str | None:
    channel = CHANNELS_OF_STEPS[step["type"]]
    address = step["email"] if channel == "email" else normal_phone(step["mobile_phone"])
    return await find_why_suppressed(transaction, owner_id, channel, address)


async def _route(transaction: Transaction, row: LeadRow) -> None:
    """The contact is locked after the lead and before the turns of teams, as by a batch of arrivals."""
    await lock_contacts(transaction, [(row.lead.owner_id, row.contact_id)])
    contact = await load_contact(transaction, row.lead.owner_id, row.contact_id)
    is_asked = bool(keys_asked_for(row.present, row.source_id))
    asked = await load_asked_lead(transaction, *row.key) if is_asked else None
    lead = LeadToRoute.of(
        row.key, contact, source_id=row.source_id, type_=row.type, zipcode=row.zipcode, mls_id=row.mls_id, asked=asked
    )
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

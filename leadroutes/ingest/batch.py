"""Stores a batch of arrivals in one transaction: looks up what is known, deduplicates, routes, writes.

The domain decides what an arrival is and where it goes.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from leadroutes.domain.arrival import ArrivalItem, NewLead, ReceivedArrival, StoredArrival
from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.dedupe import identities_of
from leadroutes.domain.deduplicator import Deduplicator
from leadroutes.domain.model import Decision, RuleSet
from leadroutes.domain.named_facts import AskedLead
from leadroutes.domain.records import BatchWrites, KnownRecords, LeadRecord
from leadroutes.engine.changes import record
from leadroutes.engine.distribution import LEADS_PER_SLICE, route_leads
from leadroutes.engine.facts import LeadToRoute, keys_asked_for
from leadroutes.errors import Problem
from leadroutes.ingest.dedupe import ArrivalDeduplicator
from leadroutes.observability.lead_log import log_arrivals
from leadroutes.store.arrivals import (
    LookupRequest,
    load_known_records,
    load_touchable_leads,
    lock_known,
    write,
)
from leadroutes.store.audit import note_act
from leadroutes.store.leads import Applied, decided_columns
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets
from leadroutes.store.screens import account_topic
from leadroutes.store.webhook_events import note_event


async def store_arrivals(
    transaction: Transaction, rule_sets: RuleSets, items: Sequence[ArrivalItem]
) -> list[StoredArrival | Problem]:
    """Returns what became of each arrival, or the problem that prevents it.

    Raises ConcurrentChange if another batch stored any of it first, and ComputationNeeded.
    """
    known = await load_known_records(transaction, _wanted(items))
    senders = {
        (item.arrival.owner_id, contact_id)
        for item in items
        if isinstance(item.arrival, ReceivedArrival)
        for contact_id in known.identities[item.arrival.owner_id].values()
    }
    named = {(each.arrival.owner_id, each.arrival.contact_id) for each in items if isinstance(each.arrival, NewLead)}
    await lock_known(transaction, known, senders, named)
    await load_touchable_leads(transaction, known, senders)
    deduplicator = Deduplicator(known, transaction.now)
    answers = [await _deduplicate(ArrivalDeduplicator(deduplicator), item) for item in items]
    stored = [each for each in answers if isinstance(each, StoredArrival)]
    transaction.after_commit.append(partial(log_arrivals, stored))
    await _decide_and_write(transaction, rule_sets, deduplicator)
    for act in _acts(items):
        note_act(transaction, act)
    return answers


def _acts(items: Sequence[ArrivalItem]) -> list[AuditRow]:
    """Returns who has stored arrivals read again; what senders send is not an act of a person."""
    arrivals = (item.arrival for item in items)
    return [each.act for each in arrivals if isinstance(each, ReceivedArrival) and each.act is not None]


async def _deduplicate(deduplicator: ArrivalDeduplicator, item: ArrivalItem) -> StoredArrival | Problem:
    """An arrival of very many leads goes to a thread, so that other work goes on; nothing else uses the batch then."""
    arrival = item.arrival
    if isinstance(arrival, ReceivedArrival) and len(arrival.inquiries) > LEADS_PER_SLICE:
        return await asyncio.to_thread(deduplicator.add, item)
    return deduplicator.add(item)


def _wanted(items: Sequence[ArrivalItem]) -> LookupRequest:
    wanted = LookupRequest()
    for item in items:
        owner_id = item.arrival.owner_id
        wanted.owners.add(owner_id)
        wanted.keys |= {(owner_id, key.scope, key.key) for key in (*item.keys, *item.refused_as)}
        match item.arrival:
            case NewLead(contact_id=contact_id):
                wanted.contacts.add((owner_id, contact_id))
                wanted.leads += 1
            case ReceivedArrival() as received:
                wanted.arrivals += 1
                wanted.leads += len(received.inquiries)
                wanted.lead_sources.add((owner_id, received.lead_source_id))
                for inquiry in received.inquiries:
                    wanted.identities |= {(owner_id, *identity) for identity in identities_of(inquiry)}
                    wanted.keys |= {(owner_id, key.scope, key.key) for key in received.keys_of(inquiry)}
    return wanted


async def _decide_and_write(transaction: Transaction, rule_sets: RuleSets, deduplicator: Deduplicator) -> None:
    leads, known = deduplicator.finish_leads(), deduplicator.known
    current = await rule_sets.load_current(
        transaction, {o: known.versions[o] for o in {lead.owner_id for lead in leads}}
    )
    is_asked = any(rule_set.named_by_source for rule_set in current.values())
    followers = deduplicator.leads_of_known_contacts() if is_asked else ()
    routed = await route_leads(
        transaction,
        current,
        [
            _to_route(lead, known, _asked(lead, current[lead.owner_id], deduplicator), lead.id in followers)
            for lead in leads
        ],
    )
    applied = [
        _fill_in_decision(lead, decision, current[lead.owner_id].number, transaction.now)
        for lead, decision in zip(leads, routed.decisions, strict=True)
    ]
    writes = deduplicator.finish(routed.contact_sources)
    writes.rule_set_numbers = {owner_id: rule_set.number for owner_id, rule_set in current.items()}
    await write(transaction, writes)
    _note_events(transaction, writes)
    await record(transaction, applied, routed.turns, routed.starts)


def _note_events(transaction: Transaction, writes: BatchWrites) -> None:
    for lead in writes.leads:
        note_event(transaction, lead.owner_id, "lead.arrived", lead.id)
    for touch in writes.touches:
        if touch.counts_as_touch:
            note_event(transaction, touch.owner_id, "lead.touched", touch.lead_id)
    for arrival in writes.arrivals:
        if arrival.status == "rejected":
            note_event(transaction, arrival.owner_id, "arrival.rejected", arrival.id)
            transaction.changed.add(account_topic(arrival.owner_id))


def _to_route(lead: LeadRecord, known: KnownRecords, asked: AskedLead | None, has_earlier_lead: bool) -> LeadToRoute:
    return LeadToRoute.of(
        (lead.owner_id, lead.id),
        known.contacts[lead.owner_id, lead.contact_id],
        source_id=lead.source_id,
        type_=lead.type,
        zipcode=lead.zipcode,
        mls_id=lead.mls_id,
        is_test=lead.is_test,
        asked=asked,
        has_earlier_lead=has_earlier_lead,
    )


def _asked(lead: LeadRecord, rule_set: RuleSet, deduplicator: Deduplicator) -> AskedLead | None:
    """What conditions may ask of a new lead; None where none does."""
    if not keys_asked_for(rule_set, lead.source_id):
        return None
    return AskedLead(
        received_at=lead.created_at or deduplicator.now,
        listing_price=lead.listing_price,
        zipcode=lead.zipcode,
        city=lead.city,
        state=lead.state,
        type=lead.type,
        mls_id=lead.mls_id,
        listing_status=lead.listing_status,
        street_address=lead.street_address,
        text_body=lead.text_body,
        inquirer=lead.inquirer,
        source_named=deduplicator.sources_named.get(lead.id),
    )


def _fill_in_decision(lead: LeadRecord, decision: Decision, rule_set: int, now: datetime) -> Applied:
    lead.routed_at, lead.rule_set = now, rule_set
    lead.lapses_at, lead.unclaimed_at = decision.change.lead.lapses_at, decision.change.lead.unclaimed_at
    if decision.change.claim is not None:
        lead.claimed_by_user_id = decision.change.claim.user_id
    for name, value in decided_columns(decision).items():
        setattr(lead, name, value)
    return Applied(
        change=decision.change, contact_id=lead.contact_id, is_written=True, rule_set=rule_set, decision=decision
    )

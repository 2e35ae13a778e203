"""Stores a batch of arrivals in one transaction: looks up what is known, sorts, decides where each goes, writes.

What an arrival is and where it goes, the domain says; here the pieces meet.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from leadroutes.domain.arrival import ArrivalItem, NewLead, ReceivedArrival, StoredArrival
from leadroutes.domain.dedupe import identities_of
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import Decision, Facts, RuleSet
from leadroutes.domain.routing import decide, find_turn_team
from leadroutes.engine.campaigns import campaign_start, start_campaigns
from leadroutes.errors import Problem
from leadroutes.ingest.dedupe import Deduplicator, LeadToRoute
from leadroutes.observability.lead_log import log_arrivals, log_changes
from leadroutes.store.arrivals import (
    KnownRecords,
    LookupRequest,
    load_known_records,
    load_touchable_leads,
    take_turns,
    write,
)
from leadroutes.store.leads import Applied, apply_changes, decided_columns
from leadroutes.store.postgres import Transaction
from leadroutes.store.routing import RuleSets

LEADS_PER_SLICE: Final = 200  # leads that are decided before others have their turn


async def store_arrivals(
    transaction: Transaction, rule_sets: RuleSets, items: Sequence[ArrivalItem]
) -> list[StoredArrival | Problem]:
    """Store them all; return what became of each, or the problem that keeps it out. May raise ConcurrentChange."""
    known = await load_known_records(transaction, _wanted(items))
    contacts = {
        (item.arrival.owner_id, contact_id)
        for item in items
        if isinstance(item.arrival, ReceivedArrival)
        for contact_id in known.identities[item.arrival.owner_id].values()
    }
    await load_touchable_leads(transaction, known, contacts)
    deduplicator = Deduplicator(known, transaction.now)
    answers = [await _deduplicate(deduplicator, item) for item in items]
    deduplicator.finish_leads()
    stored = [each for each in answers if isinstance(each, StoredArrival)]
    transaction.after_commit.append(partial(log_arrivals, stored))
    await _decide_and_write(transaction, rule_sets, deduplicator)
    return answers


async def _deduplicate(deduplicator: Deduplicator, item: ArrivalItem) -> StoredArrival | Problem:
    """An arrival of very many leads is sorted beside what else there is to do; nobody else looks at them meanwhile."""
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
    to_route = [lead for lead in deduplicator.to_route if lead.is_distributed]
    owners = {lead.record["owner_id"] for lead in to_route}
    present = await rule_sets.load_current(transaction, {o: deduplicator.known.versions[o] for o in owners})
    facts = [_facts(lead, deduplicator.known) for lead in to_route]
    turn_teams = [
        find_turn_team(present[lead.record["owner_id"]], each) for lead, each in zip(to_route, facts, strict=True)
    ]
    turns = await take_turns(
        transaction,
        {(lead.record["owner_id"], team) for lead, team in zip(to_route, turn_teams, strict=True) if team is not None},
    )
    applied, starts = [], []
    for number, (lead, each, team_id) in enumerate(zip(to_route, facts, turn_teams, strict=True), start=1):
        if number % LEADS_PER_SLICE == 0:
            await asyncio.sleep(0)
        rule_set = present[lead.record["owner_id"]]
        owner_id = rule_set.rules.owner_id
        before = turns[owner_id, team_id] if team_id is not None else None
        decision = decide(rule_set, lead.record["id"], each, transaction.now, before)
        if team_id is not None and decision.turns is not None:
            turns[owner_id, team_id] = decision.turns
        applied.append(_apply_decision(lead, decision, rule_set, transaction))
        if decision.contact_source_id is not None:
            deduplicator.give_source(owner_id, lead.contact.id, decision.contact_source_id)
        if start := campaign_start(decision, rule_set, deduplicator.known.contacts[_contact_key(lead)]):
            starts.append(start)
    deduplicator.finish_contacts()
    deduplicator.writes.rule_set_numbers = {owner_id: rule_set.number for owner_id, rule_set in present.items()}
    await write(transaction, deduplicator.writes)
    if applied:
        await apply_changes(transaction, applied, turns)
        transaction.after_commit.append(partial(log_changes, applied, transaction.now))
        await start_campaigns(transaction, starts)


def _apply_decision(lead: LeadToRoute, decision: Decision, rule_set: RuleSet, transaction: Transaction) -> Applied:
    lead.record |= {
        "routed_at": transaction.now,
        "rule_set": rule_set.number,
        "lapses_at": decision.change.lead.lapses_at,
        "unclaimed_at": decision.change.lead.unclaimed_at,
        **decided_columns(decision),
    }
    return Applied(
        change=decision.change, contact_id=lead.contact.id, is_new=True, rule_set=rule_set.number, decision=decision
    )


def _contact_key(lead: LeadToRoute) -> tuple[int, int]:
    return lead.record["owner_id"], lead.contact.id


def _facts(lead: LeadToRoute, known: KnownRecords) -> Facts:
    return Facts(
        lead_source_id=lead.record["source_id"],
        contact_source_id=known.contacts[_contact_key(lead)].source_id,
        type=lead.record["type"],
        zipcode=comparable_zipcode(lead.record["zipcode"]),
    )

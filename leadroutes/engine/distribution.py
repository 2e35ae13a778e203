"""Routes leads, new ones and held ones alike: takes turns, decides, and says which campaigns start.

It writes nothing but the locks of the turns; the caller writes what was decided.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from leadroutes.domain.dedupe import KnownContact
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import Decision, Facts, RuleSet
from leadroutes.domain.routing import decide, find_turn_team
from leadroutes.domain.turns import Turns
from leadroutes.engine.campaigns import campaign_start
from leadroutes.store.arrivals import take_turns
from leadroutes.store.campaigns import Start
from leadroutes.store.postgres import Transaction

LEADS_PER_SLICE: Final = 200  # leads that are decided before other work goes on

Key = tuple[int, int]  # owner, and a team or a contact


@dataclass(frozen=True, slots=True)
class LeadToRoute:
    """A lead that is to be routed, with its contact as it is then."""

    owner_id: int
    lead_id: int
    contact: KnownContact
    facts: Facts

    @classmethod
    def of(
        cls, key: Key, contact: KnownContact, *, source_id: int | None, type_: str | None, zipcode: str | None
    ) -> "LeadToRoute":
        """`key` is (owner_id, lead_id); the others are the lead's columns."""
        facts = Facts(
            lead_source_id=source_id,
            contact_source_id=contact.source_id,
            type=type_,
            zipcode=comparable_zipcode(zipcode),
        )
        return cls(*key, contact, facts)


@dataclass(frozen=True, slots=True)
class RoutedLeads:
    """The decisions, in the order of the leads, and what follows from them beside the leads' own changes."""

    decisions: list[Decision] = field(default_factory=list)
    turns: dict[Key, Turns] = field(default_factory=dict)  # by owner and team, as they are afterwards
    contact_sources: dict[Key, int] = field(default_factory=dict)  # of contacts that have none, by owner and contact
    starts: list[Start] = field(default_factory=list)


async def route_leads(
    transaction: Transaction, rule_sets: Mapping[int, RuleSet], leads: Sequence[LeadToRoute]
) -> RoutedLeads:
    """Decide where each goes, in order, by the current rule set of its owner."""
    teams = [find_turn_team(rule_sets[lead.owner_id], lead.facts) for lead in leads]
    wanted = {(lead.owner_id, team_id) for lead, team_id in zip(leads, teams, strict=True) if team_id is not None}
    routed = RoutedLeads(turns=await take_turns(transaction, wanted))
    for number, (lead, team_id) in enumerate(zip(leads, teams, strict=True), start=1):
        if number % LEADS_PER_SLICE == 0:
            await asyncio.sleep(0)
        rule_set = rule_sets[lead.owner_id]
        before = routed.turns[lead.owner_id, team_id] if team_id is not None else None
        decision = decide(rule_set, lead.lead_id, lead.facts, transaction.now, before)
        routed.decisions.append(decision)
        if team_id is not None and decision.turns is not None:
            routed.turns[lead.owner_id, team_id] = decision.turns
        if decision.contact_source_id is not None:
            routed.contact_sources.setdefault((lead.owner_id, lead.contact.id), decision.contact_source_id)
        if start := campaign_start(decision, rule_set, lead.contact):
            routed.starts.append(start)
    return routed

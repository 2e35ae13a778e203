"""Routes leads, new ones and held ones alike: takes turns, counts, decides, and says which campaigns start.

It writes nothing but the locks of the teams; the caller writes what was decided.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from leadroutes.domain.availability import Attendance
from leadroutes.domain.lineup import ordered_team
from leadroutes.domain.model import OPEN_FOR, Decision, Facts, RuleSet
from leadroutes.domain.returning import with_agents
from leadroutes.domain.routing import decide, find_team_to_ask, teams_to_lock
from leadroutes.domain.standings import Standings, note_lead
from leadroutes.domain.started_rollouts import StartedRollouts
from leadroutes.domain.turns import Turns
from leadroutes.engine.attendance import attendance_for
from leadroutes.engine.campaigns import campaign_start
from leadroutes.engine.facts import LeadToRoute, with_named_facts
from leadroutes.store.arrivals import take_turns
from leadroutes.store.campaigns import Start
from leadroutes.store.postgres import Transaction
from leadroutes.store.standings import load_standings

LEADS_PER_SLICE: Final = 200  # leads that are decided before other work goes on

Key = tuple[int, int]  # owner, and a team, a member or a contact


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
    leads = await with_named_facts(transaction, rule_sets, leads)
    teams = [find_team_to_ask(rule_sets[lead.owner_id], lead.facts) for lead in leads]
    batch = await _Batch.load(
        transaction,
        rule_sets,
        {(lead.owner_id, team_id) for lead, team_id in zip(leads, teams, strict=True) if team_id is not None},
    )
    routed = RoutedLeads(turns=batch.turns)
    for number, (lead, team_id) in enumerate(zip(leads, teams, strict=True), start=1):
        if number % LEADS_PER_SLICE == 0:
            await asyncio.sleep(0)
        rule_set = rule_sets[lead.owner_id]
        decision = batch.decide(rule_set, lead, team_id)
        routed.decisions.append(decision)
        if not lead.is_test:
            batch.note(lead, team_id, decision)
        if decision.contact_source_id is not None:
            routed.contact_sources.setdefault((lead.owner_id, lead.contact.id), decision.contact_source_id)
        if not lead.is_test and (start := campaign_start(decision, rule_set, lead.contact)):
            routed.starts.append(start)
    return routed


@dataclass(slots=True)
class _Batch:
    """What decisions depend on beside the rules and the leads; each changes it for those that follow."""

    transaction: Transaction
    turns: dict[Key, Turns]  # of the teams that are locked
    attendance: Mapping[int, Attendance]  # by owner
    standings: Mapping[int, Standings]  # by owner, where the order of a team depends on them
    agents: dict[Key, int] = field(default_factory=dict)  # of contacts that the batch has assigned
    started: StartedRollouts = field(default_factory=StartedRollouts)  # they make decisions faster, and no different

    @classmethod
    async def load(cls, transaction: Transaction, rule_sets: Mapping[int, RuleSet], teams: Collection[Key]) -> "_Batch":
        locked = {
            (owner_id, other_id)
            for owner_id, team_id in teams
            for other_id in teams_to_lock(rule_sets[owner_id], team_id)
        }
        turns = await take_turns(transaction, locked)
        attendance = await attendance_for(transaction, rule_sets, teams)
        # After the locks: it has to see what the decisions before this one have given to whom.
        open_for = next((each.open_for for each in rule_sets.values()), OPEN_FOR)  # of the installation
        standings = await load_standings(transaction, _zones_of_counted(rule_sets, teams), open_for)
        return cls(transaction, turns, attendance, standings)

    def decide(self, rule_set: RuleSet, lead: LeadToRoute, team_id: int | None) -> Decision:
        facts = self._facts(rule_set, lead, team_id)
        turns = self.turns.get((lead.owner_id, team_id)) if team_id is not None else None
        standings = self.standings.get(lead.owner_id)
        return decide(rule_set, lead.lead_id, facts, self.transaction.now, turns, standings, self.started)

    def _facts(self, rule_set: RuleSet, lead: LeadToRoute, team_id: int | None) -> Facts:
        """The facts with whom the contact and the listing belong to, and who of the team is not available."""
        agent = self.agents.get((lead.owner_id, lead.contact.id), lead.contact.assigned_user_id)
        facts = with_agents(rule_set, lead.facts, agent, lead.mls_id)
        attendance = self.attendance.get(lead.owner_id)
        absences = attendance.absences(team_id) if attendance is not None else None
        return replace(facts, absent=absences) if absences else facts

    def note(self, lead: LeadToRoute, team_id: int | None, decision: Decision) -> None:
        """A lead has been decided; the next decision sees whose turn it was, and who has it or is first in line."""
        if team_id is not None and decision.turns is not None:
            self.turns[lead.owner_id, team_id] = decision.turns
        if (standings := self.standings.get(lead.owner_id)) is not None:
            note_lead(standings, decision.change.lead, self.transaction.now)
        if decision.change.claim is not None:
            self.agents[lead.owner_id, lead.contact.id] = decision.change.claim.user_id
            if (attendance := self.attendance.get(lead.owner_id)) is not None:
                attendance.note_lead(decision.change.claim.user_id)


def _zones_of_counted(rule_sets: Mapping[int, RuleSet], teams: Collection[Key]) -> dict[Key, str]:
    """Returns the time zones of the members in the line-ups of those teams whose order depends on counts."""
    return {
        (owner_id, offer.user_id): rule_set.rules.people[offer.user_id].timezone
        for owner_id, team_id in teams
        if team_id in (rule_set := rule_sets[owner_id]).counting_teams
        for offer in ordered_team(rule_set, rule_set.rules.teams[team_id]).offers
    }

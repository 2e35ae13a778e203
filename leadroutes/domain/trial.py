"""A trial: past leads decided once more by a rule set, in order of arrival, from arrival to the moment each lapses.

Everything is decided by the functions that decide about leads; what is here adds up what they decide. Pure.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from leadroutes.domain.lineup import ordered_team
from leadroutes.domain.model import Decision, Facts, Lead, RuleSet
from leadroutes.domain.moments import END_OF_TIME
from leadroutes.domain.rollout import notify_due, unclaim
from leadroutes.domain.routing import decide, find_team_to_ask, unavailable
from leadroutes.domain.standings import Standings
from leadroutes.domain.trial_attendance import Availability, TrialAttendance
from leadroutes.domain.trial_standings import FirstOffer, TrialStandings
from leadroutes.domain.turns import Turns

NOTIFIED_WITHIN: Final = timedelta(minutes=5)
MOST_LISTED: Final = 100  # leads that are listed
MOST_ROLLOUTS: Final = 5_000  # that are remembered


class PastClaim(Struct, frozen=True, array_like=True):
    """That a person took a lead."""

    user_id: int
    claimed_at: datetime


class PastLead(Struct, frozen=True, array_like=True):
    """A lead as it came; `claim`: who really took it."""

    id: int
    arrived_at: datetime
    facts: Facts
    claim: PastClaim | None = None


class Rollout(Struct, frozen=True):
    """What becomes of a lead that no one claims, in spans from its arrival.

    `notified` has everyone with the span, in order; `assigned` is who gets it without claiming it. `first_offers`: when
    the first in line can claim it, which under Exclusive may be twice.
    """

    line_up: tuple[int, ...]
    notified: tuple[tuple[timedelta, int], ...]
    assigned: tuple[timedelta, int] | None = None
    first_offers: tuple[FirstOffer, ...] = ()


class TriedLead(Struct, frozen=True, array_like=True):
    """What a rule set does with a past lead: `got_by` who has it in the end, `is_lost` that its real claim is not.

    `notified`: those who are within NOTIFIED_WITHIN. `first`: the one who is notified first, or has it at once.
    """

    route_id: int | None
    team_id: int | None
    first: int | None
    line_up: tuple[int, ...]
    notified: tuple[int, ...]
    got_by: int | None
    is_lost: bool
    is_for_owner: bool  # the owner has it, or is asked as nothing fits
    got_at: datetime | None = None


# ---------------------------------------------------------------------------------------------------- one rule set


class TrialRun:
    """One rule set over past leads, which come in order of arrival; turns and counts begin empty and go on."""

    def __init__(self, rule_set: RuleSet, availability: Availability | None = None) -> None:
        """`availability` None: nothing is stored of anyone."""
        self._rule_set = rule_set
        self._attendance = TrialAttendance(rule_set, availability or _NOTHING_STORED)
        self._standings = TrialStandings(rule_set) if rule_set.counting_teams else None
        self._turns: dict[int, Turns] = {}
        self._rollouts: dict[object, Rollout] = {}

    def decide(self, past: PastLead) -> TriedLead:
        """Returns what the rule set does with the next lead."""
        team_id = find_team_to_ask(self._rule_set, past.facts)
        facts, before = past.facts, None
        if team_id is not None and self._rule_set.rules.teams[team_id].order_method == "Round Robin":
            before = self._turns.get(team_id, _NO_TURNS)
        if team_id in self._rule_set.limited_teams and team_id is not None:
            absences = self._attendance.at(team_id, past.arrived_at).absences(team_id)
            facts = replace(facts, absent=absences) if absences else facts
        standings = self._standings_of(team_id, past.arrived_at)
        decision = decide(self._rule_set, past.id, facts, past.arrived_at, before, standings)
        if team_id is not None and decision.turns is not None:
            self._turns[team_id] = decision.turns
        rollout = self._rollout(decision, past.arrived_at)
        tried = tried_lead(past, decision, rollout)
        got = (tried.got_by, tried.got_at) if tried.got_by is not None and tried.got_at is not None else None
        if got is not None:
            self._attendance.note_lead(*got, past.arrived_at)
        if self._standings is not None:
            self._standings.note(past.arrived_at, rollout.first_offers, got)
        return tried

    def _standings_of(self, team_id: int | None, now: datetime) -> Standings | None:
        """How the members of a team stand, if its order depends on that."""
        if self._standings is None or team_id not in self._rule_set.counting_teams or team_id is None:
            return None
        queue = ordered_team(self._rule_set, self._rule_set.rules.teams[team_id])
        return self._standings.at(now, [offer.user_id for offer in queue.offers])

    def _rollout(self, decision: Decision, now: datetime) -> Rollout:
        """Rollouts that begin in the same way go on in the same way, while the same members are available."""
        team_id = decision.team_id
        if team_id is None or team_id not in self._rule_set.limited_teams:
            return self._remembered(_shape(decision.change.lead, now), decision, now, None)
        team = self._rule_set.rules.teams[team_id]
        stretch = self._attendance.stretch(team_id, now)
        if stretch is None or team.when_nobody_is_available == "Hold":
            return roll_out(self._rule_set, decision, now, self._attendance)
        last = max((each.notify_at for each in decision.change.lead.offers), default=now)
        if self._attendance.stretch(team_id, last) != stretch:
            return roll_out(self._rule_set, decision, now, self._attendance)
        absent = frozenset(self._attendance.at(team_id, now).absences(team_id))
        return self._remembered((absent, _shape(decision.change.lead, now)), decision, now, self._attendance)

    def _remembered(
        self, shape: object, decision: Decision, now: datetime, attendance: TrialAttendance | None
    ) -> Rollout:
        rollout = self._rollouts.get(shape)
        if rollout is None:
            if len(self._rollouts) >= MOST_ROLLOUTS:
                self._rollouts.clear()
            rollout = self._rollouts[shape] = roll_out(self._rule_set, decision, now, attendance)
        return rollout


_NOTHING_STORED: Final = Availability({})
_NO_TURNS: Final = Turns()


def _shape(lead: Lead, now: datetime) -> object:
    """Returns all of a lead that its rollout depends on."""
    claim, lapses_at = lead.claim, lead.lapses_at
    return (
        lead.is_exclusive,
        lead.wait,
        lead.was_offered_to_owner,
        claim and claim.user_id,
        lapses_at and lapses_at - now,
        *[
            (offer.user_id, offer.team_id, offer.place, offer.notify_at - now, offer.state, offer.assign_automatically)
            for offer in lead.offers
        ],
    )


def roll_out(
    rule_set: RuleSet, decision: Decision, now: datetime, attendance: TrialAttendance | None = None
) -> Rollout:
    """Returns what becomes of a lead that has just been routed, until it is claimed automatically or unclaimed."""
    lead = decision.change.lead
    line_up = tuple(offer.user_id for offer in lead.offers)
    notified: dict[int, timedelta] = {}
    first_offers = _FirstOffers(lead, now)
    _note(lead, notified, now)
    due_at = now
    while lead.claim is None and (moment := _next_moment(lead)) is not None:
        # Once the last members have been skipped, the lead may have lapsed before: that is noticed now.
        due_at, is_due = max(due_at, moment[0]), moment[1]
        if is_due:
            team_id = decision.team_id
            present = attendance.at(team_id, due_at) if attendance is not None and team_id is not None else None
            lead = notify_due(lead, unavailable(rule_set, lead.offers, present), due_at).lead
        else:
            lead = unclaim(lead, due_at).lead
        first_offers.look(lead, due_at - now)
        _note(lead, notified, now)
    claim = lead.claim
    return Rollout(
        line_up=line_up,
        notified=tuple((span, user_id) for user_id, span in notified.items()),
        assigned=(claim.claimed_at - now, claim.user_id) if claim is not None else None,
        first_offers=first_offers.all(),
    )


class _FirstOffers:
    """When the first in line can claim a lead, seen from one of its states to the next."""

    def __init__(self, lead: Lead, now: datetime) -> None:
        self._now = now  # the moment of arrival
        self._ended: list[FirstOffer] = []
        self._running: FirstOffer | None = None
        self.look(lead, timedelta())

    def look(self, lead: Lead, span: timedelta) -> None:
        first = next((each for each in lead.offers if each.place == 0 and each.state == "notified"), None)
        if self._running is not None and first is None:
            self._ended.append(replace(self._running, until=span))
            self._running = None
        elif self._running is None and first is not None:
            self._running = FirstOffer(first.user_id, (first.notified_at or self._now) - self._now, span)

    def all(self) -> tuple[FirstOffer, ...]:
        return (*self._ended, *([self._running] if self._running is not None else []))


def _note(lead: Lead, notified: dict[int, timedelta], now: datetime) -> None:
    """Adds who has been notified for the first time, in the order in which that happened."""
    new = [each for each in lead.offers if each.notified_at is not None and each.user_id not in notified]
    for each in sorted(new, key=lambda offer: (offer.notified_at or now, offer.place)):
        notified[each.user_id] = (each.notified_at or now) - now


def _next_moment(lead: Lead) -> tuple[datetime, bool] | None:
    """Returns the next moment at which something happens, and whether an offer is due then; else the lead lapses."""
    due_at = min((each.notify_at for each in lead.offers if each.state == "scheduled"), default=END_OF_TIME)
    lapses_at = lead.lapses_at or END_OF_TIME
    first = min(due_at, lapses_at)
    return None if first >= END_OF_TIME else (first, due_at <= lapses_at)


def tried_lead(past: PastLead, decision: Decision, rollout: Rollout) -> TriedLead:
    """Returns what becomes of a lead that is claimed when it really was, if its claimer has been notified by then."""
    over_at, got_by = rollout.assigned or (None, None)
    claim = past.claim
    is_lost = False
    if claim is not None:
        span = claim.claimed_at - past.arrived_at
        until = span if over_at is None else min(span, over_at)
        is_lost = not any(user_id == claim.user_id and at <= until for at, user_id in rollout.notified)
        if not is_lost and (over_at is None or span < over_at):
            over_at, got_by = span, claim.user_id
    until = NOTIFIED_WITHIN if over_at is None else min(NOTIFIED_WITHIN, over_at)
    return TriedLead(
        route_id=decision.route.id if decision.route is not None else None,
        team_id=decision.team_id,
        first=rollout.notified[0][1] if rollout.notified else got_by,
        line_up=rollout.line_up,
        notified=tuple([user_id for at, user_id in rollout.notified if at <= until]),
        got_by=got_by,
        is_lost=is_lost,
        is_for_owner=decision.team_id is None or decision.change.lead.was_offered_to_owner,
        got_at=past.arrived_at + over_at if got_by is not None and over_at is not None else None,
    )


# ------------------------------------------------------------------------------------------------------- adding up


class Figures(Struct):
    """Of how many leads a member was in the line-up, first, notified within five minutes, and the one who got it.

    Of a route: how many took it, and for how many of those any member was.
    """

    routed: int = 0
    first: int = 0
    notified: int = 0
    got: int = 0


class Totals(Struct):
    """Of all leads: those that no route took, and those that went to the owner, of these ones too."""

    without_route: int = 0
    to_owner: int = 0
    got: int = 0


class TrialFigures(Struct):
    """What is added up of all leads that one rule set has decided."""

    totals: Totals = field(default_factory=Totals)
    routes: dict[int, Figures] = field(default_factory=dict)
    members: dict[int, Figures] = field(default_factory=dict)

    def add(self, tried: TriedLead) -> None:
        totals = self.totals
        totals.without_route += tried.route_id is None
        totals.to_owner += tried.is_for_owner
        totals.got += tried.got_by is not None
        if tried.route_id is not None:
            route = _figures(self.routes, tried.route_id)
            route.routed += 1
            route.first += not tried.is_for_owner
            route.notified += bool(tried.notified)
            route.got += tried.got_by is not None
        for user_id in tried.line_up:
            _figures(self.members, user_id).routed += 1
        for user_id in tried.notified:
            _figures(self.members, user_id).notified += 1
        if tried.first is not None:
            _figures(self.members, tried.first).first += 1
        if tried.got_by is not None:
            _figures(self.members, tried.got_by).got += 1


def _figures(of: dict[int, Figures], key: int) -> Figures:
    found = of.get(key)
    if found is None:
        found = of[key] = Figures()
    return found


class MovedLead(Struct, frozen=True):
    """A lead of which the draft would have notified another member first."""

    lead_id: int
    before: int | None
    after: int | None
    why: str


class LostClaim(Struct, frozen=True):
    """A claim by a member whom the draft would not have notified by then."""

    lead_id: int
    user_id: int
    claimed_at: datetime


class TrialDifference:
    """What differs between the present rules and a draft, lead by lead; the first MOST_LISTED are listed."""

    def __init__(self, before: RuleSet, after: RuleSet) -> None:
        self.moved, self.lost = 0, 0
        self.moved_leads: list[MovedLead] = []
        self.lost_claims: list[LostClaim] = []
        self._rules = before, after

    def add(self, past: PastLead, before: TriedLead, after: TriedLead) -> None:
        """Adds a lead, with what the present rules and the draft do with it."""
        if before.first != after.first:
            self.moved += 1
            if len(self.moved_leads) < MOST_LISTED:
                moved = MovedLead(past.id, before.first, after.first, self._why(before, after))
                self.moved_leads.append(moved)
        if after.is_lost and past.claim is not None:
            self.lost += 1
            if len(self.lost_claims) < MOST_LISTED:
                self.lost_claims.append(LostClaim(past.id, past.claim.user_id, past.claim.claimed_at))

    def _why(self, before: TriedLead, after: TriedLead) -> str:
        """Returns in a few words why another member is first."""
        if before.route_id != after.route_id:
            return f"{self._route(after.route_id, 1)} in place of {self._route(before.route_id, 0)}"
        if before.team_id != after.team_id:
            return f"{self._team(after.team_id, 1)} in place of {self._team(before.team_id, 0)}"
        if set(before.line_up) != set(after.line_up):
            return "others in the line-up"
        return "another order or turn"

    def _route(self, route_id: int | None, side: int) -> str:
        if route_id is None:
            return "no route"
        return f"route {route_name(self._rules[side], route_id)}"

    def _team(self, team_id: int | None, side: int) -> str:
        if team_id is None:
            return "the owner"
        return f"team {self._rules[side].rules.teams[team_id].name or team_id}"


def route_name(rule_set: RuleSet, route_id: int) -> str:
    """Returns how a route is named in sentences: by its name, else its number; a new one without a name `(new)`."""
    route = next((each for each in rule_set.rules.routes if each.id == route_id), None)
    name = route.name if route is not None else None
    return name or (str(route_id) if route_id > 0 else "(new)")

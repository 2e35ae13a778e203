"""A trial of rules on past leads: every figure is that of the domain run from arrival to lapse, one lead at a time."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from leadroutes.domain.availability import Attendance, Presence
from leadroutes.domain.model import Lead, RuleSet, Standing
from leadroutes.domain.rollout import claim, notify_due, unclaim
from leadroutes.domain.routing import decide, find_team_to_ask, unavailable
from leadroutes.domain.trial import (
    NOTIFIED_WITHIN,
    Figures,
    PastClaim,
    PastLead,
    TrialDifference,
    TrialFigures,
    TrialRun,
    TriedLead,
)
from leadroutes.domain.trial_attendance import Availability, TrialAttendance
from leadroutes.domain.turns import Turns
from leadroutes.domain.workloads import Workload, spans_of
from leadroutes.errors import Conflict
from tests.support.builders import ALICE, BOB, CAROL, DAVE, NOON, facts, member, minutes, ranked, route, rule_set, team
from tests.support.past_leads import past_leads, random_presences, random_rules
from tests.support.scaling import seconds_of

NEVER = datetime.min.replace(tzinfo=UTC)


class OneAtATime:
    """The domain, asked about each lead moment by moment, without anything that a trial remembers."""

    def __init__(self, rules: RuleSet, presences: Mapping[int, Presence]) -> None:
        self.rules, self.presences = rules, presences
        self.turns: dict[int, Turns] = {}
        self.got: list[tuple[int, datetime, datetime]] = []  # user, moment, and when the lead had come
        self.states: list[list[tuple[datetime, Lead]]] = []  # of each lead, since when it was as it is there

    def attendance(self, now: datetime) -> Attendance:
        """Who is available now, with everything counted anew."""
        counts = {}
        for user_id, person in self.rules.rules.people.items():
            known = self.presences.get(user_id)
            spans = spans_of(now, known.timezone if known else person.timezone)
            mine = [(at, came) for each, at, came in self.got if each == user_id and at <= now]
            counts[user_id] = Workload(
                open_leads=sum(came > now - self.rules.open_for for _, came in mine),
                leads_today=sum(at >= spans.day for at, _ in mine),
                leads_this_week=sum(at >= spans.week for at, _ in mine),
            )
        return Attendance(self.rules, now, self.presences, counts)

    def takes_turns(self, team_id: int | None) -> bool:
        return team_id is not None and self.rules.rules.teams[team_id].order_method == "Round Robin"

    def standings(self, now: datetime) -> dict[int, Standing]:
        """What is compared of everyone now, counted anew."""
        open_leads, on_offer, lasts = Counter[int](), Counter[int](), dict[int, tuple[datetime, int, int]]()
        for number, states in enumerate(self.states):
            is_open = states[0][0] > now - self.rules.open_for
            lead = [each for at, each in states if at <= now][-1]
            if lead.claim is not None:
                open_leads[lead.claim.user_id] += is_open
                seen = (lead.claim.claimed_at, 1, number)
                lasts[lead.claim.user_id] = max(seen, lasts.get(lead.claim.user_id, seen))
            for each in lead.offers:
                if each.place == 0 and each.state == "notified" and each.notified_at is not None:
                    on_offer[each.user_id] += is_open
                    lasts[each.user_id] = max((each.notified_at, 0, number), lasts.get(each.user_id, (NEVER, 0, 0)))
        places = {user_id: place for place, user_id in enumerate(sorted(lasts, key=lasts.__getitem__), 1)}
        return {
            user_id: Standing(
                open_leads[user_id], on_offer[user_id], places.get(user_id, 0), lasts.get(user_id, (None,))[0]
            )
            for user_id in self.rules.rules.people
        }

    def run(self, past: PastLead) -> tuple[Lead, dict[int, datetime], int | None, int | None]:
        """Returns the lead as it was routed, when each user was first notified, who got it, and the route."""
        team_id = find_team_to_ask(self.rules, past.facts)
        turns = self.turns.get(team_id or 0, Turns()) if self.takes_turns(team_id) else None
        facts_then = replace(past.facts, absent=self.attendance(past.arrived_at).absences(team_id))
        counted = self.standings(past.arrived_at) if team_id in self.rules.counting_teams else None
        decision = decide(self.rules, past.id, facts_then, past.arrived_at, turns, counted)
        if team_id is not None and decision.turns is not None:
            self.turns[team_id] = decision.turns
        lead, notified = decision.change.lead, dict[int, datetime]()
        routed = lead
        self.note(lead, notified)
        is_claim_ahead, now = past.claim is not None, past.arrived_at
        states = [(now, lead)]
        self.states.append(states)
        while lead.claim is None:
            moments = [each.notify_at for each in lead.offers if each.state == "scheduled"]
            moments += [lead.lapses_at] if lead.lapses_at is not None else []
            moments = [max(now, each) for each in moments]  # what is late is done now
            if is_claim_ahead and past.claim is not None and all(past.claim.claimed_at < each for each in moments):
                is_claim_ahead = False
                if past.claim.user_id in notified:
                    lead = self.claimed(lead, past.claim)
                    states.append((past.claim.claimed_at, lead))
                continue
            if not moments:
                break
            now = min(moments)
            if any(each.state == "scheduled" and each.notify_at <= now for each in lead.offers):
                lead = notify_due(lead, unavailable(self.rules, lead.offers, self.attendance(now)), now).lead
            else:
                lead = unclaim(lead, now).lead
            states.append((now, lead))
            self.note(lead, notified)
        got_by = lead.claim.user_id if lead.claim is not None else None
        if lead.claim is not None:
            self.got.append((lead.claim.user_id, lead.claim.claimed_at, past.arrived_at))
        return routed, notified, got_by, decision.route.id if decision.route is not None else None

    def claimed(self, lead: Lead, by: PastClaim) -> Lead:
        """Under Exclusive the member's time may be over in the rollout although the member really claimed it then."""
        try:
            change = claim(lead, by.user_id, "None", by.claimed_at)
        except Conflict:
            offers = tuple(
                replace(each, state="notified") if each.user_id == by.user_id else each for each in lead.offers
            )
            change = claim(replace(lead, offers=offers), by.user_id, "None", by.claimed_at)
        assert change is not None
        return change.lead

    def note(self, lead: Lead, notified: dict[int, datetime]) -> None:
        for each in sorted(lead.offers, key=lambda offer: (offer.notified_at or NOON, offer.place)):
            if each.notified_at is not None:
                notified.setdefault(each.user_id, each.notified_at)


def expected(
    rules: RuleSet, leads: list[PastLead], presences: Mapping[int, Presence]
) -> tuple[TrialFigures, list[int | None], int]:
    """The figures of all leads, who was first of each, and how many claims were lost, counted from single runs."""
    runs, figures = OneAtATime(rules, presences), TrialFigures()
    firsts, lost = [], 0
    for past in leads:
        lead, notified, got_by, route_id = runs.run(past)
        offers = [each for each in lead.offers if each.team_id is not None]
        is_for_owner = not offers or lead.was_offered_to_owner
        line_up = [each.user_id for each in offers] or [rules.rules.owner_id]
        if offers and lead.was_offered_to_owner and rules.rules.owner_id not in line_up:
            line_up.append(rules.rules.owner_id)
        first = next(iter(notified), got_by)
        soon = [user_id for user_id, at in notified.items() if at - past.arrived_at <= NOTIFIED_WITHIN]
        firsts.append(first)
        figures.totals.without_route += route_id is None
        figures.totals.to_owner += is_for_owner
        figures.totals.got += got_by is not None
        if route_id is not None:
            of_route = figures.routes.setdefault(route_id, Figures())
            of_route.routed += 1
            of_route.first += not is_for_owner
            of_route.notified += bool(soon)
            of_route.got += got_by is not None
        for user_id, name in [*((each, "routed") for each in line_up), *((each, "notified") for each in soon),
                              (first, "first"), (got_by, "got")]:  # fmt: skip
            if user_id is not None:
                of_member = figures.members.setdefault(user_id, Figures())
                setattr(of_member, name, getattr(of_member, name) + 1)
        lost += past.claim is not None and past.claim.user_id not in notified_by_then(notified, past.claim)
    return figures, firsts, lost


def notified_by_then(notified: dict[int, datetime], by: PastClaim) -> list[int]:
    return [user_id for user_id, at in notified.items() if at <= by.claimed_at]


@pytest.mark.parametrize("seed", range(20))
def test_every_figure_is_that_of_the_domain_run_one_lead_at_a_time(seed: int) -> None:
    leads, present, draft = past_leads(seed), random_rules(1_000), random_rules(seed)
    stored = Availability(random_presences(seed))
    before, after = TrialRun(present, stored), TrialRun(draft, stored)
    figures, difference = [TrialFigures(), TrialFigures()], TrialDifference(present, draft)
    for past in leads:
        tried = before.decide(past), after.decide(past)
        for each, one in zip(figures, tried, strict=True):
            each.add(one)
        difference.add(past, *tried)

    of_present, first_before, _ = expected(present, leads, stored.presences)
    of_draft, first_after, lost = expected(draft, leads, stored.presences)

    assert figures == [of_present, of_draft]
    pairs = list(zip(leads, first_before, first_after, strict=True))
    moved = [(past.id, one, other) for past, one, other in pairs if one != other]
    assert (difference.moved, difference.lost) == (len(moved), lost)
    assert [(each.lead_id, each.before, each.after) for each in difference.moved_leads] == moved[:100]
    assert all(each.why for each in difference.moved_leads)


# ------------------------------------------------------------------------------------------------------ single leads


def tried(rules: RuleSet, by: int | None = None, after: float = 0, **of_lead: object) -> TriedLead:
    past = PastLead(1, NOON, facts(**of_lead), PastClaim(by, minutes(after)) if by is not None else None)
    return TrialRun(rules).decide(past)


def test_the_real_claimer_has_it_if_notified_by_then() -> None:
    rules = rule_set(route(), ranked(BOB, CAROL))

    assert tried(rules, CAROL, 5).got_by == CAROL
    assert (tried(rules, CAROL, 4).got_by, tried(rules, CAROL, 4).is_lost) == (None, True)
    assert tried(rules, DAVE, 600).is_lost
    assert tried(rules, ALICE, 600).got_by == ALICE  # who is asked when no one has claimed it
    assert tried(rules).got_by is None


def test_automatic_assignment_comes_first_if_its_moment_does() -> None:
    rules = rule_set(route(), team(member(BOB), member(CAROL, rank=2, assign_automatically=True)))

    assert tried(rules, BOB, 4).got_by == BOB
    assert tried(rules, BOB, 5).got_by == CAROL
    assert not tried(rules, BOB, 60).is_lost
    assert tried(rules).got_by == CAROL


def test_whoever_is_asked_after_the_claim_is_not_notified() -> None:
    rules = rule_set(route(), ranked(BOB, CAROL, mins_until_next_alert=3))

    assert tried(rules).notified == (BOB, CAROL)
    assert tried(rules, BOB, 2).notified == (BOB,)
    assert tried(rules, BOB, 3).notified == (BOB, CAROL)


def test_leads_of_the_owner() -> None:
    mine = rule_set(route(distribution_target="Myself", team_id=None))

    assert tried(mine) == TriedLead(100, None, ALICE, (ALICE,), (ALICE,), ALICE, False, True, NOON)
    assert tried(mine, lead_source_id=99) == TriedLead(None, None, ALICE, (ALICE,), (ALICE,), None, False, True)
    away = rule_set(route(), ranked(BOB), inactive=(BOB,))
    assert tried(away) == TriedLead(100, 10, ALICE, (BOB, ALICE), (ALICE,), None, False, True)


def test_turns_are_carried_along() -> None:
    run = TrialRun(rule_set(route(), ranked(BOB, CAROL, order_method="Round Robin")))
    leads = [PastLead(number, NOON + timedelta(hours=number), facts()) for number in range(4)]

    assert [run.decide(each).first for each in leads] == [BOB, CAROL, BOB, CAROL]


WHY: list[tuple[str, RuleSet, RuleSet, str]] = [
    ("another route", rule_set(route(), ranked(BOB)), rule_set(route(id=7, name="Buyers"), ranked(CAROL)),
     "route Buyers in place of route 100"),
    ("a new route", rule_set(ranked(BOB)), rule_set(route(id=-1), ranked(BOB)), "route (new) in place of no route"),
    ("another team", rule_set(route(), ranked(BOB, name="North")), rule_set(route(team_id=11), ranked(CAROL, id=11)),
     "team 11 in place of team North"),
    ("no team", rule_set(route(), ranked(BOB)), rule_set(route(distribution_target="Myself", team_id=None)),
     "the owner in place of team 10"),
    ("another member", rule_set(route(), ranked(BOB)), rule_set(route(), ranked(CAROL, BOB)), "others in the line-up"),
    ("another order", rule_set(route(), ranked(BOB, CAROL)), rule_set(route(), ranked(CAROL, BOB)),
     "another order or turn"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "why"), [row[1:] for row in WHY], ids=[row[0] for row in WHY])
def test_why_another_member_is_first(before: RuleSet, after: RuleSet, why: str) -> None:
    difference, past = TrialDifference(before, after), PastLead(1, NOON, facts())

    difference.add(past, TrialRun(before).decide(past), TrialRun(after).decide(past))

    assert [each.why for each in difference.moved_leads] == [why]


# ------------------------------------------------------------------------------------------------- who is available


NIGHTS: list[tuple[str, list[list[str]], list[str]]] = [  # in 2027 the clocks of Denver change at 09:00 and 08:00 UTC
    ("hours that begin in the gap begin after it", [["02:30", "04:00"]], ["2027-03-14 08:50", "2027-03-14 09:10"]),
    ("hours that have ended come again", [["00:00", "01:30"]], ["2027-11-07 07:45", "2027-11-07 08:15"]),
]


@pytest.mark.parametrize(("hours", "arrivals"), [row[1:] for row in NIGHTS], ids=[row[0] for row in NIGHTS])
def test_the_nights_on_which_the_clocks_change(hours: list[list[str]], arrivals: list[str]) -> None:
    rules = rule_set(route(), ranked(BOB, CAROL)).rules
    people = {**rules.people, BOB: replace(rules.people[BOB], may_be_away=True)}
    presence = Presence(timezone="America/Denver", weekly_hours=json.dumps({"sunday": hours}))
    moments = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in arrivals]
    run = TrialRun(RuleSet(7, replace(rules, people=people)), Availability({BOB: presence}))

    assert [run.decide(PastLead(1, each, facts())).first for each in moments] == [CAROL, BOB]


def test_what_caps_count_is_found_as_fast_after_many_leads() -> None:
    rules = rule_set(route(), team(member(BOB, max_open_leads=10**6, max_leads_per_day=10**6)))

    def seconds_after(leads: int) -> float:
        attendance = TrialAttendance(rules, Availability({}))
        for number in range(leads):
            moment = NOON + timedelta(seconds=number)
            attendance.note_lead(BOB, moment, moment)
        last = NOON + timedelta(seconds=leads)
        return seconds_of(lambda: attendance.at(10, last), times=20)

    assert seconds_after(20_000) < 5 * seconds_after(500)

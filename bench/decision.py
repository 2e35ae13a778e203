"""The routing decision alone, as often as one core makes it: no database, no network.

Leads are decided in batches, as arrivals are (`leadroutes/engine/distribution.py`). A batch has one moment, and the
clock of the next one has moved on. Who of the team is away is found out anew for each batch, by hours, pauses and caps,
and what a batch has remembered of its own leads is forgotten with it: both are part of what is measured. What the
database has to say of the members is at hand. Arrivals share commits (`leadroutes_commit_batch_size`) by half of their
connections: 60 leads on average with 128 of them, so that BATCH is on the safe side, and 8 with 16.

A program (`python -m bench.decision SECONDS`); prints {name: decisions a second}.
"""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from leadroutes.domain.availability import Attendance, Presence
from leadroutes.domain.model import DistributionOption, Facts, Member, Person, Route, Rules, RuleSet, Team
from leadroutes.domain.routing import decide, find_team_to_ask
from leadroutes.domain.started_rollouts import StartedRollouts
from leadroutes.domain.turns import Turns
from leadroutes.domain.workloads import NO_LEADS, Workload

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
BATCH = 32
APART = timedelta(milliseconds=20)  # one batch and the next
ZONE = "America/Denver"  # where it is 10 o'clock on a Monday
TEAM = 1
FIRST = 2  # of the members, who have the following ids
WHY_AWAY = ("hours", "pause", "cap")  # in turn
CAP = 3  # leads a day


def rule_set(routes: int, members: int, order_method: str, *, sources: int = 10, away: int = 0) -> RuleSet:
    """A brokerage whose routes are spread over its lead sources; for each source the last to be tried fits.

    `away`: so many of the first members can be away, as in `presences` and `workloads`.
    """
    record = {
        "owner_id": 1,
        "routes": [
            Route(
                id=number + 1, team_id=TEAM, campaign_id=1, lead_source_id=number % sources + 1, contact_source_id=1,
                distribution_target="Team Rollout", team_selection_method="Specific Team",
                filter=f"Type {number}" if number < routes - sources else None, is_active=True, priority=0,
                campaign_start="Arrival",
            )
            for number in range(routes)
        ],
        "teams": {
            TEAM: Team(
                id=TEAM, order_method=order_method, mins_until_next_alert=5,  # type: ignore[arg-type]
                offer_mode="Cumulative", distribution_zipcodes=(),
                members=tuple(_member(FIRST + place, _why_away(place, away)) for place in range(members)),
            )
        },
        "people": {
            number: Person(timezone=ZONE, phone="+13035550100", is_active=True, may_be_away=away > 0)
            for number in range(1, FIRST + members)
        },
        "campaigns": {1: ()},
    }  # fmt: skip
    return RuleSet(1, msgspec.json.decode(msgspec.json.encode(record), type=Rules))


def _why_away(place: int, away: int) -> str | None:
    return WHY_AWAY[place % len(WHY_AWAY)] if place < away else None


def _member(user_id: int, why_away: str | None) -> Member:
    option = DistributionOption(
        rank=user_id, mins_until_lead_offer=user_id, assign_automatically=False, has_call_alert=False,
        has_text_alert=False, has_email_alert=True, weight=1, max_leads_per_day=CAP if why_away == "cap" else None,
    )  # fmt: skip
    return Member(user_id=user_id, request_status="Accepted", option=option, option_id=user_id)


def presences(members: int, away: int) -> dict[int, Presence]:
    """Working hours of all, if anyone is away; those of some are later, and others have paused."""
    found = {}
    for place in range(members if away else 0):
        why = _why_away(place, away)
        found[FIRST + place] = Presence(
            timezone=ZONE,
            weekly_hours=_office_hours("13:00" if why == "hours" else "08:30"),
            is_paused=why == "pause",
            paused_until=NOW + timedelta(hours=5) if why == "pause" else None,
        )
    return found


def _office_hours(start: str) -> str:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday")
    return msgspec.json.encode({day: [[start, "18:00"]] for day in days}).decode()


def workloads(members: int, away: int) -> dict[int, Workload]:
    """What the members have got; those with a cap as many leads as they may."""
    capped = Workload(leads_today=CAP, leads_this_week=CAP)
    return {FIRST + place: capped if _why_away(place, away) == "cap" else NO_LEADS for place in range(members)}


def decisions(rules: RuleSet, seconds: float, *, away: int = 0, batch: int = BATCH) -> float:
    """Returns decisions a second, for leads of a source whose last route fits; so many of the first are away."""
    team = rules.rules.teams[TEAM]
    known: tuple[Mapping[int, Presence], Mapping[int, Workload]]
    known = presences(len(team.members), away), workloads(len(team.members), away)
    facts = Facts(lead_source_id=1, contact_source_id=None, type="Buyer", zipcode="80205")
    turns = Turns() if team.order_method == "Round Robin" else None
    count, now, begun = 0, NOW, time.perf_counter()
    while (measured := time.perf_counter() - begun) < seconds:
        now += APART
        attendance, started = Attendance(rules, now, *known), StartedRollouts()
        for _ in range(batch):
            absences = attendance.absences(find_team_to_ask(rules, facts))
            of_lead = replace(facts, absent=absences) if absences else facts
            decision = decide(rules, count, of_lead, now, turns, None, started)
            turns = decision.turns or turns
            count += 1
    skipped = [offer.reason for offer in decision.change.lead.offers if offer.state == "skipped"]
    assert len(decision.change.lead.offers) == len(team.members)
    assert len(skipped) == away
    assert len({str(reason).split()[0] for reason in skipped}) == min(away, len(WHY_AWAY))
    return count / measured


def main(seconds: float) -> dict[str, float]:
    """Returns {name: decisions a second} of all cases."""
    ranked, half_away = rule_set(100, 20, "Rank"), rule_set(100, 20, "Rank", away=10)
    return {
        "100 routes, 20 members by rank": decisions(ranked, seconds),
        "100 routes, 20 members by rank, the first 10 unavailable": decisions(half_away, seconds, away=10),
        "the same in batches of 8": decisions(half_away, seconds, away=10, batch=8),
        "the same, each lead alone": decisions(half_away, seconds, away=10, batch=1),
        "100 routes, 20 members in turn": decisions(rule_set(100, 20, "Round Robin"), seconds),
        "100 routes, 5 members by rank": decisions(rule_set(100, 5, "Rank"), seconds),
        "10,000 routes, 1,000 sources, 20 members by rank": decisions(
            rule_set(10_000, 20, "Rank", sources=1000), seconds
        ),
    }


if __name__ == "__main__":
    print(msgspec.json.encode(main(float(sys.argv[1]))).decode())

"""The routing decision alone, as often as one core makes it: no database, no network.

A program (`python -m bench.decision SECONDS`); prints {name: decisions a second}.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

import msgspec

from leadroutes.domain.model import Absence, DistributionOption, Facts, Member, Person, Route, Rules, RuleSet, Team
from leadroutes.domain.routing import decide
from leadroutes.domain.turns import Turns

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
CHECK = 50  # decisions between two looks at the clock


def rule_set(routes: int, members: int, order_method: str, *, sources: int = 10) -> RuleSet:
    """A brokerage whose routes are spread over its lead sources; for each source the last to be tried fits."""
    record = {
        "owner_id": 1,
        "routes": [
            Route(
                id=number + 1, team_id=1, campaign_id=1, lead_source_id=number % sources + 1, contact_source_id=1,
                distribution_target="Team Rollout", team_selection_method="Specific Team",
                filter=f"Type {number}" if number < routes - sources else None, is_active=True, priority=0,
                campaign_start="Arrival",
            )
            for number in range(routes)
        ],
        "teams": {
            1: Team(
                id=1, order_method=order_method, mins_until_next_alert=5, offer_mode="Cumulative",  # type: ignore[arg-type]
                distribution_zipcodes=(), members=tuple(_member(number) for number in range(2, members + 2)),
            )
        },
        "people": {
            number: Person(timezone="America/Denver", phone="+13035550100", is_active=True)
            for number in range(1, members + 2)
        },
        "campaigns": {1: ()},
    }  # fmt: skip
    return RuleSet(1, msgspec.json.decode(msgspec.json.encode(record), type=Rules))


def _member(user_id: int) -> Member:
    option = DistributionOption(
        rank=user_id, mins_until_lead_offer=user_id, assign_automatically=False, has_call_alert=False,
        has_text_alert=False, has_email_alert=True, weight=1,
    )  # fmt: skip
    return Member(user_id=user_id, request_status="Accepted", option=option, option_id=user_id)


def decisions(rules: RuleSet, seconds: float, *, away: int = 0) -> float:
    """Returns decisions a second, for leads of a source whose last route fits; so many of the first are away."""
    absences = {
        number: Absence(
            reason="outside working hours until Tue 3 Mar 09:00", available_from=NOW + timedelta(hours=23), kind="away"
        )
        for number in range(2, away + 2)
    }
    facts = Facts(lead_source_id=1, contact_source_id=None, type="Buyer", zipcode="80205", absent=absences)
    turns: Turns | None = Turns({}, ())
    if rules.rules.teams[1].order_method != "Round Robin":
        turns = None
    count, begun = 0, time.perf_counter()
    while (now := time.perf_counter()) - begun < seconds:
        for _ in range(CHECK):
            decision = decide(rules, count, facts, NOW, turns)
            turns = decision.turns or turns
        count += CHECK
    assert len(decision.change.lead.offers) == len(rules.rules.teams[1].members)
    assert sum(offer.state == "skipped" for offer in decision.change.lead.offers) == away
    return count / (now - begun)


def main(seconds: float) -> dict[str, float]:
    """Returns {name: decisions a second} of all cases."""
    return {
        "100 routes, 20 members by rank": decisions(rule_set(100, 20, "Rank"), seconds),
        "100 routes, 20 members by rank, the first 10 unavailable": decisions(
            rule_set(100, 20, "Rank"), seconds, away=10
        ),
        "100 routes, 20 members in turn": decisions(rule_set(100, 20, "Round Robin"), seconds),
        "100 routes, 5 members by rank": decisions(rule_set(100, 5, "Rank"), seconds),
        "10,000 routes, 1,000 sources, 20 members by rank": decisions(
            rule_set(10_000, 20, "Rank", sources=1000), seconds
        ),
    }


if __name__ == "__main__":
    print(msgspec.json.encode(main(float(sys.argv[1]))).decode())

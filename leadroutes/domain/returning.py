"""Who is offered a lead before the usual line of a team: the agent of the listing, and that of who comes back."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from leadroutes.domain.identity import comparable_mls_id
from leadroutes.domain.model import Facts, Route, RuleSet, Team
from leadroutes.domain.moments import minutes

MINS_BEFORE_OTHERS: Final = 5  # at least, in which the lead is offered to the agent alone


def with_agents(rule_set: RuleSet, facts: Facts, assigned_user_id: int | None, mls_id: str | None) -> Facts:
    """Returns the facts with the contact's agent and the listing, each only where rules of this owner ask for it."""
    if rule_set.agent_of_listing and (key := comparable_mls_id(mls_id)) is not None:
        facts = replace(facts, mls_id=key)
    if assigned_user_id is not None and (facts.lead_source_id or 0) in rule_set.same_agent_sources:
        facts = replace(facts, assigned_user_id=assigned_user_id)
    return facts


def heads_of(rule_set: RuleSet, route: Route, facts: Facts, available: Collection[int]) -> tuple[int, ...]:
    """Returns who is offered the lead first, and who next, before the others of the line-up; mostly no one.

    `available`: the members of the line-up who can be offered a lead.
    """
    wanted = (
        rule_set.agent_of_listing.get(facts.mls_id) if facts.mls_id is not None else None,
        facts.assigned_user_id if route.returning_contact == "Same Agent" else None,
    )
    return tuple(dict.fromkeys(each for each in wanted if each is not None and each in available))


def delays_behind(team: Team, heads: int, delays: Sequence[timedelta]) -> list[timedelta]:
    """Returns the delays of a whole line-up that begins with so many members before the usual line.

    `delays` are those of the others as they would be without them. The usual line begins later and keeps its steps.
    """
    earliest = minutes(MINS_BEFORE_OTHERS)
    match team.order_method:
        case "Simultaneous":
            behind = [earliest] * (heads - 1 + len(delays))
        case "Time":
            behind = [earliest] * (heads - 1) + [max(delay, earliest) for delay in delays]
        case _:
            steps = {delay: step for step, delay in enumerate(sorted(set(delays)), heads - 1)}
            places = [*range(heads - 1), *(steps[delay] for delay in delays)]
            wait = team.mins_until_next_alert
            behind = [minutes(max(wait, MINS_BEFORE_OTHERS) + place * wait) for place in places]
    return [timedelta(), *behind]

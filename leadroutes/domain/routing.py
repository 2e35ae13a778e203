"""Where a lead goes, and why: one decision from a rule set and the facts of the moment, made again to explain it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from leadroutes.domain.lineup import line_up, ordered_team, why_not_in_line_up, with_fallback
from leadroutes.domain.matching import choose_team, consider, find_route
from leadroutes.domain.model import SHORTEST_WAIT, Claim, Decision, Facts, Lead, Offer, Route, RuleSet, Team
from leadroutes.domain.moments import minutes
from leadroutes.domain.rollout import NO_MEMBER_AVAILABLE, claim_for_owner, offer_to_owner, start
from leadroutes.domain.turns import Turns
from leadroutes.errors import NotFound

NO_ROUTE = "no route matches"
EMPTY_LINE_UP = "nobody in the team's line-up"
LEFT_TEAM = "the member has left the team"
ACCOUNT_CLOSED = "the account is not active"
TEAM_REMOVED = "the team has been removed"


def find_turn_team(rule_set: RuleSet, facts: Facts) -> int | None:
    """The team whose turns must be at hand, and locked, before this lead can be decided. None: no turn is taken."""
    route = find_route(rule_set, facts) if rule_set.has_turns else None
    if route is None or route.distribution_target == "Myself":
        return None
    team_id = choose_team(rule_set, route, facts).team_id
    if team_id is None or rule_set.rules.teams[team_id].order_method != "Round Robin":
        return None
    return team_id


def decide(rule_set: RuleSet, lead_id: int, facts: Facts, now: datetime, turns: Turns | None = None) -> Decision:
    """Route a lead at `now`; `turns` are those of the team that find_turn_team names."""
    route = find_route(rule_set, facts)
    if route is None:
        return _left_to_owner(rule_set, lead_id, facts, None, NO_ROUTE, now)
    if route.distribution_target == "Myself":
        change = claim_for_owner(_new_lead(rule_set, None, lead_id), now)
        return Decision(facts=facts, route=route, change=change)
    choice = choose_team(rule_set, route, facts)
    if choice.team_id is None:
        return _left_to_owner(rule_set, lead_id, facts, route, choice.how, now)
    team = rule_set.rules.teams[choice.team_id]
    queue = line_up(rule_set, team, now, turns)
    if not queue.offers:
        return _left_to_owner(rule_set, lead_id, facts, route, EMPTY_LINE_UP, now)
    lead = _new_lead(rule_set, team, lead_id, queue.offers)
    return Decision(
        facts=replace(facts, turn=queue.turn),
        route=route,
        team_id=team.id,
        change=start(lead, ordered_team(rule_set, team).absent, now),
        turns=queue.turns,
    )


def _left_to_owner(
    rule_set: RuleSet, lead_id: int, facts: Facts, route: Route | None, reason: str, now: datetime
) -> Decision:
    change = offer_to_owner(_new_lead(rule_set, None, lead_id), reason, now)
    return Decision(facts=facts, route=route, change=change)


def _new_lead(rule_set: RuleSet, team: Team | None, lead_id: int, offers: tuple[Offer, ...] = ()) -> Lead:
    """A lead that nothing has happened to yet."""
    return Lead(
        owner_id=rule_set.rules.owner_id,
        id=lead_id,
        owner_has_phone=bool(rule_set.owner.phone),
        wait=wait_of(team),
        is_exclusive=team is not None and team.offer_mode == "Exclusive",
        offers=with_fallback(rule_set, offers),
    )


def stored_lead(
    rule_set: RuleSet,
    team_id: int | None,
    *,
    owner_id: int,
    lead_id: int,
    offers: Sequence[Offer] = (),
    claim: Claim | None = None,
    lapses_at: datetime | None = None,
    unclaimed_at: datetime | None = None,
) -> Lead:
    """A lead as it stands, with what the rule set says of its team."""
    team = rule_set.rules.teams.get(team_id or 0)
    return replace(
        _new_lead(rule_set, team, lead_id, tuple(offers)),
        owner_id=owner_id,
        claim=claim,
        lapses_at=lapses_at,
        unclaimed_at=unclaimed_at,
        was_offered_to_owner=any(
            offer.user_id == owner_id and offer.team_id is None and offer.reason is not None for offer in offers
        ),
    )


def wait_of(team: Team | None) -> timedelta:
    """How long after the last notice a lead is unclaimed."""
    return max(SHORTEST_WAIT, minutes(team.mins_until_next_alert)) if team else SHORTEST_WAIT


def unavailable(rule_set: RuleSet, offers: Sequence[Offer]) -> dict[int, str]:
    """Of those in the line-up, who cannot be offered the lead now, or who is no member any more, and why."""
    reasons = {}
    for offer in offers:
        if offer.state == "scheduled" and (reason := _why_gone(rule_set, offer)) is not None:
            reasons[offer.user_id] = reason
    return reasons


def _why_gone(rule_set: RuleSet, offer: Offer) -> str | None:
    """Only members are offered a lead for later, so an offer without a team had one that has been removed."""
    team = rule_set.rules.teams.get(offer.team_id or 0)
    if team is None:
        return TEAM_REMOVED
    queue = ordered_team(rule_set, team)
    return queue.absent.get(offer.user_id) if offer.user_id in queue.members else "he has left the team"


def departed(rule_set: RuleSet, lead: Lead) -> dict[int, str]:
    """Who was offered the lead through a team and is no member of it any more, or has no account, and why."""
    return {
        offer.user_id: reason
        for offer in lead.offers
        if offer.team_id is not None and (reason := why_departed(rule_set, lead.owner_id, offer)) is not None
    }


def refuse_when_departed(rule_set: RuleSet, lead: Lead, user_id: int) -> None:
    """NotFound for a member who has left since an open lead was offered."""
    for offer in lead.offers if lead.claim is None else ():
        if offer.user_id == user_id and why_departed(rule_set, lead.owner_id, offer) is not None:
            raise NotFound.record(lead.id)


def why_departed(rule_set: RuleSet, owner_id: int, offer: Offer) -> str | None:
    """Why someone whom a team brought the offer cannot claim it any more. The owner of a lead needs no membership."""
    team = rule_set.rules.teams.get(offer.team_id or 0)
    person = rule_set.rules.people.get(offer.user_id)
    if team is None:
        return None
    member = next((each for each in team.members if each.user_id == offer.user_id), None)
    if offer.user_id != owner_id and (member is None or member.request_status != "Accepted"):
        return LEFT_TEAM
    return None if person is None or person.is_active else ACCOUNT_CLOSED


# ------------------------------------------------------------------------------------------------------------- why


def explain(rule_set: RuleSet, facts: Facts, offers: Sequence[Offer]) -> dict[str, Any]:
    """The same decision, told: each route, how the team was chosen, and for every member when, or why not."""
    route = find_route(rule_set, facts)
    choice = choose_team(rule_set, route, facts) if route and route.distribution_target == "Team Rollout" else None
    team = rule_set.rules.teams.get(choice.team_id) if choice and choice.team_id else None
    return {
        "rule_set": rule_set.number,
        "routes": [
            {
                "id": each.id,
                "result": result,
                "field": why.field if why else None,
                "expected": why.expected if why else None,
                "actual": why.actual if why else None,
            }
            for each, result, why in consider(rule_set.rules.routes, facts)
        ],
        "team": {"id": choice.team_id, "how": choice.how} if choice and team else None,
        "members": [_explain_member(user_id, why, offers) for user_id, why in _people_asked_about(team, offers)],
        "outcome": _outcome(rule_set, facts, offers),
    }


def _people_asked_about(team: Team | None, offers: Sequence[Offer]) -> list[tuple[int, str | None]]:
    members = {member.user_id: why_not_in_line_up(member) for member in team.members} if team else {}
    places = {offer.user_id: offer.place for offer in offers}
    everybody = list(members) + [user_id for user_id in places if user_id not in members]
    everybody.sort(key=lambda user_id: places.get(user_id, len(places) + len(members)))
    return [(user_id, members.get(user_id)) for user_id in everybody]


def _explain_member(user_id: int, why: str | None, offers: Sequence[Offer]) -> dict[str, Any]:
    offer = next((offer for offer in offers if offer.user_id == user_id), None)
    if offer is None:
        return {"user_id": user_id, "notify_at": None, "state": None, "reason": why or "he joined the team later"}
    return {"user_id": user_id, "notify_at": offer.notify_at, "state": offer.state, "reason": offer.reason}


def _outcome(rule_set: RuleSet, facts: Facts, offers: Sequence[Offer]) -> str:
    """What the decision came to, in a sentence's half."""
    route = find_route(rule_set, facts)
    if route is None:
        return f"offered to the owner: {NO_ROUTE}"
    if route.distribution_target == "Myself":
        return "kept by the owner"
    choice = choose_team(rule_set, route, facts)
    if choice.team_id is None:
        return f"offered to the owner: {choice.how}"
    if all(why_not_in_line_up(member) for member in rule_set.rules.teams[choice.team_id].members):
        return f"offered to the owner: {EMPTY_LINE_UP}"
    if any(offer.reason == NO_MEMBER_AVAILABLE for offer in offers):
        return f"offered to the owner: {NO_MEMBER_AVAILABLE}"
    return "offered to the team"

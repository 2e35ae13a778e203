"""Where a lead goes, and why: a decision from a rule set and the facts of the moment, repeated to explain it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from leadroutes.domain.availability import Attendance
from leadroutes.domain.lineup import ACCOUNT_INACTIVE, line_up, ordered_team, placed, why_not_in_line_up, with_fallback
from leadroutes.domain.matching import choose_team, consider, find_route, route_taken
from leadroutes.domain.model import (
    COUNTING_METHODS,
    SHORTEST_WAIT,
    Absence,
    Change,
    Claim,
    Decision,
    Facts,
    Lead,
    Offer,
    Route,
    RuleSet,
    Standing,
    Team,
)
from leadroutes.domain.moments import minutes
from leadroutes.domain.returning import heads_of
from leadroutes.domain.rollout import NO_MEMBER_AVAILABLE, claim_for_owner, offer_to_owner, start
from leadroutes.domain.standings import NO_STANDING, standing_in_words
from leadroutes.domain.started_rollouts import Beginning, StartedRollouts
from leadroutes.domain.turns import Turns
from leadroutes.errors import NotFound

NO_ROUTE = "no route matches"
EMPTY_LINE_UP = "no member in the team's line-up"
LEFT_TEAM = "the member has left the team"
TEAM_REMOVED = "the team has been removed"
WHY_LISTING = "agent of the listing"
WHY_RETURNING = "agent of the contact, who comes back"
WHY_FIRST = {
    "Round Robin": "whose turn it was",
    "Least Loaded": "fewest open leads for their weight",
    "Longest Idle": "longest without a lead",
}


def find_team_to_ask(rule_set: RuleSet, facts: Facts) -> int | None:
    """Returns the team that this lead goes to if something is read of it before: turns, counts, who is available."""
    is_asked = rule_set.has_turns or rule_set.counting_teams or rule_set.limited_teams
    route = find_route(rule_set, facts) if is_asked else None
    if route is None or route.distribution_target == "Myself":
        return None
    return choose_team(rule_set, route, facts).team_id


def teams_to_lock(rule_set: RuleSet, team_id: int) -> tuple[int, ...]:
    """Returns the teams that must be locked before a lead of this team is decided, as its turns or counts are read."""
    takes_turns = rule_set.rules.teams[team_id].order_method == "Round Robin"
    return (team_id,) if takes_turns else rule_set.counting_teams.get(team_id, ())


def decide(
    rule_set: RuleSet,
    lead_id: int,
    facts: Facts,
    now: datetime,
    turns: Turns | None = None,
    standings: Mapping[int, Standing] | None = None,
    started: StartedRollouts | None = None,
) -> Decision:
    """Route a lead at `now`; `turns` or `standings` are those of its team, where its order depends on them.

    Who of the team is not available is in the facts; without `standings` those of the facts count. So the decision can
    be repeated. `started`: of the decisions of a batch; it makes this one faster and no different.
    """
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
    counted = facts.counted if standings is None else standings
    heads = _heads(rule_set, route, team, facts)
    found, turn, after = line_up(rule_set, team, turns, counted, heads, facts.absent)
    if not found.offers:
        return _left_to_owner(rule_set, lead_id, facts, route, EMPTY_LINE_UP, now)
    ordered = ordered_team(rule_set, team)
    absent = {**facts.absent, **ordered.absent} if facts.absent else ordered.absent
    if team.order_method in COUNTING_METHODS:
        facts = replace(facts, counted={each.user_id: counted.get(each.user_id, NO_STANDING) for each in found.offers})
    return Decision(
        facts=replace(facts, turn=turn, heads=heads),
        route=route,
        team_id=team.id,
        change=_first_change(rule_set, team, lead_id, Beginning(found, absent, now), started or StartedRollouts()),
        turns=after,
        left_out=ordered.left_out,
    )


def _heads(rule_set: RuleSet, route: Route, team: Team, facts: Facts) -> tuple[int, ...]:
    """The agents who come before the usual line, as far as they can be offered the lead now."""
    if facts.mls_id is None and facts.assigned_user_id is None:
        return ()
    available = {user_id for user_id, _ in ordered_team(rule_set, team).present if user_id not in facts.absent}
    return heads_of(rule_set, route, facts, available)


def _first_change(
    rule_set: RuleSet, team: Team, lead_id: int, beginning: Beginning, started: StartedRollouts
) -> Change:
    """Starts the rollout. Two leads with the same beginning differ in nothing but their ids."""
    change = started.find(rule_set, beginning)
    if change is not None:
        return replace(change, lead=replace(change.lead, id=lead_id))
    offers = placed(beginning.line_up, beginning.now)
    change = start(_new_lead(rule_set, team, lead_id), offers, beginning.absent, beginning.now)
    started.note(rule_set, beginning, change)
    return change


def _left_to_owner(
    rule_set: RuleSet, lead_id: int, facts: Facts, route: Route | None, reason: str, now: datetime
) -> Decision:
    change = offer_to_owner(_new_lead(rule_set, None, lead_id), reason, now)
    return Decision(facts=facts, route=route, change=change)


def _new_lead(rule_set: RuleSet, team: Team | None, lead_id: int, offers: tuple[Offer, ...] = ()) -> Lead:
    """Returns a lead to which nothing has happened yet."""
    return Lead(
        owner_id=rule_set.rules.owner_id,
        id=lead_id,
        owner_has_phone=bool(rule_set.owner.phone),
        wait=wait_of(team),
        is_exclusive=team is not None and team.offer_mode == "Exclusive",
        offers=offers,
        alerts=rule_set.alerts,
        when_nobody_is_available=team.when_nobody_is_available if team else "Owner",
        step=minutes(team.mins_until_next_alert) if team else timedelta(),
    )


def stored_lead(
    rule_set: RuleSet,
    team: Team | None,
    *,
    owner_id: int,
    lead_id: int,
    offers: Sequence[Offer] = (),
    claim: Claim | None = None,
    lapses_at: datetime | None = None,
    unclaimed_at: datetime | None = None,
    is_junk: bool = False,
) -> Lead:
    """Returns a lead as it is stored, by the present rules; `team`: as it was in those that decided the lead."""
    return replace(
        _new_lead(rule_set, team, lead_id, with_fallback(rule_set, tuple(offers))),
        owner_id=owner_id,
        claim=claim,
        lapses_at=lapses_at,
        unclaimed_at=unclaimed_at,
        is_junk=is_junk,
        was_offered_to_owner=any(offer.user_id == owner_id and _is_left_to_owner(offer) for offer in offers),
    )


def _is_left_to_owner(offer: Offer) -> bool:
    """Whether nothing else fitted; the offer of an owner who is in the line-up keeps its team."""
    return offer.reason == NO_MEMBER_AVAILABLE or (offer.team_id is None and offer.reason is not None)


def wait_of(team: Team | None) -> timedelta:
    """Returns how long after the last notification a lead becomes unclaimed."""
    return max(SHORTEST_WAIT, minutes(team.mins_until_next_alert)) if team else SHORTEST_WAIT


def unavailable(rule_set: RuleSet, offers: Sequence[Offer], attendance: Attendance | None = None) -> dict[int, Absence]:
    """Returns who of the line-up cannot be offered the lead now, or is not a member any more, and why.

    `attendance` None: no member of the teams can be away.
    """
    absences = {}
    for offer in offers:
        if offer.state == "scheduled" or (offer.state == "skipped" and offer.team_id is not None):
            absence = _why_gone(rule_set, offer)
            if absence is None and attendance is not None:
                absence = attendance.absences(offer.team_id).get(offer.user_id)
            if absence is not None:
                absences[offer.user_id] = absence
    return absences


def _why_gone(rule_set: RuleSet, offer: Offer) -> Absence | None:
    """Only members have scheduled offers, so the team of an offer without one has been removed."""
    team = rule_set.rules.teams.get(offer.team_id or 0)
    if team is None:
        return Absence(reason=TEAM_REMOVED)
    queue = ordered_team(rule_set, team)
    return queue.absent.get(offer.user_id) if offer.user_id in queue.members else Absence(reason=LEFT_TEAM)


def departed(rule_set: RuleSet, lead: Lead) -> dict[int, str]:
    """Returns who was offered the lead through a team and has left it, or has a closed account, and why."""
    return {
        offer.user_id: reason
        for offer in lead.offers
        if offer.team_id is not None and (reason := why_departed(rule_set, lead.owner_id, offer)) is not None
    }


def refuse_when_departed(rule_set: RuleSet, lead: Lead, user_id: int) -> None:
    """Raises NotFound for a member who has left since an open lead was offered."""
    for offer in lead.offers if lead.claim is None else ():
        if offer.user_id == user_id and why_departed(rule_set, lead.owner_id, offer) is not None:
            raise NotFound.record(lead.id)


def why_departed(rule_set: RuleSet, owner_id: int, offer: Offer) -> str | None:
    """Returns why a member cannot claim an offer of a team any more, or None. The owner needs no membership."""
    team = rule_set.rules.teams.get(offer.team_id or 0)
    person = rule_set.rules.people.get(offer.user_id)
    if team is None:
        return None
    member = next((each for each in team.members if each.user_id == offer.user_id), None)
    if offer.user_id != owner_id and (member is None or member.request_status != "Accepted"):
        return LEFT_TEAM
    return None if person is None or person.is_active else ACCOUNT_INACTIVE


# ------------------------------------------------------------------------------------------------------------- why


def explain(rule_set: RuleSet, facts: Facts, offers: Sequence[Offer], route_id: int | None = None) -> dict[str, Any]:
    """Returns the decision as data: each route, how the team was chosen, and for every member when, or why not.

    `route_id` is of the route that was taken, for leads of which facts have been erased.
    """
    route = route_taken(rule_set, facts, route_id)
    choice = choose_team(rule_set, route, facts) if route and route.distribution_target == "Team Rollout" else None
    team = rule_set.rules.teams.get(choice.team_id) if choice and choice.team_id else None
    firsts = _explain_first(rule_set, team, facts, offers)
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
            for each, result, why in consider(rule_set.rules.routes, facts, route_id)
        ],
        "team": {"id": choice.team_id, "how": choice.how} if choice and team else None,
        "members": [
            _explain_member(user_id, why, offers)
            | {"first": firsts.get(user_id), "counted": _explain_count(team, facts, user_id)}
            for user_id, why in _candidates_and_members(team, offers)
        ],
        "outcome": _outcome(rule_set, facts, route, offers),
    }


def _candidates_and_members(team: Team | None, offers: Sequence[Offer]) -> list[tuple[int, str | None]]:
    members = {member.user_id: why_not_in_line_up(member) for member in team.members} if team else {}
    places = {offer.user_id: offer.place for offer in offers}
    user_ids = list(members) + [user_id for user_id in places if user_id not in members]
    user_ids.sort(key=lambda user_id: places.get(user_id, len(places) + len(members)))
    return [(user_id, members.get(user_id)) for user_id in user_ids]


def _explain_member(user_id: int, why: str | None, offers: Sequence[Offer]) -> dict[str, Any]:
    offer = next((offer for offer in offers if offer.user_id == user_id), None)
    if offer is None:
        return _member(user_id, None, None, why or "joined the team later", None)
    return _member(user_id, offer.notify_at, offer.state, offer.reason, offer.available_from)


def _member(
    user_id: int, notify_at: datetime | None, state: str | None, reason: str | None, available_from: datetime | None
) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "notify_at": notify_at,
        "state": state,
        "reason": reason,
        "available_from": available_from,
    }


def _explain_count(team: Team | None, facts: Facts, user_id: int) -> dict[str, Any] | None:
    """What was compared of a member: in numbers, and in words."""
    standing = facts.counted.get(user_id)
    if team is None or standing is None:
        return None
    options = (member.option for member in team.members if member.user_id == user_id)
    return {
        "open_leads": standing.open_leads,
        "on_offer": standing.on_offer,
        "weight": next((option.weight for option in options if option is not None), None),
        "last_lead_at": standing.last_lead_at,
        "text": standing_in_words(standing),
    }


def _explain_first(rule_set: RuleSet, team: Team | None, facts: Facts, offers: Sequence[Offer]) -> dict[int, str]:
    """Why the member who was first in line was; empty where no one is chosen: by rank, by minutes, or all at once."""
    first = next((offer.user_id for offer in offers if offer.place == 0), None)
    if team is None or first is None:
        return {}
    if facts.heads:
        is_listing = facts.mls_id is not None and rule_set.agent_of_listing.get(facts.mls_id) == first
        return {first: WHY_LISTING if is_listing else WHY_RETURNING}
    why = WHY_FIRST.get(team.order_method)
    if why is None or (team.order_method == "Round Robin" and facts.turn is None):
        return {}
    return {first: why}


def _outcome(rule_set: RuleSet, facts: Facts, route: Route | None, offers: Sequence[Offer]) -> str:
    """Returns what the decision came to, as half a sentence."""
    if route is None:
        return f"offered to the owner: {NO_ROUTE}"
    if route.distribution_target == "Myself":
        return "claimed for the owner"
    choice = choose_team(rule_set, route, facts)
    if choice.team_id is None:
        return f"offered to the owner: {choice.how}"
    if all(why_not_in_line_up(member) for member in rule_set.rules.teams[choice.team_id].members):
        return f"offered to the owner: {EMPTY_LINE_UP}"
    if any(offer.reason == NO_MEMBER_AVAILABLE for offer in offers):
        return f"offered to the owner: {NO_MEMBER_AVAILABLE}"
    return "offered to the team"

"""Says in sentences what a route does and how a team offers its leads, for the people who set them up.

Each follows what matching and line-up do; nothing is decided here.
"""

from typing import Final, Literal

from msgspec import Struct

Goal = Literal["team", "zipcode", "owner", "none"]


class TeamWords(Struct, frozen=True, kw_only=True):
    """What a sentence says of a team. Without a name: one that is still to be chosen."""

    name: str | None = None
    order_method: str = "Rank"
    mins_until_next_alert: int = 0
    offer_mode: str = "Cumulative"
    when_nobody_is_available: str | None = None  # None: it is not known


class RouteWords(Struct, frozen=True, kw_only=True):
    """What a sentence says of a route. Names that are None are still to be chosen."""

    lead_source: str | None
    contact_source: str | None
    filter: str | None
    goal: Goal
    team: TeamWords | None
    campaign: str | None
    campaign_start: str
    is_active: bool = True
    conditions: str | None = None  # as a sentence without an end
    is_same_agent: bool = False  # whoever comes back is offered to their agent first


def route_sentences(route: RouteWords, *, with_team: bool = True) -> tuple[str, ...]:
    """Returns what happens with a lead that the route matches; `with_team`: also how its team offers a lead."""
    sentences = [f"Leads {_which(route)} {_where(route)}."]
    if route.conditions:
        sentences.append(f"Only if {route.conditions}.")
    if (route.contact_source or "").casefold() not in ("", (route.lead_source or "").casefold()):
        sentences.append(f"Only contacts whose source is {route.contact_source}, or who have none.")
    if with_team and route.goal == "team" and route.team is not None and route.team.name:
        sentences += team_sentences(route.team)
    if route.is_same_agent and route.goal in ("team", "zipcode"):
        sentences.append("Whoever comes back is offered to their agent first, if the agent is available.")
    start = "when someone claims the lead" if _waits_for_claim(route) else "when the lead comes in"
    sentences.append(f"{_campaign(route.campaign)} starts {start}.")
    if not route.is_active:
        sentences.append("It is switched off, so no lead takes it.")
    return tuple(sentences)


def _which(route: RouteWords) -> str:
    kind = f"of the type {route.filter} " if route.filter else ""
    return f"{kind}from {route.lead_source or 'the source that you choose'}"


def _where(route: RouteWords) -> str:
    match route.goal:
        case "owner":
            return "are yours at once"
        case "zipcode":
            return "are offered to the team that has the lead's ZIP code; if no team has it, to you"
        case "none":
            return "are offered to you, and to no team"
    name = route.team.name if route.team is not None else None
    return f"are offered to the team {name}" if name else "are offered to the team that you choose"


def _waits_for_claim(route: RouteWords) -> bool:
    return route.campaign_start == "Claim" and route.goal != "owner"


def _campaign(name: str | None) -> str:
    return f"The campaign “{name}”" if name else "The campaign that you choose"


def team_sentences(team: TeamWords) -> tuple[str, ...]:
    """Returns how the members of a team are offered a lead, who of them may claim it, and what if no one is there."""
    how = _how(team.order_method, team.mins_until_next_alert)
    if team.offer_mode == "Exclusive":
        claim = "Only the member who was offered it last may claim it."
    else:
        claim = "Whoever claims it first has it."
    if_no_one = _IF_NO_ONE.get(team.when_nobody_is_available or "", "")
    return tuple(each for each in (how and f"{how}.", claim, if_no_one) if each)


_IF_NO_ONE: Final = {
    "Owner": "If no one is available, it is offered to you.",
    "Hold": "If no one is available, it waits for whoever is back first; if that is not known, it is offered to you.",
    "Offer Anyway": "If no one is available, it is offered as usual, but to no one who is paused.",
}


def _how(order_method: str, minutes: int) -> str:
    apart = f"{_minutes(minutes)} apart" if minutes else "all at once"
    match order_method:
        case "Rank":
            return f"Members are offered a lead in their order, {apart}" if minutes else _ALL_AT_ONCE
        case "Time":
            return "Members are offered a lead after the minutes that are set for each of them"
        case "Round Robin":
            return f"Members take turns in being offered a lead first; the others follow, {apart}"
        case "Simultaneous":
            return _ALL_AT_ONCE
        case "Least Loaded":
            return f"The member with the fewest open leads is offered a lead first; the others follow, {apart}"
        case "Longest Idle":
            return f"The member who has waited longest is offered a lead first; the others follow, {apart}"
    return ""


_ALL_AT_ONCE = "All members are offered a lead at once"


def _minutes(number: int) -> str:
    if number and number % 60 == 0:
        return "1 hour" if number == 60 else f"{number // 60} hours"
    return "1 minute" if number == 1 else f"{number} minutes"

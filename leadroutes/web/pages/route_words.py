"""The words for routes and teams that their pages share: choices, and sentences from records or from forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadroutes.domain.model import ORDER_METHODS, ReturningContact
from leadroutes.domain.sentences import Goal, RouteWords, TeamWords, route_sentences
from leadroutes.errors import Invalid
from leadroutes.web.forms import read_id
from leadroutes.web.page import Stale, Visit
from leadroutes.web.sent import Sent

SAME, NEW = "same", "new"  # choices that make a record
MOST = 200  # records in one choice

GOALS: Mapping[Goal, str] = {
    "team": "A team: its members are offered the lead",
    "zipcode": "The team that has the lead's ZIP code",
    "owner": "You: the lead is yours at once",
    "none": "You: the lead is offered to you, and you claim it",
}
RETURNING = {
    "Same Agent": "Their agent is offered the lead first, if in the team and available",
    "Route Again": "Like everyone else: whoever is next is offered the lead",
}
STARTS = {"Arrival": "when the lead comes in", "Claim": "when someone claims the lead"}
TYPES = ("Buyer", "Seller", "Renter")  # offered while one types; any other is taken, too

METHODS = {
    "Rank": "In their order (Rank)",
    "Time": "Each after minutes of their own (Time)",
    "Round Robin": "By turns (Round Robin)",
    "Simultaneous": "All at once (Simultaneous)",
    "Least Loaded": "Fewest open leads first (Least Loaded)",
    "Longest Idle": "Longest without a lead first (Longest Idle)",
}
METHOD_CHOICES = [(name, METHODS.get(name, name)) for name in ORDER_METHODS]
MODES = {
    "Cumulative": "Everyone who has been offered it (Cumulative)",
    "Exclusive": "Only the member who was offered it last (Exclusive)",
}
WHEN_NOBODY = {
    "Owner": "The lead is offered to you (Owner)",
    "Hold": "It waits for whoever is back first (Hold)",
    "Offer Anyway": "It is offered as usual, but to no one who is paused (Offer Anyway)",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the fields of a route may name: records of the API, with id and name."""

    lead_sources: list[dict[str, Any]]
    contact_sources: list[dict[str, Any]]
    campaigns: list[dict[str, Any]]
    teams: list[dict[str, Any]]
    custom_fields: list[dict[str, Any]]

    def with_those_of(self, route: Mapping[str, Any]) -> "Choices":
        """The same with what this route names already, should it be beyond the first that are listed."""
        lists = {"lead_source": self.lead_sources, "contact_source": self.contact_sources, "campaign": self.campaigns}
        for name, records in lists.items():
            if all(each["id"] != route[name]["id"] for each in records):
                records.append(route[name])
        if route["team"] and all(each["id"] != route["team"]["id"] for each in self.teams):
            self.teams.append(route["team"] | {"order_method": "", "offer_mode": ""})
        return self


async def load_choices(visit: Visit) -> Choices:
    named = {"$select": "name"}
    return Choices(
        await visit.api.records("/lead-sources", named, most=MOST),
        await visit.api.records("/contact-sources", named | {"$sort[name]": 1}, most=MOST),
        await visit.api.records("/campaigns", named | {"$sort[name]": 1}, most=MOST),
        await visit.api.records("/teams", {"user_id": visit.viewer.owner_id, "$sort[name]": 1}, most=MOST),
        await visit.api.records("/custom-fields", {"user_id": visit.viewer.owner_id, "$select": "name"}, most=MOST),
    )


def goal_of(route: Mapping[str, Any]) -> Goal:
    if route["distribution_target"] == "Myself":
        return "owner"
    goals: dict[str | None, Goal] = {"Specific Team": "team", "Zipcode": "zipcode"}
    return goals.get(route["team_selection_method"], "none")


def sentences_of(
    route: Mapping[str, Any], team: Mapping[str, Any] | None = None, *, with_team: bool
) -> tuple[str, ...]:
    """Returns what a route does; `team` is its team as /teams shows it."""
    words = RouteWords(
        lead_source=route["lead_source"]["name"],
        contact_source=route["contact_source"]["name"],
        filter=route["filter"],
        goal=goal_of(route),
        team=team_words(team or route["team"]),
        campaign=route["campaign"]["name"],
        campaign_start=route["campaign_start"],
        is_active=route["is_active"],
        conditions=route["conditions_text"],
        is_same_agent=route["returning_contact"] == "Same Agent",
    )
    return route_sentences(words, with_team=with_team)


def team_words(team: Mapping[str, Any] | None) -> TeamWords | None:
    if team is None:
        return None
    return TeamWords(
        name=team["name"],
        order_method=str(team["order_method"]),
        mins_until_next_alert=team["mins_until_next_alert"],
        offer_mode=team.get("offer_mode") or "Cumulative",
        when_nobody_is_available=team.get("when_nobody_is_available"),
    )


def sentences_typed(sent: Sent, choices: Choices, conditions: str | None) -> tuple[str, ...]:
    """Returns what the route would do that is being filled in; `conditions` is the sentence of its conditions."""
    source = _name(choices.lead_sources, sent.get("lead_source_id"))
    team = next((each for each in choices.teams if str(each["id"]) == sent.get("team_id")), None)
    campaign = sent.get("campaign_id")
    is_same = sent.get("contact_source_id") in ("", SAME)
    return route_sentences(
        RouteWords(
            lead_source=source,
            contact_source=source if is_same else _name(choices.contact_sources, sent.get("contact_source_id")),
            filter=sent.text("filter"),
            goal=typed_goal(sent),
            team=team_words(team),
            campaign=new_campaign_name(source) if campaign == NEW and source else _name(choices.campaigns, campaign),
            campaign_start="Claim" if sent.get("campaign_start") == "Claim" else "Arrival",
            is_active=sent.is_checked("is_active"),
            conditions=conditions,
            is_same_agent=typed_returning(sent) == "Same Agent",
        )
    )


def typed_goal(sent: Sent) -> Goal:
    return next((goal for goal in GOALS if goal == sent.get("goal")), "team")


def typed_returning(sent: Sent) -> ReturningContact:
    return "Route Again" if sent.get("returning_contact") == "Route Again" else "Same Agent"


def new_campaign_name(source: str | None) -> str:
    return f"{source or 'New'} follow-up"


def read_button(sent: Sent, words: tuple[str, ...]) -> tuple[str, int]:
    """Returns what the button of a list says, and of which record: `up-5`. Raises Invalid."""
    word, _, id_text = sent.get("press").partition("-")
    id_ = read_id(id_text)
    if word not in words or id_ is None:
        raise Invalid(f"press: {sent.get('press')[:40]!r} was given; expected one of the page's buttons.")
    return word, id_


def compared(stale: Stale, body: Mapping[str, Any], labels: Mapping[str, str]) -> Stale:
    """Returns it with the fields that differ between what is stored and what was typed, in words."""
    differences = [
        (labels[name], _shown(stale.now[name]), _shown(value))
        for name, value in body.items()
        if stale.now[name] != value
    ]
    return Stale(stale.now, differences or [("Here", "nothing that this form shows", "the same")])


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value is not None else "none"


def _name(records: list[dict[str, Any]], id_text: str) -> str | None:
    return next((each["name"] for each in records if str(each["id"]) == id_text), None)

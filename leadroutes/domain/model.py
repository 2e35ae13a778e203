"""The nouns of the domain, frozen: the rule set that decisions depend on, a lead with its rollout, and what changes.

Ids are those of the API; moments are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from leadroutes.domain.turns import Turns

OfferState = Literal["scheduled", "notified", "declined", "expired", "skipped", "withdrawn", "won", "lost"]
Via = Literal["None", "Email", "Text", "Phone", "Assigned", "Auto"]
ChannelName = Literal["email", "text", "call", "webhook"]
MessageKind = Literal["offer", "won", "claimed", "unclaimed", "campaign"]

SHORTEST_WAIT = timedelta(minutes=15)  # before a lead that no one claims is unclaimed


# ------------------------------------------------------------------------------------------------ the rule set


class Route(Struct, frozen=True, kw_only=True):
    id: int
    team_id: int | None
    campaign_id: int
    lead_source_id: int
    contact_source_id: int
    distribution_target: Literal["Myself", "Team Rollout"]
    team_selection_method: Literal["Specific Team", "Zipcode"] | None
    filter: str | None
    is_active: bool
    priority: int
    campaign_start: Literal["Arrival", "Claim"]


class DistributionOption(Struct, frozen=True, kw_only=True):
    """How offers of a team reach one member."""

    rank: int | None
    mins_until_lead_offer: int
    assign_automatically: bool
    has_call_alert: bool
    has_text_alert: bool
    has_email_alert: bool
    weight: int


class Member(Struct, frozen=True, kw_only=True):
    user_id: int
    request_status: Literal["Accepted", "Pending", "Declined"]
    option: DistributionOption | None
    option_id: int | None


class Team(Struct, frozen=True, kw_only=True):
    id: int
    order_method: Literal["Rank", "Time", "Round Robin"]
    mins_until_next_alert: int
    offer_mode: Literal["Cumulative", "Exclusive"]
    distribution_zipcodes: tuple[str, ...]
    members: tuple[Member, ...]


class Person(Struct, frozen=True, kw_only=True):
    """What a decision needs to know of the owner or of a member."""

    timezone: str
    phone: str | None
    is_active: bool


class CampaignAction(Struct, frozen=True, kw_only=True):
    id: int
    type: str
    assigned_user_id: int | None
    template_id: int | None
    timing_type: str
    delay_by_days: int | None
    dispatch_time: str | None
    delay_by_seconds: int | None
    dispatch_datetime: datetime | None
    recurrence: str | None
    trigger_type: int
    is_stopped_on_text_reply: bool
    description: str | None


class Rules(Struct, frozen=True, kw_only=True):
    """Everything that a decision about one owner's leads depends on, as it was under one number."""

    owner_id: int
    routes: tuple[Route, ...]
    teams: Mapping[int, Team]
    people: Mapping[int, Person]
    campaigns: Mapping[int, tuple[CampaignAction, ...]]


# ------------------------------------------------------------------------------------------ a lead and its rollout


class Facts(Struct, frozen=True, kw_only=True):
    """What of a lead decides where it goes; stored with the lead, so that the decision can be repeated."""

    lead_source_id: int | None
    contact_source_id: int | None
    type: str | None
    zipcode: str | None  # in its comparable form
    turn: int | None = None  # the user who was first in line under Round Robin


class Offer(Struct, frozen=True, kw_only=True, array_like=True):
    """A lead, to a member, to be notified at a moment. One per lead and user. In JSON an array of its fields."""

    user_id: int
    team_id: int | None
    place: int
    notify_at: datetime
    rank: int | None
    assign_automatically: bool
    has_call_alert: bool
    has_text_alert: bool
    has_email_alert: bool
    state: OfferState = "scheduled"
    reason: str | None = None
    notified_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def channels(self) -> tuple[ChannelName, ...]:
        flags: tuple[tuple[ChannelName, bool], ...] = (
            ("call", self.has_call_alert),
            ("text", self.has_text_alert),
            ("email", self.has_email_alert),
        )
        return tuple(channel for channel, is_set in flags if is_set)


class Claim(Struct, frozen=True, kw_only=True):
    user_id: int
    claimed_at: datetime
    via: Via


class Lead(Struct, frozen=True, kw_only=True):
    """A routed lead with its rollout."""

    owner_id: int
    id: int
    owner_has_phone: bool
    wait: timedelta  # from the last notification until it is unclaimed
    is_exclusive: bool
    offers: tuple[Offer, ...]
    claim: Claim | None = None
    lapses_at: datetime | None = None
    unclaimed_at: datetime | None = None
    was_offered_to_owner: bool = False  # nothing fitted: the owner was alerted when it arrived


# -------------------------------------------------------------------------------- what is computed once


class OrderedTeam(Struct, frozen=True, kw_only=True):
    """A team's members in order, as far as the order is the same for every lead: computed once for a rule set."""

    offers: tuple[Offer, ...]  # in order; their moments depend on the lead's arrival
    delays: tuple[timedelta, ...]  # of each of them, from the lead's arrival
    present: tuple[tuple[int, int], ...]  # in order, with their weights: those who take turns
    absent: Mapping[int, str]  # of all members: who cannot be offered a lead now, and why
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules with indexes, so that a decision takes the same time however many there are."""

    number: int
    rules: Rules
    channels: frozenset[str] = frozenset()  # that this installation can send over; none: every offer counts as notified
    routes_by_source: Mapping[int, tuple[Route, ...]] = field(init=False)
    team_by_zipcode: Mapping[str, int] = field(init=False)
    has_turns: bool = field(init=False)  # of any team
    ordered_teams: dict[int, OrderedTeam] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )  # computed when needed

    def __post_init__(self) -> None:
        routes: dict[int, list[Route]] = {}
        for route in sorted(self.rules.routes, key=precedence):
            routes.setdefault(route.lead_source_id, []).append(route)
        zipcodes: dict[str, int] = {}
        for team in sorted(self.rules.teams.values(), key=lambda team: -team.id):
            zipcodes.update(dict.fromkeys(team.distribution_zipcodes, team.id))
        object.__setattr__(self, "routes_by_source", {source: tuple(found) for source, found in routes.items()})
        object.__setattr__(self, "team_by_zipcode", zipcodes)
        has_turns = any(team.order_method == "Round Robin" for team in self.rules.teams.values())
        object.__setattr__(self, "has_turns", has_turns)

    @property
    def owner(self) -> Person:
        return self.rules.people[self.rules.owner_id]


def precedence(route: Route) -> tuple[int, bool, int]:
    """The order in which routes are tried: priority, one with a filter before one without, lowest id."""
    return (route.priority, not route.filter, route.id)


# ----------------------------------------------------------------------------------------------- what changes


class Message(Struct, frozen=True, kw_only=True):
    """An alert for one user over one channel."""

    kind: MessageKind
    channel: ChannelName
    user_id: int


class LeadEvent(Struct, frozen=True, kw_only=True):
    """An entry in the history of a lead."""

    kind: str
    user_id: int | None = None
    by_user_id: int | None = None
    detail: Mapping[str, object] | None = None


class Change(Struct, frozen=True, kw_only=True):
    """What a decision changes: the lead as it is afterwards, alerts to send and events to record."""

    lead: Lead
    offers: tuple[Offer, ...] = ()  # new or changed ones
    claim: Claim | None = None  # a new one, or one that replaces another
    messages: tuple[Message, ...] = ()
    events: tuple[LeadEvent, ...] = ()


class Decision(Struct, frozen=True, kw_only=True):
    """Where a lead goes: the route, the team, and the first change of the lead."""

    facts: Facts
    change: Change
    route: Route | None = None
    team_id: int | None = None
    turns: Turns | None = None  # of the team, when one was taken

    @property
    def contact_source_id(self) -> int | None:
        """Returns the source that the contact gets, or None if it has one or no route matches."""
        return self.route.contact_source_id if self.route and self.facts.contact_source_id is None else None

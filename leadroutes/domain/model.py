"""The nouns of the domain, frozen: the rule set that decisions depend on, a lead with its rollout, and what changes.

Ids are those of the API; moments are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from msgspec import Struct

from leadroutes.domain.condition_fields import FactValue
from leadroutes.domain.conditions import Conditions
from leadroutes.domain.identity import comparable_mls_id
from leadroutes.domain.turns import Turns

OfferState = Literal["scheduled", "notified", "declined", "expired", "skipped", "withdrawn", "won", "lost"]
Via = Literal["None", "Email", "Text", "Phone", "Assigned", "Auto"]
WhenNobody = Literal["Owner", "Hold", "Offer Anyway"]
WHEN_NOBODY: Final[tuple[WhenNobody, ...]] = get_args(WhenNobody)
OrderMethod = Literal["Rank", "Time", "Round Robin", "Simultaneous", "Least Loaded", "Longest Idle"]
ORDER_METHODS: Final[tuple[OrderMethod, ...]] = get_args(OrderMethod)  # each at its number in a lead route
ReturningContact = Literal["Route Again", "Same Agent"]
RETURNING_CONTACTS: Final[tuple[ReturningContact, ...]] = get_args(ReturningContact)
ChannelName = Literal["email", "text", "call", "webhook", "push"]
MessageKind = Literal[
    "offer", "won", "claimed", "unclaimed", "campaign", "reoffer", "given_back", "handover", "handover_declined",
    "untold", "junk",
]  # fmt: skip

COUNTING_METHODS = frozenset({"Least Loaded", "Longest Idle"})  # whose order depends on what members have
SHORTEST_WAIT = timedelta(minutes=15)  # before a lead that no one claims is unclaimed
OPEN_FOR = timedelta(days=30)  # by default: how old a lead may be that still counts as open


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
    conditions: Conditions | None = None
    returning_contact: ReturningContact = "Route Again"
    name: str | None = None

    @property
    def is_selective(self) -> bool:
        """Whether it takes only some of the leads of its sources."""
        return bool(self.filter) or self.conditions is not None


class DistributionOption(Struct, frozen=True, kw_only=True):
    """How offers of a team reach one member."""

    rank: int | None
    mins_until_lead_offer: int
    assign_automatically: bool
    has_call_alert: bool
    has_text_alert: bool
    has_email_alert: bool
    weight: int
    is_paused: bool = False
    paused_until: datetime | None = None  # None: the pause has no end
    max_open_leads: int | None = None
    max_leads_per_day: int | None = None
    max_leads_per_week: int | None = None
    has_night_calls: bool = False

    @property
    def has_caps(self) -> bool:
        return not (self.max_open_leads is None and self.max_leads_per_day is None and self.max_leads_per_week is None)


class Member(Struct, frozen=True, kw_only=True):
    user_id: int
    request_status: Literal["Accepted", "Pending", "Declined"]
    option: DistributionOption | None
    option_id: int | None
    id: int | None = None  # None: the rule set was stored before it was part of it


class Team(Struct, frozen=True, kw_only=True):
    id: int
    order_method: OrderMethod
    mins_until_next_alert: int
    offer_mode: Literal["Cumulative", "Exclusive"]
    distribution_zipcodes: tuple[str, ...]
    members: tuple[Member, ...]
    when_nobody_is_available: WhenNobody = "Owner"
    # What no decision depends on, and a rule set as a value has to hold.
    name: str = ""
    is_handover_free: bool = False
    connect_on_claim: bool = False
    is_contact_resource_sharing_enabled: bool = False


class ListingAgent(Struct, frozen=True, kw_only=True):
    """Who is the agent of a listing."""

    id: int
    mls_id: str
    user_id: int


class AlertChoice(Struct, frozen=True, kw_only=True):
    """Over which channels a user wants the alerts that a decision makes; of offers the distribution option says it.

    "notice" among those of `claimed` means the channel of the alert about the offer.
    """

    won: tuple[str, ...]
    claimed: tuple[str, ...]
    unclaimed: tuple[str, ...]

    def without(self, channel: str) -> "AlertChoice":
        """Returns the same without a channel, which cannot reach the user."""
        won, claimed, unclaimed = (
            tuple(each for each in chosen if each != channel) for chosen in (self.won, self.claimed, self.unclaimed)
        )
        return AlertChoice(won=won, claimed=claimed, unclaimed=unclaimed)


class Person(Struct, frozen=True, kw_only=True):
    """What a decision needs to know of the owner or of a member. `alerts` None: the user has chosen none.

    `may_be_away`: the user has set hours, a pause or time off at some time; of others nothing of that is read.
    """

    timezone: str
    phone: str | None
    is_active: bool
    alerts: AlertChoice | None = None
    may_be_away: bool = False

    @property
    def reachable(self) -> AlertChoice | None:
        """What the user has chosen, without what needs a phone if there is none."""
        return self.alerts if self.alerts is None or (self.phone or "").strip() else self.alerts.without("text")


class Variant(Struct, frozen=True, kw_only=True):
    """A template, and how many parts of all contacts get it."""

    template_id: int
    share: int


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
    variants: tuple[Variant, ...] | None = None  # in place of template_id


class Rules(Struct, frozen=True, kw_only=True):
    """Everything that a decision about one owner's leads depends on, as it was under one number."""

    owner_id: int
    routes: tuple[Route, ...]
    teams: Mapping[int, Team]
    people: Mapping[int, Person]
    campaigns: Mapping[int, tuple[CampaignAction, ...]]
    listing_agents: tuple[ListingAgent, ...] = ()


# ------------------------------------------------------------------------------------------ a lead and its rollout


class Absence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a member cannot be offered a lead at a moment.

    `available_from`: when the member will be available, as far as it is known. `kind`: `away` by hours, time off or a
    cap; `paused`; `gone` for what has nothing to do with availability, such as a closed account.
    """

    reason: str
    available_from: datetime | None = None
    kind: Literal["away", "paused", "gone"] = "gone"
    timezone: str = "UTC"  # in which the member reads moments


class Standing(Struct, frozen=True, array_like=True):
    """What was counted of a member for one decision. Stored with the lead.

    `last_place` orders the members by their last leads: 0 is that there never was one, and the largest came last.
    """

    open_leads: int = 0
    on_offer: int = 0
    last_place: int = 0
    last_lead_at: datetime | None = None

    @property
    def load(self) -> int:
        return self.open_leads + self.on_offer


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a lead decides where it goes; stored with the lead, so that the decision can be repeated.

    `named`: what the conditions of the routes of its source ask for and the lead has, by the names of the fields.
    `absent`: who of the team was not available when it was routed, by user.
    `assigned_user_id` is the contact's agent, `mls_id` the listing in its comparable form, where rules ask for them;
    `heads` are those of the agents who came before the usual line. `counted`: how the members stood, where the order of
    the team depends on that.
    """

    lead_source_id: int | None
    contact_source_id: int | None
    type: str | None
    zipcode: str | None  # in its comparable form
    turn: int | None = None  # the user who was first in line under Round Robin
    named: dict[str, FactValue] = {}
    absent: dict[int, Absence] = {}
    assigned_user_id: int | None = None
    mls_id: str | None = None
    heads: tuple[int, ...] = ()
    counted: dict[int, Standing] = {}
    is_erased: bool = False  # what is personal in `named` has been replaced by `erased`


_CHANNELS: Final[Mapping[tuple[bool, bool, bool], tuple[ChannelName, ...]]] = {  # by whether each alert is wanted
    (False, False, False): (),
    (False, False, True): ("email",),
    (False, True, False): ("text",),
    (False, True, True): ("text", "email"),
    (True, False, False): ("call",),
    (True, False, True): ("call", "email"),
    (True, True, False): ("call", "text"),
    (True, True, True): ("call", "text", "email"),
}


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
    available_from: datetime | None = None  # beside a reason; of a scheduled offer: the lead waits for the member

    @property
    def channels(self) -> tuple[ChannelName, ...]:
        return _CHANNELS[self.has_call_alert, self.has_text_alert, self.has_email_alert]


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
    is_junk: bool = False
    alerts: Mapping[int, AlertChoice] = {}  # of the users who have chosen something
    when_nobody_is_available: WhenNobody = "Owner"
    step: timedelta = timedelta()  # between two members who are notified one after the other


# -------------------------------------------------------------------------------- what is computed once


class OrderedTeam(Struct, frozen=True, kw_only=True):
    """A team's members in order, as far as the order is the same for every lead: computed once for a rule set."""

    offers: tuple[Offer, ...]  # in order; their moments depend on the lead's arrival
    delays: tuple[timedelta, ...]  # of each of them, from the lead's arrival
    weights: tuple[int, ...]  # of each of them: what a member gets of the leads, compared with the others
    present: tuple[tuple[int, int], ...]  # in order, with their weights: those who take turns
    absent: Mapping[int, Absence]  # of all members: who cannot be offered a lead under this rule set, and why
    left_out: Mapping[int, str]  # of the accepted members but the owner: who is not in the line-up, and why
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules with indexes, so that a decision takes the same time however many there are."""

    number: int
    rules: Rules
    channels: frozenset[str] = frozenset()  # that this installation can send over; none: every offer counts as notified
    open_for: timedelta = OPEN_FOR  # how old a lead may be on this installation that counts as open
    routes_by_source: Mapping[int, tuple[tuple[str, Route], ...]] = field(init=False)  # with the casefolded filters
    team_by_zipcode: Mapping[str, int] = field(init=False)
    named_by_source: Mapping[int, frozenset[str]] = field(init=False)  # the facts that conditions ask for
    has_turns: bool = field(init=False)  # of any team
    limited_teams: frozenset[int] = field(init=False)  # with a member who has caps or a pause, or may be away
    counting_teams: Mapping[int, tuple[int, ...]] = field(init=False)  # with those of them that share members
    same_agent_sources: frozenset[int] = field(init=False)  # of routes whose returning contacts have the same agent
    agent_of_listing: Mapping[str, int] = field(init=False)  # users by the comparable number of a listing
    alerts: Mapping[int, AlertChoice] = field(init=False)  # of the users who have chosen something
    ordered_teams: dict[int, OrderedTeam] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )  # computed when needed

    def __post_init__(self) -> None:
        routes: dict[int, list[tuple[str, Route]]] = {}
        for route in sorted(self.rules.routes, key=precedence):
            routes.setdefault(route.lead_source_id, []).append(((route.filter or "").casefold(), route))
        named: dict[int, set[str]] = {}
        for route in self.rules.routes:
            if route.conditions is not None and route.is_active:
                named.setdefault(route.lead_source_id, set()).update(route.conditions.keys)
        zipcodes: dict[str, int] = {}
        for team in sorted(self.rules.teams.values(), key=lambda team: -team.id):
            zipcodes.update(dict.fromkeys(team.distribution_zipcodes, team.id))
        object.__setattr__(self, "routes_by_source", {source: tuple(found) for source, found in routes.items()})
        object.__setattr__(self, "named_by_source", {source: frozenset(keys) for source, keys in named.items()})
        object.__setattr__(self, "team_by_zipcode", zipcodes)
        has_turns = any(team.order_method == "Round Robin" for team in self.rules.teams.values())
        object.__setattr__(self, "has_turns", has_turns)
        limited = (team.id for team in self.rules.teams.values() if any(map(self.is_limited_member, team.members)))
        object.__setattr__(self, "limited_teams", frozenset(limited))
        object.__setattr__(self, "counting_teams", _counting_teams(self.rules.teams))
        same = (route.lead_source_id for route in self.rules.routes if route.returning_contact == "Same Agent")
        object.__setattr__(self, "same_agent_sources", frozenset(same))
        agents = ((comparable_mls_id(each.mls_id), each.user_id) for each in self.rules.listing_agents)
        object.__setattr__(self, "agent_of_listing", {key: user_id for key, user_id in agents if key is not None})
        chosen = {user_id: each.reachable for user_id, each in self.rules.people.items() if each.alerts is not None}
        object.__setattr__(self, "alerts", chosen)

    def is_limited_member(self, member: Member) -> bool:
        """Returns whether the member of a team may be unavailable by hours, time off, a pause or a cap."""
        option, person = member.option, self.rules.people.get(member.user_id)
        if option is None:
            return False
        return option.is_paused or option.has_caps or (person is not None and person.may_be_away)

    @property
    def owner(self) -> Person:
        return self.rules.people[self.rules.owner_id]


def _counting_teams(teams: Mapping[int, Team]) -> dict[int, tuple[int, ...]]:
    """Returns, for each team whose order depends on counts, all of those teams whose leads change its counts."""
    members = {
        team.id: {member.user_id for member in team.members}
        for team in teams.values()
        if team.order_method in COUNTING_METHODS
    }
    return {
        team_id: tuple(sorted({team_id, *(other for other, theirs in members.items() if users & theirs)}))
        for team_id, users in members.items()
    }


def precedence(route: Route) -> tuple[int, bool, int]:
    """The order in which routes are tried: priority, one with conditions or a filter before one with neither, id."""
    return (route.priority, not route.is_selective, route.id)


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


class Initiator(Struct, frozen=True, kw_only=True):
    """Who did something with a lead, and what that person said about it."""

    user_id: int
    note: str | None = None

    @property
    def detail(self) -> Mapping[str, object] | None:
        return {"note": self.note} if self.note else None


class Change(Struct, frozen=True, kw_only=True):
    """What a decision changes: the lead as it is afterwards, alerts to send and events to record."""

    lead: Lead
    offers: tuple[Offer, ...] = ()  # new or changed ones
    claim: Claim | None = None  # a new one, or one that replaces another
    ends_claim: bool = False  # whoever had the lead has given it back
    messages: tuple[Message, ...] = ()
    events: tuple[LeadEvent, ...] = ()


class Decision(Struct, frozen=True, kw_only=True):
    """Where a lead goes: the route, the team, and the first change of the lead."""

    facts: Facts
    change: Change
    route: Route | None = None
    team_id: int | None = None
    turns: Turns | None = None  # of the team, when one was taken
    left_out: Mapping[int, str] = {}  # who of the team is not in the line-up, and why

    @property
    def contact_source_id(self) -> int | None:
        """Returns the source that the contact gets, or None if it has one or no route matches."""
        return self.route.contact_source_id if self.route and self.facts.contact_source_id is None else None

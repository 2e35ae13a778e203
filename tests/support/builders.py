"""The cast as plain values: a rule set is put together in a line or two."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from leadroutes.domain.model import (
    CampaignAction,
    DistributionOption,
    Facts,
    Lead,
    Member,
    Offer,
    Person,
    Route,
    Rules,
    RuleSet,
    Team,
)

ALICE, BOB, CAROL, DAVE, ERIN = 1, 2, 3, 4, 5
ZILLOW, WEBSITE = 1, 7
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def option(**changes: Any) -> DistributionOption:
    default = DistributionOption(
        rank=1,
        mins_until_lead_offer=0,
        assign_automatically=False,
        has_call_alert=False,
        has_text_alert=False,
        has_email_alert=True,
        weight=1,
    )
    return replace(default, **changes)


def member(user_id: int, request_status: Any = "Accepted", **changes: Any) -> Member:
    return Member(user_id=user_id, request_status=request_status, option=option(**changes), option_id=user_id)


def team(*members: Member, **changes: Any) -> Team:
    default = Team(
        id=10,
        order_method="Rank",
        mins_until_next_alert=5,
        offer_mode="Cumulative",
        distribution_zipcodes=(),
        members=members,
    )
    return replace(default, **changes)


def ranked(*user_ids: int, **changes: Any) -> Team:
    """A team whose members are notified one after the other, five minutes apart."""
    return team(*(member(user_id, rank=rank) for rank, user_id in enumerate(user_ids, 1)), **changes)


def route(**changes: Any) -> Route:
    default = Route(
        id=100,
        team_id=10,
        campaign_id=1,
        lead_source_id=ZILLOW,
        contact_source_id=1,
        distribution_target="Team Rollout",
        team_selection_method="Specific Team",
        filter=None,
        is_active=True,
        priority=0,
        campaign_start="Arrival",
    )
    return replace(default, **changes)


def rule_set(
    *parts: Route | Team | CampaignAction, inactive: tuple[int, ...] = (), phone: str | None = None
) -> RuleSet:
    """Alice's rules, made of routes and teams."""
    people = {
        user_id: Person(
            timezone="America/Denver", phone=phone if user_id == ALICE else None, is_active=user_id not in inactive
        )
        for user_id in (ALICE, BOB, CAROL, DAVE, ERIN)
    }
    return RuleSet(
        7,
        Rules(
            owner_id=ALICE,
            routes=tuple(part for part in parts if isinstance(part, Route)),
            teams={part.id: part for part in parts if isinstance(part, Team)},
            people=people,
            campaigns={},
        ),
    )


def facts(**changes: Any) -> Facts:
    return replace(Facts(lead_source_id=ZILLOW, contact_source_id=None, type="Buyer", zipcode="80205"), **changes)


def states(lead: Lead) -> dict[int, str]:
    return {offer.user_id: offer.state for offer in lead.offers}


def offer_of(lead: Lead, user_id: int) -> Offer:
    return next(offer for offer in lead.offers if offer.user_id == user_id)

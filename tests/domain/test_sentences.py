"""What routes and teams do, in words."""

import pytest
from msgspec.structs import replace

from leadroutes.domain.sentences import RouteWords, TeamWords, route_sentences, team_sentences

NORTH_SIDE = TeamWords(name="North Side", mins_until_next_alert=5)
ROUTE = RouteWords(
    lead_source="Zillow", contact_source="Zillow", filter=None, goal="team", team=NORTH_SIDE, campaign="Buyers",
    campaign_start="Arrival",
)  # fmt: skip
STARTS = "The campaign “Buyers” starts when the lead comes in."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ["Leads from Zillow are offered to the team North Side.", STARTS]),
        ({"filter": "Buyer"}, ["Leads of the type Buyer from Zillow are offered to the team North Side.", STARTS]),
        (
            {"conditions": "state is CO"},
            ["Leads from Zillow are offered to the team North Side.", "Only if state is CO.", STARTS],
        ),
        ({"filter": ""}, ["Leads from Zillow are offered to the team North Side.", STARTS]),
        (
            {"contact_source": "Referral"},
            [
                "Leads from Zillow are offered to the team North Side.",
                "Only contacts whose source is Referral, or who have none.",
                STARTS,
            ],
        ),
        ({"contact_source": "ZILLOW"}, ["Leads from Zillow are offered to the team North Side.", STARTS]),
        (
            {"goal": "zipcode", "team": None},
            [
                "Leads from Zillow are offered to the team that has the lead's ZIP code; if no team has it, to you.",
                STARTS,
            ],
        ),
        ({"goal": "owner", "team": None}, ["Leads from Zillow are yours at once.", STARTS]),
        ({"goal": "owner", "campaign_start": "Claim"}, ["Leads from Zillow are yours at once.", STARTS]),
        ({"goal": "none"}, ["Leads from Zillow are offered to you, and to no team.", STARTS]),
        (
            {"campaign_start": "Claim"},
            [
                "Leads from Zillow are offered to the team North Side.",
                "The campaign “Buyers” starts when someone claims the lead.",
            ],
        ),
        (
            {"is_same_agent": True},
            [
                "Leads from Zillow are offered to the team North Side.",
                "Whoever comes back is offered to their agent first, if the agent is available.",
                STARTS,
            ],
        ),
        ({"is_same_agent": True, "goal": "owner", "team": None}, ["Leads from Zillow are yours at once.", STARTS]),
        (
            {"is_active": False},
            [
                "Leads from Zillow are offered to the team North Side.",
                STARTS,
                "It is switched off, so no lead takes it.",
            ],
        ),
        (
            {"lead_source": None, "contact_source": None, "team": None, "campaign": None},
            [
                "Leads from the source that you choose are offered to the team that you choose.",
                "The campaign that you choose starts when the lead comes in.",
            ],
        ),
    ],
)
def test_a_route_is_said_in_sentences(changed: dict[str, object], said: list[str]) -> None:
    assert list(route_sentences(replace(ROUTE, **changed), with_team=False)) == said


def test_the_team_is_explained_with_the_route() -> None:
    said = route_sentences(ROUTE)
    assert said[1:3] == team_sentences(NORTH_SIDE)
    assert len(route_sentences(replace(ROUTE, goal="zipcode", team=None))) == 2


@pytest.mark.parametrize(
    ("method", "minutes", "said"),
    [
        ("Rank", 5, "Members are offered a lead in their order, 5 minutes apart."),
        ("Rank", 1, "Members are offered a lead in their order, 1 minute apart."),
        ("Rank", 60, "Members are offered a lead in their order, 1 hour apart."),
        ("Rank", 120, "Members are offered a lead in their order, 2 hours apart."),
        ("Rank", 0, "All members are offered a lead at once."),
        ("Time", 0, "Members are offered a lead after the minutes that are set for each of them."),
        ("Round Robin", 5, "Members take turns in being offered a lead first; the others follow, 5 minutes apart."),
        ("Round Robin", 0, "Members take turns in being offered a lead first; the others follow, all at once."),
        ("Simultaneous", 5, "All members are offered a lead at once."),
        (
            "Least Loaded",
            5,
            "The member with the fewest open leads is offered a lead first; the others follow, 5 minutes apart.",
        ),
        (
            "Longest Idle",
            5,
            "The member who has waited longest is offered a lead first; the others follow, 5 minutes apart.",
        ),
    ],
)
def test_a_team_is_said_in_sentences(method: str, minutes: int, said: str) -> None:
    team = TeamWords(name="North Side", order_method=method, mins_until_next_alert=minutes)
    assert team_sentences(team) == (said, "Whoever claims it first has it.")


def test_who_may_claim_is_said() -> None:
    team = TeamWords(name="North Side", offer_mode="Exclusive")
    assert team_sentences(team)[1] == "Only the member who was offered it last may claim it."


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("Owner", "If no one is available, it is offered to you."),
        (
            "Hold",
            "If no one is available, it waits for whoever is back first; if that is not known, it is offered to you.",
        ),
        ("Offer Anyway", "If no one is available, it is offered as usual, but to no one who is paused."),
    ],
)
def test_what_happens_when_no_one_is_available_comes_last(what: str, said: str) -> None:
    team = replace(NORTH_SIDE, when_nobody_is_available=what)
    assert team_sentences(team) == (*team_sentences(NORTH_SIDE), said)
    assert said in route_sentences(replace(ROUTE, team=team))


def test_a_method_without_words_says_only_who_may_claim() -> None:
    assert team_sentences(TeamWords(order_method="Tarot")) == ("Whoever claims it first has it.",)

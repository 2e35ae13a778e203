"""Rules to lay documents over, the names in them, and what a document would change."""

from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from leadroutes.domain.laid_over import laid_over
from leadroutes.domain.model import ListingAgent, Member, Route, Rules, Team
from leadroutes.domain.rule_difference import Sentences, difference
from leadroutes.domain.rule_document import RuleDocument
from leadroutes.domain.rule_fields import CAMPAIGN, STEP
from leadroutes.domain.rule_records import Names, Records, records_of
from tests.support.builders import ALICE, BOB, CAROL, DAVE, ZILLOW, option, route, rule_set, team

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20).filter(
    str.strip
)
NAMES = Names(
    lead_sources={ZILLOW: "Zillow", 7: "Website", 1000: "Website"},
    contact_sources={1: "Portals", 2: "Portals", 3: "yes"},
    campaigns={1: "Buyers", 2: "Sellers: all of them"},
    templates={1: "Hello", 2: "Hello", 3: "no"},
    people={ALICE: "alice@example.com", BOB: "Bob@example.com", CAROL: "carol@example.com", DAVE: "dave@example.com"},
    custom_fields=("Budget",),
)


def member(user_id: int, member_id: int, request_status: Any = "Accepted", **changes: Any) -> Member:
    return Member(
        id=member_id, user_id=user_id, request_status=request_status, option=option(**changes), option_id=member_id + 1
    )


def rules(*parts: Route | Team | ListingAgent) -> Rules:
    agents = tuple(each for each in parts if isinstance(each, ListingAgent))
    return replace(
        rule_set(*(each for each in parts if not isinstance(each, ListingAgent))).rules, listing_agents=agents
    )


DENVER = team(member(ALICE, 20, rank=1), member(BOB, 22, rank=2), name="Denver")
RULES = rules(DENVER, route(name="Portals"), route(id=101, filter="Seller", priority=5))


def over(
    content: dict[str, Any], present: Rules = RULES, campaigns: Records | None = None, *, prune: bool = False
) -> list[str]:
    """The difference that a document makes, or what is wrong with it."""
    campaigns = campaigns or {CAMPAIGN.name: {}, STEP.name: {}}
    found = laid_over(RuleDocument(content), present, NAMES, campaigns, prune=prune)
    if found.faults:
        return [f"{fault.field} | {fault.message}" for fault in found.faults]
    before, after = records_of(present) | campaigns, records_of(found.rules) | found.campaigns
    added = {each["id"]: each["name"] for each in found.campaigns[CAMPAIGN.name].values()}
    return Sentences(replace_names(present, added)).of(difference(before, after))


def replace_names(present: Rules, campaigns: dict[int, str]) -> Names:
    return Names(
        lead_sources=NAMES.lead_sources, contact_sources=NAMES.contact_sources,
        campaigns={**NAMES.campaigns, **campaigns},
        templates=NAMES.templates, people=NAMES.people, teams={each.id: each.name for each in present.teams.values()},
    )  # fmt: skip

"""An account as the checks of its rules look at it: what several of them look up, found once. Pure."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

from leadroutes.domain.lineup import why_not_in_line_up, why_unavailable
from leadroutes.domain.model import CampaignAction, DistributionOption, Member, Route, Team, precedence
from leadroutes.domain.rule_findings import (
    CAMPAIGNS,
    OPTIONS,
    ROUTES,
    SOURCES,
    TEAMS,
    TEMPLATES,
    UNSTORED,
    USERS,
    CheckedAccount,
)


class FaultyRecord(NamedTuple):
    """What a check finds, before its code and severity are added."""

    resource: str
    id: int | None
    message: str
    see: Sequence[tuple[str, int | None]] = ()


class Candidate(NamedTuple):
    """An accepted member with an option and an active account."""

    team: Team
    member: Member
    option: DistributionOption

    @property
    def channels(self) -> tuple[str, ...]:
        option = self.option
        flags = (("call", option.has_call_alert), ("text", option.has_text_alert), ("email", option.has_email_alert))
        return tuple(channel for channel, is_set in flags if is_set)

    @property
    def reference(self) -> tuple[str, int | None]:
        return OPTIONS, self.member.option_id


class CheckedRules:
    """An account with what several checks look up."""

    def __init__(self, account: CheckedAccount) -> None:
        self.account, self.rule_set, self.rules = account, account.rule_set, account.rule_set.rules
        self.routes = [route for route in sorted(self.rules.routes, key=precedence) if route.is_active]

    @cached_property
    def used_teams(self) -> list[tuple[Team, list[Route]]]:
        """Returns the teams that get leads, with the routes that send them there."""
        offering = [route for route in self.routes if route.distribution_target == "Team Rollout"]
        named: dict[int, list[Route]] = {}
        for route in offering:
            if route.team_selection_method == "Specific Team" and route.team_id is not None:
                named.setdefault(route.team_id, []).append(route)
        by_zipcode = [route for route in offering if route.team_selection_method == "Zipcode"]
        served = set(self.rule_set.team_by_zipcode.values()) if by_zipcode else set()
        return [
            (team, routes)
            for team in self.rules.teams.values()
            if (routes := named.get(team.id, []) + (by_zipcode if team.id in served else []))
        ]

    @cached_property
    def candidates(self) -> list[Candidate]:
        return [each for team in self.rules.teams.values() for each in self.candidates_of(team)]

    def candidates_of(self, team: Team) -> list[Candidate]:
        return [
            Candidate(team, member, member.option)
            for member in team.members
            if member.option is not None
            and why_not_in_line_up(member) is None
            and why_unavailable(member.user_id, self.rules.people) is None
        ]

    @cached_property
    def started(self) -> dict[int, list[Route]]:
        """Returns the routes that start each campaign."""
        found: dict[int, list[Route]] = {}
        for route in self.routes:
            found.setdefault(route.campaign_id, []).append(route)
        return found

    @cached_property
    def steps(self) -> list[tuple[int, CampaignAction]]:
        """Returns the campaigns that routes start, with each step."""
        return [(id_, action) for id_ in self.started for action in self.rules.campaigns.get(id_, ())]

    def routes_that_start(self, type_: str) -> list[Route]:
        """Returns the routes whose campaign has a step of this type."""
        campaigns = {id_ for id_, action in self.steps if action.type == type_}
        return [route for route in self.routes if route.campaign_id in campaigns]

    def named(self, resource: str, id_: int) -> str:
        """Returns the record in a sentence: `the team Denver`, `route 12`, `Bob`."""
        if resource == ROUTES and id_ == UNSTORED:
            return "this route"
        name = self.account.names.get(resource, {}).get(id_)
        noun = _NOUNS[resource]
        return f"the {noun} {name}" if noun and name else name or f"{noun or 'user'} {id_}"

    def person(self, user_id: int) -> str:
        return self.named(USERS, user_id)


_NOUNS: Final = {
    ROUTES: "route", TEAMS: "team", CAMPAIGNS: "campaign", TEMPLATES: "template", USERS: "", SOURCES: "lead source",
}  # fmt: skip

"""Rule sets without fault, put together at random from a seed: brokerages in which everything works.

Every team that gets leads has members who can be reached, every route can be taken, and every campaign has steps.
"""

import random
from datetime import UTC, datetime
from typing import Any

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.model import (
    ORDER_METHODS,
    CampaignAction,
    DistributionOption,
    Member,
    Person,
    Route,
    Rules,
    RuleSet,
    Team,
)
from leadroutes.domain.rule_findings import (
    CheckedAccount,
    UsedSource,
)
from leadroutes.domain.windows import SendingRules, StepWindow

OWNER = 1
CHANNELS = frozenset({"email", "text", "call"})
TYPES = ("Buyer", "Seller", "Renter")
STATES = ("CO", "WY", "TX", "FL", "NM")


def faultless(seed: int) -> CheckedAccount:
    """Returns an account of which the check says nothing."""
    return _Account(random.Random(seed)).checked()


def with_rules(account: CheckedAccount, **changes: Any) -> RuleSet:
    """Returns the rule set of an account with other routes, teams, people or campaigns."""
    old = account.rule_set.rules
    same: dict[str, Any] = {name: getattr(old, name) for name in old.__struct_fields__}
    return RuleSet(account.rule_set.number, Rules(**(same | changes)), account.rule_set.channels)


WINDOWS = tuple(
    StepWindow(campaign_window=of_campaign, step_window=of_step)
    for of_campaign, of_step in (
        ('{"weekly_hours": {"monday": [["10:00", "16:00"]]}}', None),
        ('{"weekly_hours": {}}', '{"weekly_hours": {"friday": [["06:00", "09:30"]]}}'),
    )
)


class _Account:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._users = list(range(OWNER, OWNER + chance.randint(2, 12)))
        self._option_id = 500
        self._zipcodes = iter(range(80_001, 99_999, chance.randint(1, 7)))

    def checked(self) -> CheckedAccount:
        chance = self._chance
        teams = {id_: self._team(id_) for id_ in range(10, 10 + chance.randint(1, 5))}
        campaigns = {id_: self._campaign(id_) for id_ in range(30, 30 + chance.randint(1, 3))}
        sources = list(range(1, chance.randint(2, 6)))
        routes = tuple(route for source in sources for route in self._routes(source, list(teams), list(campaigns)))
        rules = Rules(
            owner_id=OWNER,
            routes=routes,
            teams=teams,
            people={user_id: self._person() for user_id in self._users},
            campaigns=campaigns,
        )
        served = [zipcode for team in teams.values() for zipcode in team.distribution_zipcodes]
        return CheckedAccount(
            rule_set=RuleSet(chance.randint(1, 99), rules, CHANNELS),
            sources=tuple(
                UsedSource(id=each, leads=chance.randint(0, 9), intake_keys=chance.randint(0, 2)) for each in sources
            ),
            step_windows={
                step.id: chance.choice(WINDOWS)
                for steps in campaigns.values()
                for step in steps
                if chance.random() < 0.5
            },
            sending=SendingRules(has_provider=True, is_strict=chance.random() < 0.5),
            zipcodes_of_nobody={(route.id, chance.choice(served)): 2 for route in routes if served},
        )

    def _person(self) -> Person:
        return Person(
            timezone=self._chance.choice(["America/Denver", "UTC"]), phone="+13035550142", is_active=True
        )  # fmt: skip

    def _team(self, id_: int) -> Team:
        chance = self._chance
        present = chance.sample(self._users, chance.randint(1, len(self._users)))
        others = [each for each in self._users if each not in present]
        return Team(
            id=id_,
            order_method=chance.choice(ORDER_METHODS),
            mins_until_next_alert=chance.choice([0, 1, 5, 15, 60, 120]),
            offer_mode=chance.choice(["Cumulative", "Exclusive"]),
            distribution_zipcodes=tuple(str(next(self._zipcodes)) for _ in range(chance.randint(1, 30))),
            members=(
                *(self._member(each) for each in present),
                *(self._absent_member(each) for each in others if chance.random() < 0.5),
            ),
        )

    def _member(self, user_id: int) -> Member:
        chance = self._chance
        self._option_id += 1
        alerts = [chance.random() < 0.4 for _ in range(3)]
        is_automatic = chance.random() < 0.2
        return Member(
            user_id=user_id,
            request_status="Accepted",
            option_id=self._option_id,
            option=DistributionOption(
                rank=chance.choice([None, 1, 2, 3]),
                mins_until_lead_offer=chance.choice([0, 5, 60, 1440]),
                assign_automatically=is_automatic,
                has_call_alert=alerts[0],
                has_text_alert=alerts[1],
                has_email_alert=alerts[2] or not (any(alerts) or is_automatic),
                weight=chance.choice([1, 1, 2, 0]),
                is_paused=(is_paused := chance.random() < 0.1),
                paused_until=datetime(2030, 1, 1, tzinfo=UTC) if is_paused else None,
                max_open_leads=chance.choice([None, None, 1, 9]),
            ),
        )

    def _absent_member(self, user_id: int) -> Member:
        status: Any = self._chance.choice(["Pending", "Declined", "Accepted"])
        return Member(user_id=user_id, request_status=status, option=None, option_id=None)

    def _campaign(self, id_: int) -> tuple[CampaignAction, ...]:
        types = ("Email Contact", "Text Contact", "Call Contact", "Agent Task - No Reminder")
        return tuple(
            CampaignAction(
                id=id_ * 10 + number,
                type=(type_ := self._chance.choice(types)),
                assigned_user_id=None,
                template_id=None if type_.startswith("Agent") else 70,
                timing_type="Delay by Minutes",
                delay_by_days=None,
                dispatch_time=None,
                delay_by_seconds=60,
                dispatch_datetime=None,
                recurrence=None,
                trigger_type=1,
                is_stopped_on_text_reply=False,
                description=None,
            )
            for number in range(self._chance.randint(1, 5))
        )

    def _routes(self, source: int, teams: list[int], campaigns: list[int]) -> list[Route]:
        """Routes of one source: those for some leads only, each of others, and one for the rest."""
        chance = self._chance
        asked: list[dict[str, Any]] = []
        asked += [{"filter": each} for each in chance.sample(TYPES, chance.randint(0, 2))]
        for state in chance.sample(STATES, chance.randint(0, 3)):
            given = {"all": [_comparison("state", "equal", state), _comparison("price", "at least", 300_000)]}
            wide = {"any": [_comparison("state", "equal", state), _comparison("city", "unknown")]}
            asked += [{"conditions": Conditions.read(given)}, {"conditions": Conditions.read(wide)}]
        asked.append({"priority": 5})
        return [
            self._route(source * 100 + number, source, teams, campaigns, changes)
            for number, changes in enumerate(asked)
        ]

    def _route(
        self, id_: int, source: int, teams: list[int], campaigns: list[int], changes: dict[str, Any]
    ) -> Route:  # fmt: skip
        chance = self._chance
        how = chance.choice(["Specific Team", "Specific Team", "Zipcode", None])
        fields: dict[str, Any] = {
            "id": id_,
            "team_id": chance.choice(teams) if how == "Specific Team" else None,
            "campaign_id": chance.choice(campaigns),
            "lead_source_id": source,
            "contact_source_id": source,
            "distribution_target": "Team Rollout" if how else "Myself",
            "team_selection_method": how,
            "filter": None,
            "is_active": True,
            "priority": 0,
            "campaign_start": chance.choice(["Arrival", "Claim"]),
        }
        return Route(**(fields | changes))


def _comparison(field: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "is": operator} | ({"value": value[0]} if value else {})

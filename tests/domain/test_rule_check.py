"""The check of rules: each code by a fault that causes it, nothing about sets without fault, and every fault found."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.model import CampaignAction, Route, RuleSet, Team, Variant
from leadroutes.domain.rule_check import CHECKS, check_rules
from leadroutes.domain.rule_findings import (
    OPTIONS,
    ROUTES,
    CheckedAccount,
    RuleFinding,
    UsedSource,
)
from leadroutes.domain.windows import SendingRules, StepWindow
from tests.support.builders import ALICE, BOB, CAROL, WEBSITE, ZILLOW, member, ranked, route, rule_set, team
from tests.support.faultless import CHANNELS, faultless, with_rules


def step(**changes: Any) -> CampaignAction:
    default = CampaignAction(
        id=900, type="Email Contact", assigned_user_id=None, template_id=70, timing_type="Delay by Minutes",
        delay_by_days=None, dispatch_time=None, delay_by_seconds=0, dispatch_datetime=None, recurrence=None,
        trigger_type=1, is_stopped_on_text_reply=False, description=None,
    )  # fmt: skip
    return replace(default, **changes)


def account(
    *parts: Route | Team,
    steps: tuple[CampaignAction, ...] = (step(),),
    phone: str | None = "+13035550142",
    inactive: tuple[int, ...] = (),
    channels: frozenset[str] = CHANNELS,
    **changes: Any,
) -> CheckedAccount:
    """Alice's account: without parts a route to a team of Bob's and Carol's."""
    parts = parts or (route(), ranked(BOB, CAROL))
    rules = rule_set(*parts, inactive=inactive).rules
    people = {user_id: replace(person, phone=phone) for user_id, person in rules.people.items()}
    campaigns = {each.campaign_id: steps for each in parts if isinstance(each, Route)}
    return CheckedAccount(
        rule_set=RuleSet(7, replace(rules, people=people, campaigns=campaigns), channels),
        **({"names": {"teams": {10: "Denver"}, "users": {BOB: "Bob", CAROL: "Carol"}}} | changes),
    )


def conditions(*parts: Any) -> Conditions:
    return Conditions.read({"all": list(parts)})


IS_DEAR = {"field": "price", "is": "at least", "value": 500_000}
IS_CHEAP = {"field": "price", "is": "at most", "value": 300_000}
IS_KNOWN = {"field": "price", "is": "known"}
TEXTS = step(type="Text Contact")
CALLS = step(type="Call Contact")
DIVIDED = step(template_id=None, variants=(Variant(template_id=71, share=1),))

PROVIDED = SendingRules(has_provider=True, is_strict=False)


def window(starts: str | None = None, ends: str = "24:00", day: str = "monday", answer: int = 0) -> StepWindow:
    hours = {day: [[starts, ends]]} if starts is not None else {}
    return StepWindow(step_window=json.dumps({"weekly_hours": hours}), first_answer_minutes=answer)


FOUND: list[tuple[str, CheckedAccount, str, int | None, str]] = [
    # the account; code, resource and id of what causes it; what the message says of it
    ("no_postal_address", account(has_postal_address=False), "users", ALICE, "postal address"),
    ("condition_never_true", account(route(conditions=conditions(IS_DEAR, IS_CHEAP)), ranked(BOB)), ROUTES, 100,
     "price is at least 500,000 and price is at most 300,000"),
    ("condition_never_true",
     account(route(filter="Buyer", conditions=conditions({"field": "type", "is": "equal", "value": "Seller"})),
             ranked(BOB)), ROUTES, 100, "type is Buyer and type is Seller"),
    ("condition_never_true",
     account(route(conditions=conditions({"field": "custom.size", "is": "known"})), ranked(BOB)), ROUTES, 100,
     "size is known can never be met"),
    ("nobody_to_offer_to", account(route(), team()), "teams", 10, "team Denver"),
    ("nobody_to_offer_to", account(route(), team(member(BOB, "Pending"))), "teams", 10, "team Denver"),
    ("nobody_to_offer_to", account(route(), team(replace(member(BOB), option=None))), "teams", 10, "team Denver"),
    ("nobody_to_offer_to", account(inactive=(BOB, CAROL)), "teams", 10, "team Denver"),
    ("nobody_to_offer_to",
     account(route(team_id=None, team_selection_method="Zipcode"), team(distribution_zipcodes=("80205",))), "teams", 10,
     "team Denver"),
    ("never_available", account(never_available={(10, BOB): "is paused", (10, CAROL): "has no hours"}), "teams", 10,
     "Bob is paused"),
    ("no_address", account(route(), team(member(BOB, has_text_alert=True)), phone=None), OPTIONS,
     BOB, "Bob is to be alerted by text in the team Denver"),
    ("no_address", account(route(), team(member(BOB, has_call_alert=True)), phone=" "), OPTIONS,
     BOB, "by call"),
    ("step_without_template", account(steps=(step(template_id=None),)), "campaigns/1/actions", 900, "Email Contact"),
    ("template_does_not_render", account(template_faults={70: "line 1: {{ is not closed"}), "templates", 70,
     "{{ is not closed"),
    ("template_does_not_render",
     account(steps=(DIVIDED,), template_faults={71: "no"}),
     "templates", 71, "cannot be filled in"),
    ("step_never_sent", account(step_windows={900: window()}), "campaigns/1/actions", 900, "no hours at all"),
    ("step_never_sent", account(steps=(TEXTS,), step_windows={900: window("21:30", "23:00")}, sending=PROVIDED),
     "campaigns/1/actions", 900, "Monday 21:30–23:00, never within the lawful hours"),
    ("step_never_sent",
     account(steps=(TEXTS,), step_windows={900: window("18:00", "19:00", "sunday")},
             sending=SendingRules(has_provider=True)), "campaigns/1/actions", 900, "Sunday 18:00–19:00"),
    ("step_never_sent", account(steps=(CALLS,), step_windows={900: window("21:30", "23:00")}),
     "campaigns/1/actions", 900, "Monday 21:30–23:00, never within the lawful hours"),
    ("unknown_template_name", account(unknown_names={70: ("contact.nmae", "leads")}), "templates", 70,
     "contact.nmae, leads"),
    ("never_available", account(route(), team(member(BOB, max_open_leads=0)), never_available={(10, BOB): "has a cap"}),
     "teams", 10, "Bob has a cap"),
    ("wait_too_long",
     account(route(), ranked(BOB, CAROL, order_method="Least Loaded", mins_until_next_alert=1441)), "teams", 10,
     "24 hours and 1 minute"),
    ("owner_cannot_be_told", account(owner_mail_fault="no such mailbox.", phone=None), "users", ALICE,
     "comes back (no such mailbox)"),
    ("owner_cannot_be_told", account(phone=None, channels=frozenset({"text"})), "users", ALICE, "not configured"),
    ("owner_cannot_be_told", account(inactive=(ALICE,)), "users", ALICE, "closed"),
    ("unreachable_route", account(route(), route(id=101), ranked(BOB)), ROUTES, 101, "route 100"),
    ("unreachable_route",
     account(route(id=99, filter="Buyer", priority=1), route(conditions=conditions({"field": "city", "is": "known"})),
             route(id=101, filter="Buyer", priority=1, conditions=conditions(IS_DEAR)), ranked(BOB)), ROUTES,
     101, "route 99"),
    ("unreachable_route",
     account(route(conditions=conditions(IS_KNOWN)), route(id=101, conditions=conditions(IS_DEAR)), ranked(BOB)),
     ROUTES, 101, "route 100"),
    ("zipcode_in_two_teams",
     account(route(), ranked(BOB, distribution_zipcodes=("80205", "80206")),
             ranked(BOB, id=11, distribution_zipcodes=("80205",))), "teams", 11, "eam 11 and the team Denver"),
    ("no_alert", account(route(), team(member(BOB, has_email_alert=False))), OPTIONS, BOB,
     "Bob gets no alert"),
    ("channel_not_configured", account(channels=frozenset({"text"})), "channels", None, "E-mail is not configured"),
    ("channel_not_configured", account(steps=(TEXTS,), channels=frozenset({"email"})), "channels", None, "Texting"),
    ("empty_campaign", account(steps=()), "campaigns", 1, "ampaign 1 has no steps"),
    ("source_without_route", account(sources=(UsedSource(id=WEBSITE, leads=3),)), "lead-sources", WEBSITE,
     "3 leads in the last 30 days"),
    ("source_without_route", account(sources=(UsedSource(id=WEBSITE, intake_keys=1),)), "lead-sources", WEBSITE,
     "intake key"),
    ("source_without_route", account(route(is_active=False), ranked(BOB), sources=(UsedSource(id=ZILLOW, leads=1),)),
     "lead-sources", ZILLOW, "1 lead "),
    ("zipcode_of_nobody",
     account(route(team_id=None, team_selection_method="Zipcode"), ranked(BOB, distribution_zipcodes=("80205",)),
             zipcodes_of_nobody={(100, "80999"): 3, (100, "80205"): 1}), ROUTES, 100, "80999, where 3 leads"),
    ("wait_too_long", account(route(), ranked(BOB, CAROL, mins_until_next_alert=1441)), "teams", 10,
     "number 2 of the line-up is notified 24 hours and 1 minute after"),
    ("wait_too_long",
     account(route(), team(member(BOB, mins_until_lead_offer=6000), order_method="Time")), "teams", 10, "100 hours"),
    ("texts_without_consent", account(steps=(TEXTS,), texts_without_consent=frozenset({100})), ROUTES, 100,
     "consent"),
]  # fmt: skip


@pytest.mark.parametrize("row", FOUND, ids=[f"{row[0]}-{number}" for number, row in enumerate(FOUND)])
def test_a_fault_is_found_and_named_by_what_causes_it(row: tuple[str, CheckedAccount, str, int | None, str]) -> None:
    code, checked, resource, id_, says = row

    findings = [each for each in check_rules(checked) if each.code == code]

    assert [(each.resource, each.id) for each in findings] == [(resource, id_)]
    assert says in findings[0].message
    assert msgspec.json.encode(findings)


def test_the_documentation_says_what_each_code_means() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (error|warning) \| (.+) \|$", page, re.MULTILINE)

    assert rows == [(check.code, check.severity, check.about) for check in CHECKS]


def test_every_code_has_a_fault_in_the_table() -> None:
    assert {row[0] for row in FOUND} == {check.code for check in CHECKS}


NOTHING: list[tuple[str, CheckedAccount]] = [
    ("all is well", account()),
    ("a route that is switched off",
     account(route(is_active=False, conditions=conditions(IS_DEAR, IS_CHEAP)), steps=(step(template_id=None),))),
    ("a team that no route uses", account(route(), ranked(BOB), team(id=11))),
    ("a team by zipcode that no route asks for",
     account(route(), ranked(BOB), team(id=11, distribution_zipcodes=("1",)))),
    ("one of two is never available", account(never_available={(10, BOB): "is paused"})),
    ("an option of someone who has not accepted",
     account(route(), team(member(BOB), member(CAROL, "Pending", has_email_alert=False, has_text_alert=True)),
             phone=None)),
    ("an option without alerts that assigns",
     account(route(), team(member(BOB, has_email_alert=False, assign_automatically=True)))),
    ("a call without a template", account(steps=(step(type="Agent Task - No Reminder", template_id=None),))),
    ("the owner has a phone", account(owner_mail_fault="no such mailbox")),
    ("no channel at all: messages stay in the outbox", account(steps=(step(),), channels=CHANNELS)),
    ("an earlier route of another contact source", account(route(contact_source_id=2), route(id=101), ranked(BOB))),
    ("an earlier route of another filter",
     account(route(filter="Buyer"), route(id=101, filter="Seller"), ranked(BOB))),
    ("an earlier route that is stronger",
     account(route(conditions=conditions(IS_DEAR)), route(id=101, conditions=conditions(IS_KNOWN)), ranked(BOB))),
    ("all at once, whatever the wait",
     account(route(), ranked(BOB, CAROL, order_method="Simultaneous", mins_until_next_alert=9_000))),
    ("a step with variants alone", account(steps=(DIVIDED,))),
    ("a mail at night", account(step_windows={900: window("21:30", "23:00")}, sending=PROVIDED)),
    ("texts at night that no provider sends", account(steps=(TEXTS,), step_windows={900: window("21:30")})),
    ("a text that may be a first answer",
     account(steps=(TEXTS,), step_windows={900: window("21:30", answer=5)}, sending=PROVIDED)),
    ("texts on Sundays without quiet hours",
     account(steps=(TEXTS,), step_windows={900: window("18:00", "19:00", "sunday")}, sending=PROVIDED)),
    ("windows and names of what no route starts",
     account(step_windows={901: window()}, unknown_names={72: ("leads",)})),
    ("exactly 24 hours", account(route(), ranked(BOB, CAROL, mins_until_next_alert=1440))),
    ("a source that brought nothing", account(sources=(UsedSource(id=WEBSITE),))),
    ("a zipcode that a team has by now",
     account(route(team_id=None, team_selection_method="Zipcode"), ranked(BOB, distribution_zipcodes=("80205",)),
             zipcodes_of_nobody={(100, "80205"): 1})),
]  # fmt: skip


@pytest.mark.parametrize("checked", [row[1] for row in NOTHING], ids=[row[0] for row in NOTHING])
def test_nothing_is_said_of_what_is_meant(checked: CheckedAccount) -> None:
    assert check_rules(checked) == []


def test_errors_come_first() -> None:
    found = check_rules(account(steps=(), has_postal_address=False, never_available={}, inactive=(BOB, CAROL)))

    assert [each.code for each in found] == ["nobody_to_offer_to", "empty_campaign"]


# ---------------------------------------------------------------------------------------------- generated rule sets


def test_nothing_is_said_of_a_thousand_rule_sets_without_fault() -> None:
    said = {seed: found for seed in range(1000) if (found := check_rules(faultless(seed)))}

    assert said == {}


Seed = Callable[[CheckedAccount, random.Random], tuple[CheckedAccount, str, int | None] | None]


def _routes(checked: CheckedAccount, changed: Route) -> CheckedAccount:
    routes = tuple(changed if each.id == changed.id else each for each in checked.rule_set.rules.routes)
    return replace(checked, rule_set=with_rules(checked, routes=routes))


def _teams(checked: CheckedAccount, *changed: Team) -> CheckedAccount:
    teams = dict(checked.rule_set.rules.teams) | {each.id: each for each in changed}
    return replace(checked, rule_set=with_rules(checked, teams=teams))


def _used(checked: CheckedAccount, chance: random.Random) -> Team | None:
    named = [each.team_id for each in checked.rule_set.rules.routes if each.team_id is not None]
    return checked.rule_set.rules.teams[chance.choice(named)] if named else None


def _contradicting(checked: CheckedAccount, chance: random.Random) -> Any:
    found = chance.choice(checked.rule_set.rules.routes)
    own = [found.conditions.given] if found.conditions is not None else []
    changed = replace(found, conditions=conditions(*own, IS_DEAR, {"not": IS_KNOWN}))
    return _routes(checked, changed), ROUTES, found.id


def _copied(checked: CheckedAccount, chance: random.Random) -> Any:
    found = chance.choice(checked.rule_set.rules.routes)
    copied = replace(found, id=9_999, priority=found.priority + chance.randint(0, 1))
    routes = (*checked.rule_set.rules.routes, copied)
    return replace(checked, rule_set=with_rules(checked, routes=routes)), ROUTES, 9_999


def _emptied(checked: CheckedAccount, chance: random.Random) -> Any:
    found = _used(checked, chance)
    members = tuple(replace(each, request_status="Pending") for each in found.members) if found else ()
    return (_teams(checked, replace(found, members=members)), "teams", found.id) if found else None


def _without_alert(checked: CheckedAccount, chance: random.Random) -> Any:
    found = chance.choice(list(checked.rule_set.rules.teams.values()))
    place = chance.choice([number for number, each in enumerate(found.members) if each.option is not None])
    silent = {"has_call_alert": False, "has_text_alert": False, "has_email_alert": False, "assign_automatically": False}
    members = list(found.members)
    members[place] = replace(members[place], option=replace(members[place].option, **silent))
    option_id = members[place].option_id
    return _teams(checked, replace(found, members=tuple(members))), OPTIONS, option_id


def _sharing(checked: CheckedAccount, chance: random.Random) -> Any:
    teams = sorted(checked.rule_set.rules.teams.values(), key=lambda each: each.id)
    if len(teams) < 2:
        return None
    winner, loser = teams[0], chance.choice(teams[1:])
    shared = (*loser.distribution_zipcodes, chance.choice(winner.distribution_zipcodes))
    return _teams(checked, replace(loser, distribution_zipcodes=shared)), "teams", loser.id


def _slow(checked: CheckedAccount, chance: random.Random) -> Any:
    found = _used(checked, chance)
    if found is None or len({each.option.rank for each in found.members if each.option is not None}) < 2:
        return None
    slow = replace(found, order_method=chance.choice(["Rank", "Round Robin"]), mins_until_next_alert=2_000)
    return _teams(checked, slow), "teams", found.id


def _untold(checked: CheckedAccount, _chance: random.Random) -> Any:
    people = dict(checked.rule_set.rules.people)
    people[ALICE] = replace(people[ALICE], is_active=False)
    return replace(checked, rule_set=with_rules(checked, people=people)), "users", ALICE


def _hollow(checked: CheckedAccount, chance: random.Random) -> Any:
    campaign_id = chance.choice(checked.rule_set.rules.routes).campaign_id
    campaigns = dict(checked.rule_set.rules.campaigns) | {campaign_id: ()}
    return replace(checked, rule_set=with_rules(checked, campaigns=campaigns)), "campaigns", campaign_id


def _speechless(checked: CheckedAccount, chance: random.Random) -> Any:
    campaign_id = chance.choice(checked.rule_set.rules.routes).campaign_id
    campaigns = dict(checked.rule_set.rules.campaigns) | {campaign_id: (step(template_id=None),)}
    rules = with_rules(checked, campaigns=campaigns)
    return replace(checked, rule_set=rules), f"campaigns/{campaign_id}/actions", 900


SEEDS: list[tuple[str, Seed]] = [
    ("condition_never_true", _contradicting),
    ("unreachable_route", _copied),
    ("nobody_to_offer_to", _emptied),
    ("no_alert", _without_alert),
    ("zipcode_in_two_teams", _sharing),
    ("wait_too_long", _slow),
    ("owner_cannot_be_told", _untold),
    ("empty_campaign", _hollow),
    ("step_without_template", _speechless),
]


@pytest.mark.parametrize(("code", "sow"), SEEDS, ids=[row[0] for row in SEEDS])
def test_each_seeded_fault_is_found_and_named_by_what_causes_it(code: str, sow: Seed) -> None:
    sown = 0
    for seed in range(60):
        faulty = sow(faultless(seed), random.Random(seed))
        if faulty is None:
            continue
        checked, resource, id_ = faulty
        found = [each for each in check_rules(checked) if each.code == code]
        assert (resource, id_) in [(each.resource, each.id) for each in found], (seed, found)
        sown += 1
    assert sown > 20


def test_a_finding_refers_to_a_few_records_only() -> None:
    routes = [route(id=number, filter=str(number)) for number in range(100, 200)]
    [finding] = check_rules(account(*routes, team()))

    assert isinstance(finding, RuleFinding)
    assert len(finding.see) == 20

"""The check of an owner's rules as they are now: loads what the domain's check asks for. Writes nothing.

What has been found is remembered as long as nothing that it depends on has changed.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from leadroutes.domain.availability import ALWAYS, Presence, why_never
from leadroutes.domain.condition_fields import CUSTOM, key_of
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.domain.model import Route, RuleSet
from leadroutes.domain.rule_check import check_rules
from leadroutes.domain.rule_findings import (
    ROUTES,
    TEMPLATES,
    CheckedAccount,
    CheckedRecord,
    RuleFinding,
    UsedSource,
)
from leadroutes.domain.template import TriedTemplate
from leadroutes.domain.template_names import unknown_names
from leadroutes.domain.windows import SendingRules, StepWindow
from leadroutes.sandbox.results import ComputedCache
from leadroutes.sandbox.templates import NAMES_USED, TRY_TEMPLATE
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.store import statement
from leadroutes.store.availability import load_presences
from leadroutes.store.campaigns import load_actions
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

Asked = TypeVar("Asked", bound=Hashable)

SINCE: Final = timedelta(days=30)
MOST_LEADS: Final = 2_000  # whose zipcodes are looked at
MOST_REMEMBERED: Final = 200  # accounts
MOST_TEMPLATES: Final = 1_000  # that are filled in
SMALL: Final = 50  # routes that are checked at once; more are checked in a thread


class RuleFindings(Struct, frozen=True):
    """What the check found, and the number of the rule set that it looked at."""

    rule_set: int
    findings: list[RuleFinding]


class _Template(Struct, frozen=True):
    id: int
    subject: str
    body: str
    is_email: bool
    name: str | None

    @property
    def tried(self) -> TriedTemplate:
        return TriedTemplate(self.subject, self.body, self.is_email)

    @property
    def texts(self) -> tuple[str, ...]:
        """Those that are sent."""
        return (self.subject, self.body) if self.is_email else (self.body,)


class _Known(Struct, frozen=True):
    """What the statement answers."""

    has_postal_address: bool
    owner_mail_fault: str | None
    custom_fields: list[str]
    names: dict[str, dict[int, str]]
    templates: list[_Template]
    sources: list[UsedSource]
    zipcodes_of_nobody: list[tuple[int, str, int]]
    step_windows: dict[int, StepWindow]
    texts_without_consent: list[int]


_TRIED = ComputedCache(TRY_TEMPLATE, most=2_000)
_NAMES = ComputedCache(NAMES_USED, most=2_000)
_DECODER = msgspec.json.Decoder(_Known)


class _Loaded(NamedTuple):
    """What is known of an account: its rules, what the statement answered, and what follows from both."""

    rule_set: RuleSet
    text: str
    known: _Known
    faults: dict[int, str]
    unknown_names: dict[int, tuple[str, ...]]
    presences: dict[int, Presence]

    @property
    def depends_on(self) -> Hashable:
        """Returns a value that is another one whenever something else may be found."""
        rule_set = self.rule_set
        presences = tuple(sorted(self.presences.items()))
        of_templates = (*self.faults.items(), *self.unknown_names.items())
        return (rule_set.number, rule_set.channels, self.text, of_templates, presences)


class RuleChecks:
    """One per process; holds what was found for the accounts that were looked at last."""

    def __init__(self, database: Database, rule_sets: RuleSets, sending: SendingRules) -> None:
        self._database, self._rule_sets, self._sending = database, rule_sets, sending
        self._found: OrderedDict[int, tuple[Hashable, list[RuleFinding]]] = OrderedDict()

    async def check(self, owner_id: int) -> RuleFindings:
        """Returns what is wrong with an owner's rules. Raises Unavailable while no template can be filled in."""
        loaded = await self._load(owner_id)
        rule_set, depends_on = loaded.rule_set, loaded.depends_on
        if (found := self._found.get(owner_id)) is not None and found[0] == depends_on:
            self._found.move_to_end(owner_id)
            return RuleFindings(rule_set.number, found[1])
        account = _checked(rule_set, loaded, self._sending)
        is_small = len(rule_set.rules.routes) <= SMALL
        findings = check_rules(account) if is_small else await asyncio.to_thread(check_rules, account)
        self._found[owner_id] = depends_on, findings
        while len(self._found) > MOST_REMEMBERED:
            self._found.popitem(last=False)
        return RuleFindings(rule_set.number, findings)

    async def check_route(self, owner_id: int, route: Route) -> list[RuleFinding]:
        """Returns what would be wrong with a route, or because of it, if the rules had it, new or changed."""
        loaded = await self._load(owner_id)
        rule_set = loaded.rule_set
        others = tuple(each for each in rule_set.rules.routes if each.id != route.id)
        campaigns = dict(rule_set.rules.campaigns)
        if route.campaign_id not in campaigns:  # no route starts it yet
            campaigns[route.campaign_id] = await self._database.run(
                partial(load_actions, campaign_id=route.campaign_id)
            )
        rules = replace(rule_set.rules, routes=(*others, route), campaigns=campaigns)
        changed = self._rule_sets.with_rules(rule_set.number, rules)
        account = _checked(changed, loaded, self._sending)
        findings = check_rules(account) if len(others) <= SMALL else await asyncio.to_thread(check_rules, account)
        return about_route(findings, route.id)

    async def _load(self, owner_id: int) -> "_Loaded":
        rule_set, text, presences = await self._database.run(partial(self._read, owner_id))
        known = _DECODER.decode(text)
        faults = await _faults_of(owner_id, known.templates)
        return _Loaded(rule_set, text, known, faults, await _unknown_names(owner_id, known.templates), presences)

    async def _read(self, owner_id: int, transaction: Transaction) -> tuple[RuleSet, str, dict[int, Presence]]:
        rule_set = await self._rule_sets.load_one(transaction, owner_id)
        text: str = await transaction.fetchval(
            *statement("load_checked_account").bind(
                owner_id=owner_id, since=transaction.now - SINCE, most=MOST_LEADS, most_templates=MOST_TEMPLATES
            )
        )
        away = {(owner_id, each) for each, person in rule_set.rules.people.items() if person.may_be_away}
        presences = await load_presences(transaction, away)
        return rule_set, text, {user_id: presence for (_, user_id), presence in presences.items()}


def about_route(findings: Iterable[RuleFinding], route_id: int) -> list[RuleFinding]:
    """Returns the findings that a route causes, or that refer to it."""
    route = CheckedRecord(ROUTES, route_id)
    return [each for each in findings if route in (CheckedRecord(each.resource, each.id), *each.see)]


async def _faults_of(owner_id: int, templates: Iterable[_Template]) -> dict[int, str]:
    """Returns why templates cannot be filled in, by id."""
    tried = {each.id: each.tried for each in templates}
    await _TRIED.compute(owner_id, [each for each in tried.values() if not _is_known(_TRIED, each)])
    found = {id_: _TRIED.find(each) for id_, each in tried.items()}
    said = {id_: f"it {each.reason}" if isinstance(each, ComputationFailed) else each for id_, each in found.items()}
    return {id_: fault for id_, fault in said.items() if fault}


async def _unknown_names(owner_id: int, templates: Iterable[_Template]) -> dict[int, tuple[str, ...]]:
    """Returns what templates name that no message has, by id; nothing of one whose names cannot be found."""
    texts = {each.id: each.texts for each in templates}
    await _NAMES.compute(owner_id, [each for each in texts.values() if not _is_known(_NAMES, each)])
    used = {id_: _NAMES.find(each) for id_, each in texts.items()}
    found = {id_: unknown_names(each) for id_, each in used.items() if not isinstance(each, ComputationFailed)}
    return {id_: tuple(names) for id_, names in found.items() if names}


def _is_known(cache: ComputedCache[Asked, Any], asked: Asked) -> bool:
    try:
        cache.find(asked)
    except KeyError:
        return False
    return True


def _checked(rule_set: RuleSet, loaded: _Loaded, sending: SendingRules) -> CheckedAccount:
    known = loaded.known
    zipcodes: dict[tuple[int, str], int] = {}
    for route_id, written, leads in known.zipcodes_of_nobody:
        zipcode = comparable_zipcode(written)
        if zipcode is not None:
            zipcodes[route_id, zipcode] = zipcodes.get((route_id, zipcode), 0) + leads
    templates = {each.id: each.name for each in known.templates if each.name}
    return CheckedAccount(
        rule_set=rule_set,
        names={**known.names, TEMPLATES: templates},
        has_postal_address=known.has_postal_address,
        custom_fields=frozenset(key_of(CUSTOM + name) for name in known.custom_fields),
        template_faults=loaded.faults,
        never_available=_never_available(rule_set, loaded.presences),
        owner_mail_fault=known.owner_mail_fault,
        sources=tuple(known.sources),
        zipcodes_of_nobody=zipcodes,
        texts_without_consent=frozenset(known.texts_without_consent),
        unknown_names=loaded.unknown_names,
        step_windows=known.step_windows,
        sending=sending,
    )


def _never_available(rule_set: RuleSet, presences: Mapping[int, Presence]) -> dict[tuple[int, int], str]:
    """Returns why members are never available, by team and user."""
    return {
        (team.id, member.user_id): why
        for team in rule_set.rules.teams.values()
        for member in team.members
        if member.option is not None
        and (why := why_never(presences.get(member.user_id, ALWAYS), member.option)) is not None
    }

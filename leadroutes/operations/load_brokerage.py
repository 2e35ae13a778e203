"""Sets up a brokerage from a file: people, teams, options, sources, templates, campaigns and routes, all or nothing.

What is there already under its name stays as it is, so that loading a file twice adds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.condition_fields import FIELDS, STEP_FIELDS, Compared
from leadroutes.domain.condition_words import conditions_text
from leadroutes.domain.conditions import Conditions, unknown_fields
from leadroutes.domain.identity import comparable_zipcode
from leadroutes.errors import Invalid, NotFound, Problem
from leadroutes.operations.brokerage_file import TIMING_FIELDS, Action, BrokerageFile, LeadRoute, TeamEntry, User
from leadroutes.store import statement
from leadroutes.store.accounts import NewUser, add_user
from leadroutes.store.postgres import Database, Transaction

WHOEVER_HAS_THE_CONTACT = (None, "claimer")


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Of each kind of object: how many the file has, and how many of them were added."""

    given: Mapping[str, int]
    added: Mapping[str, int]


async def load_brokerage(database: Database, brokerage: BrokerageFile, owner_email: str) -> LoadResult:
    """Stores `brokerage` in the account of the user with this e-mail, who takes the place of the file's owner.

    Raises Invalid naming the place in the file; then nothing has been stored.
    """

    async def work(transaction: Transaction) -> LoadResult:
        return await load_within(transaction, brokerage, owner_email)

    return await database.run(work)


async def load_within(transaction: Transaction, brokerage: BrokerageFile, owner_email: str) -> LoadResult:
    """The same within a transaction of the caller's."""
    return await _Loading(transaction, brokerage, owner_email.strip().lower()).everything()


class _Loading:
    """One load: the transaction, and the ids of what the file's names mean, filled kind by kind."""

    def __init__(self, transaction: Transaction, brokerage: BrokerageFile, owner_email: str) -> None:
        self.transaction = transaction
        self.brokerage = brokerage
        self.owner_email = owner_email
        self.owner_id = 0
        self.users: dict[str, int] = {}
        self.names: dict[str, dict[str, asyncpg.Record]] = {}  # kind → name → its row: name, id
        self.added: dict[str, int] = {}

    async def everything(self) -> LoadResult:
        await self._users()
        await self._sources()
        await self._teams()
        await self._templates()
        await self._campaigns()
        await self._routes()
        kinds = ["users", *(kind for kind in self.added if kind != "users")]
        given = {kind: len(getattr(self.brokerage, kind)) for kind in kinds if kind != "actions"}
        given["actions"] = sum(len(campaign.actions) for campaign in self.brokerage.campaigns)
        return LoadResult(given, self.added)

    async def _users(self) -> None:
        known = await self._user_ids()
        self.added["users"] = 0
        for place, user in enumerate(self.brokerage.users):
            email = user.email.strip().lower()
            if email not in known:
                known[email] = await self._new_user(user, f"users[{place}]")
                self.added["users"] += 1
            self.users[user.username] = known[email]
        if self.owner_email not in known:
            raise NotFound(f"owner: no user has the e-mail {self.owner_email}, in the file or here")
        self.owner_id = self.users[self.brokerage.brokerage.owner] = known[self.owner_email]
        await self.transaction.execute(*statement("lock_user").bind(user_id=self.owner_id))  # one load at a time

    async def _user_ids(self) -> dict[str, int]:
        emails = [self.owner_email, *(user.email.strip().lower() for user in self.brokerage.users)]
        rows = await self.transaction.fetch(*statement("find_users_by_email").bind(emails=emails))
        return {row["email"]: row["id"] for row in rows}

    async def _new_user(self, user: User, path: str) -> int:
        fields = {name: getattr(user, name) for name in user.__struct_fields__ if name != "role"}
        try:
            return await add_user(self.transaction, NewUser(**fields))
        except Problem as problem:
            raise Invalid("; ".join(f"{path}.{sentence}" for sentence in problem.errors.values())) from problem

    async def _sources(self) -> None:
        await self._add("lead_sources", self.brokerage.lead_sources)
        await self._add("contact_sources", self.brokerage.contact_sources)

    async def _teams(self) -> None:
        await self._add("teams", [_team(team) for team in self.brokerage.teams])
        members = [
            {
                "team_id": self._id("teams", member.team, f"team_members[{place}].team"),
                "user_id": self._user(member.user, f"team_members[{place}].user"),
                "request_status": member.request_status,
            }
            for place, member in enumerate(self.brokerage.team_members)
        ]
        await self._add("team_members", members)
        await self._add("team_member_distribution_options", self._options())

    def _options(self) -> list[dict[str, Any]]:
        members = {(member.team, member.user) for member in self.brokerage.team_members}
        options = []
        for place, option in enumerate(self.brokerage.team_member_distribution_options):
            path = f"team_member_distribution_options[{place}]"
            if (option.team, option.user) not in members:
                raise Invalid(f"{path}.user: {option.user!r} was given; expected a member of {option.team!r}")
            ids = {"team_id": self._id("teams", option.team, f"{path}.team"), "user_id": self._user(option.user, path)}
            options.append(_fields(option) | ids)
        return options

    async def _templates(self) -> None:
        await self._add("template_folders", self.brokerage.template_folders)
        templates = [
            _fields(each)
            | {"folder_id": self._id("template_folders", each.template_folder, f"templates[{place}].template_folder")}
            for place, each in enumerate(self.brokerage.templates)
        ]
        await self._add("templates", self._with_moment(templates))

    async def _campaigns(self) -> None:
        """Actions have no names: they come with a campaign that is new, and are left alone in one that is not."""
        before = await self._names("campaigns")
        campaigns = [_fields(each) | {"name_key": each.name.casefold()} for each in self.brokerage.campaigns]
        await self._add("campaigns", self._with_moment(campaigns))
        fields = await self._custom_fields()
        actions = [
            self._action(action, campaign.name, fields, f"campaigns[{number}].actions[{place}]")
            for number, campaign in enumerate(self.brokerage.campaigns)
            for place, action in enumerate(campaign.actions)
        ]
        await self._add("actions", [each for each in actions if each["campaign"] not in before])

    def _action(self, action: Action, campaign: str, custom_fields: Sequence[str], path: str) -> dict[str, Any]:
        timing = TIMING_FIELDS[action.timing_type]
        unused = {field for fields in TIMING_FIELDS.values() for field in fields if field not in timing}
        conditions = _conditions(action.conditions, STEP_FIELDS, custom_fields, f"{path}.conditions")
        return _fields(action) | dict.fromkeys(unused) | conditions | {
            "campaign": _key("campaigns", campaign),
            "campaign_id": self._id("campaigns", campaign, path),
            "template_id": action.template and self._id("templates", action.template, f"{path}.template"),
            "variants": self._variants(action, f"{path}.variants"),
            "assigned_user_id": (
                None if action.assigned_user in WHOEVER_HAS_THE_CONTACT
                else self._user(action.assigned_user, f"{path}.assigned_user")
            ),
        }  # fmt: skip

    def _variants(self, action: Action, path: str) -> list[dict[str, int]] | None:
        if action.variants is None:
            return None
        return [
            {"template_id": self._id("templates", each.template, f"{path}[{place}].template"), "share": each.share}
            for place, each in enumerate(action.variants)
        ]

    async def _routes(self) -> None:
        fields = await self._custom_fields()
        routes = [
            self._route(route, fields, f"lead_routes[{place}]")
            for place, route in enumerate(self.brokerage.lead_routes)
        ]
        await self._add("lead_routes", routes)

    async def _custom_fields(self) -> list[str]:
        rows = await self.transaction.fetch(*statement("list_custom_fields").bind(owner_id=self.owner_id))
        return [row["name"] for row in rows]

    def _route(self, route: LeadRoute, custom_fields: Sequence[str], path: str) -> dict[str, Any]:
        """As the API would store it: what has no effect under its target and method is null."""
        method = route.team_selection_method if route.distribution_target == "Team Rollout" else None
        method = None if method == "None" else method
        has_team = route.team and route.distribution_target == "Team Rollout" and method != "Zipcode"
        return _fields(route) | _conditions(route.conditions, FIELDS, custom_fields, f"{path}.conditions") | {
            "lead_source_id": self._id("lead_sources", route.lead_source, f"{path}.lead_source"),
            "contact_source_id": self._id("contact_sources", route.contact_source, f"{path}.contact_source"),
            "campaign_id": self._id("campaigns", route.campaign, f"{path}.campaign"),
            "team_id": self._id("teams", route.team, f"{path}.team") if route.team and has_team else None,
            "team_selection_method": method,
        }  # fmt: skip

    async def _add(self, kind: str, rows: Sequence[Any]) -> None:
        """Store those of the rows that are not there yet; afterwards the kind's names are known."""
        content = msgspec.json.encode(rows).decode()
        self.added[kind] = await self.transaction.fetchval(
            *statement(f"load_{kind}").bind(owner_id=self.owner_id, records=content)
        )
        self.names[kind] = await self._names(kind)

    async def _names(self, kind: str) -> dict[str, asyncpg.Record]:
        rows = await self.transaction.fetch(*statement("load_names").bind(owner_id=self.owner_id, kind=kind))
        return {_key(kind, row["name"]): row for row in reversed(rows)}

    def _with_moment(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"created_at": self.transaction.now} for row in rows]

    def _id(self, kind: str, name: str, path: str) -> int:
        named = self.names[kind].get(_key(kind, name))
        if named is None:
            expected = ", ".join(row["name"] for row in self.names[kind].values())
            raise Invalid(f"{path}: {name!r} was given; expected one of {expected}")
        named_id: int = named["id"]
        return named_id

    def _user(self, username: str | None, path: str) -> int:
        try:
            return self.users[username or ""]
        except KeyError:
            raise Invalid(f"{path}: {username!r} was given; expected one of {', '.join(self.users)}") from None


def _fields(entry: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    return fields


def _conditions(
    given: dict[str, Any] | None, fields: Mapping[str, Compared], custom_fields: Sequence[str], path: str
) -> dict[str, Any]:
    """The conditions in the form in which they are stored, and as a sentence."""
    if given is None:
        return {"conditions": None, "conditions_text": None}
    conditions = Conditions.read(given, path, fields)
    if unknown := unknown_fields(conditions.custom_fields, custom_fields):
        raise Invalid("; ".join(unknown.values()))
    return {"conditions": conditions.given, "conditions_text": conditions_text(conditions)}


def _key(kind: str, name: str) -> str:
    """Names are exact, but for campaigns, whose letter case the API ignores."""
    return name.casefold() if kind == "campaigns" else name


def _team(team: TeamEntry) -> dict[str, Any]:
    """As the API would store it: zipcodes in the form in which they are compared, each once; none at all is null."""
    zipcodes = dict.fromkeys(filter(None, map(comparable_zipcode, team.distribution_zipcodes or ())))
    minutes = 0 if team.order_method == "Time" else team.mins_until_next_alert
    return _fields(team) | {
        "distribution_zipcodes": list(zipcodes) or None,
        "mins_until_next_alert": minutes,
    }

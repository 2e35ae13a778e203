"""The rules of an owner as records by kind and id, and back: the form in which documents and differences handle them.

A record is a dict of the fields that `rule_fields` declares, with `id` and the ids of what it belongs to. Records that
are not stored yet have ids for now, above all others: by its id a new route comes after those that are there. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import replace

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.model import DistributionOption, ListingAgent, Member, Route, Rules, Team
from leadroutes.domain.rule_fields import (
    KINDS,
    LISTING_AGENT,
    MEMBER,
    OPTION,
    ROUTE,
    TEAM,
    RuleKind,
    id_in_name,
    with_id,
)

FIRST_NEW_ID: Final = 2**60

Record = dict[str, Any]
Records = dict[str, dict[int, Record]]  # by the kind's name and the id


def is_new(record_id: int) -> bool:
    """Returns whether the record is not stored yet, so that the id is one for now."""
    return record_id >= FIRST_NEW_ID


def no_records() -> Records:
    return {kind.name: {} for kind in KINDS}


def records_of(rules: Rules) -> Records:
    """Returns the records of a rule set; campaigns and their steps are not among them."""
    found = no_records()
    for route in rules.routes:
        found[ROUTE.name][route.id] = _record(ROUTE, route, id=route.id)
    for agent in rules.listing_agents:
        found[LISTING_AGENT.name][agent.id] = _record(LISTING_AGENT, agent, id=agent.id)
    for team in rules.teams.values():
        found[TEAM.name][team.id] = _record(TEAM, team, id=team.id)
        for place, member in enumerate(team.members):
            # A rule set that was stored long ago does not say the ids of its members.
            member_id = member.id if member.id is not None else -(team.id * 100_000 + place)
            apart = {"team_id": team.id, "user_id": member.user_id}
            found[MEMBER.name][member_id] = _record(MEMBER, member, id=member_id, **apart)
            if member.option is not None and member.option_id is not None:
                option = _record(OPTION, member.option, id=member.option_id, **apart)
                found[OPTION.name][member.option_id] = option
    return found


def _record(kind: RuleKind, value: Any, **apart: int) -> Record:
    return apart | {each.name: _plain(getattr(value, each.name)) for each in kind.fields}


def _plain(value: Any) -> Any:
    match value:
        case Conditions():
            return value.given
        case tuple():
            return list(value)
    return value


def rules_of(records: Records, present: Rules) -> Rules:
    """Returns the rules that consist of these records, with the people and campaigns of present ones."""
    options = {(each["team_id"], each["user_id"]): each for each in records[OPTION.name].values()}
    members: dict[int, list[Member]] = {team_id: [] for team_id in records[TEAM.name]}
    for each in records[MEMBER.name].values():
        if each["team_id"] in members:
            members[each["team_id"]].append(_member(each, options.get((each["team_id"], each["user_id"]))))
    return replace(
        present,
        routes=tuple(_route(each) for each in records[ROUTE.name].values()),
        teams={team_id: _team(each, members[team_id]) for team_id, each in records[TEAM.name].items()},
        listing_agents=tuple(ListingAgent(**each) for each in records[LISTING_AGENT.name].values()),
    )


def _route(record: Record) -> Route:
    given = record["conditions"]
    return Route(**record | {"conditions": Conditions.stored(given) if given is not None else None})


def _team(record: Record, members: list[Member]) -> Team:
    zipcodes = tuple(record["distribution_zipcodes"] or ())
    return Team(**record | {"distribution_zipcodes": zipcodes, "members": tuple(members)})


def _member(record: Record, option: Record | None) -> Member:
    values = {name: value for name, value in record.items() if name != "team_id"}
    held = {each.name: option[each.name] for each in OPTION.fields} if option is not None else None
    return Member(
        **values,
        option=DistributionOption(**held) if held is not None else None,
        option_id=option["id"] if option is not None else None,
    )


def takes(route: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns which leads a route takes, in a form that can be a key."""
    sources = (route.get("lead_source_id"), route.get("contact_source_id"))
    return (*sources, route.get("filter") or None, _hashable(route.get("conditions")))


def _hashable(value: Any) -> Any:
    match value:
        case dict():
            return tuple((name, _hashable(each)) for name, each in value.items())
        case list():
            return tuple(_hashable(each) for each in value)
    return (type(value).__name__, value) if isinstance(value, bool) else value


# -------------------------------------------------------------------------------------------------------------- names


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the ids in rules mean to their owner; people by e-mail. Teams are named by the rules themselves.

    `custom_fields`: the names of the owner's own fields, which conditions may compare.
    """

    lead_sources: Mapping[int, str] = field(default_factory=dict)
    contact_sources: Mapping[int, str] = field(default_factory=dict)
    campaigns: Mapping[int, str] = field(default_factory=dict)
    templates: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)
    teams: Mapping[int, str] = field(default_factory=dict)
    custom_fields: tuple[str, ...] = ()

    def of(self, to: str) -> Mapping[int, str]:
        found: Mapping[int, str] = getattr(self, to)
        return found


class Spellings:
    """How a document spells the records of one kind: by name, with the id where several have the same name."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self.names = dict(names)
        self._ids: dict[str, list[int]] = {}
        for record_id, name in names.items():
            self._ids.setdefault(name, []).append(record_id)

    def of(self, record_id: int) -> str:
        """Returns the spelling; of a record that is not known here `(#id)`."""
        name = self.names.get(record_id)
        if name is None:
            return f"(#{record_id})"
        return name if self._is_clear(name) else with_id(name, record_id)

    def _is_clear(self, name: str) -> bool:
        """Whether one record has the name, and it is not the spelling of another one."""
        return len(self._ids[name]) == 1 and self.spelled_with_id(name) is None

    def ids_of(self, name: str) -> list[int]:
        """Returns the ids of all records with this name."""
        return self._ids.get(name, [])

    def spelled_with_id(self, text: str) -> int | None:
        """Returns the id of a record whose spelling has its id, if this is it; else None."""
        found = self.with_id_behind(text)
        return None if found is None or self._is_clear(self.names[found]) else found

    def with_id_behind(self, text: str) -> int | None:
        """Returns the id that is behind a name, where the record with this id has the name; else None."""
        found = id_in_name(text)
        return found[1] if found and self.names.get(found[1]) == found[0] else None

    def all(self) -> list[str]:
        return sorted(self.of(record_id) for record_id in self.names)

    def add(self, record_id: int, name: str) -> None:
        self.names[record_id] = name
        self._ids.setdefault(name, []).append(record_id)

"""What the rules are to be when an earlier version of them is restored, and what of it cannot come back. Pure.

Routes, teams, options and listing agents become as they were. Members are people: they are neither invited again nor
removed; steps of campaigns stay as they are.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from leadroutes.domain.model import Rules
from leadroutes.domain.rule_fields import (
    BY_NAME,
    LISTING_AGENT,
    MEMBER,
    OPTION,
    ROUTE,
    STEP,
    TEAM,
    RuleField,
    RuleKind,
    RuleReference,
)
from leadroutes.domain.rule_records import FIRST_NEW_ID, Names, Record, Records, records_of

ChangedRecords = Mapping[tuple[str, int], tuple[Record | None, Record | None]]

REMOVED_MEMBER = "members are not invited again"
ADDED_MEMBER = "members who came later stay"
CHANGED_MEMBER = "members answer for themselves"
STEPS = "steps of campaigns are not restored"
NEEDED_TEAM = "a route needs it that could not be put back"
NAME_TAKEN = "its name is that of a route that could not be put back"
NOT_A_MEMBER = "the user is not a member of the team any more"


class NotRestored(NamedTuple):
    resource: str
    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Restoration:
    """`records` are the rules as wished for; of teams that come back the owner is a member, with an id for now."""

    records: Records
    not_restored: list[NotRestored]


def restoration(present: Rules, since: ChangedRecords, names: Names, people: Collection[int]) -> Restoration:
    """Returns the rules as they were before the changes `since`.

    `names` know what routes may refer to, `people` are the users of the changes who are still there.
    """
    restoring = _Restoring(present, since, names, people)
    restoring.everything()
    return Restoration(restoring.records, restoring.not_restored)


class _Restoring:
    def __init__(self, present: Rules, since: ChangedRecords, names: Names, people: Collection[int]) -> None:
        self.records = records_of(present)
        self.not_restored: list[NotRestored] = []
        self._present = records_of(present)
        self._since = since
        self._names = names
        self._people = people
        self._owner_id = present.owner_id
        self._next_id = FIRST_NEW_ID

    def everything(self) -> None:
        self._put_back(TEAM)
        self._put_back(ROUTE)
        stuck = self._leave(ROUTE, lambda record: self._why_dangling(ROUTE, record))
        self._keep_needed_teams()
        self._drop_second_names(stuck)
        self._members()
        self._put_back(OPTION)
        self._leave(OPTION, lambda record: None if self._is_member(record) else NOT_A_MEMBER)
        self._put_back(LISTING_AGENT)
        self._leave(LISTING_AGENT, lambda record: self._why_dangling(LISTING_AGENT, record))
        for (name, record_id), (before, after) in self._since.items():
            if name == STEP.name and before != after:
                self._give_up(STEP, record_id, STEPS)

    def _put_back(self, kind: RuleKind) -> None:
        """Gives each record that has changed the values that it had, or removes it if it was not there."""
        records = self.records[kind.name]
        for (name, record_id), (before, _after) in self._since.items():
            if name == kind.name and before is None:
                records.pop(record_id, None)
            elif name == kind.name and before is not None:
                records[record_id] = self._whole(kind, before, records.get(record_id))

    def _leave(self, kind: RuleKind, why_not: Callable[[Record], str | None]) -> set[int]:
        """Leaves what cannot be put back as it is now; returns its ids."""
        records, present, stuck = self.records[kind.name], self._present[kind.name], set()
        for name, record_id in self._since:
            record = records.get(record_id) if name == kind.name else None
            if record is None or (reason := why_not(record)) is None:
                continue
            del records[record_id]
            if record_id in present:
                records[record_id] = present[record_id]
            stuck.add(record_id)
            self._give_up(kind, record_id, reason)
        return stuck

    def _whole(self, kind: RuleKind, before: Record, present: Record | None) -> Record:
        """Returns all fields; those that the version did not have, or no restore changes, as they are or by default."""
        apart = {name: before[name] for name in ("id", "team_id", "user_id") if name in before}
        return apart | {each.name: self._field(each, before, present) for each in kind.fields}

    def _field(self, each: RuleField, before: Record, present: Record | None) -> Any:
        if each.is_restored and each.name in before:
            value = before[each.name]
        elif present is not None:
            return present[each.name]
        else:
            value = None
        if value is None and each.default is not None:
            return list(each.default) if isinstance(each.default, tuple) else each.default
        return value

    # ----------------------------------------------------------------------------------------------------- members

    def _members(self) -> None:
        teams, members = self.records[TEAM.name], self.records[MEMBER.name]
        for record_id in [each["id"] for each in members.values() if each["team_id"] not in teams]:
            del members[record_id]
        options = self.records[OPTION.name]
        for record_id in [each["id"] for each in options.values() if each["team_id"] not in teams]:
            del options[record_id]
        owned = {each["team_id"] for each in members.values()}
        for team_id in teams.keys() - owned:
            if self._was_removed(TEAM, team_id):
                self._add_owner(team_id)
        for (name, record_id), (before, after) in self._since.items():
            if name == MEMBER.name:
                self._report_member(record_id, before, after)

    def _was_removed(self, kind: RuleKind, record_id: int) -> bool:
        before, after = self._since.get((kind.name, record_id), (None, None))
        return before is not None and after is None

    def _add_owner(self, team_id: int) -> None:
        self._next_id += 1
        self.records[MEMBER.name][self._next_id] = {
            "id": self._next_id, "team_id": team_id, "user_id": self._owner_id, "request_status": "Accepted",
        }  # fmt: skip

    def _report_member(self, record_id: int, before: Record | None, after: Record | None) -> None:
        place = before or after or {}
        if place.get("team_id") not in self.records[TEAM.name] or (before is None and after is None):
            return
        if before is not None and after is None:
            if not (place["user_id"] == self._owner_id and self._is_member(place)):
                self._give_up(MEMBER, record_id, REMOVED_MEMBER)
        elif before is None:
            self._give_up(MEMBER, record_id, ADDED_MEMBER)
        elif before.get("request_status") != (after or {}).get("request_status"):
            self._give_up(MEMBER, record_id, CHANGED_MEMBER)

    def _is_member(self, place: Record) -> bool:
        return any(
            (each["team_id"], each["user_id"]) == (place["team_id"], place["user_id"])
            for each in self.records[MEMBER.name].values()
        )

    # --------------------------------------------------------------------------------------------- what cannot be

    def _why_dangling(self, kind: RuleKind, record: Record) -> str | None:
        for each in kind.fields:
            target = record[each.name] if isinstance(each.kind, RuleReference) else None
            if target is not None and not self._is_there(kind, record, each, target):
                return f"its {each.in_words} {target} is gone"
        return None

    def _is_there(self, kind: RuleKind, record: Record, each: RuleField, target: int) -> bool:
        match each.kind:
            case RuleReference(to="teams"):
                return target in self.records[TEAM.name]
            case RuleReference(to="people"):
                return target in self._people
            case RuleReference(to=to) if target in self._names.of(to):
                return True
        # What a record refers to now is there, even if its owner does not see it any more.
        now = self._present[kind.name].get(record["id"])
        return now is not None and now[each.name] == target

    def _keep_needed_teams(self) -> None:
        """A team that came later stays while a route needs it that could not be put back."""
        needed = {each["team_id"] for each in self.records[ROUTE.name].values()} - {None}
        for team_id in sorted(needed - self.records[TEAM.name].keys()):
            self.records[TEAM.name][team_id] = self._present[TEAM.name][team_id]
            self._give_up(TEAM, team_id, NEEDED_TEAM)

    def _drop_second_names(self, stuck: set[int]) -> None:
        """No two routes have the same name; those that could not be put back keep theirs."""
        routes = self.records[ROUTE.name]
        used = {routes[route_id]["name"] for route_id in stuck if route_id in routes}
        for route_id, route in routes.items():
            if route_id not in stuck and route["name"] is not None and route["name"] in used:
                routes[route_id] = route | {"name": None}
                self._give_up(ROUTE, route_id, NAME_TAKEN)

    def _give_up(self, kind: RuleKind, record_id: int, reason: str) -> None:
        self.not_restored.append(NotRestored(BY_NAME[kind.name].resource, record_id, reason))

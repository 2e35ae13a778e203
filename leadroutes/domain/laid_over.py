"""A document laid over rules: the rules that it wishes for, or what is wrong with it. Pure.

What the document does not say stays as it is; with `prune` what it does not name is removed.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from leadroutes.domain.condition_fields import FIELDS
from leadroutes.domain.faults import quoted
from leadroutes.domain.identity import comparable_mls_id
from leadroutes.domain.laid_campaigns import LaidCampaigns
from leadroutes.domain.laying import LaidEntry
from leadroutes.domain.model import Rules
from leadroutes.domain.rule_document import DocumentFault, RuleDocument, check_document
from leadroutes.domain.rule_fields import (
    CAMPAIGN,
    LARGEST,
    LISTING_AGENT,
    MEMBER,
    OPTION,
    ROUTE,
    STEP,
    TEAM,
    RuleKind,
    RuleReference,
    settle_option,
    settle_route,
    settle_team,
)
from leadroutes.domain.rule_records import Names, Record, Records, is_new, records_of, rules_of, takes


class LaidOver(Struct, frozen=True):
    """`rules` as the document wishes them, of which new records have ids for now; meaningless if there are faults.

    `campaigns`: the records of campaigns and their steps.
    """

    rules: Rules
    faults: tuple[DocumentFault, ...] = ()
    campaigns: Records = {}


def laid_over(
    document: RuleDocument, rules: Rules, names: Names, campaigns: Records | None = None, *, prune: bool = False
) -> LaidOver:
    """Returns what the rules would be with the document.

    `names` have to know the people whom it names; `campaigns` are those of the owner, none by default.
    """
    checked, faults = check_document(document)
    if faults:
        return LaidOver(rules, tuple(faults))
    laying = _Laying(checked, rules, names, campaigns or {}, prune=prune)
    laying.everything()
    if laying.faults:
        return LaidOver(rules, tuple(laying.faults))
    found = {kind.name: laying.records[kind.name] for kind in (CAMPAIGN, STEP)}
    return LaidOver(rules_of(laying.records, rules), campaigns=found)


class _Laying(LaidCampaigns):
    """One document being laid over rules."""

    def __init__(self, document: RuleDocument, rules: Rules, names: Names, campaigns: Records, *, prune: bool) -> None:
        super().__init__(document, records_of(rules) | campaigns, names, rules.owner_id, prune=prune)
        self._members = self._by_place(MEMBER)
        self._options = self._by_place(OPTION)
        self._named_routes = {each["name"]: each for each in self.records[ROUTE.name].values() if each["name"]}

    def _by_place(self, kind: RuleKind) -> dict[int, dict[int, Record]]:
        """Returns records by team and user, from where they are put back when all is done."""
        found: dict[int, dict[int, Record]] = {team_id: {} for team_id in self.records[TEAM.name]}
        for each in self.records[kind.name].values():
            found[each["team_id"]][each["user_id"]] = each
        return found

    def everything(self) -> None:
        content = self._document.content
        if "campaigns" in content:  # before the routes, which may name new ones
            self._campaigns(content["campaigns"])
        if "teams" in content:
            self._teams(content["teams"])
        if "routes" in content:
            self._routes(content["routes"])
        if "listing_agents" in content:
            self._listing_agents(content["listing_agents"])
        if self._prune:
            self._refuse_dangling_routes()
        for kind, places in ((MEMBER, self._members), (OPTION, self._options)):
            self.records[kind.name] = {each["id"]: each for team in places.values() for each in team.values()}

    # ------------------------------------------------------------------------------------------------------- teams

    def _teams(self, given: list[dict[str, Any]]) -> None:
        entries = [entry for place, each in enumerate(given) if (entry := self._team_entry(each, f"teams[{place}]"))]
        self._refuse_twice(entries, TEAM)
        for entry in entries:
            self._team(entry)
        if self._prune:
            for team_id in self.records[TEAM.name].keys() - {entry.id for entry in entries}:
                del self.records[TEAM.name][team_id], self._members[team_id], self._options[team_id]

    def _team(self, entry: LaidEntry) -> None:
        before = self.records[TEAM.name].get(entry.id)
        team = self.records[TEAM.name][entry.id] = self._over(TEAM, before, entry, keeps=("name",))
        if team != before:
            settle_team(team)
        self._members.setdefault(entry.id, {})
        self._options.setdefault(entry.id, {})
        self._lay_members(entry)
        if before is not None and before["order_method"] != team["order_method"]:
            for option in self._options[entry.id].values():
                settle_option(option, team["order_method"])

    def _team_entry(self, given: dict[str, Any], at: str) -> LaidEntry | None:
        name = given.get("name")
        if name is None:
            self._refuse(f"{at}.name", f"{at}.name is required")
            return None
        known = self._spellings["teams"]
        found = known.spelled_with_id(name)
        same = known.ids_of(name) if found is None else [found]
        if len(same) > 1:
            expected = ", ".join(known.of(each) for each in same)
            self._refuse(f"{at}.name", f"{at}.name: {len(same)} teams are called {quoted(name)}; expected {expected}")
            return None
        found = same[0] if same else known.with_id_behind(name)
        if found is None:
            found = self._new_id()
            known.add(found, name)  # which routes of the document may name, and another entry may not be called
        return LaidEntry(given, at, found)

    # ----------------------------------------------------------------------------------------------------- members

    def _lay_members(self, team: LaidEntry) -> None:
        if team.is_new and not (self._prune and "members" in team.given):
            self._add_member(team.id, self._owner_id)
        named: list[LaidEntry] = []
        for place, each in enumerate(team.given.get("members", ())):
            at = f"{team.at}.members[{place}]"
            user_id = self._reference("people", each.get("user"), f"{at}.user")
            if user_id is not None:
                named.append(LaidEntry(each, at, user_id))
        self._refuse_twice(named, MEMBER)
        for entry in named:
            self._add_member(team.id, entry.id)
        if self._prune and "members" in team.given:
            for user_id in self._members[team.id].keys() - {entry.id for entry in named}:
                del self._members[team.id][user_id]
                self._options[team.id].pop(user_id, None)
        for entry in named:
            self._lay_option(team.id, entry)

    def _add_member(self, team_id: int, user_id: int) -> None:
        if user_id not in self._members[team_id]:
            status = "Accepted" if user_id == self._owner_id else "Pending"
            member = {"id": self._new_id(), "team_id": team_id, "user_id": user_id, "request_status": status}
            self._members[team_id][user_id] = member

    def _lay_option(self, team_id: int, member: LaidEntry) -> None:
        options, given = self._options[team_id], member.given.get("option")
        before = options.get(member.id)
        if given is None:
            if self._prune:
                options.pop(member.id, None)
            return
        # Without a rank an option has the one that it has, or comes last.
        said = {name: value for name, value in given.items() if name != "rank" or value is not None}
        entry = LaidEntry(said, f"{member.at}.option", before["id"] if before else self._new_id())
        apart = {"team_id": team_id, "user_id": member.id}
        option = self._over(OPTION, before, entry, apart=apart)
        if before is None and option["rank"] is None:  # after all others, as one that the API adds
            option["rank"] = min(1 + max((each["rank"] or 0 for each in options.values()), default=0), LARGEST)
        if option != before:
            settle_option(option, self.records[TEAM.name][team_id]["order_method"])
        options[member.id] = option

    # ------------------------------------------------------------------------------------------------------ routes

    def _routes(self, given: list[dict[str, Any]]) -> None:
        read = [(each, f"routes[{place}]", self._route_references(each, place)) for place, each in enumerate(given)]
        entries = self._matched([(each | ids, at) for each, at, ids in read])
        self._refuse_twice(entries, ROUTE)
        for entry in entries:
            before = self.records[ROUTE.name].get(entry.id)
            route = self.records[ROUTE.name][entry.id] = self._over(ROUTE, before, entry)
            if route != before:
                self._settle_route(entry, route, before)
        if self._prune:
            self._keep(ROUTE, entries)
        self._refuse_names_twice(entries)

    def _route_references(self, given: dict[str, Any], place: int) -> dict[str, Any]:
        """Returns ids by the fields of the model, for what the document names."""
        named = [
            each for each in ROUTE.documented if isinstance(each.kind, RuleReference) and each.in_document in given
        ]
        return {
            each.name: self._reference(each.kind.to, given[each.in_document], f"routes[{place}].{each.in_document}")
            for each in named
            if isinstance(each.kind, RuleReference)
        }

    def _matched(self, read: list[tuple[dict[str, Any], str]]) -> list[LaidEntry]:
        """By name; who has none, or a new one, by what leads it takes, in order of id and the unnamed ones first."""
        found: dict[str, int] = {}
        for given, at in read:
            if (route := self._named_routes.get(given.get("name") or "")) is not None:
                found[at] = route["id"]
        waiting: dict[Any, list[int]] = {}
        taken = set(found.values())
        for each in sorted(self.records[ROUTE.name].values(), key=lambda each: (each["name"] is not None, each["id"])):
            if each["id"] not in taken:
                waiting.setdefault(takes(each), []).append(each["id"])
        for given, at in read:
            if at not in found and (same := waiting.get(takes(given))):
                is_named = self.records[ROUTE.name][same[0]]["name"] is not None
                if not (is_named and given.get("name") is not None):
                    found[at] = same.pop(0)
        return [LaidEntry(given, at, found[at] if at in found else self._new_id()) for given, at in read]

    def _settle_route(self, entry: LaidEntry, record: Record, before: Record | None) -> None:
        for name, message in settle_route(record).items():
            path = f"{entry.at}.{name.removesuffix('_id')}"
            if entry.given.get(name.removesuffix("_id")) is None:  # else it means nothing, which was refused before
                self._refuse(path, message.replace(name, path))
        self._check_custom_fields(entry, record, before, FIELDS)

    def _refuse_names_twice(self, entries: list[LaidEntry]) -> None:
        """A name may be that of a route that the document does not mention."""
        used = Counter(each["name"] for each in self.records[ROUTE.name].values() if each["name"] is not None)
        for entry in entries:
            name = self.records[ROUTE.name][entry.id]["name"]
            if used[name] > 1:
                self._refuse(f"{entry.at}.name", f"{entry.at}.name: another route is called {quoted(name)}")

    def _refuse_dangling_routes(self) -> None:
        """A route that stays may need a team that is removed, if the document has teams and no routes."""
        for route in self.records[ROUTE.name].values():
            if route["team_id"] is not None and route["team_id"] not in self.records[TEAM.name]:
                which = "a new route" if is_new(route["id"]) else f"route {route['id']}"
                which = f"the route {quoted(route['name'])}" if route["name"] else which
                self._refuse("teams", f"teams: {which} needs a team that the document does not name")

    # ---------------------------------------------------------------------------------------------- listing agents

    def _listing_agents(self, given: list[dict[str, Any]]) -> None:
        known = self.records[LISTING_AGENT.name].values()
        present: dict[str | None, Mapping[str, Any]] = {comparable_mls_id(each["mls_id"]): each for each in known}
        entries = []
        for place, each in enumerate(given):
            at = f"listing_agents[{place}]"
            user_id = self._reference("people", each.get("user"), f"{at}.user") if each.get("user") else None
            found = present.get(comparable_mls_id(each.get("mls_id") or ""))
            record_id = found["id"] if found else self._new_id()
            ids = {"user_id": user_id} if "user" in each else {}
            entries.append(LaidEntry(each | ids, at, record_id))
            if found is None:
                present[comparable_mls_id(each.get("mls_id") or "")] = {"id": record_id}
        self._refuse_twice(entries, LISTING_AGENT)
        for entry in entries:
            before = self.records[LISTING_AGENT.name].get(entry.id)
            after = self._over(LISTING_AGENT, before, entry, keeps=("mls_id",))
            self.records[LISTING_AGENT.name][entry.id] = after
            if before is None or before["user_id"] != after["user_id"]:
                self._refuse_stranger(entry, after["user_id"])
        if self._prune:
            self._keep(LISTING_AGENT, entries)

    def _refuse_stranger(self, entry: LaidEntry, user_id: int | None) -> None:
        """Only a member can be the agent of a listing, or someone whom the same document invites."""
        if user_id is not None and not any(user_id in members for members in self._members.values()):
            at, given = f"{entry.at}.user", entry.given.get("user")
            self._refuse(at, f"{at}: {quoted(given)} was given; expected a member of a team")

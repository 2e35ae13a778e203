"""The rule set as a document: names in place of ids, in a fixed order, so that it lives well under version control.

`document_of` makes one of rules; `check_document` says what is wrong with one as far as no rules are needed for it.
What a document means for the rules that are there is decided in `laid_over`. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from leadroutes.domain.faults import Faults, quoted, refusal
from leadroutes.domain.model import Route, Rules, precedence
from leadroutes.domain.rule_fields import (
    CAMPAIGN,
    LISTING_AGENT,
    MEMBER,
    OPTION,
    ROUTE,
    STEP,
    TEAM,
    RuleField,
    RuleKind,
    RuleReference,
    Shares,
    Word,
)
from leadroutes.domain.rule_records import Names, Record, Records, Spellings, records_of, takes
from leadroutes.errors import Invalid

VERSION: Final = 1
SECTIONS: Final = (TEAM, ROUTE, LISTING_AGENT, CAMPAIGN)
MOST_SIZE: Final = 1_048_576  # bytes of a document
MOST_FAULTS: Final = 100  # that are reported
_BESIDE: Final = {TEAM.section: ("members",), CAMPAIGN.section: ("actions",)}  # lists within an entry


class TextSpot(Struct, frozen=True):
    """Where something is in the text of a document; both count from 1. 0: it did not come from a text."""

    line: int = 0
    column: int = 0


class DocumentFault(Struct, frozen=True):
    """What is wrong with a document, and where: `field` is a path such as `routes[0].team`."""

    field: str
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}" if self.line else self.message


def as_invalid(faults: Sequence[DocumentFault]) -> Invalid:
    """Returns the problem that says what is wrong with a document: all of it in `data`, where the first is as well."""
    first = faults[0]
    shown = [
        {"line": each.line, "column": each.column, "field": each.field, "message": each.message} for each in faults
    ]
    return Invalid(
        f"The rules cannot be read: {'; '.join(map(str, faults[:10]))}",
        errors={each.field or "document": str(each) for each in faults},
        data={"line": first.line, "column": first.column, "field": first.field, "faults": shown},
    )


class RuleDocument(Struct, frozen=True):
    """The content as JSON has it, and where each of its parts is in the text, by path; `check_document` checks it."""

    content: dict[str, Any]
    places: dict[str, TextSpot] = {}

    def fault(self, path: str, message: str) -> DocumentFault:
        """Returns a fault with its place: that of the part itself, else of what it would be in."""
        known = path
        while known and known not in self.places:
            known = _above(known)
        place = self.places.get(known, TextSpot())
        return DocumentFault(path, message, place.line, place.column)

    @property
    def people(self) -> set[str]:
        """Returns the e-mails that it names, as a search for users needs them; its form may be any."""
        members = (each for team in _entries_of(self.content.get("teams")) for each in _entries_of(team.get("members")))
        named = [each.get("user") for each in (*members, *_entries_of(self.content.get("listing_agents")))]
        return {each.strip().lower() for each in named if isinstance(each, str) and "\0" not in each}


def _entries_of(given: Any) -> list[dict[str, Any]]:
    """Returns what can be read of a list of entries."""
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _above(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


# ---------------------------------------------------------------------------------------------------- made from rules


def document_of(rules: Rules, names: Names, campaigns: Records | None = None) -> RuleDocument:
    """Returns the rules as a document, with `campaigns` if they are given.

    Laid over the same rules and campaigns it changes nothing.
    """
    records = records_of(rules)
    kinds = ("lead_sources", "contact_sources", "campaigns", "people", "templates")
    spelling = {to: Spellings(names.of(to)) for to in kinds}
    spelling["teams"] = Spellings({each["id"]: each["name"] for each in records[TEAM.name].values()})
    teams = sorted(records[TEAM.name].values(), key=lambda each: (each["name"], each["id"]))
    routes = _in_order(rules.routes, records[ROUTE.name], spelling["lead_sources"])
    agents = sorted(records[LISTING_AGENT.name].values(), key=lambda each: (each["mls_id"], each["id"]))
    members = _members(records, spelling)
    content = {
        "rules": VERSION,
        "teams": [
            _entry(TEAM, each, spelling) | {"name": spelling["teams"].of(each["id"]), "members": members[each["id"]]}
            for each in teams
        ],
        "routes": [_entry(ROUTE, each, spelling) for each in routes],
        "listing_agents": [_entry(LISTING_AGENT, each, spelling) for each in agents],
    }
    return RuleDocument(content if campaigns is None else content | {"campaigns": _campaigns(campaigns, spelling)})


def _campaigns(records: Records, spelling: Mapping[str, Spellings]) -> list[dict[str, Any]]:
    """Returns the campaigns by name, each with its steps in the order in which they were added."""
    steps: dict[int, list[dict[str, Any]]] = {campaign_id: [] for campaign_id in records[CAMPAIGN.name]}
    for _, each in sorted(records[STEP.name].items()):
        steps[each["campaign_id"]].append(_entry(STEP, each, spelling))
    campaigns = sorted(records[CAMPAIGN.name].values(), key=lambda each: (each["name"], each["id"]))
    return [_entry(CAMPAIGN, each, spelling) | {"actions": steps[each["id"]]} for each in campaigns]


def _in_order(routes: Iterable[Route], records: Mapping[int, Record], sources: Spellings) -> list[Record]:
    """By lead source, and in the order in which they are tried; but unnamed ones that take the same leads by id.

    They have nothing else by which a reader could tell them apart.
    """
    first: dict[Any, Any] = {}
    for route in sorted(routes, key=precedence):
        first.setdefault(route.name or takes(records[route.id]), precedence(route))

    def order(route: Route) -> tuple[Any, ...]:
        record = records[route.id]
        return (sources.of(route.lead_source_id), first[route.name or takes(record)], route.id)

    return [records[route.id] for route in sorted(routes, key=order)]


def _entry(kind: RuleKind, record: Record, spelling: Mapping[str, Spellings]) -> dict[str, Any]:
    return {each.in_document: _spelled(each, record[each.name], spelling) for each in kind.documented}


def _spelled(each: RuleField, value: Any, spelling: Mapping[str, Spellings]) -> Any:
    if isinstance(each.kind, RuleReference) and value is not None:
        return spelling[each.kind.to].of(value)
    if isinstance(each.kind, Shares) and value is not None:
        templates = spelling["templates"]
        return [{"template": templates.of(part["template_id"]), "share": part["share"]} for part in value]
    return value


def _members(records: Records, spelling: Mapping[str, Spellings]) -> dict[int, list[dict[str, Any]]]:
    """Returns the members of each team, by e-mail."""
    options = {(each["team_id"], each["user_id"]): each for each in records[OPTION.name].values()}
    found: dict[int, list[dict[str, Any]]] = {team_id: [] for team_id in records[TEAM.name]}
    for member in records[MEMBER.name].values():
        option = options.get((member["team_id"], member["user_id"]))
        has_option = {"option": _entry(OPTION, option, spelling)} if option is not None else {}
        found[member["team_id"]].append({"user": spelling["people"].of(member["user_id"]), **has_option})
    for team in found.values():
        team.sort(key=lambda each: str(each["user"]))
    return found


# ----------------------------------------------------------------------------------------------------------- its form


def check_document(document: RuleDocument) -> tuple[RuleDocument, list[DocumentFault]]:
    """Returns the document with its values in the form in which they are stored, and what is wrong with it."""
    checking = _Checking(document)
    content = checking.whole()
    return RuleDocument(content, document.places), checking.faults


class _Checking:
    """One check of a document; faults are collected up to a limit."""

    def __init__(self, document: RuleDocument) -> None:
        self._document = document
        self.faults: list[DocumentFault] = []

    def whole(self) -> dict[str, Any]:
        content: Any = self._document.content
        known = ["rules", *(kind.section for kind in SECTIONS)]
        if not isinstance(content, dict):
            self._refuse("", f"the document: {quoted(content)} was given; expected fields, the first of them rules: 1")
            return {}
        self._refuse_unknown(content, known, "")
        if content.get("rules") != VERSION or content["rules"] is True:
            self._refuse("rules", refusal("rules", content.get("rules"), str(VERSION)))
        found: dict[str, Any] = {"rules": VERSION}
        for kind in SECTIONS:
            if kind.section in content:
                found[kind.section] = list(self._entries(kind, content[kind.section], kind.section))
        return found

    def _entries(self, kind: RuleKind, given: Any, at: str) -> Iterator[dict[str, Any]]:
        for place, each in self._listed(given, at):
            beside = _BESIDE.get(kind.section, ())
            entry = self._entry(kind, each, place, beside)
            if kind is CAMPAIGN and isinstance(each, dict) and "actions" in each:
                steps = self._listed(each["actions"], f"{place}.actions")
                entry["actions"] = [self._entry(STEP, step, at, ()) for at, step in steps]
            if kind is TEAM and isinstance(each, dict) and "members" in each:
                entry["members"] = list(self._members(each["members"], f"{place}.members"))
            yield entry

    def _members(self, given: Any, at: str) -> Iterator[dict[str, Any]]:
        user = RuleField("user", RuleReference("people"), is_required=True)
        for place, each in self._listed(given, at):
            entry: dict[str, Any] = {}
            if not isinstance(each, dict):
                self._refuse(place, refusal(place, each, "fields of a member, the first of them user"))
                yield entry
                continue
            self._refuse_unknown(each, ["user", "option"], place)
            if (email := self._value(user, each.get("user"), f"{place}.user")) is not None:
                entry["user"] = email
            if each.get("option") is not None:
                entry["option"] = self._entry(OPTION, each["option"], f"{place}.option", ())
            yield entry

    def _listed(self, given: Any, at: str) -> Iterator[tuple[str, Any]]:
        if given is None:
            return
        if not isinstance(given, list):
            self._refuse(at, refusal(at, given, "a list"))
            return
        for place, each in enumerate(given):
            yield f"{at}[{place}]", each

    def _entry(self, kind: RuleKind, given: Any, at: str, beside: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(given, dict):
            self._refuse(at, refusal(at, given, "fields and their values"))
            return {}
        fields = {each.in_document: each for each in kind.documented}
        self._refuse_unknown(given, [*fields, *beside], at)
        return {
            name: self._value(fields[name], value, f"{at}.{name}") for name, value in given.items() if name in fields
        }

    def _value(self, each: RuleField, value: Any, at: str) -> Any:
        if value is None or (isinstance(each.kind, Word) and value == "None" and each.is_nullable):
            if each.is_required:
                self._refuse(at, f"{at} is required")
            return list(each.default) if isinstance(each.default, tuple) else each.default
        try:
            return each.kind.read(value, at)
        except Faults as faults:
            for path, message in faults.found.items():
                self._refuse(path, message)
            return None

    def _refuse_unknown(self, given: dict[str, Any], known: list[str], at: str) -> None:
        for name in given:
            if name not in known:
                path = f"{at}.{name}".lstrip(".")
                self._refuse(path, f"{path} is unknown; expected one of {', '.join(known)}")

    def _refuse(self, path: str, message: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(self._document.fault(path, message))

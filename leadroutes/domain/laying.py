"""What laying a document over records of any kind takes: names looked up, fields put in, faults with their places.

Pure. What each kind of record needs beside that is in `laid_over` and `laid_campaigns`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from leadroutes.domain.condition_fields import Compared
from leadroutes.domain.conditions import Conditions, unknown_fields
from leadroutes.domain.faults import refusal
from leadroutes.domain.rule_document import MOST_FAULTS, DocumentFault, RuleDocument
from leadroutes.domain.rule_fields import (
    LISTING_AGENT,
    MEMBER,
    ROUTE,
    STEP,
    TEAM,
    RuleField,
    RuleKind,
    RuleReference,
)
from leadroutes.domain.rule_records import FIRST_NEW_ID, Names, Record, Records, Spellings, is_new

MOST_SHOWN = 20  # names that a message lists

NOUNS: Mapping[str, str] = {
    "lead_sources": "a lead source that you see",
    "contact_sources": "a contact source of yours",
    "campaigns": "a campaign that you see",
    "people": "the e-mail of a user",
    "teams": "a team of yours",
    "templates": "a template of yours",
}


class LaidEntry(NamedTuple):
    """An entry of the document at its place, and the record that it is about."""

    given: dict[str, Any]
    at: str
    id: int

    @property
    def is_new(self) -> bool:
        return is_new(self.id)


class LaidRecords:
    """One document being laid over records: those as they are so far, and what is wrong so far."""

    def __init__(self, document: RuleDocument, records: Records, names: Names, owner_id: int, *, prune: bool) -> None:
        self._document = document
        self._owner_id = owner_id
        self._prune = prune
        self.records: Records = {name: dict(each) for name, each in records.items()}
        self.faults: list[DocumentFault] = []
        self._custom_fields = names.custom_fields
        kinds = ("lead_sources", "contact_sources", "campaigns", "templates")
        self._spellings = {to: Spellings(names.of(to)) for to in kinds}
        self._spellings["people"] = Spellings({user_id: email.lower() for user_id, email in names.people.items()})
        self._spellings["teams"] = Spellings({each["id"]: each["name"] for each in self.records[TEAM.name].values()})
        self._next_id = FIRST_NEW_ID
        self._referred = self._references()

    def _references(self) -> set[tuple[str, int]]:
        """Returns what records refer to, which has no other spelling than its id where names no longer know it."""
        found = {("people", each["user_id"]) for each in self.records[MEMBER.name].values()}
        for kind in (ROUTE, LISTING_AGENT, STEP):
            fields = [(each.name, each.kind.to) for each in kind.documented if isinstance(each.kind, RuleReference)]
            for record in self.records[kind.name].values():
                found |= {(to, record[name]) for name, to in fields if record[name] is not None}
        variants = (each for step in self.records[STEP.name].values() for each in step["variants"] or ())
        return found | {("templates", each["template_id"]) for each in variants}

    def _over(
        self,
        kind: RuleKind,
        before: Record | None,
        entry: LaidEntry,
        *,
        apart: Mapping[str, int] | None = None,
        keeps: tuple[str, ...] = (),
    ) -> Record:
        """Returns an entry laid over its record, or a blank one; `keeps` are fields by which the record was found."""
        record = dict(before) if before else {"id": entry.id, **(apart or {}), **_blank(kind)}
        for each in kind.documented:
            name = each.name if isinstance(each.kind, RuleReference) else each.in_document
            if name in entry.given and not (before and name in keeps):
                record[each.name] = entry.given[name]
            if each.is_required and record[each.name] is None:
                path = f"{entry.at}.{each.in_document}"
                self._refuse_missing(each, path, was_given=each.in_document in entry.given)
        return record

    def _refuse_missing(self, each: RuleField, path: str, *, was_given: bool) -> None:
        """A name that was given and means nothing has been refused before."""
        if not (was_given and isinstance(each.kind, RuleReference)):
            self._refuse(path, f"{path} is required")

    def _reference(self, to: str, text: str | None, at: str) -> int | None:
        """Returns the id of what a name means."""
        if text is None:
            return None
        known = self._spellings[to]
        name = text.strip().lower() if to == "people" else text
        found = known.spelled_with_id(name)
        ids = known.ids_of(name) if found is None else [found]
        if not ids and (only := re.fullmatch(r"\(#([0-9]{1,18})\)", name)) and (to, int(only[1])) in self._referred:
            return int(only[1])
        if len(ids) == 1:
            return ids[0]
        if not ids and (found := known.with_id_behind(name)) is not None:
            return found
        options = [known.of(each) for each in ids] or (known.all() if to != "people" else [])
        shown = ", ".join(options[:MOST_SHOWN]) + (" …" if len(options) > MOST_SHOWN else "")
        expected = f"{NOUNS[to]}: {shown}" if shown else NOUNS[to]
        self._refuse(at, refusal(at, text, expected))
        return None

    def _keep(self, kind: RuleKind, entries: Iterable[LaidEntry]) -> None:
        named = {entry.id for entry in entries}
        present = self.records[kind.name]
        self.records[kind.name] = {record_id: each for record_id, each in present.items() if record_id in named}

    def _refuse_twice(self, entries: list[LaidEntry], kind: RuleKind) -> None:
        seen: set[int] = set()
        for entry in entries:
            if entry.id in seen:
                self._refuse(entry.at, f"{entry.at}: this {kind.noun.lower()} was given a second time")
            seen.add(entry.id)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _refuse(self, path: str, message: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(self._document.fault(path, message))

    def _check_custom_fields(
        self, entry: LaidEntry, record: Record, before: Record | None, fields: Mapping[str, Compared]
    ) -> None:
        if record["conditions"] is not None and (before is None or before["conditions"] != record["conditions"]):
            named = Conditions.read(record["conditions"], f"{entry.at}.conditions", fields).custom_fields
            for path, message in unknown_fields(named, self._custom_fields).items():
                self._refuse(path, message)


def _blank(kind: RuleKind) -> Record:
    return {each.name: list(each.default) if isinstance(each.default, tuple) else each.default for each in kind.fields}

"""Which rows of an import are joined to a contact or to an earlier row, by what, and under which names.

Pure: from the rows, the people in them, and what was known before the import, so a dry run reports the same.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leadroutes.domain.dedupe import Identity
from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.csv_import import ImportedRow

Same = Literal["mail", "phone", "both"]
SHOWN = 20
"""Joined rows that are shown; a report has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedContact:
    """A contact that was there before: its id and its names."""

    id: int
    first_name: str | None
    last_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRow:
    """A row whose lead goes to a known person: a contact, or the first row of the same person."""

    row: ImportedRow
    to: str  # `contact 7` or `row 1`
    by: Same
    name: str  # of the person it was joined to; empty if unknown
    is_other_name: bool

    def line(self) -> str:
        """Returns the sentence for the report."""
        name = f" ({self.name})" if self.name else ""
        by = {"mail": "e-mail", "phone": "phone", "both": "e-mail and phone"}[self.by]
        other = f"; the row says {_name(self.row)}" if self.is_other_name else ""
        return f"line {self.row.line} (row {self.row.row}): joined to {self.to}{name} by {by}{other}"


def merged_rows(
    rows: Iterable[tuple[ImportedRow, Sequence[Identity]]],
    person_of: Callable[[Identity], Identity],
    known: Mapping[Identity, NamedContact],
    made: Collection[int],
) -> list[MergedRow]:
    """Returns those rows with a number in `made` that were joined to someone; `known` is by e-mail and phone."""
    persons: dict[Identity, NamedContact] = {}
    for identity, each in known.items():
        persons.setdefault(person_of(identity), each)
    firsts: dict[Identity, ImportedRow] = {}
    seen: set[Identity] = set()
    found = []
    for row, identities in rows:
        if not identities:
            continue
        person = person_of(identities[0])
        first = firsts.setdefault(person, row)
        contact = persons.get(person)
        if row.row in made and (contact is not None or first is not row):
            shared = [each for each in identities if each in known or each in seen] or list(identities)
            found.append(_joined(row, contact, first, {kind for kind, _ in shared}))
        seen.update(identities)
    return found


def _joined(row: ImportedRow, contact: NamedContact | None, first: ImportedRow, kinds: set[str]) -> MergedRow:
    there: NamedContact | Inquiry = contact or first.inquiry
    return MergedRow(
        row=row,
        to=f"contact {contact.id}" if contact else f"row {first.row}",
        by="both" if len(kinds) > 1 else "mail" if "email" in kinds else "phone",
        name=" ".join(name for name in (there.first_name, there.last_name) if name),
        is_other_name=_differ(row.inquiry.first_name, there.first_name)
        or _differ(row.inquiry.last_name, there.last_name),
    )


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one and other) and (one or "").casefold() != (other or "").casefold()


def _name(row: ImportedRow) -> str:
    return " ".join(name for name in (row.inquiry.first_name, row.inquiry.last_name) if name)


def account(joined: Sequence[MergedRow]) -> Iterator[str]:
    """Yields the lines for the screen: how many were joined, then the first of them, other names first."""
    if not joined:
        return
    to_contacts = sum(each.to.startswith("contact") for each in joined)
    others = sum(each.is_other_name for each in joined)
    yield (
        f"{len(joined)} joined to a person who is known: {to_contacts} to contacts, "
        f"{len(joined) - to_contacts} to earlier rows; {others} under another name"
    )
    first = sorted(joined, key=lambda each: not each.is_other_name)[:SHOWN]
    yield from (each.line() for each in first)
    if len(joined) > SHOWN:
        yield f"… and {len(joined) - SHOWN} more: --report FILE lists them all"

"""Deduplicates the rows of a batch of an import: each is a new lead, was in before, or mends one that is in.

History only: nothing is touched or routed. No database is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leadroutes.domain.dedupe import Identity, LeadReference
from leadroutes.domain.deduplicator import Deduplicator, Origin, PastOutcome, known_reference
from leadroutes.domain.records import BatchWrites, KnownRecords
from leadroutes.operations.csv_import_rows import Account, People, Row


@dataclass(slots=True)
class ImportBatch:
    """What the rows come to; what one brings, the next one knows."""

    rows: Sequence[Row]
    known: KnownRecords
    writes: BatchWrites
    contacts: dict[Identity, int] = field(default_factory=dict)  # by person
    leads: list[tuple[int, Row]] = field(default_factory=list)  # of all rows, also of those that were in before
    made: list[int] = field(default_factory=list)  # numbers of the rows that became leads
    mended: int = 0


def deduplicate(
    rows: Sequence[Row], account: Account, people: People, known: KnownRecords, now: datetime
) -> ImportBatch:
    """Returns what becomes of the rows, by what is `known`."""
    sorter = _Sorter(account, people, Deduplicator(known, now), ImportBatch(rows, known, BatchWrites()))
    for row in rows:
        sorter.add(row)
    sorter.deduplicator.finish_leads()
    sorter.batch.writes = sorter.deduplicator.finish()
    return sorter.batch


@dataclass(frozen=True, slots=True)
class _Sorter:
    account: Account
    people: People
    deduplicator: Deduplicator
    batch: ImportBatch

    def add(self, row: Row) -> None:
        """A lead of its own, unless its content or its source's id is in already, or it mends one that is."""
        owner_id, inquiry = self.account.owner_id, row.imported.inquiry
        keys, known = self.account.keys_of(row), self.deduplicator.known
        if found := known.find_key(owner_id, keys, inquiry):
            about = known_reference(found)
        elif found := known.find_key(owner_id, row.earlier_keys, inquiry):
            about = known_reference(found)
            self._mend(row, about)
        else:
            about = self._make_lead(row, self.account.origin_of(row))
        if about is not None:
            self.batch.leads.append((about.lead_id, row))
        self.deduplicator.store_new_keys(owner_id, keys, about)

    def _mend(self, row: Row, about: LeadReference | None) -> None:
        """What can be read now fills the gaps that it had left."""
        if about is None or about.contact_id is None:
            return
        if (self.account.owner_id, about.contact_id) not in self.deduplicator.known.contacts:
            return
        origin, inquiry = self.account.origin_of(row), row.imported.inquiry
        self.deduplicator.fill(origin, about.contact_id, inquiry)
        self.deduplicator.touch(origin, about, inquiry, "updated", message=None, mended=True)
        self.batch.mended += 1

    def _make_lead(self, row: Row, origin: Origin) -> LeadReference:
        person = self.people.person_of(row)
        others = [self.batch.contacts.get(person), self.people.contacts.get(person)] if person is not None else []
        inquiry = row.imported.inquiry
        contact_id, _ = self.deduplicator.identify(origin, inquiry, [each for each in others if each is not None])
        if person is not None:
            self.batch.contacts.setdefault(person, contact_id)
        self.batch.made.append(row.imported.row)
        past = PastOutcome(is_closed=row.imported.is_closed, junk=row.imported.junk)
        return self.deduplicator.make_lead(origin, inquiry, contact_id, past=past)

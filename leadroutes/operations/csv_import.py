"""Brings past leads in from a CSV file, in batches: every row is in, was in before, or is reported with the reason.

History only: nothing is routed, alerted or touched, unless the leads of the last 24 hours are asked to be routed.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec.structs import asdict, replace

from leadroutes.domain.dedupe import (
    DedupeKey,
    Identity,
    KnownContact,
    KnownDedupeKey,
    addresses_in,
    fill_contact,
    identities_of,
    inquiry_columns,
    place_contact,
    vendor_keys,
)
from leadroutes.domain.union_find import UnionFind
from leadroutes.engine.engine import Engine
from leadroutes.errors import Invalid
from leadroutes.intake.csv_dates import EXPECTED, table_time
from leadroutes.intake.csv_import import ImportedRow, RowError
from leadroutes.intake.csv_tables import GIVEN_TIME, fault_of, split_csv
from leadroutes.operations.csv_import_joins import NamedContact, merged_rows
from leadroutes.operations.csv_import_results import Report, fault_of_all
from leadroutes.operations.csv_parallel import read_csv_together
from leadroutes.operations.gather import gather_or_cancel
from leadroutes.operations.suppression_lists import suppress_unsubscribed
from leadroutes.store import accounts, statement
from leadroutes.store.analyze import analyze_young_tables
from leadroutes.store.arrivals import BatchWrites, KnownRecords, LookupRequest, key_record, load_known_records, write
from leadroutes.store.connection_errors import RETRYABLE_ERRORS
from leadroutes.store.postgres import Database, Transaction

BATCH_SIZE = 1000
MAX_CONCURRENT_BATCHES = 2  # batches that are written at the same time
RECENT = timedelta(hours=24)
SCOPE = "import"
NAME_LIMIT = 200

ReportProgress = Callable[[int, int], None]  # how many rows are done, of how many


async def import_leads(
    database: Database, content: bytes, owner_email: str, *, route: bool, dry_run: bool, tell: ReportProgress,
    received_at: str | None = None, channels: Iterable[str] = (),
) -> Report:  # fmt: skip
    """Import the file into the account of the user with this e-mail; the same file again adds nothing.

    `channels` are those that this installation can send over. `received_at` is the date of rows that name none. A file
    that is wrong as a whole has a `fault` in its report.
    """
    owner_id = await accounts.get_user_id(database, owner_email)
    given = given_columns(received_at)
    report = Report(is_dry_run=dry_run, given=given, fault=fault_of(split_csv(content, given)[0]))
    if report.fault:
        return report
    rows = _readable(await read_csv_together(content, given), report)
    report.fault = fault_of_all(report)
    if not rows:
        return report
    imported = (row.imported for row in rows)
    report.unsubscribed = await suppress_unsubscribed(database, owner_id, imported, dry_run=dry_run)
    importing = _Import(database, owner_id, await _name_sources(database, owner_id, rows, dry_run), _people(rows))
    await importing.recognise()
    known, made = await importing.load_known(), set[int]()

    async def bring_in(share: Sequence[_Row]) -> None:
        async with contextlib.aclosing(importing.store(_batches(share), is_dry_run=dry_run)) as stored:
            async for done in stored:
                report.imported += done.imported
                report.known += len(done.rows) - done.imported
                report.mended += done.mended
                made.update(done.made)
                if not dry_run:
                    await analyze_young_tables(database)
                tell(report.imported + report.known, len(rows))

    await gather_or_cancel(bring_in(share) for share in importing.shares(rows))
    report.joined = merged_rows(((row.imported, row.identities) for row in rows), importing.people.of, known, made)
    keys = {row.imported.row: row.imported.known_as or row.key for row in rows}
    report.keys |= {each.row.row: keys[each.row.row] for each in report.joined}
    if route and not dry_run:
        report.routed = await importing.route(Engine(database, channels))
    return report


def given_columns(received_at: str | None) -> dict[str, str]:
    """The column that the file does not have. Invalid: it is no date."""
    if received_at is None:
        return {}
    if table_time(received_at) is None:
        raise Invalid(f"--received-at: {received_at!r} was given; expected {EXPECTED}")
    return {GIVEN_TIME: received_at}


def _batches(rows: Sequence["_Row"]) -> Iterator[Sequence["_Row"]]:
    for start in range(0, len(rows), BATCH_SIZE):
        yield rows[start : start + BATCH_SIZE]


def _readable(read: Iterable[ImportedRow | RowError], report: Report) -> list["_Row"]:
    """The rows that can be imported; the report gets the others, and what could not be read in these."""
    rows: list[_Row] = []
    seen: Counter[str] = Counter()
    for each in read:
        report.rows += 1
        if isinstance(each, RowError):
            report.rejected.append(each)
            continue
        report.warnings += [(each, warning) for warning in each.warnings]
        seen[each.digest] += 1
        rows.append(_Row(each, f"{each.digest} {seen[each.digest]}", identities_of(each.inquiry)))
        if each.warnings:
            report.keys[each.row] = each.known_as or rows[-1].key
    return rows


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with what makes it the same as one of another file: its content, and its number among equal ones."""

    imported: ImportedRow
    key: str
    identities: tuple[Identity, ...]


def _people(rows: Iterable[_Row]) -> UnionFind[Identity]:
    """The e-mails and phones of each person: the same person through other rows too."""
    people: UnionFind[Identity] = UnionFind()
    for row in rows:
        people.join(row.identities)
    return people


@dataclass(frozen=True, slots=True)
class _Sources:
    """Ids by name, lower case; a name that a dry run would have made means 0."""

    lead: dict[str, int]
    contact: dict[str, int]


async def _name_sources(database: Database, owner_id: int, rows: Sequence[_Row], dry_run: bool) -> _Sources:
    lead = {_cut(row.imported.lead_source) for row in rows}
    contact = {_cut(row.imported.contact_source) for row in rows if row.imported.contact_source}

    async def work(transaction: Transaction) -> _Sources:
        sources = _Sources({}, {})
        for names, name_source, found, kind in (
            (lead, accounts.find_or_add_lead_source, sources.lead, "lead_sources"),
            (contact, accounts.find_or_add_contact_source, sources.contact, "contact_sources"),
        ):
            known = await transaction.fetch(*statement("load_names").bind(owner_id=owner_id, kind=kind))
            found |= {row["name"].lower(): row["id"] for row in reversed(known)}
            for name in sorted(names):
                if name.lower() not in found:
                    found[name.lower()] = 0 if dry_run else await name_source(transaction, owner_id, name)
        return sources

    return await database.run(work)


def _cut(name: str) -> str:
    return name[:NAME_LIMIT].rstrip()


@dataclass(slots=True)
class _Import:
    """One import: who is who in the file, and which contact each person has become."""

    database: Database
    owner_id: int
    sources: _Sources
    people: UnionFind[Identity]
    contacts: dict[Identity, int] = field(default_factory=dict)  # by the identity that stands for the person
    identified: dict[Identity, int] = field(default_factory=dict)  # contacts that were there before
    foreseen: dict[tuple[int, str, str], KnownDedupeKey] = field(
        default_factory=dict
    )  # what a dry run would have stored
    recent: list[int] = field(default_factory=list)

    async def recognise(self) -> None:
        """People of the file who are contacts already, in whichever row they say so."""
        identities = list(self.people)
        for start in range(0, len(identities), BATCH_SIZE):
            part = identities[start : start + BATCH_SIZE]
            rows = await self.database.fetch(
                *statement("find_identities").bind(
                    owner_id=self.owner_id, kinds=[kind for kind, _ in part], values=[value for _, value in part]
                )
            )
            for row in rows:
                self.identified[row["kind"], row["value"]] = row["contact_id"]
                self.contacts.setdefault(self.people.of((row["kind"], row["value"])), row["contact_id"])

    async def load_known(self) -> dict[Identity, NamedContact]:
        """The contacts that were there before the import, by what identifies them."""
        rows = await self.database.fetch(
            *statement("find_contact_names").bind(
                owner_id=self.owner_id, contact_ids=sorted({*self.identified.values()})
            )
        )
        found = {row["id"]: NamedContact(**row) for row in rows}
        return {identity: found[each] for identity, each in self.identified.items() if each in found}

    def shares(self, rows: Sequence[_Row]) -> list[Sequence[_Row]]:
        """What may be stored at the same time: rows that have a person, a contact or a key in common stay together."""
        if len(rows) <= BATCH_SIZE:
            return [rows]
        marks = [list(self._marks(row)) for row in rows]
        groups: UnionFind[Hashable] = UnionFind()
        for each in marks:
            groups.join(each)
        shares: list[list[_Row]] = [[] for _ in range(MAX_CONCURRENT_BATCHES)]
        share_of: dict[Hashable, list[_Row]] = {}
        for row, (mark, *_) in zip(rows, marks, strict=True):
            share_of.setdefault(groups.of(mark), min(shares, key=len)).append(row)
        return [share for share in shares if share]

    def _marks(self, row: _Row) -> Iterator[Hashable]:
        """The person is known by his e-mails and phones; who has none, by what he wrote."""
        person = self.person_of(row)
        yield person or row.imported.digest
        if person and (contact_id := self.contacts.get(person)):
            yield contact_id
        yield from vendor_keys(self.lead_source_of(row), row.imported.inquiry)
        yield from _earlier_keys(row)

    async def store(
        self, batches: Iterable[Sequence[_Row]], *, is_dry_run: bool
    ) -> AsyncGenerator["_ImportBatch", None]:
        """Store those of the rows that are not in yet, and what was mended in those that are.

        A batch is looked up and sorted while the one before it is being written.
        """
        ahead: _ImportBatch | None = None
        writing: asyncio.Task[_ImportBatch] | None = None
        try:
            for rows in batches:
                sorted_ = await self._sort(rows, None if is_dry_run else ahead)
                if is_dry_run:
                    self._foresee(sorted_)
                done = self._noted(await writing) if writing else None
                if done is not ahead:
                    sorted_ = await self._sort(rows, None)
                ahead, writing = sorted_, asyncio.create_task(self._write(sorted_, is_dry_run=is_dry_run))
                if done:
                    yield done
            if writing:
                yield self._noted(await writing)
        finally:
            if writing:
                await asyncio.gather(writing, return_exceptions=True)

    async def _sort(self, rows: Sequence[_Row], ahead: "_ImportBatch | None") -> "_ImportBatch":
        """`ahead` is what is being written, and not to be seen yet."""
        if ahead:
            self.contacts |= ahead.contacts
        async with self.database.transaction() as transaction:
            known = await load_known_records(transaction, self._wanted(rows))
        if ahead:
            ahead.tell(known)
        return _ImportBatch(self, known, rows)

    def _foresee(self, batch: "_ImportBatch") -> "_ImportBatch":
        """What a dry run would have stored is known to its next batches."""
        for record in batch.writes.keys:
            key = (self.owner_id, record["scope"], record["key"])
            self.foreseen[key] = batch.known.keys[key]
        return batch

    async def _write(self, sorted_: "_ImportBatch", *, is_dry_run: bool) -> "_ImportBatch":
        """The batch; another one of the same rows where somebody else has stored any of it first."""
        if is_dry_run:
            return sorted_
        try:
            async with self.database.transaction() as transaction:
                await write(transaction, sorted_.writes)
                return sorted_
        except RETRYABLE_ERRORS:
            return await self.database.run(partial(self._store_anew, rows=sorted_.rows))

    async def _store_anew(self, transaction: Transaction, rows: Sequence[_Row]) -> "_ImportBatch":
        sorted_ = _ImportBatch(self, await load_known_records(transaction, self._wanted(rows)), rows)
        await write(transaction, sorted_.writes)
        return sorted_

    def _noted(self, done: "_ImportBatch") -> "_ImportBatch":
        self.contacts |= done.contacts
        since = self.database.clock.now() - RECENT
        self.recent += [lead_id for lead_id, row in done.leads if _is_to_route(row, since)]
        return done

    def _wanted(self, batch: Sequence[_Row]) -> LookupRequest:
        people = {person for row in batch if (person := self.person_of(row))}
        keys = {key for row in batch for key in (*self.keys_of(row), *_earlier_keys(row))}
        return LookupRequest(
            owners={self.owner_id},
            keys={(self.owner_id, key.scope, key.key) for key in keys},
            identities={(self.owner_id, *identity) for row in batch for identity in row.identities},
            contacts={(self.owner_id, self.contacts[person]) for person in people if person in self.contacts},
            leads=len(batch),
        )

    def person_of(self, row: _Row) -> Identity | None:
        """The identity that stands for the row's person; None where a relay address is all that he gave."""
        return self.people.of(row.identities[0]) if row.identities else None

    def keys_of(self, row: _Row) -> tuple[DedupeKey, ...]:
        """What makes a row one that is in already: its content, or the source's own id."""
        vendor = vendor_keys(self.lead_source_of(row), row.imported.inquiry)
        return (DedupeKey(scope=SCOPE, key=row.key, is_lasting=True), *vendor)

    def lead_source_of(self, row: _Row) -> int:
        return self.sources.lead[_cut(row.imported.lead_source).lower()]

    def contact_source_of(self, row: _Row) -> int | None:
        name = row.imported.contact_source
        return self.sources.contact[_cut(name).lower()] if name else None

    async def route(self, engine: Engine) -> int:
        """Route the leads of the last 24 hours that have not been routed; how many these were."""
        rows = await self.database.fetch(
            *statement("release_imported_leads").bind(owner_id=self.owner_id, lead_ids=self.recent)
        )
        for row in rows:
            await engine.distribute(self.owner_id, row["id"])
        return len(rows)


def _earlier_keys(row: _Row) -> tuple[DedupeKey, ...]:
    """What the row was known as when it was imported with a warning."""
    return (DedupeKey(scope=SCOPE, key=row.imported.known_as, is_lasting=True),) if row.imported.known_as else ()


def _is_to_route(row: _Row, since: Any) -> bool:
    inquiry = row.imported.inquiry
    return not inquiry.is_test and inquiry.received_at is not None and inquiry.received_at >= since


class _ImportBatch:
    """Sorts the rows of a batch; what one brings, the next one knows."""

    def __init__(self, importing: _Import, known: KnownRecords, rows: Sequence[_Row]) -> None:
        self.importing = importing
        self.rows = rows
        self.owner_id = importing.owner_id
        self.known = known
        wanted = (key for row in rows for key in (*importing.keys_of(row), *_earlier_keys(row)))
        for key in ((self.owner_id, each.scope, each.key) for each in wanted if importing.foreseen):
            if key in importing.foreseen:
                known.keys.setdefault(key, importing.foreseen[key])
        self.identities = known.identities[self.owner_id]
        self.contacts: dict[Identity, int] = {}
        self.before: dict[int, KnownContact | None] = {}  # contacts that change, as they were; None: a new one
        self.created_at: dict[int, Any] = {}  # of new contacts
        self.leads: list[tuple[int, _Row]] = []  # of all rows, those that were in before included
        self.writes = BatchWrites()
        self.imported = 0
        self.mended = 0
        self.made: list[int] = []  # numbers of the rows that became leads
        for row in rows:
            self._add(row)
        self._finish()

    def tell(self, known: KnownRecords) -> None:
        """What has been looked up for the next batch meanwhile learns what this one brings."""
        contacts = {record["id"]: record["contact_id"] for record in self.writes.leads}
        for contact_id in {*self.before, *contacts.values()}:
            known.contacts[self.owner_id, contact_id] = self.known.contacts[self.owner_id, contact_id]
        for record in self.writes.identities:
            identity = (record["kind"], record["value"])
            known.identities[self.owner_id][identity] = record["contact_id"]
            known.unproven[self.owner_id].discard(identity)
        for record in self.writes.keys:
            key = (self.owner_id, record["scope"], record["key"])
            known.keys[key] = replace(self.known.keys[key], contact_id=contacts.get(record["lead_id"]))

    def _add(self, row: _Row) -> None:
        """A lead of its own, unless its content or its source's id is in already, or it mends one that is."""
        keys = self.importing.keys_of(row)
        inquiry = row.imported.inquiry
        if found := self.known.find_key(self.owner_id, keys, inquiry):
            lead_id, contact_id = found.lead_id, found.contact_id
        elif earlier := self.known.find_key(self.owner_id, _earlier_keys(row), inquiry):
            lead_id, contact_id = self._mend(row, earlier), earlier.contact_id
        else:
            lead_id, contact_id = self._make_lead(row)
        if lead_id is not None:
            self.leads.append((lead_id, row))
        for key in keys:
            self._keep(key, lead_id, contact_id)

    def _mend(self, row: _Row, earlier: KnownDedupeKey) -> int | None:
        """What can be read now fills the gaps that it had left."""
        contact_id = earlier.contact_id
        if earlier.lead_id is None or contact_id is None or (self.owner_id, contact_id) not in self.known.contacts:
            return earlier.lead_id
        self._fill(row, contact_id)
        inquiry = row.imported.inquiry
        detail = {"message": None, "source": inquiry.source, "mended": True, **inquiry.person}
        touch = {"owner_id": self.owner_id, "lead_id": earlier.lead_id, "kind": "updated", "counts_as_touch": False}
        self.writes.touches.append({**touch, "detail": detail, **inquiry_columns(inquiry)})
        self.mended += 1
        return earlier.lead_id

    def _keep(self, key: DedupeKey, lead_id: int | None, contact_id: int | None) -> None:
        if (self.owner_id, key.scope, key.key) not in self.known.keys:
            now = self.importing.database.clock.now()
            self.writes.keys.append(key_record(self.owner_id, key, lead_id, None, now))
            self.known.keys[self.owner_id, key.scope, key.key] = KnownDedupeKey(
                lead_id=lead_id, arrival_id=None, digest=None, expires_at=key.expires_at(now), contact_id=contact_id
            )

    def _make_lead(self, row: _Row) -> tuple[int, int]:
        """The lead and its contact."""
        inquiry = row.imported.inquiry
        lead_id, contact_id = self.known.lead_ids.pop(), self._identify(row)
        self.imported += 1
        self.made.append(row.imported.row)
        self.writes.leads.append(
            {
                "owner_id": self.owner_id,
                "id": lead_id,
                "contact_id": contact_id,
                "creator_user_id": self.owner_id,
                "source_id": self.importing.lead_source_of(row),
                "claimed_via": "None",
                "created_at": inquiry.received_at,
                "is_imported": True,
                "inquirer": inquiry.person or None,
                **inquiry_columns(inquiry),
            }
        )
        return lead_id, contact_id

    def _identify(self, row: _Row) -> int:
        """The contact that this person is, made if need be, with the gaps filled that this row can fill."""
        person = self.importing.person_of(row)
        contact_id = self._find(row, person)
        if contact_id is None:
            contact_id = self.known.contact_ids.pop()
            self.known.contacts[self.owner_id, contact_id] = KnownContact(id=contact_id)
            self.before[contact_id] = None
            self.created_at[contact_id] = row.imported.inquiry.received_at
        self._fill(row, contact_id)
        if person is not None:
            self.contacts.setdefault(person, contact_id)
        return contact_id

    def _find(self, row: _Row, person: Identity | None) -> int | None:
        candidates = [self.known.find_contact(self.owner_id, row.imported.inquiry)]
        if person is not None:
            candidates += [self.contacts.get(person), self.importing.contacts.get(person)]
        return next((each for each in candidates if each and (self.owner_id, each) in self.known.contacts), None)

    def _fill(self, row: _Row, contact_id: int) -> None:
        inquiry = row.imported.inquiry
        before = self.known.contacts[self.owner_id, contact_id]
        filled = replace(
            fill_contact(place_contact(before, inquiry.zipcode, inquiry.phone), inquiry),
            source_id=before.source_id or self.importing.contact_source_of(row),
        )
        if filled != before:
            self.before.setdefault(contact_id, before)
            self.known.contacts[self.owner_id, contact_id] = filled
        self._keep_identities(row, contact_id, filled)

    def _keep_identities(self, row: _Row, contact_id: int, contact: KnownContact) -> None:
        """As an arrival through a proven key does."""
        unproven = self.known.unproven[self.owner_id]
        for identity in row.identities:
            is_free = identity not in self.identities or identity in unproven
            if is_free and (identity[0] == "email" or identity in addresses_in(contact)):
                self.identities[identity] = contact_id
                unproven.discard(identity)
                kind, value = identity
                record = {"owner_id": self.owner_id, "kind": kind, "value": value, "contact_id": contact_id}
                self.writes.identities.append(record | {"is_proven": True})
                self.before.setdefault(contact_id, contact)

    def _finish(self) -> None:
        for contact_id, before in self.before.items():
            after = self.known.contacts[self.owner_id, contact_id]
            record = {"owner_id": self.owner_id, **asdict(after)}
            if before is None:
                self.writes.contacts.append(record | {"created_at": self.created_at[contact_id]})
            else:
                self.writes.filled.append(record)

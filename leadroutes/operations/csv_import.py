"""Imports past leads from a CSV file, in batches: every row is imported, was in before, or is reported with a reason.

History only: nothing is routed, alerted or touched, except with `route` the leads of the last 24 hours.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from leadroutes.domain.dedupe import Identity, KnownDedupeKey, identities_of
from leadroutes.engine.engine import Engine
from leadroutes.errors import Invalid
from leadroutes.intake.csv_dates import EXPECTED, table_time
from leadroutes.intake.csv_import import ImportedRow, RowError
from leadroutes.intake.csv_tables import GIVEN_TIME, fault_of, split_csv
from leadroutes.operations.csv_import_batch import ImportBatch, deduplicate
from leadroutes.operations.csv_import_joins import NamedContact, merged_rows
from leadroutes.operations.csv_import_results import Report, fault_of_all
from leadroutes.operations.csv_import_rows import Account, People, Row, cut, divide
from leadroutes.operations.csv_parallel import read_csv_together
from leadroutes.operations.gather import gather_or_cancel
from leadroutes.operations.suppression_lists import suppress_unsubscribed
from leadroutes.store import accounts, statement
from leadroutes.store.analyze import analyze_young_tables
from leadroutes.store.arrivals import LookupRequest, load_known_records, write
from leadroutes.store.connection_errors import RETRYABLE_ERRORS
from leadroutes.store.postgres import Database, Transaction

BATCH_SIZE = 1000
MAX_CONCURRENT_BATCHES = 2  # batches that are written at the same time
RECENT = timedelta(hours=24)

ReportProgress = Callable[[int, int], None]  # how many rows are done, of how many
NoteMade = Callable[[Transaction, Sequence[int]], Awaitable[None]]  # the numbers of rows that have become leads


async def import_leads(
    database: Database, content: bytes, owner_email: str, *, route: bool, dry_run: bool, tell: ReportProgress,
    received_at: str | None = None, channels: Iterable[str] = (),
) -> Report:  # fmt: skip
    """Import the file into the account of the user with this e-mail; a second import of the file adds nothing.

    `channels` are those that this installation can send over. `received_at` is the date of rows without one. A file
    that cannot be imported at all has a `fault` in its report.
    """
    owner_id = await accounts.get_user_id(database, owner_email)
    return await import_leads_of(
        database, content, owner_id, route=route, dry_run=dry_run, tell=tell, received_at=received_at, channels=channels
    )


async def import_leads_of(
    database: Database, content: bytes, owner_id: int, *, route: bool, dry_run: bool, tell: ReportProgress,
    received_at: str | None = None, channels: Iterable[str] = (), before: Collection[int] = (),
    note: NoteMade | None = None,
) -> Report:  # fmt: skip
    """Like import_leads, by the id of the user, and such that it can be continued after the end of its process.

    `note` is called in the transaction that makes leads of rows, with the numbers of these; `before` are all numbers
    that it was called with in earlier attempts at the same file.
    """
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
    importing = _Import(database, await _name_sources(database, owner_id, rows, dry_run), People(rows), note)
    await importing.recognise()
    known, made = await importing.load_known(), set[int]()

    async def bring_in(share: Sequence[Row]) -> None:
        async with contextlib.aclosing(importing.store(_batches(share), is_dry_run=dry_run)) as stored:
            async for done in stored:
                made_of_these = {*done.made, *(row.imported.row for row in done.rows if row.imported.row in before)}
                report.imported += len(made_of_these)
                report.known += len(done.rows) - len(made_of_these)
                report.mended += done.mended
                made.update(made_of_these)
                if not dry_run:
                    await analyze_young_tables(database)
                tell(report.imported + report.known, len(rows))

    await gather_or_cancel(bring_in(share) for share in importing.shares(rows))
    report.joined = merged_rows(
        ((row.imported, row.identities) for row in rows), importing.people.identities.of, known, made
    )
    keys = {row.imported.row: row.imported.known_as or row.key for row in rows}
    report.keys |= {each.row.row: keys[each.row.row] for each in report.joined}
    if route and not dry_run:
        report.routed = await importing.route(Engine(database, channels, database.installation.open_for))
    return report


def given_columns(received_at: str | None) -> dict[str, str]:
    """Returns the column that the file does not have. Raises Invalid if it is not a date."""
    if received_at is None:
        return {}
    if table_time(received_at) is None:
        raise Invalid(f"--received-at: {received_at!r} was given; expected {EXPECTED}")
    return {GIVEN_TIME: received_at}


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), BATCH_SIZE):
        yield rows[start : start + BATCH_SIZE]


def _readable(read: Iterable[ImportedRow | RowError], report: Report) -> list[Row]:
    """Returns the rows that can be imported; the others, and what could not be read in these, go into the report."""
    rows: list[Row] = []
    seen: Counter[str] = Counter()
    for each in read:
        report.rows += 1
        if isinstance(each, RowError):
            report.rejected.append(each)
            continue
        report.warnings += [(each, warning) for warning in each.warnings]
        seen[each.digest] += 1
        rows.append(Row(each, f"{each.digest} {seen[each.digest]}", identities_of(each.inquiry)))
        if each.warnings:
            report.keys[each.row] = each.known_as or rows[-1].key
    return rows


async def _name_sources(database: Database, owner_id: int, rows: Sequence[Row], dry_run: bool) -> Account:
    lead = {cut(row.imported.lead_source) for row in rows}
    contact = {cut(row.imported.contact_source) for row in rows if row.imported.contact_source}

    async def work(transaction: Transaction) -> Account:
        lead_sources: dict[str, int] = {}
        contact_sources: dict[str, int] = {}
        for names, name_source, found, kind in (
            (lead, accounts.find_or_add_lead_source, lead_sources, "lead_sources"),
            (contact, accounts.find_or_add_contact_source, contact_sources, "contact_sources"),
        ):
            known = await transaction.fetch(*statement("load_names").bind(owner_id=owner_id, kind=kind))
            found |= {row["name"].lower(): row["id"] for row in reversed(known)}
            for name in sorted(names):
                if name.lower() not in found:
                    found[name.lower()] = 0 if dry_run else await name_source(transaction, owner_id, name)
        return Account(owner_id, lead_sources, contact_sources)

    return await database.run(work)


@dataclass(slots=True)
class _Import:
    """One import: into which account, who is who in the file, and which contact each person has become."""

    database: Database
    account: Account
    people: People
    note: NoteMade | None = None
    identified: dict[Identity, int] = field(default_factory=dict)  # contacts that were there before
    foreseen: dict[tuple[int, str, str], KnownDedupeKey] = field(
        default_factory=dict
    )  # what a dry run would have stored
    recent: list[int] = field(default_factory=list)

    async def recognise(self) -> None:
        """Find the people of the file who are contacts already, in whichever row they say so."""
        identities = list(self.people.identities)
        for start in range(0, len(identities), BATCH_SIZE):
            part = identities[start : start + BATCH_SIZE]
            kinds, values = [kind for kind, _ in part], [value for _, value in part]
            rows = await self.database.fetch(
                *statement("find_identities").bind(owner_id=self.account.owner_id, kinds=kinds, values=values)
            )
            for row in rows:
                identity = (row["kind"], row["value"])
                self.identified[identity] = row["contact_id"]
                self.people.contacts.setdefault(self.people.identities.of(identity), row["contact_id"])

    async def load_known(self) -> dict[Identity, NamedContact]:
        """Returns the contacts that were there before the import, by what identifies them."""
        rows = await self.database.fetch(
            *statement("find_contact_names").bind(
                owner_id=self.account.owner_id, contact_ids=sorted({*self.identified.values()})
            )
        )
        found = {row["id"]: NamedContact(**row) for row in rows}
        return {identity: found[each] for identity, each in self.identified.items() if each in found}

    def shares(self, rows: Sequence[Row]) -> list[Sequence[Row]]:
        """Returns what may be stored at the same time."""
        if len(rows) <= BATCH_SIZE:
            return [rows]
        return divide(rows, self.account, self.people, MAX_CONCURRENT_BATCHES)

    async def store(self, batches: Iterable[Sequence[Row]], *, is_dry_run: bool) -> AsyncGenerator[ImportBatch, None]:
        """Store those of the rows that are not in yet, and what was mended in those that are.

        A batch is looked up and deduplicated while the one before it is being written.
        """
        ahead: ImportBatch | None = None
        writing: asyncio.Task[ImportBatch] | None = None
        try:
            for rows in batches:
                batch = await self._deduplicate(rows, None if is_dry_run else ahead)
                if is_dry_run:
                    self._foresee(batch)
                done = self._noted(await writing) if writing else None
                if done is not ahead:
                    batch = await self._deduplicate(rows, None)
                ahead, writing = batch, asyncio.create_task(self._write(batch, is_dry_run=is_dry_run))
                if done:
                    yield done
            if writing:
                yield self._noted(await writing)
        finally:
            if writing:
                await asyncio.gather(writing, return_exceptions=True)

    async def _deduplicate(self, rows: Sequence[Row], ahead: ImportBatch | None) -> ImportBatch:
        """`ahead` is being written, and cannot be seen yet."""
        if ahead:
            self.people.contacts |= ahead.contacts
        wanted = self._wanted(rows)
        async with self.database.transaction() as transaction:
            known = await load_known_records(transaction, wanted)
        if ahead:
            known.learn(ahead.known, ahead.writes)
        for key in wanted.keys & self.foreseen.keys():
            known.keys.setdefault(key, self.foreseen[key])
        return deduplicate(rows, self.account, self.people, known, self.database.clock.now())

    def _foresee(self, batch: ImportBatch) -> None:
        """What a dry run would have stored is known to its next batches."""
        for record in batch.writes.keys:
            key = (record.owner_id, record.scope, record.key)
            self.foreseen[key] = batch.known.keys[key]

    async def _write(self, batch: ImportBatch, *, is_dry_run: bool) -> ImportBatch:
        """Returns the batch, or another one of the same rows if any of it has been stored by someone else first."""
        if is_dry_run:
            return batch
        try:
            async with self.database.transaction() as transaction:
                await self._write_noted(transaction, batch)
                return batch
        except RETRYABLE_ERRORS:
            return await self.database.run(partial(self._store_anew, rows=batch.rows))

    async def _store_anew(self, transaction: Transaction, rows: Sequence[Row]) -> ImportBatch:
        known = await load_known_records(transaction, self._wanted(rows))
        batch = deduplicate(rows, self.account, self.people, known, self.database.clock.now())
        await self._write_noted(transaction, batch)
        return batch

    async def _write_noted(self, transaction: Transaction, batch: ImportBatch) -> None:
        await write(transaction, batch.writes)
        if self.note is not None and batch.made:
            await self.note(transaction, batch.made)

    def _noted(self, done: ImportBatch) -> ImportBatch:
        self.people.contacts |= done.contacts
        since = self.database.clock.now() - RECENT
        self.recent += [lead_id for lead_id, row in done.leads if _is_to_route(row, since)]
        return done

    def _wanted(self, batch: Sequence[Row]) -> LookupRequest:
        owner_id = self.account.owner_id
        keys = {key for row in batch for key in (*self.account.keys_of(row), *row.earlier_keys)}
        return LookupRequest(
            owners={owner_id},
            keys={(owner_id, key.scope, key.key) for key in keys},
            identities={(owner_id, *identity) for row in batch for identity in row.identities},
            contacts={(owner_id, found) for row in batch if (found := self.people.contact_of(row)) is not None},
            leads=len(batch),
        )

    async def route(self, engine: Engine) -> int:
        """Route the leads of the last 24 hours that have not been routed; returns how many these were."""
        rows = await self.database.fetch(
            *statement("release_imported_leads").bind(owner_id=self.account.owner_id, lead_ids=self.recent)
        )
        for row in rows:
            await engine.distribute(self.account.owner_id, row["id"])
        return len(rows)


def _is_to_route(row: Row, since: datetime) -> bool:
    inquiry = row.imported.inquiry
    return not inquiry.is_test and inquiry.received_at is not None and inquiry.received_at >= since

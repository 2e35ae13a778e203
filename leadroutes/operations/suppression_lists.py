"""Suppressions from files: lists of addresses as CSV, and people of an import who had unsubscribed before.

It reads rows; when an address is suppressed, the schema and the store decide.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.intake.csv_cells import text_of
from leadroutes.intake.csv_dates import EXPECTED as DATE
from leadroutes.intake.csv_dates import table_time
from leadroutes.intake.csv_import import ImportedRow
from leadroutes.intake.csv_tables import split_csv
from leadroutes.intake.flat import plain_key
from leadroutes.store import accounts
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.suppressions import CHANNELS, REASONS, Suppression, add_suppressions

BATCH: Final = 1000
IMPORTED: Final = "imported"
OF_MAIL, OF_PHONE = ("email",), ("text", "call")  # the channels of an address, and of a phone, that names none
PHONES: Final = ("phone", "phonenumber", "mobile", "mobilephone")
COLUMNS: Final = {
    "channel": ("channel",),
    "value": ("value", "email", "emailaddress", "address", *PHONES),
    "reason": ("reason",),
    "at": ("at", "date", "unsubscribedat"),
    "ended_at": ("endedat",),
}
"""The plain names that the column of each value may have."""


@dataclass(slots=True)
class ListReport:
    """The result of importing a list: `added` are new, `known` were in force before, or repeat another row.

    `lifted` were no longer in force where they come from. `refused` are (line, what is wrong with it), `remarks`
    (line, what is stored otherwise than it was given).
    """

    added: int = 0
    known: int = 0
    lifted: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    fault: str | None = None  # of the file as a whole: nothing of it has been imported

    def lines(self) -> Iterator[str]:
        """Yields the lines of the report; the sum comes last."""
        yield from (f"line {line}: {why}: not imported" for line, why in self.refused)
        yield from (f"line {line}: {what}" for line, what in self.remarks)
        lifted = f", {self.lifted} had been lifted" if self.lifted else ""
        yield f"{self.added} added, {self.known} were in force already{lifted}, {len(self.refused)} refused"


async def import_suppressions(database: Database, content: bytes, owner_email: str) -> ListReport:
    """Adds the rows of a CSV file to the suppressions of this user. Idempotent."""
    return await import_list(database, content, await accounts.get_user_id(database, owner_email))


async def import_list(
    database: Database, content: bytes, owner_id: int, by_user_id: int | None = None, act: AuditRow | None = None
) -> ListReport:
    """Adds the rows of a CSV file to the suppressions of an owner, all or, where that fails, none. Idempotent."""
    report, rows = await asyncio.to_thread(_read_list, content, owner_id, database.clock.now())
    if report.fault is None:
        report.added = await _add(database, rows, by_user_id, act)
        report.known = len(rows) - report.added
    return report


def _read_list(content: bytes, owner_id: int, now: datetime) -> tuple[ListReport, list[Suppression]]:
    header, records = split_csv(content)
    keys = [plain_key(name) for name in header]
    places = {
        meaning: next((keys.index(name) for name in names if name in keys), None) for meaning, names in COLUMNS.items()
    }
    report = ListReport()
    if places["value"] is None:
        report.fault = f"No column holds addresses; one of these headings would do: {', '.join(COLUMNS['value'])}"
        return report, []
    is_of_phones = keys[places["value"]] in PHONES
    rows: list[Suppression] = []
    for _, line, cells in records:
        if cells is None or len(cells) != len(header):
            report.refused.append((line, "expected as many cells as the line of headings has"))
            continue
        values = {name: text_of(cells[place]).strip() for name, place in places.items() if place is not None}
        if values.get("ended_at"):
            report.lifted += 1
            continue
        channels = (values["channel"],) if values.get("channel") else OF_PHONE if is_of_phones else OF_MAIL
        read = [_read(owner_id, values | {"channel": each}, now) for each in channels]
        rows += (good := [each for each in read if isinstance(each, Suppression)])
        if not good:
            report.refused.append((line, str(read[0])))
        elif (given := values.get("reason", "")) and given.lower() not in REASONS:
            report.remarks.append((line, f"reason: {given!r} was given; it is stored as {IMPORTED}"))
    return report, rows


def _read(owner_id: int, values: dict[str, str], now: datetime) -> Suppression | str:
    """Returns the row as a suppression, or what is wrong with it. An unknown reason suppresses all the same."""
    channel, reason = values["channel"].lower(), values.get("reason", "").lower()
    if channel not in CHANNELS:
        return f"channel: {values['channel']!r} was given; expected one of {', '.join(CHANNELS)}"
    if reason not in REASONS:
        reason = IMPORTED
    value = (normal_email if channel == "email" else normal_phone)(values["value"])
    if value is None:
        expected = "an e-mail address" if channel == "email" else "a phone number with its area code"
        return f"value: {values['value']!r} was given; expected {expected}"
    at = table_time(values["at"]) if values.get("at") else now
    if at is None:
        return f"at: {values['at']!r} was given; expected {DATE}"
    return Suppression(owner_id=owner_id, channel=channel, value=value, reason=reason, at=at)


async def suppress_unsubscribed(
    database: Database, owner_id: int, rows: Iterable[ImportedRow], *, dry_run: bool
) -> int:
    """Suppresses the addresses of an import's rows that had unsubscribed. Returns how many of them were not yet."""
    now = database.clock.now()
    found = {
        row.inquiry.email: Suppression(
            owner_id=owner_id, channel="email", value=row.inquiry.email, reason="unsubscribed",
            at=row.unsubscribed_at or now,
        )
        for row in rows
        if row.has_unsubscribed and row.inquiry.email
    }  # fmt: skip
    return len(found) if dry_run else await _add(database, list(found.values()))


async def _add(
    database: Database,
    suppressions: Sequence[Suppression],
    by_user_id: int | None = None,
    act: AuditRow | None = None,
) -> int:
    async def add(transaction: Transaction) -> int:
        added = 0
        for start in range(0, len(suppressions), BATCH):
            added += len(await add_suppressions(transaction, suppressions[start : start + BATCH], by_user_id))
        note_act(transaction, act)
        return added

    return await database.run(add)

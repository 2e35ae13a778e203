"""Past leads from a CSV file: each row an inquiry with warnings, or the reason why it cannot be imported.

Reads the file and finds the rows of the same person; what is stored is decided elsewhere.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import replace

from leadroutes.domain.identity import normal_email, normal_phone, normal_zipcode
from leadroutes.domain.inquiry import Inquiry
from leadroutes.domain.junk import LONGEST_NOTE, REASONS, Junk
from leadroutes.domain.normalize import lead_type_named_by, normal_price, normal_source
from leadroutes.domain.text import field_text, is_absent
from leadroutes.domain.union_find import UnionFind
from leadroutes.intake.csv_cells import text_of
from leadroutes.intake.csv_dates import table_time
from leadroutes.intake.csv_tables import CONTACT_SOURCE, Columns, Record, columns_of, split_csv
from leadroutes.intake.flat import NAMES, Fields, Meaning, flat_draft, pick, plain_key

DEFAULT_SOURCE: Final = "Other"
KNOWN_AS: Final = "importknownas"
"""The column of a report that says which row of an earlier import this one is."""
UNSUBSCRIBED: Final = ("unsubscribedat", "unsubscribed", "unsubscribedon", "unsubscribedate", "emailoptout")
"""Columns that say that, or when, a person has asked for no more e-mails."""
CLOSED: Final = "isclosed"
JUNK_REASON: Final = "junkreason"
JUNK_NOTE: Final = "junknote"
_NO: Final = frozenset({"no", "n", "false", "f", "0", "never", "subscribed"})

WhyNot = Literal["empty_row", "wrong_columns", "repeated_header", "bad_date", "no_contact"]
WhyNull = Literal["bad_email", "bad_phone", "bad_zipcode", "bad_price", "bad_type"]


@dataclass(frozen=True, slots=True)
class CellWarning:
    """A cell that cannot be read and counts as empty: the column as the file names it, the value unchanged."""

    column: str
    value: str
    why: WhyNull


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row that can be imported. Rows count from 1 behind the header, lines from 1 at the header.

    `has_unsubscribed`: the person wants no more e-mails of campaigns, since `unsubscribed_at` where that is known.
    `known_as`: what a report said that this row is known as, so that what was mended in it goes where it belongs.
    `is_closed`, `junk`: what had become of the lead.
    `digest`: the sha256 of what it says, in hex digits, the same however the file writes it.
    """

    row: int
    line: int
    inquiry: Inquiry
    lead_source: str
    contact_source: str | None
    warnings: tuple[CellWarning, ...] = ()
    cells: tuple[str, ...] = field(default=(), compare=False, repr=False)  # as they stand
    known_as: str | None = None
    has_unsubscribed: bool = False
    unsubscribed_at: datetime | None = None
    is_closed: bool = False
    junk: Junk | None = None
    digest: str = field(kw_only=True, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that cannot be imported."""

    row: int
    line: int
    why: WhyNot
    cells: tuple[str, ...] = field(default=(), compare=False, repr=False)  # as they stand


def read_csv(body: bytes, given: Mapping[str, str] | None = None) -> Iterator[ImportedRow | RowError]:
    """The rows of a CSV file, in order. Columns are found by name, in any order; unknown ones mean nothing.

    `given` are further columns that have the same cell in every row.
    """
    return read_records(*split_csv(body, given))


def read_records(header: list[str], records: Iterable[Record]) -> Iterator[ImportedRow | RowError]:
    """What each record says under this header."""
    columns = columns_of(header)
    for row, line, cells in records:
        yield _row(row, line, columns, [text_of(cell) for cell in cells] if cells else cells)


def _row(row: int, line: int, columns: Columns, cells: list[str] | None) -> ImportedRow | RowError:
    if cells is not None and not any(cell.strip() for cell in cells):
        return RowError(row, line, "empty_row", tuple(cells))
    if cells is None or len(cells) != len(columns.header):
        return RowError(row, line, "wrong_columns", tuple(cells or ()))
    if all(plain_key(cell) == key for cell, key in zip(cells, columns.keys, strict=True)):
        return RowError(row, line, "repeated_header", tuple(cells))
    fields = _fields(columns, cells)
    draft = flat_draft(fields, DEFAULT_SOURCE)
    inquiry = replace(draft, times=(table_time(pick(fields, "time")),)).inquiry()
    if inquiry.received_at is None:
        return RowError(row, line, "bad_date", tuple(cells))
    if not (inquiry.email or inquiry.phone):
        return RowError(row, line, "no_contact", tuple(cells))
    inquiry = replace(inquiry, vendor_id=inquiry.vendor_id or _first(fields, "vendorid"))
    lead_source = inquiry.source or DEFAULT_SOURCE
    contact_source = normal_source(_first(fields, CONTACT_SOURCE))
    has_unsubscribed, unsubscribed_at = _unsubscribed(fields)
    return ImportedRow(
        row,
        line,
        inquiry,
        lead_source=lead_source,
        contact_source=contact_source,
        warnings=tuple(_warnings(inquiry, fields, columns, cells)),
        cells=tuple(cells),
        known_as=_first(fields, KNOWN_AS),
        has_unsubscribed=has_unsubscribed,
        unsubscribed_at=unsubscribed_at,
        is_closed=_is_yes(_first(fields, CLOSED)),
        junk=_junk(fields),
        digest=hashlib.sha256(msgspec.json.encode((inquiry, lead_source, contact_source))).hexdigest(),
    )


def _fields(columns: Columns, cells: list[str]) -> Fields:
    """Non-blank texts by plain key; numbers that a spreadsheet has written with a decimal point are whole ones."""
    fields: Fields = {}
    for key, place in columns.places:
        text = cells[place]
        if text and not text.isspace():
            fields.setdefault(key, []).append(_whole(text) if key in _NUMBERS else text)
    return fields


_NUMBERS: Final = frozenset((*NAMES["zipcode"], *NAMES["phone"], *NAMES["vendor_id"], *NAMES["mls_id"]))
_WHOLE = re.compile(r"\s*(\d{1,20})\.0{1,10}\s*", re.ASCII)


def _first(fields: Fields, key: str) -> str | None:
    return next((value for value in fields.get(key, ()) if field_text(value)), None)


def _unsubscribed(fields: Fields) -> tuple[bool, datetime | None]:
    """Returns whether the person has unsubscribed, and when.

    A cell that is not empty and not "no" means yes, even if it is not a date.
    """
    said = [cell for key in UNSUBSCRIBED if _is_yes(cell := _first(fields, key))]
    return bool(said), next((moment for cell in said if (moment := table_time(cell))), None)


def _is_yes(cell: str | None) -> bool:
    """A cell that is not empty and not "no" means yes."""
    return bool(cell) and not is_absent(cell) and (cell or "").strip().lower() not in _NO


def _junk(fields: Fields) -> Junk | None:
    """Returns why the lead was junk; None: it was not. An unknown reason is `other`, and part of the note."""
    cell = _first(fields, JUNK_REASON)
    said = field_text(cell)
    if said is None or not _is_yes(cell):
        return None
    reason, note = said.lower(), field_text(_first(fields, JUNK_NOTE))
    if reason not in REASONS:
        reason, note = "other", f"{said}: {note}" if note else said
    if note is not None and len(note) > LONGEST_NOTE:
        note = f"{note[: LONGEST_NOTE - 1]}…"
    return Junk(reason=reason, note=note)


_CELLS: Final[tuple[tuple[Meaning, WhyNull, Callable[[str | None], Any]], ...]] = (
    ("email", "bad_email", normal_email),
    ("phone", "bad_phone", normal_phone),
    ("zipcode", "bad_zipcode", normal_zipcode),
    ("price", "bad_price", normal_price),
    ("type", "bad_type", lead_type_named_by),
)


def _warnings(inquiry: Inquiry, fields: Fields, columns: Columns, cells: list[str]) -> Iterator[CellWarning]:
    for meaning, why, normal in _CELLS:
        if meaning != "zipcode" and getattr(inquiry, meaning) is not None:
            continue  # it has been read; a zipcode may have come from the street line
        value = pick(fields, meaning)
        if value is not None and normal(value) is None:
            place = next(
                place
                for key, place in columns.places
                if key in NAMES[meaning] and value in (cells[place], _whole(cells[place]))
            )
            yield CellWarning(columns.header[place].strip(), cells[place], why)


def _whole(cell: str) -> str:
    found = _WHOLE.fullmatch(cell)
    return found[1] if found else cell


# ----------------------------------------------------------------------------------------------- the same person


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row by a person who was there before, the first row of that person, and by what the row is known as theirs."""

    row: int
    first_row: int
    same: Literal["phone", "email", "both"]


def repeats(rows: Sequence[ImportedRow]) -> list[Repeat]:
    """Rows of people who were there before: same phone or same e-mail, through other rows too; names do not count."""
    people: UnionFind[str] = UnionFind()
    for each in rows:
        people.join(_marks(each))
    first_rows: dict[str, int] = {}
    seen: set[str] = set()
    found = []
    for each in rows:
        marks = _marks(each)
        first_row = first_rows.setdefault(people.of(marks[0]), each.row)
        if first_row != each.row:
            found.append(Repeat(each.row, first_row, _same(each, seen)))
        seen.update(marks)
    return found


def _marks(row: ImportedRow) -> list[str]:
    return [mark for mark in (row.inquiry.phone, row.inquiry.email) if mark]


def _same(row: ImportedRow, seen: set[str]) -> Literal["phone", "email", "both"]:
    """What earlier rows had too; of a row that only a later one joins to its person, what it has."""
    is_phone, is_email = row.inquiry.phone in seen, row.inquiry.email in seen
    if not (is_phone or is_email):
        is_phone, is_email = row.inquiry.phone is not None, row.inquiry.email is not None
    return "both" if is_phone and is_email else "phone" if is_phone else "email"

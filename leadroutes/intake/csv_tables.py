"""A file of rows and columns taken apart: its character set, what divides its cells, and what each column holds.

Knows the headings that exports use, besides the names that every flat format has; what a row says is read elsewhere.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Final

from leadroutes.intake.csv_cells import CsvWriter, text_of
from leadroutes.intake.decoding import decode
from leadroutes.intake.flat import NAMES, Meaning, plain_key

HEADINGS: Final[dict[Meaning, tuple[str, ...]]] = {
    "first": ("First", "Contact First Name", "Lead First Name", "Primary First Name"),
    "last": ("Last", "Contact Last Name", "Lead Last Name", "Primary Last Name"),
    "full": ("Lead Name", "Client Name", "Contact"),
    "email": ("Email 1", "Primary Email", "Email Address 1", "Personal Email", "Secondary Email", "Email 2"),
    "phone": (
        *("Phone 1", "Cell Phone 1", "Primary Phone", "Phone Number 1", "Mobile Number", "Cell Number", "Home Phone"),
        *("Office Phone", "Phone 2", "Cell Phone 2"),
    ),
    "street": (
        *("Address 1 - Street", "Street Address 1", "Property Street", "Primary Address", "Mailing Address"),
        *("Home Address", "Full Address"),
    ),
    "city": ("Address 1 - City", "Primary City", "Mailing City", "Home City"),
    "state": ("Address 1 - State", "Primary State", "Mailing State", "Home State", "Province"),
    "zipcode": (
        *("Address 1 - Zip", "Property Postal Code", "Primary Zip", "Mailing Zip", "Home Zip", "Zip/Postal Code"),
    ),
    "type": ("Deal Type", "Client Type", "Contact Type", "Buyer/Seller"),
    "source": ("Original Source", "Source Name", "Lead Origin"),
    "message": ("Description", "Note", "Background", "Inquiry Message", "Lead Message"),
    "price": ("Property Price", "Price Max", "Max Budget", "Average Price", "Avg Price"),
    "mls_id": ("Property MLS Number", "Listing Number"),
    "time": (
        *("Date Added", "Created", "Date Created", "Created Date", "Create Date", "Creation Date", "Create Time"),
        *("Added", "Added On", "Registered", "Register Date", "Registration Date", "Registered At", "Register Time"),
        *("Lead Date", "Inquiry Date", "Date Received", "Received", "Import Received At"),
    ),
}
"""Further headings, as exports of contact systems and spreadsheets commonly have them; behind those of NAMES."""

CONTACT_SOURCE: Final = "contactsource"
GIVEN_TIME: Final = "import_received_at"
"""The column of a moment that is given for all rows that name none."""

_DIVIDERS: Final = (",", ";", "\t", "|")
_SAMPLE: Final = 4_000  # bytes

Record = tuple[int, int, list[str] | None]
"""The number of a row, the line it begins on, and its cells; None if the cells cannot be determined."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns by their plain names; `places` are (plain name, number of the cell) of those that are read."""

    header: list[str]
    keys: list[str]
    places: list[tuple[str, int]]


def columns_of(header: list[str]) -> Columns:
    """What the columns of this header hold. A heading of HEADINGS counts as the last name of its meaning."""
    keys = [plain_key(name) for name in header]
    own = [(key, place) for place, key in enumerate(keys) if key and key not in _FURTHER]
    further = sorted((*_FURTHER[key], place) for place, key in enumerate(keys) if key in _FURTHER)
    return Columns(header, keys, own + [(name, place) for _, name, place in further])


_FURTHER: Final = {
    plain_key(heading): (rank, NAMES[meaning][-1])
    for meaning, headings in HEADINGS.items()
    for rank, heading in enumerate(headings)
}


def meaning_of(key: str) -> Meaning | None:
    """What a column of this plain name holds; None for one that means nothing."""
    name = _FURTHER[key][1] if key in _FURTHER else key
    return next((meaning for meaning, names in NAMES.items() if name in names), None)


def fault_of(header: list[str]) -> str | None:
    """What is wrong with the file as a whole, as a sentence that names what would do; None if it can be read."""
    if not any(name.strip() for name in header):
        return "The file is empty: its first line has no headings."
    meanings = {meaning_of(plain_key(name)) for name in header}
    faults = []
    if "time" not in meanings:
        faults.append(
            "no column holds when the lead came in; one of these headings would do: "
            f"{_would_do('received_at', 'time')}; or give one date for all rows (as --received-at on the command line)"
        )
    if not meanings & {"email", "phone"}:
        faults.append(
            "no column holds an e-mail address or a phone number; one of these headings would do: "
            f"{_would_do('email', 'email')}, {_would_do('phone', 'phone')}"
        )
    found = ", ".join(name.strip() for name in header[:20])
    return f"The file cannot be imported: {'; and '.join(faults)}. Its headings are: {found[:500]}." if faults else None


def _would_do(name: str, meaning: Meaning) -> str:
    return ", ".join((name, *HEADINGS[meaning][:4]))


# ----------------------------------------------------------------------------------------------- taking it apart


def split_csv(body: bytes, given: Mapping[str, str] | None = None) -> tuple[list[str], Iterator[Record]]:
    """The columns of the file, as it names them, and the records behind that header.

    `given` are columns that the file does not have, with the cell that every row has there.
    """
    text = _decoded(body)
    divider, start, line = _divider(text)
    records = _records(text[start:], divider, line)
    header = [text_of(name) for name in next(records, (1, None))[1] or []]
    names, cells_given = list(given or {}), list((given or {}).values())

    def whole(cells: list[str] | None) -> list[str] | None:
        return [*cells, *cells_given] if cells is not None and len(cells) == len(header) else cells

    rows = ((row, line, whole(cells)) for row, (line, cells) in enumerate(records, start=1))
    return [*header, *names], rows


def divider_of(body: bytes) -> str:
    """What divides the cells of the file."""
    return _divider(_decoded(body))[0]


def renamed(body: bytes, names: Mapping[str, str]) -> bytes:
    """The file in UTF-8 with other headings: those that `names` has are replaced. The rows stay as they are."""
    text = _decoded(body)
    divider, start, _ = _divider(text)
    end = start

    def counted() -> Iterator[str]:
        nonlocal end
        for line in _lines(text[start:]):
            end += len(line)
            yield line

    header = next((cells for cells in csv.reader(counted(), delimiter=divider) if cells), [])
    written = StringIO()
    headings = [text_of(cell) for cell in header]
    CsvWriter(written, divider).write(names.get(heading.strip(), heading) for heading in headings)
    line = written.getvalue().removesuffix("\n") + _line_end(text)
    return (text[:start] + line + text[end:]).encode()


def _decoded(body: bytes) -> str:
    """The text; UTF-16 without a mark is known by the zeros in it, as hardly a heading is in Chinese."""
    sample = body[:_SAMPLE]
    if sample[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and sample.count(0) > len(sample) // 4:
        is_big = sample[0::2].count(0) > sample[1::2].count(0)
        return decode(body, "utf-16-be" if is_big else "utf-16-le")
    if sample[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or _is_utf_8(body):
        return decode(body)
    # Two files in one, or a cell that was cut within a character: lines that are UTF-8 are still read as such.
    return "".join(decode(line, "utf-8") for line in body.splitlines(keepends=True))


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _divider(text: str) -> tuple[str, int, int]:
    """What divides the cells, where the header begins, and on which line: a `sep=;` may stand above it."""
    end = text.find(_line_end(text)) + 1
    first = text[:end].strip().strip('"')
    if end and first[:4].lower() == "sep=" and len(first) <= 5:
        return first[4:] or "\t", end, 2
    if end and text[:end].strip("\r\n").lower() == "sep=\t":
        return "\t", end, 2
    return max(_DIVIDERS, key=lambda divider: _fitness(text[:_SAMPLE], divider)), 0, 1


def _fitness(text: str, divider: str) -> tuple[int, int]:
    """How many columns mean something, and how many there are. Of equal ones the comma is the first."""
    header = next(_records(text, divider, 1), (1, None))[1] or []
    return sum(meaning_of(plain_key(name)) is not None for name in header), len(header)


def _records(text: str, divider: str, first_line: int) -> Iterator[tuple[int, list[str] | None]]:
    """Yields (first line, cells) of each record; cells are None if it is not a record. Empty lines are skipped."""
    reader = csv.reader(_lines(text), delimiter=divider)
    cells: list[str] | None
    while True:
        line = reader.line_num + first_line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a cell of more than 128 KiB, mostly an open quote; or a CR outside of quotes
            cells = None
        if cells != []:
            yield line, cells


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, one at a time."""
    line_end = _line_end(text)
    start = 0
    while start < len(text):
        end = text.find(line_end, start) + 1 or len(text)
        yield text[start:end]
        start = end


def _line_end(text: str) -> str:
    """LF, which CRLF ends with too; CR where lines end with it alone, as spreadsheets on a Mac may save them."""
    first, sample = _FIRST_END.search(text), text[:_SAMPLE]
    is_cr = first is not None and first[0] == "\r" and sample.count("\r") - sample.count("\r\n") > sample.count("\n")
    return "\r" if is_cr else "\n"


_FIRST_END: Final = re.compile("\r\n|\r|\n")

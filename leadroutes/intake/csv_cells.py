"""Conversion of text to a cell of a CSV file and back.

Spreadsheets take some cells for formulas; such a cell gets an apostrophe, which an import takes away again.
"""

import csv
import re
from collections.abc import Iterable
from typing import Final, Protocol

from leadroutes.domain.identity import E164

# Behind any number of apostrophes, so that text which begins with one comes back with it.
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


class _Written(Protocol):
    def write(self, text: str, /) -> object: ...


class CsvWriter:
    """Writes rows of any values; None is an empty cell."""

    def __init__(self, file: _Written, divider: str = ",") -> None:
        self._writer = csv.writer(file, delimiter=divider, lineterminator="\n")
        self._quoting = csv.writer(file, delimiter=divider, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(self, values: Iterable[object]) -> None:
        cells = ["" if value is None else cell_of(str(value)) for value in values]
        # A CR alone is not quoted by every version of the module, and would begin a row.
        writer = self._quoting if any("\r" in cell for cell in cells) else self._writer
        writer.writerow(cells)


def cell_of(text: str) -> str:
    """Returns the text in a form that no spreadsheet reads as a formula; a phone in E.164 is unchanged."""
    return f"'{text}" if _FORMULA.match(text) and not E164.fullmatch(text) else text


def text_of(cell: str) -> str:
    """The text of which this cell was made, here or by another program that does the same."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell

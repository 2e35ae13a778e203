"""What was wrong with an import, as a CSV file: the rows as they stood, to be mended and imported again.

A row that was imported with a warning says what it is known as: what is mended in it fills the gaps of its own lead.
"""

from collections.abc import Iterator
from io import StringIO

from leadroutes.importing import Report
from leadroutes.intake.csv_import import ImportedRow, RowError, split_csv
from leadroutes.intake.flat import plain_key
from leadroutes.spreadsheets import CsvWriter

COLUMNS = ("import_row", "import_line", "import_problem", "import_known_as")
OURS = frozenset(plain_key(name) for name in COLUMNS)


def report_csv(report: Report, content: bytes) -> str:
    """The file: our columns first, then the columns of the file that was imported."""
    header, _ = split_csv(content)
    theirs = [place for place, name in enumerate(header) if plain_key(name) not in OURS]
    text = StringIO()
    writer = CsvWriter(text)
    writer.write([*COLUMNS, *(header[place] for place in theirs)])
    for row, line, problem, known_as, cells in sorted(_problems(report)):
        kept = [cells[place] for place in theirs if place < len(cells)] + list(cells[len(header) :])
        writer.write([row, line, problem, known_as, *kept])
    return text.getvalue()


Problem = tuple[int, int, str, str, tuple[str, ...]]


def _problems(report: Report) -> Iterator[Problem]:
    for error in report.rejected:
        yield _of_error(error)
    rows: dict[int, tuple[ImportedRow, list[str]]] = {}
    for row, warning in report.warnings:
        rows.setdefault(row.row, (row, []))[1].append(f"{warning.why}: {warning.column}")
    for row, told in rows.values():
        yield row.row, row.line, "; ".join(told), report.keys.get(row.row, ""), row.cells


def _of_error(error: RowError) -> Problem:
    return error.row, error.line, error.why, "", error.cells

"""The report of an import as a CSV file: rows as they were, to be corrected and imported again.

Rows that were rejected, that have a warning, or that were joined to a known person. An imported row contains its key:
what is corrected in it fills the gaps of its own lead.
"""

from collections.abc import Iterator
from io import StringIO

from leadroutes.intake.csv_cells import CsvWriter
from leadroutes.intake.csv_import import ImportedRow
from leadroutes.intake.csv_tables import divider_of, split_csv
from leadroutes.intake.flat import plain_key
from leadroutes.operations.csv_import_joins import MergedRow
from leadroutes.operations.csv_import_results import Report

COLUMNS = ("import_row", "import_line", "import_problem", "import_known_as")
JOINED = ("import_joined_to", "import_joined_by", "import_name_there", "import_is_other_name")
OURS = frozenset(plain_key(name) for name in (*COLUMNS, *JOINED))


def report_csv(report: Report, content: bytes) -> str:
    """Returns the file: the columns of the report first, then those of the imported file."""
    header, _ = split_csv(content, report.given)
    theirs = [place for place, name in enumerate(header) if plain_key(name) not in OURS]
    text = StringIO()
    writer = CsvWriter(text, divider_of(content))  # a spreadsheet that has written the file opens it in columns
    joined = {each.row.row: each for each in report.joined}
    writer.write([*COLUMNS, *(JOINED if joined else ()), *(header[place] for place in theirs)])
    for row, line, problem, cells in sorted(_problems(report)):
        others = [cells[place] for place in theirs if place < len(cells)] + list(cells[len(header) :])
        ours = [row, line, problem, report.keys.get(row, ""), *(_joined(joined.get(row)) if joined else ())]
        writer.write([*ours, *others])
    return text.getvalue()


def _joined(joined: MergedRow | None) -> tuple[str, ...]:
    if joined is None:
        return ("",) * len(JOINED)
    return joined.to, joined.by, joined.name, "yes" if joined.is_other_name else "no"


Problem = tuple[int, int, str, tuple[str, ...]]


def _problems(report: Report) -> Iterator[Problem]:
    for error in report.rejected:
        yield error.row, error.line, error.why, error.cells
    rows: dict[int, tuple[ImportedRow, list[str]]] = {each.row.row: (each.row, []) for each in report.joined}
    for row, warning in report.warnings:
        rows.setdefault(row.row, (row, []))[1].append(f"{warning.why}: {warning.column}")
    for row, problems in rows.values():
        yield row.row, row.line, "; ".join(problems), row.cells

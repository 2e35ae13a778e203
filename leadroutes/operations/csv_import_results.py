"""What became of an import: its rows, their faults, the people they were joined to, and the sentences for the screen.

Values and sentences only; what is imported is decided elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from leadroutes.intake.csv_dates import EXPECTED as DATE
from leadroutes.intake.csv_import import CellWarning, ImportedRow, RowError, WhyNot
from leadroutes.operations.csv_import_joins import MergedRow, account

EXPECTED: dict[WhyNot, str] = {
    "bad_date": DATE,
    "no_contact": "an e-mail address or a phone number that can be used",
    "wrong_columns": "as many cells as the line of headings has",
    "empty_row": "something in the row",
    "repeated_header": "a row, and not the headings once more",
}


@dataclass(slots=True)
class Report:
    """What became of the rows of a file; `imported` are new, `known` were in before or repeat a source's own id.

    `mended` are rows of an earlier report, known too, in which something new can be read. `keys` says, by
    row, what rows with warnings and rows that were joined to someone are known as.
    """

    rows: int = 0
    imported: int = 0
    known: int = 0
    mended: int = 0
    routed: int = 0
    unsubscribed: int = 0  # addresses that must not be written to, as the file says
    rejected: list[RowError] = field(default_factory=list)
    warnings: list[tuple[ImportedRow, CellWarning]] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    joined: list[MergedRow] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)  # columns that the file does not have
    is_dry_run: bool = False
    fault: str | None = None  # of the file as a whole: nothing of it has been imported

    def shown(self) -> Iterator[str]:
        """Yields the lines for the screen; none for a file with a fault, which is reported as an error."""
        if self.fault is None:
            yield from account(self.joined)
            yield from self.hints()
            yield from self.lines()

    def hints(self) -> Iterator[str]:
        """Yields what was expected of rejected rows, once for each reason."""
        whys = {error.why for error in self.rejected}
        yield from (f"{why}: expected {EXPECTED[why]}" for why in EXPECTED if why in whys)

    def lines(self) -> Iterator[str]:
        """Yields the report, with the totals last."""
        for row, warning in self.warnings:
            yield f"line {row.line} (row {row.row}): {warning.why}: {warning.column} {warning.value!r} is left empty"
        for error in self.rejected:
            yield f"line {error.line} (row {error.row}): {error.why}: not imported"
        if self.unsubscribed:
            noun, verb = ("address", "has") if self.unsubscribed == 1 else ("addresses", "have")
            suppressed = "would be" if self.is_dry_run else "are now"
            yield f"{self.unsubscribed} {noun} {verb} unsubscribed and {suppressed} suppressed"
        verb = "would be imported" if self.is_dry_run else "imported"
        routed = f", {self.routed} of them routed" if self.routed else ""
        mended = f", {self.mended} of them mended" if self.mended else ""
        yield (
            f"{self.rows} rows: {self.imported} {verb}{routed}, {self.known} were in already{mended}, "
            f"{len(self.rejected)} rejected"
        )


def fault_of_all(report: Report) -> str | None:
    """Returns the fault that all rows have in common, or None."""
    whys = {error.why for error in report.rejected}
    if len(report.rejected) < report.rows or len(whys) != 1:
        return None
    [why] = whys
    return f"No row can be imported. All {report.rows} have the same fault: {why}: expected {EXPECTED[why]}"

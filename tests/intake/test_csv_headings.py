"""The headings of a file that is imported: recognised, counted, and replaced by what a person says they mean."""

import pytest

from leadroutes.intake.csv_headings import MEANINGS, Heading, headings_of, with_meanings
from leadroutes.intake.csv_import import ImportedRow, read_csv


def test_headings_come_with_samples_of_rows_that_have_text() -> None:
    headings, rows = headings_of(b"Email,Kids,\na@example.com,,x\n,2,\nb@example.com,2,\n")
    assert headings == [
        Heading("Email", "email", ["a@example.com", "b@example.com"]),
        Heading("Kids", None, ["2"]),
        Heading("", None, ["x"]),
    ]
    assert rows == 3


def test_every_meaning_is_recognised_by_the_heading_that_says_it() -> None:
    for meaning, heading in MEANINGS.items():
        assert headings_of(f"{heading}\nx\n".encode())[0][0].meaning == meaning


@pytest.mark.parametrize("divider", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_the_headings_are_replaced(divider: str, start: str, end: str) -> None:
    lines = ['"When, exactly"', "Mail", "Name"], ["2026-08-01", "mia@example.com", '"Lund, Mia\n(no ""Mrs"")"']
    file = start + "\n".join(divider.join(line) for line in lines) + "\n"
    file = file.replace("\n", end)
    matched = with_meanings(file.encode(), {"When, exactly": "time", "Mail": "email", "Name": "ignore"})
    [row] = read_csv(matched)
    assert isinstance(row, ImportedRow)
    assert (row.inquiry.email, row.inquiry.first_name, row.cells[2]) == (
        "mia@example.com", None, f'Lund, Mia{end}(no "Mrs")',
    )  # fmt: skip
    assert with_meanings(file.encode(), {}) == file.encode()

"""Every CSV file that is written: no cell is a formula, and an import reads each text as it was."""

import ast
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.intake.csv_cells import CsvWriter, cell_of, text_of
from leadroutes.intake.csv_import import split_csv
from leadroutes.operations.csv_export import STATEMENTS, export
from leadroutes.operations.csv_import import import_leads
from leadroutes.operations.csv_import_report import report_csv
from leadroutes.store.postgres import Database
from tests.support.examples import examples
from tests.support.town import Town

SOURCES = Path(__file__).parents[2] / "leadroutes"
BEGINNINGS = tuple("=+-@\t\r\n＝＋－＠")
TEXTS = [
    "+1 303 is my area code", "=) thanks", "-Jo-", "@home", "'=quoted'", "''+1", "'", "''", "'Tis me", "\t=1", "\r=1",
    "a\r=1", '=HYPERLINK("http://x")', "＝1", "a,b;=1", "+13035550142", "'+13035550142", "+", "-",
]  # fmt: skip
QUIETLY: dict[str, Any] = {"route": False, "dry_run": False, "tell": lambda _done, _total: None}
STARTS = st.sampled_from(["", "'", "''", *BEGINNINGS, *(f"'{each}" for each in BEGINNINGS)])
ANY = st.builds("{}{}".format, STARTS, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))


def is_harmless(cell: str) -> bool:
    return not cell.startswith(BEGINNINGS) or (cell[0] == "+" and cell[1:].isdigit())


@pytest.mark.parametrize("text", TEXTS)
def test_a_cell_is_not_a_formula_and_comes_back(text: str) -> None:
    assert is_harmless(cell_of(text))
    assert text_of(cell_of(text)) == text


@settings(max_examples=examples(500))
@given(rows=st.lists(st.lists(ANY, min_size=2, max_size=4), min_size=1, max_size=4))
def test_rows_come_back_as_they_were(rows: list[list[str]]) -> None:
    file = io.StringIO()
    writer = CsvWriter(file)
    writer.write(["column", "another"])
    for row in rows:
        writer.write(row)
    assert all(is_harmless(cell) for row in csv.reader(io.StringIO(file.getvalue(), newline="")) for cell in row)
    _, records = split_csv(file.getvalue().encode())
    assert [[text_of(cell) for cell in cells or ()] for _, _, cells in records] == rows


def test_words_that_are_no_formula_are_written_as_they_are() -> None:
    file = io.StringIO()
    CsvWriter(file).write(["Ann", None, 5, " =1", "O'Neil", "+13035550142"])
    assert file.getvalue() == "Ann,,5, =1,O'Neil,+13035550142\n"


def test_there_is_one_writer_of_csv() -> None:
    users = [
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("writer", "DictWriter")
        and isinstance(node.value, ast.Name) and node.value.id == "csv"
    ]  # fmt: skip
    assert set(users) == {"intake/csv_cells.py"}


@pytest.fixture
async def town(database: Database) -> Town:
    """Each text in every column of Alice's contacts and leads that takes it."""
    town = await Town.create(database)
    source = await town.contact_source("alice", "=1+1")
    for number, text in enumerate(TEXTS):
        cell = f"{text} N{number}"
        contact = await town.contact(
            "alice", source_id=source, first_name=cell, last_name=cell, company=cell, tags=cell, spouse_name=cell,
            email=f"c{number}@example.com",
        )  # fmt: skip
        await town.lead(
            "alice", contact, source_id=1, text_body=cell, street_address=cell, city=cell, mls_id=cell, is_imported=True
        )
    return town


async def test_every_export_walks_it(database: Database, town: Town) -> None:
    for number, text in enumerate(TEXTS):
        await database.execute(
            "INSERT INTO suppressions (owner_id, channel, value, digest, reason, at)"
            " VALUES ($1, 'email', $2::text, sha256(convert_to($2::text, 'UTF8')), 'manual', now())",
            town.users["alice"],
            f"{text} N{number}",
        )
    for what in STATEMENTS:
        file = io.StringIO()
        assert await export(database, what, "alice@example.com", file) == len(TEXTS)
        rows = list(csv.reader(io.StringIO(file.getvalue(), newline="")))
        assert all(is_harmless(cell) for row in rows for cell in row)
        assert {text_of(cell) for row in rows for cell in row} >= {
            f"{text} N{number}" for number, text in enumerate(TEXTS)
        }


async def test_what_was_exported_is_imported_with_the_same_words(database: Database, town: Town) -> None:
    file = io.StringIO()
    await export(database, "leads", "alice@example.com", file)
    report = await import_leads(database, file.getvalue().encode(), "dave@example.com", **QUIETLY)
    assert report.rejected == []
    words = """
        SELECT c.first_name, c.last_name, l.text_body, s.name AS source
        FROM leads l JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
        LEFT JOIN contact_sources s ON s.owner_id = c.owner_id AND s.id = c.source_id
        WHERE l.owner_id = $1 ORDER BY c.email COLLATE "C" """
    mine, theirs = [await database.fetch(words, town.users[name]) for name in ("alice", "dave")]
    assert [[spaced(value) for value in row] for row in theirs] == [[spaced(value) for value in row] for row in mine]


def spaced(text: str) -> str:
    """How a name on one line, and a message, are stored."""
    return " ".join(text.split())


@pytest.mark.parametrize("divider", [",", ";", "\t", "|"])
async def test_a_report_is_divided_as_the_file_was(database: Database, town: Town, divider: str) -> None:
    """A spreadsheet of a country with a decimal comma writes semicolons, and opens nothing else in columns."""
    content = "received_at,email,note\nnever,c@example.com,a\n".replace(",", divider)
    report = await import_leads(database, content.encode(), "dave@example.com", **QUIETLY)
    header, row = report_csv(report, content.encode()).splitlines()
    assert header.split(divider)[-3:] == ["received_at", "email", "note"]
    assert row.split(divider)[-3:] == ["never", "c@example.com", "a"]


async def test_the_report_of_an_import_walks_it(database: Database, town: Town) -> None:
    content = b'received_at,email,"=evil()",note\nnever,c@example.com,=1+1,"-a\r=b"\n'
    report = await import_leads(database, content, "dave@example.com", **QUIETLY)
    written = report_csv(report, content)
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows[1][-2:] == ["'=1+1", "'-a\r=b"]
    assert all(is_harmless(cell) for row in rows for cell in row)
    header, records = split_csv(written.encode())
    assert header[-2:] == ["=evil()", "note"]
    assert [len(cells or ()) for _, _, cells in records] == [len(header)]

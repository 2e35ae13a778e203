"""Past leads from CSV: the history, and each way in which a row or a cell may be wrong."""

import json
from collections import Counter

import pytest

from leadroutes.domain.junk import Junk
from leadroutes.intake.csv_import import ImportedRow, RowError, read_csv, repeats
from tests.support.samples import SAMPLES

HEADER = "received_at,first_name,email,phone"
GOOD = "2026-11-20T10:00:00Z,Ann,ann@example.com,303-555-0142"


def rows(*lines: str, end: str = "\n") -> list[ImportedRow | RowError]:
    return list(read_csv(end.join(lines).encode()))


def row(header: str, line: str) -> ImportedRow:
    (found,) = rows(header, line)
    assert isinstance(found, ImportedRow), found
    return found


def test_the_history_is_read_exactly() -> None:
    expected = json.loads((SAMPLES / "history.expected.json").read_text(encoding="utf-8"))
    found = list(read_csv((SAMPLES / "history.csv").read_bytes()))
    good = [each for each in found if isinstance(each, ImportedRow)]
    leads = [each.inquiry for each in good]
    again = repeats(good)
    errors = [{"row": each.row, "line": each.line, "why": each.why} for each in found if isinstance(each, RowError)]
    warnings = [
        {"row": each.row, "line": each.line, "column": cell.column, "value": cell.value, "why": cell.why}
        for each in good
        for cell in each.warnings
    ]

    assert errors == expected["errors"]
    assert warnings == expected["warnings"]
    assert [{"row": each.row, "first_row": each.first_row, "same": each.same} for each in again] == expected["repeats"]
    assert (len(found), len(good), len(errors)) == (expected["rows"], expected["imported"], expected["not_imported"])
    assert (len(good) - len(again), len(again)) == (expected["people"], expected["repeat_inquiries"])
    assert Counter(each.lead_source for each in good) == expected["by_source"]
    assert Counter(lead.type or "null" for lead in leads) == expected["by_type"]
    assert min(lead.as_json()["received_at"] for lead in leads) == expected["from"]
    assert max(lead.as_json()["received_at"] for lead in leads) == expected["to"]
    assert len({lead.email for lead in leads if lead.email}) == expected["distinct_emails"]
    assert len({lead.phone for lead in leads if lead.phone}) == expected["distinct_phones"]
    assert sum(lead.email is None for lead in leads) == expected["without_email"]
    assert sum(lead.phone is None for lead in leads) == expected["without_phone"]


def test_columns_are_found_by_name_in_any_order() -> None:
    header = "Unknown,ZIP Code,E-Mail,Received At,Lead Source,Contact-Source,Vendor ID,Full Name"
    found = row(header, "x,2134,ann@example.com,2026-11-20,zillow.com,past client,7,Dr. Ann Lee")
    lead = found.inquiry
    assert (lead.zipcode, lead.email, lead.source, lead.last_name) == ("02134", "ann@example.com", "Zillow", "Lee")
    assert (found.lead_source, found.contact_source, lead.vendor_id, lead.phone) == ("Zillow", "past client", "7", None)


def test_a_missing_source_is_other() -> None:
    found = row(HEADER, GOOD)
    assert (found.lead_source, found.contact_source, found.inquiry.source) == ("Other", None, "Other")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_end_with_lf_or_crlf_and_a_mark_may_begin_the_file(end: str, mark: bytes) -> None:
    text = end.join([HEADER, "", GOOD, "", "", 'x,"An' + end + 'n",bob@example.com,', GOOD, ""])
    found = list(read_csv(mark + text.encode()))
    assert [(each.row, each.line) for each in found] == [(1, 3), (2, 6), (3, 8)]
    assert found[1] == RowError(2, 6, "bad_date")


def test_a_file_of_windows_1252_is_read() -> None:
    (found,) = read_csv(f"{HEADER}\n{GOOD.replace('Ann', 'Zoë')}".encode("cp1252"))
    assert isinstance(found, ImportedRow)
    assert found.inquiry.first_name == "Zoë"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (",,,", "empty_row"),
        ("   ", "empty_row"),
        (" ,\t, ,", "empty_row"),
        ("a,b", "wrong_columns"),
        (GOOD + ",", "wrong_columns"),
        (HEADER, "repeated_header"),
        ("Received At,FIRST NAME,E-mail,Phone", "repeated_header"),
        (",Ann,ann@example.com,", "bad_date"),
        ("20/11/2026,Ann,ann@example.com,", "bad_date"),
        ("2026-11-20,Ann,unknown,555-0142", "no_contact"),
        ("2026-11-20,Ann,n/a,none", "no_contact"),
        ('2026-11-20,Ann,"ann@example.com,303-555-0142', "wrong_columns"),
        ('2026-11-20,Ann,"' + "x" * 200_000 + '",303-555-0142', "wrong_columns"),
    ],
)
def test_a_row_that_cannot_be_imported_is_reported(line: str, why: str) -> None:
    assert rows(HEADER, line) == [RowError(1, 2, why)]


def test_other_rows_are_imported_beside_bad_ones() -> None:
    found = rows(HEADER, GOOD, "", ",,,", "x,y", GOOD)
    assert [type(each) for each in found] == [ImportedRow, RowError, RowError, ImportedRow]
    assert [(each.row, each.line) for each in found] == [(1, 2), (2, 4), (3, 5), (4, 6)]


def test_a_file_without_rows_has_none() -> None:
    assert rows("") == []
    assert rows(HEADER) == []
    assert [each.why for each in rows("name,email", "Ann,ann@example.com") if isinstance(each, RowError)] == [
        "bad_date"
    ]


def test_a_cell_that_cannot_be_read_is_a_warning() -> None:
    header = "received_at,Email,Phone,ZIP,Price,Type,State"
    found = row(header, "2026-11-20,dana(at)example.com,303-555-0142,ABCDE,TBD,Investor,Ontario")
    assert [(cell.column, cell.value, cell.why) for cell in found.warnings] == [
        ("Email", "dana(at)example.com", "bad_email"),
        ("ZIP", "ABCDE", "bad_zipcode"),
        ("Price", "TBD", "bad_price"),
        ("Type", "Investor", "bad_type"),
    ]
    assert (found.inquiry.email, found.inquiry.zipcode, found.inquiry.price, found.inquiry.type) == (None,) * 4
    assert row(header, "2026-11-20,a@example.com,555-0142,,,,").warnings[0].why == "bad_phone"
    assert row(header, "2026-11-20,a@example.com,n/a,-,none,NULL,").warnings == ()


@pytest.mark.parametrize(
    ("cells", "is_closed", "junk"),
    [
        ("True,,", True, None),
        ("False,spam,", False, Junk(reason="spam")),
        ("2026-05-01,Wrong Number,bob's", True, Junk(reason="wrong number", note="bob's")),
        ("no,No,a note alone", False, None),
        ("n/a,None,", False, None),
        (",other,a rival", False, Junk(reason="other", note="a rival")),
        (",Bad number,", False, Junk(reason="other", note="Bad number")),
        (",Bad number,twice", False, Junk(reason="other", note="Bad number: twice")),
        (f",spam,{'x' * 300}", False, Junk(reason="spam", note="x" * 199 + "…")),
    ],
)
def test_what_had_become_of_a_lead_is_read(cells: str, is_closed: bool, junk: Junk | None) -> None:
    found = row("received_at,email,is_closed,junk_reason,junk_note", f"2026-11-20,ann@example.com,{cells}")
    assert (found.is_closed, found.junk, found.warnings) == (is_closed, junk, ())
    without = row("received_at,email", "2026-11-20,ann@example.com")
    assert (without.is_closed, without.junk, without.digest) == (False, None, found.digest)


def test_a_message_keeps_its_lines_commas_and_quotes() -> None:
    found = row("received_at,email,message", '2026-11-20,a@example.com,"They said ""yes"", \r\n\r\nthen left. "')
    assert found.inquiry.message == 'They said "yes",\n\nthen left.'


# ----------------------------------------------------------------------------------------------- the same person


def people(*contacts: tuple[str, str]) -> list[tuple[int, int, str]]:
    lines = [f"2026-11-20,Name {number},{email},{phone}" for number, (email, phone) in enumerate(contacts)]
    good = [each for each in rows(HEADER, *lines) if isinstance(each, ImportedRow)]
    return [(each.row, each.first_row, each.same) for each in repeats(good)]


def test_the_same_phone_or_email_is_the_same_person() -> None:
    ann, bob = ("ann@example.com", "303-555-0142"), ("bob@example.com", "303-555-0143")
    assert people(ann, bob) == []
    assert people(ann, ("ANN@example.com", "")) == [(2, 1, "email")]
    assert people(ann, bob, ("", "+1 (303) 555 0142")) == [(3, 1, "phone")]
    assert people(ann, bob, ann) == [(3, 1, "both")]


def test_people_are_joined_through_other_rows() -> None:
    first, second = ("ann@example.com", ""), ("", "303-555-0142")
    joining = ("ann@example.com", "303-555-0142")
    assert people(first, second, joining) == [(2, 1, "phone"), (3, 1, "both")]
    assert people(first, joining, second) == [(2, 1, "email"), (3, 1, "phone")]


def test_what_was_put_in_front_of_a_formula_is_taken_away_again() -> None:
    header = "received_at,first_name,last_name,email,'=what they wrote,message"
    [read] = rows(header, "2026-11-20T10:00:00Z,'-Jo-,Marsh,jo@example.com,'+1,'=) thanks")
    assert isinstance(read, ImportedRow)
    assert (read.inquiry.first_name, read.inquiry.last_name) == ("-Jo-", "Marsh")
    assert read.inquiry.message == "=) thanks"
    assert read.cells[4:] == ("+1", "=) thanks")

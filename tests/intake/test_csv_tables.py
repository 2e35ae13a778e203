"""Files as people have them: character sets, what divides cells, headings of exports, dates of spreadsheets."""
# ruff: noqa: E501 -- lines of files

import codecs
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.intake.csv_dates import table_time
from leadroutes.intake.csv_import import ImportedRow, RowError, read_csv
from leadroutes.intake.csv_tables import HEADINGS, fault_of, meaning_of, split_csv
from leadroutes.intake.flat import NAMES, plain_key

TABLE = 'received_at,first_name,email,message\n2026-04-02 15:15,Zoë,zoe@example.com,"Hi; hello,\n\tyou"\n'


def only(body: bytes) -> ImportedRow:
    (row,) = read_csv(body)
    assert isinstance(row, ImportedRow), row
    return row


def divided(by: str) -> str:
    head, row = (
        "received_at,first_name,email,message",
        ("2026-04-02 15:15", "Zoë", "zoe@example.com", '"Hi; hello,\n\tyou"'),
    )
    return f"{head.replace(',', by)}\n{by.join(row)}\n"


@pytest.mark.parametrize(
    "body",
    [
        TABLE.encode(),
        codecs.BOM_UTF8 + TABLE.encode(),
        TABLE.encode("latin-1"),
        TABLE.encode("cp1252"),
        codecs.BOM_UTF16_LE + TABLE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.replace("\n", "\r\n").encode(),
        divided(";").encode(),
        divided("\t").encode(),
        divided("|").encode(),
        divided("\t").encode("utf-16"),
        f"sep=;\r\n{divided(';')}".encode(),
        f"sep=,\n{TABLE}".encode(),
        f'"sep=;"\n{divided(";")}'.encode(),
        f"sep=\t\n{divided(chr(9))}".encode(),
        divided(";").replace("\n", "\r").encode(),
        f"sep=;\r{divided(';')}".replace("\n", "\r").encode(),
        divided(",").replace("\n\t", "\0").replace("\n", "\r").replace("\0", "\n\t").encode(),
        TABLE.replace("first_name", '"first\rname"').encode(),
    ],
)
def test_a_file_is_read_as_a_spreadsheet_has_saved_it(body: bytes) -> None:
    row = only(body)
    assert (row.inquiry.first_name, row.inquiry.email) == ("Zoë", "zoe@example.com")
    assert row.inquiry.message == "Hi; hello,\n\tyou"
    assert row.inquiry.received_at == datetime(2026, 4, 2, 15, 15, tzinfo=UTC)


def test_lines_that_are_utf_8_are_read_as_such_beside_others() -> None:
    """Two exports in one file, and a cell that a program has cut at so many bytes, within a character."""
    head, good = TABLE.encode().split(b"\n", 1)
    cut = good.replace(b"Hi; hello", b"Zo\xc3")
    first, second, third = read_csv(b"\n".join((head, good + good.decode().encode("cp1252") + cut)))
    assert [each.inquiry.first_name for each in (first, second) if isinstance(each, ImportedRow)] == ["Zo\xeb"] * 2
    assert isinstance(third, ImportedRow)
    assert third.inquiry.message == "Zo\xc3,\n\tyou"


def test_lines_are_counted_as_an_editor_does() -> None:
    rows = list(read_csv(b"sep=;\nemail;created\n\na@example.com;4/2/2026\nb@example.com;soon\n"))
    assert [(row.row, row.line) for row in rows] == [(1, 4), (2, 5)]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (
            "ID,Date Added,First Name,Last Name,Stage,Lead Source,Email 1,Email 1 - Type,Phone 1,Address 1 - Street,Address 1 - City,Address 1 - State,Address 1 - Zip",
            "7,04/02/2026 3:15 PM,Mia,Lund,Lead,Zillow,mia@example.com,home,303-555-0142,8 Elm Ct,Denver,CO,80202",
        ),
        (
            "First Name,Last Name,Email,Mobile Phone,Street Address 1,City,State,Zip,Source,Created",
            "Mia,Lund,mia@example.com,(303) 555-0142,8 Elm Ct,Denver,Colorado,80202.0,Zillow,4/2/2026 15:15",
        ),
        (
            "First Name,Last Name,Deal Type,Source,Email,Cell Phone 1,Primary Address,Primary City,Primary State,Primary Zip,Registered",
            "Mia,Lund,Buyer,zillow.com,mia@example.com,3035550142.0,8 Elm Ct,Denver,CO,80202,2026-04-02 15:15:00",
        ),
        (
            "Lead Name,Lead Type,Source,Email,Phone,Mailing Address,Mailing City,Mailing State,Mailing Zip,Register Date",
            'Mia Lund,Buyer,Zillow,mia@example.com,303.555.0142,8 Elm Ct,Denver,CO,80202-1234,"Apr 2, 2026 3:15 PM"',
        ),
    ],
)
def test_headings_of_exports_are_known(header: str, cells: str) -> None:
    assert fault_of(split_csv(header.encode())[0]) is None
    lead = only(f"{header}\n{cells}\n".encode()).inquiry
    assert (lead.first_name, lead.last_name, lead.email, lead.phone) == (
        "Mia",
        "Lund",
        "mia@example.com",
        "+13035550142",
    )
    assert (lead.street_address, lead.city, lead.state, lead.zipcode) == ("8 Elm Ct", "Denver", "CO", "80202")
    assert (lead.source, lead.received_at) == ("Zillow", datetime(2026, 4, 2, 15, 15, tzinfo=UTC))


def test_a_further_heading_follows_the_usual_ones_wherever_its_column_is() -> None:
    row = only(b"Email 2,Email 1,Created,email,date\nc@example.com,b@example.com,4/1/2026,a@example.com,4/2/2026\n")
    assert (row.inquiry.email, row.inquiry.received_at) == ("a@example.com", datetime(2026, 4, 2, tzinfo=UTC))
    row = only(b"Email 2,Email 1,Created,email\nc@example.com,b@example.com,4/1/2026,\n")
    assert row.inquiry.email == "b@example.com"


def test_no_heading_has_two_meanings() -> None:
    keys = [plain_key(heading) for headings in HEADINGS.values() for heading in headings]
    assert len(set(keys)) == len(keys)
    assert set(keys).isdisjoint(name for names in NAMES.values() for name in names)
    assert all(meaning_of(plain_key(each)) == meaning for meaning, names in HEADINGS.items() for each in names)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "The file is empty"),
        (
            "Name,Email",
            "no column holds when the lead came in; one of these headings would do: received_at, Date Added",
        ),
        ("Name,Created", "no column holds an e-mail address or a phone number; one of these headings would do: email"),
        ("a,b", "Its headings are: a, b."),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_what_would_do(header: str, said: str) -> None:
    assert said in (fault_of(header.split(",")) or "")


# --------------------------------------------------------------------------------------------------------- dates

AFTERNOON = datetime(2026, 4, 2, 15, 15, tzinfo=UTC)
MIDNIGHT = datetime(2026, 4, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-04-02T15:15:00Z", AFTERNOON),
        ("2026-04-02 15:15", AFTERNOON),
        ("2026-04-02 3:15 PM", AFTERNOON),
        ("2026/04/02 15:15:00", AFTERNOON),
        ("2026-04-02 15:15:00 UTC", AFTERNOON),
        ("2026-04-02 15:15:00 +0000", AFTERNOON),
        ("4/2/2026 15:15", AFTERNOON),
        ("4/2/26 15:15", AFTERNOON),
        ("04/02/2026 3:15 PM", AFTERNOON),
        ("04-02-2026 03:15:00 p.m.", AFTERNOON),
        ("04/02/2026, 3:15pm", AFTERNOON),
        ("4/2/2026 11:15 AM EDT", AFTERNOON),
        ("4/2/2026 9:15 AM MDT", AFTERNOON),
        ("4/2/2026", MIDNIGHT),
        ("4/2/2026 12:00 AM", MIDNIGHT),
        ("Apr 2, 2026", MIDNIGHT),
        ("April 2nd, 2026 at 3:15 PM", AFTERNOON),
        ("Thu, Apr 2, 2026 3:15 PM", AFTERNOON),
        ("2-Apr-26", MIDNIGHT),
        ("02 April 2026 15:15", AFTERNOON),
        ("46114", MIDNIGHT),
        ("46114.635416667", AFTERNOON),
        ("1775142900", AFTERNOON),
        ("13/02/2026", None),
        ("2/30/2026", None),
        ("0026-04-02", datetime(26, 4, 2, tzinfo=UTC)),
        ("0000-12-31", None),
        ("0001-01-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("4/2/2026 13:15 PM", None),
        ("4/2/2026 25:15", None),
        ("4/2/2026 3:15 PM XYZ", None),
        ("12345", None),
        ("46114.5.5", None),
        ("soon", None),
        ("n/a", None),
        (None, None),
    ],
)
def test_a_date_is_read_month_first(typed: str | None, moment: datetime | None) -> None:
    assert table_time(typed) == moment


@pytest.mark.parametrize(
    ("typed", "year"), [("4/2/00", 2000), ("4/2/29", 2029), ("4/2/30", 1930), ("4/2/98", 1998), ("2-Apr-99", 1999)]
)
def test_years_of_two_digits_are_those_that_a_spreadsheet_means(typed: str, year: int) -> None:
    """A contact of 1998 who comes in as one of 2098 is on top of every list, and counts as recent for ever."""
    assert table_time(typed) == datetime(year, 4, 2, tzinfo=UTC)


@given(st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1)))
def test_a_date_is_read_back_as_a_spreadsheet_writes_it(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%b %d, %Y %H:%M:%S", "%d-%b-%Y %H:%M:%S"):
        assert table_time(moment.strftime(form)) == moment
    days = (moment - datetime(1899, 12, 30, tzinfo=UTC)).total_seconds() / 86_400
    assert table_time(f"{days:.9f}") == moment


@given(st.text(st.sampled_from("0123456789/-.: aprmAPM,Z+")))
def test_no_date_breaks_the_reader(typed: str) -> None:
    moment = table_time(typed)
    assert moment is None or moment.tzinfo is UTC
    (row,) = read_csv(f'received_at,email\n"{typed}",a@example.com\n'.encode())
    assert isinstance(row, RowError) == (moment is None)


def test_a_number_that_a_spreadsheet_wrote_with_a_point_is_a_whole_one() -> None:
    row = only(b"date,email,zip,price,lead_id\n4/2/2026,a@example.com,2134.0,450000.0,17.0\n")
    assert (row.inquiry.zipcode, row.inquiry.price, row.inquiry.vendor_id) == ("02134", 450_000, "17")
    assert row.warnings == ()
    (warning,) = only(b"date,email,zip\n4/2/2026,a@example.com,12.0\n").warnings
    assert (warning.why, warning.value) == ("bad_zipcode", "12.0")

"""Lists of addresses that must not be written to, in and out; and people of an import who had unsubscribed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from leadroutes.intake.csv_dates import EXPECTED
from leadroutes.operations.csv_export import export
from leadroutes.operations.csv_import import import_leads
from leadroutes.operations.csv_import_results import Report
from leadroutes.operations.suppression_lists import import_suppressions
from leadroutes.store.postgres import Database
from tests.support.commands import Command
from tests.support.town import Town

OWNER = ("--owner", "alice@example.com")


@pytest.fixture
async def town(database: Database) -> Town:
    return await Town.create(database)


async def listed(town: Town) -> list[tuple[Any, ...]]:
    rows = await town.database.fetch(
        "SELECT channel, value, reason, at FROM suppressions WHERE ended_at IS NULL ORDER BY value"
    )
    return [(*row[:3], row["at"].astimezone(UTC).isoformat()) for row in rows]


async def test_a_list_comes_in_once_and_each_refused_row_is_named(
    town: Town, database_url: str, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "Email Address;Reason;Date;Phone\n"
        "Petra <PETRA@example.com>;unsubscribed;2026-05-02T08:00:00Z;\n"
        "petra@example.com;unsubscribed;4/2/2026;\n"
        "noa@example.com;;;\n"
        "unknown;bounced;;\n"
        "eve@example.com;because;;\n"
        "eve@example.com;bounced;yesterday;\n"
        "eve@example.com\n",
        encoding="utf-8",
    )
    result = await command(database_url, "suppressions", "import", file, *OWNER)
    assert lines(result) == [
        "line 5: value: 'unknown' was given; expected an e-mail address: not imported",
        f"line 7: at: 'yesterday' was given; expected {EXPECTED}: not imported",
        "line 8: expected as many cells as the line of headings has: not imported",
        "line 6: reason: 'because' was given; it is stored as imported",
        "3 added, 1 were in force already, 3 refused",
    ]
    eve, noa, petra = await listed(town)
    assert eve[:3] == ("email", "eve@example.com", "imported"), "a row that is refused is an address that is written to"
    assert noa[:3] == ("email", "noa@example.com", "imported")
    assert petra[:3] == ("email", "petra@example.com", "unsubscribed")

    again = await command(database_url, "suppressions", "import", "--strict", file, *OWNER, code=1)
    assert lines(again)[-1] == "0 added, 4 were in force already, 3 refused"
    assert len(await listed(town)) == 3


@pytest.mark.parametrize("heading", ["Phone", "Mobile Phone"])
async def test_a_list_of_phones_suppresses_texts_and_calls(town: Town, heading: str) -> None:
    content = f"{heading},Reason\n303-555-0142,\n555,manual\n".encode()
    report = await import_suppressions(town.database, content, "alice@example.com")
    assert (report.added, [line for line, _ in report.refused]) == (2, [3])
    assert sorted(each[:3] for each in await listed(town)) == [
        ("call", "+13035550142", "imported"), ("text", "+13035550142", "imported"),
    ]  # fmt: skip


async def test_letter_case_of_channel_and_reason_does_not_matter(
    town: Town, database_url: str, command: Command, tmp_path: Path
) -> None:
    """A row that is refused for a capital is an address that is written to."""
    file = tmp_path / "list.csv"
    rows = "Email,petra@example.com,Unsubscribed\nTEXT,303-555-0142,Stopped\nFax,noa@example.com,Manual\n"
    file.write_text(f"Channel,Value,Reason\n{rows}", encoding="utf-8")
    result = await command(database_url, "suppressions", "import", file, *OWNER)
    assert lines(result)[0] == "line 4: channel: 'Fax' was given; expected one of email, text, call: not imported"
    assert [each[:3] for each in await listed(town)] == [
        ("text", "+13035550142", "stopped"), ("email", "petra@example.com", "unsubscribed"),
    ]  # fmt: skip


async def test_a_file_without_addresses_is_refused_as_a_whole(
    town: Town, database_url: str, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("name,reason\nPetra,manual\n", encoding="utf-8")
    result = await command(database_url, "suppressions", "import", file, *OWNER, code=1)
    assert "No column holds addresses; one of these headings would do: value, email," in result.output


async def test_what_is_exported_comes_in_elsewhere_as_it_was_and_what_was_lifted_stays_lifted(town: Town) -> None:
    content = (
        b"channel,value,reason,at\n"
        b"email,petra@example.com,unsubscribed,2026-05-02T08:00:00Z\n"
        b"text,+13035550101,stopped,2026-05-03T08:00:00Z\n"
        b"email,noa@example.com,complained,2026-05-04T08:00:00Z\n"
    )
    await import_suppressions(town.database, content, "alice@example.com")
    await town.database.execute(
        "UPDATE suppressions SET ended_at = $1, ended_by_user_id = owner_id, consent = '=by phone'"
        " WHERE value LIKE 'noa%'",
        datetime(2026, 6, 1, tzinfo=UTC),
    )
    file = StringIO()
    await export(town.database, "suppressions", "alice@example.com", file)
    assert file.getvalue().splitlines()[1:] == [
        "email,petra@example.com,unsubscribed,2026-05-02T08:00:00Z,,,,",
        "text,+13035550101,stopped,2026-05-03T08:00:00Z,,,,",
        "email,noa@example.com,complained,2026-05-04T08:00:00Z,,2026-06-01T00:00:00Z,alice@example.com,'=by phone",
    ]
    before = await listed(town)
    await town.database.execute("DELETE FROM suppressions")
    report = await import_suppressions(town.database, file.getvalue().encode(), "alice@example.com")

    assert (report.added, report.known, report.lifted, report.refused) == (2, 0, 1, [])
    assert await listed(town) == before


# ------------------------------------------------------------------------------------- people of an import of leads

HEADER = (
    "contact_number,created_at,contact_source,first_name,last_name,email,secondary_email,mobile_phone,unsubscribed_at"
)


def a_file(rows: Sequence[tuple[str, str]], column: str = "unsubscribed_at") -> bytes:
    header = HEADER.replace("unsubscribed_at", column)
    lines_ = [f"475,2026-05-01T20:01:43Z,Web,Petra,Lowe,{email},,,{cell}" for email, cell in rows]
    return "\n".join([header, *lines_]).encode()


async def bring_in(town: Town, content: bytes, *, dry_run: bool = False) -> Report:
    return await import_leads(
        town.database, content, "alice@example.com", route=False, dry_run=dry_run, tell=lambda *_: None
    )


async def test_who_had_unsubscribed_elsewhere_is_suppressed_here_also_when_the_row_is_in_already(town: Town) -> None:
    await bring_in(town, a_file([("Petra@example.com", "")]))
    assert await listed(town) == []
    for _ in range(2):
        report = await bring_in(town, a_file([("PETRA@Example.com", "2026-05-02T08:00:00Z"), ("noa@example.com", "")]))
    assert await listed(town) == [("email", "petra@example.com", "unsubscribed", "2026-05-02T08:00:00+00:00")]
    assert report.unsubscribed == 0, "it was known"


async def test_a_dry_run_suppresses_nothing_and_says_what_it_would(town: Town) -> None:
    report = await bring_in(town, a_file([("petra@example.com", "2026-05-02")]), dry_run=True)
    assert "1 address has unsubscribed and would be suppressed" in list(report.lines())
    assert await listed(town) == []


@pytest.mark.parametrize(
    ("column", "cell", "is_suppressed"),
    [
        ("unsubscribed_at", "5/2/2026 8:00 AM", True),
        ("Unsubscribed", "Yes", True),
        ("Email Opt Out", "TRUE", True),
        ("unsubscribed_at", "some day in May", True),
        ("Unsubscribed", "No", False),
        ("Email Opt Out", "0", False),
        ("unsubscribed_at", "n/a", False),
        ("unsubscribed_at", "  ", False),
    ],
)
async def test_whoever_may_have_unsubscribed_is_not_written_to(
    town: Town, column: str, cell: str, is_suppressed: bool
) -> None:
    await bring_in(town, a_file([("petra@example.com", cell)], column))
    assert [row[:3] for row in await listed(town)] == [("email", "petra@example.com", "unsubscribed")] * is_suppressed


async def test_contacts_that_are_exported_say_since_when_by_their_address(town: Town) -> None:
    for email in ("petra@example.com", "PETRA@example.com ", "noa@example.com", "eve@example.com"):
        await town.contact("alice", email=email)
    content = (
        b"value,reason,at\n"
        b"petra@example.com,unsubscribed,2026-05-02T08:00:00Z\n"
        b"eve@example.com,bounced,2026-05-02T08:00:00Z\n"
    )
    await import_suppressions(town.database, content, "alice@example.com")
    file = StringIO()
    await export(town.database, "contacts", "alice@example.com", file)

    last = [line.rpartition(",")[2] for line in file.getvalue().splitlines()]
    assert last == ["unsubscribed_at", "2026-05-02T08:00:00Z", "2026-05-02T08:00:00Z", "", ""]


def lines(result: Result) -> list[str]:
    return result.stdout.splitlines()

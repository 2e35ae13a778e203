"""Past leads from a file: each row in once or reported, no one alerted, and the same person one contact."""

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Literal

import asyncpg
import pytest

from leadroutes.engine.engine import Engine
from leadroutes.errors import Invalid, NotFound
from leadroutes.intake.csv_tables import fault_of, split_csv
from leadroutes.operations.csv_export import export
from leadroutes.operations.csv_import import import_leads
from leadroutes.operations.csv_import_report import report_csv
from leadroutes.operations.csv_import_results import Report
from leadroutes.operations.doctor import examine
from leadroutes.store.postgres import Database
from tests.support.town import Town

SAMPLES = Path(__file__).parents[1] / "intake" / "samples"
HISTORY = (SAMPLES / "history.csv").read_bytes()
EXPECTED = json.loads((SAMPLES / "history.expected.json").read_text(encoding="utf-8"))
HEADER = (
    "received_at,lead_source,contact_source,type,first_name,last_name,email,phone,zipcode,price,message,lead_id,test"
)


@pytest.fixture
async def town(database: Database) -> Town:
    return await Town.create(database)


async def bring_in(
    town: Town, content: bytes, *, route: bool = False, dry_run: bool = False, received_at: str | None = None
) -> Report:
    return await import_leads(
        town.database, content, "alice@example.com", route=route, dry_run=dry_run, tell=lambda *_: None,
        received_at=received_at,
    )  # fmt: skip


def a_file(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def a_row(
    email: str = "", phone: str = "", *, at: str = "2026-08-01T10:00:00Z", name: str = "Mia", rest: str = ","
) -> str:
    return f"{at},Zillow,Zillow,Buyer,{name},Lund,{email},{phone},80202,,Hello,{rest}"


async def test_every_row_of_a_history_is_in_or_reported(town: Town) -> None:
    report = await bring_in(town, HISTORY)

    assert report.imported == EXPECTED["imported"]
    assert [{"row": each.row, "line": each.line, "why": each.why} for each in report.rejected] == EXPECTED["errors"]
    assert len(report.warnings) == len(EXPECTED["warnings"])
    assert await town.database.fetchval("SELECT count(*) FROM contacts") == EXPECTED["people"]
    rows = await town.database.fetch(
        "SELECT lead_sources.name, count(*) FROM leads JOIN lead_sources ON lead_sources.id = source_id GROUP BY 1"
    )
    assert dict(map(tuple, rows)) == EXPECTED["by_source"]


async def test_the_same_file_again_adds_nothing(town: Town) -> None:
    await bring_in(town, HISTORY)
    again = await bring_in(town, HISTORY)

    assert (again.imported, again.known) == (0, EXPECTED["imported"])
    assert await town.database.fetchval("SELECT count(*) FROM leads") == EXPECTED["imported"]


async def test_two_imports_at_once_bring_each_row_in_once(town: Town) -> None:
    some = b"\n".join(HISTORY.split(b"\n")[:400])
    reports = await asyncio.gather(*(bring_in(town, some) for _ in range(3)))

    stored = await town.database.fetchval("SELECT count(*) FROM leads")
    assert sum(report.imported for report in reports) == stored == reports[0].imported + reports[0].known
    assert (await examine(town.database)).violation is None


async def test_equal_rows_of_one_file_are_leads_of_their_own(town: Town) -> None:
    report = await bring_in(town, a_file(a_row("mia@example.com"), a_row("mia@example.com")))

    assert report.imported == 2


async def test_a_file_that_holds_the_earlier_one_adds_only_what_is_new(town: Town) -> None:
    first, second = a_row("mia@example.com"), a_row("noa@example.com")
    await bring_in(town, a_file(first))
    report = await bring_in(town, a_file(second, first))

    assert (report.imported, report.known) == (1, 1)


async def test_a_row_that_repeats_the_sources_own_id_is_not_a_lead_of_its_own(town: Town) -> None:
    report = await bring_in(
        town, a_file(a_row("mia@example.com", rest="Z-1,"), a_row("noa@example.com", name="Noa", rest="Z-1,"))
    )

    assert (report.imported, report.known) == (1, 1)


async def test_people_are_one_through_other_rows_too(town: Town) -> None:
    """The first two rows have nothing in common but the third."""
    report = await bring_in(
        town,
        a_file(a_row("mia@example.com"), a_row(phone="303-555-0100"), a_row("mia@example.com", "(303) 555-0100")),
    )

    assert report.imported == 3
    contact = await town.database.fetchrow("SELECT email, mobile_phone, created_at FROM contacts")
    assert contact is not None
    assert (contact["email"], contact["mobile_phone"]) == ("mia@example.com", "+13035550100")
    assert await town.database.fetchval("SELECT count(*) FROM contacts") == 1


async def test_a_known_contact_is_recognised_and_only_gaps_are_filled(town: Town) -> None:
    contact_id = await town.contact("alice", first_name="Maria", last_name=None, email="mia@example.com")
    await town.database.execute(
        "INSERT INTO contact_identities VALUES ($1, 'email', 'mia@example.com', $2)", town.users["alice"], contact_id
    )

    await bring_in(town, a_file(a_row(phone="303-555-0100"), a_row("mia@example.com", "(303) 555-0100")))

    contact = await town.database.fetchrow("SELECT * FROM contacts")
    assert contact is not None
    assert (contact["id"], contact["first_name"], contact["last_name"]) == (contact_id, "Maria", "Lund")
    assert contact["mobile_phone"] == "+13035550100"
    assert await town.database.fetchval("SELECT count(*) FROM contacts") == 1
    assert await town.database.fetchval("SELECT count(DISTINCT contact_id) FROM leads") == 1


async def test_another_owners_contacts_are_unknown_here(town: Town) -> None:
    contact_id = await town.contact("dave", email="mia@example.com")
    await town.database.execute(
        "INSERT INTO contact_identities VALUES ($1, 'email', 'mia@example.com', $2)", town.users["dave"], contact_id
    )

    await bring_in(town, a_file(a_row("mia@example.com")))

    assert await town.database.fetchval("SELECT contact_id FROM leads") != contact_id


async def test_history_is_neither_routed_nor_alerted_and_keeps_its_time(town: Town) -> None:
    await town.option("alice", town.team_id, "bob")
    await town.route("alice")

    await bring_in(town, a_file(a_row("mia@example.com")))

    lead = await town.database.fetchrow("SELECT * FROM leads")
    assert lead is not None
    assert lead["created_at"] == datetime(2026, 8, 1, 10, tzinfo=UTC)
    assert lead["routed_at"] is None
    assert await town.database.fetchval("SELECT count(*) FROM messages") == 0
    ledger = await Engine(town.database).ledger(town.users["alice"])
    assert (ledger["imported"], ledger["received"], ledger["held"]) == (1, 0, 0)


async def test_the_leads_of_the_last_24_hours_are_routed_when_asked_for(town: Town) -> None:
    await town.option("alice", town.team_id, "bob")
    await town.route("alice")
    recent = (town.now - timedelta(hours=3)).isoformat()
    old = (town.now - timedelta(hours=30)).isoformat()
    content = a_file(
        a_row("mia@example.com", at=recent),
        a_row("noa@example.com", at=old),
        a_row("test@example.com", at=recent, rest=",yes"),
    )
    await bring_in(town, content)

    report = await bring_in(town, content, route=True)

    assert (report.imported, report.routed) == (0, 1)
    offers = await town.database.fetch("SELECT user_id FROM offers")
    assert [row["user_id"] for row in offers] == [town.users["bob"]]
    ledger = await Engine(town.database).ledger(town.users["alice"])
    assert (ledger["received"], ledger["on_offer"], ledger["imported"]) == (1, 1, 2)
    assert (await bring_in(town, content, route=True)).routed == 0, "routing is done once"
    assert (await examine(town.database)).violation is None


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(town: Town) -> None:
    await bring_in(town, a_file(a_row("mia@example.com")))

    report = await bring_in(
        town,
        a_file(a_row("mia@example.com"), a_row("noa@example.com").replace("Zillow,Zillow", "Billboard,Fair")),
        dry_run=True,
    )

    assert (report.imported, report.known) == (1, 1)
    assert list(report.lines())[-1] == "2 rows: 1 would be imported, 1 were in already, 0 rejected"
    assert await town.database.fetchval("SELECT count(*) FROM leads") == 1
    assert await town.database.fetchval("SELECT count(*) FROM lead_sources WHERE name = 'Billboard'") == 0


async def test_a_source_that_is_unknown_is_made_the_owners_own(town: Town) -> None:
    await bring_in(town, a_file(a_row("mia@example.com").replace("Zillow,Zillow", "Billboard,Fair")))

    assert (
        await town.database.fetchval("SELECT owner_id FROM lead_sources WHERE name = 'Billboard'")
        == (town.users["alice"])
    )
    assert await town.database.fetchval(
        "SELECT contact_sources.name FROM contacts JOIN contact_sources ON contact_sources.id = source_id"
    ) == "Fair"  # fmt: skip


async def test_what_cannot_be_read_is_reported_with_its_line(town: Town) -> None:
    report = await bring_in(town, a_file(a_row("mia@example.com"), a_row(), a_row("noa@example.com", at="soon")))

    assert list(report.lines()) == [
        "line 3 (row 2): no_contact: not imported",
        "line 4 (row 3): bad_date: not imported",
        "3 rows: 1 imported, 0 were in already, 2 rejected",
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", HEADER.encode(), b"\x00\xff\xfe", b"a,b\n1,2\n"])
async def test_a_file_without_leads_is_not_an_error(town: Town, content: bytes) -> None:
    report = await bring_in(town, content)

    assert report.imported == 0


async def test_a_stranger_owns_nothing(town: Town) -> None:
    with pytest.raises(NotFound):
        await import_leads(
            town.database, HISTORY, "unknown@example.com", route=False, dry_run=False, tell=lambda *_: None
        )


# ------------------------------------------------------------------------------------------------- a file as a whole


async def test_a_file_without_a_date_is_refused_once_with_what_would_do(town: Town) -> None:
    report = await bring_in(town, b"First Name,Email 1\nMia,mia@example.com\nNoa,noa@example.com\n")
    assert report.fault is not None
    for word in ("received_at", "Date Added", "--received-at", "First Name, Email 1"):
        assert word in report.fault
    assert (report.rows, report.imported) == (0, 0)
    assert list(report.shown()) == []
    assert await town.database.fetchval("SELECT count(*) FROM leads") == 0


async def test_a_date_can_be_given_for_the_rows_that_name_none(town: Town) -> None:
    file = b"First Name,Email,Created\nMia,mia@example.com,\nNoa,noa@example.com,4/2/2026\nOla,ola@example.com,soon\n"
    report = await bring_in(town, file, received_at="4/1/2026 9:00 AM")
    assert [(error.row, error.why) for error in report.rejected] == [(3, "bad_date")]
    rows = await town.database.fetch("SELECT created_at FROM leads ORDER BY created_at")
    moments = [datetime(2026, 4, 1, 9, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)]
    assert [row["created_at"] for row in rows] == moments

    undated = b"First Name,Email\nEve,eve@example.com\n"
    assert (await bring_in(town, undated, received_at="2026-04-01")).imported == 1
    with pytest.raises(Invalid, match="'soon' was given; expected"):
        await bring_in(town, undated, received_at="soon")


async def test_a_file_of_which_no_row_can_be_imported_says_why_once(town: Town) -> None:
    report = await bring_in(town, a_file(*(a_row("mia@example.com", at="20/04/2026") for _ in range(3))))
    assert report.fault == (
        "No row can be imported. All 3 have the same fault: bad_date: expected 2026-04-02T15:15:00Z or 4/2/2026 3:15 PM"
        " (month first; UTC where no time zone is named)"
    )
    assert len(report.rejected) == 3


async def test_what_was_expected_is_said_once(town: Town) -> None:
    wrong = (a_row("noa@example.com", at="20/04/2026") for _ in range(3))
    report = await bring_in(town, a_file(a_row("mia@example.com"), *wrong))
    assert report.fault is None
    assert sum("4/2/2026 3:15 PM" in line for line in report.shown()) == 1


@pytest.mark.parametrize("what", ["leads", "contacts"])
async def test_what_is_exported_is_read_back(town: Town, what: Literal["leads", "contacts"]) -> None:
    await bring_in(town, b"\n".join(HISTORY.split(b"\n")[:60]))
    file = StringIO()
    await export(town.database, what, "alice@example.com", file)
    written = file.getvalue().encode()
    assert fault_of(split_csv(written)[0]) is None
    report = await import_leads(
        town.database, written, "dave@example.com", route=False, dry_run=False, tell=lambda *_: None
    )
    assert (report.rejected, report.warnings) == ([], [])
    columns = "contacts.first_name, last_name, email, coalesce(mobile_phone, home_phone)"
    if what == "leads":
        columns += ", leads.created_at, type, listing_price, zipcode, text_body"
    people = "SELECT {} FROM contacts JOIN leads ON contact_id = contacts.id WHERE contacts.owner_id = $1"
    of_alice, of_dave = [
        set(map(tuple, await town.database.fetch(people.format(columns), user_id)))
        for user_id in (town.users["alice"], town.users["dave"])
    ]
    assert of_alice == of_dave
    assert report.imported > 30


async def test_closed_and_junk_leads_are_read_back_as_history(town: Town) -> None:
    await bring_in(town, a_file(*(a_row(f"{name}@example.com") for name in ("mia", "noa", "tom"))))
    for name, change in (
        ("mia", "is_closed = true"),
        ("noa", "junk_reason = 'other', junk_note = '=a rival, \"Ed\"'"),
    ):
        of = "contact_id IN (SELECT id FROM contacts WHERE email = $1)"
        await town.database.execute(f"UPDATE leads SET {change} WHERE {of}", f"{name}@example.com")
    file = StringIO()
    await export(town.database, "leads", "alice@example.com", file)
    written = file.getvalue().encode()
    for time in (1, 2):
        report = await import_leads(
            town.database, written, "dave@example.com", route=True, dry_run=False, tell=lambda *_: None
        )
        assert (report.imported, report.warnings, report.rejected) == (3 if time == 1 else 0, [], [])

    rows = await town.database.fetch(
        "SELECT email, is_closed, junk_reason, junk_note, is_imported FROM leads"
        " JOIN contacts ON contacts.id = contact_id WHERE leads.owner_id = $1 ORDER BY 1",
        town.users["dave"],
    )
    assert [tuple(row) for row in rows] == [
        ("mia@example.com", True, None, None, True),
        ("noa@example.com", False, "other", '=a rival, "Ed"', True),
        ("tom@example.com", False, None, None, True),
    ]
    assert await town.database.fetchval("SELECT count(*) FROM messages") == 0
    assert (await examine(town.database)).violation is None


async def test_no_closed_or_junk_lead_is_routed_and_a_known_one_stays_as_it_is(town: Town) -> None:
    await town.option("alice", town.team_id, "bob")
    await town.route("alice")
    recent = (town.now - timedelta(hours=3)).isoformat()
    header = "received_at,lead_source,email,is_closed,junk_reason"
    rows = [f"{recent},Zillow,{name}@example.com" for name in ("mia", "noa", "tom")]
    past = "\n".join([header, f"{rows[0]},yes,", f"{rows[1]},,spam", f"{rows[2]},no,"]).encode()
    assert (await bring_in(town, past, route=True)).routed == 1
    again = "\n".join([header, *(f"{row},yes,spam" for row in rows)]).encode()
    assert (await bring_in(town, again, route=True)).known == 3

    found = await town.database.fetch(
        "SELECT email, routed_at IS NOT NULL AS is_routed, is_closed, junk_reason FROM leads"
        " JOIN contacts ON contacts.id = contact_id ORDER BY 1"
    )
    assert [tuple(row) for row in found] == [
        ("mia@example.com", False, True, None),
        ("noa@example.com", False, False, "spam"),
        ("tom@example.com", True, False, None),
    ]
    assert (await examine(town.database)).violation is None


# ------------------------------------------------------------------------------------------------- who was joined


async def test_an_import_says_whom_it_took_for_whom_before_and_after(town: Town) -> None:
    contact_id = await town.contact("alice", first_name="Amelia", last_name="Reyes", email="amelia@example.com")
    for kind, value in (("email", "amelia@example.com"), ("phone", "+13035550150")):
        identity = "INSERT INTO contact_identities VALUES ($1, $2, $3, $4)"
        await town.database.execute(identity, town.users["alice"], kind, value, contact_id)
    rows = [
        a_row("amelia@example.com", name="Amelia"),
        a_row("bond@example.com", "303-555-0151", name="Amelia"),
        a_row(phone="303-555-0150", name="Amelia").replace("Lund", "Bond"),
        a_row("bond@example.com", "(303) 555-0151", name="AMELIA"),
        a_row("mia@example.com"),
    ]
    expected = [
        "3 joined to a person who is known: 2 to contacts, 1 to earlier rows; 2 under another name",
        f"line 2 (row 1): joined to contact {contact_id} (Amelia Reyes) by e-mail; the row says Amelia Lund",
        f"line 4 (row 3): joined to contact {contact_id} (Amelia Reyes) by phone; the row says Amelia Bond",
        "line 5 (row 4): joined to row 2 (Amelia Lund) by e-mail and phone",
    ]
    for dry_run in (True, False):
        report = await bring_in(town, a_file(*rows), dry_run=dry_run)
        assert list(report.shown())[:-1] == expected
        written = list(csv.DictReader(StringIO(report_csv(report, a_file(*rows)))))
        joined = [(row["import_row"], row["import_joined_to"], row["import_joined_by"]) for row in written]
        amelia = f"contact {contact_id}"
        assert joined == [("1", amelia, "mail"), ("3", amelia, "phone"), ("4", "row 2", "both")]
        assert [row["import_name_there"] for row in written] == ["Amelia Reyes", "Amelia Reyes", "Amelia Lund"]
        assert [row["import_is_other_name"] for row in written] == ["yes", "yes", "no"]
    assert (await bring_in(town, a_file(*rows))).joined == [], "rows that were in already are joined to no one"
    report_again = await bring_in(town, report_csv(report, a_file(*rows)).encode())
    assert (report_again.imported, report_again.known) == (0, 3)


async def test_a_dry_run_of_many_batches_gives_the_account_of_the_import(town: Town) -> None:
    content = a_long_file()
    dry = await bring_in(town, content, dry_run=True)
    real = await bring_in(town, content)
    assert (dry.imported, dry.known) == (real.imported, real.known)
    assert [each.line() for each in dry.joined] == [each.line() for each in real.joined]
    assert len(list(dry.shown())) == 1 + 20 + 1 + 1


# ------------------------------------------------------------------------------------------------ files of many batches


def a_long_file(rows: int = 3500, people: int = 700) -> bytes:
    """Everybody asks again in later batches: first without a phone, then with one; each tenth row repeats an own id."""
    lines = []
    for number in range(rows):
        person = number % people
        phone = f"+1415555{person:04d}" if number >= people else ""
        own_id = f"Z{person}" if number % 10 == 0 else ""
        at = f"2026-08-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
        lines.append(a_row(f"mia{person}@example.org", phone, at=at, rest=f"{own_id},"))
    return a_file(*lines)


async def test_people_and_ids_are_known_in_the_batches_that_follow(town: Town) -> None:
    report = await bring_in(town, a_long_file())

    repeated = 350 - 70  # of the tenths, five rows each name the same seventy ids
    assert (report.rows, report.imported, report.known) == (3500, 3500 - repeated, repeated)
    phones = await town.database.fetch("SELECT mobile_phone FROM contacts ORDER BY mobile_phone")
    asked_again = [f"+1415555{person:04d}" for person in range(700) if person % 10]  # not by an id that was known
    assert [row["mobile_phone"] for row in phones] == [*asked_again, *[None] * 70]
    kinds = await town.database.fetch("SELECT kind, count(*) FROM contact_identities GROUP BY kind ORDER BY kind")
    assert [tuple(row) for row in kinds] == [("email", 700), ("phone", 630)]
    assert (await examine(town.database)).violation is None


async def test_people_whom_only_a_later_batch_shows_to_be_one_are_one(town: Town) -> None:
    """First an e-mail, in a later batch a phone, and behind all of these the row that has both."""
    people = range(1200)
    report = await bring_in(
        town,
        a_file(
            *(a_row(f"mia{person}@example.org") for person in people),
            *(a_row(phone=f"+1415555{person:04d}") for person in people),
            *(a_row(f"mia{person}@example.org", f"+1415555{person:04d}") for person in reversed(people)),
        ),
    )

    assert report.imported == 3600
    rows = await town.database.fetch("SELECT email, mobile_phone FROM contacts ORDER BY mobile_phone")
    assert [tuple(row) for row in rows] == [(f"mia{person}@example.org", f"+1415555{person:04d}") for person in people]
    assert (await examine(town.database)).violation is None


async def test_two_imports_of_many_batches_bring_each_row_in_once(town: Town) -> None:
    first, second = await asyncio.gather(*(bring_in(town, a_long_file()) for _ in range(2)))

    stored = await town.database.fetchval("SELECT count(*) FROM leads")
    assert first.imported + second.imported == stored == 3220
    assert await town.database.fetchval("SELECT count(*) FROM contacts") == 700
    assert (await examine(town.database)).violation is None


async def test_what_is_stored_stays_when_a_later_batch_cannot_be(town: Town) -> None:
    await town.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$;"
        " CREATE TRIGGER refuse BEFORE INSERT ON leads FOR EACH ROW WHEN (NEW.type = 'Seller')"
        " EXECUTE FUNCTION refuse()"
    )
    broken = a_long_file(2500).replace(b"01T00:40:01Z,Zillow,Zillow,Buyer", b"01T00:40:01Z,Zillow,Zillow,Seller")
    with pytest.raises(asyncpg.RaiseError, match="the disk is full"):
        await bring_in(town, broken)
    in_before = await town.database.fetchval("SELECT count(*) FROM leads")
    await town.database.execute("DROP TRIGGER refuse ON leads")
    report = await bring_in(town, broken)

    assert 0 < in_before < 2500
    assert report.imported == await town.database.fetchval("SELECT count(*) FROM leads") - in_before
    assert report.imported + report.known == 2500

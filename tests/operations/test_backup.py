"""What was backed up comes back as it was, whole or not at all; and no one is written to twice because of it."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from leadroutes.channels import open_channels
from leadroutes.engine.engine import Engine
from leadroutes.operations.backup import _without_password
from leadroutes.operations.doctor import examine
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MessageDelivery
from tests.support.arrivals import BODY
from tests.support.brokerage import Brokerage
from tests.support.commands import Command
from tests.support.databases import content, fetch_rows
from tests.support.hooks import Hooks
from tests.support.mailbox import Mailbox
from tests.support.processes import leadroutes, next_version, serving

ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)


async def all_is_well(url: str) -> None:
    database = await Database.open(Settings(), url=url)
    try:
        outcome = await examine(database)
        assert outcome.violation is None, str(outcome.violation)
    finally:
        await database.close()


async def leave(brokerage: Brokerage) -> None:
    """A lead is asked for and claimed; then no one is connected any more."""
    answer = await brokerage.ask("a key", message="Is the garden big?", phone="303-555-0101")
    await brokerage.engine.claim(brokerage.owner_id, answer.stored.lead_ids[0], brokerage.town.users["bob"])
    await brokerage.town.database.close()


# ------------------------------------------------------------------------------------------------------- there and back


async def test_an_empty_database_is_afterwards_the_one_that_was_backed_up(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    file = tmp_path / "monday.backup"
    done = await command(database_url, "backup", file)
    assert f"{file.stat().st_size:,} bytes" in done.stderr
    assert file.stat().st_mode & 0o077 == 0, "it holds people's addresses"
    await command(empty_url, "restore", file)

    assert await content(empty_url) == await content(database_url)
    assert "checks hold" in (await command(empty_url, "doctor")).output
    fresh = await fetch_rows(empty_url, "INSERT INTO leads (owner_id, contact_id, created_at, modified_at, touched_at)"
                                 " SELECT owner_id, id, now(), now(), now() FROM contacts RETURNING id")  # fmt: skip
    assert fresh[0]["id"] > (await fetch_rows(database_url, "SELECT max(id) AS id FROM leads"))[0]["id"]


async def test_what_is_there_is_replaced_only_when_that_is_said(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    file = tmp_path / "monday.backup"
    await command(database_url, "backup", file)
    before = await content(database_url)
    await fetch_rows(database_url, "UPDATE contacts SET first_name = 'Someone else'")
    await fetch_rows(database_url, "CREATE TABLE notes_of_an_administrator (note text)")
    changed = await content(database_url)
    done = await command(database_url, "restore", file, code=1)
    assert "--replace" in done.stderr
    assert await content(database_url) == changed

    await command(database_url, "restore", file, "--replace")
    assert await content(database_url) == before
    await all_is_well(database_url)


async def test_a_backup_of_an_older_version_is_brought_to_the_present(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, tmp_path: Path
) -> None:
    """This version is the older one here; the next one restores its backup."""
    await leave(brokerage)
    await command(database_url, "backup", tmp_path / "old.backup")
    of = next_version(tmp_path, n9001_next="CREATE TABLE next_things (id bigint); INSERT INTO next_things VALUES (1);")
    environment = {"DATABASE_URL": empty_url, "LEADROUTES_DATA": str(tmp_path)}
    code, output = await leadroutes(environment, "restore", str(tmp_path / "old.backup"), of=of)

    assert code == 0, output
    assert await content(empty_url) == await content(database_url) | {
        "migrations": (await content(empty_url))["migrations"],
        "next_things": ['{"id": 1}'],
    }
    await all_is_well(empty_url)


async def test_a_server_of_another_version_takes_it_and_gives_it_back(
    brokerage: Brokerage, database_url: str, empty_url: str, other_server_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    await command(database_url, "backup", tmp_path / "there.backup")
    await command(other_server_url, "restore", tmp_path / "there.backup", "--replace")
    await command(other_server_url, "backup", tmp_path / "back.backup")
    await command(empty_url, "restore", tmp_path / "back.backup")

    assert await content(empty_url) == await content(other_server_url) == await content(database_url)
    await all_is_well(other_server_url)
    await all_is_well(empty_url)


async def test_a_backup_is_of_one_moment_while_the_service_goes_on(
    database: Database, database_url: str, empty_url: str, command: Command, tmp_path: Path
) -> None:
    from tests.support.town import Town

    town = await Town.create(database)
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.route("alice")
    async with database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, town.users["alice"], "Zillow", None, None)
    async with serving(database_url) as service, httpx.AsyncClient(base_url=service.address, timeout=30) as client:

        async def ask_for(number: int) -> None:
            body = BODY.replace(b"mia@", b"mia%d@" % number)
            assert (await client.post(f"/intake/{key}", content=body)).status_code == 201

        for number in range(20):
            await ask_for(number)
        backing_up = asyncio.create_task(command(database_url, "backup", tmp_path / "busy.backup"))
        number = 20
        while not backing_up.done():
            number += 1
            await ask_for(number)
        await backing_up
        assert await service.stop() == 0

    await command(empty_url, "restore", tmp_path / "busy.backup")
    [row] = await fetch_rows(empty_url, "SELECT count(*) AS leads FROM leads")
    assert 20 <= row["leads"] <= number
    await all_is_well(empty_url)


def test_the_embedded_server_is_backed_up_with_its_own_programs(open_directory: Path) -> None:
    def run(directory: str, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "leadroutes", *arguments],
            cwd=open_directory, capture_output=True, text=True, timeout=100, check=False, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LEADROUTES_DATA": directory},
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("here", "user", "add", "alice@example.com")
    run("here", "backup", "alice.backup")
    run("there", "restore", "alice.backup")

    assert "alice@example.com" in run("there", "user", "list")
    run("there", "doctor")


# -------------------------------------------------------------------------------------------------- whole or not at all


async def nothing_changes(url: str, command: Command, file: Path, *options: str) -> str:
    before = await content(url)
    done = await command(url, "restore", file, "--replace", *options, code=1)
    assert await content(url) == before
    await all_is_well(url)
    return done.stderr


async def test_a_file_that_is_not_a_backup_leaves_everything_as_it_was(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    file = tmp_path / "holiday.jpg"
    file.write_bytes(b"\xff\xd8\xff\xe0 a photograph")

    assert "expected a file that leadroutes backup has written" in await nothing_changes(database_url, command, file)


@pytest.mark.parametrize("part", [0.01, 0.5, 0.999])
async def test_a_broken_backup_leaves_everything_as_it_was(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path, part: float
) -> None:
    await leave(brokerage)
    file = tmp_path / "broken.backup"
    await command(database_url, "backup", file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * part)])

    assert "pg_restore" in await nothing_changes(database_url, command, file)


@pytest.mark.parametrize("option", ["--moved", "--replace"])
async def test_a_backup_of_another_program_leaves_everything_as_it_was(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, tmp_path: Path, option: str
) -> None:
    await leave(brokerage)
    await fetch_rows(empty_url, "CREATE TABLE invoices AS SELECT 1 AS number")
    await command(empty_url, "backup", tmp_path / "books.backup")

    done = await nothing_changes(database_url, command, tmp_path / "books.backup", option)
    assert "it holds no database of Lead Routes" in done


async def test_a_backup_of_a_newer_version_leaves_everything_as_it_was(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    await fetch_rows(database_url, "INSERT INTO migrations VALUES ('9999_remove_a_column')")
    await command(database_url, "backup", tmp_path / "new.backup")
    await fetch_rows(database_url, "DELETE FROM migrations WHERE name = '9999_remove_a_column'")

    done = await nothing_changes(database_url, command, tmp_path / "new.backup")
    assert "newer version, which took away what this one needs: 9999_remove_a_column" in done


async def test_a_backup_of_a_version_before_the_first_release_leaves_everything_as_it_was(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    await fetch_rows(database_url, "UPDATE migrations SET name = '0001_lead_routes' WHERE name = '0001_initial'")
    await command(database_url, "backup", tmp_path / "old.backup")
    await fetch_rows(database_url, "UPDATE migrations SET name = '0001_initial' WHERE name = '0001_lead_routes'")

    done = await nothing_changes(database_url, command, tmp_path / "old.backup")
    assert "it was made by a version before 0.1.0, whose schema cannot be upgraded" in done


async def test_what_a_newer_version_has_only_added_does_no_harm(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    await fetch_rows(database_url, "INSERT INTO migrations VALUES ('9999_one_more_column')")
    await command(database_url, "backup", tmp_path / "new.backup")
    await command(empty_url, "restore", tmp_path / "new.backup")

    assert await content(empty_url) == await content(database_url)


async def test_a_database_of_another_program_is_not_taken_for_an_empty_one(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    await command(database_url, "backup", tmp_path / "monday.backup")
    await fetch_rows(empty_url, "CREATE TABLE invoices AS SELECT 1 AS number")

    assert "--replace" in (await command(empty_url, "restore", tmp_path / "monday.backup", code=1)).stderr
    assert await content(empty_url) == {"invoices": ['{"number": 1}']}


async def test_nothing_is_restored_below_a_service_that_goes_on(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path
) -> None:
    await leave(brokerage)
    await command(database_url, "backup", tmp_path / "monday.backup")
    async with serving(database_url) as service:
        done = await command(database_url, "restore", tmp_path / "monday.backup", "--replace", code=1)
        assert "stop every leadroutes serve and worker" in done.stderr
        async with httpx.AsyncClient(base_url=service.address) as client:
            assert (await client.get("/healthz")).status_code == 200
        assert await service.stop() == 0

    await command(database_url, "restore", tmp_path / "monday.backup", "--replace")


async def test_what_belongs_to_extensions_stays(
    brokerage: Brokerage, database_url: str, command: Command, tmp_path: Path
) -> None:
    try:
        await fetch_rows(database_url, "CREATE EXTENSION pg_trgm")
    except asyncpg.PostgresError:
        pytest.skip("this server has no extension to try it with")
    await leave(brokerage)
    await command(database_url, "backup", tmp_path / "monday.backup")
    await command(database_url, "restore", tmp_path / "monday.backup", "--replace")

    assert len(await fetch_rows(database_url, "SELECT similarity('Mia', 'Mia Lund')")) == 1


# ------------------------------------------------------------------------------------------------------------- the file


async def test_a_backup_that_is_there_is_replaced_only_when_that_is_said(
    database: Database, database_url: str, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "monday.backup"
    file.write_text("the only copy")

    assert "--force replaces it" in (await command(database_url, "backup", file, code=1)).stderr
    assert file.read_text() == "the only copy"
    await command(database_url, "backup", file, "--force")
    assert file.read_bytes().startswith(b"PGDMP")


async def test_a_backup_that_fails_leaves_nothing_behind(database_url: str, command: Command, tmp_path: Path) -> None:
    gone = database_url.replace("leadroutes_test_", "leadroutes_gone_")
    done = await command(gone, "backup", tmp_path / "monday.backup", code=1)
    assert "does not let us in" in done.stderr
    done = await command(database_url, "backup", tmp_path / "no directory" / "monday.backup", code=1)
    assert "cannot be written" in done.stderr

    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 -- a directory of our own


async def test_nothing_is_not_backed_up(empty_url: str, command: Command, tmp_path: Path) -> None:
    done = await command(empty_url, "backup", tmp_path / "monday.backup", code=1)

    assert "There is nothing in the database" in done.stderr
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 -- a directory of our own


def test_a_password_is_handed_over_where_no_one_sees_it() -> None:
    assert _without_password("postgresql://leads:p%40ss@one,two:5433/leads?sslmode=require") == (
        "postgresql://leads@one,two:5433/leads?sslmode=require",
        "p@ss",
    )
    assert _without_password("postgresql://leads@one/leads?sslmode=require&password=p%40ss&host=/run") == (
        "postgresql://leads@one/leads?sslmode=require&host=/run",
        "p@ss",
    )
    assert _without_password("postgresql://postgres@/leads?host=/run") == (
        "postgresql://postgres@/leads?host=/run",
        None,
    )


# ------------------------------------------------------------------------------ what may have been sent in the meantime


async def start_campaign(brokerage: Brokerage, **columns: object) -> int:
    """A contact with two steps: one whose message is queued, one due in an hour. Returns the contact's id."""
    database, town = brokerage.town.database, brokerage.town
    campaign_id = await database.fetchval("SELECT id FROM campaigns")
    template_id = await town.template("alice")
    await town.action("alice", campaign_id, template_id=template_id)
    await town.action("alice", campaign_id, template_id=template_id, delay_by_seconds=3600, **columns)
    await brokerage.ask()
    await brokerage.engine.run_due()
    [row] = await database.fetch("SELECT id FROM contacts")
    return int(row["id"])


async def deliver_all(url: str, mailbox: Mailbox, settings: Settings) -> list[str]:
    """A worker's work on what is in the database; to whom mails went."""
    database = await Database.open(Settings(), url=url)
    await database.load_clock()
    channels = open_channels(settings)
    delivery = MessageDelivery(database, channels, settings)
    await Engine(database).run_due()
    for row in await database.fetch("SELECT owner_id, id FROM messages ORDER BY id"):
        await delivery.deliver(MessageKey(row["owner_id"], row["id"]))
    for channel in channels.values():
        if channel is not None:
            await channel.close()
    await database.execute("DELETE FROM pgqueuer")
    await database.close()
    return sorted(str(mail["To"]) for mail in mailbox.mails)


async def backed_up_before_it_was_sent(
    brokerage: Brokerage, url: str, command: Command, file: Path, **columns: object
) -> None:
    """The backup is an hour old: since then both steps may have been sent."""
    await start_campaign(brokerage, **columns)
    await brokerage.town.database.execute(
        "UPDATE contact_communications SET send_at = $1 WHERE taken_at IS NULL",
        brokerage.town.now - timedelta(minutes=1),
    )
    await brokerage.town.database.close()
    await command(url, "backup", file)


async def test_what_a_contact_may_have_been_sent_since_is_not_sent_again(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, mailbox: Mailbox, settings: Settings,
    tmp_path: Path,
) -> None:  # fmt: skip
    await backed_up_before_it_was_sent(brokerage, database_url, command, tmp_path / "monday.backup")
    done = await command(empty_url, "restore", tmp_path / "monday.backup")
    assert "2 messages to contacts may have been sent since" in done.stderr
    await all_is_well(empty_url)

    assert await deliver_all(empty_url, mailbox, settings) == ["bob@example.com"], "agents are notified again"
    await all_is_well(empty_url)
    states = await fetch_rows(empty_url, "SELECT state, reason FROM messages WHERE contact_id IS NOT NULL")
    assert {tuple(row) for row in states} == {("unknown", "restored from a backup; it may have been sent before")}
    assert not await fetch_rows(empty_url, "SELECT FROM contact_communications WHERE is_active")


@pytest.mark.parametrize(("moved", "sent"), [(False, 0), (True, 1)])
async def test_a_step_that_waited_for_a_claim_may_have_been_sent_since_as_well(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, mailbox: Mailbox, settings: Settings,
    tmp_path: Path, moved: bool, sent: int,
) -> None:  # fmt: skip
    await brokerage.town.database.execute("UPDATE campaigns SET pause_on_offer = true")
    await start_campaign(brokerage)
    await brokerage.town.database.close()
    await command(database_url, "backup", tmp_path / "monday.backup")
    [step] = await fetch_rows(database_url, "SELECT is_held FROM contact_communications ORDER BY send_at LIMIT 1")
    assert step["is_held"], "the first step waits until someone has the lead"

    done = await command(empty_url, "restore", *(["--moved"] if moved else []), tmp_path / "monday.backup")
    said = "1 message to a contact may have been sent since and is marked unknown"
    assert (said in done.stderr) == (not moved), done.stderr
    await all_is_well(empty_url)
    restored = await Database.open(Settings(), url=empty_url)
    await restored.load_clock()
    [lead] = await restored.fetch("SELECT owner_id, id FROM leads")
    bob = brokerage.town.users["bob"]
    await Engine(restored).claim(lead["owner_id"], lead["id"], bob)
    await restored.close()

    assert (await deliver_all(empty_url, mailbox, settings)).count("mia@example.com") == sent
    await all_is_well(empty_url)


@pytest.mark.parametrize("moved", [False, True])
async def test_what_a_webhook_may_have_been_sent_since_is_sent_again_by_hand_only(
    hooks: Hooks, database_url: str, empty_url: str, command: Command, tmp_path: Path, moved: bool
) -> None:
    await hooks.add("http://127.0.0.1:9/", "lead.arrived")
    await hooks.brokerage.ask()
    await hooks.database.close()
    await command(database_url, "backup", tmp_path / "monday.backup")
    await command(empty_url, "restore", *(["--moved"] if moved else []), tmp_path / "monday.backup")

    [row] = await fetch_rows(empty_url, "SELECT state, reason FROM webhook_deliveries")
    expected = ("failed", "restored from a backup; it may have been sent before")
    assert tuple(row) == (("waiting", None) if moved else expected)


async def test_what_a_contact_was_certainly_not_sent_is_sent_after_a_move(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, mailbox: Mailbox, settings: Settings,
    tmp_path: Path,
) -> None:  # fmt: skip
    await backed_up_before_it_was_sent(brokerage, database_url, command, tmp_path / "monday.backup")
    done = await command(empty_url, "restore", tmp_path / "monday.backup", "--moved")
    assert "unknown" not in done.stderr

    assert await deliver_all(empty_url, mailbox, settings) == ["bob@example.com", "mia@example.com", "mia@example.com"]
    await all_is_well(empty_url)


async def test_a_step_whose_moment_is_still_to_come_is_sent_in_its_time(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, mailbox: Mailbox, settings: Settings,
    tmp_path: Path,
) -> None:  # fmt: skip
    await start_campaign(brokerage)
    await brokerage.town.database.close()
    await command(database_url, "backup", tmp_path / "monday.backup")
    await command(empty_url, "restore", tmp_path / "monday.backup")
    restored = await Database.open(Settings(), url=empty_url)
    await restored.load_clock()
    await restored.move_clock(timedelta(minutes=61))
    await restored.close()

    assert (await deliver_all(empty_url, mailbox, settings)).count("mia@example.com") == 1


async def test_a_birthday_that_may_have_been_wished_is_wished_next_year(
    brokerage: Brokerage, database_url: str, empty_url: str, command: Command, tmp_path: Path
) -> None:
    await backed_up_before_it_was_sent(brokerage, database_url, command, tmp_path / "monday.backup")
    await fetch_rows(database_url, "UPDATE campaign_actions SET trigger_type = 2 WHERE delay_by_seconds = 3600")
    await fetch_rows(database_url, "UPDATE contacts SET birthday = to_char(now(), 'YYYY-MM-DD')")
    await command(database_url, "backup", tmp_path / "monday.backup", "--force")
    await command(empty_url, "restore", tmp_path / "monday.backup")

    [step] = await fetch_rows(empty_url, "SELECT send_at - now() AS wait FROM contact_communications WHERE is_active")
    assert 360 * DAY < step["wait"] < 370 * DAY
    await all_is_well(empty_url)

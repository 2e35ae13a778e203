"""The migration that brings memberships, sharing and invitations: what was there before it is right after it."""

import itertools
import os
from collections.abc import AsyncIterator

import pytest

from leadroutes.engine.engine import Engine
from leadroutes.operations.doctor import examine
from leadroutes.settings import Settings
from leadroutes.store.migrate import migrate, migrations
from leadroutes.store.postgres import Database
from tests.support.databases import administer, with_database
from tests.support.town import Town

SINCE = "0008"
_numbers = itertools.count(1)


@pytest.fixture
async def older(server_url: str) -> AsyncIterator[Database]:
    """A database as the version before has left it."""
    name = f"leadroutes_older_{os.getpid()}_{next(_numbers)}"
    await administer(server_url, f'CREATE DATABASE "{name}"')
    database = await Database.open(Settings(), url=with_database(server_url, name))
    async with database.pool.acquire() as connection:
        columns = "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp()"
        await connection.execute(f"CREATE TABLE migrations ({columns})")
        for each, sql in migrations():
            if each < SINCE:
                await connection.execute(sql.replace(" CONCURRENTLY", ""))
                await connection.execute("INSERT INTO migrations (name) VALUES ($1)", each)
    await database.load_clock()
    yield database
    await database.close()
    await administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def offer(town: Town, lead_id: int, user: str, place: int, state: str = "notified") -> None:
    flags = dict.fromkeys(("assign_automatically", "has_call_alert", "has_text_alert", "has_email_alert"), False)
    await town.insert(
        "offers", owner_id=town.users["alice"], lead_id=lead_id, user_id=town.users[user], team_id=town.team_id,
        place=place, notify_at=town.now, notified_at=None if state == "scheduled" else town.now, state=state, **flags,
    )  # fmt: skip


async def routed(town: Town) -> int:
    contact_id = await town.contact("alice")
    return await town.lead("alice", contact_id, routed_at=town.now, lapses_at=town.now.replace(year=2100))


async def test_who_had_left_before_can_claim_no_more_and_the_owner_is_told(older: Database) -> None:
    town = await Town.found(older)
    alone, shared = await routed(town), await routed(town)
    for lead_id in (alone, shared):
        await offer(town, lead_id, "bob", 0)
    await offer(town, shared, "carol", 1)
    await older.execute("DELETE FROM team_members WHERE user_id = $1", town.users["bob"])
    await migrate(older)
    engine = Engine(older)
    await engine.run_due()

    states = await older.fetch("SELECT lead_id, username, state FROM offers JOIN users ON users.id = user_id")
    assert {(row["lead_id"], row["username"]): row["state"] for row in states} == {
        (alone, "bob"): "withdrawn", (shared, "bob"): "withdrawn", (shared, "carol"): "notified",
        (alone, "alice"): "notified",
    }  # fmt: skip
    kinds = [event["kind"] for event in await engine.history(town.users["alice"], alone)]
    assert kinds.count("withdrawn") == kinds.count("unclaimed") == 1
    await older.execute("DELETE FROM leads WHERE rule_set IS NULL")  # only the engine makes whole ones
    assert (await examine(older)).violation is None


async def test_teams_that_share_keep_what_they_have(older: Database) -> None:
    town = await Town.found(older)
    await older.execute("UPDATE teams SET is_contact_resource_sharing_enabled = true")
    await town.member("alice", town.team_id, "dave", "Pending")
    other = await town.team("dave", "bob")
    await migrate(older)

    agreed = await older.fetch("SELECT user_id, team_id FROM team_members WHERE is_sharing_accepted")
    assert {tuple(row) for row in agreed} == {(town.users[name], town.team_id) for name in ("alice", "bob", "carol")}, (
        other
    )

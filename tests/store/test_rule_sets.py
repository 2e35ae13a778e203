"""Rule sets: built once after a change, read as they were stored by every other process, cached within bounds."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from leadroutes.domain.model import Rules, RuleSet
from leadroutes.engine.engine import Engine
from leadroutes.store.postgres import Database
from leadroutes.store.routing import RuleSets
from tests.support.town import Town


@pytest.fixture
async def town(database: Database) -> Town:
    """Alice has a team, and a route to it."""
    town = await Town.create(database)
    await town.insert(
        "lead_routes",
        owner_id=town.users["alice"],
        team_id=town.team_id,
        campaign_id=await town.campaign("alice"),
        lead_source_id=1,
        contact_source_id=await town.insert("contact_sources", owner_id=town.users["alice"], name="Portals"),
        distribution_target="Team Rollout",
        team_selection_method="Specific Team",
    )
    return town


async def load(town: Town, rule_sets: RuleSets, name: str) -> RuleSet:
    async with town.database.transaction() as transaction:
        return await rule_sets.load_one(transaction, town.users[name])


async def test_another_process_reads_what_the_first_has_stored(town: Town) -> None:
    built = await load(town, RuleSets(), "alice")
    stored = await town.database.fetch("SELECT xmin::text, owner_id, number FROM rule_sets")
    read = await load(town, RuleSets(), "alice")

    assert (read.number, read.rules) == (built.number, built.rules)
    assert read.rules.routes[0].team_id == town.team_id
    assert await town.database.fetch("SELECT xmin::text, owner_id, number FROM rule_sets") == stored
    assert [(row["owner_id"], row["number"]) for row in stored] == [(town.users["alice"], built.number)]


async def test_it_is_read_as_text_that_always_says_the_same(town: Town) -> None:
    """Whoever writes the rules: the version before, which knows no text, or a migration that completes them."""
    built = await load(town, RuleSets(), "alice")
    same = "SELECT rules_text::jsonb = rules FROM rule_sets"
    assert await town.database.fetchval(same)

    await town.database.execute("UPDATE rule_sets SET rules = jsonb_set(rules, '{routes,0,priority}', '7')")
    assert await town.database.fetchval(same)
    read = await load(town, RuleSets(), "alice")
    assert [built.rules.routes[0].priority, read.rules.routes[0].priority] == [0, 7]

    await town.database.execute("UPDATE rule_sets SET rules_text = NULL")
    assert (await load(town, RuleSets(), "alice")).rules == read.rules


async def test_a_change_makes_a_new_one(town: Town) -> None:
    rule_sets = RuleSets()
    before = await load(town, rule_sets, "alice")
    await town.database.execute("UPDATE lead_routes SET priority = 7")
    after = await load(town, rule_sets, "alice")

    assert after.number > before.number
    assert [before.rules.routes[0].priority, after.rules.routes[0].priority] == [0, 7]


REDIRECT = "UPDATE lead_routes SET campaign_id = (SELECT id FROM campaigns WHERE name = 'Next')"
ADD_STEP = """INSERT INTO campaign_actions (owner_id, campaign_id, type, timing_type, delay_by_seconds)
    SELECT owner_id, id, 'Agent Task - No Reminder', 'Delay by Minutes', 60 FROM campaigns WHERE name = 'Next'"""
ADD_MEMBER = """INSERT INTO team_members (owner_id, team_id, user_id, request_status)
    SELECT t.owner_id, t.id, u.id, 'Accepted' FROM teams t, users u WHERE u.username = 'dave'"""
LEAVE = "UPDATE users SET is_active = false WHERE username = 'dave'"


@pytest.mark.parametrize(
    ("joins", "changes", "shows"),
    [
        (REDIRECT, ADD_STEP, lambda rules: any(rules.campaigns.values())),
        (ADD_MEMBER, LEAVE, lambda rules: not all(person.is_active for person in rules.people.values())),
    ],
    ids=["a step of a campaign that a route comes to", "a person who becomes a member"],
)
async def test_what_is_changed_while_it_becomes_part_of_the_rules_counts(
    town: Town, joins: str, changes: str, shows: Callable[[Rules], bool]
) -> None:
    """Neither sees what the other one does, and a lead comes in between their commits."""
    await town.campaign("alice", "Next")
    rule_sets = RuleSets()
    async with town.database.pool.acquire() as joining, town.database.pool.acquire() as changing:
        first, second = joining.transaction(), changing.transaction()
        await first.start()
        await second.start()
        await joining.execute(joins)
        change = asyncio.create_task(changing.execute(changes))
        await is_done_or_waits(town.database, change, changing.get_server_pid())
        await first.commit()
        await change
        await load(town, rule_sets, "alice")
        await second.commit()

    assert shows((await load(town, rule_sets, "alice")).rules)


async def is_done_or_waits(database: Database, task: "asyncio.Task[Any]", pid: int) -> None:
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
    async with asyncio.timeout(10):
        while not task.done() and not await database.fetchval(waits, pid):  # noqa: ASYNC110 -- nothing reports it
            await asyncio.sleep(0.01)


async def test_what_is_read_is_cached_and_the_least_used_let_go(town: Town) -> None:
    roomy, narrow = RuleSets(), RuleSets(most=1)
    for rule_sets, stays in ((roomy, True), (narrow, False)):
        first = await load(town, rule_sets, "alice")
        assert await load(town, rule_sets, "alice") is first
        await load(town, rule_sets, "bob")
        assert (await load(town, rule_sets, "alice") is first) is stays


async def test_what_is_rolled_back_is_not_cached(town: Town) -> None:
    rule_sets = RuleSets()
    with contextlib.suppress(RuntimeError):
        async with town.database.transaction() as transaction:
            undone = await rule_sets.load_one(transaction, town.users["alice"])
            assert (await rule_sets.load_one(transaction, town.users["alice"])).rules == undone.rules
            raise RuntimeError
    assert await town.database.fetchval("SELECT count(*) FROM rule_sets") == 0
    assert (await load(town, rule_sets, "alice")) is not undone
    assert await town.database.fetchval("SELECT count(*) FROM rule_sets") == 1


async def test_what_a_standby_never_received_is_forgotten_once_it_has_taken_over(town: Town) -> None:
    """Without synchronous replication it goes back to an earlier number, and gives the next one out again."""
    engine, database = Engine(town.database), town.database
    database.start_listening()
    listening = "FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^LISTEN'"
    async with asyncio.timeout(10):
        while not await database.fetchval(f"SELECT EXISTS (SELECT {listening})"):
            pass  # the question itself takes its time
    await database.execute("UPDATE lead_routes SET priority = 7")
    lost = await load(town, engine.rule_sets, "alice")

    await database.execute("DELETE FROM rule_sets WHERE number = $1", lost.number)
    await database.execute("DELETE FROM rule_versions WHERE number = $1", lost.number)
    await database.execute("UPDATE users SET rules_version = $1 WHERE username = 'alice'", lost.number - 1)
    await database.execute("UPDATE lead_routes SET priority = 8")
    await database.fetch(f"SELECT pg_terminate_backend(pid) {listening}")
    async with asyncio.timeout(10):
        while (found := await load(town, engine.rule_sets, "alice")).rules == lost.rules:
            pass
    assert (found.number, found.rules.routes[0].priority) == (lost.number, 8)

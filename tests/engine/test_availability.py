"""Hours, pauses, time off and caps, as stored: who is passed over, what is read, exact caps, and leads that wait."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from leadroutes.domain.arrival import NewLead
from leadroutes.domain.model import Facts, Initiator
from leadroutes.domain.routing import decide
from leadroutes.engine.attendance import attendance_for
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.operations.doctor import examine
from leadroutes.store.postgres import Database, Transaction
from tests.support.brokerage import Brokerage
from tests.support.deadlocks import until_waiting

HOUR = timedelta(hours=1)


async def ask(brokerage: Brokerage, number: int = 0) -> int:
    name = f"mia{number}@example.com"
    return (await brokerage.ask(email=name, name=f"Mia {number}")).stored.lead_ids[0]


async def say(brokerage: Brokerage, name: str, **columns: Any) -> None:
    """What a user says about being available."""
    names = ", ".join(f"{each} = ${number}" for number, each in enumerate(columns, 2))
    await brokerage.town.database.execute(
        f"UPDATE availabilities SET {names} WHERE id = $1", brokerage.town.users[name], *columns.values()
    )


async def limit(brokerage: Brokerage, name: str, **columns: Any) -> None:
    """What Alice sets for a member."""
    names = ", ".join(f"{each} = ${number}" for number, each in enumerate(columns, 2))
    await brokerage.town.database.execute(
        f"UPDATE team_member_distribution_options SET {names} WHERE user_id = $1",
        brokerage.town.users[name],
        *columns.values(),
    )


async def when_nobody(brokerage: Brokerage, what: str) -> None:
    await brokerage.town.database.execute("UPDATE teams SET when_nobody_is_available = $1", what)


async def offers(brokerage: Brokerage, lead_id: int) -> dict[str, tuple[str, str | None]]:
    rows = await brokerage.town.database.fetch(
        "SELECT username, state, reason FROM offers JOIN users ON users.id = user_id WHERE lead_id = $1", lead_id
    )
    return {row["username"]: (row["state"], row["reason"]) for row in rows}


async def healthy(database: Database) -> None:
    assert (await examine(database)).violations == ()


# -- who is passed over


async def test_who_is_paused_is_passed_over_with_the_reason(brokerage: Brokerage, database: Database) -> None:
    await say(brokerage, "bob", is_paused=True)
    lead_id = await ask(brokerage)
    assert await offers(brokerage, lead_id) == {"bob": ("skipped", "paused"), "carol": ("notified", None)}
    await healthy(database)


async def test_time_off_counts_for_all_owners_or_for_the_one_who_made_it(brokerage: Brokerage) -> None:
    town, now = brokerage.town, brokerage.town.now
    span = {"starts_at": now - HOUR, "ends_at": now + HOUR}
    await town.insert("time_off", owner_id=town.users["dave"], user_id=town.users["bob"], **span)
    assert (await offers(brokerage, await ask(brokerage, 1)))["bob"][0] == "notified"
    await town.insert("time_off", owner_id=town.users["alice"], user_id=town.users["bob"], **span)
    state, reason = (await offers(brokerage, await ask(brokerage, 2)))["bob"]
    assert state == "skipped"
    assert str(reason).startswith("off until ")
    await town.insert("time_off", owner_id=town.users["carol"], user_id=town.users["carol"], **span)
    assert (await offers(brokerage, await ask(brokerage, 3)))["alice"][0] == "notified"


async def test_hours_are_those_of_the_members_zone(brokerage: Brokerage) -> None:
    """A day's hours around now where Carol is, and half a day away where Bob is."""
    now = brokerage.town.now
    for name, zone in (("bob", "Etc/GMT-12"), ("carol", "UTC")):
        around = {
            f"{now + days * timedelta(days=1):%A}".lower(): [[f"{now - HOUR:%H:%M}", f"{now + HOUR:%H:%M}"]]
            for days in (-1, 0, 1)
        }
        await say(brokerage, name, weekly_hours=json.dumps(around), timezone=zone)
    found = await offers(brokerage, await ask(brokerage))
    assert found["carol"] == ("notified", None)
    assert str(found["bob"][1]).startswith("outside working hours until ")


async def test_what_was_seen_is_stored_and_repeats_the_decision(brokerage: Brokerage, database: Database) -> None:
    until = brokerage.town.now.replace(microsecond=0) + 5 * HOUR
    await say(brokerage, "bob", is_paused=True, paused_until=until)
    lead_id = await ask(brokerage)
    row = await database.fetchrow("SELECT facts::text AS facts, rule_set, routed_at FROM leads WHERE id = $1", lead_id)
    assert row is not None
    facts = msgspec.json.decode(row["facts"], type=Facts)
    assert [(each.available_from, each.kind) for each in facts.absent.values()] == [(until, "paused")]
    async with database.transaction() as transaction:
        rule_set = await brokerage.engine.rule_sets.load_one(transaction, brokerage.owner_id)
    decision = decide(rule_set, lead_id, facts, row["routed_at"])
    assert {each.user_id: each.reason for each in decision.change.offers} == {
        brokerage.town.users["bob"]: facts.absent[brokerage.town.users["bob"]].reason,
        brokerage.town.users["carol"]: None,
    }
    [bob] = [
        each
        for each in (await brokerage.engine.explain(brokerage.owner_id, lead_id))["members"]
        if each["user_id"] == brokerage.town.users["bob"]
    ]
    assert (bob["state"], bob["available_from"]) == ("skipped", until)


async def test_without_hours_pauses_time_off_and_caps_nothing_is_read(brokerage: Brokerage, database: Database) -> None:
    """A transaction without a connection fails as soon as anything is read."""
    unread = Transaction(connection=None, now=brokerage.town.now)
    async with database.transaction() as transaction:
        rule_set = await brokerage.engine.rule_sets.load_one(transaction, brokerage.owner_id)
    rule_sets, teams = {brokerage.owner_id: rule_set}, {(brokerage.owner_id, brokerage.town.team_id)}
    assert await attendance_for(unread, rule_sets, teams) == {}
    await say(brokerage, "bob", is_paused=True)
    async with database.transaction() as transaction:
        rule_sets[brokerage.owner_id] = await brokerage.engine.rule_sets.load_one(transaction, brokerage.owner_id)
        attendance = await attendance_for(transaction, rule_sets, teams)
    assert list(attendance[brokerage.owner_id].absences(brokerage.town.team_id)) == [brokerage.town.users["bob"]]


async def test_what_a_user_says_bumps_the_rule_sets_once(brokerage: Brokerage, database: Database) -> None:
    number = "SELECT rules_version FROM users WHERE id = $1"
    before = await database.fetchval(number, brokerage.owner_id)
    await say(brokerage, "bob", is_paused=True)
    await say(brokerage, "bob", is_paused=False)
    assert await database.fetchval(number, brokerage.owner_id) == before + 1


async def test_who_is_away_is_passed_over_when_a_lead_is_given_back(brokerage: Brokerage, database: Database) -> None:
    town, engine, owner = brokerage.town, brokerage.engine, brokerage.owner_id
    lead_id = await ask(brokerage)
    await engine.claim(owner, lead_id, town.users["bob"])
    await say(brokerage, "carol", is_paused=True)

    await engine.give_back(owner, lead_id, Initiator(user_id=town.users["bob"]))

    found = await offers(brokerage, lead_id)
    assert found["carol"] == ("skipped", "paused")
    assert (found["bob"][0], found["alice"][0]) == ("declined", "notified")
    await healthy(database)


async def test_an_owner_in_the_line_up_to_whom_a_lead_falls_is_alerted_once(
    brokerage: Brokerage, database: Database
) -> None:
    await brokerage.town.option("alice", brokerage.town.team_id, "alice", rank=3)
    await database.execute("UPDATE teams SET order_method = 'Time'")
    await database.execute("UPDATE team_member_distribution_options SET mins_until_lead_offer = 10 * rank")
    lead_id = await ask(brokerage)
    for name in ("bob", "carol", "alice"):
        await say(brokerage, name, is_paused=True)
    await database.move_clock(timedelta(minutes=10))
    await brokerage.engine.run_due()
    assert (await offers(brokerage, lead_id))["alice"] == ("notified", "no member of the line-up is available")
    await database.move_clock(timedelta(minutes=16))
    await brokerage.engine.run_due()

    assert await database.fetchval("SELECT unclaimed_at FROM leads") is not None
    kinds = await database.fetch("SELECT DISTINCT kind FROM messages WHERE user_id = $1", brokerage.owner_id)
    assert [row["kind"] for row in kinds] == ["offer"]
    await healthy(database)


# -- caps


async def test_what_counts_against_a_cap(brokerage: Brokerage, database: Database) -> None:
    """Open: what Bob has. Today: what Bob got, also if it was taken away; test leads count nowhere."""
    town, engine, owner = brokerage.town, brokerage.engine, brokerage.owner_id
    bob, carol = town.users["bob"], town.users["carol"]
    await limit(brokerage, "bob", max_leads_per_day=3)
    first, second = await ask(brokerage, 1), await ask(brokerage, 2)
    for lead_id in (first, second):
        await engine.claim(owner, lead_id, bob)
    await engine.assign(owner, first, carol, owner)
    await engine.assign(owner, first, bob, owner)
    await engine.assign(owner, first, carol, owner)
    assert (await offers(brokerage, await ask(brokerage, 3)))["bob"] == ("notified", None), "two different leads"
    third = await ask(brokerage, 4)
    await engine.claim(owner, third, bob)
    await database.execute("UPDATE leads SET is_test = true WHERE id = $1", second)
    assert (await offers(brokerage, await ask(brokerage, 5)))["bob"] == ("notified", None), "one is a test"
    await database.execute("UPDATE leads SET is_test = false WHERE id = $1", second)
    assert (await offers(brokerage, await ask(brokerage, 6)))["bob"] == ("skipped", "leads today: 3 of 3")
    await limit(brokerage, "bob", max_leads_per_day=None, max_open_leads=2, max_leads_per_week=4)
    assert (await offers(brokerage, await ask(brokerage, 7)))["bob"] == ("skipped", "open leads: 2 of 2")
    await engine.give_back(owner, third, Initiator(user_id=bob))
    assert (await offers(brokerage, await ask(brokerage, 8)))["bob"] == ("notified", None)
    await limit(brokerage, "bob", max_open_leads=1, max_leads_per_day=3)
    assert (await offers(brokerage, await ask(brokerage, 9)))["bob"] == ("skipped", "open leads: 1 of 1")
    await database.execute("UPDATE leads SET is_closed = true WHERE id = $1", second)
    assert (await offers(brokerage, await ask(brokerage, 10)))["bob"] == ("skipped", "leads today: 3 of 3")
    await database.execute("UPDATE leads SET junk_reason = 'spam' WHERE id = $1", third)
    assert (await offers(brokerage, await ask(brokerage, 11)))["bob"] == ("notified", None)
    await database.execute("UPDATE leads SET is_closed = false")
    await database.move_clock(timedelta(days=31))
    assert (await offers(brokerage, await ask(brokerage, 12)))["bob"] == ("notified", None), "leads grow old"


async def test_a_cap_refuses_no_claim(brokerage: Brokerage) -> None:
    await limit(brokerage, "bob", max_open_leads=1)
    lead_ids = [await ask(brokerage, number) for number in range(3)]
    for lead_id in lead_ids:
        await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    assert (await offers(brokerage, await ask(brokerage, 9)))["bob"] == ("skipped", "open leads: 3 of 1")


def posted(brokerage: Brokerage, contact_ids: list[int]) -> list[NewLead]:
    owner = brokerage.owner_id
    return [NewLead(owner_id=owner, contact_id=each, creator_user_id=owner, source_id=1) for each in contact_ids]


async def test_a_cap_is_exact_where_leads_are_assigned_automatically_by_several_processes(
    brokerage: Brokerage, database: Database
) -> None:
    """Three engines with arrivals at once, each in batches, which then carry out what is due; no day ends meanwhile."""
    now = brokerage.town.now
    await database.move_clock((now.replace(hour=12, minute=0) - now) % timedelta(days=1))
    await limit(brokerage, "bob", assign_automatically=True, max_open_leads=7)
    await limit(brokerage, "carol", assign_automatically=True, max_leads_per_day=5, rank=2)
    await database.execute("UPDATE teams SET mins_until_next_alert = 1")
    await say(brokerage, "carol", is_paused=True, paused_until=brokerage.town.now + timedelta(minutes=2))
    await when_nobody(brokerage, "Hold")
    contact_ids = [await brokerage.town.contact("alice") for _ in range(40)]
    engines = [Engine(database) for _ in range(3)]
    doors = [Arrivals(engine) for engine in engines]
    leads = posted(brokerage, contact_ids)
    stored = await asyncio.gather(*(doors[n % 3].post_lead(lead) for n, lead in enumerate(leads)))
    assert len({each.lead_ids[0] for each in stored}) == 40
    for door in doors:
        await door.close()
    for _ in range(4):
        await database.move_clock(timedelta(minutes=3))
        await asyncio.gather(*(engine.run_due() for engine in engines))
    rows = await database.fetch("SELECT username, count(*) FROM claims JOIN users ON users.id = user_id GROUP BY 1")
    assert {row["username"]: row["count"] for row in rows} == {"bob": 7, "carol": 5}
    await healthy(database)


# -- leads that wait


async def waiting(brokerage: Brokerage, lead_id: int) -> dict[str, datetime]:
    rows = await brokerage.town.database.fetch(
        "SELECT username, notify_at FROM offers JOIN users ON users.id = user_id"
        " WHERE lead_id = $1 AND state = 'scheduled' AND available_from IS NOT NULL",
        lead_id,
    )
    return {row["username"]: row["notify_at"] for row in rows}


@pytest.fixture
async def night(brokerage: Brokerage) -> Brokerage:
    """A team that holds leads; Bob is paused without an end, Carol for an hour."""
    await when_nobody(brokerage, "Hold")
    await say(brokerage, "bob", is_paused=True)
    await say(brokerage, "carol", is_paused=True, paused_until=brokerage.town.now.replace(microsecond=0) + HOUR)
    return brokerage


async def test_a_lead_waits_until_someone_is_back(night: Brokerage, database: Database) -> None:
    lead_id = await ask(night)
    [(name, moment)] = (await waiting(night, lead_id)).items()
    assert name == "carol"
    assert (await night.engine.ledger(night.owner_id))["on_offer"] == 1
    assert await database.fetchval("SELECT count(*) FROM messages") == 0
    assert await night.engine.run_due() == moment
    await healthy(database)
    await database.move_clock(HOUR)
    await night.engine.run_due()
    assert await offers(night, lead_id) == {"bob": ("skipped", "paused"), "carol": ("notified", None)}
    history = [each["kind"] for each in await night.engine.history(night.owner_id, lead_id)]
    assert "waiting" in history
    await healthy(database)


RETURNS = {
    "the member ends the pause": lambda night: say(night, "bob", is_paused=False),
    "the pause gets an end that has come": lambda night: say(night, "bob", paused_until=night.town.now),
    "the other one ends the pause": lambda night: say(night, "carol", is_paused=False, paused_until=None),
}


@pytest.mark.parametrize("change", RETURNS.values(), ids=RETURNS)
async def test_who_becomes_available_is_notified_at_once(night: Brokerage, database: Database, change: Any) -> None:
    lead_id = await ask(night)
    await change(night)
    await night.engine.run_due()
    assert [state for state, _ in (await offers(night, lead_id)).values()].count("notified") == 1
    await healthy(database)


async def test_time_off_that_is_removed_a_cap_that_is_raised_and_a_lead_that_is_lost_end_the_waiting(
    brokerage: Brokerage, database: Database
) -> None:
    town, engine, owner = brokerage.town, brokerage.engine, brokerage.owner_id
    bob, carol = town.users["bob"], town.users["carol"]
    await when_nobody(brokerage, "Hold")
    had = await ask(brokerage, 1)
    await engine.claim(owner, had, bob)
    await limit(brokerage, "bob", max_open_leads=1)
    span = {"starts_at": town.now - HOUR, "ends_at": town.now + HOUR}
    off = await town.insert("time_off", owner_id=carol, user_id=carol, **span)
    by_time_off, by_cap = await ask(brokerage, 2), None
    assert list(await waiting(brokerage, by_time_off)) == ["carol"]
    await database.execute("DELETE FROM time_off WHERE id = $1", off)
    await engine.run_due()
    assert (await offers(brokerage, by_time_off))["carol"] == ("notified", None)

    await town.insert("time_off", owner_id=carol, user_id=carol, **span)
    by_cap = await ask(brokerage, 3)
    assert list(await waiting(brokerage, by_cap)) == ["carol"]
    await limit(brokerage, "bob", max_open_leads=2)
    await engine.run_due()
    assert (await offers(brokerage, by_cap))["bob"] == ("notified", None)

    await limit(brokerage, "bob", max_open_leads=1)
    by_loss = await ask(brokerage, 4)
    await engine.assign(owner, had, carol, owner)
    await engine.run_due()
    assert (await offers(brokerage, by_loss))["bob"] == ("notified", None)

    await engine.claim(owner, by_loss, bob)
    by_end = await ask(brokerage, 5)
    await database.execute("UPDATE leads SET is_closed = true WHERE id = $1", by_loss)
    await engine.run_due()
    assert (await offers(brokerage, by_end))["bob"] == ("notified", None)
    await healthy(database)


async def test_a_return_at_the_moment_of_the_arrival_is_not_missed(night: Brokerage, database: Database) -> None:
    """The member's change waits for the arrival, or the arrival sees it: never neither."""
    arrivals = [asyncio.create_task(ask(night, number)) for number in range(10)]
    await asyncio.gather(say(night, "bob", is_paused=False), *arrivals)
    await night.engine.run_due()
    for task in arrivals:
        assert (await offers(night, task.result()))["bob"] == ("notified", None)
    await healthy(database)


async def test_a_pause_in_the_team_that_ends_while_a_lead_is_planned_anew_is_not_missed(
    brokerage: Brokerage, database: Database
) -> None:
    """The change passes by a lead that another session has locked, which read the rules before it."""
    await when_nobody(brokerage, "Hold")
    await limit(brokerage, "carol", is_paused=True)
    await say(brokerage, "bob", is_paused=True, paused_until=brokerage.town.now + HOUR)
    lead_id = await ask(brokerage)
    await say(brokerage, "bob", paused_until=brokerage.town.now + 3 * HOUR)  # the lead is due
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM availabilities WHERE id = $1 FOR UPDATE", brokerage.town.users["bob"])
        planning = asyncio.create_task(brokerage.engine.run_due())
        await until_waiting(database, 1)
        await limit(brokerage, "carol", is_paused=False)
    await planning
    await brokerage.engine.run_due()
    assert (await offers(brokerage, lead_id))["carol"] == ("notified", None)
    await healthy(database)


async def test_a_lead_that_is_lost_while_another_one_is_decided_is_not_missed(
    brokerage: Brokerage, database: Database
) -> None:
    """The arrival has counted Bob's leads and is not stored yet, when one of them is closed."""
    await when_nobody(brokerage, "Hold")
    had = await ask(brokerage, 1)
    await brokerage.engine.claim(brokerage.owner_id, had, brokerage.town.users["bob"])
    await limit(brokerage, "bob", max_open_leads=1)
    await say(brokerage, "carol", is_paused=True, paused_until=brokerage.town.now + HOUR)
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE lead_events IN SHARE MODE")
        arriving = asyncio.ensure_future(ask(brokerage, 2))
        await until_waiting(database, 1, arriving)
        losing = asyncio.ensure_future(database.execute("UPDATE leads SET is_closed = true WHERE id = $1", had))
        await until_waiting(database, 2, losing)
    await losing
    lead_id = await arriving
    await brokerage.engine.run_due()
    assert (await offers(brokerage, lead_id))["bob"] == ("notified", None)
    await healthy(database)


async def test_a_lead_that_waits_for_no_one_is_the_owners(brokerage: Brokerage, database: Database) -> None:
    await when_nobody(brokerage, "Hold")
    for name in ("bob", "carol"):
        await say(brokerage, name, is_paused=True)
    assert (await offers(brokerage, await ask(brokerage)))["alice"][0] == "notified"
    await healthy(database)


async def test_offered_anyway_hours_do_not_count_but_pauses_do(brokerage: Brokerage, database: Database) -> None:
    await when_nobody(brokerage, "Offer Anyway")
    await say(brokerage, "bob", is_paused=True)
    await say(brokerage, "carol", weekly_hours="{}")
    lead_id = await ask(brokerage)
    assert (await offers(brokerage, lead_id))["carol"][0] == "notified"
    history = [each["kind"] for each in await brokerage.engine.history(brokerage.owner_id, lead_id)]
    assert "offered anyway" in history
    await healthy(database)


async def test_leads_that_wait_lose_who_leaves_the_team(night: Brokerage, database: Database) -> None:
    lead_id = await ask(night)
    await database.execute("DELETE FROM team_members WHERE user_id = $1", night.town.users["carol"])
    await database.move_clock(HOUR)
    await night.engine.run_due()
    assert (await offers(night, lead_id))["alice"][0] == "notified"
    assert (await offers(night, lead_id))["carol"] == ("skipped", "the member has left the team")
    await healthy(database)

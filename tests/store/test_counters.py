"""Counters follow whatever statement changes leads, offers, campaigns and arrivals; the doctor's checks prove it."""

import asyncio
from datetime import date, timedelta

import pytest

from leadroutes.domain.junk import Junk
from leadroutes.engine.engine import Engine
from leadroutes.engine.junk import mark, undo
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.operations.doctor import all_checks, examine
from leadroutes.store import accounts
from leadroutes.store.counters import fold_changes, recount_owner
from leadroutes.store.postgres import Database
from tests.support.deadlocks import WAITING
from tests.support.processes import until
from tests.support.town import Town

PROOFS = [each for each in all_checks() if each.sentence.startswith(("What is counted", "Every counter"))]
BODY = '{{"name": "Lead {0}", "email": "lead{0}@example.com", "lead_type": "Buyer"}}'
JSON = {"content-type": "application/json"}


@pytest.fixture
async def town(database: Database) -> Town:
    """Alice's team takes turns, and a campaign begins with every lead."""
    town = await Town.create(database)
    await database.execute("UPDATE teams SET order_method = 'Round Robin', mins_until_next_alert = 5")
    for rank, name in enumerate(("bob", "carol"), start=1):
        await town.option("alice", town.team_id, name, rank=rank)
    campaign_id = await town.campaign("alice")
    await town.action("alice", campaign_id)
    await town.route("alice", campaign_id=campaign_id)
    return town


async def arrive(town: Town, *numbers: int, body: str = BODY) -> list[int]:
    """Returns the leads."""
    arrivals = Arrivals(Engine(town.database))
    async with town.database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, town.users["alice"], "Zillow", "Zillow", None)
    taken = await asyncio.gather(*(arrivals.ingest(key, body.format(n).encode(), JSON) for n in numbers))
    await arrivals.close()
    return [lead_id for each in taken for lead_id in each.stored.lead_ids]


async def prove(town: Town) -> None:
    outcome = await examine(town.database, PROOFS)
    assert outcome.checks == 2
    assert outcome.violation is None, str(outcome)


async def counted(town: Town, figure: str, subject: int = 0) -> int:
    """The sum over all days and parts."""
    sql = "SELECT coalesce(sum(number), 0)::bigint FROM counter_rows WHERE figure = $1 AND subject = $2"
    return int(await town.database.fetchval(sql, figure, subject))


async def live(town: Town) -> list[int]:
    """The first lead is Bob's by a claim, the second Carol's by assignment; the others are unclaimed or on offer."""
    leads = await arrive(town, *range(5))
    engine, alice = Engine(town.database), town.users["alice"]
    first = await town.database.fetchval(
        "SELECT user_id FROM offers WHERE lead_id = $1 AND state = 'notified'", leads[0]
    )
    await town.database.move_clock(timedelta(minutes=2))
    await engine.claim(alice, leads[0], first)
    await engine.assign(alice, leads[1], town.users["carol"], alice)
    for _ in range(3):
        await town.database.move_clock(timedelta(minutes=30))
        await engine.run_due()
    return leads + await arrive(town, 5)


async def test_counters_follow_a_day_of_leads(town: Town) -> None:
    await live(town)
    await arrive(town, 1, body="{{ not JSON {0}")
    await prove(town)

    assert await counted(town, "claimed") == 2
    assert await counted(town, "unclaimed") == 3
    assert await counted(town, "on offer") == 1
    assert await counted(town, "rejected") == 1
    assert await counted(town, "claim times") == 1, "an assignment is not a person's claim"
    assert sum([await counted(town, "turns", town.users[name]) for name in ("bob", "carol")]) == 6
    assert await counted(town, "leads by source", 1) == 6
    assert await counted(town, "claims by agent", town.users["carol"]) >= 1


async def test_adding_changes_up_alters_no_figure(town: Town) -> None:
    await live(town)
    before = await Engine(town.database).ledger(town.users["alice"])

    assert await fold_changes(town.database) > 0

    assert await town.database.fetchval("SELECT count(*) FROM counter_changes") == 0
    assert await Engine(town.database).ledger(town.users["alice"]) == before
    await prove(town)
    await arrive(town, 77)
    await prove(town)


async def test_changes_are_added_up_once_by_many_workers(town: Town) -> None:
    await live(town)

    folded = await asyncio.gather(*(fold_changes(town.database) for _ in range(4)))

    assert await town.database.fetchval("SELECT count(*) FROM counter_changes") == 0
    assert sum(folded) > 0
    await prove(town)


async def test_changes_are_added_up_after_a_deadlock_with_a_migration(town: Town) -> None:
    """The migration locks the counters before their changes; adding up needs them the other way round, and loses."""
    await live(town)
    async with town.database.pool.acquire() as migration, migration.transaction():
        await migration.execute("LOCK TABLE counters")
        folding = asyncio.create_task(fold_changes(town.database))
        await until(lambda: is_waiting(town.database))
        await migration.execute("LOCK TABLE counter_changes")

    assert await folding > 0
    assert await town.database.fetchval("SELECT count(*) FROM counter_changes") == 0
    await prove(town)


async def is_waiting(database: Database) -> bool:
    return bool(await database.fetchval(WAITING))


REMOVALS = {
    "a contact": "DELETE FROM contacts",
    "a lead": "DELETE FROM leads WHERE id = (SELECT min(lead_id) FROM claims)",
    "a claim": "DELETE FROM claims",
    "all offers": "DELETE FROM offers",
    "the team": "UPDATE lead_routes SET team_id = NULL; DELETE FROM teams",
    "the routes and the campaign": "DELETE FROM lead_routes; DELETE FROM campaigns",
    "the messages": "DELETE FROM messages",
}


@pytest.mark.parametrize("is_folded", [True, False])
@pytest.mark.parametrize("what", REMOVALS)
async def test_counters_follow_a_removal(town: Town, what: str, is_folded: bool) -> None:
    await live(town)
    await town.database.execute("UPDATE messages SET state = 'sent', sent_at = created_at WHERE kind = 'campaign'")
    if is_folded:
        await fold_changes(town.database)

    await town.database.execute(REMOVALS[what])

    await prove(town)


async def test_nothing_is_left_of_what_went_with_its_contact(town: Town) -> None:
    await live(town)

    await town.database.execute("DELETE FROM contacts; DELETE FROM arrivals")
    await fold_changes(town.database)

    assert await town.database.fetch("SELECT * FROM counters WHERE number <> 0") == []
    assert await town.database.fetch("SELECT * FROM counted_leads") == []


async def test_a_day_is_the_owners_and_a_new_zone_counts_from_a_later_midnight(town: Town) -> None:
    alice = town.users["alice"]
    await town.database.execute("UPDATE users SET timezone = 'Asia/Tokyo' WHERE id = $1", alice)
    late = await town.contact("alice")
    moment = "2026-03-01 16:00:00+00"
    await town.database.execute(
        "INSERT INTO leads (owner_id, contact_id, created_at, modified_at, touched_at)"
        " SELECT $1, $2, m, m, m FROM (SELECT $3::text::timestamptz AS m) x", alice, late, moment,
    )  # fmt: skip
    days = "SELECT day, hour FROM counted_leads ORDER BY lead_id"
    assert [tuple(row) for row in await town.database.fetch(days)] == [(date(2026, 3, 2), 1)], "1 o'clock on Monday"

    await town.database.execute("UPDATE users SET timezone = 'America/Denver' WHERE id = $1", alice)
    [today] = await arrive(town, 1)
    in_tokyo = await town.database.fetchval(
        "SELECT (created_at AT TIME ZONE 'Asia/Tokyo')::date FROM leads WHERE id = $1", today
    )
    assert await town.database.fetchval("SELECT day FROM counted_leads WHERE lead_id = $1", today) == in_tokyo
    await town.database.move_clock(timedelta(days=3))
    await arrive(town, 2)
    zone = await town.database.fetchval("SELECT timezone FROM counting_zones ORDER BY since DESC LIMIT 1")
    assert zone == "America/Denver"
    await prove(town)


async def test_a_zone_that_postgresql_does_not_know_counts_as_utc(town: Town) -> None:
    await town.database.execute("UPDATE users SET timezone = 'Mars/Olympus'")
    await arrive(town, 1)
    await prove(town)


async def test_an_imported_lead_is_in_the_ledger_and_in_no_report(town: Town) -> None:
    contact_id = await town.contact("alice")
    await town.lead("alice", contact_id, is_imported=True, source_id=1)

    assert (await Engine(town.database).ledger(town.users["alice"]))["imported"] == 1
    assert await counted(town, "leads by source", 1) == 0
    await town.database.execute("UPDATE leads SET is_imported = false")
    assert await counted(town, "leads by source", 1) == 1
    assert await counted(town, "imported") == 0
    await prove(town)


@pytest.mark.parametrize("first", ["event", "task"])
async def test_the_first_contact_of_a_person_counts_once(town: Town, first: str) -> None:
    [lead_id] = await arrive(town, 1)
    alice = town.users["alice"]
    contact_id = await town.database.fetchval("SELECT contact_id FROM leads WHERE id = $1", lead_id)
    await town.database.move_clock(timedelta(seconds=60))
    moments = town._moments()
    now = moments["created_at"]
    if first == "event":
        await town.insert("events", owner_id=alice, user_id=alice, contact_id=contact_id, type="Call", **moments)
    else:
        await town.insert(
            "tasks", owner_id=alice, contact_id=contact_id, contact_owner_id=alice, action_type="Call Contact",
            description="Call", status="incomplete", **moments,
        )  # fmt: skip
        await town.database.execute("UPDATE tasks SET status = 'complete', modified_at = $1", now)
    await town.database.move_clock(timedelta(hours=2))
    await town.insert("events", owner_id=alice, user_id=alice, contact_id=contact_id, type="text", **town._moments())
    await town.insert("events", owner_id=alice, user_id=alice, contact_id=contact_id, type="viewed", **town._moments())

    assert await counted(town, "contact times") == 1
    contacted_at = await town.database.fetchval("SELECT contacted_at FROM counted_leads")
    assert contacted_at == now
    await prove(town)


async def test_an_opting_out_counts_for_the_campaign_of_the_mail(town: Town) -> None:
    await arrive(town, 1)
    await Engine(town.database).run_due()
    campaign_id = await town.database.fetchval("SELECT id FROM campaigns")
    await town.database.execute("UPDATE messages SET state = 'sent', sent_at = created_at WHERE kind = 'campaign'")
    await town.database.execute(
        "INSERT INTO suppressions (owner_id, channel, digest, reason, at, source_message_id)"
        " SELECT owner_id, 'email', 'x', 'unsubscribed', now(), id FROM messages WHERE kind = 'campaign'"
    )

    assert [await counted(town, name, campaign_id) for name in ("enrolled", "sent", "opted out")] == [1, 1, 1]
    await town.database.execute("UPDATE messages SET state = 'queued' WHERE kind = 'campaign'")
    assert await counted(town, "sent", campaign_id) == 0
    await prove(town)


async def test_a_recount_repairs_whatever_is_wrong_and_keeps_first_contacts(town: Town) -> None:
    leads = await live(town)
    known = "UPDATE counted_leads SET contacted_at = now(), contact_place = 9 WHERE lead_id = $1"
    await town.database.execute(known, leads[0])
    await fold_changes(town.database)
    await arrive(town, 9)
    await town.database.execute(
        "UPDATE counters SET number = number + 5 WHERE figure = 'claimed'; DELETE FROM counter_changes;"
        " DELETE FROM counted_leads WHERE lead_id = (SELECT max(lead_id) FROM counted_leads)"
    )
    assert len((await examine(town.database, PROOFS)).violations) == 2

    await recount_owner(town.database, town.users["alice"])

    await prove(town)
    assert await counted(town, "contact times") == 1


async def test_existing_leads_are_counted_by_the_same_sums_as_new_ones(town: Town) -> None:
    """What the migration does with a database that has leads."""
    await live(town)
    await fold_changes(town.database)
    rows = "SELECT figure, day, subject, part, sum(number)::bigint FROM {} GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0"
    before = {tuple(row) for row in await town.database.fetch(rows.format("counter_rows"))}

    assert {tuple(row) for row in await town.database.fetch(rows.format("countable_rows"))} == before


async def test_many_leads_in_one_statement_are_one_change_of_each_kind(town: Town) -> None:
    contact_id = await town.contact("alice")
    await town.database.execute(
        "INSERT INTO leads (owner_id, contact_id, source_id, created_at, modified_at, touched_at)"
        " SELECT $1, $2, 1, m, m, m FROM generate_series(1, 500), (SELECT now() AS m) x",
        town.users["alice"],
        contact_id,
    )

    changes = await town.database.fetch("SELECT state, number FROM counter_changes")
    assert [tuple(row) for row in changes] == [("held", 500)]


async def test_junk_is_counted_beside_its_state_and_its_turn_as_another_offer(town: Town) -> None:
    first, second, *_ = await arrive(town, *range(4))
    engine, alice = Engine(town.database), town.users["alice"]
    who = await town.database.fetchval("SELECT user_id FROM offers WHERE lead_id = $1 AND place = 0", first)
    await engine.claim(alice, first, who)
    before = [await counted(town, figure, who) for figure in ("turns", "offers", "wins")]

    await mark(engine, alice, first, Junk(reason="spam"), alice)
    await mark(engine, alice, second, Junk(reason="duplicate"), alice)

    assert [await counted(town, figure, who) for figure in ("turns", "offers", "wins")] == [before[0] - 1, *before[1:]]
    assert (await counted(town, "junk"), await counted(town, "junk by source", 1)) == (2, 2)
    states = [await counted(town, each) for each in ("claimed", "unclaimed", "on offer")]
    assert states == [1, 1, 2]
    await prove(town)
    await town.database.execute("UPDATE leads SET source_id = NULL")
    await fold_changes(town.database)
    await prove(town)
    await undo(engine, alice, second, alice)
    assert (await counted(town, "junk"), await counted(town, "junk by source", 0)) == (1, 1)
    await prove(town)
    await town.database.execute("UPDATE counted_leads SET is_junk = NOT is_junk")
    await recount_owner(town.database, alice)
    await prove(town)
    await town.database.execute("DELETE FROM leads")
    await prove(town)
    assert await counted(town, "junk") == 0

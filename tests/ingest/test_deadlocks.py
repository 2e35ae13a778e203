"""Batches of two processes that want the same rows, in opposite orders: one waits for the other, never both."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from leadroutes.domain.arrival import NewLead
from leadroutes.engine.claims import ClaimRequest, decide_claims
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.store.postgres import Database
from leadroutes.store.routing import RuleSets
from tests.support.brokerage import KEY, Brokerage
from tests.support.deadlocks import deadlocks, one_behind_another, until_waiting

PEOPLE = 20
MIDDLE = PEOPLE // 2


async def meet(
    database: Database, processes: Sequence[Database], held: str, work: Sequence[Awaitable[Any]]
) -> list[Any]:
    """Do the work while another session holds what `held` takes, until both processes wait; returns its outcomes."""
    async with database.pool.acquire() as holder:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(held)
        doing = asyncio.gather(*work)
        await until_waiting(database, len(processes))
        await transaction.rollback()
    return list(await doing)


def inquiry(number: int, message: str) -> bytes:
    return msgspec.json.encode({"email": f"p{number:02}@example.com", "message": message})


async def test_the_same_people_who_come_by_two_doors_keep_no_one_waiting(
    brokerage: Brokerage, database: Database, processes: list[Database]
) -> None:
    here, there = (Arrivals(Engine(each)) for each in processes)
    headers = {"Content-Type": "application/json"}
    await brokerage.ask()  # so that there is a contact

    answers = await meet(
        database,
        processes,
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id)"
        f" SELECT owner_id, 'email', 'p{MIDDLE:02}@example.com', id FROM contacts",
        [
            *(here.ingest(KEY, inquiry(number, "by mail"), headers) for number in range(PEOPLE)),
            *(there.ingest(KEY, inquiry(number, "by push"), headers) for number in reversed(range(PEOPLE))),
        ],
    )

    assert len({answer.stored.lead_ids for answer in answers}) == PEOPLE, "each person has one lead, touched once"
    assert await deadlocks(database, processes) == 0


async def test_leads_of_the_same_contacts_that_are_claimed_at_once_keep_no_one_waiting(
    brokerage: Brokerage, database: Database, processes: list[Database]
) -> None:
    await database.execute("UPDATE teams SET mins_until_next_alert = 0")
    people = [f"p{number:02}@example.com" for number in range(PEOPLE)]
    first, second = [
        [(await brokerage.ask(email=email, property_address=place)).stored.lead_ids[0] for email in people]
        for place in ("1 Main St", "2 Main St")
    ]
    here, there = (Engine(each) for each in processes)
    owner, bob, carol = brokerage.owner_id, brokerage.town.users["bob"], brokerage.town.users["carol"]

    await meet(
        database,
        processes,
        f"SELECT FROM contacts WHERE email = '{people[MIDDLE]}' FOR NO KEY UPDATE",
        [
            *(here.claim(owner, lead_id, bob) for lead_id in first),
            *(there.claim(owner, lead_id, carol) for lead_id in reversed(second)),
        ],
    )

    assert await database.fetchval("SELECT count(*) FROM claims") == 2 * PEOPLE
    assert await deadlocks(database, processes) == 0


@pytest.mark.parametrize("is_claim_first", [True, False])
async def test_a_claim_and_an_inquiry_that_touches_the_lead_are_done_one_after_the_other(
    brokerage: Brokerage, database: Database, processes: list[Database], is_claim_first: bool
) -> None:
    [lead_id] = (await brokerage.ask(email="mia@example.com")).stored.lead_ids
    here, there = (Engine(each) for each in processes)
    body = msgspec.json.encode({"email": "mia@example.com", "message": "Still there?"})
    work = [
        here.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"]),
        Arrivals(there).ingest(KEY, body, {"Content-Type": "application/json"}),
    ]
    in_order = work if is_claim_first else reversed(work)
    await one_behind_another(database, "SELECT FROM contacts FOR NO KEY UPDATE", in_order)

    assert await database.fetchval("SELECT count(*) FROM lead_events WHERE kind IN ('claimed', 'touched')") == 2
    assert await deadlocks(database, processes) == 0


async def test_a_held_lead_and_an_inquiry_of_its_contact_take_turns_one_after_the_other(
    brokerage: Brokerage, database: Database, processes: list[Database]
) -> None:
    """The contact has no source: its route gives it one."""
    await database.execute("UPDATE teams SET order_method = 'Round Robin'")
    alice = brokerage.owner_id
    await brokerage.ask(email="mia@example.com")
    contact_id = await database.fetchval("UPDATE contacts SET source_id = NULL RETURNING id")
    held = NewLead(owner_id=alice, contact_id=contact_id, creator_user_id=alice, distribute=False, source_id=1)
    [lead_id] = (await brokerage.arrivals.post_lead(held)).lead_ids
    here, there = (Engine(each) for each in processes)
    body = msgspec.json.encode({"email": "mia@example.com", "property_address": "9 Far St"})
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM contacts FOR NO KEY UPDATE")
        asking = asyncio.ensure_future(Arrivals(here).ingest(KEY, body, {"Content-Type": "application/json"}))
        await until_waiting(database, 1)
        distributing = asyncio.ensure_future(there.distribute(alice, lead_id))
        await until_waiting(database, 2)
    await asyncio.gather(asking, distributing)

    assert await database.fetchval("SELECT count(*) FROM leads WHERE facts ? 'turn'") >= 1
    assert await deadlocks(database, processes) == 0


async def test_whoever_claims_a_lead_meanwhile_is_first_when_the_contact_comes_back(
    brokerage: Brokerage, database: Database
) -> None:
    await database.execute("UPDATE lead_routes SET returning_contact = 'Same Agent'")
    await database.execute("UPDATE teams SET mins_until_next_alert = 0")
    [lead_id] = (await brokerage.ask(email="mia@example.com", property_address="1 Main St")).stored.lead_ids
    carol = brokerage.town.users["carol"]
    async with database.transaction() as transaction:
        await decide_claims(transaction, RuleSets(), [ClaimRequest(brokerage.owner_id, lead_id, carol, "None")])
        asking = asyncio.create_task(brokerage.ask(email="mia@example.com", property_address="2 Main St"))
        await until_waiting(database, 1)
    [second] = (await asking).stored.lead_ids

    assert await brokerage.states(second) == {"carol": "notified", "bob": "scheduled"}


async def test_a_lead_that_a_member_loses_and_one_that_counts_it_are_decided_one_after_the_other(
    brokerage: Brokerage, database: Database, processes: list[Database]
) -> None:
    """Both lock Bob and Carol: the first, in whose team Bob has no cap, because Bob loses the lead."""
    town, alice = brokerage.town, brokerage.owner_id
    bob, carol = town.users["bob"], town.users["carol"]
    await database.execute("UPDATE availabilities SET timezone = 'UTC' WHERE id = $1", carol)  # who may be away
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await brokerage.engine.claim(alice, lead_id, bob)
    team_id = await town.team("alice", "bob", "carol")
    await town.option("alice", team_id, "bob", max_open_leads=1)
    await town.option("alice", team_id, "carol")
    await database.execute("UPDATE lead_routes SET team_id = $1", team_id)
    await database.execute("UPDATE teams SET when_nobody_is_available = 'Hold'")
    await brokerage.ask(email="p01@example.com")  # so that the rule set is stored
    here, there = (Engine(each) for each in processes)
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE lead_events IN SHARE MODE")
        assigning = asyncio.ensure_future(here.assign(alice, lead_id, carol, alice))
        await until_waiting(database, 1)
        asking = asyncio.ensure_future(
            Arrivals(there).ingest(KEY, inquiry(2, "Hello"), {"Content-Type": "application/json"})
        )
        await until_waiting(database, 2)
    await asyncio.gather(assigning, asking)

    assert await deadlocks(database, processes) == 0


async def test_leads_that_the_same_members_lose_by_two_assignments_keep_no_one_waiting(
    brokerage: Brokerage, database: Database, processes: list[Database]
) -> None:
    town, alice = brokerage.town, brokerage.owner_id
    erin = await town.add_user("erin")
    await town.member("alice", town.team_id, "erin")
    lead_ids = []
    for number, name in enumerate(["bob", "alice", "carol", "carol", "alice", "bob"]):
        [lead_id] = (await brokerage.ask(email=f"p{number:02}@example.com")).stored.lead_ids
        await brokerage.engine.assign(alice, lead_id, town.users[name], alice)
        lead_ids.append(lead_id)
    here, there = (Engine(each) for each in processes)

    moved = await meet(
        database,
        processes,
        f"SELECT FROM availabilities WHERE id = {alice} FOR NO KEY UPDATE",
        [here.assign_many(alice, lead_ids[:3], erin), there.assign_many(alice, lead_ids[3:], erin)],
    )

    assert moved == [set(lead_ids[:3]), set(lead_ids[3:])]
    assert await deadlocks(database, processes) == 0


@pytest.mark.parametrize("is_moved", [False, True])
async def test_an_automatic_assignment_and_an_inquiry_of_its_contact_are_done_one_after_the_other(
    brokerage: Brokerage, database: Database, processes: list[Database], is_moved: bool
) -> None:
    """Both count members who have a cap: one assigns a lead that no inquiry touches any more, or moves it from Bob."""
    alice, carol = brokerage.owner_id, brokerage.town.users["carol"]
    await database.execute(
        "UPDATE team_member_distribution_options SET max_open_leads = 9, assign_automatically = user_id = $1", carol
    )
    [lead_id] = (await brokerage.ask(email="mia@example.com")).stored.lead_ids
    await brokerage.ask(email="p01@example.com")  # so that the rule set is stored
    await database.execute("UPDATE leads SET touched_at = touched_at - interval '1 year' WHERE id = $1", lead_id)
    here, there = (Engine(each) for each in processes)
    await there.run_due()  # what a process does once is done
    if is_moved:
        await brokerage.engine.assign(alice, lead_id, brokerage.town.users["bob"], alice)
    else:
        await database.move_clock(timedelta(minutes=6))
        await there.database.load_clock()
    body = msgspec.json.encode({"email": "mia@example.com", "property_address": "9 Far St"})
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM contacts WHERE email = 'mia@example.com' FOR NO KEY UPDATE")
        asking = asyncio.ensure_future(Arrivals(here).ingest(KEY, body, {"Content-Type": "application/json"}))
        await until_waiting(database, 1)
        assigning = asyncio.ensure_future(
            there.assign(alice, lead_id, carol, alice) if is_moved else there.run_due()
        )
        await until_waiting(database, 2, assigning)
    await asyncio.gather(asking, assigning)

    assert await database.fetchval("SELECT user_id FROM claims WHERE lead_id = $1", lead_id) == carol
    assert await deadlocks(database, processes) == 0

"""Batches of two processes that want the same rows, in opposite orders: one waits for the other, never both."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import msgspec

from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.store.postgres import Database
from tests.support.brokerage import KEY, Brokerage
from tests.support.deadlocks import WAITING, deadlocks

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
        while await database.fetchval(WAITING) < len(processes):  # noqa: ASYNC110 -- other connections do it
            await asyncio.sleep(0.01)
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

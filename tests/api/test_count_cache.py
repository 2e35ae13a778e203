"""A total is exact at every moment, although it is not counted each time: as many as there are in the same answer."""

import asyncio

import pytest

from tests.support.api import ask
from tests.support.town import Town

ROUTE = (
    "INSERT INTO lead_routes (owner_id, campaign_id, lead_source_id, contact_source_id, distribution_target)"
    " SELECT $1, $2, 1, $3, 'Myself' FROM generate_series(1, $4)"
)


@pytest.fixture
async def bounds(town: Town) -> tuple[int, int, int]:
    """The ids of Alice, and of a campaign and a contact source that Alice owns."""
    source = await ask(town, "alice", "POST", "/contact-sources", json={"name": "Portals"})
    return town.users["alice"], await town.campaign("alice", "Drip"), source.json["id"]


async def total(town: Town, name: str = "alice", query: str = "") -> int:
    return (await ask(town, name, "GET", f"/lead-routes{query}")).json["total"]


async def test_what_another_process_writes_counts_in_the_next_answer(town: Town, bounds: tuple[int, int, int]) -> None:
    assert await total(town) == 0
    await town.database.execute(ROUTE, *bounds, 12)
    assert [await total(town) for _ in range(3)] == [12, 12, 12]
    assert await total(town, "bob") == 0
    await town.database.execute("DELETE FROM lead_routes WHERE id = (SELECT min(id) FROM lead_routes)")
    assert [await total(town), await total(town, query="?$limit=0"), await total(town, query="?$skip=5000")] == [11] * 3


async def test_what_is_rolled_back_never_counted(town: Town, bounds: tuple[int, int, int]) -> None:
    await town.database.execute(ROUTE, *bounds, 2)
    async with town.database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(ROUTE, *bounds, 3)
        assert await total(town) == 2
        await transaction.rollback()
    await town.database.execute(ROUTE, *bounds, 1)  # takes the number that the other one would have had
    assert await total(town) == 3


async def test_conditions_are_counted_for_themselves(town: Town, bounds: tuple[int, int, int]) -> None:
    await town.database.execute(ROUTE, *bounds, 3)
    await town.database.execute("UPDATE lead_routes SET is_active = false WHERE id = (SELECT max(id) FROM lead_routes)")
    assert [await total(town, query=query) for query in ("", "?is_active=false", "", "?is_active=true")] == [3, 1, 3, 2]


async def test_a_total_is_that_of_its_own_page_while_many_write(town: Town, bounds: tuple[int, int, int]) -> None:
    enough = asyncio.Event()
    writing = [asyncio.create_task(_write(town, bounds, enough)) for _ in range(3)]
    queries = ("?$limit=1000", "?$limit=100", "?$limit=1000&$sort[priority]=1")
    seen: set[int] = set()
    while len(seen) < 10:
        for answer in await asyncio.gather(*(ask(town, "alice", "GET", f"/lead-routes{query}") for query in queries)):
            page = answer.json
            assert len(page["data"]) == min(page["total"], page["limit"])
            seen.add(page["total"])
    enough.set()
    await asyncio.gather(*writing)


async def _write(town: Town, bounds: tuple[int, int, int], enough: asyncio.Event) -> None:
    while not enough.is_set():
        await town.database.execute(ROUTE, *bounds, 2)
        await town.database.execute("DELETE FROM lead_routes WHERE id = (SELECT min(id) FROM lead_routes)")


async def test_a_total_with_conditions_follows_every_change(town: Town, bounds: tuple[int, int, int]) -> None:
    await town.database.execute(ROUTE, *bounds, 150)
    mine, active = "?distribution_target=Myself", "?distribution_target=Myself&is_active=true"
    assert [await total(town, query=query) for query in (mine, mine, active, active)] == [150] * 4
    await town.database.execute("UPDATE lead_routes SET is_active = false WHERE id = (SELECT max(id) FROM lead_routes)")
    assert [await total(town, query=query) for query in (mine, active, mine, active)] == [150, 149, 150, 149]
    await town.database.execute(ROUTE, *bounds, 3)
    assert [await total(town, query=query) for query in (mine, active)] == [153, 152]
    assert await total(town, query="?distribution_target=Team Rollout") == 0
    assert await total(town, "bob", mine) == 0

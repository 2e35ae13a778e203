"""The example brokerage: loaded before the first real lead, looked at, and removed as a whole."""

import asyncio
from typing import Any

import pytest

from tests.support.api import ask, create
from tests.support.town import Town

PATH = "/example-brokerage"
TABLES = (
    "users", "teams", "team_members", "team_member_distribution_options", "lead_sources", "contact_sources",
    "template_folders", "templates", "campaigns", "campaign_actions", "lead_routes",
)  # fmt: skip


@pytest.fixture
async def administered(town: Town) -> Town:
    """Alice and Dave are administrators, each with an account of their own."""
    for name in ("alice", "dave"):
        await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users[name])
    return town


async def counts(town: Town) -> dict[str, int]:
    return {table: await town.database.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def load(town: Town, name: str = "alice") -> Any:
    return await create(town, name, PATH, {})


async def test_the_example_is_loaded_tried_and_removed_without_a_trace(administered: Town) -> None:
    town = administered
    before = await counts(town)
    assert (await ask(town, "alice", "GET", PATH)).json == {"is_loaded": False, "can_be_loaded": True, "records": {}}
    loaded = await load(town)
    assert (loaded["is_loaded"], loaded["can_be_loaded"]) == (True, False)
    assert (loaded["records"]["users"], loaded["records"]["lead_routes"], loaded["records"]["teams"]) == (3, 2, 1)
    key = await create(town, "alice", "/intake-keys", {"lead_source_id": 1})
    lead = await create(town, "alice", f"/intake-keys/{key['id']}/test-lead", {})
    offers = (await ask(town, "alice", "GET", f"/leads/{lead['id']}/offers")).json["data"]
    assert offers[0]["user"]["id"] == town.users["alice"]
    assert len(offers) == 4
    removed = await ask(town, "alice", "DELETE", PATH)
    assert (removed.status, removed.json["removed"]["users"]) == (200, 3)
    assert await counts(town) == before
    assert await town.database.fetchval("SELECT count(*) FROM leads") == 0
    assert (await ask(town, "alice", "DELETE", PATH)).json == {"removed": {}}
    await load(town)


async def test_each_account_has_an_example_of_its_own(administered: Town) -> None:
    await load(administered)
    before = await counts(administered)
    await load(administered, "dave")
    reply = await ask(administered, "dave", "DELETE", PATH)
    assert reply.status == 200, reply.body
    assert await counts(administered) == before


async def test_it_is_loaded_once_and_before_the_first_real_lead_only(administered: Town) -> None:
    town = administered
    replies = await asyncio.gather(*(ask(town, "alice", "POST", PATH, json={}) for _ in range(3)))
    assert sorted(reply.status for reply in replies) == [201, 409, 409]
    contact_id = await town.contact("dave")
    await create(town, "dave", "/leads", {"contact_id": contact_id, "source_id": 1})
    late = await ask(town, "dave", "POST", PATH, json={})
    assert (late.status, late.json["message"]) == (
        409, "The example brokerage can be loaded before the first real lead only",
    )  # fmt: skip


async def test_people_to_whom_a_real_lead_was_offered_stay_as_closed_accounts(administered: Town) -> None:
    town = administered
    await load(town)
    contact_id = await town.contact("alice")
    lead = await create(town, "alice", "/leads", {"contact_id": contact_id, "source_id": 1})
    removed = (await ask(town, "alice", "DELETE", PATH)).json["removed"]
    assert (removed["users"], removed["teams"]) == (0, 1)
    closed = "SELECT count(*) FROM users WHERE NOT is_active AND email LIKE '%@example.com'"
    assert await town.database.fetchval(closed) == 3
    assert (await ask(town, "alice", "GET", f"/leads/{lead['id']}")).status == 200


async def test_what_uses_a_part_of_the_example_is_named(administered: Town) -> None:
    town = administered
    await load(town)
    [team_id] = (await ask(town, "alice", "GET", "/teams?name=Example: First Response".replace(" ", "%20"))).ids
    await town.route("alice", team_id=team_id, lead_source_id=2)
    refused = await ask(town, "alice", "DELETE", PATH)
    assert (refused.status, refused.json["message"]) == (
        409, "One of the teams of the example is used by lead routes of yours; change these first",
    )  # fmt: skip
    assert (await ask(town, "alice", "GET", PATH)).json["is_loaded"]


async def test_only_administrators_load_it(administered: Town) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert (await ask(administered, "bob", method, PATH)).status == 403

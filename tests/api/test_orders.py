"""Records that are put in an order as a whole: the routes of a lead source, the line-up of a team."""

import asyncio
from typing import Any

import pytest

from tests.support.api import ask
from tests.support.town import Town

# --------------------------------------------------------------------------------------------------------- routes


@pytest.fixture
async def routes(town: Town) -> list[int]:
    """Three routes of Zillow (1), and one of another source, which stays as it is."""
    made = [await town.route("alice") for _ in range(3)]
    await town.route("alice", lead_source_id=2)
    return made


async def order(town: Town, ids: Any, name: str = "alice") -> Any:
    return await ask(town, name, "POST", "/lead-routes/order", json={"lead_source_id": 1, "ids": ids})


async def priorities(town: Town) -> list[int]:
    rows = await town.database.fetch("SELECT priority FROM lead_routes ORDER BY id")
    return [row["priority"] for row in rows]


async def test_the_routes_of_a_source_are_tried_in_the_order_that_is_given(town: Town, routes: list[int]) -> None:
    first, second, third = routes
    reply = await order(town, [third, first, second])
    assert (reply.status, [each["id"] for each in reply.json]) == (200, [third, first, second])
    assert [each["priority"] for each in reply.json] == [1, 2, 3]
    assert await priorities(town) == [2, 3, 1, 0]


async def test_the_same_order_again_changes_no_rule_set(town: Town, routes: list[int]) -> None:
    await order(town, routes)
    version = "SELECT rules_version FROM users WHERE id = $1"
    before = await town.database.fetchval(version, town.users["alice"])
    assert (await order(town, routes)).status == 200
    assert await town.database.fetchval(version, town.users["alice"]) == before


async def test_an_order_of_other_routes_is_409_and_changes_nothing(town: Town, routes: list[int]) -> None:
    for stale in (routes[:2], [*routes, 999_999], []):
        reply = await order(town, stale)
        assert (reply.status, reply.json["data"]) == (409, {"ids": routes})
    assert (await order(town, routes, name="dave")).status == 409
    assert await priorities(town) == [0, 0, 0, 0]


async def test_an_order_instead_of_another_than_there_is_is_409(town: Town, routes: list[int]) -> None:
    body = {"lead_source_id": 1, "ids": routes[::-1], "instead_of": routes[::-1]}
    reply = await ask(town, "alice", "POST", "/lead-routes/order", json=body)
    assert (reply.status, reply.json["data"]) == (409, {"ids": routes})
    assert await priorities(town) == [0, 0, 0, 0]
    reply = await ask(town, "alice", "POST", "/lead-routes/order", json=body | {"instead_of": routes})
    assert reply.status == 200
    assert (await priorities(town))[:3] == [3, 2, 1]


async def test_two_orders_at_once_leave_one_of_them(town: Town, routes: list[int]) -> None:
    orders = (routes, routes[::-1])
    replies = await asyncio.gather(*(order(town, each) for each in orders * 3))
    assert {reply.status for reply in replies} == {200}
    assert (await priorities(town))[:3] in ([1, 2, 3], [3, 2, 1])


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"lead_source_id": None}, "lead_source_id"),
        ({"ids": None}, "ids"),
        ({"ids": ["x"]}, "ids"),
        ({"ids": [7, 7]}, "ids"),
        ({"ids": {"a": 1}}, "ids"),
    ],
)
async def test_a_wrong_order_names_the_field(town: Town, body: dict[str, Any], name: str) -> None:
    reply = await ask(town, "alice", "POST", "/lead-routes/order", json={"lead_source_id": 1, "ids": []} | body)
    assert (reply.status, list(reply.json["errors"])) == (400, [name])


# -------------------------------------------------------------------------------------------------------- line-up


@pytest.fixture
async def line_up(town: Town) -> tuple[int, int, int]:
    for rank, name in enumerate(("alice", "bob", "carol"), start=1):
        await town.option("alice", town.team_id, name, rank=rank)
    return town.users["alice"], town.users["bob"], town.users["carol"]


async def order_members(town: Town, groups: Any, name: str = "alice") -> Any:
    return await ask(town, name, "POST", f"/teams/{town.team_id}/members/order", json={"line_up": groups})


async def test_members_are_put_in_order_and_some_together(town: Town, line_up: tuple[int, int, int]) -> None:
    alice, bob, carol = line_up
    reply = await order_members(town, [[carol], [alice, bob]])
    assert reply.status == 200
    assert [(each["user_id"], each["rank"]) for each in reply.json] == [(carol, 1), (alice, 2), (bob, 2)]
    contact_id = await town.contact("alice")
    await town.route("alice")
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 5")
    lead = (await ask(town, "alice", "POST", "/leads", json={"contact_id": contact_id, "source_id": 1})).json
    offers = (await ask(town, "alice", "GET", f"/leads/{lead['id']}/offers")).json["data"]
    assert [(each["user"]["id"], each["rank"]) for each in offers] == [(carol, 1), (alice, 2), (bob, 2)]


async def test_a_line_up_of_others_than_there_are_is_409(town: Town, line_up: tuple[int, int, int]) -> None:
    alice, bob, carol = line_up
    for stale in ([[alice], [bob]], [[alice, bob, carol, town.users["dave"]]], []):
        reply = await order_members(town, stale)
        assert (reply.status, reply.json["data"]) == (409, {"user_ids": sorted(line_up)})


async def test_a_line_up_instead_of_another_than_there_is_is_409(town: Town, line_up: tuple[int, int, int]) -> None:
    alice, bob, carol = line_up
    path, body = f"/teams/{town.team_id}/members/order", {"line_up": [[carol, bob], [alice]]}
    reply = await ask(town, "alice", "POST", path, json=body | {"instead_of": [[carol], [bob], [alice]]})
    assert (reply.status, reply.json["data"]) == (409, {"line_up": [[alice], [bob], [carol]]})
    assert (await ask(town, "alice", "POST", path, json=body | {"instead_of": "x"})).status == 400
    assert (await ask(town, "alice", "POST", path, json=body | {"instead_of": [[alice], [bob], [carol]]})).status == 200
    reply = await ask(town, "alice", "POST", path, json={"line_up": [[alice]], "instead_of": [[bob, carol], [alice]]})
    assert reply.status == 409, "the line-up is of three"


async def test_only_the_creator_of_a_team_orders_it(town: Town, line_up: tuple[int, int, int]) -> None:
    groups = [[each] for each in line_up]
    assert (await order_members(town, groups, name="bob")).status == 403
    assert (await order_members(town, groups, name="dave")).status == 404


@pytest.mark.parametrize("groups", [None, [7], [[]], "x", [["x"]], [[7], [7]]])
async def test_a_wrong_line_up_is_named(town: Town, groups: Any) -> None:
    reply = await order_members(town, groups)
    assert (reply.status, list(reply.json["errors"])) == (400, ["line_up"])

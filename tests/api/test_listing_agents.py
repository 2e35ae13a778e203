"""Who is offered the inquiries about a listing first: what is stored, refused, and seen by whom."""

# mypy: disable-error-code="no-untyped-def"

from typing import Any

import pytest

from leadroutes.domain.rule_fields import MOST_LISTINGS
from tests.support.api import ask, create
from tests.support.town import Town

PATH = "/listing-agents"


async def test_a_listing_has_one_agent(town: Town) -> None:
    made = await create(town, "alice", PATH, {"mls_id": "AB 12", "user_id": str(town.users["bob"])})
    assert made == {"id": made["id"], "mls_id": "AB 12", "user_id": town.users["bob"]}
    for same in ("AB 12", "ab12", " a b 1 2 "):
        again = await ask(town, "alice", "POST", PATH, json={"mls_id": same, "user_id": town.users["carol"]})
        assert (again.status, again.json["message"]) == (409, "The listing has an agent already")
    other = await create(town, "alice", PATH, {"mls_id": 13, "user_id": town.users["carol"]})
    assert other["mls_id"] == "13"
    taken = await ask(town, "alice", "PATCH", f"{PATH}/{other['id']}", json={"mls_id": "Ab12"})
    assert taken.status == 409
    renamed = await ask(town, "alice", "PATCH", f"{PATH}/{made['id']}", json={"mls_id": "ab12"})
    assert (renamed.status, renamed.json["mls_id"]) == (200, "ab12")
    assert (await ask(town, "alice", "DELETE", f"{PATH}/{made['id']}")).json == renamed.json
    await create(town, "alice", PATH, {"mls_id": "AB12", "user_id": town.users["carol"]})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_id": "@bob"}, "mls_id"),
        ({"mls_id": None, "user_id": "@bob"}, "mls_id"),
        ({"mls_id": "", "user_id": "@bob"}, "mls_id"),
        ({"mls_id": " \t", "user_id": "@bob"}, "mls_id"),
        ({"mls_id": "x" * 46, "user_id": "@bob"}, "mls_id"),
        ({"mls_id": "A1"}, "user_id"),
        ({"mls_id": "A1", "user_id": "Bob"}, "user_id"),
        ({"mls_id": "A1", "user_id": "@dave"}, "user_id"),
        ({"mls_id": "A1", "user_id": 999_999}, "user_id"),
    ],
)
async def test_what_is_wrong_is_named(town: Town, body: dict[str, Any], field: str) -> None:
    filled = {
        name: town.users[value[1:]] if isinstance(value, str) and value.startswith("@") else value
        for name, value in body.items()
    }
    reply = await ask(town, "alice", "POST", PATH, json=filled)
    assert (reply.status, list(reply.json["errors"])) == (400, [field])
    assert await town.database.fetchval("SELECT count(*) FROM listing_agents") == 0


async def test_only_the_owner_sees_and_changes_them(town: Town) -> None:
    made = await create(town, "alice", PATH, {"mls_id": "A1", "user_id": town.users["bob"]})
    for who in ("bob", "dave"):
        assert (await ask(town, who, "GET", PATH)).json["total"] == 0
        for method in ("GET", "PATCH", "DELETE"):
            assert (await ask(town, who, method, f"{PATH}/{made['id']}")).status == 404
    refused = await ask(town, "bob", "POST", PATH, json={"mls_id": "A1", "user_id": town.users["bob"]})
    assert (refused.status, list(refused.json["errors"])) == (400, ["user_id"])


async def test_an_agent_who_has_left_stays_until_changed(town: Town) -> None:
    """The row has no effect, and can be given to another member."""
    made = await create(town, "alice", PATH, {"mls_id": "A1", "user_id": town.users["bob"]})
    await town.database.execute("DELETE FROM team_members WHERE user_id = $1", town.users["bob"])
    path = f"{PATH}/{made['id']}"
    assert (await ask(town, "alice", "PATCH", path, json={"mls_id": "A2"})).status == 200
    moved = await ask(town, "alice", "PATCH", path, json={"user_id": town.users["carol"]})
    assert (moved.status, moved.json["user_id"]) == (200, town.users["carol"])
    assert (await ask(town, "alice", "PATCH", path, json={"user_id": town.users["bob"]})).status == 400


async def test_there_is_a_limit(town: Town) -> None:
    await town.database.execute(
        "INSERT INTO listing_agents (owner_id, mls_id, mls_key, user_id)"
        " SELECT $1, n::text, n::text, $1 FROM generate_series(1, $2::int) n",
        town.users["alice"],
        MOST_LISTINGS,
    )
    full = await ask(town, "alice", "POST", PATH, json={"mls_id": "A1", "user_id": town.users["bob"]})
    assert full.status == 400
    assert "5000" in full.json["message"]
    document = {"rules": 1, "listing_agents": [{"mls_id": "A1", "user": "bob@example.com"}]}
    full = await ask(town, "alice", "PUT", "/rules/document", json=document)
    assert (full.status, list(full.json["errors"])) == (400, ["listing_agents"])
    assert "5,001; expected at most 5,000" in full.json["message"]
    document["listing_agents"] = [{"mls_id": "7", "user": "bob@example.com"}]
    assert (await ask(town, "alice", "PUT", "/rules/document", json=document)).status == 200, "no listing more"

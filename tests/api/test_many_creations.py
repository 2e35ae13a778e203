"""Creations of the same moment share a commit, and each is answered as it would have been alone."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.api import Reply, ask
from tests.support.town import Town


@pytest.fixture
async def bodies(town: Town) -> Mapping[str, dict[str, Any]]:
    """What Alice and Dave may each send as a lead route of theirs."""
    found = {}
    for name in ("alice", "dave"):
        source = await ask(town, name, "POST", "/contact-sources", json={"name": "Portals"})
        found[name] = {
            "campaign_id": await town.campaign(name, "Drip"),
            "lead_source_id": 1,
            "contact_source_id": source.json["id"],
            "distribution_target": "Myself",
        }
    return found


async def route(town: Town, name: str, body: Mapping[str, Any], **change: Any) -> Reply:
    return await ask(town, name, "POST", "/lead-routes", json={**body, **change})


async def test_fifty_share_few_commits_and_each_gets_its_own(town: Town) -> None:
    asked = [(name, f"{name} {number}") for number in range(25) for name in ("alice", "dave")]
    replies = await asyncio.gather(
        *(ask(town, name, "POST", "/contact-sources", json={"name": text}) for name, text in asked)
    )
    assert [(reply.status, reply.json["name"]) for reply in replies] == [(201, text) for _, text in asked]
    for (name, text), reply in zip(asked, replies, strict=True):
        shown = await ask(town, name, "GET", f"/contact-sources/{reply.json['id']}")
        assert (shown.body, shown.json["name"]) == (reply.body, text)
    assert await town.database.fetchval("SELECT count(DISTINCT xmin::text) FROM contact_sources") <= 5


SIGNED = """
SELECT c.record_id, v.number, v.user_id FROM rule_versions v
JOIN rule_changes c ON c.owner_id = v.owner_id AND c.number = v.number WHERE c.kind = 'lead_routes' ORDER BY v.number"""


async def test_routes_share_commits_and_each_is_a_version_of_the_rules(
    town: Town, bodies: Mapping[str, dict[str, Any]]
) -> None:
    replies = await asyncio.gather(*(route(town, "alice", bodies["alice"]) for _ in range(20)))
    assert [reply.status for reply in replies] == [201] * 20
    assert await town.database.fetchval("SELECT count(DISTINCT xmin::text) FROM lead_routes") <= 5
    signed = await town.database.fetch(SIGNED)
    assert {row["record_id"] for row in signed} == {reply.json["id"] for reply in replies}
    assert len({row["number"] for row in signed}) == len(signed) == 20
    assert {row["user_id"] for row in signed} == {town.users["alice"]}
    present = await town.database.fetchval("SELECT rules_version FROM users WHERE id = $1", town.users["alice"])
    assert signed[-1]["number"] == present


async def test_a_change_after_them_is_a_version_that_its_own_maker_signs(
    town: Town, bodies: Mapping[str, dict[str, Any]]
) -> None:
    await asyncio.gather(*(route(town, "alice", bodies["alice"]) for _ in range(3)))
    before = await town.database.fetch(SIGNED)
    changed = await ask(town, "alice", "PATCH", f"/lead-routes/{before[0]['record_id']}", json={"priority": 3})
    assert changed.status == 200
    after = await town.database.fetch(SIGNED)
    assert after[:-1] == before
    assert (after[-1]["record_id"], after[-1]["user_id"]) == (before[0]["record_id"], town.users["alice"])


async def test_routes_that_several_people_add_to_one_account_say_who_did(
    town: Town, bodies: Mapping[str, dict[str, Any]]
) -> None:
    body = {"user_id": town.users["dave"], "role": "Administrator"}
    made = await ask(town, "alice", "POST", "/delegates", json=body)
    await ask(town, "dave", "POST", f"/delegates/{made.json['id']}/acceptance")
    acting = {"X-Acting-For": str(town.users["alice"])}
    names = ["alice", "dave"] * 6
    replies = await asyncio.gather(
        *(
            ask(town, name, "POST", "/lead-routes", json=bodies["alice"], headers=acting if name == "dave" else {})
            for name in names
        ),
        *(route(town, "dave", bodies["dave"]) for _ in range(3)),
    )
    assert [reply.status for reply in replies] == [201] * 15
    people = {reply.json["id"]: town.users[name] for name, reply in zip([*names, *["dave"] * 3], replies, strict=True)}
    assert {row["record_id"]: row["user_id"] for row in await town.database.fetch(SIGNED)} == people


async def test_each_is_answered_with_its_own_fault_only(town: Town, bodies: Mapping[str, dict[str, Any]]) -> None:
    alice, dave = bodies["alice"], bodies["dave"]
    first = "application/json;q=0"
    replies = await asyncio.gather(
        route(town, "alice", alice, filter="good"),
        route(town, "alice", alice, lead_source_id=999),
        route(town, "alice", alice, campaign_id=dave["campaign_id"]),
        route(town, "alice", alice, priority="high"),
        route(town, "alice", {}),
        route(town, "dave", dave, contact_source_id=alice["contact_source_id"]),
        ask(town, "alice", "POST", "/lead-routes", json=alice, headers={"Accept": first}),
        route(town, "dave", dave, filter="good, too"),
    )
    wrong = [
        ["lead_source_id"],
        ["campaign_id"],
        ["priority"],
        ["campaign_id", "lead_source_id", "contact_source_id", "distribution_target"],
        ["contact_source_id"],
    ]
    assert [reply.status for reply in replies] == [201, *[400] * 5, 406, 201]
    assert [list(reply.json["errors"]) for reply in replies[1:6]] == wrong
    stored = await town.database.fetch("SELECT filter FROM lead_routes ORDER BY filter")
    assert [row["filter"] for row in stored] == ["good", "good, too"]
    assert len(await town.database.fetch(SIGNED)) == 2


async def test_of_two_with_the_same_name_one_is_made_and_all_the_others_too(town: Town) -> None:
    names = ["Buyers", "Sellers", "Buyers", "Renters"]
    replies = await asyncio.gather(*(ask(town, "alice", "POST", "/campaigns", json={"name": name}) for name in names))
    assert sorted(reply.status for reply in replies) == [201, 201, 201, 409]
    made = sorted(reply.json["name"] for reply in replies if reply.status == 201)
    assert made == ["Buyers", "Renters", "Sellers"]


async def test_of_two_routes_with_the_same_name_one_is_a_version(
    town: Town, bodies: Mapping[str, dict[str, Any]]
) -> None:
    names = ["Buyers", "Sellers", "Buyers", "Renters"]
    asked = [{**bodies["alice"], "name": name} for name in names]
    replies = await asyncio.gather(*(ask(town, "alice", "POST", "/lead-routes", json=each) for each in asked))
    assert sorted(reply.status for reply in replies) == [201, 201, 201, 409]
    signed = await town.database.fetch(SIGNED)
    assert {row["record_id"] for row in signed} == {reply.json["id"] for reply in replies if reply.status == 201}
    assert len({row["number"] for row in signed}) == 3
    assert {row["user_id"] for row in signed} == {town.users["alice"]}


async def test_who_has_to_wait_for_a_row_keeps_no_one_else_waiting(
    town: Town, bodies: Mapping[str, dict[str, Any]]
) -> None:
    async with town.database.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", town.users["alice"])
        waiting = asyncio.create_task(route(town, "alice", bodies["alice"]))
        replies = await asyncio.gather(*(route(town, "dave", bodies["dave"]) for _ in range(3)))
        assert [reply.status for reply in replies] == [201] * 3
        assert (await route(town, "dave", bodies["dave"])).status == 201
        assert not waiting.done()
        await transaction.rollback()
    assert (await waiting).status == 201


async def test_every_one_of_them_makes_the_rule_set_old(town: Town, bodies: Mapping[str, dict[str, Any]]) -> None:
    versions = "SELECT rules_version FROM users WHERE id = $1"
    before = await town.database.fetchval(versions, town.users["alice"])
    await asyncio.gather(*(route(town, "alice", bodies["alice"]) for _ in range(5)))
    assert await town.database.fetchval(versions, town.users["alice"]) >= before + 5

"""What a request names may be removed while it is under way: a clear answer, and nothing half done."""

import asyncio

import pytest

from leadroutes.operations.doctor import examine
from tests.support.api import ask
from tests.support.races import overtaken
from tests.support.town import Town


@pytest.mark.parametrize(
    ("table", "field"), [("contacts", "contact_id"), ("lead_sources", "source_id")], ids=["contact", "lead source"]
)
async def test_a_lead_names_what_is_being_removed(town: Town, table: str, field: str) -> None:
    source_id = await town.insert("lead_sources", owner_id=town.users["alice"], name="Yard sign")
    body = {"contact_id": await town.contact("alice"), "source_id": source_id}
    posted = ask(town, "alice", "POST", "/leads", json=body)
    reply = await overtaken(posted, town.database, f"DELETE FROM {table} WHERE id = $1", body[field])
    assert (reply.status, list(reply.json["errors"])) == (400, [field])
    assert await town.database.fetchval("SELECT count(*) FROM leads") == 0


async def test_a_child_is_added_to_what_is_being_removed(town: Town) -> None:
    contact_id = await town.contact("alice")
    event = await ask(town, "alice", "POST", "/events", json={"contact_id": contact_id, "type": "viewed"})
    path = f"/events/{event.json['id']}/properties"
    reply = await overtaken(ask(town, "alice", "POST", path, json={}), town.database, "DELETE FROM events")
    assert (reply.status, reply.json["message"]) == (404, f"No record found for id '{event.json['id']}'")


async def test_a_campaign_is_started_while_it_is_being_removed(town: Town) -> None:
    campaign_id, contact_id = await town.campaign("alice", "Drip"), await town.contact("alice")
    started = ask(town, "alice", "POST", f"/campaigns/{campaign_id}/contacts", json={"contact_id": contact_id})
    reply = await overtaken(started, town.database, "DELETE FROM campaigns WHERE id = $1", campaign_id)
    assert reply.status == 404
    assert (await examine(town.database)).violation is None


async def test_of_two_changes_on_the_same_condition_one_finds_the_record(town: Town) -> None:
    """So a page can take a change back: only as long as the record is as that change left it."""
    route = await town.route("alice", is_active=False)
    target = f"/lead-routes/{route}?is_active=false"
    replies = await asyncio.gather(
        *(ask(town, "alice", "PATCH", target, json={"is_active": True, "priority": number}) for number in range(8))
    )
    assert sorted(reply.status for reply in replies) == [200] + [404] * 7


async def test_a_condition_is_looked_at_again_after_waiting_for_another_change(town: Town) -> None:
    route = await town.route("alice", is_active=False)
    undo = ask(town, "alice", "PATCH", f"/lead-routes/{route}?is_active=false", json={"is_active": True})
    other = "UPDATE lead_routes SET is_active = true, priority = 9 WHERE id = $1"
    assert (await overtaken(undo, town.database, other, route)).status == 404

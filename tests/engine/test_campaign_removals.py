"""A campaign that runs for many is removed at once for everyone who looks, and in batches for the database."""

from datetime import timedelta
from typing import Any

import pytest

from leadroutes.engine.engine import Engine
from leadroutes.operations.doctor import examine
from tests.support.api import ask, create
from tests.support.drips import GONE, MAIL, MANY, Drip, begin_drip
from tests.support.town import Town

STEPS = "/contact-communications"
LOOKS = (
    f"{STEPS}?$limit=3", f"{STEPS}?is_active=true", f"{STEPS}?is_active=false&$limit=2", f"{STEPS}?campaign_id=null",
    "/calendar?from=2020-01-01&to=2020-02-01", "/campaigns", "/tasks?$limit=2",
)  # fmt: skip


@pytest.fixture
async def drip(town: Town) -> Drip:
    return await begin_drip(town)


async def looks(town: Town, drip: Drip) -> list[Any]:
    replies = [await ask(town, "alice", "GET", path) for path in (*LOOKS, f"{STEPS}?campaign_id={drip.id}", drip.path)]
    return [(reply.status, reply.json) for reply in replies]


async def test_a_removed_campaign_is_gone_before_its_steps_are(town: Town, drip: Drip) -> None:
    """Whoever asks while the worker is at it hears what they hear once it has done."""
    removed = await ask(town, "alice", "DELETE", drip.path)
    assert (removed.status, removed.json["name"]) == (200, "Drip")
    assert await drip.open_steps() == MANY, "the request ends none of so many"
    at_once = await looks(town, drip)
    await drip.carry_removal()
    assert await looks(town, drip) == at_once
    [page, active, *_, theirs, campaign] = at_once
    shown = page[1]["data"][0]
    assert (page[1]["total"], active[1]["total"], theirs[1]["total"], campaign[0]) == (MANY, 0, 0, 404)
    assert (shown["campaign_id"], shown["campaign_name"], shown["is_active"], shown["campaign_contact_id"]) == (
        None, "Drip", False, None)  # fmt: skip
    assert shown["reason"] == GONE
    assert shown["completing_user_id"] == town.users["alice"]
    assert shown["completed_at"] is not None


async def test_everything_of_a_removed_campaign_ends_once(town: Town, drip: Drip) -> None:
    await ask(town, "alice", "DELETE", drip.path)
    await drip.carry_removal()
    database = town.database
    assert await database.fetch(
        "SELECT m.state, m.reason, count(*)::int AS n FROM contact_communications s"
        " JOIN messages m ON m.owner_id = s.owner_id AND m.communication_id = s.id GROUP BY 1, 2"
    ) == [("suppressed", GONE, MANY)]
    assert await database.fetchval("SELECT count(*) FROM campaign_contacts") == 0
    assert await database.fetchval("SELECT count(*) FROM tasks WHERE status = 'incomplete'") == MANY
    assert (await examine(database)).violation is None


async def test_nothing_leaves_of_a_removed_campaign(town: Town, drip: Drip) -> None:
    """Another process, which does not carry the removal out, is at work when the moments come."""
    other = await create(town, "alice", "/campaigns", {"name": "Other"})
    template_id = await town.database.fetchval("SELECT min(id) FROM templates")
    await create(town, "alice", f"/campaigns/{other['id']}/actions", MAIL | {"template_id": template_id})
    await create(town, "alice", f"/campaigns/{other['id']}/contacts", {"contact_id": await town.contact("alice")})
    await ask(town, "alice", "DELETE", drip.path)
    await town.database.move_clock(timedelta(minutes=61))
    async with town.database.transaction() as carrying:
        await carrying.execute("SELECT FROM removed_campaigns FOR UPDATE")
        moment = await Engine(town.database).run_due()
        assert moment is not None
        assert moment <= town.now, "the removal is to be carried out"
        queued = await town.database.fetch("SELECT s.campaign_id FROM messages m JOIN contact_communications s"
                                           " ON s.id = m.communication_id WHERE m.state = 'queued'")  # fmt: skip
        assert [row["campaign_id"] for row in queued] == [other["id"]]
    await drip.carry_removal()


async def test_a_campaign_of_the_same_name_is_made_meanwhile(town: Town, drip: Drip) -> None:
    await ask(town, "alice", "DELETE", drip.path)
    again = await create(town, "alice", "/campaigns", {"name": "Drip"})
    contact_id = await town.database.fetchval("SELECT min(id) FROM contacts")
    await create(town, "alice", f"/campaigns/{again['id']}/contacts", {"contact_id": contact_id})
    await drip.carry_removal()
    runs = await town.database.fetch("SELECT campaign_id, contact_id FROM campaign_contacts")
    assert [tuple(row) for row in runs] == [(again["id"], contact_id)]


@pytest.mark.parametrize("is_active", [True, False])
async def test_a_step_that_someone_touches_meanwhile_is_as_after_the_removal(
    town: Town, drip: Drip, is_active: bool
) -> None:
    step_id = await town.database.fetchval("SELECT max(id) FROM contact_communications")
    await ask(town, "alice", "DELETE", drip.path)
    reply = await ask(town, "alice", "PATCH", f"{STEPS}/{step_id}", json={"is_active": is_active})
    assert reply.status == 200, reply.body
    assert (reply.json["is_active"], reply.json["campaign_id"]) == (is_active, None)
    await drip.carry_removal()
    again = await ask(town, "alice", "GET", f"{STEPS}/{step_id}")
    assert again.json == reply.json


async def test_what_few_have_of_a_campaign_ends_in_the_request(town: Town) -> None:
    campaign_id = await town.campaign("alice", "Short")
    await town.action("alice", campaign_id, delay_by_seconds=60)
    for _ in range(3):
        await create(town, "alice", f"/campaigns/{campaign_id}/contacts", {"contact_id": await town.contact("alice")})
    await ask(town, "alice", "DELETE", f"/campaigns/{campaign_id}")
    assert await town.database.fetchval("SELECT count(*) FROM campaign_contacts") == 0
    assert await town.database.fetchval("SELECT count(*) FROM removed_campaigns") == 0

"""An edit that concerns many contacts is carried over in batches; meanwhile nothing leaves that it changes."""

from datetime import timedelta
from typing import Any

import pytest

from leadroutes.engine.campaign_changes import AT_ONCE, MOST_TRIED
from leadroutes.engine.engine import Engine
from tests.support.api import ask, create
from tests.support.drips import HOUR, MAIL, MANY, REMOVED, TASK, Drip, begin_drip, join_many
from tests.support.town import Town


@pytest.fixture
async def drip(town: Town) -> Drip:
    return await begin_drip(town)


async def template(town: Town) -> int:
    return await town.template("alice")


# What is edited, and what everyone has then: messages, and tasks.
MAILED = ("Email Contact", 60, 1, True, None)
CALLED = (120, "Call", "incomplete")
KINDS: dict[str, tuple[int | None, dict[str, Any] | None, list[tuple], list[tuple], dict[str, int]]] = {
    "a moved message": (
        0, {"delay_by_seconds": 3 * HOUR}, [("Email Contact", 180, 1, True, None)], [CALLED], {"messages": MANY}),
    "other words": (0, {"template_id": 2}, [("Email Contact", 60, 2, True, None)], [CALLED], {"messages": MANY}),
    "other words at another moment": (
        0, {"template_id": 2, "delay_by_seconds": 3 * HOUR}, [("Email Contact", 180, 2, True, None)], [CALLED],
        {"messages": MANY}),
    "a removed message": (0, None, [("Email Contact", 60, 1, False, REMOVED)], [CALLED], {"messages": MANY}),
    "a message that becomes a text": (
        0, {"type": "Text Contact"},
        [("Email Contact", 60, 1, False, "the step was changed into one of another kind"),
         ("Text Contact", 60, 1, True, None)], [CALLED], {"messages": MANY}),
    "an added message": (
        None, MAIL | {"template_id": 1, "delay_by_seconds": 5 * HOUR},
        [MAILED, ("Email Contact", 300, 1, True, None)], [CALLED], {"messages": MANY}),
    "an added task": (
        None, TASK | {"delay_by_seconds": 5 * HOUR}, [MAILED], [CALLED, (300, "Call", "incomplete")],
        {"tasks": MANY}),
    "a moved task": (1, {"delay_by_seconds": HOUR}, [MAILED], [(60, "Call", "incomplete")], {"tasks": MANY}),
    "another task": (1, {"description": "Ring"}, [MAILED], [(120, "Ring", "incomplete")], {"tasks": MANY}),
    "a removed task": (1, None, [MAILED], [(120, "Call", "deleted")], {"tasks": MANY}),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_an_edit_reaches_everyone_in_batches(town: Town, drip: Drip, kind: str) -> None:
    number, body, messages, tasks, counted = KINDS[kind]
    await template(town)
    before = await drip.messages(), await drip.tasks()
    tried = await drip.edit(number, body, "?dry_run=true")
    assert tried == {"contacts": MANY, "messages": 0, "tasks": 0, "is_estimate": False} | counted
    assert (await drip.messages(), await drip.tasks()) == before, "a dry run stores nothing"
    assert not await drip.is_pending()

    await drip.edit(number, body)
    assert MANY - AT_ONCE <= await drip.left() <= MANY
    await drip.carry_over()
    assert await drip.messages() == [(*each, MANY) for each in messages]
    assert await drip.tasks() == [(*each, MANY) for each in tasks]


@pytest.mark.parametrize("kind", KINDS)
async def test_of_very_many_a_dry_run_looks_at_some_and_says_so(town: Town, drip: Drip, kind: str) -> None:
    number, body, _, _, counted = KINDS[kind]
    await template(town)
    for _ in range(2):
        await join_many(town, drip)
    tried = await drip.edit(number, body, "?dry_run=true")
    all_of_them = {name: 3 * each for name, each in counted.items()}
    assert 3 * MANY > MOST_TRIED
    assert tried == {"contacts": 3 * MANY, "messages": 0, "tasks": 0, "is_estimate": True} | all_of_them


async def test_a_dry_run_of_very_many_says_about_how_many_have_it_to_come(town: Town, drip: Drip) -> None:
    """Whoever began in the first third has it behind them; those are ids in a row, and not spread evenly."""
    for _ in range(2):
        await join_many(town, drip)
    await town.database.execute("UPDATE contact_communications SET is_active = false")
    await town.database.execute(
        "UPDATE campaign_contacts SET created_at = created_at - interval '1 day' WHERE id <= $1", MANY
    )
    tried = await drip.edit(None, MAIL | {"template_id": 1, "delay_by_seconds": 5 * HOUR}, "?dry_run=true")
    assert tried["is_estimate"]
    assert tried["contacts"] == tried["messages"]
    assert abs(tried["messages"] - 2 * MANY) < MANY / 4


AGAIN: dict[str, tuple[dict[str, Any], dict[str, Any] | None, tuple[Any, ...]]] = {
    "words after a moment": ({"delay_by_seconds": 3 * HOUR}, {"template_id": 2}, ("Email Contact", 180, 2, True, None)),
    "a moment after words": ({"template_id": 2}, {"delay_by_seconds": 3 * HOUR}, ("Email Contact", 180, 2, True, None)),
    "a moment after a moment": (
        {"delay_by_seconds": 3 * HOUR}, {"delay_by_seconds": 2 * HOUR}, ("Email Contact", 120, 1, True, None)),
    "back again": ({"delay_by_seconds": 3 * HOUR}, {"delay_by_seconds": HOUR}, ("Email Contact", 60, 1, True, None)),
    "a moment after one that is past": (
        {"delay_by_seconds": 60}, {"delay_by_seconds": 4 * HOUR}, ("Email Contact", 240, 1, True, None)),
    "what is of no concern to steps": (
        {"delay_by_seconds": 3 * HOUR}, {"smallest_difference": 7}, ("Email Contact", 180, 1, True, None)),
}  # fmt: skip


@pytest.mark.parametrize("kind", AGAIN)
async def test_a_second_edit_meanwhile_counts_as_well(town: Town, drip: Drip, kind: str) -> None:
    first, second, message = AGAIN[kind]
    await template(town)
    await town.database.move_clock(timedelta(minutes=10))
    await drip.edit(0, first)
    await Engine(town.database).run_due()
    assert await drip.is_pending()
    await drip.edit(0, second)
    await drip.carry_over()
    assert [each for each in await drip.messages() if each[3]] == [(*message, MANY)]


async def test_a_removal_meanwhile_ends_all(town: Town, drip: Drip) -> None:
    await drip.edit(0, {"delay_by_seconds": 3 * HOUR})
    await Engine(town.database).run_due()
    await drip.edit(0, None)
    await drip.carry_over()
    assert [(each[3], each[4]) for each in await drip.messages()] == [(False, REMOVED)] * len(await drip.messages())
    assert sum(each[5] for each in await drip.messages()) == MANY
    assert not await town.database.fetchval("SELECT count(*) FROM changed_actions")


async def test_a_message_that_another_edit_moves_into_the_past_meanwhile_leaves(town: Town, drip: Drip) -> None:
    """What is past is what was past when the moment was changed, however late it is the contact's turn."""
    await template(town)
    await drip.edit(0, {"delay_by_seconds": 2 * HOUR})
    await town.database.move_clock(timedelta(hours=2, minutes=5))
    await drip.edit(0, {"template_id": 2})
    await drip.carry_over()
    assert [each[:4] for each in await drip.messages()] == [("Email Contact", 120, 2, True)]


QUEUED = (
    "SELECT s.campaign_id, count(*) FROM messages m JOIN contact_communications s ON s.id = m.communication_id"
    " WHERE m.state = 'queued' GROUP BY 1"
)
LATER: dict[str, Any] = {"delay_by_seconds": 3 * HOUR}


@pytest.mark.parametrize("edit", [LATER, {"template_id": 2}, None], ids=["moved", "words", "removed"])
async def test_nothing_leaves_that_an_edit_has_not_reached(town: Town, drip: Drip, edit: dict[str, Any] | None) -> None:
    """Another process, which does not carry the edit over, is at work when the old moment comes."""
    await template(town)
    other = await create(town, "alice", "/campaigns", {"name": "Other"})
    await create(town, "alice", f"/campaigns/{other['id']}/actions", MAIL | {"template_id": 1})
    await create(town, "alice", f"/campaigns/{other['id']}/contacts", {"contact_id": await town.contact("alice")})
    await drip.edit(0, edit)
    await town.database.move_clock(timedelta(minutes=61))
    async with town.database.transaction() as carrying:
        await carrying.execute("SELECT FROM changed_actions FOR UPDATE")
        engine = Engine(town.database)
        moment = await engine.run_due()
        assert moment is not None
        assert moment <= town.now, "the edit is to be carried over"
        assert [row["campaign_id"] for row in await town.database.fetch(QUEUED)] == [other["id"]]
    await drip.carry_over()
    if edit == {"template_id": 2}:
        await engine.run_due()
        assert [each[:3] for each in await drip.messages() if each[5] == MANY] == [("Email Contact", 60, 2)]
    else:
        assert [row["campaign_id"] for row in await town.database.fetch(QUEUED)] == [other["id"]]


async def test_what_waits_in_the_queue_waits_for_the_edit(town: Town, drip: Drip) -> None:
    await town.database.move_clock(timedelta(minutes=61))
    await Engine(town.database).run_due()
    await town.database.execute("UPDATE messages SET leaves_at = $1 WHERE kind = 'campaign'", town.now)
    await drip.edit(0, None)
    async with town.database.transaction() as carrying:
        await carrying.execute("SELECT FROM changed_actions FOR UPDATE")
        await Engine(town.database).run_due()
        waiting = await town.database.fetchval(
            "SELECT count(*) FROM messages WHERE state = 'queued' AND leaves_at IS NOT NULL"
        )
        assert waiting == MANY - AT_ONCE
    await drip.carry_over()
    assert {each[3:5] for each in await drip.messages()} == {(False, REMOVED)}


async def test_whoever_is_stopped_before_an_edit_reaches_them_has_it_once_they_go_on(town: Town, drip: Drip) -> None:
    """As it would be, had the edit been carried over at once."""
    await drip.edit(0, {"delay_by_seconds": 3 * HOUR})
    [last] = await town.database.fetch("SELECT id, contact_id FROM campaign_contacts ORDER BY id DESC LIMIT 1")
    stopped = await ask(town, "alice", "DELETE", f"{drip.path}/contacts/{last['id']}")
    assert stopped.status == 200, stopped.body
    await drip.carry_over()
    await town.database.move_clock(timedelta(minutes=5))
    resumed = await ask(town, "alice", "POST", f"{drip.path}/contacts/{last['id']}/resumption", json={})
    assert resumed.status in (200, 201), resumed.body
    assert sorted((each[1], each[5]) for each in await drip.messages() if each[3]) == [(180, MANY - 1), (185, 1)]


async def test_a_step_that_is_stopped_before_an_edit_reaches_it_is_moved_all_the_same(town: Town, drip: Drip) -> None:
    await drip.edit(0, {"delay_by_seconds": 3 * HOUR})
    step_id = await town.database.fetchval("SELECT max(id) FROM contact_communications")
    for is_active in (False, True):
        reply = await ask(town, "alice", "PATCH", f"/contact-communications/{step_id}", json={"is_active": is_active})
        assert reply.status == 200, reply.body
        await drip.carry_over()
    assert [(each[1], each[3]) for each in await drip.messages()] == [(180, True)] * len(await drip.messages())


async def test_an_action_that_is_brought_back_leaves_those_alone_for_whom_it_was_removed(
    town: Town, drip: Drip
) -> None:
    [version] = (await ask(town, "alice", "GET", "/rules/versions?$limit=1")).json["data"]
    await drip.edit(0, None)
    assert await drip.is_pending()
    restored = await ask(town, "alice", "POST", f"/rules/versions/{version['number']}/restore")
    assert restored.status in (200, 201), restored.body
    await drip.carry_over()
    assert await drip.messages() == [("Email Contact", 60, 1, False, REMOVED, MANY)]


async def test_an_edit_of_few_is_carried_over_at_once(town: Town, drip: Drip) -> None:
    await town.database.execute(
        "UPDATE campaign_contacts SET ended_at = $1"
        " WHERE id NOT IN (SELECT id FROM campaign_contacts ORDER BY id LIMIT 5)", town.now,
    )  # fmt: skip
    await town.database.execute(
        "UPDATE contact_communications SET is_active = false WHERE campaign_contact_id IN"
        " (SELECT id FROM campaign_contacts WHERE ended_at IS NOT NULL)"
    )
    await drip.edit(0, {"delay_by_seconds": 3 * HOUR})
    assert not await drip.is_pending()
    assert await drip.left() == 0
    assert [(each[1], each[5]) for each in await drip.messages() if each[3]] == [(180, 5)]


async def test_another_time_zone_of_a_sender_is_carried_over_in_batches(town: Town, drip: Drip) -> None:
    """Contacts whose own zone is known wait on; the request writes no step."""
    await town.database.move_clock(timedelta(minutes=61))
    await town.database.execute("UPDATE contacts SET time_zone = 'America/Denver' WHERE id % 2 = 0")
    await town.database.execute(
        "UPDATE contact_communications SET waits_until = $1, held_by = 1", town.now + timedelta(hours=9)
    )
    held = "SELECT count(*) FROM contact_communications WHERE waits_until IS NOT NULL"
    before = await town.database.fetchval(held)
    reply = await ask(town, "alice", "PATCH", "/me", json={"timezone": "America/New_York"})
    assert reply.status == 200, reply.body
    assert await town.database.fetchval(held) == before
    while await town.database.fetchval("SELECT count(*) FROM changed_time_zones"):
        await Engine(town.database).run_due()
    assert await town.database.fetchval(held) == MANY // 2

"""A changed campaign changes for everyone for whom it has not left; a dry run says for how many."""

from datetime import timedelta
from typing import Any

import pytest

from leadroutes.engine.engine import Engine
from tests.support.api import ask, create
from tests.support.town import Town

MAIL = {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 3600}
TASK = {"type": "Agent Task - Call Reminder", "timing_type": "Delay by Minutes", "description": "Call"}
HOUR = 3600


@pytest.fixture
async def drip(town: Town) -> str:
    """The path of a campaign of Alice's that sends a mail after an hour and after three, with a call after two."""
    made = await create(town, "alice", "/campaigns", {"name": "Drip"})
    actions = f"/campaigns/{made['id']}/actions"
    template_id = await town.template("alice")
    for step in (MAIL, MAIL | {"delay_by_seconds": 3 * HOUR}):
        await create(town, "alice", actions, step | {"template_id": template_id})
    await create(town, "alice", actions, TASK | {"delay_by_seconds": 2 * HOUR})
    return f"/campaigns/{made['id']}"


async def join(town: Town, drip: str, **contact: Any) -> int:
    contact_id = await town.contact("alice", **contact)
    await create(town, "alice", f"{drip}/contacts", {"contact_id": contact_id})
    return contact_id


async def pass_by(town: Town, minutes: float) -> None:
    await town.database.move_clock(timedelta(minutes=minutes))
    await Engine(town.database).run_due()
    await town.database.execute(
        "UPDATE contact_communications SET is_active = false, completed_at = $1, sent_from_user_id = owner_id"
        " WHERE taken_at IS NOT NULL AND is_active", town.now,
    )  # fmt: skip


async def steps(town: Town, contact_id: int) -> list[tuple[int, bool, str | None]]:
    """Returns of each message how many minutes after the start it is due, whether it is to come, and why not."""
    start = await town.database.fetchval("SELECT created_at FROM campaign_contacts WHERE contact_id = $1", contact_id)
    rows = await town.database.fetch(
        "SELECT s.send_at, s.is_active, m.reason FROM contact_communications s"
        " LEFT JOIN messages m ON m.owner_id = s.owner_id AND m.communication_id = s.id"
        " WHERE s.contact_id = $1 ORDER BY s.send_at, s.id", contact_id,
    )  # fmt: skip
    return [(round((row["send_at"] - start).total_seconds() / 60), row["is_active"], row["reason"]) for row in rows]


async def tasks(town: Town) -> list[tuple[str, str, str]]:
    found = (await ask(town, "alice", "GET", "/tasks?$sort[id]=1")).json["data"]
    return [(each["action_type"], each["description"], each["status"]) for each in found]


async def actions_of(town: Town, drip: str) -> list[dict]:
    return (await ask(town, "alice", "GET", f"{drip}/actions")).json["data"]


async def change(town: Town, drip: str, number: int, body: dict, method: str = "PATCH") -> Any:
    action = (await actions_of(town, drip))[number]
    reply = await ask(town, "alice", method, f"{drip}/actions/{action['id']}", json=body)
    assert reply.status == 200, reply.body
    return reply.json


async def tried(town: Town, drip: str, number: int, body: dict | None, method: str = "PATCH") -> Any:
    before = await actions_of(town, drip), await town.database.fetch("SELECT * FROM contact_communications ORDER BY id")
    path = f"{drip}/actions" if method == "POST" else f"{drip}/actions/{before[0][number]['id']}"
    reply = await ask(town, "alice", method, f"{path}?dry_run=true", json=body)
    assert reply.status == 200, reply.body
    after = await actions_of(town, drip), await town.database.fetch("SELECT * FROM contact_communications ORDER BY id")
    assert after == before, "a dry run stores nothing"
    return reply.json


def changed(contacts: int, messages: int, tasks: int = 0) -> dict:
    return {"contacts": contacts, "messages": messages, "tasks": tasks, "is_estimate": False}


async def test_a_moved_step_moves_for_whom_it_has_not_left(town: Town, drip: str) -> None:
    early = await join(town, drip)
    await pass_by(town, 61)
    late = await join(town, drip)
    assert await tried(town, drip, 0, {"delay_by_seconds": 2 * HOUR}) == changed(1, 1)
    await change(town, drip, 0, {"delay_by_seconds": 2 * HOUR})
    assert await steps(town, early) == [(60, False, None), (180, True, None)], "it has left"
    assert await steps(town, late) == [(120, True, None), (180, True, None)]


async def test_a_step_that_is_moved_into_the_past_is_not_sent_and_comes_back(town: Town, drip: str) -> None:
    contact_id = await join(town, drip)
    await pass_by(town, 90)
    assert await tried(town, drip, 1, {"delay_by_seconds": 60}) == changed(1, 1)
    await change(town, drip, 1, {"delay_by_seconds": 60})
    gone = (180, False, "its moment had passed when the step was moved")
    assert await steps(town, contact_id) == [(60, False, None), gone]
    await change(town, drip, 1, {"delay_by_seconds": 4 * HOUR})
    assert [each[:2] for each in await steps(town, contact_id)] == [(60, False), (240, True)]
    await pass_by(town, 151)
    assert await town.database.fetchval("SELECT state FROM messages ORDER BY id DESC LIMIT 1") == "queued"


async def test_an_added_step_is_for_everyone_for_whom_it_is_to_come(town: Town, drip: str) -> None:
    early = await join(town, drip)
    await pass_by(town, 120)
    late = await join(town, drip)
    body = MAIL | {"template_id": await town.template("alice"), "delay_by_seconds": 90 * 60}
    assert await tried(town, drip, 0, body, "POST") == changed(1, 1)
    await create(town, "alice", f"{drip}/actions", body)
    assert [minute for minute, _, _ in await steps(town, early)] == [60, 180], "its moment is past"
    assert [minute for minute, _, _ in await steps(town, late)] == [60, 90, 180]
    await create(town, "alice", f"{drip}/actions", TASK | {"delay_by_seconds": 5 * HOUR, "description": "Call again"})
    assert [each[1] for each in await tasks(town)] == ["Call", "Call", "Call again", "Call again"]


async def test_a_removed_step_is_not_sent(town: Town, drip: str) -> None:
    contact_id = await join(town, drip)
    assert await tried(town, drip, 1, None, "DELETE") == changed(1, 1)
    await change(town, drip, 1, {}, "DELETE")
    assert await steps(town, contact_id) == [
        (60, True, None), (180, False, "the step was removed from the campaign by Alice Town"),
    ]  # fmt: skip
    assert await tried(town, drip, 1, None, "DELETE") == changed(1, 0, 1)
    await change(town, drip, 1, {}, "DELETE")
    assert await tasks(town) == [("Agent Task - Call Reminder", "Call", "deleted")]


async def test_another_template_and_sender_count_for_what_has_not_left(town: Town, drip: str) -> None:
    early = await join(town, drip)
    await pass_by(town, 61)
    late = await join(town, drip)
    template_id = await town.template("alice")
    body = {"template_id": template_id, "assigned_user_id": town.users["bob"]}
    assert await tried(town, drip, 0, body) == changed(1, 1)
    await change(town, drip, 0, body)
    rows = await town.database.fetch(
        "SELECT contact_id FROM contact_communications WHERE template_id = $1 AND assigned_user_id = $2",
        template_id, town.users["bob"],
    )  # fmt: skip
    assert [row["contact_id"] for row in rows] == [late] != [early]
    assert await tried(town, drip, 0, body) == changed(0, 0), "it is so already"


async def test_a_task_gets_its_words_and_its_day_until_it_is_due(town: Town, drip: str) -> None:
    await join(town, drip)
    assert await tried(town, drip, 2, {"description": "Ring"}) == changed(1, 0, 1)
    await change(town, drip, 2, {"description": "Ring", "delay_by_seconds": 4 * HOUR})
    [task] = (await ask(town, "alice", "GET", "/tasks")).json["data"]
    start = await town.database.fetchval("SELECT created_at FROM campaign_contacts")
    due_at = await town.database.fetchval("SELECT due_at FROM tasks")
    assert (task["description"], due_at - start) == ("Ring", timedelta(hours=4))
    await pass_by(town, 300)
    await change(town, drip, 2, {"description": "Too late", "delay_by_seconds": 9 * HOUR})
    assert (await tasks(town))[0][1] == "Ring", "it is on the agent's list"


async def test_a_mail_that_becomes_a_text_is_replaced(town: Town, drip: str) -> None:
    contact_id = await join(town, drip)
    await change(town, drip, 1, {"type": "Text Contact"})
    rows = await town.database.fetch(
        "SELECT type, is_active FROM contact_communications WHERE contact_id = $1 ORDER BY id", contact_id
    )
    assert [tuple(row) for row in rows] == [
        ("Email Contact", True), ("Email Contact", False), ("Text Contact", True),
    ]  # fmt: skip


async def test_who_stood_still_gets_the_step_by_as_much_later(town: Town, drip: str) -> None:
    contact_id = await join(town, drip)
    [run] = (await ask(town, "alice", "GET", f"{drip}/contacts")).json["data"]
    await ask(town, "alice", "DELETE", f"{drip}/contacts/{run['id']}")
    await change(town, drip, 0, {"delay_by_seconds": 2 * HOUR})
    assert [active for _, active, _ in await steps(town, contact_id)] == [False, False], "what was stopped stays so"
    await pass_by(town, 300)
    await ask(town, "alice", "POST", f"{drip}/contacts/{run['id']}/resumption")
    await change(town, drip, 1, {"delay_by_seconds": 4 * HOUR})
    assert [minute for minute, _, _ in await steps(town, contact_id)][-1] == 240 + 300


async def test_people_of_other_owners_are_in_a_shared_campaign_and_not_seen(town: Town, drip: str) -> None:
    await town.database.execute("UPDATE campaigns SET is_default = true")
    contact = await create(town, "dave", "/contacts", {})
    await create(town, "dave", f"{drip}/contacts", {"contact_id": contact["id"]})
    assert await tried(town, drip, 0, {"delay_by_seconds": 2 * HOUR}) == changed(1, 1)
    path = f"{drip}/actions/{(await actions_of(town, drip))[0]['id']}"
    for method in ("PATCH", "DELETE"):
        assert (await ask(town, "dave", method, f"{path}?dry_run=true", json={"delay_by_seconds": 1})).status == 403
    assert (await ask(town, "dave", "POST", f"{drip}/actions?dry_run=true", json=TASK)).status == 403


@pytest.mark.parametrize("query", ["dry_run=perhaps", "dry_run=", "dry_run[a]=true", "dry_run=2"])
async def test_a_dry_run_is_asked_for_by_true(town: Town, drip: str, query: str) -> None:
    path = f"{drip}/actions/{(await actions_of(town, drip))[0]['id']}"
    for method in ("PATCH", "DELETE"):
        reply = await ask(town, "alice", method, f"{path}?{query}", json={"delay_by_seconds": 9})
        assert reply.status == 400, reply.body
    done = await ask(town, "alice", "PATCH", f"{path}?dry_run=false", json={"delay_by_seconds": 9})
    assert (done.status, done.json["delay_by_seconds"]) == (200, 9)
    other = await ask(town, "alice", "PATCH", f"{drip}?dry_run=true", json={})
    assert other.status == 400, "only actions can be tried"


async def test_a_dry_run_of_what_is_wrong_says_what_is(town: Town, drip: str) -> None:
    path = f"{drip}/actions/{(await actions_of(town, drip))[0]['id']}"
    reply = await ask(town, "alice", "PATCH", f"{path}?dry_run=true", json={"delay_by_seconds": "soon"})
    assert (reply.status, list(reply.json["errors"])) == (400, ["delay_by_seconds"])
    same = await ask(town, "alice", "PATCH", f"{path}?dry_run=true", json={})
    assert same.json == changed(0, 0)


# ---------------------------------------------------------------------------------------------- while a step waits


STAND_STILL = ["claim", "window", "queue"]


async def stand_still(town: Town, drip: str, why: str) -> int:
    """A contact whose first step has been due for a minute, and waits: for a claim, a window, or in the queue."""
    contact_id = await town.contact("alice", email="mia@example.com", time_zone="America/Denver")
    if why == "claim":
        await town.option("alice", town.team_id, "bob")
        await town.database.execute("UPDATE teams SET mins_until_next_alert = 30")
        await ask(town, "alice", "PATCH", drip, json={"pause_on_offer": True, "stops_on": []})
        await town.route("alice", campaign_id=int(drip.rpartition("/")[2]))
        await create(town, "alice", "/leads", {"contact_id": contact_id, "source_id": 1})
    else:
        await create(town, "alice", f"{drip}/contacts", {"contact_id": contact_id})
    if why == "window":
        await ask(town, "alice", "PATCH", drip, json={"send_window": {"weekly_hours": {}}})
    await town.database.move_clock(timedelta(minutes=61))
    await Engine(town.database).run_due()
    if why == "queue":
        await town.database.execute(
            "UPDATE messages SET leaves_at = $1 WHERE kind = 'campaign'", town.now + timedelta(days=1)
        )
    return contact_id


async def let_go(town: Town, drip: str) -> None:
    """Someone has the lead, and every window is open."""
    await ask(town, "alice", "PATCH", drip, json={"pause_on_offer": False, "send_window": None})
    for _ in range(2):
        await Engine(town.database).run_due()


async def outbox(town: Town) -> list[tuple[str, str | None]]:
    rows = await town.database.fetch(
        "SELECT state, reason FROM messages WHERE kind = 'campaign' AND leaves_at IS NULL ORDER BY id"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("why", STAND_STILL)
async def test_a_step_that_waits_is_moved_like_others(town: Town, drip: str, why: str) -> None:
    contact_id = await stand_still(town, drip, why)
    assert await tried(town, drip, 0, {"delay_by_seconds": 2 * HOUR}) == changed(1, 1)
    await change(town, drip, 0, {"delay_by_seconds": 2 * HOUR})
    assert [each[:2] for each in await steps(town, contact_id)] == [(120, True), (180, True)]
    await let_go(town, drip)
    assert [state for state, _ in await outbox(town)] in ([], ["suppressed"]), "its moment is to come"
    await town.database.move_clock(timedelta(hours=1))
    await Engine(town.database).run_due()
    assert [state for state, _ in await outbox(town)] == ["queued"]


@pytest.mark.parametrize("why", STAND_STILL)
async def test_a_step_that_waits_is_not_sent_if_it_is_moved_into_the_past(town: Town, drip: str, why: str) -> None:
    contact_id = await stand_still(town, drip, why)
    assert await tried(town, drip, 0, {"delay_by_seconds": 60}) == changed(1, 1)
    await change(town, drip, 0, {"delay_by_seconds": 60})
    gone = (60, False, "its moment had passed when the step was moved")
    assert (await steps(town, contact_id))[0] == gone
    await let_go(town, drip)
    await town.database.execute("UPDATE messages SET leaves_at = NULL")
    assert await outbox(town) == [("suppressed", gone[2])]
    await change(town, drip, 0, {"delay_by_seconds": 2 * HOUR})
    assert (await steps(town, contact_id))[0][:2] == (120, True)


@pytest.mark.parametrize("why", STAND_STILL)
async def test_a_step_that_waits_is_removed_and_gets_other_words_like_others(town: Town, drip: str, why: str) -> None:
    contact_id = await stand_still(town, drip, why)
    body = {"template_id": await town.template("alice"), "assigned_user_id": town.users["bob"]}
    assert await tried(town, drip, 0, body) == changed(1, 1)
    await change(town, drip, 0, body)
    row = await town.database.fetchrow(
        "SELECT template_id, assigned_user_id FROM contact_communications WHERE contact_id = $1"
        " ORDER BY send_at LIMIT 1",
        contact_id,
    )
    assert dict(row) == body
    assert await tried(town, drip, 0, None, "DELETE") == changed(1, 1)
    await change(town, drip, 0, {}, "DELETE")
    removed = "the step was removed from the campaign by Alice Town"
    assert (await steps(town, contact_id))[0] == (60, False, removed)
    await let_go(town, drip)
    await town.database.execute("UPDATE messages SET leaves_at = NULL")
    assert await outbox(town) == [("suppressed", removed)]


async def stop(town: Town, drip: str) -> str:
    """Stops the only run of the campaign; returns the path that sets it going again."""
    [run] = (await ask(town, "alice", "GET", f"{drip}/contacts")).json["data"]
    reply = await ask(town, "alice", "DELETE", f"{drip}/contacts/{run['id']}")
    assert reply.status == 200, reply.body
    return f"{drip}/contacts/{run['id']}/resumption"


async def test_what_changes_while_a_campaign_is_stopped_counts_once_it_goes_on(town: Town, drip: str) -> None:
    contact_id = await join(town, drip)
    resumption = await stop(town, drip)
    await town.database.move_clock(timedelta(minutes=200))
    template_id = await town.template("alice")
    await change(town, drip, 0, {"delay_by_seconds": 2 * HOUR})
    await change(town, drip, 1, {"type": "Text Contact"})
    await change(town, drip, 2, {"delay_by_seconds": 3 * HOUR, "description": "Ring"})
    await create(town, "alice", f"{drip}/actions", MAIL | {"template_id": template_id, "delay_by_seconds": 90 * 60})
    await create(town, "alice", f"{drip}/actions", TASK | {"delay_by_seconds": 5 * HOUR, "description": "Call again"})
    await town.database.move_clock(timedelta(minutes=100))
    assert [active for _, active, _ in await steps(town, contact_id)] == [False, False]

    assert (await ask(town, "alice", "POST", resumption)).status == 200

    rows = await town.database.fetch("SELECT type, send_at, is_active FROM contact_communications ORDER BY send_at, id")
    start = await town.database.fetchval("SELECT created_at FROM campaign_contacts")
    assert [(row["type"], round((row["send_at"] - start).total_seconds() / 60), row["is_active"]) for row in rows] == [
        ("Email Contact", 90 + 300, True),
        ("Email Contact", 120 + 300, True),
        ("Email Contact", 180 + 300, False),
        ("Text Contact", 180 + 300, True),
    ]
    due = await town.database.fetch("SELECT due_at, status FROM tasks ORDER BY due_at")
    assert [(round((row["due_at"] - start).total_seconds() / 60), row["status"]) for row in due] == [
        (180 + 300, "incomplete"), (300 + 300, "incomplete"),
    ]  # fmt: skip
    assert (await ask(town, "alice", "POST", resumption)).status == 409


async def test_what_was_moved_into_the_past_meanwhile_is_not_sent_when_it_goes_on(town: Town, drip: str) -> None:
    contact_id = await join(town, drip)
    await town.database.move_clock(timedelta(minutes=30))
    resumption = await stop(town, drip)
    await change(town, drip, 0, {"delay_by_seconds": 600})
    await town.database.move_clock(timedelta(minutes=300))
    await ask(town, "alice", "POST", resumption)
    assert await steps(town, contact_id) == [
        (60 + 300, False, "its moment had passed when the step was moved"),
        (180 + 300, True, "it was stopped and set going again; it is sent at its moment"),
    ]


async def test_a_date_that_is_put_off_meanwhile_is_not_missed(town: Town, drip: str) -> None:
    def dated(hours: float) -> dict:
        moment = (town.now + timedelta(hours=hours)).isoformat()
        return {"timing_type": "Exact Date and Time", "dispatch_datetime": moment}

    await change(town, drip, 0, dated(1))
    contact_id = await join(town, drip)
    resumption = await stop(town, drip)
    await town.database.move_clock(timedelta(hours=2))
    await change(town, drip, 0, dated(5))
    await ask(town, "alice", "POST", resumption)
    assert [each[:2] for each in await steps(town, contact_id)] == [(180 + 120, True), (5 * 60 + 120, True)]


async def test_a_task_that_was_removed_by_hand_stays_away_when_it_goes_on(town: Town, drip: str) -> None:
    await town.database.execute("UPDATE campaign_actions SET timed_at = timed_at - interval '1 day'")
    await join(town, drip)
    [task] = (await ask(town, "alice", "GET", "/tasks")).ids
    assert (await ask(town, "alice", "DELETE", f"/tasks/{task}")).status == 200
    resumption = await stop(town, drip)
    assert (await ask(town, "alice", "POST", resumption)).status == 200
    assert await tasks(town) == []


async def test_a_step_that_is_set_going_by_hand_is_as_its_action_is_by_now(town: Town, drip: str) -> None:
    contact_id = await join(town, drip)
    first, second = (await ask(town, "alice", "GET", "/contact-communications?$sort[id]=1")).ids
    for each in (first, second):
        await ask(town, "alice", "PATCH", f"/contact-communications/{each}", json={"is_active": False})
    body = {"template_id": await town.template("alice"), "assigned_user_id": town.users["bob"]}
    await change(town, drip, 0, body)
    await change(town, drip, 1, {}, "DELETE")
    before = await town.database.fetch("SELECT * FROM contact_communications ORDER BY id")
    for each in (first, second):
        reply = await ask(town, "alice", "PATCH", f"/contact-communications/{each}", json={"is_active": True})
        assert reply.status == 200, reply.body
    rows = await town.database.fetch(
        "SELECT template_id, assigned_user_id, is_active FROM contact_communications WHERE contact_id = $1 ORDER BY id",
        contact_id,
    )
    assert [dict(row) for row in rows] == [
        body | {"is_active": True},
        {"template_id": before[1]["template_id"], "assigned_user_id": None, "is_active": True},
    ]

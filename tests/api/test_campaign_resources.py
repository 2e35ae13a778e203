"""Campaigns, actions, running campaigns, communications, templates and folders: the rules that are theirs alone."""

import asyncio

import pytest

from tests.support.api import ask, create


@pytest.fixture
async def actions(town):
    """The URL of the actions of a campaign of Alice's."""
    campaign = await create(town, "alice", "/campaigns", {"name": "Drip"})
    return f"/campaigns/{campaign['id']}/actions"


async def test_an_action_is_answered_as_documented(town, actions):
    template_id = await town.template("alice")
    body = {"type": "Text Contact", "template_id": template_id, "timing_type": "Delay by Minutes",
            "delay_by_seconds": 300}  # fmt: skip
    record = await create(town, "alice", actions, body)

    assert record == {
        "id": record["id"], "campaign_id": int(actions.split("/")[2]), "type": "Text Contact",
        "assigned_user_id": None, "template_id": template_id, "timing_type": "Delay by Minutes",
        "delay_by_days": None, "dispatch_time": None, "delay_by_seconds": 300, "dispatch_datetime": None,
        "recurrence": None, "trigger_type": 1, "is_stopped_on_text_reply": False, "description": None,
        "send_window": None,
        "conditions": None, "conditions_text": None, "variants": None, "smallest_difference": 5,
    }  # fmt: skip


TASK = "Agent Task - No Reminder"
TIMED = [
    ({"timing_type": "Delay by Day and Time"}, ["delay_by_days", "dispatch_time"]),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": 1, "dispatch_time": "24:00"}, ["dispatch_time"]),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": 1, "dispatch_time": "9:00"}, ["dispatch_time"]),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": -1, "dispatch_time": "09:00"}, ["delay_by_days"]),
    ({"timing_type": "Delay by Day and Time", "delay_by_days": 0, "dispatch_time": "09:00:59"}, []),
    ({"timing_type": "Delay by Minutes"}, ["delay_by_seconds"]),
    ({"timing_type": "Exact Date and Time"}, ["dispatch_datetime"]),
    ({"timing_type": "Exact Date and Time", "dispatch_datetime": "2027-01-01"}, []),
    ({"timing_type": "Recurring"}, ["recurrence"]),
    ({"timing_type": "Recurring", "recurrence": "FREQ=SOMETIMES"}, ["recurrence"]),
    ({"timing_type": "Recurring", "recurrence": "FREQ=WEEKLY;BYDAY=MO"}, []),
    ({"timing_type": "Recurring", "recurrence": "FREQ=WEEKLY", "type": "Call Contact"}, ["timing_type"]),
    ({"timing_type": "Delay by Minutes", "delay_by_seconds": 0, "template_id": "@"}, ["template_id"]),
    ({"timing_type": "Delay by Minutes", "delay_by_seconds": 0, "trigger_type": 3}, ["trigger_type"]),
    ({"timing_type": "Delay by Minutes", "delay_by_seconds": 0, "trigger_type": "2"}, []),
    ({"timing_type": "Now"}, ["timing_type"]),
]


@pytest.mark.parametrize(("body", "wrong"), TIMED, ids=[str(case[0]) for case in TIMED])
async def test_an_action_has_the_fields_of_its_timing_and_type(town, actions, body, wrong):
    template_id = await town.template("alice")
    filled = {"type": TASK} | {name: template_id if value == "@" else value for name, value in body.items()}
    reply = await ask(town, "alice", "POST", actions, json=filled)

    assert reply.status == (400 if wrong else 201), reply.body
    if wrong:
        assert list(reply.json["errors"]) == wrong


async def test_fields_of_another_timing_become_null(town, actions):
    body = {"type": "Text Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 300,
            "is_stopped_on_text_reply": True, "delay_by_days": 5, "recurrence": "nonsense"}  # fmt: skip
    record = await create(town, "alice", actions, body)
    assert (record["delay_by_days"], record["recurrence"]) == (None, None)

    change = {"timing_type": "Exact Date and Time", "dispatch_datetime": "2027-01-01", "type": TASK}
    reply = await ask(town, "alice", "PATCH", f"{actions}/{record['id']}", json=change)
    assert (reply.json["delay_by_seconds"], reply.json["is_stopped_on_text_reply"]) == (None, False)
    missing = await ask(town, "alice", "PATCH", f"{actions}/{record['id']}", json={"timing_type": "Recurring"})
    assert (missing.status, list(missing.json["errors"])) == (400, ["recurrence"])


async def test_a_campaign_runs_once_for_a_contact_until_it_is_stopped(town, actions):
    step = {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 600}
    await create(town, "alice", actions, step | {"template_id": await town.template("alice")})
    contact = await create(town, "alice", "/contacts", {})
    url = actions.replace("actions", "contacts")
    run = await create(town, "alice", url, {"contact_id": str(contact["id"])})
    assert list(run) == ["id", "campaign_id", "contact_id", "created_at"]
    assert (await ask(town, "alice", "POST", url, json={"contact_id": contact["id"]})).status == 409
    assert (await ask(town, "alice", "GET", f"{url}/{run['id']}")).json == run
    unsent = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert [(each["contact_id"], each["is_active"], each["send_from_user_id"]) for each in unsent] == [
        (contact["id"], True, town.users["alice"])
    ]

    stopped = await ask(town, "alice", "DELETE", f"{url}/{run['id']}")
    assert (stopped.status, stopped.json) == (200, run)
    assert (await ask(town, "alice", "DELETE", f"{url}/{run['id']}")).status == 404
    [over] = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert (over["is_active"], over["reason"]) == (False, "the campaign was stopped by Alice Town")
    assert (await create(town, "alice", url, {"contact_id": contact["id"]}))["id"] != run["id"]
    theirs = await create(town, "dave", "/contacts", {})
    wrong = await ask(town, "alice", "POST", url, json={"contact_id": theirs["id"]})
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["contact_id"])


@pytest.fixture
async def communication(town, actions):
    template_id = await town.template("alice", description="Email 1", subject="Hello")
    await create(town, "alice", actions, {"type": "Email Contact", "timing_type": "Delay by Minutes",
                                        "delay_by_seconds": 600, "template_id": template_id})  # fmt: skip
    contact = await create(town, "alice", "/contacts", {"assigned_user_id": town.users["bob"]})
    await create(town, "alice", actions.replace("actions", "contacts"), {"contact_id": contact["id"]})
    return (await ask(town, "alice", "GET", "/contact-communications")).json["data"][0]


async def test_a_communication_is_stopped_and_set_going_again(town, communication):
    assert {name: communication[name] for name in ("campaign_name", "template_subject", "template_name")} == {
        "campaign_name": "Drip", "template_subject": "Hello", "template_name": "Email 1",
    }  # fmt: skip
    assert (communication["template_folder_name"], communication["send_from_user_id"]) == ("Buyers", town.users["bob"])
    url = f"/contact-communications/{communication['id']}"
    stopped = (await ask(town, "bob", "PATCH", url, json={"is_active": False, "send_at": "2001-01-01"})).json
    assert (stopped["is_active"], stopped["completing_user_id"]) == (False, town.users["bob"])
    assert (stopped["completed_at"] is not None, stopped["send_at"]) == (True, communication["send_at"])
    again = (await ask(town, "alice", "PATCH", url, json={"is_active": "true"})).json
    assert again == communication
    assert (await ask(town, "alice", "PATCH", url, json={"is_active": None})).status == 400
    assert (await ask(town, "carol", "PATCH", url, json={"is_active": False})).status == 404
    sender = f"/contact-communications?send_from_user_id={town.users['bob']}"
    assert (await ask(town, "alice", "GET", sender)).ids == [communication["id"]]

    await town.database.execute(
        "UPDATE contact_communications SET is_active = false, completed_at = now(), sent_from_user_id = $1",
        town.users["bob"],
    )
    assert (await ask(town, "alice", "PATCH", url, json={"is_active": True})).status == 409


async def test_folders_count_their_templates_and_are_held_by_them(town):
    folder = await create(town, "alice", "//template-folders", {"name": "Closed clients"})
    kinds = ("Email", "Text", "Phone", "Direct Mail Letter", "Direct Mail Postcard")
    assert folder == {
        "id": folder["id"], "user_id": town.users["alice"], "name": "Closed clients", "description": None,
        "original_template_folder_id": None, "counts": {"counts": dict.fromkeys(kinds, 0)},
    }  # fmt: skip
    template = await create(town, "alice", "/templates", {"template_folder_id": folder["id"], "template_type": "Text"})
    assert template["user_id"] == town.users["alice"]
    url = f"/template-folders/{folder['id']}"
    counts = (await ask(town, "alice", "GET", url)).json["counts"]["counts"]
    assert counts == dict.fromkeys(kinds, 0) | {"Text": 1}
    assert (await ask(town, "alice", "DELETE", url)).status == 409
    theirs = await create(town, "dave", "/template-folders", {"name": "Mine"})
    moved = await ask(town, "alice", "PATCH", f"/templates/{template['id']}", json={"template_folder_id": theirs["id"]})
    assert (moved.status, list(moved.json["errors"])) == (400, ["template_folder_id"])
    assert (await ask(town, "alice", "DELETE", f"/templates/{template['id']}")).status == 200
    assert (await ask(town, "alice", "DELETE", url)).status == 200


async def test_a_template_that_an_action_uses_stays(town, actions):
    template_id = await town.template("alice")
    action = await create(town, "alice", actions, {"type": "Email Contact", "timing_type": "Delay by Minutes",
                                                 "delay_by_seconds": 0, "template_id": template_id})  # fmt: skip
    assert (await ask(town, "alice", "DELETE", f"/templates/{template_id}")).status == 409
    await ask(town, "alice", "DELETE", f"{actions}/{action['id']}")
    assert (await ask(town, "alice", "DELETE", f"/templates/{template_id}")).status == 200


async def test_a_campaign_takes_its_actions_and_runs_along(town, communication, actions):
    assert (await ask(town, "alice", "DELETE", actions.removesuffix("/actions"))).status == 200
    [over] = (await ask(town, "alice", "GET", "/contact-communications")).json["data"]
    assert (over["is_active"], over["reason"]) == (False, "the campaign was removed by Alice Town")
    assert (await ask(town, "alice", "GET", actions)).status == 404


async def test_everyone_may_use_a_default_campaign(town):
    campaign_id = await town.campaign("dave", "New buyer", is_default=True)
    url = f"/campaigns/{campaign_id}"
    shown = (await ask(town, "alice", "GET", url)).json
    assert (shown["is_default"], shown["is_shared_by_broker"]) == (True, False)
    assert (await ask(town, "alice", "DELETE", url)).status == 403
    contact = await create(town, "alice", "/contacts", {})
    await create(town, "alice", f"{url}/contacts", {"contact_id": contact["id"]})


async def test_a_campaigns_tasks_go_with_the_contact_until_someone_assigns_them(town, actions):
    for seconds in (60, 120):
        await create(
            town, "alice", actions, {"type": TASK, "timing_type": "Delay by Minutes", "delay_by_seconds": seconds}
        )
    contact = await create(town, "alice", "/contacts", {})
    await create(town, "alice", actions.replace("actions", "contacts"), {"contact_id": contact["id"]})
    first, second = (await ask(town, "alice", "GET", "/tasks")).json["data"]
    assert first["assigned_user_id"] == town.users["alice"]

    await ask(town, "alice", "PATCH", f"/tasks/{second['id']}", json={"assigned_user_id": town.users["carol"]})
    url = f"/contacts/{contact['id']}"
    await ask(town, "alice", "PATCH", url, json={"assigned_user_id": town.users["bob"]})
    assigned = [each["assigned_user_id"] for each in (await ask(town, "alice", "GET", "/tasks")).json["data"]]
    assert assigned == [town.users["bob"], town.users["carol"]]
    await ask(town, "alice", "PATCH", url, json={"assigned_user_id": 0})
    assert (await ask(town, "alice", "GET", f"/tasks/{first['id']}")).json["assigned_user_id"] == town.users["alice"]


@pytest.mark.parametrize("rule", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYWEEKNO=53;BYYEARDAY=200"])
async def test_a_rule_that_does_not_come_within_ten_years_is_refused(town, actions, rule):
    body = {"type": TASK, "timing_type": "Recurring", "recurrence": rule}
    created = await ask(town, "alice", "POST", actions, json=body)
    record = await create(town, "alice", actions, body | {"recurrence": "FREQ=DAILY"})
    changed = await ask(town, "alice", "PATCH", f"{actions}/{record['id']}", json={"recurrence": rule})

    for reply in (created, changed):
        assert (reply.status, list(reply.json["errors"])) == (400, ["recurrence"])
        assert "that comes within ten years" in reply.json["errors"]["recurrence"]


async def test_a_campaign_has_no_more_than_two_hundred_actions(town, actions):
    campaign_id = int(actions.split("/")[2])
    for _ in range(199):
        await town.action("alice", campaign_id)
    body = {"type": TASK, "timing_type": "Delay by Minutes", "delay_by_seconds": 0}
    replies = await asyncio.gather(*(ask(town, "alice", "POST", actions, json=body) for _ in range(5)))

    assert sorted(reply.status for reply in replies) == [201, 400, 400, 400, 400]
    refused = next(reply for reply in replies if reply.status == 400)
    assert refused.json["errors"] == {"campaign_id": "campaign_id: the campaign has 200 actions; 200 are the limit"}
    first = await town.database.fetchval("SELECT min(id) FROM campaign_actions")
    assert (await ask(town, "alice", "PATCH", f"{actions}/{first}", json={"delay_by_seconds": 60})).status == 200

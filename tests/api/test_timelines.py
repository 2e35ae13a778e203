"""What happened with a lead or a contact, what will be sent, what waits; conversations; campaigns that go on."""

from datetime import timedelta

import pytest

from tests.support.api import ask, create


@pytest.fixture
async def lead(town):
    """A lead of Alice's that Bob has claimed and Carol was never notified of."""
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 10")
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.option("alice", town.team_id, "carol", rank=2)
    await town.route("alice")
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": "mia@example.com"})
    body = {"contact_id": contact["id"], "source_id": 1, "text_body": "Is it still there?"}
    return await create(town, "alice", "/leads", body)


async def timeline(town, name, path):
    reply = await ask(town, name, "GET", path)
    assert reply.status == 200, reply.body
    return reply.json


# -------------------------------------------------------------------------------------------------- conversations


async def test_a_conversation_is_an_event(town, lead):
    url = f"/contacts/{lead['contact_id']}/conversation"
    for name in ("bob", "carol", "dave"):
        assert (await ask(town, name, "POST", url, json={"note": 7})).status == 404
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    assert (await ask(town, "bob", "POST", url, json={"note": 7})).status == 400
    said = await ask(town, "bob", "POST", url, json={"note": "Wants to see it on Sunday"})
    assert said.status == 201, said.body
    assert (said.json["type"], said.json["description"], said.json["user_id"]) == (
        "conversation", "Wants to see it on Sunday", town.users["bob"],
    )  # fmt: skip
    assert (await ask(town, "alice", "GET", f"/events/{said.json['id']}")).json == said.json
    assert (await ask(town, "bob", "POST", url)).status == 201, "a note is not needed"


# ------------------------------------------------------------------------------------------------------- timelines


async def test_a_timeline_has_everything_newest_first(town, lead):
    url, contact = f"/leads/{lead['id']}", lead["contact_id"]
    assert (await ask(town, "bob", "GET", f"{url}/timeline")).status == 403, "it names the contact"
    await ask(town, "bob", "POST", f"{url}/claim")
    await create(town, "bob", "/events", {"contact_id": contact, "type": "note", "description": "Likes gardens"})
    await create(town, "bob", f"/contacts/{contact}/conversation", {})
    task = {"contact_id": contact, "action_type": "Call Contact", "description": "Call", "status": "incomplete"}
    await create(town, "alice", "/tasks", task)
    await create(town, "bob", "/tasks", task | {"description": "Mine", "due_at": "2030-01-01"})

    shown = await timeline(town, "bob", f"{url}/timeline")

    kinds = [each["kind"] for each in shown["data"]]
    assert sorted(kinds) == sorted(
        ["arrived", "offered", "claimed", "message", "note", "conversation", "task", "campaign started"]
    )
    assert shown["next"] is None
    moments = [each["at"] for each in shown["data"]]
    assert moments == sorted(moments, reverse=True)
    [arrived] = [each for each in shown["data"] if each["kind"] == "arrived"]
    assert (arrived["lead_id"], arrived["detail"]["text"], arrived["detail"]["source"]) == (
        lead["id"], "Is it still there?", "Zillow",
    )  # fmt: skip
    assert arrived["by_user_id"] == town.users["alice"], "who entered it by hand"
    [done] = [each for each in shown["data"] if each["kind"] == "task"]
    assert done["detail"]["description"] == "Mine", "of tasks a reader sees their own"
    of_contact = await timeline(town, "bob", f"/contacts/{contact}/timeline")
    assert of_contact == shown
    assert len((await timeline(town, "alice", f"{url}/timeline"))["data"]) == len(shown["data"])


async def test_who_has_the_lead_but_no_longer_the_contact_sees_the_lead_alone(town, lead):
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    await create(town, "bob", "/events", {"contact_id": lead["contact_id"], "type": "note"})
    await ask(town, "alice", "PATCH", f"/contacts/{lead['contact_id']}", json={"assigned_user_id": None})
    kinds = {each["kind"] for each in (await timeline(town, "bob", f"/leads/{lead['id']}/timeline"))["data"]}
    assert kinds == {"arrived", "offered", "claimed", "message"}
    assert (await ask(town, "bob", "GET", f"/contacts/{lead['contact_id']}/timeline")).status == 404


async def test_a_timeline_is_read_page_by_page(town, lead):
    url = f"/contacts/{lead['contact_id']}/timeline"
    for n in range(110):
        await town.insert(
            "events", owner_id=town.users["alice"], user_id=town.users["alice"], contact_id=lead["contact_id"],
            type="note", description=str(n), created_at=town.now, modified_at=town.now,
        )  # fmt: skip
    keys, key = [], ""
    while key is not None:
        page = await timeline(town, "alice", f"{url}?$before={key}" if key else url)
        keys += [each["key"] for each in page["data"]]
        key = page["next"]
    assert len(keys) == len(set(keys)) > 110
    for wrong in ("x", "1-2", "1-2-3-4", "", "9" * 30):
        assert (await ask(town, "alice", "GET", f"{url}?$before={wrong}")).status == 400


@pytest.mark.parametrize(
    "path", ["/leads/{lead}/timeline", "/contacts/{contact}/timeline", "/contacts/{contact}/upcoming"]
)
async def test_strangers_see_no_timeline(town, lead, path):
    url = path.format(lead=lead["id"], contact=lead["contact_id"])
    assert (await ask(town, "alice", "GET", url)).status == 200
    for name in ("carol", "dave"):
        assert (await ask(town, name, "GET", url)).status == 404


# -------------------------------------------------------------------------------------------- campaigns that go on


@pytest.fixture
async def run(town, lead):
    """A campaign of Alice's that runs for the contact: a mail in a day, one at a date, a task in an hour."""
    campaign = await town.campaign("alice", "Nurture")
    template = await town.template("alice")
    await town.action("alice", campaign, template_id=template, delay_by_seconds=86_400)
    exact = {"timing_type": "Exact Date and Time", "delay_by_seconds": None, "template_id": template}
    await town.action("alice", campaign, **exact, dispatch_datetime=town.now + timedelta(days=2))
    await town.action("alice", campaign, type="Agent Task - Call Reminder", delay_by_seconds=3600)
    path = f"/campaigns/{campaign}/contacts"
    return path, await create(town, "alice", path, {"contact_id": lead["contact_id"]})


async def upcoming(town, lead, name="alice"):
    return (await ask(town, name, "GET", f"/contacts/{lead['contact_id']}/upcoming")).json


async def test_what_will_be_sent_is_listed_and_stopped_and_goes_on(town, lead, run):
    path, started = run
    before = await upcoming(town, lead)
    assert [each["campaign_contact_id"] for each in before] == [started["id"]] * 2
    assert before[0]["send_at"] < before[1]["send_at"]
    [task] = (await ask(town, "alice", "GET", "/tasks?status=incomplete")).json["data"]
    url = f"{path}/{started['id']}"
    assert (await ask(town, "alice", "POST", f"{url}/resumption")).status == 409, "it runs"

    await ask(town, "alice", "DELETE", url)
    assert await upcoming(town, lead) == []
    await town.database.move_clock(timedelta(hours=6))
    for name in ("bob", "dave"):
        assert (await ask(town, name, "POST", f"{url}/resumption")).status == 404
    resumed = await ask(town, "alice", "POST", f"{url}/resumption")

    assert (resumed.status, resumed.json) == (200, started)
    after = await upcoming(town, lead)
    assert after[1] == before[1], "a date of its own stays"
    moved = after[0]["send_at"]
    assert moved > before[0]["send_at"]
    assert after[0] | {"send_at": None, "reason": None} == before[0] | {"send_at": None, "reason": None}
    [again] = (await ask(town, "alice", "GET", "/tasks?status=incomplete")).json["data"]
    assert (again["id"], again["due_at"] > task["due_at"]) == (task["id"], True)
    assert (await ask(town, "alice", "POST", f"{url}/resumption")).status == 409
    kinds = [
        each["kind"] for each in (await timeline(town, "alice", f"/contacts/{lead['contact_id']}/timeline"))["data"]
    ]
    assert kinds.count("campaign started") == 2


async def test_a_date_that_has_passed_is_not_made_up_for(town, lead, run):
    path, started = run
    await ask(town, "alice", "DELETE", f"{path}/{started['id']}")
    await town.database.move_clock(timedelta(days=3))
    assert (await ask(town, "alice", "POST", f"{path}/{started['id']}/resumption")).status == 200
    assert len(await upcoming(town, lead)) == 1
    steps = (await ask(town, "alice", "GET", "/contact-communications?is_active=false")).json["data"]
    assert [each["reason"] for each in steps] == ["its moment had passed when the campaign went on"]


async def test_it_does_not_go_on_twice_nor_against_a_suppression(town, lead, run):
    path, started = run
    url = f"{path}/{started['id']}"
    await ask(town, "alice", "DELETE", url)
    suppression = {"channel": "email", "value": "mia@example.com", "reason": "manual"}
    made = await create(town, "alice", "/suppressions", suppression)
    reply = await ask(town, "alice", "POST", f"{url}/resumption")
    assert (reply.status, "suppressed" in reply.json["message"]) == (409, True)
    await ask(town, "alice", "DELETE", f"/suppressions/{made['id']}")
    again = await create(town, "alice", path, {"contact_id": lead["contact_id"]})
    assert (await ask(town, "alice", "POST", f"{url}/resumption")).status == 409, "it has been started again"
    assert (await ask(town, "alice", "POST", f"{path}/{again['id']}/resumption")).status == 409


# ------------------------------------------------------------------------------------------------------------ inbox


async def test_the_inbox_has_offers_leads_and_tasks_that_wait(town, lead):
    shown = (await ask(town, "bob", "GET", "/inbox")).json
    [offer] = shown["offers"]
    assert {name: offer[name] for name in ("lead_id", "first_name", "source", "next_name", "is_exclusive")} == {
        "lead_id": lead["id"], "first_name": "Mia", "source": "Zillow", "next_name": "Carol Town",
        "is_exclusive": False,
    }  # fmt: skip
    assert offer["claimable_until"] > offer["next_notify_at"] > offer["notified_at"]
    assert (shown["leads"], shown["tasks"]) == ([], [])
    assert "mia@example.com" not in str(shown)
    assert (await ask(town, "carol", "GET", "/inbox")).json == {
        "offers": [], "leads": [], "tasks": [], "calls": [], "invitations": [],
    }  # fmt: skip

    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    task = {"contact_id": lead["contact_id"], "action_type": "Call Contact", "description": "Call",
            "status": "incomplete", "assigned_user_id": town.users["bob"]}  # fmt: skip
    await create(town, "bob", "/tasks", task | {"due_at": "2020-01-01"})
    await create(town, "bob", "/tasks", task | {"due_at": "2090-01-01"})

    shown = (await ask(town, "bob", "GET", "/inbox")).json
    assert shown["offers"] == []
    assert [(each["lead_id"], each["email"]) for each in shown["leads"]] == [(lead["id"], "mia@example.com")]
    assert [(each["lead_id"], each["description"]) for each in shown["tasks"]] == [(lead["id"], "Call")]
    await create(town, "bob", "/tasks", task | {"due_at": "2020-02-01"})
    fewer = (await ask(town, "bob", "GET", "/inbox?$limit=1")).json
    assert [each["due_at"] for each in fewer["tasks"]] == ["2020-01-01T00:00:00.000Z"]
    assert (await ask(town, "bob", "GET", "/inbox?$limit=some")).status == 400
    await ask(town, "bob", "POST", f"/contacts/{lead['contact_id']}/conversation")
    assert (await ask(town, "bob", "GET", "/inbox")).json["leads"] == []


async def test_the_inbox_has_invitations_that_wait_for_an_answer(town):
    team = await create(town, "carol", "/teams", {"name": "North"})
    member = await create(town, "carol", "/team-members", {"team_id": team["id"], "user_id": town.users["bob"]})
    [shown] = (await ask(town, "bob", "GET", "/inbox")).json["invitations"]
    assert shown == {
        "id": member["id"], "request_status": "Pending", "team_name": "North", "is_sharing": False,
        "inviter_name": "Carol Town", "role": None,
    }  # fmt: skip
    assert (await ask(town, "carol", "GET", "/inbox")).json["invitations"] == []

"""What ends a campaign for a contact, what waits until someone has the lead, and what is said of what was not sent."""

from datetime import timedelta
from typing import Any

import pytest

from leadroutes.engine.engine import Engine
from tests.support.api import ask, create
from tests.support.town import Town

MAIL = {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 600}


async def campaign_of(town: Town, *, steps: int = 1, **fields: Any) -> dict:
    made = await create(town, "alice", "/campaigns", {"name": f"Drip {fields}", **fields})
    template_id = await town.template("alice")
    for number in range(1, steps + 1):
        step = MAIL | {"template_id": template_id, "delay_by_seconds": 600 * number}
        await create(town, "alice", f"/campaigns/{made['id']}/actions", step)
    return made


async def begin(town: Town, campaign: dict, contact_id: int) -> int:
    made = await create(town, "alice", f"/campaigns/{campaign['id']}/contacts", {"contact_id": contact_id})
    return made["id"]


async def reasons(town: Town) -> list[tuple[bool, str | None]]:
    found = await ask(town, "alice", "GET", "/contact-communications?$limit=100")
    return [(each["is_active"], each["reason"]) for each in found.json["data"]]


# ----------------------------------------------------------------------------------------------------- the setting


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({}, ["reply", "conversation"]),
        ({"stops_on": None}, None),
        ({"stops_on": []}, []),
        ({"stops_on": ["claim", "claim", "appointment"]}, ["claim", "appointment"]),
    ],
)
async def test_a_new_campaign_stops_on_answers_and_conversations(town: Town, sent: dict, stored: list | None) -> None:
    made = await create(town, "alice", "/campaigns", {"name": "Drip", **sent})
    assert (made["stops_on"], made["pause_on_offer"]) == (stored, False)
    assert list(made)[-3:-1] == ["stops_on", "pause_on_offer"], "behind the documented keys"


@pytest.mark.parametrize("wrong", [["answer"], "reply", [7], {"reply": True}, 3])
async def test_what_does_not_stop_campaigns_is_refused(town: Town, wrong: Any) -> None:
    made = await create(town, "alice", "/campaigns", {"name": "Drip"})
    reply = await ask(town, "alice", "PATCH", f"/campaigns/{made['id']}", json={"stops_on": wrong})
    assert (reply.status, list(reply.json["errors"])) == (400, ["stops_on"])
    assert "reply, conversation, claim, appointment" in reply.json["errors"]["stops_on"]


async def test_campaigns_that_exist_at_an_upgrade_keep_stopping_on_nothing(town: Town) -> None:
    """The migration adds the column without a default, and the default after it."""
    campaign_id = await town.campaign("alice", stops_on=None)
    shown = await ask(town, "alice", "GET", f"/campaigns/{campaign_id}")
    assert shown.json["stops_on"] is None


# ----------------------------------------------------------------------------------------------------- what stops


async def converse(town: Town, contact_id: int) -> None:
    await create(town, "alice", f"/contacts/{contact_id}/conversation", {"note": "On the phone"})


async def event(town: Town, contact_id: int, type_: str) -> None:
    await create(town, "alice", "/events", {"contact_id": contact_id, "type": type_})


TALKED = "someone has talked with the contact"
EVENTS = {
    "conversation": (converse, TALKED),
    "entered": (lambda town, contact_id: event(town, contact_id, "Conversation"), TALKED),
    "appointment": (
        lambda town, contact_id: event(town, contact_id, "appointment"), "an appointment was made with the contact",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "stops_on", "stops"),
    [
        ("conversation", ["conversation"], True),
        ("entered", ["conversation"], True),
        ("conversation", ["reply", "claim", "appointment"], False),
        ("conversation", None, False),
        ("conversation", [], False),
        ("appointment", ["appointment"], True),
        ("appointment", ["conversation"], False),
    ],
)
async def test_what_happens_with_a_contact_stops_the_campaigns_that_say_so(
    town: Town, name: str, stops_on: list | None, stops: bool
) -> None:
    act, reason = EVENTS[name]
    contact_id = await town.contact("alice", email="mia@example.com")
    campaign = await campaign_of(town, stops_on=stops_on)
    run_id = await begin(town, campaign, contact_id)
    await act(town, contact_id)
    assert await reasons(town) == [(not stops, reason if stops else None)]
    runs = await ask(town, "alice", "GET", f"/campaigns/{campaign['id']}/contacts")
    assert runs.json["total"] == (0 if stops else 1)
    resumed = await ask(town, "alice", "POST", f"/campaigns/{campaign['id']}/contacts/{run_id}/resumption")
    assert resumed.status == (200 if stops else 409)
    assert await reasons(town) == [(True, None)]


async def test_only_the_campaigns_of_that_contact_stop(town: Town) -> None:
    contact_id, other_id = await town.contact("alice"), await town.contact("alice")
    first, second = await campaign_of(town), await campaign_of(town, stops_on=["claim"])
    for campaign, person in ((first, contact_id), (second, contact_id), (first, other_id)):
        await begin(town, campaign, person)
    await converse(town, contact_id)
    assert [each for each, _ in await reasons(town)] == [False, True, True]


async def test_a_note_stops_nothing_and_who_only_sees_a_contact_cannot_stop(town: Town) -> None:
    contact_id = await town.contact("alice")
    await begin(town, await campaign_of(town), contact_id)
    await event(town, contact_id, "note")
    for name in ("bob", "dave"):
        assert (await ask(town, name, "POST", f"/contacts/{contact_id}/conversation")).status == 404
    assert await reasons(town) == [(True, None)]


# ------------------------------------------------------------------------------------------------------- claims


@pytest.fixture
async def lead(town: Town) -> dict:
    """A lead of Alice's that Bob is offered, of a contact for whom no campaign has been started by hand."""
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 30")
    await town.option("alice", town.team_id, "bob")
    town.campaign_id = (await campaign_of(town, steps=2, stops_on=["claim"]))["id"]
    contact_id = await town.contact("alice", email="mia@example.com")
    return {"contact_id": contact_id, "source_id": 1}


async def inquire(town: Town, lead: dict, **route: Any) -> dict:
    await town.route("alice", campaign_id=town.campaign_id, **route)
    return await create(town, "alice", "/leads", lead)


async def test_a_claim_stops_what_was_to_go_on_until_someone_has_the_lead(town: Town, lead: dict) -> None:
    made = await inquire(town, lead)
    assert [each for each, _ in await reasons(town)] == [True, True]
    await ask(town, "bob", "POST", f"/leads/{made['id']}/claim")
    assert await reasons(town) == [(False, "someone has the lead")] * 2


async def test_a_campaign_that_the_claim_starts_is_not_stopped_by_it(town: Town, lead: dict) -> None:
    made = await inquire(town, lead, campaign_start="Claim")
    await ask(town, "bob", "POST", f"/leads/{made['id']}/claim")
    assert await reasons(town) == [(True, None)] * 2


async def test_a_lead_that_someone_has_at_once_stops_it_at_once(town: Town, lead: dict) -> None:
    await inquire(town, lead, distribution_target="Myself", team_selection_method=None, team_id=None)
    assert await reasons(town) == [(False, "someone has the lead")] * 2


# ----------------------------------------------------------------------------------------- waiting for the claim


@pytest.fixture
def engine(town: Town) -> Engine:
    return Engine(town.database)


async def run_due(town: Town, engine: Engine, minutes: float) -> None:
    await town.database.move_clock(timedelta(minutes=minutes))
    await engine.run_due()


async def queued(town: Town) -> list[str]:
    rows = await town.database.fetch("SELECT state FROM messages WHERE kind = 'campaign' ORDER BY id")
    return [row["state"] for row in rows]


@pytest.fixture
async def paused(town: Town, lead: dict) -> dict:
    path = f"/campaigns/{town.campaign_id}"
    await ask(town, "alice", "PATCH", path, json={"stops_on": [], "pause_on_offer": True})
    return await inquire(town, lead)


WAITS = "it waits until someone has the lead"


async def test_steps_wait_until_someone_has_the_lead(town: Town, paused: dict, engine: Engine) -> None:
    await run_due(town, engine, 11)
    assert await queued(town) == ["suppressed"]
    assert await reasons(town) == [(True, WAITS), (True, None)]
    await engine.run_due()
    assert await queued(town) == ["suppressed"], "what is held is not looked at again"

    await ask(town, "bob", "POST", f"/leads/{paused['id']}/claim")
    await engine.run_due()
    assert await queued(town) == ["queued"]
    await run_due(town, engine, 10)
    assert await queued(town) == ["queued", "queued"], "someone has it: the next one goes at its moment"


async def test_a_lead_that_was_given_back_waits_again(town: Town, paused: dict, engine: Engine) -> None:
    await ask(town, "bob", "POST", f"/leads/{paused['id']}/claim")
    await ask(town, "bob", "POST", f"/leads/{paused['id']}/give-back")
    await run_due(town, engine, 11)
    assert await reasons(town) == [(True, WAITS), (True, None)]


async def test_a_pause_that_is_taken_away_lets_everything_go(town: Town, paused: dict, engine: Engine) -> None:
    await run_due(town, engine, 21)
    assert await reasons(town) == [(True, WAITS)] * 2
    await ask(town, "alice", "PATCH", f"/campaigns/{town.campaign_id}", json={"pause_on_offer": False})
    await engine.run_due()
    assert await queued(town) == ["queued", "queued"]


async def test_a_held_step_is_stopped_like_others(town: Town, paused: dict, engine: Engine) -> None:
    await run_due(town, engine, 11)
    runs = (await ask(town, "alice", "GET", f"/campaigns/{town.campaign_id}/contacts")).json["data"]
    path = f"/campaigns/{town.campaign_id}/contacts/{runs[0]['id']}"
    await ask(town, "alice", "DELETE", path)
    assert await reasons(town) == [(False, "the campaign was stopped by Alice Town")] * 2
    await ask(town, "bob", "POST", f"/leads/{paused['id']}/claim")
    await engine.run_due()
    assert await queued(town) == ["suppressed", "suppressed"]


async def test_who_was_added_by_hand_waits_for_no_one(town: Town, engine: Engine) -> None:
    await begin(town, await campaign_of(town, pause_on_offer=True), await town.contact("alice"))
    await run_due(town, engine, 11)
    assert await queued(town) == ["queued"]

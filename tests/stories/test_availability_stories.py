"""A brokerage at night: a lead that waits for the morning, a pause, and a cap, through the front door."""

from datetime import datetime, timedelta

from tests.support.story import Story


async def test_a_lead_of_the_night_waits_for_the_first_who_is_back(story: Story) -> None:
    await story.change_team(when_nobody_is_available="Hold")
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    back = (story.database.clock.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    for name, until in (("bob", None), ("carol", back.isoformat())):
        body = {"is_paused": True, "paused_until": until}
        answer = await story[name].patch(f"/availabilities/{story.town.users[name]}", json=body)
        assert answer.status_code == 200, answer.text
    lead = await story.inquire()
    assert await story.states(lead["id"]) == {"bob": "skipped", "carol": "scheduled"}
    offers = {
        each["user"]["first_name"]: each for each in (await story.get("alice", f"/leads/{lead['id']}/offers"))["data"]
    }
    assert offers["Bob"]["reason"] == "paused"
    assert offers["Carol"]["reason"].startswith("back ")
    assert datetime.fromisoformat(offers["Carol"]["available_from"]) == back
    await story.pass_time(hours=2)
    await story.mail_to("carol", "New lead: Mia")
    assert (await story.claim("carol", lead["id"])).status_code == 200

    later = await story.inquire("noa")
    assert await story.states(later["id"]) == {"bob": "skipped", "carol": "notified"}
    answer = await story["bob"].patch(f"/availabilities/{story.town.users['bob']}", json={"is_paused": False})
    assert answer.json()["available_now"] is True
    await story.inquire("ida")
    await story.mail_to("bob", "New lead: Ida")


async def test_a_cap_passes_leads_on_and_a_claim_is_never_refused(story: Story) -> None:
    await story.option("bob", rank=1, max_leads_per_day=1)
    await story.option("carol", rank=2)
    await story.route()
    first, second = await story.inquire("mia"), await story.inquire("noa")
    for lead in (first, second):
        assert (await story.claim("bob", lead["id"])).status_code == 200
    third = await story.inquire("ida")
    assert await story.states(third["id"]) == {"bob": "skipped", "carol": "notified"}
    routing = await story.get("alice", f"/leads/{third['id']}/routing")
    assert "leads today: 2 of 1" in str(routing["members"])

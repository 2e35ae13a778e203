"""Who is offered a lead first, through the front door: every way to distribute, and people who come back."""

from typing import Any

from tests.support.story import Story


async def line(story: Story, lead: Any) -> list[tuple[str, str]]:
    """The line-up in order, with the state of each offer."""
    routing = await story.get("alice", f"/leads/{lead['id']}/routing")
    names = {user_id: name for name, user_id in story.town.users.items()}
    return [(names[each["user_id"]], each["state"]) for each in routing["members"] if each["state"]]


def first_in(story: Story, routing: Any) -> dict[str, str]:
    """Who is said to have been first in line, and why."""
    names = {user_id: name for name, user_id in story.town.users.items()}
    return {names[each["user_id"]]: each["first"] for each in routing["members"] if each["first"]}


async def test_simultaneous_all_are_notified_at_once_whatever_the_minutes_say(story: Story) -> None:
    await story.change_team(order_method="Simultaneous", mins_until_next_alert=30)
    await story.option("bob", rank=2)
    await story.option("carol", rank=1)
    await story.route()
    lead = await story.inquire()
    for name in ("bob", "carol"):
        await story.mail_to(name, "New lead: Mia")
    assert await line(story, lead) == [("carol", "notified"), ("bob", "notified")]
    offers = (await story.get("alice", f"/leads/{lead['id']}/offers"))["data"]
    assert {offer["rank"] for offer in offers} == {1, 2}
    assert (await story.claim("bob", lead["id"])).status_code == 200
    team = await story.get("alice", f"/teams/{story.ids['team']}")
    assert team["mins_until_next_alert"] == 30
    route = (await story.get("alice", "/lead-routes"))["data"][0]
    assert route["team"]["order_method"] == 3


async def test_least_loaded_who_has_the_fewest_open_leads_is_first(story: Story) -> None:
    await story.change_team(order_method="Least Loaded")
    await story.option("bob", rank=1)
    await story.option("carol", rank=2, weight=2)
    await story.route()
    leads = [await story.inquire(f"person{number}") for number in range(6)]
    firsts = [(await line(story, lead))[0] for lead in leads]
    assert firsts == [(name, "notified") for name in ("bob", "carol", "carol", "bob", "carol", "carol")]
    for lead in leads[1:3]:
        assert (await story.claim("carol", lead["id"])).status_code == 200
    offer = next(each for each in (await story.get("carol", "/lead-offers"))["data"] if each["state"] == "notified")
    assert (await story["carol"].post(f"/lead-offers/{offer['id']}/decline", json={})).status_code == 200
    lead = await story.inquire("last")
    why = await story.get("alice", f"/leads/{lead['id']}/routing")
    counted = {each["user_id"]: each["counted"]["text"] for each in why["members"] if each["counted"]}
    bob, carol = story.town.users["bob"], story.town.users["carol"]
    assert counted == {bob: "0 open leads and 2 on offer", carol: "2 open leads and 1 on offer"}
    assert first_in(story, why) == {"carol": "fewest open leads for their weight"}


async def test_longest_idle_who_waited_longest_is_first(story: Story) -> None:
    await story.change_team(order_method="Longest Idle")
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    first, second = await story.inquire("one"), await story.inquire("two")
    assert [(await line(story, lead))[0][0] for lead in (first, second)] == ["bob", "carol"]
    assert (await story.claim("bob", first["id"])).status_code == 200
    assert (await line(story, await story.inquire("three")))[0][0] == "carol"
    why = await story.get("alice", f"/leads/{second['id']}/routing")
    assert first_in(story, why) == {"carol": "longest without a lead"}


async def test_whoever_comes_back_is_offered_to_their_agent_and_then_to_the_others(story: Story) -> None:
    await story.change_team(order_method="Round Robin")
    for name in ("bob", "carol", "alice"):
        await story.option(name)
    await story.route(returning_contact="Same Agent")
    first = await story.inquire("mia")
    await story.mail_to("bob", "New lead: Mia")  # which is not sent any more once the lead is claimed
    assert (await story.claim("bob", first["id"])).status_code == 200
    assert (await line(story, await story.inquire("ned")))[0] == ("carol", "notified")
    await story.pass_time(days=2)
    again = await story.inquire("mia")
    await story.mail_to("bob", "New lead: Mia", count=2)
    assert await line(story, again) == [("bob", "notified"), ("alice", "scheduled"), ("carol", "scheduled")]
    await story.pass_time(minutes=5)
    await story.mail_to("alice", "New lead: Mia")
    why = await story.get("alice", f"/leads/{again['id']}/routing")
    assert first_in(story, why) == {"bob": "agent of the contact, who comes back"}
    assert (await line(story, await story.inquire("ola")))[0] == ("alice", "notified"), "no turn was taken"


async def test_an_inquiry_about_a_listing_goes_to_its_agent_first(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    await story.post("alice", "/listing-agents", mls_id="DEN 77", user_id=story.town.users["carol"])
    lead = await story.inquire("mia", mls="den77")
    assert await line(story, lead) == [("carol", "notified"), ("bob", "scheduled")]
    why = await story.get("alice", f"/leads/{lead['id']}/routing")
    assert first_in(story, why) == {"carol": "agent of the listing"}
    assert await line(story, await story.inquire("ned", mls="78")) == [("bob", "notified"), ("carol", "scheduled")]

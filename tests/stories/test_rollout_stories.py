"""Who is notified when, and who has the lead in the end: the rollout, through the API and the pages."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.support.story import Story


def minutes_apart(offers: list[dict[str, Any]]) -> list[tuple[str, float]]:
    from datetime import datetime

    moments = [datetime.fromisoformat(offer["notify_at"]) for offer in offers]
    names = [offer["user"]["first_name"].lower() for offer in offers]
    return [(name, (at - moments[0]).total_seconds() / 60) for name, at in zip(names, moments, strict=True)]


async def test_rank_one_is_notified_after_the_other_until_someone_claims(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    lead = await story.inquire()
    await story.mail_to("bob", "New lead: Mia")
    offers = (await story["alice"].post(f"/leads/{lead['id']}/offers", json={})).json()
    assert minutes_apart(offers) == [("bob", 0), ("carol", 5)]
    assert offers[0]["notify_at"] == lead["created_at"]
    assert story.mails_to("carol") == []
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "New lead: Mia")
    answer = await story.claim("carol", lead["id"])
    assert answer.status_code == 200
    claimed = answer.json()
    assert claimed["claimed_by_user_id"] == story.town.users["carol"]
    assert claimed["claimed_via"] == "None"
    assert claimed["time_to_claim"] >= 300
    assert "Carol Town claimed this lead at" in await story.mail_to("bob", "Taken: Mia")
    assert await story.states(lead["id"]) == {"bob": "lost", "carol": "won"}
    contact = await story.get("alice", f"/contacts/{claimed['contact_id']}")
    assert contact["assigned_user_id"] == story.town.users["carol"]
    late = await story.claim("bob", lead["id"])
    assert late.status_code == 409
    assert late.json()["message"].startswith("This lead has already been claimed by Carol Town at ")
    assert late.json()["data"] == {
        "claimed_by_user_id": story.town.users["carol"],
        "claimed_at": claimed["claimed_at"],
    }


async def test_time_each_after_their_own_minutes(story: Story) -> None:
    await story.change_team(order_method="Time")
    await story.option("bob", mins_until_lead_offer=10)
    await story.option("carol", mins_until_lead_offer=0)
    await story.route()
    lead = await story.inquire()
    await story.mail_to("carol", "New lead")
    assert await story.states(lead["id"]) == {"carol": "notified", "bob": "scheduled"}
    await story.pass_time(minutes=9)
    await story.pass_time(minutes=1)
    await story.mail_to("bob", "New lead")


async def test_round_robin_shares_a_hundred_leads_evenly(story: Story) -> None:
    await story.change_team(order_method="Round Robin")
    for name in ("bob", "carol", "alice"):
        await story.option(name)
    await story.route()
    leads = await asyncio.gather(*(story.inquire(f"person{number}") for number in range(100)))
    firsts = Counter()
    for lead in leads:
        offers = (await story.get("alice", f"/leads/{lead['id']}/offers"))["data"]
        firsts[min(offers, key=lambda offer: offer["notify_at"])["user"]["first_name"]] += 1
    assert sorted(firsts.values()) == [33, 33, 34]


async def test_the_team_that_owns_the_zipcode(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.change_team(distribution_zipcodes="80205, 98112-0001")
    await story.route(team_selection_method="Zipcode", team_id=None)
    assert await story.states((await story.inquire("ada", zip="80205-1234"))["id"]) == {"bob": "notified"}
    assert await story.states((await story.inquire("bo", zip=98112))["id"]) == {"bob": "notified"}
    elsewhere = await story.inquire("cy", zip="33602")
    assert await story.states(elsewhere["id"]) == {"alice": "notified"}
    why = await story.get("alice", f"/leads/{elsewhere['id']}/routing")
    assert why["outcome"] == "offered to the owner: no team has the zipcode 33602"


async def test_myself_the_owner_has_it_at_once(story: Story) -> None:
    await story.route(distribution_target="Myself")
    lead = await story.inquire()
    assert (lead["claimed_by_user_id"], lead["claimed_via"]) == (story.town.users["alice"], "Auto")
    await story.mail_to("alice", "You have the lead: Mia")
    answer = await story["alice"].post(f"/leads/{lead['id']}/offers", json={})
    assert answer.status_code == 409
    assert await story.ledger() == {"received": 1, "claimed": 1}


async def test_in_the_middle_of_a_rollout_someone_is_assigned_automatically(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.option("carol", rank=2, assign_automatically=True)
    await story.route()
    lead = await story.inquire()
    await story.mail_to("bob", "New lead")
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "You have the lead")
    await story.mail_to("bob", "Taken")
    seen = await story.get("carol", f"/leads/{lead['id']}")
    assert seen["claimed_via"] == "Auto"
    assert await story.states(lead["id"]) == {"bob": "lost", "carol": "won"}


async def test_a_decline_brings_the_next_one_forward(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    lead = await story.inquire()
    [offer] = (await story.get("bob", "/lead-offers"))["data"]
    answer = await story["bob"].post(f"/lead-offers/{offer['id']}/decline", json={})
    assert answer.status_code == 200
    assert answer.json()["state"] == "declined"
    await story.mail_to("carol", "New lead")
    assert await story.states(lead["id"]) == {"bob": "declined", "carol": "notified"}
    assert (await story.claim("bob", lead["id"])).status_code == 409
    [offer] = (await story.get("carol", "/lead-offers"))["data"]
    await story["carol"].post(f"/lead-offers/{offer['id']}/decline", json={})
    await story.mail_to("alice", "No one claimed")
    assert await story.ledger() == {"received": 1, "unclaimed": 1}


async def test_under_exclusive_an_offer_expires_when_the_next_member_is_notified(story: Story) -> None:
    await story.change_team(offer_mode="Exclusive")
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    lead = await story.inquire()
    link = await story.link_to("bob")
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "New lead")
    assert await story.states(lead["id"]) == {"bob": "expired", "carol": "notified"}
    assert (await story.claim("bob", lead["id"])).status_code == 409
    assert (await story["anonymous"].post(link)).status_code == 409
    await story.pass_time(minutes=15)
    await story.mail_to("alice", "No one claimed")
    assert (await story.claim("bob", lead["id"])).status_code == 200, "once unclaimed, all notified members may claim"


async def test_fifty_agents_claim_at_once_and_one_has_it(story: Story) -> None:
    agents = [f"agent{number}" for number in range(50)]
    for agent in agents:
        await story.town.add_user(agent)
    await story.change_team(mins_until_next_alert=0)
    await story.join(*agents)
    for agent in agents:
        await story.option(agent, has_email_alert=False)
    await story.route()
    lead = await story.inquire()
    answers: list[httpx.Response] = await asyncio.gather(*(story.claim(agent, lead["id"]) for agent in agents))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
    [winner] = [answer.json()["claimed_by_user_id"] for answer in answers if answer.status_code == 200]
    assert {answer.json()["data"]["claimed_by_user_id"] for answer in answers if answer.status_code == 409} == {winner}


async def test_who_is_assigned_before_their_turn_is_notified_with_a_link(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    lead = await story.inquire()
    path, body = f"/leads/{lead['id']}/assignment", {"user_id": story.town.users["carol"]}
    assert (await story["alice"].post(path, json=body)).status_code == 200
    page = await story["anonymous"].get(await story.link_to("carol", "You have the lead: Mia"))
    assert "mia@example.org" in page.text


async def test_the_owner_assigns_and_assigns_again_and_the_history_keeps_both(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.route()
    lead = await story.inquire()
    for name in ("carol", "bob"):
        answer = await story["alice"].post(f"/leads/{lead['id']}/assignment", json={"user_id": story.town.users[name]})
        assert answer.status_code == 200
        assert (answer.json()["claimed_by_user_id"], answer.json()["claimed_via"]) == (
            story.town.users[name],
            "Assigned",
        )
        await story.mail_to(name, "You have the lead")
    await story.mail_to("carol", "Taken")
    history = await story.get("alice", f"/leads/{lead['id']}/history")
    events = history["data"] if isinstance(history, dict) else history
    assert [event["user_id"] for event in events if event["kind"] == "assigned"] == [
        story.town.users["carol"],
        story.town.users["bob"],
    ]
    stranger = await story["alice"].post(f"/leads/{lead['id']}/assignment", json={"user_id": story.town.users["dave"]})
    assert stranger.status_code == 400
    assert "user_id" in stranger.json()["errors"]


async def test_no_one_claims_and_the_owner_is_alerted_once(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.route()
    lead = await story.inquire()
    await story.mail_to("bob", "New lead")
    assert await story.ledger() == {"received": 1, "on_offer": 1}
    await story.pass_time(minutes=15)
    link = await story.link_to("alice", "No one claimed")
    assert await story.ledger() == {"received": 1, "unclaimed": 1}
    answer = await story["anonymous"].post(link)
    assert answer.status_code == 200
    assert (await story.get("alice", f"/leads/{lead['id']}"))["claimed_via"] == "Email"
    assert len(story.mails_to("alice")) == 1


async def test_no_route_the_owner_gets_the_offer_and_the_reason(story: Story) -> None:
    lead = await story.inquire()
    assert "no route matches" in await story.mail_to("alice", "New lead")
    assert await story.states(lead["id"]) == {"alice": "notified"}
    assert (await story.get("alice", f"/leads/{lead['id']}/routing"))["outcome"].endswith("no route matches")


async def test_an_empty_team_is_not_a_dead_end(story: Story) -> None:
    await story.route()
    lead = await story.inquire()
    await story.mail_to("alice", "New lead")
    why = await story.get("alice", f"/leads/{lead['id']}/routing")
    assert {member["reason"] for member in why["members"] if member["state"] is None} == {
        "no distribution option for this team"
    }


async def test_a_claim_link_previews_claims_and_then_shows_who_claimed(story: Story) -> None:
    await story.change_team(mins_until_next_alert=0)
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()
    lead = await story.inquire(phone="303-555-0199", city="Denver", state="CO", message="Call me at 303-555-0199")
    bobs, carols = await story.link_to("bob"), await story.link_to("carol")
    for _ in range(2):
        preview = await story["anonymous"].get(bobs)
        assert preview.status_code == 200
        assert "Mia" in preview.text
        assert "Denver" in preview.text
        for secret in ("0199", "mia@example.org", "Lund"):
            assert secret not in preview.text
    assert (await story.get("alice", f"/leads/{lead['id']}"))["claimed_by_user_id"] is None, "a look is not a claim"
    foreign = await story["anonymous"].post(bobs, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    won = await story["anonymous"].post(bobs)
    assert won.status_code == 200
    assert "tel:+13035550199" in won.text
    assert "mailto:mia@example.org" in won.text
    lost_look, lost_claim = await story["anonymous"].get(carols), await story["anonymous"].post(carols)
    assert (lost_look.status_code, lost_claim.status_code) == (200, 409)
    assert "Bob Town" in lost_look.text
    assert "0199" not in lost_look.text
    assert (await story["anonymous"].get("/claim/forged")).status_code == 404
    assert (await story.get("alice", f"/leads/{lead['id']}"))["claimed_via"] == "Email"

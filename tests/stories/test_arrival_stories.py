"""A lead arrives: once, for one person, and never without what happens next."""

import asyncio

from tests.support.mailbox import to
from tests.support.story import JSON, Story
from tests.support.town import Town


async def test_the_same_vendor_lead_three_times_is_one_lead(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.route()
    answers = [
        await story["anonymous"].post(
            f"/intake/{story.key}", json={"email": "mia@example.org", "lead_id": "Z-1", "n": n}
        )
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await story.get("alice", "/leads"))["total"] == 1
    await story.mail_to("bob", "New lead")
    assert len(story.mails_to("bob")) == 1


async def test_two_arrivals_of_a_new_person_at_once_make_one_contact(story: Story) -> None:
    await story.route(distribution_target="Myself")
    answers = await asyncio.gather(
        *(
            story["anonymous"].post(f"/intake/{story.key}", json={"email": "mia@example.org", "message": f"number {n}"})
            for n in range(10)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert (await story.get("alice", "/contacts?email=MIA@example.org"))["total"] == 1
    assert (await story.get("alice", "/leads"))["total"] == 1


async def test_what_is_not_understood_is_stored_and_listed(story: Story) -> None:
    answer = await story["anonymous"].post(
        f"/intake/{story.key}", content=b"\x00\x01\x02", headers={"Content-Type": "x/y"}
    )
    assert answer.status_code == 422
    assert answer.json()["name"] == "Unprocessable"
    arrival_id = answer.json()["data"]["arrival_id"]
    arrival = await story.get("alice", f"/arrivals/{arrival_id}")
    assert arrival["status"] == "rejected"
    assert arrival["reason"]
    raw = await story["alice"].get(f"/arrivals/{arrival_id}/raw")
    assert raw.content == b"\x00\x01\x02"
    assert await story.ledger() == {"received": 1, "rejected": 1}


async def test_post_leads_by_an_existing_contact(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.route()
    contact = await story.post("alice", "/contacts", first_name="Mia", email="mia@example.org")
    lead = await story.post("alice", "/leads", contact_id=contact["id"], source_id=1, type="Buyer", zipcode=98112)
    assert lead["zipcode"] == "98112"
    await story.mail_to("bob", "New lead: Mia")
    held = await story.post("alice", "/leads", contact_id=contact["id"], source_id=1, distribute=False)
    assert await story.ledger() == {"received": 2, "on_offer": 1, "held": 1}
    first = await story["alice"].post(f"/leads/{held['id']}/offers", json={})
    again = await story["alice"].post(f"/leads/{held['id']}/offers", json={})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert await story.ledger() == {"received": 2, "on_offer": 2}


async def test_an_idempotency_key_answers_the_first_lead(story: Story) -> None:
    contact = await story.post("alice", "/contacts", first_name="Mia")
    headers = {"Idempotency-Key": "k-1"}
    body = {"contact_id": contact["id"], "source_id": 1}
    first = await story["alice"].post("/leads", json=body, headers=headers)
    again = await story["alice"].post("/leads", json=body, headers=headers)
    other = await story["alice"].post("/leads", json=body | {"type": "Buyer"}, headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json() == again.json()


async def test_a_restart_between_the_arrival_and_the_alert_loses_nothing(unstarted: Story) -> None:
    async with unstarted.service(with_worker=False):
        await unstarted.set_up()
        await unstarted.option("bob", rank=1)
        await unstarted.option("carol", rank=2)
        await unstarted.route()
        lead = await unstarted.inquire()
    assert unstarted.mailbox.mails == []
    await unstarted.pass_time(minutes=7)
    async with unstarted.service():
        await unstarted.mailbox.wait_for(1, to("bob"))
        await unstarted.mailbox.wait_for(1, to("carol"))
        assert await unstarted.states(lead["id"]) == {"bob": "notified", "carol": "notified"}


async def test_a_stranger_sees_nothing(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.route()
    lead = await story.inquire()
    assert (await story.claim("dave", lead["id"])).status_code == 404
    for path in ("", "/offers", "/routing", "/history"):
        answer = await story["dave"].get(f"/leads/{lead['id']}{path}")
        assert answer.status_code == 404
    for path in ("/leads", "/contacts", "/lead-offers", "/lead-routes", "/teams", "/arrivals", "/campaigns"):
        assert (await story.get("dave", path))["total"] == 0
    offered = await story.get("bob", f"/leads/{lead['id']}")
    assert offered["text_body"] is None
    assert (await story["bob"].get(f"/contacts/{lead['contact_id']}")).status_code == 404
    assert (await story.claim("bob", lead["id"])).status_code == 200
    assert (await story["bob"].get(f"/contacts/{lead['contact_id']}")).status_code == 200


async def test_a_body_that_is_broken_is_refused_and_stored(story: Story) -> None:
    answer = await story["anonymous"].post(f"/intake/{story.key}", content=b'{"email": ', headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json()["data"]["arrival_id"]
    huge = await story["anonymous"].post(f"/intake/{story.key}", content=b"x" * (1_048_576 + 1), headers=JSON)
    assert huge.status_code == 413
    assert (await story["anonymous"].post("/intake/unknown", json={})).status_code in (401, 404)


async def test_people_are_only_made_by_the_town(unstarted: Story) -> None:
    """The stories' cast is what the command line makes: users with hashed tokens."""
    assert isinstance(unstarted.town, Town)
    digests = await unstarted.database.fetch("SELECT token_hash FROM access_tokens")
    assert all(len(row["token_hash"]) == 32 for row in digests)

"""Stories of junk: what an agent says, what the owner reads, whose turn comes next, and what passed someone by."""

from tests.support.story import Story


async def test_bob_finds_that_a_lead_is_spam_and_is_first_again(story: Story) -> None:
    await story.change_team(order_method="Round Robin")
    for rank, name in enumerate(("bob", "carol"), start=1):
        await story.option(name, rank=rank)
    await story.route()
    spam = await story.inquire("mia")
    await story.mail_to("bob", "New lead")
    await story.pass_time(minutes=2)
    await story.claim("bob", spam["id"])

    answer = await story["bob"].post(f"/leads/{spam['id']}/junk", json={"reason": "spam"})

    assert (answer.status_code, answer.json()["junk_reason"]) == (200, "spam")
    assert "says that it is junk" in await story.mail_to("alice", "Junk: Mia")
    assert await story.ledger() == {"received": 1, "claimed": 1, "junk": 1}
    second, third = await story.inquire("noa"), await story.inquire("lea")
    assert await story.states(second["id"]) == {"bob": "notified", "carol": "scheduled"}
    assert await story.states(third["id"]) == {"carol": "notified", "bob": "scheduled"}
    [row] = (await story.get("carol", "/passed-over"))["data"]
    assert row["reason"] == "It was Bob's turn, and Bob claimed it after 2 minutes"

    answer = await story["alice"].request("DELETE", f"/leads/{spam['id']}/junk")
    assert (answer.status_code, answer.json()["junk_reason"]) == (200, None)
    assert await story.ledger() == {"received": 3, "claimed": 1, "on_offer": 2}
    closed = await story["bob"].patch(f"/leads/{spam['id']}", json={"is_closed": True})
    assert (closed.status_code, closed.json()["is_closed"]) == (200, True)
    own = await story.get("bob", f"/leads/{spam['id']}/routing")
    assert (own["before"], own["routes"], len(own["members"])) == (0, [], 1)
    assert own["members"][0]["words"].startswith("It was your turn; notified ")

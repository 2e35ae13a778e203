"""A campaign asks for a call: whoever has claimed the lead is alerted, calls, and has done it."""

from datetime import UTC, datetime

from tests.support.mailbox import text_of
from tests.support.processes import until
from tests.support.story import Story

NOON = datetime(2027, 3, 10, 19, 30, tzinfo=UTC)  # in Denver, on a Wednesday


async def test_whoever_has_the_lead_is_asked_to_call_and_has_done_it_once_they_have_talked(unstarted: Story) -> None:
    await unstarted.database.begin_clock(NOON)
    async with unstarted.service():
        await unstarted.set_up()
        await tell(unstarted)


async def tell(story: Story) -> None:
    folder = await story.post("alice", "/template-folders", name="Buyers")
    template = await story.post(
        "alice", "/templates", template_folder_id=folder["id"], template_type="Phone", description="First call",
        body="Ask {{ contact.first_name }} about the garden.",
    )  # fmt: skip
    for seconds in (60, 120):
        await story.post(
            "alice", f"/campaigns/{story.ids['campaign']}/actions", type="Call Contact", template_id=template["id"],
            timing_type="Delay by Minutes", delay_by_seconds=seconds,
        )  # fmt: skip
    answer = await story["alice"].patch(f"/campaigns/{story.ids['campaign']}", json={"stops_on": []})
    assert answer.status_code == 200
    await story.option("bob", rank=1)
    await story.route()
    lead = await story.inquire(phone="303-555-0199")
    assert (await story.claim("bob", lead["id"])).status_code == 200
    assert (await story.get("bob", "/inbox"))["calls"] == []
    await story.pass_time(seconds=61)
    words = await story.mail_to("bob", "Call Mia Lund")
    assert "Number: " in words
    assert "Ask Mia about the garden." in words
    assert f"/app/leads/{lead['id']}" in words
    [call] = (await story.get("bob", "/inbox"))["calls"]
    assert (call["name"], call["lead_id"], call["campaign"], call["template"]) == (
        "Mia Lund", lead["id"], "Follow-up", "First call"
    )  # fmt: skip
    asked = (await story.get("alice", "/contact-communications"))["data"][0]
    assert (asked["id"], asked["is_active"], asked["asked_user_id"]) == (call["id"], True, story.town.users["bob"])

    await story.post("bob", f"/contacts/{call['contact_id']}/conversation", note="It is sunny")
    assert (await story.get("bob", "/inbox"))["calls"] == []
    await story.pass_time(seconds=60)
    await story.mail_to("bob", "Call Mia Lund", 2)

    async def is_asked() -> bool:
        return len((await story.get("bob", "/inbox"))["calls"]) == 1

    await until(is_asked)
    [call] = (await story.get("bob", "/inbox"))["calls"]
    done = await story["bob"].patch(f"/contact-communications/{call['id']}", json={"is_active": False})
    assert (done.status_code, done.json()["completing_user_id"]) == (200, story.town.users["bob"])
    assert done.json()["reason"] is None
    assert (await story.get("bob", "/inbox"))["calls"] == []
    alerts = [mail for mail in story.mailbox.mails if mail["Subject"] == "Call Mia Lund"]
    assert [mail["To"] for mail in alerts] == ["bob@example.com"] * 2
    assert all("mia@example.org" not in mail["To"] for mail in story.mailbox.mails), text_of(alerts[0])

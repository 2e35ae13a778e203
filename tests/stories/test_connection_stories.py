"""An agent is connected with the person: whoever answers ends the campaigns that a conversation ends."""

import asyncio

import pytest

from tests.support.call_story import MIA, PHONES, CallStory
from tests.support.processes import until
from tests.support.provider_calls import Person

DETAILS = "It is yours. Mia Lund, at 303-555-0199, in Denver."
AGAIN = f"{DETAILS} Press 3 to hear it again."


@pytest.fixture
async def connecting(call_story: CallStory) -> CallStory:
    """Bob is connected to whoever asks; a campaign writes to them after ten minutes."""
    story = call_story.story
    folder = await story.post("alice", "/template-folders", name="Mails")
    words = {"template_type": "Email", "subject": "Hello", "body": "Hi {{ contact.first_name }}"}
    template = await story.post("alice", "/templates", template_folder_id=folder["id"], **words)
    await story.post(
        "alice", f"/campaigns/{story.ids['campaign']}/actions", type="Email Contact", template_id=template["id"],
        timing_type="Delay by Minutes", delay_by_seconds=600,
    )  # fmt: skip
    await story.change_team(connect_on_claim=True)
    await call_story.option("bob")
    await story.route()
    call_story.at("bob", Person(keys=("1", "3")))
    return call_story


async def conversations(story: CallStory, contact_id: int) -> list[tuple[int, str]]:
    """Who has talked with the contact, and how."""
    events = (await story.story.get("alice", f"/events?contact_id={contact_id}&type=conversation"))["data"]
    return [(each["user_id"], each["description"]) for each in events]


async def reason_of_step(story: CallStory) -> tuple[bool, str | None]:
    [step] = (await story.story.get("alice", "/contact-communications"))["data"]
    return step["is_active"], step["reason"]


@pytest.mark.parametrize("has_doubles", [False, True])
async def test_a_connection_in_which_the_person_answers_is_a_conversation_and_ends_the_campaign(
    connecting: CallStory, has_doubles: bool
) -> None:
    connecting.at("bob", Person(keys=("1", "3"), has_doubles=has_doubles))
    connecting.phones.at(MIA, Person())
    lead = await connecting.inquire()
    call = await connecting.phones.call_to(PHONES["bob"])
    assert call.said[-2:] == [AGAIN, AGAIN], "details are said afterwards, and again"
    said = "connected by phone when the lead was claimed"
    assert await conversations(connecting, lead["contact_id"]) == [(connecting.story.town.users["bob"], said)]
    assert await reason_of_step(connecting) == (False, "someone has talked with the contact")
    timeline = await connecting.story.get("bob", f"/leads/{lead['id']}/timeline")
    assert "conversation" in [each["kind"] for each in timeline["data"]]
    await connecting.story.pass_time(minutes=11)
    await connecting.message("kind = 'campaign'", state="suppressed", reason="someone has talked with the contact")


@pytest.mark.parametrize("line", ["no-answer", "busy", "failed"])
async def test_a_connection_that_no_one_answers_is_no_conversation(connecting: CallStory, line: str) -> None:
    connecting.phones.at(MIA, Person(line=line))  # type: ignore[arg-type]
    lead = await connecting.inquire()
    assert len((await connecting.phones.call_to(PHONES["bob"])).dialled) == 1
    assert await conversations(connecting, lead["contact_id"]) == []
    assert await reason_of_step(connecting) == (True, None)


async def test_a_campaign_that_no_conversation_ends_goes_on_after_a_connection(connecting: CallStory) -> None:
    story = connecting.story
    changed = await story["alice"].patch(f"/campaigns/{story.ids['campaign']}", json={"stops_on": ["reply"]})
    assert changed.status_code == 200, changed.text
    connecting.phones.at(MIA, Person())
    lead = await connecting.inquire()
    await connecting.phones.call_to(PHONES["bob"])
    assert len(await conversations(connecting, lead["contact_id"])) == 1
    assert await reason_of_step(connecting) == (True, None)


async def test_who_talks_while_the_lead_is_given_to_someone_else_has_talked(connecting: CallStory) -> None:
    hangs_up = asyncio.Event()
    connecting.phones.at(MIA, Person(waits_for=hangs_up))
    lead = await connecting.inquire()
    call = await connecting.phones.call_to(PHONES["bob"], is_done=False)

    async def is_connected() -> bool:
        return bool(call.dialled)

    await until(is_connected)
    story = connecting.story
    answer = await story["alice"].post(f"/leads/{lead['id']}/assignment", json={"user_id": story.town.users["carol"]})
    assert answer.status_code == 200, answer.text
    hangs_up.set()
    await connecting.phones.call_to(PHONES["bob"])
    assert call.said[-1] == f"{DETAILS} You are being connected.", "it is Carol's now: no details are said"
    assert [user for user, _ in await conversations(connecting, lead["contact_id"])] == [story.town.users["bob"]]
    assert await reason_of_step(connecting) == (False, "someone has talked with the contact")

"""Texts both ways, over real HTTP: leads claimed by text, contacts who answer and who stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.support.provider import NUMBER, Provider, number_record
from tests.support.story import Story, winter_noon

PUBLIC = "https://leads.example"
BOBS, CAROLS, MIAS = "+13035550142", "+13035550143", "+13035550199"


@pytest.fixture
async def texting(unstarted: Story, provider: Provider) -> AsyncIterator[Story]:
    """Alice's team is set up, with a provider of texts; Bob and Carol have phones, Alice is an administrator."""
    provider.numbers = [number_record(NUMBER, text_url=f"{PUBLIC}/twilio/messages")]
    settings = {**provider.settings, "public_url": PUBLIC, "twilio_answers_stop": False}
    unstarted.settings = replace(unstarted.settings, **settings)
    async with unstarted.service():
        provider.service = httpx.AsyncClient(base_url=unstarted.address)
        await unstarted.set_up()
        for name, phone in (("bob", BOBS), ("carol", CAROLS)):
            await unstarted[name].patch("/me", json={"phone": phone, "timezone": "America/Denver"})
        await unstarted.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
        yield unstarted


def sent_to(phone: str, beginning: str = "") -> Callable[[dict[str, Any]], bool]:
    return lambda text: text["to"] == phone and text["body"].startswith(beginning)


async def text_to(provider: Provider, phone: str, beginning: str, number: int = 1) -> str:
    """The text to this phone that begins like this, once so many have come."""
    texts = await provider.wait_for(number, sent_to(phone, beginning))
    return str(texts[number - 1]["body"])


async def test_a_lead_is_claimed_by_text_and_the_other_reads_who_has_it(texting: Story, provider: Provider) -> None:
    await texting.change_team(mins_until_next_alert=0)
    for name in ("bob", "carol"):
        await texting.option(name, has_text_alert=True, has_email_alert=False)
    await texting.route()
    lead = await texting.inquire(phone="303-555-0199", city="Denver")
    offer = await text_to(provider, BOBS, "New lead: Mia")
    await text_to(provider, CAROLS, "New lead: Mia")
    assert "reply 1 (pass: 1N)" in offer
    assert "0199" not in offer, "no more than the masked preview"
    answers = await asyncio.gather(
        *(provider.text_in(BOBS, "1", sid="SMbob") for _ in range(4)),
        provider.text_in(CAROLS, "what?", sid="SMcarol"),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await text_to(provider, BOBS, "Yours") == "Yours: Mia Lund, 303-555-0199, mia@example.org."
    await text_to(provider, CAROLS, "")
    await provider.text_in(CAROLS, "1")
    assert " claimed it at " in await text_to(provider, CAROLS, "Bob claimed")
    claimed = await texting.get("alice", f"/leads/{lead['id']}")
    assert (claimed["claimed_by_user_id"], claimed["claimed_via"]) == (texting.town.users["bob"], "Text")
    assert len(await provider.wait_for(1, sent_to(BOBS, "Yours"))) == 1, "four deliveries acted once"
    assert {text["from"] for text in provider.texts.values()} == {NUMBER}


async def test_who_passes_by_text_hands_it_to_the_next(texting: Story, provider: Provider) -> None:
    await texting.option("bob", rank=1, has_text_alert=True, has_email_alert=False)
    await texting.option("carol", rank=2, has_text_alert=True, has_email_alert=False)
    await texting.route()
    lead = await texting.inquire()
    await text_to(provider, BOBS, "New lead: Mia")
    await provider.text_in(BOBS, "pass")
    assert await text_to(provider, BOBS, "You") == "You have passed on it."
    await text_to(provider, CAROLS, "New lead: Mia")
    await provider.text_in(CAROLS, "Claim!")
    await text_to(provider, CAROLS, "Yours")
    assert await texting.states(lead["id"]) == {"bob": "declined", "carol": "won"}


async def test_a_contact_answers_and_the_agent_reads_it(texting: Story, provider: Provider) -> None:
    await texting.option("bob", has_text_alert=True)
    await texting.route()
    lead = await texting.inquire(phone="303-555-0199")
    await texting.claim("bob", lead["id"])
    await provider.text_in(MIAS, "Can we see it on Sunday?")
    mail = await texting.mail_to("bob", "Mia Lund answered by text")
    assert "Can we see it on Sunday?" in mail
    assert f"{PUBLIC}/app/contacts/" in mail
    assert "Can we see it on Sunday?" in await text_to(provider, BOBS, "Mia Lund")
    events = await texting.get("bob", "/events?type=text_received")
    assert [(each["source"], each["description"]) for each in events["data"]] == [("text", "Can we see it on Sunday?")]
    timeline = await texting.get("bob", f"/leads/{lead['id']}/timeline")
    said = [each["detail"]["description"] for each in timeline["data"] if each["kind"] == "event"]
    assert said == ["Can we see it on Sunday?"]


async def test_in_doubt_the_agent_is_asked(texting: Story, provider: Provider) -> None:
    await texting.option("bob")
    await texting.route()
    lead = await texting.inquire(phone="303-555-0199")
    await texting.claim("bob", lead["id"])
    await provider.text_in(MIAS, "Please don't stop texting me")
    mail = await texting.mail_to("bob", "Mia Lund answered by text")
    assert "may ask for no more texts" in mail
    assert (await texting.get("alice", "/suppressions"))["total"] == 0


async def test_a_contact_who_stops_is_not_written_to_until_start(texting: Story, provider: Provider) -> None:
    await texting.option("bob")
    await texting.route()
    folder = await texting.post("alice", "/template-folders", name="Texts")
    template = await texting.post(
        "alice", "/templates", template_folder_id=folder["id"], template_type="Text", subject="t", body="Shall we meet?"
    )
    actions = f"/campaigns/{texting.ids['campaign']}/actions"
    for minutes in (0, 60, 120):
        await texting.post(
            "alice", actions, type="Text Contact", template_id=template["id"], timing_type="Delay by Minutes",
            delay_by_seconds=minutes * 60,
        )  # fmt: skip
    await at_noon(texting)
    await texting.inquire(phone="303-555-0199", zipcode="80202")
    await text_to(provider, MIAS, "Shall we meet?")
    await provider.text_in(MIAS, "STOP")
    await text_to(provider, MIAS, "You get no more texts")
    [row] = (await texting.get("alice", "/suppressions"))["data"]
    assert (row["channel"], row["value"], row["reason"]) == ("text", MIAS, "stopped")
    await texting.pass_time(minutes=60)
    await until(lambda: has_suppressed(texting))
    await provider.text_in(MIAS, "start")
    await text_to(provider, MIAS, "You get texts from us again")
    assert (await texting.get("alice", "/suppressions"))["total"] == 0
    await texting.pass_time(minutes=60)
    await text_to(provider, MIAS, "Shall we meet?", 2)


async def test_an_agent_who_stops_gets_mails_instead(texting: Story, provider: Provider) -> None:
    await texting.option("bob", has_text_alert=True)
    await texting.route()
    await texting.inquire("mia")
    await text_to(provider, BOBS, "New lead: Mia")
    await provider.text_in(BOBS, "STOP")
    await text_to(provider, BOBS, "You get no more texts")
    assert "Bob Town" in await texting.mail_to("alice", "Bob Town gets no more texts")
    await texting.inquire("tom")
    await texting.mail_to("bob", "New lead: Tom")
    await until(lambda: has_suppressed(texting, "offer"))
    assert [text for text in provider.texts.values() if sent_to(BOBS, "New lead: Tom")(text)] == []
    await provider.text_in(BOBS, "START")
    await text_to(provider, BOBS, "You get texts from us again")
    await texting.inquire("ann")
    await text_to(provider, BOBS, "New lead: Ann")


async def test_a_refusal_of_the_confirmation_is_no_failure(texting: Story, provider: Provider) -> None:
    await texting.option("bob", has_text_alert=True)
    await texting.route()
    await texting.inquire()
    await text_to(provider, BOBS, "New lead: Mia")
    provider.refused_numbers[BOBS] = 21610
    await provider.text_in(BOBS, "STOP")
    await until(lambda: has_suppressed(texting, "confirmation"))
    assert await texting.database.fetchval("SELECT count(*) FROM messages WHERE state = 'failed'") == 0


async def has_suppressed(story: Story, kind: str = "campaign") -> bool:
    found: bool = await story.database.fetchval(
        "SELECT EXISTS (SELECT FROM messages WHERE kind = $1 AND channel = 'text' AND state = 'suppressed')", kind
    )
    return found


async def until(is_so: Callable[[], Any]) -> None:
    """Wait until what is asked for has come about, ten seconds at the most."""
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 -- what is waited for is in the database
            await asyncio.sleep(0.02)


async def at_noon(story: Story) -> None:
    """The clock is moved to a moment at which texts may be sent in Denver for hours: also where today is a Sunday."""
    now = story.database.clock.now()
    await story.database.move_clock(winter_noon(now) - now)

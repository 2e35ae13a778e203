"""A campaign around the night on which the clocks go forward: what the preview says is what is sent."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from leadroutes.domain.weekly_hours import DAYS
from tests.support.mailbox import text_of
from tests.support.provider import NUMBER, Provider, number_record
from tests.support.story import Story

NOON = datetime.fromisoformat("2027-03-13T12:00:00-07:00")  # the Saturday before; the next day has no 02:30 in Denver
WEEKEND = {"weekly_hours": {"sunday": [["02:30", "04:00"]], "monday": [["09:00", "17:00"]]}}
TUESDAYS = {"weekly_hours": {"tuesday": [["10:00", "12:00"]]}}
MIA = "+13035550199"
LINK = re.compile(r"https?://\S+/unsubscribe/\S+")


@pytest.fixture
async def drips(unstarted: Story, provider: Provider) -> AsyncIterator[Story]:
    """Alice's campaign with a window; the clock begins the day before the clocks change, as LEADROUTES_CLOCK_START has
    it begin.
    """
    await unstarted.database.begin_clock(NOON)
    provider.numbers = [number_record(NUMBER)]
    unstarted.settings = replace(unstarted.settings, **provider.settings)
    async with unstarted.service():
        provider.service = httpx.AsyncClient(base_url=unstarted.address)
        await unstarted.set_up()
        await unstarted["alice"].patch("/me", json={"postal_address": "1 Elm Street", "timezone": "America/New_York"})
        await change(unstarted, "", send_window=WEEKEND)
        yield unstarted


def to_mia(mail: EmailMessage) -> bool:
    return bool(mail["To"] == "mia@example.org")


async def change(story: Story, below: str, **fields: Any) -> None:
    answer = await story["alice"].patch(f"/campaigns/{story.ids['campaign']}{below}", json=fields)
    assert answer.status_code == 200, answer.text


async def step(story: Story, kind: str, minutes: int, **fields: Any) -> int:
    """A step that greets by e-mail or text after so many minutes; returns its id."""
    folder = await story.post("alice", "/template-folders", name=f"{kind} {minutes}")
    words = {"subject": f"{kind} {minutes}"} if kind == "Email" else {}
    template = await story.post(
        "alice", "/templates", template_folder_id=folder["id"], template_type=kind,
        body=f"Hi {{{{ contact.first_name }}}}, {{{{ agent.first_name }}}} here with {kind} {minutes}.", **words,
    )  # fmt: skip
    action = await story.post(
        "alice", f"/campaigns/{story.ids['campaign']}/actions", type=f"{kind} Contact", template_id=template["id"],
        timing_type="Delay by Minutes", delay_by_seconds=60 * minutes, **fields,
    )  # fmt: skip
    return int(action["id"])


async def mia(story: Story) -> int:
    contact = await story.post(
        "alice", "/contacts", first_name="Mia", last_name="Lund", email="mia@example.org", mobile_phone=MIA
    )
    return int(contact["id"])


async def preview(story: Story, contact_id: int) -> list[dict[str, Any]]:
    path = f"/campaigns/{story.ids['campaign']}/preview?contact_id={contact_id}"
    return list(await story.get("alice", path))


async def waiting(story: Story, count: int, rule: str | None = None) -> list[dict[str, Any]]:
    """What the steps wait for, once so many wait for something (all of it this rule), the first one first."""
    found: list[dict[str, Any]] = []
    while len(found) != count or (rule is not None and {each["rule"] for each in found} != {rule}):
        communications = (await story.get("alice", "/contact-communications"))["data"]
        found = [each["waits_for"] for each in communications if each["waits_for"] is not None]
    return sorted(found, key=lambda each: str(each["until"]))


async def move_to(story: Story, moment: str) -> None:
    await story.database.move_clock(datetime.fromisoformat(moment) - story.database.clock.now())


async def test_what_the_preview_says_is_what_is_sent(drips: Story, provider: Provider) -> None:
    ids = [await step(drips, "Email", 1), await step(drips, "Text", 2)]
    ids.append(await step(drips, "Email", 3, send_window=TUESDAYS))
    contact_id = await mia(drips)

    shown = await preview(drips, contact_id)

    assert [each["action_id"] for each in shown] == ids
    assert [each["leaves_at"] for each in shown] == [
        "2027-03-14T09:00:00.000Z",  # Sunday 03:00, as there is no 02:30
        "2027-03-15T15:00:00.000Z",  # a text not on a Sunday: Monday 09:00
        "2027-03-16T16:00:00.000Z",  # its own window: Tuesday 10:00
    ]
    assert [each["waits_for"]["text"] for each in shown] == [
        "03:00 contact's time (Sun, MDT): campaign's window",
        "09:00 contact's time (Mon, MDT): quiet hours",
        "10:00 contact's time (Tue, MDT): step's window",
    ]
    assert [each["window"] for each in shown] == [WEEKEND, WEEKEND, TUESDAYS]
    assert [each["segments"] for each in shown] == [None, 1, None]
    assert [each["warnings"] for each in shown] == [[], [], []]
    assert {each["sender_user_id"] for each in shown} == {drips.town.users["alice"]}

    await drips.post("alice", f"/campaigns/{drips.ids['campaign']}/contacts", contact_id=contact_id)
    await drips.pass_time(minutes=5)
    expected = [each["waits_for"] for each in shown]
    assert await waiting(drips, 3) == expected
    assert [each["waits_for"] for each in await preview(drips, contact_id)] == expected
    assert await calendar(drips) == [("2027-03-14", "email"), ("2027-03-15", "text"), ("2027-03-16", "email")]

    await move_to(drips, shown[0]["leaves_at"])
    [first] = await drips.mailbox.wait_for(1, to_mia)
    await move_to(drips, shown[1]["leaves_at"])
    [text] = await provider.wait_for(1, lambda each: each["to"] == MIA)
    await move_to(drips, shown[2]["leaves_at"])
    third = (await drips.mailbox.wait_for(2, to_mia))[1]
    assert [first["Subject"], third["Subject"]] == [shown[0]["subject"], shown[2]["subject"]]
    assert [without_link(text_of(first)), text["body"], without_link(text_of(third))] == [
        without_link(each["text_body"]) for each in shown
    ]
    assert await waiting(drips, 0) == []


def without_link(words: str) -> str:
    """The link to unsubscribe is another one in each mail, and lines end otherwise."""
    return LINK.sub("LINK", "\n".join(words.split("\r\n"))).strip()


async def calendar(story: Story) -> list[tuple[str, str]]:
    rows = await story.get("alice", "/calendar?from=2027-03-13&to=2027-03-31")
    assert all(row["count"] == 1 for row in rows)
    return [(row["day"], row["channel"]) for row in rows]


async def test_what_waits_leaves_as_soon_as_a_window_or_an_address_lets_it(drips: Story, provider: Provider) -> None:
    first = await step(drips, "Email", 1)
    await step(drips, "Email", 2, send_window=TUESDAYS)
    contact_id = await mia(drips)
    await drips.post("alice", f"/campaigns/{drips.ids['campaign']}/contacts", contact_id=contact_id)
    await drips.pass_time(minutes=5)
    assert [each["rule"] for each in await waiting(drips, 2)] == ["campaign's window", "step's window"]

    every_day = {"weekly_hours": {day: [["00:00", "24:00"]] for day in DAYS}}
    await change(drips, f"/actions/{first}", send_window=every_day)
    await drips.mailbox.wait_for(1, to_mia)
    assert [each["rule"] for each in await waiting(drips, 1)] == ["step's window"]

    in_new_york = {"type": "Home", "street_address_1": "1 Broadway", "zip": "10004", "state": "NY"}
    await drips.post("alice", f"/contacts/{contact_id}/addresses", **in_new_york)
    while (await waiting(drips, 1))[0]["until"] != "2027-03-16T14:00:00.000Z":  # 10:00 in New York
        pass
    await move_to(drips, "2027-03-16T14:00:00+00:00")
    await drips.mailbox.wait_for(2, to_mia)


async def test_texts_to_one_contact_keep_their_distance(drips: Story, provider: Provider) -> None:
    await change(drips, "", send_window=None)
    await move_to(drips, "2027-03-15T16:00:00+00:00")  # Monday 10:00
    for minutes in range(1, 6):
        await step(drips, "Text", minutes)
    contact_id = await mia(drips)
    await drips.post("alice", f"/campaigns/{drips.ids['campaign']}/contacts", contact_id=contact_id)

    for number in range(1, 4):
        await drips.pass_time(minutes=11)
        texts = await provider.wait_for(number, lambda each: each["to"] == MIA)
        assert [each["body"][-2] for each in texts] == [str(each) for each in range(1, number + 1)]
        await waiting(drips, 5 - number)  # so that the text counts as sent before the clock is moved on
    later = await waiting(drips, 2, "3 texts in 24 hours")

    assert all(timedelta(hours=20) < _until(each) - drips.database.clock.now() for each in later)
    assert len(provider.texts) == 3


def _until(waits_for: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(waits_for["until"])

"""The campaign runs: its steps in order, from the right sender, before the claim and after it."""

import asyncio

from tests.support.mailbox import text_of
from tests.support.processes import until
from tests.support.story import Story


async def steps(story: Story, *delays: int) -> None:
    folder = await story.post("alice", "/template-folders", name="Buyers")
    for delay in delays:
        template = await story.post(
            "alice",
            "/templates",
            template_folder_id=folder["id"],
            template_type="Email",
            subject=f"After {delay} seconds",
            body="Hi {{ contact.first_name }}, {{ agent.first_name }} here. {{ unsubscribe_link }}",
        )
        await story.post(
            "alice",
            f"/campaigns/{story.ids['campaign']}/actions",
            type="Email Contact",
            template_id=template["id"],
            timing_type="Delay by Minutes",
            delay_by_seconds=delay,
        )


async def test_its_steps_come_in_order_from_the_owner_and_after_the_claim_from_the_winner(story: Story) -> None:
    await steps(story, 60, 600, 900)
    await story.option("bob", rank=1)
    await story.route()
    lead = await story.inquire()
    communications = (await story.get("alice", "/contact-communications"))["data"]
    assert [each["template_subject"] for each in communications] == [f"After {n} seconds" for n in (60, 600, 900)]
    assert {each["send_from_user_id"] for each in communications} == {story.town.users["alice"]}
    await story.pass_time(seconds=61)
    await story.mailbox.wait_for(1, lambda mail: mail["Subject"] == "After 60 seconds")
    assert (await story.claim("bob", lead["id"])).status_code == 200
    await story.pass_time(seconds=540)
    await story.mailbox.wait_for(1, lambda mail: mail["Subject"] == "After 600 seconds")
    stopped = await story["bob"].patch(f"/contact-communications/{communications[2]['id']}", json={"is_active": False})
    assert stopped.status_code == 200
    assert stopped.json()["completing_user_id"] == story.town.users["bob"]
    await story.pass_time(seconds=600)
    mails = [mail for mail in story.mailbox.mails if mail["To"] == "mia@example.org"]
    assert [text_of(mail).partition(" http")[0] for mail in mails] == ["Hi Mia, Alice here.", "Hi Mia, Bob here."]
    assert [mail["Reply-To"] for mail in mails] == ["Alice Town <alice@example.com>", "Bob Town <bob@example.com>"]
    assert all(mail["List-Unsubscribe"] for mail in mails)
    after = (await story.get("alice", "/contact-communications"))["data"]
    assert [each["is_active"] for each in after] == [False, False, False]
    assert [each["send_from_user_id"] for each in after][:2] == [story.town.users["alice"], story.town.users["bob"]]


async def test_who_has_the_contact_signs_and_steps_go_out_on_their_conditions(story: Story) -> None:
    """A reminder goes only while no one has the lead, and the agent's question only once someone has it."""
    await story.post("alice", "/signatures", name="Office", text_body="Alice, the office")
    await story.post("bob", "/signatures", name="Bob", text_body="Bob, 303-555-0142")
    await steps(story, 60, 600, 900)
    actions = (await story.get("alice", f"/campaigns/{story.ids['campaign']}/actions"))["data"]
    for action, is_claimed in zip(actions, (False, False, True), strict=True):
        claimed = {"field": "claimed", "is": "equal", "value": is_claimed}
        url = f"/campaigns/{action['campaign_id']}/actions/{action['id']}"
        assert (await story["alice"].patch(url, json={"conditions": claimed})).status_code == 200
    await story.option("bob", rank=1)
    await story.route()
    lead = await story.inquire()
    await story.pass_time(seconds=61)
    await story.mailbox.wait_for(1, lambda mail: mail["Subject"] == "After 60 seconds")
    assert (await story.claim("bob", lead["id"])).status_code == 200
    await story.pass_time(seconds=900)
    await story.mailbox.wait_for(1, lambda mail: mail["Subject"] == "After 900 seconds")
    mails = [text_of(mail) for mail in story.mailbox.mails if mail["To"] == "mia@example.org"]
    assert [words.strip().splitlines()[2] for words in mails] == ["Alice, the office", "Bob, 303-555-0142"]

    async def skipped() -> list[str]:
        found = (await story.get("alice", "/contact-communications"))["data"]
        return [each["reason"] for each in found if each["reason"]]

    async def is_skipped() -> bool:
        return bool(await skipped())

    await until(is_skipped)
    assert await skipped() == ["it was skipped, as it is sent only if: no one has the lead"]
    results = await story.get("alice", f"/campaigns/{story.ids['campaign']}/results")
    assert [each["sent"] for each in results["data"]] == [1, 0, 1]


async def test_it_is_not_started_twice_while_it_runs(story: Story) -> None:
    await steps(story, 3600)
    await story.route(distribution_target="Myself")
    lead = await story.inquire(mls="1")
    await story.inquire(mls="2")
    assert (await story.get("alice", "/contact-communications"))["total"] == 1
    again = await story["alice"].post(
        f"/campaigns/{story.ids['campaign']}/contacts", json={"contact_id": lead["contact_id"]}
    )
    assert again.status_code == 409


async def test_a_template_that_does_not_parse_is_refused_by_name(story: Story) -> None:
    folder = await story.post("alice", "/template-folders", name="Buyers")
    answer = await story["alice"].post(
        "/templates", json={"template_folder_id": folder["id"], "template_type": "Email", "body": "{% if %}"}
    )
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"body"}


async def test_who_unsubscribes_is_written_to_no_more_and_each_step_says_why(story: Story) -> None:
    """By the link in the first mail; another contact that has the address is not written to either."""
    await steps(story, 0, 60)
    await story.route(distribution_target="Myself")
    lead = await story.inquire()
    [mail] = await story.mailbox.wait_for(1, lambda mail: mail["To"] == "mia@example.org")
    link = mail["List-Unsubscribe"].strip("<>")
    assert link in text_of(mail), "the way out can be seen"
    path = "/unsubscribe/" + link.rpartition("/")[2]
    assert "Alice Town" in (await story["anonymous"].get(path)).text
    assert (await story["anonymous"].post(path, data={"List-Unsubscribe": "One-Click"})).status_code == 200

    other = await story.post("alice", "/contacts", first_name="Mia", email="MIA@example.org")
    await story.post("alice", f"/campaigns/{story.ids['campaign']}/contacts", contact_id=other["id"])
    await story.pass_time(seconds=61)
    async with asyncio.timeout(30):
        while (await story.get("alice", "/contact-communications?is_active=true"))["total"]:  # noqa: ASYNC110 -- by the worker
            await asyncio.sleep(0.05)

    reason = "the contact has unsubscribed from e-mails"
    found = (await story.get("alice", "/contact-communications?$sort[send_at]=1"))["data"]
    assert [each["reason"] for each in found if each["contact_id"] == lead["contact_id"]] == [None, reason]
    assert [each["reason"] for each in found if each["contact_id"] == other["id"]] == [reason, reason]
    assert [mail["To"] for mail in story.mailbox.mails].count("mia@example.org") == 1
    shown = (await story.get("alice", f"/contacts/{other['id']}"))["email_suppression"]
    assert (shown["reason"], shown["text"]) == ("unsubscribed", reason)
    outbox = (await story.get("alice", f"/messages?contact_id={other['id']}"))["data"]
    assert [(each["state"], each["reason"]) for each in outbox] == [("suppressed", reason)] * 2

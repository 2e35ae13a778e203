"""What stops a campaign, what a change changes, what was not sent and why, and who is not written to, on the pages."""

import re
from codecs import BOM_UTF8

import httpx

from leadroutes.web.pages.campaign_words import change_in_words, stops_in_words
from tests.support.page_forms import follow, form, words_of
from tests.support.web_app import WebApp

MAIL = {"type": "Email Contact", "delay_by_seconds": 3600}


async def drip(web_app: WebApp) -> tuple[int, str]:
    """A campaign of Alice's with a mail after an hour that runs for Mia, as (campaign, path of Mia's page)."""
    town = web_app.town
    contact_id = await web_app.database.fetchval("SELECT contact_id FROM leads WHERE id = $1", web_app.lead_id)
    campaign_id = await town.campaign("alice", "Nurture")
    await town.action("alice", campaign_id, **MAIL, template_id=await town.template("alice"))
    await web_app.brokerage.engine.start_campaign(town.users["alice"], campaign_id, contact_id, town.users["alice"])
    return campaign_id, f"/app/contacts/{contact_id}"


async def page_of(browser: httpx.AsyncClient, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_what_stops_a_campaign_is_said_in_words() -> None:
    assert stops_in_words({"stops_on": ["reply", "conversation"], "pause_on_offer": False}).startswith(
        "It stops for a contact when the contact answers, or when someone has talked with the contact."
    )
    assert stops_in_words({"stops_on": ["claim"], "pause_on_offer": True}).startswith(
        "It stops for a contact when someone has the lead. It waits until someone has the lead."
    )
    for nothing in (None, []):
        assert stops_in_words({"stops_on": nothing, "pause_on_offer": False}).startswith("It goes on whatever")


def test_what_a_change_changes_is_said_in_words() -> None:
    assert change_in_words({"contacts": 0, "messages": 0, "tasks": 0}).startswith("This changes nothing")
    estimate = {"contacts": 84_000, "messages": 84_000, "tasks": 0, "is_estimate": True}
    assert "changes about 84,000 messages for about 84,000 contacts" in change_in_words(estimate)
    said = change_in_words({"contacts": 1200, "messages": 1200, "tasks": 1})
    assert said == "This changes 1,200 messages and 1 task for 1,200 contacts in the campaign now."


async def test_an_owner_chooses_what_stops_a_campaign(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    campaign_id, _ = await drip(web_app)
    path = f"/app/campaigns/{campaign_id}"
    shown = await page_of(alice, path)
    assert "when the contact answers, or when someone has talked" in words_of(shown)
    fields = form(shown, "stops") | {"stops_on": ["claim", "appointment"], "pause_on_offer": "yes"}
    done = await follow(alice, await alice.post(path, data=fields))
    assert "It waits until someone has the lead." in words_of(done)
    row = await web_app.database.fetchrow("SELECT stops_on, pause_on_offer FROM campaigns WHERE id = $1", campaign_id)
    assert row is not None
    assert tuple(row) == (["claim", "appointment"], True)
    assert (await alice.post(path, data=fields)).status_code == 303, "the form that was sent twice acts once"
    assert (await (await web_app.sign_in("dave")).post(path, data=fields)).status_code == 404


async def test_what_a_change_of_a_step_would_change_is_said_before_it_is_saved(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    campaign_id, _ = await drip(web_app)
    step_id = await web_app.database.fetchval("SELECT max(id) FROM campaign_actions")
    path = f"/app/campaigns/{campaign_id}?step={step_id}"
    template_id = await web_app.database.fetchval("SELECT template_id FROM campaign_actions WHERE id = $1", step_id)
    typed = {"type": "Email Contact", "template_id": str(template_id), "timing_type": "Delay by Minutes",
             "delay": "5", "delay_unit": "3600", "trigger_type": "1"}  # fmt: skip
    fields = form(await page_of(alice, path), "change-step", step_id) | typed
    tried = await alice.post(path, data=fields | {"do": "try-step"})
    assert tried.status_code == 200
    assert "This changes 1 message for 1 contact in the campaign now." in words_of(tried.text)
    assert 'value="5"' in tried.text, "what was typed is still there"
    assert (
        await web_app.database.fetchval("SELECT delay_by_seconds FROM campaign_actions WHERE id = $1", step_id) == 3600
    )
    wrong = await alice.post(path, data=fields | {"do": "try-step", "delay": "soon"})
    assert wrong.status_code == 422
    saved = await follow(alice, await alice.post(path, data=fields))
    assert "The step is changed" in words_of(saved)
    whole = await page_of(alice, f"/app/campaigns/{campaign_id}")
    removed = await follow(alice, await alice.post(path, data=form(whole, "remove-step") | {"on": step_id}))
    assert "The step is removed. This changes 1 message for 1 contact" in words_of(removed)


async def test_a_campaign_is_stopped_and_goes_on_from_the_pages_of_contact_and_lead(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, contact = await drip(web_app)
    lead = f"/app/leads/{web_app.lead_id}"
    run_id = await web_app.database.fetchval("SELECT max(id) FROM campaign_contacts")
    await alice.post(contact, data=form(await page_of(alice, contact), "talked") | {"note": "Wants to wait"})
    for path in (contact, lead):
        shown = words_of(await page_of(alice, path))
        assert "someone has talked with the contact" in shown
    went_on = await follow(alice, await alice.post(lead, data=form(await page_of(alice, lead), "resume", run_id)))
    assert "goes on where it was" in words_of(went_on)
    assert await web_app.database.fetchval("SELECT ended_at FROM campaign_contacts WHERE id = $1", run_id) is None
    assert "Let it go on" not in went_on


async def test_why_a_step_was_not_sent_is_on_the_page(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, contact = await drip(web_app)
    step_id = await web_app.database.fetchval("SELECT max(id) FROM contact_communications")
    users = web_app.town.users
    await web_app.brokerage.engine.set_communication_active(users["alice"], step_id, False, users["alice"])
    for path in (contact, f"/app/leads/{web_app.lead_id}"):
        assert "it was stopped by Alice Town" in words_of(await page_of(alice, path))


async def test_a_consent_is_recorded_and_shown(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    _, contact = await drip(web_app)
    shown = await page_of(alice, contact)
    assert "Nothing is recorded" in words_of(shown)
    agreed = form(shown, "agree") | {"channel": "text", "how": "on the phone", "words": "Sure, <b>text</b> me"}
    missing = await alice.post(contact, data=agreed | {"how": " "})
    assert missing.status_code == 422
    done = await follow(alice, await alice.post(contact, data=agreed))
    assert "Sure, &lt;b&gt;text&lt;/b&gt; me" in done
    assert "Nothing is recorded" not in words_of(done)


# ------------------------------------------------------------------------------------------- who is not written to

LIST = "/app/settings/suppressions"


async def test_addresses_are_added_searched_and_lifted(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    shown = await page_of(alice, LIST)
    assert "Campaigns may write to everyone" in words_of(shown)
    typed = form(shown, "add") | {"channel": "text", "value": "(303) 555-0142", "reason": "stopped"}
    shown = await follow(alice, await alice.post(LIST, data=typed))
    assert "The person asked for no more messages" in words_of(shown)
    again = await alice.post(
        LIST, data=form(shown, "add") | {"channel": "text", "value": "303-555-0142", "reason": "stopped"}
    )
    assert (again.status_code, "already" in words_of(again.text)) == (422, True)
    wrong = await alice.post(LIST, data=form(shown, "add") | {"channel": "email", "value": "unknown"})
    assert wrong.status_code == 422
    assert "303" in words_of(await page_of(alice, f"{LIST}?value=303-555-0142&channel=text&reason=stopped"))
    assert "No address found" in words_of(await page_of(alice, f"{LIST}?value=mia@example.com"))
    suppression_id = await web_app.database.fetchval("SELECT id FROM suppressions")
    lift = form(shown, "lift", suppression_id)
    assert (await alice.post(LIST, data=lift)).status_code == 422, "it was the person's wish"
    lift = form(await page_of(alice, LIST), "lift", suppression_id) | {"consent": "asked for it on Monday"}
    assert "may write to this address again" in words_of(await follow(alice, await alice.post(LIST, data=lift)))


async def test_a_list_comes_in_and_goes_out_as_a_file(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    content = b"email,reason\npetra@example.com,unsubscribed\nPETRA@example.com,unsubscribed\nunknown,manual\n"
    sent = {"file": ("list.csv", content, "text/csv")}
    answer = await alice.post(LIST, data=form(await page_of(alice, LIST), "import"), files=sent)
    assert answer.status_code == 200
    assert "1 added, 1 on the list already, 1 refused." in words_of(answer.text)
    assert "Line 4: value: 'unknown' was given" in words_of(answer.text)
    for file in (("list.csv", b"name\nPetra\n", "text/csv"), ("empty.csv", b"", "text/csv")):
        refused = await alice.post(LIST, data=form(await page_of(alice, LIST), "import"), files={"file": file})
        assert refused.status_code == 422, refused.text
    file = await alice.get(f"{LIST}?download=all")
    assert file.headers["content-disposition"] == 'attachment; filename="suppressions.csv"'
    assert re.search(r"^email,petra@example.com,unsubscribed,", file.text, re.MULTILINE)
    assert file.content.startswith(BOM_UTF8)
    again = {"file": ("suppressions.csv", file.content, "text/csv")}
    answer = await alice.post(LIST, data=form(await page_of(alice, LIST), "import"), files=again)
    assert re.search(r"0 added, \d+ on the list already, 0 refused", words_of(answer.text)), "what goes out comes in"
    assert (await (await web_app.sign_in("bob")).get(LIST)).status_code == 404

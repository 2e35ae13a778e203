"""A call that a campaign asks for is in the inbox and on the pages of the lead and the contact until it is done."""

import re

import pytest

from tests.support.page_forms import follow, form, words_of
from tests.support.web_app import WebApp


async def asked(web_app: WebApp) -> tuple[int, int]:
    """Bob has Mia and was asked to call there; returns the ids of the step and of Mia."""
    town, database = web_app.town, web_app.database
    contact_id = await database.fetchval("SELECT contact_id FROM leads WHERE id = $1", web_app.lead_id)
    await web_app.brokerage.engine.claim(town.users["alice"], web_app.lead_id, town.users["bob"])
    campaign_id = await town.campaign("alice", "Callers")
    template_id = await town.template("alice", description="Ask about the garden", template_type="Phone")
    await town.action("alice", campaign_id, type="Call Contact", template_id=template_id)
    await web_app.brokerage.engine.start_campaign(town.users["alice"], campaign_id, contact_id, town.users["alice"])
    step_id = await database.fetchval(
        "UPDATE contact_communications SET taken_at = $1, asked_user_id = $2 RETURNING id", town.now, town.users["bob"]
    )
    sent = {"kind": "campaign", "channel": "call", "state": "sent", "contact_id": contact_id, "created_at": town.now}
    await town.insert("messages", owner_id=town.users["alice"], communication_id=step_id, sent_at=town.now, **sent)
    return step_id, contact_id


@pytest.mark.parametrize("page", ["/app", "/app/leads/{lead}", "/app/contacts/{contact}"])
async def test_a_call_is_shown_until_it_is_done_which_can_be_taken_back(web_app: WebApp, page: str) -> None:
    step_id, contact_id = await asked(web_app)
    path = page.format(lead=web_app.lead_id, contact=contact_id)
    bob = await web_app.sign_in("bob")
    shown = (await bob.get(path)).text
    assert "Ask about the garden" in words_of(shown)
    assert 'href="tel:+13035550147"' in shown
    done = await follow(bob, await bob.post(path, data=form(shown, "call_done")))
    assert "The call is done." in words_of(done)
    assert 'value="call_done"' not in done
    row = "SELECT is_active, completing_user_id, taken_at IS NOT NULL FROM contact_communications WHERE id = $1"
    assert tuple(await web_app.database.fetchrow(row, step_id) or ()) == (False, web_app.town.users["bob"], True)
    undo = re.search(r'name="undo" value="([^"]*)"', done)
    assert undo is not None
    assert (await bob.post("/app/undo", data={"undo": undo[1], "back": path})).status_code == 303
    assert tuple(await web_app.database.fetchrow(row, step_id) or ()) == (True, None, True)
    assert 'value="call_done"' in (await bob.get(path)).text


async def test_others_neither_see_the_call_nor_do_it(web_app: WebApp) -> None:
    step_id, _ = await asked(web_app)
    bob, carol = await web_app.sign_in("bob"), await web_app.sign_in("carol")
    assert "Calls due" in (await bob.get("/app")).text
    assert "Calls due" not in (await carol.get("/app")).text
    sent = form((await bob.get("/app")).text, "call_done")
    assert (await carol.post("/app", data=sent)).status_code == 404
    assert await web_app.database.fetchval("SELECT is_active FROM contact_communications WHERE id = $1", step_id)

"""Every page as eyes and thumbs meet it, on a phone and at a desk, light and dark: contrast, size of targets, width."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from leadroutes.server.run import address_of, listen, running_service
from leadroutes.store import accounts
from leadroutes.store.channel_faults import note_channel_fault
from tests.support.browser import DESK, FAULTS, PHONE, Phone, command, needs_chromium
from tests.support.web_app import PASSWORD, WebApp, deliver_messages

pytestmark = needs_chromium


@pytest.fixture
async def served(web_app: WebApp) -> AsyncIterator[WebApp]:
    """The whole service, with something of everything in Alice's account, who is an administrator."""
    town, database, bob = web_app.town, web_app.database, web_app.town.users["bob"]
    await town.option("alice", town.team_id, "alice", rank=1)
    won = await web_app.ask(name="Tomas Novak", email="tomas@example.org", phone="303-555-0188", city="Denver")
    await web_app.ask(name="Noor Al-Haddad", email="noor.al-haddad.of.the.hills@mail.example.com", lead_type="Seller")
    await web_app.engine.claim(web_app.brokerage.owner_id, won, bob)
    await deliver_messages(web_app)
    for number, state in enumerate(("queued", "sending", "sent", "failed", "suppressed", "unknown")):
        await town.insert(
            "messages", owner_id=web_app.brokerage.owner_id, kind="claimed", channel="text", user_id=bob, lead_id=won,
            state=state, reason=f"reason {number}", text_body="Taken", attempts=2, created_at=town.now,
            sent_at=town.now if state == "sent" else None,
        )  # fmt: skip
    await database.execute("UPDATE messages SET state = 'failed' WHERE lead_id = $1", web_app.lead_id)
    await database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    await accounts.issue_token(database, "alice@example.com", ["read"], "Zapier")
    await note_channel_fault(database, "email", "the login was refused: 535 5.7.8 Username and Password not accepted")
    listening = listen("127.0.0.1", 0)
    settings = replace(
        web_app.settings, public_url=address_of(listening), body_timeout=5, smtp_url="smtp://mail.example.com"
    )
    async with running_service(settings, database, listening, with_worker=False):
        yield replace(web_app, settings=settings, lead_id=won)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_can_be_read_and_pressed(
    served: WebApp, phone: Phone, screen: dict[str, Any], scheme: str
) -> None:
    mail, open_link, won_link = await links(served)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    await command(phone, "Emulation.setDeviceMetricsOverride", screen)
    await command(phone, "Emulation.setEmulatedMedia", {"features": features})
    faults = {}
    try:
        for name in (None, "bob", "alice"):
            paths = {
                None: ("/sign-in", open_link, won_link, "/docs", "/claim/forged"),
                "bob": ("/app",),
                "alice": (
                    "/app",
                    "/app/outbox",
                    "/app/outbox?state=failed",
                    "/app/me/tokens",
                    "/app/me/applications",
                    "/app/sources/try",
                    mail,
                ),
            }[name]
            await sign_in(phone, served, name)
            for path in paths:
                await phone.open(served.settings.public_url + path)
                faults[f"{name} {path}"] = await phone.do(lambda driver: driver.execute_script(FAULTS))
    finally:
        await command(phone, "Emulation.setDeviceMetricsOverride", PHONE)
        await command(phone, "Emulation.setEmulatedMedia", {"features": []})

    assert {page: found for page, found in faults.items() if found} == {}


async def links(web_app: WebApp) -> tuple[str, str, str]:
    """Of an address that no page is at, of a lead that is open to Bob, and of the one that Bob has."""
    other = await web_app.database.fetchval("SELECT min(id) FROM leads")
    return "/lead-routes", await web_app.link("bob", other), await web_app.link("bob")


async def sign_in(phone: Phone, web_app: WebApp, name: str | None) -> None:
    await phone.do(lambda driver: driver.delete_all_cookies())
    if name is None:
        return
    await phone.open(f"{web_app.settings.public_url}/sign-in")
    await phone.fill_in(email=f"{name}@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Skip to the content")


async def test_the_label_of_a_button_is_not_broken(served: WebApp, phone: Phone) -> None:
    await command(phone, "Emulation.setDeviceMetricsOverride", DESK)
    try:
        _, _, link = await links(served)
        await phone.open(served.settings.public_url + link)
        parts = await phone.script(
            "[...document.querySelectorAll('.actions .button > *')].map((each) => each.getClientRects().length)"
        )
    finally:
        await command(phone, "Emulation.setDeviceMetricsOverride", PHONE)
    assert len(parts) == 6, "call, text and e-mail, each with the number or the address"
    assert set(parts) == {1}


async def test_not_for_me_declines_with_one_tap(served: WebApp, phone: Phone) -> None:
    _, link, _ = await links(served)
    await phone.open(served.settings.public_url + link)
    await phone.press("form[action$='/decline'] button")
    await phone.wait_for("You have declined this lead")
    await phone.do(lambda driver: driver.refresh())
    await phone.wait_for("You have declined this lead")
    lead_id = await served.database.fetchval("SELECT min(id) FROM leads")
    assert (await served.brokerage.states(lead_id))["bob"] == "declined"


async def test_an_address_of_the_api_that_is_typed_leads_home(served: WebApp, phone: Phone) -> None:
    await sign_in(phone, served, "alice")
    await phone.open(f"{served.settings.public_url}/Leads/")
    await phone.wait_for("Board")
    await phone.open(f"{served.settings.public_url}/settings")
    await phone.wait_for("There is no page here")
    await phone.do(lambda driver: driver.find_element("link text", "To your leads").click())
    await phone.wait_for("Board")


async def test_what_failed_is_sent_again_with_one_tap(served: WebApp, phone: Phone) -> None:
    await sign_in(phone, served, "alice")
    await phone.open(f"{served.settings.public_url}/outbox?state=failed")
    count = "SELECT count(*) FROM messages WHERE state = 'failed'"
    before = await served.database.fetchval(count)
    await phone.press("form.act[action='/app/outbox'] button")
    await phone.do(lambda driver: driver.refresh())
    await phone.wait_for("Alerts and follow-up")
    assert await served.database.fetchval(count) == before - 1

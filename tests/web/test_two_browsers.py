"""Two browsers at once: what an agent does on a phone is on the owner's board without a reload."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from leadroutes.server.run import address_of, listen, running_service
from tests.support.browser import Phone, needs_chromium
from tests.support.web_app import PASSWORD, WebApp

pytestmark = [needs_chromium, pytest.mark.timeout(120)]
CLAIM = "form:has(input[name=do][value=claim]) button"


@pytest.fixture
async def served(web_app: WebApp, phone: Phone, desk: Phone) -> AsyncIterator[WebApp]:
    listening = listen("127.0.0.1", 0)
    settings = replace(web_app.settings, public_url=address_of(listening), body_timeout=5)
    async with running_service(settings, web_app.database, listening, with_worker=False):
        yield replace(web_app, settings=settings)
        await phone.leave()  # the streams end, which the service would wait for
        await desk.leave()


async def sign_in(screen: Phone, served: WebApp, name: str) -> None:
    await screen.open(f"{served.settings.public_url}/sign-in")
    await screen.fill_in(email=f"{name}@example.com", password=PASSWORD)
    await screen.press()
    await screen.wait_for("Skip to the content")


async def test_a_claim_on_the_phone_is_on_the_board_at_once(served: WebApp, phone: Phone, desk: Phone) -> None:
    await sign_in(desk, served, "alice")
    await sign_in(phone, served, "bob")
    await desk.open(f"{served.settings.public_url}/app/board")
    await desk.wait_for("On offer\n1")
    await desk.script("window.isTheSamePage = true")
    await phone.open(f"{served.settings.public_url}/app")

    await phone.press(CLAIM)
    await phone.wait_for("303) 555-0147")

    await desk.wait_for("Claimed\n1")
    assert await desk.script("window.isTheSamePage"), "the board was not loaded again"
    assert (await served.claimed() or {})["username"] == "bob"


async def test_a_new_lead_is_on_every_screen_at_once(served: WebApp, phone: Phone, desk: Phone) -> None:
    await sign_in(desk, served, "alice")
    await sign_in(phone, served, "bob")
    await desk.open(f"{served.settings.public_url}/app/board")
    await desk.wait_for("On offer\n1")
    await phone.open(f"{served.settings.public_url}/app")

    await served.ask(email="noor@example.com", name="Noor Al-Haddad", city="Boulder")

    await desk.wait_for("Noor Al-Haddad", longest=100)
    await phone.wait_for("Boulder", longest=100)

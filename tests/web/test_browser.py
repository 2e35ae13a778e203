"""The pages as a phone shows them: a real server, a real Chromium."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvicorn

from tests.support.browser import PHONE, Phone, needs_chromium
from tests.support.web_app import PASSWORD, WebApp, pages_of

pytestmark = needs_chromium


@pytest.fixture
async def served(web_app: WebApp) -> AsyncIterator[WebApp]:
    """The office under a real address."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings = replace(web_app.settings, public_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
    application = pages_of(web_app.engine, settings)
    server = uvicorn.Server(uvicorn.Config(application, loop="none", lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield replace(web_app, settings=settings, application=application)
    web_app.database.screens.close()
    server.should_exit = True
    await serving


async def test_one_tap_claims_and_a_reload_claims_nothing_twice(served: WebApp, phone: Phone) -> None:
    await phone.open(served.settings.public_url + await served.link("bob"))
    await phone.wait_for("Claim this lead")
    assert await served.claimed() is None
    button = await phone.script("document.querySelector('main button').getBoundingClientRect().toJSON()")
    assert button["bottom"] <= PHONE["height"], "it is seen without scrolling"
    assert button["height"] >= 48, "and large enough for a thumb"
    assert await phone.script("document.documentElement.scrollWidth") <= PHONE["width"]

    await phone.press()
    await phone.wait_for("You have this lead")
    assert await served.claimed() == {"username": "bob", "via": "Email"}
    assert await phone.script("document.querySelector('a[href^=\"tel:\"]').href") == "tel:+13035550147"
    await phone.do(lambda driver: driver.refresh())
    await phone.wait_for("You have this lead")


async def test_the_countdown_runs_and_at_its_end_the_page_says_what_comes_now(served: WebApp, phone: Phone) -> None:
    await served.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    served.lead_id = await served.ask(email="finn@example.com")
    await served.database.set_time_scale(60)  # five minutes take five seconds
    await phone.open(served.settings.public_url + await served.link("bob"))
    await phone.wait_for("Yours to claim for 0:0")
    await phone.wait_for("Yours to claim for 0:00")
    await served.pass_minutes(5)
    await phone.wait_for("Your time to claim this lead is over")
    assert await phone.script("document.querySelector('main form')") is None


async def test_another_site_cannot_claim_with_a_link(served: WebApp, phone: Phone) -> None:
    address = served.settings.public_url + await served.link("bob")
    form = f"<form id=f method=post action='{address}'></form>"
    await phone.open(f"data:text/html,{form}")
    await phone.do(lambda driver: driver.execute_script("document.getElementById('f').submit()"))
    await phone.wait_for("That came from another site")

    assert await served.claimed() is None


async def test_the_owner_signs_in_looks_around_and_signs_out(served: WebApp, phone: Phone) -> None:
    await phone.open(f"{served.settings.public_url}/outbox")
    await phone.wait_for("Password")
    await phone.fill_in(email="alice@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Alerts and follow-up of your account")
    await phone.open(f"{served.settings.public_url}/app/board")
    await phone.wait_for("Bob Town")
    assert await phone.script("document.documentElement.scrollWidth") <= PHONE["width"]
    await phone.press("header summary")
    await phone.press("header form[action$='/sign-out'] button")
    await phone.wait_for("Password")

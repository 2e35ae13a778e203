"""Campaigns in a real browser of a phone's size: a ready-made one, its words, a contact; a condition, other words."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import DESK, FAULTS, PHONE, Phone, command, needs_chromium
from tests.support.web_app import PASSWORD, WebApp, pages_of

pytestmark = needs_chromium


@pytest.fixture
async def served(web_app: WebApp) -> AsyncIterator[WebApp]:
    """The pages under a real address."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings = replace(web_app.settings, public_url=f"http://127.0.0.1:{listening.getsockname()[1]}", body_timeout=5)
    application = pages_of(web_app.engine, settings)
    server = uvicorn.Server(uvicorn.Config(application, loop="none", lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield replace(web_app, settings=settings, application=application)
    web_app.database.screens.close()
    server.should_exit = True
    await serving


async def frame_says(phone: Phone, words: str) -> None:
    """Until the frame of the preview says so."""

    def says(driver: webdriver.Chrome) -> bool:
        driver.switch_to.frame(driver.find_element(By.NAME, "preview"))
        try:
            return words in driver.find_element(By.TAG_NAME, "body").text
        finally:
            driver.switch_to.default_content()

    await phone.do(lambda driver: WebDriverWait(driver, 20, 0.1, [Exception]).until(says))


async def press(phone: Phone, words: str) -> None:
    """Press what says so, wherever it is on the page."""
    found = f"//main//*[self::button or self::a or self::summary][contains(normalize-space(.), '{words}')]"
    await phone.do(lambda driver: driver.execute_script("arguments[0].click()", driver.find_element(By.XPATH, found)))


async def test_an_owner_begins_with_a_ready_made_campaign_and_changes_its_words(served: WebApp, phone: Phone) -> None:
    address = served.settings.public_url
    await phone.open(f"{address}/sign-in?next=/app/campaigns/new")
    await phone.fill_in(email="alice@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("New campaign")
    assert await phone.script("document.documentElement.scrollWidth") <= PHONE["width"]

    await press(phone, "Use this campaign")
    await phone.wait_for("is there with 9 steps")
    await phone.script("document.querySelectorAll('.timeline a.button')[1].click()")
    await phone.wait_for("What it says")
    await frame_says(phone, "thank you for asking about 12 Elm Street")
    assert await phone.script("document.documentElement.scrollWidth") <= PHONE["width"]
    heights = "[...document.querySelectorAll('main button, main a.button')].map(each => each.offsetHeight)"
    assert min(each for each in await phone.script(heights) if each) >= 44

    await phone.script("document.querySelector('textarea[name=body]').select()")
    await phone.fill_in(body="Dear ")
    await press(phone, "Placeholders")
    await press(phone, "Last name")
    await frame_says(phone, "Dear Lund")
    await press(phone, "On a phone")
    await frame_says(phone, "Dear Lund")
    await press(phone, "Save the words")
    await phone.wait_for("The words are saved")
    await frame_says(phone, "Dear Lund")
    body = await served.database.fetchval("SELECT body FROM templates WHERE description LIKE 'New buyer 2%'")
    assert body == "Dear {{ contact.last_name }}"

    await phone.fill_in(find="Lund")
    await press(phone, "Search")
    await phone.wait_for("Mia Lund")
    await phone.script("document.querySelector('[aria-label=\"Add Mia Lund\"]').click()")
    await phone.wait_for("Mia Lund is in the campaign")
    await press(phone, "Undo")
    await phone.wait_for("That is undone")
    await phone.wait_for("It does not run for anyone now")


async def test_an_owner_gives_a_step_a_condition_and_other_words_to_try(served: WebApp, phone: Phone) -> None:
    town, address = served.town, served.settings.public_url
    names = ("Words A", "The same question, asked in fewer words, with the price and the street in its first line")
    first, second = [await town.template("alice", description=name) for name in names]
    campaign_id = await town.campaign("alice", "Drip")
    step_id = await town.action("alice", campaign_id, template_id=first)
    await phone.open(f"{address}/sign-in?next=/app/campaigns/{campaign_id}?step={step_id}")
    await phone.fill_in(email="alice@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Drip")
    await press(phone, "Add a condition")
    await phone.wait_until("document.querySelector('[name=\"condition-0-field\"]')")
    choose = "for (const [name, value] of Object.entries({})) document.getElementsByName(name)[0].value = value"
    chosen = {
        "condition-0-field": "replied", "condition-0-value": "no", "variant-1": str(second), "share-1": "2",
    }  # fmt: skip
    await phone.do(lambda driver: driver.execute_script(choose.replace("{}", json.dumps(chosen))))
    for screen in (DESK, PHONE):
        await command(phone, "Emulation.setDeviceMetricsOverride", screen)
        await phone.script("[...document.querySelectorAll('main details')].map(each => each.open = true)")
        faults = await phone.do(lambda driver: driver.execute_script(FAULTS))
        assert [each for each in faults if screen is PHONE or " px" not in each] == []
    await press(phone, "Save the step")
    await phone.wait_for("The step is changed")
    await phone.wait_for("Only if the contact has not replied.")
    row = await served.database.fetchrow("SELECT variants, template_id FROM campaign_actions WHERE id = $1", step_id)
    assert (json.loads(row["variants"])[1], row["template_id"]) == ({"template_id": second, "share": 2}, None)

"""One's own account on a phone, with a script: a password is shown, the zone of the browser offered, a photo shrunk.

The same without a script is in test_me.py.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from leadroutes.server.run import address_of, listen, running_service
from tests.support.browser import FAULTS, Phone, command, needs_chromium
from tests.support.web_app import PASSWORD, WebApp

pytestmark = needs_chromium
SHOWN = "document.querySelector('[name=\"password\"]').type"
SMALL = "return document.querySelector('[name=\"picture\"]').files[0].size < 512 * 1024"
WORKER = "navigator.serviceWorker.getRegistration('/app').then((found) => new URL(found.scope).pathname)"


@pytest.fixture
async def served(web_app: WebApp) -> AsyncIterator[WebApp]:
    listening = listen("127.0.0.1", 0)
    settings = replace(web_app.settings, public_url=address_of(listening), body_timeout=5)
    async with running_service(settings, web_app.database, listening, with_worker=False):
        yield replace(web_app, settings=settings)


async def press(phone: Phone, words: str) -> None:
    """Press the button with these words, in the middle of the screen."""

    def scroll_and_press(driver: Chrome) -> None:
        button = driver.find_element(By.XPATH, f"//main//button[contains(., '{words}')]")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    await phone.do(scroll_and_press)


async def test_bob_sets_up_his_account_with_one_finger(served: WebApp, phone: Phone, tmp_path: Path) -> None:
    address = served.settings.public_url
    await command(phone, "Emulation.setTimezoneOverride", {"timezoneId": "America/Denver"})
    await phone.open(f"{address}/sign-in?next=/app/me")
    assert await phone.do(lambda driver: driver.execute_script(FAULTS)) == []
    await phone.fill_in(email="bob@example.com", password=PASSWORD)
    await press(phone, "Show")
    assert await phone.script(SHOWN) == "text"
    await press(phone, "Hide")
    assert await phone.script(SHOWN) == "password"
    await phone.press()

    await phone.wait_for("Details")
    assert await phone.do(lambda driver: driver.execute_script(FAULTS)) == []
    await press(phone, "Use America/Denver")
    await press(phone, "Save")
    await phone.wait_for("Saved.")
    assert await served.database.fetchval("SELECT timezone FROM users WHERE username = 'bob'") == "America/Denver"

    photo = tmp_path / "photo.png"
    Image.effect_noise((1600, 1200), 90).save(photo)
    assert photo.stat().st_size > 600_000
    await phone.do(lambda driver: driver.find_element(By.NAME, "picture").send_keys(str(photo)))
    await phone.do(lambda driver: WebDriverWait(driver, 20, 0.05).until(lambda _: driver.execute_script(SMALL)))
    await press(phone, "Use this picture")
    await phone.wait_for("That is your picture now.")

    await phone.open(f"{address}/app/me/security")
    assert await phone.do(lambda driver: driver.execute_script(FAULTS)) == []
    assert await phone.script(WORKER) == "/app"

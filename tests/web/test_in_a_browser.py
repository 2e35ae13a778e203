"""The pages as a phone shows them: a real server, a real Chromium."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from leadroutes import web
from tests.web.conftest import PASSWORD, Office

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason=f"{CHROMIUM} and {DRIVER} are not installed here"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    yield driver
    driver.quit()


@pytest.fixture
async def served(office: Office) -> AsyncIterator[Office]:
    """The office under a real address."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings = replace(office.settings, public_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
    application = web.application(office.database, office.engine, settings)
    server = uvicorn.Server(uvicorn.Config(application, loop="none", lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield replace(office, settings=settings, application=application)
    server.should_exit = True
    await serving


@pytest.fixture
def phone(chromium: webdriver.Chrome) -> Iterator["Phone"]:
    chromium.delete_all_cookies()
    yield Phone(chromium)
    assert [entry for entry in chromium.get_log("browser") if "Content Security Policy" in entry["message"]] == []


class Phone:
    """Chromium without holding up the server, which runs in this thread."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    async def do(self, work: Callable[[webdriver.Chrome], Any]) -> Any:
        return await asyncio.to_thread(work, self.driver)

    async def open(self, address: str) -> None:
        await self.do(lambda driver: driver.get(address))

    async def press(self, selector: str = "main button") -> None:
        await self.do(lambda driver: driver.find_element(By.CSS_SELECTOR, selector).click())

    async def wait_for(self, words: str) -> None:
        """Until the page says so."""
        await self.do(lambda driver: WebDriverWait(driver, 20, 0.05).until(lambda _: words in self._words()))

    def _words(self) -> str:
        return self.driver.execute_script("return document.body ? document.body.innerText : ''")

    async def script(self, code: str) -> Any:
        return await self.do(lambda driver: driver.execute_script(f"return {code}"))


async def test_one_tap_claims_and_a_reload_claims_nothing_twice(served: Office, phone: Phone) -> None:
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


async def test_the_countdown_runs_and_at_its_end_the_page_says_what_comes_now(served: Office, phone: Phone) -> None:
    await served.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    await served.database.set_time_scale(60)  # five minutes take five seconds
    await phone.open(served.settings.public_url + await served.link("bob"))
    await phone.wait_for("Yours to claim for 0:0")
    await phone.wait_for("Yours to claim for 0:00")
    await served.pass_minutes(5)
    await phone.wait_for("Your time to claim this lead is over")
    assert await phone.script("document.querySelector('main form')") is None


async def test_another_site_cannot_claim_with_a_link(served: Office, phone: Phone) -> None:
    address = served.settings.public_url + await served.link("bob")
    form = f"<form id=f method=post action='{address}'></form>"
    await phone.open(f"data:text/html,{form}")
    await phone.do(lambda driver: driver.execute_script("document.getElementById('f').submit()"))
    await phone.wait_for("That came from another site")

    assert await served.claimed() is None


async def test_the_owner_signs_in_looks_around_and_signs_out(served: Office, phone: Phone) -> None:
    def fill_in(driver: webdriver.Chrome) -> None:
        driver.find_element(By.NAME, "email").send_keys("alice@example.com")
        driver.find_element(By.NAME, "password").send_keys(PASSWORD)

    await phone.open(f"{served.settings.public_url}/outbox")
    await phone.wait_for("Password")
    await phone.do(fill_in)
    await phone.press()
    await phone.wait_for("What was told on your account")
    await phone.open(f"{served.settings.public_url}/")
    await phone.wait_for("offered to Bob Town since")
    assert await phone.script("document.documentElement.scrollWidth") <= PHONE["width"]
    await phone.press("header button")
    await phone.wait_for("Password")

"""The pages in a real browser of a phone's size, on the real service: what a finger does, what the browser refuses."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from leadroutes.server.run import address_of, listen, running_service
from tests.support.web_app import PASSWORD, WebApp

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
PICTURES = os.environ.get("LEADROUTES_TEST_PICTURES")  # a directory: pictures of the pages are written there

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with its driver is installed")


@dataclass
class Phone:
    """Someone's phone. Whatever waits for the browser is done beside the event loop, in which the service runs."""

    browser: Chrome
    address: str

    async def do(self, work: Callable[..., Any], *values: Any) -> Any:
        return await asyncio.to_thread(work, *values)

    async def open(self, path: str) -> None:
        await self.do(self.browser.get, self.address + path)

    async def text(self) -> str:
        return str(await self.do(lambda: self.browser.find_element(By.TAG_NAME, "body").text))

    async def press(self, words: str) -> None:
        """Press the button that says so, and wait for the page that comes of it."""

        def press() -> None:
            before = self.browser.find_element(By.TAG_NAME, "html")
            self.browser.find_element(By.XPATH, f"//button[contains(., '{words}')]").click()
            WebDriverWait(self.browser, 10).until(lambda _: _is_gone(before))

        await self.do(press)

    async def wait_until(self, condition: Callable[[Chrome], Any]) -> Any:
        return await self.do(lambda: WebDriverWait(self.browser, 10, 0.05).until(condition))

    async def links(self) -> list[str]:
        return await self.do(
            lambda: [a.get_attribute("href") for a in self.browser.find_elements(By.CSS_SELECTOR, "a[href]")]
        )

    async def complaints(self) -> list[str]:
        """What the browser refused or missed: the page's policy, a file that is not there, an error of the script."""
        return await self.do(lambda: [entry["message"] for entry in self.browser.get_log("browser")])

    async def keep_picture(self, name: str) -> None:
        if PICTURES:
            await self.do(self.browser.save_screenshot, str(Path(PICTURES) / f"{name}.png"))


def _is_gone(element: Any) -> bool:
    try:
        element.is_enabled()
    except WebDriverException:  # stale, or its page is being torn down
        return True
    return False


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
                 "disable-background-networking", "disable-component-update", "disable-dev-shm-usage",
                 f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.add_experimental_option(
        "mobileEmulation", {"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0, "touch": True}}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options, Service(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture
async def phone(web_app: WebApp, chromium: Chrome) -> AsyncIterator[Phone]:
    listening = listen("127.0.0.1", 0)
    settings = replace(web_app.settings, public_url=address_of(listening), body_timeout=5)
    async with running_service(settings, web_app.database, listening, with_worker=False):
        phone = Phone(chromium, address_of(listening))
        await phone.complaints()
        yield phone
        await phone.do(chromium.delete_all_cookies)
        await phone.open("/sign-in")  # nothing is under way when the service stops


async def test_bob_claims_with_one_finger_and_can_call_at_once(web_app: WebApp, phone: Phone) -> None:
    await phone.open(await web_app.link("bob"))
    seen = await phone.text()
    await phone.keep_picture("claim-open")
    assert all(word in seen for word in ("Mia", "Denver", "$450,000", "Buyer"))
    assert not any(secret in seen for secret in ("Lund", "0147", "mia@", "Elm", "garden"))
    assert await web_app.claimed() is None

    await phone.press("Claim")
    seen = await phone.text()
    await phone.keep_picture("claim-won")
    assert await web_app.claimed() == {"username": "bob", "via": "Email"}
    assert all(word in seen for word in ("Mia", "Lund", "12 Elm Street", "Is the <b>garden</b> sunny?"))
    links = await phone.links()
    assert {"tel:+13035550147", "mailto:mia@example.com"} <= set(links)
    assert await phone.complaints() == []


async def test_the_button_is_large_enough_and_the_page_fits_the_screen(web_app: WebApp, phone: Phone) -> None:
    await phone.open(await web_app.link("bob"))

    button = await phone.do(lambda: phone.browser.find_element(By.TAG_NAME, "button").rect)
    widths = await phone.do(
        phone.browser.execute_script, "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert button["height"] >= 48
    assert button["width"] >= 300
    assert button["y"] + button["height"] <= 844, "seen without scrolling"
    assert widths[0] <= widths[1]


async def test_the_time_that_is_left_runs(web_app: WebApp, phone: Phone) -> None:
    await phone.open(await web_app.link("bob"))

    def time_left(browser: Chrome) -> str:
        return str(browser.find_element(By.CSS_SELECTOR, "[data-seconds]").text)

    before = await phone.do(time_left, phone.browser)
    assert before
    await phone.wait_until(lambda browser: time_left(browser) != before)
    assert await phone.complaints() == []


async def test_who_comes_too_late_reads_who_has_it(web_app: WebApp, phone: Phone) -> None:
    await web_app.pass_minutes(30)
    await phone.open(await web_app.link("carol"))
    await web_app.engine.claim(web_app.town.users["alice"], web_app.lead_id, web_app.town.users["bob"])

    await phone.press("Claim")
    seen = await phone.text()
    await phone.keep_picture("claim-lost")
    assert "Bob Town" in seen
    assert not any(secret in seen for secret in ("Lund", "0147", "mia@"))
    assert (await web_app.claimed() or {})["username"] == "bob"


async def test_alice_signs_in_sees_who_has_what_and_signs_out(web_app: WebApp, phone: Phone) -> None:
    await phone.open("/app/outbox")
    await phone.keep_picture("sign-in")

    def fill_in(browser: Chrome) -> None:
        browser.find_element(By.NAME, "email").send_keys("alice@example.com")
        browser.find_element(By.NAME, "password").send_keys(PASSWORD)

    await phone.do(fill_in, phone.browser)
    await phone.press("Sign in")
    await phone.keep_picture("outbox")
    assert (await phone.do(lambda: phone.browser.current_url)) == phone.address + "/app/outbox"
    assert "Bob" in await phone.text()
    await phone.open("/app/board")
    await phone.keep_picture("board")
    assert "Mia" in await phone.text()
    cookies = await phone.do(phone.browser.get_cookies)
    assert {cookie["name"].partition("-known-")[0] for cookie in cookies} == {"leadroutes"}
    assert {(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies} == {(True, "Lax")}
    await phone.do(lambda: phone.browser.find_element(By.CSS_SELECTOR, "header summary").click())
    await phone.press("Sign out")
    assert await web_app.database.fetchval("SELECT count(*) FROM sessions") == 0
    assert await phone.complaints() == []

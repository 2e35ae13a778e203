"""A real Chromium that shows pages as a phone does; fixtures: `chromium`, one a module, and `phone`, one a test."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

needs_chromium = pytest.mark.skipif(
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

    async def fill_in(self, **fields: str) -> None:
        """Type into fields by their names."""

        def type_into(driver: webdriver.Chrome) -> None:
            for name, text in fields.items():
                driver.find_element(By.NAME, name).send_keys(text)

        await self.do(type_into)

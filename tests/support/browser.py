"""A real Chromium that shows pages as a phone does; fixtures: `chromium`, one a module, and `phone`, one a test."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESK = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}

# What breaks WCAG 2.2: contrast (1.4.3, AA), reflow (1.4.10, AA), targets of 44 px (2.5.5). Links within a sentence are
# exempt from the last.
FAULTS = """
const faults = [];
const light = (color) => {
  const part = (value) => value <= 10.0164 ? value / 3294.6 : ((value / 255 + .055) / 1.055) ** 2.4;
  return .2126 * part(color[0]) + .7152 * part(color[1]) + .0722 * part(color[2]);
};
const read = (text) => {
  const found = text.match(/[\\d.]+/g).map(Number);
  if (text.startsWith("color(srgb")) for (const part of [0, 1, 2]) found[part] *= 255;
  return found.length < 4 ? [...found, 1] : found;
};
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = read(getComputedStyle(each).backgroundColor);
    if (color[3] > 0) return color;
  }
  return [255, 255, 255, 1];
};
const isSeen = (box) => box.width > 0 && box.height > 0 && box.right > 0;
for (const each of document.querySelectorAll("body *")) {
  const hasWords = [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!hasWords || !isSeen(each.getBoundingClientRect())) continue;
  const lights = [light(read(getComputedStyle(each).color)), light(behind(each))].sort((a, b) => b - a);
  const ratio = (lights[0] + .05) / (lights[1] + .05);
  if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${each.textContent.trim().slice(0, 60)}`);
}
const isInSentence = (each) => each.matches("a") && getComputedStyle(each).display === "inline"
  && each.parentElement.textContent.trim() !== each.textContent.trim();
for (const each of document.querySelectorAll("a[href], button, summary, select, input:not([type=hidden]), textarea")) {
  const box = (each.closest("label") ?? each).getBoundingClientRect();
  if (isSeen(box) && !isInSentence(each) && (box.width < 43.9 || box.height < 43.9)) {
    faults.push(`${box.width.toFixed()} by ${box.height.toFixed()} px: ${each.outerHTML.slice(0, 80)}`);
  }
}
if (document.documentElement.scrollWidth > innerWidth) faults.push(`${document.documentElement.scrollWidth} px wide`);
return faults;
"""

needs_chromium = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason=f"{CHROMIUM} and {DRIVER} are not installed here"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    yield from _chromium(tmp_path_factory.mktemp("chromium"), PHONE)


@pytest.fixture(scope="module")
def other_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One more, at someone else's desk."""
    yield from _chromium(tmp_path_factory.mktemp("chromium"), DESK)


def _chromium(directory: Path, screen: dict[str, Any]) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={directory}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    driver.set_page_load_timeout(60)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    yield driver
    driver.quit()


@pytest.fixture
def phone(chromium: webdriver.Chrome) -> Iterator["Phone"]:
    yield from _screen(chromium, PHONE)


@pytest.fixture
def desk(other_chromium: webdriver.Chrome) -> Iterator["Phone"]:
    yield from _screen(other_chromium, DESK)


def _screen(driver: webdriver.Chrome, screen: dict[str, Any]) -> Iterator["Phone"]:
    driver.delete_all_cookies()
    yield Phone(driver, screen)
    assert [entry for entry in driver.get_log("browser") if "Content Security Policy" in entry["message"]] == []


class Phone:
    """Chromium without holding up the server, which runs in this thread."""

    def __init__(self, driver: webdriver.Chrome, screen: dict[str, Any]) -> None:
        self.driver, self.screen = driver, screen

    async def do(self, work: Callable[[webdriver.Chrome], Any]) -> Any:
        return await asyncio.to_thread(work, self.driver)

    async def open(self, address: str) -> None:
        """A page that reloads itself when left can have the driver wait for a load that never ends: asks again."""
        try:
            await self.do(lambda driver: driver.get(address))
        except TimeoutException:
            await self.do(lambda driver: driver.get(address))

    async def leave(self) -> None:
        """Close the tab, which ends its stream at once, whatever it does; a new one is open then, without emulation."""

        def change_tabs(driver: webdriver.Chrome) -> None:
            old = driver.current_window_handle
            driver.switch_to.new_window("tab")
            new = driver.current_window_handle
            driver.switch_to.window(old)
            driver.close()
            driver.switch_to.window(new)
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", self.screen)

        await self.do(change_tabs)

    async def press(self, selector: str = "main button:not([type=button])") -> None:
        def press_in_sight(driver: webdriver.Chrome) -> None:
            element = driver.find_element(By.CSS_SELECTOR, selector)
            # Not at an edge, where a bar of the page may lie over it.
            driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
            element.click()

        await self.do(press_in_sight)

    async def wait_until(self, condition: str, *, longest: float = 20) -> None:
        """Until this expression of a script is true. A driver that reads while a page is left is asked again."""
        waiting = WebDriverWait(self.driver, longest, 0.05, ignored_exceptions=[TimeoutException])
        await self.do(lambda _: waiting.until(lambda _: self.driver.execute_script(f"return Boolean({condition})")))

    async def wait_for(self, words: str, *, longest: float = 20) -> None:
        """Until the page says so. A driver that reads while a page is left says TimeoutException: ask it again."""
        waiting = WebDriverWait(self.driver, longest, 0.05, ignored_exceptions=[TimeoutException])
        await self.do(lambda _: waiting.until(lambda _: words in self._words()))

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


async def command(phone: Phone, name: str, values: dict[str, Any]) -> None:
    """A command of the protocol of Chromium's developer tools."""
    await phone.do(lambda driver: driver.execute_cdp_cmd(name, values))

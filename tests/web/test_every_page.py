"""Every declared page in a real Chromium: width, targets, contrast, axe-core, the policy, and the keyboard."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from leadroutes.web.page import administrators, owners
from tests.support.browser import DESK, FAULTS, PHONE, Phone, needs_chromium
from tests.support.every_page import EveryPage
from tests.support.javascript import NodeJs
from tests.support.web_app import PASSWORD

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, { runOnly: arguments[0], resultTypes: ["violations"] }).then((found) =>
  done(found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`)));
"""
UNFOLD = "for (const each of document.querySelectorAll('main details:not([data-menu])')) each.open = true;"
SEND_EMPTY = """
const form = document.querySelector("main form[method=post]:has([name=do])");
form.noValidate = true;
window.wasSent = true;
form.requestSubmit();
"""
HAS_FORM = "return document.querySelector('main form[method=post]:has([name=do])') !== null"


def look(axe: str) -> Callable[[Chrome], list[str]]:
    """What is wrong with the page that is open: on both screens in both schemes, and by axe-core on the phone."""

    def faults_of(driver: Chrome) -> list[str]:
        faults = []
        driver.execute_script(UNFOLD)
        for screen in (PHONE, DESK):
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            for scheme in ("dark", "light"):
                set_scheme(driver, scheme)
                where = f"{screen['width']} {scheme}"
                faults += [f"{where} {each}" for each in driver.execute_script(FAULTS) if is_fault(each, screen)]
                if screen is PHONE and axe:
                    driver.execute_script(axe)
                    only = {"type": "tag", "values": TAGS} if scheme == "light" else CONTRAST
                    faults += [f"{where} {each}" for each in driver.execute_async_script(AXE, only)]
        return faults

    return faults_of


def is_fault(found: str, screen: dict[str, Any]) -> bool:
    """A mouse hits what a thumb misses."""
    return screen is PHONE or not re.match(r"\d+ by \d+ px", found)


def set_scheme(driver: Chrome, scheme: str) -> None:
    values = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in values.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


async def sign_in(phone: Phone, pages: EveryPage, name: str) -> None:
    await phone.open(f"{pages.app.settings.public_url}/sign-in")
    await phone.fill_in(email=f"{name}@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Skip to the content")


@pytest.mark.parametrize("role", ["owner", "administrator", "agent"])
async def test_everyone_can_read_and_press_every_page(
    served_pages: EveryPage, phone: Phone, node_js: NodeJs, role: str
) -> None:
    pages, axe = served_pages, (node_js.packages / "axe-core" / "axe.min.js").read_text()
    if role == "administrator":
        await pages.make_administrator()
    await sign_in(phone, pages, "bob" if role == "agent" else "alice")
    faults = {}
    try:
        for path, page in pages.paths.items():
            if role == "agent" and page.may in (owners, administrators):
                continue
            await phone.open(pages.app.settings.public_url + path)
            is_new = role != "administrator" or page.may is administrators
            faults[path] = await phone.do(look(axe if is_new else ""))
    finally:
        await phone.leave()  # its stream ends, which the service would wait for

    lines = [f"{path}: {each}" for path, found in faults.items() for each in found]
    assert not lines, "\n".join(lines)


async def active(phone: Phone) -> str:
    """What has the focus: its class, or its id."""
    return await phone.script("document.activeElement.className || document.activeElement.id")


async def test_the_first_key_offers_to_skip_the_navigation(served_pages: EveryPage, phone: Phone) -> None:
    await sign_in(phone, served_pages, "alice")
    for path in ("/app", "/app/routes"):
        await phone.open(served_pages.app.settings.public_url + path)
        await phone.do(lambda driver: driver.switch_to.active_element.send_keys(Keys.TAB))
        assert await active(phone) == "skip"
        await phone.do(lambda driver: driver.switch_to.active_element.send_keys(Keys.ENTER))
        await phone.do(lambda driver: WebDriverWait(driver, 10, 0.05).until(is_main_focused))


def is_main_focused(driver: Chrome) -> bool:
    return driver.switch_to.active_element.get_attribute("id") == "main"


async def test_after_a_mistake_the_focus_is_on_what_is_wrong(
    served_pages: EveryPage, phone: Phone, node_js: NodeJs
) -> None:
    """Every form for something new, sent empty; the page that comes back is as easy to read as the others."""
    pages, axe = served_pages, (node_js.packages / "axe-core" / "axe.min.js").read_text()
    await sign_in(phone, pages, "alice")
    tried = [path for path, page in pages.paths.items() if path.endswith("/new") and page.acts]
    faults = {}
    for path in tried:
        await phone.open(pages.app.settings.public_url + path)
        if not await phone.do(lambda driver: driver.execute_script(HAS_FORM)):
            continue  # its form comes once a kind is chosen
        await phone.do(lambda driver: driver.execute_script(SEND_EMPTY))
        await phone.do(lambda driver: WebDriverWait(driver, 20, 0.05).until(is_answered))
        if await phone.script("document.querySelector('[data-focus]') !== null"):
            assert await active(phone) == "notice warn", path
            assert (await phone.script("document.title")).startswith("Error: "), path
            faults[path] = await phone.do(look(axe))
    await phone.do(lambda driver: driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE))

    assert len(faults) >= len(tried) / 2, "most of them want something"
    assert {path: found for path, found in faults.items() if found} == {}


def is_answered(driver: Chrome) -> bool:
    """Whether the page that a form led to has come, with its script run."""
    return driver.execute_script("return document.readyState === 'complete' && window.wasSent === undefined")

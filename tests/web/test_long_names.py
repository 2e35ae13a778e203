"""Every page with the longest that people type in every text: nothing is wider than the screen, and nothing is cut."""

import pytest
from selenium.webdriver import Chrome

from leadroutes.web.page import administrators, owners
from tests.support.browser import DESK, PHONE, Phone, needs_chromium
from tests.support.every_page import EveryPage
from tests.support.markup import spoil
from tests.support.web_app import PASSWORD

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

WORD = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogochxy"
SENTENCE = ("A house with a garden at the lake, as it was copied from the listing into a field for a name, " * 3)[:200]
# What reaches out of the screen or of what is around it. Tables scroll by themselves; a name in the bar ends in dots.
FAULTS = """
document.querySelectorAll("main details:not([data-menu])").forEach((each) => { each.open = true; });
const faults = [];
const wide = document.documentElement.scrollWidth;
if (wide > innerWidth) faults.push(`${wide} px wide`);
for (const row of document.querySelectorAll("svg.chart g")) {
  const [one, other] = [...row.querySelectorAll("text")].map((each) => each.getBoundingClientRect());
  if (one && other && one.right > other.left && one.left < other.right && one.bottom > other.top + 4
    && one.top < other.bottom - 4) faults.push(`one on the other: ${row.textContent.slice(0, 110)}`);
}
for (const each of document.querySelectorAll("body *")) {
  const box = each.getBoundingClientRect(), style = getComputedStyle(each);
  if (box.width === 0 || box.height === 0 || each.closest("svg, .scroll, .unseen, .skip, .desk, .bar, pre")) continue;
  const isField = each.matches("input, select, textarea, option, iframe");
  const isOut = box.right > innerWidth + 1 && box.left < innerWidth;
  const isCut = !isField && each.scrollWidth > each.clientWidth + 1 && style.display !== "inline";
  if (isOut || isCut) faults.push(`${isOut ? "out" : "cut"}: ${each.outerHTML.replace(/\\s+/g, " ").slice(0, 110)}`);
}
return faults;
"""


@pytest.mark.parametrize("text", [WORD, SENTENCE], ids=["one long word", "a long sentence"])
async def test_no_text_is_too_long_for_a_page(served_pages: EveryPage, phone: Phone, text: str) -> None:
    await served_pages.make_administrator()
    await spoil(served_pages.app, text)
    faults = {}
    try:
        for name in ("alice", "bob"):
            await sign_in(phone, served_pages, name)
            for path, page in served_pages.paths.items():
                if name == "alice" or page.may not in (owners, administrators):
                    await phone.open(served_pages.app.settings.public_url + path)
                    faults[f"{name} {path}"] = await phone.do(look)
    finally:
        await phone.leave()  # its stream ends, which the service would wait for

    lines = [f"{page}: {each}" for page, found in faults.items() for each in found]
    assert not lines, "\n".join(lines)


def look(driver: Chrome) -> list[str]:
    """Returns what is too wide on a phone or at a desk."""
    faults = []
    for screen in (DESK, PHONE):
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        faults += [f"{screen['width']} {each}" for each in driver.execute_script(FAULTS)]
    return faults


async def sign_in(phone: Phone, pages: EveryPage, name: str) -> None:
    await phone.do(lambda driver: driver.delete_all_cookies())
    await phone.open(f"{pages.app.settings.public_url}/sign-in")
    await phone.fill_in(email=f"{name}@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Skip to the content")

"""Routes and teams in a real browser, on a phone: the sentence that follows what is chosen, and dragging a member.

The same without a script is in test_routes.py and test_teams.py.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from leadroutes.server.run import address_of, listen, running_service
from tests.support.browser import Phone, needs_chromium
from tests.support.web_app import PASSWORD, WebApp

pytestmark = needs_chromium
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture
async def served(web_app: WebApp) -> AsyncIterator[WebApp]:
    listening = listen("127.0.0.1", 0)
    settings = replace(web_app.settings, public_url=address_of(listening), body_timeout=5)
    async with running_service(settings, web_app.database, listening, with_worker=False):
        yield replace(web_app, settings=settings)


async def choose(phone: Phone, name: str, words: str) -> None:
    await phone.do(lambda driver: Select(driver.find_element(By.NAME, name)).select_by_visible_text(words))


async def press(phone: Phone, selector: str) -> None:
    """Press what a finger has scrolled to: the driver itself would scroll it behind the bar at the bottom."""

    def scroll_and_press(driver: Chrome) -> None:
        element = driver.find_element(By.CSS_SELECTOR, selector)
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    await phone.do(scroll_and_press)


def drag_carol_to_the_top(driver: Chrome) -> None:
    first, second = driver.find_elements(By.CSS_SELECTOR, "[data-handle]")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", first)
    actions = ActionChains(driver, duration=100).click_and_hold(second).move_by_offset(0, -10)
    actions.move_to_element_with_offset(first, 0, -10).move_by_offset(0, -6).pause(0.3).release().perform()


async def test_alice_makes_a_route_and_drags_a_member(served: WebApp, phone: Phone) -> None:
    address = served.settings.public_url
    await phone.open(f"{address}/sign-in?next=/app/routes/new")
    await phone.fill_in(email="alice@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Leads from the source that you choose")
    assert await phone.script(WIDTH) == 390

    await choose(phone, "lead_source_id", "Realtor.com")
    await choose(phone, "team_id", "North Side")
    await phone.fill_in(filter="Buyer")
    await phone.wait_for("Leads of the type Buyer from Realtor.com are offered to the team North Side.")
    await phone.wait_for("Whoever comes back is offered to their agent first")
    await press(phone, 'main [value="Route Again"]')
    await phone.wait_until("!document.getElementById('said').innerText.includes('Whoever comes back')")
    await press(phone, 'main [value="owner"]')
    await phone.wait_for("Leads of the type Buyer from Realtor.com are yours at once.")
    assert not await phone.script("document.querySelector('[name=\"returning_contact\"]').checkVisibility()")
    assert not await phone.script("document.querySelector('[name=\"team_id\"]').checkVisibility()")
    await choose(phone, "campaign_id", "Follow-up 1")
    await press(phone, "main form [data-busy]")
    await phone.wait_for("The route is there.")
    assert await phone.script(WIDTH) == 390

    await phone.open(f"{address}/app/teams/{served.town.team_id}")
    assert await phone.script(WIDTH) == 390
    await phone.do(drag_carol_to_the_top)
    await phone.wait_for("The order is changed.")
    rows = await served.database.fetch(
        "SELECT username FROM team_member_distribution_options JOIN users ON users.id = user_id ORDER BY rank"
    )
    assert [row["username"] for row in rows] == ["carol", "bob"]

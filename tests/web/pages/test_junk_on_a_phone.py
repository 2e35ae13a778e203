"""Tasks, junk, close and what has passed one by, in a real browser on a phone, with a very long name."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from leadroutes.server.run import address_of, listen, running_service
from tests.support.browser import FAULTS, Phone, needs_chromium
from tests.support.web_app import PASSWORD, WebApp

pytestmark = needs_chromium
LONG = "Bartholomew-Maximilian-Featherstonehaugh"


@pytest.fixture
async def served(web_app: WebApp) -> AsyncIterator[WebApp]:
    listening = listen("127.0.0.1", 0)
    settings = replace(web_app.settings, public_url=address_of(listening), body_timeout=5)
    async with running_service(settings, web_app.database, listening, with_worker=False):
        yield replace(web_app, settings=settings)


async def faults(phone: Phone) -> list[str]:
    return await phone.do(lambda driver: driver.execute_script(FAULTS))


async def test_bob_closes_a_lead_and_says_that_it_is_junk_and_carol_reads_what_passed(
    served: WebApp, phone: Phone
) -> None:
    address, users = served.settings.public_url, served.town.users
    await served.database.execute("UPDATE users SET first_name = $1, last_name = $1 WHERE username = 'bob'", LONG)
    await served.engine.claim(served.brokerage.owner_id, served.lead_id, users["bob"])
    await phone.open(f"{address}/sign-in?next=/app/leads/{served.lead_id}")
    await phone.fill_in(email="bob@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Why you got it")
    await phone.press("[aria-labelledby='done'] button")
    await phone.wait_for("The lead is closed.")
    await phone.press("[aria-labelledby='done'] summary")
    assert await faults(phone) == []
    await phone.do(lambda driver: Select(driver.find_element(By.NAME, "reason")).select_by_value("wrong number"))
    await phone.press("[aria-labelledby='done'] details button")
    await phone.wait_for("This lead is junk: wrong number.")
    assert await faults(phone) == []
    row = await served.database.fetchrow("SELECT is_closed, junk_reason FROM leads")
    assert tuple(row) == (True, "wrong number")

    await served.database.execute("UPDATE sessions SET user_id = $1", users["carol"])
    await phone.open(f"{address}/app/passed-over")
    await phone.wait_for(f"It was {LONG}'s turn, and {LONG} claimed it")
    assert await faults(phone) == []


GAPS = """[...document.querySelectorAll("[aria-labelledby='next'] > .row")].slice(1).map((row) =>
    row.querySelector("strong").getBoundingClientRect().top
    - row.previousElementSibling.querySelector("button").getBoundingClientRect().bottom)"""


async def test_the_tasks_of_a_lead_are_apart(served: WebApp, phone: Phone) -> None:
    """So that no thumb takes the button of one for that of the next."""
    address, town, bob = served.settings.public_url, served.town, served.town.users["bob"]
    await served.engine.claim(served.brokerage.owner_id, served.lead_id, bob)
    contact_id = await served.database.fetchval("SELECT contact_id FROM leads")
    for words in ("Call back about the garden", "Send the floor plan and the papers of the association", "Look again"):
        await town.insert(
            "tasks", owner_id=bob, contact_id=contact_id, contact_owner_id=served.brokerage.owner_id,
            action_type="Call Contact", assigned_user_id=bob, description=words, status="incomplete",
            created_at=town.now, modified_at=town.now,
        )  # fmt: skip
    await phone.open(f"{address}/sign-in?next=/app/leads/{served.lead_id}")
    await phone.fill_in(email="bob@example.com", password=PASSWORD)
    await phone.press()
    await phone.wait_for("Look again")

    gaps = await phone.script(GAPS)
    assert len(gaps) == 2
    assert min(gaps) >= 16
    assert await faults(phone) == []

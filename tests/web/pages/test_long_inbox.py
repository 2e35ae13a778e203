"""The inbox of an agent for whom much waits: the newest at first, the rest one press away, and always light."""

from leadroutes.web.pages.inbox import FIRST
from tests.support.page_forms import words_of
from tests.support.web_app import WebApp

LARGEST = 60_000  # bytes of a page
MORE = 3


async def claims_of_bob(web_app: WebApp, count: int) -> None:
    for number in range(count):
        lead_id = await web_app.ask(email=f"claimed{number}@example.com", name=f"Claimed {number}")
        await web_app.engine.claim(web_app.brokerage.owner_id, lead_id, web_app.town.users["bob"])


async def offers_to_bob(web_app: WebApp, count: int) -> None:
    for number in range(count):
        await web_app.ask(email=f"offered{number}@example.com", name=f"Offered {number}", city="Boulder")


async def test_the_newest_offers_come_first_and_the_rest_is_one_press_away(web_app: WebApp) -> None:
    await offers_to_bob(web_app, FIRST + MORE - 1)  # and Mia's
    bob = await web_app.sign_in("bob")

    page = (await bob.get("/app")).text

    assert page.count('value="claim"') == page.count('value="decline"') == FIRST
    assert "Offered, in Boulder" in words_of(page)
    assert "Show more" in words_of(page)
    assert 'href="/app?all=1"' in page
    for part in ({}, {"part": "inbox"}):
        everything = (await bob.get("/app", params={"all": "1", **part})).text
        assert everything.count('value="claim"') == FIRST + MORE
        assert " more" not in words_of(everything)
    assert 'hx-get="/app?all=1&amp;part=inbox"' in (await bob.get("/app?all=1")).text, "it stays open when read anew"


async def test_leads_tasks_and_calls_are_as_few_at_first(web_app: WebApp) -> None:
    town, owner_id, bob_id = web_app.town, web_app.brokerage.owner_id, web_app.town.users["bob"]
    await claims_of_bob(web_app, FIRST + MORE)
    contact_id = await web_app.database.fetchval("SELECT max(contact_id) FROM claims JOIN leads ON lead_id = leads.id")
    for number in range(FIRST + MORE):
        await town.insert(
            "tasks", owner_id=owner_id, action_type="Call Contact", description=f"Task {number}", status="incomplete",
            due_at=town.now, assigned_user_id=bob_id, contact_owner_id=owner_id, contact_id=contact_id,
            created_at=town.now, modified_at=town.now,
        )  # fmt: skip
    bob = await web_app.sign_in("bob")

    page = (await bob.get("/app")).text

    assert page.count('<p class="small open">Claimed') == FIRST
    assert page.count('aria-label="Done: Task') == FIRST
    assert words_of(page).count("Show more") == 2
    assert (await bob.get("/app?all=1")).text.count('aria-label="Done: Task') == FIRST + MORE


async def test_a_full_inbox_is_light(web_app: WebApp) -> None:
    """Fifty of everything, as many as the API lists."""
    await offers_to_bob(web_app, 50)
    await claims_of_bob(web_app, 50)

    page = (await (await web_app.sign_in("bob")).get("/app")).text

    assert "Show more" in words_of(page)
    assert len(page.encode()) < LARGEST

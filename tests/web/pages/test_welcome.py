"""Where one begins: the first steps of an owner, the example brokerage, the inbox of an agent."""

from pathlib import Path

import httpx
import pytest

from leadroutes.engine.engine import Engine
from leadroutes.engine.first_start import new_setup_code
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.page_forms import form
from tests.support.web_app import HOST, WebApp, pages_of

WELCOME = "/app/welcome"


async def home(browser: httpx.AsyncClient) -> str:
    return (await browser.get("/")).headers["location"]


async def test_everyone_begins_where_the_work_is(web_app: WebApp) -> None:
    assert await home(web_app.browser()) == "/sign-in"
    assert await home(await web_app.sign_in("bob")) == "/app"
    assert await home(await web_app.sign_in("dave")) == WELCOME


async def test_an_agent_has_no_first_steps(web_app: WebApp) -> None:
    assert (await (await web_app.sign_in("bob")).get(WELCOME)).status_code == 404


async def test_someone_who_was_invited_as_an_agent_has_nothing_to_set_up(
    web_app: WebApp,
) -> None:
    dave = await web_app.sign_in("dave")
    assert "Were you invited as an agent?" in (await dave.get(WELCOME)).text
    assert "invited as an agent" not in (await (await web_app.sign_in("alice")).get(WELCOME)).text
    await web_app.town.team("dave", name="Dave's")
    assert "invited as an agent" not in (await dave.get(WELCOME)).text


async def test_only_an_administrator_is_offered_the_example(web_app: WebApp) -> None:
    dave = await web_app.sign_in("dave")
    assert "example brokerage" not in (await dave.get(WELCOME)).text
    assert (await dave.post(WELCOME, data={"do": "load_example"})).status_code == 403


@pytest.fixture
async def newcomer(database: Database, tmp_path: Path) -> httpx.AsyncClient:
    """Alice, who has just set up the service."""
    settings = Settings(public_url=HOST, data=tmp_path, secret="a secret of the tests")
    application = pages_of(Engine(database), settings)
    browser = httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url=HOST)
    code = await new_setup_code(database)
    given = {"email": "alice@example.com", "password": "correct horse battery", "timezone": "America/Denver"}
    assert (await browser.post(f"/setup/{code}", data=given)).status_code == 303
    return browser


async def test_the_example_is_loaded_looked_at_and_removed(newcomer: httpx.AsyncClient, database: Database) -> None:
    assert await home(newcomer) == WELCOME
    page = (await newcomer.get(WELCOME)).text
    assert "0 of 5 are done" in page
    once = form(page, "load_example")
    for _ in range(2):  # a form that is sent twice acts once
        assert (await newcomer.post(WELCOME, data=once)).status_code == 303
    loaded = (await newcomer.get(WELCOME)).text
    assert "Remove the example" in loaded
    assert "3 of 5 are done" in loaded
    assert (await newcomer.post(WELCOME, data={"do": "load_example"})).status_code == 409

    assert (await newcomer.post(WELCOME, data=form(loaded, "remove_example"))).status_code == 303
    assert "0 of 5 are done" in (await newcomer.get(WELCOME)).text
    assert await database.fetchval("SELECT count(*) FROM users") == 1


async def test_each_step_is_ticked_by_what_is_stored(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    assert "All set" in (await alice.get(WELCOME)).text
    assert "First steps" not in (await alice.get("/app/board")).text
    await web_app.database.execute("UPDATE lead_routes SET is_active = false")
    await web_app.database.execute("UPDATE intake_keys SET revoked_at = now()")
    assert "3 of 5 are done" in (await alice.get(WELCOME)).text
    assert "First steps: 3 of 5 done" in (await alice.get("/app/board")).text


async def test_a_test_lead_needs_a_source(web_app: WebApp) -> None:
    dave = await web_app.sign_in("dave")
    refused = await dave.post(WELCOME, data={"do": "test"})
    assert (refused.status_code, "Connect a source first" in refused.text) == (409, True)


async def test_the_last_step_sends_a_test_lead(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    answer = await alice.post(WELCOME, data=form((await alice.get(WELCOME)).text, "test"))

    lead_id = await web_app.database.fetchval("SELECT id FROM leads WHERE is_test")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/app/leads/{lead_id}")
    assert "See where it went" in (await alice.get(WELCOME)).text


async def test_with_a_lead_an_owner_begins_at_the_board(web_app: WebApp) -> None:
    dave = await web_app.sign_in("dave")
    await web_app.town.lead("dave", await web_app.town.contact("dave", first_name="Mia"))
    assert await home(dave) == "/app/board"

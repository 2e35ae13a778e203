"""An address of the API, or of nothing, in a browser: a page or the way to one. For programs nothing is different."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from leadroutes import api
from leadroutes.api.resources import BY_PATH
from leadroutes.server import app
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.web.addresses import PAGES
from leadroutes.web.pages import PAGES as DECLARED
from tests.support.town import Town

BROWSER = {
    "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
}  # fmt: skip
OPEN = ("/docs", "/openapi.json", "/healthz", "/readyz", "/metrics")


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    application = app.build_app(
        Settings(data=tmp_path, secret="a secret of the tests", public_url="http://town"), database
    )
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://town") as client:
        yield client
    await application.arrivals.close()


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/leads", "/app/leads"), ("/leads?$limit=2", "/app/leads"), ("//leads/", "/app/leads"),
        ("/Leads", "/app/leads"), ("/lead-routes", "/app/routes"), ("/users", "/app/people"),
        ("/messages", "/app/outbox"),
        ("/me", "/app/me"), ("/login", "/sign-in"), ("/app/outbox/", "/app/outbox"), ("/Tokens", "/app/me/tokens"),
        ("//sign-in", "/sign-in"), ("/app/outbox/?state=failed", "/app/outbox?state=failed"),
        ("//claim/a-Token", "/claim/a-Token"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_browser_is_led_to_the_page(client: httpx.AsyncClient, method: str, path: str, page: str) -> None:
    answer = await client.request(method, f"http://town{path}", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, page)


@pytest.mark.parametrize(
    "path",
    ["/settings", "/leads/1", "/hotnesses", "/teams/1/x", "/intake/some-key", "/<b>x", "/oauth2/token", "/v1/events",
     "//evil.example", "/%2e%2e/x", "/%00", "/é"],
)  # fmt: skip
async def test_a_browser_reads_that_there_is_no_page_and_where_home_is(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"http://town{path}", headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<h1>There is no page here</h1>" in answer.text
    assert 'href="/app">To your leads</a>' in answer.text
    assert "<b>x" not in answer.text


WITHOUT_PAGE = {  # what is shown on the page of something else alone
    "/consents", "/contact-communications", "/contact-sources", "/custom-fields", "/events", "/hotnesses", "/tags",
}  # fmt: skip


def test_every_list_of_the_api_has_the_page_that_shows_it() -> None:
    lists = {path for path, each in BY_PATH.items() if "L" in each.methods and ":id" not in path}
    assert lists - set(PAGES) == WITHOUT_PAGE


def test_every_address_leads_to_a_page_that_is_there() -> None:
    known = {"/app" + each.path.rstrip("/") for each in DECLARED} | {"/sign-in", "/forgotten"}
    assert set(PAGES.values()) - known == set()


PROGRAMS = {
    "a program": {},
    "one that wants anything": {"Accept": "*/*"},
    "a script in a page": BROWSER | {"Sec-Fetch-Mode": "cors"},
    "with a token": BROWSER | {"Authorization": "Bearer " + "0" * 40},
    "one that wants JSON": BROWSER | {"Accept": "application/json"},
}


@pytest.mark.parametrize("headers", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize(("path", "status"), [("/leads", 401), ("/settings", 401), ("/intake/x", 400)])
async def test_programs_see_no_difference(
    client: httpx.AsyncClient, headers: dict[str, str], path: str, status: int
) -> None:
    answer = await client.get(path, headers=headers)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["code"] in (status, 404)


async def test_only_looking_is_navigation(client: httpx.AsyncClient) -> None:
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        answer = await client.request(method, "/leads", headers=BROWSER)
        assert (answer.status_code, answer.json()["name"]) == (401, "NotAuthenticated")


async def test_a_token_is_answered_in_a_browser_too(client: httpx.AsyncClient, database: Database) -> None:
    town = await Town.create(database)
    answer = await client.get("/me", headers=BROWSER | {"Authorization": f"Bearer {town.tokens['bob']}"})
    assert answer.json()["email"] == "bob@example.com"


@pytest.mark.parametrize("path", OPEN)
async def test_what_anyone_may_look_at_is_shown_as_it_is(client: httpx.AsyncClient, path: str) -> None:
    plain, browser = await client.get(path), await client.get(path, headers=BROWSER)
    assert browser.status_code == plain.status_code
    assert browser.headers["content-type"] == plain.headers["content-type"]
    assert "There is no page here" not in browser.text


async def test_every_path_of_the_api_has_an_answer_for_a_browser(client: httpx.AsyncClient) -> None:
    for path in api.paths():
        answer = await client.get(path.replace(":", ""), headers=BROWSER)
        if path in OPEN:
            continue
        assert answer.status_code in (303, 404), path
        assert "NotAuthenticated" not in answer.text

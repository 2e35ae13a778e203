"""What holds for every page: its headers, its words in HTML also when something is wrong, its place beside the API."""

import re
from dataclasses import replace

import httpx
import pytest

from leadroutes import api, web
from leadroutes.engine.engine import Engine
from leadroutes.intake.html import page_text
from leadroutes.server import app
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.web.forms import read_id
from leadroutes.web.rendering import mailto, moment, phone, tel
from tests.support.web_app import WebApp, pages_of, with_settings

NOWHERE = ("/assets/none", "/claim/", "/claim/a/b", "/claim/forged", "/unsubscribe/forged")
PAGES = ("/", "/app", "/app/offers/1", "/app/outbox", "/sign-in", "/claim/x", "/unsubscribe/x")
FORMS = (
    "/app/me/applications", "/app/me/tokens", "/app/offers/1", "/app/offers/1/decline", "/app/outbox",
    "/app/sources/try", "/claim/x", "/claim/x/decline", "/emails/x", "/invitations", "/invitations/x",
    "/oauth2/authorize", "/sign-in", "/sign-out",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES + NOWHERE)
async def test_every_page_is_locked_down(web_app: WebApp, path: str) -> None:
    answer = await web_app.browser().get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", FORMS)
async def test_no_form_is_taken_from_another_site(web_app: WebApp, path: str) -> None:
    browser = web_app.browser()

    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await browser.post(path, data={"do": "x"}, headers=headers)).status_code == 403
    assert (await browser.post(path, data={"do": "x"})).status_code in (303, 400, 403, 404)


@pytest.mark.parametrize(
    ("text", "read"),
    [("7", 7), ("0", 0), (str(2**63 - 1), 2**63 - 1), (str(2**63), None), ("1" * 20, None), ("-1", None), ("+1", None),
     ("1_0", None), (" 1", None), ("٣", None), ("²", None), ("", None), (None, None)],
)  # fmt: skip
def test_an_id_is_read_or_not(text: str | None, read: int | None) -> None:
    assert read_id(text) == read


async def test_nothing_is_inline(web_app: WebApp) -> None:
    browser = await web_app.sign_in("alice")
    paths = ["/app", "/app/outbox", await web_app.link("bob"), "/claim/forged"]
    pages = [(await browser.get(path)).text for path in paths] + [(await web_app.browser().get("/sign-in")).text]
    pages.append((await browser.post(paths[2])).text)

    for page in pages:
        assert re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:", page) is None
        assert page.startswith("<!doctype html>")
        assert len(re.findall(r"<h1", page)) == 1


async def test_assets_may_be_cached_because_their_address_changes(web_app: WebApp) -> None:
    page = (await web_app.browser().get("/sign-in")).text
    addresses = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)

    assert {address.partition("?")[0] for address in addresses} == {
        "/assets/account.js", "/assets/icon-192.png", "/assets/icon.svg", "/assets/pages.css", "/assets/pages.js"
    }  # fmt: skip
    for address in addresses:
        answer = await web_app.browser().get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/claim/x"), ("PUT", "/"), ("PATCH", "/sign-in"), ("GET", "/sign-out")]
)
async def test_what_a_page_does_not_take_is_said_in_html(web_app: WebApp, method: str, path: str) -> None:
    answer = await web_app.browser().request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_database_that_is_away_is_said_in_html(web_app: WebApp, database_url: str) -> None:
    away = await Database.open(Settings(), url=database_url)
    await away.close()
    application = pages_of(Engine(away), web_app.settings)
    answer = await replace(web_app, application=application).browser().get("/claim/whatever")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "<h1>Not now</h1>" in answer.text


async def test_pages_under_a_path_link_within_it(web_app: WebApp) -> None:
    elsewhere = with_settings(web_app, public_url="http://town/leads")
    browser = elsewhere.browser()
    page = (await browser.get("/sign-in")).text

    assert (await browser.get("/app/outbox")).headers["location"] == "/leads/sign-in?next=/app/outbox"
    assert set(re.findall(r'(?:href|src|action)="(/[^"]*?)/?(?:assets|sign-in)?[/"?]', page)) == {"/leads"}


def test_pages_and_api_do_not_meet() -> None:
    assert [path for path in api.paths() if web.owns(path)] == []
    assert [path for path in PAGES if not web.owns(path)] == []


async def test_the_service_answers_pages_and_api(database: Database, tmp_path) -> None:
    application = app.build_app(Settings(data=tmp_path, secret="a secret"), database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://town") as client:
        page, record = await client.get("/claim/forged"), await client.get("/leads")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert record.headers["content-type"].startswith("application/json")


# -------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("given", "shown", "dialled"),
    [
        ("+13035550147", "(303) 555-0147", "+13035550147"),
        ("303.555.0147 x12", "(303) 555-0147 ext. 12", "+13035550147;ext=12"),
        ("+442079460123", "+44 20 7946 0123", "+442079460123"),
        ("call me", "call me", ""),
        ("12", "12", "+112"),
    ],
)
def test_a_phone_is_shown_and_dialled(given: str, shown: str, dialled: str) -> None:
    assert (phone(given), tel(given)) == (shown, dialled)


def test_an_address_cannot_add_to_its_link() -> None:
    assert mailto("a&b?bcc=x@example.com") == "a%26b%3Fbcc%3Dx@example.com"


def test_words_come_out_of_markup() -> None:
    assert page_text("<style>x</style><p>Hi</p><script>y</script>").strip() == "Hi"
    assert page_text("") == ""


async def test_moments_are_the_readers(database: Database) -> None:
    at = database.clock.now().replace(year=2026, month=1, day=5, hour=20, minute=7)

    assert ">Jan 5, 1:07 PM MST<" in moment(at, "America/Denver", at)
    assert ">Jan 5, 8:07 PM UTC<" in moment(at, "No/Where", at)
    assert ">Jan 5, 2026, 1:07 PM MST<" in moment(at, "America/Denver", at.replace(year=2027))

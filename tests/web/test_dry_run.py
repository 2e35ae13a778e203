"""A pasted body is read and shown: what is in it, where it would go; and nothing of it is stored."""

import re
from html import unescape
from typing import Any

import pytest

from tests.support.web_app import WebApp

BODY = '{"name": "Noor <b>Haddad</b>", "email": "noor@example.com", "type": "buyer"}'


async def key_of(web_app: WebApp) -> str:
    return str(await web_app.database.fetchval("SELECT id FROM intake_keys"))


async def paste(web_app: WebApp, name: str = "alice", **changes: Any) -> Any:
    browser = await web_app.sign_in(name)
    form = {"do": "try", "key": await key_of(web_app), "kind": "", "body": BODY} | changes
    return await browser.post("/app/sources/try", data=form, headers={"sec-fetch-site": "same-origin"})


async def test_it_shows_what_would_be_read_and_who_would_be_notified_when(web_app: WebApp) -> None:
    tables = ("arrivals", "leads", "contacts", "offers", "messages")
    before = [await web_app.database.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    answer = await paste(web_app)
    page = unescape(answer.text)

    assert answer.status_code == 200
    assert '"type": "Buyer"' in page
    assert "Read as zapier" in page
    assert "A new lead" in page
    assert "Offered to the team" in page
    notified = re.findall(r'class="who">(\w+) Town</span> <span class="faint small">would be notified', page)
    assert notified == ["Bob", "Carol"]
    assert "<b>Haddad" not in answer.text, "what was pasted is not markup of the page"
    assert [await web_app.database.fetchval(f"SELECT count(*) FROM {table}") for table in tables] == before


async def test_a_touch_names_the_lead(web_app: WebApp) -> None:
    page = (await paste(web_app, body='{"email": "mia@example.com"}')).text

    assert f"A touch of a lead (lead {web_app.lead_id})" in page


async def test_a_refusal_is_explained(web_app: WebApp) -> None:
    page = (await paste(web_app, body='{"name": "Noor"}', kind="application/json")).text

    assert "no_contact: The inquiry names neither" in page


async def test_the_page_keeps_what_was_pasted_and_chosen(web_app: WebApp) -> None:
    page = unescape((await paste(web_app, kind="text/xml", body="<adf>&amp;")).text)

    assert '<option value="text/xml" selected>' in page
    assert "<adf>&amp;</textarea>" in page


@pytest.mark.parametrize("changes", [{"key": "0"}, {"key": "x"}, {"key": "9" * 30}, {"kind": "text/html"}])
async def test_what_the_page_does_not_offer_is_refused(web_app: WebApp, changes: dict[str, str]) -> None:
    answer = await paste(web_app, **changes)

    assert answer.status_code in (404, 422)
    assert answer.status_code == 404 or "expected" in answer.text


async def test_no_one_tries_anothers_key_and_strangers_sign_in_first(web_app: WebApp) -> None:
    assert (await paste(web_app, "bob")).status_code == 404
    assert (await (await web_app.sign_in("bob")).get("/app/sources/try")).status_code == 404
    await web_app.town.insert("lead_sources", owner_id=web_app.town.users["dave"], name="Dave's")
    assert "No address takes leads in yet" in (await (await web_app.sign_in("dave")).get("/app/sources/try")).text
    assert (await paste(web_app, "dave")).status_code == 404
    stranger = await web_app.browser().get("/app/sources/try")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in?next=/app/sources/try")
    assert (await web_app.browser().post("/app/sources/try", data={"key": "1"})).status_code == 303
    foreign = await (await web_app.sign_in("alice")).post("/app/sources/try", headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


async def test_a_body_may_be_as_large_as_leads_are_and_no_larger(web_app: WebApp) -> None:
    large = f'{{"email": "noor@example.com", "message": "{"x" * 100_000}"}}'
    assert (await paste(web_app, body=large)).status_code == 200
    assert (await paste(web_app, body="x" * 600_000)).status_code == 413

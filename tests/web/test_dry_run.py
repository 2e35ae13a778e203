"""A pasted body is read before somebody's eyes: what is in it, where it would go, and nothing of it stays."""

import re
from html import unescape
from typing import Any

import pytest

from tests.support.pages import Office

BODY = '{"name": "Noor <b>Haddad</b>", "email": "noor@example.com", "type": "buyer"}'


async def key_of(office: Office) -> str:
    return str(await office.database.fetchval("SELECT id FROM intake_keys"))


async def paste(office: Office, name: str = "alice", **changes: Any) -> Any:
    browser = await office.sign_in(name)
    form = {"key": await key_of(office), "kind": "", "body": BODY} | changes
    return await browser.post("/try", data=form, headers={"sec-fetch-site": "same-origin"})


async def test_it_shows_what_would_be_read_and_who_would_be_told_when(office: Office) -> None:
    tables = ("arrivals", "leads", "contacts", "offers", "messages")
    before = [await office.database.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    answer = await paste(office)
    page = unescape(answer.text)

    assert answer.status_code == 200
    assert '"type": "Buyer"' in page
    assert "Read as zapier" in page
    assert "A new lead" in page
    assert "Offered to the team" in page
    told = re.findall(r'class="who">(\w+) Town</span> <span class="faint small">would be told', page)
    assert told == ["Bob", "Carol"]
    assert "<b>Haddad" not in answer.text, "what was pasted is no markup of ours"
    assert [await office.database.fetchval(f"SELECT count(*) FROM {table}") for table in tables] == before


async def test_a_touch_names_the_lead(office: Office) -> None:
    page = (await paste(office, body='{"email": "mia@example.com"}')).text

    assert f"A touch of a lead (lead {office.lead_id})" in page


async def test_a_refusal_is_explained(office: Office) -> None:
    page = (await paste(office, body='{"name": "Noor"}', kind="application/json")).text

    assert "no_contact: The inquiry names neither" in page


async def test_the_page_keeps_what_was_pasted_and_chosen(office: Office) -> None:
    page = unescape((await paste(office, kind="text/xml", body="<adf>&amp;")).text)

    assert '<option value="text/xml" selected>' in page
    assert "<adf>&amp;</textarea>" in page


@pytest.mark.parametrize("changes", [{"key": "0"}, {"key": "x"}, {"key": "9" * 30}, {"kind": "text/html"}])
async def test_what_the_page_does_not_offer_is_refused(office: Office, changes: dict[str, str]) -> None:
    answer = await paste(office, **changes)

    assert answer.status_code == 400
    assert "expected one" in answer.text


async def test_nobody_tries_anothers_key_and_strangers_sign_in_first(office: Office) -> None:
    assert (await paste(office, "bob")).status_code == 404
    assert "You have no intake key yet" in (await (await office.sign_in("bob")).get("/try")).text
    stranger = await office.browser().get("/try")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in?next=/try")
    assert (await office.browser().post("/try", data={"key": "1"})).status_code == 303
    foreign = await (await office.sign_in("alice")).post("/try", headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


async def test_a_body_may_be_as_large_as_leads_are_and_no_larger(office: Office) -> None:
    large = f'{{"email": "noor@example.com", "message": "{"x" * 100_000}"}}'
    assert (await paste(office, body=large)).status_code == 200
    assert (await paste(office, body="x" * 600_000)).status_code == 413

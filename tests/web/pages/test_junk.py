"""On the page of a lead: junk, close, why one got it; and the page of what has passed one by."""

import re

import httpx
import pytest

from tests.support.page_forms import form
from tests.support.web_app import WebApp


async def having(web_app: WebApp, name: str = "bob") -> tuple[httpx.AsyncClient, str]:
    """Someone who has claimed the lead, and the path of its page."""
    await web_app.engine.claim(web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users[name])
    return await web_app.sign_in(name), f"/app/leads/{web_app.lead_id}"


async def take_back(browser: httpx.AsyncClient, path: str, page: str = "") -> None:
    """By the button beside the message, which is shown once."""
    token = re.search(r'name="undo" value="([^"]+)"', page or (await browser.get(path)).text)
    assert token is not None
    assert (await browser.post("/app/undo", data={"undo": token[1], "back": path})).status_code == 303


async def stored(web_app: WebApp) -> tuple[bool, str | None, str | None]:
    row = await web_app.database.fetchrow("SELECT is_closed, junk_reason, junk_note FROM leads")
    return tuple(row)


async def test_an_agent_says_that_a_lead_is_junk_and_the_owner_undoes_it(web_app: WebApp) -> None:
    bob, path = await having(web_app)
    fields = form((await bob.get(path)).text, "junk") | {"reason": "other", "note": "a <b>bot</b>"}

    assert (await bob.post(path, data=fields)).status_code == 303

    page = (await bob.get(path)).text
    assert "This lead is junk: other." in page
    assert "a &lt;b&gt;bot&lt;/b&gt;" in page
    assert "You said that it is junk: other" in page
    assert 'name="reason"' not in page
    assert "Not yet contacted" not in (await bob.get("/app")).text
    alice = await web_app.sign_in("alice")
    board = (await alice.get("/app/board")).text
    assert "<dt>junk</dt><dd>1</dd>" in board
    assert "Someone" not in (await alice.get("/app/leads?state=junk")).text
    await alice.post(path, data=form((await alice.get(path)).text, "undo_junk"))
    assert await stored(web_app) == (False, None, None)
    assert "Say that it is junk" in (await alice.get(path)).text


async def test_junk_is_taken_back_by_the_button_beside_the_message(web_app: WebApp) -> None:
    bob, path = await having(web_app)
    await bob.post(path, data={"do": "junk", "reason": "spam"})
    assert await stored(web_app) == (False, "spam", None)
    await take_back(bob, path)
    assert await stored(web_app) == (False, None, None)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"reason": ""}, "Choose why it is junk"),
        ({"reason": "rude"}, "expected one of spam"),
        ({"reason": "other"}, "note is required where the reason is other"),
        ({"reason": "other", "note": "x" * 201}, "note"),
    ],
)
async def test_what_is_wrong_with_junk_is_said_at_its_field(
    web_app: WebApp, fields: dict[str, str], complaint: str
) -> None:
    bob, path = await having(web_app)
    answer = await bob.post(path, data={"do": "junk", **fields})
    assert answer.status_code == 422
    assert complaint in answer.text
    assert "<details open>" in answer.text, "what was typed is in sight"
    assert await stored(web_app) == (False, None, None)


async def test_a_lead_is_closed_and_opened_again(web_app: WebApp) -> None:
    bob, path = await having(web_app)
    await bob.post(path, data=form((await bob.get(path)).text, "close"))
    page = (await bob.get(path)).text
    assert await stored(web_app) == (True, None, None)
    assert "Closed by you" in page
    assert "Not yet contacted" not in (await bob.get("/app")).text
    assert "Denver" in (await bob.get("/app/leads?state=closed")).text
    await take_back(bob, path, page)
    assert await stored(web_app) == (False, None, None)
    await bob.post(path, data={"do": "close", "is_closed": "yes"})
    await bob.post(path, data=form((await bob.get(path)).text, "close"))
    assert await stored(web_app) == (False, None, None)
    assert "Opened again by you" in (await bob.get(path)).text


async def test_others_say_neither(web_app: WebApp) -> None:
    _, path = await having(web_app)
    for name, status in (("carol", 404), ("dave", 404)):
        browser = await web_app.sign_in(name)
        for fields in ({"do": "junk", "reason": "spam"}, {"do": "undo_junk"}, {"do": "close", "is_closed": "yes"}):
            assert (await browser.post(path, data=fields)).status_code == status, (name, fields)
    assert await stored(web_app) == (False, None, None)


async def test_an_agent_who_was_only_offered_a_lead_is_not_asked_whether_it_is_junk(web_app: WebApp) -> None:
    bob, path = await web_app.sign_in("bob"), f"/app/leads/{web_app.lead_id}"
    assert "Mark as junk" not in (await bob.get(path)).text
    assert (await bob.post(path, data={"do": "junk", "reason": "spam"})).status_code == 403


async def test_an_agent_reads_why_the_lead_came_and_the_owner_reads_it_of_everyone(web_app: WebApp) -> None:
    bob, path = await having(web_app)
    page = (await bob.get(path)).text
    assert "Why you got it" in page
    assert re.search(r"Notified [^<]+, at once; you have the lead\.", page)
    assert "You were first in line." in page
    assert "All routes and members" not in page
    alice = (await (await web_app.sign_in("alice")).get(path)).text
    assert re.search(r"Bob [^<]*: Notified [^<]+, at once; the member has the lead", alice)
    assert re.search(r"Carol [^<]*: Not notified: someone had the lead", alice)


async def test_what_has_passed_one_by_is_listed_with_the_reason(web_app: WebApp) -> None:
    carol = await web_app.sign_in("carol")
    assert "No lead has passed you by" in (await carol.get("/app/passed-over")).text
    name = "Bo<b>b" + "y" * 60
    await web_app.database.execute("UPDATE users SET first_name = $1 WHERE username = 'bob'", name)
    await having(web_app)
    page = (await carol.get("/app/passed-over")).text
    escaped = name.replace("<", "&lt;").replace(">", "&gt;")
    assert f"It was {escaped}&#39;s turn, and {escaped} claimed it after less than a minute" in page
    assert "North Side" in page
    assert "Denver" in page
    for secret in ("0147", "garden", "12 Elm Street", "Mia"):
        assert secret not in page
    assert (await carol.get("/app/passed-over?skip=x")).status_code == 400


async def test_more_than_a_page_has_passed_one_by(web_app: WebApp) -> None:
    await having(web_app)
    await web_app.database.execute(
        "INSERT INTO left_out_members (owner_id, lead_id, team_id, user_id, at, reason)"
        " SELECT o.owner_id, o.lead_id, o.team_id, o.user_id, o.closed_at - g * interval '1 minute', 'paused'"
        " FROM offers o, generate_series(1, 55) g WHERE o.closed_at IS NOT NULL AND o.user_id = $1",
        web_app.town.users["carol"],
    )
    carol = await web_app.sign_in("carol")
    page = (await carol.get("/app/passed-over")).text
    assert page.count("You were paused") == 49
    more = re.search(r'href="([^"]+skip=50)"', page)
    assert more is not None
    assert (await carol.get(more[1])).text.count("You were paused") == 6

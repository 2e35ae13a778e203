"""Markup in every text that is stored, and a look at every page: all of it is shown as text, none of it is markup."""

import pytest

from leadroutes import web
from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.security.unsubscribe_token import unsubscribe_token
from leadroutes.store.accounts import NewApplication, add_application
from leadroutes.web import AUTHORIZE
from tests.support.markup import EVIL, is_harmless, spoil
from tests.support.web_app import WebApp


@pytest.fixture
async def spoilt(web_app: WebApp) -> WebApp:
    """Leads that are open, won and lost, messages, an application, a token, a campaign; all of it as evil as can be."""
    town = web_app.town
    campaign_id = await town.campaign("alice", "Nurture")
    await town.action("alice", campaign_id, template_id=await town.template("alice"))
    won = await web_app.ask(email="noa@example.com", name="Noa Berg", phone="303-555-0111", city="Denver")
    await web_app.engine.claim(web_app.brokerage.owner_id, won, town.users["bob"])
    await web_app.ask(email="kim@example.com", name="Kim Roe")
    await web_app.engine.run_due()
    await web_app.database.execute(
        "UPDATE messages SET subject = 'x', text_body = 'x', html_body = 'x', reason = 'x', address = 'x',"
        " state = 'failed'"
    )
    return web_app


async def pages_of(web_app: WebApp, name: str, links: list[str]) -> dict[str, str]:
    browser = await web_app.sign_in(name)
    answers = {path: await browser.get(path) for path in [*sorted(web.PATHS), *links]}
    problem = await web_app.browser().post("/sign-in", data={"email": EVIL, "password": EVIL, "next": f"/{EVIL}"})
    tried = await browser.post(
        "/app/sources/try", data={"key": "1", "body": EVIL, "content": EVIL, "headers": EVIL, "format": EVIL}
    )
    made = await browser.post("/app/me/tokens", data={"scope": EVIL, "name": EVIL})
    return {
        **{path: answer.text for path, answer in answers.items() if "html" in answer.headers.get("content-type", "")},
        "signing in": problem.text, "trying": tried.text, "a token": made.text,
    }  # fmt: skip


async def test_every_page_shows_it_as_text(spoilt: WebApp) -> None:
    web_app = spoilt
    application = await add_application(
        web_app.database, "alice@example.com", NewApplication("Dialer", ["https://app.example/cb"], has_secret=True)
    )
    contact_id = await web_app.database.fetchval("SELECT min(id) FROM contacts")
    token = unsubscribe_token(web_app.settings.secret or "", UnsubscribeLink(web_app.brokerage.owner_id, contact_id))
    offers = [row["id"] for row in await web_app.database.fetch("SELECT id FROM offers")]
    claims = [
        await web_app.link(row["username"], row["lead_id"])
        for row in await web_app.database.fetch(
            "SELECT username, lead_id FROM offers JOIN users ON users.id = user_id WHERE notified_at IS NOT NULL"
        )
    ]
    question = f"response_type=code&client_id={application.client_id}&redirect_uri=https://app.example/cb&state={EVIL}"
    links = [
        *(f"/app/offers/{each}" for each in offers), *claims, f"/unsubscribe/{token}", f"{AUTHORIZE}?{question}",
        "/app/outbox?state=failed", f"/sign-in?next={EVIL}", f"/claim/{EVIL}", f"/{EVIL}",
    ]  # fmt: skip

    places = await spoil(web_app)

    assert places >= {
        ("contacts", "first_name"),
        ("messages", "subject"),
        ("lead_sources", "name"),
        ("users", "first_name"),
    }
    seen = 0
    for name in ("alice", "bob", "carol"):
        for path, page in (await pages_of(web_app, name, links)).items():
            assert is_harmless(page), (name, path, page)
            assert "49<a" not in page
            seen += "&lt;script&gt;alert(1)" in page
    assert seen > 10, "it was there to be seen"


def test_what_would_harm_is_found() -> None:
    for page in (f"<p>{EVIL}</p>", "<p onclick=x>", "<a href=' javascript:x'>", "<script>x</script>", "<img src=x>"):
        assert not is_harmless(page)
    assert is_harmless('<script src="/assets/pages.js"></script><p>&lt;script&gt;')

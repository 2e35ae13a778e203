"""Markup in every text that is stored, and a look at every page: all of it is shown as text, none of it is markup."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from leadroutes import web
from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.security.unsubscribe_token import unsubscribe_token
from leadroutes.store.accounts import NewApplication, add_application
from leadroutes.web import AUTHORIZE
from tests.support.web_app import WebApp

EVIL = """"'></title><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}<a href="javascript:alert(3)">"""
UNCHANGED = {  # what a page is found by, or what identifies someone
    ("claim_tokens", "token_hash"), ("applications", "client_id"), ("applications", "redirect_uris"),
    ("users", "password_hash"), ("users", "email"), ("sessions", "token_hash"), ("messages", "state"),
}  # fmt: skip
COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND data_type = 'text' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
      AND table_name NOT LIKE 'pgqueuer%' AND table_name <> 'migrations' ORDER BY 1, 2"""


async def spoil(web_app: WebApp) -> set[tuple[str, str]]:
    """Put it into every text, but where a rule of the database keeps it out; where it is now."""
    spoilt = set()
    async with web_app.database.pool.acquire() as connection:
        for table, column in await connection.fetch(COLUMNS):
            if (table, column) in UNCHANGED:
                continue
            try:
                async with connection.transaction():
                    await connection.execute("SET LOCAL session_replication_role = replica")
                    done = await connection.execute(f"UPDATE {table} SET {column} = $1 || ctid::text", EVIL)
            except Exception:  # noqa: BLE001 -- a check or a key: it cannot be there in life either
                continue
            if done != "UPDATE 0":
                spoilt.add((table, column))
    return spoilt


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
        "/try", data={"key": "1", "body": EVIL, "content": EVIL, "headers": EVIL, "format": EVIL}
    )
    made = await browser.post("/tokens", data={"scope": EVIL, "name": EVIL})
    return {
        **{path: answer.text for path, answer in answers.items() if "html" in answer.headers.get("content-type", "")},
        "signing in": problem.text, "trying": tried.text, "a token": made.text,
    }  # fmt: skip


def is_harmless(page: str) -> bool:
    """Nothing but our own script, no handler, no address that is a script, nothing that a template was made to do."""
    tree = LexborHTMLParser(page)
    scripts = [node.attributes.get("src") or "" for node in tree.css("script")]
    attributes = [(name, value or "") for node in tree.css("*") for name, value in node.attributes.items()]
    return (
        all(src.startswith("/assets/") for src in scripts)
        and not any(name.startswith("on") for name, _ in attributes)
        and not any(value.strip().lower().startswith("javascript:") for _, value in attributes)
        and not [node for node in tree.css("img") if not (node.attributes.get("src") or "").startswith("/assets/")]
        and "alert(1)</script>" not in page
    )


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
        *(f"/offers/{each}" for each in offers), *claims, f"/unsubscribe/{token}", f"{AUTHORIZE}?{question}",
        "/outbox?state=failed", f"/sign-in?next={EVIL}", f"/claim/{EVIL}", f"/{EVIL}",
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

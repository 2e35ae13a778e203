"""Someone new, from an empty database to a claimed lead: at a desk, on a phone, and without JavaScript."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from leadroutes.engine.first_start import new_setup_code
from leadroutes.server.run import address_of, listen, running_service
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.web.pages import PAGES
from tests.support.browser import DESK, PHONE, Phone, command, needs_chromium
from tests.support.mailbox import Mailbox, text_of, to
from tests.support.people import Person, WithoutScript, WithScript

PASSWORD = "correct horse battery"
LINK = re.compile(r"http://\S+/invitations/[\w.~-]+")
TOKEN = re.compile(r"\b[A-Za-z0-9_-]{40,}\b")


@dataclass
class Start:
    """A service on an empty database, and where its mails go."""

    database: Database
    url: str
    mailbox: Mailbox
    clients: contextlib.AsyncExitStack


@pytest.fixture
async def start(database: Database, tmp_path: Path) -> AsyncIterator[Start]:
    listening = listen("127.0.0.1", 0)
    url = address_of(listening)
    async with Mailbox() as mailbox:
        settings = Settings(
            public_url=url, data=tmp_path, secret="a secret of the tests", smtp_url=mailbox.url,
            mail_from="leads@example.com",
        )  # fmt: skip
        async with running_service(settings, database, listening), contextlib.AsyncExitStack() as clients:
            yield Start(database, url, mailbox, clients)


@pytest.mark.timeout(240)
@needs_chromium
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_newcomer_sets_up_a_brokerage_in_a_browser(start: Start, phone: Phone, screen: dict) -> None:
    await command(phone, "Emulation.setDeviceMetricsOverride", screen)
    try:
        await tell(start, WithScript(phone))
    finally:
        await phone.leave()  # its stream ends, which the service would wait for


async def test_a_newcomer_sets_up_a_brokerage_without_javascript(start: Start) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        await tell(start, WithoutScript(client))


async def tell(start: Start, alice: Person) -> None:
    """Alice sets up; Bob and Carol join; a lead comes in from the website; Bob claims it; Alice sees that."""
    await sign_up(start, alice)
    await alice.open(f"{start.url}/app/teams/new")
    await alice.press("Make the team", name="North Side")
    bob = await join(start, alice, "bob")
    await join(start, alice, "carol")
    await alice.open(f"{start.url}/app/teams/1")
    for name in ("Bob", "Carol"):
        await alice.press(f"Put in the line-up: {name}")
    await alice.open(f"{start.url}/app/campaigns/new")
    await alice.press("Use this campaign", name="New buyer")
    for source in ("Website", "Zillow"):
        await alice.open(f"{start.url}/app/routes/new")
        await alice.press(
            "Make the route", lead_source_id=source, contact_source_id="The same as the lead source",
            team_id="North Side", campaign_id="New buyer",
        )  # fmt: skip
        assert f"from {source}" in await alice.text()

    key = await website_key(start, alice)
    async with httpx.AsyncClient() as website:
        form = {"name": "Mia Lund", "email": "mia@example.com", "phone": "303-555-0147", "message": "Is it sunny?"}
        assert (await website.post(f"{start.url}/intake/{key}", data=form)).status_code in (200, 201, 202)
    await start.mailbox.wait_for(1, lambda mail: to("bob")(mail) and "Mia" in text_of(mail))
    await bob.open(f"{start.url}/app")
    await bob.press("Claim: ")
    assert "Mia Lund" in await bob.text()
    assert "(303) 555-0147" in await bob.text()

    await alice.open(f"{start.url}/app/board")
    assert "Bob Town, claimed" in await alice.text()
    if any(page.path == "/reports" for page in PAGES):
        await alice.open(f"{start.url}/app/reports")
        assert "Bob Town" in await alice.text()


async def sign_up(start: Start, alice: Person) -> None:
    await alice.open(f"{start.url}/setup/{await new_setup_code(start.database)}")
    await alice.press(
        "Make the account", brokerage_name="North Side Homes", first_name="Alice", last_name="Town",
        email="alice@example.com", password=PASSWORD, timezone="America/Denver",
    )  # fmt: skip


async def join(start: Start, alice: Person, name: str) -> Person:
    """Alice invites by e-mail; the link in it makes the account, here in a browser without JavaScript."""
    await alice.open(f"{start.url}/app/teams/1")
    await alice.press("Invite", email=f"{name}@example.com")
    mail = (await start.mailbox.wait_for(1, to(name)))[-1]
    invited = WithoutScript(await start.clients.enter_async_context(httpx.AsyncClient(timeout=30)))
    await invited.open(LINK.findall(text_of(mail))[0])
    await invited.press("Make an account and accept", first_name=name.title(), last_name="Town", password=PASSWORD)
    return invited


async def website_key(start: Start, alice: Person) -> str:
    """An intake key for the form of the website, which may be seen in it; made with a token of Alice's."""
    await alice.open(f"{start.url}/app/me/tokens")
    await alice.press("Make a token", name="For the website's form")
    headers = {"authorization": f"Bearer {TOKEN.findall(await alice.text())[0]}"}
    async with httpx.AsyncClient(base_url=start.url, headers=headers) as api:
        sources = (await api.get("/lead-sources", params={"$limit": 100})).json()["data"]
        website = next(each["id"] for each in sources if each["name"] == "Website")
        answer = await api.post("/intake-keys", json={"lead_source_id": website, "format": "website"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])

"""Applications and tokens as people have them: registered, let in, seen and taken back in a real Chromium."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from leadroutes.server.run import address_of, listen, running_service
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.support.browser import PHONE, Phone, needs_chromium
from tests.support.town import Town

PASSWORD = "correct horse battery"

pytestmark = needs_chromium


@dataclass
class RealApp:
    """The service at `url`, and someone's application, to which people come back at `callback`."""

    url: str
    callback: str
    town: Town
    came_back: asyncio.Queue[dict[str, list[str]]] = field(default_factory=asyncio.Queue)

    async def get(self, path: str, token: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(self.url + path, headers={"Authorization": f"Bearer {token}"})

    async def exchange(self, **fields: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(f"{self.url}/oauth2/token", json=fields)

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The application's own page."""
        target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        if target.startswith("/cb"):
            self.came_back.put_nowait(parse_qs(urlsplit(target).query))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\nWelcome back")
        await writer.drain()
        writer.close()


@pytest.fixture
async def real_app(database: Database, tmp_path: Path) -> AsyncIterator[RealApp]:
    listening = listen("127.0.0.1", 0)
    town = await Town.create(database)
    await database.execute("UPDATE users SET password_hash = $1", accounts.hash_password(PASSWORD))
    real_app = RealApp(address_of(listening), "", town)
    there = await asyncio.start_server(real_app.receive, "127.0.0.1", 0)
    real_app.callback = f"http://127.0.0.1:{there.sockets[0].getsockname()[1]}/cb"
    settings = Settings(public_url=real_app.url, data=tmp_path, secret="a secret of the tests")
    async with running_service(settings, database, listening, with_worker=False), there:
        yield real_app


async def sign_in(phone: Phone, name: str) -> None:
    await phone.wait_for("Password")
    await phone.fill_in(email=f"{name}@example.com", password=PASSWORD)
    await phone.press()


async def shown(phone: Phone, selector: str) -> list[str]:
    """The texts of all these elements."""
    return await phone.script(f"[...document.querySelectorAll('{selector}')].map(each => each.textContent)")


async def test_an_application_is_registered_let_in_seen_and_taken_back(real_app: RealApp, phone: Phone) -> None:
    await phone.open(f"{real_app.url}/applications")
    await sign_in(phone, "dave")
    await phone.wait_for("Register one")
    await phone.fill_in(name="Our dialer", redirect_uris=real_app.callback)
    await phone.press("main form button.button")
    await phone.wait_for("The secret is shown only now")
    assert await phone.script("document.documentElement.scrollWidth") <= PHONE["width"]
    client_id, secret = await shown(phone, "[role=status] code")
    await phone.open(f"{real_app.url}/applications")
    await phone.wait_for(client_id)
    assert secret not in await phone.script("document.documentElement.outerHTML")
    await phone.press("header summary")
    await phone.press("header form[action$='/sign-out'] button")  # Dave signs out
    await phone.wait_for("Password")

    question = {"response_type": "code", "client_id": client_id, "redirect_uri": real_app.callback, "state": "s 1&"}
    await phone.open(f"{real_app.url}/oauth2/authorize?{urlencode(question)}")
    await sign_in(phone, "alice")
    await phone.wait_for("Let Our dialer in?")
    await phone.wait_for("registered by dave@example.com")
    await phone.press("button[value=refuse]")
    refused = await asyncio.wait_for(real_app.came_back.get(), 20)
    assert (refused["error"], refused["state"]) == (["access_denied"], ["s 1&"])
    await phone.open(f"{real_app.url}/oauth2/authorize?{urlencode(question)}")
    await phone.wait_for("Let Our dialer in?")
    await phone.press("button[value=allow]")
    allowed = await asyncio.wait_for(real_app.came_back.get(), 20)
    assert allowed["state"] == ["s 1&"]

    answer = await real_app.exchange(
        grant_type="authorization_code", code=allowed["code"][0], redirect_uri=real_app.callback, client_id=client_id,
        client_secret=secret,
    )  # fmt: skip
    tokens = answer.json()
    assert (await real_app.get("/me", tokens["access_token"])).json()["username"] == "alice"
    await phone.open(f"{real_app.url}/applications")
    await phone.wait_for("Our dialer")
    assert [re.sub(r"\s+", " ", text) for text in await shown(phone, "ul.list .who")] == ["Our dialer"]
    await phone.press("ul.list button")
    await phone.wait_for("No application may act for you.")
    assert (await real_app.get("/me", tokens["access_token"])).status_code == 401
    again = await real_app.exchange(
        grant_type="refresh_token", refresh_token=tokens["refresh_token"], client_id=client_id, client_secret=secret
    )
    assert again.json()["error"] == "invalid_grant"


async def test_a_personal_token_is_shown_once_works_and_is_revoked(real_app: RealApp, phone: Phone) -> None:
    await phone.open(f"{real_app.url}/tokens")
    await sign_in(phone, "bob")
    await phone.wait_for("Personal tokens")
    before = await shown(phone, "ul.list .who")
    await phone.fill_in(name="Zapier")
    await phone.press("main > form button.button")
    await phone.wait_for("The token is shown only now")
    [token] = await shown(phone, "[role=status] pre")
    assert (await real_app.get("/me", token)).json()["username"] == "bob"

    await phone.open(f"{real_app.url}/tokens")
    await phone.wait_for("Personal tokens")
    after = await shown(phone, "ul.list .who")
    assert len(after) == len(before) + 1
    assert token not in await phone.script("document.documentElement.outerHTML")
    [made] = set(after) - set(before)
    assert made == "Zapier"
    place = after.index(made) + 1
    await phone.press(f"ul.list li:nth-child({place}) button")
    await phone.wait_for("The token is revoked.")
    await phone.open(f"{real_app.url}/tokens")
    await phone.wait_for("Personal tokens")
    assert made not in await shown(phone, "ul.list .who")
    assert (await real_app.get("/me", token)).status_code == 401

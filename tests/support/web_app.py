"""Alice's brokerage with the pages on it, and a browser of httpx's for each of the cast."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadroutes import api, web
from leadroutes.channels import open_channels
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.messages import DeliveryLog, MessageKey
from leadroutes.worker.delivery import MessageDelivery
from tests.support.brokerage import Brokerage

HOST = "http://town"
PASSWORD = "correct horse battery"


@dataclass
class WebApp:
    """The brokerage and its pages; `lead_id` is Mia's lead, of which Bob has been notified and Carol not yet."""

    brokerage: Brokerage
    settings: Settings
    application: Any
    engine: Engine
    lead_id: int = 0
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def town(self):
        return self.brokerage.town

    @property
    def database(self):
        return self.town.database

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A person's browser: keeps cookies, follows nothing by itself."""
        transport = httpx.ASGITransport(app=self.application, raise_app_exceptions=True)
        browser = httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)
        self.browsers.append(browser)
        return browser

    async def ask(self, **fields: Any) -> int:
        """One more inquiry; its lead."""
        return (await self.brokerage.ask(**fields)).stored.lead_ids[0]

    async def link(self, name: str, lead_id: int | None = None, via: str = "Email") -> str:
        """The path of a fresh claim link for this person's offer."""
        row = await self.database.fetchrow(
            "SELECT owner_id, id FROM offers WHERE lead_id = $1 AND user_id = $2",
            lead_id or self.lead_id,
            self.town.users[name],
        )
        token = await DeliveryLog(self.database).add_claim_token(row["owner_id"], row["id"], via)
        return f"/claim/{token}"

    async def sign_in(self, name: str) -> httpx.AsyncClient:
        browser = self.browser()
        answer = await browser.post("/sign-in", data={"email": f"{name}@example.com", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser

    async def pass_minutes(self, minutes: float) -> None:
        await self.database.move_clock(timedelta(minutes=minutes))
        await self.engine.run_due()

    async def claimed(self) -> dict[str, Any] | None:
        row = await self.database.fetchrow(
            "SELECT username, via FROM claims JOIN users ON users.id = user_id WHERE lead_id = $1", self.lead_id
        )
        return dict(row) if row else None


def pages_of(engine: Engine, settings: Settings) -> Any:
    """The pages, with the API that they ask, on the database of the engine."""
    own_api = api.application(engine.database, engine, Arrivals(engine, settings), settings)
    return web.application(own_api, engine, settings)


@pytest.fixture(scope="session")
def password_hash() -> str:
    return accounts.hash_password(PASSWORD)


@pytest.fixture
async def web_app(brokerage: Brokerage, password_hash: str, tmp_path: Path) -> AsyncIterator[WebApp]:
    settings = Settings(
        public_url=HOST, data=tmp_path, secret="a secret of the tests", body_timeout=0.2,
        mail_from="leads@brokerage.example",
    )  # fmt: skip
    await brokerage.town.database.execute("UPDATE users SET password_hash = $1", password_hash)
    engine = brokerage.engine
    web_app = WebApp(brokerage, settings, pages_of(engine, settings), engine)
    web_app.lead_id = await web_app.ask(
        phone="303-555-0147",
        lead_type="Buyer",
        message="Is the <b>garden</b> sunny?\nWe could come on Friday.",
        listing_price="450000",
        street_address="12 Elm Street",
        city="Denver",
        state="CO",
        zipcode="80202",
    )
    yield web_app
    for browser in web_app.browsers:
        await browser.aclose()


def with_settings(web_app: WebApp, **settings: Any) -> WebApp:
    """The same brokerage under other settings."""
    changed = replace(web_app.settings, **settings)
    application = pages_of(web_app.engine, changed)
    return replace(web_app, settings=changed, application=application)


async def deliver_messages(web_app: WebApp) -> None:
    """Everything that is queued, with no channel configured."""
    delivery = MessageDelivery(web_app.database, open_channels(web_app.settings), web_app.settings)
    for row in await web_app.database.fetch("SELECT owner_id, id FROM messages WHERE state = 'queued' ORDER BY id"):
        await delivery.deliver(MessageKey(row["owner_id"], row["id"]))

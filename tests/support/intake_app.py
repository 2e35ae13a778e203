"""A brokerage with all its doors open: HTTP, mail, and vendors that answer on loopback."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.ingest.smtp_server import serving_mail
from leadroutes.ingest.vendor_api import VendorClient
from leadroutes.intake.formats import BY_NAME
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from leadroutes.store.queue import REREAD_JOB
from tests.support.samples import secrets
from tests.support.town import Town
from tests.support.vendor_server import ToVendor, Vendor

DOMAIN = "leads.example.com"


@dataclass
class IntakeApp:
    """Alice's brokerage; `mail` is where its mail door listens."""

    town: Town
    settings: Settings
    engine: Engine
    arrivals: Arrivals
    vendor: Vendor
    client: httpx.AsyncClient
    mail: tuple[str, int] = ("", 0)

    @property
    def database(self) -> Database:
        return self.town.database

    @property
    def owner_id(self) -> int:
        return self.town.users["alice"]

    async def key(
        self,
        format_: str | None = None,
        source: str = "Zillow",
        given: dict[str, str] | None = None,
        *,
        is_private: bool | None = True,
    ) -> str:
        """A key of Alice's that only its sender knows; `given` are the vendor's secrets."""
        sealed = Vault.of(self.settings).seal(given) if given else None
        async with self.database.transaction() as transaction:
            return await accounts.issue_intake_key(
                transaction, self.owner_id, source, None, format_, sealed, is_private=is_private
            )

    async def guarded_key(self, format_: str, **more: str) -> str:
        """A key that asks for the vendor's secrets of the samples."""
        chosen = BY_NAME[format_]
        known = secrets().get(chosen.secrets or "", {}) | more
        return await self.key(format_, given={name: known[name] for name in (*chosen.needs, *more)})

    async def post(self, key: str, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.post(f"/intake/{key}", content=body, headers=headers or {})

    async def send(self, mail: bytes, *keys: str, domain: str = DOMAIN) -> None:
        """A mail through the door for mails, from its first to its last word."""
        async with aiosmtplib.SMTP(hostname=self.mail[0], port=self.mail[1], start_tls=False) as smtp:
            await smtp.sendmail("portal@example.net", [f"{key}@{domain}" for key in keys], mail)

    async def reread(self, attempt: int = 1) -> None:
        """What the worker would do about arrivals that are pending."""
        rows = await self.database.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", REREAD_JOB)
        for row in rows:
            await self.arrivals.reread(row["payload"], attempt)

    async def count(self, table: str) -> int:
        number: int = await self.database.fetchval(f"SELECT count(*) FROM {table}")
        return number

    async def arrival(self) -> Any:
        """The latest."""
        return await self.database.fetchrow("SELECT * FROM arrivals ORDER BY id DESC LIMIT 1")

    async def stored(self) -> dict[str, Any]:
        """What has been stored of the latest arrival, in the form in which samples say what is expected."""
        row = await self.database.fetchrow(
            "SELECT c.first_name, c.last_name, c.email, c.mobile_phone AS phone, l.zipcode, l.type,"
            " a.source_named AS source, l.text_body AS message, l.listing_price::int AS price, l.mls_id,"
            " l.street_address, l.city, l.state, (SELECT key FROM idempotency_keys k WHERE k.scope LIKE 'vendor %'"
            " AND k.arrival_id = a.id) AS vendor_id, a.status = 'test' AS is_test"
            " FROM arrivals a JOIN leads l ON l.arrival_id = a.id JOIN contacts c ON c.id = l.contact_id"
            " ORDER BY a.id DESC LIMIT 1"
        )
        assert row is not None
        return dict(row)


@pytest.fixture
async def intake(database: Database, tmp_path: Path) -> AsyncIterator[IntakeApp]:
    async with AsyncExitStack() as stack:
        vendor = await stack.enter_async_context(Vendor())
        settings = Settings(
            public_url="http://town", data=tmp_path, secret="of the tests", mail_domain=DOMAIN,
            mail_listen="127.0.0.1:0", mail_limit=1_000_000, graph_url=vendor.url,
        )  # fmt: skip
        engine = Engine(database)
        arrivals = Arrivals(engine, settings, VendorClient(settings, ToVendor(vendor)))
        application = api.application(database, engine, arrivals, settings)
        town = await Town.create(database, application)
        client = await stack.enter_async_context(town.client(None))
        mail = await stack.enter_async_context(serving_mail(settings, arrivals))
        assert mail is not None
        yield IntakeApp(town, settings, engine, arrivals, vendor, client, mail)
    await arrivals.close()


def expected_of(sample: Any) -> dict[str, Any]:
    """Without the time, for which a lead has its own, what only a reader tells, and consents, which have their rows."""
    apart = ("received_at", "relay", "event", "consents")
    return {name: value for name, value in sample.expected.items() if name not in apart}

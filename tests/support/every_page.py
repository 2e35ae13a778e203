"""One record of each kind in Alice's account, and the addresses of all declared pages with an id for every `{id}`."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from leadroutes.server.run import address_of, listen, running_service
from leadroutes.store.channel_faults import note_channel_fault
from leadroutes.web.page import Page
from leadroutes.web.pages import PAGES
from tests.support.web_app import WebApp

# Where the id of a page's record is found, by the first word of its path.
RECORDS = {
    "arrivals": "SELECT max(id) FROM arrivals WHERE owner_id = $1",
    "campaigns": "SELECT max(id) FROM campaigns WHERE owner_id = $1",
    "contacts": "SELECT max(id) FROM contacts WHERE owner_id = $1",
    "import": "SELECT max(id) FROM imports WHERE owner_id = $1",
    "leads": "SELECT lead_id FROM claims WHERE owner_id = $1",
    "people": "SELECT user_id FROM team_members WHERE owner_id = $1 AND user_id <> $1 ORDER BY 1 LIMIT 1",
    "routes": "SELECT max(id) FROM lead_routes WHERE owner_id = $1",
    "rules": "SELECT min(number) FROM rule_versions WHERE owner_id = $1",
    "sources": "SELECT max(id) FROM lead_sources WHERE owner_id = $1",
    "teams": "SELECT max(id) FROM teams WHERE owner_id = $1",
    "templates": "SELECT max(id) FROM templates WHERE owner_id = $1",
    "webhooks": "SELECT max(id) FROM webhooks WHERE owner_id = $1",
}


@dataclass(frozen=True)
class EveryPage:
    """`paths`: the address of every page with a record of Alice's where it wants one."""

    app: WebApp
    paths: dict[str, Page]

    @property
    def of_records(self) -> dict[str, Page]:
        return {path: page for path, page in self.paths.items() if "{id}" in page.path}

    async def make_administrator(self) -> None:
        await self.app.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")


async def addresses(web_app: WebApp) -> dict[str, Page]:
    """Returns every declared page by its address; a new kind of record wants a line in RECORDS."""
    found = {}
    for page in PAGES:
        if page.for_team_leads:  # tests/web/pages/test_people.py opens these
            continue
        path = "/app" + page.path.rstrip("/")
        if "{" in path:
            statement = RECORDS[page.path.split("/")[1]]
            number = await web_app.database.fetchval(statement, web_app.brokerage.owner_id)
            assert number is not None, f"there is no record to show at {page.path}"
            path = path.replace("{id}", str(number))
        found[path] = page
    return found


@pytest.fixture
async def every_page(web_app: WebApp) -> EveryPage:
    """Leads on offer, claimed and unclaimed, and one of everything else that has a page."""
    await fill(web_app)
    return EveryPage(web_app, await addresses(web_app))


@pytest.fixture
async def served_pages(every_page: EveryPage) -> AsyncIterator[EveryPage]:
    """The same under a real address."""
    listening = listen("127.0.0.1", 0)
    settings = replace(every_page.app.settings, public_url=address_of(listening), body_timeout=5)
    async with running_service(settings, every_page.app.database, listening, with_worker=False):
        yield replace(every_page, app=replace(every_page.app, settings=settings))


CONDITIONS = {
    "all": [
        {"field": "price", "is": "between", "value": [300_000, 500_000]},
        {"field": "city", "is": "one of", "value": ["Denver", "Boulder", "Colorado Springs"]},
    ]
}


async def fill(web_app: WebApp) -> None:
    """One of everything; texts are as long as life has them."""
    town, owner_id = web_app.town, web_app.brokerage.owner_id
    await town.option("alice", town.team_id, "alice", rank=1)
    template_id = await town.template("alice")
    campaign_id = await town.campaign("alice", "New buyers of houses with a garden")
    await town.action("alice", campaign_id, template_id=template_id)
    await _fill_tried_step(web_app, campaign_id, template_id)
    await town.route(
        "alice", campaign_id=campaign_id, lead_source_id=2, filter="Buyer", conditions=json.dumps(CONDITIONS),
        conditions_text="price from 300,000 to 500,000 and city is Denver, Boulder or Colorado Springs",
        returning_contact="Same Agent",
    )  # fmt: skip
    await town.insert("listing_agents", owner_id=owner_id, mls_id="DEN 77", mls_key="den77", user_id=town.users["bob"])
    await town.lead_source("alice", "The sign in front of Cottonwood Lane")
    won = await web_app.ask(name="Tomas Novak", email="tomas@example.org", phone="303-555-0188", city="Denver")
    await web_app.ask(name="Noor Al-Haddad", email="noor.al-haddad.of.the.hills@mail.example.com", lead_type="Seller")
    await web_app.engine.claim(owner_id, won, town.users["bob"])
    await _fill_messages(web_app, won)
    await _fill_deliveries(web_app, won)
    key_id = await web_app.database.fetchval("SELECT min(id) FROM intake_keys")
    await town.insert(
        "arrivals", owner_id=owner_id, intake_key_id=key_id, lead_source_id=1, received_at=town.now, status="rejected",
        headers='{"content-type": "application/json"}', body=b'{"name": "No One"}', reason="no e-mail and no phone",
    )  # fmt: skip
    import_id = await town.insert(
        "imports", owner_id=owner_id, file_name="people.csv", rows_total=1, created_at=town.now
    )
    await web_app.database.execute(
        "INSERT INTO import_files (owner_id, import_id, content, headings, created_at) VALUES ($1, $2, $3, $4, $5)",
        owner_id, import_id, b"Name,Email\nMia Lund,mia@example.com\n", json.dumps(HEADINGS), town.now,
    )  # fmt: skip


HEADINGS = [
    {"heading": "Name", "meaning": "name", "samples": ["Mia Lund"]},
    {"heading": "Email", "meaning": "email", "samples": ["mia@example.com"]},
]


async def _fill_tried_step(web_app: WebApp, campaign_id: int, template_id: int) -> None:
    """A step with a condition and two variants of which one is better, and a signature."""
    town, owner_id = web_app.town, web_app.brokerage.owner_id
    other_id = await town.template("alice", description="The same question, asked in fewer words and with a price")
    action_id = await town.action(
        "alice", campaign_id, delay_by_seconds=86_400,
        variants=json.dumps([{"template_id": template_id, "share": 1}, {"template_id": other_id, "share": 1}]),
        conditions=json.dumps({"field": "replied", "is": "equal", "value": False}),
        conditions_text="the contact has not replied",
    )  # fmt: skip
    for variant_id, replied in ((template_id, 90), (other_id, 160)):
        for figure, number in (("sent", 1_000), ("delivered", 980), ("bounced", 20), ("replied", replied)):
            await web_app.database.execute(
                "INSERT INTO step_results VALUES ($1, $2, $3, $4, $5)", owner_id, action_id, variant_id, figure, number
            )
    await town.insert(
        "signatures", owner_id=owner_id, name="With the address of the branch office in Colorado Springs",
        text_body="Alice Town\nThe Brokerage", is_default=True, created_at=town.now, modified_at=town.now,
    )  # fmt: skip


async def _fill_deliveries(web_app: WebApp, lead_id: int) -> None:
    """A webhook that was switched off, and one with a delivery in every state."""
    town, owner_id = web_app.town, web_app.brokerage.owner_id
    columns = {"owner_id": owner_id, "secret": b"", "created_at": town.now, "modified_at": town.now}
    await town.insert(
        "webhooks", **columns, url="https://off.example.com/a/long/address", is_active=False, disabled_at=town.now,
        disabled_reason="no delivery has succeeded for 5 days", format="slack", events=["lead.arrived"],
    )  # fmt: skip
    webhook_id = await town.insert("webhooks", **columns, url="https://on.example.com/leads")
    tries = [{"at": "2026-11-29T10:00:00.000Z", "status": 500, "milliseconds": 12, "answer": "Oh no", "error": None}]
    for state in ("waiting", "delivered", "failed", "withdrawn"):
        await town.insert(
            "webhook_deliveries", owner_id=owner_id, webhook_id=webhook_id, type="lead.claimed", at=town.now,
            data="{}", lead_id=lead_id, state=state, tries=json.dumps(tries), reason="the receiver answered 500",
            due_at=town.now if state == "waiting" else None,
        )  # fmt: skip


async def _fill_messages(web_app: WebApp, lead_id: int) -> None:
    """A message in every state, and a channel that does not work."""
    town, bob = web_app.town, web_app.town.users["bob"]
    for number, state in enumerate(("queued", "sending", "sent", "failed", "suppressed", "unknown")):
        await town.insert(
            "messages", owner_id=web_app.brokerage.owner_id, kind="claimed", channel="text", user_id=bob,
            lead_id=lead_id, state=state, reason=f"reason {number}", text_body="Taken", attempts=2,
            created_at=town.now, sent_at=town.now if state == "sent" else None,
        )  # fmt: skip
    fault = "the login was refused: 535 5.7.8 Username and Password not accepted"
    await note_channel_fault(web_app.database, "email", fault)

"""A brokerage used through the front door: a real server on loopback, its worker, a real mail server, plain HTTP."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadroutes.operations.doctor import examine
from leadroutes.server.run import address_of, listen, running_service
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.mailbox import Mailbox, text_of, to
from tests.support.town import Town

ZILLOW = 1
JSON = {"Content-Type": "application/json"}


def winter_noon(now: datetime) -> datetime:
    """Returns half past twelve in Denver, on a Thursday of next January: texts and calls may go for hours."""
    noon = now.replace(year=now.year + 1, month=1, day=14, hour=19, minute=30)
    return noon + timedelta(days=(3 - noon.weekday()) % 7)


@dataclass
class Story:
    """People with tokens, and everything else made by requests as a client makes them."""

    database: Database
    town: Town
    mailbox: Mailbox
    settings: Settings
    address: str = ""
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    key: str = ""

    def __getitem__(self, name: str) -> httpx.AsyncClient:
        """A client that speaks for this person."""
        if name not in self.clients:
            headers = {"Authorization": f"Bearer {self.town.tokens[name]}"} if name in self.town.tokens else {}
            self.clients[name] = httpx.AsyncClient(base_url=self.address, headers=headers, timeout=30, verify=False)
        return self.clients[name]

    async def post(self, who: str, path: str, **body: Any) -> Any:
        """What was made; the test ends where that fails."""
        answer = await self[who].post(path, json=body)
        assert answer.status_code == 201, (path, answer.status_code, answer.text)
        return answer.json()

    async def get(self, who: str, path: str) -> Any:
        answer = await self[who].get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    # -- what Alice sets up

    async def set_up(self) -> None:
        """A team of Bob and Carol, Zillow as a source, an empty campaign, an intake key for Zillow."""
        team = await self.post("alice", "/teams", name="North Side", order_method="Rank", mins_until_next_alert=5)
        self.ids["team"] = team["id"]
        await self.join("bob", "carol")
        self.ids["source"] = (await self.post("alice", "/contact-sources", name="Zillow"))["id"]
        self.ids["campaign"] = (await self.post("alice", "/campaigns", name="Follow-up"))["id"]
        self.key = (await self.post("alice", "/intake-keys", lead_source_id=ZILLOW, is_private=True))["key"]

    async def join(self, *names: str) -> None:
        """These people are asked into the team, and accept."""
        for name in names:
            member = await self.post("alice", "/team-members", team_id=self.ids["team"], user_id=self.town.users[name])
            accepted = await self[name].patch(f"/team-members/{member['id']}", json={"request_status": "Accepted"})
            assert accepted.status_code == 200

    async def change_team(self, **changes: Any) -> None:
        answer = await self["alice"].patch(f"/teams/{self.ids['team']}", json=changes)
        assert answer.status_code == 200, answer.text

    async def option(self, name: str, **changes: Any) -> int:
        """How offers reach this member: to be claimed, by e-mail, unless said otherwise."""
        usual = {"assign_automatically": False, "has_email_alert": True}
        body = {"team_id": self.ids["team"], "user_id": self.town.users[name]} | usual | changes
        return int((await self.post("alice", "/team-member-distribution-options", **body))["id"])

    async def route(self, **changes: Any) -> int:
        """Zillow leads go to the team, unless said otherwise."""
        usual: dict[str, Any] = {
            "team_id": self.ids["team"],
            "campaign_id": self.ids["campaign"],
            "lead_source_id": ZILLOW,
            "contact_source_id": self.ids["source"],
            "distribution_target": "Team Rollout",
            "team_selection_method": "Specific Team",
        }
        return int((await self.post("alice", "/lead-routes", **(usual | changes)))["id"])

    # -- what happens

    async def inquire(self, name: str = "mia", **fields: Any) -> Any:
        """A new person asks through Zillow; returns the lead."""
        body = {"email": f"{name}@example.org", "first_name": name.title(), "last_name": "Lund"} | fields
        answer = await self["anonymous"].post(f"/intake/{self.key}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def pass_time(self, **span: float) -> None:
        await self.database.move_clock(timedelta(**span))

    async def mail_to(self, name: str, about: str, count: int = 1) -> str:
        """The text of the count-th mail to this person whose subject begins like this, once it has come."""
        mails = await self.mailbox.wait_for(
            count, lambda mail: to(name)(mail) and str(mail["Subject"]).startswith(about)
        )
        return text_of(mails[count - 1])

    def mails_to(self, name: str) -> list[str]:
        """The subjects of the alerts to a member; the invitation may have gone before it was accepted, or not."""
        subjects = [str(mail["Subject"]) for mail in self.mailbox.mails if to(name)(mail)]
        return [subject for subject in subjects if " invites you to " not in subject]

    async def link_to(self, name: str, about: str = "New lead") -> str:
        """The path of the claim link in a mail."""
        found = re.search(r"(/claim/[\w-]+)", await self.mail_to(name, about))
        assert found is not None
        return found[1]

    async def claim(self, who: str, lead_id: int) -> httpx.Response:
        return await self[who].post(f"/leads/{lead_id}/claim", json={})

    async def states(self, lead_id: int) -> dict[str, str]:
        """Every offer as its owner sees it, by the receiver's first name."""
        offers = (await self.get("alice", f"/leads/{lead_id}/offers?$limit=1000"))["data"]
        return {offer["user"]["first_name"].lower(): offer["state"] for offer in offers}

    async def ledger(self) -> dict[str, int]:
        ledger = await self.get("alice", "/ledger")
        parts = ("claimed", "on_offer", "unclaimed", "held", "rejected")
        assert ledger["received"] == sum(ledger[part] for part in parts)
        return {name: value for name, value in ledger.items() if value}

    # -- the service itself

    @contextlib.asynccontextmanager
    async def service(self, *, with_worker: bool = True) -> AsyncIterator[None]:
        """The service, from its start to its end."""
        listening = listen("127.0.0.1", 0)
        self.address = address_of(listening)
        self.clients.clear()
        async with running_service(self.settings, self.database, listening, with_worker=with_worker):
            try:
                yield
            finally:
                for client in self.clients.values():
                    await client.aclose()


@pytest.fixture
async def unstarted(database: Database, tmp_path: Path) -> AsyncIterator[Story]:
    """People and a mail server; the service has not been started."""
    town = Town(database)
    for name in ("alice", "bob", "carol", "dave"):
        await town.add_user(name)
    async with Mailbox() as mailbox:
        yield Story(database, town, mailbox, Settings(smtp_url=mailbox.url, data=tmp_path))
    outcome = await examine(database)
    assert outcome.violation is None, "after every story the doctor finds nothing"


@pytest.fixture
async def story(unstarted: Story) -> AsyncIterator[Story]:
    """The service is up, and Alice's team is set up."""
    async with unstarted.service():
        await unstarted.set_up()
        yield unstarted

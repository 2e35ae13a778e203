"""The same small cast everywhere: Alice owns, Bob and Carol are Alice's agents, Dave is a stranger.

Rows are put in by SQL, so that a town exists before the room under test does.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from leadroutes.store.postgres import Database

CAST = ("alice", "bob", "carol", "dave")


@dataclass
class Town:
    """`users` and `tokens` by name; `team_id` is Alice's team, with Alice, Bob and Carol as accepted members."""

    database: Database
    application: Any = None  # the ASGI application that `client` talks to
    users: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    team_id: int = 0

    @classmethod
    async def create(cls, database: Database, application: Any = None) -> "Town":
        """Four people, one team; no sources, campaigns or routes of their own yet."""
        town = cls(database, application)
        for name in CAST:
            await town.add_user(name)
        town.team_id = await town.team("alice", "bob", "carol", name="North Side")
        return town

    async def add_user(self, name: str, **columns: Any) -> int:
        """One more person, with a token that may write."""
        values = {"first_name": name.title(), "last_name": "Town", "username": name, "email": f"{name}@example.com"}
        self.users[name] = await self.insert("users", **values | self._moments() | columns)
        self.tokens[name] = await self.token(name)
        return self.users[name]

    async def token(self, name: str, *scope: str, **columns: Any) -> str:
        """One more access token of this person; `write` unless said otherwise."""
        count = await self.database.fetchval("SELECT count(*) FROM access_tokens")
        token = hashlib.sha1(f"{name} {count}".encode()).hexdigest()
        digest = hashlib.sha256(token.encode()).digest()
        await self.insert(
            "access_tokens", user_id=self.users[name], token_hash=digest, scope=list(scope or ("write",)), **columns
        )
        return token

    def client(self, name: str | None) -> httpx.AsyncClient:
        """A client that carries this person's token; None: no token."""
        headers = {"Authorization": f"Bearer {self.tokens[name]}"} if name else {}
        transport = httpx.ASGITransport(app=self.application, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://town", headers=headers)

    @property
    def now(self) -> datetime:
        return self.database.clock.now()

    # -- things to own

    async def team(self, owner: str, *members: str, **columns: Any) -> int:
        """A team of `owner`'s; the owner and the members have accepted."""
        owner_id = self.users[owner]
        team_id = await self.insert("teams", owner_id=owner_id, **{"name": "Team"} | columns)
        for member in (owner, *members):
            await self.member(owner, team_id, member)
        return team_id

    async def member(self, owner: str, team_id: int, user: str, request_status: str = "Accepted") -> int:
        values = {"owner_id": self.users[owner], "team_id": team_id, "user_id": self.users[user]}
        return await self.insert("team_members", request_status=request_status, **values)

    async def share_contacts(self) -> None:
        """All teams share contacts, and all who have accepted them agree to that."""
        await self.database.execute("UPDATE teams SET is_contact_resource_sharing_enabled = true")
        await self.database.execute(
            "UPDATE team_members SET is_sharing_accepted = true WHERE request_status = 'Accepted'"
        )

    async def option(self, owner: str, team_id: int, user: str, **columns: Any) -> int:
        """How offers of the team reach this member: by e-mail, to be claimed, unless said otherwise."""
        values = {"owner_id": self.users[owner], "team_id": team_id, "user_id": self.users[user], "rank": 1}
        flags = {"assign_automatically": False, "has_email_alert": True}
        return await self.insert("team_member_distribution_options", **values | flags | columns)

    async def lead_source(self, owner: str, name: str = "Yard sign") -> int:
        return await self.insert("lead_sources", owner_id=self.users[owner], name=name)

    async def contact_source(self, owner: str, name: str = "Zillow") -> int:
        return await self.insert("contact_sources", owner_id=self.users[owner], name=name)

    async def campaign(self, owner: str, name: str = "Follow-up", **columns: Any) -> int:
        values = {"owner_id": self.users[owner], "name": name, "name_key": name.casefold()}
        return await self.insert("campaigns", **values | self._moments() | columns)

    async def template(self, owner: str, **columns: Any) -> int:
        """An e-mail template in a folder of its own."""
        owner_id = self.users[owner]
        if "template_folder_id" not in columns:
            columns["template_folder_id"] = await self.insert("template_folders", owner_id=owner_id, name="Buyers")
        words = {"subject": "Hello {{contact.first_name}}", "body": "How is the hunt?", "template_type": "Email"}
        return await self.insert("templates", owner_id=owner_id, **words | self._moments() | columns)

    async def action(self, owner: str, campaign_id: int, **columns: Any) -> int:
        """A step of a campaign: an e-mail to the contact at once, unless said otherwise."""
        timing = {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 0}
        return await self.insert(
            "campaign_actions", owner_id=self.users[owner], campaign_id=campaign_id, **timing | columns
        )

    async def route(self, owner: str, **columns: Any) -> int:
        """Leads from Zillow (1), of contacts without a source, to Alice's team; sources and campaign made as needed."""
        owner_id = self.users[owner]
        if "campaign_id" not in columns:
            count = await self.database.fetchval("SELECT count(*) FROM campaigns WHERE owner_id = $1", owner_id)
            columns["campaign_id"] = await self.campaign(owner, f"Follow-up {count + 1}")
        if "contact_source_id" not in columns:
            columns["contact_source_id"] = await self.contact_source(owner)
        target = {"distribution_target": "Team Rollout", "team_selection_method": "Specific Team"}
        values = {"owner_id": owner_id, "lead_source_id": 1, "team_id": self.team_id} | target | columns
        return await self.insert("lead_routes", **values)

    async def contact(self, owner: str, **columns: Any) -> int:
        values = {"owner_id": self.users[owner], "first_name": "Mia", "last_name": "Lund"}
        return await self.insert("contacts", **values | self._moments() | columns)

    async def lead(self, owner: str, contact_id: int, **columns: Any) -> int:
        """A lead as a row only: nothing has been decided about it."""
        values = {"owner_id": self.users[owner], "contact_id": contact_id, "creator_user_id": self.users[owner]}
        return await self.insert("leads", **values | self._moments() | {"touched_at": self.now} | columns)

    async def insert(self, table: str, **columns: Any) -> int:
        """One row; its id."""
        names, numbers = ", ".join(columns), ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        row_id: int = await self.database.fetchval(
            f"INSERT INTO {table} ({names}) VALUES ({numbers}) RETURNING id", *columns.values()
        )
        return row_id

    def _moments(self) -> dict[str, datetime]:
        return {"created_at": self.now, "modified_at": self.now}

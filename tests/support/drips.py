"""A campaign of Alice's that runs for so many contacts that an edit of it is carried over in batches."""

from typing import Any

from leadroutes.engine.campaign_changes import AT_ONCE, IN_A_BATCH
from leadroutes.engine.engine import Engine
from tests.support.api import ask, create
from tests.support.town import Town

HOUR = 3600
MANY = AT_ONCE + IN_A_BATCH + 200  # so that the worker needs more than one batch
MAIL = {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": HOUR}
TASK = {"type": "Agent Task - Call Reminder", "timing_type": "Delay by Minutes", "description": "Call"}
GONE = "the campaign was removed by Alice Town"
REMOVED = "the step was removed from the campaign by Alice Town"


class Drip:
    """A campaign of Alice's with a mail after an hour and a task after two, under way for many contacts."""

    def __init__(self, town: Town, campaign_id: int) -> None:
        self.town = town
        self.path = f"/campaigns/{campaign_id}"
        self.id = campaign_id
        self.actions: list[int] = []

    async def edit(self, number: int | None, body: dict[str, Any] | None, query: str = "") -> Any:
        method = "POST" if number is None else "DELETE" if body is None else "PATCH"
        path = f"{self.path}/actions" + (f"/{self.actions[number]}" if number is not None else "")
        reply = await ask(self.town, "alice", method, path + query, json=body)
        assert reply.status in (200, 201), reply.body
        return reply.json

    async def left(self) -> int:
        return (await ask(self.town, "alice", "GET", self.path)).json["left_to_change"]

    async def is_pending(self) -> bool:
        return await self.town.database.fetchval("SELECT count(*) > 0 FROM changed_actions WHERE done_at IS NULL")

    async def carry_over(self) -> None:
        """A process that knows nothing of those before does each batch."""
        while await self.is_pending():
            await Engine(self.town.database).run_due()
        assert await self.left() == 0

    async def open_steps(self) -> int:
        """How many steps the database has as to be sent, whatever it shows of them."""
        number: int = await self.town.database.fetchval("SELECT count(*) FROM contact_communications WHERE is_active")
        return number

    async def carry_removal(self) -> None:
        """A process that knows nothing of those before does each batch of a removal."""
        while await self.town.database.fetchval("SELECT count(*) FROM removed_campaigns"):
            await Engine(self.town.database).run_due()

    async def messages(self) -> list[tuple[Any, ...]]:
        """How many minutes after the start which messages come, of which template, whether they do, and why not."""
        rows = await self.town.database.fetch(
            "SELECT s.type, round(extract(epoch FROM s.send_at - r.created_at) / 60)::int AS minute, s.template_id,"
            " s.is_active, m.reason, count(*) AS number FROM contact_communications s"
            " JOIN campaign_contacts r ON r.id = s.campaign_contact_id"
            " LEFT JOIN messages m ON m.owner_id = s.owner_id AND m.communication_id = s.id"
            " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3"
        )
        return [tuple(row) for row in rows]

    async def tasks(self) -> list[tuple[Any, ...]]:
        rows = await self.town.database.fetch(
            "SELECT round(extract(epoch FROM t.due_at - r.created_at) / 60)::int AS minute, t.description, t.status,"
            " count(*) AS number FROM tasks t JOIN campaign_contacts r ON r.id = t.campaign_contact_id"
            " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return [tuple(row) for row in rows]


async def begin_drip(town: Town) -> Drip:
    """A campaign under way for MANY contacts."""
    made = await create(town, "alice", "/campaigns", {"name": "Drip"})
    drip = Drip(town, made["id"])
    template_id = await town.template("alice")
    for step in (MAIL | {"template_id": template_id}, TASK | {"delay_by_seconds": 2 * HOUR}):
        drip.actions.append((await drip.edit(None, step))["id"])
    await join_many(town, drip)
    return drip


async def join_many(town: Town, drip: Drip) -> None:
    """Further contacts get into the campaign, each with what the steps make for them.

    PostgreSQL has looked at the tables, as autovacuum does within a minute: it plans as for an account of years.
    """
    owner_id, database = town.users["alice"], town.database
    last_contact, last_run = await database.fetchrow(
        "SELECT (SELECT coalesce(max(id), 0) FROM contacts), (SELECT coalesce(max(id), 0) FROM campaign_contacts)"
    )
    await database.execute(
        "INSERT INTO contacts (owner_id, first_name, email, created_at, modified_at)"
        " SELECT $1, 'Mia', 'mia' || g || '@example.org', $3, $3 FROM generate_series(1, $2::int) g",
        owner_id, MANY, town.now,
    )  # fmt: skip
    await database.execute(
        "INSERT INTO campaign_contacts (owner_id, campaign_id, contact_id, created_at)"
        " SELECT owner_id, $1, id, $2 FROM contacts WHERE id > $3", drip.id, town.now, last_contact,
    )  # fmt: skip
    await database.execute(
        "INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, action_id, type,"
        " template_id, send_at) SELECT r.owner_id, r.contact_id, r.id, r.campaign_id, a.id, a.type, a.template_id,"
        " r.created_at + a.delay_by_seconds * interval '1 second' FROM campaign_contacts r, campaign_actions a"
        " WHERE a.id = $1 AND r.id > $2", drip.actions[0], last_run,
    )  # fmt: skip
    await database.execute(
        "INSERT INTO tasks (owner_id, contact_id, contact_owner_id, action_type, assigned_user_id, due_at, description,"
        " status, campaign_contact_id, campaign_action_id, follows_contact, created_at, modified_at)"
        " SELECT r.owner_id, r.contact_id, r.owner_id, a.type, r.owner_id, r.created_at + interval '2 hours',"
        " a.description, 'incomplete', r.id, a.id, true, r.created_at, r.created_at"
        " FROM campaign_contacts r, campaign_actions a WHERE a.id = $1 AND r.id > $2", drip.actions[1], last_run,
    )  # fmt: skip
    await database.execute("ANALYZE contacts, campaign_contacts, contact_communications, tasks")

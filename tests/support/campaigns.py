"""What tests set up and look at around campaigns: many members, drip steps, queued jobs."""

from collections import Counter
from typing import Any

from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage


async def message_kinds(database: Database, lead_id: int) -> Counter[tuple[str, str]]:
    rows = await database.fetch(
        "SELECT kind, username FROM messages JOIN users ON users.id = user_id WHERE lead_id = $1", lead_id
    )
    return Counter((row["kind"], row["username"]) for row in rows)


async def add_agents(brokerage: Brokerage, size: int) -> list[int]:
    """So many agents in Alice's team, all notified at once."""
    await brokerage.town.database.execute("UPDATE teams SET mins_until_next_alert = 0")
    for number in range(size):
        await brokerage.town.add_user(f"agent{number}")
        await brokerage.town.member("alice", brokerage.town.team_id, f"agent{number}")
        await brokerage.town.option("alice", brokerage.town.team_id, f"agent{number}", rank=number + 3)
    return [brokerage.town.users[f"agent{number}"] for number in range(size)]


async def add_drip_campaign(brokerage: Brokerage, *delays: int, **route: Any) -> None:
    campaign_id = await brokerage.town.database.fetchval("SELECT min(id) FROM campaigns")
    for delay in delays:
        await brokerage.town.action("alice", campaign_id, delay_by_seconds=delay)
    for name, value in route.items():
        await brokerage.town.database.execute(f"UPDATE lead_routes SET {name} = $1", value)


async def due_steps(database: Database) -> list[tuple[float, bool]]:
    rows = await database.fetch(
        "SELECT extract(epoch FROM c.send_at - r.created_at)::float AS after, c.taken_at IS NOT NULL AS is_taken"
        " FROM contact_communications c JOIN campaign_contacts r ON r.id = c.campaign_contact_id ORDER BY c.send_at"
    )
    return [(row["after"], row["is_taken"]) for row in rows]

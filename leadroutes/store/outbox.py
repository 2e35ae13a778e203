"""What the signed-in pages list: an owner's messages and leads, a member's offers. Reads only."""

from dataclasses import dataclass
from typing import Final

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database

STATES: Final = ("queued", "sending", "sent", "failed", "suppressed", "unknown")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Outbox:
    """One page of messages, newest first; `older_than` is what the next page begins before, None on the last."""

    messages: list[asyncpg.Record]
    older_than: int | None


async def list_messages(database: Database, owner_id: int, state: str | None, before: int | None) -> Outbox:
    """What was told, or would have been, on this owner's account."""
    rows = await database.fetch(
        *statement("list_messages").bind(owner_id=owner_id, state=state, before_id=before, most=PAGE + 1)
    )
    return Outbox(rows[:PAGE], rows[PAGE - 1]["id"] if len(rows) > PAGE else None)


async def list_open_offers(database: Database, user_id: int) -> list[asyncpg.Record]:
    """What this user may claim now."""
    return await database.fetch(*statement("list_open_offers").bind(user_id=user_id))


async def list_won_leads(database: Database, user_id: int) -> list[asyncpg.Record]:
    """The latest leads that this user has."""
    return await database.fetch(*statement("list_won_leads").bind(user_id=user_id))


async def list_latest_leads(database: Database, owner_id: int) -> list[asyncpg.Record]:
    """The latest leads that came into this account, with who has them and since when."""
    return await database.fetch(*statement("list_latest_leads").bind(owner_id=owner_id))


async def list_to_reassign(database: Database, user_id: int) -> list[asyncpg.Record]:
    """name, contacts, tasks: what of this user's is still assigned to members whose account is closed."""
    return await database.fetch(*statement("list_to_reassign").bind(user_id=user_id))

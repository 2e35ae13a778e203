"""What the signed-in pages list: an owner's messages, a contact's campaigns. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database

STATES: Final = ("queued", "sending", "sent", "failed", "suppressed", "unknown")
CHANNELS: Final = ("email", "text", "call", "webhook", "push")
PAGE = 50
WINDOW = 10_000  # messages that one search reads


@dataclass(frozen=True, slots=True)
class Outbox:
    """One page of messages, newest first; `older_than` is what the next page begins before, None on the last."""

    messages: list[asyncpg.Record]
    older_than: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which messages are listed. `words`, in small letters, are looked for; so are messages to those ids."""

    state: str | None = None
    channel: str | None = None
    words: str | None = None
    user_ids: Sequence[int] = ()
    contact_ids: Sequence[int] = ()

    @property
    def is_any(self) -> bool:
        return (self.state, self.channel, self.words) == (None, None, None)


async def list_messages(database: Database, owner_id: int, wanted: Sought, before: int | None) -> Outbox:
    """Return a page of the messages of this owner's account, sent or not.

    A filter reads the newest WINDOW messages and no more; where there are older ones, the next page reads those.
    """
    from_id = None
    if not wanted.is_any:
        window = statement("find_outbox_window").bind(owner_id=owner_id, before_id=before, most=WINDOW)
        from_id = await database.fetchval(*window)
    rows = await database.fetch(
        *statement("list_messages").bind(
            owner_id=owner_id,
            state=wanted.state,
            channel=wanted.channel,
            words=wanted.words,
            user_ids=list(wanted.user_ids),
            contact_ids=list(wanted.contact_ids),
            before_id=before,
            from_id=from_id,
            most=PAGE + 1,
        )
    )
    return Outbox(rows[:PAGE], rows[PAGE - 1]["id"] if len(rows) > PAGE else from_id)


async def list_stopped_campaigns(database: Database, owner_id: int, contact_id: int) -> list[asyncpg.Record]:
    """Return id, campaign_id, name, ended_at, reason and stopped_by of campaigns that can go on for a contact."""
    return await database.fetch(
        *statement("list_stopped_campaigns").bind(owner_id=owner_id, contact_id=contact_id, most=PAGE)
    )


async def list_campaigns_of_contact(database: Database, owner_id: int, contact_id: int) -> list[asyncpg.Record]:
    """Return id, campaign_id, name, created_at and next_at of the campaigns that run for a contact of this owner."""
    return await database.fetch(
        *statement("list_campaigns_of_contact").bind(owner_id=owner_id, contact_id=contact_id, most=PAGE)
    )

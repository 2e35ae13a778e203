"""What is wrong with channels: one row for each that does not work, in real time. Nothing is decided here."""

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database


async def note_channel_fault(database: Database, channel: str, reason: str) -> None:
    """The channel does not work, for this reason; its first moment stays."""
    await database.execute(*statement("note_channel_fault").bind(channel=channel, reason=reason.replace("\0", "")))


async def end_channel_fault(database: Database, channel: str) -> bool:
    """Return whether there was one."""
    return bool(await database.fetchval(*statement("end_channel_fault").bind(channel=channel)))


async def list_channel_faults(database: Database) -> list[asyncpg.Record]:
    """(channel, reason, since, last_at, waiting) of each that does not work; `waiting` counts up to a limit."""
    return await database.fetch(*statement("list_channel_faults").bind())

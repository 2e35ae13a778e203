"""Faults of channels: one row for each channel that does not work, in real time. Decides nothing."""

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database


async def note_channel_fault(database: Database, channel: str, reason: str) -> None:
    """Record that the channel does not work, and why; the moment at which that began stays."""
    await database.execute(*statement("note_channel_fault").bind(channel=channel, reason=reason.replace("\0", "")))


async def end_channel_fault(database: Database, channel: str) -> bool:
    """Record that the channel works. Returns whether it had a fault."""
    return bool(await database.fetchval(*statement("end_channel_fault").bind(channel=channel)))


async def list_channel_faults(database: Database) -> list[asyncpg.Record]:
    """Return channel, reason, since, last_at, waiting of each fault; `waiting` is counted up to a limit."""
    return await database.fetch(*statement("list_channel_faults").bind())

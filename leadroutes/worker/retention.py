"""Removes what is kept no longer, once an hour: in small batches, past everything that somebody else holds.

How long things are kept, the settings say; what the rows are, the statements `clean_*`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from leadroutes.observability import metrics
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.postgres import Database

log = structlog.get_logger()

CLEANING_INTERVAL = timedelta(hours=1)
BATCH_SIZE = 500  # rows of one statement
MAX_TRANSACTION_AGE = timedelta(hours=1)  # more than any statement of ours is given


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is cleaned of what is older than `keeps` says; None: it is kept for ever. `is_real`: by real time."""

    what: str
    retention: Callable[[Settings], timedelta | None]
    by_real_time: bool = False


def _days(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


SWEEPS = (
    Sweep("arrivals", lambda settings: _days(settings.keep_arrivals)),
    Sweep("messages", lambda settings: _days(settings.keep_messages)),
    Sweep("claim_links", lambda settings: _days(settings.keep_claim_links)),
    Sweep("idempotency_keys", lambda _: timedelta(minutes=1)),
    Sweep("sessions", lambda _: timedelta(0), by_real_time=True),
    Sweep("invitation_tokens", lambda _: timedelta(0), by_real_time=True),
    Sweep("invitation_mails", lambda _: timedelta(days=1), by_real_time=True),
    Sweep("email_changes", lambda _: timedelta(0), by_real_time=True),
    Sweep("authorization_codes", lambda _: timedelta(days=1), by_real_time=True),
    Sweep("queue_log", lambda settings: _days(settings.keep_queue_log), by_real_time=True),
    Sweep("queue_statistics", lambda settings: _days(settings.keep_queue_log), by_real_time=True),
)


async def clean_when_due(database: Database, settings: Settings, stopping: asyncio.Event) -> dict[str, int] | None:
    """Clean up, if nobody has within the last hour of real time; answers how many rows of what, None where not."""
    if await database.fetchval(*statement("take_cleaning").bind(interval=CLEANING_INTERVAL)) is None:
        return None
    cleaned = await clean(database, settings, stopping)
    log.info("cleaned up", **cleaned)
    return cleaned


async def clean(database: Database, settings: Settings, stopping: asyncio.Event) -> dict[str, int]:
    """All that is due now, until `stopping`. Half of the time is left to others."""
    cleaned = {}
    real_now = await database.real_now()
    for sweep in SWEEPS:
        if (retention := sweep.retention(settings)) is not None:
            now = real_now if sweep.by_real_time else database.clock.now()
            cleaned[sweep.what] = await _sweep(database, sweep.what, now - retention, stopping)
    cleaned["rule_sets"] = await _sweep_rule_sets(database, settings, stopping)
    for what, rows in cleaned.items():
        metrics.CLEANED_ROWS.labels(what).inc(rows)
    return cleaned


async def _sweep(database: Database, what: str, before: datetime, stopping: asyncio.Event) -> int:
    total = 0
    while not stopping.is_set():
        begun = time.monotonic()
        rows: int = await database.fetchval(*statement(f"clean_{what}").bind(before=before, most=BATCH_SIZE))
        total += rows
        if rows < BATCH_SIZE:
            break
        await asyncio.sleep(time.monotonic() - begun)
    return total


async def _sweep_rule_sets(database: Database, settings: Settings, stopping: asyncio.Event) -> int:
    """Walks all rule sets by their keys, as most of those that are old are in use."""
    now = database.clock.now()
    before = now - timedelta(days=settings.keep_rule_sets)
    total, owner_id, number = 0, 0, 0
    while not stopping.is_set():
        begun = time.monotonic()
        row = await database.fetchrow(
            *statement("clean_rule_sets").bind(
                before=before,
                most=BATCH_SIZE,
                after_owner_id=owner_id,
                after_number=number,
                superseded_before=now - MAX_TRANSACTION_AGE,
            )
        )
        assert row is not None
        total += row["gone"]
        if row["looked"] < BATCH_SIZE:
            break
        owner_id, number = row["owner_id"], row["number"]
        await asyncio.sleep(time.monotonic() - begun)
    return total

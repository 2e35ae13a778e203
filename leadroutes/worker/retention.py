"""Removes data whose retention is over, once an hour: in small batches, without waiting for locked rows.

The settings say how long data is retained, and the statements `clean_*` which rows are removed.
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
DELIVERIES_STORED = timedelta(days=30)
PASSED_OVER_STORED = timedelta(days=30)
SIGN_INS_STORED = timedelta(days=730)
MAX_TRANSACTION_AGE = timedelta(hours=1)  # longer than any statement may take


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is removed once it is older than `retention`; None: never. `by_real_time`: not by the domain's clock."""

    what: str
    retention: Callable[[Settings], timedelta | None]
    by_real_time: bool = False


def _days(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


SWEEPS = (
    Sweep("arrivals", lambda settings: _days(settings.keep_arrivals)),
    Sweep("messages", lambda settings: _days(settings.keep_messages)),
    Sweep("received_texts", lambda settings: _days(settings.keep_arrivals)),
    Sweep("claim_links", lambda settings: _days(settings.keep_claim_links)),
    Sweep("calls", lambda settings: _days(settings.keep_claim_links)),
    Sweep("imports", lambda settings: _days(settings.keep_imports)),
    Sweep("rule_versions", lambda settings: _days(settings.keep_versions)),
    Sweep("audit", lambda settings: _days(settings.keep_audit)),
    Sweep("deliveries", lambda _: DELIVERIES_STORED, by_real_time=True),
    Sweep("left_out_members", lambda _: PASSED_OVER_STORED),
    Sweep("idempotency_keys", lambda _: timedelta(minutes=1)),
    Sweep("trials", lambda _: timedelta(hours=1), by_real_time=True),
    Sweep("typed_forms", lambda _: timedelta(hours=1), by_real_time=True),
    Sweep("sessions", lambda _: timedelta(0), by_real_time=True),
    Sweep("invitation_tokens", lambda _: timedelta(0), by_real_time=True),
    Sweep("invitation_mails", lambda _: timedelta(days=1), by_real_time=True),
    Sweep("email_changes", lambda _: timedelta(0), by_real_time=True),
    Sweep("password_links", lambda _: timedelta(days=7), by_real_time=True),
    Sweep("pending_sign_ins", lambda _: timedelta(0), by_real_time=True),
    Sweep("trusted_browsers", lambda _: timedelta(0), by_real_time=True),
    Sweep("setup_codes", lambda _: timedelta(0), by_real_time=True),
    Sweep("sign_ins", lambda _: SIGN_INS_STORED, by_real_time=True),
    Sweep("authorization_codes", lambda _: timedelta(days=1), by_real_time=True),
    Sweep("provider_answers", lambda _: timedelta(days=1), by_real_time=True),
    Sweep("queue_log", lambda settings: _days(settings.keep_queue_log), by_real_time=True),
    Sweep("queue_statistics", lambda settings: _days(settings.keep_queue_log), by_real_time=True),
)


async def clean_when_due(database: Database, settings: Settings, stopping: asyncio.Event) -> dict[str, int] | None:
    """Cleans up, unless it was done within the last hour of real time. Returns the numbers of rows, or None."""
    if await database.fetchval(*statement("take_cleaning").bind(interval=CLEANING_INTERVAL)) is None:
        return None
    cleaned = await clean(database, settings, stopping)
    log.info("cleaned up", **cleaned)
    return cleaned


async def clean(database: Database, settings: Settings, stopping: asyncio.Event) -> dict[str, int]:
    """Removes all that is due, until `stopping` is set. Returns the number of rows by name. Pauses half of the time."""
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
    """Walks all rule sets by their keys, as most of the old ones are in use."""
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

"""Reads many stored arrivals again: those rejected or pending since a moment, oldest first.

What each comes to, arrivals decides.
"""

import re
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from leadroutes.errors import Conflict, Invalid, TooLarge
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.store import statement
from leadroutes.store.postgres import Database

_SPAN = re.compile(r"([0-9]{1,5})\s*([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


async def replay(
    database: Database, arrivals: Arrivals, *, statuses: Collection[str], since: datetime, owner_id: int | None = None
) -> Counter[str]:
    """How many have which status now; `owner_id` None: those of all owners."""
    rows = await database.fetch(
        *statement("list_replayable_arrivals").bind(statuses=list(statuses), since=since, owner_id=owner_id)
    )
    counts: Counter[str] = Counter()
    for row in rows:
        try:
            answer = await arrivals.replay(row["owner_id"], row["id"])
        except Conflict:
            continue  # another process was faster
        except TooLarge:
            counts["rejected"] += 1
            continue
        counts[answer.stored.status] += 1
    return counts


def moment_of(text: str, now: datetime) -> datetime:
    """`2026-11-20`, `2026-11-20T18:00Z`, or how long ago: `90m`, `24h`, `7d`. A time without a zone is UTC."""
    if span := _SPAN.fullmatch(text.strip().lower()):
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            f"--since: {text!r} was given; expected a date, a time as 2026-11-20T18:00Z, or 24h, 7d"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

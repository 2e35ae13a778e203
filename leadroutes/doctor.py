"""Checks the ledger and every rule of the house against the database: sentences, each with a query that finds breaches.

It changes nothing. The checks are the store's statements `check_*`; the comment that each begins with is its sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database, unavailable_when_away

MOST_SHOWN = 10
LONGEST_CHECK = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Check:
    """Something that holds at every moment, and the query whose rows break it; each names the owner and ids."""

    sentence: str
    sql: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A check that does not hold, and the rows that break it."""

    sentence: str
    rows: Sequence[asyncpg.Record]

    def __str__(self) -> str:
        shown = [f"  {_told(row)}" for row in self.rows[:MOST_SHOWN]]
        more = [f"  and {len(self.rows) - MOST_SHOWN} more"] if len(self.rows) > MOST_SHOWN else []
        return "\n".join([f"This does not hold: {self.sentence}", *shown, *more])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many checks were made; the last of them did not hold if there is a violation."""

    checks: int
    violation: Violation | None = None


async def examine(database: Database) -> Outcome:
    """Make every check, all of them of the same moment, until one does not hold."""
    checks = all_checks()
    with unavailable_when_away():
        async with (
            database.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            for number, check in enumerate(checks, start=1):
                if rows := await connection.fetch(check.sql, timeout=LONGEST_CHECK):
                    return Outcome(number, Violation(check.sentence, rows))
    return Outcome(len(checks))


def all_checks() -> list[Check]:
    """Those of the store's statements that are checks, the ledger first."""
    names = [each.name for each in files("leadroutes.store").joinpath("sql").iterdir()]
    checks = [statement(name.removesuffix(".sql")) for name in sorted(names) if name.startswith("check_")]
    return sorted((_check(sql) for sql in checks), key=lambda check: not check.sentence.startswith("Received"))


def _check(sql: str) -> Check:
    first, _, query = sql.partition("\n")
    return Check(first.removeprefix("-- ").strip(), query)


def _told(row: asyncpg.Record) -> str:
    """`owner 1: lead_id 5, user_id 7`."""
    columns = dict(row)
    owner_id = columns.pop("owner_id")
    told = ", ".join(f"{name} {'–' if value is None else value}" for name, value in columns.items())
    return f"owner {owner_id}: {told}" if owner_id is not None else told

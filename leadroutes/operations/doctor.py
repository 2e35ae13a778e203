"""Checks the ledger and every invariant in the database: sentences, each with a query that finds breaches.

It changes nothing. The checks are the statements in `store/sql/checks/`; the first comment of each is its sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from leadroutes.store import statement, statement_names
from leadroutes.store.connection_errors import CONNECTION_ERRORS, connection_errors_as_unavailable
from leadroutes.store.postgres import Database

MAX_SHOWN = 10
CHECK_TIMEOUT = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Check:
    """Something that holds at every moment, and the query whose rows break it; each names the owner and ids."""

    sentence: str
    sql: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A check that does not hold with the rows that break it, or one that could not be made with the reason."""

    sentence: str
    rows: Sequence[asyncpg.Record] = ()
    error: str | None = None

    def __str__(self) -> str:
        if self.error is not None:
            return f"This could not be checked: {self.sentence}\n  {self.error}"
        shown = [f"  {_breach(row)}" for row in self.rows[:MAX_SHOWN]]
        more = [f"  and {len(self.rows) - MAX_SHOWN} more"] if len(self.rows) > MAX_SHOWN else []
        return "\n".join([f"This does not hold: {self.sentence}", *shown, *more])


@dataclass(frozen=True, slots=True)
class Examination:
    """How many checks were made, and those that do not hold or could not be made."""

    checks: int
    violations: tuple[Violation, ...] = ()

    @property
    def violation(self) -> Violation | None:
        """The first of them, if there is one."""
        return self.violations[0] if self.violations else None

    def __str__(self) -> str:
        if not self.violations:
            return f"{self.checks} checks hold"
        number = len(self.violations)
        verb = "does" if number == 1 else "do"
        return "\n".join([f"{number} of {self.checks} checks {verb} not hold", *map(str, self.violations)])


async def examine(database: Database, checks: Sequence[Check] | None = None) -> Examination:
    """Runs every check in one snapshot, also after one that does not hold or that fails."""
    checks = all_checks() if checks is None else checks
    with connection_errors_as_unavailable():
        async with (
            database.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = [await _examine(connection, check) for check in checks]
    return Examination(len(checks), tuple(each for each in found if each is not None))


async def _examine(connection: Any, check: Check) -> Violation | None:
    try:
        async with connection.transaction():  # a savepoint: an error in it does not abort the others
            rows = await connection.fetch(check.sql, timeout=CHECK_TIMEOUT)
    except TimeoutError:
        return Violation(check.sentence, error=f"it takes longer than {CHECK_TIMEOUT:.0f} seconds")
    except CONNECTION_ERRORS:
        raise
    except asyncpg.PostgresError as error:
        return Violation(check.sentence, error=f"{type(error).__name__}: {error}")
    return Violation(check.sentence, rows) if rows else None


def all_checks() -> list[Check]:
    """Returns the checks in `store/sql/checks/`, the ledger first."""
    checks = [statement(name).text for name in statement_names("checks")]
    return sorted((_check(sql) for sql in checks), key=lambda check: not check.sentence.startswith("Received"))


def _check(sql: str) -> Check:
    first, _, query = sql.partition("\n")
    return Check(first.removeprefix("-- ").strip(), query)


def _breach(row: asyncpg.Record) -> str:
    """Returns `owner 1: lead_id 5, user_id 7`; a breach of the whole installation has no owner."""
    columns = dict(row)
    owner_id = columns.pop("owner_id", None)
    values = ", ".join(f"{name} {'–' if value is None else value}" for name, value in columns.items())
    return f"owner {owner_id}: {values}" if owner_id is not None else values

"""Leads, contacts and suppressions of one owner as CSV, in columns that an import reads; no cell of it is a formula.

Read in one transaction, so that it is one moment's, and a piece at a time, so that there may be millions.
"""

from collections.abc import Callable
from typing import Final, Literal, TextIO

from leadroutes.intake.csv_cells import CsvWriter
from leadroutes.store import accounts, statement
from leadroutes.store.connection_errors import connection_errors_as_unavailable
from leadroutes.store.postgres import Database

PIECE = 1000

What = Literal["leads", "contacts", "suppressions"]
STATEMENTS: Final[dict[What, str]] = {
    "leads": "export_leads",
    "contacts": "export_contacts",
    "suppressions": "export_suppressions",
}


async def export(
    database: Database, what: What, owner_email: str, file: TextIO, tell: Callable[[int], None] = lambda _: None
) -> int:
    """Write them to the file, oldest first; how many they were."""
    return await export_of(database, what, await accounts.get_user_id(database, owner_email), file, tell)


async def export_of(
    database: Database, what: What, owner_id: int, file: TextIO, tell: Callable[[int], None] = lambda _: None
) -> int:
    """Write them to the file, oldest first; how many they were."""
    writer = CsvWriter(file)
    written = 0
    with connection_errors_as_unavailable():
        async with (
            database.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            sql, *values = statement(STATEMENTS[what]).bind(owner_id=owner_id)
            prepared = await connection.prepare(sql, name="")  # a pooler may know others
            writer.write(attribute.name for attribute in prepared.get_attributes())
            async for row in prepared.cursor(*values, prefetch=PIECE):
                writer.write(row)
                written += 1
                if written % PIECE == 0:
                    tell(written)
    return written

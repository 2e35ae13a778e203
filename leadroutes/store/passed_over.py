"""Leads that have passed a member by, as far as the member may know of them. Reads only."""

from datetime import datetime

from msgspec import Struct

from leadroutes.domain.passed_over import PassedLead
from leadroutes.store import statement
from leadroutes.store.postgres import Database


class PassedRow(Struct, frozen=True, kw_only=True):
    """A row of the list; `id` is of the row, and says nothing of the lead's."""

    id: int
    team_id: int
    source: str | None
    type: str | None
    city: str | None
    lead: PassedLead


async def list_passed_over(database: Database, user_id: int, since: datetime, most: int) -> list[PassedRow]:
    """Return the newest ones, at most so many."""
    rows = await database.fetch(*statement("list_passed_over").bind(user_id=user_id, since=since, most=most))
    of_lead = PassedLead.__struct_fields__
    return [
        PassedRow(
            id=row["id"],
            team_id=row["team_id"],
            source=row["source"],
            type=row["type"],
            city=row["city"],
            lead=PassedLead(**{name: row[name] for name in of_lead}),
        )
        for row in rows
    ]

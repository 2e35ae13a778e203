"""Records of leads as their owner or claimer sees them; concurrent requests share one query.

Both see all of a lead, so the statements need no rules of visibility.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Mapping

from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.leads import SEES_ALL_OF_LEAD
from leadroutes.api.sql_parts import columns
from leadroutes.store.batching import BatchLoader
from leadroutes.store.postgres import Database

_LEADS = BY_PATH["/leads"]
_RECORD = (
    f"(SELECT row_to_json(r)::text FROM (SELECT {columns(_LEADS, ()).replace(SEES_ALL_OF_LEAD, 'true')}) r) AS record"
)
# $1 owners, $2 leads.
_OWN_LEADS = (
    f"SELECT t.owner_id, t.id, {_RECORD}"
    f" FROM unnest($1::bigint[], $2::bigint[]) AS w (owner_id, id) JOIN {_LEADS.table} t USING (owner_id, id)"
    f" {_LEADS.from_clause.removeprefix('leads t ')}"
)
# $1 users, $2 leads.
_CLAIMED_LEADS = (
    f"SELECT w.user_id, t.id, {_RECORD}"
    f" FROM unnest($1::bigint[], $2::bigint[]) AS w (user_id, id) JOIN {_LEADS.table} t USING (id)"
    f" {_LEADS.from_clause.removeprefix('leads t ')} WHERE c.user_id = w.user_id"
)


def own_leads_of(database: Database) -> BatchLoader[tuple[int, int], str]:
    """Returns a loader of records by (owner, lead)."""

    async def load(keys: list[tuple[int, int]]) -> Mapping[tuple[int, int], str]:
        rows = await database.fetch(_OWN_LEADS, [key[0] for key in keys], [key[1] for key in keys])
        return {(row["owner_id"], row["id"]): row["record"] for row in rows}

    return BatchLoader(load)


def claimed_leads_of(database: Database) -> BatchLoader[tuple[int, int], str]:
    """Returns a loader of records by (user, lead), of leads that the user has claimed."""

    async def load(keys: list[tuple[int, int]]) -> Mapping[tuple[int, int], str]:
        rows = await database.fetch(_CLAIMED_LEADS, [key[0] for key in keys], [key[1] for key in keys])
        return {(row["user_id"], row["id"]): row["record"] for row in rows}

    return BatchLoader(load)


def lead_owners_of(database: Database) -> BatchLoader[int, int]:
    """Returns a loader of owners by lead."""

    async def load(ids: list[int]) -> Mapping[int, int]:
        rows = await database.fetch("SELECT id, owner_id FROM leads WHERE id = ANY ($1::bigint[])", ids)
        return {row["id"]: row["owner_id"] for row in rows}

    return BatchLoader(load)

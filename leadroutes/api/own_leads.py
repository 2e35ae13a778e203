"""A lead's record as its owner sees it, read for all answers of the moment at once.

The owner sees everything, so nothing has to be found out about him.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Mapping

from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.leads import SEES_ALL_OF_LEAD
from leadroutes.api.statements import columns
from leadroutes.store.postgres import Database
from leadroutes.store.together import Together

_LEADS = BY_PATH["/leads"]
# $1 owners, $2 leads.
_OWN_LEADS = (
    "SELECT t.owner_id, t.id, (SELECT row_to_json(r)::text FROM (SELECT"
    f" {columns(_LEADS, ()).replace(SEES_ALL_OF_LEAD, 'true')}) r) AS record"
    f" FROM unnest($1::bigint[], $2::bigint[]) AS w (owner_id, id) JOIN {_LEADS.table} t USING (owner_id, id)"
    f" {_LEADS.from_clause.removeprefix('leads t ')}"
)


def own_leads_of(database: Database) -> Together[tuple[int, int], str]:
    """Records by (owner, lead)."""

    async def load(keys: list[tuple[int, int]]) -> Mapping[tuple[int, int], str]:
        rows = await database.fetch(_OWN_LEADS, [key[0] for key in keys], [key[1] for key in keys])
        return {(row["owner_id"], row["id"]): row["record"] for row in rows}

    return Together(load)

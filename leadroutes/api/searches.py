"""SQL of a search: the ids of the records that have every word which was asked for, gathered once for a list.

Text only. $1 is the caller.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Sequence

from leadroutes.api.resource import Search

FOUND = "t.id = ANY ((SELECT s.ids FROM searched s)::bigint[])"  # the condition of a list that is searched


def search_sql(search: Search, patterns: Sequence[str]) -> str:
    """Returns the parts of WITH that FOUND needs; `patterns` are expressions for what search_pattern takes."""
    asked = ", ".join(f"search_pattern(o.owners, {each}) AS p{place}" for place, each in enumerate(patterns))
    words = (f"(SELECT a.p{place} FROM asked a)" for place in range(len(patterns)))
    every = " INTERSECT ".join(f"({search.ids.replace('{pattern}', each)})" for each in words)
    return (
        f"asked AS MATERIALIZED (SELECT {asked} FROM (SELECT {search.owners} AS owners OFFSET 0) o),"
        f" searched AS MATERIALIZED (SELECT ARRAY({every}) AS ids)"
    )

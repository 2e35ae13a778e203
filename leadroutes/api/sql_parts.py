"""Parts of the SQL that a declaration makes: columns, sources, orders. Text only."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from collections.abc import Sequence
from typing import NamedTuple

from leadroutes.api.resource import Field, Resource

LONGEST_CACHED = 2_000  # characters of conditions and the like; longer statements are built each time


class SortKey(NamedTuple):
    """One term of an ORDER BY."""

    sql: str
    direction: str = ""

    def of(self, sql: str) -> str:
        """Returns the term for this SQL in the place of its own."""
        return sql + self.direction


Order = tuple[SortKey, ...]


def default_order(resource: Resource) -> Order:
    return (*(SortKey(each) for each in resource.order), SortKey("t.id"))


def sorted_by(fields: Sequence[tuple[Field, bool]]) -> Order:
    """Returns the order by (field, descending): null before every value when ascending, ties by id."""
    return (*(_sort_key(each, descending) for each, descending in fields), SortKey("t.id"))


def is_by_id(order: Order) -> bool:
    return order[0].sql == "t.id"


def ordering(order: Order) -> str:
    return ", ".join(key.of(key.sql) for key in order)


def columns(resource: Resource, keys: tuple[str, ...]) -> str:
    """Returns the columns of an answer, all of them or those of the keys."""
    answered = resource.answered
    return ", ".join(f'{answered[key].answered} AS "{key}"' for key in (keys or answered))


def object_sql(pairs: Sequence[tuple[str, str]], source: str) -> str:
    """Returns an expression for a nested object, null if `source` has no row."""
    inside = ", ".join(f'{sql} AS "{key}"' for key, sql in pairs)
    return f"(SELECT row_to_json(n) FROM (SELECT {inside} FROM {source}) n)"


def from_clause(resource: Resource, *naming: str) -> str:
    """Returns the FROM clause, with the `once` join if one of these texts names it."""
    if resource.once and any("once." in text for text in naming):
        return f"{resource.from_clause} {resource.once}"
    return resource.from_clause


def _sort_key(each: Field, descending: bool) -> SortKey:
    nulls = "" if not each.nullable else (" NULLS LAST" if descending else " NULLS FIRST")
    return SortKey(each.compared, (" DESC" if descending else "") + nulls)

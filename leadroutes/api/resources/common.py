"""Fields that many resources have, so that each declaration shows only what is particular to it."""

from typing import Any

from leadroutes.api.resource import Field, Reference, Write
from leadroutes.api.sql_parts import object_sql
from leadroutes.api.values import Bool, FieldType, Id, Integer, Moment, Nested, Text, nullable

CUSTOM_FIELD_NAMES = "SELECT ARRAY(SELECT f.name FROM custom_fields f WHERE f.owner_id = $1 ORDER BY f.rank, f.id)"


def record_id() -> Field:
    return Field("id", Id(), null=False)


def owner(name: str = "user_id") -> Field:
    """The owner, under the name that this resource uses."""
    return Field(name, Id(), null=False, column="", sql="t.owner_id")


def created_at() -> Field:
    return Field("created_at", Moment(), null=False)


def modified_at() -> Field:
    return Field("modified_at", Moment(), null=False)


def text(name: str, limit: int | None, *, takes_number: bool = False, **about: Any) -> Field:
    return Field(name, Text(limit, takes_number=takes_number), write=Write.ALWAYS, **about)


def integer(name: str, least: int | None = None, **about: Any) -> Field:
    kind = Integer() if least is None else Integer(least)
    return Field(name, kind, write=Write.ALWAYS, **about)


def flag(name: str, *, default: bool | None = None, **about: Any) -> Field:
    """A truth value that is never null."""
    return Field(name, Bool(), write=Write.ALWAYS, default=default, null=False, **about)


def word(name: str, kind: FieldType, **about: Any) -> Field:
    return Field(name, kind, write=Write.ALWAYS, **about)


def reference(name: str, to: str, noun: str, sql: str = "", **about: Any) -> Field:
    """A field that refers to another record; written always unless `about` says otherwise."""
    return Field(name, Id(), **{"write": Write.ALWAYS} | about, refers=Reference(to, noun, sql))


def computed(name: str, kind: FieldType, sql: str, **about: Any) -> Field:
    """A read-only field that is not a column of the table."""
    return Field(name, kind, column="", sql=sql, **about)


def nested(name: str, shows: str, schema: dict[str, Any]) -> Field:
    """An object or a list in the answer that a query cannot name."""
    return Field(name, Nested(schema), column="", shows=shows, filterable=False)


def id_and_name(table: str, condition: str) -> str:
    return object_sql((("id", "x.id"), ("name", "x.name")), f"{table} x WHERE {condition}")


def object_schema(*names: str, **kinds: FieldType) -> dict[str, Any]:
    """Returns the JSON schema of a nested object; `names` need no type, `kinds` do."""
    known: dict[str, dict[str, Any]] = {"id": {"type": "integer"}}
    properties = {name: known.get(name, {"type": ["string", "null"]}) for name in names}
    return {
        "type": ["object", "null"],
        "properties": properties | {name: nullable(kind.schema()) for name, kind in kinds.items()},
    }

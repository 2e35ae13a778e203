"""What clients may send, as JSON Schema: each type of field in every form that is accepted, not only the usual one.

For the OpenAPI description only; values.py reads and refuses.
"""

from typing import Any

from leadroutes.api.resource import Field, Write
from leadroutes.api.values import (
    Bool,
    DecimalText,
    FieldType,
    Id,
    Integer,
    Moment,
    Nested,
    Number,
    Text,
    Texts,
    nullable,
)

Json = dict[str, Any]

_MOMENTS: list[Json] = [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]
_EMPTY: Json = {"const": ""}


def body_schema(each: Field) -> Json:
    """Returns the schema of a field's value in a body."""
    forms = _forms(each.kind)
    empty_is_null = not each.kind.is_text and (each.nullable or each.name in ("created_at", "modified_at"))
    if empty_is_null and not isinstance(each.kind, Texts | Nested):
        forms.append(_EMPTY)
    if each.nullable or each.name in ("created_at", "modified_at"):
        forms.append({"type": "null"})
    schema = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return schema | ({"default": each.default} if each.default is not None else {})


def replacement_schema(each: Field) -> Json:
    """Returns the schema of a field's value in a PUT: of a field written on POST only the presence is checked."""
    if each.write is not Write.ONCE:
        return body_schema(each)
    return {"not": {"type": "null"}} if each.required else {}


def filter_schema(each: Field) -> Json:
    """Returns the schema of a field's value in a query: one, or a list of alternatives, which ignores null."""
    kind = each.kind
    if isinstance(kind, Moment):
        one: Json = {"type": "string", "format": "date-time"}
    elif isinstance(kind, Integer | Number | Bool):
        one = {"type": kind.schema()["type"]}
    elif isinstance(kind, DecimalText):
        one = kind.schema()
    elif each.nullable:
        return {"type": "string"}
    else:  # the word null means records without a value
        return {"anyOf": [{"type": "string", "not": {"const": "null"}}, _many({"type": "string"})]}
    if each.nullable:
        return {"anyOf": [one, _many(one) | {"minItems": 0}, {"type": "null"}, _EMPTY]}
    return {"anyOf": [one, _many(one)]}


def _many(one: Json) -> Json:
    """A list of one value cannot be distinguished from the value."""
    return {"type": "array", "items": nullable(one), "minItems": 2}


def _forms(kind: FieldType) -> list[Json]:
    match kind:
        case Bool():
            return [{"enum": [True, False, "true", "false", 1, 0, "1", "0"]}]
        case Id():  # a schema cannot say which ids exist
            return [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]{1,18}$"}]
        case Integer(least=least):
            digits = "^[0-9]{1,9}$" if least >= 0 else "^-?[0-9]{1,9}$"
            return [kind.schema(), {"type": "string", "pattern": digits}]
        case Text(takes_number=True):
            return [kind.schema(), {"type": "number"}]
        case Number() | DecimalText():
            return [{"type": "number"}, {"type": "string", "pattern": "^-?[0-9]{1,300}([.][0-9]{1,9})?$"}]
        case Moment():
            return list(_MOMENTS)
        case Texts(limit=limit):
            return [
                {"type": "array", "items": {"type": ["string", "number"], "maxLength": limit}},
                {"type": "string", "pattern": f"^[^,]{{0,{limit}}}(,[^,]{{0,{limit}}})*$"},
            ]
    return [kind.schema()]

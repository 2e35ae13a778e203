"""Reads the values of a record from the body of a request: each field by its type, all faults at once.

Pure; references and rules between fields are checked later.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from leadroutes.api.behaviour import Errors
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.values import Id, quoted, whole_number
from leadroutes.domain.faults import Faults

_SET_BY_THE_SERVER = ("created_at", "modified_at")
_NEVER_REPEATED = ("password", "current_password", "secrets", "keys")


def sent_fields(resource: Resource, body: Mapping[str, Any], method: str) -> tuple[dict[str, Any], Errors]:
    """Returns the values of the fields that this method writes, and the faults of the others."""
    values: dict[str, Any] = {}
    errors: Errors = {}
    for each in resource.writeable:
        if method == "POST" and each.write is Write.LATER:
            continue
        if method != "POST" and each.write is Write.ONCE:
            if method == "PUT" and each.required and body.get(each.name) is None:
                errors[each.name] = f"{each.name} is required"
            continue
        if each.name not in body:
            if each.required and method != "PATCH":
                errors[each.name] = f"{each.name} is required"
            continue
        _read_into(values, errors, each, body[each.name])
    return values, errors


def read_fields(fields: Iterable[Field], given: Mapping[str, Any]) -> tuple[dict[str, Any], Errors]:
    """Returns the values of those fields that are given, and the faults of the others."""
    values: dict[str, Any] = {}
    errors: Errors = {}
    for each in fields:
        if each.name in given:
            _read_into(values, errors, each, given[each.name])
    return values, errors


def _read_into(values: dict[str, Any], errors: Errors, each: Field, value: Any) -> None:
    if _means_null(each, value):
        if each.name in _SET_BY_THE_SERVER:
            return
        if each.nullable:
            values[each.name] = None
        else:
            errors[each.name] = f"{each.name} is required" if each.required else f"{each.name} may not be null"
        return
    try:
        values[each.name] = each.kind.take(value)
    except Faults as faults:
        errors |= faults.found
    except (ValueError, KeyError, OverflowError):
        given = "something else" if each.name in _NEVER_REPEATED else quoted(value)
        errors[each.name] = f"{each.name}: {given} was given; expected {each.kind.expected}"


def _means_null(each: Field, value: Any) -> bool:
    if value is None:
        return True
    if value == "" and not each.kind.is_text:
        return each.nullable or each.required or each.name in _SET_BY_THE_SERVER
    return each.nullable and isinstance(each.kind, Id) and _is_zero(value)


def _is_zero(value: Any) -> bool:
    try:
        return whole_number(value) == 0
    except ValueError:
        return False


def blank_record(resource: Resource) -> dict[str, Any]:
    """Returns a new record: every writeable column with its default."""
    return {each.stored: each.default for each in resource.writeable if each.stored}


def in_order(resource: Resource, errors: Errors) -> Errors:
    """Returns the errors in the order of the fields."""
    places = {each.name: place for place, each in enumerate(resource.fields)}
    return dict(sorted(errors.items(), key=lambda item: places.get(item[0], len(places))))

"""docs/openapi.json, field by field: whoever changes a declaration sees in that file what changes for clients.

bin/generate writes the file; that it is what the code makes is checked with the other generated files.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from leadroutes.api.openapi import schema_name
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources import RESOURCES
from leadroutes.api.resources.users import ME

DESCRIPTION = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
SCHEMAS: dict[str, dict[str, Any]] = DESCRIPTION["components"]["schemas"]
VERBS = {"L": "get", "C": "post", "G": "get", "P": "patch", "U": "put", "D": "delete"}
EACH = pytest.mark.parametrize("resource", [*RESOURCES, ME], ids=lambda resource: resource.path)
EACH_LISTED = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)


def properties(name: str) -> dict[str, dict[str, Any]]:
    """Of a schema, by field; without properties where there is no such schema."""
    found: dict[str, dict[str, Any]] = SCHEMAS.get(name, {}).get("properties", {})
    return found


def methods_of(path: str) -> dict[str, Any]:
    """What the description has at a path such as /contacts/:id/addresses/:id, by method in small letters."""
    found = DESCRIPTION["paths"].get(path.replace(":id", "{id}", 1).replace(":id", "{id_2}"), {})
    return {method: operation for method, operation in found.items() if method != "parameters"}


@EACH
def test_it_says_which_fields_are_answered_and_when_each_is_written(resource: Resource) -> None:
    written = {Write.NEVER: None, Write.ONCE: "on POST", Write.LATER: "on PATCH", Write.ALWAYS: "always"}
    described = {
        key: (schema.get("x-field", key), schema.get("x-written"), schema.get("readOnly", False))
        for key, schema in properties(schema_name(resource)).items()
    }

    assert described == {
        key: (each.name, written[each.write], each.write is Write.NEVER) for key, each in resource.answered.items()
    }


@EACH
def test_it_says_what_a_body_holds(resource: Resource) -> None:
    name = schema_name(resource)
    new = [each for each in resource.writeable if each.write is not Write.LATER]
    changed = [each for each in resource.writeable if each.write is not Write.ONCE]
    takes_new, takes_changes = bool(set("CU") & set(resource.methods)), "P" in resource.methods

    assert list(properties(f"New{name}")) == ([each.name for each in new] if takes_new else [])
    assert list(properties(f"{name}Change")) == ([each.name for each in changed] if takes_changes else [])
    if takes_new:
        assert SCHEMAS[f"New{name}"].get("required", []) == [each.name for each in new if each.required]
        assert [marks(properties(f"New{name}")[each.name]) for each in new] == list(map(declared_marks, new))
    if takes_changes:
        assert [marks(properties(f"{name}Change")[each.name]) for each in changed] == list(map(declared_marks, changed))


def marks(schema: dict[str, Any]) -> tuple[Any, ...]:
    return schema.get("default"), schema.get("writeOnly", False), schema.get("x-refers-to")


def declared_marks(each: Field) -> tuple[Any, ...]:
    return each.default, not each.answer_key, each.refers.to if each.refers else None


@EACH_LISTED
def test_it_says_what_can_be_done_and_what_a_query_may_name(resource: Resource) -> None:
    collection, record = methods_of(resource.path), methods_of(f"{resource.path}/:id")

    assert {VERBS[letter] for letter in resource.methods if letter in "LC"} <= collection.keys()
    assert {VERBS[letter] for letter in resource.methods if letter in "GPUD"} == record.keys()
    searched = ["$search", "$tag"] if resource.search else []
    names = [each["name"] for each in collection["get"]["parameters"]]
    assert names == ["$limit", "$skip", *searched, *resource.filters]

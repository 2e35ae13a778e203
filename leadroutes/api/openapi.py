"""The description of the API in OpenAPI 3.1, from the declarations that also serve the requests. Built once."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from leadroutes import __version__
from leadroutes.api.input_schema import body_schema, filter_schema, replacement_schema
from leadroutes.api.operations import JSON, OPERATIONS, Operation
from leadroutes.api.query import DRY_RUN
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources import RESOURCES
from leadroutes.api.resources.users import ME
from leadroutes.api.values import nullable
from leadroutes.domain.search import LONGEST_SEARCH

Json = dict[str, Any]

ABOUT = """Lead Routes takes leads in, offers them to the right agents in the right order, and makes sure that exactly
one of them has each. Filters: `field=value`, `field[$ne]`, `[$in]`, `[$nin]`, `[$lt]`, `[$lte]`, `[$gt]`, `[$gte]`, and
`$or[0][field]=value`. Paging: `$limit`, `$skip`. Order: `$sort[field]=1` or `-1`. Selection: `$select[]=field`."""

ERROR: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "message": {"type": "string"},
        "code": {"type": "integer"},
        "className": {"type": "string"},
        "data": {},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["name", "message", "code", "className", "errors"],
}

# A text counts as the number at its beginning, as it did for LionDesk.
COUNT: Json = {"type": "string", "pattern": "^[0-9]{1,15}([^0-9].*)?$"}

OAUTH_ERROR: Json = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    "required": ["error", "error_description"],
}
TOKENS: Json = {
    "type": "object",
    "properties": {
        "access_token": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
        "refresh_token": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
        "expires": {"type": "string", "format": "date-time"},
        "expires_in": {"type": "integer"},
        "scope": {"type": "string"},
        "token_type": {"const": "Bearer"},
    },
    "required": ["access_token", "refresh_token", "expires", "expires_in", "scope", "token_type"],
    "additionalProperties": False,
}


# `x-written` of a field of an answer; a field that is never written is readOnly.
WRITTEN = {Write.ALWAYS: "always", Write.ONCE: "on POST", Write.LATER: "on PATCH"}

SCOPES: Json = {"read": "See everything that the user sees", "write": "Change it, too; includes read"}


@lru_cache(maxsize=4)
def document(public_url: str) -> bytes:
    """Returns the description of a service with this address, as JSON."""
    schemas: Json = {"Error": ERROR, "OAuthError": OAUTH_ERROR, "Tokens": TOKENS}
    for resource in (*RESOURCES, ME):
        schemas |= _schemas(resource)
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        template, parameters = _path(operation)
        item = paths.setdefault(template, {"parameters": parameters} if parameters else {})
        item[operation.method.lower()] = _operation(operation, schemas)
    description = {
        "openapi": "3.1.0",
        "info": {"title": "Lead Routes", "version": __version__, "description": ABOUT},
        "servers": [{"url": public_url}],
        "security": _security("read"),
        "tags": [{"name": each.path, "description": each.page_about} for each in (*RESOURCES, ME)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": _sign_in(public_url),
            "responses": {
                "Error": _content("What went wrong", _ref("Error")),
                "OAuthError": _content("What went wrong, in the form of RFC 6749", _ref("OAuthError")),
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(description), indent=1)


def _sign_in(public_url: str) -> Json:
    code = {
        "authorizationUrl": f"{public_url}/oauth2/authorize",
        "tokenUrl": f"{public_url}/oauth2/token",
        "refreshUrl": f"{public_url}/oauth2/token",
        "scopes": SCOPES,
    }
    return {
        "bearer": {"type": "http", "scheme": "bearer"},
        "oauth2": {"type": "oauth2", "flows": {"authorizationCode": code}},
    }


def schema_name(resource: Resource) -> str:
    """Returns LeadRoute for `a lead route`."""
    return "".join(word.title() for word in re.split("[ -]", resource.noun.partition(" ")[2]))


# ----------------------------------------------------------------------------------------------------- schemas


def _schemas(resource: Resource) -> Json:
    name = schema_name(resource)
    answer = {key: _answer_schema(key, each) for key, each in resource.answered.items()}
    always = [key for key, each in resource.answered.items() if not each.is_for_administrators]
    schemas: Json = {name: {"type": "object", "properties": answer, "required": always}}
    if "C" in resource.methods or "U" in resource.methods:
        written = [each for each in resource.writeable if each.write is not Write.LATER]
        required = [each.name for each in written if each.required]
        needs = {"required": required} if required else {}
        schemas[f"New{name}"] = _body_schema(written, body_schema) | needs
        if "U" in resource.methods and any(each.write is Write.ONCE for each in written):
            schemas[f"{name}Replacement"] = _body_schema(written, replacement_schema) | needs
    if "P" in resource.methods:
        schemas[f"{name}Change"] = _body_schema(
            [each for each in resource.writeable if each.write is not Write.ONCE], body_schema
        )
    return schemas


def _answer_schema(key: str, each: Field) -> Json:
    schema = dict(each.schema or each.kind.schema())
    marks: Json = {"readOnly": True} if each.write is Write.NEVER else {"x-written": WRITTEN[each.write]}
    if key != each.name:
        marks["x-field"] = each.name
    if each.is_for_administrators:
        marks["x-answered-to"] = "administrators"
    return _described(nullable(schema) if each.nullable else schema, each) | marks


def _body_schema(fields: list[Field], schema_of: Callable[[Field], Json]) -> Json:
    return {"type": "object", "properties": {each.name: _written_schema(schema_of(each), each) for each in fields}}


def _written_schema(schema: Json, each: Field) -> Json:
    marks: Json = {} if each.answer_key else {"writeOnly": True}
    if each.refers is not None:
        marks["x-refers-to"] = each.refers.to
    return _described(schema, each) | marks


def _described(schema: Json, each: Field) -> Json:
    return schema | ({"description": each.note} if each.note else {})


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


# -------------------------------------------------------------------------------------------------- operations


def _path(operation: Operation) -> tuple[str, list[Json]]:
    """Returns the path with its variables in braces, each with its own name, and their parameters."""
    names: list[str] = []
    words = []
    for word in operation.path.split("/"):
        if word.startswith(":"):
            name = word[1:] if not names else f"{word[1:]}_{len(names) + 1}"
            names.append(name)
            words.append(f"{{{name}}}")
        else:
            words.append(word)
    schema = {"type": "string"} if ":key" in operation.path else {"type": "integer", "minimum": 1}
    return "/".join(words), [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _operation(operation: Operation, schemas: Json) -> Json:
    described: Json = {
        "operationId": re.sub("[^a-z]+", "_", f"{operation.method} {operation.path}".lower()).strip("_"),
        "summary": operation.about,
        "responses": {
            str(operation.status): _content("Done", _answer(operation), operation.gives, *operation.other_formats),
            "default": {"$ref": f"#/components/responses/{'OAuthError' if operation.answers_all else 'Error'}"},
        },
    }
    if operation.resource is not None:
        described["tags"] = [operation.resource.path]
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    if (body := _body(operation)) is not None:
        content = {operation.takes: {"schema": body}}
        described["requestBody"] = {"required": _is_needed(body, schemas), "content": content}
    if operation.is_public:
        return described | {"security": []}
    return described | ({} if operation.method == "GET" else {"security": _security("write")})


def _security(scope: str) -> list[dict[str, list[str]]]:
    """Returns the two ways to authenticate: a personal token, or an application's token of this scope."""
    return [{"bearer": []}, {"oauth2": [scope]}]


def _answer(operation: Operation) -> Json:
    if operation.shows == "token":
        return _ref("Tokens")
    if operation.resource is None or operation.shows == "other":
        return {}
    record = _ref(schema_name(operation.resource))
    match operation.shows:
        case "list":
            counts = {name: {"type": "integer", "minimum": 0} for name in ("total", "limit", "skip")}
            properties = counts | {"data": {"type": "array", "items": record}}
            return {"type": "object", "properties": properties, "required": list(properties)}
        case "records":
            return {"type": "array", "items": record}
    return record


def _body(operation: Operation) -> Json | None:
    if operation.body is not None:
        return dict(operation.body)
    if operation.resource is None or operation.method in ("GET", "DELETE"):
        return None
    name = schema_name(operation.resource)
    if operation.method == "PATCH":
        return _ref(f"{name}Change")
    is_replaced = operation.method == "PUT" and any(each.write is Write.ONCE for each in operation.resource.writeable)
    return _ref(f"{name}Replacement" if is_replaced else f"New{name}")


def _is_needed(body: Json, schemas: Json) -> bool:
    """An empty body has no fields, so it is enough where no field is required."""
    name = body.get("$ref", "").rpartition("/")[2]
    forms = body.get("oneOf", [schemas.get(name, body)])
    return all(form.get("required") for form in forms)


_DRY_RUN = "true: nothing is stored, and the answer is {contacts, messages, tasks, is_estimate}: how many would change"


def _parameters(operation: Operation) -> list[Json]:
    """$select is described in words only: with it, answers have fewer keys than their schema requires."""
    if operation.resource is None:
        return [dict(each) for each in operation.parameters]
    tried = [_query(DRY_RUN, {"type": "boolean", "default": False}, _DRY_RUN)] if operation.resource.has_dry_run else []
    if operation.method == "DELETE":
        said = [_query(each.name, each.kind.schema(), each.note) for each in operation.resource.fields_on_delete]
        return said + tried
    if operation.method in ("POST", "PATCH", "PUT"):
        return tried
    if operation.shows != "list":
        return []
    filters = operation.resource.filters
    page = [
        _query("$limit", {"anyOf": [{"type": "integer", "minimum": 0}, COUNT], "default": 10}, "1000 at the most"),
        _query("$skip", {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 2**53 - 1}, COUNT], "default": 0}),
    ]
    if operation.resource.search is not None:
        page += [
            _query("$search", {"type": "string", "maxLength": LONGEST_SEARCH}, "words by their beginning; all match"),
            _query("$tag", {"type": "string"}, "a tag of the contact; several: one of them"),
        ]
    return page + [_query(name, filter_schema(each), each.note) for name, each in filters.items()]


def _query(name: str, schema: Json, about: str = "") -> Json:
    return {"name": name, "in": "query", "schema": schema} | ({"description": about} if about else {})


YAML = "application/yaml"  # says what JSON says


def _content(about: str, schema: Json, media_type: str = JSON, *other_formats: str) -> Json:
    others: Json = {name: {"schema": schema if name == YAML else {"type": "string"}} for name in other_formats}
    return {"description": about, "content": {media_type: {"schema": schema}} | others}

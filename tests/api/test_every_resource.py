"""Every resource, walked by its declaration: what it says of itself is what it does."""

from typing import Any
from urllib.parse import quote

import pytest

from leadroutes.api.resource import Field, Write
from leadroutes.api.resources import BY_PATH, RESOURCES
from leadroutes.api.values import Bool, Choice, DecimalText, EmailText, Integer, Moment, Number, Text
from tests.support.api import ask
from tests.support.catalog import BODIES, Catalog


def having(letters: str, *, nested: bool | None = None) -> pytest.MarkDecorator:
    """The resources with one of these methods; `nested`: only those that hang below another, or only the others."""
    chosen = [
        resource
        for resource in RESOURCES
        if set(letters) & set(resource.methods) and nested in (None, resource.parent is not None)
    ]
    return pytest.mark.parametrize("resource", chosen, ids=lambda resource: resource.path)


EACH = having("L")
FILTERS = [(resource, name) for resource in RESOURCES for name in resource.filters]
EACH_FILTER = pytest.mark.parametrize(("resource", "name"), FILTERS, ids=[f"{r.path} {n}" for r, n in FILTERS])
WRITTEN = [(resource, each) for resource in RESOURCES for each in resource.writeable]
EACH_WRITTEN = pytest.mark.parametrize(
    ("resource", "field"), WRITTEN, ids=[f"{resource.path} {each.name}" for resource, each in WRITTEN]
)


def answered(record: dict[str, Any], each: Field) -> Any:
    """The value that a filter compares: of a nested object its id."""
    value = record[each.answer_key]
    return value["id"] if isinstance(value, dict) else value


def queried(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else quote(str(value), safe="")


# ------------------------------------------------------------------------------------------------------ reading


@EACH
async def test_a_record_has_exactly_the_declared_keys_in_their_order(catalog, resource):
    reply = await ask(catalog.town, "alice", "GET", catalog.url(resource))

    assert reply.status == 200
    assert list(reply.json) == list(resource.answered)


@pytest.mark.parametrize("path", [path for path, _ in BODIES])
async def test_the_answer_to_post_is_what_get_shows(catalog, path):
    resource = BY_PATH[path]
    reply = await ask(catalog.town, "alice", "GET", catalog.url(resource))
    record = catalog.records[resource.path]

    changes = {"/contacts", "/leads", "/campaigns", "/template-folders", "/events", "/intake-keys", "/sub-accounts",
               "/user-invitations"}  # fmt: skip
    given_later = {"counts", "addresses", "property", "last_used_at", "key", "url", "access_token", "modified_at",
                   "email_suppression", "last_arrival_at", "link", "snippet"}  # fmt: skip
    same = {name for name in record if not (resource.path in changes and name in given_later) and name != "secret"}
    assert {name: record[name] for name in same} == {name: reply.json[name] for name in same}


@EACH
async def test_it_is_in_its_list(catalog, resource):
    reply = await ask(catalog.town, "alice", "GET", f"{catalog.urls[resource.path]}?$limit=1000")

    assert list(reply.json) == ["total", "limit", "skip", "data"]
    assert catalog.records[resource.path]["id"] in reply.ids


@EACH_FILTER
async def test_it_is_found_by_each_of_its_values(catalog, resource, name):
    each = resource.filters[name]
    record = (await ask(catalog.town, "alice", "GET", catalog.url(resource))).json
    value = answered(record, each)

    found = await ask(
        catalog.town, "alice", "GET", f"{catalog.urls[resource.path]}?{name}={queried(value)}&$limit=1000"
    )
    assert found.status == 200
    assert record["id"] in found.ids


@EACH_FILTER
async def test_it_is_not_found_by_another_value(catalog, resource, name):
    each = resource.filters[name]
    record = (await ask(catalog.town, "alice", "GET", catalog.url(resource))).json
    value = answered(record, each)
    if value is None:
        target = f"{name}[$ne]=null"
    elif isinstance(value, bool):
        target = f"{name}={queried(not value)}"
    else:
        target = f"{name}[$ne]={queried(value)}"

    found = await ask(catalog.town, "alice", "GET", f"{catalog.urls[resource.path]}?{target}&$limit=1000")
    assert found.status == 200
    assert record["id"] not in found.ids


@EACH_FILTER
async def test_lists_sort_by_each_filter_and_then_by_id(catalog, resource, name):
    each = resource.filters[name]
    url = f"{catalog.urls[resource.path]}?$limit=1000&$sort[{name}]="
    ascending = (await ask(catalog.town, "alice", "GET", url + "1")).json["data"]
    descending = (await ask(catalog.town, "alice", "GET", url + "-1")).json["data"]

    assert len(ascending) == len(descending) > 0
    assert ascending == sorted(ascending, key=lambda record: (_rank(record, each), record["id"]))
    by_id = sorted(descending, key=lambda record: record["id"])
    assert descending == sorted(by_id, key=lambda record: _rank(record, each), reverse=True)


def _rank(record: dict[str, Any], each: Field) -> Any:
    value = answered(record, each)
    if isinstance(each.kind, DecimalText) and value is not None:
        value = float(value)
    return (value is not None, value if value is not None else 0)


STRICT = [(resource, name) for resource, name in FILTERS if not isinstance(resource.filters[name].kind, Text | Choice)]


@pytest.mark.parametrize(("resource", "name"), STRICT, ids=[f"{resource.path} {name}" for resource, name in STRICT])
async def test_a_value_that_breaks_the_rule_of_its_type_is_400_and_names_the_field(catalog, resource, name):
    reply = await ask(catalog.town, "alice", "GET", f"{catalog.urls[resource.path]}?{name}=abc")

    assert (reply.status, list(reply.json["errors"])) == (400, [name])


@EACH
async def test_each_key_can_be_selected_and_id_comes_along(catalog, resource):
    for key in resource.answered:
        reply = await ask(catalog.town, "alice", "GET", f"{catalog.url(resource)}?$select={key}")
        assert set(reply.json) == {"id", key}


@EACH
async def test_fields_that_no_filter_names_are_400(catalog, resource):
    for name in {*resource.answered, *(each.name for each in resource.fields)} - set(resource.filters):
        reply = await ask(catalog.town, "alice", "GET", f"{catalog.urls[resource.path]}?{name}=1")
        assert (reply.status, reply.json["message"]) == (400, f"Invalid query parameter {name}")


# ------------------------------------------------------------------------------------------------ who sees what


@EACH
async def test_a_stranger_sees_nothing(catalog, resource):
    town, url = catalog.town, catalog.urls[resource.path]
    record_id = catalog.records[resource.path]["id"]
    listed = await ask(town, "dave", "GET", f"{url}?$limit=1000")
    if resource.path == "/sub-accounts":
        assert listed.status == 403
        return
    if resource.parent:
        assert (listed.status, listed.json["name"]) == (404, "NotFound")
    else:
        assert record_id not in listed.ids
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        if {"GET": "G", "PATCH": "P", "PUT": "U", "DELETE": "D"}[method] not in resource.methods:
            continue
        reply = await ask(town, "dave", method, catalog.url(resource), json={"name": "x"})
        segment = url.split("/")[2] if resource.parent else record_id
        assert reply.status == 404
        assert reply.json["message"] == f"No record found for id '{segment}'"


@having("C", nested=True)
async def test_a_stranger_adds_nothing_to_what_another_user_owns(catalog, resource):
    body = catalog.bodies.get(resource.path, {})
    reply = await ask(catalog.town, "dave", "POST", catalog.urls[resource.path], json=body)

    assert reply.status == 404


SENT = dict(BODIES)
REFERRING = [
    (resource, each)
    for resource, each in WRITTEN
    if each.refers and not resource.parent and not resource.allowed_for and SENT.get(resource.path, {}).get(each.name)
]


@pytest.mark.parametrize(
    ("resource", "field"), REFERRING, ids=[f"{resource.path} {each.name}" for resource, each in REFERRING]
)
async def test_a_stranger_cannot_name_what_is_not_visible_to_them(catalog, resource, field):
    """Dave copies Alice's body; each reference in it is a fault."""
    reply = await ask(catalog.town, "dave", "POST", resource.path, json=catalog.bodies[resource.path])

    assert reply.status == 400
    assert field.name in reply.json["errors"]


@pytest.mark.parametrize("stranger", [None, "dave"])
@EACH
async def test_nothing_of_it_is_said_in_a_refusal(catalog, resource, stranger):
    """Neither list nor record of a stranger's holds a word of Alice's."""
    for url in (f"{catalog.urls[resource.path]}?$limit=1000", catalog.url(resource)):
        reply = await ask(catalog.town, stranger, "GET", url)
        assert b"Mia" not in reply.body
        assert b"Shore" not in reply.body
        assert b"South Side" not in reply.body


# ------------------------------------------------------------------------------------------------------ writing


def _broken(each: Field) -> list[Any]:
    """Values that the field's type refuses."""
    match each.kind:
        case Integer():
            return [1.5, "abc", True, {}, [], "1.5", 10**30]
        case Text() if each.kind.limit:
            return [True, {}, [], "x" * (each.kind.limit + 1), "a\0b"] + ([] if each.kind.takes_number else [1])
        case Text() | EmailText():
            return [True, {}, [], 1, "a\0b"]
        case Bool():
            return ["yes", 2, {}, [], "TRUE", 0.5]
        case Moment():
            return ["yesterday", 5, "2018-13-01", "2018-01-16 12:12:12", {}, "2018-01-16T12:12Z"]
        case Choice():
            return [each.kind.words[0].upper() + " ", 1, {}, True]
        case Number() | DecimalText():
            return ["abc", {}, [], True, "1e"]
    return [5, True, {"a": 1}, "x" * 10_000]


@EACH_WRITTEN
async def test_a_value_of_the_wrong_type_is_400_and_names_the_field(catalog, resource, field):
    is_once = field.write is Write.ONCE or "P" not in resource.methods
    method, url = ("POST", catalog.urls[resource.path]) if is_once else ("PATCH", catalog.url(resource))
    if resource.path == "/team-members" and field.write is Write.LATER:
        url = await _own_membership(catalog)
    for value in _broken(field):
        reply = await ask(catalog.town, "alice", method, url, json={field.name: value})
        assert reply.status == 400, (value, reply.body)
        assert any(name.partition(".")[0] == field.name for name in reply.json["errors"]), value
        assert reply.json["message"].startswith("Validation failed: ")


async def _own_membership(catalog) -> str:
    reply = await ask(catalog.town, "alice", "GET", f"/team-members?user_id={catalog.town.users['alice']}&$limit=1")
    return f"/team-members/{reply.ids[0]}"


@having("C")
async def test_required_fields_are_reported_all_at_once(catalog, resource):
    required = [field.name for field in resource.writeable if field.required]
    reply = await ask(catalog.town, "alice", "POST", catalog.urls[resource.path], json={})
    if not required:
        assert reply.status == (409 if resource.path == "/events/:id/properties" else 201)
        return
    assert reply.status == 400
    for name in required:
        assert reply.json["errors"][name] == f"{name} is required"


@having("P")
async def test_patch_with_nothing_changes_nothing(catalog, resource):
    url = await _own_membership(catalog) if resource.path == "/team-members" else catalog.url(resource)
    before = await ask(catalog.town, "alice", "GET", url)
    for body in ({}, {"id": 99999, "nonsense": 1, "user_id_": 3}):
        after = await ask(catalog.town, "alice", "PATCH", url, json=body)
        assert after.status == 200
        assert after.json == before.json


@having("U")
async def test_put_needs_what_is_required_and_gives_the_rest_its_default(catalog, resource):
    reply = await ask(catalog.town, "alice", "PUT", catalog.url(resource), json={})
    required = {each.name for each in resource.writeable if each.required}

    assert reply.status == (400 if required else 200)
    assert required <= set(reply.json["errors"] if required else required)


@EACH
async def test_methods_that_it_does_not_have_are_405_with_those_that_it_has(catalog, resource):
    for method, letter in (("PATCH", "P"), ("PUT", "U"), ("DELETE", "D")):
        if letter in resource.methods:
            continue
        reply = await ask(catalog.town, "alice", method, catalog.url(resource), json={})
        assert (reply.status, reply.json["name"]) == (405, "MethodNotAllowed")
        assert "GET" in reply.headers["allow"]
        assert method not in reply.headers["allow"]


REMOVABLE = [resource for resource in RESOURCES if "D" in resource.methods]


async def test_every_record_that_can_be_removed_is_gone_afterwards(town):
    """In the order in which nothing needs them any more; the answer is the record as it was."""
    catalog = await Catalog.build(town)
    order = ["/lead-routes", "/intake-keys", "/campaigns/:id/actions", "/campaigns/:id/contacts", "/templates",
             "/team-member-distribution-options", "/team-members", "/delegates"]  # fmt: skip
    rest = [resource.path for resource in REMOVABLE if resource.path not in order and resource.path != "/contacts"]
    nested_first = sorted(rest, key=lambda path: -path.count("/"))
    by_path = {resource.path: resource for resource in REMOVABLE}
    for path in [*order, *nested_first, "/contacts"]:
        url = catalog.url(by_path[path])
        before = await ask(town, "alice", "GET", url)
        removed = await ask(town, "alice", "DELETE", url, body=b"ignored {")
        assert (removed.status, removed.json) == (200, before.json), (path, removed.body)
        again = await ask(town, "alice", "DELETE", url)
        assert again.status == 404, path

"""Rules of the dialect without a table of their own; and each rule of docs/api-dialect.md has a case that names it."""

import re
from pathlib import Path

import pytest

from leadroutes.api.operations import OPERATIONS
from leadroutes.api.resources import BY_PATH, RESOURCES
from tests.support.api import ask
from tests.support.catalog import Catalog

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

PAGE = Path(__file__).parents[2] / "docs" / "api-dialect.md"


def test_every_rule_of_the_dialect_has_a_case_that_names_it() -> None:
    """A case begins with the name of its rule, "unknown-id …", or is in a test below a comment `# rules: …`."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    named = set(re.findall(r'\("([a-z0-9-]+)[ "]', text))
    for line in re.findall(r"^ *# rules: (.+)$", text, re.MULTILINE):
        named |= set(line.split(", "))
    rules = re.findall(r"\*\*`([a-z0-9-]+)`\*\*", PAGE.read_text(encoding="utf-8"))

    assert len(rules) == len(set(rules)) > 130
    assert [rule for rule in rules if rule not in named] == []


def test_no_case_names_a_rule_that_does_not_exist() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    page = PAGE.read_text(encoding="utf-8")
    named = {name for line in re.findall(r"^ *# rules: (.+)$", text, re.MULTILINE) for name in line.split(", ")}

    assert [name for name in sorted(named) if f"**`{name}`**" not in page] == []


# -------------------------------------------------------------------------------------------------- 1, 2 and 4


@pytest.mark.parametrize("target", ["//hotnesses//{id}", "/HOTNESSES/{id}/", "///Hotnesses///0{id}//"])
# rules: slashes-count-once, slash-at-the-end, path-case
async def test_the_same_path_for_every_method(shared, target):
    made = await ask(shared, "erin", "POST", "//hotnesses//", json={"name": "1.2"})
    url = target.replace("{id}", str(made.json["id"]))
    for method in ("GET", "HEAD", "PATCH", "PUT", "OPTIONS", "DELETE"):
        reply = await ask(shared, "erin", method, url, json={"name": "1.2"})
        assert reply.status == (204 if method == "OPTIONS" else 200), method
        assert "location" not in reply.headers


# rules: unknown-path
async def test_the_url_is_returned_as_it_was_received(shared):
    for target in ("//Nope//?a=%zz&b[$ne]=1", "/nope?", "/lead-sources/1/x?nope=1"):
        reply = await ask(shared, "erin", "GET", target)
        assert (reply.status, reply.json["data"]) == (404, {"url": target.removesuffix("?")})


@pytest.mark.parametrize("resource", [each for each in RESOURCES if "C" in each.methods], ids=lambda each: each.path)
# rules: create, all-keys, select-everywhere
async def test_post_answers_what_get_would(catalog, resource):
    """Whole; or what is selected of it, whatever else the query says (query-of-a-post)."""
    made = catalog.records[resource.path]
    assert set(resource.answered) <= set(made)
    assert made["id"] > 0
    if resource.path in ("/users", "/intake-keys"):
        return
    again = "?$select[]=id&nope=1&$limit=x&a[b=1&$or=5"
    reply = await ask(catalog.town, "alice", "POST", catalog.urls[resource.path] + again, json={})
    assert reply.status in (201, 400, 409), reply.body
    if reply.status == 201:
        assert list(reply.json) == ["id"]
    else:
        assert "nope" not in reply.json["message"]


# rules: no-token
async def test_a_token_in_the_query_or_in_the_body_is_not_looked_at(shared):
    token = shared.tokens["erin"]
    for headers, body in ((JSON, f'{{"access_token":"{token}","content":"x"}}'), (FORM, f"access_token={token}")):
        reply = await ask(shared, None, "POST", f"/tags?access_token={token}", body=body.encode(), headers=headers)
        assert (reply.status, reply.json["message"]) == (401, "No access token")


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if not each.is_public],
                         ids=lambda each: f"{each.method} {each.path}")  # fmt: skip
# rules: token-needed, www-authenticate
async def test_every_path_needs_a_token_and_says_which(shared, operation):
    target = operation.path.replace(":id", "1").replace(":key", "k")
    missing = await ask(shared, None, operation.method, target, json={})
    wrong = await ask(shared, None, operation.method, target, json={}, headers={"Authorization": "Bearer x"})

    assert (missing.status, missing.json["message"]) == (401, "No access token")
    assert (wrong.status, wrong.json["message"]) == (401, "Invalid access token")
    assert missing.headers["www-authenticate"] == "Bearer"
    assert wrong.headers["www-authenticate"] == 'Bearer error="invalid_token"'


# ------------------------------------------------------------------------------------------------------ 5 to 9

FOUND = [
    ("broken-escapes a name", "%zz=1", None),
    ("list-forms mixed", "name[$in][]=Zillow&name[$in][7]=Trulia", [1, 3]),
    ("equal-to-any", "name=Zillow&name=Trulia", [1, 3]),
    ("equal-to-any", "name[]=Zillow&name[]=Trulia", [1, 3]),
    ("unknown-field a word", "name[3]=Zillow&name[x]=Trulia", None),
    ("equal-to-any numbers", "id=1&id=3", [1, 3]),
    ("first-of-several-ne as a list", "id[$lt]=4&id[$ne][]=1&id[$ne][]=2", [2, 3]),
    ("or deeper", "$or[0][$or][0][id]=1&$or[0][$or][1][id]=3&$or[1][id]=5", [1, 3, 5]),
    ("or with words", "$or[a][id]=1&$or[b][id]=3", [1, 3]),
    ("or the same field", "$or[0][id][$lt]=3&$or[0][id][$gt]=1&$or[1][id]=5", [2, 5]),
    ("and with a list", "$and[0][id][$in][]=1&$and[0][id][$in][]=3&$and[1][name]=Trulia", [3]),
    ("or-needs-a-list empty", "$or=", None),
    ("or-needs-a-list empty", "$or[]=", None),
    ("or-needs-a-list empty", "$and", None),
    ("unknown-operator in $and", "$and[0][$skip]=1", None),
    ("unknown-operator in $or", "$or[0][id][$foo]=1", None),
    ("value-and-operator in $or", "$or[0][id]=1&$or[0][id][$ne]=2", None),
    ("filter-integers in a list", "id[$in]=01&id[$in]=3.0", [1, 3]),
    ("filter-integers in a list", "id[$in]=1&id[$in]=x", None),
    ("limit-that-cannot-be", "$limit", None),
    ("limit-that-cannot-be", "$limit=%202", None),
    ("limit-that-cannot-be", "$limit=.5", None),
    ("limit-that-cannot-be", "$skip=", None),
    ("limit-that-cannot-be", "$skip[a]=1", None),
    ("limit-that-cannot-be", "$limit[$gt]=1", None),
    ("first-limit-counts a list", "$limit[5]=1&$sort[id]=1", [1]),
    ("sort", "$sort[id]=-1&$limit=2&id[$lt]=4", [3, 2]),
    ("sort-that-cannot-be", "$sort[id]=01", None),
    ("sort-that-cannot-be", "$sort[id]=+1", None),
    ("sort-that-cannot-be", "$sort[id]=null", None),
    ("sort-that-cannot-be", "$sort", None),
    ("select twice", "$select[]=name&$select[]=name&id=1", [1]),
    ("select-names nested", "$select[]=name.first", None),
    ("select-names empty", "$select[]", None),
]  # fmt: skip


@pytest.mark.parametrize(("row", "query", "ids"), FOUND, ids=[f"{row} {query}" for row, query, _ in FOUND])
async def test_a_list_is_what_its_row_says_or_400(shared, row, query, ids):
    reply = await ask(shared, "dave", "GET", f"/lead-sources?{query}")

    if ids is None:
        assert (reply.status, reply.json["className"]) == (400, "bad-request"), reply.body
    else:
        assert (reply.status, reply.ids) == (200, ids), reply.body


# rules: total, limit-and-skip-echoed, page-of-ten
async def test_total_counts_what_the_caller_sees_before_the_page_is_cut(shared):
    for name in ("8.1 a", "8.1 b", "8.1 c"):
        assert (await ask(shared, "bob", "POST", "/hotnesses", json={"name": name})).status == 201
    query = "/hotnesses?name[$gte]=8.1&name[$lt]=8.2"
    for by, total in (("bob", 3), ("carol", 0)):
        reply = await ask(shared, by, "GET", f"{query}&$limit=2")
        assert (reply.json["total"], reply.json["limit"], reply.json["skip"]) == (total, 2, 0)
    assert (await ask(shared, "bob", "GET", query)).json["limit"] == 10


@pytest.mark.parametrize("query", ["nope=1", "$foo=1", "name[$foo]=1", "name[word]=1", "$or[0][nope]=1", "a[b=1"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
# rules: wrong-query-on-a-record
async def test_what_a_list_refuses_a_record_refuses_too(shared, method, query):
    reply = await ask(shared, "erin", method, f"/lead-sources/1?{query}", json={"name": "x"})

    assert (reply.status, reply.json["name"]) == (400, "BadRequest")
    ignored = await ask(shared, "erin", "GET", "/lead-sources/1?$limit=x&$skip=-1&$sort[nope]=x")
    assert ignored.status == 200


# ---------------------------------------------------------------------------------------------------- 10 and 11


# rules: body-form
async def test_forms_hold_lists_and_objects_in_brackets(shared):
    field = await ask(shared, "erin", "POST", "/custom-fields", body=b"name=Kids&data_type=Text&rank=3", headers=FORM)
    assert (field.status, field.json["rank"]) == (201, 3)
    body = f"first_name=A+B&custom_fields[0][id]={field.json['id']}&custom_fields[0][value]=Tom%2C+Ann"
    contact = await ask(shared, "erin", "POST", "/contacts", body=body.encode(), headers=FORM)
    values = {each["name"]: each["value"] for each in contact.json["custom_fields"]}
    assert (contact.status, contact.json["first_name"], values["Kids"]) == (201, "A B", "Tom, Ann")
    for zipcodes in (
        b"distribution_zipcodes[]=98112&distribution_zipcodes[]=7001",
        b"distribution_zipcodes=98112,7001",
    ):
        team = await ask(shared, "erin", "POST", "/teams", body=b"name=T&" + zipcodes, headers=FORM)
        assert (team.status, team.json["distribution_zipcodes"]) == (201, ["98112", "07001"])


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
# rules: body-in-data
async def test_an_object_in_data_is_the_body_on_every_method(shared, method):
    made = await ask(shared, "erin", "POST", "/hotnesses", json={"data": {"name": "10.6", "rank": 1}})
    url = f"/hotnesses/{made.json['id']}"
    wrapped = await ask(shared, "erin", method, url, json={"data": {"name": "Other"}})
    beside = await ask(shared, "erin", method, url, json={"data": {"name": "Third"}, "name": "Beside"})

    assert (wrapped.status, wrapped.json["name"]) == (200, "Other")
    assert (beside.status, beside.json["name"]) == (200, "Beside")


# rules: body-size
async def test_the_last_byte_that_fits_fits(shared):
    head, tail = b'{"name":"10.8","more":"', b'"}'
    for size, status in ((102_400, 201), (102_401, 400)):
        body = head + b"x" * (size - len(head) - len(tail)) + tail
        reply = await ask(shared, "erin", "POST", "/hotnesses", body=body, headers=JSON)
        assert (len(body), reply.status) == (size, status)


# rules: normalised-result
async def test_a_change_of_one_field_can_change_others(spare_catalog):
    """The rules are those of the record that results, and not of what was sent."""
    catalog: Catalog = spare_catalog
    sent = {"distribution_target": "Team Rollout", "team_selection_method": "Specific Team"}
    body = catalog.bodies["/lead-routes"] | sent
    made = await ask(catalog.town, "alice", "POST", "/lead-routes", json=body)
    url = f"/lead-routes/{made.json['id']}"

    async def change(**fields) -> tuple:
        reply = await ask(catalog.town, "alice", "PATCH", url, json=fields)
        if reply.status != 200:
            return reply.status, list(reply.json["errors"])
        team = reply.json["team"]
        return reply.status, team and team["id"], reply.json["team_selection_method"]

    team_id = catalog.records["/teams"]["id"]
    assert await change(team_id=None) == (400, ["team_id"])
    assert await change(team_selection_method="None") == (200, team_id, None)
    assert await change(team_selection_method="Zipcode") == (200, None, "Zipcode")
    assert await change(team_selection_method="Specific Team") == (400, ["team_id"])
    assert await change(team_selection_method="Specific Team", team_id=str(team_id)) == (200, team_id, "Specific Team")
    assert await change(distribution_target="Myself") == (200, None, None)
    assert await change(team_id=team_id, team_selection_method="Specific Team") == (200, None, None)


NEEDED = ["/teams", "/campaigns", "/lead-sources", "/contact-sources", "/template-folders", "/templates"]


@pytest.mark.parametrize("path", NEEDED)
# rules: needed-records
async def test_what_another_record_needs_is_not_removed(catalog, path):
    url = catalog.url(BY_PATH[path])
    before = await ask(catalog.town, "alice", "GET", url)
    reply = await ask(catalog.town, "alice", "DELETE", url)

    assert (reply.status, reply.json["name"], reply.json["className"]) == (409, "Conflict", "conflict")
    assert list(reply.json) == ["name", "message", "code", "className", "errors"]
    assert (await ask(catalog.town, "alice", "GET", url)).json == before.json


# ---------------------------------------------------------------------------------------------------- 12 to 15

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
BITS = {"is_sharing_contacts"}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.path)
# rules: all-keys, answer-ids, answer-moments, answer-booleans
async def test_values_in_answers(catalog, resource):
    """All keys; ids are numbers; moments are UTC with milliseconds; booleans are booleans, but for bits."""
    reply = await ask(catalog.town, "alice", "GET", f"{catalog.urls[resource.path]}?$limit=1000")
    for record in reply.json["data"]:
        assert list(record) == list(resource.answered)
        _look_at(record)


def _look_at(record: dict) -> None:
    for key, value in record.items():
        match value:
            case dict():
                _look_at(value)
            case list():
                for each in value:
                    if isinstance(each, dict):
                        _look_at(each)
            case None:
                pass
            case _ if key == "id" or (key.endswith("_id") and key != "mls_id"):
                assert type(value) is int, key
                assert 0 < value < 2**53
            case _ if key.endswith("_at") or key == "dispatch_datetime":
                assert MOMENT.fullmatch(value), key
            case _ if key.startswith(("is_", "has_", "assign_auto")):
                assert value in (0, 1) if key in BITS else isinstance(value, bool), key
                assert isinstance(value, bool) is (key not in BITS), key


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.path)
# rules: visible-only, invisible-is-absent
async def test_what_is_not_seen_does_not_exist(catalog, resource):
    """An id that another user owns is answered like one that does not exist, on every method."""
    record_id = catalog.records[resource.path]["id"]
    url = catalog.urls[resource.path]
    for method in ("GET", "HEAD", "PATCH", "PUT", "DELETE"):
        answers = []
        for id_ in (record_id, 987_654_321):
            reply = await ask(catalog.town, "dave", method, f"{url}/{id_}", json={"name": "x"})
            body = reply.body.replace(b"'%d'" % id_, b"ID") if resource.parent is None else reply.body
            answers.append((reply.status, body, {name for name in reply.headers if name != "content-length"}))
        assert answers[0] == answers[1]


ERRORS = [
    ("validation-error-form", "POST", "/tags", b"{}", {}, "BadRequest", 400, "bad-request"),
    ("error-form", "GET", "/tags", b"", {"Authorization": "Bearer x"}, "NotAuthenticated", 401, "not-authenticated"),
    ("visible-not-changeable", "PATCH", "/lead-sources/1", b'{"name":"x"}', {}, "Forbidden", 403, "forbidden"),
    ("unknown-id", "GET", "/tags/0", b"", {}, "NotFound", 404, "not-found"),
    ("unknown-path", "GET", "/nope", b"", {}, "NotFound", 404, "not-found"),
    ("no-patch-of-many", "PATCH", "/tags", b"{}", {}, "MethodNotAllowed", 405, "method-not-allowed"),
    ("no-delete-of-many", "DELETE", "/lead-routes", b"{}", {}, "MethodNotAllowed", 405, "method-not-allowed"),
    ("method-not-allowed", "DELETE", "/tags/1", b"", {}, "MethodNotAllowed", 405, "method-not-allowed"),
    ("body-list", "POST", "/tags", b"[]", {}, "MethodNotAllowed", 405, "method-not-allowed"),
    ("accept", "GET", "/me", b"", {}, "NotAcceptable", 406, "not-acceptable"),
    ("unique-values", "POST", "/tags", b'{"content":"ERRORS"}', {}, "Conflict", 409, "conflict"),
]


@pytest.mark.parametrize(("row", "method", "target", "body", "headers", "name", "code", "class_name"), ERRORS,
                         ids=[f"{case[0]} {case[5]}" for case in ERRORS])  # fmt: skip
# rules: error-form, validation-error-form
async def test_an_error_is_json_whatever_accept_says(
    shared, row, method, target, body, headers, name, code, class_name
):
    await ask(shared, "erin", "POST", "/tags", json={"content": "errors"})
    who = None if "Authorization" in headers else "erin"
    accepting = {"Accept": "text/html"} if row in ("accept", "unknown-path", "unknown-id") else {}
    reply = await ask(shared, who, method, target, body=body, headers=JSON | headers | accepting)

    assert (reply.status, reply.headers["content-type"]) == (code, "application/json; charset=utf-8")
    keys = ["name", "message", "code", "className", *(["data"] if row == "unknown-path" else []), "errors"]
    assert list(reply.json) == keys
    assert (reply.json["name"], reply.json["code"], reply.json["className"]) == (name, code, class_name)
    assert isinstance(reply.json["errors"], dict)
    assert reply.headers["access-control-allow-origin"] == "*"


READ = [each for each in OPERATIONS if each.method == "GET" and each.resource is not None]


@pytest.mark.parametrize("operation", READ, ids=lambda each: each.path)
# rules: etag
async def test_every_answer_to_get_has_an_etag_and_head_the_same(catalog, operation):
    if operation.path == "/me":
        target = "/me"
    else:
        url = catalog.urls[operation.resource.path]
        target = url if operation.shows == "list" else f"{url}/{catalog.records[operation.resource.path]['id']}"
    get = await ask(catalog.town, "alice", "GET", target)
    head = await ask(catalog.town, "alice", "HEAD", target)
    known = {"If-None-Match": get.headers["etag"]}
    spared = await ask(catalog.town, "alice", "GET", target, headers=known)

    assert re.fullmatch('W/"[^"]+"', get.headers["etag"])
    assert (head.status, head.body, head.headers) == (200, b"", get.headers)
    assert (spared.status, spared.body) == (304, b"")
    other = await ask(catalog.town, "alice", "GET", f"{target}?$select=id", headers=known)
    assert (other.status, other.headers["etag"] != get.headers["etag"]) == (200, True)

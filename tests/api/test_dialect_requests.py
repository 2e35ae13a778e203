"""The dialect: paths, methods, the order of checks, tokens, headers. A row, a case."""

from datetime import UTC, datetime, timedelta

import pytest

from leadroutes import api
from tests.support.api import ask

INVALID_TOKEN = (
    b'{"name":"NotAuthenticated","message":"Invalid access token","code":401,'
    b'"className":"not-authenticated","errors":{}}'
)


# ------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize(
    ("row", "target"),
    [
        ("no-version-prefix", "/lead-sources"),
        ("slashes-count-once", "//lead-sources"),
        ("slashes-count-once", "///lead-sources//"),
        ("slash-at-the-end", "/lead-sources/"),
        ("path-case", "/Lead-Sources"),
        ("path-case", "/LEAD-SOURCES/"),
    ],
)
async def test_a_path_is_found(shared, row, target):
    for method, name in (("GET", "list"), ("POST", "new")):
        reply = await ask(shared, "erin", method, target, json={"name": "X"})
        assert reply.status == (200 if method == "GET" else 201), name
    record = await ask(shared, "erin", "GET", target.rstrip("/") + "//1/")
    assert (record.status, record.json["name"]) == (200, "Zillow")


@pytest.mark.parametrize(
    ("row", "target"),
    [
        ("path-as-sent", "/lead%2Dsources"),
        ("path-as-sent", "/lead-sources%2F1"),
        ("path-as-sent", "/./lead-sources"),
        ("path-as-sent", "/x/../lead-sources"),
        ("unknown-path", "/nope"),
        ("unknown-path", "/nope?x=1&y"),
        ("unknown-path", "/lead-sources/1/x"),
        ("unknown-path", "/me/1"),
        ("unknown-path", "/"),
        ("unknown-path", "/v2/lead-sources"),
        ("unknown-path below me", "/me/1"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_an_unknown_path_is_404_with_its_url(shared, row, target, method):
    reply = await ask(shared, "erin", method, target, json={"name": "x"})

    assert (reply.status, reply.json["message"]) == (404, "Page not found")
    assert reply.json["data"] == {"url": target}


# rules: post-to-a-record
async def test_post_to_a_record_is_an_unknown_path(shared):
    for target in ("/lead-sources/1", "/lead-routes/1", "/leads/1/offers/1"):
        reply = await ask(shared, "erin", "POST", target, json={"name": "x"})
        assert (reply.status, reply.json["message"], reply.json["data"]) == (404, "Page not found", {"url": target})


# rules: pages-beside-the-api
async def test_no_path_is_declared_twice_and_none_is_for_people():
    declared = api.paths()

    assert len(declared) == len(set(declared)) > 60
    assert not {path for path in declared if path.startswith(("/claim", "/sign-in/", "/sign-out", "/app/"))}


# ----------------------------------------------------------------------------------------------------- methods


# rules: list, get, create, patch, patch-with-nothing, put, delete
async def test_a_life_of_a_record(shared):
    made = await ask(shared, "erin", "POST", "/hotnesses", json={"name": "Warm", "rank": "2"})
    url = f"/hotnesses/{made.json['id']}"
    assert made.status == 201
    assert made.json == {
        "id": made.json["id"], "rank": 2, "user_id": shared.users["erin"], "name": "Warm", "color": None,
    }  # fmt: skip

    assert (await ask(shared, "erin", "GET", url)).json == made.json
    changed = await ask(shared, "erin", "PATCH", url, json={"color": "#ffffff"})
    assert (changed.status, changed.json) == (200, made.json | {"color": "#ffffff"})
    replaced = await ask(shared, "erin", "PUT", url, json={"name": "Cool"})
    assert (replaced.status, replaced.json) == (200, made.json | {"name": "Cool", "rank": None})
    assert (await ask(shared, "erin", "PUT", url, json={"rank": 1})).json["errors"] == {"name": "name is required"}
    removed = await ask(shared, "erin", "DELETE", url, body=b"[1,", headers={"Content-Type": "application/json"})
    assert (removed.status, removed.json) == (200, replaced.json)
    again = await ask(shared, "erin", "DELETE", url)
    assert (again.status, again.json["message"]) == (404, f"No record found for id '{made.json['id']}'")


# rules: patch-with-nothing
async def test_patch_with_nothing_leaves_modified_at(shared):
    made = (await ask(shared, "erin", "POST", "/campaigns", json={"name": "Nothing"})).json
    url = f"/campaigns/{made['id']}"
    for body in ({}, {"nope": 1}, {"id": 5, "is_default": True, "created_at": "2001-01-01"}):
        assert (await ask(shared, "erin", "PATCH", url, json=body)).json == made
    changed = (await ask(shared, "erin", "PATCH", url, json={"is_broker_sharing_on": True})).json
    assert changed["modified_at"] > made["modified_at"]
    assert changed["created_at"] == made["created_at"]


MANY = [
    ("no-patch-of-many", "PATCH", 405, "MethodNotAllowed", "Can not patch multiple entries"),
    ("no-delete-of-many", "DELETE", 405, "MethodNotAllowed", "Can not remove multiple entries"),
    ("no-put-of-many", "PUT", 400, "BadRequest", "You can not replace multiple instances. Did you mean 'patch'?"),
]


@pytest.mark.parametrize(("row", "method", "status", "name", "message"), MANY, ids=[case[0] for case in MANY])
async def test_many_records_are_not_changed_at_once(shared, row, method, status, name, message):
    before = (await ask(shared, "erin", "GET", "/lead-sources?$limit=1000")).json
    reply = await ask(shared, "erin", method, "/lead-sources", json={"name": "All"})

    assert (reply.status, reply.json["name"], reply.json["message"]) == (status, name, message)
    assert (await ask(shared, "erin", "GET", "/lead-sources?$limit=1000")).json == before


# rules: method-not-allowed
async def test_a_method_that_is_not_listed_is_405_with_allow(shared):
    reply = await ask(shared, "erin", "DELETE", "/tags/1")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, PUT, PATCH, OPTIONS")
    assert (await ask(shared, "erin", "POST", "/lead-offers", json={})).status == 405
    assert (await ask(shared, "erin", "PUT", "/sub-accounts", json={})).status == 405
    assert (await ask(shared, "erin", "POST", "/me", json={})).headers["allow"] == "GET, HEAD, PATCH, OPTIONS"
    assert (await ask(shared, "erin", "TRACE", "/me")).status == 405


# rules: head
async def test_head_is_get_without_a_body(shared):
    get, head = await ask(shared, "erin", "GET", "/me"), await ask(shared, "erin", "HEAD", "/me")

    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers
    assert (await ask(shared, "erin", "HEAD", "/nope")).status == 404


# rules: no-method-override
async def test_overriding_headers_are_ignored(shared):
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Service-Method": "remove"}
    assert (await ask(shared, "erin", "GET", "/lead-sources/1", headers=headers)).status == 200
    reply = await ask(shared, "erin", "POST", "/lead-sources", json={"name": "A"}, headers=headers)
    assert reply.status == 201


# ------------------------------------------------------------------------------------------------------ tokens


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", "Basic {token}")],
        [("Authorization", "{token}")],
        [("Authorization", "Bearer\t{token}")],
        [("Authorization", "Bearer {token}"), ("Authorization", "Bearer {token}")],
    ],
)
# rules: no-token
async def test_no_access_token(shared, headers):
    token = shared.tokens["erin"]
    filled = [(name, value.replace("{token}", token)) for name, value in headers]
    reply = await ask(shared, None, "GET", f"/me?access_token={token}", headers=filled)

    assert (reply.status, reply.json["message"]) == (401, "No access token")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["bearer {token}", "BEARER   {token}", "Bearer {token}  "])
# rules: token-spelling
async def test_letter_case_and_blanks_do_not_matter(shared, value):
    headers = {"Authorization": value.replace("{token}", shared.tokens["erin"]), "Content-Type": "text/plain"}

    assert (await ask(shared, None, "GET", "/me", headers=headers)).status == 200


# rules: invalid-token
async def test_an_unknown_expired_or_revoked_token_is_401_word_for_word(shared):
    past = datetime.now(UTC) - timedelta(seconds=1)
    await shared.add_user("gone")
    await shared.database.execute("UPDATE users SET is_active = false WHERE id = $1", shared.users["gone"])
    bad = [
        "0" * 40,
        "x y",
        await shared.token("erin", expires_at=past),
        await shared.token("erin", revoked_at=past),
        shared.tokens["gone"],
        "é",
    ]
    for token in bad:
        reply = await ask(shared, None, "GET", "/me", headers={"Authorization": f"Bearer {token}"})
        assert (reply.status, reply.body) == (401, INVALID_TOKEN)
        assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'


# rules: scope-write
async def test_writing_needs_the_scope_write(shared):
    headers = {"Authorization": f"Bearer {await shared.token('erin', 'read')}"}
    assert (await ask(shared, None, "GET", "/me", headers=headers)).status == 200
    for method, target in (
        ("POST", "/tags"), ("PATCH", "/tags/1"), ("PUT", "/tags/1"), ("DELETE", "/hotnesses/1"),
        ("POST", "/leads/1/claim"),
    ):  # fmt: skip
        reply = await ask(shared, None, method, target, json={}, headers=headers)
        assert (reply.status, reply.json["message"]) == (403, "Insufficient scope")


# ----------------------------------------------------------------------------------------------- order of checks

ABSENT = 2**40  # an id that no other test of this town has come to
READER = "a token that may only read"
JSON = {"Content-Type": "application/json"}
ORDER = [
    (1, "anonymous", "OPTIONS", "/tags", b"", 204),
    (2, "anonymous", "GET", "/nope?nope=1", b"", 401),
    (2, "anonymous", "TRACE", "/tags", b"[", 401),
    (3, READER, "POST", "/nope?a[b", b"[", 404),
    (4, READER, "DELETE", "/tags/1?a[b", b"[", 405),
    (4, READER, "PATCH", "/tags?a[b", b"[", 405),
    (5, READER, "PATCH", "/tags/1?a[b", b"[", 403),
    (6, "erin", "PATCH", "/tags/1?a[b", b"[", 400),
    (6, "erin", "PATCH", f"/tags/{ABSENT}?nope=1", b"{", 400),
    (7, "erin", "PATCH", f"/tags/{ABSENT}", b"{", 400),
    (7, "erin", "PATCH", f"/tags/{ABSENT}", b"[]", 400),
    (7, "erin", "POST", f"/contacts/{ABSENT}/addresses", b"[]", 405),
    (8, "erin", "PATCH", f"/tags/{ABSENT}", b'{"content":5}', 404),
    (8, "erin", "POST", f"/contacts/{ABSENT}/addresses", b'{"type":5}', 404),
    (9, "erin", "PATCH", "/lead-sources/1", b'{"name":5}', 403),
    (10, "erin", "POST", "/tags", b'{"content":5}', 400),
]


@pytest.mark.parametrize(("check", "who", "method", "target", "body", "status"), ORDER)
# rules: order-of-checks
async def test_the_first_check_that_fails_answers(shared, check, who, method, target, body, status):
    token = await shared.token("erin", "read") if who == READER else shared.tokens.get(who, "")
    headers = JSON | ({"Authorization": f"Bearer {token}"} if token else {}) | {"Accept": "text/html"}
    reply = await ask(shared, None, method, target, body=body, headers=headers)

    assert reply.status == status, reply.body


# rules: order-of-checks
async def test_conflicts_come_before_accept_and_nothing_is_stored_without_it(shared):
    assert (await ask(shared, "erin", "POST", "/tags", json={"content": "Once"})).status == 201
    refusing = {"Accept": "text/html"}
    again = await ask(shared, "erin", "POST", "/tags", json={"content": "ONCE"}, headers=refusing)
    assert (again.status, again.json["name"]) == (409, "Conflict")

    refused = await ask(shared, "erin", "POST", "/tags", json={"content": "Never"}, headers=refusing)
    assert (refused.status, refused.json["name"]) == (406, "NotAcceptable")
    assert (await ask(shared, "erin", "GET", "/tags?content=Never")).json["total"] == 0
    [tag_id] = (await ask(shared, "erin", "GET", "/tags?content=Once")).ids
    await ask(shared, "erin", "PATCH", f"/tags/{tag_id}", json={"content": "Twice"}, headers=refusing)
    assert (await ask(shared, "erin", "GET", f"/tags/{tag_id}")).json["content"] == "Once"
    source = await ask(shared, "erin", "POST", "/contact-sources", json={"name": "Stays"})
    url = f"/contact-sources/{source.json['id']}"
    assert (await ask(shared, "erin", "DELETE", url, headers=refusing)).status == 406
    assert (await ask(shared, "erin", "GET", url)).status == 200


# ------------------------------------------------------------------------------------------------------ headers


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 200), ("", 200), ("*/*", 200), ("application/json", 200), ("application/*;q=0.1", 200),
        ("text/html, application/json;q=0.9", 200), ("APPLICATION/JSON", 200), ("text/html,*/*;q=0.8", 200),
        ("text/html", 406), ("application/xml", 406), ("application/json;q=0", 406), ("*/*;q=0.0", 406),
    ],
)  # fmt: skip
# rules: accept
async def test_accept(shared, accept, status):
    headers = {} if accept is None else {"Accept": accept}
    for target in ("/me", "/lead-sources", "/lead-sources/1", "/ledger"):
        reply = await ask(shared, "erin", "GET", target, headers=headers)
        assert reply.status == status
        assert reply.headers["content-type"] == "application/json; charset=utf-8"


# rules: etag
async def test_the_etag_changes_with_the_body_and_spares_it(shared):
    url = f"/hotnesses/{(await ask(shared, 'erin', 'POST', '/hotnesses', json={'name': 'E'})).json['id']}"
    first = await ask(shared, "erin", "GET", url)
    etag = first.headers["etag"]
    assert etag.startswith('W/"')

    for value in (etag, f'"x", {etag}', "*", etag.removeprefix("W/")):
        for method in ("GET", "HEAD"):
            spared = await ask(shared, "erin", method, url, headers={"If-None-Match": value})
            assert (spared.status, spared.body, spared.headers["etag"]) == (304, b"", etag)
            assert spared.headers["cache-control"] == "private, no-cache"
    assert (await ask(shared, "erin", "GET", url, headers={"If-None-Match": '"x"'})).status == 200
    await ask(shared, "erin", "PATCH", url, json={"name": "F"})
    changed = await ask(shared, "erin", "GET", url, headers={"If-None-Match": etag})
    assert (changed.status, changed.json["name"]) == (200, "F")
    assert "etag" not in (await ask(shared, "erin", "POST", "/hotnesses", json={"name": "G"})).headers


CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag, Retry-After, WWW-Authenticate",
    "cache-control": "private, no-cache",
}


# rules: caching, cors
async def test_cors_and_caching_on_every_answer(shared):
    for name, method, target in (
        ("erin", "GET", "/me"),
        (None, "GET", "/me"),
        ("erin", "GET", "/nope"),
        ("erin", "POST", "/tags"),
        ("erin", "PATCH", "/tags"),
        (None, "GET", "/healthz"),
    ):
        reply = await ask(shared, name, method, target)
        assert reply.headers.items() >= CORS.items()
        assert "access-control-allow-credentials" not in reply.headers


# rules: options
async def test_options_needs_no_token(shared):
    for target, allow in (
        ("/tags", "GET, HEAD, POST, OPTIONS"),
        ("//Tags//5", "GET, HEAD, PUT, PATCH, OPTIONS"),
        ("/leads/1/claim", "POST, OPTIONS"),
        ("/intake/k", "GET, HEAD, POST, OPTIONS"),
    ):
        reply = await ask(shared, None, "OPTIONS", target, headers={"Accept": "text/html"})
        assert (reply.status, reply.body, reply.headers["allow"]) == (204, b"", allow)
        assert reply.headers.items() >= CORS.items()
        assert reply.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
        assert reply.headers["access-control-max-age"] == "86400"
        assert "Idempotency-Key" in reply.headers["access-control-allow-headers"]
    assert (await ask(shared, None, "OPTIONS", "/nope")).status == 401


# ---------------------------------------------------------------------------------------------- rights


# rules: visible-not-changeable
async def test_what_is_seen_but_not_owned_is_403(catalog):
    town, team = catalog.town, catalog.town.team_id
    for method in ("PATCH", "PUT", "DELETE"):
        reply = await ask(town, "bob", method, f"/teams/{team}", json={"name": "Mine"})
        assert (reply.status, reply.json["name"]) == (403, "Forbidden")


# rules: adding-to-others
async def test_adding_to_a_team_of_another_is_403(catalog):
    town = catalog.town
    body = {"team_id": town.team_id, "user_id": town.users["bob"], "assign_automatically": True}
    for path in ("/team-members", "/team-member-distribution-options"):
        assert (await ask(town, "bob", "POST", path, json=body)).status == 403
        assert (await ask(town, "dave", "POST", path, json=body)).status == 400

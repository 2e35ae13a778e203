"""The dialect: bodies, values in them, values in answers, errors. A row, a case."""

import asyncio
import gzip
import json
import zlib

import pytest

from tests.support.api import ask

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def post(town, path, body, headers=JSON):
    return await ask(town, "erin", "POST", path, body=body, headers=headers)


# ------------------------------------------------------------------------------------------------------- bodies

READ = [
    ("body-json", JSON, b'{"name":"Ann"}', "Ann"),
    ("body-json", {"Content-Type": "application/json; charset=utf-8"}, b'{"name":"Ann"}', "Ann"),
    ("body-json", {"Content-Type": 'Application/JSON;charset="UTF-8"'}, b'{"name":"Ann"}', "Ann"),
    ("body-json bom", JSON, b'\xef\xbb\xbf{"name":"Ann"}', "Ann"),
    ("body-json last", JSON, b'{"name":"Bob","name":"Ann"}', "Ann"),
    ("body-form", FORM, b"name=A%20n+n", "A n n"),
    ("body-form", FORM, b"data[name]=Ann", "Ann"),
    ("body-not-utf-8", JSON, b'{"name":"\xff\xfe"}', "\ufffd\ufffd"),
    ("body-not-utf-8", JSON, b'{"name":"\\ud800x"}', "\ufffdx"),
    ("body-not-utf-8", JSON, b'{"name":"\\udc00\\ud83d\\ude00"}', "\ufffd\U0001f600"),
    ("body-not-utf-8", FORM, b"name=\xff", "\ufffd"),
    ("body-in-data", JSON, b'{"data":{"name":"Ann"}}', "Ann"),
    ("body-encoding", JSON | {"Content-Encoding": "gzip"}, gzip.compress(b'{"name":"Ann"}'), "Ann"),
    (
        "body-encoding",
        JSON | {"Content-Encoding": "gzip"},
        gzip.compress(b'{"name":') + gzip.compress(b'"Ann"}') + bytes(8),
        "Ann",
    ),
    ("body-encoding", JSON | {"Content-Encoding": "deflate"}, zlib.compress(b'{"name":"Ann"}'), "Ann"),
    ("body-encoding bare", JSON | {"Content-Encoding": "deflate"}, zlib.compress(b'{"name":"Ann"}', wbits=-15), "Ann"),
    ("body-encoding", JSON | {"Content-Encoding": "identity"}, b'{"name":"Ann"}', "Ann"),
]


@pytest.mark.parametrize(("row", "headers", "body", "name"), READ, ids=[f"{c[0]} {c[2][:40]}" for c in READ])
async def test_a_body_is_read(shared, row, headers, body, name):
    reply = await post(shared, "/contact-sources", body, headers)

    assert (reply.status, reply.json["name"]) == (201, name)


EMPTY = [
    ("body-without-fields", JSON, b""),
    ("body-without-fields", {}, b'{"name":"x"}'),
    ("body-without-fields", {"Content-Type": "text/plain"}, b'{"name":"x"}'),
    ("body-without-fields", {"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
    ("body-without-fields", {"Content-Type": "application/vnd.api+json"}, b'{"name":"x"}'),
    ("body-in-data", JSON, b'{"data":{"name":"x"},"more":1}'),
    ("body-in-data", JSON, b'{"data":[{"name":"x"}]}'),
    ("required-fields", JSON, b'{"name":null}'),
]


@pytest.mark.parametrize(("row", "headers", "body"), EMPTY)
async def test_what_is_not_a_body_has_no_fields(shared, row, headers, body):
    reply = await post(shared, "/contact-sources", body, headers)

    assert (reply.status, reply.json["errors"]) == (400, {"name": "name is required"})
    assert reply.json["message"] == "Validation failed: name is required"
    assert (await post(shared, "/contacts", body, headers)).status == 201


UNREADABLE = [
    ("body-malformed", {"Content-Type": "application/json; charset=latin-1"}, b'{"name":"x"}'),
    ("body-malformed", {"Content-Type": "application/json; charset=utf-16"}, '{"name":"x"}'.encode("utf-16")),
    ("body-malformed", FORM | {"Content-Type": FORM["Content-Type"] + "; charset=latin-1"}, b"name=x"),
    ("body-malformed", JSON, b"{"),
    ("body-malformed", JSON, b"   "),
    ("body-malformed", JSON, b'{"name":NaN}'),
    ("body-malformed", JSON, b"{'name':'x'}"),
    ("body-malformed", JSON, b'{"name":"x"}}'),
    ("body-malformed", JSON, b'"text"'),
    ("body-malformed", JSON, b"5"),
    ("body-malformed", JSON, b"null"),
    ("body-malformed deep", JSON, b"[" * 100_000),
    ("body-malformed deep", JSON, b'{"name":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    ("body-malformed deep", JSON, b'{"name":"\\ud800","x":' + b"[" * 900 + b"]" * 900 + b"}"),
    ("body-malformed long", JSON, b'{"name":' + b"9" * 10_000 + b"}"),
    ("body-form", FORM, b"a[b=1"),
    ("body-size", JSON, b'{"name":"' + b"x" * 102_400 + b'"}'),
    ("body-size gzip", JSON | {"Content-Encoding": "gzip"}, gzip.compress(b" " * 5_000_000 + b"{}")),
    ("body-encoding", JSON | {"Content-Encoding": "br"}, b"{}"),
    ("body-encoding", JSON | {"Content-Encoding": "gzip"}, b"no gzip"),
    ("body-encoding", JSON | {"Content-Encoding": "gzip"}, gzip.compress(b'{"name":"x"}') + b"no gzip"),
    ("body-encoding", JSON | {"Content-Encoding": "gzip"}, gzip.compress(b'{"name":"x"}') + gzip.compress(b" ")[:-9]),
    ("body-encoding", JSON | {"Content-Encoding": "gzip"}, gzip.compress(b'{"name":"x"}') + gzip.compress(b"") * 100),
    ("body-size gzip", JSON | {"Content-Encoding": "gzip"}, gzip.compress(b" " * 900_000) * 5 + gzip.compress(b"{}")),
    ("body-encoding", JSON | {"Content-Encoding": "gzip"}, gzip.compress(b'{"name":"x"}')[:-9]),
]


@pytest.mark.parametrize(
    ("row", "headers", "body"), UNREADABLE, ids=[f"{row} {body[:30]}" for row, _, body in UNREADABLE]
)
async def test_a_body_that_cannot_be_read_is_400(shared, row, headers, body):
    reply = await post(shared, "/contact-sources", body, headers)

    assert (reply.status, reply.json["name"]) == (400, "BadRequest")
    if row.startswith("body-size"):
        assert reply.json["message"] == "request entity too large"


# rules: body-list
async def test_a_list_is_405_on_post_and_400_elsewhere(shared):
    for body in (b"[]", b'[{"name":"x"}]'):
        reply = await post(shared, "/contact-sources", body)
        assert (reply.status, reply.json["message"]) == (405, "Can not create multiple entries")
        for method in ("PATCH", "PUT"):
            assert (await ask(shared, "erin", method, "/contact-sources/1", body=body, headers=JSON)).status == 400


# rules: body-size
async def test_leads_and_templates_may_be_long(shared):
    long = json.dumps({"description": "x", "body": "x" * 1_048_000, "text_body": "x" * 10}).encode()
    assert len(long) <= 1_048_576
    for path in ("/leads", "/templates"):
        fits = await post(shared, path, long)
        assert (fits.status, "is required" in fits.json["message"]) == (400, True)
        too_long = await post(shared, path, long + b" " * 1000)
        assert (too_long.status, too_long.json["message"]) == (400, "request entity too large")


# rules: body-size
async def test_the_limit_holds_for_bodies_in_pieces(shared):
    pieces = [b'{"name":"', *([b"x" * 20_000] * 6), b'"}']
    reply = await post(shared, "/contact-sources", pieces)
    assert (reply.status, reply.json["message"]) == (400, "request entity too large")
    assert (await post(shared, "/contact-sources", [b'{"na', b'me":"x"', b"", b"}"])).status == 201


async def test_a_body_that_does_not_arrive_is_408(shared):
    sent = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", f"Bearer {shared.tokens['erin']}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/tags", "raw_path": b"/tags", "query_string": b""}
    await shared.application(scope | {"headers": headers}, receive, send)

    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["className"] == "timeout"


async def test_a_client_that_leaves_gets_no_answer(shared):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", f"Bearer {shared.tokens['erin']}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/tags", "raw_path": b"/tags", "query_string": b""}
    await shared.application(scope | {"headers": headers}, receive, send)

    assert sent == []


# ------------------------------------------------------------------------------------------------------- values

TAKEN = [
    ("unknown-fields", "/tags", {"content": "T11.1", "nonsense": {"a": 1}}, {"content": "T11.1"}),
    ("read-only-fields", "/tags", {"content": "T11.2", "id": 5_000_000}, {"content": "T11.2"}),
    ("body-integers", "/hotnesses", {"name": "x", "rank": "3"}, {"rank": 3}),
    ("body-integers", "/hotnesses", {"name": "x", "rank": "-03"}, {"rank": -3}),
    ("body-integers", "/hotnesses", {"name": "x", "rank": 3.0}, {"rank": 3}),
    (
        "body-texts",
        "/contacts",
        {"mobile_phone": 6045550100, "fax": -1.5},
        {"mobile_phone": "6045550100", "fax": "-1.5"},
    ),
    ("body-booleans", "/campaigns", {"name": "true", "is_broker_sharing_on": "true"}, {"is_broker_sharing_on": True}),
    ("body-booleans", "/campaigns", {"name": "1", "is_broker_sharing_on": 1}, {"is_broker_sharing_on": True}),
    ("body-booleans", "/campaigns", {"name": "'1'", "is_broker_sharing_on": "1"}, {"is_broker_sharing_on": True}),
    ("body-booleans", "/campaigns", {"name": "0", "is_broker_sharing_on": 0}, {"is_broker_sharing_on": False}),
    ("body-booleans", "/campaigns", {"name": "'0'", "is_broker_sharing_on": "0"}, {"is_broker_sharing_on": False}),
    ("body-moments", "/contacts", {"created_at": "2018-01-16"}, {"created_at": "2018-01-16T00:00:00.000Z"}),
    ("body-moments", "/contacts", {"created_at": "2018-01-16T12:12:12"}, {"created_at": "2018-01-16T12:12:12.000Z"}),
    (
        "body-moments",
        "/contacts",
        {"created_at": "2018-01-16T12:12:12.9876543Z"},
        {"created_at": "2018-01-16T12:12:12.987Z"},
    ),
    (
        "body-moments",
        "/contacts",
        {"created_at": "2018-01-16T12:12:12+02:30"},
        {"created_at": "2018-01-16T09:42:12.000Z"},
    ),
    ("body-moments", "/contacts", {"created_at": "0001-01-02"}, {"created_at": "0001-01-02T00:00:00.000Z"}),
    (
        "body-moments",
        "/contacts",
        {"created_at": "9999-12-31T23:59:59.999Z"},
        {"created_at": "9999-12-31T23:59:59.999Z"},
    ),
    ("text-length", "/hotnesses", {"name": "\U0001f600" * 45}, {"name": "\U0001f600" * 45}),
    ("text-as-sent", "/hotnesses", {"name": "  x \n"}, {"name": "  x \n"}),
    ("text-as-sent", "/contacts", {"first_name": ""}, {"first_name": ""}),
    ("empty-is-null", "/hotnesses", {"name": "x", "rank": ""}, {"rank": None}),
    ("empty-is-null", "/contacts", {"hotness_id": "", "source_id": ""}, {"hotness_id": None, "source_id": None}),
    ("zero-is-null", "/contacts", {"hotness_id": 0, "source_id": "0"}, {"hotness_id": None, "source_id": None}),
    ("integer-limits", "/hotnesses", {"name": "x", "rank": 2**31 - 1}, {"rank": 2**31 - 1}),
    ("integer-limits", "/hotnesses", {"name": "x", "rank": -(2**31)}, {"rank": -(2**31)}),
]


@pytest.mark.parametrize(("row", "path", "body", "shown"), TAKEN, ids=[f"{c[0]} {str(c[2])[:60]}" for c in TAKEN])
async def test_a_value_is_taken(shared, row, path, body, shown):
    reply = await ask(shared, "erin", "POST", path, json=body)

    assert reply.status == 201, reply.body
    assert {name: reply.json[name] for name in shown} == shown
    assert reply.json["id"] != 5_000_000


REFUSED = [
    ("required-fields", "/campaigns", {"name": None}, "name"),
    ("required-fields", "/campaigns", {"name": "x", "is_broker_sharing_on": None}, "is_broker_sharing_on"),
    ("body-integers", "/hotnesses", {"name": "x", "rank": 1.5}, "rank"),
    ("body-integers", "/hotnesses", {"name": "x", "rank": True}, "rank"),
    ("body-integers", "/hotnesses", {"name": "x", "rank": "1.0"}, "rank"),
    ("body-integers", "/hotnesses", {"name": "x", "rank": " 1"}, "rank"),
    ("body-integers", "/hotnesses", {"name": "x", "rank": [1]}, "rank"),
    ("body-integers", "/hotnesses", {"name": "x", "rank": "١"}, "rank"),
    ("body-texts", "/hotnesses", {"name": 5}, "name"),
    ("body-texts", "/hotnesses", {"name": True}, "name"),
    ("body-texts", "/hotnesses", {"name": {"a": 1}}, "name"),
    ("body-booleans", "/campaigns", {"name": "x", "is_broker_sharing_on": "yes"}, "is_broker_sharing_on"),
    ("body-booleans", "/campaigns", {"name": "x", "is_broker_sharing_on": 2}, "is_broker_sharing_on"),
    ("body-booleans", "/campaigns", {"name": "x", "is_broker_sharing_on": ""}, "is_broker_sharing_on"),
    ("body-moments", "/contacts", {"created_at": "2018-01-16 12:12:12"}, "created_at"),
    ("body-moments", "/contacts", {"created_at": "16.01.2018"}, "created_at"),
    ("body-moments", "/contacts", {"created_at": 1516104732}, "created_at"),
    ("body-moments", "/contacts", {"created_at": "2018-02-29"}, "created_at"),
    ("body-moments", "/contacts", {"created_at": "9999-12-31T23:59:59-01:00"}, "created_at"),
    ("body-choices", "/teams", {"name": "x", "order_method": "rank"}, "order_method"),
    ("body-choices", "/teams", {"name": "x", "order_method": "Rank "}, "order_method"),
    ("text-length", "/hotnesses", {"name": "x" * 46}, "name"),
    ("text-as-sent", "/hotnesses", {"name": "a\0b"}, "name"),
    ("references", "/contacts", {"hotness_id": 999_999}, "hotness_id"),
    ("references", "/contacts", {"hotness_id": -5}, "hotness_id"),
    ("references", "/contacts", {"hotness_id": 10**30}, "hotness_id"),
    ("references", "/contacts", {"hotness_id": 1e300}, "hotness_id"),
    ("integer-limits", "/hotnesses", {"name": "x", "rank": 2**31}, "rank"),
    ("integer-limits", "/teams", {"name": "x", "mins_until_next_alert": -1}, "mins_until_next_alert"),
]


@pytest.mark.parametrize(("row", "path", "body", "name"), REFUSED, ids=[f"{c[0]} {str(c[2])[:60]}" for c in REFUSED])
async def test_a_value_is_refused_and_the_error_names_field_value_and_what_was_expected(shared, row, path, body, name):
    reply = await ask(shared, "erin", "POST", path, json=body)

    assert (reply.status, list(reply.json["errors"])) == (400, [name])
    assert reply.json["errors"][name].startswith(name)
    assert reply.json["message"] == f"Validation failed: {reply.json['errors'][name]}"


# rules: references
async def test_a_reference_that_stays_is_not_checked_again(town):
    """The broker's hotness stays on Alice's contact when the broker has hidden it."""
    broker, alice = await town.add_user("fay", is_broker=True), town.users["alice"]
    await town.insert("sub_accounts", owner_id=broker, user_id=alice, user_can_see_broker_hotnesses=True)
    hotness_id = await town.insert("hotnesses", owner_id=broker, name="Hot")
    made = await ask(town, "alice", "POST", "/contacts", json={"hotness_id": hotness_id})
    await town.database.execute("UPDATE sub_accounts SET user_can_see_broker_hotnesses = false")
    url = f"/contacts/{made.json['id']}"

    changed = await ask(town, "alice", "PATCH", url, json={"hotness_id": hotness_id, "first_name": "Mia"})
    assert (changed.status, changed.json["hotness_id"]) == (200, hotness_id)
    assert (await ask(town, "alice", "POST", "/contacts", json={"hotness_id": hotness_id})).status == 400


# rules: all-faults-at-once
async def test_all_faults_are_reported_in_the_order_of_the_fields(shared):
    body = {"distribution_target": "No One", "campaign_id": 999, "filter": 5, "lead_source_id": "x"}
    reply = await ask(shared, "erin", "POST", "/lead-routes", json=body)

    assert list(reply.json["errors"]) == [
        "campaign_id", "lead_source_id", "contact_source_id", "distribution_target", "filter",
    ]  # fmt: skip
    assert reply.json["message"] == "Validation failed: " + "; ".join(reply.json["errors"].values())


# rules: unique-values
async def test_unique_values_conflict(shared):
    for path, first, second in (
        ("/campaigns", {"name": "Straße"}, {"name": "STRASSE"}),
        ("/tags", {"content": "Unique"}, {"content": "uniQUE"}),
    ):
        assert (await ask(shared, "erin", "POST", path, json=first)).status == 201
        reply = await ask(shared, "erin", "POST", path, json=second)
        assert (reply.status, reply.json["name"], reply.json["errors"]) == (409, "Conflict", {})


# ------------------------------------------------------------------------------------------------ answers, errors


# rules: answer-type, error-form, validation-error-form
async def test_the_form_of_answers_and_errors(shared):
    good = await ask(shared, "erin", "GET", "/me")
    bad = await ask(shared, "erin", "POST", "/lead-routes", json={})

    assert good.headers["content-type"] == bad.headers["content-type"] == "application/json; charset=utf-8"
    assert list(bad.json) == ["name", "message", "code", "className", "errors"]
    assert (bad.json["name"], bad.json["code"], bad.json["className"]) == ("BadRequest", 400, "bad-request")
    unknown = await ask(shared, "erin", "GET", "/nope")
    assert list(unknown.json) == ["name", "message", "code", "className", "data", "errors"]


# rules: error-form, validation-error-form
async def test_no_answer_of_the_database_reaches_a_caller(shared):
    """Whatever text is sent, there is no 500, and nothing of SQL in what is answered."""
    for text in ("'", '"', "\\", ";--", "%s", "$1", "{}", "\x7f", "\u202e", "\U0010ffff", "a" * 255):
        reply = await ask(shared, "erin", "POST", "/contacts", json={"first_name": text, "tags": text})
        assert (reply.status, reply.json["first_name"]) == (201, text)
    for body in ({"hotness_id": 2**62}, {"source_id": 2**63}, {"assigned_user_id": 10**18}):
        reply = await ask(shared, "erin", "POST", "/contacts", json=body)
        assert reply.status == 400
        assert b"SELECT" not in reply.body

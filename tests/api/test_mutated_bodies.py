"""Bodies that are spoilt in every way, at every call that takes one: none leads to 500."""

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.api.operations import OPERATIONS
from leadroutes.api.resources import RESOURCES
from leadroutes.intake.formats import BY_NAME
from leadroutes.store import accounts
from tests.support.api import Reply, ask
from tests.support.api_answers import IDS, check_answer, check_oauth_answer
from tests.support.examples import examples
from tests.support.samples import samples

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
PARTS = "multipart/form-data; boundary=b"
TYPES = [
    JSON,
    FORM,
    PARTS,
    "application/json; charset=utf-8",
    "application/json; charset=utf-7",
    "text/plain",
    "",
    "multipart/form-data",
    "message/rfc822",
    "application/x-www-form-urlencoded; charset=utf-16",
    "text/xml",
    "a/b; a*0=%",
]
# What decoders stumble over: numbers beyond bounds, halves of characters, depth, other encodings, cut escapes.
SIGNS = [
    b"1e99999999999999999999",
    b"-1E-99999999999999999999",
    b"1e400",
    b"9" * 5_000,
    b"0." + b"1" * 5_000,
    b"NaN",
    b"-Infinity",
    b'"\\ud800"',
    b"\\udfff",
    b"\\ud83d\\ude00",
    b"\\u0000",
    b"\\u",
    b"\\",
    b"[" * 2_000,
    b'{"a":' * 2_000,
    b"[" * 100 + b"]" * 100,
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00",
    b"+2AA-",
    b"%",
    b"%00",
    b"%FF",
    b"%ED%A0%80",
    b"a[b][]=1&",
    b"[[[[[[",
    b'"',
    b"'",
    b"{",
    b"}",
    b"]",
    b",",
    b":",
    b"&",
    b"=",
    b"null",
    b"true",
    b"--b\r\n",
    b"\r\n\r\n",
    b"<",
    b"&#xd800;",
    b"=?utf-7?q?+2AA-?=",
    b"\xe0\xbd\xb3" * 50,
]
VALUES = [
    "x",
    1,
    -1,
    1.5,
    None,
    True,
    [],
    {},
    "2018-01-16T12:12:12Z",
    "alice@example.com",
    "(303) 555-0142",
    ["a"],
    {"a": "b"},
]
SEEDS = [
    *(
        json.dumps({each.name: VALUES[number % len(VALUES)] for number, each in enumerate(resource.fields)}).encode()
        for resource in RESOURCES
    ),
    *(each.body[:4_000] for each in samples()),
    b'{"action": "Echo", "msg": "x"}',
    b'{"action": "NewSubmission", "email": "a@b.co", "name": "Ann"}',
    b"[]",
    b"{}",
    b'{"grant_type": "authorization_code", "code": "a", "client_id": "b", "redirect_uri": "https://c"}',
    b"grant_type=refresh_token&refresh_token=a&client_id=b&client_secret=c",
    b"first_name=Ann&email=a%40b.co&tags[]=x&a[b][c]=d",
    b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\na@b.co\r\n--b--\r\n',
]


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A body cut, repeated and joined with what decoders stumble over."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 40)))
        match draw(st.integers(0, 4)):
            case 0:
                body = body[:start]
            case 1:
                body = body[:start] + body[end:]
            case 2:
                body = body[:end] + body[start:end] * draw(st.integers(1, 20)) + body[end:]
            case 3:
                body = body[:start] + draw(st.binary(max_size=8)) + body[end:]
            case _:
                body = body[:start] + draw(st.sampled_from(SIGNS)) + body[draw(st.sampled_from([start, end])) :]
    return body


@st.composite
def spoilt_values(draw: st.DrawFn) -> bytes:
    """JSON that can be read, with a sign in place of some values: what is behind the decoder sees them too."""
    pairs = [
        f"{json.dumps(name)}: {draw(st.sampled_from(WHOLE)).decode()}" for name in draw(st.lists(NAMES, max_size=6))
    ]
    return ("{" + ", ".join(pairs) + "}").encode()


NAMES = st.sampled_from(
    sorted(
        {each.name for resource in RESOURCES for each in resource.fields}
        | {"action", "msg", "name", "data", "secrets", "email"}
    )
)
WHOLE = [
    b"1e99999999999999999999",
    b"1e400",
    b"-1e-400",
    b"1E+30",
    b"9" * 400,
    b"0.1",
    b'"\\ud800"',
    b'"a\\udfffb"',
    b'{"\\ud800": "\\udc00"}',
    b'["\\ud83d\\ude00"]',
    b'"\\u0000"',
    b"[[[]]]",
    b'{"a": {"a": {}}}',
    b"null",
    b'"Echo"',
    b'"NewSubmission"',
    b'"a@b.co"',
    b'"\xe0\xbd\xb3"',
]


def packed(body: bytes, encoding: str, cut: int) -> bytes:
    match encoding:
        case "gzip":
            body = gzip.compress(body, 1)
        case "deflate":
            body = zlib.compress(body, 1)
    return body[: len(body) - cut] if cut else body


ENCODINGS = st.sampled_from(["", "", "gzip", "deflate", "br", "gzip, gzip"])
CUTS = st.sampled_from([0, 0, 0, 1, 9])
HEADERS = st.dictionaries(
    st.sampled_from(["X-LionDesk-Id", "Idempotency-Key", "X-Hub-Signature-256", "X-Amz-Sns-Message-Type", "Accept"]),
    st.sampled_from(["x", "application/json", "Notification", "sha256=\u00ff", "\u00e9" * 20]),
    max_size=2,
)
CALLED = [
    each
    for each in OPERATIONS
    if each.method in ("POST", "PATCH", "PUT")
    and not each.path.startswith(("/users", "/user-invitations", "/example"))
    and each.path != "/intake/:key"
]


@pytest.fixture(scope="session")
async def keys(shared: Any) -> list[str]:
    """Erin's intake keys: one that recognises, and one for each format."""
    async with shared.database.transaction() as transaction:
        return [
            await accounts.issue_intake_key(transaction, shared.users["erin"], "Website", None, name)
            for name in (None, None, *BY_NAME)
        ]


def headers_of(content_type: str, encoding: str, more: dict[str, str]) -> dict[str, str]:
    named = {"Content-Type": content_type, "Content-Encoding": encoding}
    return {name: value for name, value in named.items() if value} | more


def must_be_readable(reply: Reply) -> None:
    check_answer(reply)
    json.loads(reply.body.decode())


@settings(max_examples=examples(300), deadline=None)
@given(
    st.sampled_from(CALLED),
    st.lists(IDS, min_size=2, max_size=2),
    st.one_of(spoilt(), spoilt_values()),
    st.sampled_from(TYPES),
    ENCODINGS,
    CUTS,
    HEADERS,
)
async def test_a_spoilt_body_of_a_call_is_never_a_fault(
    shared: Any, operation: Any, ids: list[str], body: bytes, content_type: str, encoding: str, cut: int, more: Any
) -> None:
    path = operation.path
    for each in ids:
        path = path.replace(":id", each, 1)
    reply = await ask(
        shared,
        "erin",
        operation.method,
        path,
        body=packed(body, encoding, cut),
        headers=headers_of(content_type, encoding, more),
    )

    if path.startswith("/oauth2/"):
        check_oauth_answer(reply)
    else:
        check_answer(reply)


@settings(max_examples=examples(400), deadline=None)
@given(st.data(), st.one_of(spoilt(), spoilt_values()), st.sampled_from([JSON, JSON, *TYPES]), ENCODINGS, CUTS, HEADERS)
async def test_a_spoilt_body_at_a_door_is_never_a_fault(
    shared: Any, keys: list[str], data: Any, body: bytes, content_type: str, encoding: str, cut: int, more: Any
) -> None:
    key = data.draw(st.sampled_from(keys))
    sent = packed(body, encoding, cut)
    reply = await ask(
        shared,
        None,
        "POST",
        f"/intake/{key}",
        body=sent,
        headers=headers_of(content_type, encoding, more),
    )

    must_be_readable(reply)
    assert reply.status in (200, 201, 202, 400, 401, 403, 409, 413, 422)


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1e-99999999999999999999", "1" * 5_000])
@pytest.mark.parametrize("name", ["rank", "no_one_knows_it"])
async def test_a_number_beyond_all_bounds_is_refused(shared: Any, number: str, name: str) -> None:
    body = f'{{"name": "x", "{name}": {number}}}'.encode()
    reply = await ask(shared, "erin", "POST", "/hotnesses", body=body, headers={"Content-Type": JSON})

    assert reply.status == 400, reply.body
    check_answer(reply)
    assert len(reply.json["message"]) < 200


@pytest.mark.parametrize("spelt", ["\\ud800", "a\\udfff", "\\udc00\\ud800"])
@pytest.mark.parametrize("key", [0, 1])
async def test_half_a_character_comes_back_as_one_that_replaces_it(
    shared: Any, keys: list[str], spelt: str, key: int
) -> None:
    body = f'{{"action": "Echo", "msg": "{spelt}", "{spelt}": [{{"a": "{spelt}"}}]}}'.encode()
    reply = await ask(shared, None, "POST", f"/intake/{keys[key]}", body=body, headers={"Content-Type": JSON})

    assert reply.status == 200
    assert reply.json["msg"] == json.loads(f'"{spelt}"').replace("\ud800", "\ufffd").replace(
        "\udfff", "\ufffd"
    ).replace("\udc00", "\ufffd")


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-7"])
async def test_a_whole_character_that_is_spelt_in_halves_stays_whole(
    shared: Any, keys: list[str], content_type: str
) -> None:
    body = b'{"action": "Echo", "msg": "\\ud83d\\ude00"}'
    reply = await ask(shared, None, "POST", f"/intake/{keys[0]}", body=body, headers={"Content-Type": content_type})

    assert reply.json["msg"] == "\U0001f600"


async def test_a_lead_body_that_cannot_be_read_is_stored(shared: Any, keys: list[str]) -> None:
    for body in (b"[" * 100_000, b'{"a": 1e99999999999999999999', b'{"name": "\\ud800"}'):
        before = await shared.database.fetchval("SELECT count(*) FROM arrivals")
        reply = await ask(shared, None, "POST", f"/intake/{keys[0]}", body=body, headers={"Content-Type": JSON})
        assert reply.status in (200, 202, 400, 422)
        assert await shared.database.fetchval("SELECT count(*) FROM arrivals") == before + 1

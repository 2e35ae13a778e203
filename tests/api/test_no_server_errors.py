"""Nothing that a client can send leads to 500, and no answer breaks the form of the dialect."""

from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from leadroutes.api.operations import OPERATIONS
from leadroutes.api.resources import RESOURCES
from tests.support.api import ask
from tests.support.api_answers import IDS, check_answer, check_oauth_answer
from tests.support.examples import examples

NAMES = sorted({each.name for resource in RESOURCES for each in resource.fields})
WORDS = st.sampled_from(
    ["Rank", "Time", "Myself", "Team Rollout", "Specific Team", "Zipcode", "None", "Email Contact", "Recurring",
     "Delay by Day and Time", "Delay by Minutes", "Exact Date and Time", "FREQ=DAILY", "Accepted", "complete",
     "2018-01-16", "2018-01-16T12:12:12.000Z", "9999-12-31T23:59:59.999Z", "09:00", "true", "0", "1", "", "null",
     "alice@example.com", "UTC", "98112", "#ff0000", "api", "Text"]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-3, 30), st.integers(-(2**70), 2**70), st.text(max_size=20),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))
BODIES = st.one_of(st.dictionaries(st.sampled_from([*NAMES, "data"]), VALUES, max_size=8), VALUES)
OPERATORS = st.sampled_from(["", "[$ne]", "[$in]", "[$in][]", "[$nin]", "[$lt]", "[$gte]", "[0]", "[x]", "[", "[$or]"])
KEYS = st.sampled_from([*NAMES, "$limit", "$skip", "$sort", "$select", "$or[0]", "$and[]", "oauth_client_id"])
PAIRS = st.tuples(KEYS, OPERATORS, st.one_of(WORDS, st.text(max_size=8), st.integers().map(str)))


def _target(path: str, ids: list[str], pairs: list[tuple[str, str, str]]) -> str:
    for each in ids:
        path = path.replace(":id", each, 1)
    query = "&".join(f"{key}{operator}={quote(value)}" for key, operator, value in pairs)
    return f"{path}?{query}"


# The shared town is Erin's to fill. Users, and where they are signed in, are left alone: Erin is an administrator.
CALLED = [
    each
    for each in OPERATIONS
    if each.path not in ("/intake/:key", "/readyz")
    and (each.method == "GET" or not each.path.startswith(("/users", "/user-invitations", "/sessions", "/example")))
]


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(CALLED), st.lists(IDS, min_size=2, max_size=2), BODIES, st.lists(PAIRS, max_size=3))
async def test_any_call(shared: Any, operation: Any, ids: list[str], body: Any, pairs: Any) -> None:
    target = _target(operation.path, ids, pairs if operation.method == "GET" else [])
    reply = await ask(shared, "erin", operation.method, target, json=body)

    if operation.path.startswith("/oauth2/"):
        check_oauth_answer(reply)
    else:
        check_answer(reply)


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(RESOURCES), st.lists(PAIRS, max_size=4))
async def test_any_query(shared: Any, resource: Any, pairs: Any) -> None:
    reply = await ask(shared, "erin", "GET", _target(resource.path, ["1"], pairs))

    check_answer(reply)


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(["application/json", "application/x-www-form-urlencoded"]), st.binary(max_size=60))
async def test_any_bytes(shared: Any, content_type: str, body: bytes) -> None:
    reply = await ask(shared, "erin", "POST", "/contacts", body=body, headers={"Content-Type": content_type})

    check_answer(reply)


@settings(max_examples=examples(150), deadline=None)
@given(st.text(max_size=30))
async def test_any_query_string(shared: Any, text: str) -> None:
    reply = await ask(shared, "erin", "GET", f"/contacts?{text}")

    check_answer(reply)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.sampled_from([each for each in RESOURCES if "C" in each.methods and not each.parent and each.path != "/users"]),
    st.data(),
)
async def test_bodies_that_are_nearly_right(shared: Any, resource: Any, data: Any) -> None:
    """Every field of the resource with some value of its kind, or close to it."""
    body = {each.name: data.draw(VALUES) for each in resource.writeable if data.draw(st.booleans())}
    reply = await ask(shared, "erin", "POST", resource.path, json=body)

    check_answer(reply)

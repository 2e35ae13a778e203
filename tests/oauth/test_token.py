"""The token path and the revocation path: what is answered to whom, what works once, and what ends what."""

import asyncio
import base64
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.oauth_app import CALLBACK, PKCE, VERIFIER, OAuthApp

KEYS = ["access_token", "refresh_token", "expires", "expires_in", "scope", "token_type"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


# ------------------------------------------------------------------------------------------------------- answers


async def test_a_code_becomes_tokens_in_exactly_the_documented_form(oauth_app: OAuthApp) -> None:
    answer = await oauth_app.exchange(await oauth_app.code())
    tokens = answer.json()

    assert (answer.status_code, list(tokens)) == (200, KEYS)
    for name in ("access_token", "refresh_token"):
        assert re.fullmatch("[0-9a-f]{40}", tokens[name])
    assert (tokens["expires_in"], tokens["scope"], tokens["token_type"]) == (776_000, "write", "Bearer")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", tokens["expires"])
    end = datetime.strptime(tokens["expires"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert abs(end - datetime.now(UTC) - timedelta(seconds=776_000)) < timedelta(minutes=1)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert await oauth_app.who(tokens["access_token"]) == "alice"


async def test_what_is_stored_of_tokens_and_codes_is_their_hash(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code()
    tokens = (await oauth_app.exchange(code)).json()
    rows = await oauth_app.database.fetch(
        "SELECT t::text AS row FROM access_tokens t UNION ALL SELECT t::text FROM refresh_tokens t"
        " UNION ALL SELECT t::text FROM authorization_codes t UNION ALL SELECT t::text FROM applications t"
    )
    stored = " ".join(row["row"] for row in rows)

    for secret in (code, tokens["access_token"], tokens["refresh_token"], oauth_app.dialer.client_secret):
        assert secret not in stored
    assert "alice" not in stored


async def test_bodies_are_json_or_forms_and_secrets_come_in_the_body_or_by_basic(oauth_app: OAuthApp) -> None:
    client = {"client_id": oauth_app.dialer.client_id, "client_secret": oauth_app.dialer.client_secret}
    browser = oauth_app.browser()
    for path, headers, fields in (
        ("/oauth2/token", {}, client),
        ("//oauth2//token", {}, client),
        ("/OAUTH2/token/", {"Authorization": "Bearer of-something-else"}, client),
        ("/oauth2/token", basic(*client.values()), {}),
        ("/oauth2/token", basic(*client.values()), {"client_id": client["client_id"]}),
    ):
        for form in (True, False):
            body = fields | {
                "grant_type": "authorization_code", "code": await oauth_app.code(), "redirect_uri": CALLBACK,
                "more": "x",
            }  # fmt: skip
            sent = {"data": body} if form else {"json": body | {"more": {"a": [1]}}}
            answer = await browser.post("http://town" + path, headers=headers, **sent)
            assert (answer.status_code, list(answer.json())) == (200, KEYS), answer.text


async def test_a_token_that_reads_does_not_write(oauth_app: OAuthApp) -> None:
    token = (await oauth_app.tokens(scope="read"))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    assert (await oauth_app.browser().get("/tags", headers=headers)).status_code == 200
    answer = await oauth_app.browser().post("/tags", json={"content": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (403, "Insufficient scope")


async def test_the_users_of_an_application_can_be_asked_for_by_its_owner(oauth_app: OAuthApp) -> None:
    await oauth_app.tokens("alice")
    dave = {"Authorization": f"Bearer {oauth_app.town.tokens['dave']}"}
    alice = {"Authorization": f"Bearer {oauth_app.town.tokens['alice']}"}
    query = {"oauth_client_id": oauth_app.dialer.client_id}
    listed = await oauth_app.browser().get("/users", params=query, headers=dave)

    assert [user["username"] for user in listed.json()["data"]] == ["alice"]
    assert (await oauth_app.browser().get("/users", params=query, headers=alice)).status_code == 401
    bob = f"/users/{oauth_app.town.users['bob']}"
    assert (await oauth_app.browser().get(bob, params=query, headers=dave)).status_code == 401
    unknown = {"oauth_client_id": "nope"}
    assert (await oauth_app.browser().get("/users", params=unknown, headers=dave)).status_code == 403


# -------------------------------------------------------------------------------------------------------- errors


REFUSED = [
    ("client_id missing", {"client_id": None}, 400, "invalid_request"),
    ("client_id empty", {"client_id": ""}, 400, "invalid_request"),
    ("client_id no text", {"client_id": 5}, 400, "invalid_request"),
    ("client_id unknown", {"client_id": "unknown"}, 401, "invalid_client"),
    ("client_id nul", {"client_id": "\0"}, 401, "invalid_client"),
    ("secret missing", {"client_secret": None}, 401, "invalid_client"),
    ("secret wrong", {"client_secret": "wrong"}, 401, "invalid_client"),
    ("grant_type missing", {"grant_type": None}, 400, "invalid_request"),
    ("grant_type password", {"grant_type": "password"}, 400, "unsupported_grant_type"),
    ("grant_type client", {"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    ("grant_type odd", {"grant_type": "é\n"}, 400, "unsupported_grant_type"),
    ("code missing", {"code": None}, 400, "invalid_request"),
    ("code unknown", {"code": "0" * 40}, 400, "invalid_grant"),
    ("redirect_uri missing", {"redirect_uri": None}, 400, "invalid_request"),
    ("redirect_uri other", {"redirect_uri": CALLBACK + "/"}, 400, "invalid_grant"),
    ("verifier without challenge", {"code_verifier": VERIFIER}, 400, "invalid_grant"),
]


@pytest.mark.parametrize(("case", "changed", "status", "error"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_a_fault_is_reported_in_the_form_of_rfc_6749_and_the_code_is_still_good(
    oauth_app: OAuthApp, case: str, changed: dict, status: int, error: str
) -> None:
    code = await oauth_app.code()
    answer = await oauth_app.exchange(**({"code": code} | changed))

    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error", "error_description"]
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in answer.headers
    assert (await oauth_app.exchange(code)).status_code == 200


async def test_half_a_surrogate_pair_is_not_an_internal_error(oauth_app: OAuthApp) -> None:
    client = f'"client_id":"{oauth_app.dialer.client_id}","client_secret":"{oauth_app.dialer.client_secret}"'
    body = f'{{{client},"grant_type":"refresh_token","refresh_token":"\\ud800"}}'
    answer = await oauth_app.browser().post("/oauth2/token", content=body.encode(), headers=JSON)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


UNREADABLE = [
    (JSON, b"{"),
    (JSON, b"[]"),
    (JSON, b""),
    (JSON, b"null"),
    (JSON, b"[" * 10_000),
    (JSON, b'{"grant_type":"refresh_token","grant_type":"refresh_token"}'),
    (JSON, b'{"grant_type":["refresh_token"]}'),
    (JSON, b'{"a":"' + b"x" * 20_000 + b'"}'),
    (FORM, b""),
    (FORM, b"grant_type=refresh_token&grant_type=refresh_token"),
    (FORM, b"&".join(b"a=1" for _ in range(101))),
    ({"Content-Type": "text/plain"}, b'{"grant_type":"refresh_token"}'),
    ({}, b"grant_type=refresh_token"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
    (JSON | {"Content-Encoding": "br"}, b"{}"),
]


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"])
@pytest.mark.parametrize(("headers", "body"), UNREADABLE, ids=[f"{body[:30]}" for _, body in UNREADABLE])
async def test_a_body_that_cannot_be_read_is_an_invalid_request(
    oauth_app: OAuthApp, path, headers, body: bytes
) -> None:
    answer = await oauth_app.browser().post(path, content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_body_that_does_not_arrive_is_an_invalid_request_too(oauth_app: OAuthApp) -> None:
    async def slow():
        yield b"grant_type="
        await asyncio.Event().wait()

    answer = await oauth_app.browser().post("/oauth2/token", content=slow(), headers=FORM)
    assert (answer.status_code, answer.json()["error"]) == (408, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_another_method_is_405_with_allow(oauth_app: OAuthApp, path: str, method: str) -> None:
    answer = await oauth_app.browser().request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
    if method != "HEAD":
        assert answer.json()["error"] == "invalid_request"


async def test_pages_of_other_sites_may_ask_for_tokens(oauth_app: OAuthApp) -> None:
    for path in ("/oauth2/token", "//oauth2//revoke"):
        answer = await oauth_app.browser().options("http://town" + path, headers={"Origin": "https://app.example"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
        assert "POST" in answer.headers["access-control-allow-methods"]


async def test_a_refused_basic_header_is_answered_with_a_challenge(oauth_app: OAuthApp) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "0" * 40}
    for headers in (
        basic(oauth_app.dialer.client_id, "wrong"), basic("unknown", "x"), {"Authorization": "Basic ?"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}, basic(oauth_app.phone.client_id, ""),
    ):  # fmt: skip
        answer = await oauth_app.browser().post("/oauth2/token", data=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), headers
        assert answer.headers["www-authenticate"].startswith("Basic")
    two = await oauth_app.browser().post(
        "/oauth2/token", data=body | {"client_id": "another"},
        headers=basic(oauth_app.dialer.client_id, oauth_app.dialer.client_secret),
    )  # fmt: skip
    assert (two.status_code, two.json()["error"]) == (400, "invalid_request")


async def test_a_wrong_client_gets_an_explanation_and_not_which_part_of_it_is_wrong(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code()
    descriptions = set()
    for changed in ({"client_id": "unknown"}, {"client_secret": "wrong"}, {"client_secret": None}):
        answer = await oauth_app.exchange(code, **changed)
        assert answer.status_code == 401
        descriptions.add(answer.json()["error_description"])
    [words] = descriptions
    assert words.startswith("No application has this client_id and client_secret; expected")
    assert not set("[]'_{}") & set(words.replace("client_id", "").replace("client_secret", ""))


async def test_a_secret_of_an_application_that_has_none_is_wrong(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code(application=oauth_app.phone)
    refused = await oauth_app.exchange(code, oauth_app.phone, code_verifier=VERIFIER, client_secret="x")

    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert (
        await oauth_app.exchange(code, oauth_app.phone, code_verifier=VERIFIER, client_secret="")
    ).status_code == 200


# --------------------------------------------------------------------------------------------------------- codes


@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (None, "invalid_request"),
        ("wrong", "invalid_grant"),
        (VERIFIER[::-1], "invalid_grant"),
        ("é" * 50, "invalid_grant"),
    ],
)
async def test_the_verifier_has_to_fit(oauth_app: OAuthApp, verifier: str | None, error: str) -> None:
    for application in (oauth_app.dialer, oauth_app.phone):
        code = await oauth_app.code(application=application, **PKCE)
        refused = await oauth_app.exchange(code, application, code_verifier=verifier)
        assert (refused.status_code, refused.json()["error"]) == (400, error)
        assert (await oauth_app.exchange(code, application, code_verifier=VERIFIER)).status_code == 200


async def test_the_second_use_of_a_code_ends_what_the_first_one_gave(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code()
    first = (await oauth_app.exchange(code)).json()
    renewed = (await oauth_app.refresh(first["refresh_token"])).json()
    others = await oauth_app.tokens()
    again = await oauth_app.exchange(code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert await oauth_app.who(first["access_token"]) == 401
    assert await oauth_app.who(renewed["access_token"]) == 401
    assert (await oauth_app.refresh(renewed["refresh_token"])).json()["error"] == "invalid_grant"
    assert await oauth_app.who(others["access_token"]) == "alice", "another consent is separate"


async def test_of_many_uses_at_once_one_at_the_most_gives_tokens_that_last(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code()
    answers = await asyncio.gather(*(oauth_app.exchange(code) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 7]
    assert await oauth_app.database.fetchval("SELECT count(*) FROM access_tokens WHERE grant_id IS NOT NULL") == 1


async def test_a_code_is_for_its_application_alone_and_for_ten_minutes(oauth_app: OAuthApp) -> None:
    another = await oauth_app.register(CALLBACK)
    code = await oauth_app.code()

    assert (await oauth_app.exchange(code, another)).json()["error"] == "invalid_grant"
    life = await oauth_app.database.fetchval("SELECT expires_at - now() FROM authorization_codes")
    assert timedelta(minutes=9) < life <= timedelta(minutes=10)
    await oauth_app.database.execute("UPDATE authorization_codes SET expires_at = now()")
    assert (await oauth_app.exchange(code)).json()["error"] == "invalid_grant"


async def test_a_closed_account_gives_no_tokens(oauth_app: OAuthApp) -> None:
    code, tokens = await oauth_app.code(), await oauth_app.tokens()
    await oauth_app.database.execute("UPDATE users SET is_active = false WHERE username = 'alice'")

    assert (await oauth_app.exchange(code)).json()["error"] == "invalid_grant"
    assert (await oauth_app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert await oauth_app.who(tokens["access_token"]) == 401


# ------------------------------------------------------------------------------------------------------- refresh


async def test_a_refresh_gives_new_tokens_of_the_same_scope(oauth_app: OAuthApp) -> None:
    first = await oauth_app.tokens(scope="read")
    second = await oauth_app.refresh(first["refresh_token"], redirect_uri="https://ignored.example", code="ignored")
    tokens = second.json()

    assert (second.status_code, list(tokens), tokens["scope"]) == (200, KEYS, "read")
    assert not {first["access_token"], first["refresh_token"]} & {tokens["access_token"], tokens["refresh_token"]}
    assert await oauth_app.who(tokens["access_token"]) == "alice"
    assert await oauth_app.who(first["access_token"]) == "alice", "an access token lives as long as it was said"


async def test_the_old_one_works_for_a_minute_and_then_ends_everything(oauth_app: OAuthApp) -> None:
    first = await oauth_app.tokens()
    second = (await oauth_app.refresh(first["refresh_token"])).json()
    lost = await oauth_app.refresh(first["refresh_token"])
    await oauth_app.database.execute("UPDATE refresh_tokens SET replaced_at = replaced_at - interval '59 seconds'")
    late = await oauth_app.refresh(first["refresh_token"])
    await oauth_app.database.execute("UPDATE refresh_tokens SET replaced_at = replaced_at - interval '1 second'")
    stolen = await oauth_app.refresh(first["refresh_token"])

    assert (lost.status_code, late.status_code) == (200, 200)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    for each in (first, second, lost.json(), late.json()):
        assert await oauth_app.who(each["access_token"]) == 401
        assert (await oauth_app.refresh(each["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("granted", "asked", "answer"),
    [
        ("write", "read", "read"), ("write", "read write", "read write"), ("read write", "write,read", "write read"),
        ("write", ["read"], "read"), ("write", "", "write"), ("read", "read admin", "read"),
        ("read", "write", None), ("read", "read write", None), ("write", "admin", None), ("write", ["x"], None),
    ],
)  # fmt: skip
async def test_a_scope_may_narrow_and_never_widen(oauth_app: OAuthApp, granted: str, asked: object, answer) -> None:
    first = await oauth_app.tokens(scope=granted)
    reply = await oauth_app.refresh(first["refresh_token"], scope=asked)
    if answer is None:
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_scope")
        assert (await oauth_app.refresh(first["refresh_token"])).json()["scope"] == granted
        return

    assert reply.json()["scope"] == answer
    full = await oauth_app.refresh(reply.json()["refresh_token"])
    assert full.json()["scope"] == granted, "what was allowed is not lost by asking for less once"


async def test_a_refresh_token_ends_after_ninety_days_without_use(oauth_app: OAuthApp) -> None:
    tokens = await oauth_app.tokens()
    life = await oauth_app.database.fetchval("SELECT expires_at - now() FROM refresh_tokens")
    await oauth_app.database.execute("UPDATE refresh_tokens SET expires_at = now()")

    assert timedelta(days=89, hours=23) < life <= timedelta(days=90)
    assert (await oauth_app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_refresh_token_is_for_its_application_alone(oauth_app: OAuthApp) -> None:
    tokens, another = await oauth_app.tokens(), await oauth_app.register(CALLBACK)

    assert (await oauth_app.refresh(tokens["refresh_token"], another)).json()["error"] == "invalid_grant"
    assert (await oauth_app.refresh(tokens["access_token"])).json()["error"] == "invalid_grant", (
        "it is not a refresh token"
    )
    assert (await oauth_app.refresh(None)).json()["error"] == "invalid_request"
    assert (await oauth_app.refresh(tokens["refresh_token"])).status_code == 200


async def test_what_has_ended_is_cleared_away(oauth_app: OAuthApp) -> None:
    await oauth_app.code()
    tokens = await oauth_app.tokens()
    await oauth_app.database.execute("UPDATE authorization_codes SET expires_at = now() - interval '2 days'")
    await oauth_app.database.execute(
        "UPDATE access_tokens SET expires_at = now() - interval '2 days' WHERE grant_id IS NOT NULL"
    )
    await oauth_app.refresh(tokens["refresh_token"])
    await oauth_app.code()

    assert await oauth_app.database.fetchval("SELECT count(*) FROM access_tokens WHERE grant_id IS NOT NULL") == 1
    assert await oauth_app.database.fetchval("SELECT count(*) FROM authorization_codes") == 1


# ---------------------------------------------------------------------------------------------------- revocation


async def revoke(oauth_app: OAuthApp, token: str, application=None, **more: str):
    application = application or oauth_app.dialer
    client = {"client_id": application.client_id, "client_secret": application.client_secret or ""}
    return await oauth_app.browser().post("/oauth2/revoke", data=client | {"token": token} | more)


async def test_an_access_token_is_revoked_alone_and_a_refresh_token_with_all_that_was_made_from_it(oauth_app) -> None:
    tokens = await oauth_app.tokens()
    assert (await revoke(oauth_app, tokens["access_token"])).status_code == 200
    assert await oauth_app.who(tokens["access_token"]) == 401
    second = (await oauth_app.refresh(tokens["refresh_token"])).json()
    answer = await revoke(oauth_app, second["refresh_token"], token_type_hint="access_token")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert await oauth_app.who(second["access_token"]) == 401
    assert (await oauth_app.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_token_that_is_not_there_is_revoked_already(oauth_app: OAuthApp) -> None:
    assert (await revoke(oauth_app, "0" * 40, token_type_hint="nonsense")).status_code == 200
    assert (await revoke(oauth_app, "\0")).status_code == 200


async def test_no_one_revokes_a_token_of_another_client(oauth_app: OAuthApp) -> None:
    tokens, another = await oauth_app.tokens(), await oauth_app.register(CALLBACK)
    refused = await revoke(oauth_app, tokens["access_token"], another)
    personal = await revoke(oauth_app, oauth_app.town.tokens["alice"])

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (personal.status_code, personal.json()["error"]) == (400, "invalid_grant")
    assert await oauth_app.who(tokens["access_token"]) == "alice"
    assert await oauth_app.who(oauth_app.town.tokens["alice"]) == "alice"


async def test_who_revokes_has_to_authenticate(oauth_app: OAuthApp) -> None:
    tokens = await oauth_app.tokens()
    body = {"token": tokens["access_token"]}
    anonymous = await oauth_app.browser().post("/oauth2/revoke", json=body)
    wrong = await oauth_app.browser().post("/oauth2/revoke", json=body, headers=basic(oauth_app.dialer.client_id, "x"))
    without = await oauth_app.browser().post(
        "/oauth2/revoke", json={}, headers=basic(oauth_app.dialer.client_id, oauth_app.dialer.client_secret)
    )

    assert (anonymous.status_code, anonymous.json()["error"]) == (400, "invalid_request")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert (without.status_code, without.json()["error"]) == (400, "invalid_request")
    assert await oauth_app.who(tokens["access_token"]) == "alice"


async def test_an_application_without_a_secret_revokes_its_own(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code(application=oauth_app.phone)
    tokens = (await oauth_app.exchange(code, oauth_app.phone, code_verifier=VERIFIER)).json()

    assert (await revoke(oauth_app, tokens["refresh_token"], oauth_app.phone)).status_code == 200
    assert await oauth_app.who(tokens["access_token"]) == 401


async def test_of_tokens_made_from_one_the_first_that_is_used_ends_the_others(oauth_app: OAuthApp) -> None:
    """Lost answers explain two of them; nothing explains that both are used."""
    first = (await oauth_app.exchange(await oauth_app.code())).json()
    mine, other = [(await oauth_app.refresh(first["refresh_token"])).json() for _ in range(2)]
    used = await oauth_app.refresh(mine["refresh_token"])
    assert used.status_code == 200

    for over in (other["refresh_token"], first["refresh_token"]):
        again = await oauth_app.refresh(over)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await oauth_app.refresh(used.json()["refresh_token"])).status_code == 400  # the grant is revoked


async def test_siblings_that_are_used_at_once_leave_one_or_none(oauth_app: OAuthApp) -> None:
    first = (await oauth_app.exchange(await oauth_app.code())).json()
    pairs = [(await oauth_app.refresh(first["refresh_token"])).json() for _ in range(4)]
    answers = await asyncio.gather(*(oauth_app.refresh(pair["refresh_token"]) for pair in pairs))

    assert sum(answer.status_code == 200 for answer in answers) <= 1


async def test_whoever_uses_the_old_one_again_before_the_new_one_gets_another(oauth_app: OAuthApp) -> None:
    first = (await oauth_app.exchange(await oauth_app.code())).json()
    for _ in range(3):
        assert (await oauth_app.refresh(first["refresh_token"])).status_code == 200

"""What a signed-in user sees and takes back: applications that the user let in or registered, and personal tokens."""

import asyncio
import re

import pytest

from tests.support.oauth_app import CALLBACK, VERIFIER, OAuthApp


def codes(page: str) -> list[str]:
    """What is shown as code: client ids and secrets."""
    return re.findall("<code>([0-9a-f]+)</code>", page)


async def test_what_was_allowed_is_seen_and_taken_back(oauth_app: OAuthApp) -> None:
    tokens, others = await oauth_app.tokens("alice"), await oauth_app.tokens("bob")
    browser = await oauth_app.sign_in("alice")
    page = await browser.get("/app/me/applications")
    form = {"do": "disallow", "client_id": oauth_app.dialer.client_id}
    answer = await browser.post("/app/me/applications", data=form)

    assert "Dialer" in page.text
    assert "read and change, since" in page.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/me/applications")
    assert "No application may act for you." in (await browser.get("/app/me/applications")).text
    assert await oauth_app.who(tokens["access_token"]) == 401
    assert (await oauth_app.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert await oauth_app.who(others["access_token"]) == "bob", "Bob's consent is separate"
    assert (await browser.post("/app/me/applications", data=form)).status_code == 404


async def test_a_code_that_is_not_used_yet_can_be_taken_back_too(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code()
    browser = await oauth_app.sign_in("alice")
    await browser.post("/app/me/applications", data={"do": "disallow", "client_id": oauth_app.dialer.client_id})

    assert (await oauth_app.exchange(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["confidential", "public"])
async def test_a_user_registers_an_application_and_sees_its_secret_once(oauth_app: OAuthApp, kind: str) -> None:
    browser = await oauth_app.sign_in("bob")
    uris = f"  {CALLBACK}\r\nhttp://127.0.0.1/cb\n"
    made = await browser.post(
        "/app/me/applications", data={"do": "register", "name": "Bob's", "redirect_uris": uris, "kind": kind}
    )
    client_id, *rest = codes(made.text)
    page = (await browser.get("/app/me/applications")).text

    assert made.headers["cache-control"] == "no-store"
    assert re.fullmatch("[0-9a-f]{32}", client_id)
    assert f"{CALLBACK}, http://127.0.0.1/cb" in page
    assert codes(page) == [client_id]
    application = type(oauth_app.dialer)(client_id, rest[0] if kind == "confidential" else None)
    code = await oauth_app.code("alice", application)
    verifier = {} if kind == "confidential" else {"code_verifier": VERIFIER}
    assert (await oauth_app.exchange(code, application, **verifier)).status_code == 200

    gone = await browser.post("/app/me/applications", data={"do": "remove", "client_id": client_id})
    assert gone.status_code == 303
    assert (await oauth_app.exchange(code, application)).json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("name", "uris", "named"),
    [
        ("", CALLBACK, "name"),
        ("x" * 201, CALLBACK, "name"),
        ("a\nb", CALLBACK, "name"),
        ("App", "", "redirect_uri"),
        ("App", "/cb", "redirect_uri"),
        ("App", CALLBACK + "#x", "redirect_uri"),
        ("App", "javascript:alert(1)", "redirect_uri"),
        ("App", "data:text/html,x", "redirect_uri"),
        ("App", "https:///cb", "redirect_uri"),
        ("App", "https://u:p@app.example/cb", "redirect_uri"),
        ("App", "https://[::1/cb", "redirect_uri"),
        ("App", "https://app.example:99999/cb", "redirect_uri"),
        ("App", " ".join(f"https://app.example/{n}" for n in range(21)), "redirect_uri"),
    ],
)
async def test_what_cannot_be_registered_is_named_and_nothing_is_lost(
    oauth_app: OAuthApp, name, uris, named: str
) -> None:
    browser = await oauth_app.sign_in("bob")
    answer = await browser.post("/app/me/applications", data={"do": "register", "name": name, "redirect_uris": uris})

    assert answer.status_code == 422
    assert f"{named}: " in answer.text
    assert await oauth_app.database.fetchval("SELECT count(*) FROM applications") == 2


async def test_no_one_removes_what_another_user_registered(oauth_app: OAuthApp) -> None:
    browser = await oauth_app.sign_in("bob")
    for client_id in (oauth_app.dialer.client_id, "nope", "\0", ""):
        for do in ("remove", "disallow"):
            answer = await browser.post("/app/me/applications", data={"do": do, "client_id": client_id})
            assert answer.status_code == 404
    assert (await browser.post("/app/me/applications", data={"do": "else"})).status_code == 400
    assert (await oauth_app.exchange(await oauth_app.code())).status_code == 200


async def test_a_personal_token_is_shown_once_and_revoked(oauth_app: OAuthApp) -> None:
    browser = await oauth_app.sign_in("bob")
    made = await browser.post("/app/me/tokens", data={"do": "issue", "scope": "read"})
    token = re.search("<pre>([0-9a-f]{40})</pre>", made.text)[1]
    page = (await browser.get("/app/me/tokens")).text
    token_id = re.search(r"Token (\d+)</span> <span[^>]*>read only", page)[1]

    assert made.headers["cache-control"] == "no-store"
    assert token not in page
    assert await oauth_app.who(token) == "bob"
    assert (
        await (await oauth_app.sign_in("alice")).post("/app/me/tokens", data={"do": "revoke", "id": token_id})
    ).status_code == 404
    assert await oauth_app.who(token) == "bob"
    assert (await browser.post("/app/me/tokens", data={"do": "revoke", "id": token_id})).status_code == 303
    assert await oauth_app.who(token) == 401


async def test_a_token_has_a_name_and_says_when_it_was_used(oauth_app: OAuthApp) -> None:
    browser = await oauth_app.sign_in("bob")
    made = await browser.post("/app/me/tokens", data={"do": "issue", "scope": "read", "name": " Zap<ier> "})
    assert "Zap&lt;ier&gt;</span>" in made.text
    assert "Last used" not in made.text
    assert await oauth_app.who(re.search("<pre>([0-9a-f]{40})</pre>", made.text)[1]) == "bob"
    unused = "SELECT last_used_at IS NULL FROM access_tokens WHERE name = 'Zap<ier>'"
    while await oauth_app.database.fetchval(unused):  # noqa: ASYNC110 -- it is noted beside the answer
        await asyncio.sleep(0.01)
    assert re.search('Last used <time datetime="[^"]+">', (await browser.get("/app/me/tokens")).text)
    for name in ("x" * 201, "a\nb"):
        refused = await browser.post("/app/me/tokens", data={"do": "issue", "scope": "read", "name": name})
        assert refused.status_code == 422
        assert "name: " in refused.text
    assert await oauth_app.database.fetchval("SELECT count(*) FROM access_tokens WHERE name IS NOT NULL") == 1


async def test_an_application_says_when_it_was_used(oauth_app: OAuthApp) -> None:
    tokens = await oauth_app.tokens("alice")
    browser = await oauth_app.sign_in("alice")
    assert "No use noted yet" in (await browser.get("/app/me/applications")).text
    assert await oauth_app.who(tokens["access_token"]) == "alice"
    unused = "SELECT max(last_used_at) IS NULL FROM access_tokens WHERE grant_id IS NOT NULL"
    while await oauth_app.database.fetchval(unused):  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.01)
    assert "Last used" in (await browser.get("/app/me/applications")).text


async def test_tokens_of_applications_are_no_personal_ones(oauth_app: OAuthApp) -> None:
    tokens = await oauth_app.tokens("bob")
    token_id = await oauth_app.database.fetchval("SELECT id FROM access_tokens WHERE grant_id IS NOT NULL")
    browser = await oauth_app.sign_in("bob")

    assert f"Token {token_id}<" not in (await browser.get("/app/me/tokens")).text
    assert (await browser.post("/app/me/tokens", data={"do": "revoke", "id": str(token_id)})).status_code == 404
    assert await oauth_app.who(tokens["access_token"]) == "bob"
    refused = (({"do": "issue", "scope": "admin"}, 422), ({"do": "revoke", "id": "x"}, 422), ({"do": "else"}, 400))
    for form, status in refused:
        assert (await browser.post("/app/me/tokens", data=form)).status_code == status


@pytest.mark.parametrize("path", ["/app/me/applications", "/app/me/tokens"])
async def test_these_pages_are_for_who_is_signed_in_and_sent_from_ourselves(oauth_app: OAuthApp, path: str) -> None:
    browser = await oauth_app.sign_in("bob")
    form = {"do": "issue", "scope": "write", "name": "X", "redirect_uris": CALLBACK}
    foreign = await browser.post(path, data=form, headers={"Origin": "https://evil.example"})

    assert (await oauth_app.browser().get(path)).headers["location"] == f"/sign-in?next={path}"
    assert (await oauth_app.browser().post(path, data=form)).status_code == 303
    assert foreign.status_code == 403
    assert await oauth_app.database.fetchval("SELECT count(*) FROM applications") == 2
    assert path in (await browser.get("/app/me")).text


async def test_a_session_opens_pages_and_no_path_of_the_api(oauth_app: OAuthApp) -> None:
    """Pages of other sites may call the API, so that a browser's cookie must not count there."""
    browser = await oauth_app.sign_in("alice")
    for method, path in (("GET", "/me"), ("GET", "/contacts"), ("POST", "/tags"), ("DELETE", "/contacts/1")):
        answer = await browser.request(method, path, headers={"Origin": "https://evil.example"})
        assert (answer.status_code, answer.json()["message"]) == (401, "No access token")
    bearer = await oauth_app.browser().get(
        "/app/me/tokens", headers={"Authorization": f"Bearer {oauth_app.town.tokens['alice']}"}
    )
    assert bearer.headers["location"] == "/sign-in?next=/app/me/tokens", "nor a token a page"

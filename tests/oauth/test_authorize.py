"""The consent page: who may ask for what, who is sent where, and that no one is sent to an unintended address."""

import re
from urllib.parse import urlsplit

import pytest

from tests.support.oauth_app import CALLBACK, CHALLENGE, HOST, PASSWORD, PKCE, VERIFIER, OAuthApp, parameters


async def test_a_user_signs_in_sees_who_asks_for_what_and_allows_it(oauth_app: OAuthApp) -> None:
    browser = oauth_app.browser()
    sent_away = await browser.get("/oauth2/authorize", params=oauth_app.question(scope="read"))
    form = await browser.get(sent_away.headers["location"])
    target = re.search('name="next" value="([^"]+)"', form.text)[1].replace("&amp;", "&")
    signed_in = await browser.post(
        "/sign-in", data={"email": "alice@example.com", "password": PASSWORD, "next": target}
    )
    page = await browser.get(signed_in.headers["location"])
    action = re.search('action="(/oauth2/authorize[^"]+)"', page.text)[1].replace("&amp;", "&")
    allowed = await browser.post(action, data={"answer": "allow"})

    assert (sent_away.status_code, signed_in.status_code, page.status_code) == (303, 303, 200)
    for part in ("Let Dialer in?", "Alice Town", "dave@example.com", "https://app.example", "See what you see"):
        assert part in page.text
    assert "change" not in page.text
    assert allowed.status_code == 302
    assert allowed.headers["location"].startswith(f"{CALLBACK}?code=")
    assert parameters(allowed).keys() == {"code", "state"}
    assert re.fullmatch("[0-9a-f]{40}", parameters(allowed)["code"])
    assert parameters(allowed)["state"] == "s 1&"


async def test_who_refuses_is_sent_back_with_access_denied(oauth_app: OAuthApp) -> None:
    browser = await oauth_app.sign_in("alice")
    refused = await browser.post("/oauth2/authorize", params=oauth_app.question(), data={"answer": "refuse"})

    assert refused.status_code == 302
    assert parameters(refused)["error"] == "access_denied"
    assert parameters(refused)["state"] == "s 1&"
    assert await oauth_app.database.fetchval("SELECT count(*) FROM grants") == 0


@pytest.mark.parametrize("path", ["//oauth2//authorize", "/OAuth2/Authorize/", "/oauth2///authorize//"])
async def test_runs_of_slashes_and_letter_case_do_not_matter(oauth_app: OAuthApp, path: str) -> None:
    browser = await oauth_app.sign_in("alice")
    url = HOST + path

    assert "Let Dialer in?" in (await browser.get(url, params=oauth_app.question())).text
    answer = await browser.post(url, params=oauth_app.question(), data={"answer": "allow"})
    assert "code" in parameters(answer)


STRAY = [
    {"client_id": "unknown"},
    {"client_id": None},
    {"client_id": "\0"},
    {"redirect_uri": "https://evil.example/cb"},
    {"redirect_uri": CALLBACK + "/"},
    {"redirect_uri": CALLBACK + "?x=1"},
    {"redirect_uri": "https://APP.example/cb"},
    {"redirect_uri": "https://app.example:8443/cb"},
    {"redirect_uri": 'https://app.example/"'},
    {"redirect_uri": "javascript:alert(1)"},
]


@pytest.mark.parametrize("changed", STRAY, ids=str)
async def test_who_is_not_registered_is_answered_here_and_never_redirects(oauth_app: OAuthApp, changed: dict) -> None:
    browser = await oauth_app.sign_in("alice")
    for answer in (
        await browser.get("/oauth2/authorize", params=oauth_app.question(**changed)),
        await browser.post("/oauth2/authorize", params=oauth_app.question(**changed), data={"answer": "allow"}),
        await oauth_app.browser().get("/oauth2/authorize", params=oauth_app.question(**changed)),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "That cannot be read" in answer.text


async def test_a_client_or_an_address_that_is_sent_twice_never_redirects(oauth_app: OAuthApp) -> None:
    browser = await oauth_app.sign_in("alice")
    for name in ("client_id", "redirect_uri"):
        pairs = [*oauth_app.question().items(), (name, oauth_app.question()[name])]
        assert (await browser.get("/oauth2/authorize", params=pairs)).status_code == 400


REPORTED = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_type": None}, "unsupported_response_type"),
    ({"scope": "admin"}, "invalid_scope"),
    ({"scope": "READ,openid"}, "invalid_scope"),
    ({"code_challenge": CHALLENGE}, "invalid_request"),
    ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
    ({"code_challenge_method": "S256"}, "invalid_request"),
]


@pytest.mark.parametrize(("changed", "error"), REPORTED, ids=[f"{c} {e}" for c, e in REPORTED])
async def test_other_faults_are_reported_to_the_application(oauth_app: OAuthApp, changed: dict, error: str) -> None:
    answer = await oauth_app.browser().get("/oauth2/authorize", params=oauth_app.question(**changed))
    sent = parameters(answer)

    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (302, CALLBACK)
    assert (sent["error"], sent["state"], list(sent)) == (error, "s 1&", ["error", "error_description", "state"])
    assert sent["error_description"]


async def test_parameters_that_are_sent_twice_are_reported_too(oauth_app: OAuthApp) -> None:
    for name in ("response_type", "scope", "state"):
        pairs = [*oauth_app.question(scope="read").items(), (name, "code" if name == "response_type" else "write")]
        answer = await oauth_app.browser().get("/oauth2/authorize", params=pairs)
        assert parameters(answer)["error"] == "invalid_request"


async def test_an_application_without_a_secret_needs_a_challenge(oauth_app: OAuthApp) -> None:
    bare = {name: value for name, value in oauth_app.question(oauth_app.phone).items() if name not in PKCE}
    answer = await oauth_app.browser().get("/oauth2/authorize", params=bare)

    assert parameters(answer)["error"] == "invalid_request"
    code = await oauth_app.code(application=oauth_app.phone)
    assert (await oauth_app.exchange(code, oauth_app.phone, code_verifier=VERIFIER)).status_code == 200


SCOPES = [
    (None, "write"),
    ("", "write"),
    (" , ", "write"),
    ("read", "read"),
    ("write read", "write read"),
    ("read,write", "read write"),
    ("read, write openid", "read write"),
    ("write write", "write"),
]


@pytest.mark.parametrize(("asked", "granted"), SCOPES)
async def test_scopes_come_in_every_form_and_are_granted_in_the_order_asked(
    oauth_app: OAuthApp, asked, granted: str
) -> None:
    assert (await oauth_app.tokens(scope=asked))["scope"] == granted


async def test_the_only_registered_address_may_be_left_out(oauth_app: OAuthApp) -> None:
    code = await oauth_app.code(redirect_uri=None)
    assert (await oauth_app.exchange(code)).status_code == 200
    two = await oauth_app.register(CALLBACK, CALLBACK + "2")
    browser = await oauth_app.sign_in("alice")
    answer = await browser.get("/oauth2/authorize", params=oauth_app.question(two, redirect_uri=None))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("registered", "sent", "fits"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1:3000/cb", "http://127.0.0.1:4000/cb", True),
        ("http://[::1]/cb?x=1", "http://[::1]:9/cb?x=1", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", False),
        ("http://127.0.0.1/cb", "http://[::1]:51004/cb", False),
        ("http://localhost:3000/cb", "http://localhost:4000/cb", False),
    ],
)
async def test_any_port_will_do_on_a_loopback_address(
    oauth_app: OAuthApp, registered: str, sent: str, fits: bool
) -> None:
    local = await oauth_app.register(registered)
    browser = await oauth_app.sign_in("alice")
    answer = await browser.post(
        "/oauth2/authorize", params=oauth_app.question(local, redirect_uri=sent), data={"answer": "allow"}
    )

    assert answer.status_code == (302 if fits else 400)
    if fits:
        assert answer.headers["location"].startswith(sent)
        code = parameters(answer)["code"]
        assert (await oauth_app.exchange(code, local, redirect_uri=registered)).json()["error"] == "invalid_grant"
        assert (await oauth_app.exchange(code, local, redirect_uri=sent)).status_code == 200


async def test_an_address_keeps_its_own_parameters_and_may_be_of_a_scheme_of_its_own(oauth_app: OAuthApp) -> None:
    for uri in ("https://app.example/cb?tenant=7", "com.example.app:/cb"):
        application = await oauth_app.register(uri)
        browser = await oauth_app.sign_in("alice")
        question = oauth_app.question(application, redirect_uri=uri)
        page = await browser.get("/oauth2/authorize", params=question)
        answer = await browser.post("/oauth2/authorize", params=question, data={"answer": "allow"})
        place = "https://app.example" if uri.startswith("https") else "com.example.app:"

        assert f"form-action 'self' {place};" in page.headers["content-security-policy"]
        assert urlsplit(answer.headers["location"]).scheme == urlsplit(uri).scheme
        assert parameters(answer).get("tenant") == ("7" if "tenant" in uri else None)
        assert "code" in parameters(answer)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_site_can_allow_nothing(oauth_app: OAuthApp, headers: dict[str, str]) -> None:
    browser = await oauth_app.sign_in("alice")
    answer = await browser.post(
        "/oauth2/authorize", params=oauth_app.question(), data={"answer": "allow"}, headers=headers
    )

    assert answer.status_code == 403
    assert await oauth_app.database.fetchval("SELECT count(*) FROM grants") == 0


async def test_no_one_can_frame_the_page_read_it_or_press_what_it_does_not_have(oauth_app: OAuthApp) -> None:
    browser = await oauth_app.sign_in("alice")
    page = await browser.get("/oauth2/authorize", params=oauth_app.question())
    odd = await browser.post("/oauth2/authorize", params=oauth_app.question(), data={"answer": "maybe"})
    visitor = await oauth_app.browser().post("/oauth2/authorize", params=oauth_app.question(), data={"answer": "allow"})
    many = await browser.get("/oauth2/authorize?" + "&".join(f"x{n}=1" for n in range(101)))

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert not [name for name in page.headers if name.startswith("access-control-")], "no CORS here"
    assert (odd.status_code, visitor.status_code, many.status_code) == (400, 303, 400)
    assert visitor.headers["location"].startswith("/sign-in?next=/oauth2/authorize%3F")
    assert (await browser.delete("/oauth2/authorize")).status_code == 405


async def test_what_an_application_is_called_runs_no_script(oauth_app: OAuthApp) -> None:
    odd = await oauth_app.register(CALLBACK)
    await oauth_app.database.execute(
        "UPDATE applications SET name = '<script>alert(1)</script>' WHERE client_id = $1", odd.client_id
    )
    page = await (await oauth_app.sign_in("alice")).get("/oauth2/authorize", params=oauth_app.question(odd))

    assert "&lt;script&gt;alert" in page.text
    assert "<script>alert" not in page.text

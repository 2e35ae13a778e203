"""Signing in and out: who may, for how long, what a guesser reads, and what the cookie is like."""

import asyncio

import httpx
import pytest

from tests.support.web_app import PASSWORD, WebApp, with_settings


async def sign_in(browser: httpx.AsyncClient, email: str = "bob@example.com", password: str = PASSWORD, **more: str):
    return await browser.post("/sign-in", data={"email": email, "password": password, **more})


async def test_the_form_leads_to_the_page_that_was_wanted(web_app: WebApp) -> None:
    browser = web_app.browser()
    sent_away = await browser.get("/app/leads")
    form = await browser.get(sent_away.headers["location"])
    answer = await sign_in(browser, email=" Bob@Example.com ", next="/app/leads")

    assert (sent_away.status_code, sent_away.headers["location"]) == (303, "/sign-in?next=/app/leads")
    assert 'name="next" value="/app/leads"' in form.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/leads")
    assert (await browser.get("/app/leads")).status_code == 200
    assert (await browser.get("/sign-in?next=/app/leads")).headers["location"] == "/app/leads", "Bob is signed in"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "outbox", "/a\nb", ""],
)
async def test_no_other_site_is_reached_through_the_form(web_app: WebApp, target: str) -> None:
    assert (await sign_in(web_app.browser(), next=target)).headers["location"] == "/"
    assert 'value="/"' in (await web_app.browser().get("/sign-in", params={"next": target})).text


@pytest.mark.parametrize(
    ("email", "password"),
    [("bob@example.com", "wrong"), ("unknown@example.com", PASSWORD), ("", ""), ("bob\0@example.com", PASSWORD),
     ("bob@example.com", "x" * 5000)],
)  # fmt: skip
async def test_a_refused_sign_in_does_not_say_what_was_wrong(web_app: WebApp, email: str, password: str) -> None:
    browser = web_app.browser()
    answer = await sign_in(browser, email, password)

    assert answer.status_code == 403
    assert "The e-mail or the password is wrong." in answer.text
    assert not answer.cookies
    assert (await browser.get("/app")).headers["location"] == "/sign-in?next=/app"


async def test_an_account_without_a_password_or_that_was_closed_cannot_sign_in(web_app: WebApp) -> None:
    await web_app.database.execute("UPDATE users SET password_hash = NULL WHERE username = 'bob'")
    carol = await web_app.sign_in("carol")
    await web_app.database.execute("UPDATE users SET is_active = false WHERE username = 'carol'")

    assert (await sign_in(web_app.browser(), "bob@example.com", "no one has this password")).status_code == 403
    assert (await sign_in(web_app.browser(), "carol@example.com")).status_code == 403
    assert (await carol.get("/app")).status_code == 303, "Carol is signed out at once"


async def test_a_session_is_stored_as_a_hash_and_ends(web_app: WebApp) -> None:
    browser = await web_app.sign_in("bob")
    token = browser.cookies["leadroutes"]
    session = await web_app.database.fetchrow("SELECT token_hash, expires_at - now() AS life FROM sessions")
    await web_app.pass_minutes(60 * 24 * 30)

    assert token.encode() not in session["token_hash"]
    assert 89.9 < session["life"].total_seconds() / 86_400 <= 90
    assert (await browser.get("/app")).status_code == 200, "a session's life is real time"
    await web_app.database.execute("UPDATE sessions SET expires_at = now()")
    assert (await browser.get("/app")).status_code == 303
    await web_app.sign_in("bob")
    assert await web_app.database.fetchval("SELECT count(*) FROM sessions") == 1, "the one that had ended is gone"


async def test_signing_out_ends_the_session_itself(web_app: WebApp) -> None:
    browser = await web_app.sign_in("bob")
    token = browser.cookies["leadroutes"]
    answer = await browser.post("/sign-out")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert (await web_app.browser(Cookie=f"leadroutes={token}").get("/app")).status_code == 303
    assert (await web_app.browser().get("/sign-out")).status_code == 405


async def test_signing_in_again_ends_the_session_before(web_app: WebApp) -> None:
    browser = await web_app.sign_in("bob")
    first = browser.cookies["leadroutes"]
    await sign_in(browser, "carol@example.com")

    assert browser.cookies["leadroutes"] != first
    assert "Carol Town" in (await browser.get("/app")).text
    assert (await web_app.browser(Cookie=f"leadroutes={first}").get("/app")).status_code == 303


async def test_the_cookie_is_for_our_pages_alone(web_app: WebApp) -> None:
    plain = (await sign_in(web_app.browser())).headers["set-cookie"]
    secure = (await sign_in(with_settings(web_app, public_url="https://town").browser())).headers["set-cookie"]

    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=7776000"):
        assert part in plain
        assert part in secure
    assert "Secure" not in plain
    assert secure.startswith("__Host-leadroutes=")
    assert "Secure" in secure


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_site_can_sign_no_one_in_or_out(web_app: WebApp, headers: dict[str, str]) -> None:
    browser = await web_app.sign_in("bob")

    assert (await browser.post("/sign-out", headers=headers)).status_code == 403
    assert (await browser.get("/app")).status_code == 200
    assert (await sign_in(web_app.browser(**headers))).status_code == 403


async def test_after_ten_failures_an_account_has_to_wait(web_app: WebApp) -> None:
    browser = web_app.browser()
    answers = await asyncio.gather(*(sign_in(browser, password="wrong") for _ in range(12)))
    right = await sign_in(web_app.browser())

    assert sorted(answer.status_code for answer in answers) == [403] * 10 + [429] * 2
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 900
    assert "Try again in 15 minutes" in right.text
    assert (await sign_in(browser, "carol@example.com")).status_code == 303, "others may"


async def test_after_fifty_failures_an_address_has_to_wait(web_app: WebApp) -> None:
    browser = web_app.browser()
    answers = await asyncio.gather(*(sign_in(browser, f"{n}@example.com", "x" * 300) for n in range(51)))

    assert sorted(answer.status_code for answer in answers) == [403] * 50 + [429]
    assert (await sign_in(browser)).status_code == 429


async def test_forms_that_cannot_be_read_are_refused(web_app: WebApp) -> None:
    browser = web_app.browser()

    async def slow():
        yield b"email="
        await asyncio.Event().wait()

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.post("/sign-in", json={"email": "bob@example.com"})).status_code == 400
    assert (await browser.post("/sign-in", content=b"a=1&" * 21, headers=form)).status_code == 400
    assert (await browser.post("/sign-in", content=b"a" * 20_000, headers=form)).status_code == 413
    assert (await browser.post("/sign-in", content=b"email=%ff%fe&password=\xff", headers=form)).status_code == 403
    assert (await browser.post("/sign-in", content=slow(), headers=form)).status_code == 408

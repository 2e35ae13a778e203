"""How long a session lives, what its list shows, and what is written down of sign-ins."""

from leadroutes.engine.ended_sessions import end_sessions
from leadroutes.store.sessions import list_sessions
from tests.support.web_app import PASSWORD, WebApp

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


async def test_a_session_lives_ninety_days_from_its_last_use_which_is_noted_once_an_hour(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    noted = "SELECT last_used_at, expires_at - now() AS life FROM sessions"
    before = await web_app.database.fetchrow(noted)
    assert "set-cookie" not in (await bob.get("/")).headers
    assert (await web_app.database.fetchrow(noted))["last_used_at"] == before["last_used_at"]

    await web_app.database.execute(
        "UPDATE sessions SET last_used_at = now() - interval '61 minutes', expires_at = now() + interval '1 day'"
    )
    answer = await bob.get("/")
    after = await web_app.database.fetchrow(noted)
    assert after["last_used_at"] > before["last_used_at"]
    assert after["life"].days in (89, 90)
    assert "Max-Age=7776000" in answer.headers["set-cookie"], "the browser's cookie lives on as well"
    assert bob.cookies["leadroutes"] in answer.headers["set-cookie"]


async def test_signing_out_wins_over_a_cookie_that_would_live_on(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    await web_app.database.execute("UPDATE sessions SET last_used_at = now() - interval '2 hours'")
    answer = await bob.post("/sign-out")

    assert answer.headers.get_list("set-cookie")[0].startswith('leadroutes=""')
    assert len(answer.headers.get_list("set-cookie")) == 1


async def test_a_list_names_browsers_and_knows_the_present_one(web_app: WebApp) -> None:
    await web_app.sign_in("bob")
    browser = web_app.browser(**FIREFOX)
    await browser.post("/sign-in", data={"email": "bob@example.com", "password": PASSWORD})
    token = browser.cookies["leadroutes"]
    sessions = await list_sessions(web_app.database, web_app.town.users["bob"], token)

    assert [(each["browser"], each["is_current"]) for each in sessions] == [
        ("Firefox on Linux", True), ("Unknown browser", False),
    ]  # fmt: skip
    bob = web_app.town.users["bob"]
    assert await end_sessions(web_app.database, bob, bob, spared=token) == 1
    assert (await browser.get("/app")).status_code == 200
    assert len(await list_sessions(web_app.database, bob)) == 1


async def test_what_happens_at_sign_in_is_written_down_and_what_was_typed_is_not(web_app: WebApp) -> None:
    browser = web_app.browser(**FIREFOX)
    for email, password in (("bob@example.com", "wrong"), ("my password", "x"), ("bob@example.com", PASSWORD)):
        await browser.post("/sign-in", data={"email": email, "password": password})
    await browser.post("/sign-out")
    rows = await web_app.database.fetch("SELECT user_id, kind, method, browser, network FROM sign_ins ORDER BY id")
    bob = web_app.town.users["bob"]

    assert [(row["user_id"], row["kind"], row["method"]) for row in rows] == [
        (bob, "wrong password", None), (None, "wrong password", None), (bob, "signed in", "password"),
        (bob, "signed out", None),
    ]  # fmt: skip
    assert {(row["browser"], row["network"]) for row in rows} == {("Firefox on Linux", "127.0.0.1")}

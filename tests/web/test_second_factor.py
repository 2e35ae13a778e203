"""The second step of a sign-in: codes, recovery codes, trusted browsers, and administrators who need one."""

import asyncio
import re
from typing import Any

import httpx

from leadroutes.domain.totp import code_at, step_at
from leadroutes.engine.users import ChangedBy, change_user
from tests.support.codes import add_factor, present_code
from tests.support.web_app import PASSWORD, WebApp, with_settings

KEY = "a secret of the tests"


async def give_factor(web_app: WebApp, name: str = "bob") -> tuple[str, list[str]]:
    return await add_factor(web_app.database, KEY, web_app.town.users[name])


async def password(browser: httpx.AsyncClient, name: str = "bob", **more: str) -> httpx.Response:
    return await browser.post("/sign-in", data={"email": f"{name}@example.com", "password": PASSWORD, **more})


async def step(browser: httpx.AsyncClient, code: str, **more: str) -> httpx.Response:
    return await browser.post("/sign-in/step", data={"code": code, **more})


async def log(web_app: WebApp) -> list[tuple[str, str | None]]:
    rows = await web_app.database.fetch("SELECT kind, method FROM sign_ins ORDER BY id")
    return [(row["kind"], row["method"]) for row in rows]


async def test_a_password_alone_is_not_enough_and_the_wanted_page_is_remembered(web_app: WebApp) -> None:
    secret, _ = await give_factor(web_app)
    browser = web_app.browser()
    asked = await password(browser, next="/app/leads")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in/step?next=/app/leads")
    assert (await browser.get("/app/leads")).status_code == 303, "not signed in yet"
    assert 'value="/app/leads"' in (await browser.get(asked.headers["location"])).text
    done = await step(browser, await present_code(web_app.database, secret), next="/app/leads")

    assert (done.status_code, done.headers["location"]) == (303, "/app/leads")
    assert (await browser.get("/app/leads")).status_code == 200
    assert (await browser.get("/sign-in/step")).headers["location"] == "/sign-in", "the step is done"
    assert await log(web_app) == [("second factor added", None), ("signed in", "code")]


async def test_a_wrong_code_is_refused_and_the_sign_in_still_waits(web_app: WebApp) -> None:
    secret, _ = await give_factor(web_app)
    browser = web_app.browser()
    await password(browser)
    wrong = await step(browser, code_at(secret, 1))
    assert (wrong.status_code, "The code is wrong" in wrong.text) == (403, True)
    assert (await browser.get("/")).status_code == 303

    assert (await step(browser, await present_code(web_app.database, secret))).status_code == 303
    assert ("wrong code", None) in await log(web_app)


async def test_a_code_is_good_once_also_in_two_browsers_at_once(web_app: WebApp) -> None:
    secret, _ = await give_factor(web_app)
    browsers = [web_app.browser() for _ in range(4)]
    for browser in browsers:
        await password(browser)
    code = await present_code(web_app.database, secret)
    answers = await asyncio.gather(*(step(browser, code) for browser in browsers))

    assert sorted(answer.status_code for answer in answers) == [303, 403, 403, 403]
    [still_waiting, *_] = [each for each, answer in zip(browsers, answers, strict=True) if answer.status_code == 403]
    earlier = code_at(secret, step_at(await web_app.database.real_now()) - 1)
    assert (await step(still_waiting, earlier)).status_code == 403, "nor is an earlier one"


async def test_a_recovery_code_is_good_once_however_it_is_typed(web_app: WebApp) -> None:
    _, codes = await give_factor(web_app)
    assert len(set(codes)) == 10
    stored = await web_app.database.fetch("SELECT code_hash FROM recovery_codes")
    assert all(codes[0].encode() not in row["code_hash"] for row in stored)
    first, second = web_app.browser(), web_app.browser()
    await password(first)
    await password(second)

    assert (await step(first, codes[0].upper().replace("-", " "))).status_code == 303
    assert (await step(second, codes[0])).status_code == 403
    assert (await step(second, codes[1])).status_code == 303
    assert ("signed in", "recovery code") in await log(web_app)


async def test_after_ten_wrong_codes_one_has_to_wait(web_app: WebApp) -> None:
    secret, _ = await give_factor(web_app)
    browser = web_app.browser()
    await password(browser)
    answers = await asyncio.gather(*(step(browser, f"{number:06}") for number in range(12)))
    other = web_app.browser()
    await password(other)

    assert sorted(answer.status_code for answer in answers) == [403] * 10 + [429] * 2
    assert (await step(other, await present_code(web_app.database, secret))).status_code == 429


async def test_a_trusted_browser_is_not_asked_for_thirty_days(web_app: WebApp) -> None:
    secret, _ = await give_factor(web_app)
    browser = web_app.browser(**{"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
    await password(browser)
    trusted = await step(browser, await present_code(web_app.database, secret), trust="yes")
    assert "Max-Age=2592000" in trusted.headers["set-cookie"]
    await browser.post("/sign-out")
    assert (await password(browser)).headers["location"] == "/"
    assert ("signed in", "trusted browser") in await log(web_app)

    row = await web_app.database.fetchrow("SELECT browser, expires_at - now() AS life FROM trusted_browsers")
    assert row["browser"] == "Firefox on Windows"
    assert 29.9 < row["life"].total_seconds() / 86_400 <= 30
    assert (await password(web_app.browser())).headers["location"] == "/sign-in/step", "another browser is asked"
    await give_factor(web_app, "carol")
    assert (await password(browser, "carol")).headers["location"] == "/sign-in/step", "another user is asked"
    await web_app.database.execute("UPDATE trusted_browsers SET expires_at = now()")
    assert (await password(browser)).headers["location"] == "/sign-in/step"


async def test_a_new_password_ends_trust_and_waiting_sign_ins(web_app: WebApp) -> None:
    secret, _ = await give_factor(web_app)
    browser, waiting = web_app.browser(), web_app.browser()
    await password(browser)
    await step(browser, await present_code(web_app.database, secret), trust="yes")
    await password(waiting)
    await change_user(web_app.database, web_app.town.users["bob"], {"password": PASSWORD}, ChangedBy())
    assert (await step(waiting, await present_code(web_app.database, secret, 1))).headers["location"] == "/sign-in"
    assert (await password(browser)).headers["location"] == "/sign-in/step"


async def test_a_step_without_a_password_before_it_leads_to_the_form(web_app: WebApp) -> None:
    secret, _ = await give_factor(web_app)
    browser = web_app.browser()
    answer = await step(browser, await present_code(web_app.database, secret))

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    await password(browser)
    await web_app.database.execute("UPDATE pending_sign_ins SET expires_at = now()")
    assert (await browser.get("/sign-in/step")).headers["location"] == "/sign-in"
    assert (await step(browser, await present_code(web_app.database, secret))).headers["location"] == "/sign-in"


# ------------------------------------------------------------------------------------------------------ enrolment


def secret_in(page: httpx.Response) -> str:
    found = re.search(r"Secret: <code>(\w+)</code>", page.text)
    assert found is not None, page.text
    return found[1]


def codes_in(page: httpx.Response) -> list[str]:
    return re.findall(r"(?:[a-z2-7]{4}-){3}[a-z2-7]{4}", page.text)


async def enrol(web_app: WebApp, browser: httpx.AsyncClient, path: str) -> Any:
    begun = await browser.post(path, data={"do": "begin"})
    code = await present_code(web_app.database, secret_in(begun))
    return begun, await browser.post(path, data={"do": "confirm", "code": code})


async def test_wrong_codes_of_a_factor_that_is_being_added_count_too(web_app: WebApp) -> None:
    strict = with_settings(web_app, admin_second_factor=True)
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    alice = strict.browser()
    await password(alice, "alice")
    code = await present_code(web_app.database, secret_in(await alice.post("/sign-in/step", data={"do": "begin"})))
    wrong = {"do": "confirm", "code": f"{(int(code) + 500_000) % 1_000_000:06}"}
    for _ in range(10):
        assert "This code is not right" in (await alice.post("/sign-in/step", data=wrong)).text
    late = await alice.post("/sign-in/step", data={"do": "confirm", "code": code})
    assert "Too many wrong codes. Try again in 15 minutes." in late.text
    assert codes_in(late) == []


async def test_an_administrator_who_needs_one_is_led_to_add_it(web_app: WebApp) -> None:
    strict = with_settings(web_app, admin_second_factor=True)
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    alice = strict.browser()
    assert (await password(alice, "alice")).headers["location"] == "/sign-in/step"
    assert "Administrators need a second factor" in (await alice.get("/sign-in/step")).text
    assert (await alice.get("/app")).status_code == 303
    _, confirmed = await enrol(strict, alice, "/sign-in/step")

    assert len(codes_in(confirmed)) == 10
    assert (await alice.get("/app")).status_code == 200, "signed in by it"
    assert (await password(strict.browser(), "bob")).headers["location"] == "/", "agents need none"
    assert (await password(strict.browser(), "alice")).headers["location"] == "/sign-in/step"

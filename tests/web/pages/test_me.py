"""One's own account: details, picture, e-mail, password, sessions, the second factor."""

import re
from io import BytesIO

import httpx
from PIL import Image

from leadroutes.engine.second_factors import trust_browser
from leadroutes.store.sign_ins import Whereabouts
from tests.support.codes import add_factor, present_code
from tests.support.page_forms import form
from tests.support.web_app import HOST, PASSWORD, WebApp, with_settings

DETAILS = {"first_name": "Robert", "last_name": "Town", "phone": "303-555-0142", "timezone": "America/Denver"}
KEY = "a secret of the tests"
SECURITY = "/app/me/security"


async def sent(browser: httpx.AsyncClient, path: str, do: str, **fields: str) -> httpx.Response:
    """What a form of a page answers to these fields."""
    return await browser.post(path, data=form((await browser.get(path)).text, do) | fields)


async def user(web_app: WebApp, name: str = "bob") -> dict[str, object]:
    row = await web_app.database.fetchrow("SELECT * FROM users WHERE id = $1", web_app.town.users[name])
    return dict(row)


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/app")).status_code == 200


# -------------------------------------------------------------------------------------------------------- details


async def test_bob_changes_his_details_and_reads_times_in_his_zone(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    answer = await sent(bob, "/app/me", "details", **DETAILS, postal_address="12 Elm Street\nDenver")

    assert (answer.status_code, answer.headers["location"]) == (303, "/app/me")
    page = (await bob.get("/app/me")).text
    assert "Saved." in page
    assert '<option value="America/Denver" selected>' in page
    stored = await user(web_app)
    assert (stored["first_name"], stored["phone"]) == ("Robert", "+13035550142")
    assert stored["postal_address"] == "12 Elm Street\nDenver"


async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    refused = await sent(bob, "/app/me", "details", **DETAILS | {"phone": "12", "timezone": "Mars"})

    assert refused.status_code == 422
    assert "2 things are not right yet" in refused.text
    assert "Enter a phone number with its area code" in refused.text
    assert "Choose a time zone from the list" in refused.text
    assert 'value="Robert"' in refused.text
    assert (await user(web_app))["first_name"] == "Bob"


async def test_of_two_open_forms_the_second_shows_both_versions(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    old = form((await bob.get("/app/me")).text, "details")
    await sent(bob, "/app/me", "details", **DETAILS)
    stale = await bob.post("/app/me", data=old | DETAILS | {"first_name": "Bobby"})

    assert stale.status_code == 409
    assert "Someone has changed this" in stale.text
    assert (await user(web_app))["first_name"] == "Robert"
    again = await bob.post("/app/me", data=form(stale.text, "details") | DETAILS | {"first_name": "Bobby"})
    assert again.status_code == 303
    assert (await user(web_app))["first_name"] == "Bobby"


# -------------------------------------------------------------------------------------------------------- picture


def picture(kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (300, 200), "green").save(out, kind)
    return out.getvalue()


async def test_a_picture_is_set_shown_and_removed(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    hidden = form((await bob.get("/app/me")).text, "picture")
    files = {"picture": ("me.png", picture(), "image/png")}
    assert (await bob.post("/app/me", data=hidden, files=files)).status_code == 303
    page = (await bob.get("/app/me")).text
    assert re.search(rf'<img class="portrait" src="{HOST}/pictures/[0-9a-f]{{64}}"', page)

    assert (await sent(bob, "/app/me", "no_picture")).status_code == 303
    assert "portrait" not in (await bob.get("/app/me")).text


async def test_what_is_no_picture_or_too_large_is_refused_in_words(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    for name, content, kind in (
        ("me.png", b"nothing", "image/png"),
        ("me.svg", b"<svg/>", "image/svg+xml"),
        ("me.png", picture() + b"\0" * 600_000, "image/png"),
    ):
        hidden = form((await bob.get("/app/me")).text, "picture")
        refused = await bob.post("/app/me", data=hidden, files={"picture": (name, content, kind)})
        assert (refused.status_code, "Choose a picture: PNG" in refused.text) == (422, True)


# ------------------------------------------------------------------------------------------------ e-mail, password


async def test_a_new_email_waits_for_its_link_and_needs_the_password(web_app: WebApp) -> None:
    bob = await with_settings(web_app, smtp_url="smtp://mail.example.com").sign_in("bob")
    wrong = await sent(bob, "/app/me", "email", email="robert@example.com", current_password="guess")
    assert (wrong.status_code, "not your present password" in wrong.text) == (422, True)
    assert 'value="robert@example.com"' in wrong.text
    assert 'value="guess"' not in wrong.text

    asked = await sent(bob, "/app/me", "email", email="robert@example.com", current_password=PASSWORD)
    assert asked.status_code == 303
    assert "on its way to robert@example.com" in (await bob.get("/app/me")).text
    assert (await user(web_app))["email"] == "bob@example.com"
    assert await web_app.database.fetchval("SELECT email FROM email_changes") == "robert@example.com"


async def test_without_mail_the_page_does_not_promise_one(web_app: WebApp) -> None:
    page = (await (await web_app.sign_in("bob")).get("/app/me")).text
    assert "sends no mail yet" in page
    assert 'name="email"' not in page


async def test_a_new_password_signs_out_elsewhere_but_not_here(web_app: WebApp) -> None:
    here, elsewhere = await web_app.sign_in("bob"), await web_app.sign_in("bob")
    new = {"current_password": PASSWORD, "password": "a new password", "again": "a new password"}
    for wrong, words in (
        ({"again": "another one"}, "not the same"),
        ({"password": "short", "again": "short"}, "8 to 255"),
        ({"current_password": "guess"}, "not your present password"),
    ):
        refused = await sent(here, "/app/me", "password", **new | wrong)
        assert (refused.status_code, words in refused.text) == (422, True)
    assert await is_signed_in(elsewhere)

    assert (await sent(here, "/app/me", "password", **new)).status_code == 303
    assert await is_signed_in(here)
    assert not await is_signed_in(elsewhere)
    answer = await web_app.browser().post("/sign-in", data={"email": "bob@example.com", "password": "a new password"})
    assert answer.headers["location"] == "/"


# ------------------------------------------------------------------------------------------------------- sessions


async def test_bob_sees_this_browser_and_ends_the_others(web_app: WebApp) -> None:
    here, phone, work = [await web_app.sign_in("bob") for _ in range(3)]
    page = (await here.get(SECURITY)).text
    assert page.count(">This one<") == 1
    assert page.count('name="do" value="end"') == 2

    ended = form(page, "end")
    assert (await here.post(SECURITY, data=ended)).status_code == 303
    assert "That browser is signed out" in (await here.get(SECURITY)).text
    assert [await is_signed_in(each) for each in (here, phone, work)].count(True) == 2
    assert (await sent(here, SECURITY, "end_others")).status_code == 303
    page = (await here.get(SECURITY)).text
    assert "1 other browser is signed out" in page
    assert 'value="end_others"' not in page
    assert [await is_signed_in(each) for each in (here, phone, work)] == [True, False, False]


async def test_no_one_ends_the_session_of_someone_else_here(web_app: WebApp) -> None:
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    bob, alice, dave = [await web_app.sign_in(name) for name in ("bob", "alice", "dave")]
    session_id = await web_app.database.fetchval(
        "SELECT id FROM sessions WHERE user_id = $1", web_app.town.users["bob"]
    )
    for browser in (alice, dave):
        answer = await browser.post(SECURITY, data={"do": "end", "id": str(session_id)})
        assert answer.status_code == 404
        assert "bob" not in (await browser.get(SECURITY)).text.lower()
    assert (await dave.post(SECURITY, data={"do": "end", "id": "no"})).status_code == 422
    assert await is_signed_in(bob)


async def test_a_wrong_password_is_seen_among_ones_own_sign_ins_alone(web_app: WebApp) -> None:
    await web_app.browser().post("/sign-in", data={"email": "bob@example.com", "password": "guess"})
    bob, carol = await web_app.sign_in("bob"), await web_app.sign_in("carol")

    assert "Wrong password" in (await bob.get(SECURITY)).text
    assert "Wrong password" not in (await carol.get(SECURITY)).text
    newest = await web_app.database.fetchval("SELECT max(id) FROM sign_ins")
    assert "Signed in" in (await bob.get(f"{SECURITY}?before={newest + 1}")).text
    assert "Nothing older" in (await bob.get(f"{SECURITY}?before=1")).text


async def test_a_trusted_browser_is_forgotten_by_its_user(web_app: WebApp) -> None:
    await trust_browser(web_app.database, web_app.town.users["bob"], Whereabouts("Firefox on Windows", "203.0.113.9"))
    bob, carol = await web_app.sign_in("bob"), await web_app.sign_in("carol")
    page = (await bob.get(SECURITY)).text
    assert "Firefox on Windows" in page
    hidden = form(page, "forget")
    assert (await carol.post(SECURITY, data={"do": "forget", "id": hidden["id"]})).status_code == 404
    assert (await bob.post(SECURITY, data=hidden)).status_code == 303
    assert "Browsers that you trust" not in (await bob.get(SECURITY)).text


# -------------------------------------------------------------------------------------------------- second factor


def codes_in(page: str) -> list[str]:
    return re.findall(r"(?:[a-z2-7]{4}-){3}[a-z2-7]{4}", page)


async def test_bob_switches_a_second_factor_on_and_sees_the_codes_once(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    assert (await bob.get("/second-factor")).headers["location"] == SECURITY
    refused = await sent(bob, SECURITY, "begin", current_password="guess")
    assert (refused.status_code, "not your present password" in refused.text) == (422, True)
    assert (await sent(bob, SECURITY, "begin", current_password=PASSWORD)).status_code == 303
    page = (await bob.get(SECURITY)).text
    svg = re.search(r'<div class="qr"><svg.*</svg>', page, re.DOTALL)
    assert svg is not None
    assert "style=" not in svg[0]
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page)
    assert secret is not None

    wrong = await sent(bob, SECURITY, "confirm", code="000000")
    assert (wrong.status_code, "This code is not right" in wrong.text) == (422, True)
    assert secret[1] in wrong.text
    code = await present_code(web_app.database, secret[1])
    confirmed = await sent(bob, SECURITY, "confirm", code=f"{code[:3]} {code[3:]}")
    assert (confirmed.status_code, len(codes_in(confirmed.text))) == (200, 10)
    again = (await bob.get(SECURITY)).text
    assert (codes_in(again), "10 of 10 recovery codes" in again) == ([], True)
    assert secret[1] not in again


async def test_new_codes_replace_the_old_ones_and_need_the_password(web_app: WebApp) -> None:
    secret, old = await add_factor(web_app.database, KEY, web_app.town.users["bob"])
    bob = web_app.browser()
    await bob.post("/sign-in", data={"email": "bob@example.com", "password": PASSWORD})
    await bob.post("/sign-in/step", data={"code": await present_code(web_app.database, secret)})
    refused = await sent(bob, SECURITY, "codes", current_password="guess")
    assert (refused.status_code, codes_in(refused.text)) == (422, [])
    new = codes_in((await sent(bob, SECURITY, "codes", current_password=PASSWORD)).text)
    assert len(set(new) - set(old)) == 10

    for code, status in ((old[0], 403), (new[0], 303)):
        other = web_app.browser()
        await other.post("/sign-in", data={"email": "bob@example.com", "password": PASSWORD})
        assert (await other.post("/sign-in/step", data={"code": code})).status_code == status
    assert "9 of 10 recovery codes" in (await bob.get(SECURITY)).text

    assert (await sent(bob, SECURITY, "off", current_password=PASSWORD)).status_code == 303
    assert "switched off" in (await bob.get(SECURITY)).text
    assert (await bob.post(SECURITY, data={"do": "codes", "current_password": PASSWORD})).status_code == 404


async def test_an_administrator_who_needs_one_cannot_switch_it_off(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    await add_factor(web_app.database, KEY, web_app.town.users["alice"])
    strict = with_settings(web_app, admin_second_factor=True).browser()
    strict.cookies = alice.cookies
    page = (await strict.get(SECURITY)).text

    assert "cannot be switched off" in page
    assert 'name="do" value="off"' not in page
    answer = await strict.post(SECURITY, data={"do": "off", "current_password": PASSWORD})
    assert answer.status_code == 409

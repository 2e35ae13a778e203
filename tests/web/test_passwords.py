"""A forgotten password: who may ask, what a stranger learns, and what the link in the mail does, once."""

import asyncio
import re

import httpx
import pytest

from leadroutes.engine.password_links import add_password_token, invite_account
from leadroutes.engine.users import ChangedBy, change_user
from leadroutes.store import invitations
from tests.support.codes import add_factor
from tests.support.mailbox import Mailbox, text_of
from tests.support.sender import Sender
from tests.support.web_app import PASSWORD, WebApp

NEW = "a quite new password"


async def forgotten(web_app: WebApp, email: str = "bob@example.com") -> httpx.Response:
    return await web_app.browser().post("/forgotten", data={"email": email})


async def link(web_app: WebApp, name: str = "bob") -> str:
    """The path of the link in the mail that this person has asked for."""
    await forgotten(web_app, f"{name}@example.com")
    sql = "SELECT id FROM password_links WHERE user_id = $1 ORDER BY id DESC LIMIT 1"
    token = await add_password_token(web_app.database, await web_app.database.fetchval(sql, web_app.town.users[name]))
    return f"/passwords/{token}"


async def kinds(web_app: WebApp) -> list[str]:
    return [row["kind"] for row in await web_app.database.fetch("SELECT kind FROM sign_ins ORDER BY id")]


async def test_the_answer_does_not_say_who_has_an_account(web_app: WebApp) -> None:
    await web_app.database.execute("UPDATE users SET is_active = false WHERE username = 'carol'")
    known, closed, unknown, strange = [
        await forgotten(web_app, email) for email in ("bob@example.com", "carol@example.com", "x@example.com", "a\0b")
    ]

    texts = {re.sub(r"If .* has an account", "If … has an account", each.text) for each in (known, closed, unknown)}
    assert len(texts) == 1
    assert {each.status_code for each in (known, closed, unknown, strange)} == {200}
    rows = await web_app.database.fetch("SELECT user_id FROM password_links")
    assert [row["user_id"] for row in rows] == [web_app.town.users["bob"]]
    assert await kinds(web_app) == ["reset asked for"] * 4


async def test_the_mail_has_a_link_that_is_stored_as_a_hash_alone(
    web_app: WebApp, mailbox: Mailbox, sender: Sender
) -> None:
    await forgotten(web_app, " BOB@example.com ")
    await sender.deliver(await sender.the_only("kind = 'password_reset'"))

    [mail] = mailbox.mails
    assert (mail["To"], mail["Subject"]) == ("bob@example.com", "Set a new password")
    token = re.search(r"https://leads\.example/passwords/(\S+)", text_of(mail))[1]
    assert token not in await web_app.database.fetchval("SELECT text_body FROM messages WHERE kind = 'password_reset'")
    assert "Set a new password" in (await web_app.browser().get(f"/passwords/{token}")).text


async def test_a_mail_whose_link_is_over_by_then_is_not_sent(web_app: WebApp, mailbox: Mailbox, sender: Sender) -> None:
    await forgotten(web_app)
    await web_app.database.execute("UPDATE password_links SET expires_at = now()")
    message = await sender.the_only("kind = 'password_reset'")
    await sender.deliver(message)

    assert await sender.outcome(message) == ("suppressed", "the link was used, was taken back, or has expired")
    assert mailbox.mails == []


async def test_the_link_sets_the_password_and_ends_everything_else(web_app: WebApp) -> None:
    elsewhere = await web_app.sign_in("bob")
    path = await link(web_app)
    browser = web_app.browser()
    assert (await browser.get(path)).status_code == 200, "looking changes nothing"
    answer = await browser.post(path, data={"password": NEW, "again": NEW})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await browser.get("/app")).status_code == 200, "signed in"
    assert (await elsewhere.get("/app")).status_code == 303, "signed out"
    revoked = "SELECT revoked_at IS NOT NULL FROM access_tokens WHERE user_id = $1"
    assert await web_app.database.fetchval(revoked, web_app.town.users["bob"])
    old = await web_app.browser().post("/sign-in", data={"email": "bob@example.com", "password": PASSWORD})
    assert old.status_code == 403
    new = await web_app.browser().post("/sign-in", data={"email": "bob@example.com", "password": NEW})
    assert new.status_code == 303


async def test_a_link_works_once_also_if_it_is_opened_twice_at_once(web_app: WebApp) -> None:
    path = await link(web_app)
    answers = await asyncio.gather(
        *(web_app.browser().post(path, data={"password": f"{NEW} {number}"}) for number in range(3))
    )

    assert sorted(answer.status_code for answer in answers) == [303, 404, 404]
    again = await web_app.browser().get(path)
    assert again.status_code == 404
    assert "This link was used" in again.text


async def test_a_link_says_what_is_wrong_with_it(web_app: WebApp) -> None:
    path = await link(web_app)
    unknown = await web_app.browser().get("/passwords/unknown")
    await web_app.database.execute("UPDATE password_links SET expires_at = now()")
    expired = await web_app.browser().post(path, data={"password": NEW})

    assert (unknown.status_code, expired.status_code) == (404, 404)
    assert "There is no such link" in unknown.text
    assert "has expired" in expired.text


@pytest.mark.parametrize(
    ("form", "problem"),
    [({"password": "short", "again": "short"}, "8 to 255"), ({"do": "set"}, "8 to 255"),
     ({"password": NEW, "again": "other"}, "not the same")],
)  # fmt: skip
async def test_a_password_that_cannot_be_leaves_the_link_good(
    web_app: WebApp, form: dict[str, str], problem: str
) -> None:
    path = await link(web_app)
    refused = await web_app.browser().post(path, data=form)

    assert refused.status_code == 400
    assert problem in refused.text
    assert (await web_app.browser().post(path, data={"password": NEW})).status_code == 303


async def test_an_earlier_mail_works_until_one_was_used(web_app: WebApp) -> None:
    first, second = await link(web_app), await link(web_app)
    assert (await web_app.browser().post(first, data={"password": NEW})).status_code == 303

    assert (await web_app.browser().get(second)).status_code == 404


async def test_links_are_limited_by_account_and_by_network(web_app: WebApp) -> None:
    by_account = [(await forgotten(web_app)).status_code for _ in range(4)]
    unknown = [(await forgotten(web_app, "x@example.com")).status_code for _ in range(4)]
    by_network = [(await forgotten(web_app, f"{number}@example.com")).status_code for number in range(20)]

    assert by_account == unknown == [200, 200, 200, 429]
    assert by_network == [200] * 14 + [429] * 6


async def test_a_new_email_ends_links_that_were_sent_to_the_one_before(web_app: WebApp) -> None:
    path = await link(web_app)
    await change_user(web_app.database, web_app.town.users["bob"], {"email": "rob@example.com"}, ChangedBy())

    assert (await web_app.browser().get(path)).status_code == 404


async def test_a_link_does_not_replace_the_second_factor(web_app: WebApp) -> None:
    await add_factor(web_app.database, web_app.settings.secret, web_app.town.users["bob"])
    browser = web_app.browser()
    answer = await browser.post(await link(web_app), data={"password": NEW})

    assert answer.headers["location"] == "/sign-in/step"
    assert (await browser.get("/app")).status_code == 303


async def test_another_site_neither_asks_nor_sets(web_app: WebApp) -> None:
    headers = {"Origin": "https://evil.example"}
    assert (await web_app.browser(**headers).post("/forgotten", data={"email": "bob@example.com"})).status_code == 403
    path = await link(web_app)
    assert (await web_app.browser(**headers).post(path, data={"password": NEW})).status_code == 403


# ---------------------------------------------------------------------------------------------------- invitations


async def test_an_invited_user_chooses_a_password_and_is_signed_in(web_app: WebApp) -> None:
    async with web_app.database.transaction() as transaction:
        sent = {"email": "gail@example.com", "first_name": "Gail"}
        made = await invite_account(transaction, sent, web_app.brokerage.owner_id, is_mailed=False)
    browser = web_app.browser()
    page = await browser.get(f"/passwords/{made.token}")
    assert "Choose a password" in page.text
    assert (await browser.post(f"/passwords/{made.token}", data={"password": NEW})).headers["location"] == "/"

    assert "Gail" in (await browser.get("/app")).text


async def test_a_team_invitation_leads_an_account_without_a_password_to_one(web_app: WebApp) -> None:
    async with web_app.database.transaction() as transaction:
        await invite_account(transaction, {"email": "gail@example.com"}, None, is_mailed=True)
        member_id = await invitations.invite_address(
            transaction, web_app.brokerage.owner_id, web_app.town.team_id, "gail@example.com"
        )
    assert member_id is not None
    path = f"/invitations/{await invitations.add_token(web_app.database, member_id)}"
    browser = web_app.browser()
    assert 'name="password"' in (await browser.get(path)).text
    joined = await browser.post(path, data={"do": "join", "password": NEW, "sharing": "no", "first_name": "Gail"})

    assert (joined.status_code, joined.headers["location"]) == (303, "/")
    assert "Gail" in (await browser.get("/app")).text
    again = await web_app.browser().post(path, data={"do": "join", "password": "another password", "sharing": "no"})
    assert again.status_code == 400, "the password is set once"
    row = await web_app.database.fetchrow("SELECT request_status FROM team_members WHERE id = $1", member_id)
    assert row["request_status"] == "Accepted"

"""Invitations on the pages: the link in the mail, the buttons on the home page, and a new e-mail that is confirmed."""

import re

import pytest

from leadroutes.engine import memberships
from leadroutes.engine.users import ChangedBy, add_email_token, ask_for_email, change_user
from leadroutes.store import invitations
from leadroutes.store.invitations import add_token, invite_address, invite_user
from tests.support.web_app import PASSWORD, WebApp


async def invite(web_app: WebApp, *, email: str | None = None, user: str | None = None) -> tuple[int, str]:
    """Into Alice's team: the id, and the path of the link."""
    owner_id, team_id = web_app.brokerage.owner_id, web_app.town.team_id
    async with web_app.database.transaction() as transaction:
        if email is not None:
            member_id = await invite_address(transaction, owner_id, team_id, email)
        else:
            member_id = await invite_user(transaction, owner_id, team_id, web_app.town.users[user])
    assert member_id is not None
    return member_id, f"/invitations/{await add_token(web_app.database, member_id)}"


async def status(web_app: WebApp, name: str) -> str | None:
    sql = "SELECT request_status FROM team_members WHERE user_id = $1 AND team_id = $2"
    found: str | None = await web_app.database.fetchval(sql, web_app.town.users[name], web_app.town.team_id)
    return found


async def test_looking_at_the_link_says_who_invites_and_answers_nothing(web_app: WebApp) -> None:
    _, link = await invite(web_app, user="dave")
    page = await web_app.browser().get(link)

    assert page.status_code == 200
    assert "Join the team North Side?" in page.text
    assert "Alice Town (alice@example.com) invites you" in page.text
    assert "dave@example.com" not in page.text
    assert "Dave" not in page.text
    assert await status(web_app, "dave") == "Pending"


async def test_with_an_account_one_signs_in_and_accepts(web_app: WebApp) -> None:
    _, link = await invite(web_app, user="dave")
    stranger = web_app.browser()
    asked = await stranger.post(link, data={"do": "accept"})
    assert asked.headers["location"] == f"/sign-in?next={link}"
    dave = await web_app.sign_in("dave")
    accepted = await dave.post(link, data={"do": "accept"})

    assert (accepted.status_code, accepted.headers["location"]) == (303, "/")
    assert await status(web_app, "dave") == "Accepted"
    assert "was accepted" in (await dave.get(link)).text


async def test_one_by_id_is_for_that_account_alone(web_app: WebApp) -> None:
    _, link = await invite(web_app, user="dave")
    await web_app.town.add_user("erin")
    await web_app.database.execute("UPDATE users SET password_hash = (SELECT min(password_hash) FROM users)")
    erin = await web_app.sign_in("erin")
    assert "for another account" in (await erin.get(link)).text
    assert (await erin.post(link, data={"do": "accept"})).status_code == 403
    assert await status(web_app, "erin") is None


async def test_one_by_email_is_for_whoever_opens_it_and_signs_in(web_app: WebApp) -> None:
    member_id, link = await invite(web_app, email="d.town@work.example")
    await (await web_app.sign_in("dave")).post(link, data={"do": "accept"})
    row = await web_app.database.fetchrow("SELECT user_id, request_status FROM team_members WHERE id = $1", member_id)
    assert tuple(row) == (web_app.town.users["dave"], "Accepted")
    assert "A member of the team" in (await web_app.browser().get(link)).text


async def test_without_an_account_one_makes_it_and_is_signed_in(web_app: WebApp) -> None:
    await web_app.database.execute("UPDATE users SET timezone = 'America/Denver' WHERE username = 'alice'")
    _, link = await invite(web_app, email="new@example.com")
    browser = web_app.browser()
    assert "Make an account and accept" in (await browser.get(link)).text
    form = {"do": "join", "first_name": "Nia", "last_name": "New", "password": "short"}
    refused = await browser.post(link, data=form)
    assert refused.status_code == 400
    assert "8 to 255" in refused.text
    assert 'value="Nia"' in refused.text
    joined = await browser.post(link, data=form | {"password": "long enough"})
    assert (joined.status_code, joined.headers["location"]) == (303, "/")

    assert "Nia New" in (await browser.get("/app")).text
    row = await web_app.database.fetchrow(
        "SELECT u.email, m.request_status, u.timezone FROM users u JOIN team_members m ON m.user_id = u.id"
        " WHERE first_name = 'Nia'"
    )
    assert tuple(row) == ("new@example.com", "Accepted", "America/Denver")


async def test_an_address_with_an_account_makes_no_second_one(web_app: WebApp) -> None:
    _, link = await invite(web_app, email="dave@example.com")
    browser = web_app.browser()
    assert "Make an account" not in (await browser.get(link)).text
    answer = await browser.post(link, data={"do": "join", "password": "a thief's own"})
    assert answer.status_code == 400
    assert await web_app.database.fetchval("SELECT count(*) FROM users WHERE email = 'dave@example.com'") == 1


async def test_declining_needs_the_link_alone(web_app: WebApp) -> None:
    for whom in ({"user": "dave"}, {"email": "new@example.com"}):
        member_id, link = await invite(web_app, **whom)
        page = await web_app.browser().post(link, data={"do": "decline"})
        assert "You have declined" in page.text
        sql = "SELECT request_status FROM team_places WHERE id = $1"
        assert await web_app.database.fetchval(sql, member_id) == "Declined"


async def test_a_link_is_good_for_a_week_and_as_long_as_the_invitation(web_app: WebApp) -> None:
    member_id, link = await invite(web_app, user="dave")
    assert invitations.LIFE.days == 7
    await web_app.database.execute("UPDATE invitation_tokens SET expires_at = now()")
    assert (await web_app.browser().get(link)).status_code == 404
    link = f"/invitations/{await add_token(web_app.database, member_id)}"
    await memberships.remove(web_app.database, member_id, web_app.brokerage.owner_id)
    for answer in (
        await web_app.browser().get(link), await web_app.browser().post(link, data={"do": "accept"}),
        await web_app.browser().get("/invitations/forged"),
    ):  # fmt: skip
        assert answer.status_code == 404


async def test_an_accepted_link_undoes_nothing(web_app: WebApp) -> None:
    _, link = await invite(web_app, user="dave")
    await (await web_app.sign_in("dave")).post(link, data={"do": "accept"})
    assert (await web_app.browser().post(link, data={"do": "decline"})).status_code == 404
    assert await status(web_app, "dave") == "Accepted"


@pytest.mark.parametrize("path", ["link", "home"])
async def test_another_site_answers_for_no_one(web_app: WebApp, path: str) -> None:
    member_id, link = await invite(web_app, user="dave")
    dave = await web_app.sign_in("dave")
    target, data = (link, {"do": "accept"}) if path == "link" else ("/invitations", {"do": "accept", "id": member_id})
    answer = await dave.post(target, data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert await status(web_app, "dave") == "Pending"


async def test_the_home_page_asks_and_its_buttons_answer(web_app: WebApp) -> None:
    member_id, _ = await invite(web_app, user="dave")
    dave = await web_app.sign_in("dave")
    page = (await dave.get("/app")).text
    assert "North Side" in page
    assert "from Alice Town" in page
    answer = await dave.post("/invitations", data={"do": "accept", "id": member_id})
    assert (answer.status_code, await status(web_app, "dave")) == (303, "Accepted")
    assert "Invitations" not in (await dave.get("/app")).text
    for name in ("bob", "carol"):
        assert "Invitations" not in (await (await web_app.sign_in(name)).get("/app")).text


async def test_no_one_answers_for_someone_else(web_app: WebApp) -> None:
    member_id, _ = await invite(web_app, user="dave")
    bob = await web_app.sign_in("bob")
    for data in ({"do": "accept", "id": member_id}, {"do": "accept", "id": 999}):
        assert (await bob.post("/invitations", data=data)).status_code == 404
    for data in ({"do": "own", "id": member_id}, {"do": "accept", "id": "x"}, {}):
        assert (await bob.post("/invitations", data=data)).status_code == 400
    assert await status(web_app, "dave") == "Pending"


async def test_whoever_accepts_agrees_to_share_only_what_the_page_said(web_app: WebApp) -> None:
    """The team began to share after the page was shown: accepting is not consent to that, and the home page asks."""
    _, link = await invite(web_app, user="dave")
    dave = await web_app.sign_in("dave")
    sent = re.search('name="sharing" value="([a-z]+)"', (await dave.get(link)).text)[1]
    await web_app.database.execute("UPDATE teams SET is_contact_resource_sharing_enabled = true")
    await dave.post(link, data={"do": "accept", "sharing": sent})
    agreed = "SELECT is_sharing_accepted FROM team_members WHERE user_id = $1"
    assert await web_app.database.fetchval(agreed, web_app.town.users["dave"]) is False
    page = (await dave.get("/app")).text
    assert "now shares contacts" in page
    member_id = re.search('name="member_id" value="([0-9]+)"', page)[1]
    await dave.post("/invitations", data={"do": "accept", "id": member_id, "sharing": "yes"})
    assert await web_app.database.fetchval(agreed, web_app.town.users["dave"]) is True


# ---------------------------------------------------------------------------------------------------- a new e-mail


async def email_link(web_app: WebApp, name: str, email: str) -> str:
    await ask_for_email(web_app.database, web_app.town.users[name], email)
    change_id = await web_app.database.fetchval("SELECT id FROM email_changes WHERE email = $1", email)
    return f"/emails/{await add_email_token(web_app.database, change_id)}"


async def test_a_new_email_counts_once_the_button_is_pressed(web_app: WebApp) -> None:
    link = await email_link(web_app, "bob", "rob@example.com")
    browser = web_app.browser()
    assert "Use rob@example.com?" in (await browser.get(link)).text
    assert await web_app.database.fetchval("SELECT count(*) FROM users WHERE email = 'rob@example.com'") == 0
    assert "The address is changed" in (await browser.post(link)).text
    assert (await browser.get(link)).status_code == 404
    signed_in = await browser.post("/sign-in", data={"email": "rob@example.com", "password": PASSWORD})
    assert signed_in.status_code == 303


async def test_an_email_that_another_account_has_is_not_taken(web_app: WebApp) -> None:
    link = await email_link(web_app, "bob", "alice@example.com")
    answer = await web_app.browser().post(link)
    assert (answer.status_code, "in use already" in answer.text) == (409, True)
    assert await web_app.database.fetchval("SELECT count(*) FROM users WHERE email = 'bob@example.com'") == 1


async def test_the_link_of_a_closed_account_leads_nowhere(web_app: WebApp) -> None:
    link = await email_link(web_app, "bob", "rob@example.com")
    await change_user(web_app.database, web_app.town.users["bob"], {"is_active": False}, ChangedBy())
    assert (await web_app.browser().get(link)).status_code == 404
    assert (await web_app.browser().post("/emails/forged")).status_code == 404

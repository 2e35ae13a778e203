"""The pages of people, delegates and the audit: who may do what there, what is shown, and for whom someone acts."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from leadroutes.api.auth import Caller
from leadroutes.api.operations import OPERATIONS
from leadroutes.api.resources import BY_PATH
from leadroutes.store.screens import user_topic
from leadroutes.store.sessions import SessionUser
from leadroutes.web.live import topics_of
from leadroutes.web.page import Viewer, administrators, owners_themselves
from leadroutes.web.pages.audit_words import KINDS, OTHER_ACTS, act_in_words, place_of
from leadroutes.web.pages.leads import STATES
from tests.support.every_page import EveryPage
from tests.support.web_app import WebApp


@pytest.fixture
async def admin(web_app: WebApp) -> httpx.AsyncClient:
    """Alice, who administers the service."""
    await web_app.database.execute("UPDATE users SET is_admin = true WHERE id = $1", web_app.town.users["alice"])
    return await web_app.sign_in("alice")


def once(page: str) -> str:
    return re.search(r'name="once" value="([^"]+)"', page)[1]


def said(answer: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


async def user(web_app: WebApp, name: str) -> Any:
    return await web_app.database.fetchrow("SELECT * FROM users WHERE id = $1", web_app.town.users[name])


# ------------------------------------------------------------------------------------------------------- people


async def test_an_owner_sees_colleagues_and_no_forms(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page = await alice.get("/app/people")
    assert "bob@example.com" in page.text
    assert "dave@example.com" not in page.text
    assert "Invite someone" not in page.text
    assert (await alice.get(f"/app/people/{web_app.town.users['bob']}")).status_code == 404
    answer = await alice.post("/app/people", data={"do": "invite", "email": "eve@example.com"})
    assert answer.status_code == 403
    assert not await web_app.database.fetchval("SELECT count(*) FROM users WHERE email = 'eve@example.com'")
    assert (await (await web_app.sign_in("bob")).get("/app/people")).status_code == 404


async def test_an_invitation_shows_its_link_where_no_mail_is_configured(web_app: WebApp, admin: Any) -> None:
    wrong = await admin.post("/app/people", data={"do": "invite", "email": "no address", "first_name": "Typed"})
    assert wrong.status_code == 422
    assert 'value="Typed"' in wrong.text
    form = {"do": "invite", "email": "eve@example.com", "first_name": "Eve", "is_broker": "yes"}
    page = await admin.post("/app/people", data=form)
    assert page.status_code == 200, page.text
    link = re.search(r"<pre>http://town(/passwords/[^<]+)</pre>", page.text)[1]
    assert (await web_app.browser().get(link)).status_code == 200
    found = await web_app.database.fetchrow("SELECT * FROM users WHERE email = 'eve@example.com'")
    assert (found["first_name"], found["is_broker"], found["is_admin"]) == ("Eve", True, False)
    invitation_id = await web_app.database.fetchval("SELECT id FROM password_links")

    again = await admin.post("/app/people", data={"do": "invite-again", "on": invitation_id})
    assert "<pre>http://town/passwords/" in again.text
    assert (await web_app.browser().get(link)).status_code == 404
    back = await admin.post("/app/people", data={"do": "take-back", "on": invitation_id})
    assert back.status_code == 303
    assert not (await web_app.database.fetchval("SELECT is_active FROM users WHERE email = 'eve@example.com'"))


async def test_who_is_invited_begins_with_the_time_zone_of_the_inviter(web_app: WebApp, admin: Any) -> None:
    await web_app.database.execute("UPDATE users SET timezone = 'America/Denver' WHERE username = 'alice'")
    await admin.post("/app/people", data={"do": "invite", "email": "eve@example.com"})
    zone = await web_app.database.fetchval("SELECT timezone FROM users WHERE email = 'eve@example.com'")
    assert zone == "America/Denver"


async def test_who_has_no_name_is_shown_by_the_e_mail_once(web_app: WebApp, admin: Any) -> None:
    page = await admin.post("/app/people", data={"do": "invite", "email": "eve@example.com"})
    link = re.search(r"<pre>http://town(/passwords/[^<]+)</pre>", page.text)[1]
    assert said(await admin.get("/app/people")).count("eve@example.com") == 2, "in both lists"
    assert "For the account of eve@example.com ." in said(await web_app.browser().get(link))


async def test_a_user_is_edited_unless_someone_else_has_done_so(web_app: WebApp, admin: Any) -> None:
    path = f"/app/people/{web_app.town.users['bob']}"
    page = (await admin.get(path)).text
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    form = {"do": "save", "first_name": "Robert", "last_name": "", "email": "bob@example.com", "seen": seen}
    assert (await admin.post(path, data=form)).status_code == 303
    assert (await user(web_app, "bob"))["first_name"] == "Robert"
    stale = await admin.post(path, data=form | {"first_name": "Rob"})
    assert stale.status_code == 409
    assert "Someone has changed this" in stale.text
    assert 'value="Rob"' in stale.text
    wrong = await admin.post(path, data={"do": "save", "email": "alice@example.com"})
    assert wrong.status_code in (409, 422)
    assert (await admin.get("/app/people/999999999")).status_code == 404


async def test_rights_are_given_and_the_change_is_taken_back(web_app: WebApp, admin: Any) -> None:
    path = f"/app/people/{web_app.town.users['bob']}"
    assert (await admin.post(path, data={"do": "rights", "is_admin": "yes"})).status_code == 303
    assert (await user(web_app, "bob"))["is_admin"]
    page = (await admin.get(path)).text
    undo = re.search(r'name="undo" value="([^"]+)"', page)[1]
    assert (await admin.post("/app/undo", data={"undo": undo, "back": path})).status_code == 303
    assert not (await user(web_app, "bob"))["is_admin"]
    last = await admin.post(f"/app/people/{web_app.town.users['alice']}", data={"do": "rights"})
    assert last.status_code == 409
    assert "last active administrator" in last.text


async def test_rights_that_someone_else_has_changed_since_are_not_put_back(web_app: WebApp, admin: Any) -> None:
    bob_id = web_app.town.users["bob"]
    path = f"/app/people/{bob_id}"
    await admin.post(path, data={"do": "rights", "is_admin": "yes", "is_broker": "yes"})
    undo = re.search(r'name="undo" value="([^"]+)"', (await admin.get(path)).text)[1]
    await web_app.database.execute("UPDATE users SET is_broker = false WHERE id = $1", bob_id)

    answer = await admin.post("/app/undo", data={"undo": undo, "back": path})

    assert (answer.status_code, "it has changed since" in answer.text) == (409, True)
    assert (await user(web_app, "bob"))["is_admin"], "no part of it is put back"


async def test_an_account_that_owns_something_is_closed_with_a_successor(web_app: WebApp, admin: Any) -> None:
    await web_app.town.team("bob", name="South Side")
    path = f"/app/people/{web_app.town.users['bob']}"
    refused = await admin.post(path, data={"do": "close", "successor_user_id": ""})
    assert refused.status_code == 409
    assert "1 teams" in refused.text
    assert (await user(web_app, "bob"))["is_active"]
    form = {"do": "close", "successor_user_id": web_app.town.users["carol"]}
    assert (await admin.post(path, data=form)).status_code == 303
    assert not (await user(web_app, "bob"))["is_active"]
    assert "The account is closed" in (await admin.get(path)).text
    assert (await admin.post(path, data={"do": "open"})).status_code == 303
    assert (await user(web_app, "bob"))["is_active"]


async def test_sign_ins_of_a_user_are_in_the_hands_of_an_administrator(web_app: WebApp, admin: Any) -> None:
    bob = await web_app.sign_in("bob")
    path = f"/app/people/{web_app.town.users['bob']}"
    assert (await admin.post(path, data={"do": "sign-out"})).status_code == 303
    assert (await bob.get("/app")).status_code == 303
    made = await admin.post(path, data={"do": "password-link"})
    assert "<pre>http://town/passwords/" in made.text
    none = await admin.post(path, data={"do": "remove-factor"})
    assert none.status_code == 409
    assert "no second factor" in none.text
    nothing = await admin.post(path, data={"do": "picture"})
    assert nothing.status_code == 422
    page = said(await admin.get("/app/audit"))
    assert "signed a user out everywhere" in page
    assert "made a link that sets a password" in page


# --------------------------------------------------------------------------------------------- acting for others


async def delegate(web_app: WebApp, name: str, role: str = "Administrator") -> httpx.AsyncClient:
    """The browser of someone who has accepted, on the page, to act for Alice."""
    alice, browser = await web_app.sign_in("alice"), await web_app.sign_in(name)
    form = {"do": "invite", "email": f"{name}@example.com", "role": role, "team_id": web_app.town.team_id}
    answer = await alice.post("/app/people/delegates", data=form)
    assert answer.status_code == 303, answer.text
    delegate_id = await web_app.database.fetchval("SELECT max(id) FROM delegates")
    assert "Accept" in (await browser.get("/app/people/delegates")).text
    accepted = await browser.post("/app/people/delegates", data={"do": "accept", "on": delegate_id})
    assert accepted.status_code == 303, accepted.text
    return browser


async def begin(web_app: WebApp, browser: httpx.AsyncClient) -> httpx.Response:
    answer = await browser.post("/app/acting", data={"owner_id": web_app.town.users["alice"]})
    assert answer.status_code == 303, answer.text
    return await browser.get("/app/people")


async def test_a_delegate_works_in_the_account_of_the_owner_and_stops(web_app: WebApp) -> None:
    dave = await delegate(web_app, "dave")
    assert "North Side" not in (await dave.get("/app/teams")).text
    page = await begin(web_app, dave)
    assert "You act for Alice Town" in said(page)
    team = f"/app/teams/{web_app.town.team_id}"
    assert (await dave.get(team)).status_code == 200
    form = {"do": "save", "name": "By Dave", "order_method": "Round Robin", "mins_until_next_alert": "5",
            "offer_mode": "Exclusive"}  # fmt: skip
    changed = await dave.post(team, data=form)
    name = await web_app.database.fetchval("SELECT name FROM teams WHERE id = $1", web_app.town.team_id)
    assert (changed.status_code, name) == (303, "By Dave")
    audit = said(await (await web_app.sign_in("alice")).get("/app/audit"))
    assert "Dave Town changed a team" in audit
    assert (await dave.get("/app/people/delegates")).status_code == 404
    assert "this page is about yourself" in said(await dave.get("/app/me/tokens"))

    assert (await dave.post("/app/acting", data={"owner_id": ""})).status_code == 303
    assert "You act for" not in said(await dave.get("/app/teams"))
    assert (await dave.get(team)).status_code == 404


async def test_an_administrator_for_an_owner_opens_every_page_that_is_shown(every_page: EveryPage) -> None:
    await every_page.make_administrator()
    dave = await delegate(every_page.app, "dave")
    await begin(every_page.app, dave)
    for path, page in every_page.paths.items():
        answer = await dave.get(path)
        is_closed = page.may in (administrators, owners_themselves) or path == "/app/people/delegates"
        assert answer.status_code in ((404,) if is_closed else (200, 303)), (path, answer.status_code, said(answer))


async def test_a_form_acts_on_the_account_that_it_was_opened_for(web_app: WebApp) -> None:
    dave = await delegate(web_app, "dave")
    await begin(web_app, dave)
    form = {"do": "save", "name": "South Side", "order_method": "Round Robin", "mins_until_next_alert": "5",
            "offer_mode": "Exclusive", "once": once((await dave.get("/app/teams/new")).text)}  # fmt: skip
    await dave.post("/app/acting", data={"owner_id": ""})
    answer = await dave.post("/app/teams/new", data=form)
    assert answer.status_code == 409
    assert "opened for another account" in answer.text
    assert 'value="South Side"' in answer.text
    assert not await web_app.database.fetchval("SELECT count(*) FROM teams WHERE name = 'South Side'")


async def test_what_was_typed_for_an_account_comes_back_in_that_account(web_app: WebApp) -> None:
    """Whoever signs in again may act for another account by then, or for none."""
    dave, alice_id = await delegate(web_app, "dave"), web_app.town.users["alice"]
    await begin(web_app, dave)
    typed = {"do": "save", "name": "South Side", "once": once((await dave.get("/app/teams/new")).text)}
    led = (await web_app.browser().post("/app/teams/new", data=typed)).headers["location"]
    resumed = led.partition("?next=")[2]
    assert 'value="South Side"' in (await dave.get(resumed)).text

    await dave.post("/app/acting", data={"owner_id": ""})
    switched = await dave.get(resumed)
    assert (switched.status_code, switched.headers["location"]) == (303, resumed)
    page = await dave.get(resumed)
    assert "You act for Alice Town" in said(page)
    assert 'value="South Side"' in page.text

    await web_app.database.execute("DELETE FROM delegates WHERE owner_id = $1", alice_id)
    answers = [await dave.get(resumed) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {403}
    assert not any("South Side" in answer.text for answer in answers)


async def test_what_was_typed_for_oneself_does_not_come_back_in_another_account(web_app: WebApp) -> None:
    dave = await delegate(web_app, "dave")
    typed = {"do": "save", "name": "South Side", "once": once((await dave.get("/app/teams/new")).text)}
    led = (await web_app.browser().post("/app/teams/new", data=typed)).headers["location"]
    await begin(web_app, dave)

    assert (await dave.get(led.partition("?next=")[2])).status_code == 303
    page = await dave.get(led.partition("?next=")[2])
    assert "You act for" not in said(page)
    assert 'value="South Side"' in page.text


async def test_what_is_taken_away_ends_at_once(web_app: WebApp) -> None:
    dave = await delegate(web_app, "dave")
    await begin(web_app, dave)
    alice = await web_app.sign_in("alice")
    delegate_id = await web_app.database.fetchval("SELECT id FROM delegates")
    assert (await alice.post("/app/people/delegates", data={"do": "remove", "on": delegate_id})).status_code == 303
    refused = await dave.post("/app/teams/new", data={"do": "save", "name": "Mine now"})
    assert refused.status_code == 403
    assert "do not act for this account any more" in refused.text
    assert not await web_app.database.fetchval("SELECT count(*) FROM teams WHERE name = 'Mine now'")
    assert (await dave.get("/app/people")).status_code == 200


@pytest.mark.parametrize("owner_id", ["999999999", "abc", "0"])
async def test_no_one_acts_for_an_owner_who_has_not_agreed(web_app: WebApp, owner_id: str) -> None:
    dave = await web_app.sign_in("dave")
    answer = await dave.post("/app/acting", data={"owner_id": owner_id})
    assert answer.status_code in (400, 403)
    dave.cookies.set("leadroutes-acting", f"{web_app.town.users['dave']}.{web_app.town.users['alice']}")
    assert (await dave.get("/app/teams")).status_code == 403


async def test_a_delegate_enters_tasks_of_the_account_and_finds_them(web_app: WebApp) -> None:
    """They are the owner's: once the acting has ended the delegate may be a stranger to the contact."""
    dave = await delegate(web_app, "dave", "Administrator")
    await dave.post("/app/acting", data={"owner_id": web_app.town.users["alice"]})
    contact_id = await web_app.database.fetchval("SELECT contact_id FROM leads")
    task = {"do": "task", "action_type": "Call Contact", "description": "Ask about the garden"}
    for path in (f"/app/contacts/{contact_id}", f"/app/leads/{web_app.lead_id}"):
        answer = await dave.post(path, data=task)
        assert answer.status_code == 303, said(answer)
    assert [row["assigned_user_id"] for row in await web_app.database.fetch("SELECT * FROM tasks")] == [
        web_app.town.users["alice"]
    ] * 2
    assert "Ask about the garden" in (await dave.get("/app/tasks")).text


async def test_what_the_owner_has_is_mine_to_a_delegate(web_app: WebApp) -> None:
    alice, town = await web_app.sign_in("alice"), web_app.town
    assign = {"do": "assign", "user_id": town.users["alice"]}
    assert (await alice.post(f"/app/leads/{web_app.lead_id}", data=assign)).status_code == 303
    dave = await delegate(web_app, "dave", "Administrator")
    assert "Mia Lund" not in (await dave.get("/app/leads?whose=mine")).text
    await dave.post("/app/acting", data={"owner_id": town.users["alice"]})
    for path in ("/app/leads?whose=mine", "/app/contacts?whose=mine"):
        assert "Mia Lund" in (await dave.get(path)).text, path
    assert "Alice Town has it since" in said(await dave.get(f"/app/leads/{web_app.lead_id}"))


def test_an_open_inbox_hears_of_those_whose_it_is() -> None:
    user = SessionUser(id=4, name="Dave", timezone="UTC", is_admin=False)
    caller = Caller(user_id=1, scopes=frozenset({"read"}), acting_user_id=4, role="Administrator")
    viewer = Viewer(
        user=user, caller=caller, owner_id=1, email="dave@example.com", phone=None, is_admin=False, has_account=True,
        is_member=True, is_oneself=False,
    )  # fmt: skip
    assert topics_of(viewer, ["user"]) == {user_topic(1): "user"}
    assert topics_of(replace(viewer, caller=replace(caller, user_id=4), owner_id=4), ["user"]) == {
        user_topic(4): "user"
    }


async def test_a_team_lead_has_one_page(web_app: WebApp) -> None:
    await web_app.database.execute("UPDATE leads SET team_id = $1", web_app.town.team_id)
    dave = await delegate(web_app, "dave", "Team Lead")
    await dave.post("/app/acting", data={"owner_id": web_app.town.users["alice"]})
    assert (await dave.get("/app")).headers["location"] == "/app/team"
    page = await dave.get("/app/team")
    assert "North Side" in page.text
    assert "Denver" in page.text
    assert "Mia" not in page.text
    assert 'name="user_id"' not in page.text, "the names of all members, in each lead"
    assert 'name="user_id"' in (await dave.get(f"/app/team?assign={web_app.lead_id}")).text
    for path in ("/app/teams", "/app/leads", "/app/board", "/app/people", "/app/audit", "/app/outbox"):
        assert (await dave.get(path)).status_code == 404, path
    form = {"do": "assign", "on": web_app.lead_id, "user_id": web_app.town.users["carol"]}
    assert (await dave.post("/app/team", data=form)).status_code == 303
    assert (await web_app.claimed())["username"].startswith("carol")
    empty = await dave.post("/app/team", data=form | {"user_id": ""})
    assert empty.status_code == 422
    assert "Choose a member" in empty.text
    assert (await (await web_app.sign_in("alice")).get("/app/team")).status_code == 404


async def test_a_team_lead_finds_the_leads_of_each_state(web_app: WebApp) -> None:
    """Whether a lead is junk or closed is a mark beside its state."""
    await web_app.database.execute("UPDATE leads SET team_id = $1", web_app.town.team_id)
    dave = await delegate(web_app, "dave", "Team Lead")
    await dave.post("/app/acting", data={"owner_id": web_app.town.users["alice"]})
    for mark in ("junk_reason = 'spam'", "is_closed = true", "is_closed = false, junk_reason = NULL"):
        await web_app.database.execute(f"UPDATE leads SET {mark}")
        lead = await web_app.database.fetchrow("SELECT * FROM leads")
        for state in STATES:
            page = await dave.get("/app/team", params={"state": state})
            is_there = {"junk": lead["junk_reason"] is not None, "closed": lead["is_closed"], "on offer": True}
            assert (f"Lead {web_app.lead_id}" in page.text) is is_there.get(state, False), (mark, state)
    assert (await dave.get("/app/team?state=x")).status_code == 400


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "", "role": "Administrator"}, "Give the e-mail"),
        ({"email": "dave@example.com", "role": "Team Lead"}, "Choose the team"),
        ({"email": "dave@example.com", "role": "King"}, "role"),
        ({"email": "no address", "role": "Administrator"}, "email"),
    ],
)
async def test_wrong_invitations_of_delegates_name_the_field(web_app: WebApp, form: dict, words: str) -> None:
    alice = await web_app.sign_in("alice")
    answer = await alice.post("/app/people/delegates", data={"do": "invite", **form})
    assert answer.status_code == 422
    assert words in answer.text


# -------------------------------------------------------------------------------------------------------- audit


async def test_the_audit_shows_what_was_before_and_after(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    team = f"/app/teams/{web_app.town.team_id}"
    form = {"do": "save", "name": "South <b>", "order_method": "Round Robin", "mins_until_next_alert": "5",
            "offer_mode": "Exclusive"}  # fmt: skip
    assert (await alice.post(team, data=form)).status_code == 303
    page = await alice.get("/app/audit")
    assert "<del>North Side</del>" in page.text
    assert "<ins>South &lt;b&gt;</ins>" in page.text
    assert f'href="{team}"' in page.text
    assert (await (await web_app.sign_in("bob")).get("/app/audit")).status_code == 404
    dave = await web_app.sign_in("dave")
    assert "North Side" not in (await dave.get("/app/audit")).text


async def test_the_audit_leads_to_the_page_of_a_record_and_of_nothing_else(web_app: WebApp) -> None:
    """The number of an address or of a step is not that of the contact or campaign to which it belongs."""
    alice = await web_app.sign_in("alice")
    contact_id = await web_app.database.fetchval("SELECT contact_id FROM leads")
    path = f"/app/contacts/{contact_id}"
    assert (await alice.post(path, data={"do": "address", "city": "Denver"})).status_code == 303
    assert (await alice.post(path, data={"do": "tag", "tag": "hot"})).status_code == 303
    campaign_id = await web_app.database.fetchval("SELECT min(id) FROM campaigns")
    step = {"do": "add-step", "type": "Agent Task - No Reminder", "timing_type": "Delay by Minutes", "delay": "5",
            "delay_unit": "60", "description": "Look"}  # fmt: skip
    assert (await alice.post(f"/app/campaigns/{campaign_id}", data=step)).status_code == 303
    route = await web_app.database.fetchval("SELECT min(id) FROM lead_routes")
    assert (await alice.post("/app/routes", data={"do": "set", "press": f"off-{route}"})).status_code == 303
    await web_app.database.execute(
        "UPDATE audit_entries SET record_id = record_id + 1000 WHERE resource LIKE '%/:id/%'"
    )

    page = (await alice.get("/app/audit")).text

    links = re.findall(r'href="(/app/(?:contacts|campaigns|routes|leads|teams)/[0-9]+)"', page)
    assert set(links) == {path, f"/app/routes/{route}"}


@pytest.mark.parametrize(
    ("method", "resource", "place"),
    [
        ("POST", "/leads/:id/offers", "/leads/7"),
        ("POST", "/leads/:id/claim", "/leads/7"),
        ("DELETE", "/leads/:id/junk", "/leads/7"),
        ("DELETE", "/leads", ""),
        ("POST", "/campaigns/:id/contacts/:id/resumption", ""),
        ("POST", "/leads/assignments", ""),
    ],
)
def test_only_an_act_on_one_record_has_a_place(method: str, resource: str, place: str) -> None:
    assert place_of({"method": method, "resource": resource, "record_id": 7}) == place


def test_every_act_is_of_a_kind_to_choose() -> None:
    chosen = {path for kind in KINDS.values() for path in kind.resources}
    written = {path for path, each in BY_PATH.items() if not set(each.methods) <= set("LG")}
    assert sorted((written | {path for _, path in OTHER_ACTS}) - chosen) == []


async def test_the_audit_is_narrowed_and_goes_on_by_its_key(web_app: WebApp) -> None:
    alice_id, bob_id = web_app.town.users["alice"], web_app.town.users["bob"]
    await web_app.database.execute(
        "INSERT INTO audit_entries (owner_id, at, user_id, method, resource, label, changes, is_about_user)"
        " SELECT $1, date_trunc('milliseconds', now()) - n / 30 * interval '1 hour', $1, 'POST', '/tags', 'tag-' || n,"
        " '[]', false FROM generate_series(1, 120) n",
        alice_id,
    )
    alice = await web_app.sign_in("alice")
    seen: list[str] = []
    address = "/app/audit?what=contacts"
    while address:
        page = (await alice.get(address)).text
        seen += re.findall(r"tag-\d+", page)
        more = re.search(r'href="(/app/audit\?[^"]+)" hx-get', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 120
    today = (web_app.database.clock.now() + timedelta(days=2)).date()
    for query, is_found in (
        (f"who={alice_id}", True), (f"who={bob_id}", False), ("what=routes", False), (f"to={today}", True),
        (f"from={today}", False), ("record=1&what=contacts", False), ("to=2020-01-01", False),
        ("to=2020-01-01&before=", False),
    ):  # fmt: skip
        assert ("tag-" in (await alice.get(f"/app/audit?{query}")).text) is is_found, query
    for query in ("who=x", "what=x", "record=x", "from=yesterday", "before=x", "before=x~1"):
        assert (await alice.get(f"/app/audit?{query}")).status_code == 400, query


async def test_sign_ins_are_a_list_of_their_own(web_app: WebApp, admin: Any) -> None:
    bob = await web_app.sign_in("bob")
    await web_app.browser().post("/sign-in", data={"email": "bob@example.com", "password": "wrong"})
    page = said(await admin.get("/app/audit/sign-ins"))
    assert "wrong password" in page
    assert "Bob Town" in page
    assert (await bob.get("/app/audit/sign-ins")).status_code == 404
    mine = said(await admin.get(f"/app/audit/sign-ins?who={web_app.town.users['alice']}"))
    assert "wrong password" not in mine
    assert (await admin.get("/app/audit/sign-ins?before=x")).status_code == 400


def test_every_act_has_words() -> None:
    for each in OPERATIONS:
        if each.method != "GET" and not each.is_public:
            path = each.path if each.resource is None else each.resource.path
            words = act_in_words({"method": each.method, "resource": each.path if ":id" in each.path else path})
            assert words, each

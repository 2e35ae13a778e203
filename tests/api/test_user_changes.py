"""PATCH /me and PATCH /users/:id: who changes what, what ends with a password, and how an account is closed."""

import asyncio
import re

import pytest

from leadroutes.engine.users import add_email_token, confirm_email
from leadroutes.operations.doctor import examine
from leadroutes.store import accounts
from leadroutes.store.accounts import hash_secret
from leadroutes.store.sessions import add_session, find_session
from tests.support.api import ask

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def password_hash():
    return accounts.hash_password(PASSWORD)


@pytest.fixture
async def staffed(town, password_hash):
    """Everybody has a password; Root is the administrator."""
    await town.add_user("root", is_admin=True)
    await town.database.execute("UPDATE users SET password_hash = $1", password_hash)
    return town


async def patch(town, name, target, **body):
    return await ask(town, name, "PATCH", target, json=body)


async def lent_tokens(town):
    """Of an application, and of a sub-account: both act as Bob."""
    application = await town.insert(
        "applications", user_id=town.users["dave"], name="App", client_id="c", redirect_uris=["https://a.example"]
    )
    tokens = [await town.token("bob", application_id=application), await town.token("bob")]
    token_id = await town.database.fetchval(
        "SELECT id FROM access_tokens WHERE token_hash = $1", hash_secret(tokens[1])
    )
    await town.insert("sub_accounts", owner_id=town.users["alice"], user_id=town.users["bob"], token_id=token_id)
    return tokens


# ----------------------------------------------------------------------------------------------------------- /me


async def test_plain_data_changes_at_once(staffed):
    body = {
        "first_name": "Robert", "last_name": None, "username": "rob", "phone": "(303) 555-0142",
        "timezone": "America/Denver", "profile_picture": "https://p.example/bob", "postal_address": "1 Elm St\nX",
    }  # fmt: skip
    reply = await patch(staffed, "bob", "/me", **body)

    assert reply.status == 200, reply.body
    assert {name: reply.json[name] for name in body} == body | {"phone": "+13035550142"}
    assert reply.json["timezone_offset"] == -7
    assert "postal_address" not in (await ask(staffed, "bob", "GET", f"/users/{reply.json['id']}")).json
    assert (await ask(staffed, "bob", "GET", "/me")).json == reply.json


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"phone": "12"}, "phone"), ({"timezone": "Mars"}, "timezone"), ({"timezone": None}, "timezone"),
        ({"email": "unknown", "current_password": PASSWORD}, "email"), ({"first_name": "x" * 256}, "first_name"),
        ({"password": "short", "current_password": PASSWORD}, "password"),
        ({"password": "long enough"}, "current_password"), ({"email": "b@example.com"}, "current_password"),
        ({"email": "b@example.com", "current_password": "wrong"}, "current_password"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_and_nothing_changes(staffed, body, name):
    before = await ask(staffed, "bob", "GET", "/me")
    reply = await patch(staffed, "bob", "/me", last_name="New", **body)

    assert (reply.status, list(reply.json["errors"])) == (400, [name]), reply.body
    assert PASSWORD not in reply.body.decode()
    assert (await ask(staffed, "bob", "GET", "/me")).json == before.json


async def test_many_wrong_passwords_are_refused(staffed):
    for _ in range(10):
        assert (await patch(staffed, "bob", "/me", password="long enough", current_password="wrong")).status == 400
    reply = await patch(staffed, "bob", "/me", password="long enough", current_password=PASSWORD)
    assert (reply.status, reply.json["name"]) == (429, "TooManyRequests")
    other = await patch(staffed, "carol", "/me", password="long enough", current_password=PASSWORD)
    assert other.status == 200


async def test_marks_are_not_ones_own(staffed):
    reply = await patch(staffed, "bob", "/me", is_admin=True, is_active=False)
    assert reply.status == 200
    row = await staffed.database.fetchrow("SELECT is_admin, is_active FROM users WHERE username = 'bob'")
    assert tuple(row) == (False, True)


GUARDED = [{"email": "b@example.com"}, {"password": "long enough"}, {"is_admin": True}, {"is_active": False}]


@pytest.mark.parametrize("body", GUARDED)
async def test_tokens_of_applications_and_of_sub_accounts_change_no_proof_and_no_mark(staffed, body):
    await staffed.database.execute("UPDATE users SET is_admin = true WHERE username = 'bob'")
    for token in await lent_tokens(staffed):
        headers = {"Authorization": f"Bearer {token}"}
        for target in ("/me", f"/users/{staffed.users['carol']}"):
            sent = body | {"current_password": PASSWORD}
            reply = await ask(staffed, None, "PATCH", target, json=sent, headers=headers)
            assert reply.status == 403, (target, reply.body)
        plain = await ask(staffed, None, "PATCH", "/me", json={"first_name": "B"}, headers=headers)
        assert plain.status == 200


# --------------------------------------------------------------------------------------------------------- e-mail


async def test_a_new_email_counts_once_its_link_is_opened_and_the_old_one_is_notified(staffed):
    reply = await patch(staffed, "bob", "/me", email="Robert@example.com", current_password=PASSWORD)
    assert (reply.status, reply.json["email"]) == (200, "bob@example.com")
    rows = await staffed.database.fetch("SELECT kind, address, email_change_id FROM messages ORDER BY id")
    assert [(row["kind"], row["address"]) for row in rows] == [
        ("email_change", "robert@example.com"), ("email_changing", "bob@example.com"),
    ]  # fmt: skip
    token = await add_email_token(staffed.database, rows[0]["email_change_id"])
    assert await confirm_email(staffed.database, token) == "robert@example.com"
    assert (await ask(staffed, "bob", "GET", "/me")).json["email"] == "robert@example.com"


async def test_the_answer_is_the_same_whether_the_email_is_in_use_or_not(staffed):
    answers = []
    for email in ("alice@example.com", "free@example.com"):
        reply = await patch(staffed, "bob", "/me", email=email, current_password=PASSWORD)
        messages = await staffed.database.fetch("SELECT kind, state FROM messages WHERE address = $1", email)
        answers.append((reply.status, re.sub(r'"modified_at":"[^"]*"', "", reply.body.decode()), messages))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200


async def test_only_the_last_email_that_was_asked_for_counts(staffed):
    ids = []
    for email in ("first@example.com", "second@example.com"):
        await patch(staffed, "bob", "/me", email=email, current_password=PASSWORD)
        ids.append(await staffed.database.fetchval("SELECT id FROM email_changes"))
    assert await add_email_token(staffed.database, ids[0]) is None
    assert await add_email_token(staffed.database, ids[1]) is not None


# ------------------------------------------------------------------------------------------------ what proves a user


async def proofs(town):
    """A session, a further token, and one of an application's grant, all Bob's."""
    bob = town.users["bob"]
    application = await town.insert(
        "applications", user_id=town.users["dave"], name="App", client_id="g", redirect_uris=["https://a.example"]
    )
    grant = await town.insert("grants", user_id=bob, application_id=application, scope=["write"])
    session = await add_session(town.database, bob)
    return session, {
        "personal": await town.token("bob"),
        "application": await town.token("bob", application_id=application, grant_id=grant),
    }


async def works(town, token):
    return (await ask(town, None, "GET", "/me", headers={"Authorization": f"Bearer {token}"})).status == 200


@pytest.mark.parametrize("way", ["/me", "/users", "command line"])
async def test_a_new_password_ends_all_that_proved_the_user_but_what_changed_it(staffed, way):
    session, tokens = await proofs(staffed)
    others = await staffed.token("carol")
    if way == "/me":
        reply = await patch(staffed, "bob", "/me", password="another good one", current_password=PASSWORD)
        assert reply.status == 200
    elif way == "/users":
        reply = await patch(staffed, "root", f"/users/{staffed.users['bob']}", password="another good one")
        assert reply.status == 200
    else:
        await accounts.set_password(staffed.database, "bob@example.com", "another good one")

    assert await find_session(staffed.database, session) is None
    assert {kind: await works(staffed, token) for kind, token in tokens.items()} == dict.fromkeys(tokens, False)
    assert await works(staffed, staffed.tokens["bob"]) is (way == "/me")
    assert await works(staffed, others)
    assert await staffed.database.fetchval("SELECT count(*) FROM grants WHERE revoked_at IS NULL") == 0
    assert await accounts.is_password_of(staffed.database, staffed.users["bob"], "another good one")


async def test_an_email_that_was_asked_for_before_does_not_outlive_the_password(staffed):
    await patch(staffed, "bob", "/me", email="thief@example.com", current_password=PASSWORD)
    change_id = await staffed.database.fetchval("SELECT id FROM email_changes")
    await accounts.set_password(staffed.database, "bob@example.com", "another good one")
    assert await add_email_token(staffed.database, change_id) is None


# -------------------------------------------------------------------------------------------------- administrators


async def test_administrators_change_users_and_no_one_else_does(staffed):
    url = f"/users/{staffed.users['bob']}"
    assert (await patch(staffed, "alice", url, first_name="X")).status == 403
    assert (await patch(staffed, "bob", url, first_name="X")).status == 403
    assert (await patch(staffed, "dave", url, first_name="X")).status == 404
    reply = await patch(staffed, "root", url, first_name="Rob", email="rob@example.com", is_broker=True)

    assert reply.status == 200, reply.body
    assert (reply.json["first_name"], reply.json["email"], reply.json["is_broker"]) == ("Rob", "rob@example.com", True)
    messages = await staffed.database.fetch("SELECT kind, address FROM messages")
    assert [tuple(row) for row in messages] == [("email_changing", "bob@example.com")]
    assert (await patch(staffed, "root", url, email="ALICE@example.com")).status == 409
    assert (await patch(staffed, "root", url, email=None)).json["errors"].keys() == {"email"}


async def test_marks_are_answered_to_administrators_alone(staffed):
    marks = {"is_active", "is_admin", "is_broker"}
    assert not marks & set((await ask(staffed, "alice", "GET", "/users")).json["data"][0])
    assert marks <= set((await ask(staffed, "root", "GET", "/users")).json["data"][0])
    bob = staffed.users["bob"]
    assert (await ask(staffed, "alice", "GET", f"/users/{bob}?$select=is_active")).json == {
        "id": bob,
        "is_active": None,
    }


async def test_the_last_administrator_stays(staffed):
    url = f"/users/{staffed.users['root']}"
    for body in ({"is_admin": False}, {"is_active": False}):
        assert (await patch(staffed, "root", url, **body)).status == 409
    await staffed.add_user("other", is_admin=True)
    replies = await asyncio.gather(
        patch(staffed, "root", url, is_admin=False),
        patch(staffed, "root", f"/users/{staffed.users['other']}", is_admin=False),
    )
    assert 200 in {
        reply.status for reply in replies
    }  # the other one was the last, or was asked for by no administrator
    assert await staffed.database.fetchval("SELECT count(*) FROM users WHERE is_admin AND is_active") == 1


async def test_a_closed_account_proves_nothing_and_keeps_everything(staffed):
    session, tokens = await proofs(staffed)
    contact = await staffed.contact("bob")
    url = f"/users/{staffed.users['bob']}"
    reply = await patch(staffed, "root", url, is_active=False)

    assert (reply.status, reply.json["is_active"]) == (200, False)
    assert await find_session(staffed.database, session) is None
    for token in (*tokens.values(), staffed.tokens["bob"]):
        assert not await works(staffed, token)
    assert await staffed.database.fetchval("SELECT count(*) FROM contacts WHERE id = $1", contact) == 1
    assert (await patch(staffed, "root", url, is_active=True)).json["is_active"] is True
    assert not await works(staffed, staffed.tokens["bob"])


async def owning(town):
    """Alice's brokerage: a key, a route, a campaign with a step, own sources, a team with its options."""

    async def create(path, **body):
        reply = await ask(town, "alice", "POST", path, json=body)
        assert reply.status == 201, reply.body
        return reply.json

    source = await create("/lead-sources", name="Yard sign")
    contact_source = await create("/contact-sources", name="Zillow")
    folder = await create("/template-folders", name="Letters")
    letter = await create("/templates", template_folder_id=folder["id"], template_type="Email", subject="s", body="b")
    campaign = await create("/campaigns", name="Drip")
    await create(f"/campaigns/{campaign['id']}/actions", type="Email Contact", template_id=letter["id"],
               timing_type="Delay by Minutes", delay_by_seconds=0)  # fmt: skip
    await create("/team-member-distribution-options", team_id=town.team_id, user_id=town.users["bob"],
               assign_automatically=False, has_email_alert=True)  # fmt: skip
    route = await create("/lead-routes", campaign_id=campaign["id"], lead_source_id=source["id"], team_id=town.team_id,
                       contact_source_id=contact_source["id"], distribution_target="Team Rollout",
                       team_selection_method="Specific Team")  # fmt: skip
    key = await create("/intake-keys", lead_source_id=source["id"], contact_source_id=contact_source["id"])
    return source, route, key


async def test_whoever_owns_something_needs_a_successor_who_gets_it_and_goes_on_with_it(staffed):
    source, route, key = await owning(staffed)
    address = f"/intake/{key['key']}"
    first = await ask(staffed, None, "POST", address, json={"name": "Mia Lund", "email": "m@example.com"})
    assert first.status == 201
    url = f"/users/{staffed.users['alice']}"
    refused = await patch(staffed, "root", url, is_active=False)
    assert (refused.status, refused.json["data"]) == (
        409, {"intake_keys": [key["id"]], "lead_routes": [route["id"]], "teams": [staffed.team_id]},
    )  # fmt: skip
    for wrong in (staffed.users["alice"], 999_999):
        reply = await patch(staffed, "root", url, is_active=False, successor_user_id=wrong)
        assert (reply.status, list(reply.json["errors"])) == (400, ["successor_user_id"])
    await ask(staffed, "carol", "POST", "/campaigns", json={"name": "DRIP"})
    reply = await patch(staffed, "root", url, is_active=False, successor_user_id=staffed.users["carol"])
    assert reply.status == 200, reply.body

    team = (await ask(staffed, "carol", "GET", f"/teams/{staffed.team_id}")).json
    assert team["user_id"] == staffed.users["carol"]
    moved = (await ask(staffed, "carol", "GET", f"/lead-routes/{route['id']}")).json
    assert (moved["lead_source"]["id"], moved["contact_source"]["name"]) == (source["id"], "Zillow")
    assert (await ask(staffed, "carol", "GET", f"/campaigns/{moved['campaign']['id']}/actions")).json["total"] == 1
    second = await ask(staffed, None, "POST", address, json={"name": "Tom Ek", "email": "t@example.com"})
    assert second.status == 201
    row = await staffed.database.fetchrow("SELECT owner_id, routed_at FROM leads ORDER BY id DESC LIMIT 1")
    assert (row["owner_id"], row["routed_at"] is not None) == (staffed.users["carol"], True)
    bobs = await ask(staffed, "bob", "GET", "/lead-offers")
    assert bobs.json["total"] == 2  # what was under way goes on
    assert (await examine(staffed.database)).violation is None


async def listing(town, owner, mls_id, agent):
    columns = {"mls_id": mls_id, "mls_key": mls_id.lower(), "user_id": town.users[agent]}
    await town.insert("listing_agents", owner_id=town.users[owner], **columns)


async def listings(town):
    """Whose account, which listing, and its agent."""
    rows = await town.database.fetch(
        "SELECT o.username AS owner, mls_id, u.username AS agent FROM listing_agents a"
        " JOIN users o ON o.id = owner_id JOIN users u ON u.id = user_id ORDER BY 1, 2"
    )
    return [(row["owner"], row["mls_id"], row["agent"]) for row in rows]


async def test_the_listings_of_an_account_go_to_the_successor(staffed):
    await staffed.team("carol", name="South Side")
    for owner, mls_id, agent in (
        ("alice", "A1", "alice"), ("alice", "A2", "bob"), ("alice", "A3", "bob"), ("carol", "A3", "carol"),
    ):  # fmt: skip
        await listing(staffed, owner, mls_id, agent)
    url = f"/users/{staffed.users['alice']}"
    reply = await patch(staffed, "root", url, is_active=False, successor_user_id=staffed.users["carol"])
    assert reply.status == 200, reply.body

    assert await listings(staffed) == [
        ("alice", "A3", "bob"), ("carol", "A1", "carol"), ("carol", "A2", "bob"), ("carol", "A3", "carol"),
    ]  # fmt: skip
    assert (await examine(staffed.database)).violation is None


async def test_who_owns_nothing_leaves_listings_to_a_successor_who_is_a_member(staffed):
    await staffed.team("dave", "bob", name="Elsewhere")
    await listing(staffed, "alice", "A1", "bob")
    await listing(staffed, "dave", "D1", "bob")
    url = f"/users/{staffed.users['bob']}"
    wrong = await patch(staffed, "root", url, is_active=False, successor_user_id=999_999)
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["successor_user_id"])
    reply = await patch(staffed, "root", url, is_active=False, successor_user_id=staffed.users["carol"])
    assert reply.status == 200, reply.body

    assert await listings(staffed) == [("alice", "A1", "carol"), ("dave", "D1", "bob")]


async def test_a_successor_sees_nothing_that_members_share_before_agreeing(staffed):
    await staffed.share_contacts()
    contact = await staffed.contact("bob")
    url = f"/users/{staffed.users['alice']}"
    reply = await patch(staffed, "root", url, is_active=False, successor_user_id=staffed.users["dave"])
    assert reply.status == 200, reply.body
    assert (await ask(staffed, "dave", "GET", f"/contacts/{contact}")).status == 404
    assert (await ask(staffed, "carol", "GET", f"/contacts/{contact}")).status == 200

"""Users, sub-accounts and what a broker's switches show: the rules that are theirs alone."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.api import ask

# ------------------------------------------------------------------------------------------------------- users


async def test_the_caller_comes_first(town):
    reply = await ask(town, "carol", "GET", "/users")
    carol, alice, bob = (town.users[name] for name in ("carol", "alice", "bob"))

    assert reply.ids == [carol, alice, bob]
    assert (await ask(town, "dave", "GET", "/users")).ids == [town.users["dave"]]
    assert (await ask(town, "carol", "GET", "/users?$sort[email]=-1")).ids == [carol, bob, alice]


async def test_me_is_the_user_of_the_token(town):
    me = await ask(town, "bob", "GET", "/me")
    record = await ask(town, "bob", "GET", f"/users/{town.users['bob']}")

    assert me.json == record.json | {"postal_address": None}
    assert set((await ask(town, "bob", "GET", "/me?$select=email")).json) == {"id", "email"}
    assert (await ask(town, "bob", "GET", "/me?nope=1")).status == 400


async def test_only_administrators_add_users_and_see_all(town):
    body = {"email": "New@Example.com", "first_name": "New", "timezone": "America/Los_Angeles", "password": "long one"}
    assert (await ask(town, "alice", "POST", "/users", json=body)).status == 403
    await town.add_user("root", is_admin=True)
    reply = await ask(town, "root", "POST", "/users", json=body)

    assert reply.status == 201
    assert "password" not in reply.json
    assert (reply.json["username"], reply.json["timezone_offset"]) == (reply.json["email"], -8)
    again = await ask(town, "root", "POST", "/users", json=body | {"email": "new@EXAMPLE.com"})
    assert (again.status, again.json["name"]) == (409, "Conflict")
    short = await ask(town, "root", "POST", "/users", json={"email": "b@example.com", "password": "short"})
    assert (short.status, list(short.json["errors"])) == (400, ["password"])
    nowhere = await ask(town, "root", "POST", "/users", json={"email": "b@example.com", "timezone": "Mars"})
    assert (nowhere.status, list(nowhere.json["errors"])) == (400, ["timezone"])
    assert (await ask(town, "root", "GET", "/users")).json["total"] == 6
    assert (await ask(town, "root", "GET", f"/users/{town.users['dave']}")).status == 200


async def _application(town, owner, client_id):
    return await town.insert(
        "applications", user_id=town.users[owner], name="App", client_id=client_id, redirect_uris=["https://app/cb"]
    )


async def test_users_by_application(town):
    mine, theirs = await _application(town, "alice", "mine"), await _application(town, "dave", "theirs")
    await town.token("dave", application_id=mine)
    await town.token("bob", application_id=theirs)
    past = datetime.now(UTC) - timedelta(days=1)
    await town.token("bob", application_id=mine, expires_at=past)
    await town.token("carol", application_id=mine, revoked_at=past)
    dave, bob = town.users["dave"], town.users["bob"]

    async def get(target):
        return await ask(town, "alice", "GET", target)

    assert (await get("/users?oauth_client_id=mine")).ids == [dave]
    assert (await get("/users?oauth_client_id=mine&first_name=Bob")).ids == []
    assert (await get(f"/users/{dave}?oauth_client_id=mine")).json["email"] == "dave@example.com"
    for target in (f"/users/{bob}?oauth_client_id=mine", "/users/999?oauth_client_id=mine",
                   "/users?oauth_client_id=theirs", f"/users/{dave}?oauth_client_id=theirs"):  # fmt: skip
        reply = await get(target)
        assert (reply.status, reply.json["name"]) == (401, "NotAuthenticated")
    for target in ("/users?oauth_client_id=nobodys", "/users?oauth_client_id="):
        assert (await get(target)).status == 403
    assert (await get("/users?oauth_client_id[$ne]=mine")).status == 400
    await town.database.execute("UPDATE users SET is_active = false WHERE id = $1", dave)
    assert (await get("/users?oauth_client_id=mine")).ids == []


# ------------------------------------------------------------------------------------------------ sub-accounts


@pytest.fixture
async def broker(town):
    """Alice is a broker, and Bob's in particular, with every switch in its default."""
    await town.database.execute("UPDATE users SET is_broker = true WHERE id = $1", town.users["alice"])
    reply = await ask(town, "alice", "POST", "/sub-accounts", json={"user_id": town.users["bob"]})
    assert reply.status == 201
    return f"/sub-accounts/{reply.json['id']}"


async def test_sub_accounts_are_for_brokers_only(town):
    for method, target in (
        ("GET", "/sub-accounts"), ("GET", "/sub-accounts/1"), ("POST", "/sub-accounts"), ("PATCH", "/sub-accounts/1"),
        ("DELETE", "/sub-accounts/1"),
    ):  # fmt: skip
        assert (await ask(town, "dave", method, target, json={})).status == 403


async def test_a_sub_account_is_a_member_of_the_brokers_team_and_of_one_broker(town, broker):
    record = (await ask(town, "alice", "GET", broker)).json
    assert record["user"]["email"] == "bob@example.com"
    assert record["access_token"] is None
    assert (record["is_custom_fields_enabled"], record["is_custom_fields_new_enabled"]) == (False, True)
    again = await ask(town, "alice", "POST", "/sub-accounts", json={"user_id": town.users["bob"]})
    assert again.status == 409
    for name in ("dave", "alice"):
        reply = await ask(town, "alice", "POST", "/sub-accounts", json={"user_id": town.users[name]})
        assert (reply.status, list(reply.json["errors"])) == (400, ["user_id"])


async def test_the_token_of_a_sub_account_is_given_once_and_ends_with_it(town, broker):
    await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users["alice"])
    made = await ask(town, "alice", "POST", "/sub-accounts", json={"user_id": town.users["carol"]})
    token = made.json["access_token"]
    url = f"/sub-accounts/{made.json['id']}"
    assert len(token) == 40
    assert list(made.json) == list((await ask(town, "alice", "GET", url)).json)
    assert (await ask(town, "alice", "GET", url)).json["access_token"] is None

    headers = {"Authorization": f"Bearer {token}"}
    assert (await ask(town, None, "GET", "/me", headers=headers)).json["id"] == town.users["carol"]
    assert (await ask(town, "alice", "DELETE", url)).status == 200
    assert (await ask(town, None, "GET", "/me", headers=headers)).status == 401


SEEN = [
    ("/hotnesses", {"name": "Hot"}, "user_can_see_broker_hotnesses"),
    ("/lead-sources", {"name": "Fair"}, "is_lead_sources_enabled"),
    ("/custom-fields", {"name": "Kids", "data_type": "Text"}, "is_custom_fields_enabled"),
    ("/contacts", {"first_name": "Mia"}, "is_contact_ownership_enabled"),
]


@pytest.mark.parametrize(("path", "body", "switch"), SEEN, ids=[case[0] for case in SEEN])
async def test_a_sub_account_sees_what_the_broker_switches_on(town, broker, path, body, switch):
    made = (await ask(town, "alice", "POST", path, json=body)).json
    url = f"{path}/{made['id']}"
    assert (await ask(town, "bob", "GET", url)).status == 404
    await ask(town, "alice", "PATCH", broker, json={switch: True})
    assert (await ask(town, "bob", "GET", url)).status == 200
    assert made["id"] in (await ask(town, "bob", "GET", f"{path}?$limit=100")).ids
    for method in ("PATCH", "PUT", "DELETE"):
        assert (await ask(town, "bob", method, url, json=body)).status == 403
    assert (await ask(town, "carol", "GET", url)).status == 404


MAY_MAKE = [
    ("/hotnesses", {"name": "Hot"}, "user_can_create_own_hotnesses"),
    ("/lead-sources", {"name": "Fair"}, "is_lead_sources_new_enabled"),
    ("/custom-fields", {"name": "Kids", "data_type": "Text"}, "is_custom_fields_new_enabled"),
    ("/contacts", {"first_name": "Mia"}, "is_contact_ownership_new_enabled"),
]


@pytest.mark.parametrize(("path", "body", "switch"), MAY_MAKE, ids=[case[0] for case in MAY_MAKE])
async def test_a_sub_account_makes_own_ones_while_it_may(town, broker, path, body, switch):
    assert (await ask(town, "bob", "POST", path, json=body)).status == 201
    await ask(town, "alice", "PATCH", broker, json={switch: "false"})
    assert (await ask(town, "bob", "POST", path, json=body)).status == 403
    assert (await ask(town, "carol", "POST", path, json=body)).status == 201


async def test_a_brokers_campaign_is_seen_and_started_by_sub_accounts(town, broker):
    campaign = (await ask(town, "alice", "POST", "/campaigns", json={"name": "Drip"})).json
    url = f"/campaigns/{campaign['id']}"
    assert (await ask(town, "bob", "GET", url)).status == 404
    await ask(town, "alice", "PATCH", url, json={"is_broker_sharing_on": True})

    shared = await ask(town, "bob", "GET", url)
    assert (shared.status, shared.json["is_shared_by_broker"]) == (200, True)
    assert (await ask(town, "alice", "GET", url)).json["is_shared_by_broker"] is False
    assert (await ask(town, "bob", "PATCH", url, json={"name": "Mine"})).status == 403
    assert (await ask(town, "bob", "GET", f"{url}/actions")).status == 200
    body = {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 60}
    assert (await ask(town, "bob", "POST", f"{url}/actions", json=body)).status == 403
    contact = (await ask(town, "bob", "POST", "/contacts", json={})).json
    started = await ask(town, "bob", "POST", f"{url}/contacts", json={"contact_id": contact["id"]})
    assert started.status == 201
    assert (await ask(town, "alice", "GET", f"{url}/contacts")).json["total"] == 0
    assert (await ask(town, "carol", "GET", url)).status == 404


async def test_a_password_is_not_repeated_in_what_is_wrong_with_it(town):
    await town.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    for wrong in ("hushush", "hush" * 64, ["hushhush"], {"hush": 1}):
        reply = await ask(town, "alice", "POST", "/users", json={"email": "x@example.com", "password": wrong})
        assert (reply.status, list(reply.json["errors"])) == (400, ["password"])
        assert b"hush" not in reply.body

"""Invitations and sharing: what an invitation shows, who agrees to what, and what ends with a membership."""

import pytest

from leadroutes.store.invitations import MOST_OPEN
from tests.support.api import ask

NOTHING = dict.fromkeys(("first_name", "last_name", "username", "phone"))


async def create(town, name, path, body):
    reply = await ask(town, name, "POST", path, json=body)
    assert reply.status == 201, reply.body
    return reply.json


async def dave_invites(town, **whom):
    """A stranger's team, and an invitation of someone into it."""
    team = await create(town, "dave", "/teams", {"name": "Catalogue"})
    return team["id"], await ask(town, "dave", "POST", "/team-members", json={"team_id": team["id"], **whom})


# -------------------------------------------------------------------------------------------------- invitations


async def test_an_invitation_by_id_shows_the_id_alone_until_it_is_accepted(town):
    alice = town.users["alice"]
    _, asked = await dave_invites(town, user_id=alice)
    url = f"/team-members/{asked.json['id']}"
    for record in (asked.json, (await ask(town, "dave", "GET", url)).json):
        assert record["user"] == {"id": alice, **NOTHING, "email": None}
    assert (await ask(town, "dave", "GET", f"/team-members?user_id={alice}")).json["total"] == 0
    removed = await ask(town, "dave", "DELETE", url)
    assert removed.json["user"] == {"id": alice, **NOTHING, "email": None}

    _, asked = await dave_invites(town, user_id=alice)
    url = f"/team-members/{asked.json['id']}"
    assert (await ask(town, "alice", "PATCH", url, json={"request_status": "Declined"})).status == 200
    assert (await ask(town, "dave", "GET", url)).json["user"]["email"] is None
    assert (await ask(town, "alice", "PATCH", url, json={"request_status": "Accepted"})).status == 200
    assert (await ask(town, "dave", "GET", url)).json["user"]["email"] == "alice@example.com"
    assert (await ask(town, "dave", "GET", f"/team-members?user_id={alice}")).json["total"] == 1


async def test_an_invitation_by_email_is_answered_alike_whether_there_is_an_account_or_not(town):
    answers = []
    for email in ("alice@example.com", "unknown@example.com"):
        _, asked = await dave_invites(town, email=email)
        record = asked.json
        assert (asked.status, record["user"]) == (201, {"id": None, **NOTHING, "email": email})
        shown = await ask(town, "dave", "GET", f"/team-members/{record['id']}")
        again = await ask(
            town, "dave", "POST", "/team-members", json={"team_id": record["team"]["id"], "email": email.upper()}
        )
        outbox = await town.database.fetch(
            "SELECT kind, user_id, state FROM messages WHERE address = $1 ORDER BY id", email
        )
        answers.append((sorted(record), sorted(shown.json), again.status, [tuple(row) for row in outbox]))

    assert answers[0] == answers[1]
    assert answers[0][2] == 409


async def test_the_two_forms_do_not_know_of_each_other(town):
    """Otherwise the one would tell whose the other is."""
    team_id, _ = await dave_invites(town, email="alice@example.com")
    by_id = await ask(town, "dave", "POST", "/team-members", json={"team_id": team_id, "user_id": town.users["alice"]})
    assert by_id.status == 201
    assert (await ask(town, "dave", "GET", f"/team-members?user_id={town.users['alice']}")).json["total"] == 0


async def test_whoever_has_the_address_sees_the_invitation_and_becomes_the_member_under_its_id(town):
    team_id, asked = await dave_invites(town, email="ALICE@example.com")
    url = f"/team-members/{asked.json['id']}"
    assert asked.json["id"] in (await ask(town, "alice", "GET", "/team-members?request_status=Pending")).ids
    assert (await ask(town, "bob", "GET", url)).status == 404
    assert (await ask(town, "dave", "PATCH", url, json={"request_status": "Accepted"})).status == 403
    accepted = await ask(town, "alice", "PATCH", url, json={"request_status": "Accepted"})

    assert (accepted.status, accepted.json["id"]) == (200, asked.json["id"])
    assert accepted.json["user"]["id"] == town.users["alice"]
    assert (await ask(town, "alice", "GET", f"/teams/{team_id}")).status == 200
    again = await ask(town, "dave", "POST", "/team-members", json={"team_id": team_id, "email": "alice@example.com"})
    assert again.status == 409  # members see each other's e-mail anyway


async def test_both_forms_accepted_are_one_membership(town):
    team_id, by_email = await dave_invites(town, email="alice@example.com")
    by_id = await create(town, "dave", "/team-members", {"team_id": team_id, "user_id": town.users["alice"]})
    for each in (by_id["id"], by_email.json["id"]):
        reply = await ask(town, "alice", "PATCH", f"/team-members/{each}", json={"request_status": "Accepted"})
        assert reply.status == 200
    members = await ask(town, "dave", "GET", f"/team-members?team_id={team_id}")
    assert sorted(each["user"]["id"] for each in members.json["data"]) == sorted(
        [town.users["alice"], town.users["dave"]]
    )


async def test_declining_by_email_is_recorded_and_one_may_be_asked_again(town):
    team_id, asked = await dave_invites(town, email="alice@example.com")
    url = f"/team-members/{asked.json['id']}"
    declined = await ask(town, "alice", "PATCH", url, json={"request_status": "Declined"})
    assert (declined.status, declined.json["request_status"]) == (200, "Declined")
    again = await create(town, "dave", "/team-members", {"team_id": team_id, "email": "alice@example.com"})
    assert (again["id"], again["request_status"]) == (asked.json["id"], "Pending")
    assert (await ask(town, "dave", "DELETE", url)).status == 200
    assert (await ask(town, "alice", "GET", url)).status == 404


async def test_an_unknown_user_id_is_400_and_so_is_that_of_a_closed_account(town):
    await town.database.execute("UPDATE users SET is_active = false WHERE id = $1", town.users["carol"])
    for user_id in (999_999, town.users["carol"]):
        _, asked = await dave_invites(town, user_id=user_id)
        assert (asked.status, list(asked.json["errors"])) == (400, ["user_id"])


async def test_open_invitations_are_limited(town):
    team_id, _ = await dave_invites(town, user_id=town.users["alice"])
    await town.database.execute(
        "INSERT INTO team_invitations (owner_id, team_id, email) SELECT $1, $2, n || '@example.com'"
        " FROM generate_series(1, $3::int) n",
        town.users["dave"],
        team_id,
        MOST_OPEN - 1,
    )
    for whom, name in (({"email": "one.more@example.com"}, "email"), ({"user_id": town.users["bob"]}, "user_id")):
        reply = await ask(town, "dave", "POST", "/team-members", json={"team_id": team_id, **whom})
        assert (reply.status, list(reply.json["errors"])) == (400, [name])
    await town.database.execute("UPDATE team_invitations SET request_status = 'Declined' WHERE email = '1@example.com'")
    await create(town, "dave", "/team-members", {"team_id": team_id, "email": "one.more@example.com"})


async def test_an_address_is_mailed_once_a_day_whoever_invites(town):
    async def mails() -> int:
        return await town.database.fetchval("SELECT count(*) FROM messages WHERE kind = 'invitation'")

    await dave_invites(town, email="unknown@example.com")
    await dave_invites(town, email="Unknown@Example.com")
    await create(town, "alice", "/team-members", {"team_id": town.team_id, "email": "unknown@example.com"})
    assert await mails() == 1
    await town.database.execute("UPDATE invitation_mails SET mailed_at = mailed_at - interval '25 hours'")
    await dave_invites(town, email="unknown@example.com")
    assert await mails() == 2


# ------------------------------------------------------------------------------------------------------- sharing


@pytest.fixture
async def friendly(town):
    """Dave's team, which does not share; Alice has accepted it. Alice's contact."""
    team_id, asked = await dave_invites(town, user_id=town.users["alice"])
    member = asked.json["id"]
    await ask(town, "alice", "PATCH", f"/team-members/{member}", json={"request_status": "Accepted"})
    contact = await create(town, "alice", "/contacts", {"first_name": "Nora"})
    return team_id, member, contact["id"]


async def switch(town, team_id, is_on):
    body = {"is_contact_resource_sharing_enabled": is_on}
    assert (await ask(town, "dave", "PATCH", f"/teams/{team_id}", json=body)).status == 200


async def sees(town, name, contact_id):
    return (await ask(town, name, "GET", f"/contacts/{contact_id}")).status == 200


async def test_accepting_a_team_that_does_not_share_is_not_consent_to_one_that_does(town, friendly):
    team_id, member, contact = friendly
    daves = (await create(town, "dave", "/contacts", {"first_name": "Otto"}))["id"]
    await switch(town, team_id, is_on=True)
    assert not await sees(town, "dave", contact)
    assert not await sees(town, "alice", daves)
    record = (await ask(town, "alice", "GET", f"/team-members/{member}")).json
    assert (record["request_status"], record["is_sharing_accepted"]) == ("Accepted", False)

    await ask(town, "alice", "PATCH", f"/team-members/{member}", json={"request_status": "Accepted"})
    assert await sees(town, "dave", contact)
    assert await sees(town, "alice", daves)
    await switch(town, team_id, is_on=False)
    assert not await sees(town, "dave", contact)
    await switch(town, team_id, is_on=True)
    assert not await sees(town, "dave", contact)


async def test_a_change_of_anything_else_asks_no_one_again(town, friendly):
    team_id, member, contact = friendly
    await switch(town, team_id, is_on=True)
    await ask(town, "alice", "PATCH", f"/team-members/{member}", json={"request_status": "Accepted"})
    await switch(town, team_id, is_on=True)
    await ask(town, "dave", "PATCH", f"/teams/{team_id}", json={"name": "Other"})
    assert await sees(town, "dave", contact)


async def test_whoever_accepts_a_team_that_shares_agrees(town):
    team = await create(town, "dave", "/teams", {"name": "S", "is_contact_resource_sharing_enabled": True})
    asked = await create(town, "dave", "/team-members", {"team_id": team["id"], "user_id": town.users["alice"]})
    contact = (await create(town, "alice", "/contacts", {"first_name": "Nora"}))["id"]
    assert not await sees(town, "dave", contact)
    await ask(town, "alice", "PATCH", f"/team-members/{asked['id']}", json={"request_status": "Accepted"})
    assert await sees(town, "dave", contact)


ENDS = ["switched off", "left", "removed", "team removed", "creator closed"]


@pytest.mark.parametrize("end", ENDS)
async def test_what_a_teammate_has_assigned_goes_back_when_the_sharing_ends(town, friendly, end):
    team_id, member, contact = friendly
    await switch(town, team_id, is_on=True)
    await ask(town, "alice", "PATCH", f"/team-members/{member}", json={"request_status": "Accepted"})
    given = (await create(town, "alice", "/contacts", {"first_name": "Given"}))["id"]
    mine = {"assigned_user_id": town.users["dave"]}
    assert (await ask(town, "dave", "PATCH", f"/contacts/{contact}", json=mine)).status == 200
    assert (await ask(town, "alice", "PATCH", f"/contacts/{given}", json=mine)).status == 200
    match end:
        case "switched off":
            await switch(town, team_id, is_on=False)
        case "left":
            await ask(town, "alice", "PATCH", f"/team-members/{member}", json={"request_status": "Declined"})
        case "removed":
            await ask(town, "dave", "DELETE", f"/team-members/{member}")
        case "team removed":
            assert (await ask(town, "dave", "DELETE", f"/teams/{team_id}")).status == 200
        case "creator closed":
            await town.add_user("root", is_admin=True)
            closed = {"is_active": False, "successor_user_id": town.users["bob"]}
            reply = await ask(town, "root", "PATCH", f"/users/{town.users['dave']}", json=closed)
            assert reply.status == 200, reply.body

    assert (await ask(town, "alice", "GET", f"/contacts/{contact}")).json["assigned_user_id"] is None
    if end != "creator closed":
        assert not await sees(town, "dave", contact)
        assert await sees(town, "dave", given)  # what the owner has given, the owner takes back


async def test_a_contact_that_was_won_stays_with_the_winner(town, friendly):
    team_id, member, contact = friendly
    await switch(town, team_id, is_on=True)
    await ask(town, "alice", "PATCH", f"/team-members/{member}", json={"request_status": "Accepted"})
    await ask(town, "dave", "PATCH", f"/contacts/{contact}", json={"assigned_user_id": town.users["dave"]})
    lead = await create(town, "alice", "/leads", {"contact_id": contact, "distribute": False})
    assigned = await ask(town, "alice", "POST", f"/leads/{lead['id']}/assignment", json={"user_id": town.users["dave"]})
    assert assigned.status == 200
    await switch(town, team_id, is_on=False)
    assert await sees(town, "dave", contact)


async def test_mails_to_a_contact_of_whoever_has_left_come_from_the_owner(town):
    contact = await town.contact("alice", assigned_user_id=town.users["bob"])
    senders = "SELECT sender_of($1, assigned_user_id) FROM contacts WHERE id = $2"
    assert await town.database.fetchval(senders, town.users["alice"], contact) == town.users["bob"]
    for change in (
        "UPDATE users SET is_active = false WHERE username = 'bob'",
        "UPDATE users SET is_active = true WHERE username = 'bob'; UPDATE team_members SET request_status = 'Declined'",
    ):
        async with town.database.pool.acquire() as connection:
            await connection.execute(change)
        assert await town.database.fetchval(senders, town.users["alice"], contact) == town.users["alice"]

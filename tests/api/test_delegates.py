"""Delegates: the invitation, what an owner lets them do, and the header with which they act for the owner."""

import pytest

from leadroutes.api.acting import ROLES
from leadroutes.api.operations import OPERATIONS
from tests.support.api import Reply, ask, create

ADMINISTRATOR, TEAM_LEAD = "Administrator", "Team Lead"


async def delegate(town, name: str, role: str = ADMINISTRATOR, **more) -> int:
    """Alice's delegate, who has accepted; returns its id."""
    body = {"user_id": town.users[name], "role": role, **more}
    made = await create(town, "alice", "/delegates", body)
    accepted = await ask(town, name, "POST", f"/delegates/{made['id']}/acceptance")
    assert accepted.status == 200, accepted.body
    assert accepted.json["accepted_at"] is not None
    return made["id"]


async def act(town, name: str, method: str, target: str, owner: str = "alice", **more) -> Reply:
    """One request of this person for an owner."""
    headers = {"X-Acting-For": str(town.users[owner]), **more.pop("headers", {})}
    return await ask(town, name, method, target, headers=headers, **more)


# -------------------------------------------------------------------------------------------------- invitations


async def test_it_counts_once_it_is_accepted_and_ends_at_once(town):
    body = {"user_id": town.users["dave"], "role": ADMINISTRATOR}
    made = await create(town, "alice", "/delegates", body)
    assert made["accepted_at"] is None
    assert (made["owner_user_id"], made["team_id"]) == (town.users["alice"], None)
    assert (await act(town, "dave", "GET", "/lead-routes")).status == 403

    assert (await ask(town, "alice", "POST", f"/delegates/{made['id']}/acceptance")).status == 403
    assert (await ask(town, "bob", "POST", f"/delegates/{made['id']}/acceptance")).status == 404
    assert (await ask(town, "dave", "POST", f"/delegates/{made['id']}/acceptance")).status == 200
    assert (await act(town, "dave", "GET", "/lead-routes")).status == 200

    assert (await ask(town, "alice", "DELETE", f"/delegates/{made['id']}")).status == 200
    assert (await act(town, "dave", "GET", "/lead-routes")).status == 403


async def test_owner_and_delegate_see_it_and_no_one_else(town):
    made = await delegate(town, "dave")
    for name, expected in (("alice", 200), ("dave", 200), ("bob", 404)):
        assert (await ask(town, name, "GET", f"/delegates/{made}")).status == expected
    assert (await ask(town, "bob", "DELETE", f"/delegates/{made}")).status == 404
    assert (await ask(town, "dave", "PATCH", f"/delegates/{made}", json={"role": TEAM_LEAD})).status == 403
    assert (await ask(town, "dave", "DELETE", f"/delegates/{made}")).status == 200


async def test_whoever_acts_has_their_own_invitations_in_the_inbox(town):
    """Those of the owner are answered by the owner alone."""
    await delegate(town, "dave")
    invited = {}
    for name in ("alice", "dave"):
        team = await create(town, "carol", "/teams", {"name": f"Team of {name}"})
        invited[name] = await create(
            town, "carol", "/team-members", {"team_id": team["id"], "user_id": town.users[name]}
        )

    for reply in (await act(town, "dave", "GET", "/inbox"), await ask(town, "dave", "GET", "/inbox")):
        assert [each["id"] for each in reply.json["invitations"]] == [invited["dave"]["id"]]
    [of_alice] = (await ask(town, "alice", "GET", "/inbox")).json["invitations"]
    assert of_alice["id"] == invited["alice"]["id"]


async def test_until_it_is_accepted_it_shows_what_was_sent(town):
    made = await create(town, "dave", "/delegates", {"user_id": town.users["alice"], "role": ADMINISTRATOR})
    assert made["user"]["id"] == town.users["alice"]
    assert made["user"]["email"] is None
    assert (await ask(town, "dave", "GET", f"/delegates?user_id={town.users['alice']}")).json["total"] == 0
    await ask(town, "alice", "POST", f"/delegates/{made['id']}/acceptance")
    assert (await ask(town, "dave", "GET", f"/delegates/{made['id']}")).json["user"]["email"] == "alice@example.com"


async def test_an_invitation_by_email_is_accepted_by_whoever_has_the_address(town):
    made = await create(town, "alice", "/delegates", {"email": "DAVE@example.com", "role": ADMINISTRATOR})
    assert made["user"]["id"] is None
    again = await ask(town, "alice", "POST", "/delegates", json={"email": "dave@example.com", "role": ADMINISTRATOR})
    assert again.status == 409
    assert (await ask(town, "bob", "POST", f"/delegates/{made['id']}/acceptance")).status == 404
    accepted = await ask(town, "dave", "POST", f"/delegates/{made['id']}/acceptance")
    assert accepted.json["user"]["id"] == town.users["dave"]
    mails = await town.database.fetch("SELECT kind, member_id FROM messages WHERE address = 'dave@example.com'")
    assert [(row["kind"], row["member_id"]) for row in mails] == [("invitation", made["id"])]


async def test_what_is_accepted_last_replaces_the_other_form(town):
    first = await delegate(town, "dave")
    body = {"email": "dave@example.com", "role": TEAM_LEAD, "team_id": town.team_id}
    made = await create(town, "alice", "/delegates", body)
    assert (await ask(town, "dave", "POST", f"/delegates/{made['id']}/acceptance")).status == 200
    assert (await ask(town, "alice", "GET", "/delegates")).ids == [made["id"]]
    assert (await ask(town, "alice", "GET", f"/delegates/{first}")).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": ADMINISTRATOR}, "user_id"),
        ({"role": ADMINISTRATOR, "user_id": 10**9}, "user_id"),
        ({"role": ADMINISTRATOR, "email": "nonsense"}, "email"),
        ({"role": "Owner", "email": "d@example.com"}, "role"),
        ({"email": "d@example.com"}, "role"),
        ({"role": TEAM_LEAD, "email": "d@example.com"}, "team_id"),
        ({"role": TEAM_LEAD, "email": "d@example.com", "team_id": 10**9}, "team_id"),
    ],
)
async def test_bad_input_names_the_field(town, body, field):
    reply = await ask(town, "alice", "POST", "/delegates", json=body)
    assert (reply.status, list(reply.json["errors"])) == (400, [field])


async def test_no_one_is_a_delegate_of_themselves(town):
    own = {"user_id": town.users["alice"], "role": ADMINISTRATOR}
    assert (await ask(town, "alice", "POST", "/delegates", json=own)).status == 400
    made = await create(town, "alice", "/delegates", {"email": "alice@example.com", "role": ADMINISTRATOR})
    assert (await ask(town, "alice", "POST", f"/delegates/{made['id']}/acceptance")).status == 409


async def test_the_team_of_another_owner_is_refused(town):
    theirs = await town.team("dave", name="Far Side")
    body = {"user_id": town.users["bob"], "role": TEAM_LEAD, "team_id": theirs}
    assert list((await ask(town, "alice", "POST", "/delegates", json=body)).json["errors"]) == ["team_id"]


async def test_a_change_of_the_role_takes_effect_at_once(town):
    made = await delegate(town, "dave")
    changed = await ask(town, "alice", "PATCH", f"/delegates/{made}", json={"role": TEAM_LEAD, "team_id": town.team_id})
    assert changed.status == 200
    assert (await act(town, "dave", "GET", "/lead-routes")).status == 403
    again = await ask(town, "alice", "PATCH", f"/delegates/{made}", json={"role": ADMINISTRATOR})
    assert again.json["team_id"] is None


# ------------------------------------------------------------------------------------------------------ the header


async def test_what_a_delegate_makes_belongs_to_the_owner(town):
    await delegate(town, "dave")
    made = await act(town, "dave", "POST", "/tags", json={"content": "Landlord"})
    assert made.status == 201
    assert made.json["id"] in (await ask(town, "alice", "GET", "/tags")).ids
    assert (await ask(town, "dave", "GET", "/tags")).ids == []


@pytest.mark.parametrize("value", ["", "abc", "1,2", "1.5"])
async def test_a_header_that_is_not_an_id_is_400(town, value):
    reply = await ask(town, "dave", "GET", "/tags", headers={"X-Acting-For": value})
    assert reply.status == 400
    assert "X-Acting-For" in reply.json["message"]


async def test_an_account_that_does_not_exist_is_answered_as_one_that_has_not_agreed(town):
    for owner in (town.users["alice"], 10**9):
        reply = await ask(town, "dave", "GET", "/tags", headers={"X-Acting-For": str(owner)})
        assert reply.status == 403


async def test_the_own_account_needs_no_delegate(town):
    assert (await act(town, "dave", "GET", "/me", owner="dave")).json["id"] == town.users["dave"]


async def test_the_token_of_an_application_needs_write_and_the_grant(town):
    await delegate(town, "dave")
    application = await town.insert(
        "applications", user_id=town.users["bob"], name="App", client_id="app", redirect_uris=["https://app.example"]
    )
    values = {"user_id": town.users["dave"], "application_id": application}
    grant = await town.insert("grants", scope=["write"], **values)
    about = {"application_id": application, "grant_id": grant}
    target, owner = "/lead-routes", {"X-Acting-For": str(town.users["alice"])}
    expected = {"read": 403, "write": 200}
    tokens = {scope: await town.token("dave", scope, **about) for scope in expected}
    for scope, status in expected.items():
        headers = owner | {"Authorization": f"Bearer {tokens[scope]}"}
        assert (await ask(town, None, "GET", target, headers=headers)).status == status
    await town.database.execute("UPDATE grants SET revoked_at = now()")
    headers = owner | {"Authorization": f"Bearer {tokens['write']}"}
    assert (await ask(town, None, "GET", target, headers=headers)).status == 403


async def test_a_closed_owner_has_no_delegates(town):
    await delegate(town, "dave")
    await town.database.execute("UPDATE users SET is_active = false WHERE id = $1", town.users["alice"])
    assert (await act(town, "dave", "GET", "/lead-routes")).status == 403


async def test_browsers_may_send_the_header(town):
    reply = await ask(town, None, "OPTIONS", "/leads")
    assert "X-Acting-For" in reply.headers["access-control-allow-headers"]


async def test_an_administrator_of_the_service_does_not_lend_that_right(town):
    await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users["alice"])
    await delegate(town, "dave")
    alice, dave = town.users["alice"], town.users["dave"]
    for target, body in (
        (f"/users/{dave}", {"is_admin": True}),
        (f"/users/{alice}", {"password": "another one entirely"}),
        ("/me", {"first_name": "Mallory"}),
    ):
        assert (await act(town, "dave", "PATCH", target, json=body)).status == 403


# ------------------------------------------------------------------------------------------------------- the roles

OWN = {  # first words of paths that are never a delegate's
    "alert-preferences", "channels", "delegates", "example-brokerage", "me", "passed-over", "phone-numbers",
    "push-subscriptions", "sessions", "sign-ins", "signatures", "trusted-browsers", "user-invitations",
}  # fmt: skip
TEAM_LEADS = {
    "GET /leads", "GET /leads/:id", "GET /leads/:id/offers", "GET /leads/:id/offers/:id", "GET /leads/:id/routing",
    "GET /leads/:id/history", "POST /leads/:id/assignment", "GET /teams", "GET /teams/:id", "GET /team-members",
    "GET /team-members/:id", "GET /team-member-distribution-options", "GET /team-member-distribution-options/:id",
    "PATCH /team-member-distribution-options/:id", "GET /availabilities", "GET /availabilities/:id", "GET /time-off",
    "GET /time-off/:id",
}  # fmt: skip
ACCOUNT = {
    "arrivals", "audit", "availabilities", "calendar", "campaign-contacts", "campaigns", "consents",
    "contact-communications", "contact-sources", "contacts", "custom-fields", "events", "handovers", "hotnesses",
    "imports", "inbox", "intake-keys", "intake-vendors", "lead-offers", "lead-routes", "lead-sources", "leads",
    "ledger", "listing-agents", "messages", "reports", "rules", "sub-accounts", "suppressions", "tags", "tasks",
    "team-member-distribution-options", "team-members", "teams", "template-folders", "templates", "test-leads",
    "time-off", "users", "webhooks",
}  # fmt: skip
PRIVATE = [each for each in OPERATIONS if not each.is_public]


def test_every_path_is_either_the_accounts_or_the_persons():
    """A new one has to be entered here and, if it is the person's, in the declaration of the roles."""
    assert {each.path.split("/")[1] for each in PRIVATE} - OWN - ACCOUNT == set()


@pytest.mark.parametrize("operation", PRIVATE, ids=lambda each: f"{each.method} {each.path}")
async def test_each_role_may_do_what_is_its_own_and_gets_403_for_the_rest(town, operation):
    is_account = operation.path.split("/")[1] in ACCOUNT
    is_users = operation.path.startswith("/users") and operation.method != "GET"
    expected = {
        ADMINISTRATOR: is_account and not is_users,
        TEAM_LEAD: f"{operation.method} {operation.path}" in TEAM_LEADS,
    }
    await delegate(town, "dave")
    await delegate(town, "carol", TEAM_LEAD, team_id=town.team_id)
    await town.database.execute("UPDATE users SET is_broker = true WHERE id = $1", town.users["alice"])
    target = operation.path.replace(":id", "999999999")
    for name, role in (("dave", ADMINISTRATOR), ("carol", TEAM_LEAD)):
        more = {} if operation.method == "GET" else {"json": {}}
        reply = await act(town, name, operation.method, target, **more)
        refused = reply.status == 403 and reply.json["message"].startswith("A delegate who is")
        assert refused is not expected[role], (role, reply.status, reply.body)
        assert reply.status < 500
        assert (ROLES[role].grant(operation.method, operation.path) is None) is refused


async def test_a_team_lead_sees_one_team_and_its_leads_alone(town):
    await delegate(town, "dave", TEAM_LEAD, team_id=town.team_id)
    other = await town.team("alice", "bob", name="South Side")
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia"})
    leads = [(await create(town, "alice", "/leads", {"contact_id": contact["id"]}))["id"] for _ in range(2)]
    for lead_id, team_id in zip(leads, (town.team_id, other), strict=True):
        await town.database.execute("UPDATE leads SET team_id = $2 WHERE id = $1", lead_id, team_id)

    assert (await act(town, "dave", "GET", "/teams")).ids == [town.team_id]
    assert (await act(town, "dave", "GET", f"/teams/{other}")).status == 404
    assert (await act(town, "dave", "GET", "/leads")).json["total"] == 1
    assert (await act(town, "dave", "GET", "/leads")).ids == leads[:1]
    assert (await act(town, "dave", "GET", "/team-members")).json["total"] == 3
    for path in ("", "/offers", "/routing", "/history"):
        assert (await act(town, "dave", "GET", f"/leads/{leads[0]}{path}")).status == 200, path
        assert (await act(town, "dave", "GET", f"/leads/{leads[1]}{path}")).status == 404, path


async def test_a_team_lead_assigns_within_the_team(town):
    await delegate(town, "dave", TEAM_LEAD, team_id=town.team_id)
    other = await town.team("alice", "dave", name="South Side")
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia"})
    mine, theirs = [(await create(town, "alice", "/leads", {"contact_id": contact["id"]}))["id"] for _ in range(2)]
    await town.database.execute("UPDATE leads SET team_id = $2 WHERE id = $1", mine, town.team_id)
    await town.database.execute("UPDATE leads SET team_id = $2 WHERE id = $1", theirs, other)

    async def assign(lead_id: int, name: str) -> int:
        body = {"user_id": town.users[name]}
        return (await act(town, "dave", "POST", f"/leads/{lead_id}/assignment", json=body)).status

    assert await assign(theirs, "bob") == 404
    assert await assign(mine, "dave") == 403
    assert await assign(mine, "bob") == 200


async def test_a_team_lead_changes_nothing_of_a_member_but_the_pause(town):
    await delegate(town, "dave", TEAM_LEAD, team_id=town.team_id)
    body = {"team_id": town.team_id, "user_id": town.users["bob"], "assign_automatically": False}
    option = await create(town, "alice", "/team-member-distribution-options", body)
    url = f"/team-member-distribution-options/{option['id']}"
    assert (await act(town, "dave", "PATCH", url, json={"rank": 9})).status == 403
    assert (await act(town, "dave", "PATCH", url, json={})).status == 200


async def test_a_removed_team_has_no_lead(town):
    other = await town.team("alice", name="South Side")
    made = await delegate(town, "dave", TEAM_LEAD, team_id=other)
    assert (await ask(town, "alice", "DELETE", f"/teams/{other}")).status == 200
    assert (await ask(town, "alice", "GET", f"/delegates/{made}")).status == 404

"""The audit: what each act of a person leaves, what no act leaves, and who sees it."""

from datetime import timedelta

import pytest

from leadroutes.api.operations import OPERATIONS
from leadroutes.api.resources.audit import MOST_COUNTED
from leadroutes.operations.erasure import erase_contact, export_contact
from leadroutes.settings import Settings
from leadroutes.worker.retention import clean
from tests.support.api import ask, create
from tests.support.town import Town


async def audit(town: Town, name: str = "alice", query: str = "") -> list[dict]:
    reply = await ask(town, name, "GET", f"/audit{query}")
    assert reply.status == 200, reply.body
    return reply.json["data"]


async def latest(town: Town, name: str = "alice") -> dict:
    return (await audit(town, name, "?$limit=1"))[0]


async def route_of(town: Town) -> dict:
    body = {
        "campaign_id": await town.campaign("alice"),
        "lead_source_id": await town.lead_source("alice"),
        "contact_source_id": await town.contact_source("alice"),
        "distribution_target": "Team Rollout",
        "team_selection_method": "Specific Team",
        "team_id": town.team_id,
        "priority": 3,
    }
    return await create(town, "alice", "/lead-routes", body)


# ----------------------------------------------------------------------------------------------- what is recorded


async def test_a_rule_has_its_values_before_and_after(town):
    route = await route_of(town)
    url = f"/lead-routes/{route['id']}"
    made = await latest(town)
    assert {"field": "priority", "after": 3} in made["changes"]
    about = ("owner_user_id", "user_id", "application_id", "method", "resource", "record_id")
    assert [made[name] for name in about] == [
        town.users["alice"], town.users["alice"], None, "POST", "/lead-routes", route["id"]
    ]  # fmt: skip
    assert made["user_name"] == "Alice Town"

    await ask(town, "alice", "PATCH", url, json={"priority": 7, "is_active": True})
    assert (await latest(town))["changes"] == [{"field": "priority", "before": 3, "after": 7}]
    await ask(town, "alice", "DELETE", url)
    removed = await latest(town)
    assert (removed["method"], removed["record_id"]) == ("DELETE", route["id"])
    assert {"field": "priority", "before": 7} in removed["changes"]


async def test_the_label_is_the_name_of_the_record(town):
    await create(town, "alice", "/teams", {"name": "South Side"})
    assert (await latest(town))["label"] == "South Side"


async def test_a_change_that_changes_nothing_and_a_read_leave_nothing(town):
    tag = await create(town, "alice", "/tags", {"content": "Landlord"})
    before = len(await audit(town))
    await ask(town, "alice", "PATCH", f"/tags/{tag['id']}", json={"content": "Landlord"})
    await ask(town, "alice", "PATCH", f"/tags/{tag['id']}", json={})
    await ask(town, "alice", "GET", "/tags")
    assert len(await audit(town)) == before


async def test_what_is_refused_leaves_nothing(town):
    await ask(town, "alice", "POST", "/tags", json={})
    await create(town, "alice", "/tags", {"content": "Landlord"})
    await ask(town, "alice", "POST", "/tags", json={"content": "landlord"})
    assert len(await audit(town)) == 1


async def test_of_contacts_and_leads_only_the_names_of_fields_are_recorded(town):
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": "mia@example.com"})
    made = await latest(town)
    assert made["label"] is None
    assert {"field": "first_name"} in made["changes"]
    await ask(town, "alice", "PATCH", f"/contacts/{contact['id']}", json={"last_name": "Lund"})
    assert (await latest(town))["changes"] == [{"field": "last_name"}]
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"], "distribute": False})
    assert (await latest(town))["resource"] == "/contacts"  # leads come from senders: no act of a person
    await ask(town, "alice", "PATCH", f"/leads/{lead['id']}", json={"city": "Seattle"})
    changed = await latest(town)
    assert (changed["resource"], changed["changes"]) == ("/leads", [{"field": "city"}])
    stored = "".join([row["t"] for row in await town.database.fetch("SELECT t::text AS t FROM audit_entries t")])
    assert not [word for word in ("Mia", "mia@", "Lund", "Seattle") if word in stored]


async def test_secrets_are_not_recorded(town):
    source = await town.lead_source("alice")
    body = {"lead_source_id": source, "format": "google", "secrets": {"google_key": "swordfish"}}
    await ask(town, "alice", "POST", "/intake-keys", json=body)
    await ask(town, "alice", "PATCH", "/me", json={"password": "swordfish22", "current_password": "swordfish"})
    await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users["alice"])
    body = {"email": "new@example.com", "password": "swordfish22"}
    made = await create(town, "alice", "/users", body)
    await ask(town, "alice", "PATCH", f"/users/{made['id']}", json={"password": "swordfish33"})
    stored = "".join([row["t"] for row in await town.database.fetch("SELECT t::text AS t FROM audit_entries t")])
    assert "password" in stored
    assert "swordfish" not in stored


async def test_other_acts_have_their_parameters(town):
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia"})
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"], "distribute": False})
    body = {"user_id": town.users["bob"]}
    assert (await ask(town, "alice", "POST", f"/leads/{lead['id']}/assignment", json=body)).status == 200
    act = await latest(town)
    assert (act["resource"], act["record_id"]) == ("/leads/:id/assignment", lead["id"])
    assert act["changes"] == [{"field": "user_id", "after": town.users["bob"]}]


async def test_the_act_of_an_agent_is_in_the_owners_audit(town):
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "assigned_user_id": town.users["bob"]})
    assert (await ask(town, "bob", "PATCH", f"/contacts/{contact['id']}", json={"city": "x", "fax": "1"})).status == 200
    assert (await latest(town))["user_id"] == town.users["bob"]
    assert await audit(town, "bob") == []


async def test_a_claim_is_recorded_once(town):
    await town.option("alice", town.team_id, "bob")
    await town.route("alice")
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia"})
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"], "source_id": 1})
    for _ in range(2):
        assert (await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")).status == 200
    acts = await audit(town, query="?resource=/leads/:id/claim")
    assert [(each["user_id"], each["record_id"]) for each in acts] == [(town.users["bob"], lead["id"])]


async def test_a_delegate_and_the_owner_are_both_named(town):
    made = await create(town, "alice", "/delegates", {"user_id": town.users["dave"], "role": "Administrator"})
    await ask(town, "dave", "POST", f"/delegates/{made['id']}/acceptance")
    accepted = await latest(town)
    assert (accepted["user_id"], accepted["resource"]) == (town.users["dave"], "/delegates/:id/acceptance")
    headers = {"X-Acting-For": str(town.users["alice"])}
    await ask(town, "dave", "POST", "/tags", json={"content": "Landlord"}, headers=headers)
    act = await latest(town)
    assert (act["user_id"], act["owner_user_id"]) == (town.users["dave"], town.users["alice"])
    reply = await ask(town, "dave", "GET", "/audit", headers=headers)
    assert reply.json["data"][0]["id"] == act["id"]
    assert await audit(town, "dave") == []


async def test_an_application_is_named(town):
    application = await town.insert(
        "applications", user_id=town.users["bob"], name="App", client_id="app", redirect_uris=["https://app.example"]
    )
    token = await town.token("alice", application_id=application)
    headers = {"Authorization": f"Bearer {token}"}
    await ask(town, None, "POST", "/tags", json={"content": "Landlord"}, headers=headers)
    assert (await latest(town))["application_id"] == application


async def test_many_creations_at_once_leave_one_row_each(town):
    import asyncio

    await asyncio.gather(
        *(ask(town, "alice", "POST", "/tags", json={"content": f"Tag {number % 20}"}) for number in range(40))
    )
    acts = await audit(town, query="?$limit=100")
    assert len(acts) == len({each["record_id"] for each in acts}) == 20


# ------------------------------------------------------------------------------------------------------ who sees it


async def test_a_strangers_audit_and_entries_are_not_seen(town):
    await create(town, "alice", "/tags", {"content": "Landlord"})
    entry = await latest(town)
    assert await audit(town, "dave") == []
    assert (await ask(town, "dave", "GET", f"/audit/{entry['id']}")).status == 404
    assert (await ask(town, "alice", "GET", f"/audit/{entry['id']}")).json == entry
    for method in ("PATCH", "PUT", "DELETE"):
        assert (await ask(town, "alice", method, f"/audit/{entry['id']}", json={})).status == 405


async def test_administrators_see_acts_on_the_accounts_of_users_alone(town):
    await ask(town, "bob", "PATCH", "/me", json={"first_name": "Robert"})
    await create(town, "bob", "/tags", {"content": "Landlord"})
    await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users["alice"])
    await ask(town, "alice", "PATCH", f"/users/{town.users['carol']}", json={"first_name": "Caroline"})
    acts = await audit(town)
    assert [(each["resource"], each["owner_user_id"]) for each in acts] == [
        ("/users", town.users["carol"]),
        ("/me", town.users["bob"]),
    ]
    assert acts[0]["changes"] == [{"field": "first_name", "before": "Carol", "after": "Caroline"}]
    assert acts[1]["changes"] == [{"field": "first_name", "before": "Bob", "after": "Robert"}]
    assert (await audit(town, "carol"))[0]["user_id"] == town.users["alice"]


async def test_a_delegate_of_an_administrator_sees_the_account_alone(town):
    await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users["alice"])
    made = await create(town, "alice", "/delegates", {"user_id": town.users["dave"], "role": "Administrator"})
    await ask(town, "dave", "POST", f"/delegates/{made['id']}/acceptance")
    await ask(town, "bob", "PATCH", "/me", json={"first_name": "Robert"})
    headers = {"X-Acting-For": str(town.users["alice"])}
    seen = (await ask(town, "dave", "GET", "/audit", headers=headers)).json["data"]
    assert {each["owner_user_id"] for each in seen} == {town.users["alice"]}


async def test_it_is_filtered_by_user_resource_record_and_time(town):
    tag = await create(town, "alice", "/tags", {"content": "Landlord"})
    first = await latest(town)
    await town.database.move_clock(timedelta(hours=1))
    await ask(town, "alice", "PATCH", f"/tags/{tag['id']}", json={"content": "Tenant"})
    second = await latest(town)
    for query, expected in (
        ("", [second, first]),
        (f"?user_id={town.users['alice']}", [second, first]),
        (f"?user_id={town.users['bob']}", []),
        (f"?resource=/tags&record_id={tag['id']}", [second, first]),
        (f"?resource=/tags&record_id={tag['id'] + 1}", []),
        (f"?at[$gt]={first['at']}", [second]),
        (f"?at[$lte]={first['at']}", [first]),
    ):
        assert await audit(town, query=query) == expected, query


async def test_the_total_stops_where_it_is_said_to(town):
    await town.database.execute(
        "INSERT INTO audit_entries (owner_id, at, user_id, method, resource, changes, is_about_user)"
        " SELECT $1, now(), $1, 'POST', '/tags', '[]', false FROM generate_series(1, $2::int)",
        town.users["alice"],
        MOST_COUNTED + 5,
    )
    assert (await ask(town, "alice", "GET", "/audit?$limit=1")).json["total"] == MOST_COUNTED


# ------------------------------------------------------------------------------------------- how long, and erasure


async def test_it_is_retained_for_two_years(town):
    import asyncio

    await create(town, "alice", "/tags", {"content": "Landlord"})
    await town.database.move_clock(timedelta(days=700))
    await create(town, "alice", "/tags", {"content": "Tenant"})
    await town.database.move_clock(timedelta(days=60))
    assert (await clean(town.database, Settings(), asyncio.Event()))["audit"] == 1
    assert [each["label"] for each in await audit(town)] == ["Tenant"]


async def test_the_erasure_of_a_contact_empties_what_was_done_to_it(town):
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia"})
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"], "distribute": False})
    await ask(town, "alice", "PATCH", f"/leads/{lead['id']}", json={"city": "Seattle"})
    exported = await export_contact(town.database, town.users["alice"], contact["id"])
    assert '"/leads"' in exported
    erased = await erase_contact(town.database, town.users["alice"], contact["id"])
    assert erased["audit"] == 2
    assert [each["changes"] for each in await audit(town)] == [[], []]


WRITES = [each for each in OPERATIONS if each.method != "GET" and not each.is_public]
UNRECORDED = {
    "POST /leads", "POST /intake-keys/:id/trials", "POST /channels/email/test", "POST /channels/text/test",
    "POST /rules/trials",
    # These are in the log of sign-ins.
    "POST /me/second-factor", "POST /me/second-factor/confirm", "POST /me/second-factor/recovery-codes",
    "DELETE /me/second-factor",
}  # fmt: skip


@pytest.mark.parametrize("operation", WRITES, ids=lambda each: f"{each.method} {each.path}")
def test_every_write_has_an_act(operation):
    """By its code: what changes something either is a write of a resource or names its act."""
    if f"{operation.method} {operation.path}" in UNRECORDED:
        return
    function = getattr(operation.run, "func", operation.run)
    assert {"act_of_call", "act_of_writing", "act_of_own_account", "act_on_user"} & _names_in(function, deep=1)


def _names_in(function, deep: int) -> set[str]:
    """What a function, and what it calls of its own module, mentions."""
    codes = [function.__code__, *[each for each in function.__code__.co_consts if hasattr(each, "co_names")]]
    names = {name for code in codes for name in code.co_names}
    known = [function.__globals__.get(name) for name in names] if deep else []
    called = [each for each in known if getattr(each, "__module__", "") == function.__module__]
    return names.union(*[_names_in(each, deep - 1) for each in called if hasattr(each, "__code__")])

"""Lead routes, sources, teams, members and distribution options: the rules that are theirs alone."""

import asyncio

import pytest

from tests.support.api import ask


async def create(town, name, path, body):
    reply = await ask(town, name, "POST", path, json=body)
    assert reply.status == 201, reply.body
    return reply.json


@pytest.fixture
async def route(town):
    """A body for a route from Alice to Alice's team."""
    campaign = await create(town, "alice", "/campaigns", {"name": "Zillow follow-up"})
    source = await create(town, "alice", "/contact-sources", {"name": "Referral"})
    return {
        "team_id": town.team_id, "campaign_id": campaign["id"], "lead_source_id": 1, "contact_source_id": source["id"],
        "distribution_target": "Team Rollout", "team_selection_method": "Specific Team", "filter": "Buyer",
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- lead routes


async def test_a_route_is_answered_as_documented(town, route):
    await town.database.execute(
        "UPDATE teams SET order_method = 'Round Robin', distribution_zipcodes = '{98112}',"
        " is_contact_resource_sharing_enabled = true"
    )
    record = await create(town, "alice", "//lead-routes", {**route, "campaign_id": str(route["campaign_id"])})

    assert record == {
        "id": record["id"],
        "team": {"id": town.team_id, "name": "North Side", "is_sharing_contacts": 1, "order_method": 2,
                 "mins_until_next_alert": 0, "distribution_zipcodes": ["98112"]},
        "campaign": {"id": route["campaign_id"], "name": "Zillow follow-up"},
        "lead_source": {"id": 1, "name": "Zillow"},
        "contact_source": {"id": route["contact_source_id"], "name": "Referral"},
        "distribution_target": "Team Rollout",
        "team_selection_method": "Specific Team",
        "filter": "Buyer",
        "is_active": True,
        "priority": 0,
        "campaign_start": "Arrival",
        "conditions": None,
        "conditions_text": None,
        "returning_contact": "Route Again",
        "name": None,
    }  # fmt: skip


async def test_a_method_is_named_in_a_team_and_numbered_in_a_route(town, route):
    created = await create(town, "alice", "/lead-routes", route)
    methods = ["Rank", "Time", "Round Robin", "Simultaneous", "Least Loaded", "Longest Idle"]
    for number, method in enumerate(methods):
        reply = await ask(town, "alice", "PATCH", f"/teams/{town.team_id}", json={"order_method": method})
        assert (reply.status, reply.json["order_method"]) == (200, method)
        shown = await ask(town, "alice", "GET", f"/lead-routes/{created['id']}")
        assert shown.json["team"]["order_method"] == number
    wrong = await ask(town, "alice", "PATCH", f"/teams/{town.team_id}", json={"order_method": "least loaded"})
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["order_method"])
    assert "'Least Loaded'" in wrong.json["message"] or "Least Loaded" in wrong.json["message"]


async def test_a_route_says_who_is_offered_the_lead_of_someone_who_comes_back(town, route):
    created = await create(town, "alice", "/lead-routes", route | {"returning_contact": "Same Agent"})
    assert created["returning_contact"] == "Same Agent"
    path = f"/lead-routes/{created['id']}"
    found = await ask(town, "alice", "GET", "/lead-routes?returning_contact=Same Agent")
    assert [each["id"] for each in found.json["data"]] == [created["id"]]
    wrong = await ask(town, "alice", "PATCH", path, json={"returning_contact": "same agent"})
    assert (wrong.status, list(wrong.json["errors"])) == (400, ["returning_contact"])
    replaced = await ask(town, "alice", "PUT", path, json=route)
    assert replaced.json["returning_contact"] == "Route Again"


NORMAL = [
    ({"distribution_target": "Myself"}, None, None),
    ({"team_selection_method": "Zipcode"}, None, "Zipcode"),
    ({"team_selection_method": "None"}, "team", None),
    ({"team_selection_method": None}, "team", None),
    ({"team_selection_method": ""}, "team", None),
]


@pytest.mark.parametrize(("change", "team", "method"), NORMAL)
async def test_the_resulting_record_is_normalised_on_every_method(town, route, change, team, method):
    posted = await create(town, "alice", "/lead-routes", route | change)
    plain = await create(town, "alice", "/lead-routes", route)
    url = f"/lead-routes/{plain['id']}"
    patched = await ask(town, "alice", "PATCH", url, json=change)
    put = await ask(town, "alice", "PUT", url, json=route | change)

    for record in (posted, patched.json, put.json):
        assert (record["team"] and "team", record["team_selection_method"]) == (team, method)


async def test_a_specific_team_has_to_be_named(town, route):
    del route["team_id"]
    reply = await ask(town, "alice", "POST", "/lead-routes", json=route)
    assert (reply.status, list(reply.json["errors"])) == (400, ["team_id"])

    record = await create(town, "alice", "/lead-routes", route | {"team_selection_method": "Zipcode"})
    url = f"/lead-routes/{record['id']}"
    reply = await ask(town, "alice", "PATCH", url, json={"team_selection_method": "Specific Team"})
    assert (reply.status, list(reply.json["errors"])) == (400, ["team_id"])
    assert (await ask(town, "alice", "GET", url)).json == record


async def test_the_team_must_be_ones_own(town, route):
    theirs = await town.team("dave", "alice")
    reply = await ask(town, "alice", "POST", "/lead-routes", json=route | {"team_id": theirs})

    assert (reply.status, list(reply.json["errors"])) == (400, ["team_id"])


async def test_put_replaces_what_is_not_named_by_its_default(town, route):
    record = await create(town, "alice", "/lead-routes", route | {"priority": 5, "is_active": False})
    required = {name: route[name] for name in ("campaign_id", "lead_source_id", "contact_source_id")}
    reply = await ask(
        town, "alice", "PUT", f"/lead-routes/{record['id']}", json=required | {"distribution_target": "Myself"}
    )

    assert reply.json == record | {
        "team": None, "team_selection_method": None, "filter": None, "priority": 0, "is_active": True,
        "distribution_target": "Myself",
    }  # fmt: skip


async def test_what_a_route_uses_cannot_be_removed(town, route):
    own_source = await create(town, "alice", "/lead-sources", {"name": "Yard sign"})
    record = await create(town, "alice", "/lead-routes", route | {"lead_source_id": own_source["id"]})
    needed = (
        f"/teams/{town.team_id}", f"/campaigns/{route['campaign_id']}", f"/lead-sources/{own_source['id']}",
        f"/contact-sources/{route['contact_source_id']}",
    )  # fmt: skip
    for url in needed:
        reply = await ask(town, "alice", "DELETE", url)
        assert (reply.status, reply.json["name"]) == (409, "Conflict")
        assert "route" in reply.json["message"]
        assert (await ask(town, "alice", "GET", url)).status == 200
    assert (await ask(town, "alice", "DELETE", f"/lead-routes/{record['id']}")).status == 200
    for url in needed:
        assert (await ask(town, "alice", "DELETE", url)).status == 200


async def test_a_reference_that_goes_while_a_route_is_written_is_400_or_keeps_it(town, route):
    """Either the route comes first and the source is needed, or the source goes and the route has nothing to name."""
    for _ in range(8):
        source = await create(town, "alice", "/contact-sources", {"name": "Racing"})
        body = route | {"contact_source_id": source["id"]}
        writing, removing = await asyncio.gather(
            ask(town, "alice", "POST", "/lead-routes", json=body),
            ask(town, "alice", "DELETE", f"/contact-sources/{source['id']}"),
        )
        assert (writing.status, removing.status) in ((201, 409), (400, 200))
        if writing.status == 400:
            assert list(writing.json["errors"]) == ["contact_source_id"]


# ----------------------------------------------------------------------------------------------------- sources


async def test_everyone_reads_the_catalogue_and_no_one_changes_it(town):
    reply = await ask(town, "dave", "GET", "//lead-sources?name=Zillow")
    assert reply.json == {"total": 1, "limit": 10, "skip": 0, "data": [{"id": 1, "name": "Zillow"}]}
    for method in ("PATCH", "PUT", "DELETE"):
        assert (await ask(town, "dave", method, "/lead-sources/1", json={"name": "Mine"})).status == 403
    own = await create(town, "dave", "/lead-sources", {"name": "Yard sign"})
    assert own == {"id": 1000, "name": "Yard sign"}
    assert (await create(town, "dave", "/lead-sources", {"name": "Yard sign"}))["id"] == 1001
    assert (await ask(town, "alice", "GET", "/lead-sources/1000")).status == 404


async def test_contacts_and_leads_lose_a_source_that_goes(town):
    source = await create(town, "alice", "/contact-sources", {"name": "Fair"})
    lead_source = await create(town, "alice", "/lead-sources", {"name": "Fair"})
    contact = await create(town, "alice", "/contacts", {"source_id": source["id"]})
    body = {"contact_id": contact["id"], "source_id": lead_source["id"], "distribute": False}
    lead = await create(town, "alice", "/leads", body)

    await ask(town, "alice", "DELETE", f"/contact-sources/{source['id']}")
    await ask(town, "alice", "DELETE", f"/lead-sources/{lead_source['id']}")
    assert (await ask(town, "alice", "GET", f"/contacts/{contact['id']}")).json["source_id"] is None
    assert (await ask(town, "alice", "GET", f"/leads/{lead['id']}")).json["source_id"] is None


# ------------------------------------------------------------------------------------------------------- teams


async def test_a_team_is_answered_as_documented_and_its_creator_is_a_member(town):
    body = {"name": "East", "order_method": "Time", "is_contact_resource_sharing_enabled": True,
            "distribution_zipcodes": "98112, 98102-0001", "mins_until_next_alert": 9}  # fmt: skip
    record = await create(town, "alice", "//teams", body)

    assert record == {
        "id": record["id"], "user_id": town.users["alice"], "name": "East",
        "is_contact_resource_sharing_enabled": True, "order_method": "Time", "mins_until_next_alert": 0,
        "distribution_zipcodes": ["98112", "98102"], "offer_mode": "Cumulative",
        "is_handover_free": False, "connect_on_claim": False, "when_nobody_is_available": "Owner",
    }  # fmt: skip
    members = (await ask(town, "alice", "GET", f"/team-members?team_id={record['id']}")).json["data"]
    assert [(each["user"]["id"], each["request_status"]) for each in members] == [(town.users["alice"], "Accepted")]


ZIPCODES = [
    (["98112-1234", "981121234", " 98112 "], ["98112"]),
    ([2139, "v6j 4z3", "V6J4Z3"], ["02139", "V6J4Z3"]),
    ("98112,,98101", ["98112", "98101"]),
    ([], None),
    ("", None),
    (" , ", None),
    (None, None),
]


@pytest.mark.parametrize(("sent", "stored"), ZIPCODES)
async def test_zipcodes_are_stored_as_they_compare(town, sent, stored):
    record = await create(town, "alice", "/teams", {"name": "East", "distribution_zipcodes": sent})

    assert record["distribution_zipcodes"] == stored


async def test_minutes_of_members_count_under_time_only(town):
    team = await create(town, "alice", "/teams", {"name": "East", "order_method": "Time"})
    body = {"team_id": team["id"], "user_id": town.users["alice"], "assign_automatically": False}
    option = await create(town, "alice", "/team-member-distribution-options", body | {"mins_until_lead_offer": 7})
    url = f"/team-member-distribution-options/{option['id']}"
    assert option["mins_until_lead_offer"] == 7

    await ask(town, "alice", "PATCH", f"/teams/{team['id']}", json={"order_method": "Round Robin"})
    assert (await ask(town, "alice", "GET", url)).json["mins_until_lead_offer"] == 0
    changed = await ask(town, "alice", "PATCH", url, json={"mins_until_lead_offer": "5", "rank": "4"})
    assert (changed.json["mins_until_lead_offer"], changed.json["rank"]) == (0, 4)


async def test_a_member_sees_the_team_and_its_people_but_changes_nothing(town):
    option_id = await town.option("alice", town.team_id, "bob")
    for url in (f"/teams/{town.team_id}", f"/team-member-distribution-options/{option_id}"):
        assert (await ask(town, "carol", "GET", url)).status == 200
        for method in ("PATCH", "DELETE"):
            assert (await ask(town, "carol", method, url, json={})).status == 403
    assert (await ask(town, "carol", "GET", f"/team-members?team.id={town.team_id}")).json["total"] == 3
    assert (await ask(town, "dave", "GET", "/team-members")).json["total"] == 0


# ----------------------------------------------------------------------------------------------------- members


async def test_a_member_is_asked_and_no_one_else_answers(town):
    asked = await create(town, "alice", "/team-members", {"team_id": town.team_id, "user_id": town.users["dave"]})
    url = f"/team-members/{asked['id']}"
    assert asked == {
        "id": asked["id"], "request_status": "Pending", "team": {"id": town.team_id, "name": "North Side"},
        "user": {"id": town.users["dave"], "first_name": None, "last_name": None, "email": None, "username": None,
                 "phone": None},
        "is_sharing_accepted": False,
    }  # fmt: skip
    assert (await ask(town, "dave", "GET", f"/teams/{town.team_id}")).status == 404
    assert (await ask(town, "alice", "PATCH", url, json={"request_status": "Accepted"})).status == 403
    assert (await ask(town, "bob", "PATCH", url, json={"request_status": "Accepted"})).status == 403
    again = await ask(town, "alice", "POST", "/team-members",
                      json={"team_id": town.team_id, "user_id": town.users["dave"]})  # fmt: skip
    assert again.status == 409

    accepted = await ask(town, "dave", "PATCH", url, json={"request_status": "Accepted"})
    assert (accepted.status, accepted.json["request_status"]) == (200, "Accepted")
    assert (await ask(town, "alice", "GET", url)).json["user"] == {
        "id": town.users["dave"], "first_name": "Dave", "last_name": "Town", "email": "dave@example.com",
        "username": "dave", "phone": None,
    }  # fmt: skip
    assert (await ask(town, "dave", "GET", f"/teams/{town.team_id}")).status == 200
    assert (await ask(town, "dave", "GET", f"/users/{town.users['bob']}")).status == 200


async def test_who_declined_may_be_asked_again(town):
    body = {"team_id": town.team_id, "user_id": town.users["dave"]}
    asked = await create(town, "alice", "/team-members", body)
    await ask(town, "dave", "PATCH", f"/team-members/{asked['id']}", json={"request_status": "Declined"})
    again = await create(town, "alice", "/team-members", body)

    assert again == asked


async def test_status_is_never_null_and_not_set_on_post(town):
    body = {"team_id": town.team_id, "user_id": town.users["dave"], "request_status": "Accepted"}
    asked = await create(town, "alice", "/team-members", body)
    assert asked["request_status"] == "Pending"
    reply = await ask(town, "dave", "PATCH", f"/team-members/{asked['id']}", json={"request_status": None})
    assert (reply.status, list(reply.json["errors"])) == (400, ["request_status"])


async def test_oneself_is_accepted_at_once(town):
    membership = await town.database.fetchval(
        "SELECT id FROM team_members WHERE team_id = $1 AND user_id = $2", town.team_id, town.users["alice"]
    )
    assert (await ask(town, "alice", "DELETE", f"/team-members/{membership}")).status == 200
    record = await create(town, "alice", "/team-members", {"team_id": town.team_id, "user_id": town.users["alice"]})
    assert record["request_status"] == "Accepted"


UNKNOWN = [
    ({}, "user_id"),
    ({"user_id": 999}, "user_id"),
    ({"email": "no address"}, "email"),
    ({"user_id": "@bob", "email": "dave@example.com"}, "user_id"),
    ({"user_id": "x"}, "user_id"),
]


@pytest.mark.parametrize(("body", "name"), UNKNOWN)
async def test_a_member_has_to_be_one_user(town, body, name):
    filled = {key: town.users["bob"] if value == "@bob" else value for key, value in body.items()}
    reply = await ask(town, "alice", "POST", "/team-members", json={"team_id": town.team_id, **filled})

    assert (reply.status, list(reply.json["errors"])) == (400, [name])


async def test_the_option_of_a_member_who_leaves_is_removed(town):
    option_id = await town.option("alice", town.team_id, "bob")
    [membership] = (await ask(town, "bob", "GET", f"/team-members?user.id={town.users['bob']}")).ids
    assert (await ask(town, "carol", "DELETE", f"/team-members/{membership}")).status == 403
    assert (await ask(town, "bob", "DELETE", f"/team-members/{membership}")).status == 200
    assert (await ask(town, "alice", "GET", f"/team-member-distribution-options/{option_id}")).status == 404


# ----------------------------------------------------------------------------------------------------- options


async def test_an_option_ranks_last_by_default_and_there_is_one_for_each_member(town):
    path = "/team-member-distribution-options"
    body = {"team_id": town.team_id, "assign_automatically": True}
    first = await create(town, "alice", path, body | {"user_id": town.users["bob"]})
    assert first == {
        "id": first["id"], "team_id": town.team_id, "user_id": town.users["bob"], "rank": 1,
        "mins_until_lead_offer": 0, "assign_automatically": True, "has_call_alert": False, "has_text_alert": False,
        "has_email_alert": False, "weight": 1, "has_night_calls": False, "is_paused": False, "paused_until": None,
        "max_open_leads": None, "max_leads_per_day": None, "max_leads_per_week": None,
    }  # fmt: skip
    await ask(town, "alice", "PATCH", f"{path}/{first['id']}", json={"rank": 5})
    second = await create(town, "alice", path, body | {"user_id": town.users["carol"]})
    assert second["rank"] == 6
    again = await ask(town, "alice", "POST", path, json=body | {"user_id": town.users["bob"]})
    assert again.status == 409
    for stranger in (town.users["dave"], 999):
        reply = await ask(town, "alice", "POST", path, json=body | {"user_id": stranger})
        assert (reply.status, list(reply.json["errors"])) == (400, ["user_id"])
    weightless = await ask(town, "alice", "PATCH", f"{path}/{first['id']}", json={"weight": 0})
    assert (weightless.status, weightless.json["weight"]) == (200, 0)
    negative = await ask(town, "alice", "PATCH", f"{path}/{first['id']}", json={"weight": -1})
    assert (negative.status, list(negative.json["errors"])) == (400, ["weight"])


async def test_two_at_once_make_one_option(town):
    body = {"team_id": town.team_id, "user_id": town.users["bob"], "assign_automatically": True}
    replies = await asyncio.gather(
        *(ask(town, "alice", "POST", "/team-member-distribution-options", json=body) for _ in range(6))
    )
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409, 409, 409]

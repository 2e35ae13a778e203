"""Conditions of a route through the API: written, answered, refused by path, and what an agent reads of them."""

import pytest

from tests.support.api import ask

STATE = {"field": "state", "is": "one of", "value": ["CO", "WY"]}
CONDITIONS = {"all": [{"field": "price", "is": "between", "value": [300000, 500000]}, STATE]}
SENTENCE = "price from 300,000 to 500,000 and state is CO or WY"


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
        "distribution_target": "Team Rollout", "team_selection_method": "Specific Team",
    }  # fmt: skip


async def test_conditions_are_answered_as_they_were_written_with_their_sentence(town, route):
    made = await create(town, "alice", "/lead-routes", route | {"conditions": CONDITIONS})
    assert (made["conditions"], made["conditions_text"]) == (CONDITIONS, SENTENCE)
    assert list(made)[-4:] == ["conditions", "conditions_text", "returning_contact", "name"]
    url = f"/lead-routes/{made['id']}"
    changed = (await ask(town, "alice", "PATCH", url, json={"conditions": STATE})).json
    assert (changed["conditions"], changed["conditions_text"]) == (STATE, "state is CO or WY")
    assert (await ask(town, "alice", "PATCH", url, json={"priority": 3})).json["conditions"] == STATE
    assert (await ask(town, "alice", "GET", "/lead-routes")).json["data"][0]["conditions"] == STATE
    for body in ({"conditions": None}, {"conditions": ""}):
        await ask(town, "alice", "PATCH", url, json={"conditions": STATE})
        cleared = (await ask(town, "alice", "PATCH", url, json=body)).json
        assert (cleared["conditions"], cleared["conditions_text"]) == (None, None)
    await ask(town, "alice", "PATCH", url, json={"conditions": STATE})
    assert (await ask(town, "alice", "PUT", url, json=route)).json["conditions"] is None


async def test_a_change_of_conditions_counts_as_a_change_and_the_same_ones_do_not(town, route):
    made = await create(town, "alice", "/lead-routes", route | {"conditions": CONDITIONS})
    url = f"/lead-routes/{made['id']}"
    for body in ({"conditions": CONDITIONS}, {"conditions": STATE}, {"conditions": STATE}):
        await ask(town, "alice", "PATCH", url, json=body)
    rows = await town.database.fetch("SELECT changes::text FROM audit_entries WHERE method = 'PATCH' ORDER BY id")
    assert len(rows) == 1
    assert "conditions" in rows[0]["changes"]


WRONG = [
    ({"all": [STATE, {"field": "price", "is": "equal", "value": "much"}]}, "conditions.all[1].value"),
    ({"all": []}, "conditions.all"),
    ("price", "conditions"),
    ([], "conditions"),
    (0, "conditions"),
    (STATE | {"or": None}, "conditions.or"),
    ({"field": "custom.Budget", "is": "known"}, "conditions.field"),
    ({"not": {"field": "custom.Budget", "is": "known"}}, "conditions.not.field"),
]


@pytest.mark.parametrize(("conditions", "path"), WRONG)
async def test_what_is_wrong_is_answered_by_its_path(town, route, conditions, path):
    for body in (route | {"conditions": conditions}, {"conditions": conditions, "priority": "x"}):
        reply = await ask(town, "alice", "POST", "/lead-routes", json=body)
        assert (reply.status, reply.json["name"]) == (400, "BadRequest")
        if "priority" not in body:
            assert list(reply.json["errors"]) == [path]
            assert reply.json["errors"][path].startswith(path)
    assert (await ask(town, "alice", "GET", "/lead-routes")).json["total"] == 0


async def test_only_fields_of_the_owners_own_are_known(town, route):
    budget = {"any": [{"field": "custom.budget", "is": "known"}, STATE]}
    await create(town, "bob", "/custom-fields", {"name": "Budget", "data_type": "Text"})
    reply = await ask(town, "alice", "POST", "/lead-routes", json=route | {"conditions": budget})
    assert list(reply.json["errors"]) == ["conditions.any[0].field"]
    field = await create(town, "alice", "/custom-fields", {"name": "Budget", "data_type": "Text"})
    made = await create(town, "alice", "/lead-routes", route | {"conditions": budget})
    await ask(town, "alice", "DELETE", f"/custom-fields/{field['id']}")
    url = f"/lead-routes/{made['id']}"
    assert (await ask(town, "alice", "PATCH", url, json={"priority": 1})).json["conditions"] == budget
    assert (await ask(town, "alice", "PATCH", url, json={"conditions": budget})).status == 400


async def test_conditions_are_no_filter(town, route):
    for query in ("conditions=null", "conditions_text=x", "$sort[conditions]=1"):
        assert (await ask(town, "alice", "GET", f"/lead-routes?{query}")).status == 400


async def test_an_agent_reads_no_detail_of_the_contact_in_the_routing(town, route):
    await town.option("alice", town.team_id, "bob", rank=1)
    domain = {"field": "email_domain", "is": "equal", "value": "example.net"}
    kind = {"field": "type", "is": "equal", "value": "Seller"}
    await create(town, "alice", "/lead-routes", route | {"conditions": domain, "priority": -2})
    await create(town, "alice", "/lead-routes", route | {"conditions": kind, "priority": -1})
    await create(town, "alice", "/lead-routes", route)
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": "mia@secret.example"})
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"], "source_id": 1, "type": "Buyer"})
    url = f"/leads/{lead['id']}/routing"

    async def shown(name):
        routes = (await ask(town, name, "GET", url)).json["routes"]
        return [(each["field"], each["expected"], each["actual"]) for each in routes[:2]]

    assert await shown("alice") == [("email_domain", "example.net", "secret.example"), ("type", "Seller", "Buyer")]
    assert await shown("bob") == []
    assert (await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")).status == 200
    assert await shown("bob") == [], "the routes are the owner's"


async def test_the_order_of_routes_is_that_in_which_they_are_tried(town, route):
    plain = await create(town, "alice", "/lead-routes", route)
    selective = await create(town, "alice", "/lead-routes", route | {"conditions": STATE})
    filtered = await create(town, "alice", "/lead-routes", route | {"filter": "Buyer"})
    tried = [selective["id"], filtered["id"], plain["id"]]
    body = {"lead_source_id": 1, "ids": tried, "instead_of": tried[::-1]}
    reply = await ask(town, "alice", "POST", "/lead-routes/order", json=body)
    assert (reply.status, reply.json["data"]["ids"]) == (409, tried)
    reply = await ask(town, "alice", "POST", "/lead-routes/order", json=body | {"instead_of": tried})
    assert [each["id"] for each in reply.json] == tried

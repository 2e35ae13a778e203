"""Junk and closed leads: who may say so, what follows for offers, campaigns, turns, the ledger and the reports."""

import asyncio

import pytest

from leadroutes.operations.doctor import examine
from tests.support.api import ask, create


@pytest.fixture
async def lead(town):
    """A lead of Alice's that Bob has been notified of; Carol comes ten minutes later."""
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 10, order_method = 'Round Robin'")
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.option("alice", town.team_id, "carol", rank=2)
    campaign_id = await town.campaign("alice")
    await town.action("alice", campaign_id, template_id=await town.template("alice"), delay_by_seconds=86_400)
    await town.action("alice", campaign_id, type="Call Contact", delay_by_seconds=86_400)
    await town.route("alice", campaign_id=campaign_id)
    return await inquire(town)


async def inquire(town, email="mia@example.com", **fields):
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": email})
    return await create(town, "alice", "/leads", {"contact_id": contact["id"], "source_id": 1} | fields)


async def junk(town, name, lead, reason="spam", **more):
    return await ask(town, name, "POST", f"/leads/{lead['id']}/junk", json={"reason": reason} | more)


async def undo(town, name, lead):
    return await ask(town, name, "DELETE", f"/leads/{lead['id']}/junk")


async def first_of(town, lead):
    user_id = await town.database.fetchval("SELECT user_id FROM offers WHERE lead_id = $1 AND place = 0", lead["id"])
    return next(name for name, each in town.users.items() if each == user_id)


async def ledger(town):
    return (await ask(town, "alice", "GET", "/ledger")).json


async def violations(town):
    return list(map(str, (await examine(town.database)).violations))


async def kinds(town, lead):
    happened = (await ask(town, "alice", "GET", f"/leads/{lead['id']}/history")).json
    return [each["kind"] for each in happened if each["kind"] not in ("arrived", "offered", "message")]


async def messages(town, kind):
    return await town.database.fetchval("SELECT count(*) FROM messages WHERE kind = $1", kind)


# ------------------------------------------------------------------------------------------------- who, and what


async def test_whoever_has_a_lead_and_its_owner_say_that_it_is_junk_and_that_it_is_not(town, lead):
    for name, status in [("bob", 403), ("carol", 404), ("dave", 404)]:
        assert ((await junk(town, name, lead)).status, (await undo(town, name, lead)).status) == (status, status), name
    assert (await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")).status == 200
    for name, status in [("carol", 404), ("dave", 404), ("alice", 200), ("bob", 200)]:
        marked, undone = await junk(town, name, lead), await undo(town, name, lead)
        assert (marked.status, undone.status) == (status, status), name
        if status == 200:
            assert (marked.json["junk_reason"], undone.json["junk_reason"]) == ("spam", None)


async def test_what_is_wrong_is_named(town, lead):
    for body, field in [
        ({}, "reason"), ({"reason": None}, "reason"), ({"reason": "rude"}, "reason"), ({"reason": 7}, "reason"),
        ({"reason": "other"}, "note"), ({"reason": "other", "note": "  "}, "note"),
        ({"reason": "other", "note": "x" * 201}, "note"), ({"reason": "spam", "note": ["x"]}, "note"),
    ]:  # fmt: skip
        reply = await ask(town, "alice", "POST", f"/leads/{lead['id']}/junk", json=body)
        assert (reply.status, list(reply.json["errors"])) == (400, [field]), body
    assert await town.database.fetchval("SELECT junk_reason FROM leads") is None


async def test_a_lead_that_no_one_has_is_over_and_counts_as_unclaimed(town, lead):
    reply = await junk(town, "alice", lead, "other", note="a bot")

    assert reply.status == 200
    shown = {name: reply.json[name] for name in ("lead_state", "is_closed", "junk_reason", "junk_note")}
    assert shown == {"lead_state": "unclaimed", "is_closed": False, "junk_reason": "other", "junk_note": "a bot"}
    assert {row["state"] for row in await town.database.fetch("SELECT state FROM offers")} == {"expired", "withdrawn"}
    assert await town.database.fetchval("SELECT lapses_at FROM leads") is None
    assert (await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")).json["message"] == "This lead is junk"
    assert (await ask(town, "bob", "GET", f"/leads/{lead['id']}")).json["junk_note"] is None, "Bob does not have it"
    counted = await ledger(town)
    assert (counted["received"], counted["unclaimed"], counted["on_offer"], counted["junk"]) == (1, 1, 0, 1)
    assert await kinds(town, lead) == ["junk", "expired", "unclaimed"]
    assert await violations(town) == []


async def test_a_claimed_lead_stays_claimed_and_the_owner_is_alerted_once(town, lead):
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    await junk(town, "bob", lead)
    reply = await junk(town, "bob", lead, "wrong number")
    again = await junk(town, "bob", lead, "wrong number")

    assert (reply.json["lead_state"], reply.json["junk_reason"], again.status) == ("claimed", "wrong number", 200)
    assert await messages(town, "junk") == 1
    assert await kinds(town, lead) == ["claimed", "junk", "junk"]
    assert (await ask(town, "bob", "POST", f"/leads/{lead['id']}/give-back")).status == 409
    assert (await ledger(town))["junk"] == 1
    assert (await undo(town, "alice", lead)).json["lead_state"] == "claimed"
    assert (await undo(town, "alice", lead)).status == 200, "done again it changes nothing"
    assert (await ledger(town))["junk"] == 0
    assert await kinds(town, lead) == ["claimed", "junk", "junk", "junk undone"]
    assert await violations(town) == []


async def test_the_campaign_that_the_lead_started_stops_and_its_steps_do_not_come_back(town, lead):
    sql = "SELECT count(*) FROM contact_communications WHERE is_active"
    other = await inquire(town, "tom@example.com")
    assert await town.database.fetchval(sql) == 4
    await junk(town, "alice", lead)
    assert await town.database.fetchval(f"{sql} AND lead_id = {other['id']}") == 2
    assert await town.database.fetchval(sql) == 2
    run = await town.database.fetchrow("SELECT * FROM campaign_contacts WHERE lead_id = $1", lead["id"])
    assert (run["stopped_because"], run["stopped_by_user_id"]) == ("the lead is junk", town.users["alice"])
    await undo(town, "alice", lead)
    assert await town.database.fetchval(sql) == 2
    assert await violations(town) == []


async def test_a_campaign_of_the_claim_does_not_start_for_junk(town, lead):
    await town.database.execute("UPDATE lead_routes SET campaign_start = 'Claim'")
    later = await inquire(town, "tom@example.com")
    await junk(town, "alice", later)
    await ask(town, "alice", "POST", f"/leads/{later['id']}/assignment", json={"user_id": town.users["bob"]})
    sql = "SELECT count(*) FROM campaign_contacts WHERE lead_id = $1"
    assert await town.database.fetchval(sql, later["id"]) == 0


async def test_a_held_lead_is_over_and_cannot_be_routed(town, lead):
    held = await inquire(town, "tom@example.com", distribute=False)
    assert (await junk(town, "alice", held)).json["lead_state"] == "unclaimed"
    assert (await ask(town, "alice", "POST", f"/leads/{held['id']}/offers")).status == 409
    assert (await undo(town, "alice", held)).json["junk_reason"] is None
    assert await violations(town) == []


async def test_imported_leads_are_counted_apart(town, lead):
    old = await town.lead("alice", lead["contact_id"], is_imported=True)
    assert (await junk(town, "alice", {"id": old})).json["lead_state"] == "imported"
    assert (await ledger(town))["junk"] == 0
    assert await violations(town) == []


# ------------------------------------------------------------------------------------------------------- turns


async def test_the_turn_is_given_back_once_and_used_once(town, lead):
    assert await first_of(town, lead) == "bob"
    await junk(town, "alice", lead)
    order = [await first_of(town, await inquire(town, f"{n}@example.com")) for n in range(4)]
    assert order == ["bob", "carol", "bob", "carol"]
    await undo(town, "alice", lead)
    await junk(town, "alice", lead)
    assert await first_of(town, await inquire(town, "tom@example.com")) == "bob"
    assert await first_of(town, await inquire(town, "tim@example.com")) == "carol", (
        "one that was used is not given back"
    )
    assert await violations(town) == []


async def test_a_turn_that_waits_is_taken_back_by_the_undoing(town, lead):
    await junk(town, "alice", lead)
    await undo(town, "alice", lead)
    assert await first_of(town, await inquire(town, "tom@example.com")) == "carol"
    await junk(town, "alice", lead)
    order = [await first_of(town, await inquire(town, f"{n}@example.com")) for n in range(3)]
    assert order == ["bob", "carol", "bob"], "one turn is Bob's once more, and then they alternate"
    assert await violations(town) == []


async def test_a_test_lead_took_no_turn_to_give_back(town, lead):
    await town.database.execute("UPDATE leads SET is_test = true")
    await junk(town, "alice", lead)
    assert await town.database.fetchval("SELECT given_back::text FROM team_turns") == "[]"
    assert (await ledger(town))["junk"] == 0


async def test_a_team_that_is_gone_takes_its_turns_with_it(town, lead):
    await town.database.execute("DELETE FROM lead_routes")
    assert (await ask(town, "alice", "DELETE", f"/teams/{town.team_id}")).status == 200
    assert (await junk(town, "alice", lead)).status == 200
    assert await violations(town) == []


# ------------------------------------------------------------------------------------------------------- at once


async def test_a_claim_and_junk_at_once_leave_one_of_two_ends(town, lead):
    claims = [ask(town, "bob", "POST", f"/leads/{lead['id']}/claim") for _ in range(3)]
    *claimed, marked = await asyncio.gather(*claims, junk(town, "alice", lead))
    assert marked.status == 200
    state = (await ask(town, "alice", "GET", f"/leads/{lead['id']}")).json["lead_state"]
    assert (state, {reply.status for reply in claimed}) in [("claimed", {200}), ("unclaimed", {409})]
    assert await violations(town) == []


async def test_many_at_once_give_one_turn_back_and_alert_the_owner_once(town, lead):
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    replies = await asyncio.gather(*(junk(town, "bob", lead) for _ in range(8)))
    assert {reply.status for reply in replies} == {200}
    assert await messages(town, "junk") == 1
    assert await kinds(town, lead) == ["claimed", "junk"]
    given = await town.database.fetchval("SELECT given_back::text FROM team_turns")
    assert given == f"[[{town.users['bob']}, {lead['id']}]]"
    replies = await asyncio.gather(*(undo(town, "alice", lead) for _ in range(8)))
    assert {reply.status for reply in replies} == {200}
    assert await kinds(town, lead) == ["claimed", "junk", "junk undone"]
    assert await violations(town) == []


async def test_arrivals_and_junk_at_once_leave_turns_that_are_fair(town, lead):
    leads = [await inquire(town, f"{n}@example.com") for n in range(4)]
    marks = [junk(town, "alice", each) for each in leads]
    await asyncio.gather(*(inquire(town, f"later{n}@example.com") for n in range(8)), *marks)
    assert await violations(town) == []


# ------------------------------------------------------------------------------------------------------- closed


async def test_whoever_has_a_lead_and_its_owner_close_it(town, lead):
    closed = {"is_closed": True}
    assert (await ask(town, "bob", "PATCH", f"/leads/{lead['id']}", json=closed)).status == 403, "Bob is only asked"
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    for name, body, status in [
        ("alice", closed, 200), ("bob", closed, 200), ("carol", closed, 404), ("bob", closed | {"city": "Aspen"}, 403),
        ("bob", {"city": "Aspen"}, 403), ("bob", closed | {"city": 7}, 403), ("bob", {"is_closed": "perhaps"}, 400),
        ("alice", {"is_closed": None}, 400), ("alice", closed | {"city": "Aspen"}, 200),
    ]:  # fmt: skip
        await town.database.execute("UPDATE leads SET is_closed = false, city = NULL")
        reply = await ask(town, name, "PATCH", f"/leads/{lead['id']}", json=body)
        assert reply.status == status, (name, body)
        row = await town.database.fetchrow("SELECT is_closed, city FROM leads")
        assert (row["is_closed"], row["city"]) == (status == 200, body.get("city") if status == 200 else None)


async def test_closing_and_opening_stand_in_the_history_and_are_filters(town, lead):
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    for is_closed in (True, True, False, True):
        await ask(town, "bob", "PATCH", f"/leads/{lead['id']}", json={"is_closed": is_closed})
    await junk(town, "alice", lead, "other", note="a bot")
    assert await kinds(town, lead) == ["claimed", "closed", "reopened", "closed", "junk"]
    other = await inquire(town, "tom@example.com")
    for query, found in [
        ("is_closed=true", lead), ("is_closed=false", other), ("junk_reason=other", lead), ("junk_note=a+bot", lead),
        ("junk_reason[$in]=spam&junk_reason[$in]=other", lead), ("junk_reason=null", other),
    ]:  # fmt: skip
        assert (await ask(town, "alice", "GET", f"/leads?{query}")).ids == [found["id"]], query

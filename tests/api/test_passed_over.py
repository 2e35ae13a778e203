"""What has passed a member by: who reads it, which leads, in which order, and why."""

from datetime import timedelta

import pytest

from leadroutes.operations.doctor import examine
from tests.support.api import ask, create


@pytest.fixture
async def routed(town):
    """Alice's Zillow leads go to Bob, and ten minutes later to Carol. Alice and Dave are members without an option."""
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 10")
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.option("alice", town.team_id, "carol", rank=2)
    await town.member("alice", town.team_id, "dave")
    return await town.route("alice")


async def inquire(town, email="mia@secret.example", **fields):
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": email})
    body = {"contact_id": contact["id"], "source_id": 1, "type": "Buyer", "city": "Denver"}
    return await create(town, "alice", "/leads", body | fields)


async def claim(town, name, lead):
    assert (await ask(town, name, "POST", f"/leads/{lead['id']}/claim")).status == 200


async def passed(town, name, query=""):
    reply = await ask(town, name, "GET", f"/passed-over{query}")
    assert reply.status == 200, reply.body
    return reply.json


async def test_a_member_reads_what_someone_else_was_faster_with(town, routed):
    lead = await inquire(town)
    assert (await passed(town, "carol"))["data"] == [], "it may still come"
    await town.database.move_clock(timedelta(minutes=2))
    await claim(town, "bob", lead)

    answer = await passed(town, "carol")

    assert (answer["total"], answer["skip"]) == (1, 0)
    [row] = answer["data"]
    assert list(row) == ["id", "team_id", "at", "source", "type", "city", "reason", "outcome"]
    assert row["id"] == await town.database.fetchval("SELECT id FROM offers WHERE user_id = $1", town.users["carol"])
    del row["id"], row["at"]
    assert row == {
        "team_id": town.team_id, "source": "Zillow", "type": "Buyer", "city": "Denver",
        "reason": "It was Bob's turn, and Bob claimed it after 2 minutes", "outcome": "claimed by Bob",
    }  # fmt: skip
    for name in ("alice", "bob"):
        assert (await passed(town, name))["data"] == [], f"{name} was notified, or sees all leads"
    assert [row["reason"] for row in (await passed(town, "dave"))["data"]] == [
        "You had no distribution option in the team"
    ]


async def test_names_are_those_of_teammates_alone(town, routed):
    lead = await inquire(town)
    await claim(town, "bob", lead)
    await town.database.execute("UPDATE team_members SET request_status = 'Declined' WHERE user_id = $1",
                                town.users["bob"])  # fmt: skip
    [row] = (await passed(town, "carol"))["data"]
    assert "Bob" not in row["reason"] + row["outcome"]
    await town.database.execute("UPDATE team_members SET request_status = 'Declined'")
    assert (await passed(town, "carol"))["data"] == [], "Carol is not a member any more"


async def test_skipped_junk_and_old_leads_newest_first_a_page_at_a_time(town, routed):
    old = await inquire(town, "old@example.com")
    await claim(town, "bob", old)
    await town.database.move_clock(timedelta(days=29))
    await town.database.execute("UPDATE users SET is_active = false WHERE id = $1", town.users["carol"])
    skipped = await inquire(town, "tim@example.com")
    await ask(town, "bob", "POST", f"/lead-offers/{(await ask(town, 'bob', 'GET', '/lead-offers')).ids[-1]}/decline")
    await town.database.execute("UPDATE users SET is_active = true")
    await town.database.move_clock(timedelta(minutes=1))
    junk = await inquire(town, "tom@example.com")
    await ask(town, "alice", "POST", f"/leads/{junk['id']}/junk", json={"reason": "spam"})
    held = await inquire(town, "tia@example.com", distribute=False)
    assert list(map(str, (await examine(town.database)).violations)) == []
    test = await inquire(town, "test@example.com")
    await town.database.execute("UPDATE leads SET is_test = true WHERE id = $1", test["id"])
    await claim(town, "bob", test)

    rows = (await passed(town, "carol"))["data"]

    assert [row["reason"] for row in rows] == [
        "It was junk before it was your turn",
        "Your account was not active",
        "It was Bob's turn, and Bob claimed it after less than a minute",
    ]
    assert [row["outcome"] for row in rows][:2] == ["junk", "unclaimed"]
    page = await passed(town, "carol", "?$limit=1&$skip=1")
    assert (page["total"], page["limit"], page["skip"], page["data"]) == (3, 1, 1, rows[1:2])
    assert (await passed(town, "carol", "?$skip=3"))["data"] == []
    assert (await ask(town, "carol", "GET", "/passed-over?$skip=x")).status == 400
    await town.database.move_clock(timedelta(days=1, minutes=1))
    assert len((await passed(town, "carol"))["data"]) == 2, "the oldest is more than 30 days old"
    assert held["id"] > skipped["id"]


async def test_the_routing_is_the_owners_and_a_member_reads_the_own_line(town, routed):
    lead = await inquire(town)
    await town.database.execute("UPDATE offers SET state = 'notified', notified_at = notify_at")
    url = f"/leads/{lead['id']}/routing"

    whole, own = (await ask(town, "alice", "GET", url)).json, (await ask(town, "carol", "GET", url)).json

    assert list(whole) == ["rule_set", "routes", "team", "members", "outcome", "before"]
    assert [each["result"] for each in whole["routes"]] == ["matched"]
    assert [each["user_id"] for each in whole["members"]] == [
        town.users[name] for name in ("bob", "carol", "alice", "dave")
    ]
    assert all(each["words"] for each in whole["members"])
    assert [each["user_id"] for each in own["members"]] == [town.users["carol"]]
    assert (own["before"], own["routes"], own["outcome"]) == (1, [], "offered to the team")
    assert (await ask(town, "dave", "GET", url)).status == 404

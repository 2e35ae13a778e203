"""Who has a lead, and who is to have it: give back, pass on to a colleague, take a decline back, assign many."""

import asyncio
from datetime import timedelta

import pytest

from leadroutes.operations.doctor import examine
from tests.support.api import ask, create


@pytest.fixture
async def lead(town):
    """A lead of Alice's that Bob has been notified of; Carol comes ten minutes later."""
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 10")
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.option("alice", town.team_id, "carol", rank=2)
    await town.route("alice")
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": "mia@example.com"})
    return await create(town, "alice", "/leads", {"contact_id": contact["id"], "source_id": 1})


async def states(town, lead):
    rows = await town.database.fetch("SELECT user_id, state FROM offers WHERE lead_id = $1", lead["id"])
    names = {user_id: name for name, user_id in town.users.items()}
    return {names[row["user_id"]]: row["state"] for row in rows}


async def messages(town, kind):
    rows = await town.database.fetch("SELECT user_id FROM messages WHERE kind = $1 ORDER BY user_id", kind)
    names = {user_id: name for name, user_id in town.users.items()}
    return [names[row["user_id"]] for row in rows]


async def offer_id(town, name):
    return (await ask(town, name, "GET", "/lead-offers")).ids[0]


async def violations(town):
    return list(map(str, (await examine(town.database)).violations))


# ------------------------------------------------------------------------------------------------------ give back


async def test_a_lead_that_is_given_back_goes_to_the_rest_of_its_line_up(town, lead):
    url = f"/leads/{lead['id']}"
    assert (await ask(town, "bob", "POST", f"{url}/give-back")).status == 403, "Bob does not have it yet"
    assert (await ask(town, "carol", "POST", f"{url}/give-back")).status == 404
    await ask(town, "bob", "POST", f"{url}/claim")
    assert (await states(town, lead))["carol"] == "withdrawn"

    reply = await ask(town, "bob", "POST", f"{url}/give-back", json={"note": "I am ill"})

    assert reply.status == 200, reply.body
    assert (reply.json["claimed_by_user_id"], reply.json["lead_state"]) == (None, "on offer")
    assert await states(town, lead) == {"bob": "declined", "carol": "notified"}
    assert await messages(town, "given_back") == ["alice"]
    assert await town.database.fetchval("SELECT assigned_user_id FROM contacts") is None
    history = (await ask(town, "alice", "GET", f"{url}/history")).json
    assert [(each["kind"], each["detail"]) for each in history if each["kind"] == "given back"] == [
        ("given back", {"note": "I am ill"})
    ]
    assert (await ask(town, "bob", "POST", f"{url}/claim")).status == 409, "whoever gave it back is not asked again"
    assert (await ask(town, "carol", "POST", f"{url}/claim")).status == 200
    assert await town.database.fetchval("SELECT count(*) FROM claims") == 1


async def test_those_who_had_been_notified_are_alerted_again(town, lead):
    await town.database.execute("UPDATE offers SET state = 'notified', notified_at = notify_at")
    url = f"/leads/{lead['id']}"
    await ask(town, "carol", "POST", f"{url}/claim")
    assert (await ask(town, "bob", "POST", f"{url}/give-back")).status == 403
    assert (await ask(town, "alice", "POST", f"{url}/give-back")).status == 200, "the owner may end a claim, too"
    assert await states(town, lead) == {"bob": "notified", "carol": "declined"}
    assert await messages(town, "reoffer") == ["bob"]
    assert await messages(town, "given_back") == [], "Alice knows"
    assert (await ask(town, "alice", "POST", f"{url}/give-back")).json["message"] == "No one has this lead"


async def test_a_lead_that_no_one_is_left_for_is_unclaimed(town, lead):
    url = f"/leads/{lead['id']}"
    await ask(town, "bob", "POST", f"{url}/claim")
    await ask(town, "bob", "POST", f"{url}/give-back")
    await ask(town, "carol", "POST", f"{url}/claim")
    reply = await ask(town, "carol", "POST", f"{url}/give-back")
    assert reply.json["lead_state"] == "unclaimed"
    assert await states(town, lead) == {"bob": "declined", "carol": "declined", "alice": "notified"}
    assert (await ask(town, "alice", "POST", f"{url}/claim")).status == 200


async def test_a_lead_that_was_never_routed_is_held_again(town, lead):
    held = await create(town, "alice", "/leads", {"contact_id": lead["contact_id"], "distribute": False})
    url = f"/leads/{held['id']}"
    await ask(town, "alice", "POST", f"{url}/assignment", json={"user_id": town.users["bob"]})
    reply = await ask(town, "bob", "POST", f"{url}/give-back")
    assert reply.status == 404, "Bob was never offered it, so Bob sees it no longer"
    assert (await ask(town, "alice", "GET", url)).json["lead_state"] == "held"
    assert (await ask(town, "alice", "POST", f"{url}/offers", json={})).status == 201


async def test_many_who_give_back_and_claim_at_once_leave_a_sound_lead(town, lead):
    await town.database.execute("UPDATE teams SET mins_until_next_alert = 0")
    contact_id = lead["contact_id"]
    lead = await create(town, "alice", "/leads", {"contact_id": contact_id, "source_id": 1})
    url = f"/leads/{lead['id']}"
    for _ in range(3):
        replies = await asyncio.gather(
            *(ask(town, name, "POST", f"{url}/{what}") for what in ("claim", "give-back") for name in ("bob", "carol"))
        )
        assert {reply.status for reply in replies} <= {200, 403, 409}
    assert await violations(town) == []


# ------------------------------------------------------------------------------------------------ undo of a decline


async def test_a_decline_is_taken_back(town, lead):
    url = f"/lead-offers/{await offer_id(town, 'bob')}/decline"
    assert (await ask(town, "bob", "DELETE", url)).json["message"] == "You have not declined this lead"
    await ask(town, "bob", "POST", url)
    assert await states(town, lead) == {"bob": "declined", "carol": "notified"}
    for name in ("carol", "alice", "dave"):
        assert (await ask(town, name, "DELETE", url)).status == 404
    undone = await ask(town, "bob", "DELETE", url)
    assert (undone.status, undone.json["state"]) == (200, "notified")
    assert await messages(town, "offer") == ["bob", "carol"], "no one is alerted again"
    assert (await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")).status == 200
    assert (await ask(town, "bob", "DELETE", url)).status == 409


async def test_a_decline_is_not_taken_back_after_ten_minutes_a_claim_or_the_next_turn(town, lead):
    url = f"/lead-offers/{await offer_id(town, 'bob')}/decline"
    await ask(town, "bob", "POST", url)
    await town.database.move_clock(timedelta(minutes=11))
    late = await ask(town, "bob", "DELETE", url)
    assert (late.status, late.json["message"]) == (409, "You declined this lead more than 10 minutes ago")
    await ask(town, "carol", "POST", f"/leads/{lead['id']}/claim")
    lost = await ask(town, "bob", "DELETE", url)
    assert (lost.status, lost.json["data"]["claimed_by_user_id"]) == (409, town.users["carol"])


async def test_under_exclusive_the_turn_has_passed(town, lead):
    await town.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    await create(town, "alice", "/leads", {"contact_id": lead["contact_id"], "source_id": 1})
    url = f"/lead-offers/{(await ask(town, 'bob', 'GET', '/lead-offers')).ids[-1]}/decline"
    await ask(town, "bob", "POST", url)
    reply = await ask(town, "bob", "DELETE", url)
    assert (reply.status, reply.json["message"]) == (409, "The next member has been notified in the meantime")


# --------------------------------------------------------------------------------------------------------- handover


async def hand_over(town, name, lead, to, **body):
    body = {"user_id": town.users[to]} | body
    return await ask(town, name, "POST", f"/leads/{lead['id']}/handover", json=body)


async def test_the_owner_is_asked_whether_a_lead_may_be_passed_on(town, lead):
    assert (await hand_over(town, "bob", lead, "carol")).status == 403, "Bob does not have it"
    assert (await hand_over(town, "dave", lead, "carol")).status == 404
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    assert (await hand_over(town, "alice", lead, "carol")).status == 403, "Alice assigns"
    for to in ("dave", "bob"):
        assert list((await hand_over(town, "bob", lead, to)).json["errors"]) == ["user_id"]

    asked = await hand_over(town, "bob", lead, "carol", note="Carol knows the street")

    assert asked.status == 201, asked.body
    assert {name: asked.json[name] for name in ("lead_id", "state", "note", "answer")} == {
        "lead_id": lead["id"], "state": "asked", "note": "Carol knows the street", "answer": None,
    }  # fmt: skip
    assert (asked.json["from_user"]["first_name"], asked.json["to_user"]["first_name"]) == ("Bob", "Carol")
    assert await messages(town, "handover") == ["alice"]
    assert (await hand_over(town, "bob", lead, "alice")).status == 409, "one request at a time"
    url = f"/handovers/{asked.json['id']}"
    for name, status in (("alice", 200), ("bob", 200), ("carol", 404), ("dave", 404)):
        assert (await ask(town, name, "GET", url)).status == status
    assert (await ask(town, "bob", "POST", f"{url}/answer", json={"is_accepted": True})).status == 403
    assert list((await ask(town, "alice", "POST", f"{url}/answer", json={})).json["errors"]) == ["is_accepted"]

    accepted = await ask(town, "alice", "POST", f"{url}/answer", json={"is_accepted": True, "note": "Fine"})

    assert (accepted.status, accepted.json["state"], accepted.json["answer"]) == (200, "accepted", "Fine")
    claimed = (await ask(town, "carol", "GET", f"/leads/{lead['id']}")).json
    assert (claimed["claimed_by_user_id"], claimed["claimed_via"]) == (town.users["carol"], "Assigned")
    assert (await messages(town, "won"), await messages(town, "claimed")) == (["carol"], ["bob"])
    assert (await ask(town, "carol", "GET", url)).status == 200
    assert (await ask(town, "alice", "POST", f"{url}/answer", json={"is_accepted": False})).status == 409
    assert (await ask(town, "bob", "DELETE", url)).status == 409


async def test_what_is_declined_stays_and_what_is_taken_back_is_gone(town, lead):
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    asked = (await hand_over(town, "bob", lead, "carol")).json
    declined = await ask(town, "alice", "POST", f"/handovers/{asked['id']}/answer", json={"is_accepted": "0"})
    assert declined.json["state"] == "declined"
    assert await messages(town, "handover_declined") == ["bob"]
    again = (await hand_over(town, "bob", lead, "carol")).json
    assert (await ask(town, "alice", "DELETE", f"/handovers/{again['id']}")).status == 403
    assert (await ask(town, "bob", "DELETE", f"/handovers/{again['id']}")).status == 200
    assert (await ask(town, "alice", "GET", "/handovers?state=asked")).json["total"] == 0


async def test_a_request_is_over_once_the_lead_has_moved(town, lead):
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    asked = (await hand_over(town, "bob", lead, "carol")).json
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/give-back")
    assert (await ask(town, "alice", "GET", f"/handovers/{asked['id']}")).json["state"] == "over"
    reply = await ask(town, "alice", "POST", f"/handovers/{asked['id']}/answer", json={"is_accepted": True})
    assert reply.status == 409


async def test_in_a_team_that_allows_it_a_lead_passes_at_once(town, lead):
    changed = await ask(town, "alice", "PATCH", f"/teams/{town.team_id}", json={"is_handover_free": True})
    assert changed.json["is_handover_free"] is True
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    passed = await hand_over(town, "bob", lead, "carol", note="Over to you")
    assert (passed.status, passed.json["state"]) == (201, "accepted")
    assert (await ask(town, "carol", "GET", f"/leads/{lead['id']}")).json["claimed_by_user_id"] == town.users["carol"]
    history = (await ask(town, "carol", "GET", f"/leads/{lead['id']}/history")).json
    [moved] = [each for each in history if each["kind"] == "assigned"]
    assert (moved["by_user_id"], moved["detail"]) == (town.users["bob"], {"via": "Assigned", "note": "Over to you"})


async def test_of_many_answers_at_once_one_counts(town, lead):
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    asked = (await hand_over(town, "bob", lead, "carol")).json
    replies = await asyncio.gather(
        *(ask(town, "alice", "POST", f"/handovers/{asked['id']}/answer", json={"is_accepted": n % 2}) for n in range(6))
    )
    assert sorted(reply.status for reply in replies) == [200, *[409] * 5]


# ------------------------------------------------------------------------------------------------------- assign many


async def test_many_leads_are_assigned_at_once(town, lead):
    others = [
        await create(town, "alice", "/leads", {"contact_id": lead["contact_id"], "source_id": 1}) for _ in range(3)
    ]
    await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim")
    foreign = await create(town, "dave", "/contacts", {})
    away = await create(town, "dave", "/leads", {"contact_id": foreign["id"]})
    lead_ids = [each["id"] for each in (lead, *others, away)]
    reply = await ask(
        town, "alice", "POST", "/leads/assignments", json={"lead_ids": lead_ids, "user_id": town.users["bob"]}
    )
    assert reply.status == 200, reply.body
    assert [each["result"] for each in reply.json["data"]] == ["unchanged", *["assigned"] * 3, "not found"]
    assert await town.database.fetchval("SELECT count(*) FROM claims") == 4
    by_bob = await ask(
        town, "bob", "POST", "/leads/assignments", json={"lead_ids": lead_ids, "user_id": town.users["bob"]}
    )
    assert [each["result"] for each in by_bob.json["data"]] == [*["forbidden"] * 4, "not found"]
    assert await violations(town) == []


@pytest.mark.parametrize("lead_ids", [None, [], "1", 7, ["x"], [{}], list(range(1, 1002))])
async def test_a_list_of_leads_that_cannot_be_is_refused(town, lead_ids):
    reply = await ask(
        town, "alice", "POST", "/leads/assignments", json={"lead_ids": lead_ids, "user_id": town.users["dave"]}
    )
    assert (reply.status, list(reply.json["errors"])) == (400, ["lead_ids"])
    reply = await ask(
        town, "alice", "POST", "/leads/assignments", json={"lead_ids": [1], "user_id": town.users["dave"]}
    )
    assert (reply.status, list(reply.json["errors"])) == (400, ["user_id"])

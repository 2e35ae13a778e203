"""Ways to distribute, in the database: what is counted, at once by several processes, and who comes back to whom."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from leadroutes.domain.arrival import NewLead
from leadroutes.domain.model import Facts
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.operations.doctor import examine
from leadroutes.store import statement
from leadroutes.store.postgres import Database
from tests.support.brokerage import KEY, Brokerage

JSON = {"Content-Type": "application/json"}
PROCESSES = 8


async def facts_of(database: Database) -> list[Facts]:
    rows = await database.fetch("SELECT facts::text AS facts FROM leads ORDER BY id")
    return [msgspec.json.decode(row["facts"], type=Facts) for row in rows]


async def first_of(brokerage: Brokerage, lead_id: int) -> str:
    """Who is first in line."""
    name: str = await brokerage.town.database.fetchval(
        "SELECT username FROM offers JOIN users ON users.id = user_id WHERE lead_id = $1 AND place = 0", lead_id
    )
    return name


async def ask(brokerage: Brokerage, name: str, **fields: Any) -> int:
    """A lead of a new person, a minute after the one before."""
    await brokerage.town.database.move_clock(timedelta(minutes=1))
    answer = await brokerage.ask(email=f"{name}@example.com", **fields)
    return answer.stored.lead_ids[0]


async def set_method(brokerage: Brokerage, method: str) -> None:
    await brokerage.town.database.execute("UPDATE teams SET order_method = $1", method)


async def ten_members(brokerage: Brokerage, **columns: Any) -> None:
    for number in range(8):
        await brokerage.town.add_user(f"agent{number}")
        await brokerage.town.member("alice", brokerage.town.team_id, f"agent{number}")
        await brokerage.town.option("alice", brokerage.town.team_id, f"agent{number}", rank=3)
    for name, value in columns.items():
        await brokerage.town.database.execute(f"UPDATE team_member_distribution_options SET {name} = $1", value)


async def at_once(brokerage: Brokerage, count: int) -> None:
    """So many people ask at the same time, by several processes."""
    doors = [Arrivals(Engine(brokerage.town.database)) for _ in range(PROCESSES)]
    bodies = [msgspec.json.encode({"email": f"p{number}@example.com"}) for number in range(count)]
    await asyncio.gather(*(doors[n % PROCESSES].ingest(KEY, body, JSON) for n, body in enumerate(bodies)))
    await asyncio.gather(*(door.close() for door in doors))


@pytest.mark.parametrize("method", ["Least Loaded", "Longest Idle", "Round Robin"])
@pytest.mark.parametrize("is_automatic", [False, True], ids=["to be claimed", "assigned automatically"])
async def test_a_hundred_leads_at_once_to_ten_idle_members_are_ten_each(
    brokerage: Brokerage, database: Database, method: str, is_automatic: bool
) -> None:
    await set_method(brokerage, method)
    await ten_members(brokerage, assign_automatically=is_automatic)
    await at_once(brokerage, 100)
    table, condition = ("claims", "") if is_automatic else ("offers", "WHERE place = 0 AND state = 'notified'")
    rows = await database.fetch(f"SELECT user_id, count(*) AS number FROM {table} {condition} GROUP BY user_id")
    assert [row["number"] for row in rows] == [10] * 10
    assert (await examine(database)).violation is None


async def test_leads_at_once_are_shared_by_weight(brokerage: Brokerage, database: Database) -> None:
    await set_method(brokerage, "Least Loaded")
    weigh = "UPDATE team_member_distribution_options SET weight = $1 WHERE user_id = $2"
    await database.execute(weigh, 3, brokerage.town.users["carol"])
    await brokerage.town.option("alice", brokerage.town.team_id, "alice", rank=9, weight=0)
    await at_once(brokerage, 40)
    rows = await database.fetch("SELECT username FROM offers JOIN users ON users.id = user_id WHERE place = 0")
    assert Counter(row["username"] for row in rows) == {"bob": 10, "carol": 30}


async def test_teams_with_the_same_members_see_each_others_leads(brokerage: Brokerage, database: Database) -> None:
    """Each decision finds one lead more than the one before, whichever team it was about."""
    town = brokerage.town
    other = await town.team("alice", "bob", "carol", name="South Side", mins_until_next_alert=5)
    for rank, name in enumerate(("bob", "carol")):
        await town.option("alice", other, name, rank=rank)
    source_id = await database.fetchval("SELECT contact_source_id FROM lead_routes")
    await town.route("alice", team_id=other, filter="Seller", contact_source_id=source_id)
    await set_method(brokerage, "Least Loaded")
    doors = [Arrivals(Engine(database)) for _ in range(PROCESSES)]
    bodies = [
        msgspec.json.encode({"email": f"p{number}@example.com", "type": ("Buyer", "Seller")[number % 2]})
        for number in range(60)
    ]
    await asyncio.gather(*(doors[n // 2 % PROCESSES].ingest(KEY, body, JSON) for n, body in enumerate(bodies)))
    await asyncio.gather(*(door.close() for door in doors))

    seen = [sum(standing.load for standing in facts.counted.values()) for facts in await facts_of(database)]
    assert sorted(seen) == list(range(60))
    teams = await database.fetch("SELECT team_id, count(*) AS number FROM leads GROUP BY team_id")
    assert [row["number"] for row in teams] == [30, 30]


async def test_a_lead_on_offer_counts_as_long_as_it_can_be_claimed(brokerage: Brokerage) -> None:
    await set_method(brokerage, "Least Loaded")
    bob, carol = brokerage.town.users["bob"], brokerage.town.users["carol"]
    one = await ask(brokerage, "one")
    assert await first_of(brokerage, one) == "bob"
    two = await ask(brokerage, "two")
    assert await first_of(brokerage, two) == "carol"
    await brokerage.engine.claim(brokerage.owner_id, two, carol)
    three = await ask(brokerage, "three")
    assert await first_of(brokerage, three) == "bob", "one each, and the claim came later than the offer"
    for lead_id in (one, three):
        await decline(brokerage, lead_id, bob)
    for name in ("four", "five"):
        lead_id = await ask(brokerage, name)
        assert await first_of(brokerage, lead_id) == ("bob" if name == "four" else "carol")
    stored = (await facts_of(brokerage.town.database))[3]
    assert {user: (each.open_leads, each.on_offer) for user, each in stored.counted.items()} == {
        bob: (0, 0),
        carol: (1, 0),
    }


async def decline(brokerage: Brokerage, lead_id: int, user_id: int) -> None:
    offer_id = await brokerage.town.database.fetchval(
        "SELECT id FROM offers WHERE lead_id = $1 AND user_id = $2", lead_id, user_id
    )
    await brokerage.engine.decline(brokerage.owner_id, offer_id, user_id)


async def test_an_expired_offer_does_not_count_and_one_that_lapsed_does(brokerage: Brokerage) -> None:
    await set_method(brokerage, "Least Loaded")
    await brokerage.town.database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    await ask(brokerage, "one")
    await brokerage.town.database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    two = await ask(brokerage, "two")
    assert await first_of(brokerage, two) == "bob", "Bob's offer has expired, and Carol was not first in line"
    await brokerage.town.database.move_clock(timedelta(hours=1))
    await brokerage.engine.run_due()
    await brokerage.engine.run_due()
    three = await ask(brokerage, "three")
    assert await first_of(brokerage, three) == "carol", "both are unclaimed, and Bob may claim them again"


async def test_neither_old_leads_nor_test_leads_count(brokerage: Brokerage, database: Database) -> None:
    await set_method(brokerage, "Least Loaded")
    one = await ask(brokerage, "one")
    assert await first_of(brokerage, one) == "bob"
    await database.execute("UPDATE leads SET is_test = true")
    assert await first_of(brokerage, await ask(brokerage, "two")) == "bob"
    await database.move_clock(timedelta(days=29))
    three = await ask(brokerage, "three")
    assert await first_of(brokerage, three) == "carol"
    await decline(brokerage, three, brokerage.town.users["carol"])
    await database.move_clock(timedelta(days=1))
    last = await ask(brokerage, "four")
    assert await first_of(brokerage, last) == "carol", "none has one that is open, and Carol has declined"
    assert [each.load for each in (await facts_of(database))[-1].counted.values()] == [0, 0]


async def test_the_longest_idle_by_what_they_got_and_what_they_were_offered_first(brokerage: Brokerage) -> None:
    await set_method(brokerage, "Longest Idle")
    bob = brokerage.town.users["bob"]
    leads = [await ask(brokerage, f"p{number}") for number in range(4)]
    assert [await first_of(brokerage, lead_id) for lead_id in leads] == ["bob", "carol", "bob", "carol"]
    await brokerage.town.database.move_clock(timedelta(minutes=1))
    await brokerage.engine.claim(brokerage.owner_id, leads[0], bob)
    assert await first_of(brokerage, await ask(brokerage, "next")) == "carol"


async def test_a_lead_that_was_held_counts_and_is_counted(brokerage: Brokerage) -> None:
    await set_method(brokerage, "Least Loaded")
    owner = brokerage.owner_id
    contact_id = await brokerage.town.contact("alice")
    held = await brokerage.arrivals.post_lead(
        NewLead(owner_id=owner, contact_id=contact_id, creator_user_id=owner, source_id=1, distribute=False)
    )
    assert await first_of(brokerage, await ask(brokerage, "one")) == "bob"
    await brokerage.engine.distribute(owner, held.lead_ids[0])
    assert await first_of(brokerage, held.lead_ids[0]) == "carol"
    assert await first_of(brokerage, await ask(brokerage, "two")) == "bob"


# ------------------------------------------------------------------------------------------------- who comes back


async def same_agent(brokerage: Brokerage) -> None:
    await brokerage.town.database.execute("UPDATE lead_routes SET returning_contact = 'Same Agent'")


async def moments(brokerage: Brokerage, lead_id: int) -> dict[str, float]:
    rows = await brokerage.town.database.fetch(
        "SELECT username, extract(epoch FROM notify_at - routed_at) / 60 AS after FROM offers"
        " JOIN users ON users.id = user_id JOIN leads ON leads.id = lead_id WHERE lead_id = $1 ORDER BY place",
        lead_id,
    )
    return {row["username"]: float(row["after"]) for row in rows}


async def test_whoever_comes_back_is_offered_to_whoever_has_the_contact(brokerage: Brokerage) -> None:
    await same_agent(brokerage)
    first = await ask(brokerage, "mia")
    assert await moments(brokerage, first) == {"bob": 0, "carol": 5}
    await brokerage.engine.claim(brokerage.owner_id, first, brokerage.town.users["bob"])
    await brokerage.town.database.execute("UPDATE team_member_distribution_options SET rank = 7 WHERE rank = 1")
    assert await moments(brokerage, await ask(brokerage, "ned")) == {"carol": 0, "bob": 5}
    await brokerage.town.database.move_clock(timedelta(days=2))
    assert await moments(brokerage, await ask(brokerage, "mia")) == {"bob": 0, "carol": 5}
    again = await ask(brokerage, "mia", mls="77", address="1 Elm")
    assert await first_in(brokerage, again) == {"bob": "agent of the contact, who comes back"}


async def first_in(brokerage: Brokerage, lead_id: int) -> dict[str, str]:
    """Who is said to have been first in line, and why."""
    explained = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    names = {user_id: name for name, user_id in brokerage.town.users.items()}
    return {names[each["user_id"]]: each["first"] for each in explained["members"] if each["first"]}


async def test_within_a_batch_the_second_inquiry_goes_to_who_got_the_first(brokerage: Brokerage) -> None:
    await same_agent(brokerage)
    await set_method(brokerage, "Round Robin")
    await brokerage.town.database.execute("UPDATE team_member_distribution_options SET assign_automatically = true")
    contact_id = await brokerage.town.contact("alice")
    lead = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id, source_id=1)
    await asyncio.gather(*(brokerage.arrivals.post_lead(lead) for _ in range(4)))
    claims = await brokerage.town.database.fetch("SELECT user_id FROM claims")
    assert [row["user_id"] for row in claims] == [brokerage.town.users["bob"]] * 4
    turns = await brokerage.town.database.fetchval("SELECT latest FROM team_turns")
    assert turns == [brokerage.town.users["bob"]], "one turn was taken"


async def test_the_agent_of_an_imported_contact_counts(brokerage: Brokerage) -> None:
    await same_agent(brokerage)
    carol = brokerage.town.users["carol"]
    contact_id = await brokerage.town.contact("alice", assigned_user_id=carol)
    lead = await brokerage.town.lead("alice", contact_id, is_imported=True, source_id=1)
    assert lead
    posted = await brokerage.arrivals.post_lead(
        NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id, source_id=1)
    )
    assert await moments(brokerage, posted.lead_ids[0]) == {"carol": 0, "bob": 5}


async def test_an_inquiry_about_a_listing_goes_to_its_agent_first(brokerage: Brokerage, database: Database) -> None:
    carol = brokerage.town.users["carol"]
    await brokerage.town.insert(
        "listing_agents", owner_id=brokerage.owner_id, mls_id="AB 77", mls_key="ab77", user_id=carol
    )
    lead = await ask(brokerage, "mia", mls="ab 77")
    assert await moments(brokerage, lead) == {"carol": 0, "bob": 5}
    assert await moments(brokerage, await ask(brokerage, "ned", mls="78")) == {"bob": 0, "carol": 5}
    assert await first_in(brokerage, lead) == {"carol": "agent of the listing"}
    assert (await examine(database)).violation is None


async def test_old_ways_to_distribute_run_the_same_statements_as_before(brokerage: Brokerage) -> None:
    """No further statement for teams that neither take turns nor count, whatever another team does."""
    await brokerage.town.team("alice", "bob", name="Other", order_method="Least Loaded")
    further = {statement(name).text for name in ("take_turns", "load_workloads", "load_first_offers")}
    run = {}
    for method in ("Rank", "Least Loaded"):
        await brokerage.town.database.execute(
            "UPDATE teams SET order_method = $1 WHERE id = $2", method, brokerage.town.team_id
        )
        run[method] = further & await statements_of(brokerage, method)
    assert run == {"Rank": set(), "Least Loaded": further}


async def statements_of(brokerage: Brokerage, name: str) -> set[str]:
    """What is run for an arrival, on whichever connection."""
    pool, found = brokerage.town.database.pool, set[str]()

    def note(record: Any) -> None:
        found.add(record.query)

    held = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in held:
        connection.add_query_logger(note)
        await pool.release(connection)
    await brokerage.ask(email=f"{name[0]}@example.com")
    return found

"""Claims of the same moment share a commit: still one winner a lead, and every caller gets only their own answer."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from leadroutes.errors import AlreadyClaimed, NotFound, Unavailable
from leadroutes.operations.doctor import examine
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.campaigns import add_agents, add_drip_campaign, due_steps, message_kinds


async def ask_for(brokerage: Brokerage, count: int) -> list[int]:
    """So many leads, each of another contact, of which every member of the team is notified."""
    await brokerage.town.database.execute("UPDATE teams SET mins_until_next_alert = 0")
    return [(await brokerage.ask(email=f"p{n}@example.com")).stored.lead_ids[0] for n in range(count)]


async def at_once(claims: Sequence[Awaitable[Any]]) -> list[str]:
    answers = await asyncio.gather(*claims, return_exceptions=True)
    return ["won" if answer is None else str(answer) for answer in answers]


async def test_of_fifty_agents_of_one_batch_one_has_the_lead_and_the_others_read_who(
    brokerage: Brokerage, database: Database
) -> None:
    agents = await add_agents(brokerage, 50)
    [lead_id] = await ask_for(brokerage, 1)
    answers = await at_once([brokerage.engine.claim(brokerage.owner_id, lead_id, agent) for agent in agents])
    winner = await database.fetchrow(
        "SELECT user_id, display_name(users) AS name FROM claims JOIN users ON id = user_id"
    )
    assert winner is not None
    assert [agent for agent, answer in zip(agents, answers, strict=True) if answer == "won"] == [winner["user_id"]]
    [words] = {answer for answer in answers if answer != "won"}
    assert words.startswith(f"This lead has already been claimed by {winner['name']} at ")
    assert Counter((await brokerage.states(lead_id)).values()) == {"won": 1, "lost": 51}
    assert (await examine(database)).violation is None


async def test_claims_of_many_leads_share_a_few_commits(brokerage: Brokerage, database: Database) -> None:
    leads = await ask_for(brokerage, 30)
    bob = brokerage.town.users["bob"]
    assert set(await at_once([brokerage.engine.claim(brokerage.owner_id, lead, bob) for lead in leads])) == {"won"}
    assert await database.fetchval("SELECT count(DISTINCT xmin::text) FROM claims") <= 3
    assert await database.fetchval("SELECT count(*) FROM claims WHERE user_id = $1", bob) == 30
    for lead_id in leads:
        assert await message_kinds(database, lead_id) == {
            ("offer", "bob"): 1,
            ("offer", "carol"): 1,
            ("claimed", "carol"): 1,
        }


async def test_one_that_breaks_the_batch_takes_no_one_along(brokerage: Brokerage, database: Database) -> None:
    leads = await ask_for(brokerage, 5)
    await database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;"
        f"CREATE TRIGGER refuse BEFORE INSERT ON claims FOR EACH ROW WHEN (NEW.lead_id = {leads[2]})"
        " EXECUTE FUNCTION refuse()"
    )
    bob = brokerage.town.users["bob"]
    answers = await at_once([brokerage.engine.claim(brokerage.owner_id, lead, bob) for lead in leads])
    assert answers == ["won", "won", "not this one", "won", "won"]
    rows = await database.fetch("SELECT lead_id FROM claims ORDER BY lead_id")
    assert [row["lead_id"] for row in rows] == [*leads[:2], *leads[3:]]


async def test_owner_stranger_and_agents_in_one_batch_each_get_their_answer(
    brokerage: Brokerage, database: Database
) -> None:
    town = brokerage.town
    first, second = await ask_for(brokerage, 2)
    users = town.users
    wishes = [
        (first, users["alice"]),
        (first, users["dave"]),
        (first, users["bob"]),
        (first, users["bob"]),
        (first, users["carol"]),
        (second, users["bob"]),
        (999, users["bob"]),
    ]
    answers = await at_once([brokerage.engine.claim(brokerage.owner_id, lead, user) for lead, user in wishes])
    nothing = f"No record found for id '{first}'"
    assert answers[:4] == [nothing, nothing, "won", "won"]
    assert answers[4].startswith("This lead has already been claimed by Bob Town at ")
    assert answers[5:] == ["won", "No record found for id '999'"]
    claimed = await database.fetch("SELECT lead_id, user_id FROM claims ORDER BY lead_id")
    assert [tuple(row) for row in claimed] == [(first, users["bob"]), (second, users["bob"])]
    events = await database.fetchval("SELECT count(*) FROM lead_events WHERE kind = 'claimed'")
    assert events == 2


async def test_two_leads_of_one_contact_go_to_the_last_winner_and_start_one_campaign(
    brokerage: Brokerage, database: Database
) -> None:
    await add_drip_campaign(brokerage, 60, campaign_start="Claim")
    await database.execute("UPDATE teams SET mins_until_next_alert = 0")
    leads = [(await brokerage.ask(mls=str(number))).stored.lead_ids[0] for number in (1, 2)]
    bob, carol = brokerage.town.users["bob"], brokerage.town.users["carol"]
    for winners in ((bob, carol), (carol, bob)):
        await database.execute("DELETE FROM claims")
        await database.execute("UPDATE offers SET state = 'notified'")
        claims = [brokerage.engine.claim(brokerage.owner_id, *request) for request in zip(leads, winners, strict=True)]
        assert await at_once(claims) == ["won", "won"]
        assert await database.fetchval("SELECT assigned_user_id FROM contacts") == winners[-1]
        assert await due_steps(database) == [(60, False)]


async def test_a_lead_that_someone_else_holds_keeps_no_one_from_the_others(
    brokerage: Brokerage, database: Database
) -> None:
    held, free = await ask_for(brokerage, 2)
    bob, carol = brokerage.town.users["bob"], brokerage.town.users["carol"]
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", held)
        waiting = [asyncio.create_task(brokerage.engine.claim(brokerage.owner_id, held, user)) for user in (bob, carol)]
        await asyncio.wait_for(brokerage.engine.claim(brokerage.owner_id, free, bob), 10)
        assert not any(task.done() for task in waiting)
    assert (await at_once(waiting))[0] == "won"
    assert await database.fetchval("SELECT user_id FROM claims WHERE lead_id = $1", held) == bob


async def test_many_who_come_for_a_held_lead_one_after_the_other_leave_connections_to_others(
    brokerage: Brokerage, database: Database, database_url: str
) -> None:
    agents = await add_agents(brokerage, 2 * database.pool.get_max_size())
    held, free = await ask_for(brokerage, 2)
    own = await asyncpg.connect(database_url)
    async with own.transaction():
        await own.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", held)
        waiting = []
        for agent in agents:
            waiting.append(asyncio.create_task(brokerage.engine.claim(brokerage.owner_id, held, agent)))
            await asyncio.sleep(0.02)  # a batch of its own
        await asyncio.wait_for(brokerage.engine.claim(brokerage.owner_id, free, agents[0]), 5)
        assert not any(task.done() for task in waiting)
    await own.close()
    answers = await at_once(waiting)
    assert answers.count("won") == 1
    assert await database.fetchval("SELECT user_id FROM claims WHERE lead_id = $1", held) == agents[0]


async def test_a_loser_gets_an_answer_while_someone_holds_the_lead(brokerage: Brokerage, database: Database) -> None:
    [lead_id] = await ask_for(brokerage, 1)
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", lead_id)
        claim = brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["carol"])
        [answer] = await asyncio.wait_for(at_once([claim]), 10)
    assert answer.startswith("This lead has already been claimed by Bob Town at ")


async def test_a_lead_that_goes_while_it_is_waited_for_is_not_found(brokerage: Brokerage, database: Database) -> None:
    held, free = await ask_for(brokerage, 2)
    bob = brokerage.town.users["bob"]
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("DELETE FROM leads WHERE id = $1", held)
        waiting = asyncio.create_task(brokerage.engine.claim(brokerage.owner_id, held, bob))
        await asyncio.wait_for(brokerage.engine.claim(brokerage.owner_id, free, bob), 10)
    answers = await asyncio.gather(waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [NotFound]


async def test_whose_time_is_over_or_who_declined_reads_that_beside_a_winner(
    brokerage: Brokerage, database: Database
) -> None:
    town = brokerage.town
    await database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    claims = [brokerage.engine.claim(brokerage.owner_id, lead_id, town.users[name]) for name in ("bob", "carol")]
    assert await at_once(claims) == ["Your time to claim this lead is over", "won"]


async def test_who_goes_away_has_claimed_all_the_same(brokerage: Brokerage, database: Database) -> None:
    [lead_id] = await ask_for(brokerage, 1)
    bob, carol = brokerage.town.users["bob"], brokerage.town.users["carol"]
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", lead_id)
        gone = asyncio.create_task(brokerage.engine.claim(brokerage.owner_id, lead_id, bob))
        stays = asyncio.create_task(brokerage.engine.claim(brokerage.owner_id, lead_id, carol))
        await asyncio.sleep(0)
        gone.cancel()
    answers = await asyncio.gather(gone, stays, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, AlreadyClaimed]
    assert await database.fetchval("SELECT user_id FROM claims") == bob


async def test_a_database_that_goes_away_is_reported_to_all_who_wait(brokerage: Brokerage, database: Database) -> None:
    [lead_id] = await ask_for(brokerage, 1)
    users = [brokerage.town.users[name] for name in ("bob", "carol")]
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM leads WHERE id = $1 FOR UPDATE", lead_id)
        claims = [asyncio.create_task(brokerage.engine.claim(brokerage.owner_id, lead_id, user)) for user in users]
        while not await other.fetchval(cut):  # noqa: ASYNC110 -- another process waits
            await asyncio.sleep(0)
        answers = await asyncio.gather(*claims, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    assert await at_once([brokerage.engine.claim(brokerage.owner_id, lead_id, users[1])]) == ["won"]

"""A member leaves, in each way there is: what was offered through the team is withdrawn, and the next moves up."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from leadroutes.domain.arrival import NewLead
from leadroutes.domain.model import Initiator
from leadroutes.engine import memberships, users
from leadroutes.engine.departures import withdraw_from_team
from leadroutes.errors import NotFound
from leadroutes.operations.doctor import examine
from leadroutes.store.claim_pages import find_claim_page
from leadroutes.store.installation import Installation
from leadroutes.store.messages import DeliveryLog
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.deadlocks import until_waiting

Leave = Callable[[Brokerage], Awaitable[None]]


async def member_id(brokerage: Brokerage, name: str) -> int:
    sql = "SELECT id FROM team_members WHERE user_id = $1"
    found: int = await brokerage.town.database.fetchval(sql, brokerage.town.users[name])
    return found


async def removed_by_the_creator(brokerage: Brokerage) -> None:
    await memberships.remove(brokerage.town.database, await member_id(brokerage, "bob"), brokerage.owner_id)


async def declined_by_the_member(brokerage: Brokerage) -> None:
    bob = brokerage.town.users["bob"]
    await memberships.answer(brokerage.town.database, await member_id(brokerage, "bob"), bob, "Declined")


async def account_closed(brokerage: Brokerage) -> None:
    await users.change_user(
        brokerage.town.database, brokerage.town.users["bob"], {"is_active": False}, users.ChangedBy(brokerage.owner_id)
    )


WAYS = pytest.mark.parametrize("leave", [removed_by_the_creator, declined_by_the_member, account_closed])


async def link_of(brokerage: Brokerage, lead_id: int, name: str) -> str:
    row = await brokerage.town.database.fetchrow(
        "SELECT owner_id, id FROM offers WHERE lead_id = $1 AND user_id = $2", lead_id, brokerage.town.users[name]
    )
    assert row is not None
    return await DeliveryLog(brokerage.town.database).add_claim_token(row["owner_id"], row["id"], "Email")


@WAYS
async def test_whoever_has_left_cannot_claim_and_the_next_one_moves_up(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    token = await link_of(brokerage, lead_id, "bob")
    assert await find_claim_page(database, token) is not None
    await leave(brokerage)

    assert await brokerage.states(lead_id) == {"bob": "withdrawn", "carol": "notified"}
    with pytest.raises(NotFound):
        await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    assert await find_claim_page(database, token) is None
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["carol"])
    [event] = [
        each for each in await brokerage.engine.history(brokerage.owner_id, lead_id) if each["kind"] == "withdrawn"
    ]
    assert event["user_id"] == brokerage.town.users["bob"]
    assert (await examine(database)).violation is None


@WAYS
async def test_while_someone_else_can_claim_no_one_moves_up(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    await brokerage.town.add_user("erin")
    await brokerage.town.member("alice", brokerage.town.team_id, "erin")
    await brokerage.town.option("alice", brokerage.town.team_id, "erin", rank=3)
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    await leave(brokerage)

    assert await brokerage.states(lead_id) == {"bob": "withdrawn", "carol": "notified", "erin": "scheduled"}
    assert (await examine(database)).violation is None


@WAYS
async def test_whoever_cannot_be_alerted_here_is_passed_over(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    """Carol wants an e-mail, which this installation cannot send, so Carol would count as notified in silence."""
    await database.execute("UPDATE team_member_distribution_options SET has_email_alert = true")
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    database.installation = Installation(channels=frozenset({"text"}))
    await leave(brokerage)

    assert await brokerage.states(lead_id) == {"bob": "withdrawn", "carol": "skipped", "alice": "notified"}


@WAYS
async def test_an_open_lead_is_as_old_as_the_installation_says(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    [old_lead_id] = (await brokerage.ask(email="finn@example.com")).stored.lead_ids
    await brokerage.engine.assign(brokerage.owner_id, old_lead_id, brokerage.town.users["carol"], brokerage.owner_id)
    await database.execute("UPDATE team_member_distribution_options SET max_open_leads = 1 WHERE rank = 2")
    await database.move_clock(timedelta(days=10))
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    database.installation = Installation(open_for=timedelta(days=5))
    await leave(brokerage)

    assert (await brokerage.states(lead_id))["carol"] == "notified"


@WAYS
async def test_with_no_one_left_the_owner_is_notified_at_once(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    await database.execute("DELETE FROM team_member_distribution_options WHERE rank = 2")
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await leave(brokerage)

    assert await brokerage.states(lead_id) == {"bob": "withdrawn", "alice": "notified"}
    assert await database.fetchval("SELECT count(*) FROM messages WHERE kind = 'unclaimed'") > 0
    assert (await examine(database)).violation is None


@WAYS
async def test_an_expired_offer_does_not_come_back_for_whoever_has_left(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    await database.execute("UPDATE teams SET offer_mode = 'Exclusive'")
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    assert (await brokerage.states(lead_id))["bob"] == "expired"
    await leave(brokerage)
    await database.move_clock(timedelta(minutes=30))
    await brokerage.engine.run_due()

    assert await brokerage.states(lead_id) == {"bob": "withdrawn", "carol": "notified", "alice": "notified"}
    assert (await examine(database)).violation is None


@WAYS
async def test_what_was_won_stays(brokerage: Brokerage, database: Database, leave: Leave) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    await leave(brokerage)

    assert (await brokerage.states(lead_id))["bob"] == "won"
    assert await database.fetchval("SELECT assigned_user_id FROM contacts") == brokerage.town.users["bob"]


@WAYS
async def test_every_open_lead_of_the_member_is_withdrawn(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    leads = [(await brokerage.ask(email=f"{n}@example.com")).stored.lead_ids[0] for n in range(25)]
    counted = "SELECT count(*) FROM offers WHERE user_id = $1 AND state = 'withdrawn'"
    await leave(brokerage)

    assert await database.fetchval(counted, brokerage.town.users["bob"]) == len(leads)
    assert (await examine(database)).violation is None


async def test_offers_of_a_team_that_is_removed_are_withdrawn_and_the_owner_is_asked(
    brokerage: Brokerage, database: Database
) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.execute("DELETE FROM lead_routes")
    async with database.transaction() as transaction:
        await withdraw_from_team(transaction, brokerage.owner_id, brokerage.town.team_id, brokerage.owner_id)
        await transaction.execute("DELETE FROM teams")

    assert await brokerage.states(lead_id) == {"bob": "withdrawn", "carol": "skipped", "alice": "notified"}
    assert (await examine(database)).violation is None


async def test_the_owner_of_a_lead_needs_no_membership_to_claim_it(brokerage: Brokerage, database: Database) -> None:
    await brokerage.town.option("alice", brokerage.town.team_id, "alice", rank=1)
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await memberships.remove(database, await member_id(brokerage, "alice"), brokerage.owner_id)
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.owner_id)

    assert (await brokerage.states(lead_id))["alice"] == "won"


async def test_a_member_who_is_gone_before_the_engine_knew_cannot_claim_either(
    brokerage: Brokerage, database: Database
) -> None:
    """As when a process of an older version removed the member."""
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.execute("DELETE FROM team_members WHERE user_id = $1", brokerage.town.users["bob"])
    for act in (
        brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"]),
        brokerage.engine.decline(
            brokerage.owner_id,
            await database.fetchval("SELECT id FROM offers WHERE user_id = $1", brokerage.town.users["bob"]),
            brokerage.town.users["bob"],
        ),
    ):
        with pytest.raises(NotFound):
            await act
    broken = (await examine(database)).violation
    assert broken is not None
    assert "has left" in broken.sentence


async def test_a_claim_and_a_removal_at_once_leave_one_of_two_truths(brokerage: Brokerage, database: Database) -> None:
    bob, carol = brokerage.town.users["bob"], brokerage.town.users["carol"]
    for number in range(10):
        [lead_id] = (await brokerage.ask(email=f"{number}@example.com")).stored.lead_ids
        await asyncio.gather(
            brokerage.engine.claim(brokerage.owner_id, lead_id, bob),
            memberships.remove(database, await member_id(brokerage, "bob"), brokerage.owner_id),
            return_exceptions=True,
        )
        winner = await database.fetchval("SELECT user_id FROM claims WHERE lead_id = $1", lead_id)
        state = (await brokerage.states(lead_id))["bob"]
        assert (winner, state) in ((bob, "won"), (None, "withdrawn"))
        if winner is None:
            await brokerage.engine.claim(brokerage.owner_id, lead_id, carol)
        await brokerage.town.member("alice", brokerage.town.team_id, "bob")
        await brokerage.town.option("alice", brokerage.town.team_id, "bob", rank=1)
    assert (await examine(database)).violation is None


@WAYS
async def test_a_lead_that_is_being_routed_meanwhile_is_withdrawn_too(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    """It has been decided by the rules with the member, and is stored once it no longer waits for another session."""
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", brokerage.town.users["carol"])
        asking = asyncio.create_task(brokerage.ask())
        await until_waiting(database, 1)
        leaving = asyncio.ensure_future(leave(brokerage))
        await until_waiting(database, 2, leaving)
    await leaving
    [lead_id] = (await asking).stored.lead_ids

    assert await brokerage.states(lead_id) in (
        {"bob": "withdrawn", "carol": "notified"},
        {"carol": "notified"},  # it was decided once more, by the rules without the member
        {"bob": "skipped", "carol": "notified"},
    )
    assert (await examine(database)).violation is None


@pytest.mark.parametrize("is_given_back", [True, False])
async def test_a_lead_that_is_offered_anew_meanwhile_is_withdrawn_too(
    brokerage: Brokerage, database: Database, is_given_back: bool
) -> None:
    """One that is given back, and one that was held."""
    alice, carol = brokerage.owner_id, brokerage.town.users["carol"]
    if is_given_back:
        [lead_id] = (await brokerage.ask()).stored.lead_ids
        await brokerage.engine.assign(alice, lead_id, carol, alice)
        offering = brokerage.engine.give_back(alice, lead_id, Initiator(user_id=alice))
    else:
        contact_id = await brokerage.town.contact("alice", email="mia@example.com")
        held = NewLead(owner_id=alice, contact_id=contact_id, creator_user_id=alice, distribute=False, source_id=1)
        [lead_id] = (await brokerage.arrivals.post_lead(held)).lead_ids
        offering = brokerage.engine.distribute(alice, lead_id)
    async with database.pool.acquire() as holder, holder.transaction():
        # What is written last waits for it.
        await holder.execute("LOCK TABLE messages IN SHARE MODE")
        working = asyncio.ensure_future(offering)
        await until_waiting(database, 1)
        leaving = asyncio.ensure_future(removed_by_the_creator(brokerage))
        await until_waiting(database, 2, leaving)
    await asyncio.gather(working, leaving)

    states = await brokerage.states(lead_id)
    assert states["bob"] == "withdrawn"
    assert (await examine(database)).violation is None


@WAYS
async def test_whoever_was_skipped_and_leaves_while_a_lead_that_waited_is_offered_is_not_asked(
    brokerage: Brokerage, database: Database, leave: Leave
) -> None:
    """Bob, of whom no one knew when they are back, is back as the moment of the next return comes, and is leaving."""
    bob, carol = brokerage.town.users["bob"], brokerage.town.users["carol"]
    await database.execute("UPDATE teams SET when_nobody_is_available = 'Hold'")
    paused = "UPDATE availabilities SET is_paused = true, paused_until = $2 WHERE id = $1"
    await database.execute(paused, bob, None)
    await database.execute(paused, carol, brokerage.town.now + timedelta(hours=1))
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    assert await brokerage.states(lead_id) == {"bob": "skipped", "carol": "scheduled"}
    await brokerage.engine.run_due()  # what a process does once is done
    await database.execute("UPDATE availabilities SET is_paused = false WHERE id = $1", bob)
    await database.move_clock(timedelta(hours=2))
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE messages IN SHARE MODE")  # what is written last waits for it
        offering = asyncio.ensure_future(brokerage.engine.run_due())
        await until_waiting(database, 1)
        leaving = asyncio.ensure_future(leave(brokerage))
        await until_waiting(database, 2, leaving)
    await asyncio.gather(offering, leaving)

    assert await brokerage.states(lead_id) == {"bob": "withdrawn", "carol": "notified"}
    assert (await examine(database)).violation is None

"""A lead that no one has claimed, and whose contact is erased: no agent is asked to call an unknown person."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from leadroutes.domain.arrival import NewLead
from leadroutes.engine.claims import ClaimRequest, decide_claims
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, NotFound
from leadroutes.operations.doctor import examine
from leadroutes.operations.erasure import erase_contact
from leadroutes.store.claim_pages import find_own_page
from leadroutes.store.messages import DeliveryLog, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.store.routing import RuleSets
from tests.support.brokerage import Brokerage
from tests.support.deadlocks import deadlocks, one_behind_another, until_waiting
from tests.support.erasure import EMAIL, MARK, PHONE, contact_of, erase_and_check
from tests.support.races import outcome, overtaken

MESSAGES = "SELECT kind, state FROM messages WHERE lead_id = $1 ORDER BY id"
FATE = "SELECT lapses_at, unclaimed_at, routed_at FROM leads WHERE id = $1"


async def asked(brokerage: Brokerage, **fields: Any) -> tuple[int, int]:
    """Mia has asked. Returns the ids of the lead and of the contact."""
    [lead_id] = (await brokerage.ask(email=EMAIL, phone=PHONE, message=f"I am {MARK}", **fields)).stored.lead_ids
    return lead_id, await contact_of(brokerage)


async def held(brokerage: Brokerage) -> tuple[int, int]:
    contact_id = await brokerage.town.contact("alice", email=EMAIL)
    alice = brokerage.owner_id
    lead = NewLead(owner_id=alice, contact_id=contact_id, creator_user_id=alice, distribute=False)
    [lead_id] = (await brokerage.arrivals.post_lead(lead)).lead_ids
    return lead_id, contact_id


async def fate(database: Database, lead_id: int) -> str:
    row = await database.fetchrow(FATE, lead_id)
    assert row is not None
    return "unclaimed" if row["unclaimed_at"] and not row["lapses_at"] else "on offer" if row["lapses_at"] else "held"


# --------------------------------------------------------------------------------------------------- on offer


async def test_a_lead_on_offer_is_over_and_no_one_else_is_notified(brokerage: Brokerage, database: Database) -> None:
    lead_id, contact_id = await asked(brokerage)
    assert await brokerage.states(lead_id) == {"bob": "notified", "carol": "scheduled"}
    await erase_and_check(brokerage, contact_id)

    assert await brokerage.states(lead_id) == {"bob": "expired", "carol": "withdrawn"}
    assert await fate(database, lead_id) == "unclaimed"
    await database.move_clock(timedelta(hours=1))
    assert await brokerage.engine.run_due() is None, "nothing is to come"
    assert [tuple(row) for row in await database.fetch(MESSAGES, lead_id)] == [("offer", "suppressed")]
    [message_id] = [row["id"] for row in await database.fetch("SELECT id FROM messages")]
    assert await DeliveryLog(database).begin(MessageKey(brokerage.owner_id, message_id)) is None


async def test_the_ledger_moves_it_from_on_offer_to_unclaimed(brokerage: Brokerage) -> None:
    _, contact_id = await asked(brokerage)
    before = await brokerage.engine.ledger(brokerage.owner_id)
    await erase_and_check(brokerage, contact_id)
    assert await brokerage.engine.ledger(brokerage.owner_id) == before | {"on_offer": 0, "unclaimed": 1}


async def test_no_one_can_claim_or_decline_it_and_its_page_says_so(brokerage: Brokerage, database: Database) -> None:
    lead_id, contact_id = await asked(brokerage)
    await erase_and_check(brokerage, contact_id)
    bob, carol = brokerage.town.users["bob"], brokerage.town.users["carol"]
    offer_id = await database.fetchval("SELECT id FROM offers WHERE user_id = $1", bob)

    with pytest.raises(Conflict, match="is over"):
        await brokerage.engine.claim(brokerage.owner_id, lead_id, bob)
    with pytest.raises(NotFound):
        await brokerage.engine.claim(brokerage.owner_id, lead_id, carol)
    with pytest.raises(Conflict, match="is over"):
        await brokerage.engine.decline(brokerage.owner_id, offer_id, bob)
    page = await find_own_page(database, bob, offer_id)
    assert page is not None
    assert page.standing == "over", "it will not come back to Bob"


async def test_the_owner_may_assign_it_by_hand(brokerage: Brokerage, database: Database) -> None:
    lead_id, contact_id = await asked(brokerage)
    await erase_and_check(brokerage, contact_id)
    await brokerage.engine.assign(brokerage.owner_id, lead_id, brokerage.town.users["carol"], brokerage.owner_id)

    assert await brokerage.states(lead_id) == {"bob": "lost", "carol": "won"}
    examined = await examine(database)
    assert examined.violation is None, str(examined.violation)


async def test_one_that_was_unclaimed_already_is_over_too(brokerage: Brokerage, database: Database) -> None:
    lead_id, contact_id = await asked(brokerage)
    for _ in ("Carol is notified", "no one claims it"):
        await database.move_clock(timedelta(hours=1))
        await brokerage.engine.run_due()
    since = await database.fetchval("SELECT unclaimed_at FROM leads")
    assert (await brokerage.states(lead_id))["alice"] == "notified"
    await database.execute("UPDATE messages SET state = 'suppressed'; DELETE FROM pgqueuer")
    await erase_and_check(brokerage, contact_id)

    assert set((await brokerage.states(lead_id)).values()) == {"expired"}
    assert await database.fetchval("SELECT unclaimed_at FROM leads") == since


async def test_why_and_what_happened_are_explained_as_before(brokerage: Brokerage) -> None:
    lead_id, contact_id = await asked(brokerage)
    before = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    await erase_and_check(brokerage, contact_id)

    after = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    assert after | {"members": None} == before | {"members": None}
    assert [member["state"] for member in after["members"] if member["state"]] == ["expired", "withdrawn"]
    happened = await brokerage.engine.history(brokerage.owner_id, lead_id)
    assert {"arrived", "offered", "expired", "unclaimed", "message"} == {each["kind"] for each in happened}
    [unclaimed] = [each for each in happened if each["kind"] == "unclaimed"]
    assert "the contact was erased" in unclaimed["detail"]


async def test_a_claimed_lead_stays_the_winners(brokerage: Brokerage, database: Database) -> None:
    lead_id, contact_id = await asked(brokerage)
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    before = await database.fetch("SELECT * FROM offers ORDER BY id")
    await erase_and_check(brokerage, contact_id)

    assert await database.fetch("SELECT * FROM offers ORDER BY id") == before
    assert await database.fetchval("SELECT user_id FROM claims") == brokerage.town.users["bob"]
    assert await database.fetchval("SELECT unclaimed_at FROM leads") is None


async def test_the_leads_of_others_stay_on_offer(brokerage: Brokerage, database: Database) -> None:
    [other] = (await brokerage.ask(email="noa@example.com")).stored.lead_ids
    _, contact_id = await asked(brokerage)
    await erase_and_check(brokerage, contact_id)
    assert await brokerage.states(other) == {"bob": "notified", "carol": "scheduled"}
    assert await fate(database, other) == "on offer"


# ------------------------------------------------------------------------------------------------ held, imported


async def test_a_held_lead_is_over_and_cannot_be_distributed(brokerage: Brokerage, database: Database) -> None:
    lead_id, contact_id = await held(brokerage)
    assert await fate(database, lead_id) == "held"
    before = await brokerage.engine.ledger(brokerage.owner_id)
    await erase_and_check(brokerage, contact_id)

    with pytest.raises(Conflict, match="its contact was erased"):
        await brokerage.engine.distribute(brokerage.owner_id, lead_id)
    assert await brokerage.engine.ledger(brokerage.owner_id) == before | {"held": 0, "unclaimed": 1}
    assert (await brokerage.engine.explain(brokerage.owner_id, lead_id))["outcome"] == "over: it has not been routed"


async def test_what_was_imported_stays_history(brokerage: Brokerage, database: Database) -> None:
    lead_id, contact_id = await held(brokerage)
    await database.execute("UPDATE leads SET is_imported = true WHERE id = $1", lead_id)
    await erase_and_check(brokerage, contact_id)
    assert await database.fetchval("SELECT unclaimed_at FROM leads WHERE id = $1", lead_id) is None


# ------------------------------------------------------------------------------------------------------- at once


async def test_a_claim_that_is_being_written_is_waited_for_and_holds(brokerage: Brokerage, database: Database) -> None:
    """Its alerts are there by then, and are not sent."""
    lead_id, contact_id = await asked(brokerage)
    bob = brokerage.town.users["bob"]
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    async with database.transaction() as transaction:
        await decide_claims(transaction, RuleSets(), [ClaimRequest(brokerage.owner_id, lead_id, bob, "None")])
        erasing = asyncio.create_task(erase_contact(database, brokerage.owner_id, contact_id))
        await until_waiting(database, 1)
    await erasing

    assert await brokerage.states(lead_id) == {"bob": "won", "carol": "lost"}
    assert await database.fetchval("SELECT unclaimed_at FROM leads") is None
    kinds = [("offer", "suppressed"), ("offer", "suppressed"), ("claimed", "suppressed")]
    assert [tuple(row) for row in await database.fetch(MESSAGES, lead_id)] == kinds


@pytest.mark.parametrize("is_claim_first", [True, False])
async def test_a_claim_and_an_erasure_that_want_a_lead_are_done_one_after_the_other(
    brokerage: Brokerage, database: Database, processes: list[Database], is_claim_first: bool
) -> None:
    """Whoever comes first; neither holds what the other one needs to go on."""
    lead_id, contact_id = await asked(brokerage)
    here, there = processes
    work = [
        outcome(Engine(here).claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])),
        outcome(erase_contact(there, brokerage.owner_id, contact_id)),
    ]
    in_order = work if is_claim_first else reversed(work)
    outcomes = await one_behind_another(database, "SELECT FROM leads FOR NO KEY UPDATE", in_order)

    assert outcomes == (["done", "done"] if is_claim_first else ["done", "Conflict"])
    assert (await brokerage.states(lead_id))["bob"] == ("won" if is_claim_first else "expired")
    assert await deadlocks(database, processes) == 0


async def test_a_lead_that_comes_in_meanwhile_is_over_too(brokerage: Brokerage, database: Database) -> None:
    _, contact_id = await asked(brokerage)
    second = (
        "INSERT INTO leads (owner_id, contact_id, created_at, modified_at, touched_at)"
        " SELECT owner_id, id, now(), now(), now() FROM contacts WHERE id = $1"
    )
    await overtaken(erase_contact(database, brokerage.owner_id, contact_id), database, second, contact_id)
    assert await database.fetchval("SELECT count(*) FROM leads WHERE unclaimed_at IS NOT NULL") == 2


async def test_claims_declines_timers_and_erasures_at_once_leave_sound_leads(
    brokerage: Brokerage, database: Database
) -> None:
    """Each lead is claimed or over, never both."""
    town, owner = brokerage.town, brokerage.owner_id
    bob, carol = town.users["bob"], town.users["carol"]
    leads = {}
    for number in range(20):
        email = f"mia{number}@{MARK.lower()}.example"
        [lead_id] = (await brokerage.ask(email=email)).stored.lead_ids
        leads[lead_id] = await contact_of(brokerage, email)
    await database.move_clock(timedelta(minutes=5))
    engines = [Engine(database) for _ in range(3)]
    offers = {row["lead_id"]: row["id"] for row in await database.fetch("SELECT * FROM offers WHERE user_id = $1", bob)}
    work: list[Awaitable[Any]] = [engine.run_due() for engine in engines]
    for lead_id, contact_id in leads.items():
        work.append(outcome(engines[lead_id % 3].claim(owner, lead_id, carol if lead_id % 2 else bob)))
        work.append(outcome(erase_contact(database, owner, contact_id)))
        if lead_id % 4 == 0:
            work.append(outcome(engines[0].decline(owner, offers[lead_id], bob)))
    outcomes = await asyncio.gather(*work)

    assert "done" in outcomes
    claimed = {row["lead_id"] for row in await database.fetch("SELECT lead_id FROM claims")}
    for lead_id in leads:
        states = set((await brokerage.states(lead_id)).values())
        assert (await fate(database, lead_id) == "unclaimed") is (lead_id not in claimed)
        assert ("won" in states) is (lead_id in claimed)
        assert not states & {"scheduled", "notified"}
    assert {row["state"] for row in await database.fetch("SELECT state FROM messages")} == {"suppressed"}
    examined = await examine(database)
    assert examined.violation is None, str(examined.violation)

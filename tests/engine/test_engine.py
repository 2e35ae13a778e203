"""What becomes of a lead in the database: one winner whatever the race, timers as hints, campaigns with their steps."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from leadroutes.domain.arrival import NewLead
from leadroutes.domain.model import Initiator
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.store.campaigns import stop_campaigns
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.builders import NOON
from tests.support.campaigns import add_agents, add_drip_campaign, due_steps, message_kinds
from tests.support.races import outcome


async def test_of_fifty_agents_who_claim_at_once_one_has_it(brokerage: Brokerage, database: Database) -> None:
    agents = await add_agents(brokerage, 50)
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    engines = [Engine(database) for _ in range(4)]
    outcomes = await asyncio.gather(
        *(outcome(engines[n % 4].claim(brokerage.owner_id, lead_id, user), "won") for n, user in enumerate(agents))
    )
    assert Counter(outcomes) == {"won": 1, "AlreadyClaimed": 49}
    states = Counter((await brokerage.states(lead_id)).values())
    assert states == {"won": 1, "lost": 51}
    winner = await database.fetchval("SELECT user_id FROM claims")
    assert winner == agents[outcomes.index("won")]
    assert winner == await database.fetchval("SELECT assigned_user_id FROM contacts")
    notified = await database.fetchval("SELECT count(*) FROM messages WHERE kind = 'claimed'")
    assert notified == 51


async def test_a_claim_a_decline_an_assignment_and_a_due_offer_at_once_leave_one_sound_lead(
    brokerage: Brokerage, database: Database
) -> None:
    town, owner = brokerage.town, brokerage.owner_id
    leads = [(await brokerage.ask(email=f"p{n}@example.com")).stored.lead_ids[0] for n in range(20)]
    await database.move_clock(timedelta(minutes=5))
    offer_ids = {
        row["lead_id"]: row["id"]
        for row in await database.fetch("SELECT lead_id, id FROM offers WHERE user_id = $1", town.users["bob"])
    }
    engines = [Engine(database) for _ in range(3)]
    work: list[Awaitable[Any]] = [engine.run_due() for engine in engines]
    for lead_id in leads:
        work.append(outcome(engines[0].claim(owner, lead_id, town.users["bob"])))
        work.append(outcome(engines[1].decline(owner, offer_ids[lead_id], town.users["bob"])))
        work.append(outcome(engines[2].claim(owner, lead_id, town.users["carol"])))
        work.append(outcome(engines[0].assign(owner, lead_id, town.users["alice"], town.users["alice"])))
    await asyncio.gather(*work)
    assert await database.fetchval("SELECT count(*) FROM claims") == 20, "the owner's assignment always ends in a claim"
    open_offers = await database.fetchval("SELECT count(*) FROM offers WHERE state IN ('scheduled', 'notified')")
    assert open_offers == 0
    wins = await database.fetchval(
        "SELECT count(*) FROM offers o JOIN claims c USING (owner_id, lead_id)"
        " WHERE o.state = 'won' AND o.user_id <> c.user_id"
    )
    assert wins == 0


async def test_a_due_offer_is_notified_once_however_many_workers_look(brokerage: Brokerage, database: Database) -> None:
    leads = [(await brokerage.ask(email=f"p{n}@example.com")).stored.lead_ids[0] for n in range(30)]
    await database.move_clock(timedelta(minutes=5))
    await asyncio.gather(*(Engine(database).run_due() for _ in range(4)))
    for lead_id in leads:
        assert await message_kinds(database, lead_id) == {("offer", "bob"): 1, ("offer", "carol"): 1}


async def test_no_one_claims_and_the_owner_is_alerted_once(brokerage: Brokerage, database: Database) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    assert await brokerage.engine.run_due() == await database.fetchval("SELECT notify_at FROM offers WHERE place = 1")
    await database.move_clock(timedelta(minutes=5))
    assert await brokerage.engine.run_due() == await database.fetchval("SELECT lapses_at FROM leads")
    await database.move_clock(timedelta(minutes=15))
    for _ in range(2):
        assert await brokerage.engine.run_due() is None
    assert await brokerage.states(lead_id) == {"bob": "notified", "carol": "notified", "alice": "notified"}
    assert (await message_kinds(database, lead_id))["unclaimed", "alice"] == 1
    assert (await brokerage.engine.ledger(brokerage.owner_id))["unclaimed"] == 1
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    ledger = await brokerage.engine.ledger(brokerage.owner_id)
    assert (ledger["claimed"], ledger["unclaimed"]) == (1, 0)


async def test_a_loser_reads_who_has_it_and_since_when(brokerage: Brokerage, database: Database) -> None:
    town = brokerage.town
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    await brokerage.engine.claim(brokerage.owner_id, lead_id, town.users["bob"], "Email")
    with pytest.raises(Conflict, match=r"^This lead has already been claimed by Bob Town at 20\d\d-.*Z$") as conflict:
        await brokerage.engine.claim(brokerage.owner_id, lead_id, town.users["carol"])
    assert conflict.value.data["claimed_by_user_id"] == town.users["bob"]
    assert conflict.value.message.endswith(conflict.value.data["claimed_at"])
    with pytest.raises(NotFound):
        await brokerage.engine.claim(brokerage.owner_id, lead_id, town.users["dave"])
    await brokerage.engine.claim(brokerage.owner_id, lead_id, town.users["bob"])


async def test_only_someone_with_whom_the_owner_shares_a_team_can_be_assigned(brokerage: Brokerage) -> None:
    town = brokerage.town
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    with pytest.raises(Invalid) as invalid:
        await brokerage.engine.assign(brokerage.owner_id, lead_id, town.users["dave"], brokerage.owner_id)
    assert set(invalid.value.errors) == {"user_id"}
    for name in ("bob", "carol", "alice"):
        await brokerage.engine.assign(brokerage.owner_id, lead_id, town.users[name], brokerage.owner_id)
    events = await brokerage.engine.history(brokerage.owner_id, lead_id)
    assert [event["user_id"] for event in events if event["kind"] == "assigned"] == [
        town.users[name] for name in ("bob", "carol", "alice")
    ]


async def test_a_member_who_left_is_skipped_when_due(brokerage: Brokerage, database: Database) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.execute("DELETE FROM team_members WHERE user_id = $1", brokerage.town.users["carol"])
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    assert await brokerage.states(lead_id) == {"bob": "notified", "carol": "skipped"}
    [skipped] = [
        each
        for each in (await brokerage.engine.explain(brokerage.owner_id, lead_id))["members"]
        if each["state"] == "skipped"
    ]
    assert skipped["reason"] == "the member has left the team"


async def test_no_one_is_notified_once_the_team_is_removed(brokerage: Brokerage, database: Database) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.execute("DELETE FROM lead_routes")
    await database.execute("DELETE FROM teams")
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    assert await brokerage.states(lead_id) == {"bob": "notified", "carol": "skipped"}
    assert await database.fetchval("SELECT reason FROM offers WHERE state = 'skipped'") == "the team has been removed"


async def test_a_lead_under_way_keeps_the_mode_and_the_wait_that_it_was_decided_with(
    brokerage: Brokerage, database: Database
) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    await database.execute("UPDATE teams SET offer_mode = 'Exclusive', mins_until_next_alert = 60")
    [later] = (await brokerage.ask(email="finn@example.com")).stored.lead_ids
    await database.move_clock(timedelta(minutes=5))
    await brokerage.engine.run_due()
    wait = "SELECT lapses_at - (SELECT max(notified_at) FROM offers WHERE lead_id = l.id) FROM leads l WHERE id = $1"
    assert await brokerage.states(lead_id) == {"bob": "notified", "carol": "notified"}
    assert await database.fetchval(wait, lead_id) == timedelta(minutes=15)

    await database.move_clock(timedelta(minutes=55))
    await brokerage.engine.run_due()
    assert await brokerage.states(later) == {"bob": "expired", "carol": "notified"}
    assert await database.fetchval(wait, later) == timedelta(minutes=60)


async def test_the_explanation_is_of_the_rules_that_decided_even_when_they_are_gone(
    brokerage: Brokerage, database: Database
) -> None:
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    before = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    await database.execute("DELETE FROM lead_routes")
    assert await Engine(database).explain(brokerage.owner_id, lead_id) == before


# -- campaigns


async def test_the_campaign_starts_with_the_arrival_and_its_steps_fall_due(
    brokerage: Brokerage, database: Database
) -> None:
    await add_drip_campaign(brokerage, 60, 600)
    await brokerage.ask()
    assert await due_steps(database) == [(60, False), (600, False)]
    await database.move_clock(timedelta(seconds=61))
    await brokerage.engine.run_due()
    assert await due_steps(database) == [(60, True), (600, False)]
    assert await database.fetchval("SELECT count(*) FROM messages WHERE kind = 'campaign'") == 1


async def test_a_campaign_that_runs_is_not_started_again_and_one_that_is_done_is(
    brokerage: Brokerage, database: Database
) -> None:
    await add_drip_campaign(brokerage, 60)
    await brokerage.ask(mls="1")
    await brokerage.ask(mls="2")
    assert await database.fetchval("SELECT count(*) FROM campaign_contacts") == 1
    await database.execute("UPDATE contact_communications SET is_active = false")
    await brokerage.ask(mls="3")
    rows = await database.fetch("SELECT ended_at IS NULL AS runs FROM campaign_contacts ORDER BY id")
    assert [row["runs"] for row in rows] == [False, True]


async def test_a_campaign_can_wait_for_the_claim(brokerage: Brokerage, database: Database) -> None:
    await add_drip_campaign(brokerage, 60, campaign_start="Claim")
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    assert await due_steps(database) == []
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    assert await due_steps(database) == [(60, False)]


@pytest.mark.parametrize("ending", ["answered", "all sent", "running"])
async def test_a_lead_that_is_given_back_does_not_start_its_campaign_again(
    brokerage: Brokerage, database: Database, ending: str
) -> None:
    await add_drip_campaign(brokerage, 60, campaign_start="Claim")
    await database.execute("UPDATE campaigns SET stops_on = '{reply}'")
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    owner_id, users, engine = brokerage.owner_id, brokerage.town.users, brokerage.engine
    await engine.claim(owner_id, lead_id, users["bob"])
    contact = (owner_id, await database.fetchval("SELECT contact_id FROM leads"))
    if ending == "answered":
        await database.run(lambda transaction: stop_campaigns(transaction, "reply", [contact]))
    elif ending == "all sent":
        await database.execute("UPDATE contact_communications SET is_active = false, completed_at = now()")
    await engine.give_back(owner_id, lead_id, Initiator(user_id=users["bob"]))
    await database.move_clock(timedelta(hours=1))
    await engine.run_due()
    await engine.claim(owner_id, lead_id, users["carol"])

    assert await database.fetchval("SELECT count(*) FROM campaign_contacts") == 1
    assert await database.fetchval("SELECT count(*) FROM contact_communications") == 1


async def test_a_task_follows_the_assignee_of_the_contact(brokerage: Brokerage, database: Database) -> None:
    await add_drip_campaign(brokerage, 60)
    await database.execute("UPDATE campaign_actions SET type = 'Agent Task - Call Reminder', description = 'Ring'")
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    row = await database.fetchrow("SELECT assigned_user_id, description, status FROM tasks")
    assert row is not None
    assert tuple(row) == (brokerage.owner_id, "Ring", "incomplete")
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    assert await database.fetchval("SELECT assigned_user_id FROM tasks") == brokerage.town.users["bob"]


async def test_a_recurring_task_makes_its_successor_when_it_has_come(brokerage: Brokerage, database: Database) -> None:
    await add_drip_campaign(brokerage, 0)
    await database.execute(
        "UPDATE campaign_actions SET type = 'Agent Task - No Reminder', timing_type = 'Recurring',"
        " recurrence = 'FREQ=DAILY;COUNT=3'"
    )
    await brokerage.ask()
    for _ in range(5):
        await brokerage.engine.run_due()
        await database.move_clock(timedelta(days=1))
    moments = [row["due_at"] for row in await database.fetch("SELECT due_at FROM tasks ORDER BY due_at")]
    assert [later - earlier for earlier, later in pairwise(moments)] == [timedelta(days=1)] * 2


@pytest.mark.parametrize("moved_to", [None, "2020-01-01 12:00+00", "2080-01-01 12:00+00"])
async def test_a_recurring_task_comes_again_by_its_rule_wherever_it_was_moved(
    brokerage: Brokerage, database: Database, moved_to: str | None
) -> None:
    await add_drip_campaign(brokerage, 0)
    await database.execute(
        "UPDATE campaign_actions SET type = 'Agent Task - No Reminder', timing_type = 'Recurring',"
        " recurrence = 'FREQ=DAILY'"
    )
    await brokerage.ask()
    first = await database.fetchval("UPDATE tasks SET due_at = $1::text::timestamptz RETURNING recurs_at", moved_to)
    await database.move_clock(timedelta(hours=1))
    await brokerage.engine.run_due()
    successor = await database.fetchrow("SELECT due_at, recurs_at FROM tasks WHERE recurs_at IS NOT NULL")
    assert successor is not None
    assert tuple(successor) == (first + timedelta(days=1),) * 2


async def test_a_birthdays_step_makes_next_years(brokerage: Brokerage, database: Database) -> None:
    await database.begin_clock(NOON)
    await add_drip_campaign(brokerage, 0, 0)
    await database.execute("DELETE FROM campaign_actions WHERE id = (SELECT max(id) FROM campaign_actions)")
    await database.execute("UPDATE campaign_actions SET trigger_type = 2")
    contact_id = await brokerage.town.contact("alice", birthday="1980-05-17", time_zone="America/Denver")
    campaign_id = await database.fetchval("SELECT min(id) FROM campaigns")
    await brokerage.engine.start_campaign(brokerage.owner_id, campaign_id, contact_id, brokerage.owner_id)
    await database.move_clock(timedelta(days=366))
    await brokerage.engine.run_due()
    moments = [row[0] for row in await database.fetch("SELECT send_at FROM contact_communications ORDER BY send_at")]
    assert len(moments) == 2
    assert moments[1].replace(year=moments[0].year) == moments[0]


async def test_a_birthdays_step_that_is_years_late_is_skipped_and_comes_again_once(
    brokerage: Brokerage, database: Database
) -> None:
    await add_drip_campaign(brokerage, 60)
    await brokerage.ask()
    await database.execute("UPDATE campaign_actions SET trigger_type = 2")
    await database.execute("UPDATE contacts SET birthday = '1980-05-17'")
    await database.execute("UPDATE contact_communications SET send_at = now() - interval '5 years 1 day'")
    await brokerage.engine.run_due()
    late, coming = await database.fetch("SELECT * FROM contact_communications ORDER BY send_at")
    assert (late["is_active"], coming["is_active"], coming["taken_at"]) == (False, True, None)
    assert await database.fetchval("SELECT reason FROM messages WHERE communication_id = $1", late["id"]) == "too late"
    assert database.clock.now() < coming["send_at"] < database.clock.now() + timedelta(days=366)


async def test_a_campaign_started_by_hand_conflicts_while_it_runs_and_can_be_stopped(
    brokerage: Brokerage, database: Database
) -> None:
    await add_drip_campaign(brokerage, 60)
    engine, owner = brokerage.engine, brokerage.owner_id
    contact_id = await brokerage.town.contact("alice")
    campaign_id = await database.fetchval("SELECT min(id) FROM campaigns")
    started = await asyncio.gather(
        *(engine.start_campaign(owner, campaign_id, contact_id, owner) for _ in range(4)), return_exceptions=True
    )
    assert Counter(type(each).__name__ for each in started) == {"int": 1, "Conflict": 3}
    [run] = [each for each in started if isinstance(each, int)]
    await engine.stop_campaign(owner, run, owner)
    assert await database.fetchval("SELECT bool_or(is_active) FROM contact_communications") is False
    await database.move_clock(timedelta(minutes=2))
    await engine.run_due()
    rows = await database.fetch("SELECT state, reason FROM messages WHERE kind = 'campaign'")
    assert [tuple(row) for row in rows] == [("suppressed", "the campaign was stopped by Alice Town")]
    assert await engine.start_campaign(owner, campaign_id, contact_id, owner) != run


async def test_a_step_can_be_stopped_and_set_going_again_until_it_is_sent(
    brokerage: Brokerage, database: Database
) -> None:
    await add_drip_campaign(brokerage, 60)
    await brokerage.ask()
    engine, owner = brokerage.engine, brokerage.owner_id
    step = await database.fetchval("SELECT id FROM contact_communications")
    await engine.set_communication_active(owner, step, False, owner)
    await database.move_clock(timedelta(minutes=2))
    await engine.run_due()
    assert await due_steps(database) == [(60, False)]
    await engine.set_communication_active(owner, step, True, owner)
    await engine.run_due()
    assert await due_steps(database) == [(60, True)]
    await database.execute(
        "UPDATE contact_communications SET is_active = false, sent_from_user_id = $1, completed_at = now()", owner
    )
    with pytest.raises(Conflict):
        await engine.set_communication_active(owner, step, True, owner)


async def test_a_rule_set_that_a_rollback_has_taken_away_decides_nothing(
    brokerage: Brokerage, database: Database
) -> None:
    contact_id = await brokerage.town.contact("alice")
    impossible = NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=987654, source_id=1)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await brokerage.arrivals.post_lead(impossible)
    assert await database.fetchval("SELECT count(*) FROM rule_sets") == 0
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    assert (await Engine(database).explain(brokerage.owner_id, lead_id))["outcome"] == "offered to the team"

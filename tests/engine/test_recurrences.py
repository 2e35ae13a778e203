"""Rules of recurring tasks are worked out before a transaction begins, and no one waits for another owner's."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from leadroutes.domain.campaign import next_occurrence
from leadroutes.store.postgres import Database
from tests.support.brokerage import KEY, Brokerage
from tests.support.event_loop import LONGEST, monitored_loop

DAVES_KEY = "an intake key of Dave's"
HOURS = ",".join(map(str, range(24)))


def never(number: int) -> str:
    """One of many rules that do not come within ten years; each has to be worked out by itself."""
    return f"FREQ=DAILY;BYMONTH=2,4,6,9,11;BYMONTHDAY=31;BYHOUR={HOURS};BYMINUTE={number % 60};BYSECOND={number // 60}"


@pytest.fixture
async def dave(brokerage: Brokerage) -> int:
    """Dave owns a route, which starts a campaign."""
    town = brokerage.town
    campaign_id = await town.campaign("dave")
    await town.route("dave", campaign_id=campaign_id, distribution_target="Myself", team_id=None,
                     team_selection_method=None)  # fmt: skip
    digest = hashlib.sha256(DAVES_KEY.encode()).digest()
    await town.insert(
        "intake_keys", owner_id=town.users["dave"], key_hash=digest, lead_source_id=1, created_at=town.now
    )
    return campaign_id


async def task(brokerage: Brokerage, campaign_id: int, rule: str) -> None:
    await brokerage.town.action(
        "dave", campaign_id, type="Agent Task - No Reminder", timing_type="Recurring", recurrence=rule,
        delay_by_seconds=None,
    )  # fmt: skip


async def arrive(brokerage: Brokerage, key: str, number: int) -> Any:
    body = msgspec.json.encode({"email": f"mia{number}@example.com", "name": "Mia Lund"})
    return await brokerage.arrivals.ingest(key, body, {"Content-Type": "application/json"})


async def test_one_owners_rules_do_not_hold_the_arrivals_of_another(
    brokerage: Brokerage, dave: int, database: Database
) -> None:
    for number in range(150):
        await task(brokerage, dave, never(number))
    await task(brokerage, dave, "FREQ=DAILY")
    with monitored_loop() as monitor:
        daves = [asyncio.create_task(arrive(brokerage, DAVES_KEY, number)) for number in range(3)]
        alices = [asyncio.create_task(arrive(brokerage, KEY, number)) for number in range(3)]
        await asyncio.gather(*alices)
        assert not any(each.done() for each in daves), "they wait for what their owner wrote, and no one else does"
        await asyncio.gather(*daves)

    assert monitor.longest < LONGEST
    assert await database.fetchval("SELECT count(*) FROM tasks") == 3, "a rule that does not come makes no task"
    assert await database.fetchval("SELECT count(*) FROM leads") == 6


async def test_the_first_occurrence_is_counted_from_the_arrival(
    brokerage: Brokerage, dave: int, database: Database
) -> None:
    rules = ("FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,17", "FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20991231Z")
    await database.execute("UPDATE users SET timezone = 'America/Denver'")
    for rule in rules:
        await task(brokerage, dave, rule)
    await arrive(brokerage, DAVES_KEY, 1)
    start = await database.fetchval("SELECT created_at FROM campaign_contacts")

    found = {row["due_at"] for row in await database.fetch("SELECT due_at FROM tasks")}
    after = start - timedelta(seconds=1)
    assert found == {next_occurrence(rule, start, after, "America/Denver") for rule in rules} - {None}


async def test_successors_are_worked_out_apart_and_made_in_time(
    brokerage: Brokerage, dave: int, database: Database
) -> None:
    for number in range(60):
        await task(brokerage, dave, f"FREQ=DAILY;INTERVAL={1 + number % 7};BYMINUTE={number}")
    await arrive(brokerage, DAVES_KEY, 1)
    for _ in range(3):
        await database.move_clock(timedelta(days=1))
        now = database.clock.now()  # the clock goes on: a successor may come due while the others are made
        with monitored_loop() as monitor:
            await brokerage.engine.run_due()
        assert monitor.longest < LONGEST
        assert await database.fetchval("SELECT count(*) FROM tasks WHERE recurs_at <= $1", now) == 0
    start = await database.fetchval("SELECT created_at FROM campaign_contacts")
    rows = await database.fetch(
        "SELECT a.recurrence, max(t.due_at) AS last, u.timezone FROM tasks t JOIN users u ON u.id = t.owner_id"
        " JOIN campaign_actions a ON a.id = t.campaign_action_id GROUP BY 1, 3"
    )
    assert len(rows) == 60
    for row in rows:
        assert row["last"] == next_occurrence(row["recurrence"], start, database.clock.now(), row["timezone"])


async def test_a_claim_starts_the_campaign_and_others_do_not_wait(
    brokerage: Brokerage, dave: int, database: Database
) -> None:
    await database.execute("UPDATE lead_routes SET campaign_start = 'Claim'")
    for number in range(100):
        await task(brokerage, dave, never(number + 1_000))
    await task(brokerage, dave, "FREQ=DAILY")
    await database.execute("UPDATE lead_routes SET distribution_target = 'Team Rollout', team_id = NULL")
    town = brokerage.town
    [daves_lead] = (await arrive(brokerage, DAVES_KEY, 1)).stored.lead_ids
    [alices_lead] = (await arrive(brokerage, KEY, 1)).stored.lead_ids
    async with asyncio.TaskGroup() as group:
        claiming = group.create_task(brokerage.engine.claim(town.users["dave"], daves_lead, town.users["dave"]))
        await brokerage.engine.claim(town.users["alice"], alices_lead, town.users["alice"])
    assert claiming.done()

    assert await database.fetchval("SELECT count(*) FROM claims") == 2

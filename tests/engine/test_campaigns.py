"""Campaigns that start again, and steps that come again: nothing is missed, nothing is made twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.builders import NOON

BIRTHDAY_MAIL = {
    "trigger_type": 2, "timing_type": "Delay by Day and Time", "delay_by_days": 0, "dispatch_time": "09:00",
    "delay_by_seconds": None,
}  # fmt: skip
WEEKLY_TASK = {
    "type": "Agent Task - Call Reminder", "timing_type": "Recurring", "delay_by_seconds": None, "description": "Ring",
    "recurrence": "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0",
}  # fmt: skip
OPEN_TASK = {"type": "Agent Task - Call Reminder", "delay_by_seconds": 1800, "description": "Ring"}


async def add_actions(brokerage: Brokerage, *actions: dict[str, Any]) -> int:
    """A campaign of the route's: mails at once and on the second day, and these actions."""
    database = brokerage.town.database
    campaign_id: int = await database.fetchval("SELECT campaign_id FROM lead_routes")
    mails: list[dict[str, Any]] = [{}, {"delay_by_seconds": 2 * 86_400}]
    for each in [*mails, *actions]:
        await brokerage.town.insert(
            "campaign_actions",
            **{
                "owner_id": brokerage.owner_id, "campaign_id": campaign_id, "type": "Email Contact",
                "timing_type": "Delay by Minutes", "delay_by_seconds": 0, **each,
            },
        )  # fmt: skip
    return campaign_id


async def pass_days(brokerage: Brokerage, days: int) -> None:
    """Day by day everything is carried out, and what was to be sent has been."""
    database = brokerage.town.database
    for _ in range(days):
        await database.move_clock(timedelta(days=1))
        await brokerage.engine.run_due()
        await database.execute("UPDATE messages SET state = 'sent' WHERE kind = 'campaign' AND state = 'queued'")
        await database.execute("UPDATE contact_communications SET is_active = false WHERE taken_at IS NOT NULL")


async def mails(database: Database) -> list[tuple[int, bool]]:
    """How many mails each run has, and whether it goes on."""
    rows = await database.fetch(
        "SELECT count(c.id) FILTER (WHERE a.trigger_type = 1) AS mails, r.ended_at IS NULL AS goes_on"
        " FROM campaign_contacts r LEFT JOIN contact_communications c ON c.campaign_contact_id = r.id"
        " LEFT JOIN campaign_actions a ON a.id = c.action_id GROUP BY r.id, r.ended_at ORDER BY r.id"
    )
    return [(row["mails"], row["goes_on"]) for row in rows]


@pytest.mark.parametrize(
    "others",
    [
        [],
        [OPEN_TASK],
        [WEEKLY_TASK],
        [BIRTHDAY_MAIL],
        [{"type": "Agent Task - No Reminder", **BIRTHDAY_MAIL}],
        [OPEN_TASK, WEEKLY_TASK, BIRTHDAY_MAIL],
    ],
    ids=["mails only", "an open task", "a recurring task", "a birthday", "a task on birthdays", "all of them"],
)
async def test_who_comes_back_after_months_gets_the_series_again(
    brokerage: Brokerage, database: Database, others: list[dict[str, Any]]
) -> None:
    await add_actions(brokerage, *others)
    born = (database.clock.now() + timedelta(days=200)).date().replace(year=1984)
    contact_id = await brokerage.town.contact("alice", email="mia@example.com", birthday=born.isoformat())
    identity = "INSERT INTO contact_identities VALUES ($1, 'email', 'mia@example.com', $2)"
    await database.execute(identity, brokerage.owner_id, contact_id)
    await brokerage.ask(mls="1")
    await pass_days(brokerage, 10)
    open_before = {row["id"] for row in await database.fetch("SELECT id FROM tasks WHERE status = 'incomplete'")}
    [lead_id] = (await brokerage.ask(mls="2")).stored.lead_ids
    await brokerage.engine.run_due()

    assert await mails(database) == [(2, False), (2, True)]
    open_now = {row["id"] for row in await database.fetch("SELECT id FROM tasks WHERE status = 'incomplete'")}
    assert open_before <= open_now, "open tasks stay"
    coming = "SELECT campaign_action_id, count(*) AS times FROM tasks WHERE recurs_at IS NOT NULL GROUP BY 1"
    assert {row["times"] for row in await database.fetch(coming)} <= {1}, "what comes again is not made twice"
    birthdays = await database.fetch(
        "SELECT r.ended_at FROM contact_communications c JOIN campaign_contacts r ON r.id = c.campaign_contact_id"
        " JOIN campaign_actions a ON a.id = c.action_id WHERE a.trigger_type = 2 AND c.is_active"
    )
    assert [row["ended_at"] for row in birthdays] == [None] * (BIRTHDAY_MAIL in others)
    kinds = [each["kind"] for each in await brokerage.engine.history(brokerage.owner_id, lead_id)]
    assert "campaign not started" not in kinds


async def test_a_recurring_task_goes_on_in_the_new_run(brokerage: Brokerage, database: Database) -> None:
    await add_actions(brokerage, WEEKLY_TASK)
    await brokerage.ask(mls="1")
    await pass_days(brokerage, 10)
    await brokerage.ask(mls="2")
    before = await database.fetchval("SELECT count(*) FROM tasks")
    await pass_days(brokerage, 28)

    assert await database.fetchval("SELECT count(*) FROM tasks") == before + 4
    runs = await database.fetch("SELECT count(DISTINCT campaign_contact_id) AS runs FROM tasks WHERE recurs_at > now()")
    assert [row["runs"] for row in runs] == [1]


async def test_a_lead_whose_campaign_still_runs_says_that_it_was_not_started(
    brokerage: Brokerage, database: Database
) -> None:
    campaign_id = await add_actions(brokerage)
    await brokerage.ask(mls="1")
    await pass_days(brokerage, 1)
    [lead_id] = (await brokerage.ask(mls="2")).stored.lead_ids

    assert await mails(database) == [(2, True)]
    happened = await brokerage.engine.history(brokerage.owner_id, lead_id)
    [event] = [each for each in happened if each["kind"] == "campaign not started"]
    assert f'"campaign_id": {campaign_id}' in event["detail"]
    assert "still running" in event["detail"]
    outcome = (await brokerage.engine.explain(brokerage.owner_id, lead_id))["outcome"]
    assert outcome == (
        f"offered to the team; the campaign {campaign_id} was not started: it is still running for the contact"
    )


async def test_a_call_has_left_when_its_alert_is_made(brokerage: Brokerage, database: Database) -> None:
    await database.begin_clock(datetime(2027, 3, 10, 19, 30, tzinfo=UTC))  # at noon, when agents are asked to call
    await add_actions(brokerage)
    await database.execute("UPDATE campaign_actions SET type = 'Call Contact', delay_by_seconds = 0")
    await brokerage.ask(mls="1")
    await brokerage.ask(mls="2")
    assert len(await mails(database)) == 1, "the calls are still to be made"
    await brokerage.engine.run_due()
    await brokerage.ask(mls="3")
    assert [goes_on for _, goes_on in await mails(database)] == [False, True]


# ------------------------------------------------------------------------------------------------------ birthdays


async def congratulate(brokerage: Brokerage, birthday: str = "1984-02-29", **action: Any) -> int:
    """It is November 2026, and a campaign of one step on birthdays is started for a contact."""
    await brokerage.town.database.begin_clock(NOON)
    campaign_id = await add_actions(brokerage, {**BIRTHDAY_MAIL, **action})
    await brokerage.town.database.execute("DELETE FROM campaign_actions WHERE trigger_type = 1")
    contact_id = await brokerage.town.contact("alice", birthday=birthday)
    await brokerage.engine.start_campaign(brokerage.owner_id, campaign_id, contact_id, brokerage.owner_id)
    return contact_id


async def is_due_at(brokerage: Brokerage, year: int) -> datetime:
    """Go on to the step of that year, and do all that is due before."""
    database = brokerage.town.database
    while True:
        waiting = "SELECT send_at FROM contact_communications WHERE is_active AND taken_at IS NULL"
        [row] = await database.fetch(waiting)
        if row["send_at"].year >= year:
            due_at: datetime = row["send_at"]
            return due_at
        await database.move_clock(row["send_at"] - database.clock.now())
        await brokerage.engine.run_due()


async def test_a_birthdays_step_comes_again_by_the_rule_by_which_it_came(
    brokerage: Brokerage, database: Database
) -> None:
    await database.execute("UPDATE users SET timezone = 'America/Denver'")
    await congratulate(brokerage)
    assert await is_due_at(brokerage, 2031) == datetime(2031, 2, 28, 16, tzinfo=UTC)
    assert await is_due_at(brokerage, 2032) == datetime(2032, 2, 29, 16, tzinfo=UTC)
    assert await is_due_at(brokerage, 2033) == datetime(2033, 2, 28, 16, tzinfo=UTC)


async def test_a_birthdays_step_keeps_to_the_senders_clock_where_the_contacts_zone_is_unknown(
    brokerage: Brokerage, database: Database
) -> None:
    await database.execute("UPDATE users SET timezone = 'America/Denver'")
    await congratulate(brokerage, "1990-03-10")
    assert await is_due_at(brokerage, 2030) == datetime(2030, 3, 10, 15, tzinfo=UTC), "summer time begins that night"
    assert await is_due_at(brokerage, 2031) == datetime(2031, 3, 10, 15, tzinfo=UTC), "it began the day before"
    assert await is_due_at(brokerage, 2032) == datetime(2032, 3, 10, 16, tzinfo=UTC), "it begins four days later"


async def test_what_is_corrected_of_a_contact_counts_for_the_next_birthday(
    brokerage: Brokerage, database: Database
) -> None:
    contact_id = await congratulate(brokerage)
    await is_due_at(brokerage, 2030)
    await database.execute(
        "UPDATE contacts SET birthday = '1984-06-01', time_zone = 'Pacific/Honolulu' WHERE id = $1", contact_id
    )
    assert await is_due_at(brokerage, 2031) == datetime(2031, 6, 1, 19, tzinfo=UTC)


async def test_a_birthdays_step_that_is_stopped_and_set_going_again_comes_once_a_year(
    brokerage: Brokerage, database: Database
) -> None:
    await congratulate(brokerage)
    due_at = await is_due_at(brokerage, 2030)
    step = await database.fetchval("SELECT id FROM contact_communications WHERE is_active AND taken_at IS NULL")
    await database.move_clock(due_at - database.clock.now())
    await brokerage.engine.run_due()
    for is_active in (False, True):
        await brokerage.engine.set_communication_active(brokerage.owner_id, step, is_active, brokerage.owner_id)
    await brokerage.engine.run_due()

    assert (await is_due_at(brokerage, 2031)).year == 2031


async def test_a_birthday_that_passes_while_the_campaign_is_stopped_comes_again_the_next_year(
    brokerage: Brokerage, database: Database
) -> None:
    await congratulate(brokerage)
    due_at = await is_due_at(brokerage, 2030)
    run_id = await database.fetchval("SELECT id FROM campaign_contacts")
    await brokerage.engine.stop_campaign(brokerage.owner_id, run_id, brokerage.owner_id)
    await database.move_clock(due_at - database.clock.now() + timedelta(days=30))
    await brokerage.engine.resume_campaign(brokerage.owner_id, run_id)
    await brokerage.engine.run_due()

    waiting = "SELECT send_at FROM contact_communications WHERE is_active AND send_at > $1"
    years = [row["send_at"].year for row in await database.fetch(waiting, due_at)]
    assert years == [2031], "once, and not the one that has passed"


async def test_a_task_on_birthdays_comes_again(brokerage: Brokerage, database: Database) -> None:
    await congratulate(brokerage, type="Agent Task - Call Reminder")
    await database.move_clock(timedelta(days=366))
    await brokerage.engine.run_due()
    moments = [row["due_at"] for row in await database.fetch("SELECT due_at FROM tasks ORDER BY due_at")]
    assert len(moments) == 2
    assert 364 < (moments[1] - moments[0]).days < 368

"""More falls due at once than fits into a batch: all of it is done once, and messages go on meanwhile."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bench.ground import Ground, Plot
from leadroutes.engine.engine import Engine
from leadroutes.engine.timers import BATCH_SIZE
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.worker.worker import Worker

LEADS = 2 * BATCH_SIZE + 100
OWNERS, MEMBERS = 5, 3


@pytest.fixture
async def crowded(database: Database, database_url: str) -> Database:
    """Leads by the hundred whose second offer is due, on the clock of now."""
    plot = Plot(Ground(database_url, Path()), database_url, "due")
    await plot.put_in("found", users=OWNERS, owners=OWNERS, members=MEMBERS, routes=1, first_routes=1)
    await plot.put_in(
        "waiting_leads", users=OWNERS, owners=OWNERS, members=MEMBERS, leads=LEADS, notified=1,
        due="2026-01-05", apart=0,
    )  # fmt: skip
    await plot.keep_rule_sets(OWNERS)
    return database


async def states(database: Database) -> dict[str, int]:
    rows = await database.fetch("SELECT state, count(*) AS times FROM offers GROUP BY state")
    return {row["state"]: row["times"] for row in rows}


async def test_what_fills_several_batches_is_told_once(crowded: Database) -> None:
    before = await crowded.fetchval("SELECT count(*) FROM offers WHERE state = 'scheduled' AND notify_at < now()")
    assert before == LEADS
    await asyncio.gather(*(Engine(crowded).run_due() for _ in range(2)))
    assert await states(crowded) == {"notified": 2 * LEADS, "scheduled": LEADS}
    notified = await crowded.fetch("SELECT lead_id, count(*) AS times FROM messages GROUP BY lead_id")
    assert {row["times"] for row in notified} == {1}
    assert len(notified) == LEADS


async def test_whoever_is_told_to_stop_leaves_the_rest_to_others(crowded: Database) -> None:
    await Engine(crowded).run_due(lambda: True)
    assert (await states(crowded))["notified"] == LEADS + BATCH_SIZE
    await Engine(crowded).run_due()
    assert (await states(crowded))["notified"] == 2 * LEADS


async def refuse(database: Database, condition: str, *, to: str = "INSERT ON messages") -> None:
    """Such rows cannot be written."""
    await database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;"
        f"CREATE TRIGGER refuse BEFORE {to} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse()"
    )


async def put_in_steps(database: Database, database_url: str, steps: int) -> None:
    """Campaign steps whose moment has come."""
    plot = Plot(Ground(database_url, Path()), database_url, "due")
    await plot.put_in(
        "waiting_steps", owners=OWNERS, steps=steps, due=f"{database.clock.now() - timedelta(hours=1)}", apart=0.001
    )
    assert await late_steps(database) == list(range(1, steps + 1))


async def late_steps(database: Database) -> list[int]:
    rows = await database.fetch("SELECT id FROM contact_communications WHERE taken_at IS NULL ORDER BY id")
    return [row["id"] for row in rows]


@pytest.mark.parametrize("place", ["min", "max"])
async def test_a_lead_that_breaks_its_timer_keeps_nobody_waiting(crowded: Database, place: str) -> None:
    lead_id = await crowded.fetchval(f"SELECT {place}(id) FROM leads")
    await refuse(crowded, f"NEW.lead_id = {lead_id}")
    engine = Engine(crowded)

    moment = await engine.run_due()

    assert await states(crowded) == {"notified": 2 * LEADS - 1, "scheduled": LEADS + 1}
    assert not engine.is_behind
    assert moment is not None
    assert moment > crowded.clock.now(), "it is not looked at again and again"
    await crowded.execute("DROP TRIGGER refuse ON messages")
    await engine.run_due()
    assert (await states(crowded))["notified"] == 2 * LEADS - 1, "it is set aside"
    await Engine(crowded).run_due()
    assert await states(crowded) == {"notified": 2 * LEADS, "scheduled": LEADS}


async def test_a_lead_that_breaks_as_it_lapses_keeps_nobody_waiting(crowded: Database) -> None:
    await crowded.execute(
        "UPDATE offers SET state = 'expired', notified_at = notify_at, closed_at = now() WHERE place > 0"
    )
    await crowded.execute("UPDATE leads SET lapses_at = now() - interval '1 minute'")
    await refuse(crowded, "NEW.kind = 'unclaimed' AND NEW.lead_id = 7")

    await Engine(crowded).run_due()

    late = await crowded.fetch("SELECT id FROM leads WHERE unclaimed_at IS NULL")
    assert [row["id"] for row in late] == [7]


@pytest.mark.parametrize("broken", [1, BATCH_SIZE + 7, LEADS])
async def test_a_step_that_breaks_keeps_nobody_waiting(crowded: Database, database_url: str, broken: int) -> None:
    await put_in_steps(crowded, database_url, LEADS)
    await refuse(crowded, f"NEW.communication_id = {broken}")
    engine = Engine(crowded)

    with capture_logs() as logged:
        moment = await engine.run_due()

    assert await late_steps(crowded) == [broken]
    assert await crowded.fetchval("SELECT count(*) FROM messages WHERE kind = 'campaign'") == LEADS - 1
    about = {(line["timer"], line["owner"], line["communication"]) for line in logged if line["log_level"] == "error"}
    assert about == {("step", await owner_of(crowded, broken), broken)}
    assert not engine.is_behind
    assert moment is not None
    assert moment > crowded.clock.now(), "it is not looked at again and again"
    await crowded.execute("DROP TRIGGER refuse ON messages")
    await engine.run_due()
    assert await late_steps(crowded) == [broken], "it is set aside"
    await Engine(crowded).run_due()
    assert await late_steps(crowded) == []
    doubles = "SELECT communication_id FROM messages WHERE kind = 'campaign' GROUP BY 1 HAVING count(*) > 1"
    assert await crowded.fetch(doubles) == []


async def owner_of(database: Database, step_id: int) -> int:
    owner_id: int = await database.fetchval("SELECT owner_id FROM contact_communications WHERE id = $1", step_id)
    return owner_id


async def test_two_workers_that_meet_a_step_that_breaks_share_the_others(crowded: Database, database_url: str) -> None:
    await put_in_steps(crowded, database_url, BATCH_SIZE)
    await refuse(crowded, "NEW.communication_id = 7")

    await asyncio.gather(*(Engine(crowded).run_due() for _ in range(2)))

    assert await late_steps(crowded) == [7]
    assert await crowded.fetchval("SELECT count(*) FROM messages WHERE kind = 'campaign'") == BATCH_SIZE - 1


async def test_a_recurring_task_that_breaks_keeps_nobody_waiting(crowded: Database) -> None:
    await crowded.execute(
        "INSERT INTO tasks (owner_id, action_type, description, status, recurs_at, created_at, modified_at)"
        " SELECT 1, 'Call', 'Call', 'incomplete', now() - g * interval '1 second', now(), now()"
        " FROM generate_series(1, 10) g"
    )
    await refuse(crowded, "NEW.id = 7", to="UPDATE ON tasks")
    engine = Engine(crowded)

    with capture_logs() as logged:
        moment = await engine.run_due()

    late = "SELECT id FROM tasks WHERE recurs_at IS NOT NULL"
    assert [row["id"] for row in await crowded.fetch(late)] == [7]
    [line] = [line for line in logged if line["log_level"] == "error"]
    assert (line["timer"], line["owner"], line["task"]) == ("task", 1, 7)
    assert moment is not None
    assert moment > crowded.clock.now(), "it is not looked at again and again"
    await crowded.execute("DROP TRIGGER refuse ON tasks")
    await Engine(crowded).run_due()
    assert await crowded.fetch(late) == []


async def test_what_has_the_number_of_what_broke_is_not_set_aside_with_it(crowded: Database, database_url: str) -> None:
    await put_in_steps(crowded, database_url, 10)
    await refuse(crowded, "NEW.lead_id = 7")

    await Engine(crowded).run_due()

    assert (await states(crowded))["scheduled"] == LEADS + 1
    assert await late_steps(crowded) == []


async def test_a_worker_delivers_while_it_is_behind(crowded: Database) -> None:
    worker = Worker(crowded, Engine(crowded), Settings())
    running = asyncio.create_task(worker.run())
    open_messages = "SELECT EXISTS (SELECT FROM messages WHERE state IN ('queued', 'sending'))"
    due = "SELECT EXISTS (SELECT FROM offers WHERE state = 'scheduled' AND notify_at < now())"
    async with asyncio.timeout(60):
        while await crowded.fetchval(due) or await crowded.fetchval(open_messages):  # noqa: ASYNC110
            await asyncio.sleep(0)
    worker.stop()
    await running
    rows = await crowded.fetch("SELECT state, count(*) AS times FROM messages GROUP BY state")
    assert {row["state"]: row["times"] for row in rows} == {"suppressed": LEADS}

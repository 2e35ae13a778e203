"""The worker wakes for what is due and for nothing else, and outlives its database."""

import asyncio
from datetime import timedelta

from leadroutes.errors import Unavailable
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.worker.worker import Worker
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox, to


async def test_an_alert_goes_out_by_itself_and_the_next_one_at_its_moment(
    brokerage: Brokerage, worker: Worker, mailbox: Mailbox, database: Database
) -> None:
    await brokerage.ask()
    await mailbox.wait_for(1, to("bob"))
    assert [mail for mail in mailbox.mails if to("carol")(mail)] == []
    await database.move_clock(timedelta(minutes=5))
    await mailbox.wait_for(1, to("carol"))


async def test_several_workers_share_the_work_and_no_one_is_notified_twice(
    brokerage: Brokerage, worker: Worker, mailbox: Mailbox, database: Database, settings: Settings
) -> None:
    other = Worker(database, brokerage.engine, settings)
    task = asyncio.create_task(other.run())
    await asyncio.gather(*(brokerage.ask(email=f"p{n}@example.com") for n in range(20)))
    await database.move_clock(timedelta(minutes=5))
    await mailbox.wait_for(20, to("carol"))
    await mailbox.wait_for(20, to("bob"))
    other.stop()
    await asyncio.wait_for(task, 10)
    assert len(mailbox.mails) == 40


async def test_the_worker_goes_on_when_its_connections_were_cut(
    brokerage: Brokerage, worker: Worker, mailbox: Mailbox, database: Database
) -> None:
    await brokerage.ask(email="one@example.com")
    await mailbox.wait_for(1, to("bob"))
    name = await database.fetchval("SELECT current_database()")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", name
    )
    while not await is_taken(brokerage, "two@example.com"):
        pass  # the connections of this process were cut as well; a sender tries again
    await mailbox.wait_for(2, to("bob"))


async def is_taken(brokerage: Brokerage, email: str) -> bool:
    try:
        await brokerage.ask(email=email)
    except Unavailable:
        return False
    return True


async def test_a_worker_shows_that_it_lives(worker: Worker, database: Database) -> None:
    recent = "SELECT count(*) FROM worker_heartbeats WHERE beat_at > now() - interval '20 s'"
    async with asyncio.timeout(10):
        while not await database.fetchval(recent):
            pass  # the question itself takes its time

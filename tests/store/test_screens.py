"""Open screens hear that something has changed for them: from every process, and only what is theirs."""

import asyncio
from contextlib import aclosing

import pytest

from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.screens import MAX_PAYLOAD, account_topic, user_topic


@pytest.fixture
async def two_processes(database: Database, database_url: str):
    """Two services on one database, both listening."""
    other = await Database.open(Settings(), url=database_url)
    database.start_listening()
    other.start_listening()
    while database.listener.notify_is_lost is None or other.listener.notify_is_lost is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield database, other
    await other.close()


async def heard(database: Database, topic: str, longest: float = 5.0) -> frozenset[str]:
    watch = database.screens.watch([topic])
    try:
        async with aclosing(watch.changes(longest)) as changes:
            return await anext(changes)
    finally:
        watch.close()


async def test_a_change_is_heard_in_every_process(two_processes) -> None:
    here, there = two_processes
    hearing = [asyncio.create_task(heard(each, account_topic(7))) for each in (here, there)]
    await asyncio.sleep(0)
    here.screens.announce([account_topic(7), user_topic(3)])

    assert await asyncio.gather(*hearing) == [frozenset({account_topic(7)})] * 2


async def test_a_change_of_another_is_not_heard(two_processes) -> None:
    here, there = two_processes
    hearing = asyncio.create_task(heard(there, user_topic(4), longest=1.0))
    mine = asyncio.create_task(heard(there, user_topic(3)))
    await asyncio.sleep(0)
    here.screens.announce([user_topic(3)])

    assert await mine == {user_topic(3)}
    assert await hearing == frozenset()


async def test_many_changes_at_once_are_heard_by_all(two_processes) -> None:
    """More topics than one notice can name."""
    here, there = two_processes
    hearing = asyncio.create_task(heard(there, user_topic(3)))
    await asyncio.sleep(0)
    here.screens.announce([user_topic(number) for number in range(MAX_PAYLOAD // 4)])

    assert user_topic(3) in await hearing


async def test_a_transaction_that_fails_tells_no_one(two_processes) -> None:
    here, there = two_processes
    hearing = asyncio.create_task(heard(there, user_topic(3), longest=1.0))

    async def fail(transaction) -> None:
        transaction.changed.add(user_topic(3))
        raise LookupError

    with pytest.raises(LookupError):
        await here.run(fail)
    assert await hearing == frozenset()


async def test_closing_ends_every_watch_and_those_that_come_later(two_processes) -> None:
    here, _ = two_processes
    watch = here.screens.watch([user_topic(3)])
    here.screens.close()
    late = here.screens.watch([user_topic(3)])

    assert [each async for each in watch.changes(60)] == []
    assert [each async for each in late.changes(60)] == []

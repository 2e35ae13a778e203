"""Turns to send: so many in a second whichever process asks, alerts first, and so many in a day."""

import asyncio
import itertools
from itertools import pairwise

import pytest

from leadroutes.store.pace import NEXT_DAY, QUEUE, Pace, TurnLater
from leadroutes.store.postgres import Database

NAME = "text +13035550100"
FAST = 20.0  # turns in a second, so that a test waits for little


async def turns(pace: Pace, count: int, *, is_alert: bool, name: str = NAME) -> list[float]:
    """When each of these, who ask at once, had their turn."""
    loop = asyncio.get_running_loop()

    async def one() -> float:
        await pace.wait_for_turn(name, is_alert=is_alert)
        return loop.time()

    return sorted(await asyncio.gather(*(one() for _ in range(count))))


async def test_turns_are_apart_over_several_processes(database: Database) -> None:
    paces = [Pace(database, FAST) for _ in range(3)]
    each = await asyncio.gather(*(turns(pace, 4, is_alert=True) for pace in paces))
    found = sorted(itertools.chain.from_iterable(each))
    assert 10 / FAST < found[-1] - found[0] < 11 / FAST + 1, "the first one may have been late"


async def test_campaigns_wait_here_for_a_while(database: Database) -> None:
    found = await turns(Pace(database, FAST), 5, is_alert=False)
    assert found[-1] - found[0] > 3 / FAST


async def test_an_alert_goes_before_campaigns_that_wait(database: Database) -> None:
    pace = Pace(database, 5)
    order: list[str] = []

    async def one(who: str, *, is_alert: bool) -> None:
        await pace.wait_for_turn(NAME, is_alert=is_alert)
        order.append(who)

    await one("first", is_alert=False)
    waiting = [asyncio.create_task(one("campaign", is_alert=False)) for _ in range(3)]
    await asyncio.sleep(0)
    await one("alert", is_alert=True)
    await asyncio.gather(*waiting)
    assert order[:2] == ["first", "alert"]
    assert len(order) == 5


async def test_senders_do_not_wait_for_each_other(database: Database) -> None:
    pace = Pace(database, 0.01)
    for name in (NAME, "text +13035550101", "call +13035550100"):
        await asyncio.wait_for(pace.wait_for_turn(name, is_alert=False), 2)


async def test_who_cannot_wait_here_comes_back_later_in_order(database: Database) -> None:
    pace = Pace(database, 0.01)  # one in 100 seconds
    await pace.wait_for_turn(NAME, is_alert=True)
    delays = []
    for _ in range(3):
        with pytest.raises(TurnLater, match=QUEUE) as later:
            await pace.wait_for_turn(NAME, is_alert=True)
        delays.append(later.value.delay.total_seconds())
    assert all(95 < after - before < 105 for before, after in pairwise(delays))


async def test_beyond_the_most_of_a_day_only_alerts_go(database: Database) -> None:
    pace = Pace(database, 1000, 3)
    await turns(pace, 2, is_alert=False)
    await turns(pace, 1, is_alert=False, name="text +13035550101")
    for name in (NAME, "text +13035550101", "text +13035550102"):
        with pytest.raises(TurnLater, match=NEXT_DAY) as later:
            await pace.wait_for_turn(name, is_alert=False)
        assert 0 < later.value.delay.total_seconds() < 90_100
    await turns(pace, 2, is_alert=True)
    assert await database.fetchval("SELECT sent FROM sending_pace WHERE name = $1", NAME) == 4


async def test_a_new_day_has_its_own_count(database: Database) -> None:
    pace = Pace(database, 1000, 1)
    await turns(pace, 1, is_alert=False)
    await database.execute("UPDATE sending_pace SET day = day - 1")
    await turns(pace, 1, is_alert=False)


async def test_many_at_once_do_not_exceed_the_most_of_a_day(database: Database) -> None:
    paces = [Pace(database, 1000, 5) for _ in range(4)]
    outcomes = await asyncio.gather(
        *(pace.wait_for_turn(NAME, is_alert=False) for pace in paces for _ in range(4)), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 5

"""Reply numbers: 1 to 99 and round, never one within a day, never the same twice, however many are taken at once."""

import asyncio
from datetime import timedelta

import pytest

from leadroutes.store.postgres import Database
from leadroutes.store.received_texts import load_offered_phone, take_reply_number
from tests.support.brokerage import Brokerage

PHONE = "+13035550142"


@pytest.fixture
async def offers(brokerage: Brokerage, database: Database) -> list[int]:
    """Two offers: of one lead to Bob, of another one to Bob."""
    for name in ("mia", "tom"):
        await brokerage.ask(email=f"{name}@example.com")
    rows = await database.fetch("SELECT id FROM offers WHERE user_id = $1 ORDER BY id", brokerage.town.users["bob"])
    return [row["id"] for row in rows]


async def test_numbers_count_up_for_each_phone(brokerage: Brokerage, database: Database, offers: list[int]) -> None:
    owner_id, offer_id = brokerage.owner_id, offers[0]
    taken = [await take_reply_number(database, PHONE, owner_id, offer_id, message) for message in range(1, 4)]
    assert taken == [1, 2, 3]
    assert await take_reply_number(database, "+13035550143", owner_id, offer_id, 4) == 1


async def test_the_same_message_has_the_same_number_however_often_it_is_tried(
    brokerage: Brokerage, database: Database, offers: list[int]
) -> None:
    owner_id, offer_id = brokerage.owner_id, offers[0]
    assert [await take_reply_number(database, PHONE, owner_id, offer_id, 7) for _ in range(3)] == [1, 1, 1]
    assert await take_reply_number(database, PHONE, owner_id, offer_id, 8) == 2
    assert await take_reply_number(database, "+13035550143", owner_id, offer_id, 7) == 1, "to another phone"


async def test_of_many_at_once_no_two_get_the_same_and_none_is_left_over(
    brokerage: Brokerage, database: Database, offers: list[int]
) -> None:
    owner_id, offer_id = brokerage.owner_id, offers[0]
    taken = await asyncio.gather(
        *(take_reply_number(database, PHONE, owner_id, offer_id, message) for message in range(1, 151))
    )
    assert sorted(number for number in taken if number is not None) == list(range(1, 100))
    assert taken.count(None) == 51


async def test_a_number_comes_round_after_a_day_and_then_means_the_later_offer(
    brokerage: Brokerage, database: Database, offers: list[int]
) -> None:
    owner_id, (first, second) = brokerage.owner_id, offers
    for message in range(1, 100):
        assert await take_reply_number(database, PHONE, owner_id, first, message) == message
    await database.move_clock(timedelta(hours=23, minutes=59))
    assert await take_reply_number(database, PHONE, owner_id, second, 200) is None
    before = await load_offered_phone(database, PHONE, database.clock.now())
    assert before is not None
    assert before.has_unnumbered
    assert before.by_number[1].offer_id == first

    await database.move_clock(timedelta(minutes=2))
    assert await take_reply_number(database, PHONE, owner_id, second, 201) == 1
    after = await load_offered_phone(database, PHONE, database.clock.now())
    assert after is not None
    assert (after.by_number[1].offer_id, after.by_number[2].offer_id) == (second, first)
    assert after.last == after.by_number[1]


async def test_a_number_that_was_sent_again_is_skipped_until_its_day_is_over(
    brokerage: Brokerage, database: Database, offers: list[int]
) -> None:
    owner_id, offer_id = brokerage.owner_id, offers[0]
    for message in range(1, 100):
        await take_reply_number(database, PHONE, owner_id, offer_id, message)
    await database.move_clock(timedelta(hours=20))
    assert await take_reply_number(database, PHONE, owner_id, offer_id, 1) == 1, "another attempt"
    await database.move_clock(timedelta(hours=5))
    assert await take_reply_number(database, PHONE, owner_id, offer_id, 300) == 2


async def test_a_phone_is_read_as_an_agents_for_a_day(
    brokerage: Brokerage, database: Database, offers: list[int]
) -> None:
    assert await load_offered_phone(database, PHONE, database.clock.now()) is None
    await take_reply_number(database, PHONE, brokerage.owner_id, offers[0], 1)
    found = await load_offered_phone(database, PHONE, database.clock.now())
    assert found is not None
    assert (found.is_recent, [offer.number for offer in found.open_offers]) == (True, [1])
    later = await load_offered_phone(database, PHONE, database.clock.now() + timedelta(hours=24))
    assert later is not None
    assert not later.is_recent

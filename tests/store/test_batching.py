"""Look-ups of the same moment share a statement, and each hears its own answer."""

import asyncio

import pytest

from leadroutes.errors import Unavailable
from leadroutes.store.batching import BatchLoader, GroupCommit, KeyedGroupCommit


async def test_a_crowd_is_answered_with_two_statements_at_the_most() -> None:
    asked: list[list[int]] = []

    async def load(keys: list[int]) -> dict[int, str]:
        asked.append(keys)
        await asyncio.sleep(0)
        return {key: str(key) for key in keys if key % 2}

    together = BatchLoader(load)
    answers = await asyncio.gather(*(together.find(key) for key in [*range(50), *range(50)]))
    assert answers == [str(key) if key % 2 else None for key in range(50)] * 2
    assert len(asked) <= 2
    assert await together.find(7) == "7"


async def test_everybody_who_waited_hears_of_a_fault_and_the_next_one_is_asked_again() -> None:
    faults = [OSError("away")]

    async def load(keys: list[int]) -> dict[int, str]:
        if faults:
            raise faults.pop()
        return dict.fromkeys(keys, "here")

    together = BatchLoader(load)
    answers = await asyncio.gather(together.find(1), together.find(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    assert await together.find(1) == "here"


async def test_who_goes_away_takes_nobody_along() -> None:
    gate = asyncio.Event()

    async def load(keys: list[int]) -> dict[int, str]:
        await gate.wait()
        return dict.fromkeys(keys, "here")

    together = BatchLoader(load)
    impatient, patient = asyncio.create_task(together.find(1)), asyncio.create_task(together.find(1))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await patient == "here"
    with pytest.raises(asyncio.CancelledError):
        await impatient


class Doing:
    """Work in lanes that is under way until it is let go."""

    def __init__(self, concurrency: int) -> None:
        self.batches: list[list[int]] = []
        self._gates: list[asyncio.Event] = []
        self.concurrency: GroupCommit[int] = GroupCommit(self._do, max_batch=4, concurrency=concurrency)

    async def _do(self, batch: list[int]) -> None:
        self.batches.append(batch)
        gate = asyncio.Event()
        self._gates.append(gate)
        await gate.wait()

    async def add(self, *items: int) -> None:
        for item in items:
            self.concurrency.add(item)
        await self.rest()

    async def finish(self, number: int) -> None:
        self._gates[number].set()
        await self.rest()

    async def end(self) -> None:
        """Let all of it go."""
        closing = asyncio.create_task(self.concurrency.close())
        while not closing.done():
            for gate in self._gates:
                gate.set()
            await asyncio.sleep(0)

    async def rest(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_what_comes_in_the_same_moment_goes_together_up_to_the_most() -> None:
    doing = Doing(concurrency=1)
    await doing.add(1, 2, 3, 4, 5)
    assert doing.batches == [[1, 2, 3, 4]]
    await doing.finish(0)
    assert doing.batches == [[1, 2, 3, 4], [5]]
    await doing.end()


async def test_a_second_batch_begins_once_it_is_as_large_as_the_first() -> None:
    doing = Doing(concurrency=2)
    await doing.add(1, 2)
    await doing.add(3)
    assert doing.batches == [[1, 2]]
    await doing.add(4)
    assert doing.batches == [[1, 2], [3, 4]]
    await doing.add(5, 6, 7, 8, 9)
    assert len(doing.batches) == 2, "no third lane"
    await doing.finish(1)
    assert doing.batches[2:] == [[5, 6, 7, 8]]
    await doing.end()


async def test_a_small_rest_goes_once_nothing_is_under_way() -> None:
    doing = Doing(concurrency=2)
    await doing.add(1, 2)
    await doing.add(3)
    await doing.finish(0)
    assert doing.batches == [[1, 2], [3]]
    await doing.end()


async def test_closing_waits_for_all_that_has_been_added() -> None:
    doing = Doing(concurrency=1)
    doing.concurrency.add(1)
    closing = asyncio.create_task(doing.concurrency.close())
    await doing.rest()
    assert doing.batches == [[1]]
    assert not closing.done()
    await doing.add(2)
    await doing.finish(0)
    await doing.finish(1)
    await asyncio.wait_for(closing, 5)


def whole(item: int) -> int:
    return item


async def test_work_of_the_same_moment_is_done_in_batches_and_answered_in_order() -> None:
    done: list[list[int]] = []

    async def do(items: list[int]) -> list[str]:
        done.append(items)
        await asyncio.sleep(0)
        return [str(item) for item in items]

    batches = KeyedGroupCommit(do, key=whole, max_batch=20)
    answers = await asyncio.gather(*(batches.add(item) for item in range(50)))
    assert answers == [str(item) for item in range(50)]
    assert done == [[*range(20)], [*range(20, 40)], [*range(40, 50)]]


async def test_one_that_breaks_a_batch_is_heard_of_by_whoever_brought_it() -> None:
    async def do(items: list[int]) -> list[int]:
        if 3 in items:
            raise ValueError
        return items

    batches = KeyedGroupCommit(do, key=whole, max_batch=10)
    answers = await asyncio.gather(*(batches.add(item) for item in range(5)), return_exceptions=True)
    assert answers[:3] + answers[4:] == [0, 1, 2, 4]
    assert isinstance(answers[3], ValueError)


async def test_what_has_the_same_key_is_done_one_after_the_other() -> None:
    done: list[list[int]] = []

    async def do(items: list[int]) -> list[int]:
        done.append(items)
        return items

    batches = KeyedGroupCommit(do, key=lambda item: item % 3, max_batch=10)
    answers = await asyncio.gather(*(batches.add(item) for item in range(6)))
    assert answers == [*range(6)]
    assert done == [[0, 1, 2], [3, 4, 5]]


async def test_a_database_that_is_away_is_not_asked_again_for_each_of_a_batch() -> None:
    asked: list[list[int]] = []

    async def do(items: list[int]) -> list[int]:
        asked.append(items)
        raise Unavailable

    batches = KeyedGroupCommit(do, key=whole, max_batch=10)
    answers = await asyncio.gather(*(batches.add(item) for item in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 5
    assert asked == [[*range(5)]]

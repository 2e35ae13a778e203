"""Look-ups of the same moment share a statement, and each hears its own answer."""

import asyncio

import pytest

from leadroutes.store.together import Together


async def test_a_crowd_is_answered_with_two_statements_at_the_most() -> None:
    asked: list[list[int]] = []

    async def load(keys: list[int]) -> dict[int, str]:
        asked.append(keys)
        await asyncio.sleep(0)
        return {key: str(key) for key in keys if key % 2}

    together = Together(load)
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

    together = Together(load)
    answers = await asyncio.gather(together.find(1), together.find(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    assert await together.find(1) == "here"


async def test_who_goes_away_takes_nobody_along() -> None:
    gate = asyncio.Event()

    async def load(keys: list[int]) -> dict[int, str]:
        await gate.wait()
        return dict.fromkeys(keys, "here")

    together = Together(load)
    impatient, patient = asyncio.create_task(together.find(1)), asyncio.create_task(together.find(1))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await patient == "here"
    with pytest.raises(asyncio.CancelledError):
        await impatient

"""What arrives at the same moment shares a batch, and each caller gets the result of its own item."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest

from leadroutes.errors import ComputationNeeded, Unavailable
from leadroutes.store.batching import BatchLoader, GroupCommit, GroupCommits


async def turns(number: int = 5) -> None:
    """Let the event loop turn, so that everything that can be done is done."""
    for _ in range(number):
        await asyncio.sleep(0)


class Batches:
    """Batches that are under way until they are finished here."""

    def __init__(self, *, concurrency: int = 1, eager: bool = False) -> None:
        self.begun: list[list[int]] = []
        self._gates: list[asyncio.Event] = []
        self.group: GroupCommit[int, int] = GroupCommit(self._do, max_batch=4, concurrency=concurrency, eager=eager)

    async def _do(self, batch: list[int]) -> list[int]:
        self.begun.append(batch)
        gate = asyncio.Event()
        self._gates.append(gate)
        await gate.wait()
        return batch

    async def add(self, *items: int) -> None:
        for item in items:
            self.group.add(item)
        await turns()

    async def finish(self, number: int) -> None:
        self._gates[number].set()
        await turns()

    async def finish_all(self) -> None:
        draining = asyncio.create_task(self.group.drain())
        while not draining.done():
            for gate in self._gates:
                gate.set()
            await asyncio.sleep(0)


async def echo(batch: list[int]) -> list[int]:
    await asyncio.sleep(0)
    return batch


# ------------------------------------------------------------------------------------------------ what shares a batch


async def test_items_of_the_same_moment_go_together_up_to_the_maximum() -> None:
    batches = Batches()
    await batches.add(1, 2, 3, 4, 5)
    assert batches.begun == [[1, 2, 3, 4]]
    await batches.finish(0)
    assert batches.begun == [[1, 2, 3, 4], [5]]
    await batches.finish_all()


async def test_without_a_maximum_all_go_together() -> None:
    sizes: list[int] = []

    async def do(batch: list[int]) -> list[int]:
        sizes.append(len(batch))
        return await echo(batch)

    group = GroupCommit(do)
    assert await asyncio.gather(*(group.add(item) for item in range(1000))) == [*range(1000)]
    assert sizes == [1000]


async def test_a_second_batch_starts_once_it_is_as_large_as_the_first() -> None:
    batches = Batches(concurrency=2)
    await batches.add(1, 2)
    await batches.add(3)
    assert batches.begun == [[1, 2]]
    await batches.add(4)
    assert batches.begun == [[1, 2], [3, 4]]
    await batches.add(5, 6, 7, 8, 9)
    assert len(batches.begun) == 2, "no more than two at once"
    await batches.finish(1)
    assert batches.begun[2:] == [[5, 6, 7, 8]]
    await batches.finish_all()


async def test_more_than_one_batch_of_the_same_moment_starts_at_once() -> None:
    batches = Batches(concurrency=4)
    await batches.add(*range(10))
    assert batches.begun == [[0, 1, 2, 3], [4, 5, 6, 7]], "and the rest waits until it is large enough"
    await batches.finish_all()
    assert batches.begun[2:] == [[8, 9]]


async def test_a_small_rest_goes_once_no_batch_is_under_way() -> None:
    batches = Batches(concurrency=2)
    await batches.add(1, 2)
    await batches.add(3)
    await batches.finish(0)
    assert batches.begun == [[1, 2], [3]]
    await batches.finish_all()


async def test_an_eager_batch_starts_however_small_it_is() -> None:
    batches = Batches(concurrency=2, eager=True)
    await batches.add(1, 2, 3)
    await batches.add(4)
    await batches.add(5)
    assert batches.begun == [[1, 2, 3], [4]]
    await batches.finish(1)
    assert batches.begun[2:] == [[5]]
    await batches.finish_all()


async def test_an_item_that_arrives_as_all_batches_end_is_done_too() -> None:
    group = GroupCommit(echo, max_batch=1, concurrency=2)
    results = []
    for item in range(20):
        results.append(group.add(item))
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*results) == [*range(20)]


async def test_items_of_the_same_key_are_done_one_after_the_other() -> None:
    begun: list[list[int]] = []

    async def do(batch: list[int]) -> list[int]:
        begun.append(batch)
        return batch

    group = GroupCommit(do, key=lambda item: item % 3, max_batch=10)
    assert await asyncio.gather(*(group.add(item) for item in range(6))) == [*range(6)]
    assert begun == [[0, 1, 2], [3, 4, 5]]


# ----------------------------------------------------------------------------------------------------------- results


async def test_each_caller_gets_the_result_of_its_own_item() -> None:
    async def do(batch: list[int]) -> list[str]:
        await asyncio.sleep(0)
        return [str(item) for item in batch]

    group = GroupCommit(do, max_batch=20)
    assert await asyncio.gather(*(group.add(item) for item in range(50))) == [str(item) for item in range(50)]


async def test_a_result_that_is_an_exception_is_raised_to_its_caller_only() -> None:
    async def do(batch: list[int]) -> list[int | Exception]:
        return [KeyError(item) if item == 1 else item for item in batch]

    group: GroupCommit[int, int] = GroupCommit(do)
    results = await asyncio.gather(*(group.add(item) for item in range(3)), return_exceptions=True)
    assert (results[0], results[2]) == (0, 2)
    assert isinstance(results[1], KeyError)


@pytest.mark.parametrize("outcome", [7, KeyError("late")], ids=["a value", "an exception"])
async def test_a_result_that_is_a_future_does_not_hold_up_the_next_batch(outcome: int | Exception) -> None:
    late: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def do(batch: list[int]) -> list[int | asyncio.Future[int]]:
        return [late if item == 0 else item for item in batch]

    group: GroupCommit[int, int] = GroupCommit(do)
    first, second = group.add(0), group.add(1)
    assert (await second, await group.add(2)) == (1, 2)
    draining = asyncio.create_task(group.drain())
    await turns()
    assert not first.done()
    assert not draining.done(), "it is waited for"
    if isinstance(outcome, Exception):
        late.set_exception(outcome)
        with pytest.raises(KeyError):
            await first
    else:
        late.set_result(outcome)
        assert await first == outcome
    await asyncio.wait_for(draining, 5)


async def test_a_caller_that_goes_away_stops_nothing() -> None:
    batches = Batches()
    impatient, patient = batches.group.add(1), batches.group.add(2)
    await turns()
    impatient.cancel()
    await batches.finish(0)
    assert batches.begun == [[1, 2]]
    assert await patient == 2


async def test_what_a_caller_that_went_away_asked_for_is_done_all_the_same() -> None:
    batches = Batches()
    batches.group.add(1).cancel()
    await turns()
    assert batches.begun == [[1]]
    await batches.finish_all()


async def test_draining_waits_for_all_that_has_been_added() -> None:
    batches = Batches()
    batches.group.add(1)
    draining = asyncio.create_task(batches.group.drain())
    await turns()
    assert batches.begun == [[1]]
    assert not draining.done()
    await batches.add(2)
    await batches.finish(0)
    await batches.finish(1)
    await asyncio.wait_for(draining, 5)
    await batches.group.drain()  # of nothing


# ------------------------------------------------------------------------------------------------------------ errors


class Failing:
    """Raises an error for every batch that holds a bad item."""

    def __init__(self, error: Exception, bad: int = 3) -> None:
        self.begun: list[list[int]] = []
        self._error = error
        self._bad = bad

    async def __call__(self, batch: list[int]) -> list[int]:
        self.begun.append(batch)
        await asyncio.sleep(0)
        if self._bad in batch:
            raise self._error
        return batch


async def outcomes(group: GroupCommit[int, int], items: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(group.add(item) for item in items), return_exceptions=True)


async def test_one_that_breaks_a_batch_breaks_for_its_own_caller_alone() -> None:
    error = ValueError()
    do = Failing(error)
    group = GroupCommit(do, max_batch=10)
    assert await outcomes(group, range(5)) == [0, 1, 2, error, 4]
    assert do.begun == [[0, 1, 2, 3, 4], [0], [1], [2], [3], [4]]
    assert await group.add(7) == 7


async def test_a_database_that_is_unreachable_is_not_asked_again_for_each_of_a_batch() -> None:
    error = Unavailable()
    do = Failing(error)
    assert await outcomes(GroupCommit(do), range(5)) == [error] * 5
    assert do.begun == [[0, 1, 2, 3, 4]]


async def test_without_retries_an_error_reaches_all_callers() -> None:
    error = ValueError()
    do = Failing(error)
    assert await outcomes(GroupCommit(do, retries=False), range(5)) == [error] * 5
    assert do.begun == [[0, 1, 2, 3, 4]]


async def test_a_batch_with_too_few_results_is_an_error_and_leaves_no_one_waiting() -> None:
    async def do(batch: list[int]) -> list[int]:
        return batch[:-1]

    async with asyncio.timeout(5):
        assert {type(each) for each in await outcomes(GroupCommit(do), range(3))} == {ValueError}


# --------------------------------------------------------------------------------------- what must be computed first


class Computing:
    """Items are done once something is known of their owner: their tens digit."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.begun: list[list[int]] = []
        self.computed: Counter[int] = Counter()
        self.may_compute = asyncio.Event()
        self._fault = fault
        self.group: GroupCommit[int, int] = GroupCommit(self._do, owner=lambda item: item // 10)

    async def _do(self, batch: list[int]) -> list[int]:
        self.begun.append(batch)
        unknown = {owner for item in batch if (owner := item // 10) and not self.computed[owner]}
        if unknown:
            raise ComputationNeeded({owner: self._computation(owner) for owner in unknown})
        return batch

    def _computation(self, owner: int) -> Callable[[], Awaitable[None]]:
        async def compute() -> None:
            await self.may_compute.wait()
            if self._fault is not None:
                raise self._fault
            self.computed[owner] += 1

        return compute


async def test_items_of_other_owners_do_not_wait_for_a_computation() -> None:
    computing = Computing()
    results = [computing.group.add(item) for item in (1, 11, 2, 22, 12)]
    assert (await results[0], await results[2]) == (1, 2)
    assert [each.done() for each in results] == [True, False, True, False, False]
    computing.may_compute.set()
    await computing.group.drain()
    assert [await each for each in results] == [1, 11, 2, 22, 12]
    assert computing.begun[:2] == [[1, 11, 2, 22, 12], [1, 2]]
    assert computing.computed == {1: 1, 2: 1}


async def test_a_computation_that_fails_fails_for_the_items_that_need_it() -> None:
    fault = Unavailable("too much is waiting")
    computing = Computing(fault)
    computing.may_compute.set()
    assert await outcomes(computing.group, [1, 11, 12]) == [1, fault, fault]


async def test_without_owners_a_computation_that_is_needed_is_an_error() -> None:
    needed = ComputationNeeded({})
    assert await outcomes(GroupCommit(Failing(needed)), [1, 3]) == [1, needed]


# ---------------------------------------------------------------------------------------------------------- look-ups


async def test_a_crowd_is_answered_with_two_statements_at_most() -> None:
    asked: list[list[int]] = []

    async def load(keys: list[int]) -> dict[int, str]:
        asked.append(keys)
        await asyncio.sleep(0)
        return {key: str(key) for key in keys if key % 2}

    loader = BatchLoader(load)
    found = await asyncio.gather(*(loader.find(key) for key in [*range(50), *range(50)]))
    assert found == [str(key) if key % 2 else None for key in range(50)] * 2
    assert len(asked) <= 2
    assert max(map(len, asked)) == 50, "each key once"
    assert await loader.find(7) == "7"


async def test_an_error_reaches_all_who_asked_and_the_next_one_is_asked_again() -> None:
    faults = [OSError("unreachable")]

    async def load(keys: list[int]) -> dict[int, str]:
        if faults:
            raise faults.pop()
        return dict.fromkeys(keys, "here")

    loader = BatchLoader(load)
    found = await asyncio.gather(loader.find(1), loader.find(2), return_exceptions=True)
    assert [type(each) for each in found] == [OSError, OSError]
    assert await loader.find(1) == "here"


async def test_a_caller_that_goes_away_takes_no_other_of_the_same_key_along() -> None:
    gate = asyncio.Event()

    async def load(keys: list[int]) -> dict[int, str]:
        await gate.wait()
        return dict.fromkeys(keys, "here")

    loader = BatchLoader(load)
    impatient, patient = asyncio.create_task(loader.find(1)), asyncio.create_task(loader.find(1))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await patient == "here"
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_group_exists_for_as_long_as_its_key_has_items() -> None:
    entered, release = asyncio.Event(), asyncio.Event()
    batches: list[tuple[str, list[int]]] = []

    def make(key: str, when_idle: Callable[[], object]) -> GroupCommit[int, int]:
        async def do(items: list[int]) -> list[int]:
            batches.append((key, items))
            entered.set()
            await release.wait()
            return items

        return GroupCommit(do, when_idle=when_idle)

    groups: GroupCommits[str, int, int] = GroupCommits(make)
    first = groups.add("a", 1)
    await entered.wait()
    later = [groups.add("a", 2), groups.add("a", 3), groups.add("b", 4)]
    release.set()

    assert await asyncio.gather(first, *later) == [1, 2, 3, 4]
    assert batches == [("a", [1]), ("b", [4]), ("a", [2, 3])]
    await asyncio.sleep(0)
    assert not groups._groups

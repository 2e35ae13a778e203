"""What others wrote is worked out by processes that can be ended: within limits, fairly; nothing of them is left."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator

import psutil
import pytest

from leadroutes.domain.template import ComposeResult, TemplateInput
from leadroutes.errors import Unavailable
from leadroutes.sandbox.processes import MAX_WAITING_PER_OWNER, Sandbox
from leadroutes.sandbox.protocol import NICENESS
from leadroutes.sandbox.templates import CHECK_TEMPLATE, COMPOSE_MESSAGE
from leadroutes.sandbox.work import ComputationFailed, SandboxFunction
from tests.support.event_loop import LONGEST, monitored_loop
from tests.support.templates import SLOW


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(processes=1)
    yield sandbox
    await sandbox.close()


def letter(body: str, **variables: object) -> TemplateInput:
    return TemplateInput(subject="", body=body, name="", is_email=False, variables=variables)


def said(composed: ComposeResult) -> str | None:
    return composed.words and composed.words.text_body


def children() -> set[int]:
    """Those that are alive; a process that has just ended may not have been waited for yet."""
    return {each.pid for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE}


async def first_child(before: set[int]) -> psutil.Process:
    while not (new := children() - before):  # noqa: ASYNC110 -- nothing reports when it starts
        await asyncio.sleep(0.001)
    return psutil.Process(new.pop())


async def test_each_piece_gets_its_own_answer_whoever_asks_and_however_many(sandbox: Sandbox) -> None:
    asked = [(owner, number) for number in range(20) for owner in range(5)]
    composed = await asyncio.gather(
        *(
            sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("{{ n }}", n=f"{owner} {n}"), owner=owner)
            for owner, n in asked
        )
    )

    assert [said(each) for each in composed] == [f"{owner} {n}" for owner, n in asked]


async def test_what_takes_too_long_is_ended_and_the_next_is_worked_out(sandbox: Sandbox) -> None:
    before = children()
    with monitored_loop() as monitor:
        slow, quick = await asyncio.gather(
            sandbox.run_sandboxed(COMPOSE_MESSAGE, letter(SLOW), owner=1),
            sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1),
            return_exceptions=True,
        )

    assert isinstance(slow, ComputationFailed)
    assert slow.reason == "takes longer than 0.5 seconds"
    assert isinstance(quick, ComposeResult)
    assert said(quick) == "hello"
    assert len(children() - before) == 1
    assert monitor.longest < LONGEST


async def test_a_process_comes_after_the_service_where_the_processor_is_wanted(sandbox: Sandbox) -> None:
    before = children()
    await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("Hello"), owner=1)
    [child] = children() - before

    assert psutil.Process(child).nice() == min(19, psutil.Process().nice() + NICENESS)


async def test_what_takes_too_much_memory_is_refused_and_the_process_is_replaced(sandbox: Sandbox) -> None:
    before = children()
    with pytest.raises(ComputationFailed, match="takes more than 256 MB of memory"):
        await sandbox.run_sandboxed(CHECK_TEMPLATE, "x" * 100_000_000, owner=1)

    assert await sandbox.run_sandboxed(CHECK_TEMPLATE, "x", owner=1) == ""
    assert len(children() - before) == 1


async def test_what_breaks_is_said_by_name(sandbox: Sandbox) -> None:
    broken = SandboxFunction("leadroutes.sandbox.tasks.templates:compose", int, ComposeResult, seconds=1.0)

    with pytest.raises(ComputationFailed, match=r"cannot be worked out \(ValidationError\)"):
        await sandbox.run_sandboxed(broken, 5, owner=1)


async def test_a_function_of_another_package_is_not_run(sandbox: Sandbox) -> None:
    with pytest.raises(ComputationFailed, match="ends the process"):
        await sandbox.run_sandboxed(SandboxFunction("os:system", str, int, seconds=1.0), "true", owner=1)


async def test_a_piece_whose_process_is_killed_is_begun_again_by_another(sandbox: Sandbox) -> None:
    before = children()
    asking = [asyncio.create_task(sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=n)) for n in range(3)]
    (await first_child(before)).kill()

    assert [said(each) for each in await asyncio.gather(*asking)] == ["hello"] * 3


async def test_a_process_that_was_killed_while_it_had_nothing_to_do_is_not_missed(sandbox: Sandbox) -> None:
    before = children()
    await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1)
    (await first_child(before)).kill()

    assert said(await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1)) == "hello"


async def test_a_process_that_hangs_is_ended() -> None:
    sandbox = Sandbox(processes=1, grace=0.1)
    before = children()
    await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1)
    process = await first_child(before)
    process.send_signal(signal.SIGSTOP)

    hanging = SandboxFunction(COMPOSE_MESSAGE.function, TemplateInput, ComposeResult, seconds=0.001)
    with pytest.raises(ComputationFailed, match=r"takes longer than 0.001 seconds"):
        await sandbox.run_sandboxed(hanging, letter("hello"), owner=1)
    assert said(await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1)) == "hello"
    await sandbox.close()
    assert children() == before


async def test_one_owner_does_not_hold_up_another(sandbox: Sandbox) -> None:
    done: list[object] = []

    async def ask(owner: str, body: str) -> None:
        with contextlib.suppress(ComputationFailed):
            await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter(body), owner=owner)
        done.append(owner)

    many = [asyncio.create_task(ask("dave", SLOW)) for _ in range(4)]
    await asyncio.sleep(0)
    one = asyncio.create_task(ask("alice", "hello"))
    await asyncio.gather(one, *many)

    assert done.index("alice") <= 1, "no more than what was under way"


async def test_an_owner_whose_texts_took_long_never_has_the_last_free_process() -> None:
    sandbox = Sandbox(processes=2)
    before = children()
    slow = [
        asyncio.create_task(sandbox.run_sandboxed(COMPOSE_MESSAGE, letter(SLOW), owner=f"dave {n % 2}"))
        for n in range(8)
    ]
    await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
    while sum(task.done() for task in slow) < 2:  # noqa: ASYNC110 -- both are known by now
        await asyncio.sleep(0.001)
    ended = sum(task.done() for task in slow)
    for _ in range(5):
        assert said(await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner="alice")) == "hello"

    assert sum(task.done() for task in slow) - ended <= 2
    await sandbox.close()
    await asyncio.gather(*slow, return_exceptions=True)
    assert children() == before


async def test_what_waits_has_a_limit_for_each_owner(sandbox: Sandbox) -> None:
    asking = [
        asyncio.create_task(sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner="dave"))
        for _ in range(MAX_WAITING_PER_OWNER + 1)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too much is waiting"):
        await asking[-1]
    assert said(await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner="alice")) == "hello"
    await asyncio.gather(*asking[:-1])


async def test_whoever_goes_away_leaves_nothing_behind(sandbox: Sandbox) -> None:
    asking = [asyncio.create_task(sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1)) for _ in range(30)]
    await asyncio.sleep(0)
    for each in asking[::2]:
        each.cancel()

    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [said(each) for each in answers if isinstance(each, ComposeResult)] == ["hello"] * 15


async def test_closing_ends_the_processes_and_tells_those_who_wait() -> None:
    sandbox = Sandbox(processes=1)
    before = children()
    asking = [asyncio.create_task(sandbox.run_sandboxed(COMPOSE_MESSAGE, letter(SLOW), owner=n)) for n in range(3)]
    await first_child(before)
    await sandbox.close()

    assert all(isinstance(each, Unavailable) for each in await asyncio.gather(*asking, return_exceptions=True))
    assert children() == before
    with pytest.raises(Unavailable):
        await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1)


async def test_a_process_knows_none_of_the_settings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADROUTES_SECRET", "a secret of the tests")
    before = children()
    await sandbox.run_sandboxed(COMPOSE_MESSAGE, letter("hello"), owner=1)

    assert "LEADROUTES_SECRET" not in (await first_child(before)).environ()


COMPOSES = """
import asyncio, sys
from leadroutes.domain.template import TemplateInput
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.templates import COMPOSE_MESSAGE
async def main():
    slow = TemplateInput(subject="", body=sys.stdin.read(), name="", is_email=False, variables={})
    await asyncio.gather(*(run_sandboxed(COMPOSE_MESSAGE, slow, owner=n) for n in range(100)), return_exceptions=True)
asyncio.run(main())
"""


async def test_they_end_with_the_service_however_it_ends() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", COMPOSES, stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(SLOW.encode())
    process.stdin.close()
    while len(working := psutil.Process(process.pid).children()) < 2:  # noqa: ASYNC110 -- nothing reports their start
        await asyncio.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()

    _, alive = await asyncio.to_thread(psutil.wait_procs, working, timeout=30)
    assert alive == []

"""`leadroutes top`: the installation at work, once, or live in a terminal until Ctrl-C."""

import asyncio
import contextlib
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

from rich.console import Console

from leadroutes.operations.top import View, load_view, rendered
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.commands import Command


def words(view: View) -> list[str]:
    """The lines as they are read, with single blanks."""
    console = Console(width=120, no_color=True)
    with console.capture() as capture:
        console.print(rendered(view))
    return [" ".join(line.split()) for line in capture.get().splitlines()]


async def test_an_empty_installation_says_that_no_process_works(database: Database) -> None:
    shown = words(await load_view(database))

    assert "none no agent is notified: no worker runs; start leadroutes worker" in shown
    assert "timers due 0 in time" in shown
    assert "half of them claimed within -" in shown


async def test_a_worker_that_has_ended_is_none(database: Database) -> None:
    await database.execute("INSERT INTO worker_heartbeats VALUES ('stuvwxyz-3', now() - interval '31 seconds')")

    assert "none no agent is notified: no worker runs; start leadroutes worker" in words(await load_view(database))


async def test_a_house_at_work(brokerage: Brokerage) -> None:
    database = brokerage.town.database
    answer = await brokerage.ask()
    await brokerage.ask(email="noa@example.com")
    await database.move_clock(timedelta(minutes=2, seconds=5))
    await brokerage.engine.claim(brokerage.owner_id, answer.stored.lead_ids[0], brokerage.town.users["bob"])
    await database.execute(
        "INSERT INTO worker_heartbeats VALUES ('abcdefgh-1', now()), ('ijklmnop-2', now() - interval '24 seconds'),"
        " ('stuvwxyz-3', now() - interval '281 seconds')"
    )
    await database.execute("UPDATE pgqueuer SET execute_after = now() - interval '1 minute'")
    shown = words(await load_view(database))

    assert "of the last hour, claimed 1 of 2 50 %" in shown
    assert "half of them claimed within 2:05 min" in shown
    assert "on offer 1" in shown
    assert "offers to come 1" in shown
    assert "abcdefgh last sign of life 0 s ago" in shown
    assert "ijklmnop last sign of life 24 s ago" in shown
    assert not any("stuvwxyz" in line for line in shown), "it has ended, or hangs: it does nothing"
    assert any(re.fullmatch(r"jobs in the queue \d+ 6\d\.\d s late", line) for line in shown), shown


async def test_it_is_printed_once_where_that_is_asked(
    brokerage: Brokerage, database_url: str, command: Command
) -> None:
    await brokerage.ask()
    done = await command(database_url, "top", "--once")

    assert done.stdout.count("Timers and messages") == 1
    assert re.search(r"on offer +1\s", done.stdout)
    assert "\x1b" not in done.stdout, "a file is not a terminal"
    assert "mia" not in done.stdout.lower()


async def test_it_is_live_in_a_terminal_and_outlives_the_database(database: Database, database_url: str) -> None:
    async with watching(database_url) as screen:
        await screen.until(r"no agent is notified: no worker runs;")
        await database.execute("INSERT INTO worker_heartbeats VALUES ('abcdefgh-1', now())")
        await screen.until(r"abcdefgh")
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        screen.seen = ""
        await screen.until(r"abcdefgh")
        os.write(screen.terminal, b"\x03")
        assert await asyncio.wait_for(screen.process.wait(), 60) == 130
        await screen.until(r"\x1b\[\?1049l")
    assert "Traceback" not in screen.seen


class Screen:
    def __init__(self, process: asyncio.subprocess.Process, terminal: int) -> None:
        self.process = process
        self.terminal = terminal
        self.seen = ""
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(terminal, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self.terminal, 65_536)
        except OSError:  # the other side is closed
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self.terminal)
        self.seen += data.decode(errors="replace")
        self._changed.set()

    async def until(self, pattern: str) -> None:
        async with asyncio.timeout(60):
            while not re.search(pattern, self.seen):
                self._changed.clear()
                await self._changed.wait()


@contextlib.asynccontextmanager
async def watching(url: str) -> AsyncIterator[Screen]:
    """The command in a terminal of its own."""
    terminal, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leadroutes", "top", stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "120", "LINES": "50"},
        preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(theirs)
    screen = Screen(process, terminal)
    try:
        yield screen
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(terminal)
        os.close(terminal)


def _take_terminal() -> None:
    """So that Ctrl-C reaches it, and is heard even where the tests themselves run in the background and ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

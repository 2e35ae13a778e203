"""Runs the demonstration: a brokerage whose leads arrive, are offered, claimed and lapse, an hour in a minute.

Database, HTTP and SMTP are real; the data directory is its own and is created anew by each run.
"""

import asyncio
import contextlib
import json
import secrets
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from leadroutes.demo.agents import Cast, Mailboxes
from leadroutes.demo.answers import answers
from leadroutes.demo.board import Line, as_table, load_board, news
from leadroutes.demo.browsers import PushReceiver
from leadroutes.demo.invitation import DemoHints
from leadroutes.demo.phones import Phones
from leadroutes.demo.script import AGENT, OWNER, PASSWORD, TIME_SCALE
from leadroutes.engine.engine import Engine
from leadroutes.errors import Conflict, Misconfigured
from leadroutes.operations.brokerage_file import BrokerageFile, read_brokerage
from leadroutes.operations.console import PlainConsole
from leadroutes.operations.doctor import examine
from leadroutes.operations.load_brokerage import load_brokerage
from leadroutes.server.run import address_of, listen, open_database, running_service, stop_on_signals
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.postgres import Database

DATA = Path(".leadroutes") / "demo"
EXAMPLES = Path(__file__).parent / "examples"
LONGEST = 90.0  # seconds until every lead has settled
TEXTS_PER_SECOND = 60.0  # as the clock runs so much faster
LOOK = 0.25  # seconds between two looks at the board
MAILED = 10.0  # seconds within which an agent has been notified of a lead


async def show(*, once: bool, port: int | None) -> int:
    """Run the demonstration; with `once` until every lead has settled, else until a signal. The exit code."""
    brokerage = _read_example()
    with _alone():
        shutil.rmtree(DATA, ignore_errors=True)
        async with _staged(brokerage, port) as stage:
            return await stage.play(once=once)


def _read_example() -> BrokerageFile:
    return read_brokerage((EXAMPLES / "brokerage.json").read_bytes())


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Holds a lock on the directory: two demonstrations in it would share a database."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415 -- not on every platform

    DATA.parent.mkdir(parents=True, exist_ok=True)
    with (DATA.parent / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("A demonstration is running in this directory already; end that one first") from None
        yield


@contextlib.asynccontextmanager
async def _staged(brokerage: BrokerageFile, port: int | None) -> AsyncIterator["_Stage"]:
    """Runs the service with the brokerage, and what takes what it sends: mail server, provider, push service."""
    mailboxes, phones, push_service = Mailboxes(), Phones(), PushReceiver()
    async with mailboxes.open() as smtp_url, phones.open() as provider, push_service.open() as push_address:
        listening = _listen(port)
        settings = Settings(
            data=DATA,
            time_scale=TIME_SCALE,
            smtp_url=smtp_url,
            mail_from="leads@example.com",
            public_url=address_of(listening),
            texts_per_second=TEXTS_PER_SECOND,
            calls_per_second=TEXTS_PER_SECOND,
            push_services=push_address,
            **provider,
        )
        async with open_database(settings) as database:
            owner_id = await _move_in(database, brokerage)
            addresses = {user.username: user.email for user in brokerage.users}
            cast = Cast(
                url=settings.public_url,
                examples=EXAMPLES / "leads",
                mailboxes=mailboxes,
                phones=phones,
                push_service=push_service,
                keys=await _keys(database, owner_id, brokerage),
                tokens={user.username: await _token(database, user.email) for user in brokerage.users},
                addresses=addresses,
                numbers={user.username: user.phone for user in brokerage.users if user.phone},
            )
            ways = DemoHints(
                url=settings.public_url,
                key=await _short_key(database, owner_id),
                owner=addresses[OWNER],
                agent=addresses[AGENT],
                mailboxes=mailboxes,
                addresses={f"{user.first_name} {user.last_name}": user.email for user in brokerage.users},
            )
            with stop_on_signals() as stopping:
                async with running_service(settings, database, listening):
                    yield _Stage(database, owner_id, cast, ways, stopping, database.clock.now())


def _listen(port: int | None) -> socket.socket:
    if port is not None:
        return listen("127.0.0.1", port)
    try:
        return listen("127.0.0.1", 8080)
    except Misconfigured:
        return listen("127.0.0.1", 0)


async def _move_in(database: Database, brokerage: BrokerageFile) -> int:
    """Loads the brokerage; all users get the same password. Returns the owner's id."""
    owner = next(user for user in brokerage.users if user.username == OWNER)
    await load_brokerage(database, brokerage, owner.email)
    await accounts.set_all_passwords(database, PASSWORD)
    return await accounts.get_user_id(database, owner.email)


async def _keys(database: Database, owner_id: int, brokerage: BrokerageFile) -> dict[str, str]:
    async with database.transaction() as transaction:
        return {
            source.name: await accounts.issue_intake_key(
                transaction, owner_id, source.name, source.name, None, is_private=source.name != "Website"
            )
            for source in brokerage.lead_sources
        }


async def _short_key(database: Database, owner_id: int) -> str:
    """Returns an intake key that fits into a command of 80 columns; only this machine can reach the service."""
    key = secrets.token_hex(4)
    async with database.transaction() as transaction:
        lead_source_id = await accounts.find_or_add_lead_source(transaction, owner_id, "Zillow")
        contact_source_id = await accounts.find_or_add_contact_source(transaction, owner_id, "Zillow")
        await accounts.store_intake_key(transaction, owner_id, key, lead_source_id, contact_source_id, None, None)
    return key


async def _token(database: Database, email: str) -> str:
    return await accounts.issue_token(database, email, ["write"])


@dataclass(slots=True)
class _Stage:
    """The demonstration under way: the cast acts, and the viewer sees the board."""

    database: Database
    owner_id: int
    cast: Cast
    ways: DemoHints
    stopping: asyncio.Event
    began_at: datetime
    lines: Sequence[Line] = ()
    console: PlainConsole = field(default_factory=PlainConsole)

    async def play(self, *, once: bool) -> int:
        """Lets the cast act, shows the board until every lead has settled, asks about the rules, and sums up.

        Returns the exit code.
        """
        self._say("Juniper & Vale Realty Group at work: an hour there takes a minute here.")
        if not self.console.is_terminal:
            self._say_lines(self.ways.signing_in())
        acting = asyncio.create_task(self.cast.play(self._find_lead_id))
        try:
            await self._watch(acting)
        finally:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
        if not self.stopping.is_set():
            async for sentence in answers(self.cast):
                self._say(sentence)
        ledger = await self._sum_up()
        if once:
            print(json.dumps(ledger))  # noqa: T201 -- alone on the last line, for whoever called
        elif not self.stopping.is_set():
            await self._go_on()
        return int(bool(self.cast.trouble)) if once else 0

    def _say(self, sentence: str) -> None:
        """A sentence; a terminal breaks it between words, and whoever reads a file does so in another way."""
        self.console.print(sentence, markup=False, soft_wrap=not self.console.is_terminal)

    def _say_lines(self, lines: Sequence[str]) -> None:
        """Lines to copy from: the terminal may fold them, and still knows that each is one."""
        for line in lines:
            self.console.print(line, markup=False, soft_wrap=True)

    def _find_lead_id(self, first_name: str) -> int | None:
        return next((line.id for line in self.lines if line.name.split()[0] == first_name), None)

    # -- what the audience sees

    async def _watch(self, acting: "asyncio.Task[None]") -> None:
        """Shows the board until all acts are done and every lead has settled, the time is up, or a signal comes."""
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        with self._live(self._board) as draw:
            while not (acting.done() and self.lines and all(line.is_settled for line in self.lines)):
                if self.stopping.is_set() or loop.time() > end:
                    self.cast.trouble.append("it was ended before every lead had settled")
                    break
                await self._look(draw)
            await self._look(draw)
        if self.console.is_terminal:
            self.console.print(as_table(self.lines, self.console.width))
        if acting.done() and (error := acting.exception()) is not None:
            self.cast.trouble.append(f"the play broke off: {error!r}")

    @contextlib.contextmanager
    def _live(self, rendered: Callable[[], RenderableType]) -> Iterator[Callable[[], None] | None]:
        """Yields a function that redraws the board in place; None without a terminal."""
        if not self.console.is_terminal:
            yield None
            return
        with Live(rendered(), console=self.console, auto_refresh=False, transient=True) as live:
            yield lambda: live.update(rendered(), refresh=True)

    def _board(self) -> RenderableType:
        """Returns as much of the board as the screen has room for, and where to sign in."""
        below = [Text(), *map(Text, self.ways.signing_in())]
        room = self.console.height - 1 - len(below)
        return Group(as_table(self.lines, self.console.width, room), *below)

    async def _look(self, draw: Callable[[], None] | None) -> None:
        before, self.lines = self.lines, await load_board(self.database, self.owner_id)
        if draw is not None:
            draw()
        else:
            self._tell_news(before)
        await self._pause()

    def _tell_news(self, before: Sequence[Line]) -> None:
        minute = round((self.database.clock.now() - self.began_at) / timedelta(minutes=1))
        for sentence in news(before, self.lines):
            self._say(f"minute {minute:>2}  {sentence}")

    async def _pause(self) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), LOOK)

    # -- what remains

    async def _sum_up(self) -> dict[str, int]:
        """Prints the ledger after the doctor's checks, and any trouble."""
        outcome = await examine(self.database)
        if outcome.violation is not None:
            self.cast.trouble.append(str(outcome.violation))
        ledger = await Engine(self.database).ledger(self.owner_id)
        parts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in ledger.items())
        cast = self.cast
        self._say(
            f"The ledger: {parts}; {cast.mailboxes.count} mails, {len(cast.phones.texts)} texts and"
            f" {cast.push_service.count} notifications were sent, {len(cast.phones.calls)} calls made,"
            f" {outcome.checks} checks"
        )
        for trouble in self.cast.trouble:
            self._say(f"Trouble: {trouble}")
        return ledger

    async def _go_on(self) -> None:
        """At the usual pace, so that a person has time to claim; how to take part stays at the bottom of a terminal."""
        await self.database.set_time_scale(1)
        self._say("It goes on until Ctrl-C, now at the usual pace: a minute takes a minute.")
        await self.cast.send_late_lead(self.ways.key)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.cast.wait_for_late_lead(AGENT), MAILED)
        shown: list[str] = []
        with self._live(lambda: Group("", *map(Text, shown))) as draw:
            while not self.stopping.is_set():
                before, self.lines = self.lines, await load_board(self.database, self.owner_id)
                self._tell_news(before)
                earlier, shown[:] = shown[:], self.ways.lines(self.lines)
                if draw is None and shown != earlier:
                    self._say_lines(shown)
                elif draw is not None:
                    draw()
                await self._pause()

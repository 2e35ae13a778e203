"""Runs work on untrusted text in a few child processes: each piece within its limits, fairly between owners.

Processes are started when first needed, reused for the next piece, and replaced when one ends or has grown.
"""

import asyncio
import contextlib
import signal
import weakref
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import structlog

from leadroutes.errors import Unavailable
from leadroutes.sandbox import pipes
from leadroutes.sandbox.protocol import MEMORY, PieceResult, SandboxBatch, Status
from leadroutes.sandbox.work import ComputationFailed, SandboxFunction

log = structlog.get_logger()

PROCESSES: Final = 2
PIECES_PER_BATCH: Final = 16  # pieces of one owner that a process is given at a time
MAX_WAITING_PER_OWNER: Final = 200  # pieces of one owner
MAX_WAITING: Final = 5_000
PATIENCE: Final = 10.0  # times the limit, on the wall's clock: on a busy machine a process has to wait for its turn
GRACE: Final = 5.0  # seconds more; after them a process hangs
HEAVY: Final = 0.25  # seconds of the processor, lately: such an owner never has the last process that is free
FORGOTTEN_IN: Final = 10.0  # seconds, by half
LARGE: Final = 131_072  # KiB in memory after which a process is replaced
ATTEMPTS: Final = 2
NOTHING: Final = 0.001  # seconds that need not be remembered
IDLE: Final = 300.0  # seconds after which a process that has nothing to do is ended
SPARE: Final = 30.0  # the same, of one besides the first

Input = TypeVar("Input")
Output = TypeVar("Output")

_CHILD: Final = "leadroutes.sandbox.child"
_ANSWERED: Final = msgspec.msgpack.Decoder(PieceResult)
_encode: Final = msgspec.msgpack.Encoder().encode


@dataclass(slots=True, eq=False)
class _Piece:
    work: SandboxFunction[Any, Any]
    content: bytes
    owner: Hashable
    answer: "asyncio.Future[bytes]"
    attempts: int = 0


@dataclass(slots=True)
class _Spent:
    """CPU seconds that an owner has used, with a half-life of FORGOTTEN_IN."""

    seconds: float = 0.0
    at: float = 0.0

    def now(self, now: float) -> float:
        return float(self.seconds * 0.5 ** ((now - self.at) / FORGOTTEN_IN)) if self.seconds else 0.0

    def add(self, seconds: float, now: float) -> None:
        self.seconds, self.at = self.now(now) + seconds, now


@dataclass(slots=True)
class _Owner:
    """The waiting work of an owner, the work under way, and the recent CPU use."""

    waiting: deque[_Piece] = field(default_factory=deque)
    under_way: int = 0
    spent: _Spent = field(default_factory=_Spent)


class Sandbox:
    """The child processes of one event loop. `close()` ends them."""

    def __init__(self, processes: int = PROCESSES, grace: float = GRACE) -> None:
        self._most = processes
        self._grace = grace
        self._owners: dict[Hashable, _Owner] = {}
        self._idle: list[tuple[Process, asyncio.TimerHandle]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._count = 0  # pieces that wait
        self._is_beginning = False
        self._is_closed = False

    async def run_sandboxed(self, work: SandboxFunction[Input, Output], asked: Input, *, owner: Hashable) -> Output:
        """Returns the result. Raises ComputationFailed (limit, error) or Unavailable (too much waits, closed)."""
        try:
            content = _encode(asked)
        except UnicodeEncodeError as error:
            raise ComputationFailed("holds half a character") from error
        piece = _Piece(work, content, owner, asyncio.get_running_loop().create_future())
        self._add(piece)
        return msgspec.msgpack.decode(await piece.answer, type=work.answer)

    async def close(self) -> None:
        """Ends every process; waiting callers get Unavailable."""
        self._is_closed = True
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        for each in self._owners.values():
            _fail(each.waiting, Unavailable("The service is stopping"))
        self._owners.clear()
        idle, self._idle = self._idle, []
        for process, timer in idle:
            timer.cancel()
            await pipes.end(process)

    # -- whose turn it is

    def _add(self, piece: _Piece) -> None:
        if self._is_closed:
            raise Unavailable("The service is stopping")
        owner = self._owners.setdefault(piece.owner, _Owner())
        if self._is_full(owner):
            for each in self._owners.values():
                self._skip_unwanted(each.waiting)
        if self._is_full(owner):
            raise Unavailable("Too much is waiting to be worked out; try again later", retry_after=5)
        owner.waiting.append(piece)
        self._count += 1
        if not self._is_beginning and len(self._under_way) < self._most:
            self._is_beginning = True  # what comes in the same turn of the loop goes together
            asyncio.get_running_loop().call_soon(self._begin)

    def _is_full(self, owner: _Owner) -> bool:
        return len(owner.waiting) >= MAX_WAITING_PER_OWNER or self._count >= MAX_WAITING

    def _begin(self) -> None:
        self._is_beginning = False
        while not self._is_closed and len(self._under_way) < self._most and (owner := self._next()):
            owner.under_way += 1
            task = asyncio.create_task(self._do(owner, self._first_of(owner.waiting)))
            self._under_way.add(task)
            task.add_done_callback(partial(self._end, owner))

    def _next(self) -> _Owner | None:
        """Returns the waiting owner with the least work under way, then the least CPU used; None if none may start."""
        now = asyncio.get_running_loop().time()
        is_last = self._most > 1 and len(self._under_way) == self._most - 1
        ranked = []
        for owner in self._owners.values():
            while owner.waiting and owner.waiting[0].answer.done():
                owner.waiting.popleft()
                self._count -= 1
            if owner.waiting and not (is_last and owner.spent.now(now) > HEAVY):
                ranked.append(((owner.under_way, owner.spent.now(now)), owner))
        return min(ranked, key=lambda each: each[0])[1] if ranked else None

    def _skip_unwanted(self, waiting: deque[_Piece]) -> None:
        """Drops pieces whose callers were cancelled."""
        wanted = [piece for piece in waiting if not piece.answer.done()]
        self._count -= len(waiting) - len(wanted)
        waiting.clear()
        waiting.extend(wanted)

    def _first_of(self, waiting: deque[_Piece]) -> deque[_Piece]:
        """Returns one batch for one function; a piece whose process has ended before is a batch of its own."""
        taken = deque([waiting.popleft()])
        while waiting and len(taken) < PIECES_PER_BATCH and waiting[0].work is taken[0].work:
            if taken[0].attempts or waiting[0].attempts:
                break
            taken.append(waiting.popleft())
        self._count -= len(taken)
        return taken

    def _put_back(self, owner: _Owner, pieces: deque[_Piece]) -> None:
        owner.waiting.extendleft(reversed(pieces))
        self._count += len(pieces)
        pieces.clear()

    def _end(self, owner: _Owner, task: asyncio.Task[None]) -> None:
        owner.under_way -= 1
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a process that works out foreign text could not be used", exc_info=error)
        now = asyncio.get_running_loop().time()
        for name, each in list(self._owners.items()):
            if not each.waiting and not each.under_way and each.spent.now(now) < NOTHING:
                del self._owners[name]
        self._begin()

    # -- one process, for a while

    async def _do(self, owner: _Owner, pieces: deque[_Piece]) -> None:
        """Runs the pieces in one process; those that it does not reach are queued again."""
        try:
            process = await self._take_process()
        except OSError as error:
            _fail(pieces, Unavailable(f"No process can be started: {error}"))
            return
        except BaseException:
            _fail(pieces, Unavailable("The service is stopping"))
            raise
        try:
            size = await self._ask(process, owner, pieces)
        except (OSError, asyncio.IncompleteReadError) as error:  # a TimeoutError is an OSError
            has_hung = isinstance(error, TimeoutError)
            await pipes.end(process, is_ending=not has_hung)
            self._judge(owner, pieces, process.returncode, has_hung=has_hung)
        except BaseException:
            _fail(pieces, Unavailable("The service is stopping"))
            await pipes.end(process)
            raise
        else:
            await self._keep(process, size)

    async def _ask(self, process: Process, owner: _Owner, pieces: deque[_Piece]) -> int:
        """Removes each piece once it is answered; returns the memory of the process in KiB."""
        assert process.stdin is not None
        work, size = pieces[0].work, 0
        wall = work.seconds * PATIENCE + self._grace
        batch = SandboxBatch(work.function, work.seconds, [piece.content for piece in pieces])
        loop = asyncio.get_running_loop()
        handed_back: deque[_Piece] = deque()
        try:
            async with asyncio.timeout(wall) as limit:
                pipes.send(process, _encode(batch))
                with contextlib.suppress(ConnectionError):  # it has ended: reading says so
                    await process.stdin.drain()
                while pieces:
                    answered = _ANSWERED.decode(await pipes.receive(process))
                    limit.reschedule(loop.time() + wall)
                    piece = pieces.popleft()
                    size = max(size, answered.size)
                    if answered.status is Status.NOT_BEGUN:
                        handed_back.append(piece)
                        continue
                    owner.spent.add(answered.spent, loop.time())
                    _give(piece, _outcome(answered))
        finally:
            self._put_back(owner, handed_back)
        return size

    def _judge(self, owner: _Owner, pieces: deque[_Piece], code: int | None, *, has_hung: bool) -> None:
        """Handles the end of a process: the first of these pieces was under way, the others have not been started."""
        piece = pieces.popleft()
        seconds = piece.work.seconds
        owner.spent.add(seconds, asyncio.get_running_loop().time())
        piece.attempts += 1
        if has_hung or code == -signal.SIGPROF:
            _give(piece, ComputationFailed(f"takes longer than {seconds:g} seconds"))
        elif piece.attempts < ATTEMPTS:  # another process may have killed it
            pieces.appendleft(piece)
        else:
            _give(piece, ComputationFailed("ends the process that works it out"))
        log.warning("a process that worked out foreign text has ended", work=piece.work.function, code=code)
        self._put_back(owner, pieces)

    async def _take_process(self) -> Process:
        while self._idle:
            process, timer = self._idle.pop()
            timer.cancel()
            if process.returncode is None:
                return process
            await pipes.end(process)
        return await pipes.start(_CHILD)

    async def _keep(self, process: Process, size: int) -> None:
        if size > LARGE or self._is_closed:
            await pipes.end(process)
            return
        seconds = SPARE if self._idle else IDLE
        timer = asyncio.get_running_loop().call_later(seconds, self._end_idle, process)
        self._idle.append((process, timer))

    def _end_idle(self, process: Process) -> None:
        """Kills an idle process without waiting for its end."""
        self._idle = [(each, timer) for each, timer in self._idle if each is not process]
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def _outcome(answered: PieceResult) -> bytes | ComputationFailed:
    match answered.status:
        case Status.MEMORY:
            return ComputationFailed(f"takes more than {MEMORY // 1_048_576} MB of memory")
        case Status.BROKEN:
            return ComputationFailed(f"cannot be worked out ({answered.content.decode()})")
        case _:
            return answered.content


def _give(piece: _Piece, outcome: bytes | Exception) -> None:
    """Sets the result, unless the caller was cancelled."""
    if piece.answer.done():
        return
    if isinstance(outcome, Exception):
        piece.answer.set_exception(outcome)
    else:
        piece.answer.set_result(outcome)


def _fail(pieces: deque[_Piece], problem: Unavailable) -> None:
    while pieces:
        _give(pieces.popleft(), problem)


# ------------------------------------------------------------------------------------------- the one of this process

_OF_LOOP: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Sandbox] = weakref.WeakKeyDictionary()


async def run_sandboxed(work: SandboxFunction[Input, Output], asked: Input, *, owner: Hashable) -> Output:
    """Like Sandbox.run_sandboxed, in the processes of this event loop, as `asyncio.to_thread` does with threads."""
    loop = asyncio.get_running_loop()
    sandbox = _OF_LOOP.get(loop)
    if sandbox is None:
        sandbox = _OF_LOOP[loop] = Sandbox()
    return await sandbox.run_sandboxed(work, asked, owner=owner)


async def close_sandbox() -> None:
    """End the processes that serve this event loop. Needed before the loop ends."""
    sandbox = _OF_LOOP.pop(asyncio.get_running_loop(), None)
    if sandbox is not None:
        await sandbox.close()

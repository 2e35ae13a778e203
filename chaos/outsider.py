"""What the mail server and the provider of a run have in common: each is a program of its own, with moods and notes.

Its first line of output is its port; each line of its input is its mood from then on. Its file gets a line of JSON for
everything that comes. This module starts it, tells it its mood, and reads what it noted.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Generic, Literal, Self, TypeVar, cast

import msgspec

from chaos.programs import ROOT, clean_environment

# calm: takes all at once; moody: as its own table says; slow: takes all, seconds later; away: takes nothing
Mood = Literal["calm", "moody", "slow", "away"]
Fate = Literal["taken", "taken, no answer", "lost, no answer", "refused for now", "refused for good"]
SLOWEST: Final = 4.0  # seconds
STARTS_WITHIN: Final = 60.0  # seconds


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that came, and what became of it. `at`: when it came, in seconds of real time."""

    fate: Fate
    to: str
    at: float = 0.0

    @property
    def has_arrived(self) -> bool:
        """Whether the recipient would have it."""
        return self.fate in ("taken", "taken, no answer")


SomeNote = TypeVar("SomeNote", bound=Note)


@dataclass
class Outsider(Generic[SomeNote]):
    """The program, from the run."""

    port: int
    file: Path
    process: asyncio.subprocess.Process
    _read: int = 0

    module: ClassVar[str]
    note: ClassVar[type[Note]]

    @classmethod
    @asynccontextmanager
    async def started(cls, file: Path, *arguments: object) -> AsyncIterator[Self]:
        """Yields a new one in a process of its own; its notes go to the file."""
        await asyncio.to_thread(file.touch)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", cls.module, str(file), *map(str, arguments), cwd=ROOT, env=clean_environment(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            yield cls(int(await asyncio.wait_for(process.stdout.readline(), STARTS_WITHIN)), file, process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def become(self, mood: Mood) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(mood.encode() + b"\n")

    def notes(self) -> list[SomeNote]:
        """Returns all notes so far."""
        self._read = 0
        return self.new_notes()

    def new_notes(self) -> list[SomeNote]:
        """Returns the notes since the last call."""
        with self.file.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        return [cast("SomeNote", msgspec.json.decode(line, type=self.note)) for line in whole.splitlines()]


async def obey(port: int, become: Callable[[Mood], Awaitable[None]]) -> None:
    """Says in the program itself where it listens, and hands on each mood until the input ends."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        await become(cast("Mood", line.strip()))

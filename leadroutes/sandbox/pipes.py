"""Messages over the pipes of a child process: four bytes with the length, then the message.

Used by both processes; they define the contents of the messages.
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from typing import BinaryIO, Final

LENGTH: Final = 4  # bytes
GOODBYE: Final = 2.0  # seconds
_ENVIRONMENT: Final = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR", "TZ", "VIRTUAL_ENV")


async def start(module: str) -> Process:
    """Starts a process that runs a module of this package, without settings and so without secrets. Raises OSError."""
    # -P: whatever lies in the working directory, such as a csv.py, is not ours to run.
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, stdin=PIPE, stdout=PIPE, env=_environment()
    )


def _environment() -> Mapping[str, str]:
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


async def end(process: Process, *, is_ending: bool = False) -> None:
    """Kills the process, unless it has ended, and waits for its end. `is_ending`: it is about to end by itself.

    It is then waited for before any signal: asyncio's `kill` would take the exit code of a process that has ended.
    """
    if is_ending:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GOODBYE)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def send(process: Process, message: bytes) -> None:
    """Writes a message; it is sent once `process.stdin.drain()` returns."""
    assert process.stdin is not None
    process.stdin.write(len(message).to_bytes(LENGTH))
    process.stdin.write(message)


async def receive(process: Process) -> bytes:
    """Returns the next answer. Raises asyncio.IncompleteReadError once the process has ended."""
    assert process.stdout is not None
    return await process.stdout.readexactly(int.from_bytes(await process.stdout.readexactly(LENGTH)))


# ------------------------------------------------------------------------------------------------- the other side


def read(asked: BinaryIO) -> bytes:
    """Returns the next message; empty once the pipe is closed."""
    return asked.read(int.from_bytes(asked.read(LENGTH)))


def answer(answers: BinaryIO, message: bytes) -> None:
    """Write an answer, at once."""
    answers.write(len(message).to_bytes(LENGTH))
    answers.write(message)
    answers.flush()

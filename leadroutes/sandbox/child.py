"""The child process that does the work: pieces come in, results go out, and it ends when its input is closed.

The kernel kills it when a piece takes too much CPU time, and refuses it memory above its limit.
"""

import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

import msgspec

from leadroutes.gc_tuning import tune_garbage_collector
from leadroutes.sandbox import pipes
from leadroutes.sandbox.protocol import BATCH_CPU_SECONDS, MEMORY, NICENESS, PieceResult, SandboxBatch, Status

_BATCHES = msgspec.msgpack.Decoder(SandboxBatch)
_STATM = Path("/proc/self/statm")
_encode = msgspec.msgpack.Encoder().encode


def main() -> None:
    """Answers until the input is closed. SIGINT is ignored: Ctrl+C is meant for the service, not for this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    _limit(resource.RLIMIT_DATA, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is not a result
    while message := pipes.read(asked):
        _work_through(_BATCHES.decode(message), answers)


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _work_through(batch: SandboxBatch, answers: BinaryIO) -> None:
    """Works through a batch; pieces beyond its time are handed back, as other owners may be waiting."""
    work = _SandboxedFunction.of(batch.function)
    begun = now = time.process_time()
    last = len(batch.pieces)
    for number, piece in enumerate(batch.pieces, start=1):
        if now - begun > BATCH_CPU_SECONDS:
            pipes.answer(answers, _encode(PieceResult(Status.NOT_BEGUN, size=_size())))
            continue
        signal.setitimer(signal.ITIMER_PROF, batch.seconds)
        status, content = work.do(piece)
        signal.setitimer(signal.ITIMER_PROF, 0)
        before, now = now, time.process_time()
        size = _size() if number == last else 0
        pipes.answer(answers, _encode(PieceResult(status, now - before, size, content)))


def _size() -> int:
    """Returns the resident memory in KiB, 0 if unknown. The peak (ru_maxrss) would include the parent's."""
    try:
        with _STATM.open("rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return 0


class _SandboxedFunction:
    """A function with its input and output types."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        hints = get_type_hints(function)
        hints.pop("return")
        [asked] = hints.values()
        tune_garbage_collector()
        self._function = function
        self._decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(asked)

    @staticmethod
    @cache
    def of(name: str) -> "_SandboxedFunction":
        module, _, function = name.partition(":")
        if not module.startswith("leadroutes."):
            raise ValueError(name)
        return _SandboxedFunction(getattr(importlib.import_module(module), function))

    def do(self, piece: bytes) -> tuple[Status, bytes]:
        try:
            return Status.DONE, _encode(self._function(self._decoder.decode(piece)))
        except MemoryError:
            return Status.MEMORY, b""
        except Exception as error:  # noqa: BLE001 -- whatever it is, whoever asked has to hear of it
            return Status.BROKEN, type(error).__name__.encode()


if __name__ == "__main__":
    main()

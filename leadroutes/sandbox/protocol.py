"""The messages between the service and its sandbox processes."""

from enum import IntEnum
from typing import Final

from msgspec import Struct

MEMORY: Final = 256 * 1_048_576
"""Bytes that a process may have of its own."""
BATCH_CPU_SECONDS: Final = 0.05
"""Seconds of the processor after which no further piece of a batch is begun."""

NICENESS: Final = 10
"""How much lower the priority of a process is than the service's: others do not wait where the processor is wanted."""


class Status(IntEnum):
    """The outcome of a piece that did not end its process."""

    DONE = 0
    BROKEN = 1  # by an exception; its name is the content
    MEMORY = 2
    NOT_BEGUN = 3


class SandboxBatch(Struct, array_like=True):
    """Pieces for one function; each is answered separately, in this order."""

    function: str
    seconds: float
    pieces: list[bytes]


class PieceResult(Struct, array_like=True):
    """`spent`: CPU seconds; `size`: memory of the process in KiB, sent with the last piece of a batch."""

    status: Status
    spent: float = 0.0
    size: int = 0
    content: bytes = b""

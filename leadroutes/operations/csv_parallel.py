"""Reads a large CSV file with one process per core: reading takes as long as storing, and nothing is stored meanwhile.

Each process runs this module: parts of the file come in, rows go out, and it ends when its input is closed.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import islice
from operator import attrgetter

import msgspec

from leadroutes.errors import Unavailable
from leadroutes.intake.csv_import import ImportedRow, RowError, read_csv, read_records
from leadroutes.intake.csv_tables import Record, split_csv
from leadroutes.operations.gather import gather_or_cancel
from leadroutes.sandbox import pipes

PART = 1000  # rows that a process is given at a time
AHEAD = 1  # parts that a process has besides the one that it reads, so that it never waits for the next
LARGE = 2_000_000  # bytes, some ten thousand rows; a smaller file is read before a process has started

# Not pickled: that would take as long as reading the rows.
_encode = msgspec.msgpack.encode
_HEADER = msgspec.msgpack.Decoder(list[str])
_RECORDS = msgspec.msgpack.Decoder(list[Record])
_READ = msgspec.msgpack.Decoder(tuple[list[ImportedRow], list[RowError]])

Row = ImportedRow | RowError


async def read_csv_together(body: bytes, given: Mapping[str, str] | None = None, *, large: int = LARGE) -> list[Row]:
    """Returns the rows of `read_csv`, in the same order. Raises Unavailable if a reading process has ended."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if len(body) < large or cores == 1:
        return list(read_csv(body, given))
    header, records = split_csv(body, given)
    parts = enumerate(_parts(records))
    read: dict[int, list[Row]] = {}

    async def note_answer(reader: Process, number: int) -> None:
        rows, errors = _READ.decode(await pipes.receive(reader))
        read[number] = sorted([*rows, *errors], key=attrgetter("row"))

    async def read_parts() -> None:
        async with _reader(header) as reader:
            asked: list[int] = []
            for number, part in parts:  # the next part that no process has taken yet
                pipes.send(reader, part)
                asked.append(number)
                if len(asked) > AHEAD:
                    await note_answer(reader, asked.pop(0))
            for number in asked:
                await note_answer(reader, number)

    try:
        await gather_or_cancel(read_parts() for _ in range(cores))
    except (OSError, asyncio.IncompleteReadError) as error:
        raise Unavailable("A process that was reading the file has ended, perhaps for want of memory") from error
    return [row for number in sorted(read) for row in read[number]]


def _parts(records: Iterator[Record]) -> Iterator[bytes]:
    while part := list(islice(records, PART)):
        yield _encode(part)


@contextlib.asynccontextmanager
async def _reader(header: list[str]) -> AsyncIterator[Process]:
    process = await pipes.start(__name__)
    try:
        pipes.send(process, _encode(header))
        yield process
    finally:
        await pipes.end(process)


# ------------------------------------------------------------------------------------------------- the other side


def main() -> None:
    """Answers until the input is closed. SIGINT is ignored: Ctrl+C is meant for the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    header = _HEADER.decode(pipes.read(asked))
    while part := pipes.read(asked):
        pipes.answer(answers, _read(header, part))


def _read(header: list[str], part: bytes) -> bytes:
    rows: list[ImportedRow] = []
    errors: list[RowError] = []
    for each in read_records(header, _RECORDS.decode(part)):
        if isinstance(each, RowError):
            errors.append(each)
        else:
            rows.append(each)
    return _encode((rows, errors))


if __name__ == "__main__":
    main()

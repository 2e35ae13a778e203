"""A receiver of webhooks that notes how many came and whether in order, for little CPU; and one that never answers.

A program (`python -m bench.hook`): its first two lines of output are the two ports; for every line of input it says
{"events", "first", "last", "is_ordered"}: moments are seconds of CLOCK_REALTIME.
"""

import asyncio
import re
import sys
import time
from typing import Any

import msgspec
import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
NUMBER = re.compile(rb'"number" ?: ?(\d+)')
taken: dict[str, Any] = {"events": 0, "first": 0.0, "last": 0.0, "is_ordered": True}
last_number = -1


class Conversation(asyncio.Protocol):
    """One connection: requests, one after the other."""

    def __init__(self, *, answers: bool) -> None:
        self._answers = answers
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._answers and self._take():
            self._transport.write(ANSWER)

    def _take(self) -> bool:
        head, found, rest = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        if not found or length is None or len(rest) < int(length[1]):
            return False
        _note(rest[: int(length[1])])
        self._received = rest[int(length[1]) :]
        return True


def _note(body: bytes) -> None:
    global last_number  # noqa: PLW0603 -- a program of its own
    number = NUMBER.search(body)
    taken["events"] += 1
    taken["last"] = time.time()
    taken["first"] = taken["first"] or taken["last"]
    taken["is_ordered"] = taken["is_ordered"] and number is not None and int(number[1]) == last_number + 1
    last_number = int(number[1]) if number is not None else last_number


async def serve() -> None:
    """Takes events until the input ends."""
    loop = asyncio.get_running_loop()
    for answers in (True, False):
        server = await loop.create_server(lambda answers=answers: Conversation(answers=answers), "127.0.0.1", 0)  # type: ignore[misc]
        print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(msgspec.json.encode(taken).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(serve())

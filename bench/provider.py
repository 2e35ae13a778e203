"""A provider of texts that takes every one at once and notes when it came, for little CPU.

A program (`python -m bench.provider`): its first line of output is the port; for every line of input it says
{"taken": {name of the message: seconds of CLOCK_REALTIME}} of what has come since the line before.
"""

import asyncio
import re
import sys
import time

import msgspec
import uvloop

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
NAME = re.compile(rb"message%3D(\d+\.\d+)")  # in the address of the callback, which is a value of a form
taken: dict[str, float] = {}
count = 0


class Conversation(asyncio.Protocol):
    """One connection: requests, one after the other."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._take():
            pass

    def _take(self) -> bool:
        head, found, rest = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        size = int(length[1]) if length is not None else 0
        if not found or len(rest) < size:
            return False
        self._received = rest[size:]
        self._transport.write(_answer(head, rest[:size]))
        return True


def _answer(head: bytes, body: bytes) -> bytes:
    global count  # noqa: PLW0603 -- a program of its own
    if head.startswith(b"GET "):
        return _json(b"200 OK", b'{"incoming_phone_numbers": [], "next_page_uri": null}')
    count += 1
    if name := NAME.search(body):
        taken[name[1].decode()] = time.time()
    return _json(b"201 Created", b'{"sid": "SM%032d", "status": "queued"}' % count)


def _json(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


async def serve() -> None:
    """Takes texts until the input ends."""
    global taken
    server = await asyncio.get_running_loop().create_server(Conversation, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        reported, taken = taken, {}
        print(msgspec.json.encode({"taken": reported}).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(serve())

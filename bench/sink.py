"""A mail server that takes every mail and forgets it, for little CPU; it answers SMTP as RFC 5321 wants it.

A program (`python -m bench.sink`): its first line of output is the port; for every line of input it says
{"mails", "first", "last"}: how many it has taken, and when (seconds of CLOCK_REALTIME).
"""

import asyncio
import sys
import time

import msgspec
import uvloop

END = b"\r\n.\r\n"
ANSWERS = {
    b"EHLO": b"250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"HELO": b"250 sink\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}
taken = {"mails": 0, "first": 0.0, "last": 0.0}


class Conversation(asyncio.Protocol):
    """One connection: commands, one a line, and mails, each until a line with a dot."""

    def __init__(self) -> None:
        self._received = b""
        self._is_in_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._take_mail() if self._is_in_mail else self._take_command():
            pass

    def _take_command(self) -> bool:
        line, found, rest = self._received.partition(b"\r\n")
        if not found:
            return False
        self._received = rest
        verb = line[:4].upper()
        self._is_in_mail = verb == b"DATA"
        self._transport.write(ANSWERS.get(verb, b"250 OK\r\n"))
        if verb == b"QUIT":
            self._transport.close()
        return True

    def _take_mail(self) -> bool:
        _, found, rest = self._received.partition(END)
        if not found:
            return False
        self._received, self._is_in_mail = rest, False
        self._transport.write(b"250 OK\r\n")
        taken["mails"] += 1
        taken["last"] = time.time()
        taken["first"] = taken["first"] or taken["last"]
        return True


async def serve() -> None:
    """Takes mails until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Conversation, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(msgspec.json.encode(taken).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(serve())

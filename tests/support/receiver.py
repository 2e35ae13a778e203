"""A receiver of webhooks: a real HTTP server on loopback that keeps its connections, and what it was sent, in order."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

import pytest


@dataclass(frozen=True)
class Message:
    """One request."""

    target: str
    headers: dict[str, str]  # in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`status`, `answer` and `extra` are the answer to all, unless `statuses` has one for the next.

    A hanging receiver answers nothing until it is `released`.
    """

    status: int = 200
    answer: bytes = b"ok"
    extra: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    is_hanging: bool = False
    is_endless: bool = False
    messages: list[Message] = field(default_factory=list)
    connections: int = 0
    host: str = "127.0.0.1"
    context: ssl.SSLContext | None = None
    server: asyncio.Server | None = None
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def port(self) -> int:
        assert self.server is not None
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/leads"

    @property
    def types(self) -> list[str]:
        return [message.json["type"] for message in self.messages]

    async def wait_for(self, count: int) -> None:
        """Until so many messages have come."""
        async with asyncio.timeout(30), self.came:
            await self.came.wait_for(lambda: len(self.messages) >= count)

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.server is not None
        self.released.set()
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.messages.append(Message(head[0].split(" ")[1], headers, body))
        async with self.came:
            self.came.notify_all()
        if self.is_hanging:
            await self.released.wait()
            return False
        status = self.statuses.pop(0) if self.statuses else self.status
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.extra.items())
        if self.is_endless:
            writer.write(f"HTTP/1.1 {status} X\r\n{extra}Transfer-Encoding: chunked\r\n\r\n".encode())
            while True:
                writer.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
                await writer.drain()
        writer.write(f"HTTP/1.1 {status} X\r\n{extra}Content-Length: {len(self.answer)}\r\n\r\n".encode() + self.answer)
        await writer.drain()
        return True


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver

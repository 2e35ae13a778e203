"""A vendor's server on loopback: answers as it is set to, and keeps what it was asked. HTTP by hand."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self

import httpx


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Vendor:
    """`answers` by path without query, each once or, as a lone Answer, always; `asked` are (host, target, headers)."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    @property
    def targets(self) -> list[str]:
        return [target.partition("?")[0] for _, target, _ in self.asked]

    def tell(self, path: str, value: Any, status: int = 200) -> None:
        """JSON at this path, from now on."""
        self.answers[path] = Answer(status, json.dumps(value).encode())

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.server is not None
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        target = head[0].split(" ")[1]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        self.asked.append((headers.get("host", ""), target, headers))
        answer = self.answers.get(target.partition("?")[0], Answer(404))
        if isinstance(answer, list):
            answer = answer.pop(0)
        extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        start = f"HTTP/1.1 {answer.status} X\r\nContent-Length: {len(answer.body)}\r\nConnection: close\r\n{extra}\r\n"
        writer.write(start.encode() + answer.body)
        await writer.drain()
        writer.close()


class ToVendor(httpx.AsyncBaseTransport):
    """Every request goes to the vendor on loopback, whatever host it names: as if that were the vendor's own."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        there = httpx.URL(self._vendor.url)
        request.url = request.url.copy_with(scheme="http", host=there.host, port=there.port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

"""A way to the database that can be shut, as when a network breaks: what is open is cut, what is new is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit, urlunsplit


class TcpProxy:
    """`open()` gives the address of the way; `shut()` and `unlock()` as often as one likes."""

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        self.port = 0
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        await self.unlock()
        yield urlunsplit(self.parts._replace(netloc=f"postgres@127.0.0.1:{self.port}", query=""))
        await self.shut()

    async def unlock(self) -> None:
        self.server = await asyncio.start_server(self.through, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        directory = parse_qs(self.parts.query).get("host")
        there = (
            await asyncio.open_unix_connection(f"{directory[0]}/.s.PGSQL.5432")
            if directory
            else await asyncio.open_connection(self.parts.hostname, self.parts.port)
        )
        self.writers |= {writer, there[1]}
        await asyncio.gather(self.pass_on(reader, there[1]), self.pass_on(there[0], writer))

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

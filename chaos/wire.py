"""Sends bytes to a service as they are, quickly or one at a time, and reads whatever comes back.

A client library would repair or refuse what a hostile client sends, so none is used.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
LONGEST_ANSWER = 64 * 2**20  # bytes; a page has at most 16 MiB
BETWEEN_BYTES = 0.1  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: `content` at once, then `slowly` byte after byte. Without `reads` the answer is not taken."""

    content: bytes
    slowly: bytes = b""
    reads: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. Names of headers are in small letters; values of the same name are lines of one value."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def http(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request that is well-formed as far as its parts are; the service closes the connection after its answer."""
    lines = {"Host": HOST, "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


async def send(port: int, request: Request, seconds: float) -> Answer | None:
    """Returns the answer; None if there is none in time, or the connection is closed without one."""
    writer: asyncio.StreamWriter | None = None
    writing: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(HOST, port)
            writing = asyncio.create_task(_write(writer, request))
            if not request.reads:
                await asyncio.sleep(seconds)
            return await _read(reader)
    except (OSError, TimeoutError):
        return None
    finally:
        if writing is not None:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        if writer is not None:
            writer.transport.abort()


async def _write(writer: asyncio.StreamWriter, request: Request) -> None:
    with contextlib.suppress(OSError):  # the service answers and closes while this is still sending
        writer.write(request.content)
        await writer.drain()
        for byte in request.slowly:
            await asyncio.sleep(BETWEEN_BYTES)
            writer.write(bytes([byte]))
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Answer | None:
    """Everything until the connection is closed; of several answers, the first with all that follows as its body."""
    content = bytearray()
    with contextlib.suppress(ConnectionError):
        while len(content) < LONGEST_ANSWER and (part := await reader.read(2**18)):
            content += part
    return parsed(bytes(content))


def parsed(content: bytes) -> Answer | None:
    """Returns the answer in these bytes; None where they do not begin with one that is whole up to its body."""
    head, end, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if not end or not first.startswith("HTTP/1.") or len(words) < 2 or not words[1].isdecimal():
        return None
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        key = name.strip().lower()
        headers[key] = f"{headers[key]}\n{value.strip()}" if key in headers else value.strip()
    is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    return Answer(status=int(words[1]), headers=headers, body=_joined(body) if is_chunked else body)


def _joined(body: bytes) -> bytes:
    """The pieces of a chunked body without their lengths, so that a word is found across two of them."""
    joined, rest = bytearray(), body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        if not length:
            break
        joined += rest[:length]
        rest = rest[length + 2 :]
    return bytes(joined)

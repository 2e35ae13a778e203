"""Head and body of an answer leave together, on real sockets; and answers without a body leave, too."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leadroutes.server.run import listen, running_service
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database

END = b"Host: x\r\n\r\n"


@pytest.fixture
async def port(database: Database, tmp_path: Path) -> AsyncIterator[int]:
    listening = listen("127.0.0.1", 0)
    settings = Settings(data=tmp_path, secret="a secret of the tests")
    async with running_service(settings, database, listening, with_worker=False):
        yield listening.getsockname()[1]


async def said(port: int, *pieces: bytes) -> bytes:
    """All that is answered to these bytes until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


CLOSE = b"Connection: close\r\n"


async def test_a_body_follows_its_head(port: int) -> None:
    head, _, body = (await said(port, b"GET /healthz HTTP/1.1\r\n" + CLOSE + END)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: %d" % len(body) in head
    assert body


@pytest.mark.parametrize(
    ("request_line", "status"),
    [(b"HEAD /healthz HTTP/1.1", b"200"), (b"OPTIONS /lead-routes HTTP/1.1", b"204")],
    ids=["HEAD", "no content"],
)
async def test_an_answer_without_a_body_leaves_at_once(port: int, request_line: bytes, status: bytes) -> None:
    last = b"GET /healthz HTTP/1.1\r\n" + CLOSE + END
    answer = await said(port, request_line + b"\r\n" + END, last)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1 ") == 2


async def test_requests_that_come_at_once_are_answered_in_order(port: int) -> None:
    paths = (b"/healthz", b"/nowhere", b"/healthz")
    pieces = [b"GET %s HTTP/1.1\r\n%s" % (path, END) for path in paths]
    answer = await said(port, b"".join(pieces) + b"HEAD /healthz HTTP/1.1\r\n" + CLOSE + END)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"401", b"200", b"200"]


async def test_who_waits_for_a_go_ahead_gets_it(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /oauth2/token HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" + END)
    async with asyncio.timeout(10):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_page_of_a_hundred_kilobytes_comes_whole(port: int) -> None:
    answer = await said(port, b"GET /openapi.json HTTP/1.1\r\n" + CLOSE + END)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head
    assert len(body) > 100_000

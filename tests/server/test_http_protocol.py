"""How large a request line, a header line and a head may be, on real sockets, in whichever packets they come."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from leadroutes.server.http_protocol import (
    MAX_HEAD_BYTES,
    MAX_REQUEST_LINE_BYTES,
    MAX_TARGET_BYTES,
    MAX_UNREAD_BYTES,
)
from leadroutes.server.run import listen, running_service
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.town import Town

GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = GOOD.replace(b"Host", b"Connection: close\r\nHost")
POST = b"POST /tags HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """The service behind a port; `application` is its number."""
    listening = listen("127.0.0.1", 0)
    town = await Town.create(database, listening.getsockname()[1])
    settings = Settings(data=tmp_path, secret="a secret of the tests", body_timeout=5)
    async with running_service(settings, database, listening, with_worker=False):
        yield town


async def answers_to(port: int, *packets: bytes) -> bytes:
    """All that is answered, until the service closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for packet in packets:
        writer.write(packet)
        await asyncio.sleep(0)
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def pieces(request: bytes, size: int) -> Iterator[bytes]:
    return (request[start : start + size] for start in range(0, len(request), size))


def target(length: int) -> bytes:
    return b"GET /healthz?" + b"a" * (length - len("/healthz?")) + b" HTTP/1.1\r\nHost: x\r\n\r\n"


def line(length: int, name: bytes = b"X-Long", fill: bytes = b"a") -> bytes:
    """A request whose longest header line has so many bytes, its end included."""
    start = name + b": "
    return b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + start + (fill * length)[: length - len(start) - 2] + b"\r\n\r\n"


def head(length: int) -> bytes:
    start, end = b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"\r\n"
    lines = b"X-Short: 123\r\n" * ((length - len(start) - len(end)) // 14 - 1)
    left = length - len(start) - len(lines) - len(end)
    return start + lines + b"X: " + b"y" * (left - 5) + b"\r\n" + end


WITHIN = {
    "a long target": target(MAX_TARGET_BYTES),
    "a long line": line(MAX_REQUEST_LINE_BYTES),
    "a long head": head(MAX_HEAD_BYTES),
}
BEYOND = {
    "a target too long": (414, target(MAX_TARGET_BYTES + 1)),
    "a target without end": (414, b"GET /" + b"a" * 60_000),
    "a line too long": (431, line(MAX_REQUEST_LINE_BYTES + 1)),
    "a name too long": (431, b"GET /healthz HTTP/1.1\r\n" + b"x" * 60_000 + b": y\r\n\r\n"),
    "a token with blanks": (431, line(60_000, b"Authorization", b"Bearer ")),
    "blanks before a value": (431, line(60_000, b"Authorization", b" ")),
    "a cookie of backslashes": (431, line(60_000, b"Cookie", b"\\")),
    "a head too large": (431, head(MAX_HEAD_BYTES + 1)),
    "a head of many lines": (431, b"GET /healthz HTTP/1.1\r\n" + b"X: 1\r\n" * 20_000 + b"\r\n"),
    "a line without end": (431, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000),
    "blank lines": (431, b"\r\n" * 20_000),
}
SIZES = (1_000_000, 8_000, 999, 61)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", WITHIN)
async def test_a_head_within_the_limits_is_read(town: Town, case: str, size: int) -> None:
    assert statuses(await answers_to(town.application, *pieces(WITHIN[case] + LAST, size))) == [200, 200]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", BEYOND)
async def test_a_head_beyond_the_limits_is_refused(town: Town, case: str, size: int) -> None:
    status, request = BEYOND[case]
    answer = await answers_to(town.application, *pieces(request, size))
    start, _, body = answer.partition(b"\r\n\r\n")

    assert statuses(answer) == [status]
    assert b"\r\nconnection: close" in start.lower()
    error = json.loads(body)
    assert list(error) == ["name", "message", "code", "className", "errors"]
    assert (error["code"], error["name"]) in {(414, "UriTooLong"), (431, "RequestHeaderFieldsTooLarge")}


@pytest.mark.parametrize("before", [GOOD, POST], ids=["a GET", "a POST"])
@pytest.mark.parametrize(
    "case", ["a target too long", "a name too long", "a cookie of backslashes", "a head of many lines"]
)
async def test_a_head_beyond_the_limits_is_refused_behind_another_request(town: Town, case: str, before: bytes) -> None:
    """The request before it is answered first where that has begun; the bad one never reaches a reader."""
    status, request = BEYOND[case]
    for packets in ((before + request,), (before, request)):
        answered = statuses(await answers_to(town.application, *packets))
        assert answered in ([], [200 if before is GOOD else 401], [200 if before is GOOD else 401, status])


async def test_a_connection_that_waits_with_an_answer_refuses_the_next_head_too(town: Town) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
    for request, status in (
        (GOOD, 200),
        (POST, 401),
        (line(MAX_REQUEST_LINE_BYTES), 200),
        (line(MAX_REQUEST_LINE_BYTES + 1), 431),
    ):
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        assert statuses(answer) == [status]
    assert await reader.read() == b""
    writer.close()


async def test_whoever_goes_on_sending_after_a_refusal_is_cut_off(town: Town) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
    writer.write(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"a" * 20_000)
    assert statuses(await reader.read()) == [431]
    async with asyncio.timeout(20):
        with pytest.raises(ConnectionError):
            await send_for_ever(writer)
    writer.close()


async def test_whoever_goes_on_sending_a_body_after_its_answer_is_cut_off(town: Town) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
    writer.write(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n")
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401 ")
    with pytest.raises(ConnectionError):
        await send(writer, 4 * MAX_UNREAD_BYTES)
    writer.close()


async def send(writer: asyncio.StreamWriter, size: int) -> None:
    for _ in range(size // 262_144):
        writer.write(b"a" * 262_144)
        await writer.drain()


async def send_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


async def test_a_trailer_is_not_taken_for_a_header(town: Town) -> None:
    request = (
        b"GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        b"Authorization: Bearer %s\r\n\r\n" % town.tokens["alice"].encode()
    )
    assert statuses(await answers_to(town.application, request)) == [401]


@pytest.mark.parametrize("size", [1_000_000, 1, 7, 33])
@pytest.mark.parametrize("protocol", [b"Upgrade: h2c\r\n", b"UPGRADE:websocket\r\n", b"Upgrade:\r\n", b"Up: x\r\n"])
async def test_who_asks_for_another_protocol_is_answered_in_this_one(town: Town, protocol: bytes, size: int) -> None:
    """Java's client does so with its first request, and goes on with the connection."""
    token = b"Authorization: Bearer %s\r\n" % town.tokens["alice"].encode()
    start = b"POST /contact-sources HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + token
    ask = b"Connection: Upgrade, HTTP2-Settings\r\n" + protocol + b"HTTP2-Settings: AAMAAABk\r\n"
    request = start + ask + b'Content-Length: 14\r\n\r\n{"name":"Far"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
    for _ in range(2):
        for piece in pieces(request, size):
            writer.write(piece)
            await asyncio.sleep(0)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert statuses(answer) == [201]
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert b'"Far"' in await reader.readexactly(length)
    writer.close()


async def test_another_protocol_behind_another_request_is_refused_and_no_body_is_lost(town: Town) -> None:
    request = b"POST /tags HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n12345"
    assert statuses(await answers_to(town.application, POST + request)) in ([], [401], [401, 400])


async def test_every_request_line_of_the_dialect_is_taken(town: Town) -> None:
    """8,000 bytes of it at least, as clients with long filters send them."""
    request = b"GET /contacts?" + b"&".join(b"id[$in][]=%d" % number for number in range(500, 1_070)) + b" HTTP/1.1\r\n"
    assert 8_000 < len(request) < 9_000
    token = b"Host: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n" % town.tokens["alice"].encode()
    assert statuses(await answers_to(town.application, request + token)) == [200]

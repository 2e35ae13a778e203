"""Clients that take their time, on real sockets: no one holds a connection open with a byte now and then."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leadroutes.server.http_protocol import MAX_BYTES_AT_ONCE, MAX_FRAME_BYTES
from leadroutes.server.http_protocol import _HttpProtocol as Connection
from leadroutes.server.request_metrics import Receive, Scope, Send
from leadroutes.server.run import listen, running_service, serving_http
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.town import Town

PATIENCE = 0.4  # seconds
GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
TCP_CLOSED = bytes([7])


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """The service behind a port, `application` is its number."""
    listening = listen("127.0.0.1", 0)
    settings = Settings(data=tmp_path, secret="a secret of the tests", body_timeout=PATIENCE)
    town = await Town.create(database, listening.getsockname()[1])
    async with running_service(settings, database, listening, with_worker=False):
        yield town


async def drip(port: int, quick: bytes, slow: bytes) -> bytes:
    """All that is answered to a client that sends the rest byte after byte, until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(quick)
    answer, waiting = b"", list(slow)
    async with asyncio.timeout(PATIENCE * 20):
        while True:
            try:
                part = await asyncio.wait_for(reader.read(65_536), 0.02)
            except TimeoutError:
                if waiting:
                    writer.write(bytes([waiting.pop(0)]))
                continue
            except ConnectionError:
                part = b""
            if not part:
                writer.close()
                assert waiting, "it was all taken"
                return answer
            answer += part


ENDLESS = b"x" * 10_000
POST = b"POST /tags HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n"
SLOW = [
    ("nothing at all", b"", b" "),
    ("the request line", b"GET /health", ENDLESS),
    ("the headers", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", ENDLESS),
    ("blank lines", b"\r\n", b"\r\n" * 5_000),
    ("blank lines after an answer", GOOD, b"\r\n" * 5_000),
    ("the second request", GOOD + b"GET /heal", ENDLESS),
    ("a body that is not read", POST + b"\r\n", ENDLESS),
    ("the lengths of pieces", b"GET /me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;", ENDLESS),
]


@pytest.mark.parametrize(("case", "quick", "slow"), SLOW, ids=[case for case, _, _ in SLOW])
async def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(town: Town, case, quick, slow) -> None:
    if case == "nothing at all":
        _, writer = opened = await asyncio.open_connection("127.0.0.1", town.application)
        async with asyncio.timeout(PATIENCE * 20):
            assert await _all_of(opened[0]) == b""
        writer.close()
        return
    answer = await drip(town.application, quick, slow)

    assert answer.count(b"HTTP/1.1 ") == (quick.count(GOOD) or "not read" in case or "pieces" in case)


async def test_a_body_that_takes_too_long_gets_an_answer_before_it_is_cut_off(town: Town) -> None:
    token = f"Authorization: Bearer {town.tokens['alice']}\r\n\r\n".encode()
    answer = await drip(town.application, POST + token, ENDLESS)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["name"] == "Timeout"


async def test_a_head_without_end_is_refused(town: Town) -> None:
    for begun in (b"GET /", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"GET /healthz HTTP/1.1\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
        more = b"X-Short: 1\r\n" * 20_000 if begun.endswith(b"1\r\n") else b"x" * (2 * MAX_FRAME_BYTES)
        writer.write(begun + more)
        answer = await _all_of(reader)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 414 " if begun == b"GET /" else b"HTTP/1.1 431 ")


async def test_a_client_that_takes_no_answer_is_cut_off(town: Town) -> None:
    """Answers are asked for and left lying about, until no buffer holds more."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", town.application))
    await loop.sock_sendall(client, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 60)
    async with asyncio.timeout(PATIENCE * 20):
        while client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != TCP_CLOSED:  # noqa: ASYNC110 -- a kernel's
            await asyncio.sleep(0.05)
    client.close()


WHOLE = 1_000_000
LONG_PATIENCE = 1.0  # seconds: client and service share a loop, and a busy machine stops both


@contextlib.asynccontextmanager
async def asked_for_much(*headers: tuple[bytes, bytes]) -> AsyncIterator[socket.socket]:
    """A client that has asked for a long answer, of which little fits in between."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
            return
        length = (b"content-length", b"%d" % WHOLE)
        await send({"type": "http.response.start", "status": 200, "headers": [length, *headers]})
        await send({"type": "http.response.body", "body": bytes(WHOLE)})

    listening = listen("127.0.0.1", 0)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    async with serving_http(Settings(body_timeout=LONG_PATIENCE), application, listening):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, listening.getsockname())
            await loop.sock_sendall(client, GOOD)
            yield client


async def test_an_answer_that_is_taken_slowly_is_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on for longer than a connection may stand idle, which it does not."""
    monkeypatch.setattr("leadroutes.server.run.KEEP_ALIVE_TIMEOUT", PATIENCE)
    loop = asyncio.get_running_loop()
    async with asked_for_much() as client:
        taken = 0
        while taken < WHOLE and (part := await loop.sock_recv(client, 65_536)):
            taken += len(part)
            await asyncio.sleep(len(part) / WHOLE * LONG_PATIENCE * 2)
        assert taken > WHOLE
        async with asyncio.timeout(PATIENCE * 20):  # then it is idle
            assert await loop.sock_recv(client, 1) == b""


async def test_who_leaves_the_end_of_the_last_answer_is_cut_off() -> None:
    loop = asyncio.get_running_loop()
    async with asked_for_much((b"connection", b"close")) as client:
        assert await loop.sock_recv(client, 1024)
        [connection] = _open_connections()
        connection.transport.set_write_buffer_limits(high=WHOLE // 2)  # so that the rest is more than a kernel takes
        while connection.flow.write_paused:
            assert await loop.sock_recv(client, 1024)
        assert connection.transport.get_write_buffer_size()
        async with asyncio.timeout(PATIENCE * 20):
            while connection in connection.connections:  # noqa: ASYNC110 -- uvicorn's, of those that are open
                await asyncio.sleep(0.05)


async def test_of_requests_that_come_at_once_few_are_held_until_their_turn() -> None:
    """A packet holds thousands of them, and each would take memory until it is answered."""
    goes_on, many = asyncio.Event(), 5_000

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        await goes_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    listening = listen("127.0.0.1", 0)
    async with serving_http(Settings(body_timeout=LONG_PATIENCE), application, listening):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(GOOD * (many - 1) + GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        async with asyncio.timeout(30):
            while not (waiting := _waiting_requests()):  # noqa: ASYNC110 -- until the service has read something
                await asyncio.sleep(0.01)
            assert waiting <= MAX_BYTES_AT_ONCE / len(GOOD)
            goes_on.set()
            assert (await reader.read()).count(b"HTTP/1.1 204") == many
        writer.close()


def _open_connections() -> list[Connection]:
    """The service's ends of those in this loop."""
    transports = asyncio.get_running_loop()._transports.values()  # type: ignore[attr-defined] -- no public way
    ends = [each.get_protocol() for each in transports]
    return [each for each in ends if isinstance(each, Connection)]


def _waiting_requests() -> int:
    return sum(len(each.pipeline) for each in _open_connections())


async def test_a_stream_ends_with_its_client_whatever_was_asked_behind_it() -> None:
    is_over = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.create_task(receive())
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"still here", "more_body": True})
            await asyncio.wait([leaving], timeout=0.01)
        assert leaving.result() == {"type": "http.disconnect"}
        is_over.set()

    listening = listen("127.0.0.1", 0)
    async with serving_http(Settings(body_timeout=LONG_PATIENCE), application, listening):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(GOOD)
        await reader.readuntil(b"still here")
        writer.write(GOOD)
        while not _waiting_requests():
            await reader.readuntil(b"still here")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        async with asyncio.timeout(10):
            await is_over.wait()


@pytest.mark.parametrize("connection", [b"close", b"keep-alive"])
async def test_who_sends_a_whole_body_before_reading_gets_the_answer(town: Town, connection: bytes) -> None:
    """Many clients do not listen while they send; the body is answered long before it has come."""
    size = 8_000_000
    head = b"POST /contacts HTTP/1.1\r\nHost: x\r\nConnection: %s\r\nContent-Type: application/json\r\n" % connection
    token = b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (town.tokens["alice"].encode(), size)

    def send_then_read() -> bytes:
        with socket.create_connection(("127.0.0.1", town.application), 20) as client:
            client.sendall(head + token + b" " * size)
            return client.recv(65_536)

    assert (await asyncio.to_thread(send_then_read)).startswith(b"HTTP/1.1 400 ")


async def test_nothing_waits_for_a_connection_that_was_reset(town: Town) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
    writer.write(GOOD)
    await reader.readuntil(b"\r\n\r\n")
    [connection] = _open_connections()
    assert connection.timeout_keep_alive_task
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    async with asyncio.timeout(10):
        while connection in connection.connections:  # noqa: ASYNC110 -- until the service has noticed
            await asyncio.sleep(0.01)
    assert not connection.timeout_keep_alive_task


async def test_who_pauses_between_requests_and_sends_each_at_once_is_served_on(town: Town) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
    refused = POST.replace(b"9000", b"5") + b"\r\n"
    for request in (GOOD, refused + b"12345", refused, b"12345" + GOOD, GOOD):
        writer.write(request)
        answered = 0 if request == b"" else request.count(b" HTTP/1.1\r\n")
        for _ in range(answered):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        with pytest.raises(TimeoutError):  # longer than the service waits for what has begun
            await asyncio.wait_for(reader.read(1), PATIENCE * 1.5 if request == GOOD else 0.01)
    writer.close()


UNREADABLE = [
    b"GET /me x HTTP/1.1\r\n\r\n",
    b"GET /me?\xc3\xa9 HTTP/1.1\r\n\r\n",
    b"get /me HTTP/1.1\r\n\r\n",
    b"POST /me HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    b"POST /me HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


@pytest.mark.parametrize("request_", UNREADABLE)
async def test_what_is_not_http_is_answered_in_the_form_of_all_errors(town: Town, request_: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.application)
    writer.write(request_)
    head, _, body = (await _all_of(reader)).partition(b"\r\n\r\n")
    writer.close()

    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["name"] == "BadRequest"


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""

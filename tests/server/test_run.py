"""The service as a process: it sets itself up, answers, finishes what is under way, and outlives its database."""

import asyncio
import signal

import asyncpg
import httpx

from leadroutes.store.postgres import Database
from tests.support.arrivals import BODY
from tests.support.databases import with_database
from tests.support.processes import Node, serving, until
from tests.support.tcp_proxy import TcpProxy


async def test_it_answers_and_ends_with_0_when_asked_to_stop(database_url: str, key: str) -> None:
    async with serving(database_url) as running, httpx.AsyncClient(base_url=running.address) as client:
        taken = await client.post(f"/intake/{key}", content=BODY, headers={"Content-Type": "application/json"})
        assert taken.status_code == 201
        assert await running.stop() == 0


async def test_a_request_under_way_is_answered_before_it_stops(database: Database, database_url: str, key: str) -> None:
    async with serving(database_url) as running:
        host, port = running.address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /intake/{key} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:10])
        await writer.drain()
        await until(lambda: is_connected(running))
        running.process.send_signal(signal.SIGTERM)
        await until(lambda: refuses(host, int(port)))
        writer.write(BODY[10:])

        answer = await asyncio.wait_for(reader.read(), 20)

        assert answer.startswith(b"HTTP/1.1 201")
        assert await asyncio.wait_for(running.process.wait(), 30) == 0
        writer.close()
    assert await database.fetchval("SELECT count(*) FROM leads") == 1


async def is_connected(running: Node) -> bool:
    """The head of the request before has been read once another request is answered."""
    async with httpx.AsyncClient(base_url=running.address) as client:
        return (await client.get("/healthz")).status_code == 200


async def refuses(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return True
    writer.close()
    return False


async def test_an_empty_database_is_set_up_and_the_first_step_is_named(server_url: str) -> None:
    connection = await asyncpg.connect(server_url)
    await connection.execute("CREATE DATABASE empty_house")
    try:
        async with serving(with_database(server_url, "empty_house")) as running:
            assert running.process.stdout is not None
            printed = [(await running.process.stdout.readline()).decode() for _ in range(2)]
            assert "open this within 24 hours" in printed[0]
            link = printed[1].strip()
            assert link.startswith(f"{running.address}/setup/")
            async with httpx.AsyncClient() as client:
                assert "Set up Lead Routes" in (await client.get(link)).text
            assert await running.stop() == 0
            assert any("leadroutes setup-link" in line for line in running.log), running.log
            assert link.rpartition("/")[2] not in "".join(running.log)
    finally:
        await connection.execute("DROP DATABASE empty_house WITH (FORCE)")
        await connection.close()


async def test_the_log_holds_no_secret(database_url: str, key: str) -> None:
    async with serving(database_url) as running, httpx.AsyncClient(base_url=running.address) as client:
        await client.post(f"/intake/{key}", content=b"{", headers={"Content-Type": "application/json"})
        await running.stop()
        assert key not in "".join(running.log)


async def test_without_the_database_it_asks_for_patience_and_recovers(database_url: str, key: str) -> None:
    door = TcpProxy(database_url)
    async with (
        door.open() as url,
        serving(url, "--no-worker") as running,
        httpx.AsyncClient(base_url=running.address, timeout=20, headers={"Content-Type": "application/json"}) as client,
    ):
        await door.shut()
        away = await client.post(f"/intake/{key}", content=BODY)
        assert away.status_code == 503
        assert int(away.headers["retry-after"]) > 0

        await door.unlock()

        async def is_back() -> bool:
            return (await client.post(f"/intake/{key}", content=BODY)).status_code in (200, 201)

        await until(is_back)

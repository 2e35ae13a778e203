"""Which of several servers is talked to, and when it is left."""

import contextlib
import socket
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import pytest

from leadroutes.errors import Misconfigured, Unavailable
from leadroutes.store.hosts import Hosts, each_host
from leadroutes.store.postgres import Database
from tests.support.tcp_proxy import TcpProxy


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://one/db", [{}]),
        ("postgresql://postgres@/db?host=/run/postgresql", [{}]),
        ("postgresql://me:a,b@one:1,two/db", [{"host": "one", "port": 1}, {"host": "two"}]),
        ("postgresql://one,[::1]:5/db?port=7", [{"host": "one", "port": 7}, {"host": "::1", "port": 5}]),
        ("postgresql:///db?host=/a,/b&port=1,2", [{"host": "/a", "port": 1}, {"host": "/b", "port": 2}]),
        ("postgresql://%2Frun%2Fa,two/db", [{"host": "/run/a"}, {"host": "two"}]),
    ],
)
def test_a_url_names_one_host_or_several(url: str, hosts: list[dict[str, object]]) -> None:
    assert each_host(url) == hosts


@pytest.mark.parametrize(
    ("url", "about"),
    [
        ("postgresql://one,two:a/db", "the host 'two:a' was given"),
        ("postgresql://one,two/db?port=1,2,3", "2 hosts and 3 ports"),
    ],
)
def test_what_names_no_host_is_reported(url: str, about: str) -> None:
    with pytest.raises(Misconfigured, match=about):
        each_host(url)


async def test_a_host_that_does_not_answer_is_passed_over_and_asked_last_from_then_on(database_url: str) -> None:
    with silent() as port:
        hosts = Hosts(several(database_url, f"127.0.0.1:{port}"), answers_within=0.5)
        for _ in range(3):
            connection = await hosts.connect()
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()
        assert hosts._last == 1


async def test_the_driver_need_not_read_which_hosts_there_are(database_url: str) -> None:
    """Newer releases of Python refuse an address in brackets beside another host."""
    parts = urlsplit(database_url)
    own = parts.netloc.rpartition("@")[2] or quote(parse_qs(parts.query)["host"][0], safe="")
    hosts = Hosts(f"postgresql://postgres@[::1]:{free_port()},{own}{parts.path}", answers_within=0.5)
    connection = await hosts.connect()
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_where_no_host_answers_each_is_named() -> None:
    with silent() as port:
        closed = free_port()
        hosts = Hosts(f"postgresql://127.0.0.1:{port},127.0.0.1:{closed}/db", answers_within=0.2)
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: it does not answer; 127.0.0.1:{closed}: .*failed"):
            await hosts.connect()


async def test_types_that_come_with_postgresql_are_looked_up_once(database_url: str) -> None:
    looked_up: list[int] = []
    for number in range(3):
        connection = await Hosts(database_url).connect()
        connection.add_query_logger(lambda asked, number=number: "typeinfo" in asked.query and looked_up.append(number))
        assert await connection.fetchval("SELECT array_append($1::bigint[], 2)", [1]) == [1, 2]
        if number == 1:
            await connection.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
        if number > 0:
            assert await connection.fetchval("SELECT ARRAY[$1::mood]", "good") == ["good"]
        await connection.close()

    assert looked_up.count(0) <= 1
    assert set(looked_up) >= {1, 2}, "what is not PostgreSQL's own may differ"
    assert looked_up.count(1) == looked_up.count(2)


async def test_of_several_only_one_that_takes_writes_will_do(database_url: str) -> None:
    async with read_only(database_url):
        with pytest.raises(OSError, match="a standby"):
            await Hosts(several(database_url, "127.0.0.1:1")).connect()
        connection = await Hosts(several(database_url, "127.0.0.1:1") + "&target_session_attrs=any").connect()
        await connection.close()
    separator = "&" if "?" in database_url else "?"
    with pytest.raises(OSError, match="the server"):
        await Hosts(f"{database_url}{separator}target_session_attrs=standby").connect()


async def test_connections_to_what_takes_no_writes_any_more_are_left(database: Database, database_url: str) -> None:
    async with read_only(database_url):
        await database.pool.expire_connections()
        with pytest.raises(Unavailable):
            await database.execute("UPDATE domain_clock SET scale = scale")
    await database.execute("UPDATE domain_clock SET scale = scale")


async def test_a_session_that_idles_in_a_transaction_releases_its_locks(database: Database) -> None:
    """As a process does whose machine is paused; when it goes on its caller hears that it was nothing."""
    assert await database.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"
    with pytest.raises(Unavailable):
        await stand_still(database)
    assert await database.fetchval("SELECT scale FROM domain_clock") == 1


async def stand_still(database: Database) -> None:
    """For longer than it may be, here a moment, while another session waits for the lock."""
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE domain_clock SET scale = 7")
        await transaction.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        await database.execute("UPDATE domain_clock SET scale = scale")
        await transaction.execute("UPDATE domain_clock SET scale = 8")


async def test_that_a_machine_has_died_is_noticed(database_url: str) -> None:
    """By the kernel: its packets are not acknowledged."""
    async with TcpProxy(database_url).open() as url:
        connection = await Hosts(url).connect()
        connected = connection._transport.get_extra_info("socket")
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert 0 < connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 30_000
        await connection.close()


def several(url: str, other: str) -> str:
    """The database of a URL behind another host."""
    parts = urlsplit(url)
    own = parse_qs(parts.query).get("host", [parts.netloc.rpartition("@")[2]])[0]
    name, _, port = other.partition(":")
    return f"postgresql://postgres@{parts.path}?host={name},{own}&port={port},{parts.port or 5432}"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def silent():
    """The port of a server that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@contextlib.asynccontextmanager
async def read_only(url: str) -> AsyncIterator[None]:
    """Sessions that begin meanwhile take no writes."""
    keeper = await asyncpg.connect(url)
    name = await keeper.fetchval("SELECT current_database()")
    await keeper.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        yield
    finally:
        await keeper.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await keeper.close()

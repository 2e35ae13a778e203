"""One process after the other is replaced, under load: no request fails, nothing that was begun is left undone."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from chaos.postgres import free_port
from leadroutes.store.postgres import Database
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.load_balancer import balancing
from tests.support.mailbox import Mailbox
from tests.support.processes import SERVE_ONLY, WORKER, Node, node, until

pytestmark = pytest.mark.timeout(300)

STOP_DELAY = "1"  # ten times as long as the balancer takes to notice


async def test_every_process_is_replaced_under_load_and_every_request_is_answered(
    cluster: Cluster, database: Database
) -> None:
    environment = cluster.environment | {"LEADROUTES_STOP_DELAY": STOP_DELAY}
    ports = [free_port(), free_port()]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    async with balancing(*addresses) as balancer, AsyncExitStack() as running:

        async def start(*arguments: str) -> Node:
            return await running.enter_async_context(node(environment, *arguments))

        serving = [await start("serve", "--no-worker", "--port", str(port)) for port in ports]
        worker = await start(*WORKER)
        story = await cluster.at(addresses[0])
        await story.set_up()
        await story.option("bob")
        await story.route()
        load = Load(balancer.post, story.key)
        for number, port in enumerate(ports):
            await balancer.wait_for(*addresses)
            await load.more(20)
            assert await serving[number].stop() == 0
            serving[number] = await start("serve", "--no-worker", "--port", str(port))
        another_worker = await start(*WORKER)
        assert await worker.stop() == 0
        await balancer.wait_for(*addresses)
        await load.more(20)
        answers = await load.end()
        await until(lambda: have_come(cluster.mailbox, len(answers)))
        assert [await each.stop() for each in (*serving, another_worker)] == [0, 0, 0]

    assert {answer.status_code for answer in answers} == {201}
    assert await database.fetchval("SELECT count(*) FROM leads") == len(answers)
    assert len(cluster.mailbox.mails) == len(answers), "everyone was notified once"


async def have_come(mailbox: Mailbox, count: int) -> bool:
    return len(mailbox.mails) >= count


async def test_while_it_stops_it_answers_on_but_each_connection_ends_with_its_answer(cluster: Cluster) -> None:
    async with node(cluster.environment | {"LEADROUTES_STOP_DELAY": STOP_DELAY}, *SERVE_ONLY) as serving:
        host, port = serving.address.removeprefix("http://").split(":")
        busy, idle = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
        assert b"connection: close" not in await ask(*busy)
        await ask(*idle)

        serving.terminate()
        await until(lambda: said(serving.log, "stopping"))

        answer = await ask(*busy)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer
        assert await asyncio.wait_for(busy[0].read(), 20) == b""
        assert await asyncio.wait_for(idle[0].read(), 20) == b"", "an end, not a reset"
        assert await serving.end() == 0
        for _, writer in (busy, idle):
            writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The answer to one request on a connection that stays open."""
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    return await asyncio.wait_for(reader.readuntil(b'{"status":"ok"}'), 20)


async def said(log: list[str], words: str) -> bool:
    return any(words in line for line in log)


async def test_a_worker_that_has_to_stop_ends_once_the_mail_that_it_sends_is_through(
    cluster: Cluster, database: Database
) -> None:
    async with Hesitant() as mailbox, node(cluster.environment, *SERVE_ONLY) as serving:
        story = await cluster.at(serving.address)
        await story.set_up()
        await story.option("bob")
        await story.route()
        async with node(cluster.environment | {"LEADROUTES_SMTP_URL": mailbox.url}, *WORKER) as worker:
            await story.inquire()
            await asyncio.wait_for(mailbox.asked.wait(), 30)
            worker.terminate()
            await until(lambda: said(worker.log, "stopping"))
            assert worker.process.returncode is None
            mailbox.answer.set()

            assert await worker.end() == 0

        assert [mail["To"] for mail in mailbox.mails] == ["bob@example.com"]
        assert await database.fetchval("SELECT string_agg(state, ' ') FROM messages WHERE kind = 'offer'") == "sent"
        assert await database.fetchval("SELECT count(*) FROM pgqueuer") == 0, "nothing for another worker to do again"


class Hesitant(Mailbox):
    """A mail server that takes its time with an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked.set()
        await self.answer.wait()
        return await super().handle_DATA(server, session, envelope)

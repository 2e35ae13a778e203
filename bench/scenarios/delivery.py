"""Delivery of messages: alerts with claim links, by a worker, to a real SMTP server on this machine."""

import asyncio
import time
from collections.abc import AsyncIterator

from bench import programs
from bench.figures import Figure, Limit
from bench.ground import Ground
from bench.scenarios.arrival import MEMBERS, found
from bench.sizes import Sizes
from leadroutes.channels.email import open_email
from leadroutes.channels.envelope import Envelope
from leadroutes.settings import Settings

OWNERS = 20
TOGETHER = 40  # mails under way at once, as in the worker
PATIENCE = 600.0  # seconds
WORDS = "Someone asks for a house. " * 20


async def measure(ground: Ground, sizes: Sizes) -> AsyncIterator[Figure]:
    """From the first mail that the server took to the last, with all of them queued before."""
    async with ground.database("delivery") as plot, programs.sink() as sink:
        await found(plot, OWNERS)
        await plot.put_in(
            "waiting_leads",
            users=OWNERS, owners=OWNERS, members=MEMBERS, leads=sizes.mails, notified=MEMBERS, due="infinity", apart=0,
        )  # fmt: skip
        await plot.put_in("queued_messages", mails=sizes.mails)
        await plot.settle()
        async with programs.worker(plot.url, plot.file("worker.log"), LEADROUTES_SMTP_URL=sink.url):
            taken = await _until_taken(sink, sizes.mails)
        sent = await plot.fetchval("SELECT count(*) FROM messages WHERE state = 'sent'")
        if sent != sizes.mails:
            raise programs.Failed(f"{sizes.mails} messages were queued; {sent} are noted as sent")
    yield Figure(
        scenario="delivery",
        name=f"{sizes.mails:,} queued alerts sent by SMTP, one worker",
        value=(taken["mails"] - 1) / (taken["last"] - taken["first"]),
        unit="mails/s",
        limits=(await _limit(sizes),),
    )


async def _until_taken(sink: programs.Sink, count: int) -> dict[str, float]:
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end:
        taken = await sink.taken()
        if taken["mails"] >= count:
            return taken
        await asyncio.sleep(0.1)
    raise programs.Failed(f"after {PATIENCE} seconds {taken['mails']} of {count} mails have arrived")


async def _limit(sizes: Sizes) -> Limit:
    """The e-mail channel alone, without a database, as many mails under way as in the worker."""
    async with programs.sink() as sink:
        channel = open_email(Settings(smtp_url=sink.url))
        assert channel is not None
        left = iter(range(sizes.mails))

        async def send() -> None:
            for number in left:
                address = f"agent{number}@example.com"
                await channel.send(Envelope(address=address, subject="A new lead", text_body=WORDS, html_body=WORDS))

        begun = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(TOGETHER)))
        seconds = time.perf_counter() - begun
        await channel.close()
    return Limit("the e-mail channel alone, without a database", sizes.mails / seconds)

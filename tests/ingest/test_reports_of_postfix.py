"""Reports that a real Postfix makes about our mails find their messages."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from leadroutes.channels import open_channels
from leadroutes.worker.delivery import MessageDelivery
from tests.support.mailbox import Mailbox
from tests.support.post import DOMAIN, Post
from tests.support.postfix import Postfix, postfix, why_missing

pytestmark = pytest.mark.skipif(why_missing() is not None, reason=why_missing() or "")


REFUSALS = {
    "unknown": "550 5.1.1 <unknown@mailhost.example>: Recipient address rejected: User unknown",
    "disabled": "550 5.2.1 This mailbox is disabled",
    "full": "552 5.2.2 Mailbox full",
    "blocked": "554 5.7.1 Spam",
    "plain": "550 no such user",
}


class Remote(Mailbox):
    """The mail server of the world: it refuses by the name before the @."""

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if refusal := REFUSALS.get(address.partition("@")[0]):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
async def relayed(post: Post) -> AsyncIterator[tuple[Post, Postfix]]:
    """The same brokerage, whose mail goes out through Postfix."""
    folder = _folder()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        remote = await stack.enter_async_context(Remote())
        host, _, port = remote.url.removeprefix("smtp://").partition(":")
        relay = await stack.enter_async_context(postfix(folder / "p", (host, int(port)), DOMAIN, post.door))
        settings = replace(post.settings, smtp_url=relay.url)
        channels = open_channels(settings)
        post.sender.delivery = MessageDelivery(post.database, channels, settings)
        yield post, relay
        for channel in channels.values():
            if channel is not None:
                await channel.close()


def _folder() -> Path:
    """Near the root, as paths of sockets are short; its daemons, which are not root, have to come in."""
    folder = Path(tempfile.mkdtemp(prefix="postfix"))
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("name", "state", "is_suppressed"),
    [("unknown", "failed", True), ("disabled", "failed", True), ("full", "sent", False), ("blocked", "sent", False),
     ("plain", "sent", False)],
)  # fmt: skip
async def test_reports_of_postfix(relayed: tuple[Post, Postfix], name: str, state: str, is_suppressed: bool) -> None:
    brokerage, relay = relayed
    await brokerage.drip(f"{name}@mailhost.example")
    for _ in range(300):
        if await brokerage.arrived():
            break
        await asyncio.sleep(0.2)

    [(status, reason, _)] = await brokerage.arrived()
    assert (status, reason.split(":")[0]) == ("accepted", "delivery_report"), relay.log.read_text()
    [(found, noted)] = await brokerage.messages()
    assert found == state
    assert noted.startswith("the mail came back: ")
    assert [row[1] for row in await brokerage.suppressions()] == (["bounced"] if is_suppressed else [])

"""A real SMTP server on loopback that keeps what it is given, and can be set to refuse."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """`mails` in order of arrival; `answers` are given once each, in order, before mails are taken again.

    `connections` are all that were ever made to it.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []
        self.connections: list[SMTP] = []
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._answer(SMTP(self, loop=loop)), "127.0.0.1", 0)
        return self

    def _answer(self, connection: SMTP) -> SMTP:
        self.connections.append(connection)
        return connection

    def hang_up(self) -> None:
        """End all connections, as a server does with those that have been idle for long."""
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        async with self._arrived:
            self._arrived.notify_all()
            if self.answers:
                return self.answers.pop(0)
            content = cast("bytes", envelope.content)
            self.mails.append(cast("EmailMessage", message_from_bytes(content, policy=policy.default)))
            return "250 OK"

    async def wait_for(
        self, count: int, matching: Callable[[EmailMessage], Any] = lambda _: True
    ) -> list[EmailMessage]:
        """Wait, ten seconds at the most, until so many mails that match have arrived; answers them."""

        def found() -> list[EmailMessage]:
            return [mail for mail in self.mails if matching(mail)]

        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: len(found()) >= count), 10)
        return found()


def to(name: str) -> Callable[[EmailMessage], bool]:
    """Mails to this member of the cast."""
    return lambda mail: mail["To"] == f"{name}@example.com"


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")

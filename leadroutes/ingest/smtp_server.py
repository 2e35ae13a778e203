"""The door for mails: SMTP and LMTP for <intake key>@LEADROUTES_MAIL_DOMAIN, and for what comes back to messages.

250 is said once a mail is on disk. It reads nothing: what a mail says, and whether it is a lead, arrivals finds out.
"""

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from leadroutes.errors import Misconfigured, NotFound, Problem, TooLarge
from leadroutes.ingest.arrivals import Arrivals, IntakeKey
from leadroutes.security.return_token import ReturnAddress
from leadroutes.settings import Settings
from leadroutes.settings.certificates import server_context
from leadroutes.store.connection_errors import CONNECTION_ERRORS, RETRYABLE_ERRORS

log = structlog.get_logger()

FORMAT = "email"
DRAIN_TIMEOUT = 30.0  # seconds in which mails that are under way may be stored
MAX_RECIPIENTS = 10
IDLE_TIMEOUT = 120.0  # seconds without a word after which a connection is closed
MAX_LINE_BYTES = 1_048_576  # bytes; some portals send a whole page of HTML as one line, which no lead may be lost for
NO_SENDER = "<>"  # of bounces and automatic replies
TRY_AGAIN_REPLY = "451 4.3.0 The mail cannot be stored at the moment; send it again later"


class _SmtpConnection(SMTP):
    """One connection; who begins it with LHLO is another mail server that delivers by LMTP."""

    line_length_limit = MAX_LINE_BYTES
    most_recipients = MAX_RECIPIENTS

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802
        self.most_recipients = 1  # LMTP wants an answer for each recipient; so there is one, and the rest comes again
        await self.smtp_EHLO(hostname)


class LeadMailServer:
    """What is done with the envelope, in the words that aiosmtpd calls it by."""

    def __init__(self, arrivals: Arrivals, domain: str) -> None:
        self._arrivals = arrivals
        self._domain = domain
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def connect(self, **options: Any) -> SMTP:
        """A connection begins."""
        server = _SmtpConnection(self, **options)
        self._connections.add(server)
        return server

    async def close(self) -> None:
        """Stores and answers mails that have been received whole; then closes every connection."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), DRAIN_TIMEOUT)
        await asyncio.sleep(0)
        for connection in list(self._connections):
            if connection.transport is not None:
                connection.transport.close()

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str | None, options: list[str]
    ) -> str:
        envelope.mail_from = address or NO_SENDER
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: _SmtpConnection, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Only the address of a key that takes mail, or of a message that was sent, is taken.

        Every other one is refused before any mail is sent.
        """
        if len(envelope.rcpt_tos) >= server.most_recipients:
            return "452 4.5.3 Too many recipients"
        try:
            mailbox = await self._open(address)
        except NotFound:
            return "550 5.1.1 There is no such mailbox here"
        except (Problem, *CONNECTION_ERRORS):
            return TRY_AGAIN_REPLY
        if isinstance(mailbox, IntakeKey) and mailbox.format not in (None, FORMAT):
            return f"550 5.7.1 This mailbox takes no mail: its intake key is for {mailbox.format}"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._under_way += 1
        self._quiet.clear()
        try:
            return await self._store(envelope)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def _store(self, envelope: Envelope) -> str:
        """Stores it for each recipient, whatever it is; sent again it is the same arrival."""
        content = envelope.content
        assert isinstance(content, bytes)
        for address in envelope.rcpt_tos:
            try:
                await self._store_at(await self._open(address), content, has_sender=envelope.mail_from != NO_SENDER)
            except TooLarge as error:
                return f"552 5.3.4 {error.message}"
            except NotFound:
                continue  # the key was revoked, or the message removed, while the mail was on its way
            except (Problem, *CONNECTION_ERRORS, *RETRYABLE_ERRORS) as error:
                log.warning("a mail is to come again", error=repr(error))
                return TRY_AGAIN_REPLY
        return "250 2.0.0 OK: stored"

    async def _store_at(self, mailbox: IntakeKey | ReturnAddress, content: bytes, *, has_sender: bool) -> None:
        returned_mails = self._arrivals.returned_mails
        if isinstance(mailbox, ReturnAddress):
            assert returned_mails is not None  # which has opened it
            await returned_mails.take_in(mailbox, content, has_sender=has_sender)
        else:
            await self._arrivals.ingest(mailbox, content, {"Content-Type": "message/rfc822"}, format_=FORMAT)

    async def handle_exception(self, error: Exception) -> str:
        """An internal error: the sender holds the mail and tries again."""
        log.error("the mail door failed", exc_info=error)
        return TRY_AGAIN_REPLY

    async def _open(self, address: str) -> IntakeKey | ReturnAddress:
        name, _, domain = address.strip().rpartition("@")
        if domain.lower().rstrip(".") != self._domain:
            raise NotFound("Page not found")
        returned_mails = self._arrivals.returned_mails
        returned = await returned_mails.open(name) if returned_mails is not None else None
        return returned or await self._arrivals.open(name.lower())


@contextlib.asynccontextmanager
async def serving_mail(settings: Settings, arrivals: Arrivals) -> AsyncIterator[tuple[str, int] | None]:
    """The server beside what the caller does, and its address; None where LEADROUTES_MAIL_LISTEN is not set."""
    if settings.mail_listen is None:
        yield None
        return
    if settings.mail_domain is None:
        raise Misconfigured("LEADROUTES_MAIL_LISTEN is set; LEADROUTES_MAIL_DOMAIN is needed with it")
    host, _, port = settings.mail_listen.rpartition(":")
    mail_server, certificate = LeadMailServer(arrivals, settings.mail_domain), settings.mail_certificate
    options: dict[str, Any] = {
        "data_size_limit": settings.mail_limit,
        "enable_SMTPUTF8": True,
        "hostname": settings.mail_domain,
        "ident": "Lead Routes",
        "tls_context": certificate and server_context(certificate, settings.mail_certificate_key),
        "timeout": IDLE_TIMEOUT,
        "loop": (loop := asyncio.get_running_loop()),
    }
    try:
        server = await loop.create_server(lambda: mail_server.connect(**options), host.strip("[]"), int(port))
    except OSError as error:
        raise Misconfigured(f"LEADROUTES_MAIL_LISTEN: cannot listen at {settings.mail_listen} ({error})") from error
    address = server.sockets[0].getsockname()[:2]
    log.info("taking mail in", address=f"{address[0]}:{address[1]}", domain=settings.mail_domain)
    try:
        yield address
    finally:
        server.close()
        await mail_server.close()

"""E-mail by SMTP. A few connections are kept open, each used for one message at a time.

What makes a mail a mail (headers, parts, encodings) is the standard library's business.
"""

import asyncio
import contextlib
import socket
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid
from functools import cache
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from leadroutes.channels.envelope import DeliveryError, Envelope
from leadroutes.errors import Misconfigured
from leadroutes.settings import Settings

TIMEOUT = 30.0  # seconds, for each step of the conversation
PORTS = {"smtp": 25, "smtps": 465}
MOST_CONNECTIONS = 20  # to the mail server, from this process


class _Headers(HeaderRegistry):
    """The library's, which makes a new class for every header of every mail, and with it a tenth of a mail's work."""

    @cache  # noqa: B019 -- there is one, and as many kinds of headers as stand below
    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name)


# RFC 3834, and Microsoft's word for the same: nothing that answers by itself shall answer us, lest the two never end.
AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}

# An unsubscribe link stays on its header's line.
POLICY = SMTP.clone(max_line_length=400, header_factory=_Headers())


def open_email(settings: Settings) -> "Email | None":
    """The e-mail channel, where a server is set. Misconfigured: its address cannot be used."""
    if settings.smtp_url is None:
        return None
    url = urlsplit(settings.smtp_url)
    if url.scheme not in PORTS or not url.hostname:
        raise Misconfigured("LEADROUTES_SMTP_URL: expected smtp://user:password@host:port or smtps://…")
    return Email(url, settings.mail_from)


class Email:
    """Connections to one mail server: at the most so many, each kept for the next message."""

    def __init__(self, url: SplitResult, mail_from: str) -> None:
        self._url = url
        self._mail_from = mail_from
        self._idle: list[aiosmtplib.SMTP] = []
        self._free = asyncio.Semaphore(MOST_CONNECTIONS)

    async def send(self, envelope: Envelope) -> None:
        """Deliver it, or raise DeliveryError."""
        mail = make_mail(envelope, self._mail_from)
        async with self._free:
            client = await self._begin_mail()
            try:
                await self._hand_over(client, envelope.address, mail)
            except BaseException:
                client.close()
                raise
            self._idle.append(client)

    async def close(self) -> None:
        while self._idle:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._idle.pop().quit()

    async def _begin_mail(self) -> aiosmtplib.SMTP:
        """A connection that has taken the sender: one that is idle and still answers, else a new one."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.mail(self._mail_from)
            except (aiosmtplib.SMTPException, OSError):
                client.close()  # whatever it was, a new connection says it again
                continue
            return client
        client = await self._connect()
        try:
            await client.mail(self._mail_from)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _undelivered(error) from error
        return client

    async def _connect(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(
            hostname=self._url.hostname,
            port=self._url.port or PORTS[self._url.scheme],
            username=unquote(self._url.username) if self._url.username else None,
            password=unquote(self._url.password) if self._url.password else None,
            use_tls=self._url.scheme == "smtps",
            local_hostname=await asyncio.to_thread(_own_name),
            timeout=TIMEOUT,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise DeliveryError(f"the mail server cannot be reached: {error}") from error
        return client

    async def _hand_over(self, client: aiosmtplib.SMTP, address: str, mail: bytes) -> None:
        """Once the words are on their way, only the server's answer tells whether they arrived."""
        is_doubtful = False
        try:
            await client.rcpt(address)
            is_doubtful = True
            await client.data(mail)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _undelivered(error, is_doubtful=is_doubtful) from error


def _undelivered(error: Exception, *, is_doubtful: bool = False) -> DeliveryError:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        reason = f"the mail server said {error.code} {error.message}"
        return DeliveryError(reason, is_permanent=error.code >= 500)
    return DeliveryError(f"the mail server broke off: {error}", is_doubtful=is_doubtful)


@cache
def _own_name() -> str:
    """Asked once: it may be a question to a name server, and a mail server is greeted with it every time."""
    return socket.getfqdn()


def make_mail(envelope: Envelope, mail_from: str) -> bytes:
    """The mail with a text part and, where there is one, an HTML part. An impossible address is a permanent error."""
    mail = EmailMessage(policy=POLICY)
    try:
        mail["From"] = Address(display_name=_line(envelope.sender_name or "Lead Routes"), addr_spec=mail_from)
        mail["To"] = Address(addr_spec=envelope.address)
        if envelope.reply_to:
            mail["Reply-To"] = Address(display_name=_line(envelope.sender_name or ""), addr_spec=envelope.reply_to)
        mail["Subject"] = _line(envelope.subject or "")
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = make_msgid(domain=mail_from.rpartition("@")[2] or "localhost")
        for name, value in {**AUTOMATIC, **envelope.headers}.items():
            mail[name] = _line(value)
        mail.set_content(envelope.text_body)
        if envelope.html_body is not None:
            mail.add_alternative(envelope.html_body, subtype="html")
        return mail.as_bytes()
    except (MessageError, ValueError, IndexError, UnicodeError) as error:
        raise DeliveryError(f"no mail can be made for {envelope.address!r}: {error}", is_permanent=True) from error


def _line(text: str) -> str:
    """One line without control characters: nothing that somebody typed can become a header."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())

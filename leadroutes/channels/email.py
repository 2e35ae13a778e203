"""E-mail by SMTP. A few connections stay open, each used for one message at a time.

The standard library makes the parts and their encodings, but not the header, which contains text from other people.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from leadroutes.channels.envelope import DeliveryError, Envelope, NoLongerWanted, StillWanted, always_wanted
from leadroutes.channels.mail_headers import encoded_address, encoded_text, header, plain_address
from leadroutes.domain.delivery_status import is_dead_address
from leadroutes.domain.mail_addresses import named_address
from leadroutes.errors import Misconfigured
from leadroutes.settings import Settings
from leadroutes.settings.values import smtp_url

TIMEOUT = 30.0  # seconds, for each SMTP command
PORTS = {"smtp": 25, "smtps": 465}
MOST_CONNECTIONS = 20  # to the mail server, from this process
SENDER = "Lead Routes"
# RFC 3834, and the header of Microsoft's servers: automatic responders do not reply to these.
AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
_REFUSED_SENDER = re.compile(r"[45]\.1\.[78](?![0-9.])")
_LINE_ENDS = re.compile(rb"\r\n|\n|\r(?!\n)")
_FIRST_DOTS = re.compile(rb"(?m)^\.")  # RFC 5321, 4.5.2


def open_email(settings: Settings) -> "EmailChannel | None":
    """Returns the e-mail channel, or None without a server. Raises Misconfigured where its address cannot be used."""
    if settings.smtp_url is None:
        return None
    try:
        url = urlsplit(smtp_url(settings.smtp_url))
    except ValueError as error:
        raise Misconfigured(f"LEADROUTES_SMTP_URL: {error}") from error
    try:
        named_address(settings.mail_from)
    except ValueError as error:
        raise Misconfigured(f"LEADROUTES_MAIL_FROM: {settings.mail_from!r} was given; {error}") from error
    return EmailChannel(url, settings.mail_from)


class EmailChannel:
    """Connections to one mail server: a limited number, each reused for the next message."""

    def __init__(self, url: SplitResult, mail_from: str) -> None:
        self._url = url
        self._mail_from = mail_from
        _, self._sender = named_address(mail_from)
        self._idle: list[aiosmtplib.SMTP] = []
        self._free = asyncio.Semaphore(MOST_CONNECTIONS)

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        """Delivers it. Raises DeliveryError, or NoLongerWanted where it is not to be sent any more."""
        mail = make_mail(envelope, self._mail_from)  # raises where the address is not valid
        async with self._free:
            client = await self._begin_mail(envelope)
            try:
                await _hand_over(client, envelope, mail, is_still_wanted)
            except BaseException:
                client.close()
                raise
            self._idle.append(client)

    async def check(self) -> None:
        """Logs in and names the sender, but no recipient. Raises DeliveryError where that is refused."""
        client = await self._begin_mail(Envelope(address=self._sender, subject=None, text_body=""))
        client.close()

    async def close(self) -> None:
        while self._idle:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._idle.pop().quit()

    async def _begin_mail(self, envelope: Envelope) -> aiosmtplib.SMTP:
        """Returns a connection that has accepted the sender: an idle one that still works, else a new one."""
        sender = envelope.return_path or self._sender
        while self._idle:
            client = self._idle.pop()
            try:
                await _name_sender(client, sender, envelope)
            except (aiosmtplib.SMTPException, OSError):
                client.close()  # a lasting cause shows again on a new connection
                continue
            return client
        client = await self._connect()
        try:
            await _name_sender(client, sender, envelope)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            said = _error_text(error, envelope.return_path)
            raise DeliveryError(f"the sender was refused: {said}", blame="channel") from error
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
        except aiosmtplib.SMTPAuthenticationError as error:
            client.close()
            raise DeliveryError(f"the login was refused: {_error_text(error)}", blame="channel") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise DeliveryError(f"the mail server cannot be reached: {error}", blame="channel") from error
        return client


async def _name_sender(client: aiosmtplib.SMTP, sender: str, envelope: Envelope) -> None:
    """Begins a mail. The server is asked to take bytes as they are where a person's own mail has any beyond ASCII."""
    is_8bit = envelope.content is not None and not envelope.content.isascii()
    if is_8bit and client.is_ehlo_or_helo_needed:
        await client.ehlo()
    await client.mail(sender, options=["BODY=8BITMIME"] if is_8bit and client.supports_extension("8bitmime") else None)


async def _hand_over(client: aiosmtplib.SMTP, envelope: Envelope, mail: bytes, is_still_wanted: StillWanted) -> None:
    """Once the text has been sent, only the server's response says whether it was accepted."""
    is_doubtful = False
    try:
        await client.rcpt(plain_address(envelope.address))
        start = await client.execute_command(b"DATA")
        if start.code != aiosmtplib.SMTPStatus.start_input:
            raise aiosmtplib.SMTPDataError(start.code, start.message)
        if reason := await is_still_wanted():
            raise NoLongerWanted(reason)  # the connection is closed, so the server drops the mail
        is_doubtful = True
        await _send_words(client, mail)
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _undelivered(error, envelope.return_path, is_doubtful=is_doubtful) from error


async def _send_words(client: aiosmtplib.SMTP, mail: bytes) -> None:
    """Does what the library's `data` does after the server's 354; the library has no hook between the two."""
    protocol = client.protocol
    if protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    protocol._response_pending = True  # noqa: SLF001 -- else the response counts as unsolicited
    protocol.write(_FIRST_DOTS.sub(b"..", _LINE_ENDS.sub(b"\r\n", mail)) + b".\r\n")
    done = await protocol.read_response(timeout=TIMEOUT)
    if done.code != aiosmtplib.SMTPStatus.completed:
        raise aiosmtplib.SMTPDataError(done.code, done.message)


def _undelivered(error: Exception, return_path: str | None, *, is_doubtful: bool = False) -> DeliveryError:
    """Whether the error is permanent depends on the enhanced code (RFC 3463) as well as on the first digit.

    Many servers refuse a sender (5.7.x, and x.1.7 or x.1.8 where its address or domain does not exist) only once they
    know the recipient.
    """
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return DeliveryError(f"the mail server broke off: {error}", is_doubtful=is_doubtful)
    reason = f"the mail server said {_error_text(error, return_path)}"
    if error.code == aiosmtplib.SMTPStatus.access_denied:
        return DeliveryError(reason, blame="channel")
    if _REFUSED_SENDER.match(error.message) or (error.code >= 500 and error.message.startswith("5.7.")):
        return DeliveryError(reason, is_permanent=error.code >= 500, blame="policy")
    is_dead = error.code >= 500 and is_dead_address(error.message)
    return DeliveryError(reason, is_permanent=error.code >= 500, is_dead_address=is_dead)


def _error_text(error: Exception, return_path: str | None = None) -> str:
    """Returns what a server said, without the part of the return path that differs in each mail: it is one fault."""
    said = f"{error.code} {error.message}" if isinstance(error, aiosmtplib.SMTPResponseException) else str(error)
    return said.replace(return_path, f"…@{return_path.rpartition('@')[2]}") if return_path else said


@cache
def _own_name() -> str:
    """Returns the host name for EHLO. Looked up once, as it may need a request to a name server."""
    return socket.getfqdn()


def make_mail(envelope: Envelope, mail_from: str) -> bytes:
    """Returns the mail with its text and HTML parts. Raises a permanent DeliveryError for an impossible address."""
    try:
        return b"".join([*_header(envelope, mail_from), _body(envelope)])
    except Exception as error:  # the library has no common class for what it cannot encode
        raise DeliveryError(f"no mail can be made for {envelope.address!r}: {error}", is_permanent=True) from error


def _header(envelope: Envelope, mail_from: str) -> Iterator[bytes]:
    """Yields the header lines. All mails are sent by a program, so automatic responders must not reply to them."""
    name, sender = named_address(mail_from)
    yield header("From", encoded_address(envelope.sender_name or name or SENDER, sender))
    yield header("To", encoded_address("", envelope.address))
    if envelope.reply_to:
        answered = (envelope.sender_name or "") if envelope.content is None else ""  # what is passed on is from us
        yield header("Reply-To", encoded_address(answered, envelope.reply_to))
    yield header("Subject", encoded_text(envelope.subject or ""))
    yield header("Date", format_datetime(localtime()))
    yield header("Message-ID", make_msgid(domain=sender.rpartition("@")[2]))
    for name, value in {**AUTOMATIC, **envelope.headers}.items():
        yield header(name, encoded_text(value))


def _body(envelope: Envelope) -> bytes:
    """Returns the parts with their own headers, which contain no text from other people.

    What is passed on as it came has the header lines that describe it.
    """
    if envelope.content is not None:
        described = {"MIME-Version": "1.0", **envelope.content_headers}
        return b"".join([*(header(name, value) for name, value in described.items()), b"\r\n", envelope.content])
    parts = EmailMessage(policy=SMTP)
    parts.set_content(_encodable(envelope.text_body))
    if envelope.html_body is not None:
        parts.add_alternative(_encodable(envelope.html_body), subtype="html")
    return parts.as_bytes()


def _encodable(text: str) -> str:
    """Returns the text with a question mark for each lone surrogate."""
    return text.encode("utf-8", "replace").decode()

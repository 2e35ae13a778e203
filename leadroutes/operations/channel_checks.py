"""Tries all channels that are configured without sending anyone anything, and says what to repair; sends one message.

A new channel adds an entry to CHECKS.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from leadroutes.channels import open_channels
from leadroutes.channels.email import EmailChannel, open_email
from leadroutes.channels.envelope import DeliveryError, Envelope
from leadroutes.channels.provider import Provider, ProviderNumber, open_provider
from leadroutes.channels.push import push_subject
from leadroutes.channels.text import INCOMING_PATH, STATUS_PATH, TextChannel
from leadroutes.domain.identity import normal_phone
from leadroutes.errors import Conflict, Invalid
from leadroutes.security.provider_signature import HEADER, signed
from leadroutes.settings import Settings
from leadroutes.settings.values import is_local_address, is_loopback, is_public_url
from leadroutes.store.pace import Pace, TurnLater
from leadroutes.store.postgres import Database

TIMEOUT = 10.0  # seconds for a request to ourselves
SUBJECT: Final = "A test of Lead Routes"
TEST_MAIL: Final = "This mail shows that Lead Routes can send e-mail. There is nothing to do."
TEST_TEXT: Final = "This text shows that Lead Routes can send texts. There is nothing to do."


@dataclass(frozen=True, slots=True)
class Finding:
    """What was tried and what came of it. `is_right` None: there was nothing to try; `remedy`: what to repair."""

    what: str
    is_right: bool | None
    outcome: str
    remedy: str = ""


Check = Callable[[Settings], AsyncIterator[Finding]]


async def check_channels(settings: Settings) -> list[Finding]:
    """Returns all findings, in the order of the table."""
    return [finding for check in CHECKS for finding in [each async for each in check(settings)]]


# ------------------------------------------------------------------------------------------------------------- e-mail


async def _check_email(settings: Settings) -> AsyncIterator[Finding]:
    channel: EmailChannel | None = open_email(settings)
    if channel is None:
        yield Finding("e-mail", None, "not set up", "set LEADROUTES_SMTP_URL and LEADROUTES_MAIL_FROM")
        return
    try:
        await channel.check()
    except DeliveryError as error:
        yield Finding("e-mail", False, error.reason, "look at LEADROUTES_SMTP_URL and LEADROUTES_MAIL_FROM")
    else:
        yield Finding("e-mail", True, f"the mail server accepts {settings.mail_from}")
    finally:
        await channel.close()


# ---------------------------------------------------------------------------------------------------- texts and calls


async def _check_provider(settings: Settings) -> AsyncIterator[Finding]:
    provider = open_provider(settings)
    if provider is None:
        yield Finding(
            "texts", None, "not set up",
            "set LEADROUTES_TWILIO_ACCOUNT, LEADROUTES_TWILIO_TOKEN and LEADROUTES_TWILIO_FROM",
        )  # fmt: skip
        return
    try:
        account = await _account(provider)
        yield account
        if account.is_right:
            numbers = await provider.list_numbers()
            yield _sender(settings, numbers)
            yield _caller(settings, numbers)
            for number in numbers:
                yield _text_address(settings, number)
    except DeliveryError as error:
        yield Finding("numbers of the account", False, error.reason, "try again; look at the account at the provider")
    finally:
        await provider.close()
    yield await _request_to_ourselves(settings)


async def _account(provider: Provider) -> Finding:
    what = "account at the provider"
    try:
        account = await provider.get_account()
    except DeliveryError as error:
        remedy = "look at LEADROUTES_TWILIO_URL, LEADROUTES_TWILIO_ACCOUNT and the token or key"
        return Finding(what, False, error.reason, remedy)
    if account.status != "active":
        return Finding(what, False, f"it is {account.status}", "look at the account at the provider")
    return Finding(what, True, f"{account.name or 'it'} is active")


def _sender(settings: Settings, numbers: tuple[ProviderNumber, ...]) -> Finding:
    what = "LEADROUTES_TWILIO_FROM"
    if settings.twilio_from is None:
        return Finding(what, None, "texts are sent by the messaging service", "set it to a number to make calls")
    own = next((each for each in numbers if each.number == settings.twilio_from), None)
    if own is None:
        listed = ", ".join(each.number for each in numbers[:5]) or "none"
        return Finding(
            what, False, f"{settings.twilio_from} is not a number of the account ({listed})", "set one of it"
        )
    if not own.takes_texts:
        return Finding(what, False, f"{own.number} cannot send texts", "set a number of the account that can")
    return Finding(what, True, f"{own.number} is a number of the account")


def _caller(settings: Settings, numbers: tuple[ProviderNumber, ...]) -> Finding:
    if any(each.number == settings.twilio_from and each.takes_calls for each in numbers):
        return Finding("calls", True, f"they come from {settings.twilio_from}")
    outcome = "no number of the account that can call is set"
    return Finding("calls", None, outcome, "set LEADROUTES_TWILIO_FROM to one, if members are to be called")


def _text_address(settings: Settings, number: ProviderNumber) -> Finding:
    what, right = f"texts to {number.number}", f"{settings.public_url}{INCOMING_PATH}"
    if number.text_url == right:
        return Finding(what, True, f"they come to {right}")
    given = number.text_url or "nowhere"
    return Finding(what, False, f"they go to {given}", f"at the provider, set its address for messages to {right}")


async def _request_to_ourselves(settings: Settings) -> Finding:
    """A request that names no message: where its signature is right, the service asks for the id and stores nothing."""
    what = "a signed request through LEADROUTES_PUBLIC_URL"
    if settings.twilio_token is None:
        return Finding(what, None, "the provider signs with keys, which only it can use")
    address, fields = f"{settings.public_url}{STATUS_PATH}?message=0.0", {"MessageSid": "", "MessageStatus": "sent"}
    headers = {HEADER: signed(settings.twilio_token, address, fields.items())}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client:
            answer = await client.post(address, data=fields, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        remedy = "start the service, and set LEADROUTES_PUBLIC_URL to an address that the internet reaches"
        return Finding(what, False, f"{settings.public_url} cannot be reached: {error}", remedy)
    if answer.status_code == httpx.codes.BAD_REQUEST and "MessageSid" in answer.text:
        return Finding(what, True, "it arrives as it was signed")
    if answer.status_code == httpx.codes.FORBIDDEN:
        remedy = "let the proxy pass path, query and body on as they are, and start the service with the same settings"
        return Finding(what, False, "the service does not recognise the signature", remedy)
    return Finding(
        what, False, f"something else answers there ({answer.status_code})", "set LEADROUTES_PUBLIC_URL to this service"
    )


# ------------------------------------------------------------------------------------------------------ notifications


async def _check_notifications(settings: Settings) -> AsyncIterator[Finding]:
    """Whether push services get an address of whoever runs this service; the keys are made when they are needed."""
    what, subject = "notifications in browsers", push_subject(settings)
    if not is_local_address(settings.mail_from) or is_public_url(settings.public_url):
        yield Finding(what, True, f"push services get the address {subject}")
    elif is_loopback(urlsplit(settings.public_url).hostname):
        yield Finding(what, None, "only this machine reaches the service", "set LEADROUTES_PUBLIC_URL")
    else:
        remedy = "set LEADROUTES_MAIL_FROM to an address of a domain of your own"
        yield Finding(what, False, f"push services get the address {subject}, which some refuse", remedy)


CHECKS: tuple[Check, ...] = (_check_email, _check_provider, _check_notifications)


# ---------------------------------------------------------------------------------------------------- one message


async def send_test(database: Database, settings: Settings, address: str) -> str:
    """Sends one message to an e-mail address or a phone number, and returns how. Raises Invalid, and Conflict."""
    number = normal_phone(address)
    if "@" in address:
        name, envelope = "email", Envelope(address=address, subject=SUBJECT, text_body=TEST_MAIL)
    elif number is not None:
        name, envelope = "text", Envelope(address=number, subject=None, text_body=TEST_TEXT, is_alert=True)
    else:
        raise Invalid(f"--to: {address!r} was given; expected an e-mail address or a phone number with its area code")
    if (reason := await deliver_test(database, settings, name, envelope)) is not None:
        raise Conflict(f"It could not be sent: {reason}")
    return f"{'The mail server' if name == 'email' else 'The provider'} took it for {envelope.address}"


async def deliver_test(database: Database, settings: Settings, name: str, envelope: Envelope) -> str | None:
    """Returns why a message was not sent over this channel, or None."""
    channel = open_channels(settings)[name]
    if channel is None:
        return f"no {name} channel is configured"
    try:
        if isinstance(channel, TextChannel):
            pace = Pace(database, settings.texts_per_second, settings.texts_per_day)
            await pace.wait_for_turn(f"text {await channel.sender_for(None)}", is_alert=True)
        await channel.send(envelope)
    except DeliveryError as error:
        return error.reason
    except TurnLater as later:
        return later.reason
    finally:
        await channel.close()
    return None

"""Text messages, through the provider. Who sends one, and that it leaves in its turn, is decided before `send`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from leadroutes.channels.envelope import (
    DeliveryError,
    Envelope,
    NoLongerWanted,
    Receipt,
    StillWanted,
    always_wanted,
)
from leadroutes.channels.provider import Provider, ProviderMessage, error_of, open_provider
from leadroutes.domain.identity import normal_phone
from leadroutes.domain.provider_states import NOT_ARRIVED, reason_of
from leadroutes.settings import Settings

INCOMING_PATH: Final = "/twilio/messages"
STATUS_PATH: Final = "/twilio/status"


def open_text(settings: Settings) -> "TextChannel | None":
    """Returns the text channel, or None without credentials."""
    provider = open_provider(settings)
    default = settings.twilio_messaging_service or settings.twilio_from
    return TextChannel(provider, default, settings.public_url) if provider is not None and default else None


class TextChannel:
    """Texts from a number of the account, or from a messaging service of it."""

    def __init__(self, provider: Provider, default_sender: str, public_url: str) -> None:
        self._provider = provider
        self._default_sender = default_sender
        self._public_url = public_url

    async def sender_for(self, system_phone: str | None) -> str:
        """Returns what a text comes from: this phone, if it is one of the account's numbers, else the usual sender."""
        number = normal_phone(system_phone)
        if number is not None and any(each.number == number for each in await self._provider.list_numbers()):
            return number
        return self._default_sender

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> Receipt:
        """Hands it to the provider; that it was accepted does not say that it arrives."""
        number = normal_phone(envelope.address)
        if number is None:
            raise DeliveryError(f"{envelope.address!r} is not a phone number", is_permanent=True)
        if not envelope.text_body.strip():
            raise DeliveryError("the text is empty", is_permanent=True)
        if reason := await is_still_wanted():
            raise NoLongerWanted(reason)
        sender = _sender(envelope.sender_number or self._default_sender)
        sent = await self._provider.send_text(number, envelope.text_body, sender, self._callback(envelope.message))
        if sent.state in NOT_ARRIVED:
            raise error_of(sent.error_code, reason_of(sent.state, sent.error_code))
        return Receipt(provider_id=sent.id, provider_state=sent.state)

    async def find(self, provider_id: str | None, number: str, since: datetime) -> list[ProviderMessage]:
        """Returns what the provider knows of a text: by its id, else all texts to its number since that day."""
        if provider_id is None:
            return await self._provider.find_messages(number, since)
        found = await self._provider.get_message(provider_id)
        return [found] if found is not None else []

    async def close(self) -> None:
        await self._provider.close()

    def _callback(self, message: str | None) -> str | None:
        """Returns where the provider reports what became of the message, or None for one that is not stored."""
        return f"{self._public_url}{STATUS_PATH}?{urlencode({'message': message})}" if message else None


def _sender(name: str) -> Mapping[str, str]:
    """A phone number begins with +; anything else is the id of a messaging service."""
    return {"From": name} if name.startswith("+") else {"MessagingServiceSid": name}

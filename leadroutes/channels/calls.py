"""Calls to agents through the provider: it is asked to ring a phone, and then asks what is to be said.

Decides nothing and uses no database; a channel as leadroutes/channels/email.py is.
"""

from typing import Final

from leadroutes.channels.envelope import Envelope, NoLongerWanted, Receipt, StillWanted, always_wanted
from leadroutes.channels.provider import RETRIES, Provider, open_provider
from leadroutes.settings import Settings

RING_SECONDS: Final = 30  # before it counts as not answered


def open_calls(settings: Settings) -> "CallChannel | None":
    """Returns the channel, or None without credentials or without a number that calls come from."""
    provider = open_provider(settings)
    if provider is None or settings.twilio_from is None:
        return None
    return CallChannel(provider, settings.twilio_from, settings.public_url)


class CallChannel:
    """Calls from one number. The envelope names the secret by which the provider asks what is said."""

    def __init__(self, provider: Provider, number: str, public_url: str) -> None:
        self._provider = provider
        self._number = number
        self._public_url = public_url

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> Receipt:
        """Has a phone rung. Raises DeliveryError, or NoLongerWanted where it is not to be rung any more."""
        if (reason := await is_still_wanted()) is not None:
            raise NoLongerWanted(reason)
        fields = {
            "To": envelope.address,
            "From": self._number,
            "Url": f"{self._public_url}/twilio/calls/{envelope.call_token}{RETRIES}",
            "Method": "POST",
            "StatusCallback": f"{self._public_url}/twilio/status?call={envelope.call_token}{RETRIES}",
            "StatusCallbackMethod": "POST",
            "Timeout": str(RING_SECONDS),
        }
        call = await self._provider.make_call(fields)
        return Receipt(provider_id=call.id, provider_state=call.state)

    async def end(self, call_id: str) -> None:
        """Ends a call that rings; one that has been answered goes on."""
        await self._provider.end_call(call_id)

    async def close(self) -> None:
        await self._provider.close()

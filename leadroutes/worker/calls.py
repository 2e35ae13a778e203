"""Calls to agents, as the worker has them made: not at night, and not any longer than the offer is open.

The channel rings; what is said then, leadroutes/engine/phone_calls.py knows.
"""

from collections.abc import Mapping

import structlog

from leadroutes.channels import speech
from leadroutes.channels.calls import CallChannel
from leadroutes.channels.envelope import Channel, DeliveryError, Envelope, Receipt
from leadroutes.domain.agent_hours import NOT_AT_NIGHT, agent_zone, is_night
from leadroutes.domain.message import OutgoingMessage
from leadroutes.retry import RetryLater, retry_delay
from leadroutes.settings import Settings
from leadroutes.store.calls import (
    CallKey,
    add_call,
    add_substitute_alert,
    find_call_terms,
    find_ringing_call,
    note_placed_call,
    settle_call,
)
from leadroutes.store.messages import DeliveryOutcome, MessageKey
from leadroutes.store.pace import Pace
from leadroutes.store.postgres import Database

log = structlog.get_logger()

MAX_ENDINGS = 5  # attempts to end a call, which stops ringing by itself


class AgentCalls:
    """One per worker."""

    def __init__(self, database: Database, channels: Mapping[str, Channel | None], settings: Settings) -> None:
        self._database = database
        self._pace = Pace(database, settings.calls_per_second)
        channel = channels.get("call")
        self._channel = channel if isinstance(channel, CallChannel) else None
        self._substitutes = [name for name in ("text", "email") if channels.get(name) is not None] or ["email"]

    async def outcome_at_night(self, key: MessageKey, message: OutgoingMessage) -> DeliveryOutcome | None:
        """Returns the outcome of a call that is not made at this time, once the same alert is queued by text or e-mail.

        It has failed where that has failed before. None: the agent may be called.
        """
        if message.channel != "call" or self._channel is None or message.agent is None or not message.sent_to:
            return None
        offer_id = message.offer.id if message.offer is not None else None
        terms = await find_call_terms(self._database, key, message.agent.id, offer_id)
        zone = agent_zone(terms.timezone, terms.phone, terms.owners_timezone)
        if terms.has_night_calls or not is_night(self._database.clock.now(), zone):
            return None
        reason = f"{NOT_AT_NIGHT} ({zone})"
        if await add_substitute_alert(self._database, key, self._substitutes):
            return DeliveryOutcome(state="suppressed", reason=reason)
        return DeliveryOutcome(
            state="failed", reason=f"it is night ({zone}), and by text and e-mail the alert has failed"
        )

    async def wait_for_turn(self) -> None:
        """Returns when a call may be placed. Raises TurnLater where that is not soon."""
        if self._channel is not None:
            await self._pace.wait_for_turn("call", is_alert=True)

    async def envelope(self, key: MessageKey, message: OutgoingMessage) -> Envelope:
        """Returns what the channel needs, and what will be said."""
        number = message.sent_to
        token = await add_call(self._database, key, number) if self._channel is not None else None
        words = speech.question(_spoken_lead(message))
        return Envelope(address=number, subject=None, text_body=words, call_token=token, is_alert=True)

    async def note_placed(self, envelope: Envelope, receipt: Receipt) -> None:
        """Ends the call at once where the offer was closed while it was being placed."""
        if envelope.call_token is not None and await note_placed_call(
            self._database, envelope.call_token, receipt.provider_id, receipt.provider_state
        ):
            await self._end(receipt.provider_id)

    async def settle(self, key: MessageKey) -> None:
        """What follows where the call had ended, unanswered, before its sending was recorded."""
        await settle_call(self._database, key)

    async def end(self, key: CallKey, attempt: int) -> None:
        """Ends a call that still rings. Raises RetryLater where the provider cannot be reached."""
        provider_id = await find_ringing_call(self._database, key)
        if provider_id is None:
            return
        error = await self._end(provider_id)
        if error is not None and not error.is_permanent and attempt < MAX_ENDINGS:
            raise RetryLater(retry_delay(attempt), error.reason)

    async def _end(self, provider_id: str) -> DeliveryError | None:
        if self._channel is None:
            return None
        try:
            await self._channel.end(provider_id)
        except DeliveryError as error:
            log.warning("a call could not be ended", reason=error.reason)
            return error
        return None


def _spoken_lead(message: OutgoingMessage) -> speech.SpokenLead:
    lead = message.lead
    if lead is None:
        return speech.SpokenLead(kind=message.kind)
    return speech.SpokenLead(
        kind=message.kind,
        is_test=lead.is_test,
        source=lead.source,
        first_name=lead.first_name,
        city=lead.city,
        type=lead.type,
        listing_price=lead.listing_price,
    )

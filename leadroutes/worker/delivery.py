"""Delivers one message: marks it as being sent, makes its text, sends it over its channel, and stores the outcome.

Nothing is sent inside a transaction; a message to a contact is never sent a second time.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from msgspec.structs import replace

from leadroutes.channels import words
from leadroutes.channels.envelope import Channel, DeliveryError, Envelope, NoLongerWanted
from leadroutes.domain.message import CLAIMABLE_KINDS, InvitationDetails, MessageStatus, OutgoingMessage
from leadroutes.domain.template import MessageContent, TemplateInput
from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.engine.users import add_email_token, is_email_asked_for
from leadroutes.errors import Unavailable
from leadroutes.observability.lead_log import log_delivery
from leadroutes.observability.traces import span
from leadroutes.retry import RetryLater, retry_delay
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.templates import COMPOSE_MESSAGE
from leadroutes.sandbox.work import ComputationFailed
from leadroutes.security.secret_key import load_secret_key
from leadroutes.security.unsubscribe_token import unsubscribe_token
from leadroutes.settings import Settings
from leadroutes.store.invitations import add_token, find_place
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.channel_health import ChannelHealth

log = structlog.get_logger()

MAX_ATTEMPTS = 30  # the last one after about 24 hours
NOTE_TIMEOUT = 120.0  # seconds
RECHECK_AFTER = 1.0  # seconds for which a message's status counts as current
VIA_BY_CHANNEL = {"email": "Email", "text": "Text", "call": "Phone"}


class MessageDelivery:
    """Delivers messages over the channels that are open."""

    def __init__(self, database: Database, channels: Mapping[str, Channel | None], settings: Settings) -> None:
        self._log = DeliveryLog(database)
        self._database = database
        self._channels = channels
        self._health = ChannelHealth(database)
        self._settings = settings

    async def deliver(self, key: MessageKey) -> None:
        """Delivers one message, unless that has been done. Raises RetryLater where it is to be tried again."""
        checked_at = asyncio.get_running_loop().time()
        message = await self._log.begin(key)
        if message is None:
            return
        if message.is_about_account:
            message = await self._with_account(message)
        if (outcome := _outcome_without_sending(message)) is None:
            outcome = self._wait_for_channel(message) or await self._send(key, message, checked_at)
        is_noted = await self._note(key, message.attempts, outcome)
        log_delivery(key.owner_id, message.lead_id, key.id, message.kind, message.channel, outcome.state)
        if outcome.state == "queued" or not is_noted:  # a worker that took over this message may rely on the job
            delay = retry_delay(message.attempts) if outcome.is_counted else self._health.wait(message.channel)
            raise RetryLater(delay, outcome.reason or "")

    def _wait_for_channel(self, message: OutgoingMessage) -> DeliveryOutcome | None:
        """While a channel does not work, one message at a time tries it, and the others wait."""
        if self._channels.get(message.channel) is None:
            return None
        reason = self._health.why_held(message.channel)
        return None if reason is None else DeliveryOutcome(state="queued", reason=f"waits: {reason}", is_counted=False)

    async def _note(self, key: MessageKey, attempt: int, outcome: DeliveryOutcome) -> bool:
        """Waits for a database that is unreachable: only this process knows the outcome."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + NOTE_TIMEOUT
        while True:
            try:
                return await self._log.note(key, attempt, outcome)
            except Unavailable:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(1)

    async def _send(self, key: MessageKey, message: OutgoingMessage, checked_at: float) -> DeliveryOutcome:
        """Returns an outcome also for whatever composing or sending the message raises."""
        try:
            envelope, secret = await self._compose(key, message)
        except DeliveryError as error:  # here and below nothing has been sent
            return _outcome_of_error(error, message, {"sender_id": message.sender_id})
        except Unavailable as error:
            return _outcome_of_error(DeliveryError(error.message), message, {"sender_id": message.sender_id})
        except Exception as error:
            log.exception("a message cannot be made", owner=key.owner_id, message=key.id)
            fault = DeliveryError(f"the message cannot be made ({type(error).__name__})")
            return _outcome_of_error(fault, message, {"sender_id": message.sender_id})
        made: dict[str, Any] = {
            "address": envelope.address,
            "subject": envelope.subject,
            "text_body": _masked(envelope.text_body, secret),
            "html_body": _masked(envelope.html_body, secret) if envelope.html_body else None,
            "sender_id": message.sender_id,
        }
        channel = self._channels.get(message.channel)
        if channel is None:
            return DeliveryOutcome(state="suppressed", reason=f"no {message.channel} channel is configured", **made)
        try:
            with span(f"send {message.channel}", owner=key.owner_id, lead=message.lead_id, message=key.id):
                await channel.send(envelope, partial(self._is_still_wanted, key, message, checked_at))
        except NoLongerWanted as error:
            return DeliveryOutcome(state="suppressed", reason=error.reason, sender_id=message.sender_id)
        except DeliveryError as error:
            if await self._health.note_fault(message.channel, key, envelope.address, error):
                return DeliveryOutcome(state="queued", reason=f"waits: {error.reason}", is_counted=False, **made)
            if error.blame == "policy":
                error.is_permanent = True  # it refuses this address only
            return _outcome_of_error(error, message, made)
        except Exception as error:  # the message may or may not have been sent
            log.exception("a channel broke", owner=key.owner_id, message=key.id, channel=message.channel)
            fault = DeliveryError(f"the {message.channel} channel broke ({type(error).__name__})", is_doubtful=True)
            return _outcome_of_error(fault, message, made)
        await self._note_works(message.channel)
        return DeliveryOutcome(state="sent", **made)

    async def _note_works(self, channel: str) -> None:
        """The message has been sent: that its channel works can as well be stored after the next one."""
        with contextlib.suppress(Unavailable):
            await self._health.note_works(channel)

    async def _is_still_wanted(self, key: MessageKey, message: OutgoingMessage, checked_at: float) -> str | None:
        """Returns why the message is not to be sent any more, or None."""
        if asyncio.get_running_loop().time() - checked_at < RECHECK_AFTER:
            return None
        try:
            status = await self._log.recheck(key)
        except Unavailable as error:
            raise DeliveryError(error.message) from error
        return _why_suppressed(message, status or message.status)

    async def _compose(self, key: MessageKey, message: OutgoingMessage) -> tuple[Envelope, str | None]:
        """Returns the envelope, and the secret in it that must not be stored."""
        if message.kind == "campaign":
            return await self._compose_to_contact(key, message), None
        if message.is_about_account:
            return await self._compose_about_account(message)
        token = None
        if message.offer is not None and message.kind != "claimed":
            token = await self._log.add_claim_token(key.owner_id, message.offer.id, VIA_BY_CHANNEL[message.channel])
        link = f"{self._settings.public_url}/claim/{token}" if token else None
        return _envelope(message, words.alert_content(message, link)), token

    async def _with_account(self, message: OutgoingMessage) -> OutgoingMessage:
        """Returns the message with what a mail about an account says, as it is at this moment."""
        member_id, change_id = message.member_id, message.email_change_id
        place = await find_place(self._database, member_id) if member_id is not None else None
        is_open = change_id is not None and await is_email_asked_for(self._database, change_id)
        if place is None or place["request_status"] != "Pending":
            return replace(message, is_email_change_open=is_open)
        invitation = InvitationDetails(**{name: place[name] for name in InvitationDetails.__struct_fields__})
        return replace(message, is_email_change_open=is_open, invitation=invitation)

    async def _compose_about_account(self, message: OutgoingMessage) -> tuple[Envelope, str | None]:
        token = path = None
        if message.kind == "invitation" and message.member_id is not None:
            token, path = await add_token(self._database, message.member_id), "invitations"
        elif message.kind == "email_change" and message.email_change_id is not None:
            token, path = await add_email_token(self._database, message.email_change_id), "emails"
        link = f"{self._settings.public_url}/{path}/{token}" if token else None
        return _envelope(message, words.account_content(message, link)), token

    async def _compose_to_contact(self, key: MessageKey, message: OutgoingMessage) -> Envelope:
        """Raises a permanent DeliveryError where the template cannot be filled in; it is in a process of its own."""
        contact, sender = message.contact, message.sender
        assert contact is not None  # it is a campaign's
        unsubscribe = UnsubscribeLink(key.owner_id, contact.id, key.id, contact.address_digest)
        token = unsubscribe_token(load_secret_key(self._settings), unsubscribe)
        link = f"{self._settings.public_url}/unsubscribe/{token}"
        return _envelope(
            message,
            await _filled_in(words.campaign_template_input(message, link), key.owner_id),
            sender_name=sender.name if sender else None,
            reply_to=sender.email if sender else None,
            headers={"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        )


def _envelope(message: OutgoingMessage, content: MessageContent, **more: Any) -> Envelope:
    return Envelope(
        address=message.sent_to,
        subject=content.subject,
        text_body=content.text_body,
        html_body=content.html_body,
        **more,
    )


async def _filled_in(template_input: TemplateInput, owner_id: int) -> MessageContent:
    try:
        composed = await run_sandboxed(COMPOSE_MESSAGE, template_input, owner=owner_id)
    except ComputationFailed as error:
        raise DeliveryError(f"The template {error.reason}", is_permanent=True) from error
    if composed.words is None:
        raise DeliveryError(composed.fault or "The template cannot be filled in", is_permanent=True)
    return composed.words


def _outcome_without_sending(message: OutgoingMessage) -> DeliveryOutcome | None:
    """Returns the outcome of a message that is not to be sent; None where it is."""
    if message.was_sending and message.contact is not None:
        return DeliveryOutcome(
            state="unknown",
            reason="the service stopped while this was being sent; it may have arrived",
            sender_id=message.sender_id,
        )
    if reason := _why_suppressed(message, message.status):
        return DeliveryOutcome(state="suppressed", reason=reason, sender_id=message.sender_id)
    return None


def _why_suppressed(message: OutgoingMessage, status: MessageStatus) -> str | None:
    match message.kind:
        case "campaign" if not status.step_is_active:
            return " by ".join(filter(None, ("it was stopped", status.step_stopped_by_name)))
        case "campaign" if status.contact_suppressed_because is not None:
            return status.contact_suppressed_because
        case "campaign" if message.template is None:
            return "the step has no template"
        case "invitation" if message.invitation is None:
            return "the invitation was answered or taken back"
        case "email_change" if not message.is_email_change_open:
            return "it is no longer asked for"
        case kind if kind in CLAIMABLE_KINDS and status.claimed_by_user_id is not None:
            return f"{status.claimed_by_name} had claimed the lead"
        case kind if kind in CLAIMABLE_KINDS and status.offer_state not in ("notified", None):
            return f"the offer was {status.offer_state}"
    if status.agent_is_active is False:
        return "the account of the agent is not active"
    return None if message.sent_to else _no_address(message)


def _no_address(message: OutgoingMessage) -> str:
    who = "the contact" if message.contact is not None else "the user"
    return f"{who} has no e-mail address" if message.channel == "email" else f"{who} has no phone number"


def _outcome_of_error(error: DeliveryError, message: OutgoingMessage, made: dict[str, Any]) -> DeliveryOutcome:
    if error.is_doubtful and message.contact is not None:
        return DeliveryOutcome(state="unknown", reason=f"{error.reason}; it may have arrived", **made)
    if error.is_permanent:
        return DeliveryOutcome(state="failed", reason=error.reason, is_dead_address=error.is_dead_address, **made)
    if message.attempts >= MAX_ATTEMPTS:
        return DeliveryOutcome(state="failed", reason=f"given up after {MAX_ATTEMPTS} attempts: {error.reason}", **made)
    return DeliveryOutcome(state="queued", reason=error.reason, **made)


def _masked(text: str, secret: str | None) -> str:
    return text.replace(secret, "…") if secret else text

"""Delivers one message: marks it as being sent, makes its text, sends it over its channel, and stores the outcome.

Nothing is sent inside a transaction; a message to a contact is never sent a second time.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import structlog
from msgspec.structs import replace

from leadroutes.channels import words
from leadroutes.channels.envelope import Channel, DeliveryError, Envelope, NoLongerWanted
from leadroutes.channels.text import TextChannel
from leadroutes.domain.agent_hours import agent_zone
from leadroutes.domain.alert_times import waits_until
from leadroutes.domain.message import (
    CLAIMABLE_KINDS,
    LINKLESS_KINDS,
    PASSWORD_KINDS,
    WORDED_KINDS,
    InvitationDetails,
    MessageStatus,
    OutgoingMessage,
    SwitchedOffWebhook,
)
from leadroutes.domain.provider_errors import effect_of
from leadroutes.domain.provider_states import NOT_ARRIVED
from leadroutes.domain.template import MessageContent
from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.engine.password_links import add_password_token, is_password_link_open
from leadroutes.engine.users import add_email_token, is_email_asked_for
from leadroutes.errors import Unavailable
from leadroutes.observability.lead_log import log_delivery
from leadroutes.observability.traces import span
from leadroutes.retry import RetryLater, retry_delay
from leadroutes.security.return_token import Purpose, ReturnAddress
from leadroutes.security.secret_key import load_secret_key
from leadroutes.security.unsubscribe_token import unsubscribe_token
from leadroutes.settings import Settings
from leadroutes.settings.sending import sending_rules
from leadroutes.store.invitations import add_token, find_place
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey, Noted
from leadroutes.store.notifications import load_digest
from leadroutes.store.pace import TurnLater
from leadroutes.store.postgres import Database
from leadroutes.store.provider_states import SUPPRESSED_AS, ProviderReport, note_report
from leadroutes.store.received_texts import take_reply_number
from leadroutes.store.webhooks import find_switched_off
from leadroutes.worker.browsers import Browsers
from leadroutes.worker.calls import AgentCalls
from leadroutes.worker.channel_health import ChannelHealth
from leadroutes.worker.passing_on import passed_on
from leadroutes.worker.step_windows import StepWindows, WindowClosed, waiting_for
from leadroutes.worker.step_words import filled_in, with_words_of_call
from leadroutes.worker.steps import BeingReadError, until_read, wait_for_reading, why_step_is_skipped
from leadroutes.worker.texts import TextRules

log = structlog.get_logger()

MAX_ATTEMPTS = 30  # the last one after about 24 hours
NOTE_TIMEOUT = 120.0  # seconds
RECHECK_AFTER = 1.0  # seconds for which a message's status counts as current
ASKED_AFTER = timedelta(hours=1)
LARGE_AT_ONCE = 2  # answers of contacts that are passed on, with all that is attached to them
VIA_BY_CHANNEL = {"email": "Email", "text": "Text", "call": "Phone"}


class MessageDelivery:
    """Delivers messages over the channels that are open."""

    def __init__(self, database: Database, channels: Mapping[str, Channel | None], settings: Settings) -> None:
        self._log = DeliveryLog(database)
        self._database = database
        self._browsers = Browsers(database, settings)
        self._channels: Mapping[str, Channel | None] = {**channels, "push": self._browsers}
        self._health = ChannelHealth(database)
        self._settings = settings
        self._texts = TextRules(database, settings)
        rules = replace(sending_rules(settings), has_provider=channels.get("text") is not None)
        self._windows = StepWindows(database, rules)
        self.calls = AgentCalls(database, channels, settings)
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def deliver(self, key: MessageKey) -> None:
        """Delivers one message, unless that has been done. Raises RetryLater where it is to be tried again."""
        checked_at = asyncio.get_running_loop().time()
        message = await self._log.begin(key)
        if message is None:
            return
        if message.is_about_account:
            message = await self._with_account(message)
        if message.kind == "digest" and message.agent is not None:
            message = replace(message, digest=await load_digest(self._database, message.agent.id))
        outcome = _outcome_without_sending(message) or self._wait_for_morning(message) or wait_for_reading(message)
        outcome = outcome or await self._outcome_of_checks(key, message)
        if outcome is None and message.asks_for_call:
            outcome = DeliveryOutcome(state="sent", asks_for_call=True)
        if outcome is None:
            async with self._large if message.arrival_id is not None else contextlib.nullcontext():
                sending = partial(self._send, key, message, checked_at)
                outcome = self._wait_for_channel(message) or await self._windows.in_turn(message, sending)
        outcome = self._with_question(message, outcome)
        noted = await self._note(key, message.attempts, outcome)
        log_delivery(key.owner_id, message.lead_id, key.id, message.kind, message.channel, outcome.state)
        if noted is not None and outcome.leaves_at is not None:
            return  # the timers bring it back
        if outcome.state == "queued" or noted is None:  # a worker that took over this message may rely on the job
            raise RetryLater(self._delay(message, outcome), outcome.reason or "")
        if outcome.suppressed_as == "stopped":
            await self._texts.stop(message)
        if outcome.provider_id is not None and message.channel == "call":
            await self.calls.settle(key)
        elif outcome.provider_id is not None:
            await self._take_earlier_report(key, outcome.provider_id, noted)

    def _with_question(self, message: OutgoingMessage, outcome: DeliveryOutcome) -> DeliveryOutcome:
        """The provider is asked what became of a text, unless it calls back before."""
        is_open = outcome.state == "unknown" or (outcome.state == "sent" and outcome.provider_id is not None)
        if message.channel != "text" or not is_open:
            return outcome
        return dataclasses.replace(outcome, asks_at=self._database.clock.now() + ASKED_AFTER)

    def _delay(self, message: OutgoingMessage, outcome: DeliveryOutcome) -> timedelta:
        if outcome.delay is not None:
            return outcome.delay
        return retry_delay(message.attempts) if outcome.is_counted else self._health.wait(message.channel)

    async def _take_earlier_report(self, key: MessageKey, provider_id: str, noted: Noted) -> None:
        """A callback that was faster than the answer to the request has left what the message failed with."""
        if noted.provider_state in NOT_ARRIVED:
            report = ProviderReport(
                owner_id=key.owner_id, message_id=key.id, provider_id=provider_id, state=noted.provider_state,
                error_code=noted.error_code,
            )  # fmt: skip
            await note_report(self._database, report, is_callback=False)

    async def _outcome_of_checks(self, key: MessageKey, message: OutgoingMessage) -> DeliveryOutcome | None:
        """Returns the outcome of a message that is not to be sent now, by what the database says; None: it is."""
        try:
            return (
                await self._outcome_of_number(key, message)
                or await self._outcome_of_windows(message)
                or await self._outcome_at_this_moment(key, message)
            )
        except Unavailable as error:  # nothing has been sent, which the next attempt has to know
            return _outcome_of_error(DeliveryError(error.message), message, {"sender_id": message.sender_id})

    async def _outcome_of_number(self, key: MessageKey, message: OutgoingMessage) -> DeliveryOutcome | None:
        """Returns the outcome of a text that is not to be sent to its number; None: it is. Raises Unavailable."""
        try:
            return _suppressed(message, await self._texts.why_not_sent(key, message))
        except BeingReadError:
            return until_read()

    async def _outcome_of_windows(self, message: OutgoingMessage) -> DeliveryOutcome | None:
        """A message of a campaign whose windows closed while it was queued waits for the next. Raises Unavailable."""
        wait = await self._windows.find_wait(message)
        return None if wait is None else waiting_for(wait)

    async def _outcome_at_this_moment(self, key: MessageKey, message: OutgoingMessage) -> DeliveryOutcome | None:
        """Agents are not called at night, unless they want to be; the alert has gone another way then.

        A step of a campaign whose conditions do not hold is skipped; the next one goes on. Raises Unavailable.
        """
        at_night = await self.calls.outcome_at_night(key, message)
        return at_night or _suppressed(message, await why_step_is_skipped(self._database, message))

    async def close(self) -> None:
        """Closes what it has opened itself."""
        await self._browsers.close()

    def _wait_for_morning(self, message: OutgoingMessage) -> DeliveryOutcome | None:
        """During the quiet time of its user an alert that is not an offer waits."""
        agent = message.agent
        if agent is None:
            return None
        zone = agent_zone(agent.timezone, agent.phone, agent.owners_timezone)
        until = waits_until(
            message.kind, message.channel, self._database.clock.now(), zone, agent.quiet_from, agent.quiet_to
        )
        if until is None:
            return None
        reason = f"waits until {agent.quiet_to}, the end of the user's quiet time"
        return DeliveryOutcome(state="queued", reason=reason, is_counted=False, leaves_at=until)

    def _wait_for_channel(self, message: OutgoingMessage) -> DeliveryOutcome | None:
        """While a channel does not work, one message at a time tries it, and the others wait."""
        if self._channels.get(message.channel) is None:
            return None
        reason = self._health.why_held(message.channel)
        return None if reason is None else DeliveryOutcome(state="queued", reason=f"waits: {reason}", is_counted=False)

    async def _note(self, key: MessageKey, attempt: int, outcome: DeliveryOutcome) -> Noted | None:
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
            number = await self._sender_number(message)
            if message.channel == "call":
                await self.calls.wait_for_turn()
            envelope, secret = await self._compose(key, message)
            envelope = dataclasses.replace(
                envelope,
                message=str(message.name),
                sender_number=number,
                is_alert=message.is_alert,
                return_path=self._return_address(key, message, "bounce"),
            )
        except TurnLater as error:
            return DeliveryOutcome(state="queued", reason=f"waits: {error.reason}", is_counted=False, delay=error.delay)
        except DeliveryError as error:  # here and below nothing has been sent
            return await self._outcome_of_refusal(error, key, message, {"sender_id": message.sender_id})
        except Unavailable as error:
            return _outcome_of_error(DeliveryError(error.message), message, {"sender_id": message.sender_id})
        except Exception as error:
            log.exception("a message cannot be made", owner=key.owner_id, message=key.id)
            fault = DeliveryError(f"the message cannot be made ({type(error).__name__})")
            return _outcome_of_error(fault, message, {"sender_id": message.sender_id})
        made = _stored(message, envelope, secret)
        channel = self._channels.get(message.channel)
        if channel is None:
            return DeliveryOutcome(state="suppressed", reason=f"no {message.channel} channel is configured", **made)
        try:
            with span(f"send {message.channel}", owner=key.owner_id, lead=message.lead_id, message=key.id):
                receipt = await channel.send(envelope, partial(self._is_still_wanted, key, message, checked_at))
        except WindowClosed as error:
            return waiting_for(error.wait)
        except NoLongerWanted as error:
            return DeliveryOutcome(state="suppressed", reason=error.reason, sender_id=message.sender_id)
        except DeliveryError as error:
            return await self._outcome_of_refusal(error, key, message, made)
        except Exception as error:  # the message may or may not have been sent
            log.exception("a channel broke", owner=key.owner_id, message=key.id, channel=message.channel)
            fault = DeliveryError(f"the {message.channel} channel broke ({type(error).__name__})", is_doubtful=True)
            return _outcome_of_error(fault, message, made)
        await self._note_works(message.channel)
        if receipt is not None:
            made |= {"provider_id": receipt.provider_id, "provider_state": receipt.provider_state}
            with contextlib.suppress(Unavailable):  # then the provider's reports say the same
                await self.calls.note_placed(envelope, receipt)
        return DeliveryOutcome(state="sent", **made)

    async def _sender_number(self, message: OutgoingMessage) -> str | None:
        """Returns what a text comes from, once it is its turn; None for other messages."""
        channel = self._channels.get(message.channel)
        return await self._texts.wait_for_turn(message, channel) if isinstance(channel, TextChannel) else None

    async def _outcome_of_refusal(
        self, error: DeliveryError, key: MessageKey, message: OutgoingMessage, made: dict[str, Any]
    ) -> DeliveryOutcome:
        """The channel is at fault, the hour is, or this message alone."""
        if error.code is not None:
            made |= {"error_code": error.code}
        if await self._health.note_fault(message.channel, key, message.sent_to, error):
            return DeliveryOutcome(state="queued", reason=f"waits: {error.reason}", is_counted=False, **made)
        effect = effect_of(error.code)
        if effect == "stopped" and message.kind == "confirmation":
            return DeliveryOutcome(state="suppressed", reason="the provider has stopped texts to this number", **made)
        if effect == "window":
            moment = await self._texts.next_window(message)
            return DeliveryOutcome(state="queued", reason=error.reason, is_counted=False, leaves_at=moment, **made)
        if error.blame == "policy":
            error.is_permanent = True  # it refuses this address only
        if (suppressed_as := SUPPRESSED_AS.get(effect or "")) is not None:
            made |= {"suppressed_as": suppressed_as, "address": message.sent_to}
        return _outcome_of_error(error, message, made)

    async def _note_works(self, channel: str) -> None:
        """The message has been sent: that its channel works can as well be stored after the next one."""
        with contextlib.suppress(Unavailable):
            await self._health.note_works(channel)

    async def _is_still_wanted(self, key: MessageKey, message: OutgoingMessage, checked_at: float) -> str | None:
        """Returns why the message is not to be sent any more, or None. Raises WindowClosed where it has to wait."""
        if asyncio.get_running_loop().time() - checked_at < RECHECK_AFTER:
            return None
        try:
            status = await self._log.recheck(key)
            reason = await self._texts.why_suppressed(message)
            wait = await self._windows.find_wait(message)
        except Unavailable as error:
            raise DeliveryError(error.message) from error
        status = status or message.status
        reason = reason or _why_suppressed(message, status)
        if reason is None and status.has_unread_text:
            raise BeingReadError
        if reason is None and wait is not None:
            raise WindowClosed(wait)
        return reason

    async def _compose(self, key: MessageKey, message: OutgoingMessage) -> tuple[Envelope, str | None]:
        """Returns the envelope, and the secret in it that must not be stored."""
        if message.kind == "campaign":
            return await self._compose_to_contact(key, message), None
        if message.is_about_account:
            return await self._compose_about_account(message)
        if message.call is not None:
            message = await with_words_of_call(message)
        if message.arrival_id is not None:
            return await passed_on(self._database, message), None
        if message.channel == "call":
            return await self.calls.envelope(key, message), None
        if message.channel == "push":
            return _notification_envelope(message), None
        if message.kind in WORDED_KINDS:
            return _envelope(message, MessageContent(subject=None, text_body=message.text_body or "")), None
        token = None
        if message.offer is not None and message.kind not in LINKLESS_KINDS:
            token = await self._log.add_claim_token(key.owner_id, message.offer.id, VIA_BY_CHANNEL[message.channel])
        link = f"{self._settings.public_url}/claim/{token}" if token else None
        if message.kind == "digest":
            link = f"{self._settings.public_url}/app"
        if message.event is not None:
            link = f"{self._settings.public_url}/app/contacts/{message.event.contact_id}"
        if message.call is not None:
            link = f"{self._settings.public_url}/app/{words.page_of_call(message, message.call)}"
        return _envelope(message, words.alert_content(message, link, await self._reply_number(message))), token

    async def _reply_number(self, message: OutgoingMessage) -> int | None:
        """Returns the number by which the agent may claim with a text; None where there is none, or none is left."""
        if message.channel != "text" or message.kind not in CLAIMABLE_KINDS or message.offer is None:
            return None
        return await take_reply_number(self._database, message.sent_to, message.owner_id, message.offer.id, message.id)

    async def _with_account(self, message: OutgoingMessage) -> OutgoingMessage:
        """Returns the message with what a mail about an account says, as it is at this moment."""
        if message.password_link_id is not None:
            is_open = await is_password_link_open(self._database, message.password_link_id)
            return replace(message, is_password_link_open=is_open)
        if message.webhook_id is not None:
            return replace(message, webhook=await self._switched_off(message.owner_id, message.webhook_id))
        member_id, change_id = message.member_id, message.email_change_id
        place = await find_place(self._database, member_id) if member_id is not None else None
        is_open = change_id is not None and await is_email_asked_for(self._database, change_id)
        if place is None or place["request_status"] != "Pending":
            return replace(message, is_email_change_open=is_open)
        invitation = InvitationDetails(**{name: place[name] for name in InvitationDetails.__struct_fields__})
        return replace(message, is_email_change_open=is_open, invitation=invitation)

    async def _switched_off(self, owner_id: int, webhook_id: int) -> SwitchedOffWebhook | None:
        found = await find_switched_off(self._database, owner_id, webhook_id)
        return SwitchedOffWebhook(host=httpx.URL(found["url"]).host, reason=found["reason"]) if found else None

    async def _compose_about_account(self, message: OutgoingMessage) -> tuple[Envelope, str | None]:
        token = path = None
        if message.kind == "invitation" and message.member_id is not None:
            token, path = await add_token(self._database, message.member_id), "invitations"
        elif message.kind == "email_change" and message.email_change_id is not None:
            token, path = await add_email_token(self._database, message.email_change_id), "emails"
        elif message.password_link_id is not None:
            token, path = await add_password_token(self._database, message.password_link_id), "passwords"
        link = f"{self._settings.public_url}/{path}/{token}" if token else None
        if message.webhook_id is not None:
            link = f"{self._settings.public_url}/app/webhooks/{message.webhook_id}"
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
            await filled_in(words.campaign_template_input(message, link), key.owner_id),
            sender_name=sender.name if sender else None,
            reply_to=self._return_address(key, message, "reply") or (sender.email if sender else None),
            headers={"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        )

    def _return_address(self, key: MessageKey, message: OutgoingMessage, purpose: Purpose) -> str | None:
        """Returns where reports about a mail, or answers to it, come back; None where no mail is taken in."""
        domain = self._settings.mail_domain
        if domain is None or message.channel != "email":
            return None
        local_part = ReturnAddress(purpose, key.owner_id, key.id).local_part(load_secret_key(self._settings))
        return f"{local_part}@{domain}"


def _envelope(message: OutgoingMessage, content: MessageContent, **more: Any) -> Envelope:
    return Envelope(
        address=message.sent_to,
        subject=content.subject,
        text_body=content.text_body,
        html_body=content.html_body,
        **more,
    )


def _notification_envelope(message: OutgoingMessage) -> Envelope:
    assert message.agent is not None  # contacts have no browsers here
    shown = words.notification(message)
    return _envelope(message, words.alert_content(message, None), notification=shown, user_id=message.agent.id)


def _outcome_without_sending(message: OutgoingMessage) -> DeliveryOutcome | None:
    """Returns the outcome of a message that is not to be sent; None where it is."""
    if message.was_sending and message.provider_id is not None:  # it has reported that it took the message
        return DeliveryOutcome(
            state="sent", address=message.sent_to, sender_id=message.sender_id, provider_id=message.provider_id,
            provider_state=message.provider_state,
        )  # fmt: skip
    if message.was_sending and message.contact is not None and not message.asks_for_call:
        return DeliveryOutcome(
            state="unknown",
            reason="the service stopped while this was being sent; it may have arrived",
            address=message.sent_to or None,
            sender_id=message.sender_id,
        )
    return _suppressed(message, _why_suppressed(message, message.status))


def _suppressed(message: OutgoingMessage, reason: str | None) -> DeliveryOutcome | None:
    return DeliveryOutcome(state="suppressed", reason=reason, sender_id=message.sender_id) if reason else None


def _why_suppressed(message: OutgoingMessage, status: MessageStatus) -> str | None:
    match message.kind:
        case "campaign" if status.why_step_is_over is not None:
            return status.why_step_is_over
        case "campaign" if status.contact_suppressed_because is not None:
            return status.contact_suppressed_because
        case "campaign" if message.channel == "call":
            return None  # an agent is asked to call
        case "call_due" if status.why_step_is_over is not None:
            return "the call is made, or was stopped"
        case "campaign" if message.template is None:
            return "the step has no template"
        case "invitation" if message.invitation is None:
            return "the invitation was answered or taken back"
        case "digest" if message.digest is None or message.digest.is_empty:
            return "there is nothing to report"
        case "email_change" if not message.is_email_change_open:
            return "it is no longer asked for"
        case "webhook_off" if message.webhook is None:
            return "the webhook was switched on again, or removed"
        case kind if kind in PASSWORD_KINDS and not message.is_password_link_open:
            return "the link was used, was taken back, or has expired"
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


def _stored(message: OutgoingMessage, envelope: Envelope, secret: str | None) -> dict[str, Any]:
    """Returns what is stored of a message.

    Not the words of a digest, where erasure would not find a contact's name, nor a mail that is passed on, which its
    arrival has.
    """
    has_words = message.kind != "digest" and envelope.content is None
    return {
        "address": envelope.address,
        "subject": envelope.subject if envelope.content is None else None,
        "text_body": _masked(envelope.text_body, secret) or None if has_words else None,
        "html_body": _masked(envelope.html_body, secret) if envelope.html_body and has_words else None,
        "sender_id": message.sender_id,
        "action_id": message.action_id,
        "template_id": message.template.id if message.template is not None else None,
    }


def _masked(text: str, secret: str | None) -> str:
    return text.replace(secret, "…") if secret else text

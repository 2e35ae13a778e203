"""Delivers one message: marks it, finds its words and its channel, sends it, and writes down what came of it.

Nothing is sent inside a transaction; a message to a contact is never sent a second time.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from leadroutes.channels import words
from leadroutes.channels.envelope import Channel, DeliveryError, Envelope, NoLongerWanted
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

MAX_ATTEMPTS = 30  # the last of them after some 24 hours
NOTE_TIMEOUT = 120.0  # seconds
RECHECK_AFTER = 1.0  # seconds that a look at how things stand may be old when the words leave
VIA_BY_CHANNEL = {"email": "Email", "text": "Text", "call": "Phone"}
CLAIMABLE_KINDS = ("offer", "unclaimed")


class MessageDelivery:
    """Delivers messages over the channels that are open."""

    def __init__(self, database: Database, channels: Mapping[str, Channel | None], settings: Settings) -> None:
        self._delivery_log = DeliveryLog(database)
        self._database = database
        self._channels = channels
        self._health = ChannelHealth(database)
        self._settings = settings

    async def deliver(self, key: MessageKey) -> None:
        """Deliver one message, if that has not been done. RetryLater: the channel is out of reach for the moment."""
        checked_at = asyncio.get_running_loop().time()
        message = await self._delivery_log.begin(key)
        if message is None:
            return
        if message["kind"] in words.ABOUT_ACCOUNTS:
            message = {**message, **await self._about_account(message)}
        if (outcome := _outcome_without_sending(message)) is None:
            outcome = self._wait_for_channel(message) or await self._send(key, message, checked_at)
        is_noted = await self._note(key, message["attempts"], outcome)
        log_delivery(key.owner_id, message["lead_id"], key.id, message["kind"], message["channel"], outcome.state)
        if outcome.state == "queued" or not is_noted:  # somebody who took us for dead may rely on the job
            delay = retry_delay(message["attempts"]) if outcome.is_counted else self._health.wait(message["channel"])
            raise RetryLater(delay, outcome.reason or "")

    def _wait_for_channel(self, message: Mapping[str, Any]) -> DeliveryOutcome | None:
        """While a channel does not work, one message at a time tries it, and the others wait."""
        if self._channels.get(message["channel"]) is None:
            return None
        reason = self._health.why_held(message["channel"])
        return None if reason is None else DeliveryOutcome(state="queued", reason=f"waits: {reason}", is_counted=False)

    async def _note(self, key: MessageKey, attempt: int, outcome: DeliveryOutcome) -> bool:
        """Nobody else knows what came of it, so a database that is away is waited for."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + NOTE_TIMEOUT
        while True:
            try:
                return await self._delivery_log.note(key, attempt, outcome)
            except Unavailable:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(1)

    async def _send(self, key: MessageKey, message: Mapping[str, Any], checked_at: float) -> DeliveryOutcome:
        """Whatever making or handing over the message raises is its outcome. Before that it has reached nobody."""
        try:
            envelope, secret = await self._compose(key, message)
        except DeliveryError as error:
            return _outcome_of_error(error, message, {"sender_id": message["sender_id"]})
        except Unavailable as error:
            return _outcome_of_error(DeliveryError(error.message), message, {"sender_id": message["sender_id"]})
        except Exception as error:
            log.exception("a message cannot be made", owner=key.owner_id, message=key.id)
            fault = DeliveryError(f"the message cannot be made ({type(error).__name__})")
            return _outcome_of_error(fault, message, {"sender_id": message["sender_id"]})
        made: dict[str, Any] = {
            "address": envelope.address,
            "subject": envelope.subject,
            "text_body": _masked(envelope.text_body, secret),
            "html_body": _masked(envelope.html_body, secret) if envelope.html_body else None,
            "sender_id": message["sender_id"],
        }
        channel = self._channels.get(message["channel"])
        if channel is None:
            return DeliveryOutcome(state="suppressed", reason=f"no {message['channel']} channel is configured", **made)
        try:
            with span(f"send {message['channel']}", owner=key.owner_id, lead=message["lead_id"], message=key.id):
                await channel.send(envelope, partial(self._is_still_wanted, key, message, checked_at))
        except NoLongerWanted as error:
            return DeliveryOutcome(state="suppressed", reason=error.reason, sender_id=message["sender_id"])
        except DeliveryError as error:
            if await self._health.note_fault(message["channel"], key, envelope.address, error):
                return DeliveryOutcome(state="queued", reason=f"waits: {error.reason}", is_counted=False, **made)
            if error.blame == "policy":
                error.is_permanent = True  # it has refused this address, and no other
            return _outcome_of_error(error, message, made)
        except Exception as error:  # a channel's fault: nobody knows how far it had come
            log.exception("a channel broke", owner=key.owner_id, message=key.id, channel=message["channel"])
            fault = DeliveryError(f"the {message['channel']} channel broke ({type(error).__name__})", is_doubtful=True)
            return _outcome_of_error(fault, message, made)
        await self._note_works(message["channel"])
        return DeliveryOutcome(state="sent", **made)

    async def _note_works(self, channel: str) -> None:
        """The message has gone: what cannot be noted of its channel is noted after the next one."""
        with contextlib.suppress(Unavailable):
            await self._health.note_works(channel)

    async def _is_still_wanted(self, key: MessageKey, message: Mapping[str, Any], checked_at: float) -> str | None:
        """Why not, as things stand now; a look that was a moment ago still holds."""
        if asyncio.get_running_loop().time() - checked_at < RECHECK_AFTER:
            return None
        try:
            return _suppressed_because({**message, **await self._delivery_log.recheck(key)})
        except Unavailable as error:
            raise DeliveryError(error.message) from error

    async def _compose(self, key: MessageKey, message: Mapping[str, Any]) -> tuple[Envelope, str | None]:
        """The envelope, and the secret in it that must not be kept."""
        if message["kind"] == "campaign":
            return await self._compose_to_contact(key, message), None
        if message["kind"] in words.ABOUT_ACCOUNTS:
            return await self._compose_about_account(message)
        token = None
        if message["offer_id"] is not None and message["kind"] != "claimed":
            token = await self._delivery_log.add_claim_token(
                key.owner_id, message["offer_id"], VIA_BY_CHANNEL[message["channel"]]
            )
        link = f"{self._settings.public_url}/claim/{token}" if token else None
        made = words.alert_content(message, link)
        return Envelope(
            address=_address(message),
            subject=made.subject,
            text_body=made.text_body,
            html_body=made.html_body,
        ), token

    async def _about_account(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the words of a mail about an account need to know, as it is at this moment."""
        place, member_id, change_id = None, message["member_id"], message["email_change_id"]
        if member_id is not None:
            place = await find_place(self._database, member_id)
        return {
            "invitation": place if place is not None and place["request_status"] == "Pending" else None,
            "is_asked_for": change_id is not None and await is_email_asked_for(self._database, change_id),
        }

    async def _compose_about_account(self, message: Mapping[str, Any]) -> tuple[Envelope, str | None]:
        token = path = None
        if message["kind"] == "invitation":
            token, path = await add_token(self._database, message["member_id"]), "invitations"
        elif message["kind"] == "email_change":
            token, path = await add_email_token(self._database, message["email_change_id"]), "emails"
        made = words.account_content(message, f"{self._settings.public_url}/{path}/{token}" if token else None)
        return Envelope(
            address=_address(message), subject=made.subject, text_body=made.text_body, html_body=made.html_body
        ), token

    async def _compose_to_contact(self, key: MessageKey, message: Mapping[str, Any]) -> Envelope:
        """Its template is worked out apart. DeliveryError, permanent: the template cannot be filled in."""
        named = UnsubscribeLink(key.owner_id, message["contact_id"], key.id, message["address_digest"])
        link = f"{self._settings.public_url}/unsubscribe/{unsubscribe_token(load_secret_key(self._settings), named)}"
        made = await _composed(words.campaign_template_input(message, link), key.owner_id)
        return Envelope(
            address=_address(message),
            subject=made.subject,
            text_body=made.text_body,
            html_body=made.html_body,
            sender_name=message["sender_name"],
            reply_to=message["sender_email"],
            headers={"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        )


async def _composed(template_input: TemplateInput, owner_id: int) -> MessageContent:
    try:
        composed = await run_sandboxed(COMPOSE_MESSAGE, template_input, owner=owner_id)
    except ComputationFailed as error:
        raise DeliveryError(f"The template {error.reason}", is_permanent=True) from error
    if composed.words is None:
        raise DeliveryError(composed.fault or "The template cannot be filled in", is_permanent=True)
    return composed.words


def _outcome_without_sending(message: Mapping[str, Any]) -> DeliveryOutcome | None:
    """What comes of a message that is not to be sent, as things stand now; None: it is."""
    is_to_contact = message["contact_id"] is not None
    if message["was_sending"] and is_to_contact:
        return DeliveryOutcome(
            state="unknown",
            reason="the service stopped while this was being sent; it may have arrived",
            sender_id=message["sender_id"],
        )
    if reason := _suppressed_because(message):
        return DeliveryOutcome(state="suppressed", reason=reason, sender_id=message["sender_id"])
    return None


def _suppressed_because(message: Mapping[str, Any]) -> str | None:
    match message["kind"]:
        case "campaign" if not message["communication_is_active"]:
            return " by ".join(filter(None, ("it was stopped", message["stopped_by_name"])))
        case "campaign" if (reason := message["contact_suppressed_because"]) is not None:
            return str(reason)
        case "campaign" if message["template_id"] is None:
            return "the step has no template"
        case "invitation" if message["invitation"] is None:
            return "the invitation was answered or taken back"
        case "email_change" if not message["is_asked_for"]:
            return "it is no longer asked for"
        case kind if kind in CLAIMABLE_KINDS and message["claimed_by_user_id"] is not None:
            return f"{message['claimed_by_name']} had claimed the lead"
        case kind if kind in CLAIMABLE_KINDS and message["offer_state"] not in ("notified", None):
            return f"the offer was {message['offer_state']}"
    if message["user_is_active"] is False:
        return "the account of the agent is not active"
    return None if _address(message) else _no_address(message)


def _address(message: Mapping[str, Any]) -> str:
    """Where it goes: the agent's or the contact's, by the channel."""
    if message["kind"] in words.ABOUT_ACCOUNTS:
        found = message["address"] or message["user_email"]
    elif message["contact_id"] is not None:
        found = message["contact_email"] if message["channel"] == "email" else message["contact_mobile_phone"]
    else:
        found = message["user_email"] if message["channel"] == "email" else message["user_phone"]
    return (found or "").strip()


def _no_address(message: Mapping[str, Any]) -> str:
    who = "the contact" if message["contact_id"] is not None else "the user"
    return f"{who} has no e-mail address" if message["channel"] == "email" else f"{who} has no phone number"


def _outcome_of_error(error: DeliveryError, message: Mapping[str, Any], made: dict[str, Any]) -> DeliveryOutcome:
    if error.is_doubtful and message["contact_id"] is not None:
        return DeliveryOutcome(state="unknown", reason=f"{error.reason}; it may have arrived", **made)
    if error.is_permanent:
        return DeliveryOutcome(state="failed", reason=error.reason, is_dead_address=error.is_dead_address, **made)
    if message["attempts"] >= MAX_ATTEMPTS:
        return DeliveryOutcome(state="failed", reason=f"given up after {MAX_ATTEMPTS} attempts: {error.reason}", **made)
    return DeliveryOutcome(state="queued", reason=error.reason, **made)


def _masked(text: str, secret: str | None) -> str:
    return text.replace(secret, "…") if secret else text

"""Delivers one message: marks it, finds its words and its channel, sends it, and writes down what came of it.

Nothing is sent inside a transaction; a message to a contact is never sent a second time.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from leadroutes.again import TryAgain, delay_after
from leadroutes.channels import words
from leadroutes.channels.envelope import Channel, DeliveryError, Envelope
from leadroutes.errors import Unavailable
from leadroutes.journal import note_delivery
from leadroutes.liquid import Unrenderable
from leadroutes.secrets import secret_of
from leadroutes.settings import Settings
from leadroutes.store.invitations import add_token, find_place
from leadroutes.store.messages import MessageKey, Outcome, Sending
from leadroutes.store.postgres import Database
from leadroutes.tracing import span
from leadroutes.unsubscribing import unsubscribe_token
from leadroutes.users import add_email_token, is_email_asked_for

MOST_ATTEMPTS = 8
NOTED_WITHIN = 120.0  # seconds
VIA = {"email": "Email", "text": "Text", "call": "Phone"}
CLAIMABLE = ("offer", "unclaimed")


class Delivery:
    """Delivers messages over the channels that are open."""

    def __init__(self, database: Database, channels: Mapping[str, Channel | None], settings: Settings) -> None:
        self._sending = Sending(database)
        self._database = database
        self._channels = channels
        self._settings = settings

    async def deliver(self, key: MessageKey) -> None:
        """Deliver one message, if that has not been done. TryAgain: the channel is out of reach for the moment."""
        message = await self._sending.begin(key)
        if message is None:
            return
        if message["kind"] in words.ABOUT_ACCOUNTS:
            message = {**message, **await self._about_account(message)}
        if (outcome := _without_sending(message)) is None:
            outcome = await self._send(key, message)
        is_noted = await self._note(key, message["attempts"], outcome)
        note_delivery(key.owner_id, message["lead_id"], key.id, message["kind"], message["channel"], outcome.state)
        if outcome.state == "queued" or not is_noted:  # somebody who took us for dead may rely on the job
            raise TryAgain(delay_after(message["attempts"]), outcome.reason or "")

    async def _note(self, key: MessageKey, attempt: int, outcome: Outcome) -> bool:
        """Nobody else knows what came of it, so a database that is away is waited for."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + NOTED_WITHIN
        while True:
            try:
                return await self._sending.note(key, attempt, outcome)
            except Unavailable:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(1)

    async def _send(self, key: MessageKey, message: Mapping[str, Any]) -> Outcome:
        try:
            envelope, secret = await self._compose(key, message)
        except Unrenderable as error:
            return Outcome(state="failed", reason=str(error), sender_id=message["sender_id"])
        made: dict[str, Any] = {
            "address": envelope.address,
            "subject": envelope.subject,
            "text_body": _masked(envelope.text_body, secret),
            "html_body": _masked(envelope.html_body, secret) if envelope.html_body else None,
            "sender_id": message["sender_id"],
        }
        channel = self._channels.get(message["channel"])
        if channel is None:
            return Outcome(state="suppressed", reason=f"no {message['channel']} channel is configured", **made)
        try:
            with span(f"send {message['channel']}", owner=key.owner_id, lead=message["lead_id"], message=key.id):
                await channel.send(envelope)
        except DeliveryError as error:
            return _undelivered(error, message, made)
        return Outcome(state="sent", **made)

    async def _compose(self, key: MessageKey, message: Mapping[str, Any]) -> tuple[Envelope, str | None]:
        """The envelope, and the secret in it that must not be kept."""
        if message["kind"] == "campaign":
            return self._compose_to_contact(key, message), None
        if message["kind"] in words.ABOUT_ACCOUNTS:
            return await self._compose_about_account(message)
        token = None
        if message["offer_id"] is not None and message["kind"] != "claimed":
            token = await self._sending.add_claim_token(key.owner_id, message["offer_id"], VIA[message["channel"]])
        link = f"{self._settings.public_url}/claim/{token}" if token else None
        made = words.alert_words(message, link)
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
        made = words.account_words(message, f"{self._settings.public_url}/{path}/{token}" if token else None)
        return Envelope(
            address=_address(message), subject=made.subject, text_body=made.text_body, html_body=made.html_body
        ), token

    def _compose_to_contact(self, key: MessageKey, message: Mapping[str, Any]) -> Envelope:
        made = words.campaign_words(message)
        token = unsubscribe_token(secret_of(self._settings), key.owner_id, message["contact_id"])
        unsubscribe = f"<{self._settings.public_url}/unsubscribe/{token}>"
        return Envelope(
            address=_address(message),
            subject=made.subject,
            text_body=made.text_body,
            html_body=made.html_body,
            sender_name=message["sender_name"],
            reply_to=message["sender_email"],
            headers={"List-Unsubscribe": unsubscribe, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        )


def _without_sending(message: Mapping[str, Any]) -> Outcome | None:
    """What comes of a message that is not to be sent, as things stand now; None: it is."""
    is_to_contact = message["contact_id"] is not None
    if message["was_sending"] and is_to_contact:
        return Outcome(
            state="unknown",
            reason="the service stopped while this was being sent; it may have arrived",
            sender_id=message["sender_id"],
        )
    if reason := _suppressed_because(message):
        return Outcome(state="suppressed", reason=reason, sender_id=message["sender_id"])
    return None


def _suppressed_because(message: Mapping[str, Any]) -> str | None:
    match message["kind"]:
        case "campaign" if not message["communication_is_active"]:
            return "it was stopped"
        case "campaign" if message["channel"] == "email" and message["contact_has_unsubscribed"]:
            return "the contact has unsubscribed from e-mails"
        case "campaign" if message["template_id"] is None:
            return "the step has no template"
        case "invitation" if message["invitation"] is None:
            return "the invitation was answered or taken back"
        case "email_change" if not message["is_asked_for"]:
            return "it is no longer asked for"
        case kind if kind in CLAIMABLE and message["claimed_by_user_id"] is not None:
            return f"{message['claimed_by_name']} had claimed the lead"
        case kind if kind in CLAIMABLE and message["offer_state"] not in ("notified", None):
            return f"the offer was {message['offer_state']}"
    if message["user_is_active"] is False:
        return "his account is not active"
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


def _undelivered(error: DeliveryError, message: Mapping[str, Any], made: dict[str, Any]) -> Outcome:
    if error.is_doubtful and message["contact_id"] is not None:
        return Outcome(state="unknown", reason=f"{error.reason}; it may have arrived", **made)
    if error.is_permanent:
        return Outcome(state="failed", reason=error.reason, **made)
    if message["attempts"] >= MOST_ATTEMPTS:
        return Outcome(state="failed", reason=f"given up after {MOST_ATTEMPTS} attempts: {error.reason}", **made)
    return Outcome(state="queued", reason=error.reason, **made)


def _masked(text: str, secret: str | None) -> str:
    return text.replace(secret, "…") if secret else text

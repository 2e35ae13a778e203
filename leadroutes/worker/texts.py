"""What is looked at before a text leaves: whether its number gets texts, and whose turn it is.

Texts themselves are made and sent as all messages are.
"""

from datetime import datetime

from leadroutes.channels.text import TextChannel
from leadroutes.domain.alert_times import OFFER_KINDS
from leadroutes.domain.lawful_hours import lawful_hours, next_window, whereabouts_of
from leadroutes.domain.message import OutgoingMessage
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.messages import MessageKey, enqueue
from leadroutes.store.pace import Pace
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.provider_states import load_whereabouts
from leadroutes.store.suppressions import note_unsubscribed, stop_phone
from leadroutes.worker.steps import BeingReadError


class TextRules:
    """One per process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._is_strict = settings.quiet_hours == "strict"
        self._pace = Pace(database, settings.texts_per_second, settings.texts_per_day)

    async def why_suppressed(self, message: OutgoingMessage) -> str | None:
        """Returns why the number gets no texts, or None. Raises Unavailable, and BeingReadError."""
        if message.channel != "text" or message.kind == "confirmation":  # it says just that
            return None
        row = await self._database.fetchrow(
            *statement("find_text_suppression").bind(
                owner_id=message.owner_id, number=message.sent_to, is_alert=message.is_alert
            )
        )
        assert row is not None
        reason: str | None = row["why"]
        if reason is None and row["is_being_read"]:
            raise BeingReadError
        return reason

    async def stop(self, message: OutgoingMessage) -> None:
        """The provider says that the number has asked for no more texts: that counts for all accounts."""

        async def work(transaction: Transaction) -> None:
            await stop_phone(transaction, message.sent_to)
            if message.contact is not None:
                note_unsubscribed(transaction, message.owner_id, message.contact.id, "text")

        await self._database.run(work)

    async def why_not_sent(self, key: MessageKey, message: OutgoingMessage) -> str | None:
        """The same of a text that is about to be sent. An offer goes by mail then, unless it does so anyway."""
        reason = await self.why_suppressed(message)
        if reason is not None and message.kind in OFFER_KINDS:
            await self._alert_by_mail(key)
        return reason

    async def _alert_by_mail(self, key: MessageKey) -> None:
        """A member whose number gets no texts is alerted by mail, unless a mail or a call goes to them anyway."""

        async def work(transaction: Transaction) -> None:
            added = await transaction.fetchval(
                *statement("add_mail_in_place_of_text").bind(owner_id=key.owner_id, message_id=key.id)
            )
            if added is not None:
                await enqueue(transaction.connection, [(key.owner_id, added)])

        await self._database.run(work)

    async def next_window(self, message: OutgoingMessage) -> datetime:
        """Returns when the next hours begin, after the provider has refused a text in the present ones."""
        contact_id = message.contact.id if message.contact is not None else None
        found = await load_whereabouts(self._database, message.owner_id, contact_id, message.sent_to)
        return next_window(self._database.clock.now(), lawful_hours(whereabouts_of(found), is_strict=self._is_strict))

    async def wait_for_turn(self, message: OutgoingMessage, channel: TextChannel) -> str:
        """Returns what the text comes from, once it is its turn. Raises TurnLater, and DeliveryError."""
        number = message.sent_from
        if not message.is_alert and message.sender is not None:
            number = message.sender.system_phone
        sender = await channel.sender_for(number)
        await self._pace.wait_for_turn(f"text {sender}", is_alert=message.is_alert)
        return sender

"""Asks the provider what became of a text whose sending broke off, or about which it has not called back.

What follows from the answer is decided as for a callback.
"""

from datetime import datetime, timedelta

import msgspec
import structlog

from leadroutes.channels.envelope import Channel, DeliveryError
from leadroutes.channels.provider import ProviderMessage
from leadroutes.channels.text import TextChannel
from leadroutes.domain.causes import advice_of
from leadroutes.store import statement
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.provider_states import ProviderReport, note_report
from leadroutes.store.webhook_events import note_event

log = structlog.get_logger()

NEVER_SENT = "the provider does not know of it"


class Questions:
    """One per process; without a text channel there is nothing to ask."""

    def __init__(self, database: Database, channel: Channel | None) -> None:
        self._database = database
        self._channel = channel if isinstance(channel, TextChannel) else None

    async def ask(self, payload: bytes, _attempt: int) -> None:
        """A job: asks about one text. Where the provider does not answer, the next hourly question does."""
        key = msgspec.json.decode(payload, type=MessageKey)
        row = await self._database.fetchrow(*statement("load_question").bind(owner_id=key.owner_id, message_id=key.id))
        if row is None or self._channel is None or row["address"] is None:
            return
        try:
            found = await self._channel.find(row["provider_id"], row["address"], await self._real(row["created_at"]))
        except DeliveryError as error:
            log.warning("the provider cannot be asked", message=key.id, reason=error.reason)
            return
        if row["provider_id"] is None:
            found = await self._of_no_other_message(found)
            if not found:
                await self._note_unsent(key)
                return
            found = [each for each in found if each.body == row["text_body"]] or found
        if len(found) == 1:
            await self._note(key, row["address"], found[0])

    async def _real(self, moment: datetime) -> datetime:
        """Returns the latest moment of real time at which it may have been this moment of the domain's."""
        return await self._database.real_now() - max(self._database.clock.now() - moment, timedelta(0))

    async def _of_no_other_message(self, found: list[ProviderMessage]) -> list[ProviderMessage]:
        rows = await self._database.fetch(
            *statement("find_provider_ids").bind(provider_ids=[each.id for each in found])
        )
        others = {row["provider_id"] for row in rows}
        return [each for each in found if each.id not in others]

    async def _note(self, key: MessageKey, address: str, found: ProviderMessage) -> None:
        report = ProviderReport(
            owner_id=key.owner_id,
            message_id=key.id,
            provider_id=found.id,
            state=found.state,
            error_code=found.error_code,
            address=address,
        )
        await note_report(self._database, report, is_callback=False)

    async def _note_unsent(self, key: MessageKey) -> None:
        bound = statement("note_unsent").bind(
            owner_id=key.owner_id,
            message_id=key.id,
            reason=f"{NEVER_SENT}: it was not sent",
            advice=advice_of(NEVER_SENT),
        )

        async def work(transaction: Transaction) -> None:
            if await transaction.fetchval(*bound):
                note_event(transaction, key.owner_id, "message.failed", key.id)

        await self._database.run_prepared(work)

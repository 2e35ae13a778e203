"""Deals with texts that came in: those of people who are known by the engine, others as arrivals.

A text is stored before it is dealt with, and a job does that, so that none is lost and none acts twice. Texts of one
phone are dealt with in the order in which they came.
"""

import hashlib

import msgspec

from leadroutes.domain.arrival import ArrivalItem, ReceivedArrival
from leadroutes.domain.dedupe import DedupeKey
from leadroutes.domain.inquiry import Inquiry
from leadroutes.engine.received_texts import TextReplies
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.settings import Settings
from leadroutes.store.postgres import Transaction
from leadroutes.store.queue import RowKey
from leadroutes.store.received_texts import (
    ReceivedText,
    TextOutcome,
    add_unknown_text,
    find_next_text,
    finish_received_text,
)

JSON_HEADERS = {"content-type": "application/json"}


class ReceivedTexts:
    """One per process."""

    def __init__(self, arrivals: Arrivals, settings: Settings) -> None:
        self._arrivals = arrivals
        self._database = arrivals.engine.database
        self._replies = TextReplies(arrivals.engine, answers_wishes=not settings.twilio_answers_stop)

    async def read(self, payload: bytes, _attempt: int) -> None:
        """The job of the queue for one text: reads what came from the same phone before, whoever else reads it, too."""
        key = msgspec.json.decode(payload, type=RowKey)
        done = 0
        while done < key.id and (text := await find_next_text(self._database, key.id, done)) is not None:
            if not await self._replies.deal_with(text):
                await self._take_from_stranger(text)
            done = text.id

    async def _take_from_stranger(self, text: ReceivedText) -> None:
        """A lead, if the number has an intake key; else an arrival that made none, of the user whose number it is."""
        if text.user_id is None:
            await self._finish(text, "unknown")
            return
        if text.intake_key_id is not None and text.phone is not None:
            await self._arrivals.store(_as_arrival(text, text.user_id))
            await self._finish(text, "arrival")
            return

        async def work(transaction: Transaction) -> None:
            if await finish_received_text(transaction, text.id, "arrival"):
                await add_unknown_text(transaction, text.user_id or 0, text.received_at, _body_of(text))

        await self._database.run(work)

    async def _finish(self, text: ReceivedText, outcome: TextOutcome) -> None:
        async def work(transaction: Transaction) -> None:
            await finish_received_text(transaction, text.id, outcome)

        await self._database.run(work)


def _as_arrival(text: ReceivedText, owner_id: int) -> ArrivalItem:
    """Returns the text as an arrival through the intake key; done again, it is the same arrival.

    The phone is proven: the provider, which has signed the text, says that it came from there.
    """
    assert text.intake_key_id is not None  # whoever asks has looked
    assert text.lead_source_id is not None
    body = _body_of(text)
    arrival = ReceivedArrival(
        owner_id=owner_id,
        intake_key_id=text.intake_key_id,
        lead_source_id=text.lead_source_id,
        contact_source_id=text.contact_source_id,
        body=body,
        headers=JSON_HEADERS,
        format=None,
        inquiries=(Inquiry(phone=text.phone, message=text.body or None),),
        is_proven=True,
    )
    same = DedupeKey(scope=f"body {text.intake_key_id}", key=hashlib.sha256(body).hexdigest())
    return ArrivalItem(arrival=arrival, keys=(same,))


def _body_of(text: ReceivedText) -> bytes:
    """Returns the text in a form that can be read again."""
    return msgspec.json.encode({"phone": text.phone, "message": text.body, "text_id": text.provider_id})

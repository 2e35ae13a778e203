"""Texts that come in, reply numbers, and what follows from both.

What a text means is decided elsewhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import asyncpg

from leadroutes.domain.received_text import OpenOffer
from leadroutes.store import statement
from leadroutes.store.contacts import identities_in
from leadroutes.store.messages import enqueue as enqueue_messages
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.queue import RECEIVED_TEXT_JOB, enqueue
from leadroutes.store.screens import account_topic
from leadroutes.store.webhook_events import note_event

REPLY_WINDOW: Final = timedelta(hours=24)
"""For so long a number is not used again for the same phone, and a phone that was sent an offer is read as a reply."""
OTHERS: Final = 200  # contacts of one phone that are looked at: of those who were texted, and of those who were not
MOST_CONTACTS: Final = 50  # with one phone, of which the one that was last written to is looked for
IN_ORDER_WITHIN: Final = timedelta(minutes=10)  # a text that takes longer to be read holds no others up
LONGEST_TEXT: Final = 10_000  # characters; a provider sends no more than 1,600 in one text

TextOutcome = Literal["claim", "pass", "help", "stop", "start", "contact", "arrival", "unknown", "ignored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A text as the provider hands it over. `phone` None: the sender is not a phone."""

    provider_id: str
    number: str | None
    phone: str | None
    body: str
    opt_out_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedText:
    """A text that is to be dealt with. `user_id`: whose number it came to; `intake_key_id`: for people not known."""

    id: int
    provider_id: str
    number: str | None
    phone: str | None
    body: str
    opt_out_type: str | None
    received_at: datetime
    user_id: int | None = None
    intake_key_id: int | None = None
    lead_source_id: int | None = None
    contact_source_id: int | None = None
    was_written_to: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPhone:
    """What a phone was sent with offers. `by_number`: what each number means; `last_owner_id`: of the last offer."""

    by_number: dict[int, OpenOffer]
    open_offers: list[OpenOffer]
    last: OpenOffer | None
    is_recent: bool  # within REPLY_WINDOW
    has_unnumbered: bool  # an offer was sent without a number within REPLY_WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class TextingContact:
    """A contact from whom a text may be. `agent_id`: who has it."""

    owner_id: int
    id: int
    agent_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingMessage:
    """A message that follows from a text: an answer with its words to a phone, or an alert to a user."""

    owner_id: int
    kind: Literal["answer", "confirmation", "replied", "texts_stopped"]
    channel: Literal["text", "email", "push"] = "text"
    lead_id: int | None = None
    offer_id: int | None = None
    user_id: int | None = None
    contact_id: int | None = None
    event_id: int | None = None
    address: str | None = None
    text_body: str | None = None
    sent_from: str | None = None


# -------------------------------------------------------------------------------------------------- reply numbers


async def take_reply_number(
    database: Database, phone: str, owner_id: int, offer_id: int, message_id: int
) -> int | None:
    """Returns the number by which this phone can answer this message; None where all were sent to it of late."""
    now = database.clock.now()
    number: int | None = await database.fetchval(
        *statement("take_reply_number").bind(
            phone=phone, owner_id=owner_id, offer_id=offer_id, message_id=message_id, now=now, since=now - REPLY_WINDOW
        )
    )
    return number


async def load_offered_phone(database: Database, phone: str, now: datetime) -> OfferedPhone | None:
    """Returns None for a phone that was never sent an offer."""
    rows = await database.fetch(*statement("load_reply_numbers").bind(phone=phone))
    if not rows:
        return None
    numbered = [row for row in rows if row["number"] is not None and row["lead_id"] is not None]
    offers = {
        row["number"]: OpenOffer(
            owner_id=row["owner_id"],
            lead_id=row["lead_id"],
            offer_id=row["offer_id"],
            user_id=row["user_id"],
            number=row["number"],
        )
        for row in numbered
    }
    unnumbered_at = rows[0]["unnumbered_at"]
    has_unnumbered = unnumbered_at is not None and unnumbered_at > now - REPLY_WINDOW
    return OfferedPhone(
        by_number=offers,
        open_offers=[offers[row["number"]] for row in numbered if row["is_open"]],
        last=offers[numbered[0]["number"]] if numbered else None,
        is_recent=has_unnumbered or any(row["sent_at"] > now - REPLY_WINDOW for row in numbered),
        has_unnumbered=has_unnumbered,
    )


async def load_reply_facts(database: Database, offer: OpenOffer) -> asyncpg.Record | None:
    """Returns who the person of a lead is, and who has the lead; None where it is no more."""
    return await database.fetchrow(
        *statement("load_reply_facts").bind(owner_id=offer.owner_id, lead_id=offer.lead_id, user_id=offer.user_id)
    )


# ------------------------------------------------------------------------------------------------------------ texts


async def add_received_text(database: Database, text: NewText) -> bool:
    """Stores a text, to be dealt with by a job. Returns False where it was stored before."""

    async def work(transaction: Transaction) -> bool:
        text_id = await transaction.fetchval(
            *statement("add_received_text").bind(
                provider_id=text.provider_id,
                number=text.number,
                phone=text.phone,
                body=text.body,
                opt_out_type=text.opt_out_type,
                now=transaction.now,
            )
        )
        if text_id is None:
            return False
        await enqueue(transaction.connection, RECEIVED_TEXT_JOB, [(0, text_id)])
        return True

    return await database.run_prepared(work)


async def find_next_text(database: Database, text_id: int, after_id: int) -> ReceivedText | None:
    """Returns the text that is to be dealt with next, `after_id`, so that `text_id` is: the first one of its phone.

    Returns None where it has been dealt with.
    """
    since = database.clock.now() - IN_ORDER_WITHIN
    row = await database.fetchrow(*statement("find_next_text").bind(text_id=text_id, after_id=after_id, since=since))
    return ReceivedText(**row) if row is not None else None


async def finish_received_text(transaction: Transaction, text_id: int, outcome: TextOutcome) -> bool:
    """Marks a text as dealt with in the transaction of what follows from it. False: another process was faster."""
    finished = statement("finish_received_text").bind(text_id=text_id, outcome=outcome, now=transaction.now)
    return await transaction.fetchval(*finished) is not None


async def find_texting_contacts(transaction: Transaction, text: ReceivedText) -> list[TextingContact]:
    """Returns the contacts with the sender's phone, the one that was last written to first."""
    phone = text.phone or ""
    rows = await transaction.fetch(
        *statement("find_contacts_of_phone").bind(
            phone=phone, pattern=_word_of(phone), user_id=text.user_id, most=MOST_CONTACTS, others=OTHERS
        )
    )
    return [
        TextingContact(owner_id=row["owner_id"], id=row["id"], agent_id=row["agent_id"])
        for row in rows
        if ("phone", phone) in identities_in(dict(row))
    ]


def _word_of(phone: str) -> str:
    """Returns the pattern of the word that the index has for a phone: its digits, of American ones without the 1."""
    digits = re.sub("[^0-9]", "", phone)
    return f"'~{digits[1:] if len(digits) == 11 and digits[0] == '1' else digits}'"


async def add_text_event(
    transaction: Transaction, contact: TextingContact, text: ReceivedText, body: str, *, stops: bool
) -> asyncpg.Record:
    """Puts a text onto the contact's timeline. `stops`: texts of campaigns that an answer stops are stopped."""
    row = await transaction.fetchrow(
        *statement("add_text_event").bind(
            owner_id=contact.owner_id,
            contact_id=contact.id,
            agent_id=contact.agent_id,
            body=body,
            at=text.received_at,
            now=transaction.now,
            stops=stops,
        )
    )
    assert row is not None
    return row


async def add_following_messages(transaction: Transaction, messages: Sequence[FollowingMessage]) -> None:
    """Stores messages that follow from a text, and queues them."""
    if not messages:
        return
    rows = await transaction.fetch(
        *statement("add_text_messages").bind(
            now=transaction.now,
            owner_ids=[each.owner_id for each in messages],
            kinds=[each.kind for each in messages],
            channels=[each.channel for each in messages],
            lead_ids=[each.lead_id for each in messages],
            offer_ids=[each.offer_id for each in messages],
            user_ids=[each.user_id for each in messages],
            contact_ids=[each.contact_id for each in messages],
            event_ids=[each.event_id for each in messages],
            addresses=[each.address for each in messages],
            text_bodies=[each.text_body for each in messages],
            senders=[each.sent_from for each in messages],
        )
    )
    await enqueue_messages(transaction.connection, [(row["owner_id"], row["id"]) for row in rows])


async def may_help(transaction: Transaction, phone: str) -> bool:
    """Returns whether a phone gets another answer to what was not understood; if so, it counts from now on."""
    return await transaction.fetchval(*statement("take_help").bind(phone=phone)) is not None


async def find_last_offers(transaction: Transaction, phone: str) -> list[tuple[int, int]]:
    """Returns owners whose offers this phone was sent, and for each agent who has it the last offer, as its id."""
    rows = await transaction.fetch(*statement("find_last_offers").bind(phone=phone))
    return [(row["owner_id"], row["offer_id"]) for row in rows]


async def add_unknown_text(transaction: Transaction, owner_id: int, at: datetime, body: bytes) -> None:
    """Stores a text of someone who is not known as an arrival that made no lead."""
    arrival_id = await transaction.fetchval(*statement("add_unknown_text").bind(owner_id=owner_id, at=at, body=body))
    note_event(transaction, owner_id, "arrival.rejected", arrival_id)
    transaction.changed.add(account_topic(owner_id))


async def list_unknown_texts(database: Database, most: int) -> list[asyncpg.Record]:
    """Returns texts that belong to no one, the newest first."""
    return await database.fetch(*statement("list_unknown_texts").bind(most=most))

"""Suppressed addresses: added, lifted, and added by the unsubscribe link.

The schema decides how addresses are compared; who may do what is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.webhook_events import note_event

MOST_HEARD_OF: Final = 100  # contacts with one address of whom webhooks hear
CHANNELS: Final = ("email", "text", "call")
REASONS: Final = ("unsubscribed", "stopped", "bounced", "complained", "manual", "imported")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A suppression that is to be added; `value` is an e-mail address, or a phone in E.164."""

    owner_id: int
    channel: str
    value: str
    reason: str
    at: datetime


async def add_suppressions(
    transaction: Transaction, suppressions: Sequence[Suppression], by_user_id: int | None = None
) -> list[asyncpg.Record]:
    """Add those that are not in force yet for the same reason. Returns owner_id and id of the new rows."""
    return await transaction.fetch(
        *statement("add_suppressions").bind(
            owner_ids=[each.owner_id for each in suppressions],
            channels=[each.channel for each in suppressions],
            values=[each.value for each in suppressions],
            reasons=[each.reason for each in suppressions],
            moments=[each.at for each in suppressions],
            by_user_id=by_user_id,
        ),
    )


async def note_wish(transaction: Transaction, owner_ids: Sequence[int], channel: str, value: str) -> None:
    """Has webhooks of these owners hear that whoever has this address or phone wants no more messages.

    The address is suppressed for all; where very many contacts have it, webhooks hear of the newest ones.
    """
    bound = statement("find_contacts_of_address").bind(
        owner_ids=owner_ids, channel=channel, address=value, most=MOST_HEARD_OF
    )
    for row in await transaction.fetch(*bound):
        note_unsubscribed(transaction, row["owner_id"], row["id"], channel)


async def find_owners_of_address(transaction: Transaction, user_id: int, channel: str, value: str) -> list[int]:
    """Return the owners in whose accounts an address is suppressed when this user asks for it; lowest id first."""
    rows = await transaction.fetch(
        *statement("find_owners_of_address").bind(user_id=user_id, channel=channel, address=value)
    )
    return [row["owner_id"] for row in rows]


async def end_suppression(
    transaction: Transaction, owner_id: int, suppression_id: int, by_user_id: int, consent: str | None
) -> None:
    """Lift a suppression. The row stays, with the consent."""
    await transaction.execute(
        *statement("end_suppression").bind(
            owner_id=owner_id,
            suppression_id=suppression_id,
            now=transaction.now,
            by_user_id=by_user_id,
            consent=consent,
        )
    )


async def stop_phone(
    transaction: Transaction, phone: str, at: datetime | None = None, *, heard_by: int | None = None
) -> bool:
    """Suppresses texts to a phone in all accounts. Returns whether they were not suppressed before.

    `at`: when the phone asked for it; None: now. Webhooks hear of it in each account where it is new, but for that of
    `heard_by`, who hears what the person wrote.
    """
    row = await transaction.fetchrow(*statement("stop_phone").bind(phone=phone, now=at or transaction.now))
    assert row is not None
    if others := [owner_id for owner_id in row["owner_ids"] if owner_id != heard_by]:
        await note_wish(transaction, others, "text", phone)
    return bool(row["is_new"])


async def start_phone(transaction: Transaction, phone: str, at: datetime) -> bool:
    """Lifts in all accounts what a phone had asked for by a word of stopping until `at`. Returns whether it had."""
    is_new: bool = await transaction.fetchval(*statement("start_phone").bind(phone=phone, at=at, now=transaction.now))
    return is_new


async def find_why_suppressed(
    source: Database | Transaction, owner_id: int, channel: str, address: str | None
) -> str | None:
    """Return why an owner's campaigns do not write to an address, or call a phone in E.164, as a sentence, or None."""
    why: str | None = await source.fetchval("SELECT channel_suppressed_because($1, $2, $3)", owner_id, channel, address)
    return why


async def is_own_wish(transaction: Transaction, reason: str) -> bool:
    """Return whether the person has asked for a suppression with this reason."""
    asked: bool = await transaction.fetchval("SELECT is_own_wish($1)", reason)
    return asked


async def unsubscribe(database: Database, link: UnsubscribeLink) -> None:
    """Suppress campaigns by e-mail to the address that the mail with this link went to. May be repeated."""

    async def work(transaction: Transaction) -> None:
        added = await transaction.fetch(
            *statement("unsubscribe").bind(
                owner_id=link.owner_id,
                contact_id=link.contact_id,
                message_id=link.message_id,
                digest=link.digest,
                now=transaction.now,
            )
        )
        if added:
            note_unsubscribed(transaction, link.owner_id, link.contact_id, "email")

    await database.run_prepared(work)


def note_unsubscribed(
    transaction: Transaction, owner_id: int, contact_id: int, channel: str, text: str | None = None
) -> None:
    """Has webhooks hear that a contact wants no more messages over a channel; `text` is what the contact wrote."""
    note_event(transaction, owner_id, "contact.unsubscribed", contact_id, text=text, channel=channel)

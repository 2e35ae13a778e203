"""Addresses that must not be written to: added, lifted, and those of whoever uses the link to unsubscribe.

How addresses are compared, the schema says; who may do what is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction

CHANNELS: Final = ("email", "text", "call")
REASONS: Final = ("unsubscribed", "stopped", "bounced", "complained", "manual", "imported")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One that is to be added; `value` is an e-mail address, or a phone in E.164."""

    owner_id: int
    channel: str
    value: str
    reason: str
    at: datetime


async def add_suppressions(
    transaction: Transaction, suppressions: Sequence[Suppression], by_user_id: int | None = None
) -> list[asyncpg.Record]:
    """Add those that are not in force yet, for the same reason. Returns the rows that are new: owner_id, id."""
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


async def find_owners_of_address(transaction: Transaction, user_id: int, channel: str, value: str) -> list[int]:
    """Return in whose accounts an address is suppressed when this user says so; the lowest id first."""
    rows = await transaction.fetch(
        *statement("find_owners_of_address").bind(user_id=user_id, channel=channel, address=value)
    )
    return [row["owner_id"] for row in rows]


async def end_suppression(
    transaction: Transaction, owner_id: int, suppression_id: int, by_user_id: int, consent: str | None
) -> None:
    """Lift it: from now on it keeps nothing back. That it was in force, and the consent, stay on record."""
    await transaction.execute(
        *statement("end_suppression").bind(
            owner_id=owner_id,
            suppression_id=suppression_id,
            now=transaction.now,
            by_user_id=by_user_id,
            consent=consent,
        )
    )


async def is_own_wish(transaction: Transaction, reason: str) -> bool:
    """Return whether the reason is what the person has asked for."""
    asked: bool = await transaction.fetchval("SELECT is_own_wish($1)", reason)
    return asked


async def unsubscribe(database: Database, link: UnsubscribeLink) -> None:
    """No more campaigns by e-mail to the address that the mail with this link went to; done again it is the same."""
    await database.execute(
        *statement("unsubscribe").bind(
            owner_id=link.owner_id,
            contact_id=link.contact_id,
            message_id=link.message_id,
            digest=link.digest,
            now=database.clock.now(),
        )
    )

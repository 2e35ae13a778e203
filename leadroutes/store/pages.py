"""What the web pages read, and the little that they write: claim links, sessions, the outbox, unsubscribing.

Who may see what, the pages decide; a lead's fate goes through the engine.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database

SESSION_LIFE = timedelta(days=30)  # real time


def hash_token(token: str) -> bytes:
    """Under which the secret of a link or of a session is kept."""
    return hashlib.sha256(token.encode()).digest()


# ------------------------------------------------------------------------------------------------------- leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose page of which lead it is, and the channel that led there."""

    owner_id: int
    lead_id: int
    user_id: int
    via: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPage:
    """A lead as one user's page may show it, as of this moment."""

    owner_id: int
    lead_id: int
    user_id: int
    timezone: str
    owner_name: str
    offer_state: str | None
    notified_at: datetime | None
    claimed_by_user_id: int | None
    claimed_by_name: str | None
    claimed_at: datetime | None
    unclaimed_at: datetime | None
    routed_at: datetime | None
    created_at: datetime
    type: str | None
    source: str | None
    text_body: str | None
    street_address: str | None
    city: str | None
    state: str | None
    zipcode: str | None
    mls_id: str | None
    listing_status: str | None
    listing_price: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    mobile_phone: str | None
    home_phone: str | None
    office_phone: str | None
    is_exclusive: bool
    ends_at: datetime | None


async def find_place(database: Database, token: str) -> Place | None:
    """What a claim link opens; None for a token that was never given out."""
    row = await database.fetchrow(statement("find_claim_token"), hash_token(token))
    return None if row is None else Place(**row)


async def find_own_place(database: Database, lead_id: int, user_id: int) -> Place | None:
    """The place of a user who is signed in; None where the lead does not exist for him."""
    owner_id = await database.fetchval(statement("find_visible_lead"), lead_id, user_id)
    return None if owner_id is None else Place(owner_id=owner_id, lead_id=lead_id, user_id=user_id, via="None")


async def load_lead_page(database: Database, place: Place) -> LeadPage | None:
    """The lead there; None when it has been deleted meanwhile."""
    row = await database.fetchrow(statement("load_claim_page"), place.owner_id, place.lead_id, place.user_id)
    return None if row is None else LeadPage(**row)


async def list_latest_leads(database: Database, owner_id: int, count: int) -> list[asyncpg.Record]:
    """An owner's latest leads: id, created_at, name, type, city, zipcode, source, fate, claimed_by_name, offered_to …"""
    return await database.fetch(statement("list_latest_leads"), owner_id, count)


async def list_own_offers(database: Database, user_id: int, count: int) -> list[asyncpg.Record]:
    """The leads that a user may claim (first) or has: id, created_at, first_name, last_name, is_won …"""
    return await database.fetch(statement("list_own_offers"), user_id, count)


# ---------------------------------------------------------------------------------------------------- sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is signed in."""

    id: int
    name: str
    email: str
    timezone: str


async def find_credentials(database: Database, email: str) -> tuple[int, str | None] | None:
    """(id, password hash) of the active user with this e-mail; a hash of None: he cannot sign in."""
    row = await database.fetchrow(statement("find_credentials"), email.strip().lower())
    return None if row is None else (row["id"], row["password_hash"])


async def begin_session(database: Database, user_id: int) -> str:
    """A new session's token; it is valid for SESSION_LIFE."""
    token = secrets.token_urlsafe(32)
    await database.execute(statement("begin_session"), hash_token(token), user_id, SESSION_LIFE)
    return token


async def find_visitor(database: Database, token: str) -> Visitor | None:
    """Whose session it is, while it lasts."""
    row = await database.fetchrow(statement("find_session"), hash_token(token))
    return None if row is None else Visitor(**row)


async def end_session(database: Database, token: str) -> None:
    await database.execute("DELETE FROM sessions WHERE token_hash = $1", hash_token(token))


# ---------------------------------------------------------------------------------------------------- messages


async def list_outbox(
    database: Database, owner_id: int, *, state: str | None, before: int | None, count: int
) -> list[asyncpg.Record]:
    """An owner's messages, latest first, of one state or of all, those with ids below `before`."""
    return await database.fetch(statement("list_outbox"), owner_id, state, before, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A contact as his page for unsubscribing shows him."""

    email: str | None
    owner_name: str
    unsubscribed_at: datetime | None


async def find_subscriber(database: Database, owner_id: int, contact_id: int) -> Subscriber | None:
    row = await database.fetchrow(statement("find_subscriber"), owner_id, contact_id)
    return None if row is None else Subscriber(**row)


async def unsubscribe(database: Database, owner_id: int, contact_id: int) -> None:
    """No campaign mails him any more; doing it again changes nothing."""
    await database.execute(statement("unsubscribe_contact"), owner_id, contact_id, database.clock.now())

"""What the page of one offer shows: who may see it, how the lead stands for him, and, for the winner, the contact.

It changes nothing and writes no words.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec

from leadroutes.domain.identity import normal_phone
from leadroutes.domain.model import Via
from leadroutes.domain.preview import Preview, preview
from leadroutes.store import statement
from leadroutes.store.postgres import Database

PageState = Literal["open", "won", "taken", "declined", "expired", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterInquiry:
    """An inquiry that touched the lead, as its sender worded it."""

    at: datetime
    name: str
    email: str | None
    phone: str | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The whole contact and the words of the inquiry, for the winner alone; what the inquiry gave comes first."""

    last_name: str | None
    contact_name: str | None  # where the contact goes by another name than the inquiry
    company: str | None
    emails: tuple[str, ...]
    email_note: str | None  # why campaigns do not write to the contact's e-mail
    phones: tuple[tuple[str, str], ...]  # (mobile | home | office | given here, as it is stored)
    later: tuple[LaterInquiry, ...]
    text_body: str | None
    html_body: str | None
    street_address: str | None
    state: str | None
    zipcode: str | None
    mls_id: str | None
    listing_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPage:
    """One offer as it stands at this moment, for the one whom it was made to. `ends_at`: when its countdown ends."""

    owner_id: int
    lead_id: int
    user_id: int
    offer_id: int
    via: Via
    standing: PageState
    timezone: str
    owner_name: str
    created_at: datetime
    preview: Preview
    source: str | None
    is_unclaimed: bool
    ends_at: datetime | None
    passes_on: bool  # at `ends_at` the next member gets it, and this one may not claim any more
    next_at: datetime | None  # when the next member is asked as well
    claimed_by_name: str | None
    claimed_at: datetime | None
    disclosure: Disclosure | None


async def find_claim_page(database: Database, token: str) -> ClaimPage | None:
    """The page that a claim link leads to; None for a token that nobody was given."""
    link = await database.fetchrow(
        *statement("find_claim_link").bind(token_hash=hashlib.sha256(token.encode()).digest())
    )
    if link is None:
        return None
    return await _load(database, link["owner_id"], link["offer_id"], link["via"])


async def find_own_page(database: Database, user_id: int, offer_id: int) -> ClaimPage | None:
    """The page of an offer that this user was told of; None where there is none."""
    owner_id = await database.fetchval(*statement("find_own_offer").bind(user_id=user_id, offer_id=offer_id))
    return None if owner_id is None else await _load(database, owner_id, offer_id, "None")


async def _load(database: Database, owner_id: int, offer_id: int, via: Via) -> ClaimPage | None:
    row = await database.fetchrow(*statement("load_claim_page").bind(owner_id=owner_id, offer_id=offer_id))
    if row is None:
        return None
    standing = _standing(row)
    inquirer = _decode(row["inquirer"], dict[str, str]) or {}
    first_name = inquirer.get("first_name") or row["first_name"]
    passes_on = row["is_exclusive"] and row["next_notify_at"] is not None and row["unclaimed_at"] is None
    return ClaimPage(
        owner_id=row["owner_id"],
        lead_id=row["lead_id"],
        user_id=row["user_id"],
        offer_id=offer_id,
        via=via,
        standing=standing,
        timezone=row["timezone"],
        owner_name=row["owner_name"],
        created_at=row["created_at"],
        preview=preview(first_name, row["city"], row["type"], row["listing_price"]),
        source=row["source"],
        is_unclaimed=row["unclaimed_at"] is not None,
        ends_at=row["next_notify_at"] if passes_on else row["lapses_at"],
        passes_on=passes_on,
        next_at=row["next_notify_at"] if row["unclaimed_at"] is None else None,
        claimed_by_name=row["claimed_by_name"],
        claimed_at=row["claimed_at"],
        disclosure=_disclosure(row, inquirer) if standing == "won" else None,
    )


def _standing(row: asyncpg.Record) -> PageState:
    if row["claimed_by_user_id"] is not None:
        return "won" if row["claimed_by_user_id"] == row["user_id"] else "taken"
    match row["offer_state"]:
        case "notified":
            return "open"
        case "declined":
            return "declined"
        case "expired" if row["unclaimed_at"] is None:  # else its contact was erased: nobody may claim it again
            return "expired"
        case _:
            return "over"


def _disclosure(row: asyncpg.Record, inquirer: dict[str, str]) -> Disclosure:
    name, contact_name = _name(inquirer), _name(row)
    return Disclosure(
        last_name=inquirer.get("last_name") if inquirer.get("first_name") else row["last_name"],
        contact_name=contact_name if name and contact_name and name.casefold() != contact_name.casefold() else None,
        company=row["company"],
        emails=_emails(row, inquirer.get("email")),
        email_note=row["email_note"],
        phones=_phones(row, inquirer.get("phone")),
        later=tuple(_later(each) for each in _decode(row["touches"], list[_Touch]) or ()),
        text_body=row["text_body"],
        html_body=row["html_body"],
        street_address=row["street_address"],
        state=row["state"],
        zipcode=row["zipcode"],
        mls_id=row["mls_id"],
        listing_status=row["listing_status"],
    )


class _Touch(msgspec.Struct):
    at: datetime
    detail: dict[str, Any]


def _later(touch: _Touch) -> LaterInquiry:
    said = touch.detail
    return LaterInquiry(
        at=touch.at,
        name=_name(said),
        email=said.get("email"),
        phone=said.get("phone"),
        message=said.get("message"),
    )


def _emails(row: asyncpg.Record, given: str | None) -> tuple[str, ...]:
    """The inquiry's own comes first: that is where an answer is waited for."""
    emails = [each for each in (row["email"], row["secondary_email"]) if each]
    own = [each for each in emails if each.lower() == given] or ([given] if given else [])
    return (*own, *(each for each in emails if each not in own))


def _phones(row: asyncpg.Record, given: str | None) -> tuple[tuple[str, str], ...]:
    stored = {"mobile": row["mobile_phone"], "home": row["home_phone"], "office": row["office_phone"]}
    phones = [(kind, phone) for kind, phone in stored.items() if phone]
    own = [each for each in phones if normal_phone(each[1]) == given] if given else []
    own = own[:1] or ([("given here", given)] if given else [])
    return (*own, *(each for each in phones if each not in own))


def _name(names: Any) -> str:
    """Of anything with a first and a last name, or without."""
    return " ".join(filter(None, (names.get("first_name"), names.get("last_name"))))


def _decode(text: str | None, kind: Any) -> Any:
    return msgspec.json.decode(text, type=kind) if text else None

"""What the pages about campaigns and templates show beside what the API answers, in one statement for each list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.message import MessageContact, MessageLead, MessageSender
from leadroutes.errors import NotFound
from leadroutes.store import statement
from leadroutes.store.postgres import Database

MOST_COUNTED = 1_001  # contacts of a campaign; a page shows 1,000+
PAGE = 50
LAST = 2**63 - 1


async def describe_campaigns(
    database: Database, user_id: int, campaign_ids: Sequence[int]
) -> dict[int, Mapping[str, Any]]:
    """Returns by campaign: is_own, steps, contacts, route_count, and the first routes as {id, name, is_active}."""
    rows = await database.fetch(
        *statement("describe_campaigns").bind(user_id=user_id, campaign_ids=campaign_ids, most=MOST_COUNTED)
    )
    return {row["id"]: {**row, "routes": msgspec.json.decode(row["routes"])} for row in rows}


async def list_campaign_contacts(
    database: Database, user_id: int, campaign_id: int, before: int | None
) -> tuple[list[asyncpg.Record], int | None]:
    """Returns the contacts in a campaign, and the contact after which the next page begins; None: it is the last."""
    rows = await database.fetch(
        *statement("list_campaign_contacts").bind(
            user_id=user_id, campaign_id=campaign_id, before=before or LAST, most=PAGE + 1
        )
    )
    return rows[:PAGE], rows[PAGE - 1]["contact_id"] if len(rows) > PAGE else None


async def list_template_uses(
    database: Database, owner_id: int, template_ids: Sequence[int]
) -> dict[int, list[asyncpg.Record]]:
    """Returns the campaigns that use each template, as {campaign_id, name}."""
    found: dict[int, list[asyncpg.Record]] = {}
    if template_ids:
        bound = statement("list_template_uses").bind(owner_id=owner_id, template_ids=template_ids)
        for row in await database.fetch(*bound):
            found.setdefault(row["template_id"], []).append(row)
    return found


async def find_newest_contact(database: Database, owner_id: int) -> int | None:
    contact_id: int | None = await database.fetchval(*statement("find_newest_contact").bind(owner_id=owner_id))
    return contact_id


@dataclass(frozen=True, slots=True)
class MessageRecords:
    """What a message of a campaign is made from besides its template."""

    contact: MessageContact
    lead: MessageLead | None
    sender: MessageSender | None
    owner: MessageSender | None = None


async def load_preview(
    database: Database, owner_id: int, contact_id: int, sender_id: int | None, lead_id: int | None = None
) -> MessageRecords:
    """Returns what a message to this contact of `owner_id` would use now; without `lead_id` its newest lead."""
    [records] = (await load_previews(database, owner_id, contact_id, [sender_id], lead_id)).values()
    return records


async def load_previews(
    database: Database, owner_id: int, contact_id: int, sender_ids: Iterable[int | None], lead_id: int | None = None
) -> dict[int | None, MessageRecords]:
    """Returns the same by sender, of several senders in one statement. Raises NotFound for a contact that has gone."""
    wanted = list(dict.fromkeys(sender_ids))
    bound = statement("load_preview").bind(owner_id=owner_id, contact_id=contact_id, sender_ids=wanted, lead_id=lead_id)
    rows = await database.fetch(*bound)
    if not rows:
        raise NotFound.record(str(contact_id))
    return {sender_id: _records(row) for sender_id, row in zip(wanted, rows, strict=True)}


def _records(row: asyncpg.Record) -> MessageRecords:
    fields: dict[str, dict[str, Any]] = {}
    for name, value in row.items():
        group, _, field = name.partition(".")
        fields.setdefault(group, {})[field] = value
    return MessageRecords(
        contact=MessageContact(**fields["contact"]),
        lead=MessageLead(**fields["lead"]) if fields["lead"]["id"] else None,
        sender=MessageSender(**fields["sender"]) if fields["sender"]["id"] else None,
        owner=MessageSender(**fields["owner"]),
    )

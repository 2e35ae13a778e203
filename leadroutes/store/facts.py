"""What conditions of routes and of steps ask of contacts and leads that are stored; read only where something asks."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct

from leadroutes.domain.named_facts import AskedLead, ContactFacts
from leadroutes.domain.step_facts import AskedStep
from leadroutes.errors import NotFound
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction


class LeadOfContact(Struct, frozen=True, kw_only=True):
    """A lead whose contact is asked about. `with_custom`: the fields of the owner's are asked for."""

    owner_id: int
    contact_id: int
    lead_id: int
    received_at: datetime
    with_custom: bool


async def load_contact_facts(
    transaction: Transaction, wanted: Sequence[LeadOfContact]
) -> dict[tuple[int, int], ContactFacts]:
    """Return what is known of contacts, by (owner_id, lead_id); a contact that the batch itself brings is missing."""
    if not wanted:
        return {}
    rows = await transaction.fetch(
        *statement("load_contact_facts").bind(
            owner_ids=[each.owner_id for each in wanted],
            contact_ids=[each.contact_id for each in wanted],
            lead_ids=[each.lead_id for each in wanted],
            moments=[each.received_at for each in wanted],
            with_custom=[each.with_custom for each in wanted],
        )
    )
    return {(row["owner_id"], row["lead_id"]): _contact_facts(row) for row in rows}


def _contact_facts(row: asyncpg.Record) -> ContactFacts:
    return ContactFacts(
        email=row["email"],
        phone=row["phone"],
        tags=row["tags"],
        custom=msgspec.json.decode(row["custom"], type=list[tuple[str, str | None]]),
        has_earlier_lead=row["has_earlier_lead"],
    )


async def load_step_state(
    database: Database,
    owner_id: int,
    message_id: int | None,
    *,
    with_custom: bool,
    contact_id: int | None = None,
    run_id: int | None = None,
    lead_id: int | None = None,
) -> AskedStep | None:
    """Return what the conditions of a step may ask for when its message is about to be sent; None: it is gone.

    Where there is no message yet: of a contact, the run of the campaign, and the lead that has started it.
    """
    row = await database.fetchrow(
        *statement("load_step_state").bind(
            owner_id=owner_id,
            message_id=message_id,
            contact_id=contact_id,
            run_id=run_id,
            lead_id=lead_id,
            with_custom=with_custom,
        )
    )
    if row is None:
        return None
    return AskedStep(
        contact=_contact_facts(row),
        mobile_phone=row["mobile_phone"],
        has_replied=row["has_replied"],
        steps_sent=row["steps_sent"],
        lead=await load_asked_lead(database, owner_id, row["lead_id"]) if row["lead_id"] is not None else None,
        is_claimed=row["is_claimed"],
    )


async def load_asked_lead(source: Database | Transaction, owner_id: int, lead_id: int) -> AskedLead:
    """Return a lead as conditions ask for it. Raises NotFound."""
    row = await source.fetchrow(*statement("find_asked_lead").bind(owner_id=owner_id, lead_id=lead_id))
    if row is None:
        raise NotFound.record(lead_id)
    values = dict(row)
    inquirer = values.pop("inquirer")
    return AskedLead(
        **values, inquirer=msgspec.json.decode(inquirer, type=dict[str, str]) if inquirer is not None else None
    )

"""Data protection for contacts: export and erasure of everything that is stored about a contact.

The statements `erase_*` remove personal data; leads, offers and claims remain, so that the ledger adds up.
"""

import re
from collections.abc import Collection, Sequence

import asyncpg
import msgspec

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.dedupe import Identity
from leadroutes.domain.mentions import mention_pattern
from leadroutes.domain.rollout import withdraw
from leadroutes.engine.changes import change_leads
from leadroutes.errors import Conflict, NotFound
from leadroutes.intake.text_search import texts_in
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.contacts import ContactKey, held_identities, pass_on
from leadroutes.store.leads import load_leads
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

# In this order: rows that are found through other rows are removed before those.
WHAT = (
    "imports",
    "suppressions",
    "consents",
    "arrivals",
    "messages",
    "provider_answers",
    "touches",
    "handovers",
    "keys",
    "audit",
    "leads",
    "communications",
    "tasks",
    "received_texts",
    "events",
    "addresses",
    "custom_fields",
    "tags",
    "identities",
    "contact",
    "deliveries",
)
ERASED = "the contact was erased"


class _ConcurrentChange(asyncpg.SerializationError):
    """A lead of the contact arrived while the locks were waited for; the transaction is retried and locks all again."""


async def erase_contact(
    database: Database, owner_id: int, contact_id: int, act: AuditRow | None = None
) -> dict[str, int]:
    """Removes all personal data of a contact and returns the number of rows by kind. Idempotent.

    The contact's unclaimed leads are withdrawn. Raises NotFound if the owner has no such contact, and Conflict while a
    message to or about the contact is being sent.
    """

    async def work(transaction: Transaction) -> dict[str, int]:
        key = ContactKey(owner_id, contact_id)
        sought = await held_identities(transaction, key)
        strays = await _erase_stray_arrivals(transaction, owner_id, sought)  # slow, so before any lock is taken
        await _withdraw_leads(transaction, owner_id, await _lock_contact(transaction, key))
        if await transaction.fetchval(*statement("find_import_under_way").bind(owner_id=owner_id)) is not None:
            raise Conflict("An import is under way, whose file may name the contact; try again when it is done")
        identities = await held_identities(transaction, key)
        strays += await _erase_stray_arrivals(transaction, owner_id, set(identities) - set(sought))
        erased = {"stray_arrivals": strays}
        values = {"owner_id": owner_id, "contact_id": contact_id, "now": transaction.now}
        for what in WHAT:
            erase = statement(f"erase_{what}")
            erased[what] = await transaction.fetchval(*erase.bind(**{name: values[name] for name in erase.parameters}))
        await pass_on(transaction, owner_id, identities)  # another contact may have the same phone
        note_act(transaction, act)
        return erased

    return await database.run(work)


async def _lock_contact(transaction: Transaction, key: ContactKey) -> Sequence[asyncpg.Record]:
    """Locks the contact, its leads and its messages, so that no one changes or sends them; returns the leads.

    In the order of a claim, which locks a lead before it changes the contact. Each lock is a statement of its own, so
    that it sees what was committed while the one before it waited.
    """
    lock_leads = statement("lock_leads_of_contact").bind(owner_id=key.owner_id, contact_id=key.id)
    leads = await transaction.fetch(*lock_leads)
    lock_contact = statement("lock_contact").bind(owner_id=key.owner_id, contact_id=key.id)
    if await transaction.fetchval(*lock_contact) is None:
        raise NotFound.record(key.id)
    if await transaction.fetch(*lock_leads) != leads:
        raise _ConcurrentChange
    lead_ids = [row["id"] for row in leads]
    if await transaction.fetchval(
        *statement("lock_messages_of_contact").bind(owner_id=key.owner_id, contact_id=key.id, lead_ids=lead_ids)
    ):
        raise Conflict(f"A message to or about the contact {key.id} is just being sent; try again")
    return leads


async def _withdraw_leads(transaction: Transaction, owner_id: int, leads: Collection[asyncpg.Record]) -> None:
    """Withdraws open leads: no agent is to call an erased contact. Imported leads were never routed and stay."""
    rule_sets = RuleSets.of_transaction(transaction)
    rows = await load_leads(transaction, rule_sets, [(owner_id, row["id"]) for row in leads if not row["is_imported"]])
    changes = [(row, withdraw(row.lead, ERASED, transaction.now)) for row in rows]
    await change_leads(transaction, rule_sets, [(row, change) for row, change in changes if change is not None])


# ---------------------------------------------------------------------------- arrivals that did not become a lead


async def _erase_stray_arrivals(transaction: Transaction, owner_id: int, identities: Collection[Identity]) -> int:
    """Erases, in batches, the arrivals that mention one of these identities, decoded if needed; returns how many."""
    pattern = mention_pattern(identities)
    erased = last = 0
    while pattern and (
        rows := await transaction.fetch(
            *statement("find_stray_arrivals").bind(owner_id=owner_id, after_id=last, pattern=pattern)
        )
    ):
        matching = [row["id"] for row in rows if row["is_match"]]
        encoded = [row["id"] for row in rows if row["is_encoded"] and not row["is_match"]]
        matching += await _naming(transaction, owner_id, encoded, re.compile(pattern))
        erased += await transaction.fetchval(
            *statement("erase_stray_arrivals").bind(owner_id=owner_id, arrival_ids=matching)
        )
        last = rows[-1]["id"]
    return erased


async def _naming(
    transaction: Transaction, owner_id: int, arrival_ids: Sequence[int], pattern: re.Pattern[str]
) -> list[int]:
    """Returns those of these arrivals whose decoded body matches `pattern`."""
    rows = await transaction.fetch(*statement("load_bodies").bind(owner_id=owner_id, arrival_ids=arrival_ids))
    return [
        row["id"]
        for row in rows
        if any(
            pattern.search(text)
            for text in texts_in(row["body"], msgspec.json.decode(row["headers"], type=dict[str, str]))
        )
    ]


# -------------------------------------------------------------------------------------------------------- export


async def export_contact(database: Database, owner_id: int, contact_id: int) -> str:
    """Returns all that is stored about a contact as indented JSON. NotFound if the owner has no such contact."""
    whole: str | None = await database.fetchval(
        *statement("export_contact").bind(owner_id=owner_id, contact_id=contact_id)
    )
    if whole is None:
        raise NotFound.record(contact_id)
    return msgspec.json.format(whole, indent=2)

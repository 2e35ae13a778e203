"""What a person may ask for: all that is kept about him, and that it goes.

What goes, the statements `erase_*` say; that there were leads, offers and claims stays, so that the ledger adds up.
"""

import re
from collections.abc import Collection, Sequence

import asyncpg
import msgspec

from leadroutes.domain.dedupe import Identity
from leadroutes.domain.mentions import mention_pattern
from leadroutes.domain.rollout import withdraw
from leadroutes.engine.changes import change_leads
from leadroutes.errors import Conflict, NotFound
from leadroutes.intake.text_search import texts_in
from leadroutes.store import statement
from leadroutes.store.contacts import ContactKey, held_identities, pass_on
from leadroutes.store.leads import load_leads
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.routing import RuleSets

# In this order: what is looked for by something that is itself removed comes before it.
WHAT = (
    "suppressions",
    "arrivals",
    "messages",
    "touches",
    "keys",
    "leads",
    "communications",
    "tasks",
    "events",
    "addresses",
    "custom_fields",
    "tags",
    "identities",
    "contact",
)
ERASED = "the contact was erased"


class _ConcurrentChange(asyncpg.SerializationError):
    """A lead of his came in while the others were waited for: all of them are to be locked again."""


async def erase_contact(database: Database, owner_id: int, contact_id: int) -> dict[str, int]:
    """Remove everything personal about a contact; answers how many rows of what. Twice is the same as once.

    His leads that nobody has are over. NotFound: no contact of this owner. Conflict: something is just being sent to
    him, or about him.
    """

    async def work(transaction: Transaction) -> dict[str, int]:
        key = ContactKey(owner_id, contact_id)
        sought = await held_identities(transaction, key)
        strays = await _erase_stray_arrivals(transaction, owner_id, sought)  # it takes long: nobody waits yet
        await _withdraw_leads(transaction, owner_id, await _lock_contact(transaction, key))
        identities = await held_identities(transaction, key)
        strays += await _erase_stray_arrivals(transaction, owner_id, set(identities) - set(sought))
        erased = {"stray_arrivals": strays}
        values = {"owner_id": owner_id, "contact_id": contact_id, "now": transaction.now}
        for what in WHAT:
            erase = statement(f"erase_{what}")
            erased[what] = await transaction.fetchval(*erase.bind(**{name: values[name] for name in erase.parameters}))
        await pass_on(transaction, owner_id, identities)  # another contact may have the same phone
        return erased

    return await database.run(work)


async def _lock_contact(transaction: Transaction, key: ContactKey) -> Sequence[asyncpg.Record]:
    """His leads, which nobody changes from now on; nothing begins to be sent.

    In the order of a claim, which holds a lead before it changes the contact. Each is a statement of its own, so that
    it sees what was done by those whom the one before it waited for.
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
        raise Conflict(f"A message to the contact {key.id}, or about him, is just being sent; try again")
    return leads


async def _withdraw_leads(transaction: Transaction, owner_id: int, leads: Collection[asyncpg.Record]) -> None:
    """Nobody is to be called about nobody. What was imported and never routed is history, and stays as it is."""
    rule_sets = RuleSets()
    rows = await load_leads(transaction, rule_sets, [(owner_id, row["id"]) for row in leads if not row["is_imported"]])
    changes = [(row, withdraw(row.lead, ERASED, transaction.now)) for row in rows]
    await change_leads(transaction, rule_sets, [(row, change) for row, change in changes if change is not None])


# ------------------------------------------------------------------------------- what came in and became no lead


async def _erase_stray_arrivals(transaction: Transaction, owner_id: int, identities: Collection[Identity]) -> int:
    """Those that name one of these, as they stand or once they are read; looked through piece by piece."""
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
    """Which of these arrivals name him once they are read."""
    rows = await transaction.fetch(*statement("load_bodies").bind(owner_id=owner_id, arrival_ids=arrival_ids))
    return [
        row["id"]
        for row in rows
        if any(
            pattern.search(text)
            for text in texts_in(row["body"], msgspec.json.decode(row["headers"], type=dict[str, str]))
        )
    ]


# ------------------------------------------------------------------------------------------------- his own copy


async def export_contact(database: Database, owner_id: int, contact_id: int) -> str:
    """Everything that is kept about a contact, as indented JSON. NotFound: no contact of this owner."""
    whole: str | None = await database.fetchval(
        *statement("export_contact").bind(owner_id=owner_id, contact_id=contact_id)
    )
    if whole is None:
        raise NotFound.record(contact_id)
    return msgspec.json.format(whole, indent=2)

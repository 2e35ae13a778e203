"""Two contacts become one, in one transaction: all that hangs on the one moves to the other, which remains.

Who may do that is decided elsewhere; what the fields are afterwards, the domain decides.
"""

from typing import Any

import asyncpg
import msgspec

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.merging import MERGED, merged_fields
from leadroutes.errors import Invalid
from leadroutes.store import statement
from leadroutes.store.audit import note_act
from leadroutes.store.contacts import ContactKey, hold_identities, identities_in, place
from leadroutes.store.postgres import Database, Transaction


class _LeadArrivedError(asyncpg.SerializationError):
    """A lead of the contact arrived while the locks were waited for; the transaction is retried and locks all again."""


async def merge_contacts(
    database: Database, owner_id: int, target_id: int, merged_id: int, by_user_id: int, act: AuditRow | None = None
) -> None:
    """Merges a contact into another one of the same owner; done again, it changes nothing.

    Raises Invalid where one of them has been removed, or merged into a third, in the meantime.
    """
    key = {"owner_id": owner_id, "target_id": target_id, "merged_id": merged_id}

    async def work(transaction: Transaction) -> None:
        found = await _lock(transaction, key)
        if len(found) == 2:
            await _merge(transaction, key, found[target_id], found[merged_id], by_user_id)
            note_act(transaction, act)
            return
        find = statement("find_merged").bind(owner_id=owner_id, merged_id=merged_id)
        if await transaction.fetchval(*find) != target_id:
            message = f"contact_id: {merged_id} was given; expected a contact that is still there"
            raise Invalid.fields({"contact_id": message})

    await database.run(work)


async def _lock(transaction: Transaction, key: dict[str, int]) -> dict[int, dict[str, Any]]:
    """Locks leads, then contacts, as a claim does; then messages, before the steps of campaigns. Returns contacts."""
    moving = {"owner_id": key["owner_id"], "contact_id": key["merged_id"]}
    lock_leads = statement("lock_leads_of_contact").bind(**moving)
    leads = await transaction.fetch(*lock_leads)
    found = {row["id"]: dict(row) for row in await transaction.fetch(*statement("load_mergeable").bind(**key))}
    if await transaction.fetch(*lock_leads) != leads:
        raise _LeadArrivedError
    await transaction.fetch(*statement("lock_messages_of_contact").bind(**moving, lead_ids=[]))
    return found


async def _merge(
    transaction: Transaction, key: dict[str, int], target: dict[str, Any], merged: dict[str, Any], by_user_id: int
) -> None:
    after = target | merged_fields(target, merged)
    act = key | {"now": transaction.now, "by_user_id": by_user_id}
    agent_id = after["assigned_user_id"]
    await transaction.execute(*statement("end_double_runs").bind(**act))
    await transaction.execute(*statement("move_values").bind(**key))
    await transaction.execute(*statement("move_identities").bind(**key))
    await transaction.execute(*statement("move_rows").bind(**key, now=transaction.now, agent_id=agent_id))
    fields = msgspec.json.encode({name: after[name] for name in MERGED}).decode()
    await transaction.execute(*statement("end_merged_contact").bind(**key, now=transaction.now, fields=fields))
    contact = ContactKey(key["owner_id"], key["target_id"])
    await hold_identities(transaction, contact, identities_in(target), identities_in(after))
    name = " ".join(each for each in (merged["first_name"], merged["last_name"], merged["email"]) if each)
    description = f"The contact {key['merged_id']} ({name}) was merged into this one"[:2000]
    await transaction.execute(*statement("note_merge").bind(**act, description=description))
    await place(transaction, contact)

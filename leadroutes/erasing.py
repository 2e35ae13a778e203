"""What a person may ask for: all that is kept about him, and that it goes.

What goes, the statements `erase_*` say; that there were leads, offers and claims stays, so that the ledger adds up.
"""

import msgspec

from leadroutes.errors import Conflict, NotFound
from leadroutes.store import statement
from leadroutes.store.contacts import ContactKey, held_identities, pass_on
from leadroutes.store.postgres import Database, Transaction

# In this order: what is looked for by something that is itself removed comes before it.
WHAT = (
    "stray_arrivals",
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


async def erase_contact(database: Database, owner_id: int, contact_id: int) -> dict[str, int]:
    """Remove everything personal about a contact; answers how many rows of what. Twice is the same as once.

    NotFound: no contact of this owner. Conflict: something is just being sent to him, or about him.
    """

    async def work(transaction: Transaction) -> dict[str, int]:
        found = await transaction.fetchval(
            "SELECT id FROM contacts WHERE owner_id = $1 AND id = $2 FOR UPDATE", owner_id, contact_id
        )
        if found is None:
            raise NotFound.record(contact_id)
        if await transaction.fetchval(statement("hold_messages_of_contact"), owner_id, contact_id):
            raise Conflict(f"A message to the contact {contact_id}, or about him, is just being sent; try again")
        identities = await held_identities(transaction, ContactKey(owner_id, contact_id))
        erased = {
            what: await transaction.fetchval(statement(f"erase_{what}"), owner_id, contact_id, transaction.now)
            for what in WHAT
        }
        await pass_on(transaction, owner_id, identities)  # another contact may have the same phone
        return erased

    return await database.run(work)


async def export_contact(database: Database, owner_id: int, contact_id: int) -> str:
    """Everything that is kept about a contact, as indented JSON. NotFound: no contact of this owner."""
    whole: str | None = await database.fetchval(statement("export_contact"), owner_id, contact_id)
    if whole is None:
        raise NotFound.record(contact_id)
    return msgspec.json.format(whole, indent=2)

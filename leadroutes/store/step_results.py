"""Results of campaigns by step and template: triggers add their changes (see the migration); here they are read."""

import msgspec

from leadroutes.domain.model import Variant
from leadroutes.domain.step_results import ComparedStep, Counted
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction


async def load_steps(database: Database, campaign_id: int) -> list[ComparedStep]:
    """Return the present steps of a campaign that write to contacts, in the order of their ids."""
    rows = await database.fetch(*statement("load_steps").bind(campaign_id=campaign_id))
    return [
        ComparedStep(
            action_id=row["id"],
            template_id=row["template_id"],
            variants=msgspec.json.decode(row["variants"] or "[]", type=tuple[Variant, ...]),
            smallest_difference=row["smallest_difference"],
        )
        for row in rows
    ]


async def load_step_results(database: Database, owner_id: int, campaign_id: int) -> Counted:
    """Return how many messages of each step and template count as each figure, for contacts of this owner."""
    found: dict[tuple[int, int], dict[str, int]] = {}
    bound = statement("load_step_results").bind(owner_id=owner_id, campaign_id=campaign_id)
    for row in await database.fetch(*bound):
        found.setdefault((row["action_id"], row["template_id"]), {})[row["figure"]] = row["number"]
    return found


async def note_replied(transaction: Transaction, owner_id: int, message_id: int) -> None:
    """Note that a contact has answered a message; only messages of campaigns are marked."""
    await transaction.execute(
        *statement("note_replied").bind(owner_id=owner_id, message_id=message_id, now=transaction.now)
    )


async def note_text_replied(transaction: Transaction, owner_id: int, contact_id: int) -> None:
    """Note that a contact has answered the last text that a campaign sent."""
    await transaction.execute(
        *statement("note_text_replied").bind(owner_id=owner_id, contact_id=contact_id, now=transaction.now)
    )

"""A contact who is removed takes his leads along, and what the source sends afterwards is new again."""

from leadroutes.doctor import examine
from leadroutes.store.postgres import Database
from tests.engine.conftest import Brokerage


async def test_after_its_contact_was_removed_the_same_source_id_makes_a_new_lead(
    brokerage: Brokerage, database: Database
) -> None:
    first = await brokerage.ask("k-1", lead_id="Z-1", message="one")
    await database.execute("DELETE FROM contacts")
    again = await brokerage.ask("k-1", lead_id="Z-1", message="one")
    assert again.stored.is_new
    assert again.stored.lead_ids != first.stored.lead_ids
    other = await brokerage.ask(lead_id="Z-1", message="two")
    assert other.stored.lead_ids == again.stored.lead_ids
    assert (await examine(database)).violation is None

"""Removing a contact removes the contact's leads too, and what the source sends afterwards is new again."""

import pytest

from leadroutes.errors import NotFound
from leadroutes.operations.doctor import examine
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.races import overtaken


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


async def test_a_person_who_asks_during_the_removal_is_new(brokerage: Brokerage, database: Database) -> None:
    first = await brokerage.ask(message="one")
    again = await overtaken(brokerage.ask(message="two"), database, "DELETE FROM contacts")
    assert again.stored.is_new
    assert again.stored.lead_ids != first.stored.lead_ids
    assert (await examine(database)).violation is None


async def test_who_asks_while_the_keys_contact_source_is_being_removed_has_none(
    brokerage: Brokerage, database: Database
) -> None:
    source_id = await database.fetchval(
        "INSERT INTO contact_sources (owner_id, name) VALUES ($1, 'Portal') RETURNING id", brokerage.owner_id
    )
    await database.execute("UPDATE intake_keys SET contact_source_id = $1", source_id)
    await database.execute("UPDATE lead_routes SET is_active = false")
    answer = await overtaken(brokerage.ask(), database, "DELETE FROM contact_sources WHERE id = $1", source_id)
    assert answer.stored.is_new
    assert await database.fetchval("SELECT source_id FROM contacts") is None


async def test_a_key_whose_lead_source_is_being_removed_opens_nothing(brokerage: Brokerage, database: Database) -> None:
    source_id = await database.fetchval("INSERT INTO lead_sources (name) VALUES ('Portal') RETURNING id")
    await database.execute("UPDATE intake_keys SET lead_source_id = $1", source_id)
    removal = "WITH key AS (DELETE FROM intake_keys RETURNING lead_source_id) DELETE FROM lead_sources WHERE id = $1"
    with pytest.raises(NotFound):
        await overtaken(brokerage.ask(), database, removal, source_id)

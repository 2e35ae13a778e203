"""What is stored about a contact, exported and erased by its owner."""

from tests.support.api import ask, create
from tests.support.town import Town


async def test_an_owner_exports_all_that_is_stored_about_a_contact(town: Town) -> None:
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": "mia@example.com"})
    await create(town, "alice", "/leads", {"contact_id": contact["id"], "text_body": "Is it free?"})
    reply = await ask(town, "alice", "GET", f"/contacts/{contact['id']}/export")
    assert reply.status == 200
    assert reply.headers["content-disposition"] == f'attachment; filename="contact-{contact["id"]}.json"'
    assert "mia@example.com" in reply.body.decode()
    assert "Is it free?" in reply.body.decode()


async def test_an_owner_erases_a_contact_and_the_lead_still_counts(town: Town) -> None:
    contact = await create(town, "alice", "/contacts", {"first_name": "Mia", "email": "mia@example.com"})
    lead = await create(town, "alice", "/leads", {"contact_id": contact["id"], "text_body": "Is it free?"})
    received = (await ask(town, "alice", "GET", "/ledger")).json["received"]
    reply = await ask(town, "alice", "POST", f"/contacts/{contact['id']}/erasure", json={})
    assert (reply.status, reply.json["id"], reply.json["erased"]["leads"]) == (200, contact["id"], 1)
    left = await ask(town, "alice", "GET", f"/contacts/{contact['id']}")
    assert left.status == 404 or left.json["email"] is None
    assert (await ask(town, "alice", "GET", f"/leads/{lead['id']}")).json["text_body"] is None
    assert (await ask(town, "alice", "GET", "/ledger")).json["received"] == received
    assert (await ask(town, "alice", "POST", f"/contacts/{contact['id']}/erasure", json={})).status == 200


async def test_whoever_sees_a_contact_neither_exports_nor_erases_it(town: Town) -> None:
    await town.share_contacts()
    contact_id = await town.contact("alice")
    assert (await ask(town, "bob", "GET", f"/contacts/{contact_id}")).status == 200
    for name, status in (("bob", 403), ("dave", 404)):
        assert (await ask(town, name, "GET", f"/contacts/{contact_id}/export")).status == status
        assert (await ask(town, name, "POST", f"/contacts/{contact_id}/erasure", json={})).status == status

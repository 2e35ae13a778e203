"""A campaign that is removed takes along what was not sent, and leaves what was."""

from tests.town import Town


async def test_what_was_sent_outlives_its_campaign_under_its_name(town: Town) -> None:
    campaign_id = await town.campaign("alice", "Drip")
    contact_id = await town.contact("alice")
    for delay in (60, 3600):
        await town.action("alice", campaign_id, delay_by_seconds=delay)
    async with town.client("alice") as alice:
        started = await alice.post(f"/campaigns/{campaign_id}/contacts", json={"contact_id": contact_id})
        assert started.status_code == 201
        sent, _unsent = (await alice.get("/contact-communications")).json()["data"]
        await town.database.execute(
            "UPDATE contact_communications SET is_active = false, completed_at = now(), sent_from_user_id = $2"
            " WHERE id = $1",
            sent["id"],
            town.users["alice"],
        )
        assert (await alice.delete(f"/campaigns/{campaign_id}")).status_code == 200
        [left] = (await alice.get("/contact-communications")).json()["data"]
    assert (left["id"], left["campaign_id"], left["campaign_name"]) == (sent["id"], None, "Drip")

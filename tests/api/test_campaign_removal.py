"""A campaign that is removed sends nothing any more; what was sent, and what never was, stays under its name."""

from tests.support.town import Town


async def test_what_was_sent_and_what_was_not_outlive_the_campaign_under_its_name(town: Town) -> None:
    campaign_id = await town.campaign("alice", "Drip")
    contact_id = await town.contact("alice")
    for delay in (60, 3600):
        await town.action("alice", campaign_id, delay_by_seconds=delay)
    async with town.client("alice") as alice:
        started = await alice.post(f"/campaigns/{campaign_id}/contacts", json={"contact_id": contact_id})
        assert started.status_code == 201
        sent, unsent = (await alice.get("/contact-communications")).json()["data"]
        await town.database.execute(
            "UPDATE contact_communications SET is_active = false, completed_at = now(), sent_from_user_id = $2"
            " WHERE id = $1",
            sent["id"],
            town.users["alice"],
        )
        assert (await alice.delete(f"/campaigns/{campaign_id}")).status_code == 200
        left = (await alice.get("/contact-communications")).json()["data"]
        messages = (await alice.get("/messages")).json()["data"]
    assert [(each["id"], each["campaign_id"], each["campaign_name"]) for each in left] == [
        (sent["id"], None, "Drip"),
        (unsent["id"], None, "Drip"),
    ]
    assert [(each["is_active"], each["reason"]) for each in left] == [
        (False, None),
        (False, "the campaign was removed by Alice Town"),
    ]
    assert [(each["state"], each["reason"]) for each in messages] == [
        ("suppressed", "the campaign was removed by Alice Town")
    ]

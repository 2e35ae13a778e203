"""What becomes of a campaign's texts is counted: delivered once the provider says so, answered by the next text."""

import json
from datetime import timedelta

import pytest

from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.operations.doctor import all_checks, examine
from leadroutes.settings import Settings
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.store.step_results import load_step_results
from tests.support.hooks import Hooks
from tests.support.phones import Phones
from tests.support.texting import BOB, MIA, Texting

CHECKS = [each for each in all_checks() if each.sentence.startswith("Every result of a campaign")]


async def figures(texting: Texting) -> dict[str, int]:
    assert (await examine(texting.database, CHECKS)).violation is None
    campaign_id = await texting.database.fetchval("SELECT max(id) FROM campaigns")
    found = await load_step_results(texting.database, texting.brokerage.owner_id, campaign_id)
    return dict(next(iter(found.values()), {}))


async def test_a_text_is_delivered_once_the_provider_says_so_and_answered_by_the_next_text(texting: Texting) -> None:
    phones = Phones(texting.brokerage, ReceivedTexts(texting.brokerage.arrivals, Settings(twilio_answers_stop=False)))
    message_id = await texting.campaign_text()
    await texting.deliver(message_id)
    assert await figures(texting) == {"sent": 1}
    await texting.database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id)"
        " SELECT owner_id, 'phone', mobile_phone, id FROM contacts"
    )
    await texting.provider.report((await texting.message(message_id))["provider_id"], "delivered")
    assert await figures(texting) == {"sent": 1, "delivered": 1}
    await texting.database.move_clock(timedelta(days=2))
    await phones.say(MIA, "Yes, on Sunday")
    await phones.say(MIA, "At ten")
    assert await figures(texting) == {"sent": 1, "delivered": 1, "replied": 1}
    await phones.say(MIA, "STOP")
    assert await figures(texting) == {"sent": 1, "delivered": 1, "replied": 1, "opted_out": 1}


async def test_a_text_that_the_provider_cannot_deliver_has_bounced(texting: Texting) -> None:
    message_id = await texting.campaign_text()
    await texting.deliver(message_id)
    await texting.provider.report((await texting.message(message_id))["provider_id"], "undelivered", 30003)
    assert await figures(texting) == {"sent": 1, "bounced": 1}


async def test_a_rule_set_of_the_version_before_is_completed_with_the_variants_of_steps(
    texting: Texting, database: Database
) -> None:
    """It runs beside during an upgrade, and knows no variants."""
    town = texting.brokerage.town
    campaign_id = await database.fetchval("SELECT min(id) FROM campaigns")
    variants = [{"template_id": await town.template("alice"), "share": share} for share in (1, 2)]
    await town.action("alice", campaign_id, variants=json.dumps(variants))
    await town.action("alice", campaign_id)
    ids = await database.fetch("SELECT id FROM campaign_actions ORDER BY id")
    rules = {"routes": [], "campaigns": {str(campaign_id): [{"id": row["id"]} for row in ids], "0": []}}
    await database.execute(
        "INSERT INTO rule_sets (owner_id, number, rules, created_at) VALUES ($1, 99, $2::text::jsonb, now())",
        texting.brokerage.owner_id, json.dumps(rules),
    )  # fmt: skip
    text = await database.fetchval("SELECT rules -> 'campaigns' FROM rule_sets WHERE number = 99")
    completed = json.loads(text)[str(campaign_id)]
    assert [each["variants"] for each in completed] == [variants, None]


@pytest.mark.parametrize("is_late", [False, True])
async def test_webhooks_hear_of_a_number_to_which_the_provider_sends_no_more_texts(
    texting: Texting, hooks: Hooks, is_late: bool
) -> None:
    await hooks.add("http://127.0.0.1:9/leads", "contact.unsubscribed")
    if not is_late:
        texting.provider.refused_numbers[MIA] = 21610
    row = await texting.deliver(await texting.campaign_text())
    if is_late:
        for state in ("undelivered", "failed"):
            await texting.provider.report(row["provider_id"], state, 21610)
    [heard] = [json.loads(each["data"]) for each in await hooks.deliveries()]
    assert (heard["id"], heard["channel"], heard["text"]) == (row["contact_id"], "text", None)


async def test_an_offer_goes_by_mail_to_a_member_whose_phone_gets_no_texts(texting: Texting) -> None:
    texting.provider.refused_numbers[BOB] = 21610
    assert (await texting.deliver(await texting.alert(email="first@example.com")))["state"] == "failed"
    row = await texting.deliver(await texting.alert(email="second@example.com"))
    assert (row["state"], row["reason"]) == ("suppressed", "this number asked for no more texts")
    mails = await texting.database.fetch(
        "SELECT lead_id, offer_id, user_id, state FROM messages WHERE kind = 'offer' AND channel = 'email'"
    )
    assert [tuple(each) for each in mails] == [(row["lead_id"], row["offer_id"], row["user_id"], "queued")]
    mail = await texting.latest("kind = 'offer' AND channel = 'email'")
    assert (await texting.deliver(mail))["state"] == "suppressed", "no mail server is configured"


async def test_where_the_mail_in_place_of_a_text_fails_the_next_member_is_asked(texting: Texting) -> None:
    texting.provider.refused_numbers[BOB] = 21610
    await texting.deliver(await texting.alert(email="first@example.com"))
    row = await texting.deliver(await texting.alert(email="second@example.com"))
    key = MessageKey(row["owner_id"], await texting.latest("kind = 'offer' AND channel = 'email'"))
    log = DeliveryLog(texting.database)
    message = await log.begin(key)
    assert message is not None
    await log.note(key, message.attempts, DeliveryOutcome(state="failed", reason="550 5.1.1 unknown"))
    await texting.brokerage.engine.run_due()
    assert await texting.brokerage.states(row["lead_id"]) == {"bob": "notified", "carol": "notified"}


async def test_an_offer_that_goes_by_another_channel_gets_no_mail_in_place_of_a_text(texting: Texting) -> None:
    await texting.database.execute("UPDATE team_member_distribution_options SET has_call_alert = has_text_alert")
    texting.provider.refused_numbers[BOB] = 21610
    for number in range(2):
        await texting.deliver(await texting.alert(email=f"mia{number}@example.com"))
    assert await texting.database.fetchval("SELECT count(*) FROM messages WHERE channel = 'email'") == 0

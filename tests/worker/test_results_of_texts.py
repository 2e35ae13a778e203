"""What becomes of a campaign's texts is counted: delivered once the provider says so, answered by the next text."""

import json
from datetime import timedelta

import pytest

from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.operations.doctor import all_checks, examine
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.step_results import load_step_results
from tests.support.hooks import Hooks
from tests.support.phones import Phones
from tests.support.texting import MIA, Texting

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

"""The doctor finds whatever breaks an invariant, and finds nothing where all is well."""

from datetime import timedelta

import pytest

from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.operations.doctor import Check, all_checks, examine
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.support.town import Town

MIA = b'{"name": "Mia Lund", "email": "mia@example.com", "phone": "303-555-0101", "lead_type": "Buyer"}'
NOA = b'{"name": "Noa Berg", "email": "noa@example.com", "lead_type": "Buyer"}'
EVE = b'{"name": "Eve Karr", "email": "eve@example.com", "lead_type": "Seller"}'


@pytest.fixture
async def town(database: Database) -> Town:
    """Mia's lead is Bob's, Noa's is on offer, Eve's is unclaimed; a body that could not be read lies beside them."""
    town = await Town.create(database)
    await database.execute("UPDATE teams SET order_method = 'Round Robin', mins_until_next_alert = 5")
    for rank, name in enumerate(("bob", "carol"), start=1):
        await town.option("alice", town.team_id, name, rank=rank, has_text_alert=True)
    campaign_id = await town.campaign("alice")
    await town.action("alice", campaign_id)
    await town.route("alice", campaign_id=campaign_id, filter="Buyer")
    await live_through_a_day(town)
    return town


async def live_through_a_day(town: Town) -> None:
    engine, alice, bob = Engine(town.database), town.users["alice"], town.users["bob"]
    arrivals = Arrivals(engine)
    async with town.database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, alice, "Zillow", "Zillow", None)
    await arrivals.ingest(key, EVE, {"content-type": "application/json"})
    mia = await arrivals.ingest(key, MIA, {"content-type": "application/json"})
    await arrivals.ingest(key, b"{", {"content-type": "application/json"})
    await engine.claim(alice, mia.stored.lead_ids[0], bob)
    await town.database.move_clock(timedelta(minutes=16))
    await engine.run_due()
    await arrivals.ingest(key, NOA, {"content-type": "application/json"})
    await arrivals.close()
    await engine.run_due()


async def test_all_is_well_in_a_town_that_lives(town: Town) -> None:
    ledger = await Engine(town.database).ledger(town.users["alice"])
    assert ledger == {
        "received": 4, "claimed": 1, "on_offer": 1, "unclaimed": 1, "held": 0, "rejected": 1, "imported": 0,
        "junk": 0,
    }  # fmt: skip

    outcome = await examine(town.database)

    assert outcome.violation is None, str(outcome.violation)
    assert outcome.checks == len(all_checks()) >= 25


async def test_all_is_well_in_an_empty_house(database: Database) -> None:
    assert (await examine(database)).violation is None


CLAIMED = "(SELECT lead_id FROM claims)"
ON_OFFER = "(SELECT id FROM leads WHERE id NOT IN (SELECT lead_id FROM claims) AND unclaimed_at IS NULL)"
ALIVE = "INSERT INTO worker_heartbeats (worker_id, beat_at) VALUES ('w', now());"
HOURS_AGO = "(SELECT domain_anchor - interval '5 hours' FROM domain_clock)"

OF_THE_INSTALLATION = (
    "Every channel that is configured", "Mail to every active user", "A text that came in",
    "Every user has an availability",
)  # fmt: skip
BREACHES = {
    "Every channel that is configured": "INSERT INTO channel_faults (channel, reason) VALUES ('email', 'no login')",
    "Mail to every active user": "INSERT INTO unreachable_users (user_id, address, reason, at)"
    " SELECT id, upper(email), 'the mail came back: 5.1.1', now() FROM users WHERE username = 'bob'",
    "A lead that waits for members": "UPDATE offers SET available_from = notify_at"
    f" WHERE state = 'scheduled' AND lead_id = {ON_OFFER}",
    "Every user has an availability": "DELETE FROM availabilities WHERE id = (SELECT max(id) FROM users)",
    "No alert about a lead that can": "UPDATE messages SET state = 'failed' WHERE kind = 'offer'"
    f" AND lead_id = {ON_OFFER}",
    "Received is the sum": f"UPDATE offers SET state = 'lost' WHERE lead_id = {ON_OFFER}",
    "What is counted of a lead": "UPDATE counted_leads SET hour = 167 - hour",
    "Every counter is what": "DELETE FROM counter_changes WHERE state = 'turns'",
    "Every run and every step": "UPDATE campaign_contacts SET campaign_id = -1",
    "Every result of a campaign": "INSERT INTO step_results (owner_id, action_id, template_id, figure, number)"
    " SELECT owner_id, 1, 1, 'sent', 1 FROM teams",
    "A lead that has been routed has at least": f"DELETE FROM offers WHERE lead_id = {ON_OFFER};"
    " UPDATE leads SET is_imported = true",
    "A lead that has not been routed": f"UPDATE leads SET routed_at = NULL, is_imported = true WHERE id = {ON_OFFER}",
    "An imported lead": "UPDATE leads SET is_imported = true",
    "A junk lead that no one has": f"UPDATE leads SET junk_reason = 'spam' WHERE id = {ON_OFFER}",
    "A turn that waits to be used": "UPDATE team_turns t SET given_back = (SELECT jsonb_build_array("
    "jsonb_build_array(l.facts -> 'turn', l.id)) FROM leads l WHERE l.facts ? 'turn' LIMIT 1)",
    "Once a lead is claimed": f"UPDATE offers SET state = 'notified', notified_at = notify_at WHERE lead_id = {CLAIMED}"
    " AND state <> 'won'",
    "A lead names the user": "UPDATE leads SET claimed_by_user_id = NULL",
    "Of the offers of a claimed lead": "UPDATE offers SET state = 'lost' WHERE state = 'won'",
    "The contact of a claimed lead": f"UPDATE contacts SET assigned_user_id = NULL WHERE id ="
    f" (SELECT contact_id FROM leads WHERE id = {CLAIMED})",
    "A lead is claimed at or after": "UPDATE claims SET claimed_at = claimed_at - interval '1 day'",
    "A lead that is on offer has a moment": f"UPDATE leads SET lapses_at = NULL WHERE id = {ON_OFFER}",
    "No member is notified of a lead before": "UPDATE offers SET notified_at = notify_at - interval '1 second'"
    " WHERE notified_at IS NOT NULL",
    "An offer that can be claimed": f"UPDATE offers SET notified_at = NULL WHERE lead_id = {ON_OFFER}",
    "An offer made through a team": "DELETE FROM team_members WHERE user_id <> owner_id",
    "An offer that was notified and then": "UPDATE offers SET state = 'withdrawn', reason = 'left'"
    f" WHERE lead_id = {ON_OFFER}"
    " AND state = 'notified'",
    "A member who is notified": "DELETE FROM messages WHERE channel = 'text' AND kind = 'offer'",
    "An owner who is offered": "DELETE FROM messages WHERE user_id = (SELECT owner_id FROM teams)",
    "An agent is alerted": "INSERT INTO messages (owner_id, kind, channel, lead_id, user_id, created_at, state)"
    f" SELECT owner_id, 'offer', 'call', {CLAIMED}, owner_id, now(), 'sent' FROM teams",
    "Where every alert about an offer": f"UPDATE messages SET state = 'failed' WHERE kind = 'offer'"
    f" AND lead_id = {ON_OFFER}; DELETE FROM failed_notices",
    "Who wants a digest": "INSERT INTO alert_preferences (user_id, digest) SELECT max(id), '{email}' FROM users",
    "A message has one recipient": "UPDATE messages SET user_id = NULL",
    "A message that was sent": "UPDATE messages SET state = 'sent'",
    "A message that is to be sent": "DELETE FROM pgqueuer",
    "A text that came in": "INSERT INTO received_texts (provider_id, received_at) VALUES ('SM1', now())",
    "A campaign step that was taken": "DELETE FROM messages WHERE communication_id IS NOT NULL",
    "An arrival that was accepted": "UPDATE arrivals SET lead_id = NULL",
    "Every decision can be reproduced": "DELETE FROM rule_sets",
    "A claim link": "UPDATE offers SET notified_at = NULL, state = 'withdrawn' WHERE state = 'lost';"
    " INSERT INTO claim_tokens SELECT 'x', owner_id, id, 'Email', now() FROM offers WHERE state = 'withdrawn'",
    "Of those who took part": "UPDATE team_turns SET credits = jsonb_build_object("
    "(SELECT id FROM users WHERE username = 'bob'), 9, (SELECT id FROM users WHERE username = 'carol'), -9)",
    "The unique indexes": "DROP INDEX messages_once",
    "An e-mail or phone": "UPDATE contact_identities SET value = 'x' || value WHERE kind = 'email'",
    "While a worker is alive, no offer": f"{ALIVE} UPDATE offers SET notify_at = {HOURS_AGO} WHERE state = 'scheduled'",
    "While a worker is alive, no lapsed": f"{ALIVE} UPDATE leads SET lapses_at = {HOURS_AGO} WHERE id = {ON_OFFER}",
    "While a worker is alive, no webhook": f"{ALIVE} INSERT INTO webhooks (owner_id, url, secret, created_at,"
    " modified_at, due_at) SELECT owner_id, 'https://example.com', '', now(), now(), now() - interval '1 hour'"
    " FROM teams",
    "While a worker is alive, no campaign": f"{ALIVE} UPDATE contact_communications SET taken_at = NULL,"
    f" is_active = true, send_at = {HOURS_AGO}",
}


@pytest.mark.parametrize("sentence", BREACHES)
async def test_each_breach_is_found_and_named(town: Town, sentence: str) -> None:
    await town.database.execute(BREACHES[sentence])
    [check] = [check for check in all_checks() if check.sentence.startswith(sentence)]

    broken = await town.database.fetch(check.sql)

    assert broken, check.sentence
    assert ("owner_id" in broken[0]) == (sentence not in OF_THE_INSTALLATION)
    assert (await examine(town.database)).violation is not None


def test_no_check_is_without_a_breach_that_it_finds() -> None:
    found = [[sentence for sentence in BREACHES if check.sentence.startswith(sentence)] for check in all_checks()]

    assert all(len(sentences) == 1 for sentences in found), found


async def test_a_violation_names_the_owner_and_the_ids(town: Town) -> None:
    lead_id = await town.database.fetchval(f"SELECT id FROM leads WHERE id = {ON_OFFER}")
    await town.database.execute("UPDATE leads SET lapses_at = NULL")

    outcome = await examine(town.database)

    assert f"owner {town.users['alice']}: lead_id {lead_id}, lapses_at –" in str(outcome.violation)


async def test_all_that_does_not_hold_is_named(town: Town) -> None:
    await town.database.execute(
        "UPDATE leads SET lapses_at = NULL, inquirer = NULL; UPDATE contacts SET email = 'other@example.com'"
    )

    outcome = await examine(town.database)

    named = [each.sentence.split(" ")[:3] for each in outcome.violations]
    assert ["A", "lead", "that"] in named
    assert ["An", "e-mail", "or"] in named
    assert outcome.checks == len(all_checks())
    assert str(outcome).startswith(f"{len(named)} of {outcome.checks} checks do not hold\n")


async def test_a_check_that_cannot_be_made_keeps_no_other_from_being_made(town: Town) -> None:
    await town.database.execute("UPDATE leads SET lapses_at = NULL")
    broken = [
        Check("A number is divided.", "SELECT 1 / 0 AS owner_id"),
        Check("A table is there.", "SELECT owner_id FROM nowhere"),
    ]

    outcome = await examine(town.database, [*broken, *all_checks()])

    assert [each.sentence for each in outcome.violations if each.error] == [each.sentence for each in broken]
    assert "This could not be checked: A table is there.\n  UndefinedTableError: relation" in str(outcome)
    assert any(each.sentence.startswith("A lead that is on offer has a moment") for each in outcome.violations)


async def test_timers_may_wait_while_no_worker_is_alive(town: Town) -> None:
    await town.database.execute(f"UPDATE leads SET lapses_at = {HOURS_AGO} WHERE id = {ON_OFFER}")

    assert (await examine(town.database)).violation is None


@pytest.mark.parametrize("offer_mode", ["Cumulative", "Exclusive"])
@pytest.mark.parametrize("is_last_automatic", [True, False])
async def test_all_is_well_when_a_worker_comes_back_after_an_hour(
    database: Database, offer_mode: str, is_last_automatic: bool
) -> None:
    """Everything is due at once; every member who was notified of a lead has a message."""
    town = await Town.create(database)
    await database.execute("UPDATE teams SET mins_until_next_alert = 5, offer_mode = $1", offer_mode)
    await town.add_user("eve")
    await town.member("alice", town.team_id, "eve")
    for rank, name in enumerate(("bob", "carol", "eve"), start=1):
        is_automatic = is_last_automatic and name == "eve"
        await town.option("alice", town.team_id, name, rank=rank, assign_automatically=is_automatic)
    await town.route("alice")
    arrivals = Arrivals(Engine(database))
    async with database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, town.users["alice"], "Zillow", "Zillow", None)
    await arrivals.ingest(key, MIA, {"content-type": "application/json"})
    await arrivals.close()

    await database.move_clock(timedelta(hours=1))
    await arrivals.engine.run_due()

    outcome = await examine(database)
    assert outcome.violation is None, str(outcome.violation)
    states = [row["state"] for row in await database.fetch("SELECT state FROM offers ORDER BY place")]
    assert states[2] == ("won" if is_last_automatic else "notified")

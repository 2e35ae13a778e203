"""What a batch brings is looked up by its keys, whatever the planner knew of the tables when it made the plan.

They were empty then, or nothing like what this owner has: the statistics are of many small owners.
"""

from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from leadroutes.store import statement
from leadroutes.store.postgres import PLANNER_SETTINGS
from tests.support.plans import building, scans_of

FRESH = ("contacts", "contact_identities", "leads", "idempotency_keys", "claims", "campaign_contacts",
         "contact_communications", "tasks", "rule_sets")  # fmt: skip


@pytest.fixture
async def fresh(server_url: str, template: str) -> AsyncIterator[asyncpg.Connection]:
    """A database that its planner knows to be empty, and that has filled up since: the statistics are old."""
    async with building(server_url, template, "fresh") as url:
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE")
        yield connection
        await connection.close()


# A lead of an owner, with a contact, an identity, a key, a claim and a campaign that runs, of which a message and a
# task are to come; {0} yields (owner, g). There are no users: foreign keys stay off.
ROWS = """
SET session_replication_role = replica;
INSERT INTO contacts (owner_id, id, created_at, modified_at) SELECT owner, g, now(), now() FROM {0};
INSERT INTO contact_identities (owner_id, kind, value, contact_id)
    SELECT owner, 'email', g || '@example.org', g FROM {0};
INSERT INTO leads (owner_id, id, contact_id, created_at, modified_at, touched_at)
    SELECT owner, g, g, now(), now(), now() FROM {0};
INSERT INTO idempotency_keys (owner_id, scope, key, lead_id, created_at)
    SELECT owner, 'body 1', g::text, g, now() FROM {0};
INSERT INTO claims (owner_id, lead_id, user_id, claimed_at, via) SELECT owner, g, owner, now(), 'None' FROM {0};
INSERT INTO campaigns (owner_id, id, name, name_key, pause_on_offer, stops_on, created_at, modified_at)
    SELECT DISTINCT owner, owner, 'Buyers', 'buyers', true, '{{claim}}'::text[], now(), now() FROM {0};
INSERT INTO campaign_contacts (owner_id, id, campaign_id, contact_id, lead_id, created_at)
    SELECT owner, g, owner, g, g, now() FROM {0};
INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, type, send_at)
    SELECT owner, g, g, owner, 'Email Contact', now() FROM {0};
INSERT INTO tasks (owner_id, action_type, description, status, campaign_contact_id, created_at, modified_at)
    SELECT owner, 'Call', 'Call', 'incomplete', g, now(), now() FROM {0};
INSERT INTO rule_sets (owner_id, number, rules, created_at) SELECT owner, g, '{{}}', now() FROM {0};
"""
OF_ONE_OWNER = "(SELECT 1 AS owner, g FROM generate_series(1, 1000) g) x"
OF_MANY_OWNERS = "(SELECT g AS owner, g FROM generate_series(2001, 5000) g) x"


@pytest.fixture
async def skewed(server_url: str, template: str) -> AsyncIterator[asyncpg.Connection]:
    """A database of which the planner knows that every owner has one lead, before one has a thousand."""
    async with building(server_url, template, "skewed") as url:
        connection = await asyncpg.connect(url)
        await connection.execute(ROWS.format(OF_MANY_OWNERS))
        await connection.execute("VACUUM ANALYZE")
        yield connection
        await connection.close()


LOOKS: dict[str, dict[str, str]] = {
    "prepare_arrivals": {
        "owner_ids": "'{1}'",
        "key_owner_ids": "'{1}'",
        "key_scopes": "'{body 1}'",
        "key_values": "'{7}'",
        "identity_owner_ids": "'{1}'",
        "identity_kinds": "'{email}'",
        "identity_values": "'{7@example.org}'",
        "contact_owner_ids": "'{1}'",
        "contact_ids": "'{8}'",
        "source_owner_ids": "'{}'",
        "lead_source_ids": "'{}'",
        "lead_count": "0",
        "arrival_count": "0",
    },
    "load_rule_sets": {"owner_ids": "'{1}'", "numbers": "'{7}'"},
    "load_leads": {"owner_ids": "'{1}'", "lead_ids": "'{7}'"},
    "lock_open_leads": {"owner_ids": "'{1}'", "lead_ids": "'{7}'"},
    "load_first_offers": {"owner_ids": "'{1}'", "user_ids": "'{7}'", "open_since": "now()"},
    "start_campaigns": {
        "starts": """'[{"owner_id": 1, "contact_id": 7, "campaign_id": 1, "is_first": true, "steps": []}]'""",
        "now": "now()",
    },
    "find_begun_campaigns": {"owner_ids": "'{1}'", "lead_ids": "'{7}'"},
    "release_communications": {"owner_ids": "'{1}'", "lead_ids": "'{7}'"},
    "stop_campaigns_of_lead": {
        "owner_id": "1",
        "lead_id": "7",
        "now": "now()",
        "by_user_id": "1",
        "reason": "'it is junk'",
    },
    "stop_campaign": {"owner_id": "1", "campaign_contact_id": "7", "now": "now()", "by_user_id": "1"},
    "finish_calls": {"owner_ids": "'{1}'", "contact_ids": "'{7}'", "now": "now()", "reason": "'they talked'"},
    "end_double_runs": {"owner_id": "1", "merged_id": "7", "target_id": "8", "now": "now()", "by_user_id": "1"},
    "stop_campaigns_of_contacts": {
        "owner_ids": "'{1}'",
        "contact_ids": "'{7}'",
        "event": "'claim'",
        "spared": "'{}'",
        "now": "now()",
        "reason": "'it is over'",
    },
    "lock_contacts": {"owner_ids": "'{1}'", "contact_ids": "'{7}'"},
    "find_touchable_leads": {"owner_ids": "'{1}'", "contact_ids": "'{7}'", "touched_since": "'-infinity'"},
    "end_claims": {"owner_ids": "'{1}'", "lead_ids": "'{7}'", "user_ids": "'{1}'", "now": "now()"},
}


@pytest.mark.parametrize("name", LOOKS)
async def test_a_plan_made_on_empty_tables_still_looks_up_by_key(fresh: asyncpg.Connection, name: str) -> None:
    await expect_to_look_up_by_key(fresh, name)


@pytest.mark.parametrize("name", LOOKS)
async def test_a_plan_made_for_many_small_owners_still_looks_up_by_key(skewed: asyncpg.Connection, name: str) -> None:
    await expect_to_look_up_by_key(skewed, name)


async def expect_to_look_up_by_key(connection: asyncpg.Connection, name: str) -> None:
    """It is planned now, and run when one owner has a thousand of everything."""
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(PLANNER_SETTINGS)
    sql, *values = statement(name).bind(**LOOKS[name])
    await connection.execute(f"PREPARE asked AS {sql}")
    execution = f"EXECUTE asked({', '.join(values)})"
    await connection.execute(execution)
    await connection.execute(ROWS.format(OF_ONE_OWNER))
    planned = await connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {execution}")
    await transaction.rollback()

    found = list(scans_of(msgspec.json.decode(planned)[0]["Plan"]))
    assert {each.table for each in found} & set(FRESH)
    assert [each for each in found if each.table in FRESH and each.read > 2] == []

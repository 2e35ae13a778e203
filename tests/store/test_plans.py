"""No plan reads more than it takes: what is due, what a door asks, what a list shows, on a house with many rows.

Each statement is prepared and run as the service's sessions do, once and often; what its scans have read is counted.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from bench.ground import Ground, Plot
from bench.people import intake_key, token
from leadroutes.api.resources import BY_PATH
from leadroutes.api.statements import default_order, list_sql, record_sql
from leadroutes.store import statement
from leadroutes.store.postgres import PLANNER_SETTINGS
from tests.support.databases import with_database

OWNERS, USERS, MEMBERS, ROUTES = 1000, 2000, 5, 10
LEADS, STEPS = 10_000, 20_000
MOST = 50  # how many are taken at once
DUE = "2026-01-05 12:00+00"  # a hundred leads, and a hundred steps, a second from then on
NOW = "2026-01-05 12:00:10+00"  # a thousand of each are due
# A session plans for the values at hand five times, and then for any values, if that is not worse; in a transaction of
# ours it does so at once.
IN_TRANSACTION = 0
EXECUTIONS = (1, 7, IN_TRANSACTION)
FEW = 5  # rows that a look at the edge of an index may read in vain


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a plan as it ran; `read` counts the rows that it gave and those that it looked at in vain."""

    table: str
    index: str | None
    read: float


@contextlib.asynccontextmanager
async def building(server_url: str, template: str, name: str) -> AsyncIterator[str]:
    """The URL of a database of its own, which is dropped afterwards."""
    database = f"{template}_{name}"
    administrator = await asyncpg.connect(server_url)
    await administrator.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    await administrator.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
    yield with_database(server_url, database)
    await administrator.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
    await administrator.close()


@pytest.fixture(scope="module")
async def loaded_database(server_url: str, template: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a house with a few ten thousand offers and steps; everything on it is rolled back."""
    async with building(server_url, template, "plans") as url:
        plot = Plot(Ground(server_url, Path()), url, "plans")
        await plot.put_in("found", users=USERS, owners=OWNERS, members=MEMBERS, routes=ROUTES, first_routes=ROUTES)
        await plot.put_in(
            "waiting_leads", users=USERS, owners=OWNERS, members=MEMBERS, leads=LEADS, notified=1, due=DUE, apart=0.01
        )  # fmt: skip
        await plot.put_in("waiting_steps", owners=OWNERS, steps=STEPS, due=DUE, apart=0.01)
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE leads SET lapses_at = routed_at - interval '1 day' WHERE id % 50 = 0")
        await connection.execute(
            "INSERT INTO tasks (owner_id, action_type, description, status, recurs_at, created_at, modified_at)"
            " SELECT 1, 'Call', 'Call', 'incomplete', now() + g * interval '1 hour', now(), now()"
            " FROM generate_series(1, 2000) g"
        )
        await connection.execute("VACUUM ANALYZE")
        yield connection
        await connection.close()


async def scans(loaded_database: asyncpg.Connection, times: int, sql: str, *values: Any) -> list[Scan]:
    """Run it with these values, written as SQL, and roll it back."""
    transaction = loaded_database.transaction()
    await transaction.start()
    try:
        if times == IN_TRANSACTION:
            await loaded_database.execute(PLANNER_SETTINGS)
        await loaded_database.execute(f"PREPARE asked AS {sql}")
        execution = f"EXECUTE asked({', '.join(values)})" if values else "EXECUTE asked"
        for _ in range(times - 1):
            await loaded_database.execute(execution)
        planned = await loaded_database.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {execution}")
    finally:
        await transaction.rollback()
        await loaded_database.execute("DEALLOCATE asked")
    return list(_scans(msgspec.json.decode(planned)[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[Scan]:
    for inner in node.get("Plans", ()):
        yield from _scans(inner)
    if "Relation Name" in node and node["Node Type"].endswith("Scan"):
        in_vain = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        index = node.get("Index Name") or _bitmap_index(node)
        yield Scan(node["Relation Name"], index, (node["Actual Rows"] + in_vain) * node["Actual Loops"])


def _bitmap_index(node: dict[str, Any]) -> str | None:
    return next((each.get("Index Name") or _bitmap_index(each) for each in node.get("Plans", ())), None)


def read(found: Sequence[Scan], table: str) -> float:
    return sum(each.read for each in found if each.table == table)


def indexes(found: Sequence[Scan], table: str) -> set[str | None]:
    return {each.index for each in found if each.table == table}


# ---------------------------------------------------------------------------------------------------------- what is due


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_due_leads_reads_as_many_offers_as_it_takes(
    loaded_database: asyncpg.Connection, times: int
) -> None:
    found = await scans(
        loaded_database, times, *statement("take_due_leads").bind(now=f"'{NOW}'", most=str(MOST), excluded="'{}'")
    )

    assert indexes(found, "offers") == {"offers_due"}
    assert read(found, "offers") <= MOST + FEW
    assert read(found, "leads") <= MOST + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_lapsed_leads_reads_as_many_as_it_takes(loaded_database: asyncpg.Connection, times: int) -> None:
    found = await scans(
        loaded_database, times, *statement("take_lapsed_leads").bind(now="now()", most=str(MOST), excluded="'{}'")
    )

    assert indexes(found, "leads") == {"leads_due"}
    assert read(found, "leads") <= MOST + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_due_steps_reads_as_many_as_it_takes(loaded_database: asyncpg.Connection, times: int) -> None:
    found = await scans(
        loaded_database,
        times,
        *statement("queue_communications").bind(now=f"'{NOW}'", most=str(MOST), excluded="'{}'", taken="NULL"),
    )

    assert "contact_communications_due" in indexes(found, "contact_communications")
    assert read(found, "contact_communications") <= 2 * MOST + FEW, "once to find them, once to mark them"


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_a_step_that_is_taken_alone_is_read_alone(loaded_database: asyncpg.Connection, times: int) -> None:
    found = await scans(
        loaded_database, times, *statement("take_due_communications").bind(now=f"'{NOW}'", most="1", excluded="'{}'")
    )
    assert indexes(found, "contact_communications") == {"contact_communications_due"}
    assert read(found, "contact_communications") == 1

    found = await scans(
        loaded_database,
        times,
        *statement("queue_communications").bind(now=f"'{NOW}'", most="0", excluded="'{}'", taken="'{7}'"),
    )
    assert read(found, "contact_communications") == 1


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_recurring_tasks_reads_as_many_as_it_takes(
    loaded_database: asyncpg.Connection, times: int
) -> None:
    found = await scans(
        loaded_database,
        times,
        *statement("take_recurring_tasks").bind(now="now() + interval '9 weeks'", most=str(MOST), excluded="'{}'"),
    )

    assert indexes(found, "tasks") == {"tasks_due"}
    assert read(found, "tasks") <= MOST + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize("name", ["lock_open_leads", "load_leads"])
async def test_a_batch_of_leads_is_read_by_their_keys(
    loaded_database: asyncpg.Connection, times: int, name: str
) -> None:
    ids = [(n % OWNERS + 1, n + 1) for n in range(MOST)]
    owners, leads = (f"'{{{','.join(map(str, column))}}}'" for column in zip(*ids, strict=True))
    found = await scans(loaded_database, times, *statement(name).bind(owner_ids=owners, lead_ids=leads))
    assert read(found, "leads") == MOST
    assert indexes(found, "leads") <= {"leads_pkey", "leads_id_key"}
    assert read(found, "claims") <= MOST


async def test_a_batch_of_messages_is_begun_by_their_keys(loaded_database: asyncpg.Connection) -> None:
    await loaded_database.execute(
        "INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)"
        " SELECT owner_id, 'offer', 'email', lead_id, id, user_id, now() FROM offers WHERE place = 0 LIMIT 5000"
        " ON CONFLICT DO NOTHING"
    )
    rows = await loaded_database.fetch("SELECT owner_id, id FROM messages ORDER BY owner_id, id LIMIT $1", MOST)
    owners, ids = (f"'{{{','.join(map(str, column))}}}'" for column in zip(*rows, strict=True))
    found = await scans(
        loaded_database, IN_TRANSACTION, *statement("begin_sending").bind(owner_ids=owners, message_ids=ids)
    )

    assert read(found, "messages") == 2 * MOST, "once to hold them, once to mark them"


@pytest.mark.parametrize("name", ["begin_sending", "recheck_message"])
async def test_the_suppression_of_an_address_is_found_by_its_digest(
    loaded_database: asyncpg.Connection, name: str
) -> None:
    """Among those of an owner who has many, and of which most are other people's."""
    transaction = loaded_database.transaction()
    await transaction.start()
    await loaded_database.execute(
        "INSERT INTO suppressions (owner_id, channel, value, digest, reason, at)"
        " SELECT 1, 'email', a, address_digest(a, k.salt), 'imported', now()"
        " FROM suppression_salt k, generate_series(1, 20000) g, LATERAL (SELECT g || '@example.org' AS a) x"
    )
    rows = await loaded_database.fetch(
        "WITH contact AS (INSERT INTO contacts (owner_id, email, created_at, modified_at)"
        " SELECT 1, g || '@example.org', now(), now() FROM generate_series(1, 50) g RETURNING owner_id, id)"
        " INSERT INTO messages (owner_id, kind, channel, contact_id, created_at)"
        " SELECT owner_id, 'campaign', 'email', id, now() FROM contact RETURNING owner_id, id"
    )
    owners, ids = (f"'{{{','.join(map(str, column))}}}'" for column in zip(*rows, strict=True))
    values = (
        {"owner_ids": owners, "message_ids": ids}
        if name == "begin_sending"
        else {"owner_id": str(rows[0]["owner_id"]), "message_id": str(rows[0]["id"])}
    )
    found = await scans(loaded_database, IN_TRANSACTION, *statement(name).bind(**values))
    await transaction.rollback()

    assert indexes(found, "suppressions") == {"suppressions_in_force"}
    assert read(found, "suppressions") == (50 if name == "begin_sending" else 1)


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_the_next_moment_is_the_first_entry_of_each_index(
    loaded_database: asyncpg.Connection, times: int
) -> None:
    found = await scans(loaded_database, times, statement("find_next_due").text, *["'{}'"] * 4)

    assert {each.index for each in found} == {"offers_due", "leads_due", "contact_communications_due", "tasks_due"}
    assert all(each.read <= 1 for each in found)


# ------------------------------------------------------------------------------------------------- what a batch brings


FRESH = ("contacts", "contact_identities", "leads", "idempotency_keys", "claims", "campaign_contacts", "rule_sets")


@pytest.fixture
async def fresh(server_url: str, template: str) -> AsyncIterator[asyncpg.Connection]:
    """A database that its planner knows to be empty, and that has filled up since: the statistics are old."""
    async with building(server_url, template, "fresh") as url:
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE")
        yield connection
        await connection.close()


async def fill(connection: asyncpg.Connection) -> None:
    """A thousand leads of one owner, each with a contact, an identity, a key, a claim and a campaign that runs."""
    await connection.execute(
        "SET session_replication_role = replica;"
        "INSERT INTO contacts (owner_id, id, created_at, modified_at)"
        " SELECT 1, g, now(), now() FROM generate_series(1, 1000) g;"
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id)"
        " SELECT 1, 'email', g || '@example.org', g FROM generate_series(1, 1000) g;"
        "INSERT INTO leads (owner_id, id, contact_id, created_at, modified_at, touched_at)"
        " SELECT 1, g, g, now(), now(), now() FROM generate_series(1, 1000) g;"
        "INSERT INTO idempotency_keys (owner_id, scope, key, lead_id, created_at)"
        " SELECT 1, 'body 1', g::text, g, now() FROM generate_series(1, 1000) g;"
        "INSERT INTO claims (owner_id, lead_id, user_id, claimed_at, via)"
        " SELECT 1, g, 1, now(), 'None' FROM generate_series(1, 1000) g;"
        "INSERT INTO campaign_contacts (owner_id, campaign_id, contact_id, created_at)"
        " SELECT 1, 1, g, now() FROM generate_series(1, 1000) g;"
        "INSERT INTO rule_sets (owner_id, number, rules, created_at)"
        " SELECT 1, g, '{}', now() FROM generate_series(1, 1000) g;"
        "SET session_replication_role = origin"
    )


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
}


@pytest.mark.parametrize("name", LOOKS)
async def test_a_plan_made_on_empty_tables_still_looks_up_by_key(fresh: asyncpg.Connection, name: str) -> None:
    transaction = fresh.transaction()
    await transaction.start()
    await fresh.execute(PLANNER_SETTINGS)
    sql, *values = statement(name).bind(**LOOKS[name])
    await fresh.execute(f"PREPARE asked AS {sql}")
    execution = f"EXECUTE asked({', '.join(values)})"
    await fresh.execute(execution)
    await fill(fresh)
    planned = await fresh.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {execution}")
    await transaction.rollback()

    found = list(_scans(msgspec.json.decode(planned)[0]["Plan"]))
    assert {each.table for each in found} & set(FRESH)
    assert all(each.read <= 2 for each in found if each.table in FRESH), found


# ------------------------------------------------------------------------------------------------------- who is there


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize(
    ("name", "table", "secret"),
    [("find_intake_keys", "intake_keys", intake_key(77)), ("find_callers", "access_tokens", token(77))],
)
async def test_a_secret_is_found_by_its_hash(
    loaded_database: asyncpg.Connection, times: int, name: str, table: str, secret: str
) -> None:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    found = await scans(loaded_database, times, statement(name).text, rf"ARRAY['\x{digest}'::bytea]")

    assert None not in indexes(found, table)
    assert read(found, table) <= 2, "once to note that it was used"


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_the_rules_of_an_owner_are_read_without_those_of_others(
    loaded_database: asyncpg.Connection, times: int
) -> None:
    found = await scans(loaded_database, times, *statement("load_rules").bind(owner_ids=f"ARRAY[{OWNERS}]::bigint[]"))

    assert read(found, "users") <= 1 + 1 + MEMBERS, "the owner, and whom the rules know: the owner and the members"
    assert read(found, "lead_routes") <= 2 * ROUTES, "once for themselves, once for their campaigns"
    assert read(found, "team_members") <= 2 * MEMBERS


# -------------------------------------------------------------------------------------------------- what a list shows


async def count(loaded_database: asyncpg.Connection, table: str, condition: str) -> int:
    number: int = await loaded_database.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}")
    return number


async def listed(loaded_database: asyncpg.Connection, times: int, path: str, caller: int) -> list[Scan]:
    sql = list_sql(BY_PATH[path], (), default_order(BY_PATH[path]), (), 2)
    return await scans(loaded_database, times, sql, str(caller), "10", "0")


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_a_page_of_routes_reads_the_owners_routes_and_the_page(
    loaded_database: asyncpg.Connection, times: int
) -> None:
    found = await listed(loaded_database, times, "/lead-routes", OWNERS)

    assert None not in indexes(found, "lead_routes")
    assert read(found, "lead_routes") <= ROUTES + 10


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_routes_are_not_counted_while_nothing_has_changed(
    loaded_database: asyncpg.Connection, times: int
) -> None:
    sql = list_sql(BY_PATH["/lead-routes"], (), "t.id", (), 2, with_version=True)
    version = await loaded_database.fetchval("SELECT rules_version FROM users WHERE id = $1", OWNERS)
    found = await scans(loaded_database, times, sql, str(OWNERS), "3", "0", str(version))
    counted = await scans(loaded_database, times, sql, str(OWNERS), "3", "0", str(version - 1))

    assert read(found, "lead_routes") <= 3
    assert read(counted, "lead_routes") == ROUTES + 3


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_a_route_is_read_by_its_key(loaded_database: asyncpg.Connection, times: int) -> None:
    first = await loaded_database.fetchval("SELECT min(id) FROM lead_routes WHERE owner_id = $1", OWNERS)
    found = await scans(loaded_database, times, record_sql(BY_PATH["/lead-routes"], (), ()), str(OWNERS), str(first))

    assert indexes(found, "lead_routes") == {"lead_routes_pkey"}
    assert read(found, "lead_routes") == 1


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize("caller", [OWNERS, OWNERS + 1], ids=["an owner", "an agent"])
async def test_a_page_of_leads_reads_those_that_the_caller_sees(
    loaded_database: asyncpg.Connection, times: int, caller: int
) -> None:
    notified = f"SELECT lead_id FROM offers WHERE user_id = {caller} AND notified_at IS NOT NULL"
    seen = await count(loaded_database, "leads", f"owner_id = {caller} OR id IN ({notified})")
    offered = await count(loaded_database, "offers", f"user_id = {caller}")
    found = await listed(loaded_database, times, "/leads", caller)

    assert 0 < seen < LEADS / 100
    assert read(found, "leads") <= 2 * seen + FEW, "once for the total, once for the page"
    assert read(found, "offers") <= 2 * offered + FEW

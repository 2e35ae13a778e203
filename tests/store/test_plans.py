"""No plan reads more than it takes: what is due, what a door asks, what a list shows, on a house with many rows.

Each statement is prepared and run as the service's sessions do, once and often; what its scans have read is counted.
"""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from bench.ground import Ground, Plot
from bench.people import intake_key, token
from leadroutes.api.resources import BY_PATH
from leadroutes.api.sql_parts import default_order
from leadroutes.api.statements import list_sql, record_sql
from leadroutes.store import statement
from leadroutes.store.postgres import PLANNER_SETTINGS
from tests.support.plans import Scan, building, indexes, read, scans_of, session

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


@pytest.fixture(scope="module")
async def house_url(server_url: str, template: str) -> AsyncIterator[str]:
    """A house with a few ten thousand offers and steps; everything that a test writes is rolled back."""
    async with building(server_url, template, "plans") as url:
        plot = Plot(Ground(server_url, Path()), url, "plans")
        await plot.put_in("found", users=USERS, owners=OWNERS, members=MEMBERS, routes=ROUTES, first_routes=ROUTES)
        await plot.put_in(
            "waiting_leads", users=USERS, owners=OWNERS, members=MEMBERS, leads=LEADS, notified=1, due=DUE, apart=0.01
        )  # fmt: skip
        await plot.put_in("waiting_steps", owners=OWNERS, steps=STEPS, due=DUE, apart=0.01)
        async with session(url) as connection:
            await connection.execute("UPDATE leads SET lapses_at = routed_at - interval '1 day' WHERE id % 50 = 0")
            await connection.execute(
                "INSERT INTO tasks (owner_id, action_type, description, status, recurs_at, created_at, modified_at)"
                " SELECT 1, 'Call', 'Call', 'incomplete', now() + g * interval '1 hour', now(), now()"
                " FROM generate_series(1, 2000) g"
            )
            await connection.execute("VACUUM ANALYZE")
        yield url


@pytest.fixture
async def house(house_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of each test's own: one that is cut off by its timeout must not take the others with it."""
    async with session(house_url) as connection:
        yield connection


async def scans(house: asyncpg.Connection, times: int, sql: str, *values: Any) -> list[Scan]:
    """Run it with these values, written as SQL, and roll it back."""
    transaction = house.transaction()
    await transaction.start()
    try:
        return await scans_within(house, times, sql, *values)
    finally:
        await transaction.rollback()


async def scans_within(house: asyncpg.Connection, times: int, sql: str, *values: Any) -> list[Scan]:
    """The same within a transaction of the caller's, who rolls it back."""
    try:
        if times == IN_TRANSACTION:
            await house.execute(PLANNER_SETTINGS)
        await house.execute(f"PREPARE asked AS {sql}")
        execution = f"EXECUTE asked({', '.join(values)})" if values else "EXECUTE asked"
        for _ in range(times - 1):
            await house.execute(execution)
        planned = await house.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {execution}")
    finally:
        await house.execute("DEALLOCATE asked")
    return list(scans_of(msgspec.json.decode(planned)[0]["Plan"]))


# ---------------------------------------------------------------------------------------------------------- what is due


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_due_leads_reads_as_many_offers_as_it_takes(house: asyncpg.Connection, times: int) -> None:
    found = await scans(
        house, times, *statement("take_due_leads").bind(now=f"'{NOW}'", most=str(MOST), excluded="'{}'")
    )

    assert indexes(found, "offers") == {"offers_due"}
    assert read(found, "offers") <= MOST + FEW
    assert read(found, "leads") <= MOST + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_lapsed_leads_reads_as_many_as_it_takes(house: asyncpg.Connection, times: int) -> None:
    found = await scans(
        house, times, *statement("take_lapsed_leads").bind(now="now()", most=str(MOST), excluded="'{}'")
    )

    assert indexes(found, "leads") == {"leads_due"}
    assert read(found, "leads") <= MOST + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_due_steps_reads_as_many_as_it_takes(house: asyncpg.Connection, times: int) -> None:
    """And what decides about them is found by keys, as is all that is held when its window changes."""
    some = "'{" + ",".join(str(each) for each in range(1, MOST + 1)) + "}'"
    ones = "'{" + ",".join("1" for _ in range(MOST)) + "}'"
    found = await scans(
        house, times,
        *statement("take_due_communications").bind(now=f"'{NOW}'", most=str(MOST), excluded="'{}'"),
    )  # fmt: skip
    assert indexes(found, "contact_communications") == {"contact_communications_next"}
    assert read(found, "contact_communications") <= MOST + FEW

    facts = statement("load_step_facts").bind(
        owner_ids=ones, communication_ids=some, now=f"'{NOW}'", only_sent="false", with_senders="true"
    )
    found = await scans(house, times, *facts)
    assert read(found, "contact_communications") <= 2 * MOST + FEW
    assert read(found, "contacts") <= MOST + FEW

    older = statement("take_steps_of_older_rules").bind(now=f"'{NOW}'", most=str(MOST), excluded="'{}'", version="2")
    found = await scans(house, times, *older)
    assert indexes(found, "contact_communications") == {"contact_communications_by_rules"}

    again = statement("look_at_campaign_again").bind(campaign_id="1", after_id="0", most=str(MOST))
    found = await scans(house, times, *again)
    assert "contact_communications_held_by_campaign" in indexes(found, "contact_communications")
    assert read(found, "contact_communications") <= 2 * MOST + FEW


async def test_ending_steps_reads_no_messages_of_others(house: asyncpg.Connection) -> None:
    """Also in a session that planned it while there were none; a step that was not taken has none to be locked."""
    looked = "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
    looked += " WHERE relname = 'messages'"
    transaction = house.transaction()
    await transaction.start()
    try:
        await house.execute(PLANNER_SETTINGS)
        ids = "SELECT ARRAY(SELECT id FROM contact_communications WHERE is_active ORDER BY id LIMIT 500)"
        for _ in range(3):
            before = await house.fetchval(looked)
            ended = "SELECT end_steps($1, now(), NULL, 'it is over')"
            assert await house.fetchval(ended, await house.fetchval(ids)) == 500
            assert await house.fetchval(looked) - before <= FEW
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_a_step_that_is_taken_alone_is_read_alone(house: asyncpg.Connection, times: int) -> None:
    found = await scans(
        house, times, *statement("take_due_communications").bind(now=f"'{NOW}'", most="1", excluded="'{}'")
    )
    assert indexes(found, "contact_communications") == {"contact_communications_next"}
    assert read(found, "contact_communications") == 1

    queued = statement("queue_communications").bind(now=f"'{NOW}'", taken="'{7}'")
    found = await scans(house, times, *queued)
    assert read(found, "contact_communications") == 1


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_taking_recurring_tasks_reads_as_many_as_it_takes(house: asyncpg.Connection, times: int) -> None:
    found = await scans(
        house,
        times,
        *statement("take_recurring_tasks").bind(now="now() + interval '9 weeks'", most=str(MOST), excluded="'{}'"),
    )

    assert indexes(found, "tasks") == {"tasks_due"}
    assert read(found, "tasks") <= MOST + FEW


@pytest.mark.parametrize(
    ("name", "index"), [("take_leaving_messages", "messages_leaving"), ("take_questions", "messages_asking")]
)
async def test_taking_messages_that_wait_reads_as_many_as_it_takes(
    house: asyncpg.Connection, name: str, index: str
) -> None:
    """In a transaction, as the timers take them; the table has been filled since it was last analyzed."""
    column = "leaves_at" if name == "take_leaving_messages" else "asks_at"
    transaction = house.transaction()
    await transaction.start()
    await house.execute(
        f"INSERT INTO messages (owner_id, kind, channel, user_id, created_at, {column})"
        " SELECT 1, 'won', 'text', 1, now(), now() + g * interval '1 second' FROM generate_series(1, 20000) g"
    )
    found = await scans(
        house,
        IN_TRANSACTION,
        *statement(name).bind(now="now() + interval '1 hour'", most=str(MOST), excluded="'{}'"),
    )
    await transaction.rollback()

    assert index in indexes(found, "messages")
    assert read(found, "messages") <= 2 * MOST + FEW, "once to find them, once to mark them"


async def test_the_texts_of_a_day_are_counted_without_older_ones(house: asyncpg.Connection) -> None:
    transaction = house.transaction()
    await transaction.start()
    await house.execute(
        "INSERT INTO messages (owner_id, kind, channel, user_id, created_at, provider_id)"
        " SELECT owner, 'won', 'text', owner, now() - g * interval '1 hour', 'SM1'"
        " FROM generate_series(1, 20) owner CROSS JOIN generate_series(1, 1000) g"
    )
    found = await scans(
        house,
        7,
        *statement("count_texts").bind(owner_id="1", since="now() - interval '1 day'", refused="'{1}'"),
    )
    await transaction.rollback()

    assert None not in indexes(found, "messages")
    assert read(found, "messages") <= 20 * 24 + FEW, "of this owner, or at most those of this day"


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize("name", ["lock_open_leads", "load_leads"])
async def test_a_batch_of_leads_is_read_by_their_keys(house: asyncpg.Connection, times: int, name: str) -> None:
    ids = [(n % OWNERS + 1, n + 1) for n in range(MOST)]
    owners, leads = (f"'{{{','.join(map(str, column))}}}'" for column in zip(*ids, strict=True))
    found = await scans(house, times, *statement(name).bind(owner_ids=owners, lead_ids=leads))
    assert read(found, "leads") == MOST
    assert indexes(found, "leads") <= {"leads_pkey", "leads_id_key"}
    assert read(found, "claims") <= MOST


COUNTED = "array_agg(owner_id)::text AS owners, array_agg(user_id)::text AS users, sum(number)::int AS number"
OLD_AND_NEW = """UPDATE offers SET state = 'notified', notified_at = lead_id * interval '1 hour'
    + CASE WHEN lead_id % 10 = 0 THEN notify_at ELSE '2020-01-01' END WHERE place = 0"""


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_what_counts_for_members_is_read_by_member_and_moment(house: asyncpg.Connection, times: int) -> None:
    """An old offer that is still open is not read, however many there are."""
    transaction = house.transaction()
    await transaction.start()
    await house.execute(OLD_AND_NEW)
    row = await house.fetchrow(
        f"SELECT {COUNTED} FROM (SELECT owner_id, user_id, count(*) FILTER (WHERE notified_at > '2025-01-01') AS number"
        " FROM offers WHERE place = 0 GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 50) x"
    )
    of = {"owner_ids": f"'{row['owners']}'", "user_ids": f"'{row['users']}'", "open_since": "'2025-01-01'"}
    found = await scans_within(house, times, *statement("load_first_offers").bind(**of))
    assert indexes(found, "offers") == {"offers_first"}
    assert read(found, "offers") <= row["number"] + 3 * MOST
    await transaction.rollback()


async def test_a_batch_of_messages_is_begun_by_their_keys(house: asyncpg.Connection) -> None:
    await house.execute(
        "INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)"
        " SELECT owner_id, 'offer', 'email', lead_id, id, user_id, now() FROM offers WHERE place = 0 LIMIT 5000"
        " ON CONFLICT DO NOTHING"
    )
    rows = await house.fetch("SELECT owner_id, id FROM messages ORDER BY owner_id, id LIMIT $1", MOST)
    owners, ids = (f"'{{{','.join(map(str, column))}}}'" for column in zip(*rows, strict=True))
    found = await scans(house, IN_TRANSACTION, *statement("begin_sending").bind(owner_ids=owners, message_ids=ids))

    assert read(found, "messages") == 2 * MOST, "once to hold them, once to mark them"


async def test_an_answer_reads_the_campaigns_of_its_contact_alone(house: asyncpg.Connection) -> None:
    row = await house.fetchrow("SELECT owner_id, contact_id FROM campaign_contacts ORDER BY id LIMIT 1")
    assert row is not None
    asked = {"owner_ids": f"'{{{row['owner_id']}}}'", "contact_ids": f"'{{{row['contact_id']}}}'", "spared": "'{}'"}
    found = await scans(
        house,
        IN_TRANSACTION,
        *statement("stop_campaigns_of_contacts").bind(
            **asked, event="'reply'", now=f"'{NOW}'", reason="'the contact answered'"
        ),
    )

    for table in ("campaign_contacts", "contact_communications", "tasks"):
        assert read(found, table) <= MOST, "steps of this contact"


@pytest.mark.parametrize("name", ["begin_sending", "recheck_message"])
async def test_the_suppression_of_an_address_is_found_by_its_digest(house: asyncpg.Connection, name: str) -> None:
    """Among those of an owner who has many, and of which most are other people's."""
    transaction = house.transaction()
    await transaction.start()
    await house.execute(
        "INSERT INTO suppressions (owner_id, channel, value, digest, reason, at)"
        " SELECT 1, 'email', a, address_digest(a, k.salt), 'imported', now()"
        " FROM suppression_salt k, generate_series(1, 20000) g, LATERAL (SELECT g || '@example.org' AS a) x"
    )
    rows = await house.fetch(
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
    found = await scans(house, IN_TRANSACTION, *statement(name).bind(**values))
    await transaction.rollback()

    assert indexes(found, "suppressions") == {"suppressions_in_force"}
    assert read(found, "suppressions") == (50 if name == "begin_sending" else 1)


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_the_next_moment_is_the_first_entry_of_each_index(house: asyncpg.Connection, times: int) -> None:
    kinds = ("offer_leads", "lapse_leads", "actions", "removals", "waiting", "communications", "campaigns", "owners",
             "tasks", "failure_leads", "messages", "questions", "digest_users")  # fmt: skip
    excluded = {f"excluded_{kind}": "'{}'" for kind in kinds}
    found = await scans(house, times, *statement("find_next_due").bind(now="now()", version="1", **excluded))

    small = ("failed_notices", "alert_preferences", "changed_", "removed_")
    assert {each.index for each in found if not each.table.startswith(small)} == {
        "offers_due", "leads_due", "contact_communications_by_rules", "contact_communications_next", "tasks_due",
        "messages_leaving", "messages_asking", "contact_communications_id_key",  # asked only while an edit is under way
    }  # fmt: skip
    assert all(each.read <= 1 for each in found)


# ------------------------------------------------------------------------------------------------------- who is there


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize(
    ("name", "table", "secret"),
    [("find_intake_keys", "intake_keys", intake_key(77)), ("find_callers", "access_tokens", token(77))],
)
async def test_a_secret_is_found_by_its_hash(
    house: asyncpg.Connection, times: int, name: str, table: str, secret: str
) -> None:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    found = await scans(house, times, statement(name).text, rf"ARRAY['\x{digest}'::bytea]")

    assert None not in indexes(found, table)
    assert read(found, table) <= 2, "once to note that it was used"


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_the_rules_of_an_owner_are_read_without_those_of_others(house: asyncpg.Connection, times: int) -> None:
    found = await scans(house, times, *statement("load_rules").bind(owner_ids=f"ARRAY[{OWNERS}]::bigint[]"))

    assert read(found, "users") <= 1 + 1 + MEMBERS, "the owner, and whom the rules know: the owner and the members"
    assert read(found, "lead_routes") <= 2 * ROUTES, "once for themselves, once for their campaigns"
    assert read(found, "team_members") <= 2 * MEMBERS


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_what_conditions_ask_of_contacts_is_read_by_their_keys(house: asyncpg.Connection, times: int) -> None:
    leads = await house.fetch("SELECT owner_id, contact_id FROM leads ORDER BY id LIMIT 20")
    columns = {
        name: f"ARRAY{[each[name] for each in leads]}::bigint[]" for name in ("owner_id", "contact_id")
    }  # fmt: skip
    found = await scans(
        house,
        times,
        *statement("load_contact_facts").bind(
            owner_ids=columns["owner_id"],
            contact_ids=columns["contact_id"],
            lead_ids="array_fill(9000000000, ARRAY[20])",
            moments="array_fill(now(), ARRAY[20])",
            with_custom="array_fill(true, ARRAY[20])",
        ),
    )

    assert read(found, "contacts") <= 20
    assert indexes(found, "leads") == {"leads_contact"}
    assert read(found, "leads") <= 20


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_a_trial_reads_as_many_leads_as_it_takes(house: asyncpg.Connection, times: int) -> None:
    given = dict.fromkeys(("with_lead", "with_message", "with_contact", "with_custom"), "true")
    sql = statement("list_past_leads").bind(
        owner_id="1", after_moment="'2000-01-01'", after_id="-1", until="'infinity'", most="5", **given
    )
    found = await scans(house, times, *sql)

    assert indexes(found, "leads") <= {"leads_by_created", "leads_contact"}
    assert read(found, "leads") <= 5 + 2 * 5 + FEW
    assert read(found, "contacts") <= 2 * 5
    assert read(found, "claims") <= 2 * 5


# -------------------------------------------------------------------------------------------------- what a list shows


async def count(house: asyncpg.Connection, table: str, condition: str) -> int:
    return int(await house.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}"))


async def listed(house: asyncpg.Connection, times: int, path: str, caller: int) -> list[Scan]:
    sql = list_sql(BY_PATH[path], (), default_order(BY_PATH[path]), (), 2)
    return await scans(house, times, sql, str(caller), "10", "0")


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_a_page_of_routes_reads_the_owners_routes_and_the_page(house: asyncpg.Connection, times: int) -> None:
    found = await listed(house, times, "/lead-routes", OWNERS)

    assert None not in indexes(found, "lead_routes")
    assert read(found, "lead_routes") <= ROUTES + 10


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_routes_are_not_counted_while_nothing_has_changed(house: asyncpg.Connection, times: int) -> None:
    sql = list_sql(BY_PATH["/lead-routes"], (), default_order(BY_PATH["/lead-routes"]), (), 2, with_version=True)
    version = await house.fetchval("SELECT rules_version FROM users WHERE id = $1", OWNERS)
    found = await scans(house, times, sql, str(OWNERS), "3", "0", str(version))
    counted = await scans(house, times, sql, str(OWNERS), "3", "0", str(version - 1))

    assert read(found, "lead_routes") <= 3
    assert read(counted, "lead_routes") == ROUTES + 3


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_a_route_is_read_by_its_key(house: asyncpg.Connection, times: int) -> None:
    first = await house.fetchval("SELECT min(id) FROM lead_routes WHERE owner_id = $1", OWNERS)
    found = await scans(house, times, record_sql(BY_PATH["/lead-routes"], (), ()), str(OWNERS), str(first))

    assert indexes(found, "lead_routes") == {"lead_routes_pkey"}
    assert read(found, "lead_routes") == 1


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize("caller", [OWNERS, OWNERS + 1], ids=["an owner", "an agent"])
async def test_a_page_of_leads_reads_those_that_the_caller_sees(
    house: asyncpg.Connection, times: int, caller: int
) -> None:
    notified = f"SELECT lead_id FROM offers WHERE user_id = {caller} AND notified_at IS NOT NULL"
    seen = await count(house, "leads", f"owner_id = {caller} OR id IN ({notified})")
    offered = await count(house, "offers", f"user_id = {caller}")
    found = await listed(house, times, "/leads", caller)

    assert 0 < seen < LEADS / 100
    assert read(found, "leads") <= 2 * seen + FEW, "once for the total, once for the page"
    assert read(found, "offers") <= 2 * offered + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_results_of_a_campaign_read_its_own_figures_whatever_was_sent(
    house: asyncpg.Connection, times: int
) -> None:
    """A message is not looked at: a figure of each step and template is all there is to read."""
    undone = house.transaction()
    await undone.start()
    try:
        await house.execute(
            "INSERT INTO campaign_actions (owner_id, id, campaign_id, type, timing_type, delay_by_seconds)"
            " SELECT owner_id, 9000000 + id, id, 'Email Contact', 'Delay by Minutes', 0 FROM campaigns"
        )
        made = (
            "INSERT INTO {} (owner_id, action_id, template_id, figure, number)"
            " SELECT c.owner_id, 9000000 + c.id, t, f, 5 FROM campaigns c, generate_series(1, 2) t,"
            " unnest(ARRAY['sent', 'delivered', 'bounced', 'replied', 'opted_out']) f"
        )
        await house.execute(made.format("step_results"))
        await house.execute(made.format("step_result_changes"))
        await house.execute("ANALYZE step_results, step_result_changes, campaign_actions")
        campaign = await house.fetchval("SELECT min(id) FROM campaigns WHERE owner_id = 1")
        found = await scans(
            house, times,
            *statement("load_step_results").bind(owner_id="1", campaign_id=str(campaign)),
        )  # fmt: skip
    finally:
        await undone.rollback()

    assert read(found, "messages") == 0
    assert read(found, "campaign_actions") <= FEW
    assert (read(found, "step_results"), read(found, "step_result_changes")) == (10, 10)

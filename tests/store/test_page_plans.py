"""What the board and the inbox read is what they show, however much an owner or an agent has had in years.

The owner is one of bench/sql/large_owner.sql. Each statement runs once, planned for its values, and often, planned for
any.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from bench.ground import Ground, Plot
from leadroutes.api.timeline_calls import INBOX
from leadroutes.store import joined, statement
from leadroutes.store.board import NEWS, NOTICES
from tests.support.plans import Scan, building, indexes, read, scans_of, session

LEADS, AGENTS, WAITING, MEMBERS = 20_000, 20, 1_000, 5
OWNER, AGENT, CLAIMER = 1, 3, AGENTS + 2  # the claimer has claimed every tenth lead
OF_AGENT = 3_000  # tasks, events and calls each
PAGE = 10
FEW = 5  # rows that a look at the edge of an index may read in vain
EXECUTIONS = (1, 7)  # the first five plans of a session are for the values at hand


@pytest.fixture(scope="module")
async def account_url(server_url: str, template: str) -> AsyncIterator[str]:
    """The owner's database; nothing is written to it. Leads of another owner wait there as well."""
    async with building(server_url, template, "pages") as url:
        plot = Plot(Ground(server_url, Path()), url, "pages")
        await plot.put_in("found", users=AGENTS + 2, owners=2, members=MEMBERS, routes=10, first_routes=10)
        await plot.put_in("large_owner", leads=LEADS, agents=AGENTS)
        await plot.put_in(
            "waiting_leads", users=AGENTS + 2, owners=2, members=MEMBERS, leads=2 * WAITING, notified=1, due="infinity",
            apart=0,
        )  # fmt: skip
        async with session(url) as connection:
            await fill(connection)
            await connection.execute("VACUUM ANALYZE")
        yield url


@pytest.fixture
async def account(account_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of each test's own: one that is cut off by its timeout must not take the others with it."""
    async with session(account_url) as connection:
        yield connection


async def fill(connection: asyncpg.Connection) -> None:
    """The agent's tasks, notes and calls of years, all but a few of the calls open; a third of all messages failed."""
    await connection.execute(
        "SET session_replication_role = replica;"
        "INSERT INTO tasks (owner_id, action_type, description, status, due_at, assigned_user_id, contact_owner_id,"
        " contact_id, created_at, modified_at)"
        " SELECT 1, 'Call Contact', 'Call', CASE WHEN g % 2 = 0 THEN 'complete' ELSE 'incomplete' END,"
        f" now() - g * interval '1 hour', {AGENT}, 1, g, now(), now() - interval '1 year'"
        f" FROM generate_series(1, {OF_AGENT}) g;"
        "INSERT INTO events (owner_id, user_id, contact_id, type, created_at, modified_at)"
        f" SELECT 1, {AGENT}, g, 'call', now() - interval '1 year', now() FROM generate_series(1, {OF_AGENT}) g;"
        "INSERT INTO contact_communications (owner_id, contact_id, type, send_at, taken_at, asked_user_id, is_active)"
        f" SELECT 1, 1 + g % {LEADS}, 'Call Contact', now() - g * interval '1 hour', now(), {AGENT}, g % 100 <> 0"
        f" FROM generate_series(1, {OF_AGENT}) g;"
        f"UPDATE contacts SET assigned_user_id = {AGENT} WHERE owner_id = 1 AND id <= {OF_AGENT};"
        "UPDATE messages SET state = 'failed' WHERE id % 3 = 0;"
        "SET session_replication_role = origin"
    )


async def scans(account: asyncpg.Connection, times: int, name: str, **values: str) -> list[Scan]:
    """Runs a statement with these values, written as SQL, so often; returns what the last execution read."""
    return await scans_of_bound(account, times, *statement(name).bind(**values))


async def scans_of_bound(account: asyncpg.Connection, times: int, sql: str, *bound: str) -> list[Scan]:
    execution = f"EXECUTE asked({', '.join(bound)})"
    await account.execute(f"PREPARE asked AS {sql}")
    try:
        for _ in range(times - 1):
            await account.execute(execution)
        planned = await account.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {execution}")
    finally:
        await account.execute("DEALLOCATE asked")
    return list(scans_of(msgspec.json.decode(planned)[0]["Plan"]))


async def board(account: asyncpg.Connection, times: int, since: str) -> list[Scan]:
    """Everything that a board reads anew, in one statement."""
    bound = joined(*NEWS).bind(
        owner_id=str(OWNER), user_id=str(OWNER), since=since, most=str(PAGE), claimed=str(PAGE), window="5001",
        named="5", refused="'{30007}'", sees_all="true",
    )  # fmt: skip
    return await scans_of_bound(account, times, *bound)


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_the_board_of_a_quiet_day_reads_nothing(account: asyncpg.Connection, times: int) -> None:
    found = await board(account, times, "now()")

    for table in ("leads", "contacts", "claims", "offers", "messages"):
        assert read(found, table) <= FEW, table


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_the_board_reads_the_leads_of_the_day_and_the_offers_of_those_that_it_shows(
    account: asyncpg.Connection, times: int
) -> None:
    day = await account.fetchval(
        "SELECT count(*) FROM leads WHERE owner_id = 1 AND created_at >= now() - interval '1 day'"
    )
    found = await board(account, times, "now() - interval '1 day'")
    cards = 2 * PAGE  # on offer and claimed

    assert day > WAITING
    assert read(found, "leads") <= day + cards + FEW
    assert None not in indexes(found, "leads")
    for table in ("contacts", "claims"):
        assert read(found, table) <= cards + FEW, table
    assert read(found, "offers") <= MEMBERS * PAGE + FEW, "of those that are not claimed"
    assert read(found, "messages") <= MEMBERS * PAGE + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize("user", [OWNER, AGENT, CLAIMER], ids=["the owner", "an agent", "the claimer"])
async def test_an_inbox_reads_the_offers_that_are_open(account: asyncpg.Connection, times: int, user: int) -> None:
    got = await account.fetchval("SELECT count(*) FROM offers WHERE user_id = $1", user)
    found = await scans(account, times, "list_inbox_offers", user_id=str(user), most=str(PAGE))

    assert got > 100 * FEW or user == OWNER
    assert indexes(found, "offers") >= {"offers_open"}
    assert read(found, "offers") <= PAGE + MEMBERS * PAGE + FEW, "and those that follow on the same leads"
    for table in ("leads", "contacts"):
        assert read(found, table) <= PAGE + FEW, table


@pytest.mark.parametrize("times", EXECUTIONS)
@pytest.mark.parametrize("user", [OWNER, AGENT, CLAIMER], ids=["the owner", "an agent", "the claimer"])
async def test_an_inbox_reads_the_claims_of_a_month(account: asyncpg.Connection, times: int, user: int) -> None:
    """At most five hundred, of an agent with thousands, and what hangs on their contacts."""
    recent = await account.fetchval(
        "SELECT count(*) FROM claims WHERE user_id = $1 AND claimed_at > now() - interval '30 days'", user
    )
    found = await scans(account, times, "list_inbox_leads", user_id=str(user), now="now()", most="50")

    assert indexes(found, "claims") <= {"claims_of_user", "claims_user"}
    assert read(found, "claims") <= 2 * 500, "all of an agent who has not many more"
    for table in ("leads", "contacts"):
        assert read(found, table) <= recent + FEW, table
    for table in ("events", "tasks"):
        assert read(found, table) <= FEW, f"{table} of contacts who were claimed long ago"


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_an_inbox_reads_the_tasks_and_the_calls_that_it_shows(account: asyncpg.Connection, times: int) -> None:
    tasks = await scans(account, times, "list_inbox_tasks", user_id=str(AGENT), now="now()", most=str(PAGE))
    calls = await scans(account, times, "list_inbox_calls", user_id=str(AGENT), most=str(PAGE))

    assert read(tasks, "tasks") <= PAGE + FEW
    assert read(tasks, "contacts") <= PAGE + FEW
    assert read(tasks, "leads") <= PAGE + FEW
    assert read(calls, "contact_communications") <= PAGE + FEW
    assert read(calls, "contacts") <= PAGE + FEW


@pytest.mark.parametrize("times", EXECUTIONS)
async def test_what_the_board_shows_beside_its_leads_is_found_without_reading_years(
    account: asyncpg.Connection, times: int
) -> None:
    """In one statement, whatever its parts are planned for."""
    news = joined(*[each for each in NEWS if each != "list_board_leads"]).bind(
        owner_id=str(OWNER), user_id=str(OWNER), since="now() - interval '1 day'", refused="'{30007}'", sees_all="true"
    )
    notices = joined(*NOTICES).bind(owner_id=str(OWNER), user_id=str(OWNER), is_admin="true")
    for bound in (news, notices):
        found = await scans_of_bound(account, times, *bound)
        for table in ("leads", "contacts", "messages", "tasks", "offers"):
            assert read(found, table) <= FEW, table


@pytest.mark.parametrize("statements", [NEWS, tuple(INBOX.values())], ids=["the board", "the inbox"])
async def test_what_is_read_anew_again_and_again_is_planned_once(
    account: asyncpg.Connection, statements: tuple[str, ...]
) -> None:
    """The sixth execution takes a plan for any values: making one takes longer than what an inbox reads."""
    values = {
        "owner_id": str(OWNER), "user_id": str(AGENT), "person_id": str(AGENT), "now": "now()",
        "since": "now() - interval '1 day'", "most": "50", "claimed": "10", "window": "5001", "named": "5",
        "refused": "'{30007}'", "sees_all": "true",
    }  # fmt: skip
    read_anew = joined(*statements)
    sql, *bound = read_anew.bind(**{name: values[name] for name in read_anew.parameters})
    await account.execute(f"PREPARE read_anew AS {sql}")
    try:
        for _ in range(8):
            await account.execute(f"EXECUTE read_anew({', '.join(bound)})")
        plans = await account.fetchrow(
            "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE name = 'read_anew'"
        )
    finally:
        await account.execute("DEALLOCATE read_anew")

    assert tuple(plans) == (5, 3)

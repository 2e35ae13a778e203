"""Lists read what they answer: the beginning of an index for a page, and for a total the matching entries once.

The owner is one of bench/sql/large_owner.sql: agents share the contacts, and one outside has claimed every tenth lead.
"""

from collections.abc import AsyncIterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from bench.ground import Ground, Plot
from leadroutes.api.owner_lists import MANY, OtherOwners, owners_sql
from leadroutes.api.query import list_query
from leadroutes.api.resources import BY_PATH, RESOURCES
from leadroutes.api.sql_parts import default_order
from leadroutes.api.statements import depends_on_values, first_free, list_sql, record_sql
from leadroutes.store import statement
from leadroutes.store.postgres import PLANNED_FOR_VALUES, PLANNED_ONCE
from tests.support.plans import Scan, building, indexes, read, scans_of, session

LEADS, AGENTS, CLAIMED = 20_000, 20, 2_000
OWNER, AGENT, CLAIMER = 1, 3, AGENTS + 2
PAGE = 10
FEW = 5  # rows that a look at the edge of an index may read in vain


@pytest.fixture(scope="module")
async def house_url(server_url: str, template: str) -> AsyncIterator[str]:
    """The owner's database; what a test writes is rolled back."""
    async with building(server_url, template, "lists") as url:
        plot = Plot(Ground(server_url, Path()), url, "lists")
        await plot.put_in("found", users=AGENTS + 2, owners=1, members=5, routes=10, first_routes=10)
        await plot.put_in("large_owner", leads=LEADS, agents=AGENTS)
        await plot.execute("SELECT recount(1)")
        await plot.execute("VACUUM ANALYZE")
        yield url


@pytest.fixture
async def house(house_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of each test's own: one that is cut off by its timeout must not take the others with it."""
    async with session(house_url) as connection:
        yield connection


async def listed(
    house: asyncpg.Connection, caller: int, path: str, query: str = "", *, is_counted: bool = True
) -> list[Scan]:
    """Runs a list as the service does, and returns what its second statement read."""
    resource = BY_PATH[path]
    asked = list_query(resource, query)
    owners, ids = OtherOwners(), []
    transaction = house.transaction()
    await transaction.start()
    try:
        await house.execute(PLANNED_ONCE.partition(";")[2])
        if resource.listed:
            found = await house.fetchrow(owners_sql(resource), caller)
            owners, ids = OtherOwners.of(found["sharers"], found["others"])
        if depends_on_values(resource, asked.conditions, asked.order, owners):
            await house.execute(PLANNED_FOR_VALUES)
        first_of_page = asked.first + len(asked.values)
        sql = list_sql(
            resource, asked.conditions, asked.order, asked.keys, first_of_page,
            is_counted=is_counted, owners=owners, searched=asked.searched,
        )  # fmt: skip
        return await explained(house, str(sql), caller, *asked.values, asked.limit, asked.skip, *ids)
    finally:
        await transaction.rollback()


async def explained(house: asyncpg.Connection, sql: str, *values: Any) -> list[Scan]:
    await house.execute(f"PREPARE asked AS {sql}")
    try:
        written = ", ".join(_as_sql(each) for each in values)
        planned = await house.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE asked({written})")
    finally:
        await house.execute("DEALLOCATE asked")
    return list(scans_of(msgspec.json.decode(planned)[0]["Plan"]))


def _as_sql(value: Any) -> str:
    written = f"{{{','.join(map(str, value))}}}" if isinstance(value, list) else str(value).replace("'", "''")
    return f"'{written}'"


@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
@pytest.mark.parametrize(
    ("query", "matching"),
    [("contact_id=500", 1), ("source_id=900000", 2), ("zipcode=80055", 100), ("claimed_by_user_id=null", 0)],
)
async def test_a_selective_filter_reads_the_leads_that_match(
    house: asyncpg.Connection, caller: int, query: str, matching: int
) -> None:
    found = await listed(house, caller, "/leads", query)

    assert None not in indexes(found, "leads")
    assert read(found, "leads") <= matching + 2 * min(matching, PAGE) + FEW, "the total; the page's keys and records"


@pytest.mark.parametrize("is_counted", [True, False], ids=["with the total", "a page"])
@pytest.mark.parametrize("caller", [OWNER, AGENT, CLAIMER], ids=["the owner", "an agent who shares", "the claimer"])
@pytest.mark.parametrize(
    ("path", "query"), [("/leads", "$search=mia560"), ("/leads", "$search=560"), ("/contacts", "$search=mia560")]
)
async def test_a_search_reads_what_has_the_word(
    house: asyncpg.Connection, path: str, query: str, caller: int, is_counted: bool
) -> None:
    """Once, and nothing of all that the owner has: with each word in the index comes its owner."""
    found = await listed(house, caller, path, query, is_counted=is_counted)

    assert None not in indexes(found, "leads") | indexes(found, "contacts")
    assert read(found, "leads") + read(found, "contacts") <= 10 * PAGE
    assert 0 < sum(each.entries for each in found if each.table in ("leads", "contacts")) <= 10 * PAGE


@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
@pytest.mark.parametrize("direction", [1, -1], ids=["first", "last"])
@pytest.mark.parametrize("name", ["id", "created_at", "modified_at", "contact_id"])
async def test_an_order_reads_the_page_from_the_edge_of_an_index(
    house: asyncpg.Connection, caller: int, name: str, direction: int
) -> None:
    found = await listed(house, caller, "/leads", f"$sort[{name}]={direction}")

    assert None not in indexes(found, "leads")
    assert read(found, "leads") <= 2 * PAGE + 2 * FEW, "the total is known without the leads"


@pytest.mark.parametrize("caller", [OWNER, AGENT, CLAIMER], ids=["the owner", "an agent who shares", "the claimer"])
async def test_the_total_without_conditions_is_that_of_all_leads(house: asyncpg.Connection, caller: int) -> None:
    leads = BY_PATH["/leads"]
    found = await house.fetchrow(owners_sql(leads), caller)
    owners, ids = OtherOwners.of(found["sharers"], found["others"])
    totals = []
    for conditions in ((), ("t.id > 0",)):
        sql = list_sql(leads, conditions, default_order(leads), (), 2, owners=owners)
        totals.append((await house.fetchrow(str(sql), caller, 1, 0, *ids))["total"])

    assert totals[0] == totals[1] > 0


@pytest.fixture(params=[0, 2, 5], ids=["of one owner", "of three owners", "of six owners"])
async def shown(house: asyncpg.Connection, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Of the claimer's leads, some are shown by an offer only, some by the contact, and some belong to others."""
    transaction = house.transaction()
    await transaction.start()
    await house.execute("SET LOCAL session_replication_role = replica")
    await house.execute(f"UPDATE leads SET claimed_by_user_id = {AGENT} WHERE id % 40 = 0")
    await house.execute(f"UPDATE contacts SET assigned_user_id = {AGENT} WHERE id % 60 = 0")
    await house.execute("UPDATE offers SET state = 'withdrawn' WHERE user_id = $1 AND lead_id % 80 = 0", CLAIMER)
    await house.execute("UPDATE leads SET zipcode = NULL WHERE id % 100 = 0")
    if request.param:
        for table, lead in (("leads", "id"), ("contacts", "id"), ("offers", "lead_id"), ("claims", "lead_id")):
            await house.execute(f"UPDATE {table} SET owner_id = 2 + {lead} % {request.param} WHERE {lead} % 7 = 0")
    await house.execute("ANALYZE leads, contacts, offers, claims")
    yield
    await transaction.rollback()


ASKED = {
    "/leads": (
        "",
        "$limit=0",
        "$sort[id]=-1&$skip=3",
        "$sort[created_at]=-1",
        "$sort[city]=1&$sort[zipcode]=-1",
        "$sort[claimed_at]=-1&$skip=5",
        "$sort[id]=1&$skip=100000",
        "contact_id=560",
        "contact_id[$in][]=560&contact_id[$in][]=1120",
        "source_id=900000",
        "zipcode=80021&$sort[id]=-1",
        "zipcode=null&$sort[id]=-1",
        "zipcode=null&$sort[created_at]=1",
        "type=Buyer&$sort[street_address]=-1",
        "claimed_by_user_id=3&$sort[modified_at]=-1",
        "id[$gt]=5000&id[$lt]=9000&$sort[id]=1",
        "created_at[$gte]=2020-01-01T00:00:00Z",
        "street_address[$lt]=15&$sort[id]=-1",
        "$or[0][type]=Buyer&$or[1][zipcode]=80021&$sort[zipcode]=1",
        "lead_state=claimed&type=Seller",
        "city=Nowhere",
        "$search=Lund 560",
    ),
    "/contacts": (
        "",
        "$limit=0",
        "$sort[id]=-1&$skip=3",
        "$sort[created_at]=-1",
        "email=mia560@example.org",
        "source_id=1&$sort[id]=-1",
        "$search=Lund 560",
    ),
}


@pytest.mark.parametrize("path", ASKED)
async def test_a_list_is_the_same_however_it_is_found(house: asyncpg.Connection, shown: None, path: str) -> None:
    """With the total or without it, and as the rule of who sees a record says of each by itself."""
    resource = BY_PATH[path]
    for caller, query in product((OWNER, AGENT, CLAIMER, AGENT + 1), ASKED[path]):
        asked = list_query(resource, query)
        found = await house.fetchrow(owners_sql(resource), caller)
        owners, ids = OtherOwners.of(found["sharers"], found["others"])
        values = [caller, *asked.values, asked.limit, asked.skip]
        first_of_page = asked.first + len(asked.values)
        build = partial(list_sql, resource, asked.conditions, asked.order, (), first_of_page, searched=asked.searched)
        counted = await house.fetchrow(str(build(owners=owners)), *values, *ids)
        page = await house.fetchrow(str(build(owners=owners, is_counted=False)), *values, *ids)
        one_by_one = await house.fetchrow(str(build(resource.visible)), *values)

        assert counted["total"] == one_by_one["total"], (caller, query)
        assert counted["records"] == page["records"] == one_by_one["records"], (caller, query)


@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/contacts", "$sort[id]=-1"),
        ("/contacts", "$sort[id]=1&id[$gt]=5000"),
        ("/contacts", "$sort[id]=-1&id[$lt]=15000"),
        ("/leads", "$sort[id]=-1"),
        ("/leads", "$sort[id]=-1&type=Buyer"),
        ("/leads", "$sort[id]=-1&source_id=3&id[$lt]=15000"),
        ("/leads", "$sort[id]=-1&lead_state=claimed"),
    ],
)
async def test_a_list_on_a_page_reads_what_it_shows(
    house: asyncpg.Connection, caller: int, path: str, query: str
) -> None:
    """However many others match: the pages say of none how many there are."""
    found = await listed(house, caller, path, query, is_counted=False)
    table = path.strip("/")

    assert None not in indexes(found, table)
    assert read(found, table) <= 10 * PAGE, "of a type is a third, of a source a fifteenth, but they lie close"


@pytest.mark.parametrize("name", ["source_id", "type", "zipcode", "claimed_by_user_id"])
async def test_an_order_with_many_equals_is_that_of_an_index(house: asyncpg.Connection, name: str) -> None:
    found = await listed(house, OWNER, "/leads", f"$sort[{name}]=1")

    assert read(found, "leads") <= 2 * PAGE + 2 * FEW


@pytest.mark.parametrize("name", ["created_at", "modified_at"])
async def test_a_range_of_time_reads_the_leads_in_it_twice(house: asyncpg.Connection, name: str) -> None:
    since, count = await house.fetchrow(
        f"SELECT min({name}), count(*) FROM (SELECT {name} FROM leads ORDER BY {name} DESC LIMIT 500) l"
    )
    found = await listed(house, OWNER, "/leads", f"{name}[$gte]={since:%Y-%m-%dT%H:%M:%S}Z")

    assert read(found, "leads") <= 2 * (count + 1) + PAGE + FEW


async def test_who_has_claimed_a_tenth_reads_those(house: asyncpg.Connection) -> None:
    found = await listed(house, CLAIMER, "/leads", "$sort[id]=-1")

    assert read(found, "leads") <= 2 * CLAIMED + 10 * PAGE + 50 * FEW, "as claimer and through the contacts; the page"
    assert read(found, "offers") <= CLAIMED + 2 * PAGE + FEW
    assert sum(each.loops for each in found if each.index == "leads_by_contact") <= 1 + PAGE, "contacts are one array"


@pytest.fixture
async def away(house: asyncpg.Connection) -> AsyncIterator[int]:
    """How many leads are left to the claimer, to whom nothing has come for half of the time; it is rolled back."""
    transaction = house.transaction()
    await transaction.start()
    since = LEADS // 2
    await house.execute(
        f"UPDATE leads SET claimed_by_user_id = {AGENT} WHERE claimed_by_user_id = $1 AND id > {since}", CLAIMER
    )
    await house.execute(
        f"UPDATE contacts SET assigned_user_id = {AGENT} WHERE assigned_user_id = $1 AND id > {since}", CLAIMER
    )
    await house.execute(f"UPDATE offers SET notified_at = NULL WHERE user_id = $1 AND lead_id > {since}", CLAIMER)
    await house.execute("ANALYZE leads, contacts, offers")
    yield CLAIMED // 2
    await transaction.rollback()


@pytest.mark.parametrize("is_counted", [True, False], ids=["with the total", "a page"])
@pytest.mark.parametrize("direction", [1, -1], ids=["the first", "the last"])
async def test_who_has_been_away_reads_nothing_of_what_others_got(
    house: asyncpg.Connection, away: int, direction: int, is_counted: bool
) -> None:
    found = await listed(house, CLAIMER, "/leads", f"$sort[id]={direction}", is_counted=is_counted)

    assert read(found, "leads") <= 2 * away + 4 * PAGE + FEW, "as claimer and through the contacts; the page"
    assert read(found, "contacts") <= CLAIMED + FEW, "of those that were, too: none of them is vacuumed away yet"


@pytest.mark.parametrize("name", ["created_at", "modified_at", "zipcode"])
async def test_who_has_been_away_walks_by_what_others_got_in_one_index(
    house: asyncpg.Connection, away: int, name: str
) -> None:
    """Nothing else is asked of the leads that are passed by."""
    found = await listed(house, CLAIMER, "/leads", f"$sort[{name}]=-1")

    assert read(found, "leads") <= 2 * away + LEADS // 2 + 14 * PAGE + FEW
    assert read(found, "contacts") <= CLAIMED + FEW
    assert read(found, "offers") <= CLAIMED + FEW


@pytest.mark.parametrize("query", ["type=Buyer&$sort[id]=-1", "source_id=3", "claimed_by_user_id=null", "city=Denver"])
async def test_who_has_claimed_a_tenth_filters_what_is_seen_at_once(house: asyncpg.Connection, query: str) -> None:
    """What the claimer sees is read once, and so are the leads that may match; nothing is asked of each of them."""
    found = await listed(house, CLAIMER, "/leads", query)

    assert read(found, "leads") <= 2 * CLAIMED + LEADS + 3 * MANY + 2 * PAGE + FEW
    assert read(found, "contacts") <= CLAIMED + 2 * PAGE + FEW
    assert read(found, "offers") <= CLAIMED + 2 * PAGE + FEW


@pytest.mark.parametrize("direction", [1, -1], ids=["the first", "the last"])
@pytest.mark.parametrize("name", ["claimed_by_user_id", "source_id", "type", "zipcode"])
async def test_leads_of_which_a_field_is_null_are_the_beginning_of_an_index(
    house: asyncpg.Connection, name: str, direction: int
) -> None:
    """Also where they are the last of all by their ids."""
    transaction = house.transaction()
    await transaction.start()
    await house.execute(f"UPDATE leads SET {name} = NULL WHERE id > {LEADS - 500}")
    await house.execute("ANALYZE leads")
    found = await listed(house, OWNER, "/leads", f"{name}=null&$sort[id]={direction}", is_counted=False)
    await transaction.rollback()

    assert read(found, "leads") <= 2 * PAGE + 2 * FEW


@pytest.mark.parametrize("query", ["email=mia777@example.org", "mobile_phone=%2B17200000777"])
@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
async def test_a_contact_is_found_by_an_address(house: asyncpg.Connection, caller: int, query: str) -> None:
    found = await listed(house, caller, "/contacts", query)

    assert None not in indexes(found, "contacts")
    assert read(found, "contacts") <= 3 + FEW


async def test_offers_to_an_agent_are_read_once_for_the_total(house: asyncpg.Connection) -> None:
    shown = await house.fetchval("SELECT count(*) FROM offers WHERE user_id = $1", CLAIMER)
    found = await listed(house, CLAIMER, "/lead-offers", "$sort[id]=-1")

    assert indexes(found, "offers") == {"offers_shown"}
    assert read(found, "offers") <= shown + PAGE + FEW


@pytest.mark.parametrize("caller", [OWNER, AGENT, CLAIMER], ids=["the owner", "an agent who shares", "the claimer"])
async def test_a_lead_by_its_id_asks_only_about_itself(house: asyncpg.Connection, caller: int) -> None:
    found = await explained(house, record_sql(BY_PATH["/leads"], (), ()), caller, LEADS // 2)

    for table in ("leads", "claims", "offers", "contacts"):
        assert read(found, table) <= 2, table


@pytest.fixture
async def drips(house: asyncpg.Connection) -> AsyncIterator[int]:
    """A campaign that runs for every contact of the owner; it is rolled back."""
    transaction = house.transaction()
    await transaction.start()
    campaign_id = await house.fetchval("SELECT min(id) FROM campaigns WHERE owner_id = $1", OWNER)
    await house.execute(
        "INSERT INTO campaign_contacts (owner_id, campaign_id, contact_id, created_at)"
        f" SELECT owner_id, {campaign_id}, id, now() FROM contacts WHERE owner_id = {OWNER}"
        " ON CONFLICT (owner_id, campaign_id, contact_id) WHERE ended_at IS NULL DO NOTHING"
    )
    await house.execute("ANALYZE campaign_contacts")
    yield campaign_id
    await transaction.rollback()


@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
async def test_the_page_of_a_campaign_reads_the_contacts_that_it_shows(
    house: asyncpg.Connection, drips: int, caller: int
) -> None:
    bound = statement("list_campaign_contacts").bind(user_id=caller, campaign_id=drips, before=2**62, most=PAGE)
    found = await explained(house, *bound)

    assigned = await house.fetchval("SELECT count(*) FROM contacts WHERE assigned_user_id = $1", caller)

    assert None not in indexes(found, "campaign_contacts")
    assert read(found, "campaign_contacts") <= PAGE + FEW
    assert read(found, "contacts") <= PAGE + FEW + assigned, "those that others have assigned to the caller"


@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
async def test_the_list_of_campaigns_counts_no_more_than_it_says(
    house: asyncpg.Connection, drips: int, caller: int
) -> None:
    bound = statement("describe_campaigns").bind(user_id=caller, campaign_ids=[drips], most=100)
    found = await explained(house, *bound)

    assert read(found, "campaign_contacts") <= 100 + FEW


# ------------------------------------------------------------------------------------------- what is planned only once

FIRST = 5  # executions for which PostgreSQL makes a plan each


async def plans_made(house: asyncpg.Connection, sql: str, *values: Any) -> int:
    """How many plans two executions more than the first ones take."""
    prepared = await house.prepare(str(sql))
    for _ in range(FIRST + 2):
        await prepared.fetch(*values)
    made: int = await house.fetchval(
        "SELECT custom_plans FROM pg_prepared_statements WHERE name = $1", prepared.get_name()
    )
    return made


@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
@pytest.mark.parametrize(
    "path", [each.path for each in RESOURCES if "L" in each.methods and not each.listed], ids=lambda path: path[1:]
)
async def test_a_list_without_conditions_is_planned_once(house: asyncpg.Connection, path: str, caller: int) -> None:
    resource = BY_PATH[path]
    sql = list_sql(resource, (), default_order(resource), (), first_free(resource), with_version=bool(resource.version))
    values = [caller, *([1] if resource.parent else []), 10, 0, *([0] if resource.version else [])]

    assert await plans_made(house, sql, *values) == FIRST


@pytest.mark.parametrize("caller", [OWNER, AGENT], ids=["the owner", "an agent who shares"])
@pytest.mark.parametrize("path", [each.path for each in RESOURCES], ids=lambda path: path[1:])
async def test_a_record_by_its_id_is_planned_once(house: asyncpg.Connection, path: str, caller: int) -> None:
    resource = BY_PATH[path]
    sql = record_sql(resource, (), ())

    assert await plans_made(house, sql, caller, *([1] if resource.parent else []), 1) == FIRST


@pytest.mark.parametrize(
    "query",
    [
        "distribution_target=Team Rollout",
        "distribution_target[$in][]=Team Rollout&distribution_target[$in][]=Myself",
        "filter[$ne]=Seller&priority[$lt]=9&is_active=true",
        "lead_source_id=1000",
    ],
)
async def test_a_page_that_is_soon_full_is_planned_once(house: asyncpg.Connection, query: str) -> None:
    asked = list_query(BY_PATH["/lead-routes"], query)
    texts = [
        list_sql(
            asked.resource, asked.conditions, asked.order, (), asked.first + len(asked.values), with_version=True,
            is_soon_full=is_soon_full,
        )
        for is_soon_full in (False, True)
    ]  # fmt: skip
    values = [OWNER, *asked.values, asked.limit, asked.skip, None]

    assert await house.fetch(str(texts[0]), *values) == await house.fetch(str(texts[1]), *values)
    assert await plans_made(house, texts[1], *values) == FIRST

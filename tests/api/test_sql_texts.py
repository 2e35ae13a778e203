"""No text of a client is ever part of a statement: what a connection has prepared is looked at after every request."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from leadroutes import api
from leadroutes.api.resources import RESOURCES
from leadroutes.api.values import Text
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.support.api import ask
from tests.support.town import Town

MARK = "zqmark"
QUOTED = f'{MARK}\' OR 1=1 -- "{MARK}" $1 {MARK}'


@pytest.fixture
async def lone(database_url: str) -> AsyncIterator[Town]:
    """A town with one connection, whose prepared statements are all there are."""
    database = await Database.open(Settings(pool_size=1, statement_cache=100_000), url=database_url)
    await database.load_clock()
    engine = Engine(database)
    arrivals = Arrivals(engine)
    yield await Town.create(database, api.application(database, engine, arrivals, Settings()))
    await arrivals.close()
    await database.close()


async def marked(town: Town) -> list[str]:
    rows = await town.database.fetch("SELECT statement FROM pg_prepared_statements")
    assert rows
    return [row["statement"] for row in rows if MARK in row["statement"].lower()]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.path)
async def test_nothing_that_is_asked_becomes_sql(lone: Town, resource) -> None:
    await lone.contact("alice")
    path = resource.path.replace(":id", "1")
    texts = [quote(each) for each in (MARK, QUOTED)]
    queries = [
        f"{name}{operator}={text}"
        for name in [*resource.filters, QUOTED, "$search"]
        for operator in ("", "[$ne]", "[$in][]", "[$like]", "[$gt]", f"[{MARK}]")
        for text in texts
    ]
    queries += [f"$sort[{quote(QUOTED)}]=1", f"$select[]={texts[1]}", f"$limit={texts[1]}", f"$skip={texts[1]}"]
    queries += [f"$sort[{name}]={texts[1]}" for name in resource.filters]
    for query in queries:
        reply = await ask(lone, "alice", "GET", f"{path}?{query.replace(' ', '%20')}")
        assert reply.status < 500, query
    for target in (f"{path}/{texts[0]}", f"{path}/{texts[1]}", f"/{texts[1]}"):
        assert (await ask(lone, "alice", "GET", target)).status < 500
    assert await marked(lone) == []


@pytest.mark.parametrize("resource", [each for each in RESOURCES if "C" in each.methods], ids=lambda each: each.path)
async def test_nothing_that_is_stored_becomes_sql(lone: Town, resource) -> None:
    path = resource.path.replace(":id", str(await lone.contact("alice")))
    texts = {each.name: QUOTED for each in resource.writeable if isinstance(each.kind, Text)}
    everything = {each.name: QUOTED for each in resource.writeable}
    for body in (texts, everything, {QUOTED: QUOTED}, *({name: QUOTED} for name in everything)):
        assert (await ask(lone, "alice", "POST", path, json=body)).status < 500
    assert await marked(lone) == []


async def test_nothing_that_comes_in_becomes_sql(lone: Town) -> None:
    await lone.route("alice")
    async with lone.database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, lone.users["alice"], "Website", None, None)
    names = (
        "first_name",
        "last_name",
        "message",
        "city",
        "zipcode",
        "street_address",
        "source",
        "lead_type",
        "id",
        QUOTED,
    )
    body = dict.fromkeys(names, QUOTED) | {"email": f"{MARK}@example.com"}
    headers = {"Idempotency-Key": MARK, "User-Agent": QUOTED, "Authorization": f"Bearer {MARK}"}
    for each in (key, MARK, quote(QUOTED)):
        assert (await ask(lone, None, "POST", f"/intake/{each}", json=body, headers=headers)).status < 500
    assert await lone.database.fetchval("SELECT count(*) FROM leads") == 1
    assert await marked(lone) == []


async def test_a_statement_with_a_text_of_a_client_would_be_found(lone: Town) -> None:
    await lone.database.fetch(f"SELECT '{json.dumps(MARK)}'")
    assert len(await marked(lone)) == 1

"""No request costs more than its share: conditions, bytes of a page, how many of a kind, connections for lists."""

import asyncio

import pytest

from leadroutes.api.query import MAX_COMPUTED, list_query
from leadroutes.api.resources import BY_PATH, RESOURCES
from leadroutes.api.statements import LARGEST_PAGE_BYTES, list_sql
from leadroutes.errors import Invalid, TooManyRequests, Unavailable
from leadroutes.store.lists import MAX_WAITING, ListQueries, QueryTurns
from tests.support.api import ask
from tests.support.town import Town

MEGABYTE = 1_000_000
COMPUTED = [(each.path, name) for each in RESOURCES for name, about in each.filters.items() if about.is_computed]
MASKED = ("street_address", "address_1")

# -------------------------------------------------------------------------------------------------- conditions


def text_of(path: str, query: str) -> str:
    asked = list_query(BY_PATH[path], query)
    return list_sql(BY_PATH[path], asked.conditions, asked.order, asked.keys, asked.first + len(asked.values))


def conditions(name: str, count: int) -> str:
    values = (str(number).replace("0", "a") if not name.startswith("is_") else "true" for number in range(count))
    return "&".join(f"$or[{number}][{name}][$nin][]={value}" for number, value in enumerate(values))


def test_masked_fields_are_computed() -> None:
    assert {name for path, name in COMPUTED if path == "/leads"} == {*MASKED, "junk_note"}


@pytest.mark.parametrize(("path", "name"), COMPUTED)
def test_each_further_condition_on_a_computed_field_selects_nothing_more(path: str, name: str) -> None:
    one, many = (text_of(path, conditions(name, count)) for count in (1, MAX_COMPUTED))

    assert many.count("SELECT") == one.count("SELECT")


@pytest.mark.parametrize("name", MASKED)
async def test_hundreds_of_masked_conditions_are_refused_in_a_sentence(shared: Town, name: str) -> None:
    for path in ("/leads", "/leads/1"):
        reply = await ask(shared, "dave", "GET", f"{path}?{conditions(name, 300)}")
        assert (reply.status, reply.json["name"]) == (400, "BadRequest")
        assert f"{name}: 300 conditions were given; expected at most {MAX_COMPUTED}" in reply.json["message"]
    several = "&".join(f"$and[{number}][{name}][{op}]=a" for number in range(30) for op in ("$lt", "$gt"))
    assert (await ask(shared, "dave", "GET", f"/leads?{several}")).status == 400
    assert (await ask(shared, "dave", "PATCH", f"/leads/1?{several}", json={})).status == 400


async def test_fewer_masked_conditions_mean_what_they_say(town: Town) -> None:
    contact = await town.contact("alice")
    streets = [await town.lead("alice", contact, street_address=f"{number} Elm St") for number in range(4)]
    few = "&".join(f"$or[{number}][street_address]={number} Elm St" for number in range(2))
    many = "&".join(f"$and[{number}][address_1][$ne]={number} Elm St" for number in range(3, MAX_COMPUTED))

    for query, expected in ((few, streets[:2]), (many, streets[:3]), ("$sort[address_1]=-1", streets[::-1])):
        page = (await ask(town, "alice", "GET", f"/leads?{query}&$select=id")).json
        assert [each["id"] for each in page["data"]] == expected
        assert (await ask(town, "dave", "GET", f"/leads?{query}")).json["total"] == 0
    one = f"/leads/{streets[3]}"
    assert (await ask(town, "alice", "GET", f"{one}?street_address=3 Elm St")).status == 200
    assert (await ask(town, "alice", "GET", f"{one}?street_address=4 Elm St")).status == 404
    assert (await ask(town, "alice", "PATCH", f"{one}?street_address[$ne]=4 Elm St", json={"city": "X"})).status == 200


async def test_whoever_was_only_notified_learns_no_street_by_asking_for_it(town: Town) -> None:
    lead = await town.lead("alice", await town.contact("alice"), street_address="12 Elm St")
    await town.insert(
        "offers", owner_id=town.users["alice"], lead_id=lead, user_id=town.users["bob"], place=0, notify_at=town.now,
        notified_at=town.now, assign_automatically=False, has_call_alert=False, has_text_alert=False,
        has_email_alert=True, state="notified",
    )  # fmt: skip
    assert (await ask(town, "bob", "GET", "/leads")).json["total"] == 1
    for query in ("street_address=12 Elm St", "address_1[$in][]=12 Elm St", "street_address[$gt]=1"):
        assert (await ask(town, "bob", "GET", f"/leads?{query}")).json["total"] == 0
    assert (await ask(town, "bob", "GET", "/leads?street_address=null")).json["total"] == 1


async def test_a_thousand_values_of_a_list_are_one_condition(shared: Town) -> None:
    values = "&".join(f"id[$in][]={number}" for number in range(999))
    streets = "&".join(f"street_address[$in][]={number}" for number in range(999))

    for query in (values, streets):
        assert (await ask(shared, "dave", "GET", f"/leads?{query}")).status == 200


# ------------------------------------------------------------------------------------------------------- bytes


async def test_a_page_of_too_many_bytes_says_how_to_ask_for_less(town: Town) -> None:
    folder = await town.insert("template_folders", owner_id=town.users["alice"], name="Large")
    for _ in range(18):
        await town.template("alice", template_folder_id=folder, body="a" * MEGABYTE)

    reply = await ask(town, "alice", "GET", "/templates?$limit=1000")
    assert (reply.status, reply.json["name"]) == (400, "BadRequest")
    assert "$limit" in reply.json["message"]
    assert "$select" in reply.json["message"]
    for query in ("$limit=10", "$limit=10&$skip=10", "$limit=1000&$select=subject", ""):
        assert (await ask(town, "alice", "GET", f"/templates?{query}")).status == 200
    assert len((await ask(town, "alice", "GET", "/templates?$limit=1000&$select=subject")).json["data"]) == 18


async def test_a_page_that_no_database_could_put_together_is_the_same(town: Town) -> None:
    """600 times a million quotation marks are more than a gibibyte as JSON."""
    folder = await town.insert("template_folders", owner_id=town.users["alice"], name="Large")
    await town.database.execute(
        "INSERT INTO templates (owner_id, template_folder_id, template_type, subject, body, created_at, modified_at)"
        " SELECT $1, $2, 'Email', 's', repeat('\"', 1000000), now(), now() FROM generate_series(1, 600)",
        town.users["alice"], folder,
    )  # fmt: skip
    assert (await ask(town, "alice", "GET", "/templates?$limit=1000")).status == 400
    assert (await ask(town, "alice", "GET", "/templates?$limit=5")).status == 200


async def test_a_history_of_too_many_bytes_is_read_page_by_page(town: Town) -> None:
    lead = await town.lead("alice", await town.contact("alice"))
    await town.database.execute(
        "INSERT INTO lead_events (owner_id, lead_id, at, kind, detail)"
        " SELECT $1, $2, $3, 'touched', jsonb_build_object('message', repeat('m', 100000))"
        " FROM generate_series(1, 200)",
        town.users["alice"], lead, town.now,
    )  # fmt: skip
    whole = await ask(town, "alice", "GET", f"/leads/{lead}/history")
    assert (whole.status, "$limit" in whole.json["message"]) == (400, True)

    first, rest = [
        (await ask(town, "alice", "GET", f"/leads/{lead}/history?{page}")).json
        for page in ("$limit=101", "$limit=200&$skip=101")
    ]
    assert (first[0]["kind"], len(first), len(rest)) == ("arrived", 101, 100)
    assert (await ask(town, "alice", "GET", f"/leads/{lead}/history?$limit=x")).status == 400


def test_a_page_of_the_usual_size_holds_the_largest_records_that_bodies_can_bring() -> None:
    assert max(10 * each.body_limit for each in RESOURCES) < LARGEST_PAGE_BYTES


# ---------------------------------------------------------------------------------------------------- how many


async def test_a_record_has_a_limited_number_of_what_is_shown_in_it(town: Town) -> None:
    contact = await town.contact("alice")
    fields, addresses = BY_PATH["/custom-fields"], BY_PATH["/contacts/:id/addresses"]
    await town.database.execute(
        "INSERT INTO custom_fields (owner_id, data_type, name) SELECT $1, 'Text', 'f' FROM generate_series(2, $2::int)",
        town.users["alice"], fields.most,
    )  # fmt: skip
    await town.database.execute(
        "INSERT INTO contact_addresses (owner_id, contact_id, created_at, modified_at)"
        " SELECT $1, $2, now(), now() FROM generate_series(2, $3::int)", town.users["alice"], contact, addresses.most,
    )  # fmt: skip
    for path, body, what in (
        ("/custom-fields", {"data_type": "Text", "name": "last"}, f"account has {fields.most} custom fields"),
        (f"/contacts/{contact}/addresses", {"city": "Last"}, f"contact has {addresses.most} addresses"),
    ):
        replies = await asyncio.gather(*(ask(town, "alice", "POST", path, json=body) for _ in range(4)))
        assert sorted(reply.status for reply in replies) == [201, 400, 400, 400]
        refused = next(reply for reply in replies if reply.status == 400)
        assert what in refused.json["message"]
    other = await town.contact("alice")
    assert (await ask(town, "alice", "POST", f"/contacts/{other}/addresses", json={})).status == 201
    assert (await ask(town, "bob", "POST", "/custom-fields", json={"data_type": "Text", "name": "f"})).status == 201


def test_whatever_is_nested_as_a_list_has_a_limit() -> None:
    """In `custom_fields`, `addresses` of a contact; everything else that is nested is one object."""
    lists = {
        (each.path, about.name)
        for each in RESOURCES
        for about in each.fields
        if about.answer_key and "SELECT" in about.answered
        if (about.schema or about.kind.schema()).get("type") == "array"
    }
    assert lists == {("/contacts", "custom_fields"), ("/contacts", "addresses")}
    assert all(BY_PATH[path].most for path in ("/custom-fields", "/contacts/:id/addresses"))


# ------------------------------------------------------------------------------------------------- connections


async def test_turns_are_shared_between_those_who_wait() -> None:
    turns, begun, may_end = QueryTurns(2, 1), [], asyncio.Semaphore(0)

    async def use(key: str) -> None:
        async with turns.take(key):
            begun.append(key)
            await may_end.acquire()

    tasks = [asyncio.create_task(use(key)) for key in "aaaabbc"]
    await asyncio.sleep(0)
    assert begun == ["a", "b"]
    for _ in range(20):
        may_end.release()
        await asyncio.sleep(0.001)
    await asyncio.gather(*tasks)

    assert sorted(begun) == list("aaaabbc")
    assert begun[:5] == ["a", "b", "a", "b", "c"], "one waits for one turn of each other, not for all of theirs"


async def test_who_gives_up_waiting_gives_the_turn_to_the_next() -> None:
    turns, may_end, had = QueryTurns(1, 1), asyncio.Event(), []

    async def use(key: str) -> None:
        async with turns.take(key):
            had.append(key)
            await may_end.wait()

    first, second, third = [asyncio.create_task(use(key)) for key in "abc"]
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(first, third)

    assert had == ["a", "c"]
    async with turns.take("a"):
        pass


async def test_who_waits_too_long_or_too_often_is_refused() -> None:
    turns = QueryTurns(1, 1, patience=0.01)
    async with turns.take("a"):
        with pytest.raises(Unavailable, match="Too many lists"):
            async with turns.take("b"):
                pass
        patient = QueryTurns(1, 1)
        async with patient.take("a"):
            waiting = [asyncio.create_task(patient.take("a").__aenter__()) for _ in range(MAX_WAITING)]
            await asyncio.sleep(0)
            with pytest.raises(TooManyRequests):
                async with patient.take("a"):
                    pass
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


async def test_slow_lists_leave_connections_for_everything_else(town: Town) -> None:
    """As slow as can be: they wait for a lock that the test has."""
    database, slow = town.database, "SELECT pg_advisory_lock(42), pg_advisory_unlock(42)"
    lists = ListQueries(database, database.pool.get_max_size())
    holder = await database.hosts.connect()
    await holder.execute("SELECT pg_advisory_lock(42)")
    tasks = [asyncio.create_task(lists.fetchrow(caller, slow)) for caller in (1, 2, 3) for _ in range(12)]
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'"
    while await holder.fetchval(busy, slow) < database.pool.get_max_size() // 2:  # noqa: ASYNC110 -- in PostgreSQL
        await asyncio.sleep(0.01)

    assert (await ask(town, "dave", "GET", "/me")).status == 200
    assert (await ask(town, "alice", "POST", "/contacts", json={"first_name": "Eve"})).status == 201
    assert await holder.fetchval(busy, slow) == database.pool.get_max_size() // 2
    await holder.execute("SELECT pg_advisory_unlock(42)")
    await asyncio.gather(*tasks)
    await holder.close()


async def test_a_list_that_takes_too_long_says_what_to_narrow_and_ends_in_the_database(town: Town) -> None:
    sql = "SELECT pg_sleep(600)"
    with pytest.raises(Unavailable, match="narrow it") as slow:
        await town.database.fetch_within(0.05, "narrow it", sql)

    assert slow.value.retry_after > 0
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'"
    while await town.database.fetchval(running, sql):  # noqa: ASYNC110 -- in PostgreSQL
        await asyncio.sleep(0.01)


def test_queries_that_can_be_read_are_judged_before_they_are_asked() -> None:
    asked = list_query(BY_PATH["/leads"], conditions("address_1", MAX_COMPUTED + 1))
    with pytest.raises(Invalid):
        asked.require_affordable()

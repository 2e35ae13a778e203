"""Routes with conditions: by what of a lead and its contact they decide, what is stored, what erasure leaves."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from leadroutes.domain.arrival import NewLead
from leadroutes.domain.condition_fields import FIELDS, OPERATORS, is_personal
from leadroutes.domain.model import Facts
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.operations.erasure import erase_contact
from leadroutes.store import statement
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.erasure import erase_and_check


async def route_if(brokerage: Brokerage, conditions: Any, **columns: Any) -> int:
    """One more route of Alice's from Zillow, for leads that meet these conditions."""
    source_id = await brokerage.town.database.fetchval("SELECT min(id) FROM contact_sources")
    values = {"contact_source_id": source_id, "conditions": json.dumps(conditions) if conditions else None}
    return await brokerage.town.route("alice", **values | columns)


def field(name: str, operator: str, *value: Any) -> dict[str, Any]:
    return {"field": name, "is": operator} | ({"value": value[0]} if value else {})


async def route_of(database: Database, lead_id: int) -> int | None:
    route_id: int | None = await database.fetchval("SELECT route_id FROM leads WHERE id = $1", lead_id)
    return route_id


async def named(database: Database, lead_id: int) -> dict[str, Any]:
    facts = msgspec.json.decode(await database.fetchval("SELECT facts::text FROM leads WHERE id = $1", lead_id))
    return dict(facts.get("named", {}))


ASKED: dict[str, Any] = {
    "name": "Mia Lund", "email": "Mia@Example.com", "phone": "(303) 555-0142", "price": "$450,000", "zip": "80205-1234",
    "city": "Denver", "state": "Colorado", "type": "buyer", "mls": "77", "address": "1 Elm Street",
    "message": "Does it have a pool?", "source": "Open house",
}  # fmt: skip
FACTS: list[tuple[str, Any, Any]] = [
    # the field, what is stored of it, a value that is equal
    ("price", 450_000, "450000"),
    ("zipcode", "80205", "80205"),
    ("city", "Denver", "denver"),
    ("state", "CO", "colorado"),
    ("type", "Buyer", "BUYER"),
    ("mls_id", "77", "77"),
    ("street_address", "1 Elm Street", "1 elm street "),
    ("message", "Does it have a pool?", "does it have a POOL?"),
    ("source_named", "Open house", "open house"),
    ("email", "mia@example.com", "MIA@example.com"),
    ("email_domain", "example.com", "example.com"),
    ("phone", "+13035550142", "303 555 0142"),
    ("area_code", "303", "303"),
    ("phone_country", "US", "us"),
    ("contact_is_new", True, True),
]


@pytest.mark.parametrize(("name", "stored", "equal"), FACTS, ids=[row[0] for row in FACTS])
async def test_a_lead_takes_the_route_whose_conditions_it_meets(
    brokerage: Brokerage, database: Database, name: str, stored: Any, equal: Any
) -> None:
    selective = await route_if(brokerage, field(name, "equal", equal))
    [lead_id] = (await brokerage.ask(**ASKED)).stored.lead_ids
    assert await route_of(database, lead_id) == selective
    assert await named(database, lead_id) == {name: stored}


async def test_without_conditions_nothing_more_is_stored_of_a_lead(brokerage: Brokerage, database: Database) -> None:
    await route_if(brokerage, field("city", "known"), lead_source_id=2)
    await route_if(brokerage, field("city", "known"), is_active=False)
    [lead_id] = (await brokerage.ask(**ASKED)).stored.lead_ids
    facts = msgspec.json.decode(await database.fetchval("SELECT facts::text FROM leads WHERE id = $1", lead_id))
    assert set(facts) == {"lead_source_id", "contact_source_id", "type", "zipcode"}


async def test_what_a_lead_does_not_have_is_missing(brokerage: Brokerage, database: Database) -> None:
    given = ("email", "email_domain", "source_named")  # a body that names no source has Other
    known = [field(name, "known") for name, about in FIELDS.items() if "known" in OPERATORS[about.kind]]
    known = [each for each in known if each["field"] not in given]
    await route_if(brokerage, {"any": known})
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    assert await named(database, lead_id) == {}
    assert await route_of(database, lead_id) != await database.fetchval("SELECT max(id) FROM lead_routes")


async def test_conditions_and_a_filter_go_before_neither_and_among_them_the_lowest_id(
    brokerage: Brokerage, database: Database
) -> None:
    with_filter = await route_if(brokerage, None, filter="Buyer")
    with_conditions = await route_if(brokerage, field("city", "known"))
    assert await route_of(database, (await brokerage.ask(**ASKED)).stored.lead_ids[0]) == with_filter
    await database.execute("UPDATE lead_routes SET filter = 'Seller' WHERE id = $1", with_filter)
    other = await brokerage.ask(**ASKED | {"email": "noa@example.com", "phone": "303-555-0143"})
    assert await route_of(database, other.stored.lead_ids[0]) == with_conditions


async def test_tags_and_fields_of_the_owners_are_those_of_the_contact(brokerage: Brokerage, database: Database) -> None:
    town, owner_id = brokerage.town, brokerage.owner_id
    contact_id = await town.contact("alice", email="mia@example.com", tags=" Buyer , VIP,,")
    await database.execute(
        "INSERT INTO contact_identities (owner_id, kind, value, contact_id) VALUES ($1, 'email', $2, $3)",
        owner_id,
        "mia@example.com",
        contact_id,
    )
    for rank, value in ((2, "two"), (1, "one"), (None, "never")):
        columns = {"rank": rank} if rank is not None else {}
        field_id = await town.insert("custom_fields", owner_id=owner_id, data_type="Text", name="Budget", **columns)
        await database.execute(
            "INSERT INTO custom_field_values VALUES ($1, $2, $3, $4)", owner_id, contact_id, field_id, value
        )
    selective = await route_if(
        brokerage, {"all": [field("contact_tags", "one of", ["vip"]), field("custom.BUDGET", "equal", "ONE")]}
    )
    [lead_id] = (await brokerage.ask(mls="1")).stored.lead_ids
    assert await route_of(database, lead_id) == selective
    assert await named(database, lead_id) == {"contact_tags": ["Buyer", "VIP"], "custom.budget": "one"}
    await database.execute("DELETE FROM custom_fields")
    [later] = (await brokerage.ask(mls="5")).stored.lead_ids
    assert await route_of(database, later) != selective
    assert await named(database, later) == {"contact_tags": ["Buyer", "VIP"]}


async def test_of_leads_of_one_contact_the_first_is_new_also_within_a_batch(
    brokerage: Brokerage, database: Database
) -> None:
    await route_if(brokerage, field("contact_is_new", "equal", True))
    arrivals = Arrivals(brokerage.engine)
    contact_id = await brokerage.town.contact("alice")
    posted = [
        NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id, source_id=1)
    ]
    await asyncio.gather(*(arrivals.post_lead(each) for each in posted * 5))
    await arrivals.post_lead(posted[0])
    await arrivals.close()
    rows = await database.fetch("SELECT facts #>> '{named,contact_is_new}' AS is_new FROM leads ORDER BY id")
    assert [row["is_new"] for row in rows] == ["true", *["false"] * 5]


async def test_test_leads_make_no_one_known(brokerage: Brokerage, database: Database) -> None:
    selective = await route_if(brokerage, field("contact_is_new", "equal", True))
    contact_id = await brokerage.town.contact("alice")
    await brokerage.town.lead("alice", contact_id, is_test=True)
    stored = await brokerage.arrivals.post_lead(
        NewLead(owner_id=brokerage.owner_id, contact_id=contact_id, creator_user_id=brokerage.owner_id, source_id=1)
    )
    assert await route_of(database, stored.lead_ids[0]) == selective


async def test_a_lead_that_was_held_is_decided_by_what_it_has(brokerage: Brokerage, database: Database) -> None:
    """The moment is that of its arrival, not of its routing; the address is the contact's."""
    hours = {"timezone": "UTC", "weekly_hours": {"monday": [["09:00", "17:00"]]}}
    selective = await route_if(
        brokerage,
        {
            "all": [
                field("received_at", "within", hours),
                field("contact_is_new", "equal", True),
                field("email_domain", "equal", "example.org"),
                field("area_code", "equal", "720"),
                field("price", "between", [400_000, 500_000]),
                field("listing_status", "begins with", "for"),
            ]
        },
    )
    town = brokerage.town
    contact_id = await town.contact("alice", secondary_email="Mia@Example.org", office_phone="720-555-0101")
    moment = msgspec.json.decode('"2026-11-23T16:59:59Z"', type=type(town.now))
    about = {"source_id": 1, "listing_price": "450k", "listing_status": "For Sale", "created_at": moment}
    lead_id = await town.lead("alice", contact_id, **about)
    later = await town.lead("alice", contact_id, **about)
    for each in (later, lead_id):
        await brokerage.engine.distribute(brokerage.owner_id, each)
    assert await route_of(database, lead_id) == selective
    assert (await named(database, lead_id))["received_at"] == "2026-11-23T16:59:59Z"
    assert await route_of(database, later) != selective


async def test_a_rule_set_that_the_version_before_has_stored_gets_its_conditions(
    brokerage: Brokerage, database: Database
) -> None:
    """The process of that version knows no conditions; those of this version decide by what it has stored."""
    selective = await route_if(brokerage, field("city", "known"))
    rows = await database.fetch(*statement("load_rules").bind(owner_ids=[brokerage.owner_id]))
    rules = json.loads(rows[0]["rules"])
    for each in rules["routes"]:
        del each["conditions"]
    stored = {"owner_ids": [brokerage.owner_id], "numbers": [rows[0]["number"]], "rules": [json.dumps(rules)]}
    await database.execute(*statement("store_rule_sets").bind(**stored, now=brokerage.town.now))
    [lead_id] = (await brokerage.ask()).stored.lead_ids
    assert await route_of(database, lead_id) != selective
    [lead_id] = (await brokerage.ask(**ASKED | {"email": "noa@example.com"})).stored.lead_ids
    assert await route_of(database, lead_id) == selective
    assert await database.fetchval("SELECT count(*) FROM rule_sets") == 1


# ---------------------------------------------------------------------------------------------------------------- why


async def test_the_explanation_names_the_first_comparison_that_failed(brokerage: Brokerage, database: Database) -> None:
    selective = await route_if(
        brokerage, {"all": [field("city", "known"), field("price", "between", [300_000, 400_000])]}
    )
    [lead_id] = (await brokerage.ask(**ASKED)).stored.lead_ids
    explained = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    assert explained["routes"][0] == {
        "id": selective, "result": "failed", "field": "price", "expected": "from 300,000 to 400,000", "actual": 450_000,
    }  # fmt: skip
    assert explained["routes"][1]["result"] == "matched"


async def test_erasure_leaves_the_decision_and_its_explanation_and_no_fact_of_the_person(
    brokerage: Brokerage, database: Database
) -> None:
    everything = {"all": [field(name, "equal", equal) for name, _, equal in FACTS]}
    first = await route_if(brokerage, field("city", "equal", "Paris"), priority=-1)
    taken = await route_if(brokerage, everything)
    after = await route_if(brokerage, field("price", "at least", 1))
    [lead_id] = (await brokerage.ask(**ASKED)).stored.lead_ids
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    before = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    contact_id = await database.fetchval("SELECT contact_id FROM leads WHERE id = $1", lead_id)
    await erase_and_check(brokerage, contact_id)
    facts = await named(database, lead_id)
    assert {name for name, value in facts.items() if value == "erased"} == {
        name for name, _, _ in FACTS if is_personal(name)
    }
    assert {name: facts[name] for name in ("type", "contact_is_new")} == {"type": "Buyer", "contact_is_new": True}
    explained = await brokerage.engine.explain(brokerage.owner_id, lead_id)
    results = {each["id"]: (each["result"], each["field"], each["actual"]) for each in explained["routes"]}
    assert results[first] == ("failed", "city", "erased")
    assert results[taken] == ("matched", None, None)
    assert results[after][0] == "passed over"
    assert (explained["team"], explained["outcome"]) == (before["team"], before["outcome"])
    once = await database.fetchval("SELECT facts::text FROM leads WHERE id = $1", lead_id)
    await erase_contact(database, brokerage.owner_id, contact_id)
    assert await database.fetchval("SELECT facts::text FROM leads WHERE id = $1", lead_id) == once
    assert msgspec.json.decode(once, type=Facts).is_erased

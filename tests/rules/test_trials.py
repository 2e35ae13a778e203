"""Trials on stored leads: with their own facts, in processes, writing nothing else; and the job that runs one."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from leadroutes.domain.conditions import Conditions
from leadroutes.domain.model import ListingAgent, RuleSet
from leadroutes.domain.trial import TrialFigures, TrialRun
from leadroutes.domain.trial_attendance import Availability
from leadroutes.errors import Conflict
from leadroutes.rules.trial_process import STORED, TrialHalf, encoded_rules
from leadroutes.rules.trials import Trial, TrialJobs, begin_trial, run_trial
from leadroutes.store.postgres import Database
from leadroutes.store.queue import RowKey
from leadroutes.store.routing import RuleSets
from leadroutes.store.trials import PastLeads, list_past_leads
from tests.support.past_leads import past_leads, random_rules
from tests.support.town import Town

ASKED = {"all": [{"field": "price", "is": "at least", "value": 400_000}, {"field": "contact_tags", "is": "known"}]}


@pytest.fixture
async def town(database: Database) -> Town:
    """Leads of a quarter, from Zillow and elsewhere, half of them imported; Bob and Carol take turns."""
    town = await Town.create(database)
    await database.execute("UPDATE teams SET order_method = 'Round Robin', mins_until_next_alert = 5")
    for rank, name in enumerate(("bob", "carol"), start=1):
        await town.option("alice", town.team_id, name, rank=rank)
    await town.route("alice")
    rich = await town.contact("alice", tags="VIP")
    poor = await town.contact("alice")
    users = [town.users[name] for name in ("alice", "bob", "carol", "dave")]
    for past in past_leads(1)[:120]:
        facts = past.facts
        is_imported = past.id % 2 == 0
        lead_id = await town.lead(
            "alice", rich if past.id % 3 else poor, source_id=facts.lead_source_id, type=facts.type,
            zipcode=facts.zipcode, listing_price=str(facts.named.get("price", "")), created_at=past.arrived_at,
            is_imported=is_imported, routed_at=None if is_imported else past.arrived_at,
        )  # fmt: skip
        if past.claim is not None:
            await database.execute(
                "INSERT INTO claims VALUES ($1, $2, $3, $4, 'None')",
                users[0], lead_id, users[past.claim.user_id % 4], past.claim.claimed_at,
            )  # fmt: skip
    return town


async def period(town: Town) -> PastLeads:
    first, last = await town.database.fetchrow("SELECT min(created_at), max(created_at) FROM leads")
    return PastLeads(town.users["alice"], first, last + timedelta(seconds=1))


async def rule_sets(town: Town) -> tuple[RuleSet, RuleSet]:
    """The present rules, and a draft that gives some leads to their owner."""
    async with town.database.transaction() as transaction:
        present = await RuleSets().load_one(transaction, town.users["alice"])
    [route] = present.rules.routes
    mine = replace(
        route, id=-1, team_id=None, distribution_target="Myself", team_selection_method=None,
        conditions=Conditions.read(ASKED), name="Dear ones",
    )  # fmt: skip
    drafted = RuleSet(present.number, replace(present.rules, routes=(*present.rules.routes, mine)))
    return present, drafted


async def test_a_trial_over_all_time_costs_no_more_than_its_leads(town: Town) -> None:
    """Hours are looked at around the days that have leads: else such a trial takes a processor for hours."""
    bob, hours = town.users["bob"], {"monday": [["09:00", "17:00"]]}
    await town.database.execute("UPDATE users SET timezone = 'Asia/Tokyo' WHERE id = $1", bob)
    hours_of_bob = "UPDATE availabilities SET weekly_hours = $2 WHERE id = $1"
    await town.database.execute(hours_of_bob, bob, json.dumps(hours))
    present, drafted = await rule_sets(town)
    usual = await period(town)
    always = PastLeads(usual.owner_id, usual.since.replace(year=1), usual.until.replace(year=9999))
    results = []
    for each in (usual, always):
        trial = await Trial.of(town.database, each, present, drafted)
        results.append(await run_trial(town.database, trial, lambda _done, _of: None))
    assert results[0] == results[1]


async def counted(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    tables = await database.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return {row["relname"]: await database.fetchval(f"SELECT count(*) FROM {row['relname']}") for row in tables}


async def test_a_trial_is_the_same_as_both_rule_sets_one_lead_at_a_time(town: Town) -> None:
    present, drafted = await rule_sets(town)
    whole = await period(town)
    before, shown = await counted(town.database), []

    trial = await Trial.of(town.database, whole, present, drafted)
    result = await run_trial(town.database, trial, lambda done, of: shown.append((done, of)))

    assert (trial.total, trial.held) == (120, 0)
    assert shown[0] == (0, 120)
    assert shown[-1] == (120, 120)
    assert await counted(town.database) == before
    sides = [await alone(town, whole, each) for each in (present, drafted)]
    assert result["totals"] == {"leads": 120, "held": 0} | {
        name: msgspec.to_builtins(figures.totals) for name, figures in zip(("before", "after"), sides, strict=True)
    }
    bob = next(each for each in result["members"] if each["user_id"] == town.users["bob"])
    assert bob["before"] == msgspec.to_builtins(sides[0].members[town.users["bob"]])
    assert [(each["route_id"], each["name"]) for each in result["routes"]] == [
        (None, "Dear ones"), (present.rules.routes[0].id, str(present.rules.routes[0].id)),
    ]  # fmt: skip
    assert 0 < result["routes"][0]["after"]["routed"] < 60
    assert result["moved"]["count"] == len(result["moved"]["leads"]) > 0
    assert result["moved"]["leads"][0]["why"]
    assert json.loads(msgspec.json.encode(result))["lost_claims"]["count"] > 0


async def alone(town: Town, whole: PastLeads, rule_set: RuleSet) -> TrialFigures:
    """One rule set in this process, over leads that are read one at a time."""
    half = TrialHalf(rule_set)
    async for part in list_past_leads(town.database, whole, ["price", "contact_tags"], most=1):
        list(half.decide(STORED.decode(part.leads)))
    return half.figures


async def test_leads_come_in_order_of_arrival_and_each_once(town: Town) -> None:
    found = []
    async for part in list_past_leads(town.database, await period(town), (), most=7):
        found += [(each.arrived_at, each.id) for each in STORED.decode(part.leads)]

    assert found == sorted(found)
    assert len(set(found)) == 120


async def test_facts_are_those_that_the_lead_was_decided_by(town: Town) -> None:
    lead_id = await town.database.fetchval("SELECT min(id) FROM leads WHERE NOT is_imported")
    facts = {"lead_source_id": 1, "contact_source_id": None, "type": None, "zipcode": None, "named": {"price": 7}}
    await town.database.execute("UPDATE leads SET facts = $1 WHERE id = $2", json.dumps(facts), lead_id)
    erased = await town.database.fetchval("SELECT max(id) FROM leads WHERE NOT is_imported")
    await town.database.execute(
        "UPDATE leads SET facts = $1 WHERE id = $2", json.dumps(facts | {"is_erased": True}), erased
    )
    keys = frozenset({"price", "contact_tags", "contact_is_new", "custom.size"})
    found: dict[int, Any] = {}
    async for part in list_past_leads(town.database, await period(town), keys):
        found |= {each.id: each.past_lead(keys).facts for each in STORED.decode(part.leads)}

    assert found[lead_id].named["price"] == 7
    assert found[erased].named.get("price") != 7
    assert [each.named["contact_is_new"] for each in found.values()].count(True) == 2
    assert {tuple(each.named.get("contact_tags", ())) for each in found.values()} == {(), ("VIP",)}


async def test_agents_of_listings_and_of_contacts_who_come_back_are_first(town: Town) -> None:
    database, carol = town.database, town.users["carol"]
    lead_id, listed_id = await database.fetchrow("SELECT min(id), max(id) FROM leads WHERE source_id = 1")
    await database.execute("DELETE FROM claims")
    await database.execute("UPDATE leads SET mls_id = ' mls 7' WHERE id = $1", listed_id)
    facts = {"lead_source_id": 1, "contact_source_id": None, "assigned_user_id": carol}
    await database.execute("UPDATE leads SET facts = $1 WHERE id = $2", json.dumps(facts), lead_id)
    present, _ = await rule_sets(town)
    [of_route] = present.rules.routes
    asked = replace(
        present.rules, routes=(replace(of_route, returning_contact="Same Agent"),),
        listing_agents=(ListingAgent(id=1, mls_id="MLS7", user_id=carol),),
    )  # fmt: skip
    half, heads = TrialHalf(RuleSet(present.number, asked)), {}
    async for part in list_past_leads(database, await period(town), ()):
        leads = STORED.decode(part.leads)
        heads |= {stored.id: tried.first for stored, tried in zip(leads, half.decide(leads), strict=True)}

    assert (heads[lead_id], heads[listed_id]) == (carol, carol)


async def test_held_leads_and_test_leads_are_left_out(town: Town) -> None:
    await town.database.execute("UPDATE leads SET is_test = true WHERE id = (SELECT min(id) FROM leads)")
    await town.database.execute(
        "UPDATE leads SET routed_at = NULL WHERE id = (SELECT max(id) FROM leads WHERE NOT is_imported)"
    )
    trial = await Trial.of(town.database, await period(town), *await rule_sets(town))

    result = await run_trial(town.database, trial, lambda _done, _of: None)

    assert (result["totals"]["leads"], result["totals"]["held"]) == (118, 1)


async def test_a_claim_counts_also_where_the_lead_was_assigned_later(town: Town) -> None:
    database, alice, bob = town.database, town.users["alice"], town.users["bob"]
    lead_id, arrived_at = await database.fetchrow("SELECT id, created_at FROM leads WHERE source_id = 1 LIMIT 1")
    await database.execute("DELETE FROM claims WHERE lead_id = $1", lead_id)
    await database.execute("INSERT INTO claims VALUES ($1, $2, $1, now(), 'Assigned')", alice, lead_id)
    await database.execute(
        "INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id, detail) VALUES ($1, $2, $3, 'claimed', $4, $5)",
        alice, lead_id, arrived_at + timedelta(minutes=1), bob, '{"via": "None"}',
    )  # fmt: skip
    async for part in list_past_leads(database, await period(town), ()):
        [found] = [each for each in STORED.decode(part.leads) if each.id == lead_id]

    assert (found.claimed_by, found.claimed_at) == (bob, arrived_at + timedelta(minutes=1))


# ------------------------------------------------------------------------------------------------------------- jobs


async def begin(town: Town) -> int:
    trial = await Trial.of(town.database, await period(town), *await rule_sets(town))
    async with town.database.transaction() as transaction:
        return await begin_trial(transaction, trial, town.users["alice"])


async def test_a_trial_runs_as_a_job_and_once_at_a_time(town: Town) -> None:
    trial_id = await begin(town)
    with pytest.raises(Conflict):
        await begin(town)
    payload = msgspec.json.encode(RowKey(town.users["alice"], trial_id))

    await TrialJobs(town.database).run(payload, 1)
    await TrialJobs(town.database).run(payload, 2)  # changes nothing

    row = await town.database.fetchrow("SELECT * FROM rule_trials")
    assert (row["state"], row["done"], row["total"]) == ("finished", 120, 120)
    assert json.loads(row["result"])["moved"]["count"] > 0
    await begin(town)
    assert await town.database.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'trial'") == 2


async def test_leads_are_open_for_as_long_as_the_installation_says(town: Town) -> None:
    await town.database.execute("UPDATE team_member_distribution_options SET max_open_leads = 1")
    present, _ = await rule_sets(town)
    figures = {
        days: await alone(town, await period(town), RuleSet(7, present.rules, open_for=timedelta(days=days)))
        for days in (1, 30)
    }
    assert figures[1] != figures[30]
    payload = msgspec.json.encode(RowKey(town.users["alice"], await begin(town)))

    await TrialJobs(town.database, RuleSets(open_for=timedelta(days=1))).run(payload, 1)

    result = json.loads(await town.database.fetchval("SELECT result FROM rule_trials"))
    assert result["totals"]["before"] == msgspec.to_builtins(figures[1].totals)
    before = {each["user_id"]: each["before"] for each in result["members"]}
    assert {user_id: before[user_id] for user_id in figures[1].members} == msgspec.to_builtins(figures[1].members)


async def test_one_that_has_not_ended_within_an_hour_is_given_up(town: Town) -> None:
    trial_id = await begin(town)
    await town.database.execute("UPDATE rule_trials SET made_at = now() - interval '61 minutes'")

    await begin(town)

    assert await town.database.fetchval("SELECT state FROM rule_trials WHERE id = $1", trial_id) == "failed"


async def test_rules_are_the_same_in_the_other_process() -> None:
    for seed in range(5):
        rules = random_rules(seed)
        half = TrialHalf.of(encoded_rules(rules, Availability({})))
        leads = past_leads(seed)[:50]
        run = TrialRun(rules)
        assert [half._run.decide(each) for each in leads] == [run.decide(each) for each in leads]

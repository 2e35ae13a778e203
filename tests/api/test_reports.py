"""Reports: what each figure is, whose figures a caller sees, days and periods, and CSV that no spreadsheet computes."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest

from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.operations.reports import REPORTS
from leadroutes.store import accounts
from leadroutes.store.counters import fold_changes
from tests.support.api import Reply, ask
from tests.support.town import Town

JSON = {"content-type": "application/json"}
A_DAY = "expected a day such as 2026-01-31, of the years 1970 to 9000"
NOT_AFTER, NOT_LONGER = "expected a day that is not after to", "expected at most 3660 days up to to"
NAMES = [each.name for each in REPORTS]


@pytest.fixture(params=["folded", "not folded"])
async def busy(town: Town, request: pytest.FixtureRequest) -> Town:
    """Four leads from Zillow: Bob claims one after two minutes, Carol gets one assigned, two are unclaimed."""
    await town.database.execute("UPDATE teams SET order_method = 'Round Robin', mins_until_next_alert = 5")
    for name, weight in (("bob", 3), ("carol", 1)):
        await town.option("alice", town.team_id, name, rank=1, weight=weight)
    await town.route("alice")
    engine = Engine(town.database)
    arrivals = Arrivals(engine)
    async with town.database.transaction() as transaction:
        key = await accounts.issue_intake_key(transaction, town.users["alice"], "Zillow", "Zillow", None)
    bodies = [f'{{"name": "Lead {n}", "email": "lead{n}@example.com", "lead_type": "Buyer"}}' for n in range(4)]
    leads = [(await arrivals.ingest(key, each.encode(), JSON)).stored.lead_ids[0] for each in bodies]
    await arrivals.close()
    await town.database.move_clock(timedelta(seconds=120))
    bobs = await town.database.fetchval(
        "SELECT min(lead_id) FROM offers WHERE user_id = $1 AND state = 'notified'", town.users["bob"]
    )
    await engine.claim(town.users["alice"], bobs, town.users["bob"])
    other = next(each for each in leads if each != bobs)
    await engine.assign(town.users["alice"], other, town.users["carol"], town.users["alice"])
    for _ in range(3):
        await town.database.move_clock(timedelta(minutes=10))
        await engine.run_due()
    if request.param == "folded":
        await fold_changes(town.database)
    return town


async def report(town: Town, name: str, query: str = "", *, by: str = "alice", **headers: str) -> Reply:
    return await ask(town, by, "GET", f"/reports/{name}{'?' if query else ''}{query}", headers=headers)


async def rows(town: Town, name: str, query: str = "", *, by: str = "alice") -> list[dict[str, Any]]:
    reply = await report(town, name, query, by=by)
    assert reply.status == 200, reply.body
    data: list[dict[str, Any]] = reply.json["data"]
    return data


# ------------------------------------------------------------------------------------------------------ figures


async def test_the_time_to_claim_is_that_of_people_only(busy: Town) -> None:
    [total] = await rows(busy, "speed")

    assert total["claimed_by_people"] == 1
    assert total["median_seconds_to_claim"] == pytest.approx(120, rel=0.08)
    assert total["p90_seconds_to_claim"] == pytest.approx(120, rel=0.08)
    assert (total["contacted"], total["median_seconds_to_contact"]) == (0, None)


@pytest.mark.parametrize("by", ["total", "agent", "source", "route", "hour", "day"])
async def test_claims_are_the_same_whatever_they_are_counted_by(busy: Town, by: str) -> None:
    data = await rows(busy, "claims", f"by={by}")

    assert sum(row["claimed"] for row in data) == 2
    assert sum(row["claimed_by_people"] for row in data) == 1
    if by != "agent":
        assert sum(row["leads"] for row in data) == 4
    if by == "source":
        assert [(row["source_id"], row["source"], row["claim_rate"]) for row in data] == [(1, "Zillow", 0.25)]
    if by == "agent":
        assert {row["agent"]: row["claimed"] for row in data} == {"Alice Town": 0, "Bob Town": 1, "Carol Town": 1}
    if by == "day":
        assert len(data) == 30


async def test_turns_and_leads_of_members_stand_beside_their_shares(busy: Town) -> None:
    data = {row["agent"]: row for row in await rows(busy, "fairness")}

    assert {name: row["share"] for name, row in data.items()} == {"Bob Town": 0.75, "Carol Town": 0.25}
    assert sum(row["turns"] for row in data.values()) == 4
    assert data["Bob Town"]["turns_share"] == 0.75
    assert {row["team"] for row in data.values()} == {"North Side"}
    assert data["Bob Town"]["leads"] == 1


async def test_sources_campaigns_and_load(busy: Town) -> None:
    [source] = await rows(busy, "sources")
    assert (source["leads"], source["claimed"], source["claimed_by_people"], source["contacted"]) == (4, 2, 1, 0)
    [campaign] = await rows(busy, "campaigns")
    assert (campaign["campaign"], campaign["enrolled"], campaign["opted_out"]) == ("Follow-up 1", 4, 0)
    load = await rows(busy, "load")
    assert len(load) == 168
    assert sum(row["leads"] for row in load) == 4
    assert {(row["weekday"], row["hour"]) for row in load} == {(d, h) for d in range(1, 8) for h in range(24)}


async def test_a_period_is_compared_with_the_one_of_equal_length_before(busy: Town) -> None:
    today = busy.now.date()
    first = today + timedelta(days=1)
    reply = await report(busy, "claims", f"from={first}&to={first + timedelta(days=2)}&compared=true")

    answer = reply.json
    assert answer["compared"] == {"from": f"{today - timedelta(days=2)}", "to": f"{today}"}
    [total] = answer["data"]
    assert (total["leads"], total["before"]["leads"]) == (0, 4)


@pytest.mark.parametrize("first", ["2025-12-31", "2026-01-01", "2026-01-15"])
@pytest.mark.parametrize("last", ["2026-01-20", "2026-01-31", "2026-02-01", "2026-03-31", "2026-12-31"])
async def test_months_and_days_make_up_every_period(town: Town, first: str, last: str) -> None:
    contact_id = await town.contact("alice")
    await town.database.execute(
        "INSERT INTO leads (owner_id, contact_id, source_id, created_at, modified_at, touched_at)"
        " SELECT $1, $2, 1, d, d, d"
        " FROM generate_series('2025-12-01 12:00Z'::timestamptz, '2026-12-31 12:00Z', '1 day') d",
        town.users["alice"],
        contact_id,
    )
    await fold_changes(town.database)

    [total] = await rows(town, "claims", f"from={first}&to={last}")

    assert total["leads"] == (date.fromisoformat(last) - date.fromisoformat(first)).days + 1


# ------------------------------------------------------------------------------------------------------- rights


@pytest.mark.parametrize("name", NAMES)
async def test_an_agent_sees_the_agents_own_figures_only(busy: Town, name: str) -> None:
    alice = busy.users["alice"]
    reply = await report(busy, name, f"owner_id={alice}", by="bob")

    if name in ("speed", "claims", "fairness"):
        assert {row["agent_id"] for row in reply.json["data"]} == {busy.users["bob"]}
    else:
        assert (reply.status, reply.json["message"]) == (403, "Only the owner of an account sees this report")
    if name in ("speed", "claims"):
        assert (await report(busy, name, f"owner_id={alice}&by=source", by="bob")).status == 403


@pytest.mark.parametrize("name", NAMES)
async def test_to_a_stranger_and_an_administrator_the_account_does_not_exist(busy: Town, name: str) -> None:
    alice = busy.users["alice"]
    assert (await report(busy, name, f"owner_id={alice}", by="dave")).status == 404
    await busy.database.execute("UPDATE users SET is_admin = true WHERE username = 'dave'")
    assert (await report(busy, name, f"owner_id={alice}", by="dave")).status == 404
    await busy.database.execute("UPDATE team_members SET request_status = 'Pending' WHERE user_id <> owner_id")
    assert (await report(busy, name, f"owner_id={alice}", by="bob")).status == 404
    assert (await report(busy, name, "owner_id=999999", by="alice")).status == 404
    assert (await ask(busy, None, "GET", f"/reports/{name}")).status == 401


@pytest.mark.parametrize("name", NAMES)
async def test_an_account_of_ones_own_is_empty_and_not_the_owners(busy: Town, name: str) -> None:
    data = await rows(busy, name, by="bob")
    assert all(row.get("leads", 0) == row.get("claimed", 0) == 0 for row in data)


# ---------------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=2026-02-30", f"from: '2026-02-30' was given; {A_DAY}"),
        ("to=yesterday", f"to: 'yesterday' was given; {A_DAY}"),
        ("from=2026-02-02&to=2026-02-01", f"from: 2026-02-02 was given; {NOT_AFTER}, 2026-02-01"),
        ("from=1990-01-01&to=2026-02-01", f"from: 1990-01-01 was given; {NOT_LONGER}, 2026-02-01"),
        ("from[]=2026-02-02", f"from: a list was given; {A_DAY}"),
        ("by=planet", "by: 'planet' was given; expected one of total, agent, source, route, hour, day"),
        ("compared=perhaps", "compared: 'perhaps' was given; expected one of false, true"),
        ("format=xml", "format: 'xml' was given; expected one of json, csv"),
        ("owner_id=me", "owner_id: 'me' was given; expected an id, a whole number"),
    ],
)
async def test_what_is_wrong_is_named_with_what_is_expected(town: Town, query: str, message: str) -> None:
    reply = await report(town, "speed", query)

    assert reply.status == 400
    assert list(reply.json["errors"].values()) == [message]


@pytest.mark.parametrize("query", ["from=1970-01-01&to=1970-01-01&compared=true", "to=9000-12-31&compared=true"])
@pytest.mark.parametrize("name", NAMES)
async def test_the_first_and_the_last_day_can_be_asked_for(town: Town, name: str, query: str) -> None:
    assert (await report(town, name, query)).status == 200


# ----------------------------------------------------------------------------------------------------------- csv


@pytest.mark.parametrize("name", NAMES)
async def test_csv_has_the_keys_of_json_as_columns(busy: Town, name: str) -> None:
    in_json = await rows(busy, name, "compared=true")
    reply = await report(busy, name, "compared=true", accept="text/csv")

    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    found = list(csv.reader(io.StringIO(reply.body.decode())))
    assert found[0] == [
        *(key for key in in_json[0] if key != "before"), *(f"before_{key}" for key in in_json[0]["before"])
    ]  # fmt: skip
    assert len(found) == 1 + len(in_json)
    assert (await report(busy, name, "format=json", accept="text/csv, application/json")).json["report"] == name


async def test_no_cell_of_csv_is_a_formula(busy: Town) -> None:
    await busy.database.execute("UPDATE users SET first_name = '=HYPERLINK(\"http://x\")' WHERE username = 'bob'")
    reply = await report(busy, "claims", "by=agent&format=csv")

    cells = [cell for row in csv.reader(io.StringIO(reply.body.decode())) for cell in row]
    assert '\'=HYPERLINK("http://x") Town' in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


async def test_json_is_refused_to_a_client_that_wants_neither(town: Town) -> None:
    assert (await report(town, "speed", accept="image/png")).status == 406

"""The conditions of a route on its page: rows without a script, what is wrong in them, and what rows cannot show."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from leadroutes import api
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.web.pages.condition_rows import ConditionRow, Rows, as_json, by_row, stored_rows
from tests.support.api import ask
from tests.support.page_forms import words_of
from tests.support.web_app import WebApp

PRICE = {"field": "price", "is": "between", "value": [300_000, 500_000]}
STATE = {"field": "state", "is": "one of", "value": ["CO", "WY"]}
HOURS = {
    "field": "received_at", "is": "within",
    "value": {"timezone": "America/Denver", "weekly_hours": {"monday": [["09:00", "17:00"]]}},
}  # fmt: skip
NESTED = {"all": [PRICE, {"any": [STATE, {"field": "city", "is": "known"}]}]}


@pytest.fixture
async def alice(web_app: WebApp) -> httpx.AsyncClient:
    """Alice in a browser; the API itself answers for the town."""
    engine = web_app.engine
    web_app.town.application = api.application(
        engine.database, engine, Arrivals(engine, web_app.settings), web_app.settings
    )
    return await web_app.sign_in("alice")


async def route_of(web_app: WebApp) -> dict[str, Any]:
    """The last route of Alice's, as the API answers it."""
    reply = await ask(web_app.town, "alice", "GET", "/lead-routes?$sort[id]=-1")
    record: dict[str, Any] = reply.json["data"][0]
    return record


async def with_conditions(web_app: WebApp, conditions: Any) -> str:
    """Gives Alice's route these conditions; returns the path of its page."""
    route = await route_of(web_app)
    reply = await ask(web_app.town, "alice", "PATCH", f"/lead-routes/{route['id']}", json={"conditions": conditions})
    assert reply.status == 200, reply.body
    return f"/app/routes/{route['id']}"


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the editor as it is shown, but for its form token."""
    text = re.search(r'<form [^>]*class="card".*?</form>', page, re.DOTALL)[0]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", text):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (("checkbox" not in tag and "radio" not in tag) or " checked" in tag) and name[1] != "once":
            found[name[1]] = unescape(value[1]) if value else ""
    for name, inside in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', text, re.DOTALL):
        options = re.findall(r'<option value="([^"]*)"( selected)?', inside)
        found[name] = unescape(next((value for value, chosen in options if chosen), options[0][0]))
    return found


def rows_of(page: str) -> list[tuple[str, str, str]]:
    fields = fields_of(page)
    numbers = sorted({int(name.split("-")[1]) for name in fields if re.match(r"condition-\d+-", name)})
    return [tuple(fields[f"condition-{each}-{part}"] for part in ("field", "is", "value")) for each in numbers]


def said(page: str) -> str:
    return words_of(re.search(r'id="said"[^>]*>(.*?)</div>', page, re.DOTALL)[1])


async def test_rows_are_added_and_removed_and_nothing_that_was_typed_is_lost(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    route = await route_of(web_app)
    path = f"/app/routes/{route['id']}"
    sent = fields_of((await alice.get(path)).text) | {"filter": "Buyer"}
    assert not any(name.startswith("condition-0") for name in sent)
    for _ in range(3):
        page = (await alice.post(path, params={"press": "add"}, data=sent | {"do": "rows"})).text
        sent = fields_of(page)
        assert (sent["filter"], sent["do"]) == ("Buyer", "save")
    sent |= {
        "condition-group": "any",
        "condition-0-field": "price", "condition-0-is": "between", "condition-0-value": "$300,000 - 500,000",
        "condition-1-field": "city", "condition-1-is": "equal", "condition-1-value": "Denver",
        "condition-2-field": "state", "condition-2-is": "one of", "condition-2-value": "CO, WY",
    }  # fmt: skip
    page = (await alice.post(path, params={"press": "drop-1"}, data=sent | {"do": "rows"})).text
    assert rows_of(page) == [("price", "between", "$300,000 - 500,000"), ("state", "one of", "CO, WY")]
    sentence = "price from 300,000 to 500,000 or state is CO or WY"
    assert f"Only if {sentence}." in said(page)
    assert "Not saved yet." in page
    assert await route_of(web_app) == route, "nothing is saved by a look"
    assert (await alice.post(path, data=fields_of(page))).status_code == 303
    stored = await route_of(web_app)
    assert (stored["conditions"], stored["conditions_text"]) == ({"any": [PRICE, STATE]}, sentence)
    page = (await alice.get(path)).text
    assert rows_of(page) == [("price", "between", "300,000 to 500,000"), ("state", "one of", "CO, WY")]
    assert f"Only if {sentence}." in said(page)
    assert f"Only if {sentence}." in words_of((await alice.get("/app/routes")).text)


async def test_a_new_route_is_made_with_conditions(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    older = await route_of(web_app)
    page = (
        await alice.post("/app/routes/new", params={"press": "add"}, data={"do": "rows", "conditions": "rows"})
    ).text
    sent = fields_of(page) | {
        "lead_source_id": "2", "goal": "owner", "campaign_id": str(older["campaign"]["id"]),
        "campaign_start": "Arrival", "condition-0-field": "received_at", "condition-0-is": "within",
        "condition-0-value": "Monday 9:00-17:00 (America/Denver)",
    }  # fmt: skip
    part = (await alice.get("/app/routes/new", params=sent | {"part": "said"})).text
    assert "Only if received Monday 09:00–17:00 (America/Denver)." in part
    assert (await alice.post("/app/routes/new", data=sent)).status_code == 303
    assert (await route_of(web_app))["conditions"] == HOURS


async def test_what_is_wrong_is_said_at_the_row(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    path = await with_conditions(web_app, {"all": [PRICE, STATE]})
    sent = fields_of((await alice.get(path)).text) | {
        "condition-0-field": "", "condition-0-value": "", "condition-1-field": "price", "condition-1-is": "at least",
        "condition-1-value": "much", "condition-2-field": "city", "condition-2-is": "known", "condition-2-value": "x",
    }  # fmt: skip
    refused = await alice.post(path, data=sent)
    assert refused.status_code == 422
    words = words_of(refused.text)
    assert "Condition 2: 'much' was given; expected a number" in words
    assert "Condition 3: 'x' was given; 'known' takes no value" in words
    assert 'href="#save-condition-1-value"' in refused.text
    assert rows_of(refused.text)[1:] == [("price", "at least", "much"), ("city", "known", "x")]
    assert "Only if conditions that are not complete yet." in said(refused.text)
    assert (await route_of(web_app))["conditions"] == {"all": [PRICE, STATE]}


async def test_conditions_that_rows_cannot_show_are_a_sentence_and_stay(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    path = await with_conditions(web_app, NESTED)
    page = (await alice.get(path)).text
    sentence = (await route_of(web_app))["conditions_text"]
    assert f"Only if {sentence}." in words_of(page)
    assert "condition-0-field" not in page
    sent = fields_of(page) | {"filter": "Buyer"}
    assert f"Only if {sentence}." in (await alice.get(path, params=sent | {"part": "said"})).text
    assert (await alice.post(path, data=sent)).status_code == 303
    assert ((await route_of(web_app))["conditions"], (await route_of(web_app))["filter"]) == (NESTED, "Buyer")
    sent = fields_of((await alice.get(path)).text) | {"conditions-removed": "yes"}
    assert (await alice.post(path, data=sent)).status_code == 303
    assert (await route_of(web_app))["conditions"] is None


async def test_saving_without_a_change_leaves_conditions_as_they_were_written(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    path = await with_conditions(web_app, {"any": [STATE]})
    assert (await alice.post(path, data=fields_of((await alice.get(path)).text))).status_code == 303
    assert (await route_of(web_app))["conditions"] == {"any": [STATE]}


@pytest.mark.parametrize(("stored", "chosen"), [("all", "any"), ("any", "all")])
async def test_whether_all_conditions_have_to_hold_or_one_is_changed_alone(
    web_app: WebApp, alice: httpx.AsyncClient, stored: str, chosen: str
) -> None:
    path = await with_conditions(web_app, {stored: [PRICE, STATE]})
    sent = fields_of((await alice.get(path)).text)
    assert (await alice.post(path, data=sent | {"condition-group": chosen})).status_code == 303
    assert (await route_of(web_app))["conditions"] == {chosen: [PRICE, STATE]}


async def test_own_fields_can_be_chosen_and_one_that_is_gone_is_still_shown(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    field = await ask(
        web_app.town, "alice", "POST", "/custom-fields", json={"name": "Shoe <size>", "data_type": "Text"}
    )
    path = await with_conditions(web_app, {"field": "custom.Shoe <size>", "is": "equal", "value": "9"})
    await ask(web_app.town, "alice", "DELETE", f"/custom-fields/{field.json['id']}")
    page = (await alice.get(path)).text
    assert rows_of(page) == [("custom.Shoe <size>", "equal", "9")]
    assert "Shoe &lt;size&gt;</option>" in page


async def test_the_page_of_a_lead_says_which_comparison_failed(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    await with_conditions(web_app, PRICE)
    lead_id = await web_app.ask(name="Noa", email="noa@example.com", price="250000")
    page = words_of((await alice.get(f"/app/leads/{lead_id}")).text)
    assert "price: 250,000; expected from 300,000 to 500,000" in page


TYPED = [
    (ConditionRow("price", "at most", "$1,250.50"), {"value": 1250.5}),
    (ConditionRow("price", "one of", "300,000, 400,000"), {"value": [300_000, 400_000]}),
    (ConditionRow("price", "one of", "1;2"), {"value": [1, 2]}),
    (ConditionRow("price", "between", "1 to 2"), {"value": [1, 2]}),
    (ConditionRow("price", "between", "-5 to -1"), {"value": [-5, -1]}),
    (ConditionRow("price", "between", "1"), {"value": [1]}),
    (ConditionRow("city", "one of", "Denver,Salt Lake City ,"), {"value": ["Denver", "Salt Lake City"]}),
    (ConditionRow("contact_is_new", "equal", "Yes"), {"value": True}),
    (ConditionRow("contact_is_new", "equal", "maybe"), {"value": "maybe"}),
    (ConditionRow("received_at", "within", "always"), {"value": "always"}),
    (ConditionRow("received_at", "within", "Monday 09:00–17:00"), {"value": HOURS["value"] | {"timezone": "UTC"}}),
    (ConditionRow("city", "known", ""), {}),
    (ConditionRow("", "equal", "x"), {"value": "x"}),
]


@pytest.mark.parametrize(("row", "expected"), TYPED)
def test_what_is_typed_in_a_row(row: ConditionRow, expected: dict[str, Any]) -> None:
    assert as_json(Rows(rows=(row,)), "UTC") == {"field": row.field, "is": row.operator} | expected


SHOWN = [
    PRICE, STATE, HOURS, {"all": [PRICE, HOURS]}, {"any": [STATE, {"field": "email", "is": "unknown"}]},
    {"field": "contact_is_new", "is": "equal", "value": False}, {"field": "price", "is": "equal", "value": 2.5},
]  # fmt: skip
RETAINED = [
    NESTED, {"not": PRICE}, {"field": "city", "is": "one of", "value": ["Denver, CO"]},
    {"field": "city", "is": "equal", "value": " Denver"}, HOURS | {"value": HOURS["value"] | {"weekly_hours": None}},
    HOURS | {"value": HOURS["value"] | {"weekly_hours": {}}},
]  # fmt: skip


@pytest.mark.parametrize("conditions", SHOWN)
def test_what_rows_can_show_comes_back_as_it_was(conditions: dict[str, Any]) -> None:
    rows = stored_rows(conditions, "said")
    assert rows.retained is None
    assert as_json(rows, "UTC") == conditions


@pytest.mark.parametrize("conditions", RETAINED)
def test_what_they_cannot_show_is_kept(conditions: dict[str, Any]) -> None:
    assert stored_rows(conditions, "said") == Rows(retained="said")


def test_faults_are_sorted_to_the_rows_that_are_filled() -> None:
    rows = Rows(rows=(ConditionRow(), ConditionRow("city"), ConditionRow("price")))
    errors = {
        "conditions.all[1].value[3]": "conditions.all[1].value[3]: 'x' was given",
        "conditions.all[0].field": "conditions.all[0].field: wrong",
        "conditions": "conditions: at most 50 comparisons",
        "team_id": "Choose a team.",
    }
    assert by_row(errors, rows) == {
        "condition-2-value": "Condition 3: 'x' was given",
        "condition-1-field": "Condition 2: wrong",
        "conditions": "conditions: at most 50 comparisons",
        "team_id": "Choose a team.",
    }

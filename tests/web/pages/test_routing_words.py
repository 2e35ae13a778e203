"""Why a lead took a route or another one, as the owner reads it on the page of the lead."""

import json
from typing import Any

import pytest

from leadroutes.web.pages.routing_words import routes_of_source, why_route
from tests.support.page_forms import words_of
from tests.support.web_app import WebApp


def considered(field: str | None = None, expected: object = None, actual: object = None, result: str = "failed") -> Any:
    return {"id": 1, "result": result, "field": field, "expected": expected, "actual": actual}


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (considered(result="matched"), "taken"),
        (considered(result="passed over"), "fits, but a route before it was taken"),
        (considered("is_active", True, False), "switched off"),
        (considered("contact_source_id", 3, 12), "for contacts of another source"),
        (considered("filter", "Seller", "Buyer"), "for leads of the type Seller, and this one is Buyer"),
        (considered("filter", "Seller"), "for leads of the type Seller, and this one has no type"),
        (considered("price", "at least 300,000", 250000.0), "price: 250,000; expected at least 300,000"),
        (considered("mls_id", "DEN7"), "MLS id: not given; expected DEN7"),
        (considered("claimed", "true", False), "someone has the lead: false; expected true"),
        (considered("custom.Pool", "yes", "no"), "Pool: no; expected yes"),
    ],
)  # fmt: skip
def test_a_route_is_explained_in_words(route: Any, words: str) -> None:
    assert why_route(route) == words


def test_routes_of_other_sources_are_left_out() -> None:
    own, other = considered("filter", "Seller"), considered("lead_source_id", 3, 12)
    assert routes_of_source([other, own, other]) == [own]


async def test_the_page_of_a_lead_names_its_routes(web_app: WebApp) -> None:
    town = web_app.town
    campaign_id = await town.campaign("alice", "Nurture")
    source_id = await web_app.database.fetchval("SELECT contact_source_id FROM lead_routes")
    route_id = await town.route(
        "alice", campaign_id=campaign_id, contact_source_id=source_id, name="Expensive ones", priority=1,
        conditions=json.dumps({"field": "price", "is": "at least", "value": 900_000}),
        conditions_text="price is at least 900,000",
    )  # fmt: skip
    lead_id = await web_app.ask(email="tomas@example.com", price="450000")
    page = (await (await web_app.sign_in("alice")).get(f"/app/leads/{lead_id}")).text
    assert f'/app/routes/{route_id}">Expensive ones</a>: price: 450,000; expected at least 900,000' in page
    assert "$450,000" in words_of(page)

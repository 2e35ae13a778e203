"""The pages of lead routes: the list in order, the editor with its sentence, and who may do what."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.support.web_app import WebApp


@pytest.fixture
async def alice(web_app: WebApp) -> httpx.AsyncClient:
    return await web_app.sign_in("alice")


async def routes(web_app: WebApp) -> list[Mapping[str, Any]]:
    return list(await web_app.database.fetch("SELECT * FROM lead_routes ORDER BY priority, id"))


async def ids(web_app: WebApp) -> list[int]:
    return [row["id"] for row in await routes(web_app)]


async def form(web_app: WebApp, **fields: Any) -> dict[str, Any]:
    """What the editor sends for a route of Alice's."""
    town = web_app.town
    first = (await routes(web_app))[0]
    sent = {
        "do": "save", "lead_source_id": 2, "contact_source_id": "same", "filter": "", "goal": "team",
        "team_id": town.team_id, "campaign_id": first["campaign_id"], "campaign_start": "Arrival", "is_active": "yes",
    }  # fmt: skip
    return {name: value for name, value in (sent | fields).items() if value is not None}


def shown(page: str) -> str:
    """The sentences of the editor."""
    return " ".join(re.sub("<[^>]+>", " ", re.search(r'id="said"[^>]*>(.*?)</div>', page, re.DOTALL)[1]).split())


async def test_routes_are_sentences_in_the_order_in_which_they_are_tried(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    await web_app.town.route("alice", filter="Seller", distribution_target="Myself", team_id=None)
    await web_app.town.route("alice", lead_source_id=2, is_active=False)
    page = (await alice.get("/app/routes")).text
    first, second, third = (
        page.index(f">{said}<")
        for said in (
            "Leads of the type Seller from Zillow are yours at once.",  # one with a filter is tried before one without
            "Leads from Zillow are offered to the team North Side.",
            "Leads from Realtor.com are offered to the team North Side.",
        )
    )
    assert first < second < third
    assert page.count('class="heading"') == 2
    assert "so no lead takes it" in page
    only = (await alice.get("/app/routes?source=2")).text
    assert "from Zillow" not in only
    assert "from Realtor.com" in only


async def test_a_route_is_switched_off_and_that_is_undone(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    (route,) = await routes(web_app)
    answer = await alice.post("/app/routes", data={"do": "set", "press": f"off-{route['id']}"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/app/routes#route-{route['id']}")
    assert not (await routes(web_app))[0]["is_active"]
    page = (await alice.get("/app/routes")).text
    assert "The route is switched off." in page
    undo = re.search('name="undo" value="([^"]+)"', page)[1]
    await alice.post("/app/undo", data={"undo": undo, "back": "/app/routes"})
    assert (await routes(web_app))[0]["is_active"]


async def test_a_route_is_tried_earlier_and_later(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    first, second, third = await ids(web_app), await web_app.town.route("alice"), await web_app.town.route("alice")
    order = [*first, second, third]
    move = {"do": "set", "press": f"up-{third}", "source": "1"}
    answer = await alice.post("/app/routes", data=move)
    assert answer.headers["location"] == f"/app/routes?source=1#route-{third}"
    assert await ids(web_app) == [order[0], third, second]
    page = (await alice.get("/app/routes")).text
    await alice.post("/app/undo", data={"undo": re.search('name="undo" value="([^"]+)"', page)[1]})
    assert await ids(web_app) == order
    await alice.post("/app/routes", data=move | {"press": f"down-{order[0]}"})
    assert await ids(web_app) == [second, order[0], third]
    for press, status in ((f"left-{third}", 422), ("up-x", 422), ("", 422), ("up-999999", 404), ("on-999999", 404)):
        assert (await alice.post("/app/routes", data=move | {"press": press})).status_code == status


async def test_fifty_are_shown_and_the_list_goes_on(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    (first,) = await routes(web_app)
    for number in range(52):
        await web_app.town.route(
            "alice",
            campaign_id=first["campaign_id"],
            contact_source_id=first["contact_source_id"],
            filter=f"T{number:02}",
        )
    page = (await alice.get("/app/routes")).text
    assert page.count('id="route-') == 50
    address = re.search(r'hx-get="([^"]+)"[^>]*hx-trigger="revealed', page)[1].replace("&amp;", "&")
    rest = (await alice.get(address)).text
    assert rest.startswith("<li")
    assert rest.count('id="route-') == 3
    assert 'class="heading"' not in rest
    assert (await alice.get(address.replace("&part=routes", ""))).text.count('class="heading"') == 1


async def test_the_editor_says_what_the_route_does_while_it_is_filled_in(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    new = (await alice.get("/app/routes/new")).text
    assert shown(new).startswith("Leads from the source that you choose are offered to the team that you choose.")
    typed = await form(web_app, filter="Buyer")
    part = (await alice.get("/app/routes/new", params=typed | {"part": "said"})).text
    assert "<p>Leads of the type Buyer from Realtor.com are offered to the team North Side.</p>" in part
    assert "<p>Members are offered a lead in their order, 5 minutes apart.</p>" in part
    assert "<html" not in part
    (route,) = await routes(web_app)
    part = (await alice.get(f"/app/routes/{route['id']}", params=typed | {"part": "said", "goal": "owner"})).text
    assert "are yours at once" in part
    assert "Not saved yet." in part
    assert len(await routes(web_app)) == 1


async def test_a_route_is_made_after_the_others_of_its_source(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    sent = await form(web_app, lead_source_id=1, filter=" Buyer ", campaign_start="Claim")
    answer = await alice.post("/app/routes/new", data=sent)
    older, made = await routes(web_app)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/app/routes/{made['id']}")
    assert made["priority"] > older["priority"]
    assert (made["filter"], made["campaign_start"], made["is_active"]) == ("Buyer", "Claim", True)
    assert made["contact_source_id"] == older["contact_source_id"], "Zillow's contact source is there already"
    page = (await alice.get(answer.headers["location"])).text
    assert shown(page).startswith("Leads of the type Buyer from Zillow are offered to the team North Side.")


@pytest.mark.parametrize(
    ("goal", "stored"),
    [("owner", ("Myself", None)), ("zipcode", ("Team Rollout", "Zipcode")), ("none", ("Team Rollout", None))],
)
async def test_a_route_may_lead_to_no_team_by_name(
    web_app: WebApp, alice: httpx.AsyncClient, goal: str, stored: tuple[str, str | None]
) -> None:
    await alice.post("/app/routes/new", data=await form(web_app, goal=goal, is_active=None))
    made = (await routes(web_app))[-1]
    assert (made["distribution_target"], made["team_selection_method"]) == stored
    assert (made["team_id"], made["is_active"]) == (None, False)


async def test_contact_source_and_campaign_are_made_as_needed(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    sent = await form(web_app, campaign_id="new")
    await alice.post("/app/routes/new", data=sent)
    await alice.post("/app/routes/new", data=sent | {"goal": "owner"})
    campaigns = "SELECT array_agg(name ORDER BY id) FROM campaigns"
    assert (await web_app.database.fetchval(campaigns))[1:] == ["Realtor.com follow-up"]
    sources = "SELECT array_agg(name ORDER BY id) FROM contact_sources"
    assert await web_app.database.fetchval(sources) == ["Zillow", "Realtor.com"]


async def test_what_is_wrong_is_named_and_nothing_is_lost(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    sent = await form(web_app, lead_source_id="", team_id="", campaign_id="", filter="x" * 46)
    answer = await alice.post("/app/routes/new", data=sent)
    assert answer.status_code == 422
    for words in (
        "4 things are not right",
        "Choose where the leads come from.",
        "Choose a team.",
        "Choose a campaign.",
    ):
        assert words in answer.text
    assert f'value="{"x" * 46}"' in answer.text
    assert shown(answer.text).startswith(f"Leads of the type {'x' * 46} from the source that you choose")
    assert len(await routes(web_app)) == 1
    campaigns = await web_app.database.fetchval("SELECT count(*) FROM campaigns")
    assert (await alice.post("/app/routes/new", data=await form(web_app, team_id=999_999))).status_code == 422
    assert (await alice.post("/app/routes/new", data=await form(web_app, lead_source_id=999_999))).status_code == 422
    assert (await alice.post("/app/routes/new", data=await form(web_app, campaign_id="x"))).status_code == 422
    assert await web_app.database.fetchval("SELECT count(*) FROM campaigns") == campaigns


async def test_a_route_is_changed_unless_someone_else_has_done_so(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    (route,) = await routes(web_app)
    path = f"/app/routes/{route['id']}"
    seen = re.search('name="seen" value="([^"]+)"', (await alice.get(path)).text)[1]
    sent = await form(web_app, lead_source_id=1, filter="Buyer", seen=seen)
    assert (await alice.post(path, data=sent)).status_code == 303
    assert (await routes(web_app))[0]["filter"] == "Buyer"
    stale = await alice.post(path, data=sent | {"filter": "Renter"})
    assert stale.status_code == 409
    assert "Leads of the type Buyer from Zillow are offered to the team North Side." in stale.text
    assert "yours: Leads of the type Renter from Zillow" in stale.text
    assert 'value="Renter"' in stale.text
    again = re.search('name="seen" value="([^"]+)"', stale.text)[1]
    assert (await alice.post(path, data=sent | {"filter": "Renter", "seen": again})).status_code == 303
    assert (await routes(web_app))[0]["filter"] == "Renter"


async def test_a_form_that_is_sent_twice_makes_one_route(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    once = re.search('name="once" value="([^"]+)"', (await alice.get("/app/routes/new")).text)[1]
    sent = await form(web_app, once=once)
    first, second = [await alice.post("/app/routes/new", data=sent) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert len(await routes(web_app)) == 2


async def test_a_route_is_deleted(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    route_id = await web_app.town.route("alice", lead_source_id=2)
    answer = await alice.post(f"/app/routes/{route_id}", data={"do": "remove"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/routes")
    assert route_id not in await ids(web_app)
    assert "for leads from Realtor.com is deleted" in (await alice.get("/app/routes")).text


async def test_another_owners_route_is_not_there(web_app: WebApp) -> None:
    (route,) = await routes(web_app)
    dave = await web_app.sign_in("dave")
    assert "No routes yet" in (await dave.get("/app/routes")).text
    path = f"/app/routes/{route['id']}"
    assert (await dave.get(path)).status_code == 404
    for data in (await form(web_app), {"do": "remove"}):
        assert (await dave.post(path, data=data)).status_code == 404
    for word in ("off", "up"):
        press = {"do": "set", "press": f"{word}-{route['id']}"}
        assert (await dave.post("/app/routes", data=press)).status_code == 404
    answer = await dave.post("/app/routes/new", data=await form(web_app))
    assert answer.status_code == 422, "Alice's team and campaign are none that Dave can choose"
    assert await ids(web_app) == [route["id"]]


async def test_an_agent_has_no_such_pages(web_app: WebApp) -> None:
    (route,) = await routes(web_app)
    bob = await web_app.sign_in("bob")
    for path in ("/app/routes", "/app/routes/new", f"/app/routes/{route['id']}"):
        assert (await bob.get(path)).status_code == 404
        assert (await bob.post(path, data={"do": "remove"})).status_code == 404
    assert "/app/routes" not in (await bob.get("/app")).text


async def test_an_order_that_has_changed_since_is_not_undone(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    (first,), second = await ids(web_app), await web_app.town.route("alice")
    await alice.post("/app/routes", data={"do": "set", "press": f"up-{second}"})
    undo = re.search('name="undo" value="([^"]+)"', (await alice.get("/app/routes")).text)[1]
    await alice.post("/app/routes", data={"do": "set", "press": f"down-{second}"})
    third = await web_app.town.route("alice", priority=9)
    assert (await alice.post("/app/undo", data={"undo": undo})).status_code == 409
    assert await ids(web_app) == [first, second, third]


async def test_leads_of_the_last_month_are_counted_by_route(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    other = await web_app.town.route("alice", lead_source_id=2)
    await web_app.pass_minutes(0)
    page = (await alice.get("/app/routes")).text
    assert "1 lead in the last 30 days" in page.split(f'id="route-{other}"')[0]
    assert "No lead in the last 30 days" in page.split(f'id="route-{other}"')[1]

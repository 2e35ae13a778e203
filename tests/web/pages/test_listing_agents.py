"""The agents of listings on their page, and what routes and teams say of who is offered a lead first."""

import re
from html import unescape

import httpx
import pytest

from tests.support.web_app import WebApp

PATH = "/app/routes/listing-agents"


@pytest.fixture
async def alice(web_app: WebApp) -> httpx.AsyncClient:
    return await web_app.sign_in("alice")


async def send(browser: httpx.AsyncClient, do: str, **fields: object) -> httpx.Response:
    """The first form of this name, as the page has it, with these fields."""
    page = (await browser.get(PATH)).text
    form = next(each for each in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'name="do" value="{do}"' in each)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return await browser.post(PATH, data=hidden | {name: str(value) for name, value in fields.items()})


async def stored(web_app: WebApp) -> list[tuple[str, str]]:
    rows = await web_app.database.fetch(
        "SELECT mls_id, username FROM listing_agents a JOIN users u ON u.id = a.user_id ORDER BY a.id"
    )
    return [(row["mls_id"], row["username"]) for row in rows]


async def test_a_listing_gets_an_agent_another_one_and_none(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    assert "No listing has an agent yet" in (await alice.get(PATH)).text
    bob, carol = web_app.town.users["bob"], web_app.town.users["carol"]
    assert (await send(alice, "add", mls_id=" DEN 77 ", user_id=bob)).status_code == 303
    page = (await alice.get(PATH)).text
    assert "Inquiries about DEN 77 are offered to this agent first." in page
    assert await stored(web_app) == [("DEN 77", "bob")]
    assert (await send(alice, "save", user_id=carol)).status_code == 303
    assert await stored(web_app) == [("DEN 77", "carol")]
    assert (await send(alice, "remove")).status_code == 303
    page = (await alice.get(PATH)).text
    assert "DEN 77 has no agent any more" in page
    found = re.search('name="undo" value="([^"]+)"', page)
    assert found is not None
    await alice.post("/app/undo", data={"undo": unescape(found[1])})
    assert await stored(web_app) == [("DEN 77", "carol")]


async def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    bob = web_app.town.users["bob"]
    await send(alice, "add", mls_id="DEN 77", user_id=bob)
    for fields, said in (
        ({"mls_id": "", "user_id": bob}, "Give the MLS number of the listing."),
        ({"mls_id": "DEN 78", "user_id": ""}, "Choose the agent."),
        ({"mls_id": "den77", "user_id": bob}, "The listing has an agent already. Change the agent in the list."),
        ({"mls_id": "9" * 46, "user_id": bob}, "mls_id"),
        ({"mls_id": "DEN 78", "user_id": web_app.town.users["dave"]}, "accepted member of a team"),
    ):
        refused = await send(alice, "add", **fields)
        assert refused.status_code == 422, fields
        assert said in unescape(refused.text)
        assert f'value="{fields["mls_id"]}"' in refused.text
    assert await stored(web_app) == [("DEN 77", "bob")]


async def test_fifty_are_shown_and_the_list_goes_on_with_who_has_left(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    await web_app.database.execute(
        "INSERT INTO listing_agents (owner_id, mls_id, mls_key, user_id)"
        " SELECT $1, 'L' || n, 'l' || n, $2 FROM generate_series(101, 160) n",
        web_app.brokerage.owner_id,
        web_app.town.users["dave"],
    )
    page = (await alice.get(PATH)).text
    assert page.count('id="listing-') == 50
    assert "not in a team" in page
    after = re.search(r"after=(\d+)", page)
    assert after is not None
    more = (await alice.get(f"{PATH}?after={after[1]}")).text
    assert more.count('id="listing-') == 10
    assert "L160" in more


async def bring(browser: httpx.AsyncClient, content: str) -> httpx.Response:
    """Sends the form of a list with this file."""
    page = (await browser.get(PATH)).text
    form = next(each for each in re.findall(r"<form.*?</form>", page, re.DOTALL) if 'name="do" value="import"' in each)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return await browser.post(PATH, data=hidden, files={"file": ("listings.csv", content.encode(), "text/csv")})


async def test_a_list_is_brought_in_as_one_change(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    carol = web_app.town.users["carol"]
    await send(alice, "add", mls_id="DEN 77", user_id=carol)
    await send(alice, "add", mls_id="OLD 9", user_id=carol)
    versions = "SELECT count(*) FROM rule_versions"
    before = await web_app.database.fetchval(versions)
    content = "MLS #;City;Agent E-mail\nden77;Denver;Bob@Example.com\nDEN 78;Denver;carol@example.com\n;;\n"
    assert (await bring(alice, content)).status_code == 303
    assert "2 listings of the file changed; 0 had this agent already." in (await alice.get(PATH)).text
    assert await stored(web_app) == [("DEN 77", "bob"), ("OLD 9", "carol"), ("DEN 78", "carol")]
    assert await web_app.database.fetchval(versions) == before + 1

    again = "agent,mls_id\ncarol@example.com,DEN 78\nbob@example.com,DEN 79\n"
    assert (await bring(alice, again)).status_code == 303
    assert "1 listing of the file changed; 1 had this agent already." in (await alice.get(PATH)).text
    assert (await stored(web_app))[3] == ("DEN 79", "bob")


async def test_of_a_list_with_a_wrong_line_nothing_is_stored(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    many = "".join(f"L{number},dave@example.com\n" for number in range(15))
    for content, *said in (
        ("", "Choose a file with rows in it"),
        ("mls_id,agent\n", "there is no row in it"),
        ("mls_id,price\nL1,4\n", "agent: no column has this heading; expected one of agent, "),
        (
            "mls_id,agent\nL1,bob@example.com\nL2,dave@example.com\nl 1,carol@example.com\n",
            "listings.csv: nothing was changed. Line 3: agent: 'dave@example.com' was given",
            "Line 4: mls_id: 'l 1' was given; expected a listing that is not on line 2 already",
        ),
        (f"mls_id,agent\n{many}", "Line 11: ", "and 5 more"),
    ):
        refused = await bring(alice, content)
        assert refused.status_code == 422, content
        for each in said:
            assert each in unescape(refused.text)
    assert await stored(web_app) == []


async def test_an_agent_has_no_such_page_and_another_owner_sees_nothing(web_app: WebApp) -> None:
    await web_app.town.insert(
        "listing_agents", owner_id=web_app.brokerage.owner_id, mls_id="D1", mls_key="d1",
        user_id=web_app.town.users["bob"],
    )  # fmt: skip
    assert (await (await web_app.sign_in("bob")).get(PATH)).status_code == 404
    dave = await web_app.sign_in("dave")
    page = (await dave.get(PATH)).text
    assert "D1" not in page
    assert "You have no team yet" in page


ROUTE = "/app/routes/new"


async def test_a_new_route_offers_whoever_comes_back_to_their_agent_first(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    page = (await alice.get(ROUTE)).text
    assert re.search(r'name="returning_contact" value="Same Agent"[^>]*checked', page)
    assert "Whoever comes back is offered to their agent first" in page
    form = {
        "do": "save", "lead_source_id": "2", "contact_source_id": "same", "goal": "team", "is_active": "yes",
        "team_id": str(web_app.town.team_id), "campaign_id": "new", "campaign_start": "Arrival",
    }  # fmt: skip
    kinds = "SELECT returning_contact FROM lead_routes ORDER BY id DESC LIMIT 1"
    for chosen in ("Same Agent", "Route Again"):
        made = await alice.post(ROUTE, data=form | {"returning_contact": chosen})
        assert made.status_code == 303
        assert await web_app.database.fetchval(kinds) == chosen
        shown = (await alice.get(made.headers["location"])).text
        assert re.search(f'name="returning_contact" value="{chosen}"[^>]*checked', shown)
        assert ("Whoever comes back is offered" in shown) is (chosen == "Same Agent")
    again = form | {"returning_contact": "Same Agent"}
    assert (await alice.post(made.headers["location"], data=again)).status_code == 303
    assert await web_app.database.fetchval(kinds) == "Same Agent"
    assert (await alice.post(made.headers["location"], data=form)).status_code == 303
    assert await web_app.database.fetchval(kinds) == "Same Agent", "a form without the choice leaves it as it is"


async def test_routes_that_were_there_stay_as_they_are(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    route_id = await web_app.database.fetchval("SELECT id FROM lead_routes")
    page = (await alice.get(f"/app/routes/{route_id}")).text
    assert re.search(r'name="returning_contact" value="Route Again"[^>]*checked', page)


@pytest.mark.parametrize(
    ("method", "said", "has_weight"),
    [
        ("Simultaneous", "All members are offered a lead at once.", False),
        ("Least Loaded", "The member with the fewest open leads is offered a lead first", True),
        ("Longest Idle", "The member who has waited longest is offered a lead first", True),
    ],
)
async def test_a_team_is_set_to_a_method(
    web_app: WebApp, alice: httpx.AsyncClient, method: str, said: str, has_weight: bool
) -> None:
    path = f"/app/teams/{web_app.town.team_id}"
    form = {"do": "save", "name": "North Side", "order_method": method, "mins_until_next_alert": "5",
            "offer_mode": "Cumulative"}  # fmt: skip
    assert (await alice.post(path, data=form)).status_code == 303
    assert await web_app.database.fetchval("SELECT order_method FROM teams") == method
    bob = web_app.town.users["bob"]
    page = (await alice.get(f"{path}?member={bob}")).text
    assert said in page
    assert ('name="weight"' in page) is has_weight
    assert ">Up<" in page
    if has_weight:
        weighed = {"do": "option", "on": str(bob), "has_email_alert": "yes", "weight": "0"}
        assert (await alice.post(path, data=weighed)).status_code == 303
        assert "never first while another is there" in " ".join((await alice.get(path)).text.split())

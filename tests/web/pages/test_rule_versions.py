"""The pages of versions: what was changed and by whom, and bringing a version back; the name of a route."""

import re

import httpx
import pytest

from leadroutes.web.pages.rule_versions import MOST_LISTED, MOST_SHOWN
from tests.support.web_app import WebApp


@pytest.fixture
async def alice(web_app: WebApp) -> httpx.AsyncClient:
    return await web_app.sign_in("alice")


async def number(web_app: WebApp) -> int:
    return int(await web_app.database.fetchval("SELECT max(number) FROM rule_versions"))


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def test_versions_say_what_who_and_when(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    route_id = await web_app.database.fetchval("SELECT id FROM lead_routes")
    await alice.post("/app/routes", data={"do": "set", "press": f"off-{route_id}"})
    page = (await alice.get("/app/rules/versions")).text

    assert f"Version {await number(web_app)} by Alice Town now" in words(page)
    assert f"Route {route_id}: active yes → no" in page
    assert "by the service" in words(page)


async def test_a_version_is_compared_and_brought_back(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    route_id = await web_app.database.fetchval("SELECT id FROM lead_routes")
    before = await number(web_app)
    await alice.post("/app/routes", data={"do": "set", "press": f"off-{route_id}"})
    await web_app.town.team("alice", name="Later")
    path = f"/app/rules/versions/{before}"
    page = (await alice.get(path)).text
    assert f"Route {route_id}: active no → yes" in page
    assert "removed (name “Later”)" in page
    answer = await alice.post(path, data={"do": "restore"})

    assert (answer.status_code, "The rules are those of version" in answer.text) == (200, True)
    assert "Nothing: the rules are the same now as they were then." in answer.text
    assert await web_app.database.fetchval("SELECT is_active FROM lead_routes")
    assert await web_app.database.fetchval("SELECT count(*) FROM teams WHERE name = 'Later'") == 0
    assert "These are the present rules" in (await alice.get(f"/app/rules/versions/{await number(web_app)}")).text


async def test_of_hundreds_of_changes_the_first_are_shown(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    before, many = await number(web_app), 3 * MOST_SHOWN
    await web_app.database.execute(
        "INSERT INTO teams (owner_id, name) SELECT $1, 'Team of the month ' || g FROM generate_series(1, $2::int) g",
        web_app.brokerage.owner_id, many,
    )  # fmt: skip
    listed = (await alice.get("/app/rules/versions")).text
    compared = (await alice.get(f"/app/rules/versions/{before}")).text
    changed = (await alice.get(f"/app/rules/versions/{await number(web_app)}")).text

    assert "More than 100 changes: Team" in listed
    assert f"The others of version {await number(web_app)}" in listed
    assert listed.count(": added (name “Team of the month") == MOST_LISTED + 1, "and in the summary"
    for page in (compared, changed):
        assert page.count("“Team of the month") == MOST_SHOWN
        assert f"and {many - MOST_SHOWN} more" in page


async def test_what_cannot_be_brought_back_is_said(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    before = await number(web_app)
    member_id = await web_app.town.member("alice", web_app.town.team_id, "dave", request_status="Pending")
    answer = await alice.post(f"/app/rules/versions/{before}", data={"do": "restore"})
    assert f"Member {member_id}: members who came later stay" in answer.text
    assert f"Member {member_id} ((#{web_app.town.users['dave']}) in North Side): removed" in answer.text


async def test_versions_of_others_are_not_there(web_app: WebApp) -> None:
    dave = await web_app.sign_in("dave")
    path = f"/app/rules/versions/{await number(web_app)}"
    assert (await dave.get(path)).status_code == 404
    assert (await dave.post(path, data={"do": "restore"})).status_code == 404
    assert "Nothing has been changed yet" in (await dave.get("/app/rules/versions")).text
    bob = await web_app.sign_in("bob")
    assert (await bob.get("/app/rules/versions")).status_code == 404


async def test_more_than_a_page_of_versions_goes_on(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    for priority in range(1, 40):
        await web_app.database.execute("UPDATE lead_routes SET priority = $1", priority)
    page = (await alice.get("/app/rules/versions")).text
    assert "priority 8 → 9" not in page
    assert "priority 8 → 9" in (await alice.get("/app/rules/versions?skip=30&part=versions")).text
    assert (await alice.get("/app/rules/versions?skip=x")).status_code == 400


async def test_a_route_gets_a_name_that_no_other_has(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    town = web_app.town
    first = await web_app.database.fetchrow("SELECT id, campaign_id FROM lead_routes")
    sent = {
        "do": "save", "lead_source_id": 1, "contact_source_id": "same", "goal": "team", "team_id": town.team_id,
        "campaign_id": first["campaign_id"], "campaign_start": "Arrival", "is_active": "yes", "name": " Portals ",
    }  # fmt: skip
    await alice.post(f"/app/routes/{first['id']}", data=sent)
    assert await web_app.database.fetchval("SELECT name FROM lead_routes WHERE id = $1", first["id"]) == "Portals"
    assert "Portals" in (await alice.get("/app/routes")).text
    second = await alice.post("/app/routes/new", data=sent)
    assert "Another lead route has this name" in second.text
    long = await alice.post("/app/routes/new", data=sent | {"name": "x" * 101})
    assert "The name has more than 100 letters" in long.text

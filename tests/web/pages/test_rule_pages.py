"""The pages of the check and of trials: findings with links, beside the route editor and on the board; drafts tried."""

import re
from typing import Any

import httpx
import msgspec
import pytest

from leadroutes.rules.trials import TrialJobs
from leadroutes.store.queue import RowKey
from tests.support.page_forms import filled
from tests.support.web_app import WebApp


@pytest.fixture
async def alice(web_app: WebApp) -> httpx.AsyncClient:
    return await web_app.sign_in("alice")


async def run_trial(web_app: WebApp) -> int:
    row = await web_app.database.fetchrow("SELECT owner_id, id FROM rule_trials ORDER BY id DESC LIMIT 1")
    await TrialJobs(web_app.database).run(msgspec.json.encode(RowKey(row["owner_id"], row["id"])), 1)
    return int(row["id"])


async def editor(web_app: WebApp, **fields: Any) -> dict[str, Any]:
    """What the editor sends for the first route."""
    route = await web_app.database.fetchrow("SELECT * FROM lead_routes ORDER BY id LIMIT 1")
    sent = {
        "lead_source_id": 1, "contact_source_id": route["contact_source_id"], "filter": "", "goal": "team",
        "team_id": web_app.town.team_id, "campaign_id": route["campaign_id"], "campaign_start": "Arrival",
        "is_active": "yes", "conditions": "rows", "condition-group": "all",
    }  # fmt: skip
    return sent | fields


async def test_findings_have_links_to_what_causes_them(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    route_id = await web_app.database.fetchval("SELECT min(id) FROM lead_routes")
    await web_app.database.execute("UPDATE team_members SET request_status = 'Pending'")

    page = (await alice.get("/app/check")).text

    assert "this cannot work" in page
    assert "has no accepted member with a distribution option" in page
    assert f'href="/app/teams/{web_app.town.team_id}"' in page
    assert f'href="/app/routes/{route_id}"' in page
    board = (await alice.get("/app/board")).text
    assert re.search("The check of your rules</strong> finds 1 error and [0-9]+ warning", board)


async def test_a_route_shows_what_the_check_finds_while_it_is_filled_in(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    route_id = await web_app.database.fetchval("SELECT min(id) FROM lead_routes")
    contradicting = {
        "condition-0-field": "price", "condition-0-is": "at least", "condition-0-value": "500,000",
        "condition-1-field": "price", "condition-1-is": "at most", "condition-1-value": "300,000",
    }  # fmt: skip

    said = await alice.get(f"/app/routes/{route_id}", params={"part": "said", **await editor(web_app, **contradicting)})
    new = await alice.get("/app/routes/new", params={"part": "said", **await editor(web_app)})
    unfinished = await alice.get("/app/routes/new", params={"part": "said", "goal": "team"})

    assert "price is at least 500,000 and price is at most 300,000 can never be met together" in said.text
    assert "This route never gets a lead: route" in new.text
    assert "What the check finds" not in unfinished.text
    stored = await web_app.database.fetchval("SELECT conditions FROM lead_routes WHERE id = $1", route_id)
    assert stored is None


async def test_a_route_is_tried_from_its_editor(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    route_id = await web_app.database.fetchval("SELECT min(id) FROM lead_routes")
    sent = await editor(web_app, do="try", goal="owner", filter="Buyer")

    begun = await alice.post(f"/app/routes/{route_id}", data=sent)

    assert begun.status_code == 200
    assert "The draft is being tried" in begun.text
    assert 'value="Buyer"' in begun.text  # nothing that was typed is lost
    busy = await alice.post(f"/app/routes/{route_id}", data=sent)
    assert "Another trial of this account is under way" in busy.text
    trial_id = await run_trial(web_app)
    page = (await alice.get(f"/app/try?trial={trial_id}&part=outcome")).text
    assert "What the draft would have changed" in page
    assert "<html" not in page
    assert "Bob Town → <strong>Alice Town</strong>" in page
    assert await web_app.database.fetchval("SELECT distribution_target FROM lead_routes WHERE id = $1", route_id) == (
        "Team Rollout"
    )
    unfinished = await alice.post("/app/routes/new", data=sent | {"lead_source_id": ""})
    assert "Choose where the leads come from" in unfinished.text


async def test_a_route_that_is_tried_as_it_is_changes_nothing_for_people_who_come_back(
    web_app: WebApp, alice: httpx.AsyncClient
) -> None:
    """Mia's agent is Carol, who is offered the lead before Bob, whose turn it would be."""
    await web_app.database.execute("UPDATE lead_routes SET returning_contact = 'Same Agent'")
    await web_app.database.execute("UPDATE contacts SET assigned_user_id = $1", web_app.town.users["carol"])
    await web_app.pass_minutes(2 * 24 * 60)
    await web_app.ask()
    route_id = await web_app.database.fetchval("SELECT min(id) FROM lead_routes")
    path, outcomes = f"/app/routes/{route_id}", {}
    for returning in ("Same Agent", "Route Again"):
        begun = await alice.post(path, data=await editor(web_app, do="try", returning_contact=returning))
        assert "The draft is being tried" in begun.text
        trial_id = await run_trial(web_app)
        outcomes[returning] = (await alice.get(f"/app/try?trial={trial_id}&part=outcome")).text
    assert "Carol Town → <strong>Bob Town</strong>" not in outcomes["Same Agent"]
    assert "Carol Town → <strong>Bob Town</strong>" in outcomes["Route Again"]


async def test_a_draft_is_pasted_and_tried(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    draft = "rules: 1\nteams:\n  - name: North Side\n    mins_until_next_alert: 1\n"
    sent = {"do": "try", "draft": draft, "since": "90d"}

    begun = await alice.post("/app/try", data=sent)

    assert begun.status_code == 303
    assert "0 of 1 leads" in (await alice.get(begun.headers["location"])).text
    await run_trial(web_app)
    page = (await alice.get(begun.headers["location"])).text
    assert "Of 1 lead since" in page
    assert "would have been offered to someone else first" in page
    bobs = await web_app.sign_in("bob")
    assert "not stored any more" in (await bobs.get(begun.headers["location"])).text or (
        await bobs.get(begun.headers["location"])
    ).status_code in (403, 404)


async def test_a_draft_begins_with_the_present_rules(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    page = (await alice.get("/app/try?draft=present")).text
    draft = filled(page, "try")["draft"]
    assert "rules: 1" in draft
    assert f"name: {await web_app.database.fetchval('SELECT min(name) FROM teams')}" in draft
    begun = await alice.post("/app/try", data={"do": "try", "draft": draft, "since": "90d"})
    await run_trial(web_app)
    assert (
        "<strong>0</strong> would have been offered to someone else"
        in (await alice.get(begun.headers["location"])).text
    ), "nothing was changed"


async def test_what_is_wrong_with_a_draft_is_shown_with_its_line(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    draft = "rules: 1\nteams:\n  - name: North Side\n    colour: red\n"

    for sent, said in (
        ({"draft": draft, "since": "90d"}, "line 4"),
        ({"draft": " ", "since": "90d"}, "Paste the draft"),
        ({"draft": draft, "since": "1000y"}, "Choose one of the periods"),
    ):
        answer = await alice.post("/app/try", data={"do": "try"} | sent)
        assert answer.status_code == 422
        assert said in answer.text


async def test_where_nothing_is_wrong_the_page_says_so(web_app: WebApp) -> None:
    dave = await web_app.sign_in("dave")

    assert "Nothing found" in (await dave.get("/app/check")).text
    assert "Try a draft" in (await dave.get("/app/try")).text

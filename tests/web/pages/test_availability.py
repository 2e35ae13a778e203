"""The page of availability and the switch of every page: pauses, hours, time off, caps; and the page of a team."""

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.page_forms import filled, follow, form, words_of
from tests.support.web_app import WebApp

PATH = "/app/availability"


@pytest.fixture
async def bob(web_app: WebApp) -> httpx.AsyncClient:
    return await web_app.sign_in("bob")


async def press(browser: httpx.AsyncClient, do: str, on: object = None, **fields: object) -> httpx.Response:
    hidden = form((await browser.get(PATH)).text, do, on)
    return await browser.post(PATH, data=hidden | fields)


async def said(web_app: WebApp, name: str = "bob") -> Any:
    return await web_app.database.fetchrow("SELECT * FROM availabilities WHERE id = $1", web_app.town.users[name])


def local(web_app: WebApp, **span: float) -> str:
    return f"{web_app.town.now + timedelta(**span):%Y-%m-%dT%H:%M}"


# ------------------------------------------------------------------------------------------------------ the switch


async def test_the_switch_of_every_page_pauses_leads_back_and_can_be_undone(
    web_app: WebApp, bob: httpx.AsyncClient
) -> None:
    page = (await bob.get("/app/leads")).text
    assert 'role="switch" aria-checked="true"' in page
    answer = await bob.post(PATH, data=form(page, "switch"))
    assert answer.headers["location"] == "/app/leads"
    page = (await bob.get("/app/leads")).text
    assert "You get no offers of leads until you switch them on again." in page
    assert 'role="switch" aria-checked="false"' in page
    assert (await said(web_app))["is_paused"] is True
    lead_id = await web_app.ask(email="noa@example.com", name="Noa")
    assert (await web_app.brokerage.states(lead_id))["bob"] == "skipped"

    undo = re.search(r'name="undo" value="([^"]*)"', page)
    assert undo is not None
    assert (await bob.post("/app/undo", data={"undo": undo[1], "back": "/app/leads"})).status_code == 303
    assert (await said(web_app))["is_paused"] is False
    again = await bob.post(PATH, data={"do": "switch", "to": "on", "back": "https://evil.example/app"})
    assert again.headers["location"] == PATH


async def test_a_pause_whose_end_has_come_meanwhile_does_not_come_back(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    """The pause that would be taken back to has ended by itself: that is too late, as any other change."""
    await press(bob, "pause", paused_until=local(web_app, minutes=5))
    page = (await bob.get("/app/leads")).text
    await bob.post(PATH, data=form(page, "switch"))
    undo = re.search(r'name="undo" value="([^"]*)"', (await bob.get(PATH)).text)
    assert undo is not None
    await web_app.pass_minutes(6)
    answer = await bob.post("/app/undo", data={"undo": undo[1], "back": PATH})
    assert (answer.status_code, "cannot be undone any more" in answer.text) == (409, True)
    assert (await said(web_app))["is_paused"] is False


async def test_who_is_in_no_team_has_no_switch(web_app: WebApp) -> None:
    page = (await (await web_app.sign_in("dave")).get("/app/me")).text
    assert 'role="switch"' not in page


async def test_while_acting_for_an_owner_the_switch_is_the_users_own(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    await web_app.town.insert(
        "delegates", owner_id=web_app.town.users["alice"], user_id=web_app.town.users["bob"], role="Administrator",
        created_at=web_app.town.now, accepted_at=web_app.town.now,
    )  # fmt: skip
    await bob.post("/app/acting", data={"owner_id": web_app.town.users["alice"]})
    page = (await bob.get("/app/board")).text
    assert "You act for" in page
    answer = await bob.post(PATH, data=form(page, "switch"))
    assert answer.headers["location"] == "/app/board"
    assert [(await said(web_app, name))["is_paused"] for name in ("alice", "bob")] == [False, True]


# ------------------------------------------------------------------------------------------- a pause, hours, time off


async def test_a_pause_with_an_end(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    page = await follow(bob, await press(bob, "pause", paused_until=local(web_app, hours=5)))
    assert "You are paused until" in words_of(page)
    assert (await said(web_app))["paused_until"] is not None
    for wrong, words in (("soon", "Say the date"), (local(web_app, hours=-5), "still to come")):
        refused = await press(bob, "pause", paused_until=wrong)
        assert refused.status_code == 422
        assert words in refused.text
    assert "You get offers of leads again." in await follow(bob, await press(bob, "switch", to="on"))


async def test_a_pause_that_is_saved_unchanged_ends_when_it_did(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    """Fields show minutes; a program has said seconds."""
    until = web_app.town.now.replace(second=41, microsecond=250_000) + timedelta(hours=2)
    await web_app.database.execute(
        "UPDATE availabilities SET is_paused = true, paused_until = $2 WHERE id = $1",
        web_app.town.users["bob"], until,
    )  # fmt: skip
    await follow(bob, await bob.post(PATH, data=filled((await bob.get(PATH)).text, "pause")))
    assert (await said(web_app))["paused_until"] == until

    await web_app.database.execute(
        "UPDATE team_member_distribution_options SET is_paused = true, paused_until = $2 WHERE user_id = $1",
        web_app.town.users["bob"], until,
    )  # fmt: skip
    alice, bob_id = await web_app.sign_in("alice"), web_app.town.users["bob"]
    team = f"/app/teams/{web_app.town.team_id}"
    option = filled((await alice.get(f"{team}?member={bob_id}")).text, "option", bob_id)
    await follow(alice, await alice.post(team, data=option | {"max_open_leads": "7"}))
    stored = await web_app.database.fetchrow(
        "SELECT paused_until, max_open_leads FROM team_member_distribution_options WHERE user_id = $1", bob_id
    )
    assert tuple(stored) == (until, 7)


HOURS: dict[str, Any] = {
    "monday_from": ["09:00", "13:30"], "monday_to": ["12:30", "18:00"], "friday_from": ["22:00", ""],
    "friday_to": ["06:00", ""], "sunday_from": ["00:00"], "sunday_to": ["00:00"], "timezone": "America/Denver",
}  # fmt: skip


async def test_hours_of_the_week_are_saved_shown_and_given_up(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    page = await follow(bob, await press(bob, "hours", **HOURS))
    row = await said(web_app)
    assert json.loads(row["weekly_hours"]) == {
        "monday": [["09:00", "12:30"], ["13:30", "18:00"]],
        "friday": [["22:00", "06:00"]],
        "sunday": [["00:00", "24:00"]],
    }
    assert row["timezone"] == "America/Denver"
    assert 'name="monday_from" value="13:30"' in page
    assert 'name="sunday_to" value="00:00"' in page
    await follow(bob, await press(bob, "hours", **HOURS, always="yes"))
    assert (await said(web_app))["weekly_hours"] is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"monday_from": "09:00", "monday_to": ""}, "Monday: fill in both times of a span, or none."),
        ({"tuesday_from": ["09:00", "11:00"], "tuesday_to": ["12:00", "13:00"]},
         "Tuesday: 11:00 to 13:00 overlaps 09:00 to 12:00."),
        ({"monday_from": "09:00", "monday_to": "09:00"}, "Monday: '09:00 to 09:00' was given"),
        ({"monday_from": "late", "monday_to": "later"}, "Monday:"),
    ],
)  # fmt: skip
async def test_wrong_hours_are_named_at_their_day_and_what_was_typed_stays(
    web_app: WebApp, bob: httpx.AsyncClient, fields: dict[str, Any], words: str
) -> None:
    refused = await press(bob, "hours", **{"timezone": "UTC"} | fields)
    assert refused.status_code == 422
    assert words in words_of(refused.text)
    first = next(iter(fields.values()))
    assert f'value="{first if isinstance(first, str) else first[0]}"' in refused.text
    assert (await said(web_app))["weekly_hours"] is None


async def test_hours_that_were_changed_elsewhere_are_not_overwritten(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    hidden = form((await bob.get(PATH)).text, "hours")
    await web_app.database.execute("UPDATE availabilities SET weekly_hours = '{}'")
    assert (await bob.post(PATH, data=hidden | HOURS)).status_code == 409


async def test_time_off_is_added_shown_and_removed(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    span = {"starts_at": local(web_app, days=1), "ends_at": local(web_app, days=2)}
    page = await follow(bob, await press(bob, "time-off", **span, note="To the <b>sea"))
    assert "To the &lt;b&gt;sea" in page
    [number] = [row["id"] for row in await web_app.database.fetch("SELECT id FROM time_off")]
    wrong = await press(bob, "time-off", starts_at=span["ends_at"], ends_at=span["starts_at"])
    assert "Choose an end after the beginning." in wrong.text
    assert (await press(bob, "time-off", starts_at="x", ends_at="")).status_code == 422
    assert "No time off is planned" in await follow(bob, await press(bob, "remove", number))
    await web_app.town.insert(
        "time_off", owner_id=web_app.town.users["alice"], user_id=web_app.town.users["bob"],
        starts_at=web_app.town.now - timedelta(hours=1), ends_at=web_app.town.now + timedelta(days=3),
    )  # fmt: skip
    page = words_of((await bob.get(PATH)).text)
    assert "Added by Alice Town, for the leads of that account only" in page
    assert "You get new offers of leads now." in page, "it counts for the leads of one account"


async def test_what_counts_against_the_caps_of_each_team(web_app: WebApp, bob: httpx.AsyncClient) -> None:
    await web_app.engine.claim(web_app.brokerage.owner_id, web_app.lead_id, web_app.town.users["bob"])
    assert "1 open lead, 1 lead today, 1 lead this week (no caps)" in words_of((await bob.get(PATH)).text)
    await web_app.database.execute(
        "UPDATE team_member_distribution_options SET max_open_leads = 5, is_paused = true WHERE user_id = $1",
        web_app.town.users["bob"],
    )
    page = words_of((await bob.get(PATH)).text)
    assert "Paused in this team by its owner. 1 of 5 open leads, 1 lead today, 1 lead this week" in page


# ------------------------------------------------------------------------------------------------- the team's page


async def test_the_owner_sets_pauses_and_caps_and_sees_who_is_available(web_app: WebApp) -> None:
    alice, team = await web_app.sign_in("alice"), f"/app/teams/{web_app.town.team_id}"
    bob = web_app.town.users["bob"]
    page = (await alice.get(f"{team}?member={bob}")).text
    assert words_of(page).count("Available; ") == 2
    fields = {"has_email_alert": "yes", "max_open_leads": "0", "max_leads_per_day": "3", "max_leads_per_week": ""}
    page = await follow(alice, await alice.post(team, data=form(page, "option", bob) | fields))
    assert "open leads: 0 of 0" in page
    hidden = form((await alice.get(f"{team}?member={bob}")).text, "option", bob)
    until = local(web_app, hours=3)
    page = await follow(
        alice, await alice.post(team, data=hidden | fields | {"is_paused": "yes", "paused_until": until})
    )
    assert "paused until" in page
    option = await web_app.database.fetchrow("SELECT * FROM team_member_distribution_options WHERE user_id = $1", bob)
    assert (option["max_open_leads"], option["max_leads_per_day"], option["max_leads_per_week"]) == (0, 3, None)
    hidden = form((await alice.get(f"{team}?member={bob}")).text, "option", bob)
    for wrong, words in (
        ({"max_open_leads": "-1"}, "Give a whole number from 0"),
        ({"is_paused": "yes", "paused_until": "soon"}, "Say the date"),
        ({"is_paused": "yes", "paused_until": local(web_app, hours=-3)}, "still to come"),
    ):
        refused = await alice.post(team, data=hidden | fields | wrong)
        assert (refused.status_code, words in refused.text) == (422, True), words


async def test_the_owner_chooses_what_happens_when_no_one_is_available(web_app: WebApp) -> None:
    alice, team = await web_app.sign_in("alice"), f"/app/teams/{web_app.town.team_id}"
    fields = {
        "name": "North", "order_method": "Rank", "mins_until_next_alert": "5", "offer_mode": "Cumulative",
        "when_nobody_is_available": "Hold",
    }  # fmt: skip
    hidden = form((await alice.get(team)).text, "save")
    await follow(alice, await alice.post(team, data=hidden | fields))
    assert await web_app.database.fetchval("SELECT when_nobody_is_available FROM teams") == "Hold"

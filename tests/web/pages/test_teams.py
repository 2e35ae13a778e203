"""The pages of teams: settings, ZIP codes, the line-up and its options, invitations, and who may do what."""

import re
from typing import Any

import httpx
import pytest

from tests.support.web_app import WebApp, with_settings


@pytest.fixture
async def alice(web_app: WebApp) -> httpx.AsyncClient:
    return await web_app.sign_in("alice")


@pytest.fixture
def path(web_app: WebApp) -> str:
    return f"/app/teams/{web_app.town.team_id}"


async def line_up(web_app: WebApp) -> list[tuple[str, int]]:
    rows = await web_app.database.fetch(
        "SELECT username, rank FROM team_member_distribution_options JOIN users ON users.id = user_id ORDER BY rank, 1"
    )
    return [(row["username"], row["rank"]) for row in rows]


async def status(web_app: WebApp, email: str) -> str | None:
    sql = "SELECT request_status FROM team_invitations WHERE email = $1"
    found: str | None = await web_app.database.fetchval(sql, email)
    return found


def hidden(page: str, do: str, name: str) -> str:
    """A hidden field of a form of the page."""
    at = page.index(f'name="do" value="{do}"')
    return re.search(f'name="{name}" value="([^"]*)"', page[at:])[1]


SETTINGS = {
    "do": "save", "name": "South Side", "order_method": "Round Robin", "mins_until_next_alert": "10",
    "offer_mode": "Exclusive",
}  # fmt: skip


async def test_teams_are_listed_with_what_they_do(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    await web_app.town.team("alice", name="East <b>Side")
    page = (await alice.get("/app/teams")).text
    assert "3 members" in page
    assert "Members are offered a lead in their order, 5 minutes apart." in page
    assert "Named by 1 route" in page
    assert "East &lt;b&gt;Side" in page
    assert "No one is in the line-up" in page


async def test_a_team_is_made(web_app: WebApp, alice: httpx.AsyncClient) -> None:
    answer = await alice.post("/app/teams/new", data=SETTINGS)
    team = await web_app.database.fetchrow("SELECT * FROM teams ORDER BY id DESC LIMIT 1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/app/teams/{team['id']}")
    assert (team["name"], team["order_method"]) == ("South Side", "Round Robin")
    assert (team["mins_until_next_alert"], team["offer_mode"]) == (10, "Exclusive")
    page = (await alice.get(answer.headers["location"])).text
    assert "with you as its first member" in page
    assert "Put in the line-up: Alice Town" in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Give the team a name."),
        ("mins_until_next_alert", "soon", "Give whole minutes"),
        ("mins_until_next_alert", "-1", "Give whole minutes"),
        ("mins_until_next_alert", "99999999999", "Give whole minutes"),
        ("order_method", "Tarot", "order_method"),
        ("offer_mode", "", "offer_mode"),
    ],
)
async def test_wrong_settings_are_named_and_nothing_is_lost(
    alice: httpx.AsyncClient, path: str, field: str, value: str, words: str
) -> None:
    for address in (path, "/app/teams/new"):
        answer = await alice.post(address, data=SETTINGS | {"name": "West", field: value})
        assert answer.status_code == 422
        assert words in answer.text
        assert field == "name" or 'value="West"' in answer.text


async def test_settings_are_changed_unless_someone_else_has_done_so(
    web_app: WebApp, alice: httpx.AsyncClient, path: str
) -> None:
    sent = SETTINGS | {"seen": hidden((await alice.get(path)).text, "save", "seen")}
    assert (await alice.post(path, data=sent)).status_code == 303
    assert "By turns" not in (page := (await alice.get(path)).text).split("<h2>How leads")[0]
    assert "Members take turns" in page
    stale = await alice.post(path, data=sent | {"name": "West Side"})
    assert stale.status_code == 409
    assert "South Side<br>" in stale.text
    assert "yours: West Side" in stale.text
    again = hidden(stale.text, "save", "seen")
    assert (await alice.post(path, data=sent | {"name": "West Side", "seen": again})).status_code == 303
    assert await web_app.database.fetchval("SELECT name FROM teams") == "West Side"


LARGEST = 60_000  # bytes of a page


async def test_a_large_team_is_shown_in_stretches(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    users = await web_app.database.fetch(
        "INSERT INTO users (username, email, first_name, last_name, created_at, modified_at)"
        " SELECT 'agent' || n, 'agent' || n || '@example.com', 'Wilhelmina', 'Featherstonehaugh ' || n, now(), now()"
        " FROM generate_series(1, 160) n ORDER BY n RETURNING id"
    )
    ids = [row["id"] for row in users]
    await web_app.database.execute(
        "INSERT INTO team_members (owner_id, team_id, user_id, request_status)"
        " SELECT $1, $2, id, 'Accepted' FROM unnest($3::bigint[]) id",
        web_app.brokerage.owner_id, web_app.town.team_id, ids,
    )  # fmt: skip
    await web_app.database.execute(
        "INSERT INTO team_member_distribution_options (owner_id, team_id, user_id, rank, assign_automatically,"
        " has_email_alert) SELECT $1, $2, id, 10 + id, false, true FROM unnest($3::bigint[]) id",
        web_app.brokerage.owner_id, web_app.town.team_id, ids[:100],
    )  # fmt: skip

    first = await alice.get(path)
    assert len(first.content) < LARGEST
    assert "Featherstonehaugh 30<" in first.text
    assert "Featherstonehaugh 31<" not in first.text
    assert "Featherstonehaugh 131<" in first.text  # not in the line-up
    assert "Featherstonehaugh 132<" not in first.text
    last = await alice.get(f"{path}?near={ids[99]}")
    assert "Featherstonehaugh 99<" in last.text
    assert "Featherstonehaugh 30<" not in last.text
    moved = await alice.post(path, data={"do": "move", "press": f"down-{ids[37]}"})
    assert f'id="member-{ids[37]}"' in (await alice.get(moved.headers["location"])).text
    assert 'id="options"' in (await alice.get(f"{path}?member={ids[98]}")).text
    assert "Remove Wilhelmina Featherstonehaugh 159" in (await alice.get(f"{path}?member={ids[158]}")).text


async def test_zip_codes_are_pasted_and_those_of_two_teams_are_named(
    web_app: WebApp, alice: httpx.AsyncClient, path: str
) -> None:
    second = await web_app.town.team("alice", name="South", distribution_zipcodes=["98112", "98115"])
    form = {"do": "zipcodes", "distribution_zipcodes": "98112-1234, 98102;98112\n  V6J 4Z3\t601"}
    assert (await alice.post(path, data=form)).status_code == 303
    stored = await web_app.database.fetchval("SELECT distribution_zipcodes FROM teams ORDER BY id LIMIT 1")
    assert stored == ["98112", "98102", "V6J4Z3", "00601"]
    page = (await alice.get(path)).text
    assert "The team has 4 ZIP codes." in page
    assert f'98112: also <a href="/app/teams/{second}">South</a></li>' in page
    assert "which gets them" in (await alice.get(f"/app/teams/{second}")).text
    refused = await alice.post(path, data=form | {"distribution_zipcodes": "98112, Denver <b>"})
    assert refused.status_code == 422
    assert "“Denver”, “&lt;b&gt;” are not ZIP codes." in refused.text
    assert "98112, Denver &lt;b&gt;</textarea>" in refused.text
    assert (await alice.post(path, data=form | {"distribution_zipcodes": " "})).status_code == 303
    assert await web_app.database.fetchval("SELECT distribution_zipcodes FROM teams ORDER BY id LIMIT 1") is None


async def test_members_are_put_in_order_and_together(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    carol = web_app.town.users["carol"]
    answer = await alice.post(path, data={"do": "move", "press": f"up-{carol}"})
    assert answer.headers["location"] == f"{path}?near={carol}#member-{carol}"
    assert await line_up(web_app) == [("carol", 1), ("bob", 2)]
    page = (await alice.get(path)).text
    await alice.post("/app/undo", data={"undo": re.search('name="undo" value="([^"]+)"', page)[1]})
    assert await line_up(web_app) == [("bob", 1), ("carol", 2)]
    await alice.post(path, data={"do": "move", "press": f"join-{carol}"})
    assert await line_up(web_app) == [("bob", 1), ("carol", 1)]
    assert "together with the one above" in (await alice.get(path)).text
    await alice.post(path, data={"do": "move", "press": f"down-{carol}"})
    assert await line_up(web_app) == [("bob", 1), ("carol", 2)]


async def test_a_member_is_dragged_to_a_place(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    carol = web_app.town.users["carol"]
    await alice.post(path, data={"do": "drop", "on": carol, "place": "0"})
    assert await line_up(web_app) == [("carol", 1), ("bob", 2)]
    for place in ("", "-1", "x"):
        assert (await alice.post(path, data={"do": "drop", "on": carol, "place": place})).status_code == 422
    assert (await alice.post(path, data={"do": "move", "press": f"left-{carol}"})).status_code == 422
    assert (await alice.post(path, data={"do": "move", "press": "up-999999"})).status_code == 409


async def test_a_member_comes_into_the_line_up_and_leaves_it(
    web_app: WebApp, alice: httpx.AsyncClient, path: str
) -> None:
    user_id, bob = web_app.town.users["alice"], web_app.town.users["bob"]
    await alice.post(path, data={"do": "line-up", "on": user_id})
    assert (await line_up(web_app))[-1] == ("alice", 3)
    assert (await alice.post(path, data={"do": "line-up", "on": user_id})).status_code == 409
    assert (await alice.post(path, data={"do": "line-up", "on": web_app.town.users["dave"]})).status_code == 422
    await alice.post(path, data={"do": "leave-out", "on": bob})
    assert [name for name, _ in await line_up(web_app)] == ["carol", "alice"]
    page = (await alice.get(path)).text
    assert "Put in the line-up: Bob Town" in page
    await alice.post("/app/undo", data={"undo": re.search('name="undo" value="([^"]+)"', page)[1]})
    assert ("bob", 1) in await line_up(web_app)


async def test_how_offers_reach_a_member_is_changed(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    await web_app.database.execute("UPDATE teams SET order_method = 'Round Robin'")
    bob = web_app.town.users["bob"]
    seen = hidden((await alice.get(f"{path}?member={bob}")).text, "option", "seen")
    form = {"do": "option", "on": bob, "has_text_alert": "yes", "weight": "2", "seen": seen}
    assert (await alice.post(path, data=form)).status_code == 303
    option = await web_app.database.fetchrow("SELECT * FROM team_member_distribution_options WHERE user_id = $1", bob)
    assert (option["has_text_alert"], option["has_email_alert"], option["weight"]) == (True, False, 2)
    page = (await alice.get(path)).text
    assert "alerted by text message, 2 shares" in " ".join(page.split())
    stale = await alice.post(path, data=form | {"weight": "3"})
    assert stale.status_code == 409
    assert "yours: 3" in stale.text
    for weight in ("-1", "x", "1001"):
        refused = await alice.post(path, data=form | {"weight": weight})
        assert refused.status_code == 422
        assert "Give a whole number from 0 to 1,000." in refused.text
        assert f'value="{weight}"' in refused.text


async def test_calls_at_night_and_connecting_are_switched_on_and_off(
    web_app: WebApp, alice: httpx.AsyncClient, path: str
) -> None:
    bob = web_app.town.users["bob"]
    option = "SELECT has_night_calls FROM team_member_distribution_options WHERE user_id = $1"
    team = "SELECT connect_on_claim FROM teams WHERE id = $1"
    settings = {"do": "save", "name": "North Side", "order_method": "Rank", "mins_until_next_alert": "5",
                "offer_mode": "Cumulative"}  # fmt: skip
    for is_on in (True, False):
        more = {"has_night_calls": "yes"} if is_on else {}
        assert (await alice.post(path, data={"do": "option", "on": bob, **more})).status_code == 303
        assert await web_app.database.fetchval(option, bob) is is_on
        assert (
            bool(re.search('name="has_night_calls"[^>]*checked', (await alice.get(f"{path}?member={bob}")).text))
            is is_on
        )
        more = {"connect_on_claim": "yes"} if is_on else {}
        assert (await alice.post(path, data=settings | more)).status_code == 303
        assert await web_app.database.fetchval(team, web_app.town.team_id) is is_on
        assert bool(re.search('name="connect_on_claim"[^>]*checked', (await alice.get(path)).text)) is is_on


async def test_under_time_members_have_minutes(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    await web_app.database.execute("UPDATE teams SET order_method = 'Time'")
    page = (await alice.get(path)).text
    assert ">Up<" not in page
    form = {"do": "option", "on": web_app.town.users["bob"], "has_email_alert": "yes", "mins_until_lead_offer": "7"}
    assert (await alice.post(path, data=form)).status_code == 303
    page = (await alice.get(path)).text
    assert page.index("Carol Town</b>") < page.index("Bob Town</b>")
    assert "after 7 min" in page


async def test_people_are_invited_by_email(web_app: WebApp, path: str) -> None:
    alice = await with_settings(web_app, smtp_url="smtp://mail.example.com").sign_in("alice")
    form = {"do": "invite", "email": "nia@example.com, new@example.com\nnia@example.com"}
    assert (await alice.post(path, data=form)).status_code == 303
    page = (await alice.get(path)).text
    assert "2 invitations are on their way." in page
    assert "Each gets a mail with a link" in page
    assert "no answer yet" in page
    assert await status(web_app, "nia@example.com") == "Pending"
    await alice.post(path, data=form | {"email": "nia@example.com"})
    assert "Invited before, or a member: nia@example.com." in (await alice.get(path)).text
    for email, words in ((" ", "Give an e-mail address."), ("a@example.com, bob at home", "“bob” is not an e-mail")):
        refused = await alice.post(path, data=form | {"email": email})
        assert refused.status_code == 422
        assert words in refused.text
    assert await status(web_app, "a@example.com") is None
    refused = await alice.post(path, data=form | {"email": " ".join(f"p{n}@example.com" for n in range(51))})
    assert (refused.status_code, "51 addresses were given" in refused.text) == (422, True)


async def test_without_mail_no_invitation_is_said_to_be_on_its_way(
    web_app: WebApp, alice: httpx.AsyncClient, path: str
) -> None:
    page = (await alice.get(path)).text
    assert "Each gets a mail" not in page
    await alice.post(path, data={"do": "invite", "email": "nia@example.com, new@example.com"})
    page = (await alice.get(path)).text
    assert "2 people are invited. Mail is not set up here, so no link is sent" in page
    await web_app.database.execute("UPDATE team_invitations SET request_status = 'Declined'")
    member_id = await web_app.database.fetchval("SELECT min(id) FROM team_invitations")
    await alice.post(path, data={"do": "invite-again", "on": member_id})
    assert "Invited. Mail is not set up here" in (await alice.get(path)).text


async def test_people_whom_the_owner_knows_are_invited_by_a_button(
    web_app: WebApp, alice: httpx.AsyncClient, path: str
) -> None:
    assert "Invite into the team" not in (await alice.get(path)).text, "all are in it"
    east = f"/app/teams/{await web_app.town.team('alice', name='East')}"
    page = (await alice.get(east)).text
    button = re.search(r'name="email" value="([^"]+)" aria-label="Invite into the team: Bob Town"', page)
    assert (await alice.post(east, data={"do": "invite", "email": button[1]})).status_code == 303
    page = (await alice.get(east)).text
    assert "Invite into the team: Bob" not in page
    assert "Invite into the team: Carol" in page
    assert "One person is invited." in page


async def test_an_invitation_is_taken_back_and_sent_again(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    await alice.post(path, data={"do": "invite", "email": "nia@example.com"})
    member_id = await web_app.database.fetchval("SELECT id FROM team_invitations")
    await web_app.database.execute("UPDATE team_invitations SET request_status = 'Declined'")
    assert "has declined" in (await alice.get(path)).text
    assert (await alice.post(path, data={"do": "invite-again", "on": member_id})).status_code == 303
    assert await status(web_app, "nia@example.com") == "Pending"
    assert (await alice.post(path, data={"do": "remove-member", "on": member_id})).status_code == 303
    assert await status(web_app, "nia@example.com") is None


async def test_a_member_leaves_with_the_option(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    member_id = await web_app.database.fetchval(
        "SELECT id FROM team_members WHERE user_id = $1", web_app.town.users["bob"]
    )
    other = await web_app.town.team("alice", name="South")
    wrong = await alice.post(f"/app/teams/{other}", data={"do": "remove-member", "on": member_id})
    assert wrong.status_code == 404, "not a member of that team"
    assert (await alice.post(path, data={"do": "remove-member", "on": member_id})).status_code == 303
    assert await line_up(web_app) == [("carol", 2)]
    assert "Bob Town has left the team." in (await alice.get(path)).text


async def test_a_team_is_deleted_once_no_route_names_it(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    refused = await alice.post(path, data={"do": "remove"})
    assert refused.status_code == 409
    assert "A route still offers leads to North Side." in refused.text
    await web_app.database.execute("DELETE FROM lead_routes")
    answer = await alice.post(path, data={"do": "remove"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/teams")
    assert "No teams yet" in (await alice.get("/app/teams")).text


ACTS: list[dict[str, Any]] = [
    SETTINGS, {"do": "zipcodes", "distribution_zipcodes": "98112"}, {"do": "remove"},
    {"do": "invite", "email": "x@example.com"},
    *({"do": do, "place": "0"} for do in ("move", "drop", "line-up", "leave-out", "option")),
]  # fmt: skip


async def test_no_one_else_has_the_page(web_app: WebApp, path: str) -> None:
    await web_app.town.team("bob", name="Bob's own")  # so that Bob sees the pages of owners
    before, carol = await line_up(web_app), web_app.town.users["carol"]
    for name in ("bob", "dave"):
        browser = await web_app.sign_in(name)
        assert (await browser.get(path)).status_code == 404
        assert "North Side" not in (await browser.get("/app/teams")).text
        for act in ACTS:
            answer = await browser.post(path, data={"on": carol, "press": f"up-{carol}"} | act)
            assert answer.status_code == 404, (name, act)
    assert await line_up(web_app) == before
    assert await web_app.database.fetchval("SELECT name FROM teams ORDER BY id LIMIT 1") == "North Side"
    browser = await web_app.sign_in("carol")
    assert (await browser.get("/app/teams")).status_code == 404, "an agent has no account to run"


async def test_members_show_what_they_were_offered(web_app: WebApp, alice: httpx.AsyncClient, path: str) -> None:
    page = (await alice.get(path)).text
    assert "In 30 days: 1 offer and 0 leads" in page
    await web_app.database.execute("UPDATE teams SET order_method = 'Round Robin'")
    assert "In 30 days: 1 offer, 1 turn and 0 leads" in (await alice.get(path)).text

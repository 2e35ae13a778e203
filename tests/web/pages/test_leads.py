"""The agent's inbox, leads and tasks, and the owner's board."""

import re

import httpx
import pytest

from leadroutes.web.pages.board import CLAIMED, MOST
from tests.support.web_app import WebApp


def form(page: str, do: str) -> dict[str, str]:
    """The hidden fields of the first form of this name."""
    for each in re.findall(r"<form.*?</form>", page, re.DOTALL):
        if f'name="do" value="{do}"' in each:
            return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', each))
    raise AssertionError(f"no form {do}")


async def claimed_lead(web_app: WebApp) -> tuple[httpx.AsyncClient, str]:
    """Bob, who has claimed the lead, and the path of its page."""
    bob = await web_app.sign_in("bob")
    answer = await bob.post("/app", data=form((await bob.get("/app")).text, "claim"))
    assert answer.status_code == 303, answer.text
    return bob, answer.headers["location"]


async def test_an_agent_claims_in_the_inbox_and_sees_the_whole_lead(web_app: WebApp) -> None:
    bob, path = await claimed_lead(web_app)
    page = (await bob.get(path)).text

    assert path == f"/app/leads/{web_app.lead_id}"
    assert "Yours. Answer at once" in page
    assert 'href="tel:+13035550147"' in page
    assert "Is the &lt;b&gt;garden&lt;/b&gt; sunny?" in page
    assert "Claimed by you" in page
    assert "Not yet contacted" in (await bob.get("/app")).text


async def test_an_inquiry_that_is_html_alone_is_shown_in_words(web_app: WebApp) -> None:
    """As on the page of an offer."""
    bob, path = await claimed_lead(web_app)
    html = "<style>p {color: red}</style><p>Is the <b>garden</b> sunny?</p><script>alert(1)</script>"
    await web_app.database.execute("UPDATE leads SET text_body = NULL, html_body = $1", html)

    page = (await bob.get(path)).text

    assert "<blockquote>Is the garden sunny?</blockquote>" in page
    assert "color: red" not in page
    assert "alert(1)" not in page


async def test_whoever_is_too_late_reads_who_was_faster(web_app: WebApp) -> None:
    await web_app.pass_minutes(10)
    carol = await web_app.sign_in("carol")
    late = form((await carol.get("/app")).text, "claim")
    await claimed_lead(web_app)

    answer = await carol.post("/app", data=late)

    assert answer.status_code == 409
    assert "already been claimed" in answer.text
    assert "303-555-0147" not in answer.text


async def test_a_pass_can_be_taken_back(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    await bob.post("/app", data=form((await bob.get("/app")).text, "decline"))
    page = (await bob.get("/app")).text
    assert "Passed on" in page
    assert "Nothing waits for you" in page

    token = re.search(r'name="undo" value="([^"]+)"', page)
    assert token is not None
    await bob.post("/app/undo", data={"undo": token[1], "back": "/app"})

    assert "Offered to you" in (await bob.get("/app")).text


async def test_a_lead_that_is_only_offered_stays_masked(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    page = await bob.get(f"/app/leads/{web_app.lead_id}")

    assert page.status_code == 200
    assert "Claim this lead" in page.text
    for secret in ("0147", "garden", "12 Elm Street"):
        assert secret not in page.text


async def test_no_one_sees_or_changes_the_lead_of_another(web_app: WebApp) -> None:
    stranger = await web_app.sign_in("dave")
    path = f"/app/leads/{web_app.lead_id}"

    assert (await stranger.get(path)).status_code == 404
    for do in ("claim", "note", "talked", "give_back", "route", "assign"):
        answer = await stranger.post(path, data={"do": do, "description": "x", "user_id": "1"})
        assert answer.status_code == 404, do


async def test_notes_conversations_and_tasks_are_stored_and_shown(web_app: WebApp) -> None:
    bob, path = await claimed_lead(web_app)
    await bob.post(path, data={"do": "note", "description": "Likes <b>gardens</b>"})
    await bob.post(path, data={"do": "talked", "note": "Friday suits"})
    await bob.post(path, data={"do": "task", "description": "Send the plan", "action_type": "None", "due_at": ""})
    page = (await bob.get(path)).text

    for words in (
        "Note by you",
        "Likes &lt;b&gt;gardens&lt;/b&gt;",
        "You talked with the contact",
        "Friday suits",
        "Send the plan",
    ):
        assert words in page
    assert "Not yet contacted" not in (await bob.get("/app")).text


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"do": "note", "description": "  "}, "Write the note first"),
        ({"do": "task", "description": "", "action_type": "None"}, "Say what is to be done"),
        ({"do": "task", "description": "x", "action_type": "None", "due_at": "soon"}, "expected a date and a time"),
        ({"do": "task", "description": "x", "action_type": "Dance"}, "Dance"),
        ({"do": "hand_over", "user_id": ""}, "Choose who gets the lead"),
        ({"do": "note", "description": "x" * 2001}, "2000"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(web_app: WebApp, sent: dict[str, str], complaint: str) -> None:
    bob, path = await claimed_lead(web_app)
    answer = await bob.post(path, data=sent)

    assert answer.status_code == 422
    assert complaint in answer.text


async def test_a_task_is_done_and_opened_again(web_app: WebApp) -> None:
    bob, path = await claimed_lead(web_app)
    await bob.post(path, data={"do": "task", "description": "Send the plan", "action_type": "None"})
    task = form((await bob.get("/app/tasks")).text, "set")
    await bob.post("/app/tasks", data=task)
    done = await bob.get("/app/tasks")

    assert "Send the plan" not in done.text
    assert "Send the plan" in (await bob.get("/app/tasks?state=complete")).text
    token = re.search(r'name="undo" value="([^"]+)"', done.text)
    assert token is not None
    await bob.post("/app/undo", data={"undo": token[1]})
    assert "Send the plan" in (await bob.get("/app/tasks")).text


async def test_a_lead_given_back_is_offered_to_the_rest(web_app: WebApp) -> None:
    bob, path = await claimed_lead(web_app)
    answer = await bob.post(path, data=form((await bob.get(path)).text, "give_back"))

    assert answer.headers["location"] == "/app/leads"
    assert await web_app.claimed() is None


async def test_the_owner_enters_finds_and_assigns_leads(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    source = await web_app.database.fetchval("SELECT min(source_id) FROM leads")
    made = await alice.post(
        "/app/leads/new",
        data={"do": "add", "first_name": "Noor", "last_name": "Haddad", "mobile_phone": "604 555 0100",
              "source_id": str(source), "hold": "yes"},
    )  # fmt: skip
    assert made.status_code == 303, made.text
    path = made.headers["location"]

    assert "Noor Haddad" in (await alice.get("/app/leads?search=noor+6045550100")).text
    assert "Noor Haddad" in (await alice.get("/app/leads?state=held")).text
    assert "Noor Haddad" not in (await alice.get("/app/leads?state=claimed")).text
    assert "No lead found" in (await alice.get("/app/leads?search=unknown")).text
    assert "Noor Haddad" in (await alice.get("/app/board")).text
    bob = web_app.town.users["bob"]
    assert (await alice.post(path, data={"do": "assign", "user_id": str(bob)})).status_code == 303
    assert "Noor Haddad" in (await (await web_app.sign_in("bob")).get("/app/leads")).text


async def test_a_column_of_the_board_shows_the_newest_and_leads_to_all(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    for number in range(MOST):
        await web_app.ask(name=f"Person {chr(65 + number)}", email=f"p{number}@example.org")
    page = (await alice.get("/app/board")).text

    assert page.count("<article") == MOST
    assert f'On offer <span class="number">{MOST + 1}</span>' in page
    assert "Person A" in page
    assert "Mia" not in page, "the oldest"
    assert "Mia" in (await alice.get("/app/leads?state=on%20offer&age=1")).text
    assert "/app/leads?state=on%20offer&amp;age=1" in page

    ids = await web_app.database.fetch("SELECT id FROM leads ORDER BY id DESC LIMIT $1", CLAIMED + 1)
    for row in ids:
        await web_app.engine.claim(web_app.brokerage.owner_id, row["id"], web_app.town.users["bob"])
    page = (await alice.get("/app/board")).text
    assert page.count("<article") == CLAIMED + MOST - CLAIMED, "of those that are claimed, the newest"
    assert f'Claimed <span class="number">{CLAIMED + 1}</span>' in page
    assert "/app/leads?state=claimed&amp;age=1" in page


async def test_a_card_of_the_board_opens_its_menu_to_assign(web_app: WebApp) -> None:
    """Whose names would otherwise be in each card."""
    alice, bob = await web_app.sign_in("alice"), web_app.town.users["bob"]
    closed = (await alice.get("/app/board")).text
    path = f"/app/board?assign={web_app.lead_id}"
    opened = (await alice.get(path)).text

    assert "<select" not in closed
    assert f'href="{path}#lead-{web_app.lead_id}"' in closed
    assert f'<option value="{bob}"' in opened
    sent = form(opened, "assign") | {"user_id": str(bob)}
    assert (await alice.post("/app/board", data=sent)).headers["location"] == "/app/board"
    assert (await web_app.claimed())["username"].startswith("bob")


async def test_a_lead_by_hand_needs_a_person_and_a_source(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")

    unnamed = await alice.post("/app/leads/new", data={"do": "add", "city": "Denver"})
    nowhere = await alice.post("/app/leads/new", data={"do": "add", "first_name": "Noor"})

    assert (unnamed.status_code, nowhere.status_code) == (422, 422)
    assert "A name, an e-mail or a phone is needed" in unnamed.text
    assert 'value="Denver"' in unnamed.text
    assert "Choose where the lead comes from" in nowhere.text


@pytest.mark.parametrize("query", ["state=x", "age=5000", "source=x", "after=1.5", "source=99999999999999999999"])
async def test_filters_that_the_page_does_not_offer_are_refused(web_app: WebApp, query: str) -> None:
    alice = await web_app.sign_in("alice")
    assert (await alice.get(f"/app/leads?{query}")).status_code == 400


async def test_the_list_goes_on_by_key(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    names = [f"Person {first}{second}" for first in "ABCDEF" for second in "abcdefghi"][:51]
    for number, name in enumerate(names):
        await web_app.ask(name=name, email=f"p{number}@example.org")
    first = (await alice.get("/app/leads")).text
    more = re.search(r'hx-get="([^"]+)"', first[first.index("Show more") - 400 :])
    assert more is not None
    second = (await alice.get(more[1].replace("&amp;", "&"))).text

    assert first.count('class="who"') == 50
    assert "<html" not in second, "a part of the page alone"
    assert names[-1] in first
    assert names[0] in second


async def test_the_board_is_for_owners(web_app: WebApp) -> None:
    assert (await (await web_app.sign_in("bob")).get("/app/board")).status_code == 404

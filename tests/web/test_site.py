"""What holds for every page below /app: who sees it, forms that act once, that are wrong, and that come too late."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadroutes.errors import AlreadyClaimed, Conflict, Invalid, NotFound, Problem, TooManyRequests, Unprocessable
from leadroutes.web import pages, status_of
from leadroutes.web.page import Inverse, Stale
from leadroutes.web.pages import PAGES
from leadroutes.web.signed import Signed
from leadroutes.web.viewers import ActingEnded
from tests.support.web_app import PASSWORD, WebApp

TOKENS = "/app/me/tokens"
SECRET = "a secret of the tests"


def form_token(page: str) -> str:
    """The name that the last form of a page has."""
    return re.findall(r'name="once" value="([^"]+)"', page)[-1]


async def tokens_of(web_app: WebApp, name: str) -> list[str]:
    sql = "SELECT name FROM access_tokens WHERE user_id = $1 AND revoked_at IS NULL AND name IS NOT NULL"
    return [row["name"] for row in await web_app.database.fetch(sql, web_app.town.users[name])]


@pytest.mark.parametrize("page", [each for each in PAGES if "{" not in each.path], ids=lambda each: each.path)
async def test_a_page_is_for_those_who_are_signed_in(web_app: WebApp, page) -> None:
    path = "/app" + page.path.rstrip("/")
    answer = await web_app.browser().get(path)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")


async def test_the_navigation_shows_what_the_viewer_has(web_app: WebApp) -> None:
    alice, bob = await web_app.sign_in("alice"), await web_app.sign_in("bob")

    assert "/app/outbox" in (await alice.get("/app")).text
    assert "/app/outbox" not in (await bob.get("/app")).text, "Bob only works in a team"
    assert (await bob.get("/app/outbox")).status_code == 404


async def test_a_form_that_is_sent_twice_acts_once(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    form = {"do": "issue", "name": "Zapier", "scope": "read", "once": form_token((await bob.get(TOKENS)).text)}

    assert (await bob.post(TOKENS, data=form)).status_code == 200
    again = await bob.post(TOKENS, data=form)

    assert (again.status_code, again.headers["location"]) == (303, TOKENS)
    assert await tokens_of(web_app, "bob") == ["Zapier"]


async def test_the_form_of_another_user_has_no_name_here(web_app: WebApp) -> None:
    """Bob's form does not keep Carol's from acting, nor Carol's Bob's."""
    bob, carol = await web_app.sign_in("bob"), await web_app.sign_in("carol")
    form = {"do": "issue", "name": "Zapier", "scope": "read", "once": form_token((await bob.get(TOKENS)).text)}

    assert (await carol.post(TOKENS, data=form)).status_code == 200
    assert (await bob.post(TOKENS, data=form)).status_code == 200
    assert await tokens_of(web_app, "bob") == await tokens_of(web_app, "carol") == ["Zapier"]


async def test_a_form_that_is_wrong_comes_back_and_may_be_sent_again(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    once = form_token((await bob.get(TOKENS)).text)
    wrong = {"do": "issue", "name": "<i>" + "x" * 300, "scope": "read", "once": once}

    refused = await bob.post(TOKENS, data=wrong)

    assert refused.status_code == 422
    assert "<title>Error: Personal tokens" in refused.text
    assert 'role="alert"' in refused.text
    assert "&lt;i&gt;xxx" in refused.text, "what was typed is still there, as text"
    assert (await bob.post(TOKENS, data=wrong | {"name": "Zapier"})).status_code == 200
    assert await tokens_of(web_app, "bob") == ["Zapier"]


@pytest.mark.parametrize("do", ["", "drop", "issue "])
async def test_a_button_that_the_page_does_not_have_is_refused(web_app: WebApp, do: str) -> None:
    answer = await (await web_app.sign_in("bob")).post(TOKENS, data={"do": do, "name": "x", "scope": "read"})

    assert answer.status_code == 400
    assert await tokens_of(web_app, "bob") == []


async def test_a_form_from_another_site_is_refused(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    form = {"do": "issue", "name": "Zapier", "scope": "read"}

    for path in (TOKENS, "/app/undo"):
        assert (await bob.post(path, data=form, headers={"origin": "https://evil.example"})).status_code == 403
    assert await tokens_of(web_app, "bob") == []


# ------------------------------------------------------------------------------------ the session has ended meanwhile


async def test_what_was_typed_without_a_session_is_shown_after_signing_in(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    form = {
        "do": "issue",
        "name": "Typed <for> long",
        "scope": "read",
        "once": form_token((await bob.get(TOKENS)).text),
    }
    bob.cookies.clear()

    sent = await bob.post(TOKENS, data=form)
    assert sent.status_code == 303
    place = sent.headers["location"].partition("next=")[2]
    assert await tokens_of(web_app, "bob") == []

    signed_in = await bob.post("/sign-in", data={"email": "bob@example.com", "password": PASSWORD, "next": place})
    assert signed_in.headers["location"] == place
    page = await bob.get(place)
    assert "Typed &lt;for&gt; long" in page.text
    assert "nothing of it is saved yet" in page.text

    again = form | {"once": form_token(page.text)}
    assert (await bob.post(TOKENS, data=again)).status_code == 200
    assert await tokens_of(web_app, "bob") == ["Typed <for> long"]


async def test_no_one_else_sees_what_was_typed(web_app: WebApp) -> None:
    bob = await web_app.sign_in("bob")
    form = {"do": "issue", "name": "Private", "scope": "read", "once": form_token((await bob.get(TOKENS)).text)}
    bob.cookies.clear()
    place = (await bob.post(TOKENS, data=form)).headers["location"].partition("next=")[2]
    carol = await web_app.sign_in("carol")

    answer = await carol.get(place)

    assert answer.status_code == 404
    assert "Private" not in answer.text


async def test_a_stranger_stores_nothing_by_sending_forms(web_app: WebApp) -> None:
    for once in ("", "forged", "1.abc.def"):
        form = {"do": "issue", "name": "x", "scope": "read", "once": once}
        answer = await web_app.browser().post(TOKENS, data=form)
        assert answer.headers["location"] == f"/sign-in?next={TOKENS}"

    assert await web_app.database.fetchval("SELECT count(*) FROM typed_forms") == 0


# ---------------------------------------------------------------------------------------------------------- undoing


def undo_token(web_app: WebApp, name: str, body: dict[str, str], only_if: dict[str, str]) -> str:
    path = f"/teams/{web_app.town.team_id}"
    user_id = web_app.town.users[name]
    return Signed(SECRET).undo_token(user_id, user_id, Inverse("PATCH", path, body, only_if))


async def team_name(web_app: WebApp) -> str:
    return await web_app.database.fetchval("SELECT name FROM teams WHERE id = $1", web_app.town.team_id)


async def test_an_act_is_taken_back_once(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    token = undo_token(web_app, "alice", {"name": "Before"}, {"name": await team_name(web_app)})

    undone = await alice.post("/app/undo", data={"undo": token, "back": TOKENS})

    assert (undone.status_code, undone.headers["location"]) == (303, TOKENS)
    assert await team_name(web_app) == "Before"
    assert "That is undone." in (await alice.get(TOKENS)).text
    assert "That is undone." not in (await alice.get(TOKENS)).text, "it is said once"
    await web_app.database.execute("UPDATE teams SET name = 'Later'")
    await alice.post("/app/undo", data={"undo": token})
    assert await team_name(web_app) == "Later"


async def test_what_has_changed_since_is_not_taken_back(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    token = undo_token(web_app, "alice", {"name": "Before"}, {"name": await team_name(web_app)})
    await web_app.database.execute("UPDATE teams SET name = 'Changed by Carol'")

    assert (await alice.post("/app/undo", data={"undo": token})).status_code == 409
    assert await team_name(web_app) == "Changed by Carol"


def test_every_change_that_is_put_back_says_what_it_left() -> None:
    """Else undoing would overwrite what someone else has changed since."""
    calls = [
        (file.name, node)
        for file in Path(pages.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Inverse"
        and ast.unparse(node.args[0]) == "'PATCH'"
    ]  # fmt: skip
    assert len(calls) > 5
    assert [(name, ast.unparse(node)) for name, node in calls if len(node.args) + len(node.keywords) < 4] == []


async def test_no_one_undoes_for_another_or_by_a_forged_token(web_app: WebApp) -> None:
    name = await team_name(web_app)
    alices = undo_token(web_app, "alice", {"name": "Before"}, {})
    bobs = undo_token(web_app, "bob", {"name": "Before"}, {})  # the API refuses that to Bob
    bob = await web_app.sign_in("bob")

    answers = [await bob.post("/app/undo", data={"undo": each}) for each in (alices, "forged", "", bobs)]

    assert all(answer.status_code in (403, 404, 409, 400) for answer in answers)
    assert await team_name(web_app) == name


@pytest.mark.parametrize("back", ["https://evil.example/app", "//evil.example", "/sign-out", "/app/nowhere", ""])
async def test_undoing_leads_to_a_page_of_ours(web_app: WebApp, back: str) -> None:
    alice = await web_app.sign_in("alice")
    token = undo_token(web_app, "alice", {"name": "Before"}, {})

    assert (await alice.post("/app/undo", data={"undo": token, "back": back})).headers["location"] == "/app"


# --------------------------------------------------------------------------------------------------------- assets


async def test_static_files_are_packed_and_cached_for_ever(web_app: WebApp) -> None:
    browser = web_app.browser()
    page = (await browser.get("/sign-in")).text
    for path in re.findall(r'(?:href|src)="(/assets/[^"]+(?:css|js|svg)[^"]*)"', page):
        answer = await browser.get(path, headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert "immutable" in answer.headers["cache-control"]


async def test_pages_and_shared_files_are_small(web_app: WebApp) -> None:
    alice = await web_app.sign_in("alice")
    page = await alice.get("/app")
    shared = re.findall(r'(?:href|src)="(/assets/[^"#]+)', page.text)
    sizes = [len((await alice.get(path)).content) for path in set(shared)]

    assert len(page.content) < 60_000
    assert sum(sizes) < 120_000, "unpacked; packed they are a third of it"


async def test_the_manifest_can_be_installed(web_app: WebApp) -> None:
    browser = web_app.browser()
    manifest = (await browser.get("/app.webmanifest")).json()

    assert manifest["display"] == "standalone"
    assert manifest["start_url"] == "/app"
    for icon in manifest["icons"]:
        assert (await browser.get(icon["src"])).headers["content-type"] == icon["type"]


# ------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("problem", "status"), [
    (Conflict("It is there."), 409), (Stale({}), 409), (AlreadyClaimed(1, datetime(2026, 1, 1, tzinfo=UTC)), 409),
    (NotFound("It is not there."), 404), (ActingEnded("It has ended."), 403), (Invalid("What?"), 400),
    (TooManyRequests("Too often.", retry_after=1), 429), (Unprocessable("It cannot be read."), 400),
    (Problem("Something."), 400),
], ids=lambda each: type(each).__name__)  # fmt: skip
def test_a_narrower_problem_has_the_status_of_the_wider_one(problem: Problem, status: int) -> None:
    assert status_of(problem)[0] == status

"""What someone sees for whom there is nothing yet: what belongs on each page, and for an owner what to press first."""

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from leadroutes.web.pages import PAGES
from tests.support.web_app import WebApp

SIMPLE = ["/app" + page.path.rstrip("/") for page in PAGES if "{" not in page.path and not page.for_team_leads]


async def notices(browser: httpx.AsyncClient) -> dict[str, tuple[LexborNode, LexborNode]]:
    """The content and the notice of each page that has nothing to show."""
    found = {}
    for path in SIMPLE:
        answer = await browser.get(path)
        if answer.status_code == 404:
            continue
        assert answer.status_code == 200, path
        main = LexborHTMLParser(answer.text).css_first("main")
        if (notice := main.css_first(".empty")) is not None:
            found[path] = main, notice
    return found


@pytest.mark.parametrize("name", ["dave", "carol"])
async def test_an_empty_page_says_what_belongs_there(web_app: WebApp, name: str) -> None:
    """Dave is new here; to Carol nothing has been offered yet."""
    found = await notices(await web_app.sign_in(name))

    assert {"/app", "/app/leads", "/app/tasks", "/app/contacts"} <= found.keys()
    for path, (_, notice) in found.items():
        title, *words = [each.text().strip() for each in notice.css("p")]
        assert title, path
        assert words, f"{path}: {title}"
        assert words[0].endswith("."), path


async def test_a_new_owner_is_led_to_the_first_step(web_app: WebApp) -> None:
    """From every page on which leads, messages and people would be; what else is empty explains itself."""
    found = await notices(await web_app.sign_in("dave"))

    first = {
        "/app": "/app/welcome", "/app/leads": "/app/sources", "/app/board": "/app/sources",
        "/app/arrivals": "/app/sources", "/app/outbox": "/app/sources", "/app/routes": "/app/routes/new",
        "/app/teams": "/app/teams/new", "/app/campaigns": "/app/campaigns/new", "/app/contacts": "/app/contacts/new",
    }  # fmt: skip
    assert {path: found[path][1].css_first("a.button").attributes["href"] for path in first} == first
    assert "Every lead that comes in" in found["/app/leads"][1].text()


async def test_an_agent_with_nothing_is_not_sent_to_pages_of_owners(web_app: WebApp) -> None:
    carol = await web_app.sign_in("carol")
    for path, (_, notice) in (await notices(carol)).items():
        for link in notice.css("a.button"):
            assert (await carol.get(link.attributes["href"] or "")).status_code == 200, path


async def test_an_empty_board_is_one_notice_and_no_empty_columns(web_app: WebApp) -> None:
    main, notice = (await notices(await web_app.sign_in("dave")))["/app/board"]

    assert "No lead came in within 24 hours" in notice.text()
    assert main.css("section") == []
    board = LexborHTMLParser((await (await web_app.sign_in("alice")).get("/app/board")).text)
    assert len(board.css("main section")) == 4
    assert board.css_first("main .empty") is None

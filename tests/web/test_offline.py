"""What a phone keeps of the pages: that there is no connection, and nothing of anyone's leads."""

import re

from tests.support.web_app import WebApp


async def test_the_worker_may_answer_for_all_pages_and_keeps_three_files(web_app: WebApp) -> None:
    browser = web_app.browser()
    worker = await browser.get("/app/sw.js")

    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["service-worker-allowed"] == "/app"
    assert worker.headers["cache-control"] == "no-cache"
    stored = re.search(r"stored = \[(.*)\]", worker.text)
    assert stored is not None
    assert len(stored[1].split(",")) == 3
    assert "cache.put" not in worker.text


async def test_the_page_without_a_connection_is_the_same_for_everyone(web_app: WebApp) -> None:
    stranger, bob = web_app.browser(), await web_app.sign_in("bob")
    page = (await stranger.get("/app/offline")).text
    assert "You are offline" in page
    assert (await bob.get("/app/offline")).text == page


async def test_a_phone_finds_icon_colour_and_worker_in_the_head(web_app: WebApp) -> None:
    page = (await (await web_app.sign_in("bob")).get("/app")).text
    assert 'rel="apple-touch-icon"' in page
    assert page.count('name="theme-color"') == 2
    assert 'data-worker="/app/sw.js?' in page
    script = await web_app.browser().get("/assets/pages.js")
    assert len(script.content) < 8000

"""The streams of open screens, over real connections: what they say, and that a stop does not wait for them."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from leadroutes.store.screens import user_topic
from leadroutes.store.sessions import add_session
from tests.support.processes import SERVE_ONLY, Node, node

pytestmark = pytest.mark.process


@pytest.fixture
async def served(database: Database, database_url: str) -> AsyncIterator[tuple[Node, httpx.AsyncClient, int]]:
    """A service, and the browser of a user who is signed in."""
    user_id = await database.run(
        lambda each: accounts.add_user(
            each, accounts.NewUser(email="bob@example.com", password="correct horse battery")
        )
    )
    token = await add_session(database, user_id)
    settings = {"DATABASE_URL": database_url, "LEADROUTES_STOP_DELAY": "0"}
    async with node(settings, *SERVE_ONLY) as running:
        limits = httpx.Limits(max_connections=100)
        cookies = {"leadroutes": token}
        async with httpx.AsyncClient(base_url=running.address, cookies=cookies, limits=limits, timeout=30) as browser:
            yield running, browser, user_id


async def events(answer: httpx.Response) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            yield line.removeprefix("event: ")


async def test_a_stream_says_that_something_has_changed_and_no_more(served, database: Database) -> None:
    _, browser, user_id = served
    async with browser.stream("GET", "/app/live?to=user,account") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = events(answer)
        assert {await anext(heard), await anext(heard)} == {"user-changed", "account-changed"}, "as it may have"
        await database.execute("SELECT pg_notify('leadroutes_live', $1)", user_topic(user_id))
        assert await asyncio.wait_for(anext(heard), 20) == "user-changed"
    assert (await browser.get("/app/live?to=everything")).status_code == 404
    browser.cookies.clear()
    assert (await browser.get("/app/live?to=user")).status_code == 303


async def test_a_stop_ends_the_streams_instead_of_waiting_for_them(served) -> None:
    running, browser, _ = served
    begun = [await browser.send(browser.build_request("GET", "/app/live?to=user"), stream=True) for _ in range(20)]
    running.terminate()

    await asyncio.gather(*(answer.aread() for answer in begun))
    assert await running.end() == 0
    assert not [line for line in running.log if "Traceback" in line]

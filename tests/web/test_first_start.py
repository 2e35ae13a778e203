"""The first start: a link makes the first administrator, once, on a database without users."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from leadroutes.engine.engine import Engine
from leadroutes.engine.first_start import new_setup_code
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.web_app import pages_of

FORM = {
    "brokerage_name": "North Side Homes", "first_name": "Alice", "last_name": "Town", "email": "alice@example.com",
    "password": "correct horse battery", "timezone": "America/Denver",
}  # fmt: skip
HOST = "http://town"


@pytest.fixture
async def browsers(database: Database, tmp_path: Path) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Three, on pages whose database has no user."""
    settings = Settings(public_url=HOST, data=tmp_path, secret="a secret of the tests")
    application = pages_of(Engine(database), settings)
    made = [httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url=HOST) for _ in range(3)]
    yield made
    for browser in made:
        await browser.aclose()


async def test_the_link_makes_an_administrator_who_is_signed_in(
    database: Database, browsers: list[httpx.AsyncClient]
) -> None:
    code = await new_setup_code(database)
    assert code is not None
    assert "Set up Lead Routes" in (await browsers[0].get(f"/setup/{code}")).text
    answer = await browsers[0].post(f"/setup/{code}", data=FORM)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await browsers[0].get("/")).headers["location"] == "/app/welcome"
    row = await database.fetchrow("SELECT email, timezone, is_admin, is_broker, is_active FROM users")
    assert tuple(row) == ("alice@example.com", "America/Denver", True, True, True)
    assert await database.fetchval("SELECT brokerage_name FROM installation") == "North Side Homes"
    again = await browsers[1].get(f"/setup/{code}")
    assert (again.status_code, "has been set up" in again.text) == (404, True)
    assert await new_setup_code(database) is None


async def test_of_several_who_try_at_once_one_becomes_the_administrator(
    database: Database, browsers: list[httpx.AsyncClient]
) -> None:
    codes = [await new_setup_code(database) for _ in browsers]
    answers = await asyncio.gather(
        *(
            browser.post(f"/setup/{code}", data=FORM | {"email": f"{number}@example.com"})
            for number, (browser, code) in enumerate(zip(browsers, codes, strict=True))
        )
    )

    assert sorted(answer.status_code for answer in answers) == [303, 404, 404]
    assert await database.fetchval("SELECT count(*) FROM users") == 1


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [({"email": "nothing"}, "Enter an address"), ({"password": "short"}, "8 to 255"),
     ({"timezone": "Mars"}, "Choose a time zone"), ({"password": ""}, "Fill this in")],
)  # fmt: skip
async def test_a_wrong_field_is_named_and_the_link_stays_good(
    database: Database, browsers: list[httpx.AsyncClient], wrong: dict[str, str], problem: str
) -> None:
    code = await new_setup_code(database)
    refused = await browsers[0].post(f"/setup/{code}", data=FORM | wrong)

    assert refused.status_code == 400
    assert problem in re.sub("&#39;", "'", refused.text)
    assert 'value="North Side Homes"' in refused.text
    assert await database.fetchval("SELECT count(*) FROM users") == 0
    assert (await browsers[0].post(f"/setup/{code}", data=FORM)).status_code == 303


async def test_a_code_is_stored_as_a_hash_and_ends_after_a_day(
    database: Database, browsers: list[httpx.AsyncClient]
) -> None:
    code = await new_setup_code(database)
    row = await database.fetchrow("SELECT code_hash, expires_at - now() AS life FROM setup_codes")
    assert code is not None
    assert code.encode() not in row["code_hash"]
    assert 0.99 < row["life"].total_seconds() / 86_400 <= 1
    await database.execute("UPDATE setup_codes SET expires_at = now()")

    for answer in (await browsers[0].get(f"/setup/{code}"), await browsers[0].post(f"/setup/{code}", data=FORM),
                   await browsers[0].get("/setup/unknown")):  # fmt: skip
        assert answer.status_code == 404

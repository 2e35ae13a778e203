"""Rate limits, parameters without end, and that no secret comes into a log, whatever happens to a request."""

import io
import logging
from contextlib import redirect_stderr

import pytest
import structlog

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.errors import Misconfigured
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.observability import logs
from leadroutes.settings import Settings
from tests.support.api import Reply, ask
from tests.support.town import Town


def under(town: Town, **settings: str) -> Town:
    """The same town with other settings."""
    engine = Engine(town.database)
    application = api.application(town.database, engine, Arrivals(engine), Settings(**settings))
    return Town(town.database, application, town.users, town.tokens, town.team_id)


def must_wait(reply: Reply) -> None:
    assert (reply.status, reply.json["name"], reply.json["className"]) == (
        429, "TooManyRequests", "too-many-requests",
    )  # fmt: skip
    assert 1 <= int(reply.headers["retry-after"]) <= 3600
    assert "access-control-allow-origin" in reply.headers
    assert reply.json["code"] == 429


# ------------------------------------------------------------------------------------------------------- rates


async def test_a_token_that_is_used_too_often_has_to_wait_and_no_other_one(shared: Town) -> None:
    town = under(shared, rate_per_token="3/hour")
    statuses = [(await ask(town, "erin", "GET", "/me")).status for _ in range(3)]

    assert statuses == [200] * 3
    must_wait(await ask(town, "erin", "GET", "/lead-sources"))
    must_wait(await ask(town, "erin", "POST", "/tags", json={"content": "x"}))
    assert (await ask(town, "dave", "GET", "/me")).status == 200
    assert (await ask(town, None, "GET", "/healthz")).status == 200
    assert (await ask(town, None, "OPTIONS", "/tags")).status == 204


async def test_an_address_that_asks_too_often_has_to_wait_with_whatever_token(shared: Town) -> None:
    town = under(shared, rate_per_address="3/hour")
    for name, target, status in (("erin", "/me", 200), (None, "/me", 401), (None, "/oauth2/token", 405)):
        assert (await ask(town, name, "GET", target)).status == status
    must_wait(await ask(town, "dave", "GET", "/me"))
    must_wait(await ask(town, None, "GET", "/me"))
    must_wait(await ask(town, None, "POST", "/intake/key", json={}))
    must_wait(await ask(town, None, "POST", "/oauth2/token", json={}))
    assert (await ask(town, None, "OPTIONS", "/tags")).status == 204


async def test_one_household_of_ipv6_is_one_address(shared: Town) -> None:
    town = under(shared, rate_per_address="2/hour")

    async def ask_from(address: str) -> int:
        async def from_there(scope, receive, send):
            await town.application(scope | {"client": (address, 1)}, receive, send)

        there = Town(town.database, from_there, town.users, town.tokens)
        return (await ask(there, "erin", "GET", "/me")).status

    assert [await ask_from(f"2001:db8:0:1::{n}") for n in range(4)] == [200, 200, 429, 429]
    assert await ask_from("2001:db8:0:2::1") == 200
    assert await ask_from("192.0.2.1") == 200
    assert await ask_from("a socket") == 200
    assert [await ask_from(f"::ffff:192.0.2.{n}") for n in (1, 1, 2, 2, 2)] == [200, 429, 200, 200, 429]


async def test_nothing_is_limited_unless_it_is_configured(shared: Town) -> None:
    assert {(await ask(shared, "erin", "GET", "/me")).status for _ in range(100)} == {200}


def test_a_limit_that_cannot_be_read_is_reported() -> None:
    assert Settings.load({"LEADROUTES_RATE_PER_TOKEN": "600/minute"}).rate_per_token == "600/minute"
    for wrong in ("many", "600", "600/fortnight"):
        with pytest.raises(Misconfigured, match=r"LEADROUTES_RATE_PER_ADDRESS.*600/minute"):
            Settings.load({"LEADROUTES_RATE_PER_ADDRESS": wrong})


# ------------------------------------------------------------------------------------------------------- sizes


async def test_forms_have_no_more_parameters_and_no_deeper_ones_than_queries(shared: Town) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"&".join(b"x=1" for _ in range(1001)), b"a[b][c][d][e][f][g]=1", b"[" * 5000):
        reply = await ask(shared, "erin", "POST", "/tags", body=body, headers=form)
        assert (reply.status, reply.json["name"]) == (400, "BadRequest")


# -------------------------------------------------------------------------------------------------------- logs


@pytest.fixture
def log():
    """What this process logs, at the level of a curious administrator."""
    handlers, level = logging.root.handlers[:], logging.root.level
    written = io.StringIO()
    with redirect_stderr(written):
        logs.set_up(as_json=True, level=logging.DEBUG)
        yield written
    logging.root.handlers[:], logging.root.level = handlers, level
    structlog.reset_defaults()


async def test_no_secret_comes_into_a_log_whatever_becomes_of_the_request(shared: Town, log: io.StringIO) -> None:
    """The engine is missing, so that the ledger fails with everything that it was called with at hand."""
    broken = Town(
        shared.database, api.application(shared.database, None, None, Settings()), shared.users, shared.tokens
    )
    token, secret = shared.tokens["erin"], "what-no-one-may-read"
    for target in ("/ledger", f"/ledger?access_token={token}", f"/intake/{secret}"):
        method = "POST" if "intake" in target else "GET"
        reply = await ask(broken, "erin", method, target, json={"client_secret": secret, "password": secret})
        assert reply.status == 500
    for body in ({"client_id": secret, "client_secret": secret, "code": secret}, {"refresh_token": secret}):
        await ask(shared, None, "POST", "/oauth2/token", json={"grant_type": "refresh_token"} | body)

    lines = log.getvalue()
    assert lines.count("a request failed") == 3
    assert token not in lines
    assert secret not in lines

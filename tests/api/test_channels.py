"""The channels of the installation as administrators see them, and the mail that tries one."""

from collections.abc import AsyncIterator

import pytest

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.settings import Settings
from leadroutes.store.channel_faults import note_channel_fault
from tests.support.api import ask
from tests.support.mailbox import Mailbox
from tests.support.provider import Provider
from tests.support.town import Town


@pytest.fixture
async def administered(town: Town) -> Town:
    await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users["alice"])
    return town


@pytest.fixture
async def mailing(administered: Town) -> AsyncIterator[tuple[Town, Mailbox]]:
    """The same with a mail server."""
    async with Mailbox() as mailbox:
        engine = Engine(administered.database)
        arrivals = Arrivals(engine)
        settings = Settings(public_url="https://leads.example", smtp_url=mailbox.url, mail_from="leads@leads.example")
        administered.application = api.application(administered.database, engine, arrivals, settings)
        yield administered, mailbox
        await arrivals.close()


async def test_a_channel_that_is_not_configured_shows_the_lines_to_add(administered: Town) -> None:
    email, text, call = (await ask(administered, "alice", "GET", "/channels")).json
    assert (email["name"], email["is_available"], email["is_configured"], email["is_working"]) == (
        "email", True, False, False,
    )  # fmt: skip
    assert email["lines"][0].startswith("LEADROUTES_SMTP_URL=smtp://")
    assert (text["is_available"], text["is_configured"], len(text["lines"])) == (True, False, 3)
    assert (call["is_available"], call["is_configured"], call["lines"]) == (True, False, text["lines"])
    tried = (await ask(administered, "alice", "POST", "/channels/email/test", json={})).json
    assert (tried["is_sent"], tried["reason"]) == (False, "no email channel is configured")


async def test_a_channel_that_does_not_work_says_since_when_and_why(mailing: tuple[Town, Mailbox]) -> None:
    town, _ = mailing
    assert (await ask(town, "alice", "GET", "/channels")).json[0]["is_working"]
    await note_channel_fault(town.database, "email", "the login was refused")
    email = (await ask(town, "alice", "GET", "/channels")).json[0]
    assert (email["is_configured"], email["is_working"], email["reason"]) == (True, False, "the login was refused")
    assert email["since"] is not None
    assert (email["waiting"], email["lines"]) == (0, [])


async def test_a_mail_to_oneself_tries_the_channel(mailing: tuple[Town, Mailbox]) -> None:
    town, mailbox = mailing
    tried = await ask(town, "alice", "POST", "/channels/email/test", json={})
    assert tried.json == {"is_sent": True, "address": "alice@example.com", "reason": None}
    [mail] = mailbox.mails
    assert (mail["To"], mail["Subject"]) == ("alice@example.com", "A test of Lead Routes")
    mailbox.answers = ["550 5.7.1 not from here"]
    refused = (await ask(town, "alice", "POST", "/channels/email/test", json={})).json
    assert (refused["is_sent"], "not from here" in refused["reason"]) == (False, True)


async def test_a_text_to_oneself_tries_the_channel(administered: Town, provider: Provider) -> None:
    town = administered
    engine = Engine(town.database)
    arrivals = Arrivals(engine)
    settings = Settings(public_url="https://leads.example", **provider.settings)
    town.application = api.application(town.database, engine, arrivals, settings)
    without = await ask(town, "alice", "POST", "/channels/text/test", json={})
    assert (without.status, without.json["message"]) == (
        409,
        "Your account has no phone number; add one, and try again",
    )
    await town.database.execute("UPDATE users SET phone = '303-555-0141' WHERE id = $1", town.users["alice"])
    tried = await ask(town, "alice", "POST", "/channels/text/test", json={})
    assert tried.json == {"is_sent": True, "address": "+13035550141", "reason": None}
    assert provider.bodies == ["This text shows that Lead Routes can send texts. There is nothing to do."]
    provider.password = "another"
    refused = (await ask(town, "alice", "POST", "/channels/text/test", json={})).json
    assert (refused["is_sent"], refused["reason"]) == (False, "the provider said 20003: Authenticate")
    await arrivals.close()


async def test_only_administrators_see_and_try_channels(administered: Town) -> None:
    for name in ("bob", "dave"):
        assert (await ask(administered, name, "GET", "/channels")).status == 403
        for channel in ("email", "text"):
            assert (await ask(administered, name, "POST", f"/channels/{channel}/test", json={})).status == 403

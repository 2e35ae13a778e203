"""What is wrong with a channel is found without sending anything, with what to repair; a test sends one message."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from leadroutes import api
from leadroutes.errors import Conflict, Invalid
from leadroutes.operations.channel_checks import Finding, check_channels, send_test
from leadroutes.server.run import listen, serving_http
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.provider import NUMBER, Provider, Refusal, number_record


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
async def settings(
    brokerage: Brokerage, provider: Provider, mailbox: Mailbox, tmp_path: Path
) -> AsyncIterator[Settings]:
    """Of a service that runs, and that its own public address leads to."""
    listening = listen("127.0.0.1", 0)
    settings = Settings(
        public_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
        data=tmp_path,
        smtp_url=mailbox.url,
        mail_from="leads@brokerage.example",
        **provider.settings,
    )
    provider.numbers[0]["sms_url"] = f"{settings.public_url}/twilio/messages"
    application = api.application(brokerage.town.database, brokerage.engine, brokerage.arrivals, settings)
    async with serving_http(settings, application, listening):
        yield settings


async def findings(settings: Settings, **changed: Any) -> dict[str, Finding]:
    values = {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
    return {each.what: each for each in await check_channels(Settings(**{**values, **changed}))}


async def test_all_that_works_is_found_to_work_and_nothing_is_sent(
    settings: Settings, provider: Provider, mailbox: Mailbox, database: Database
) -> None:
    found = await findings(settings)
    assert {what: each.is_right for what, each in found.items()} == {
        "e-mail": True,
        "account at the provider": True,
        "LEADROUTES_TWILIO_FROM": True,
        "calls": True,
        f"texts to {NUMBER}": True,
        "a signed request through LEADROUTES_PUBLIC_URL": True,
        "notifications in browsers": True,
    }
    assert [each.method for each in provider.asked] == ["GET", "GET"]
    assert mailbox.mails == []
    assert await database.fetchval("SELECT count(*) FROM provider_requests") == 0


async def test_what_is_not_set_up_is_named_with_its_settings() -> None:
    found = {each.what: each for each in await check_channels(Settings())}
    assert [each.is_right for each in found.values()] == [None, None, None]
    assert "LEADROUTES_SMTP_URL" in found["e-mail"].remedy
    assert "LEADROUTES_TWILIO_ACCOUNT" in found["texts"].remedy


async def test_an_address_that_push_services_refuse_is_found(settings: Settings) -> None:
    found = await findings(settings, public_url="http://leads.example", mail_from="leads@localhost")
    assert (
        found["notifications in browsers"].is_right,
        "LEADROUTES_MAIL_FROM" in found["notifications in browsers"].remedy,
    ) == (False, True)


async def test_wrong_credentials_and_a_closed_account_are_found(settings: Settings, provider: Provider) -> None:
    account = (await findings(settings, twilio_token="another"))["account at the provider"]
    assert (account.is_right, account.outcome) == (False, "the provider said 20003: Authenticate")
    assert "LEADROUTES_TWILIO_ACCOUNT" in account.remedy
    provider.account_status = "suspended"
    account = (await findings(settings))["account at the provider"]
    assert (account.is_right, account.outcome) == (False, "it is suspended")
    away = (await findings(settings, twilio_url="http://127.0.0.1:1/x"))["account at the provider"]
    assert away.outcome.startswith("the provider cannot be reached")


async def test_a_number_that_is_not_the_accounts_or_cannot_text_is_found(
    settings: Settings, provider: Provider
) -> None:
    wrong = (await findings(settings, twilio_from="+13035550109"))["LEADROUTES_TWILIO_FROM"]
    assert (wrong.is_right, wrong.outcome) == (False, f"+13035550109 is not a number of the account ({NUMBER})")
    provider.numbers[0]["capabilities"] = {"sms": False, "voice": True}
    assert (await findings(settings))["LEADROUTES_TWILIO_FROM"].outcome == f"{NUMBER} cannot send texts"


async def test_a_number_that_cannot_call_is_said(settings: Settings, provider: Provider) -> None:
    assert (await findings(settings))["calls"].outcome == f"they come from {NUMBER}"
    provider.numbers[0]["capabilities"] = {"sms": True, "voice": False}
    found = (await findings(settings))["calls"]
    assert (found.is_right, found.outcome) == (None, "no number of the account that can call is set")


async def test_a_number_whose_texts_go_elsewhere_is_found(settings: Settings, provider: Provider) -> None:
    provider.numbers += [
        number_record("+13035550101"),
        number_record("+13035550102", text_url="https://old.example/sms"),
    ]
    found = await findings(settings)
    assert found["texts to +13035550101"].outcome == "they go to nowhere"
    assert found["texts to +13035550102"].outcome == "they go to https://old.example/sms"
    assert f"{settings.public_url}/twilio/messages" in found["texts to +13035550102"].remedy


async def test_a_public_address_that_changes_requests_or_leads_elsewhere_is_found(
    settings: Settings, provider: Provider
) -> None:
    what = "a signed request through LEADROUTES_PUBLIC_URL"
    localhost = settings.public_url.replace("127.0.0.1", "localhost")
    assert (await findings(settings, public_url=localhost))[
        what
    ].outcome == "the service does not recognise the signature"
    assert (await findings(settings, public_url="http://127.0.0.1:1"))[what].outcome.startswith(
        "http://127.0.0.1:1 cannot be reached"
    )
    elsewhere = (await findings(settings, public_url=provider.url))[what]
    assert elsewhere.outcome == "something else answers there (404)"


async def test_a_refused_sender_of_mail_is_found(settings: Settings) -> None:
    away = (await findings(settings, smtp_url="smtp://127.0.0.1:1"))["e-mail"]
    assert away.is_right is False
    assert "the mail server cannot be reached" in away.outcome


async def test_a_test_goes_to_an_address_or_a_number(
    settings: Settings, provider: Provider, mailbox: Mailbox, database: Database
) -> None:
    assert await send_test(database, settings, "bob@example.com") == "The mail server took it for bob@example.com"
    assert [mail["Subject"] for mail in mailbox.mails] == ["A test of Lead Routes"]
    assert await send_test(database, settings, "(303) 555-0142") == "The provider took it for +13035550142"
    [text] = provider.texts.values()
    assert (text["to"], text["from"], text["callback"]) == ("+13035550142", NUMBER, None)
    provider.refusals.append(Refusal(400, 21211, "not valid"))
    with pytest.raises(Conflict, match="It could not be sent: the provider said 21211: not valid"):
        await send_test(database, settings, "+13035550142")
    with pytest.raises(Invalid, match="--to: 'bob' was given; expected an e-mail address or a phone number"):
        await send_test(database, settings, "bob")
    with pytest.raises(Conflict, match="no text channel is configured"):
        await send_test(database, Settings(), "+13035550142")

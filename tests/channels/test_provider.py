"""The client of the provider: what it asks over real HTTP, and what each answer means for a message."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from leadroutes.channels import provider as client
from leadroutes.channels.envelope import DeliveryError
from leadroutes.settings import Settings
from tests.support.provider import ACCOUNT, NUMBER, TOKEN, Asked, Provider, Refusal, number_record

SENDER = {"From": NUMBER}
TO = "+13035550199"


@pytest.fixture
async def opened(provider: Provider) -> AsyncIterator[client.Provider]:
    opened = client.open_provider(Settings(**provider.settings))
    assert opened is not None
    yield opened
    await opened.close()


def test_without_an_account_there_is_no_client() -> None:
    assert client.open_provider(Settings()) is None


async def test_a_text_is_sent_with_an_address_to_call_back(provider: Provider, opened: client.Provider) -> None:
    sent = await opened.send_text(TO, "Grüße & 1+1", SENDER, "https://leads.example/twilio/status?message=1.2")
    assert (sent.state, sent.error_code) == ("queued", None)
    fields = {"To": TO, "Body": "Grüße & 1+1", "From": NUMBER,
              "StatusCallback": "https://leads.example/twilio/status?message=1.2#ct=3000&rc=3&rp=all"}  # fmt: skip
    assert provider.asked == [Asked("POST", "/Messages.json", fields, ACCOUNT)]
    found = await opened.get_message(sent.id)
    assert found is not None
    assert (found.id, found.body) == (sent.id, "Grüße & 1+1")
    assert await opened.get_message("SM404") is None


async def test_a_key_is_used_in_place_of_the_token(provider: Provider) -> None:
    provider.password = "the secret of the key"
    settings = Settings(**provider.settings, twilio_key="SK1", twilio_key_secret=provider.password)
    opened = client.open_provider(settings)
    assert opened is not None
    assert (await opened.get_account()).status == "active"
    assert [each.user for each in provider.asked] == ["SK1"]
    await opened.close()


async def test_texts_to_a_number_are_found_by_day(provider: Provider, opened: client.Provider) -> None:
    sent = await opened.send_text(TO, "one", SENDER, None)
    await opened.send_text("+13035550198", "two", SENDER, None)
    found = await opened.find_messages(TO, datetime(2026, 11, 29, 23, tzinfo=UTC))
    assert [(each.id, each.body) for each in found] == [(sent.id, "one")]
    assert provider.asked[-1].fields == {"To": TO, "DateSent>": "2026-11-29", "PageSize": "1000"}


async def test_all_pages_of_numbers_are_read_and_remembered(provider: Provider, opened: client.Provider) -> None:
    provider.numbers += [number_record(f"+1303555010{digit}", text_url="https://x.example") for digit in range(1, 5)]
    numbers = await opened.list_numbers()
    assert [each.number for each in numbers] == [f"+1303555010{digit}" for digit in range(5)]
    assert [each.text_url for each in numbers[:2]] == [None, "https://x.example"]
    assert len(provider.asked) == 3
    assert await opened.list_numbers() == numbers
    assert len(provider.asked) == 3


async def test_a_call_is_begun_and_ended(provider: Provider, opened: client.Provider) -> None:
    call = await opened.make_call({"To": TO, "From": NUMBER, "Url": "https://leads.example/twilio/calls/x"})
    assert provider.calls[call.id]["fields"]["Url"] == "https://leads.example/twilio/calls/x"
    assert (await opened.end_call(call.id)).state == "canceled"


# refusal -> blame, is_permanent, is_doubtful
REFUSALS: dict[str, tuple[Refusal, tuple[str, bool, bool]]] = {
    "credentials": (Refusal(401, 20003), ("channel", False, False)),
    "an account that is not there": (Refusal(404, 20404), ("channel", False, False)),
    "forbidden without a number": (Refusal(403), ("channel", False, False)),
    "too many": (Refusal(429, 20429), ("message", False, False)),
    "broken": (Refusal(500), ("message", False, False)),
    "away": (Refusal(503, 20500), ("message", False, False)),
    "a wrong number": (Refusal(400, 21211), ("message", True, False)),
    "a wrong sender": (Refusal(400, 21606), ("policy", False, False)),
    "opted out": (Refusal(400, 21610), ("message", True, False)),
    "a landline": (Refusal(400, 21614), ("message", True, False)),
    "at night": (Refusal(400, 30610), ("message", False, False)),
    "unknown": (Refusal(400, 99999), ("message", True, False)),
    "a redirect": (Refusal(302), ("channel", False, False)),
}


@pytest.mark.parametrize(("refusal", "expected"), REFUSALS.values(), ids=REFUSALS)
async def test_what_a_refusal_means(
    provider: Provider, opened: client.Provider, refusal: Refusal, expected: tuple[str, bool, bool]
) -> None:
    provider.refusals.append(refusal)
    with pytest.raises(DeliveryError) as raised:
        await opened.send_text(TO, "x", SENDER, None)
    error = raised.value
    assert (error.blame, error.is_permanent, error.is_doubtful) == expected
    assert error.code == refusal.code
    assert error.reason == f"the provider said {refusal.code or refusal.status}: no"
    assert len(provider.asked) == 1, "nothing is tried again by itself"


async def test_nothing_is_doubtful_while_the_provider_cannot_be_reached(provider: Provider) -> None:
    for url in ("http://127.0.0.1:1", "http://leads.invalid"):
        opened = client.open_provider(Settings(**{**provider.settings, "twilio_url": url}))
        assert opened is not None
        with pytest.raises(DeliveryError, match="the provider cannot be reached") as raised:
            await opened.send_text(TO, "x", SENDER, None)
        assert (raised.value.blame, raised.value.is_doubtful) == ("channel", False)
        await opened.close()


async def test_what_was_handed_over_and_not_answered_is_doubtful(provider: Provider) -> None:
    opened = client.open_provider(Settings(**provider.settings), timeout=0.2)
    assert opened is not None
    provider.refusals.append(Refusal(200, is_done=True))
    with pytest.raises(DeliveryError, match="the provider broke off") as raised:
        await opened.send_text(TO, "x", SENDER, None)
    assert raised.value.is_doubtful
    assert provider.bodies == ["x"]
    await opened.close()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"\xff"])
async def test_an_answer_that_cannot_be_read_is_doubtful_after_something_was_done(body: bytes) -> None:
    async with answering(b"HTTP/1.1 201 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as url:
        opened = client.open_provider(Settings(twilio_url=url, twilio_account=ACCOUNT, twilio_token=TOKEN))
        assert opened is not None
        with pytest.raises(DeliveryError) as raised:
            await opened.send_text(TO, "x", SENDER, None)
        assert raised.value.is_doubtful
        await opened.close()


async def test_the_next_page_is_asked_of_the_same_server_only() -> None:
    page = b'{"incoming_phone_numbers": [{"phone_number": "+13035550100"}], "next_page_uri": "http://127.0.0.1:1/x"}'
    async with answering(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)) as url:
        opened = client.open_provider(Settings(twilio_url=url, twilio_account=ACCOUNT, twilio_token=TOKEN))
        assert opened is not None
        assert [each.number for each in await opened.list_numbers()] == ["+13035550100"]
        await opened.close()


class answering:  # noqa: N801 -- used as a context
    """A server that gives one answer to everything."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/2010-04-01"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self._answer)
        await writer.drain()
        writer.close()

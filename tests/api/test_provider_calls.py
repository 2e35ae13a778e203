"""Requests of the provider: only signed ones count, each once, and a second delivery gets the answer of the first."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.errors import Unavailable
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.operations.erasure import erase_contact
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.provider_requests import Answer, answer_once
from leadroutes.worker.retention import clean
from tests.support.provider import TOKEN, sign
from tests.support.town import Town

SETTINGS = Settings(
    public_url="https://leads.example", twilio_account="AC1", twilio_token=TOKEN, twilio_from="+13035550100",
    rate_per_address="1/minute",
)  # fmt: skip
FIELDS = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+13035550199"}
STATUS = "/twilio/status?message=1.1"


@pytest.fixture
async def service(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    engine = Engine(database)
    arrivals = Arrivals(engine)
    app = api.application(database, engine, arrivals, SETTINGS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://elsewhere.example") as client:
        yield client
    await arrivals.close()


async def post(service: httpx.AsyncClient, target: str, fields: dict[str, str], **headers: str) -> httpx.Response:
    signed = {"X-Twilio-Signature": sign(f"https://leads.example{target}", fields)}
    return await service.post(target, data=fields, headers={**signed, **headers})


async def count(database: Database, table: str = "provider_requests") -> int:
    found: int = await database.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_a_signed_request_is_answered_with_twiml_whatever_host_it_names(
    service: httpx.AsyncClient, database: Database
) -> None:
    answer = await post(service, STATUS, FIELDS, Host="evil.example", **{"X-Forwarded-Proto": "http"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
    assert await count(database) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": sign("https://elsewhere.example" + STATUS, FIELDS)},
        {"X-Twilio-Signature": sign("https://leads.example" + STATUS, FIELDS, "another token")},
        {"X-Twilio-Webhooks-Signature-Settings": "key=x,algorithm=HMAC_SHA256"},
        {"Content-Type": "application/json"},
    ],
)
async def test_anything_else_is_refused_and_leaves_nothing(
    service: httpx.AsyncClient, database: Database, headers: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await post(service, STATUS, FIELDS, **headers)
    assert answer.status_code == 403
    assert await count(database) == 0
    assert "https://leads.example/twilio/status?message=1.1" in "".join(capfd.readouterr())


async def test_without_credentials_every_request_is_refused(database: Database) -> None:
    engine = Engine(database)
    arrivals = Arrivals(engine)
    app = api.application(database, engine, arrivals, Settings(public_url="https://leads.example"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://leads.example") as client:
        for token in ("", "None"):
            signature = sign("https://leads.example" + STATUS, FIELDS, token)
            answer = await client.post(STATUS, data=FIELDS, headers={"X-Twilio-Signature": signature})
            assert answer.status_code == 403
    await arrivals.close()


async def test_they_are_not_limited_by_the_address_that_they_come_from(service: httpx.AsyncClient) -> None:
    answers = [await post(service, STATUS, {**FIELDS, "MessageSid": f"SM{number}"}) for number in range(5)]
    assert {answer.status_code for answer in answers} == {200}


async def test_a_request_that_names_nothing_is_refused_with_the_field(service: httpx.AsyncClient) -> None:
    for wrong in ({"MessageSid": ""}, {"MessageSid": "x" * 300}, {"MessageStatus": " "}, {"MessageSid": "a\0b"}):
        answer = await post(service, STATUS, {**FIELDS, **wrong})
        assert answer.status_code == 400
        assert next(iter(wrong)) in answer.text


@pytest.mark.parametrize("name", ["", "?message=", "?message=x", "?message=9.9", f"?message={'9' * 18}.{'9' * 18}"])
async def test_a_state_of_no_message_of_this_service_is_taken_note_of(
    service: httpx.AsyncClient, database: Database, name: str
) -> None:
    assert (await post(service, f"/twilio/status{name}", FIELDS)).status_code == 200
    assert (await count(database), await count(database, "message_callbacks")) == (1, 0)


# ----------------------------------------------------------------------------------------------------- once, for ever


async def test_a_second_delivery_is_answered_as_the_first_and_does_nothing(database: Database) -> None:
    done: list[int] = []

    async def work() -> Answer:
        done.append(len(done))
        return Answer(text=f"<Response>{len(done)}</Response>")

    answers = [await answer_once(database, "message SM1", work) for _ in range(3)]
    assert answers == ["<Response>1</Response>"] * 3
    assert await answer_once(database, "message SM2", work) == "<Response>2</Response>"
    assert done == [0, 1]


async def test_two_deliveries_at_once_are_dealt_with_once(database: Database) -> None:
    begun = asyncio.Event()
    done: list[Any] = []

    async def work() -> Answer:
        done.append(None)
        begun.set()
        await asyncio.sleep(0.05)
        return Answer(text="the answer")

    answers = await asyncio.gather(*(answer_once(database, "message SM1", work) for _ in range(4)))
    assert answers == ["the answer"] * 4
    assert len(done) == 1


async def test_what_failed_is_dealt_with_by_the_next_delivery(database: Database) -> None:
    async def fail() -> Answer:
        raise Unavailable

    async def succeed() -> Answer:
        return Answer()

    with pytest.raises(Unavailable):
        await answer_once(database, "message SM1", fail)
    assert await answer_once(database, "message SM1", succeed) is None
    assert await answer_once(database, "message SM1", fail) is None, "it is answered"


async def test_what_a_process_left_unanswered_is_taken_over_after_a_while(database: Database) -> None:
    async def work() -> Answer:
        return Answer(text="now")

    await database.execute(
        "INSERT INTO provider_requests (key, taken_at) VALUES ('message SM1', now() - interval '31 seconds')"
    )
    assert await answer_once(database, "message SM1", work) == "now"


async def test_the_words_of_an_answer_go_after_a_day_and_with_the_contact(database: Database) -> None:
    town = await Town.create(database)
    contact_id = await town.contact("alice")

    async def work(answer: Answer) -> Answer:
        return answer

    about = Answer(text="Yours: Mia", owner_id=town.users["alice"], contact_id=contact_id)
    for key, answer in (("of Mia", about), ("of no one", Answer(text="Hello")), ("old", Answer(text="Hello"))):
        await answer_once(database, key, partial(work, answer))
    await erase_contact(database, town.users["alice"], contact_id)
    await database.execute("UPDATE provider_requests SET received_at = now() - interval '25 hours' WHERE key = 'old'")
    cleaned = await clean(database, Settings(), asyncio.Event())
    assert cleaned["provider_answers"] == 1
    for key, left in (("of Mia", None), ("of no one", "Hello"), ("old", None)):
        assert await answer_once(database, key, partial(work, about)) == left, "it is dealt with for ever"

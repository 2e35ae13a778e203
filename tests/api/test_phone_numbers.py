"""/phone-numbers: administrators say whose texts come in where; /twilio/messages: how texts come in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from leadroutes import api
from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.api import ask
from tests.support.provider import NUMBER, Provider, number_record, sign
from tests.support.town import Town

MINE, OTHERS = "+13035550111", "+13035550999"


@dataclass
class Numbers:
    """Alice is an administrator; the account has two numbers."""

    town: Town
    provider: Provider

    async def add(self, status: int = 201, who: str = "alice", **body: object) -> dict[str, object]:
        reply = await ask(self.town, who, "POST", "/phone-numbers", json={"number": MINE, **body})
        assert reply.status == status, reply.body
        return reply.json

    async def system_phone(self, name: str) -> str | None:
        found: str | None = await self.town.database.fetchval(
            "SELECT system_phone FROM users WHERE username = $1", name
        )
        return found


@pytest.fixture
async def numbers(database: Database, provider: Provider) -> AsyncIterator[Numbers]:
    provider.numbers = [number_record(NUMBER), number_record("+13035550110"), number_record(MINE)]
    settings = Settings(public_url="https://leads.example", **provider.settings)
    engine = Engine(database)
    arrivals = Arrivals(engine)
    app = api.application(database, engine, arrivals, settings)
    provider.serves(app, settings)
    town = await Town.create(database, app)
    await database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    yield Numbers(town, provider)
    await arrivals.close()


async def test_a_number_of_the_account_becomes_the_system_phone_of_its_user(numbers: Numbers) -> None:
    bob = numbers.town.users["bob"]
    made = await numbers.add(number="(303) 555-0111", user_id=bob)
    assert (made["number"], made["user_id"], made["intake_key_id"]) == (MINE, bob, None)
    assert await numbers.system_phone("bob") == MINE
    url = f"/phone-numbers/{made['id']}"
    carol = numbers.town.users["carol"]
    reply = await ask(numbers.town, "alice", "PATCH", url, json={"user_id": carol})
    assert (reply.status, reply.json["user_id"]) == (200, carol)
    assert (await numbers.system_phone("bob"), await numbers.system_phone("carol")) == (None, MINE)
    assert (await ask(numbers.town, "alice", "DELETE", url)).status == 200
    assert await numbers.system_phone("carol") is None
    assert (await ask(numbers.town, "alice", "GET", url)).status == 404


async def test_the_provider_is_asked_once_an_hour(numbers: Numbers) -> None:
    await numbers.add(user_id=numbers.town.users["bob"])
    await numbers.add(number=NUMBER, user_id=numbers.town.users["bob"])
    asked = [each.path for each in numbers.provider.asked]
    assert asked == ["/IncomingPhoneNumbers.json"] * 2, "two pages"


async def test_another_number_is_refused_with_those_of_the_account(numbers: Numbers) -> None:
    bob = numbers.town.users["bob"]
    assert (await numbers.add(400, number=OTHERS, user_id=bob))["errors"] == {
        "number": f"number: {OTHERS} was given; expected one of the provider's account: {NUMBER}, +13035550110, {MINE}"
    }
    for wrong in ("x", "", "12", 7, None):
        assert "number" in (await numbers.add(400, number=wrong, user_id=bob))["errors"]
    assert "user_id" in (await numbers.add(400))["errors"]
    assert "user_id" in (await numbers.add(400, user_id=999_999))["errors"]
    assert await numbers.town.database.fetchval("SELECT count(*) FROM phone_numbers") == 0


async def test_a_number_has_one_user(numbers: Numbers) -> None:
    await numbers.add(user_id=numbers.town.users["bob"])
    await numbers.add(409, user_id=numbers.town.users["carol"])
    assert (await numbers.system_phone("bob"), await numbers.system_phone("carol")) == (MINE, None)


async def test_the_intake_key_is_one_of_the_user(numbers: Numbers) -> None:
    town = numbers.town
    keys = {}
    for name in ("bob", "carol"):
        reply = await ask(town, name, "POST", "/intake-keys", json={"lead_source_id": 1})
        keys[name] = reply.json["id"]
    refused = await numbers.add(400, user_id=town.users["bob"], intake_key_id=keys["carol"])
    assert refused["errors"] == {
        "intake_key_id": f"intake_key_id: {keys['carol']} was given; expected an intake key of the user"
        f" {town.users['bob']}"
    }
    made = await numbers.add(user_id=town.users["bob"], intake_key_id=keys["bob"])
    url = f"/phone-numbers/{made['id']}"
    moved = await ask(town, "alice", "PATCH", url, json={"user_id": town.users["carol"]})
    assert moved.json["intake_key_id"] is None, "the key of another user is not taken along"
    assert (await ask(town, "alice", "PATCH", url, json={"intake_key_id": keys["bob"]})).status == 400
    assert (await ask(town, "alice", "PATCH", url, json={"intake_key_id": keys["carol"]})).status == 200
    assert (await ask(town, "carol", "DELETE", f"/intake-keys/{keys['carol']}")).status == 200


async def test_only_administrators_see_and_change_them(numbers: Numbers) -> None:
    made = await numbers.add(user_id=numbers.town.users["bob"])
    url = f"/phone-numbers/{made['id']}"
    for method in ("GET", "PATCH", "DELETE"):
        assert (await ask(numbers.town, "bob", method, url, json={})).status == 404
    assert (await ask(numbers.town, "bob", "GET", "/phone-numbers")).json["total"] == 0
    await numbers.add(403, "bob", number=NUMBER, user_id=numbers.town.users["bob"])


async def test_a_user_who_leaves_passes_the_number_on_with_the_intake_keys(numbers: Numbers) -> None:
    town = numbers.town
    key = await ask(town, "bob", "POST", "/intake-keys", json={"lead_source_id": 1})
    made = await numbers.add(user_id=town.users["bob"], intake_key_id=key.json["id"])
    leaving = {"is_active": False, "successor_user_id": town.users["carol"]}
    assert (await ask(town, "alice", "PATCH", f"/users/{town.users['bob']}", json=leaving)).status == 200
    now = (await ask(town, "alice", "GET", f"/phone-numbers/{made['id']}")).json
    assert (now["user_id"], now["intake_key_id"]) == (town.users["carol"], key.json["id"])


async def test_a_provider_that_does_not_answer_is_not_the_callers_fault(numbers: Numbers) -> None:
    numbers.provider.password = "another"
    reply = await numbers.add(503, user_id=numbers.town.users["bob"])
    assert "Authenticate" in str(reply["message"])


async def test_without_a_provider_no_number_is_one_of_the_account(town: Town) -> None:
    await town.database.execute("UPDATE users SET is_admin = true WHERE username = 'alice'")
    body = {"number": MINE, "user_id": town.users["bob"]}
    reply = await ask(town, "alice", "POST", "/phone-numbers", json=body)
    assert reply.status == 400
    assert "not configured" in reply.json["errors"]["number"]


# --------------------------------------------------------------------------------------------------- /twilio/messages


async def stored(database: Database) -> list[tuple[str | None, str | None, str]]:
    rows = await database.fetch("SELECT phone, number, body FROM received_texts ORDER BY id")
    return [(row["phone"], row["number"], row["body"]) for row in rows]


async def test_a_text_is_stored_once_with_its_job_and_answered_with_nothing(
    numbers: Numbers, database: Database
) -> None:
    answers = [await numbers.provider.text_in("+13035550199", "Hello", sid="SM77") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} == {'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'}
    assert await stored(database) == [("+13035550199", NUMBER, "Hello")]
    assert await database.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'read_text'") == 1


async def test_two_deliveries_at_the_same_moment_are_one_text(numbers: Numbers, database: Database) -> None:
    await asyncio.gather(*(numbers.provider.text_in("+13035550199", "Hello", sid="SM78") for _ in range(6)))
    assert len(await stored(database)) == 1


async def test_a_forged_text_leaves_nothing(numbers: Numbers, database: Database) -> None:
    fields = {"MessageSid": "SM79", "From": "+13035550199", "To": NUMBER, "Body": "1"}
    address = "https://leads.example/twilio/messages"
    signatures = ("", "x", sign(address, fields, "another token"), sign(address, {**fields, "Body": "2"}))
    for signature in signatures:
        answer = await numbers.provider.post(address, fields, signature=signature)
        assert answer.status_code == 403
    assert await stored(database) == []
    assert await database.fetchval("SELECT count(*) FROM provider_requests") == 0


@pytest.mark.parametrize(
    ("body", "as_stored"),
    [
        ("", ""),
        ("x" * 10_000, "x" * 10_000),
        ("🏡" * 10_000, "🏡" * 10_000),
        ("a\0b\0", "ab"),
        ("\0", ""),
        ("Привет\r\nмир", "Привет\nмир"),
        ("  你好  ", "你好"),
    ],
)
async def test_any_text_is_taken(numbers: Numbers, database: Database, body: str, as_stored: str) -> None:
    answer = await numbers.provider.text_in("+13035550199", body)
    assert answer.status_code == 200
    assert await stored(database) == [("+13035550199", NUMBER, as_stored)]


@pytest.mark.parametrize(
    ("sender", "phone"),
    [("262966", None), ("ACME", None), ("", None), ("\0", None), ("+447700900123", "+447700900123")],
)
async def test_whoever_sends_it_it_is_taken(
    numbers: Numbers, database: Database, sender: str, phone: str | None
) -> None:
    assert (await numbers.provider.text_in(sender, "Hello")).status_code == 200
    assert await stored(database) == [(phone, NUMBER, "Hello")]


async def test_pictures_are_mentioned(numbers: Numbers, database: Database) -> None:
    await numbers.provider.text_in("+13035550199", "Look", NumMedia="1")
    await numbers.provider.text_in("+13035550199", "", NumMedia="2")
    assert [body for *_, body in await stored(database)] == [
        "Look\n[1 picture or file, not stored]",
        "[2 pictures or files, not stored]",
    ]


async def test_a_text_without_an_id_is_refused_with_the_field(numbers: Numbers) -> None:
    fields = {"From": "+13035550199", "To": NUMBER, "Body": "1"}
    answer: httpx.Response = await numbers.provider.post("https://leads.example/twilio/messages", fields)
    assert answer.status_code == 400
    assert "MessageSid" in answer.text

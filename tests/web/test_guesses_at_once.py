"""Wrong passwords that arrive at the same moment, over HTTP: no more are compared than of those that come in turn."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadroutes.security.throttle import PER_ACCOUNT_AND_NETWORK, PER_USER
from leadroutes.server.run import address_of, listen, running_service
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.support.town import Town

PASSWORD = "correct horse battery"
MANY = 50


@dataclass(frozen=True)
class Client:
    """Sends passwords to a service on a port of its own; everyone there has the same."""

    http: httpx.AsyncClient
    town: Town

    async def change(self, name: str, password: str) -> int:
        """The status of PATCH /me with this present password."""
        answer = await self.http.patch(
            "/me",
            json={"email": "new@example.com", "current_password": password},
            headers={"Authorization": f"Bearer {self.town.tokens[name]}"},
        )
        return answer.status_code

    async def sign_in(self, name: str, password: str, address: str = "203.0.113.1") -> int:
        """The status of the form, as from this address and a browser that no one knows."""
        answer = await self.http.post(
            "/sign-in",
            data={"email": f"{name}@example.com", "password": password},
            headers={"X-Forwarded-For": address},
        )
        self.http.cookies.clear()
        return answer.status_code


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[Client]:
    listening = listen("127.0.0.1", 0)
    url = address_of(listening)
    town = await Town.create(database)
    await database.execute("UPDATE users SET password_hash = $1", accounts.hash_password(PASSWORD))
    settings = Settings(public_url=url, data=tmp_path, secret="a secret of the tests")
    limits = httpx.Limits(max_connections=2 * MANY)
    async with (
        running_service(settings, database, listening, with_worker=False),
        httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as http,
    ):
        yield Client(http, town)


async def at_once(*sent: Coroutine[Any, Any, int]) -> Counter[int]:
    return Counter(await asyncio.gather(*sent))


async def test_the_api_compares_no_more_than_the_limit(client: Client) -> None:
    statuses = await at_once(*(client.change("bob", f"wrong {number}") for number in range(MANY)))

    assert statuses == {400: PER_USER, 429: MANY - PER_USER}
    assert await client.change("bob", PASSWORD) == 429
    assert await client.change("carol", PASSWORD) == 200


async def test_the_sign_in_page_compares_no_more_than_the_limit(client: Client) -> None:
    statuses = await at_once(*(client.sign_in("bob", f"wrong {number}") for number in range(MANY)))

    assert statuses == {403: PER_ACCOUNT_AND_NETWORK, 429: MANY - PER_ACCOUNT_AND_NETWORK}
    assert await client.sign_in("bob", PASSWORD) == 429
    assert await client.sign_in("bob", PASSWORD, address="198.51.100.7") == 303


async def test_a_right_password_among_wrong_ones_is_taken_and_does_not_count(client: Client) -> None:
    wrong = [client.change("bob", f"wrong {number}") for number in range(PER_USER - 1)]
    assert await at_once(*wrong, client.change("bob", PASSWORD)) == {400: PER_USER - 1, 200: 1}
    assert await client.change("bob", "wrong") == 400
    assert await client.change("bob", PASSWORD) == 429

    wrong = [client.sign_in("bob", f"wrong {number}") for number in range(PER_ACCOUNT_AND_NETWORK - 1)]
    statuses = await at_once(*wrong, client.sign_in("bob", PASSWORD))
    assert statuses == {403: PER_ACCOUNT_AND_NETWORK - 1, 303: 1}
    assert await client.sign_in("bob", "wrong") == 403
    assert await client.sign_in("bob", PASSWORD) == 429


async def test_a_right_password_from_elsewhere_is_taken_while_others_fail(client: Client) -> None:
    guesses = [asyncio.create_task(client.sign_in("bob", f"wrong {number}")) for number in range(MANY)]
    await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)  # the others are on their way or in the queue

    assert await client.sign_in("bob", PASSWORD, address="198.51.100.7") == 303
    statuses = Counter(await asyncio.gather(*guesses))
    assert statuses == {403: PER_ACCOUNT_AND_NETWORK, 429: MANY - PER_ACCOUNT_AND_NETWORK}
